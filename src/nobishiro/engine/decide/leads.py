"""What to speak of first with each customer, from what was offered."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

LEAD_COLUMNS: Final = ("customer_id", "family", "product_id", "why_ja", "why_en")


def choose_leads(
    positions: pl.DataFrame,
    recommendations: pl.DataFrame,
    product_families: pl.DataFrame,
    told: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row a customer that has any offer: (customer_id, family, product_id, why_ja, why_en).

    With A and B what they told us they buy elsewhere leads (`told`, see `told_gaps`), then the first new product, for
    there is room; with C and D, and where nothing new is known, what is due again: they are kept, not pressed.
    """
    opened = positions.select("customer_id", pl.col("quadrant").is_in(["A", "B"]).fill_null(False).alias("_open"))
    first = recommendations.filter(pl.col("rank") == 1).select("customer_id", "product_id", "kind", "why_ja", "why_en")
    families = product_families.select("product_id", "family")
    leads = (
        first.join(opened, on="customer_id", how="inner", maintain_order="left")
        .with_columns((pl.col("_open") != (pl.col("kind") == "new")).alias("_second"))
        .sort("customer_id", "_second", "kind")
        .unique("customer_id", keep="first", maintain_order=True)
        .join(families, on="product_id", how="left", maintain_order="left")
        .select(LEAD_COLUMNS)
    )
    if told is None or told.is_empty():
        return leads
    spoken = told.join(opened.filter("_open"), on="customer_id", how="semi").select(LEAD_COLUMNS)
    rest = leads.join(spoken, on="customer_id", how="anti")
    return pl.concat([spoken, rest], how="vertical_relaxed").sort("customer_id")


def spend_told(facts: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """(customer_id, family): of which families a customer told us what they spend, before `as_of`."""
    told = (pl.col("fact") == "total_spend") & (pl.col("subject") != "-") & (pl.col("amount") > 0)
    return (
        facts.filter(told, pl.col("learned_on") < as_of)
        .select("customer_id", pl.col("subject").alias("family"))
        .unique(maintain_order=True)
    )


def told_gaps(
    gaps: pl.DataFrame, spend: pl.DataFrame, product_families: pl.DataFrame, buyers: pl.DataFrame
) -> pl.DataFrame:
    """What each customer told us they spend in a family and was never proposed: `LEAD_COLUMNS`, the largest a customer.

    `gaps` are RESULTS["gaps"], `spend` is of `spend_told`, `buyers` are (product_id, buyers): the product of the family
    with most buyers is named: the talk then has something to show.
    """
    best = (
        product_families.join(buyers, on="product_id")
        .sort(["family", "buyers", "product_id"], descending=[False, True, False])
        .unique("family", keep="first", maintain_order=True)
        .select("family", "product_id")
    )
    largest = (
        gaps.filter(pl.col("state") == "not_proposed", pl.col("expected") > 0)
        .join(spend, on=["customer_id", "family"], how="semi")
        .sort(["customer_id", "expected", "family"], descending=[False, True, False])
        .unique("customer_id", keep="first", maintain_order=True)
        .join(best, on="family", how="left", maintain_order="left")
    )
    told = list(largest.select("family", "expected").iter_rows())
    return largest.with_columns(
        pl.Series(
            "why_ja",
            [
                f"「{family}」に年およそ{yen / 1e4:,.0f}万円の余地。伺った金額からで、まだご提案していません"
                for family, yen in told
            ],
            pl.String,
        ),
        pl.Series(
            "why_en",
            [
                f"About {yen / 1e3:,.0f},000 a year for {family} by what they told us; never proposed"
                for family, yen in told
            ],
            pl.String,
        ),
    ).select(LEAD_COLUMNS)
