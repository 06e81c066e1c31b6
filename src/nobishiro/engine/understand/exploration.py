"""How each customer has been opening up to new families: one walk over the orders gives every number of a cut.

A *cut* is a day: what lies before it is history (features), what lies in the `horizon` days from it on is the outcome.
The present is a cut whose outcome nobody has seen yet; the model learns on earlier cuts of the same history.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from nobishiro.engine.understand.sales import Sales

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

FEATURES = (
    "spend_year",
    "spend_half",
    "spend_horizon",
    "spend_before",
    "orders_year",
    "orders_half",
    "orders_horizon",
    "recency",
    "tenure",
    "late_for_cycle",
    "families_ever",
    "families_year",
    "opened_half",
    "opened_horizon",
    "opened_year",
    "opening_spend_half",
    "opening_spend_horizon",
    "opening_spend_year",
    "lately_spend_half",
    "lately_spend_horizon",
    "novelty_last",
    "novelty_recent",
    "opened_per_order",
    "openings_fading",
    "families_per_order",
    "amount_per_order",
    "lines_per_order",
    "spend_season",
    "first_order_families",
    "since_opening",
    "momentum_quarter",
    "momentum_horizon",
    "products_ever",
    "products_opened",
    "products_opened_momentum",
    "largest_line",
    "lines_momentum",
)
"""Column names of `Cut.features`, in order. Yen and counts are `log1p`; shares and ratios plain; days `log1p`."""
_K = len(FEATURES)
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Cut:
    """Every customer as they stood at one day, and what they did after it."""

    day: int
    """Days since 1970-01-01; history is strictly before it."""
    horizon: int
    """Days from `day` on over which the outcome counts."""
    features: Float32
    """(U, len(FEATURES)); rows of customers without an order before `day` are zero."""
    owned: npt.NDArray[np.bool_]
    """(U, F) the family was bought before `day`."""
    current: Float64
    """(U, F) net yen in the `year` days before `day`, floored at 0."""
    lately: Float64
    """(U,) net yen in the `horizon` days before `day` in families first bought within them: the simplest peer."""
    new_spend: Float64
    """(U,) outcome: net yen in [day, day + horizon) in families not bought before `day`."""
    known: npt.NDArray[np.bool_]
    """(U,) the customer has an order before `day`."""
    orders: Int32
    """(U,) order days before `day`."""
    total: Float64
    """(U,) net yen in the `year` days before `day`, products without a family included."""


def look_at_cut(
    sales: Sales,
    product_family: Int32,
    families: int,
    day: int,
    horizon: int,
    year: int,
    taken: Int64 | None = None,
    outcome_days: int | None = None,
) -> Cut:
    """Every customer of `taken` (default: all) at `day`; one pass over their lines, on both cores.

    `product_family` is (P,), −1 where a product has no family; `year` is the length in days of the long window, 365 or
    what the shortest history used together allows, so that cuts are comparable. `horizon` sets the shorter windows of
    the features and, unless `outcome_days` says otherwise, the days of the outcome.
    """
    codes = np.arange(sales.customers.len(), dtype=np.int64) if taken is None else taken
    rows = codes.size
    features = np.zeros((rows, _K), np.float32)
    owned = np.zeros((rows, max(families, 1)), np.bool_)
    current = np.zeros((rows, max(families, 1)), np.float64)
    plain = np.zeros((rows, 4), np.float64)
    days = (np.int64(day), np.int64(horizon), np.int64(year), np.int64(outcome_days or horizon))
    orders = (sales.customer_start, sales.order_day, sales.order_start)
    lines = (sales.line_product, sales.line_amount, product_family)
    products = np.int64(sales.products.len())
    bounds = np.linspace(0, rows, _THREADS + 1).astype(np.int64)

    def walk(part: int) -> None:
        piece = slice(int(bounds[part]), int(bounds[part + 1]))
        outputs = (features[piece], owned[piece], current[piece], plain[piece])
        _walk(codes[piece], *orders, *lines, products, *days, *outputs)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(walk, range(_THREADS)))
    np.maximum(current, 0.0, out=current)
    return Cut(
        day=day,
        horizon=horizon,
        features=features,
        owned=owned,
        current=current,
        lately=plain[:, 0].copy(),
        new_spend=plain[:, 1].copy(),
        known=plain[:, 2] > 0,
        orders=plain[:, 2].astype(np.int32),
        total=plain[:, 3].copy(),
    )


@njit(cache=True, nogil=True)
def _walk(  # type: ignore[no-untyped-def]
    codes, customer_start, order_day, order_start, line_product, line_amount, product_family, products, day, horizon,
    year, outcome_days, features, owned, current, plain,
):  # fmt: skip
    half = max(horizon // 2, 1)
    # stamps of the customer at hand: nothing has to be cleared between customers
    product_stamp = np.full(products, -1, np.int64)
    first = np.full(owned.shape[1], -1, np.int64)
    for row in range(codes.size):
        first[:] = -1
        u = codes[row]
        begin = customer_start[u]
        end = customer_start[u + 1]
        first_day = np.int64(-1)
        last_day = np.int64(-1)
        previous_opening = np.int64(-1)
        order_days = 0
        days_year = 0
        days_half = 0
        days_horizon = 0
        spend_year = 0.0
        spend_half = 0.0
        spend_horizon = 0.0
        spend_before = 0.0
        season = 0.0
        opened_half = 0
        opened_horizon = 0
        opened_year = 0
        opened_ever = 0
        first_families = 0
        opening_half = 0.0
        opening_horizon = 0.0
        opening_year = 0.0
        lately_half = 0.0
        lately_horizon = 0.0
        new_spend = 0.0
        lines = 0
        orders = 0
        fresh = np.zeros(3, np.float64)
        seen = np.zeros(3, np.float64)
        families_ever = 0
        products_ever = 0
        products_opened = 0
        opened_momentum = 0.0
        lines_momentum = 0.0
        momentum_quarter = 0.0
        momentum_horizon = 0.0
        largest = 0.0
        for o in range(begin, end):
            d = np.int64(order_day[o])
            if d >= day + outcome_days:
                break
            if d >= day:
                for i in range(order_start[o], order_start[o + 1]):
                    f = product_family[line_product[i]]
                    if f >= 0 and not owned[row, f]:
                        new_spend += line_amount[i]
                continue
            if first_day < 0:
                first_day = d
            if d != last_day:
                order_days += 1
                if d >= day - year:
                    days_year += 1
                if d >= day - horizon:
                    days_horizon += 1
                if d >= day - half:
                    days_half += 1
                fresh[0] = fresh[1]
                fresh[1] = fresh[2]
                fresh[2] = 0.0
                seen[0] = seen[1]
                seen[1] = seen[2]
                seen[2] = 0.0
            last_day = d
            orders += 1
            fade_horizon = np.exp((d - day) / horizon)
            fade_quarter = np.exp((d - day) * 4.0 / horizon)
            lines_momentum += np.exp((d - day) * 2.0 / horizon) * (order_start[o + 1] - order_start[o])
            for i in range(order_start[o], order_start[o + 1]):
                amount = line_amount[i]
                lines += 1
                largest = max(largest, amount)
                momentum_quarter += amount * fade_quarter
                momentum_horizon += amount * fade_horizon
                if product_stamp[line_product[i]] != row:
                    product_stamp[line_product[i]] = row
                    products_ever += 1
                    if d != first_day:
                        opened_momentum += fade_horizon
                        if d >= day - horizon:
                            products_opened += 1
                if d >= day - year:
                    spend_year += amount
                if d >= day - half:
                    spend_half += amount
                if d >= day - horizon:
                    spend_horizon += amount
                elif d >= day - 2 * horizon:
                    spend_before += amount
                if d >= day - 365 and d < day - 365 + horizon:
                    season += amount
                f = product_family[line_product[i]]
                if f < 0:
                    continue
                seen[2] += 1.0
                if d >= day - year:
                    current[row, f] += amount
                if first[f] < 0:
                    first[f] = d
                    owned[row, f] = True
                    families_ever += 1
                    if d == first_day:
                        first_families += 1
                    else:
                        opened_ever += 1
                        fresh[2] += 1.0
                        previous_opening = d
                        if d >= day - half:
                            opened_half += 1
                        if d >= day - horizon:
                            opened_horizon += 1
                        if d >= day - year:
                            opened_year += 1
                if first[f] == d and d != first_day:
                    if d >= day - half:
                        opening_half += amount
                    if d >= day - horizon:
                        opening_horizon += amount
                    if d >= day - year:
                        opening_year += amount
                if first[f] >= day - half:
                    lately_half += amount
                if first[f] >= day - horizon:
                    lately_horizon += amount
        plain[row, 0] = lately_horizon
        plain[row, 1] = max(new_spend, 0.0)
        plain[row, 2] = order_days
        plain[row, 3] = max(spend_year, 0.0)
        if order_days == 0:
            continue
        families_year = 0
        for f in range(current.shape[1]):
            if current[row, f] > 0:
                families_year += 1
        recency = float(day - last_day)
        tenure = float(day - first_day)
        cycle = (last_day - first_day) / (order_days - 1) if order_days > 1 else tenure
        total_seen = seen[0] + seen[1] + seen[2]
        x = features[row]
        x[0] = np.log1p(max(spend_year, 0.0))
        x[1] = np.log1p(max(spend_half, 0.0))
        x[2] = np.log1p(max(spend_horizon, 0.0))
        x[3] = np.log1p(max(spend_before, 0.0))
        x[4] = np.log1p(days_year)
        x[5] = np.log1p(days_half)
        x[6] = np.log1p(days_horizon)
        x[7] = np.log1p(recency)
        x[8] = np.log1p(tenure)
        x[9] = np.log1p(recency / max(cycle, 1.0))
        x[10] = np.log1p(families_ever)
        x[11] = np.log1p(families_year)
        x[12] = np.log1p(opened_half)
        x[13] = np.log1p(opened_horizon)
        x[14] = np.log1p(opened_year)
        x[15] = np.log1p(max(opening_half, 0.0))
        x[16] = np.log1p(max(opening_horizon, 0.0))
        x[17] = np.log1p(max(opening_year, 0.0))
        x[18] = np.log1p(max(lately_half, 0.0))
        x[19] = np.log1p(max(lately_horizon, 0.0))
        x[20] = fresh[2] / max(seen[2], 1.0)
        x[21] = (fresh[0] + fresh[1] + fresh[2]) / max(total_seen, 1.0)
        x[22] = np.log1p(opened_ever / max(order_days - 1.0, 1.0))
        x[23] = np.log1p(opened_half) - np.log1p(opened_horizon - opened_half)
        x[24] = np.log1p(families_ever / order_days)
        x[25] = np.log1p(max(spend_year, 0.0) / max(days_year, 1))
        x[26] = np.log1p(lines / orders)
        x[27] = np.log1p(max(season, 0.0))
        x[28] = np.log1p(first_families)
        x[29] = np.log1p(float(day - previous_opening)) if previous_opening >= 0 else np.log1p(tenure)
        x[30] = np.log1p(max(momentum_quarter, 0.0))
        x[31] = np.log1p(max(momentum_horizon, 0.0))
        x[32] = np.log1p(products_ever)
        x[33] = np.log1p(products_opened)
        x[34] = np.log1p(opened_momentum)
        x[35] = np.log1p(largest)
        x[36] = np.log1p(lines_momentum)
