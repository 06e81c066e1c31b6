"""What a customer buys again and again, and when it is due next."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from numba import njit

from nobishiro.engine.offer.crew import crew_size, in_parallel
from nobishiro.engine.understand.sales import Sales

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_PRIOR_GAPS = 2.0
"""The product's own cycle counts as much as this many gaps of the customer."""
_BLOCK_LINES = 2_000_000
"""Lines a thread reduces at a time: what it works on needs seven numbers a line, more than what is kept."""


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
    customer_start = sales.customer_start
    starts = sales.order_start[customer_start]
    # Never written to the end: only the pages of rows that are found become memory.
    most = int(starts[-1] - starts[0])
    customer, product = np.empty(most, np.int32), np.empty(most, np.int32)
    days_bought, last_day = np.empty(most, np.int32), np.empty(most, np.int32)
    own, weight = np.empty(most, np.float64), np.empty(most, np.float64)
    size = 0
    every = _blocks(starts)
    for some in range(0, len(every), crew_size()):
        blocks = every[some : some + crew_size()]
        work = partial(_reduce_block, sales, customer_start, half_life_days, blocks)
        for block in in_parallel(len(blocks), work):
            more = slice(size, size + block.product.size)
            codes = np.arange(block.first, block.first + block.found.size, dtype=np.int32)
            customer[more] = np.repeat(codes, block.found)
            product[more], days_bought[more], last_day[more] = block.product, block.days_bought, block.last_day
            own[more], weight[more] = block.own_cycle, block.weight
            size = more.stop
    return Repeats(
        customer=customer[:size],
        product=product[:size],
        days_bought=days_bought[:size],
        last_day=last_day[:size],
        own_cycle=own[:size],
        cycle=_pool(product[:size], own[:size], days_bought[:size], sales.products.len()),
        weight=weight[:size],
    )


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of neighbouring customers from `first` on, `found` of each."""

    first: int
    found: Int64
    product: Int32
    days_bought: Int32
    last_day: Int32
    own_cycle: Float64
    weight: Float64


def _reduce_block(
    sales: Sales, customer_start: Int64, half_life_days: float, blocks: Sequence[tuple[int, int]], part: int
) -> _Block:
    first, past = blocks[part]
    most = int(sales.order_start[customer_start[past]] - sales.order_start[customer_start[first]])
    product, days_bought, last_day = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32)
    own, weight = np.empty(most, np.float64), np.empty(most, np.float64)
    found = np.empty(past - first, np.int64)
    size = _reduce_repeats(
        customer_start,
        sales.order_start,
        sales.order_day,
        sales.line_product,
        sales.as_of_day,
        half_life_days,
        first,
        past,
        product,
        days_bought,
        last_day,
        own,
        weight,
        found,
    )
    return _Block(first, found, product[:size], days_bought[:size], last_day[:size], own[:size], weight[:size])


def _blocks(starts: Int64) -> list[tuple[int, int]]:
    """First and past customer of blocks of some million lines, at least one customer each."""
    blocks, first, customers = [], 0, starts.size - 1
    step = min(_BLOCK_LINES, int(starts[-1] - starts[0]) // crew_size() + 1)
    while first < customers:
        past = int(np.searchsorted(starts, starts[first] + step, side="right")) - 1
        past = min(max(past, first + 1), customers)
        blocks.append((first, past))
        first = past
    return blocks


def _pool(product: Int32, own: Float64, days_bought: Int32, products: int) -> Float64:
    """Each own cycle drawn towards its product's typical one, in logarithms; the fewer gaps, the more."""
    known = np.isfinite(own)
    logs = np.log(np.maximum(own[known], 1.0))
    sums = np.bincount(product[known], logs, products)
    counts = np.bincount(product[known], minlength=products)
    typical = np.divide(sums, counts, out=np.full(products, np.nan), where=counts > 0)
    pooled = np.empty(product.size, np.float64)

    def pool(part: int) -> None:
        rows = slice(part * _BLOCK_LINES // 4, (part + 1) * _BLOCK_LINES // 4)
        gaps = np.where(known[rows], days_bought[rows] - 1.0, 0.0)
        mine = np.where(known[rows], np.log(np.maximum(np.nan_to_num(own[rows], nan=1.0), 1.0)), 0.0)
        pooled[rows] = np.exp((gaps * mine + _PRIOR_GAPS * typical[product[rows]]) / (gaps + _PRIOR_GAPS))

    with ThreadPoolExecutor(crew_size()) as pool_of_threads:
        list(pool_of_threads.map(pool, range(-(-4 * product.size // _BLOCK_LINES))))
    return pooled


def rank_replenishment(repeats: Repeats, customers: int, as_of_day: int, k: int) -> Replenishment:
    """For each of `customers` the k products most likely needed next.

    score = age-weighted purchases × how near the purchase is to being due: rising to 1 at the cycle's end, 1 until two
    cycles have passed, then falling as it looks more and more given up. A product nobody ever bought twice has no
    cycle; it counts half and keeps its order by age-weighted purchases.
    """
    row = np.full((customers, k), -1, np.int64)
    score = np.zeros((customers, k), np.float64)
    starts = np.searchsorted(repeats.customer, np.arange(customers + 1))
    crew = crew_size()
    bounds = [customers * part // crew for part in range(crew + 1)]
    columns = (starts, repeats.last_day, repeats.cycle, repeats.weight, as_of_day)
    in_parallel(crew, lambda part: _rank_rows(*columns, bounds[part], bounds[part + 1], row, score))
    known = row >= 0
    product = np.where(known, repeats.product[row] if repeats.product.size else -1, -1).astype(np.int32)
    return Replenishment(product=product, score=score, row=row)


@njit(cache=True, nogil=True)
def _rank_rows(
    starts: Int64,
    last_day: Int32,
    cycle: Float64,
    weight: Float64,
    as_of_day: int,
    first: int,
    past: int,
    best: Int64,
    best_score: Float64,
) -> None:
    """Fill `best` (customers, k; −1 before) with the rows of the largest scores; ties go to the earlier row.

    Fills customers from `first` to before `past`.
    """
    k = best.shape[1]
    for customer in range(first, past):
        size = 0
        for row in range(starts[customer], starts[customer + 1]):
            nearness = 0.5
            if np.isfinite(cycle[row]):
                ratio = np.float64(as_of_day - last_day[row]) / max(cycle[row], 1.0)
                if ratio < 1.0:
                    nearness = 0.5 + 0.5 * ratio
                elif ratio <= 2.0:
                    nearness = 1.0
                else:
                    nearness = 2.0 / ratio
            score = weight[row] * nearness
            if size == k and score <= best_score[customer, k - 1]:
                continue
            place = min(size, k - 1)
            while place > 0 and best_score[customer, place - 1] < score:
                best[customer, place] = best[customer, place - 1]
                best_score[customer, place] = best_score[customer, place - 1]
                place -= 1
            best[customer, place] = row
            best_score[customer, place] = score
            size = min(size + 1, k)


@njit(cache=True, nogil=True)
def _reduce_repeats(
    customer_start: Int64,
    order_start: Int64,
    order_day: Int32,
    line_product: Int32,
    as_of_day: int,
    half_life: float,
    first: int,
    past: int,
    out_product: Int32,
    out_count: Int32,
    out_last: Int32,
    out_cycle: Float64,
    out_weight: Float64,
    found: Int64,
) -> int:
    """Write the rows of customers from `first` to before `past`, `found` of each; returns how many there are."""
    row = 0
    for customer in range(first, past):
        found[customer - first] = row
        order, orders_end = customer_start[customer], customer_start[customer + 1]
        begin, end = order_start[order], order_start[orders_end]
        keys = np.empty(end - begin, np.int64)
        for own in range(order, orders_end):
            day = np.int64(order_day[own])
            for at in range(order_start[own], order_start[own + 1]):
                keys[at - begin] = np.int64(line_product[at]) << 32 | day
        keys.sort()
        gaps = np.empty(keys.size, np.int64)
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
        found[customer - first] = row - found[customer - first]
    return row
