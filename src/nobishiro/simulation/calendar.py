"""When things happen: working days, seasons, and repeated purchases, drawn for many customers at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from nobishiro.simulation.frames import EPOCH, Flags, Float64, Int32, Int64, day_number

_CLOSED: Final = (
    (12, 29),
    (12, 30),
    (12, 31),
    (1, 1),
    (1, 2),
    (1, 3),
    (5, 3),
    (5, 4),
    (5, 5),
    (8, 13),
    (8, 14),
    (8, 15),
)
"""Year's end, the holidays of May and Bon: when a Japanese maker's customers are closed, whatever the year."""


@dataclass(frozen=True, slots=True)
class Span:
    """The simulated stretch of time, in days since 1970-01-01."""

    first: int
    past: int
    """`as_of`: the first day that is not part of it."""

    @classmethod
    def before(cls, as_of: date, months: int) -> Span:
        """The `months` months before `as_of`."""
        count = as_of.year * 12 + as_of.month - 1 - months
        return cls(day_number(date(count // 12, count % 12 + 1, min(as_of.day, 28))), day_number(as_of))

    @property
    def size(self) -> int:
        """Days in it."""
        return self.past - self.first

    @property
    def years(self) -> float:
        """Years in it."""
        return self.size / 365.0

    def weights(self, season: Sequence[float], closed: Flags | None = None) -> Float64:
        """(size,) how much happens on each day: the month's factor, mean 1 over a year, none on `closed` days."""
        factors = np.asarray(season, np.float64)
        weight: Float64 = (factors / factors.mean())[self.months() - 1]
        if closed is not None:
            weight = np.where(closed, 0.0, weight * closed.size / max(int((~closed).sum()), 1))
        return weight

    def months(self) -> Int64:
        """(size,) the month of each day, 1–12."""
        return month_of(np.arange(self.first, self.past))

    def closed(self) -> Flags:
        """(size,) weekends and the holidays around which companies close."""
        numbers = np.arange(self.first, self.past)
        month, day = month_of(numbers), day_of_month(numbers)
        shut = weekday_of(numbers) >= 5
        for closed_month, closed_day in _CLOSED:
            shut |= (month == closed_month) & (day == closed_day)
        return shut

    def next_open(self, closed: Flags) -> Int32:
        """(size,) for each day the day itself or the next that is open; −1 where none is left."""
        numbers = np.where(closed, np.iinfo(np.int32).max, np.arange(self.first, self.past))
        following = np.minimum.accumulate(numbers[::-1])[::-1]
        return np.where(following == np.iinfo(np.int32).max, -1, following).astype(np.int32)


def month_of(numbers: Int64 | Int32) -> Int64:
    """Month 1–12 of days since 1970-01-01."""
    months: Int64 = np.asarray(numbers, np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months % 12 + 1


def day_of_month(numbers: Int64 | Int32) -> Int64:
    """Day of the month, from 1."""
    dates = np.asarray(numbers, np.int64).astype("datetime64[D]")
    offset: Int64 = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    return offset + 1


def weekday_of(numbers: Int64 | Int32) -> Int64:
    """0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday."""
    return (np.asarray(numbers, np.int64) + EPOCH.weekday()) % 7


def occasions(
    random: np.random.Generator, yearly: Float64, start: Int32, past: Int32, span: Span, weight: Float64
) -> tuple[Int64, Int32]:
    """(row, day) of purchases that come `yearly` times a year on average, more often where `weight` is larger.

    A Poisson process for each row between its days `start` and `past` (exclusive), thinned to the season by drawing
    days from the accumulated `weight` of the span. Rows are ascending.
    """
    reach = np.concatenate(([0.0], np.cumsum(weight)))
    low = reach[np.clip(start - span.first, 0, span.size)]
    high = reach[np.clip(past - span.first, 0, span.size)]
    expected = np.maximum(yearly, 0.0) * np.maximum(high - low, 0.0) / 365.0
    count = random.poisson(expected)
    row = np.repeat(np.arange(yearly.size), count)
    place = low[row] + random.random(row.size) * (high - low)[row]
    day = span.first + np.searchsorted(reach, place, side="right") - 1
    return row, np.minimum(day, span.past - 1).astype(np.int32)


def renewals(
    random: np.random.Generator, mean: Float64, spread: Float64, start: Int32, past: Int32
) -> tuple[Int64, Int32]:
    """(row, day) of purchases that come back every `mean` ± `spread` days from `start` to `past` (exclusive).

    Gaps are gamma distributed, at least one day; the first falls anywhere in the first gap. Rows are ascending.
    """
    left = np.maximum(past - start, 0)
    most = np.ceil(left / mean * 1.1 + 6.0 * spread / mean + 4.0).astype(np.int64)
    most = np.where(left > 0, most, 0)
    row = np.repeat(np.arange(mean.size), most)
    variance = np.maximum(spread, 1e-6) ** 2
    gap = np.maximum(random.gamma(mean[row] ** 2 / variance[row], variance[row] / mean[row]), 1.0)
    begin = np.cumsum(most) - most
    opening = begin[most > 0]
    gap[opening] *= random.random(opening.size)
    total = np.cumsum(gap)
    before = np.concatenate(([0.0], total))[begin]
    day = start[row] + np.floor(total - before[row]).astype(np.int64)
    keep = day < past[row]
    return row[keep], day[keep].astype(np.int32)


def opening_minutes(random: np.random.Generator, count: int, first_hour: int, last_hour: int) -> Int64:
    """Minutes after midnight within opening hours, in steps of five."""
    return random.integers(first_hour * 12, last_hour * 12, count) * 5
