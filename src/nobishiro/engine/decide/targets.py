"""The target of the year ahead and what comes without doing anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

_YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class YearTarget:
    """Yen of the 365 days from `as_of`: the length over which a plan's expected yen come in."""

    target: float | None
    """None when the company has no sales target for that time."""
    on_course: float
    """Net sales of the last 365 days: what comes when nothing changes."""


def target_of_year(targets: pl.DataFrame, amount_12m: float, as_of: date) -> YearTarget:
    """The company's sales target for the 365 days from `as_of`, in proportion to the days of the period it was set for.

    The company's own target counts; without one the divisions' are added up, without those the reps'.
    """
    current = targets.filter(
        pl.col("measure") == "sales", pl.col("period_start") <= as_of, pl.col("period_end") >= as_of
    )
    for scope in ("company", "division", "rep"):
        own = current.filter(pl.col("scope") == scope)
        if not own.is_empty():
            length = (pl.col("period_end") - pl.col("period_start")).dt.total_days() + 1
            daily = own.select((pl.col("amount").cast(pl.Float64) / length).sum()).item()
            return YearTarget(float(daily) * _YEAR, amount_12m)
    return YearTarget(None, amount_12m)
