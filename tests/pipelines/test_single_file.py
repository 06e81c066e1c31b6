"""One file of order lines, whatever types its columns have."""

from datetime import date, datetime

import polars as pl
import pytest

from nobishiro.engine.settings import Settings
from nobishiro.pipelines.single_file import analyse_file

TODAY = date(2026, 11, 21)
LINES = pl.DataFrame(
    {
        "customer_id": [1, 1, 2, 3],
        "order_id": [10, 10, 11, 12],
        "product_id": ["a", "b", "a", "b"],
        "ordered_at": [datetime(2026, 1, day, 9) for day in (1, 1, 2, 3)],
        "quantity": [1, 2, 1, 1],
        "amount": [100.0, 50.0, 100.0, 25.0],
    }
)
KINDS = {
    "as they are": [],
    "dates": [pl.col("ordered_at").dt.date()],
    "text dates": [pl.col("ordered_at").dt.strftime("%Y-%m-%d %H:%M:%S")],
    "nanoseconds": [pl.col("ordered_at").dt.cast_time_unit("ns")],
    "a time zone": [pl.col("ordered_at").dt.replace_time_zone("Asia/Tokyo")],
    "codes as floats": [pl.col("customer_id").cast(pl.Float64)],
    "codes as text": [pl.col("customer_id").cast(pl.String)],
    "text amounts": [pl.format("¥{}", pl.col("amount").cast(pl.Int64)).alias("amount")],
    "decimals": [pl.col("amount").cast(pl.Decimal(18, 2))],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_sales_whatever_the_types(kind, tmp_path):
    path = tmp_path / "orders.parquet"
    LINES.with_columns(KINDS[kind]).write_parquet(path)
    analysis, opened = analyse_file(path, Settings(), TODAY, None)
    assert opened.rejected == 0
    sales = analysis.sales
    assert [str(code) for code in sales.customers] == ["1", "2", "3"]
    assert sales.line_amount.sum() == 275.0
    assert sales.as_of == date(2026, 1, 4)


def test_integer_codes_stay_integers(tmp_path):
    LINES.write_parquet(tmp_path / "orders.parquet")
    analysis, _ = analyse_file(tmp_path / "orders.parquet", Settings(), TODAY, None)
    assert analysis.sales.customers.dtype == pl.Int64


def test_quantity_and_amount_are_optional(tmp_path):
    LINES.drop("quantity", "amount").write_parquet(tmp_path / "orders.parquet")
    analysis, _ = analyse_file(tmp_path / "orders.parquet", Settings(), TODAY, None)
    assert not analysis.sales.has_amounts
    assert analysis.sales.line_product.size == 4
