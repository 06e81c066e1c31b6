"""Kernels of item-kNN: similar products, scores of all customers, and what a score is made of.

Products are ranks here: 0 has the most buyers, ties by code.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nobishiro.engine.offer.pair_kernels import count_row


@njit(cache=True, nogil=True)
def merge_repeats(start, product, weight, products):  # type: ignore[no-untyped-def]
    """Each customer's products once, as first met, weights added: starts, products and weights (float32)."""
    slot = np.full(products, -1, np.int64)
    merged_start = np.zeros(start.size, np.int64)
    merged_product = np.empty(product.size, np.int32)
    merged_weight = np.empty(product.size, np.float64)
    size = 0
    for customer in range(start.size - 1):
        begin = size
        for line in range(start[customer], start[customer + 1]):
            code = product[line]
            if slot[code] < begin:
                slot[code] = size
                merged_product[size] = code
                merged_weight[size] = 0.0
                size += 1
            merged_weight[slot[code]] += weight[line]
        merged_start[customer + 1] = size
    return merged_start, merged_product[:size].copy(), merged_weight[:size].astype(np.float32)


@njit(cache=True, nogil=True, inline="always")
def _place(neighbour, similarity, lowest, own, other, value):  # type: ignore[no-untyped-def]
    top = neighbour.shape[1]
    place = top
    while place > 0 and (
        neighbour[own, place - 1] < 0
        or similarity[own, place - 1] < value
        or (similarity[own, place - 1] == value and neighbour[own, place - 1] > other)
    ):
        if place < top:
            neighbour[own, place] = neighbour[own, place - 1]
            similarity[own, place] = similarity[own, place - 1]
        place -= 1
    if place < top:
        neighbour[own, place] = other
        similarity[own, place] = value
        lowest[own] = similarity[own, top - 1]


@njit(cache=True, nogil=True)
def find_similar(  # type: ignore[no-untyped-def]
    stream, start, places, root, shrinkage, first, step, sentinel, min_both, neighbour, similarity
):
    """Merge into `neighbour` and `similarity` (ranks, top) every `step`th row of pairs from `first` on.

    Similarity is buyers of both over (√(buyers of one · buyers of the other) + shrinkage); `root` (ranks,) is √buyers.
    """
    ranks = root.size
    lowest = np.zeros(ranks, np.float32)
    generous = np.float32(1.00001)
    counter = np.zeros(ranks + 1, np.int32)
    touched = np.empty(ranks + 1, stream.dtype)
    # From the rarest up: a product's nearest are about as common as itself, so that lists are soon hard to get into.
    for one in range(ranks - 1 - first, -1, -step):
        seen = count_row(stream, places, start[one], start[one + 1], sentinel, counter, touched)
        root_one = root[one]
        for index in range(seen):
            other = np.int64(touched[index])
            both = counter[other]
            counter[other] = 0
            if both < min_both:
                continue
            divisor = root_one * root[other] + shrinkage
            # Cheaper than the division, and generous enough not to lose a tie to rounding.
            if np.float32(both) * generous < divisor * min(lowest[one], lowest[other]):
                continue
            value = np.float32(np.float32(both) / divisor)
            if value >= lowest[one]:
                _place(neighbour, similarity, lowest, one, other, value)
            if value >= lowest[other]:
                _place(neighbour, similarity, lowest, other, one, value)


@njit(cache=True, nogil=True)
def merge_similar(neighbour, similarity, more_neighbour, more_similarity):  # type: ignore[no-untyped-def]
    """Merge the second pair of tables into the first; a pair of ranks is in one of them only."""
    lowest = similarity[:, -1].copy()
    for own in range(neighbour.shape[0]):
        for place in range(neighbour.shape[1]):
            if more_neighbour[own, place] < 0 or more_similarity[own, place] < lowest[own]:
                break
            _place(
                neighbour, similarity, lowest, own, np.int64(more_neighbour[own, place]), more_similarity[own, place]
            )


@njit(cache=True, nogil=True)
def similarity_of(near_start, near, similarity, one, other):  # type: ignore[no-untyped-def]
    """(rows,) similarity of `other[r]` in the list of `one[r]`, both ranks; 0 where it is not in it."""
    found = np.zeros(one.size, np.float32)
    for row in range(one.size):
        for place in range(near_start[one[row]], near_start[one[row] + 1]):
            if near[place] == other[row]:
                found[row] = similarity[place]
                break
    return found


