"""Kernels that reduce runs to one row a customer, and to one row a customer and family. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from nobishiro.engine.understand.cuts import Flags, Float64, Int32, Int64, Integers

PACKED = np.dtype(
    [
        ("start", np.int64),
        ("order", np.int64),
        ("amount", np.float64),
        ("lines", np.int32),
        ("day", np.int32),
        ("first", np.bool_),
    ],
    align=True,
)
"""One run in one piece: reading a customer's runs then costs one cache miss each, not five."""
Packed = npt.NDArray[np.void]


@njit(cache=True, nogil=True)
def pack_runs(
    sequence: Int64,
    customers: int,
    run_customer: Int32,
    run_order: Int64,
    run_day: Int32,
    run_first: Flags,
    run_start: Int64,
    run_lines: Int32,
    run_amount: Float64,
    packed: Packed,
) -> Int64:
    """(customers + 1,) starts in `packed`, which gets the runs by customer, within one in the given sequence.

    An empty `sequence` means as they come; anonymous runs are left out.
    """
    start = np.zeros(customers + 1, np.int64)
    for i in range(run_customer.size):
        if run_customer[i] >= 0:
            start[run_customer[i] + 1] += 1
    for c in range(customers):
        start[c + 1] += start[c]
    place = start[:-1].copy()
    for i in range(run_customer.size):
        run = sequence[i] if sequence.size > 0 else i
        c = run_customer[run]
        if c >= 0:
            row = packed[place[c]]
            row.start = run_start[run]
            row.order = run_order[run]
            row.amount = run_amount[run]
            row.lines = run_lines[run]
            row.day = run_day[run]
            row.first = run_first[run]
            place[c] += 1
    return start


@njit(cache=True, nogil=True)
def quantile(ordered: Int32, count: int, share: float) -> float:
    """Quantile of the first `count` ascending values, linear between neighbours."""
    place = (count - 1) * share
    low = int(place)
    part = place - low
    if part == 0.0:
        return float(ordered[low])
    return float(ordered[low] * (1.0 - part) + ordered[low + 1] * part)


@njit(cache=True, nogil=True)
def reduce_habits(
    low: int,
    high: int,
    customer_start: Int64,
    packed: Packed,
    line_product: Integers,
    products: int,
    previous_start: int,
    year_start: int,
    counts: Int64,
    days: Int32,
    yen: Float64,
    gaps: Float64,
) -> None:
    """Fill rows `low:high`, one a customer.

    `counts`: orders, lines, products, orders since `year_start`, gaps. `days`: first, last. `yen`: all, since
    `year_start`, from `previous_start` to there. `gaps`: lower quartile, median, upper quartile of the days between
    order days, NaN without a gap.
    """
    stamp = np.full(products, -1, np.int32)
    most = 1
    for c in range(low, high):
        most = max(most, customer_start[c + 1] - customer_start[c])
    seen_days = np.empty(most, np.int32)
    for c in range(low, high):
        orders = lines = distinct = recent = 0
        total = total_year = total_previous = 0.0
        dated = 0
        ascending = True
        for x in range(customer_start[c], customer_start[c + 1]):
            run = packed[x]
            day = run.day
            money = run.amount
            total += money
            if day >= year_start:
                total_year += money
            elif day >= previous_start:
                total_previous += money
            if run.first:
                orders += 1
                if day >= year_start:
                    recent += 1
                if dated > 0 and day < seen_days[dated - 1]:
                    ascending = False
                seen_days[dated] = day
                dated += 1
            lines += run.lines
            for j in range(run.start, run.start + run.lines):
                # No branch: half of the lines are repeats, which no processor guesses well.
                p = line_product[j]
                distinct += stamp[p] != c
                stamp[p] = c
        if not ascending:
            seen_days[:dated] = np.sort(seen_days[:dated])
        days[c, 0] = seen_days[0]
        days[c, 1] = seen_days[dated - 1]
        between = 0
        for i in range(1, dated):
            gap = seen_days[i] - seen_days[i - 1]
            if gap > 0:
                # At most i − 1 gaps stand so far: this overwrites a day no later step reads.
                seen_days[between] = gap
                between += 1
        counts[c, 0] = orders
        counts[c, 1] = lines
        counts[c, 2] = distinct
        counts[c, 3] = recent
        counts[c, 4] = between
        yen[c, 0] = total
        yen[c, 1] = total_year
        yen[c, 2] = total_previous
        if between == 0:
            gaps[c, :] = np.nan
        else:
            ordered = np.sort(seen_days[:between])
            gaps[c, 0] = quantile(ordered, between, 0.25)
            gaps[c, 1] = quantile(ordered, between, 0.5)
            gaps[c, 2] = quantile(ordered, between, 0.75)


@njit(cache=True, nogil=True)
def count_families(
    low: int,
    high: int,
    customer_start: Int64,
    packed: Packed,
    line_product: Integers,
    family_of: Int32,
    families: int,
    found: Int64,
) -> None:
    """Distinct families of customers `low:high`; products of family −1 count for none."""
    stamp = np.full(families, -1, np.int32)
    for c in range(low, high):
        n = 0
        for x in range(customer_start[c], customer_start[c + 1]):
            run = packed[x]
            for j in range(run.start, run.start + run.lines):
                f = family_of[line_product[j]]
                if f >= 0 and stamp[f] != c:
                    stamp[f] = c
                    n += 1
        found[c] = n


@njit(cache=True, nogil=True)
def reduce_families(
    low: int,
    high: int,
    customer_start: Int64,
    packed: Packed,
    line_product: Integers,
    line_amount: Float64,
    family_of: Int32,
    families: int,
    previous_start: int,
    year_start: int,
    row_start: Int64,
    row_family: Int32,
    orders: Int64,
    days: Int32,
    yen: Float64,
) -> None:
    """Fill the rows (customer, family) of customers `low:high` from `row_start` on, families ascending.

    `days`: first, last. `yen`: all, since `year_start`, from `previous_start` to there. The runs of one order must be
    neighbours in `packed` for `orders` to count it once.
    """
    row_of = np.full(families, -1, np.int64)
    last_order = np.empty(families, np.int64)
    for c in range(low, high):
        write = row_start[c]
        for x in range(customer_start[c], customer_start[c + 1]):
            run = packed[x]
            for j in range(run.start, run.start + run.lines):
                f = family_of[line_product[j]]
                if f >= 0 and row_of[f] < row_start[c]:
                    row_of[f] = write
                    row_family[write] = f
                    write += 1
        row_family[row_start[c] : write] = np.sort(row_family[row_start[c] : write])
        for row in range(row_start[c], write):
            row_of[row_family[row]] = row
            last_order[row_family[row]] = -1
            orders[row] = 0
            yen[row, :] = 0.0
        for x in range(customer_start[c], customer_start[c + 1]):
            run = packed[x]
            day = run.day
            for j in range(run.start, run.start + run.lines):
                f = family_of[line_product[j]]
                if f < 0:
                    continue
                row = row_of[f]
                if orders[row] == 0 or day < days[row, 0]:
                    days[row, 0] = day
                if orders[row] == 0 or day > days[row, 1]:
                    days[row, 1] = day
                if last_order[f] != run.order:
                    last_order[f] = run.order
                    orders[row] += 1
                money = line_amount[j]
                yen[row, 0] += money
                if day >= year_start:
                    yen[row, 1] += money
                elif day >= previous_start:
                    yen[row, 2] += money
