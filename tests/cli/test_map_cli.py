"""One file → map: what a company exports comes out as a map, and what was assumed is said."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from cli_desk import Desk

from nobishiro.engine.store import Store

FAMILIES = {
    "光電センサ": 8_000,
    "画像検査": 90_000,
    "保守": 30_000,
    "消耗品": 1_200,
    "計測器": 50_000,
    "ソフト": 40_000,
}
MONTHS = [(2024 + (3 + n) // 12, (3 + n) % 12 + 1) for n in range(24)]


@dataclass(frozen=True)
class Sale:
    slip: int
    day: date
    code: str
    customer: str
    product: str
    name: str
    family: str
    quantity: int
    price: int

    @property
    def amount(self) -> int:
        return self.quantity * self.price


def sales(customers: int) -> list[Sale]:
    """Two years of a maker's sales; every customer knows about half of the families, and begins one more later."""
    chance = random.Random(7)
    made = []
    for month, (year, number) in enumerate(MONTHS):
        for at in range(customers):
            if chance.random() > 0.4:
                continue
            day = date(year, number, 1) + timedelta(days=chance.randrange(27))
            known = [place for place in range(6) if (at * 7 + place * 3) % 6 < 3 or (month > 12 and place == at % 6)]
            for place in chance.sample(known, min(len(known), chance.choice([1, 1, 2]))):
                family, price = list(FAMILIES.items())[place]
                kind = chance.randrange(3)
                name = ("株式会社山田{}", "㈱髙橋{}", "{}商店(有)")[at % 3].format(at)
                made.append(
                    Sale(
                        len(made) + 1, day, f"{at:05d}", name, f"{place}-{kind}", f"{family} {kind}型", family,
                        chance.choice([1, 2, 10]), price * (kind + 1),
                    )
                )  # fmt: skip
    return sorted(made, key=lambda sale: sale.day)


def ledger_workbook(path: Path, made: list[Sale]) -> None:
    """As 商奉行 prints it: title rows, a total below every month and at the end."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "売上明細表"
    sheet.append(["売上明細表"])
    sheet.append(["株式会社のびしろ計器", None, None, "2024年4月1日 ~ 2026年3月31日"])
    sheet.append([])
    sheet.append(
        ["伝票No", "売上日付", "得意先コード", "得意先名", "担当者名", "商品コード", "商品名", "商品分類", "数量",
         "売上単価", "売上金額", "原価単価"]
    )  # fmt: skip
    month: list[Sale] = []
    for sale in made:
        if month and month[-1].day.month != sale.day.month:
            sheet.append([None, None, None, "小計", *[None] * 6, sum(one.amount for one in month)])
            month = []
        month.append(sale)
        sheet.append(
            [f"{sale.slip:06d}", sale.day, sale.code, sale.customer, "佐藤", sale.product, sale.name, sale.family,
             sale.quantity, sale.price, sale.amount, sale.price * 0.6]
        )  # fmt: skip
    sheet.append([None, None, None, "合計", *[None] * 6, sum(sale.amount for sale in made)])
    book.save(path)


def ledger_csv(path: Path, made: list[Sale]) -> None:
    """CP932 with era years, a full-width yen sign and commas in the amounts."""
    rows = ["売上日,伝票番号,得意先コード,得意先名,商品コード,商品名,商品分類,数量,単価,金額"]
    rows += [
        f"R{sale.day.year - 2018}.{sale.day.month}.{sale.day.day},{sale.slip:06d},{sale.code},{sale.customer},"
        f'{sale.product},{sale.name},{sale.family},{sale.quantity},"{sale.price:,}","￥{sale.amount:,}"'
        for sale in made
    ]
    path.write_bytes("\r\n".join(rows).encode("cp932"))


def cross_table(path: Path, made: list[Sale]) -> None:
    """Customer × family × month in thousands of yen, with a subtotal below every customer and a total column."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["得意先別商品群別売上推移表(千円)"])
    sheet.append([])
    sheet.append(["得意先コード", "得意先名", "商品群", *(f"{year}年{month}月" for year, month in MONTHS), "合計"])
    cells: dict[tuple[str, str, str, int], int] = {}
    for sale in made:
        key = (sale.code, sale.customer, sale.family, MONTHS.index((sale.day.year, sale.day.month)))
        cells[key] = cells.get(key, 0) + sale.amount
    for code, name in sorted({(sale.code, sale.customer) for sale in made}):
        all_families = [0.0] * 24
        for family in FAMILIES:
            row = [cells.get((code, name, family, month), 0) / 1000 for month in range(24)]
            if any(row):
                sheet.append([code, name, family, *(value or None for value in row), sum(row)])
                all_families = [a + b for a, b in zip(all_families, row, strict=True)]
        sheet.append([None, None, "小計", *all_families, sum(all_families)])
    book.save(path)


@pytest.fixture(scope="module")
def made() -> list[Sale]:
    return sales(240)


@pytest.mark.parametrize(
    ("name", "write", "assumed"),
    [
        ("売上.xlsx", ledger_workbook, ("header on line 4", "titles and are skipped", "24 subtotal row(s) skipped")),
        ("売上.csv", ledger_csv, ("cp932 (Shift_JIS)", "delimiter comma")),
        ("推移表.xlsx", cross_table, ("24 month columns turned into rows", "multiplied by 1,000", "subtotal row(s)",
                                     "no order number")),
    ],
    ids=["ledger", "csv", "cross"],
)  # fmt: skip
def test_one_file_becomes_the_map_and_says_what_it_assumed(
    desk: Desk, made: list[Sale], name: str, write: object, assumed: tuple[str, ...]
) -> None:
    write(desk.path / name, made)  # type: ignore[operator]
    said = desk.nobishiro("map", desk.path / name, "--out", desk.path / "map.xlsx")
    assert said.code == 0, said.err
    for words in assumed:
        assert words in said.out
    assert "A " in said.out and "map.xlsx" in said.out
    book = openpyxl.load_workbook(desk.path / "map.xlsx", read_only=True)
    texts = [str(cell) for row in book.worksheets[1].iter_rows(values_only=True) for cell in row if cell is not None]
    customers = {sale.code for sale in made}
    assert len(customers & set(texts)) == len(customers)
    assert sorted(path.name for path in desk.path.iterdir()) == ["map.xlsx", name]


def test_three_shapes_of_the_same_sales_give_the_same_track_record(desk: Desk, made: list[Sale]) -> None:
    record = {}
    for name, write in (("a.xlsx", ledger_workbook), ("b.csv", ledger_csv), ("c.xlsx", cross_table)):
        write(desk.path / name, made)
        said = desk.nobishiro("import", desk.path / name, "-w", desk.path / f"ws-{name}", "--json")
        assert said.code == 0 and said.document["rejected"] == 0
        lines = Store.open(desk.path / f"ws-{name}").read("order_lines").select("customer_id", "amount")
        record[name] = dict(lines.group_by("customer_id").sum().iter_rows())
    assert record["a.xlsx"] == record["b.csv"] == record["c.xlsx"]


def test_few_customers_get_a_map_that_says_it_does_not_know(desk: Desk) -> None:
    ledger_csv(desk.path / "small.csv", sales(12))
    said = desk.nobishiro("map", desk.path / "small.csv", "--out", desk.path / "map.xlsx")
    assert said.code == 0, said.err
    assert (desk.path / "map.xlsx").exists()
