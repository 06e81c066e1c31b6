"""How far each target of today has come, and what comes by itself until its period ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from nobishiro.pipelines.published import PublishedRun

NO_SALE: Final = ("postage", "fee", "adjustment", "test")
"""Product kinds whose money is no sale; the run leaves them out as well."""
_PLAN_DAYS: Final = 365
"""Over so many days the expected yen of a plan come in."""
_YEAR: Final = timedelta(days=364)
"""52 weeks: the same weekdays."""


@dataclass(frozen=True, slots=True)
class TargetProgress:
    """One target whose period holds the day of the run."""

    scope: str
    scope_id: str
    measure: str
    period_start: date
    period_end: date
    amount: float
    booked: float | None
    """Net sales from the period's first day to the day before the run's; None for measures other than sales."""
    last_year_same: float | None
    """Net sales of the same days 52 weeks before; None when there are no lines that far back."""
    on_course: float | None
    """Booked, and the rest of the period as 52 weeks before; None when last year is not known."""
    expected: float
    """What the run's plan expects for this scope until the period ends: its yen come in over a year, in even parts."""
    low: float
    high: float


def target_progress(run: PublishedRun) -> list[TargetProgress]:
    """Every target of the store whose period holds the run's day, company first.

    A line belongs to the rep and division it names; without one, to its customer's main rep and division.
    """
    store, commit, day = run.workspace.store, run.run.commit, run.as_of
    targets = store.read("targets", commit).filter(pl.col("period_start") <= day, pl.col("period_end") >= day)
    if targets.is_empty():
        return []
    starts: list[date] = targets["period_start"].to_list()
    since = min(*starts, day) - _YEAR
    sales = _daily_sales(run, since)
    earliest = store.scan("order_lines", commit).select(pl.col("ordered_at").min().cast(pl.Date)).collect().item()
    plan = _expected(run)
    rank = {"company": 0, "division": 1, "rep": 2}
    progress = [
        _progress(row, sales, plan, day, earliest)
        for row in targets.sort("scope_id", "measure", "period_start").iter_rows(named=True)
    ]
    return sorted(progress, key=lambda one: rank.get(one.scope, 3))


def _progress(
    row: dict[str, Any], sales: pl.DataFrame, plan: pl.DataFrame, day: date, earliest: date | None
) -> TargetProgress:
    scope, scope_id = row["scope"], row["scope_id"]
    start, end = row["period_start"], row["period_end"]
    own = _of_scope(sales, scope, scope_id)
    booked = last_year = on_course = None
    if row["measure"] == "sales":
        booked = _sum(own, start, day)
        if earliest is not None and earliest <= start - _YEAR:
            last_year = _sum(own, start - _YEAR, day - _YEAR)
            on_course = booked + _sum(own, day - _YEAR, end + timedelta(days=1) - _YEAR)
    share = min(1.0, ((end - day).days + 1) / _PLAN_DAYS)
    expected, low, high = (
        _of_scope(plan, scope, scope_id).select(pl.col("expected", "low", "high").sum() * share).row(0)
    )
    return TargetProgress(
        scope,
        scope_id,
        row["measure"],
        start,
        end,
        float(row["amount"]),
        booked,
        last_year,
        on_course,
        expected,
        low,
        high,
    )


def _of_scope(frame: pl.DataFrame, scope: str, scope_id: str) -> pl.DataFrame:
    return frame if scope == "company" else frame.filter(pl.col(f"{scope}_id") == scope_id)


def _sum(sales: pl.DataFrame, first: date, until: date) -> float:
    return float(sales.filter(pl.col("day") >= first, pl.col("day") < until)["amount"].sum())


def _main_reps(run: PublishedRun) -> pl.LazyFrame:
    positions = run.rows("positions", columns=("customer_id", "rep_id", "division_id"))
    return positions.lazy().rename({"rep_id": "_rep", "division_id": "_division"})


def _daily_sales(run: PublishedRun, since: date) -> pl.DataFrame:
    """(day, division_id, rep_id, amount) of the lines from `since` up to the day before the run's."""
    store, commit = run.workspace.store, run.run.commit
    day = pl.col("ordered_at").cast(pl.Date)
    lines = store.scan("order_lines", commit).filter(day >= since, day < run.as_of)
    kinds = store.read("products", commit).filter(pl.col("kind").is_in(NO_SALE)).select("product_id")
    return (
        lines.select("customer_id", "product_id", "rep_id", "division_id", "amount", day.alias("day"))
        .join(kinds.lazy(), on="product_id", how="anti")
        .join(_main_reps(run), on="customer_id", how="left")
        .with_columns(rep_id=pl.coalesce("rep_id", "_rep"), division_id=pl.coalesce("division_id", "_division"))
        .group_by("day", "division_id", "rep_id")
        .agg(pl.col("amount").sum().cast(pl.Float64))
        .collect(engine="streaming")
    )  # fmt: skip


def _expected(run: PublishedRun) -> pl.DataFrame:
    """(division_id, rep_id, expected, low, high) of every planned approach."""
    plan = run.rows("plan", columns=("customer_id", "rep_id", "expected", "low", "high"))
    divisions = run.workspace.store.read("reps", run.run.commit).select("rep_id", "division_id")
    return plan.join(divisions, on="rep_id", how="left").with_columns(
        pl.col("low").fill_null(0.0), pl.coalesce("high", "expected")
    )
