"""Kernels that say which of two products customers bought first."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def first_days(order_start, order_customer, order_day, product, first_order, wanted):  # type: ignore[no-untyped-def]
    """Each wanted product's buyers in rising code, and the day each first bought it.

    Orders from `first_order` on are sorted by customer, then day. Returns start (P + 1,), buyer and day by product.
    """
    products = wanted.size
    start = np.zeros(products + 1, np.int64)
    seen = np.full(products, -1, np.int32)
    for order in range(first_order, order_customer.size):
        customer = order_customer[order]
        for line in range(order_start[order], order_start[order + 1]):
            code = product[line]
            if wanted[code] and seen[code] != customer:
                seen[code] = customer
                start[code + 1] += 1
    for code in range(products):
        start[code + 1] += start[code]
    at = start[:-1].copy()
    buyer = np.empty(start[products], np.int32)
    day = np.empty(start[products], np.int32)
    seen[:] = -1
    for order in range(first_order, order_customer.size):
        customer = order_customer[order]
        for line in range(order_start[order], order_start[order + 1]):
            code = product[line]
            if wanted[code] and seen[code] != customer:
                seen[code] = customer
                buyer[at[code]] = customer
                day[at[code]] = order_day[order]
                at[code] += 1
    return start, buyer, day


@njit(cache=True, nogil=True)
def count_first(start, buyer, day, one, other, rows, customers, before, apart):  # type: ignore[no-untyped-def]
    """For each row: who first bought `one` on an earlier day than `other`, and who first bought them on different days.

    `rows` are sorted by `one`; a row equal in both to the row before it takes over its answer. Writes `before` and
    `apart`.
    """
    never = np.int32(np.iinfo(np.int32).min)
    first_day = np.full(customers, never, np.int32)
    spread = -1
    previous = -1
    for row in rows:
        if one[row] != spread:
            if spread >= 0:
                for place in range(start[spread], start[spread + 1]):
                    first_day[buyer[place]] = never
            spread = one[row]
            previous = -1
            for place in range(start[spread], start[spread + 1]):
                first_day[buyer[place]] = day[place]
        if previous >= 0 and other[row] == other[previous]:
            before[row] = before[previous]
            apart[row] = apart[previous]
            continue
        earlier = 0
        different = 0
        for place in range(start[other[row]], start[other[row] + 1]):
            held = first_day[buyer[place]]
            different += held != never and held != day[place]
            earlier += held != never and held < day[place]
        before[row] = earlier
        apart[row] = different
        previous = row
