"""`customer_features` is one function: arrays, files and every engine give the same rows."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nobishiro.engine.understand.chunks import LineColumns
from nobishiro.engine.understand.features import customer_families, customer_features
from nobishiro.engine.understand.sales import encode_sales, load_sales


def bind_sales(backend, lines):
    day = pl.col("ordered_at").cast(pl.Date).alias("day")
    rows = lines.select("customer_id", "order_id", "product_id", day, "quantity", "amount")
    backend.bind("sales", rows.to_arrow(compat_level=pl.CompatLevel.oldest()))


def random_lines(seed, kind):
    """Scattered lines full of ties, nulls, shared orders and moments at midnight."""
    draw = random.Random(seed)
    products = [[0, 1, 2, 3], [5, 6, 70_000, 70_001], [1, 2, 3, 3_000_000_000], [-4, 2, 65_530, 65_531]][seed % 4]
    rows = []
    for _ in range(draw.choice([40, 300]) if seed > 1 else seed):
        order = draw.randrange(60)
        moment = datetime(2022, 6, 1) + timedelta(days=draw.randrange(800), seconds=draw.choice([0, 1, 86399]))
        rows.append(
            (
                None if draw.random() < 0.1 else (order * 7 + draw.choice([0, 0, 0, 1])) % 17,
                None if draw.random() < 0.02 else order,
                None if draw.random() < 0.02 else draw.choice(products),
                None if draw.random() < 0.02 else moment,
                draw.choice([None, 1.0, 2.0, -1.0]),
                draw.choice([None, 0.0, 5.0, 5.0, 12.25, -5.0]),
            )
        )
    lines = pl.DataFrame(
        rows,
        schema={
            "customer_id": pl.Int64,
            "order_id": pl.Int64,
            "product_id": pl.Int64,
            "ordered_at": pl.Datetime("us"),
            "quantity": pl.Float64,
            "amount": pl.Float64,
        },
        orient="row",
    )
    ids = pl.col("customer_id", "order_id", "product_id")
    if kind == "text":
        return lines.with_columns(ids.cast(pl.String).str.pad_start(2, "é").str.pad_end(4, "漢"))
    return lines


def families_for(lines):
    products = lines["product_id"].drop_nulls().unique().sort()
    return (
        pl.DataFrame({"product_id": products[1:], "family": [f"f{i % 3}" for i in range(products.len() - 1)]})
        if (products.len())
        else pl.DataFrame({"product_id": products, "family": pl.Series([], dtype=pl.String)})
    )


def test_backend_gives_the_same_features_as_the_arrays(backend, edge_lines, edge_families, edge_touches, as_of):
    bind_sales(backend, edge_lines)
    by_statements = customer_features(backend, as_of, touches=edge_touches, product_families=edge_families)
    by_kernels = customer_features(
        encode_sales(edge_lines, as_of), as_of, touches=edge_touches, product_families=edge_families
    )
    assert_frame_equal(by_statements, by_kernels)


def test_features_worked_by_hand(edge_lines, edge_families, edge_touches, as_of):
    frame = customer_features(
        encode_sales(edge_lines, as_of), as_of, touches=edge_touches, product_families=edge_families
    )
    assert frame["customer_id"].to_list() == ["a", "b", "d", "e", "z"]
    a = frame.row(0, named=True)
    assert a == {
        "customer_id": "a",
        "orders": 4,
        "lines": 6,
        "products": 3,
        "families": 2,
        "first_day": date(2022, 1, 10),
        "last_day": date(2024, 6, 30),
        "recency_days": 1,
        "tenure_days": 903,
        "amount": 265.0,
        "amount_12m": 55.0,
        "amount_prev_12m": 0.0,
        "orders_12m": 3,
        "mean_order": 66.25,
        "trend": None,
        "cycle_days": 451.0,
        "cycle_spread_days": 87.0,
        "due_day": date(2025, 9, 24),
        "overdue_days": -450.0,
        "top_family": "G",
        "top_family_share": 1.0,
        "new_families_12m": 0,
        "opening_rate": 0.0,
        "recency_score": 4,
        "frequency_score": 4,
        "monetary_score": 4,
        "touches_12m": 3,
        "visits_12m": 1,
        "touch_hours_12m": 1.1,
        "last_touch_day": date(2023, 7, 12),
        "touch_gap_days": 5.5,
    }
    b = frame.row(1, named=True)
    assert b["trend"] == pytest.approx(10 / 50 - 1)
    assert b["cycle_days"] is None  # one gap is no cycle
    d = frame.row(2, named=True)
    # F and G both on the first day: nothing was opened later; both count as new in these 12 months
    assert (d["opening_rate"], d["new_families_12m"], d["top_family"], d["top_family_share"]) == (0.0, 2, "G", 0.6)
    z = frame.row(4, named=True)
    assert (z["orders"], z["amount"], z["recency_days"], z["recency_score"], z["touches_12m"]) == (
        0,
        0.0,
        None,
        None,
        1,
    )


@pytest.mark.parametrize("kind", ["integer", "text"])
@pytest.mark.parametrize("seed", range(12))
def test_files_arrays_and_statements_agree_on_scattered_lines(tmp_path, duckdb_backend, seed, kind):
    lines = random_lines(seed, kind)
    as_of = date(2024, 3, 1)
    families = families_for(lines)
    path = tmp_path / "lines.parquet"
    lines.write_parquet(path, row_group_size=64)
    bind_sales(duckdb_backend, lines)
    want = customer_features(duckdb_backend, as_of, product_families=families)
    assert_frame_equal(customer_features([path], as_of, product_families=families), want)
    assert_frame_equal(customer_features(encode_sales(lines, as_of), as_of, product_families=families), want)
    assert_frame_equal(customer_features(load_sales([path], as_of), as_of, product_families=families), want)
    assert_frame_equal(customer_families([path], as_of, families), customer_families(duckdb_backend, as_of, families))


def test_files_without_families_or_amounts_count_units(tmp_path, edge_lines, as_of):
    path = tmp_path / "lines.parquet"
    edge_lines.drop("amount").rename({"ordered_at": "when"}).write_parquet(path)
    frame = customer_features(str(path), as_of, columns=LineColumns(ordered_at="when"))
    assert frame.select("customer_id", "amount").rows() == [("a", 6.0), ("b", 4.0), ("d", 3.0), ("e", 1.0)]
    assert frame["families"].null_count() == frame.height
    assert frame["touches_12m"].null_count() == frame.height


@pytest.mark.spark
def test_spark_reads_live_parquet_files_with_an_added_column(tmp_path, spark_backend, edge_lines, as_of):
    half = edge_lines.height // 2
    rows = edge_lines.with_columns(pl.col("ordered_at").cast(pl.Date).alias("day")).drop("ordered_at")
    rows.head(half).write_parquet(tmp_path / "1.parquet")
    rows.tail(-half).with_columns(pl.lit("x").alias("channel")).write_parquet(tmp_path / "2.parquet")
    spark_backend.bind("sales", [str(tmp_path / "1.parquet"), str(tmp_path / "2.parquet")])
    assert_frame_equal(
        customer_features(spark_backend, as_of), customer_features(encode_sales(edge_lines, as_of), as_of)
    )
