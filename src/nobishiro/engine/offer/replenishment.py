"""What a customer buys again and again, and when it is due next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from nobishiro.engine.understand.sales import Sales

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_PRIOR_GAPS = 2.0
"""The product's own cycle counts as much as this many gaps of the customer."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """One row a customer × product bought at least once, customer-major; H rows."""

    customer: Int32
    product: Int32
    days_bought: Int32
    """Distinct days on which it was bought."""
    last_day: Int32
    """Days since 1970-01-01."""
    own_cycle: Float64
    """Median days between purchases, NaN below two purchases."""
    cycle: Float64
    """The own cycle pooled with the product's; NaN where nobody bought the product twice."""
    weight: Float64
    """Purchases, each halved every half-life."""


@dataclass(frozen=True, slots=True)
class Replenishment:
    """The k products each customer is most likely to need again; rows of customers with fewer end in −1."""

    product: Int32
    """(N, k) product codes, −1 where there is none."""
    score: Float64
    """(N, k) purchases weighted by age and by how near they are to being due."""
    row: Int64
    """(N, k) row in `Repeats`, −1 where there is none."""


def find_repeats(sales: Sales, half_life_days: float) -> Repeats:
    """How often, when last and at what cycle every customer bought every product they ever bought.

    Anonymous orders are left out. Several lines or orders on one day count as one purchase.
    """
    if not sales.customers.len() or not sales.line_product.size:
        nothing32, nothing64 = np.empty(0, np.int32), np.empty(0, np.float64)
        return Repeats(nothing32, nothing32, nothing32, nothing32, nothing64, nothing64, nothing64)
    starts = sales.order_start[sales.customer_start]
    order_of_line = sales.line_order
    first = int(starts[0])
    days = sales.order_day[order_of_line[first:]]
    size = days.size
    out_product = np.empty(size, np.int32)
    out_count = np.empty(size, np.int32)
    out_last = np.empty(size, np.int32)
    out_cycle = np.empty(size, np.float64)
    out_weight = np.empty(size, np.float64)
    found = np.empty(sales.customers.len(), np.int64)
    _reduce_repeats(
        starts - first,
        sales.line_product[first:],
        days,
        sales.as_of_day,
        half_life_days,
        out_product,
        out_count,
        out_last,
        out_cycle,
        out_weight,
        found,
    )
    offsets = starts[:-1] - first
    keep = np.repeat(offsets - np.concatenate(([0], np.cumsum(found)[:-1])), found) + np.arange(int(found.sum()))
    customer = np.repeat(np.arange(found.size, dtype=np.int32), found)
    product, own = out_product[keep], out_cycle[keep]
    days_bought = out_count[keep]
    return Repeats(
        customer=customer,
        product=product,
        days_bought=days_bought,
        last_day=out_last[keep],
        own_cycle=own,
        cycle=_pool(product, own, days_bought, sales.products.len()),
        weight=out_weight[keep],
    )


def _pool(product: Int32, own: Float64, days_bought: Int32, products: int) -> Float64:
    """Each own cycle drawn towards its product's typical one, in logarithms; the fewer gaps, the more."""
    known = np.isfinite(own)
    logs = np.log(np.maximum(own[known], 1.0))
    sums = np.bincount(product[known], logs, products)
    counts = np.bincount(product[known], minlength=products)
    typical = np.divide(sums, counts, out=np.full(products, np.nan), where=counts > 0)[product]
    gaps = np.where(known, days_bought - 1.0, 0.0)
    mine = np.where(known, np.log(np.maximum(np.nan_to_num(own, nan=1.0), 1.0)), 0.0)
    pooled: Float64 = np.exp((gaps * mine + _PRIOR_GAPS * typical) / (gaps + _PRIOR_GAPS))
    return pooled


def rank_replenishment(repeats: Repeats, customers: int, as_of_day: int, k: int) -> Replenishment:
    """For each of `customers` the k products most likely needed next.

    score = age-weighted purchases × how near the purchase is to being due: rising to 1 at the cycle's end, 1 until two
    cycles have passed, then falling as it looks more and more given up. A product nobody ever bought twice has no
    cycle; it counts half and keeps its order by age-weighted purchases.
    """
    elapsed = (as_of_day - repeats.last_day).astype(np.float64)
    ratio = elapsed / np.maximum(repeats.cycle, 1.0)
    with np.errstate(invalid="ignore"):
        nearness = np.where(ratio < 1.0, 0.5 + 0.5 * ratio, np.where(ratio <= 2.0, 1.0, 2.0 / np.maximum(ratio, 1.0)))
    score = repeats.weight * np.where(np.isfinite(ratio), nearness, 0.5)
    order = np.lexsort((repeats.product, -score, repeats.customer))
    starts = np.searchsorted(repeats.customer, np.arange(customers + 1))
    row = np.full((customers, k), -1, np.int64)
    place = np.arange(order.size) - starts[repeats.customer[order]]
    front = place < k
    row[repeats.customer[order[front]], place[front]] = order[front]
    known = row >= 0
    return Replenishment(
        product=np.where(known, repeats.product[row] if order.size else -1, -1).astype(np.int32),
        score=np.where(known, score[row] if order.size else 0.0, 0.0),
        row=row,
    )


@njit(cache=True, nogil=True, parallel=True)
def _reduce_repeats(
    starts: Int64,
    line_product: Int32,
    line_day: Int32,
    as_of_day: int,
    half_life: float,
    out_product: Int32,
    out_count: Int32,
    out_last: Int32,
    out_cycle: Float64,
    out_weight: Float64,
    found: Int64,
) -> None:
    """Writes each customer's rows from the customer's first line on; `found` says how many there are."""
    for customer in prange(starts.size - 1):
        begin, end = starts[customer], starts[customer + 1]
        keys = np.empty(end - begin, np.int64)
        for at in range(begin, end):
            keys[at - begin] = np.int64(line_product[at]) << 32 | np.int64(line_day[at])
        keys.sort()
        gaps = np.empty(keys.size, np.int64)
        row = begin
        at = 0
        while at < keys.size:
            product = keys[at] >> 32
            days = 1
            last = keys[at] & 0xFFFFFFFF
            weight = 2.0 ** (-(as_of_day - last) / half_life)
            at += 1
            while at < keys.size and keys[at] >> 32 == product:
                day = keys[at] & 0xFFFFFFFF
                if day != last:
                    gaps[days - 1] = day - last
                    days += 1
                    last = day
                    weight += 2.0 ** (-(as_of_day - day) / half_life)
                at += 1
            out_product[row] = product
            out_count[row] = days
            out_last[row] = last
            out_weight[row] = weight
            if days > 1:
                between = np.sort(gaps[: days - 1])
                middle = (days - 1) // 2
                out_cycle[row] = between[middle] if (days - 1) % 2 else (between[middle - 1] + between[middle]) / 2.0
            else:
                out_cycle[row] = np.nan
            row += 1
        found[customer] = row - begin
