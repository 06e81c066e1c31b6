"""Rows of a file become rows of a canonical table."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.mapping import ColumnMapping, own_mapping
from nobishiro.engine.intake.raw import RawTable, ReadGuess, no_rejected
from nobishiro.engine.intake.rows import MappedRows, map_rows
from nobishiro.engine.settings import ImportSettings

TODAY = date(2026, 11, 21)
LEDGER = ColumnMapping(
    table="order_lines",
    columns=(
        ("得意先コード", "customer_id"),
        ("売上日", "ordered_at"),
        ("伝票番号", "order_id"),
        ("商品コード", "product_id"),
        ("数量", "quantity"),
        ("単価", "unit_price"),
        ("金額", "amount"),
    ),
    also=(
        ColumnMapping(table="customers", columns=(("得意先コード", "customer_id"), ("得意先名", "name"))),
        ColumnMapping(
            table="products", columns=(("商品コード", "product_id"), ("商品名", "name"), ("分類", "category"))
        ),
    ),
)


def raw(header: str, *rows: str, layout: str = "list") -> RawTable:
    """A file as text: cells parted by |, lines counted from 2."""
    cells = [[cell or None for cell in row.split("|")] for row in rows]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(header.split("|"), pl.String), orient="row")
    lines = pl.Series(range(2, len(rows) + 2), dtype=pl.Int64)
    return RawTable("sales.csv", frame, lines, ReadGuess("csv", layout=layout), (), no_rejected())


def run(table: RawTable, mapping: ColumnMapping, **more: object) -> MappedRows:
    return map_rows(table, mapping, ImportSettings(), TODAY, **more)  # type: ignore[arg-type]


HEADER = "得意先コード|得意先名|売上日|伝票番号|商品コード|商品名|分類|数量|単価|金額"


def test_a_ledger_feeds_orders_customers_and_products() -> None:
    mapped = run(
        raw(
            HEADER,
            "001||R7.4.1|0001|A|光電センサ||2|1,250.5|",
            "001|㈱山田|2025/4/1|0001|B|反射板|部材|１|¥300|¥300",
            "002|田中|20250402|0002|A|光電センサ改|センサ|▲1|1000|▲1,000",
        ),
        LEDGER,
    )
    assert mapped.rejected.is_empty()
    assert mapped.frame.rows(named=True)[0] == {
        "order_id": "0001", "product_id": "A", "customer_id": "001", "ordered_at": datetime(2025, 4, 1),
        "quantity": Decimal(2), "amount": Decimal("2501.00"), "unit_price": Decimal("1250.50"), "_line": 2,
    }  # fmt: skip
    assert mapped.frame["amount"].to_list() == [Decimal(2501), Decimal(300), Decimal(-1000)]
    assert any("1 empty amounts were computed" in note for note in mapped.notes)
    customers, products = mapped.also
    assert customers.frame.select("customer_id", "name").rows() == [("001", "(株)山田"), ("002", "田中")]
    assert products.frame.select("product_id", "name", "category").rows() == [
        ("A", "光電センサ", "センサ"),
        ("B", "反射板", "部材"),
    ]


def test_one_bad_row_never_stops_the_others_and_says_all_that_is_wrong() -> None:
    mapped = run(
        raw(
            HEADER, "001|山田|2025/13/1|1|A|a||x|1|", "001|山田|2025/4/1|2|||| 1|2|2", "001|山田|2025/4/1|3|A|a||1|1|1"
        ),
        LEDGER,
    )
    assert mapped.frame["order_id"].to_list() == ["3"]
    assert mapped.rejected.columns == [*HEADER.split("|"), "_line", "_reason"]
    assert mapped.rejected["_line"].to_list() == [2, 3]
    first, second = mapped.rejected["_reason"].to_list()
    assert "売上日" in first
    assert '"2025/13/1" is not a date' in first
    assert '数量: "x" is not a number' in first
    assert second == "商品コード: is empty; 受注明細 needs 商品コード (product_id)"
    assert mapped.rejected["数量"].to_list() == ["x", " 1"], "the original cell, character by character"


def test_a_column_without_counterpart_is_named_in_both_languages_with_what_there_is() -> None:
    with pytest.raises(MappingIncomplete) as error:
        run(raw("得意先コード|金額", "1|2"), LEDGER)
    said = str(error.value)
    assert "ordered_at (受注日 / Ordered at)" in said
    assert "product_id (商品コード / Product)" in said
    assert "得意先コード, 金額" in said
    assert "order_id" not in said.split("needs")[0]


def test_without_an_order_number_a_customers_day_is_one_order() -> None:
    table = raw("得意先コード|売上日|商品コード", "1|2025/4/1|A", "1|2025/4/1|B", "1|2025/4/2|A", "|2025/4/2|A")
    mapped = run(table, LEDGER)
    assert mapped.frame["order_id"].to_list() == ["1_20250401", "1_20250401", "1_20250402", "-_20250402"]
    assert mapped.frame["order_id"].equals(run(table, LEDGER).frame["order_id"])
    assert any("no order number" in note for note in mapped.notes)


def test_a_cross_tables_month_is_one_order() -> None:
    mapping = ColumnMapping(
        table="order_lines",
        columns=(("得意先", "customer_id"), ("年月", "ordered_at"), ("商品群", "product_id"), ("金額(千円)", "amount")),
    )
    table = raw("得意先|年月|商品群|金額(千円)", "山田|2025年4月|センサ|1,200", "山田|2025-05|保守|0.5", layout="cross")
    mapped = run(table, mapping)
    assert mapped.frame.select("order_id", "product_id", "ordered_at", "amount").rows() == [
        ("山田_202504", "センサ", datetime(2025, 4, 1), Decimal(1_200_000)),
        ("山田_202505", "保守", datetime(2025, 5, 1), Decimal(500)),
    ]


def test_fine_unit_prices_are_rounded_only_at_the_end() -> None:
    table = raw("得意先コード|売上日|商品コード|数量|単価", "1|2025/4/1|A|10,000|0.125")
    assert run(table, LEDGER).frame["amount"].to_list() == [Decimal(1250)]


def test_an_event_without_a_number_gets_the_same_one_again() -> None:
    mapping = ColumnMapping(
        table="touches", columns=(("顧客", "customer_id"), ("日", "happened_at"), ("種別", "kind"), ("内容", "note"))
    )
    table = raw("顧客|日|種別|内容", "1|2025/4/1|訪問|a", "1|2025/4/1|訪問|b", "1|2025/4/2|電話|c")
    first, again = run(table, mapping).frame, run(table, mapping).frame
    assert first["touch_id"].n_unique() == 3
    assert first["touch_id"].equals(again["touch_id"])


def test_several_headers_are_joined_or_the_first_filled_one_counts() -> None:
    table = raw("コード|代替コード|姓|名|住所1|住所2|日|時刻", "|X1|山田|花子|大阪市|北区1|2025/4/1|9:30")
    customers = ColumnMapping(
        table="customers",
        columns=(
            ("コード", "customer_id"), ("代替コード", "customer_id"), ("姓", "name"), ("名", "name"),
            ("住所1", "address"), ("住所2", "address"),
        ),
        first_of=("customer_id",),
    )  # fmt: skip
    assert run(table, customers).frame.drop("_line").rows() == [("X1", "山田 花子", "大阪市北区1")]
    touches = ColumnMapping(
        table="touches",
        columns=(("代替コード", "customer_id"), ("日", "happened_at"), ("時刻", "happened_at")),
        constants=(("kind", "訪問"),),
    )
    row = run(table, touches).frame.row(0, named=True)
    assert (row["happened_at"], row["kind"]) == (datetime(2025, 4, 1, 9, 30), "visit")


def test_rows_left_out_on_purpose_are_no_rejections() -> None:
    mapping = ColumnMapping(
        table="order_lines",
        columns=(("注文", "order_id"), ("日", "ordered_at"), ("品", "product_id")),
        leave_out=(("状態", ("取消",)),),
    )
    mapped = run(raw("注文|日|品|状態", "1|2025/4/1|A|済", "2|2025/4/1|A|取消"), mapping)
    assert mapped.frame["order_id"].to_list() == ["1"]
    assert mapped.left_out["_line"].to_list() == [3]
    assert mapped.rejected.is_empty()


def test_addresses_standing_for_codes_do_not_get_into_the_orders() -> None:
    mapping = ColumnMapping(
        table="order_lines",
        columns=(("注文", "order_id"), ("メール", "customer_id"), ("日", "ordered_at"), ("品", "product_id")),
        hashed=("customer_id",),
    )
    mapped = run(raw("注文|メール|日|品", "1|A@example.jp|2025/4/1|x", "2|a@example.jp |2025/4/2|x"), mapping)
    codes = mapped.frame["customer_id"]
    assert codes.n_unique() == 1
    assert "@" not in codes[0]


CUSTOMERS = pl.DataFrame(
    {
        "customer_id": ["C1", "C2", "C3", "C4"],
        "name": ["山田食品株式会社", "山田", "ACME CO., LTD.", "株式会社ACME Trading"],
        "mail_domain": [None, None, "acme.example.jp", None],
    }
)


def test_calendar_entries_find_their_customer_or_are_left_out() -> None:
    mapping = ColumnMapping(
        table="touches",
        columns=(("件名", "subject"), ("件名", "kind"), ("開始日", "happened_at"), ("開始時刻", "happened_at")),
        ends_at=("終了日", "終了時刻"),
        search_customer=("件名", "出席者"),
        value_maps=(("kind", (("~訪問", "visit"), ("*", "meeting"))),),
    )
    table = raw(
        "件名|出席者|開始日|開始時刻|終了日|終了時刻",
        "㈱山田食品 訪問||2025/4/3|13:00|2025/4/3|14:30",
        "打合せ|x@acme.example.jp|2025/4/3|15:00|2025/4/3|15:30",
        "歯医者||2025/4/4|18:00|2025/4/4|18:30",
    )
    mapped = run(table, mapping, customers=CUSTOMERS)
    assert mapped.frame.select("customer_id", "kind", "minutes").rows() == [
        ("C1", "visit", 90.0),
        ("C3", "meeting", 30.0),
    ]
    assert mapped.left_out["_line"].to_list() == [4]
    with pytest.raises(MappingIncomplete, match="customer_id"):
        run(table, mapping)


def test_a_name_is_linked_to_the_one_customer_so_called_and_never_to_a_part_of_it() -> None:
    mapping = ColumnMapping(
        table="deals",
        columns=(("会社名", "customer_id"), ("案件", "name")),
        named=("customer_id",),
        also=(ColumnMapping(table="customers", columns=(("会社名", "customer_id"), ("会社名", "name"))),),
    )
    table = raw("会社名|案件", "㈱山田食品|a", "Acme Co., Ltd.|b", "ACME CO|c", "ACME, Ltd. Osaka|d")
    mapped = run(table, mapping, customers=CUSTOMERS)
    assert mapped.frame["customer_id"].to_list()[:2] == ["C1", "C3"]
    assert mapped.frame["customer_id"].to_list()[3] == "ACME, Ltd. Osaka"
    assert "C4" not in mapped.frame["customer_id"].to_list()
    assert set(mapped.also[0].frame["customer_id"]).isdisjoint(CUSTOMERS["customer_id"])


def test_dealer_and_end_customer_both_become_customers() -> None:
    mapping = ColumnMapping(
        table="order_lines",
        columns=(
            ("番号", "order_id"),
            ("日", "ordered_at"),
            ("品", "product_id"),
            ("商社", "customer_id"),
            ("先", "end_customer_id"),
        ),
        also=(
            ColumnMapping(table="customers", columns=(("商社", "customer_id"), ("商社名", "name"))),
            ColumnMapping(table="customers", columns=(("先", "customer_id"), ("先名", "name"))),
        ),
    )
    mapped = run(
        raw("番号|日|品|商社|商社名|先|先名", "1|2025/4/1|A|D1|商社一|E1|食品一", "2|2025/4/1|A|D1|商社一||"), mapping
    )
    assert len(mapped.also) == 1
    assert mapped.also[0].frame.select("customer_id", "name").rows() == [("D1", "商社一"), ("E1", "食品一")]
    assert mapped.frame["end_customer_id"].to_list() == ["E1", None]


def test_a_broken_constant_is_refused() -> None:
    mapping = ColumnMapping(table="customers", columns=(("名", "name"),), constants=(("state", "謎"),))
    with pytest.raises(MappingIncomplete, match="constant state"):
        run(raw("名", "山田"), mapping)


def test_own_exports_come_back_unchanged_in_each_language() -> None:
    japanese = raw("顧客コード|顧客名|備考", "'=1|㈱ 山田 |a\r\n b ")
    mapping = own_mapping("customers", "ja")
    row = run(japanese, mapping).frame.row(0, named=True)
    assert (row["customer_id"], row["name"], row["note"]) == ("=1", "㈱ 山田 ", "a\r\n b ")


def test_own_exports_come_back_unchanged() -> None:
    table = raw("customer_id|name|note", "'=1|㈱ 山田 |a\r\n b ")
    row = run(table, own_mapping("customers")).frame.row(0, named=True)
    assert (row["customer_id"], row["name"], row["note"]) == ("=1", "㈱ 山田 ", "a\r\n b ")


def test_an_empty_file_with_headers_gives_no_rows_and_no_error() -> None:
    mapped = run(raw(HEADER), LEDGER)
    assert mapped.frame.is_empty()
    assert [further.frame.height for further in mapped.also] == [0, 0]
