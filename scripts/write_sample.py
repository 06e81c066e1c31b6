"""Write docs/tutorial/sample-sales.xlsx: the invented file of sales that the tutorial brings in, the same every time.

`python scripts/write_sample.py` writes it. A hundred and twenty customers who take up one family after the other,
and one code too many; twenty months, three reps; one date that does not exist, as in every real file.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import xlsxwriter

PLACE: Final = Path(__file__).parents[1] / "docs" / "tutorial" / "sample-sales.xlsx"
FIRST, LAST = date(2025, 3, 3), date(2026, 11, 20)
HEADERS: Final = (
    "売上日",
    "伝票番号",
    "得意先コード",
    "得意先名",
    "商品コード",
    "商品名",
    "商品分類",
    "数量",
    "売上金額",
    "担当者コード",
    "担当者名",
)
REPS: Final = (("R01", "佐藤 健"), ("R02", "田中 美咲"), ("R03", "鈴木 大輔"))
PLACES: Final = (
    "青葉", "若竹", "白樺", "千歳", "早瀬", "三日月", "北浜", "大和田", "朝霧", "緑川", "桐山", "野々宮", "汐見",
    "浅茅", "霞台",
)  # fmt: skip
TRADES: Final = ("製作所", "食品工業", "化学", "電機", "製菓", "樹脂", "包装", "精機")
BAD_ROW: Final = 40


FAMILIES: Final = {
    "光電センサ": (
        ("E100", "光電センサ E100", 6_800),
        ("E300", "光電センサ E300", 9_800),
        ("E500", "光電センサ E500", 14_500),
    ),
    "画像検査": (("V-LITE", "画像検査 V-Lite", 198_000), ("V-STD", "画像検査 V-Std", 420_000)),
    "照明": (("L10", "検査用照明 L10", 18_000), ("L20", "検査用照明 L20", 32_000)),
    "保守": (("M-BASIC", "保守 Basic", 48_000), ("M-PLUS", "保守 Plus", 96_000)),
    "消耗品": (("C05", "接続ケーブル C05", 2_400), ("C10", "接続ケーブル C10", 3_600), ("R01", "反射板 R01", 1_800)),
}
PATHS: Final = (
    ("光電センサ", "消耗品", "照明", "画像検査", "保守"),
    ("光電センサ", "照明", "画像検査", "保守", "消耗品"),
    ("照明", "画像検査", "保守", "光電センサ", "消耗品"),
    ("消耗品", "光電センサ", "保守", "照明", "画像検査"),
)
"""In which order customers of one kind take families up; how far they have come differs."""


def sales_rows() -> list[tuple[str, str, str, str, str, str, str, int, int, str, str]]:
    """All lines by day and slip."""
    draw = random.Random(20261120)  # noqa: S311 - an invented ledger
    rows = []
    slip = 0
    for number in range(len(PLACES) * len(TRADES)):
        place, trade = divmod(number, len(TRADES))
        name, code = f"株式会社{PLACES[place]}{TRADES[trade]}", f"{number + 1:04d}"
        size = draw.lognormvariate(0, 0.9)
        path = PATHS[trade % len(PATHS)]
        day = FIRST + timedelta(days=draw.randrange(60))
        opened = [day + timedelta(days=round(step * draw.uniform(60, 420) / (0.6 + size))) for step in range(len(path))]
        pause = max(9.0, 50 / (0.5 + size))
        while day <= LAST:
            if day.weekday() < 5:
                slip += 1
                tastes = [family for family, since in zip(path, opened, strict=True) if since <= day]
                for family in sorted({draw.choice(tastes), tastes[0]}):
                    product = draw.choice(FAMILIES[family])
                    quantity = 1 if product[2] > 40_000 else 1 + int(draw.random() * 6 * (0.5 + size))
                    # one customer was entered a second time, with the short form of its name
                    is_twice = number == 6 and slip % 4 == 0
                    known = ("0907", name.replace("株式会社", "㈱")) if is_twice else (code, name)
                    rows.append((f"{day:%Y/%m/%d}", f"S{slip:05d}", *known, product[0], product[1], family, quantity,
                                 quantity * product[2], *REPS[number % 3]))  # fmt: skip
            day += timedelta(days=max(1, round(draw.expovariate(1 / pause))))
    return sorted(rows)


def write_sample(path: Path = PLACE) -> None:
    """The workbook: a title, a header on the third line, the lines."""
    rows = [list(row) for row in sales_rows()]
    rows[BAD_ROW][0] = "2025/13/01"
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": datetime(2026, 11, 21, tzinfo=UTC)})
        sheet = book.add_worksheet("売上明細")
        sheet.write(0, 0, "売上明細表 2025年3月〜2026年11月")
        sheet.write_row(2, 0, HEADERS)
        for at, row in enumerate(rows, 3):
            sheet.write_row(at, 0, row)
        sheet.set_column(0, len(HEADERS) - 1, 14)


if __name__ == "__main__":
    write_sample()
