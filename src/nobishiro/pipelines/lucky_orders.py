"""Orders that came by luck: nobody had been there, or the customer came by themselves with far more than usual.

Such an order says that there is a need we do not know. Why they chose us, and from whom they bought before, is best
asked while it is fresh (聞き直し).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from nobishiro.contracts.errors import SettingsError
from nobishiro.contracts.tables import IMPORT_ID
from nobishiro.engine.intake.matching import apply_merges

if TYPE_CHECKING:
    from nobishiro.pipelines.published import PublishedRun

INBOUND_CHANNELS: Final = ("web", "inbound", "ec", "online", "phone", "fax", "mail", "shop")
"""Ways in which a customer orders without one of us standing there."""
_PREDECESSORS: Final = 12
_AT_ONCE: Final = 200_000
"""Orders whose predecessors are held at a time: 20 MB."""
_SCHEMA: Final = {
    "order_id": pl.String,
    "customer_id": pl.String,
    "ordered_on": pl.Date,
    "amount": pl.Float64,
    "usual": pl.Float64,
    "channel": pl.String,
    "touched_on": pl.Date,
    "reason": pl.String,
    "product_id": pl.String,
    "quantity": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class LuckySettings:
    """What counts as luck."""

    looks_back_days: int = 180
    """Orders older than this are left alone: nobody remembers why any more."""
    untouched_days: int = 60
    """No contact of ours in so many days before the order: it came without us."""
    unusual_times: float = 2.0
    """An order by web and the like counts in spite of a contact when it is so many times the customer's usual one."""
    most: int = 2_000
    """Rows given at most, the largest yen first."""


def lucky_orders(run: PublishedRun, settings: LuckySettings = LuckySettings()) -> pl.DataFrame:
    """Orders by luck before the run's day, the largest yen first, at the commit of the run.

    One row an order: order_id, customer_id, ordered_on, amount (what is left after what took it back), usual
    (median of the customer's earlier orders in two years; null without any), channel (as the source says it),
    touched_on (our last contact before the order; null when there was none), reason (`untouched`, or `unusual`:
    they came by themselves, and with far more than usual), product_id and quantity of the order's largest line.
    A company that recorded no contact at all is judged by the channel alone, as nothing says that nobody was
    there. Raises `SettingsError` for negative settings.
    """
    if min(settings.looks_back_days, settings.untouched_days, settings.most) < 0 or settings.unusual_times < 0:
        raise SettingsError("lucky orders: days, times and the number of rows cannot be negative")
    orders = _orders(run)
    if orders.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    since = run.as_of - timedelta(days=settings.looks_back_days)
    touches = _our_touches(run)
    judged = (
        orders.join(_usual(orders, since), on="order_id", how="left")
        .filter(pl.col("ordered_on") >= since)
        .sort("ordered_on")
        .join_asof(
            touches.sort("touched_on"), left_on="ordered_on", right_on="touched_on", by="customer_id",
            strategy="backward", check_sortedness=False,
        )
    )  # fmt: skip
    recent = pl.col("touched_on") >= pl.col("ordered_on") - pl.duration(days=settings.untouched_days)
    untouched = ~recent.fill_null(value=False) if not touches.is_empty() else pl.lit(value=False)
    by_themselves = pl.col("channel").str.to_lowercase().is_in(INBOUND_CHANNELS).fill_null(value=False)
    unusual = (pl.col("amount") >= settings.unusual_times * pl.col("usual")).fill_null(value=False)
    chosen = (
        judged.with_columns(
            pl.when(untouched)
            .then(pl.lit("untouched"))
            .when(by_themselves & unusual)
            .then(pl.lit("unusual"))
            .alias("reason")
        )
        .filter(pl.col("reason").is_not_null())
        .sort("amount", "order_id", descending=[True, False])
        .head(settings.most)
    )
    return chosen.join(_largest_lines(run, chosen), on="order_id", how="left", maintain_order="left").select(
        pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items()
    )


