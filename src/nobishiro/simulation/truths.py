"""The truth tables every business has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from nobishiro.simulation.catalogue import Catalogue
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64, days, pick, truth
from nobishiro.simulation.orders import Lines


def ladder_truth(catalogue: Catalogue) -> pl.DataFrame:
    """Every step up that the company declares."""
    steps = [(a.upgrade_of, a.code, a.family) for a in catalogue.articles if a.upgrade_of is not None]
    columns = list(zip(*steps, strict=True)) or [(), (), ()]
    names = ("from_product_id", "to_product_id", "family")
    return truth(dict(zip(names, columns, strict=True)), dict.fromkeys(names, pl.String))


def move_truth(
    lines: Lines,
    ids: pl.Series,
    catalogue: Catalogue,
    customer: Int64,
    source: Int64,
    target: Int64,
    day: Int32,
    up: Flags,
) -> pl.DataFrame:
    """Who moved from what to what, and when; `seen` says that the orders show it: the one before, the other after."""
    products = len(catalogue.articles)
    key = lines.customer.astype(np.int64) * products + lines.product
    wanted_source, wanted_target = customer * products + source, customer * products + target
    first, last = _extremes(key, lines.day, ids.len() * products)
    seen = (first[wanted_source] < day) & (last[wanted_target] >= day)
    return truth(
        {
            "customer_id": ids.gather(customer),
            "from_product_id": catalogue.codes.gather(source),
            "to_product_id": catalogue.codes.gather(target),
            "moved_on": days(day),
            "direction": pick(("down", "up"), up.astype(np.int64)),
            "seen": seen,
        },
        {
            "customer_id": pl.String,
            "from_product_id": pl.String,
            "to_product_id": pl.String,
            "moved_on": pl.Date,
            "direction": pl.String,
            "seen": pl.Boolean,
        },
    )


def _extremes(key: Int64, day: Int32, size: int) -> tuple[Int32, Int32]:
    """First and last day of each key; the far future and the far past where a key does not occur."""
    first = np.full(size, np.iinfo(np.int32).max, np.int32)
    last = np.full(size, np.iinfo(np.int32).min, np.int32)
    # orders come sorted by day, so the last assignment of a key is its last day and, backwards, its first
    last[key] = day
    first[key[::-1]] = day[::-1]
    return first, last


def season_truth(seasons: Mapping[str, Sequence[float]]) -> pl.DataFrame:
    """Factor of each month for families with a season; mean 1 over a year, families without one are left out."""
    names = [name for name in seasons for _ in range(12)]
    factors = np.concatenate([np.asarray(f, np.float64) / np.mean(f) for f in seasons.values()])
    return truth(
        {"family": names, "month": np.tile(np.arange(1, 13), len(seasons)), "factor": factors},
        {"family": pl.String, "month": pl.Int64, "factor": pl.Float64},
    )


def cycle_truth(
    ids: pl.Series, catalogue: Catalogue, customer: Int64, product: Int64, mean: Float64, spread: Float64
) -> pl.DataFrame:
    """True mean and spread, in days, of everything a customer buys again and again."""
    return truth(
        {
            "customer_id": ids.gather(customer),
            "product_id": catalogue.codes.gather(product),
            "mean_days": mean,
            "spread_days": spread,
        },
        {"customer_id": pl.String, "product_id": pl.String, "mean_days": pl.Float64, "spread_days": pl.Float64},
    )


def wallet_truth(ids: pl.Series, families: Sequence[str], wallet: Float64, share: Float64, who: Int64) -> pl.DataFrame:
    """Yen a year each customer spends in each family anywhere, our share, and what is left: the true potential."""
    row, family = np.nonzero(wallet[who] > 0.0)
    spend, ours = wallet[who[row], family], share[who[row], family]
    return truth(
        {
            "customer_id": ids.gather(who[row]),
            "family": pick(families, family),
            "total_spend": spend,
            "our_share": ours,
            "potential": spend * (1.0 - ours),
        },
        {
            "customer_id": pl.String,
            "family": pl.String,
            "total_spend": pl.Float64,
            "our_share": pl.Float64,
            "potential": pl.Float64,
        },
    )


def contract_truth(
    ids: pl.Series, catalogue: Catalogue, customer: Int64, product: Int64, start: Int32, end: Int32, cancelled: Flags
) -> pl.DataFrame:
    """Contracts with their first day, the first day without, and whether they had ended before `as_of`."""
    return truth(
        {
            "customer_id": ids.gather(customer),
            "product_id": catalogue.codes.gather(product),
            "started_on": days(start),
            "ends_on": days(end),
            "ended": cancelled,
        },
        {
            "customer_id": pl.String,
            "product_id": pl.String,
            "started_on": pl.Date,
            "ends_on": pl.Date,
            "ended": pl.Boolean,
        },
    )
