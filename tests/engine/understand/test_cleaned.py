"""Booked lines become net sales: what is left out is counted, and streaming files gives what a frame gives."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store.types import polars_schema
from nobishiro.engine.understand.cleaned import clean_lines

NO_PRODUCTS = pl.DataFrame(schema=polars_schema(TABLES["products"]))
NO_MERGES = pl.DataFrame(schema=polars_schema(TABLES["merges"]))


def booked(*rows: tuple[str | None, str, str, float, float]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, ["customer_id", "order_id", "product_id", "quantity", "amount"], orient="row")
    days = pl.Series("ordered_at", [datetime(2025, 1, 1 + place % 28) for place in range(frame.height)])
    return frame.with_columns(days.cast(pl.Datetime("us")), pl.lit(None, pl.String).alias("end_customer_id"))


def found(findings: pl.DataFrame) -> dict[str, int]:
    return dict(findings.select("what", "count").iter_rows())


def test_postage_is_left_out_and_counted_whether_its_code_has_a_digit_or_not() -> None:
    rows = [("c", "1", "P1", 1.0, 100.0), ("c", "1", "POST", 1.0, 18.0), ("d", "2", "P2", 1.0, 50.0)]
    cleaned = clean_lines(booked(*rows).lazy(), products=NO_PRODUCTS, merges=NO_MERGES, as_of=None)
    assert cleaned.sales.products.to_list() == ["P1", "P2"]
    assert cleaned.product_kinds["product_id"].to_list() == ["POST"]
    assert found(cleaned.findings) == {"lines": 3, "non_products": 1}


def test_lines_without_a_customer_and_lines_through_a_dealer_are_counted_where_they_belong() -> None:
    rows = [("dealer", "1", "P1", 1.0, 100.0), (None, "2", "P1", 1.0, 10.0)]
    lines = booked(*rows).with_columns(pl.Series("end_customer_id", ["user", None]))
    cleaned = clean_lines(lines.lazy(), products=NO_PRODUCTS, merges=NO_MERGES, as_of=None)
    assert cleaned.sales.customers.to_list() == ["user"]
    assert found(cleaned.findings) == {"lines": 2, "anonymous": 1}


def test_files_that_need_no_cleaning_are_streamed_to_the_same_sales(tmp_path: Path) -> None:
    frame = booked(*((f"c{n % 5}", str(n // 2), f"P{n % 7}", 1.0 + n % 3, 10.0 * n + 10) for n in range(20)))
    frame.write_parquet(tmp_path / "lines.parquet")
    given = {"products": NO_PRODUCTS, "merges": NO_MERGES, "as_of": None}
    read = clean_lines(frame.lazy(), **given)
    streamed = clean_lines(frame.lazy(), **given, files=[str(tmp_path / "lines.parquet")])
    assert streamed.findings.equals(read.findings)
    assert streamed.sales.customers.to_list() == read.sales.customers.to_list()
    for name in ("order_customer", "order_day", "order_start", "line_product", "line_quantity", "line_amount"):
        assert getattr(streamed.sales, name).tolist() == getattr(read.sales, name).tolist(), name
