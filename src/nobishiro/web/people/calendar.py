"""The company's business days: weekdays, Japan's national holidays, and the days the company itself closes or opens.

    calendar = load_calendar()                    two queries, then none
    add_business_days(day, 3, calendar)           3rd business day after `day`
    is_business_day(day)                          inside a request: the request's own calendar, loaded once

Without a calendar given, the functions take the one of the surrounding request (`people.middleware`) or of `one_calendar()`;
outside both each call loads it anew, so code that asks for many days passes one in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays

from nobishiro.contracts.errors import SettingsError

_ONE_DAY: Final = timedelta(days=1)
_LONGEST_CLOSURE: Final = 400
"""Days in a row; a calendar that is closed longer is a mistake, and a search in it would not end."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What makes a day a business day. Pure: asks no database and no clock."""

    weekend: frozenset[int] = frozenset({5, 6})
    """Weekdays closed, Monday 0."""
    exceptions: Mapping[date, bool] = field(default_factory=dict)
    """Days that differ from the rule: True is open after all, False is closed."""

    def is_business_day(self, day: date) -> bool:
        """The company's own word first, then the weekday, then the national holidays."""
        said = self.exceptions.get(day)
        if said is not None:
            return said
        return day.weekday() not in self.weekend and day not in national_holidays(day.year)

    def next_business_day(self, day: date) -> date:
        """The first business day after `day`, never `day` itself."""
        return self._step(day, _ONE_DAY)

    def add_business_days(self, day: date, count: int) -> date:
        """The `count`-th business day after `day` (before it when negative); for 0 `day`, or the next one when it is closed."""
        if count == 0:
            return day if self.is_business_day(day) else self.next_business_day(day)
        step = _ONE_DAY if count > 0 else -_ONE_DAY
        for _ in range(abs(count)):
            day = self._step(day, step)
        return day

    def business_days_between(self, start: date, end: date) -> int:
        """Business days after `start` up to and including `end`; negative when `end` is earlier."""
        if end < start:
            return -self.business_days_between(end, start)
        return sum(self.is_business_day(start + timedelta(days=ahead)) for ahead in range(1, (end - start).days + 1))

    def _step(self, day: date, step: timedelta) -> date:
        for _ in range(_LONGEST_CLOSURE):
            day += step
            if self.is_business_day(day):
                return day
        raise SettingsError(
            f"there is no business day within {_LONGEST_CLOSURE} days of {day}; open some weekday in the company's calendar"
        )


@lru_cache(maxsize=256)
def national_holidays(year: int, language: str = "ja") -> Mapping[date, str]:
    """Japan's national holidays of a year with their names in `ja` or `en`; those in lieu are included."""
    said = holidays.country_holidays("JP", years=year, language="ja" if language == "ja" else "en_US")
    return dict(sorted(said.items()))


def read_weekend(text: str) -> frozenset[int]:
    """`5,6` → {5, 6}; Monday is 0. Raises `SettingsError` when nothing is left open."""
    closed = frozenset(int(part) for part in text.split(",") if part.strip())
    if not closed <= set(range(7)) or len(closed) > 6:
        raise SettingsError(f"weekend {text!r}: name closed weekdays as 0 (Monday) to 6, and leave one open")
    return closed


def load_calendar() -> Calendar:
    """The company's calendar as it is now, in two queries."""
    from nobishiro.web.people.models import CalendarDay, CompanySettings

    weekend = CompanySettings.objects.filter(pk=1).values_list("weekend", flat=True).first()
    return Calendar(
        read_weekend("5,6" if weekend is None else weekend), dict(CalendarDay.objects.values_list("day", "is_open"))
    )


_held: ContextVar[list[Calendar] | None] = ContextVar("calendar", default=None)


@contextmanager
def one_calendar() -> Iterator[None]:
    """Inside, the calendar is loaded at most once, when first asked for."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def forget_calendar() -> None:
    """Let go of the calendar held, after it was changed."""
    held = _held.get()
    if held is not None:
        held.clear()


def current_calendar() -> Calendar:
    """The calendar of the surrounding request or `one_calendar()`, else a fresh one."""
    held = _held.get()
    if held is None:
        return load_calendar()
    if not held:
        held.append(load_calendar())
    return held[0]


def is_business_day(day: date, calendar: Calendar | None = None) -> bool:
    """Whether the company works on `day`."""
    return (calendar or current_calendar()).is_business_day(day)


def next_business_day(day: date, calendar: Calendar | None = None) -> date:
    """The first business day after `day`."""
    return (calendar or current_calendar()).next_business_day(day)


def add_business_days(day: date, count: int, calendar: Calendar | None = None) -> date:
    """The `count`-th business day after `day`; see `Calendar.add_business_days`."""
    return (calendar or current_calendar()).add_business_days(day, count)


def business_days_between(start: date, end: date, calendar: Calendar | None = None) -> int:
    """Business days after `start` up to and including `end`."""
    return (calendar or current_calendar()).business_days_between(start, end)
