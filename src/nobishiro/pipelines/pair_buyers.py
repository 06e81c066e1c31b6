"""Who stands behind a pair of products that sell together."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import polars as pl

from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.published import PublishedRun


def pair_buyers(run: PublishedRun, product: str, other: str) -> pl.DataFrame:
    """(customer_id, orders, first_day, other_first_day, last_day) of every customer who bought both, by the run's day.

    `orders` counts those that hold both; the first days are those on which each was first bought. A sale through a
    dealer is its end customer's. The most common orders first.
    """
    return _read(run.workspace.path, run.run.commit, run.as_of.isoformat(), product, other)


@lru_cache(maxsize=16)
def _read(workspace: Path, commit: int, as_of: str, product: str, other: str) -> pl.DataFrame:
    day = pl.col("ordered_at").cast(pl.Date)
    lines = (
        Workspace.open(workspace)
        .store.scan("order_lines", commit)
        .filter(pl.col("product_id").is_in([product, other]), day < pl.lit(as_of).str.to_date(), pl.col("quantity") > 0)
        .select(
            pl.coalesce("end_customer_id", "customer_id").alias("customer_id"),
            "order_id",
            "product_id",
            day.alias("day"),
        )
        .collect()
    )
    both = lines.group_by("customer_id", "order_id").agg(pl.col("product_id").n_unique().alias("kinds"))
    common = both.filter(pl.col("kinds") == 2).group_by("customer_id").agg(pl.len().alias("orders"))
    is_first, is_other = pl.col("product_id") == product, pl.col("product_id") == other
    return (
        lines.group_by("customer_id")
        .agg(
            pl.col("day").filter(is_first).min().alias("first_day"),
            pl.col("day").filter(is_other).min().alias("other_first_day"),
            pl.col("day").max().alias("last_day"),
        )
        .drop_nulls()
        .join(common, on="customer_id", how="left")
        .with_columns(pl.col("orders").fill_null(0))
        .select("customer_id", "orders", "first_day", "other_first_day", "last_day")
        .sort(["orders", "last_day", "customer_id"], descending=[True, True, False])
    )
