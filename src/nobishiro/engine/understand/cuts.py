"""Kernels that cut order lines into runs and put them together again. Arrays in, arrays out; no names.

A run is a stretch of neighbouring lines with one order, one customer and one day. Where the lines of an order are
adjacent an order is one run; where they are not it has several, and only the runs have to be sorted, never the lines.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Integers = npt.NDArray[np.integer]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def cut_runs(
    order: Integers,
    customer: Integers,
    anonymous: Flags,
    skip: Flags,
    moment: Integers,
    per_day: int,
    product: Integers,
    product_shift: int,
    quantity: Float64,
    amount: Float64,
    end_day: int,
    base: int,
    line_product: Integers,
    line_quantity: Float64,
    line_amount: Float64,
    run_order: Integers,
    run_customer: Integers,
    run_named: Flags,
    run_day: Int32,
    run_start: Int64,
    run_lines: Int32,
    run_amount: Float64,
) -> int:
    """Number of runs written for n lines; kept lines go to `line_*` from `base` on, shifted products among them.

    Empty `anonymous` and `skip` mean none; an empty `quantity` means 1 a line and an empty `amount` the quantity; empty
    `line_quantity` and `line_amount` are not written. Lines on or after `end_day` are left out. Days are floored, so
    moments before 1970 land on the right day.
    """
    if order.size == 0:
        return 0
    # What the current run holds stays in registers: adding in memory would wait for itself on every line.
    this_order, this_customer, this_named, this_day = order[0], customer[0], False, np.int64(0)
    total, lines = 0.0, np.int32(0)
    run = -1
    write = base
    last_moment = np.int64(moment[0])
    day = last_moment // per_day
    for i in range(order.size):
        if skip.size > 0 and skip[i]:
            continue
        now = np.int64(moment[i])
        if now != last_moment:
            day = now // per_day
            last_moment = now
        if day >= end_day:
            continue
        named = anonymous.size == 0 or not anonymous[i]
        if (
            run < 0
            or order[i] != this_order
            or day != this_day
            or named != this_named
            or (named and customer[i] != this_customer)
        ):
            if run >= 0:
                run_amount[run] = total
                run_lines[run] = lines
            this_order, this_customer, this_named, this_day = order[i], customer[i], named, day
            total, lines = 0.0, np.int32(0)
            run += 1
            run_order[run] = this_order
            run_customer[run] = this_customer
            run_named[run] = named
            run_day[run] = day
            run_start[run] = write
        units = quantity[i] if quantity.size > 0 else 1.0
        money = amount[i] if amount.size > 0 else units
        line_product[write] = product[i] - product_shift
        if line_quantity.size > 0:
            line_quantity[write] = units
        if line_amount.size > 0:
            line_amount[write] = money
        total += money
        lines += np.int32(1)
        write += 1
    if run >= 0:
        run_amount[run] = total
        run_lines[run] = lines
    return run + 1


@njit(cache=True, nogil=True)
def settle_orders(
    run_order: Int64, run_customer: Int32, run_day: Int32, order_customer: Int32, order_day: Int32, run_first: Flags
) -> None:
    """Give every order its first customer by code (−1 when all its runs are anonymous) and its earliest day.

    `order_customer` comes in as −2 throughout. Rewrites the runs to their order's answer and marks each order's first.
    """
    for i in range(run_order.size):
        b = run_order[i]
        c = run_customer[i]
        if order_customer[b] == -2:
            run_first[i] = True
            order_customer[b] = c
            order_day[b] = run_day[i]
            continue
        run_first[i] = False
        if c >= 0 and (order_customer[b] < 0 or c < order_customer[b]):
            order_customer[b] = c
        if run_day[i] < order_day[b]:
            order_day[b] = run_day[i]
    for i in range(run_order.size):
        run_customer[i] = order_customer[run_order[i]]
        run_day[i] = order_day[run_order[i]]


@njit(cache=True, nogil=True)
def group_stably(group: Integers, groups: int) -> tuple[Int64, Int64]:
    """(groups + 1,) starts and the members of each group in their given order; negative groups are left out."""
    start = np.zeros(groups + 1, np.int64)
    for i in range(group.size):
        if group[i] >= 0:
            start[group[i] + 1] += 1
    for g in range(groups):
        start[g + 1] += start[g]
    place = start[:-1].copy()
    member = np.empty(start[groups], np.int64)
    for i in range(group.size):
        g = group[i]
        if g >= 0:
            member[place[g]] = i
            place[g] += 1
    return start, member


@njit(cache=True, nogil=True)
def gather_lines(
    low: int,
    high: int,
    sequence: Int64,
    order_start: Int64,
    group_start: Int64,
    member: Int64,
    run_start: Int64,
    run_lines: Int32,
    product: Integers,
    code_of: Int32,
    quantity: Float64,
    amount: Float64,
    line_product: Int32,
    line_quantity: Float64,
    line_amount: Float64,
) -> None:
    """Write the lines of orders `sequence[low:high]`, run by run, products as `code_of` has them.

    One pass for all three: finding an order's runs costs more cache misses than its lines do.
    """
    for position in range(low, high):
        b = sequence[position]
        write = order_start[position]
        for x in range(group_start[b], group_start[b + 1]):
            run = member[x]
            for j in range(run_start[run], run_start[run] + run_lines[run]):
                line_product[write] = code_of[product[j]]
                line_quantity[write] = quantity[j]
                line_amount[write] = amount[j]
                write += 1


@njit(cache=True, nogil=True)
def mark_products(run_start: Int64, run_lines: Int32, line_product: Integers, seen: Flags) -> None:
    """Set `seen` for every product that stands on a kept line."""
    for run in range(run_start.size):
        for j in range(run_start[run], run_start[run] + run_lines[run]):
            seen[line_product[j]] = True
