"""Weeks from Monday to Sunday, by any of their days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Week:
    """One week."""

    monday: date

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def before(self) -> Week:
        """The week before."""
        return Week(self.monday - timedelta(days=7))

    @property
    def after(self) -> Week:
        """The week after."""
        return Week(self.monday + timedelta(days=7))

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its first moment and the first of the next week, on the company's clock."""
        zone = timezone.get_current_timezone()
        begin = datetime.combine(self.monday, time.min, zone)
        return begin, datetime.combine(self.monday + timedelta(days=7), time.min, zone)


def week_of(day: date) -> Week:
    """The week a day is in."""
    return Week(day - timedelta(days=day.weekday()))


def read_week(text: str | None, today: date) -> Week:
    """The week of `2026-11-16` (any day of it), else this week."""
    try:
        return week_of(date.fromisoformat(text or ""))
    except ValueError:
        return week_of(today)
