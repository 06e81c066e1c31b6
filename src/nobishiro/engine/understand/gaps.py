"""The gap matrix: customer × family, what is bought, was proposed, never was, is bought elsewhere or does not apply.

提案もれ are the gaps of customers with much room who order little and were never asked: the first list of B.
"""

from __future__ import annotations

from datetime import date, timedelta

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
    cells = pl.concat(
        [frame.select(key) for frame in (potential, proposed, not_applicable, competitor)], how="vertical_relaxed"
    ).unique(maintain_order=True)
    listed = positions.select("customer_id", "what_computed", "what_set", "pace_computed", "pace_set", "quadrant")
    cells = (
        cells.join(listed, on="customer_id", how="inner", maintain_order="left")
        .join(
            potential.select(
                *key, "current", "potential", "low", "high", "basis", "comparable_customers", "comparable_buyers"
            ),
            on=key,
            how="left",
            maintain_order="left",
        )
        .join(proposed, on=key, how="left", maintain_order="left")
        .join(not_applicable, on=key, how="left", maintain_order="left")
        .join(competitor, on=key, how="left", maintain_order="left")
    )
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
    ranks = (
        gaps.filter("is_missed")
        .sort("expected", "customer_id", "family", descending=[True, False, False])
        .with_row_index("rank", offset=1)
        .select(*key, pl.col("rank").cast(pl.Int64))
    )
    return gaps.join(ranks, on=key, how="left", maintain_order="left").sort(key).select(RESULTS["gaps"].column_names)


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
