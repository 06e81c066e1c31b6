"""Kernels of the baselines and of the chain that falls back on them."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def list_first(  # type: ignore[no-untyped-def]
    customers, start, bought, sequence, sequence_score, exclude_bought, best, score
):
    """Fill `best` (rows, k; −1 before) and `score` with the first of `sequence` that are allowed."""
    known = start.size - 1
    products = 0
    for place in range(sequence.size):
        products = max(products, sequence[place] + 1)
    owner = np.full(products, -1, np.int64)
    for row in range(customers.size):
        customer = customers[row]
        if exclude_bought and 0 <= customer < known:
            for line in range(start[customer], start[customer + 1]):
                # what weighs nothing is bought all the same and stands nowhere in the sequence
                if bought[line] < products:
                    owner[bought[line]] = row
        size = 0
        for place in range(sequence.size):
            if size == best.shape[1]:
                break
            if owner[sequence[place]] != row:
                best[row, size] = sequence[place]
                score[row, size] = sequence_score[place]
                size += 1


@njit(cache=True, nogil=True)
def fill_open(rows, more, more_score, index, below, best, score, link):  # type: ignore[no-untyped-def]
    """Put `more` (rows, k) behind what `best[rows]` holds, each product once, with scores scaled to stay below."""
    k = best.shape[1]
    for at in range(rows.size):
        row = rows[at]
        size = 0
        while size < k and best[row, size] >= 0:
            size += 1
        held = size
        scale = np.float32(1.0)
        if held > 0 and more_score[at, 0] > 0:
            scale = below * score[row, held - 1] / more_score[at, 0]
        for place in range(more.shape[1]):
            product = more[at, place]
            if size == k or product < 0:
                break
            known = False
            for earlier in range(held):
                known |= best[row, earlier] == product
            if not known:
                best[row, size] = product
                score[row, size] = more_score[at, place] * scale
                link[row, size] = index
                size += 1