def _lines(run: PublishedRun) -> pl.LazyFrame:
    commit = run.run.commit
    return (
        run.workspace.store.scan("order_lines", commit)
        .with_columns(
            pl.coalesce("end_customer_id", "customer_id").alias("customer_id"),
            pl.coalesce("cancels_order_id", "order_id").alias("order_id"),
            pl.col("ordered_at").dt.date().alias("ordered_on"),
            pl.col("amount").cast(pl.Float64),
            pl.col("quantity").cast(pl.Float64),
        )
        .filter(
            pl.col("customer_id").is_not_null(),
            pl.col("ordered_on") < run.as_of,
            pl.col("ordered_on") >= run.as_of - timedelta(days=730),
        )
    )


def _orders(run: PublishedRun) -> pl.DataFrame:
    orders = (
        _lines(run)
        .group_by("order_id")
        .agg(
            pl.col("customer_id").first(),
            pl.col("ordered_on").min(),
            pl.col("amount").sum(),
            pl.col("channel").drop_nulls().first(),
        )
        .filter(pl.col("amount") > 0)
        .collect(engine="streaming")
    )
    return _merged(run, orders)


def _usual(orders: pl.DataFrame, since: date) -> pl.DataFrame:
    """The median of each order's predecessors of the same customer, at most twelve, for orders on or after `since`."""
    ordered = orders.sort("customer_id", "ordered_on", "order_id")
    amounts = ordered["amount"].to_numpy()
    starts = (ordered["customer_id"] != ordered["customer_id"].shift(1)).fill_null(value=True).to_numpy()
    rows = np.arange(amounts.size)
    before = rows - np.maximum.accumulate(np.where(starts, rows, 0))  # predecessors of the same customer
    asked = np.flatnonzero((ordered["ordered_on"] >= since).to_numpy() & (before > 0))
    usual = np.empty(asked.size)
    for part in range(0, asked.size, _AT_ONCE):
        at = asked[part : part + _AT_ONCE]
        known = np.minimum(before[at], _PREDECESSORS)
        window = np.full((at.size, _PREDECESSORS), np.nan)
        for back in range(1, _PREDECESSORS + 1):
            has = known >= back
            window[has, back - 1] = amounts[at[has] - back]
        window.sort(axis=1)  # what is missing comes last
        row = np.arange(at.size)
        usual[part : part + _AT_ONCE] = (window[row, (known - 1) // 2] + window[row, known // 2]) / 2
    return pl.DataFrame({"order_id": ordered["order_id"].gather(asked), "usual": usual})


def _our_touches(run: PublishedRun) -> pl.DataFrame:
    """Days on which one of us was in touch; what the customer began, and a page they looked at, are not ours."""
    touches = (
        run.workspace.store.scan("touches", run.run.commit)
        .filter(
            pl.col("kind") != "web",
            (pl.col("direction") != "inbound").fill_null(value=True),
            pl.col("happened_at").dt.date() < run.as_of,
        )
        .select("customer_id", pl.col("happened_at").dt.date().alias("touched_on"))
        .unique()
        .collect(engine="streaming")
    )
    return _merged(run, touches).select("customer_id", "touched_on").unique(maintain_order=False)


def _merged(run: PublishedRun, frame: pl.DataFrame) -> pl.DataFrame:
    merges = run.workspace.store.read("merges", run.run.commit).drop(IMPORT_ID)
    return frame if merges.is_empty() or frame.is_empty() else apply_merges(frame, merges)


def _largest_lines(run: PublishedRun, orders: pl.DataFrame) -> pl.DataFrame:
    return (
        _lines(run)
        .filter(pl.col("order_id").is_in(orders["order_id"].implode()))
        .group_by("order_id", "product_id")
        .agg(pl.col("amount").sum(), pl.col("quantity").sum())
        .sort("amount", "product_id", descending=[True, False])
        .group_by("order_id", maintain_order=True)
        .first()
        .select("order_id", "product_id", "quantity")
        .collect()
    )
