"""The truth tables every business has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from nobishiro.simulation.catalogue import Catalogue
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64, days, pick, truth
from nobishiro.simulation.orders import Lines, Orders, order_of


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
    seen = (_extremes(key, lines.day, wanted_source)[0] < day) & (_extremes(key, lines.day, wanted_target)[1] >= day)
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


def _extremes(key: Int64, day: Int32, wanted: Int64) -> tuple[Int32, Int32]:
    """First and last day of each wanted key; the far future and the far past where it does not occur."""
    known = np.unique(wanted)
    place = np.minimum(np.searchsorted(known, key), max(known.size - 1, 0))
    mine = known[place] == key if known.size else np.zeros(key.size, np.bool_)
    first = np.full(known.size, np.iinfo(np.int32).max, np.int32)
    last = np.full(known.size, np.iinfo(np.int32).min, np.int32)
    np.minimum.at(first, place[mine], day[mine])
    np.maximum.at(last, place[mine], day[mine])
    at = np.searchsorted(known, wanted)
    return first[at], last[at]


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


CUSTOMERS = {
    "customer_id": pl.String,
    "segment": pl.String,
    "exploration_rate": pl.Float64,
    "nps_mean": pl.Float64,
    "joined_on": pl.Date,
    "lapsed_on": pl.Date,
}


def customer_truth(
    ids: pl.Series, segment: pl.Series, exploring: Float64, loyalty: Float64, joined: Int32, lapsed: Int32, past: int
) -> pl.DataFrame:
    """What each customer is: kind, families opened a year, mean answer to 0–10, when they came and went."""
    return truth(
        {
            "customer_id": ids,
            "segment": segment,
            "exploration_rate": exploring,
            "nps_mean": loyalty,
            "joined_on": days(np.where(joined < past, joined, -1)),
            "lapsed_on": days(np.where(lapsed < past, lapsed, -1)),
        },
        CUSTOMERS,
    )


def lucky_truth(
    orders: Orders, order_ids: pl.Series, ids: pl.Series, catalogue: Catalogue, lucky: Lines
) -> pl.DataFrame:
    """Large orders nobody worked for."""
    names = ("order_id", "customer_id", "product_id")
    values = (
        order_ids.gather(order_of(orders, lucky.customer.astype(np.int64), lucky.day)),
        ids.gather(lucky.customer),
        catalogue.codes.gather(lucky.product),
    )
    return truth(dict(zip(names, values, strict=True)), dict.fromkeys(names, pl.String))


def wallet_from_sales(random: np.random.Generator, sales: Float64, usual: Float64) -> tuple[Float64, Float64]:
    """(wallet, share), (N, F), around what was sold in a year: our share is drawn, the rest is spent elsewhere.

    `sales` (N, F) are yen of the last year, `usual` (F,) what such customers spend in a family in all; where nothing
    was sold, two in three spend about that elsewhere.
    """
    share = np.where(sales > 0.0, random.beta(4.0, 2.0, sales.shape), 0.0)
    elsewhere = usual * random.gamma(2.0, 0.5, sales.shape) * (random.random(sales.shape) < 0.66)
    wallet = np.where(sales > 0.0, sales / np.maximum(share, 1e-3), elsewhere)
    spent = wallet.round().astype(np.float64)
    ours: Float64 = np.where(spent > 0.0, sales / np.maximum(spent, 1.0), 0.0)
    return spent, ours


def yearly_sales(orders: Orders, catalogue: Catalogue, unit_price: Int64, customers: int, past: int) -> Float64:
    """(customers, F) yen of the 365 days before `past`; anonymous sales are left out."""
    lines, families = orders.lines, len(catalogue.families)
    mine = (lines.customer < customers) & (lines.day >= past - 365)
    key = lines.customer[mine].astype(np.int64) * families + catalogue.family[lines.product[mine]]
    amount = (unit_price[mine] * lines.quantity[mine]).astype(np.float64)
    sales = np.bincount(key, weights=amount, minlength=customers * families).astype(np.float64)
    return sales.reshape(customers, families)