@njit(cache=True, nogil=True)
def score_customers(  # type: ignore[no-untyped-def]
    customers, start, bought, weight, near_start, near, similarity, products, exclude_bought, first, last, best, score
):
    """Fill the rows first … last − 1 of `best` (rows, k; −1 before) and `score` with the largest of all sums.

    A sum is weight × similarity over what the customer bought; a product is as similar to itself as can be (1). Ties go
    to the lower rank. Customers outside the known codes have bought nothing. Weights are 0, or large enough that no
    weight × similarity vanishes.
    """
    known = start.size - 1
    k = best.shape[1]
    total = np.zeros(products, np.float32)
    touched = np.empty(products + 1, near.dtype)
    row_best = np.empty(k, near.dtype)
    row_score = np.empty(k, np.float32)
    nothing = np.float32(0.0)
    for row in range(first, last):
        customer = customers[row]
        if customer < 0 or customer >= known:
            continue
        begin, end = start[customer], start[customer + 1]
        seen = 0
        for line in range(begin, end):
            factor = weight[line]
            if factor == nothing:
                continue
            one = bought[line]
            if not exclude_bought:
                held = total[one]
                touched[seen] = one
                seen += held == nothing
                total[one] = held + factor
            for place in range(near_start[one], near_start[one + 1]):
                other = near[place]
                held = total[other]
                touched[seen] = other
                seen += held == nothing
                total[other] = held + factor * similarity[place]
        if exclude_bought:
            for line in range(begin, end):
                total[bought[line]] = nothing
        size = 0
        lowest = nothing
        for index in range(seen):
            other = touched[index]
            value = total[other]
            total[other] = nothing
            if value < lowest or value == nothing:
                continue
            if size == k and value == lowest and other > row_best[k - 1]:
                continue
            place = min(size, k - 1)
            while place > 0 and (
                row_score[place - 1] < value or (row_score[place - 1] == value and row_best[place - 1] > other)
            ):
                row_best[place] = row_best[place - 1]
                row_score[place] = row_score[place - 1]
                place -= 1
            row_best[place] = other
            row_score[place] = value
            size = min(size + 1, k)
            if size == k:
                lowest = row_score[k - 1]
        for place in range(size):
            best[row, place] = row_best[place]
            score[row, place] = row_score[place]


@njit(cache=True, nogil=True)
def explain_scores(  # type: ignore[no-untyped-def]
    customers, wanted, start, bought, weight, back_start, back, similarity, products, first, last, behind, share
):
    """Fill the rows first … last − 1 of `behind` (rows, top; −1 before) and `share`: what was bought that made a score.

    `back` lists, for each product, the products it is near to in rising rank, with their `similarity`.
    """
    known = start.size - 1
    top = behind.shape[1]
    held = np.zeros(products, np.float32)
    spread = np.int64(-1)
    for row in range(first, last):
        customer, target = np.int64(customers[row]), wanted[row]
        if customer < 0 or customer >= known or target < 0:
            continue
        if customer != spread:
            if spread >= 0:
                for line in range(start[spread], start[spread + 1]):
                    held[bought[line]] = 0.0
            spread = customer
            for line in range(start[spread], start[spread + 1]):
                held[bought[line]] = weight[line]
        begin, end = back_start[target], back_start[target + 1]
        total = np.float64(held[target])
        if total > 0:
            behind[row, 0] = target
            share[row, 0] = total
        few = start[customer + 1] - start[customer]
        if (end - begin) <= 8 * few:
            for place in range(begin, end):
                part = held[back[place]] * similarity[place]
                if part > 0:
                    total += part
                    _rank_part(behind, share, row, top, back[place], part)
        else:
            for line in range(start[customer], start[customer + 1]):
                place = begin + np.searchsorted(back[begin:end], bought[line])
                if place < end and back[place] == bought[line] and weight[line] > 0:
                    part = weight[line] * similarity[place]
                    total += part
                    _rank_part(behind, share, row, top, bought[line], part)
        if total > 0:
            for place in range(top):
                share[row, place] = share[row, place] / total


@njit(cache=True, nogil=True, inline="always")
def _rank_part(behind, share, row, top, source, part):  # type: ignore[no-untyped-def]
    place = top
    while place > 0 and (
        behind[row, place - 1] < 0
        or share[row, place - 1] < part
        or (share[row, place - 1] == part and behind[row, place - 1] > source)
    ):
        if place < top:
            behind[row, place] = behind[row, place - 1]
            share[row, place] = share[row, place - 1]
        place -= 1
    if place < top:
        behind[row, place] = source
        share[row, place] = part
