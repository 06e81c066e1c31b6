"""What customers told us about their spending, as yen with the precision it was said in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from nobishiro.engine.understand.exploration import Float64

WHOLE = "-"
"""`facts.subject` of what holds for the customer as a whole."""


@dataclass(frozen=True, slots=True)
class Told:
    """The latest of what was told, one row a customer × subject; `customer_id` and `family` are text."""

    whole: pl.DataFrame
    """customer_id, total, spread: yen a year in everything we sell."""
    by_family: pl.DataFrame
    """customer_id, family, total, spread: yen a year in one family."""
    not_applicable: pl.DataFrame
    """customer_id, family: the customer has no use for it."""


def read_told(facts: pl.DataFrame | None, as_of: date) -> Told:
    """Facts learned before `as_of`: total_spend with an amount, and not_applicable; later ones replace earlier ones.

    `spread` is half of the last digit said: of ¥12,000,000 told, ±¥500,000. A negative amount says nothing.
    """
    if facts is None:
        facts = pl.DataFrame(schema={"customer_id": pl.String, "fact": pl.String, "subject": pl.String})
    if "amount" not in facts.columns:
        facts = facts.with_columns(pl.lit(None, pl.Float64).alias("amount"))
    if "learned_on" not in facts.columns:
        facts = facts.with_columns(pl.lit(None, pl.Date).alias("learned_on"))
    rows = facts.select(
        pl.col("customer_id").cast(pl.String),
        pl.col("fact"),
        pl.col("subject").cast(pl.String).fill_null(WHOLE).alias("family"),
        pl.col("amount").cast(pl.Float64).alias("total"),
        pl.col("learned_on").cast(pl.Date),
    ).filter(pl.col("learned_on").is_null() | (pl.col("learned_on") < as_of))
    key = ["customer_id", "family"]
    spend = (
        rows.filter(pl.col("fact") == "total_spend", pl.col("total") >= 0)
        .sort("learned_on", nulls_last=False, maintain_order=True)
        .unique(key, keep="last", maintain_order=True)
    )
    spend = spend.with_columns(pl.Series("spread", _spread(spend["total"].to_numpy()), pl.Float64))
    return Told(
        whole=spend.filter(pl.col("family") == WHOLE).select("customer_id", "total", "spread"),
        by_family=spend.filter(pl.col("family") != WHOLE).select(*key, "total", "spread"),
        not_applicable=rows.filter(pl.col("fact") == "not_applicable", pl.col("family") != WHOLE).select(key).unique(),
    )


def _spread(amounts: Float64) -> Float64:
    whole = np.round(amounts).astype(np.int64)
    digit = np.ones(whole.size, np.float64)
    for power in range(1, 16):
        step = np.int64(10**power)
        digit = np.where((whole > 0) & (whole % step == 0), float(step), digit)
    spread: Float64 = digit / 2.0
    return spread
