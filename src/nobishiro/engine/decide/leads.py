"""What to speak of first with each customer, from what was offered."""

from __future__ import annotations

from typing import Final

import polars as pl

LEAD_COLUMNS: Final = ("customer_id", "family", "product_id", "why_ja", "why_en")


def choose_leads(
    positions: pl.DataFrame, recommendations: pl.DataFrame, product_families: pl.DataFrame
) -> pl.DataFrame:
    """One row a customer that has any offer: (customer_id, family, product_id, why_ja, why_en).

    With A and B the first new product leads, because there is room; with C and D, and where nothing new is known, what
    is due again: they are maintained, not pressed.
    """
    opened = positions.select("customer_id", pl.col("quadrant").is_in(["A", "B"]).fill_null(False).alias("_open"))
    first = recommendations.filter(pl.col("rank") == 1).select("customer_id", "product_id", "kind", "why_ja", "why_en")
    families = product_families.select("product_id", "family")
    return (
        first.join(opened, on="customer_id", how="inner", maintain_order="left")
        .with_columns((pl.col("_open") != (pl.col("kind") == "new")).alias("_second"))
        .sort("customer_id", "_second", "kind")
        .unique("customer_id", keep="first", maintain_order=True)
        .join(families, on="product_id", how="left", maintain_order="left")
        .select(LEAD_COLUMNS)
    )
