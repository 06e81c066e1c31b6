"""The gap matrix: customer × family, what is bought, was proposed, never was, is bought elsewhere or does not apply.

提案もれ are the gaps of customers with much room who order little and were never asked: the first list of B.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from nobishiro.contracts.results import RESULTS

_PROPOSAL_DAYS = 730
"""A proposal older than this no longer counts as proposed: people, budgets and needs have changed."""


def build_gaps(
    positions: pl.DataFrame,
    potential: pl.DataFrame,
    *,
    proposals: pl.DataFrame,
    facts: pl.DataFrame,
    product_families: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """The gap matrix with the columns of RESULTS["gaps"].

    `positions` and `potential` have the columns of the results of those names. One row for each customer × family that
    `potential`, a proposal or a fact names. Of several things known, the strongest stands: not applicable, then buying,
    then what was learned or proposed last. `expected` is what `potential` says, zero never filled in: null means that
    we do not know. Facts used: `not_applicable` and `competitor_buys`, their subject being the family.
    """
    proposed = _proposed(proposals, product_families, as_of)
    known = facts.filter(pl.col("fact").is_in(["not_applicable", "competitor_buys"]), pl.col("learned_on") < as_of)
    not_applicable = _latest_fact(known, "not_applicable", "not_applicable_on")
    competitor = _latest_fact(known, "competitor_buys", "competitor_on")
    key = ["customer_id", "family"]
    estimated = potential.select(
        *key, "current", "potential", "low", "high", "basis", "comparable_customers", "comparable_buyers"
    )
    # Nearly all cells come from `potential`, millions of them, in order: only what is named beside it is looked up.
    named = pl.concat([frame.select(key) for frame in (proposed, not_applicable, competitor)], how="vertical_relaxed")
    further = named.unique(maintain_order=True).join(estimated, on=key, how="anti", maintain_order="left")
    cells = estimated if further.is_empty() else pl.concat([estimated, further], how="diagonal_relaxed")
    cells = cells.join(
        positions.select("customer_id", "quadrant"), on="customer_id", how="inner", maintain_order="left"
    )
    for beside in (proposed, not_applicable, competitor):
        cells = _with(cells, beside, key)
    said_later = pl.col("competitor_on").is_not_null() & (
        pl.col("proposed_on").is_null() | (pl.col("competitor_on") >= pl.col("proposed_on"))
    )
    state = (
        pl.when(pl.col("not_applicable_on").is_not_null())
        .then(pl.lit("not_applicable"))
        .when(pl.col("current").fill_null(0.0) > 0)
        .then(pl.lit("buying"))
        .when(said_later)
        .then(pl.lit("competitor"))
        .when(pl.col("proposed_on").is_not_null())
        .then(pl.lit("proposed"))
        .otherwise(pl.lit("not_proposed"))
    )
    applies = pl.col("state") != "not_applicable"
    missed = (
        (pl.col("state") == "not_proposed") & (pl.col("quadrant") == "B") & (pl.col("potential").fill_null(0.0) > 0)
    )
    gaps = cells.with_columns(state.alias("state")).with_columns(
        *(pl.when(applies).then(pl.col(name)).alias(name) for name in ("low", "high")),
        pl.when(applies).then(pl.col("potential")).alias("expected"),
        pl.col("basis").fill_null("unknown"),
        missed.alias("is_missed"),
    )
    missed_first = (
        gaps.with_row_index("_row")
        .filter("is_missed")
        .select("_row", "expected", *key)
        .sort("expected", *key, descending=[True, False, False])["_row"]
        .to_numpy()
    )
    rank = np.zeros(gaps.height, np.int64)
    rank[missed_first] = np.arange(1, missed_first.size + 1)
    gaps = gaps.with_columns(pl.Series("rank", rank).replace(0, None)).select(RESULTS["gaps"].column_names)
    return gaps if _is_sorted(gaps) else gaps.sort(key)


def _with(cells: pl.DataFrame, beside: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The columns of `beside`, one row a cell at most, next to `cells`."""
    if beside.is_empty():
        more = [name for name in beside.columns if name not in key]
        return cells.with_columns(pl.lit(None, beside.schema[name]).alias(name) for name in more)
    return cells.join(beside, on=key, how="left", maintain_order="left")


def _is_sorted(gaps: pl.DataFrame) -> bool:
    customer, family = pl.col("customer_id"), pl.col("family")
    rises = (customer > customer.shift()) | ((customer == customer.shift()) & (family > family.shift()))
    return bool(gaps.select(rises.all(ignore_nulls=True)).item())


def _proposed(proposals: pl.DataFrame, product_families: pl.DataFrame, as_of: date) -> pl.DataFrame:
    by_product = product_families.select("product_id", pl.col("family").alias("_family_of_product"))
    day = pl.col("proposed_at").cast(pl.Date)
    return (
        proposals.filter(day < as_of, day >= as_of - timedelta(days=_PROPOSAL_DAYS))
        .join(by_product, on="product_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("family", "_family_of_product").alias("family"))
        .filter(pl.col("family").is_not_null())
        .sort("proposed_at", maintain_order=True)
        .group_by("customer_id", "family", maintain_order=True)
        .agg(day.last().alias("proposed_on"), pl.col("result").last().alias("proposal_result"))
    )


def _latest_fact(facts: pl.DataFrame, fact: str, column: str) -> pl.DataFrame:
    return (
        facts.filter(pl.col("fact") == fact, pl.col("subject") != "-")
        .group_by("customer_id", pl.col("subject").alias("family"), maintain_order=True)
        .agg(pl.col("learned_on").max().alias(column))
    )
