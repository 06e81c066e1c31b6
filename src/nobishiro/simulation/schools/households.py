"""Households, children and school years: a child born on 1 April is a year ahead of one born on the 2nd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nobishiro.simulation.calendar import Span
from nobishiro.simulation.exploring import opening_days, stays
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64
from nobishiro.simulation.schools.catalogue import EXTRAS, LAST_GRADE
from nobishiro.simulation.streams import Streams

_GOES_ON: Final = {1: 0.62, 10: 0.50, 13: 0.25}
"""Chance to stay when a stage begins: elementary school, high school, the year after."""
_TO_MEDICINE: Final = 0.10
_CHILDREN: Final = (0.52, 0.37, 0.11)
_ENROLLED: Final = 0.6
_OLDEST = 6_900
"""Days: nobody older than the year after high school."""


@dataclass(frozen=True, slots=True)
class Households:
    """H parents (the first H customers) and K children."""

    parent: Int64
    """(K,) the customer of each child."""
    birthday: Int32
    """(K,) days since 1970-01-01."""
    starts: Int32
    """(K,) first day of lessons; NEVER-like `span.past` where there are none yet."""
    ends: Int32
    """(K,) first day without."""
    medicine: Flags
    """(K,) on the way to medicine from the second year of high school."""
    opened: Int32
    """(K, extras) first day of each extra course."""
    joined: Int32
    """(H,)"""
    lapsed: Int32
    exploring: Float64
    """(H,) extra courses a year."""

    @property
    def size(self) -> int:
        """Number of households."""
        return self.joined.size


def academic_year(day: Int64 | Int32, first_day: int) -> Int64:
    """The year whose April begins the academic year of a day: 1 April for lessons, 2 April for birthdays."""
    dates = np.asarray(day, np.int64).astype("datetime64[D]")
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    in_month = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    begun = (month > 4) | ((month == 4) & (in_month >= first_day))
    result: Int64 = year - ~begun
    return result


def school_year(birthday: Int64 | Int32, day: Int64 | Int32) -> Int64:
    """1 for the first year of elementary school on `day`, 0 and below before it, 10–12 in high school.

    Children born from 2 April to 1 April of the next year start school together in the April after they are six.
    """
    year: Int64 = academic_year(day, 1) - academic_year(birthday, 2) - 6
    return year


def draw_households(streams: Streams, count: int, span: Span) -> Households:
    """Families with one to three children between 年少 and the year after high school."""
    random = streams.part("households")
    joined, lapsed = stays(streams.part("stay"), np.full(count, 0.45), np.full(count, 0.12), span)
    children = 1 + random.choice(3, count, p=_CHILDREN)
    parent = np.repeat(np.arange(count), children)
    birthday = (span.past - random.integers(1_150, _OLDEST, parent.size)).astype(np.int32)
    takes = random.random(parent.size) < _ENROLLED
    takes[np.cumsum(children) - children] = True
    # a child may begin at three, at the earliest when the household joins
    three = birthday + 1_150
    starts = np.maximum(joined[parent], three) + np.where(
        random.random(parent.size) < 0.5, 0, random.integers(0, 500, parent.size)
    )
    ends = np.minimum(lapsed[parent], span.past).astype(np.int64)
    for grade, chance in _GOES_ON.items():
        leaves = random.random(parent.size) >= chance
        begins = _begin_of(birthday, grade)
        # who comes at the very stage does not leave before it
        ends = np.where(leaves & (begins > starts), np.minimum(ends, begins), ends)
    ends = np.minimum(ends, _begin_of(birthday, LAST_GRADE + 1))
    ends = np.where(takes, ends, starts)
    exploring = random.gamma(1.5, 0.25, count)
    wish = random.gumbel(0.0, 1.0, (parent.size, len(EXTRAS)))
    first = (random.random(parent.size) < 0.25).astype(np.int64)
    opened = opening_days(streams.part("extras"), wish, first, exploring[parent], starts.astype(np.int32), span)
    return Households(
        parent=parent,
        birthday=birthday,
        starts=starts.astype(np.int32),
        ends=np.maximum(ends, starts).astype(np.int32),
        medicine=random.random(parent.size) < _TO_MEDICINE,
        opened=opened,
        joined=joined,
        lapsed=lapsed,
        exploring=exploring,
    )


def _begin_of(birthday: Int32, grade: int) -> Int64:
    """1 April on which a child begins a school year."""
    year = academic_year(birthday, 2) + 6 + grade
    months = (year - 1970) * 12 + 3
    first: Int64 = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return first
