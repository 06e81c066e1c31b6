"""Kernels that count which products share orders, exactly, in little memory.

A basket is packed as the ascending ranks of its distinct products (rank 0 on the most orders) with a sentinel behind
them, in two bytes a product while fewer than 65,535 products can be listed and in four otherwise. Every pair is then
counted once, at the commoner product: its places in the stream are looked up, and what follows each place up to the
sentinel is added to one row of counters that stays in the cache. Nothing of the size of all pairs is ever held: a pair
is tested when its row is done and kept only when it is associated.
"""

from __future__ import annotations

import numpy as np
from numba import njit

EXACT_TERMS = 8
"""Terms of the tail summed one by one before the rest is bounded by a geometric series."""


@njit(cache=True, nogil=True)
def order_is_sorted(order):  # type: ignore[no-untyped-def]
    """Whether `order` never falls, and how many values it has if so."""
    distinct = 1 if order.size else 0
    for line in range(1, order.size):
        if order[line] < order[line - 1]:
            return False, 0
        distinct += order[line] != order[line - 1]
    return True, distinct


@njit(cache=True, nogil=True)
def order_starts(order, distinct):  # type: ignore[no-untyped-def]
    """First line of each order of a sorted `order`, (distinct + 1,)."""
    starts = np.empty(distinct + 1, np.int64)
    found = 0
    for line in range(order.size):
        if line == 0 or order[line] != order[line - 1]:
            starts[found] = line
            found += 1
    starts[found] = order.size
    return starts


@njit(cache=True, nogil=True)
def group_lines(code, lowest, groups, value):  # type: ignore[no-untyped-def]
    """Values grouped by code − lowest, in their old sequence within: starts (groups + 1,) and the values."""
    starts = np.zeros(groups + 1, np.int64)
    for line in range(code.size):
        starts[code[line] - lowest + 1] += 1
    for group in range(groups):
        starts[group + 1] += starts[group]
    place = starts[:-1].copy()
    grouped = np.empty(value.size, value.dtype)
    for line in range(code.size):
        group = code[line] - lowest
        grouped[place[group]] = value[line]
        place[group] += 1
    return starts, grouped


@njit(cache=True, nogil=True)
def count_holding(start, product, first, last, holding):  # type: ignore[no-untyped-def]
    """Add to `holding` (P,) on how many of the orders first … last − 1 each product is; repeated lines count once.

    Returns the largest number of lines of an order.
    """
    seen = np.full(holding.size, -1, np.int64)
    largest = 0
    for order in range(first, last):
        for line in range(start[order], start[order + 1]):
            code = product[line]
            if seen[code] != order:
                seen[code] = order
                holding[code] += 1
        largest = max(largest, start[order + 1] - start[order])
    return largest


@njit(cache=True, nogil=True)
def pack_orders(start, product, rank, ranks, first, last, sentinel, largest, stream, at):  # type: ignore[no-untyped-def]
    """Write the orders first … last − 1 holding two ranked products or more into `stream` from `at`.

    Returns the end, and how many pairs of products the orders hold, one a pair and order. Products of rank `ranks`
    and above cannot be listed and are left out.
    """
    basket = np.empty(largest, np.int64)
    meetings = 0
    for order in range(first, last):
        size = 0
        for line in range(start[order], start[order + 1]):
            found = rank[product[line]]
            if found < ranks:
                basket[size] = found
                size += 1
        if size < 2:
            continue
        if size <= 64:
            for place in range(1, size):
                moving = basket[place]
                before = place
                while before > 0 and basket[before - 1] > moving:
                    basket[before] = basket[before - 1]
                    before -= 1
                basket[before] = moving
        else:
            basket[:size] = np.sort(basket[:size])
        begin = at
        previous = np.int64(-1)
        for place in range(size):
            if basket[place] != previous:
                previous = basket[place]
                stream[at] = previous
                at += 1
        if at - begin < 2:
            at = begin
        else:
            meetings += (at - begin) * (at - begin - 1) // 2
            stream[at] = sentinel
            at += 1
    return at, meetings


