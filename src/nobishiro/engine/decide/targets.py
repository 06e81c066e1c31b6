"""The target of the month ahead and what comes without doing anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

_YEAR = 365


@dataclass(frozen=True, slots=True)
class MonthTarget:
    """Yen of the thirty days from `as_of`."""

    target: float | None
    """None when the company has no sales target for that time."""
    on_course: float
    """Net sales of the last 365 days, cut to the same length."""


def target_of_month(targets: pl.DataFrame, amount_12m: float, as_of: date, days: int = 30) -> MonthTarget:
    """The company's sales target for the `days` from `as_of`, in proportion to the days of the period it was set for.

    The company's own target counts; without one the divisions' are added up, without those the reps'.
    """
    on_course = amount_12m * days / _YEAR
    current = targets.filter(
        pl.col("measure") == "sales", pl.col("period_start") <= as_of, pl.col("period_end") >= as_of
    )
    for scope in ("company", "division", "rep"):
        own = current.filter(pl.col("scope") == scope)
        if not own.is_empty():
            length = (pl.col("period_end") - pl.col("period_start")).dt.total_days() + 1
            daily = own.select((pl.col("amount").cast(pl.Float64) / length).sum()).item()
            return MonthTarget(float(daily) * days, on_course)
    return MonthTarget(None, on_course)
