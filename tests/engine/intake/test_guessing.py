"""Which table a file is and what its columns mean."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import nobishiro
from nobishiro.contracts.errors import UnknownName
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.guessing import MappingGuess, guess_mapping


def guess(header: str, *rows: str, table: str | None = None) -> MappingGuess:
    cells = [[cell or None for cell in row.split("|")] for row in rows]
    return guess_mapping(pl.DataFrame(cells, schema=dict.fromkeys(header.split("|"), pl.String), orient="row"), table)


def columns(found: MappingGuess, table: str | None = None) -> dict[str, str]:
    wanted = table or found.mapping.table
    return {entry.column: entry.header for entry in found.columns if entry.table == wanted}


def test_online_retail_is_understood_without_help() -> None:
    found = guess(
        "Invoice|StockCode|Description|Quantity|InvoiceDate|Price|Customer ID|Country",
        "489434|85048|15CM CHRISTMAS GLASS BALL 20 LIGHTS|12|2009-12-01 07:45:00|6.95|13085.0|United Kingdom",
    )
    assert found.mapping.table == "order_lines"
    assert columns(found) == {
        "order_id": "Invoice", "product_id": "StockCode", "quantity": "Quantity", "ordered_at": "InvoiceDate",
        "unit_price": "Price", "customer_id": "Customer ID",
    }  # fmt: skip
    assert columns(found, "products") == {"product_id": "StockCode", "name": "Description"}
    assert found.unmapped == ("Country",)
    assert found.missing == ()
    assert found.confidence > 0.9


def test_a_japanese_ledger_feeds_every_table_it_knows() -> None:
    found = guess(
        "得意先コード|得意先名|伝票番号|売上日|商品コード|商品名|数量|単価|金額|担当者コード|担当者名|部門コード|部門名|摘要"
    )
    assert found.mapping.table == "order_lines"
    assert columns(found)["order_id"] == "伝票番号"
    assert columns(found)["amount"] == "金額"
    assert columns(found, "customers") == {"customer_id": "得意先コード", "name": "得意先名"}
    assert columns(found, "reps") == {"rep_id": "担当者コード", "name": "担当者名"}
    assert columns(found, "divisions") == {"division_id": "部門コード", "name": "部門名"}
    assert found.unmapped == ("摘要",)


def test_a_cross_table_needs_no_codes() -> None:
    found = guess("年月|得意先|商品群|金額(千円)", "2025-04|山田食品|センサ|1,200")
    assert columns(found) == {
        "ordered_at": "年月", "customer_id": "得意先", "product_id": "商品群", "amount": "金額(千円)",
    }  # fmt: skip
    assert columns(found, "products") == {"product_id": "商品群", "name": "商品群", "family": "商品群"}
    assert set(found.mapping.named) == {"customer_id", "product_id"}
    assert found.confidence < 0.7, "worth a look"


def test_a_cross_table_with_codes_and_names_is_sales_and_no_customer_list() -> None:
    found = guess("得意先コード|得意先名|商品群|年月|金額", "0001|山田|センサ|2025-04|1200000")
    assert found.mapping.table == "order_lines"
    assert columns(found)["product_id"] == "商品群"
    assert columns(found, "customers") == {"customer_id": "得意先コード", "name": "得意先名"}


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("得意先コード|得意先名|住所|電話番号|郵便番号|取引開始日|担当者コード|担当者名", "customers"),
        ("得意先コード|得意先名|フリガナ|郵便番号|住所1|住所2|電話番号|締日", "customers"),
        ("商品コード|商品名|単位|標準売上単価|標準仕入単価|商品分類", "products"),
        ("担当者コード|担当者名|部門", "reps"),
        ("部門コード|部門名", "divisions"),
        ("活動日|顧客名|活動種別|活動内容|担当者名", "touches"),
        ("案件番号|案件名|顧客コード|フェーズ|受注予定日|金額", "deals"),
        ("名刺ID|顧客コード|姓|名|部署|役職|メールアドレス", "contacts"),
        ("household_key|BASKET_ID|DAY|PRODUCT_ID|QUANTITY|SALES_VALUE|STORE_ID", "order_lines"),
        ("顧客コード|タグ|値", "tags"),
        ("日付|顧客|商品|売上", "order_lines"),
    ],
)
def test_the_table_is_told_from_the_headers(header: str, table: str) -> None:
    found = guess(header)
    assert found.mapping.table == table
    assert found.missing == ()


@pytest.mark.parametrize("labels", ["name", "ja", "en"])
@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_export_is_known_again_in_each_language(table: str, labels: str) -> None:
    header = [getattr(column, labels) for column in TABLES[table].columns]
    if len(set(header)) < len(header):
        pytest.skip(f"{table} has one {labels} label twice")
    found = guess_mapping(pl.DataFrame(schema=dict.fromkeys(header, pl.String)), table)
    assert columns(found) == dict(zip(TABLES[table].column_names, header, strict=True))


def test_sales_through_a_dealer_keep_who_uses_it() -> None:
    found = guess("伝票番号|売上日|得意先コード|得意先名|納入先コード|納入先名|商品コード|数量")
    assert columns(found)["customer_id"] == "得意先コード"
    assert columns(found)["end_customer_id"] == "納入先コード"
    fed = [{column: header for header, column in further.columns} for further in found.mapping.also]
    assert fed == [
        {"customer_id": "得意先コード", "name": "得意先名"},
        {"customer_id": "納入先コード", "name": "納入先名"},
    ]
    by_name = guess("伝票番号|売上日|得意先コード|得意先名|エンドユーザー名|商品コード|数量")
    assert columns(by_name)["end_customer_id"] == "エンドユーザー名"


def test_values_speak_against_a_header() -> None:
    found = guess("伝票番号|売上日|受注日|商品コード", "1|未定です|2025/4/1|A", "2|あとで|2025/4/2|B")
    assert columns(found)["ordered_at"] == "受注日"


def test_a_lone_column_of_dates_is_the_day() -> None:
    found = guess("注文番号|品番|いつ", "1|A|2025/4/1", "2|B|2025/4/2")
    entry = next(entry for entry in found.columns if entry.column == "ordered_at")
    assert (entry.header, entry.why) == ("いつ", "values look like dates")
    assert entry.confidence <= 0.5


def test_the_receivers_name_is_not_the_customers() -> None:
    found = guess("注文番号|注文日|商品コード|会員ID|配送先_お名前(姓)|配送先_お名前(名)|配送先_電話番号")
    assert "customers" not in {entry.table for entry in found.columns}


def test_missing_columns_are_said_not_invented() -> None:
    found = guess("得意先コード|売上日|金額", "1|2025/4/1|100", table="order_lines")
    assert [column.name for column in found.missing] == ["product_id"]
    assert found.confidence == 0.0


def test_the_tax_in_a_header_is_kept() -> None:
    assert guess("伝票番号|売上日|商品コード|金額(税込)").mapping.tax == "included"


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(UnknownName, match="orders"):
        guess("a", table="orders")


def test_a_file_of_nonsense_raises_nothing() -> None:
    found = guess("foo|bar|baz", "1|2|3")
    assert found.confidence == 0.0
    assert set(found.unmapped) <= {"foo", "bar", "baz"}


def test_the_bundled_orders_are_guessed() -> None:
    path = Path(nobishiro.__file__).parent / "demo_data" / "online_retail_ii.parquet"
    found = guess_mapping(pl.read_parquet(path).head(5_000))
    assert found.mapping.table == "order_lines"
    assert found.confidence > 0.9