@njit(cache=True, nogil=True)
def count_places(stream, first, last, sentinel, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` how often each rank stands in `stream[first:last]` with another behind it in the same basket."""
    for place in range(first, last - 1):
        if stream[place + 1] != sentinel and stream[place] != sentinel:
            counts[stream[place]] += 1


@njit(cache=True, nogil=True)
def fill_places(stream, first, last, sentinel, at, places):  # type: ignore[no-untyped-def]
    """Write the place behind each such rank into `places`; `at` (ranks,) says where, and is moved on."""
    for place in range(first, last - 1):
        if stream[place + 1] != sentinel and stream[place] != sentinel:
            found = stream[place]
            places[at[found]] = place + 1
            at[found] += 1


@njit(cache=True, nogil=True, inline="always")
def _log_cell(count, small):  # type: ignore[no-untyped-def]
    """The value of n ln n, and what Stirling adds to n ln n − n to make ln n!."""
    if count < 1.0:
        return 0.0, 0.0
    log = np.log(count)
    if count < 16.0:
        return count * log, small[int(count)]
    inverse = 1.0 / count
    return count * log, 0.9189385332046727 + 0.5 * log + inverse * (
        0.08333333333333333 - 0.002777777777777778 * inverse * inverse
    )


@njit(cache=True)
def stirling_rest():  # type: ignore[no-untyped-def]
    """The value of ln n! − n ln n + n for n below 16, where the series is too short."""
    rest = np.zeros(16)
    factorial = 0.0
    for count in range(1, 16):
        factorial += np.log(float(count))
        rest[count] = factorial - count * np.log(float(count)) + count
    return rest


@njit(cache=True, nogil=True)
def margin_terms(holding, orders):  # type: ignore[no-untyped-def]
    """What one product's margin adds to the log-likelihood ratio and to the exact probability, each (products,)."""
    small = stirling_rest()
    likelihood = np.empty(holding.size)
    stirling = np.empty(holding.size)
    for product in range(holding.size):
        with_it = _log_cell(float(holding[product]), small)
        without = _log_cell(float(orders - holding[product]), small)
        likelihood[product] = with_it[0] + without[0]
        stirling[product] = with_it[1] + without[1]
    return likelihood, stirling


@njit(cache=True, nogil=True, inline="always")
def associate(together, one, other, orders, margins, stirling, total, total_stirling, small):  # type: ignore[no-untyped-def]
    """G² and the p of the 2 × 2 table with `together` orders holding both, for a pair with a lift above 1.

    p is Fisher's exact one-sided one: the chance of `together` or more under the hypergeometric law, summed term by
    term from Stirling's series. The terms fall ever faster, so that after `EXACT_TERMS` a geometric series bounds the
    rest from above: exact to 1e-6 where few are expected together, otherwise a little too large and never too small.
    """
    neither = orders - one - other + together
    both_log, both_rest = _log_cell(together, small)
    one_log, one_rest = _log_cell(one - together, small)
    other_log, other_rest = _log_cell(other - together, small)
    neither_log, neither_rest = _log_cell(neither, small)
    half = max(both_log + one_log + other_log + neither_log + total - margins, 0.0)
    chance = np.exp(stirling - total_stirling - both_rest - one_rest - other_rest - neither_rest - half)
    sum_ = 1.0
    term = 1.0
    ratio = 0.0
    for step in range(EXACT_TERMS + 1):
        ratio = (one - together - step) * (other - together - step) / ((together + 1.0 + step) * (neither + 1.0 + step))
        if step == EXACT_TERMS or term * ratio < 1e-6 * sum_:
            break
        term *= ratio
        sum_ += term
    sum_ += term * ratio / (1.0 - ratio)
    return 2.0 * half, min(chance * sum_, 1.0)


@njit(cache=True, nogil=True)
def count_row(stream, places, first, last, sentinel, counter, touched):  # type: ignore[no-untyped-def]
    """Count what follows `places[first:last]` in their baskets; returns how many ranks were `touched`.

    `counter` (ranks + 1,) comes in as zeros and is to be handed back so; `touched` has the same size.
    """
    # Unsigned places spare a check for a negative index at every step of the inner loop.
    one = np.uint64(1)
    seen = np.uint64(0)
    ahead = np.empty(16, stream.dtype)
    at = first
    while at < last:
        # Sixteen places are read before the first is followed, so that their cache misses overlap.
        block = min(16, last - at)
        for index in range(block):
            ahead[index] = stream[np.uint64(places[at + index])]
        for index in range(block):
            place = np.uint64(places[at + index])
            other = ahead[index]
            while other != sentinel:
                count = counter[other]
                touched[seen] = other
                seen += np.uint64(count == 0)
                counter[other] = count + 1
                place += one
                other = stream[place]
        at += block
    return np.int64(seen)


@njit(cache=True, nogil=True)
def _grown(values):  # type: ignore[no-untyped-def]
    larger = np.empty(values.size * 2, values.dtype)
    larger[: values.size] = values
    return larger


@njit(cache=True, nogil=True)
def count_associated(  # type: ignore[no-untyped-def]
    stream, start, places, holding, orders, first, step, sentinel, min_together, max_p
):
    """Pairs of ranks whose commoner one is first, first + step, …: commoner, rarer, orders with both, G² and p.

    Kept are pairs on at least `min_together` orders, more often than if independent, with p at most `max_p`.
    """
    ranks = holding.size
    small = stirling_rest()
    margins, stirling = margin_terms(holding, orders)
    total, total_stirling = _log_cell(float(orders), small)
    counter = np.zeros(ranks + 1, np.int32)
    touched = np.empty(ranks + 1, stream.dtype)
    common = np.empty(1 << 16, stream.dtype)
    rare = np.empty(1 << 16, stream.dtype)
    both = np.empty(1 << 16, np.int32)
    llr = np.empty(1 << 16, np.float64)
    p = np.empty(1 << 16, np.float64)
    kept = 0
    for one in range(first, ranks, step):
        seen = count_row(stream, places, start[one], start[one + 1], sentinel, counter, touched)
        holding_one = float(holding[one])
        for index in range(seen):
            other = touched[index]
            count = counter[other]
            counter[other] = 0
            if count < min_together:
                continue
            holding_other = float(holding[other])
            if float(count) * orders <= holding_one * holding_other:
                continue
            pair_llr, pair_p = associate(
                float(count),
                holding_one,
                holding_other,
                float(orders),
                margins[one] + margins[other],
                stirling[one] + stirling[other],
                total,
                total_stirling,
                small,
            )
            if pair_p > max_p:
                continue
            if kept == both.size:
                common, rare, both, llr, p = _grown(common), _grown(rare), _grown(both), _grown(llr), _grown(p)
            common[kept] = one
            rare[kept] = other
            both[kept] = count
            llr[kept] = pair_llr
            p[kept] = pair_p
            kept += 1
    return common[:kept], rare[:kept], both[:kept], llr[:kept], p[:kept]


@njit(cache=True, nogil=True)
def _insert(own, other, both, llr, p, code, best_other, best_both, best_llr, best_p, lowest):  # type: ignore[no-untyped-def]
    top = best_llr.shape[1]
    place = top
    while place > 0 and (
        best_other[own, place - 1] < 0
        or best_llr[own, place - 1] < llr
        or (best_llr[own, place - 1] == llr and code[best_other[own, place - 1]] > code[other])
    ):
        if place < top:
            best_other[own, place] = best_other[own, place - 1]
            best_both[own, place] = best_both[own, place - 1]
            best_llr[own, place] = best_llr[own, place - 1]
            best_p[own, place] = best_p[own, place - 1]
        place -= 1
    if place < top:
        best_other[own, place] = other
        best_both[own, place] = both
        best_llr[own, place] = llr
        best_p[own, place] = p
        lowest[own] = best_llr[own, top - 1]


@njit(cache=True, nogil=True)
def keep_best(  # type: ignore[no-untyped-def]
    common, rare, both, llr, p, max_p, first, step, code, best_other, best_both, best_llr, best_p, lowest
):
    """Merge pairs into the best partners of the ranks first, first + step, …, the largest G² first, ties by code.

    `best_other` (ranks, top) starts at −1, `best_llr` and `lowest` (ranks,) at 0.
    """
    for pair in range(both.size):
        if p[pair] > max_p:
            continue
        value = llr[pair]
        one = np.int64(common[pair])
        other = np.int64(rare[pair])
        if one % step == first and value >= lowest[one]:
            _insert(one, other, both[pair], value, p[pair], code, best_other, best_both, best_llr, best_p, lowest)
        if other % step == first and value >= lowest[other]:
            _insert(other, one, both[pair], value, p[pair], code, best_other, best_both, best_llr, best_p, lowest)
