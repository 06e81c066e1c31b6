"""Which families a customer buys, since when, and at what pace they open new ones."""

from __future__ import annotations

from typing import Final

import numpy as np

from nobishiro.simulation.calendar import Span
from nobishiro.simulation.frames import Float64, Int32, Int64

NEVER: Final = np.int32(2**31 - 1)
"""A day that does not come."""


def opening_days(
    random: np.random.Generator, wish: Float64, first: Int64, exploring: Float64, joined: Int32, span: Span
) -> Int32:
    """(N, F) the first day each family is bought: the `first` most wished from the day they joined, then one by one.

    `wish` is minus infinity where a customer has no use for a family. After the first ones, families open in the order
    of the wishes with exponential gaps, `exploring` a year; NEVER where that does not happen within the span.
    """
    usable = np.isfinite(wish).sum(axis=1)
    rank = np.argsort(np.argsort(-wish, axis=1, kind="stable"), axis=1, kind="stable")
    gap = random.exponential(1.0, wish.shape) * 365.0 / np.maximum(exploring, 1e-3)[:, None]
    ordered = np.zeros_like(gap)
    np.put_along_axis(ordered, rank, np.where(rank >= first[:, None], gap, 0.0), axis=1)
    since = np.take_along_axis(np.cumsum(ordered, axis=1), rank, axis=1)
    day = np.minimum(joined.astype(np.float64)[:, None] + since, float(NEVER))
    day[(rank >= usable[:, None]) | (day >= span.past)] = float(NEVER)
    return day.astype(np.int64).astype(np.int32)


def stays(
    random: np.random.Generator, later: Float64, leaves: Float64, span: Span, least: int = 120
) -> tuple[Int32, Int32]:
    """(joined, lapsed) of each customer: with chance `later` they come within the span, with `leaves` they go again.

    Who stays has `span.past` as the day of lapse; who goes does so in the middle of the time they had left.
    """
    count = later.size
    comes = random.random(count) < later
    joined = np.where(comes, span.first + random.integers(0, max(span.size - least, 1), count), span.first)
    left = np.maximum(span.past - joined, 1)
    gone = joined + (left * random.uniform(0.35, 0.85, count)).astype(np.int64)
    lapsed = np.where(random.random(count) < leaves, gone, span.past)
    return joined.astype(np.int32), lapsed.astype(np.int32)
