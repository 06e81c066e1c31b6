"""The daily report, written by the taps: what was done on a day, by whom, how long."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from nobishiro.web.core.permissions import Permission
from nobishiro.web.customers.models import Customer, Outcome, Touch
from nobishiro.web.people.models import Rep, User
from nobishiro.web.worklist.taps import REASONS, RESULTS


@dataclass(frozen=True, slots=True)
class Entry:
    """One contact of the day."""

    touch: Touch
    outcomes: tuple[tuple[str, str, Outcome], ...]
    """(result, reason, outcome) in words."""
    note: str
    """Empty when it is not for the viewer."""
    is_hidden: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class DayReport:
    """A day of one rep, or of everybody."""

    entries: tuple[Entry, ...]
    dismissed: int
    """今回は出さない: no contact, only counted."""

    @property
    def minutes(self) -> float:
        """Minutes of the contacts whose length is known."""
        return sum(entry.touch.minutes or 0 for entry in self.entries)

    @property
    def customers(self) -> int:
        """Distinct customers."""
        return len({entry.touch.customer_id for entry in self.entries})

    @property
    def unknown(self) -> int:
        """Contacts of which nobody said how long they took."""
        return sum(entry.touch.minutes is None for entry in self.entries)


def bounds(first: date, until: date) -> tuple[datetime, datetime]:
    """The moments a span of days begins and ends."""
    zone = timezone.get_current_timezone()
    return datetime.combine(first, time(), zone), datetime.combine(until, time(), zone)


def day_report(rep: Rep | None, on: date, *, viewer: User, everybody: bool = False) -> DayReport:
    """Contacts of a rep (or of everybody) on a day, the earliest first, as `viewer` may see them."""
    begin, end = bounds(on, on + timedelta(days=1))
    touches: QuerySet[Touch] = Touch.objects.filter(happened_at__gte=begin, happened_at__lt=end, withdrawn_at=None)
    outcomes = Outcome.objects.filter(happened_at__gte=begin, happened_at__lt=end, withdrawn_at=None)
    if not everybody:
        touches, outcomes = touches.filter(_of(rep, viewer)), outcomes.filter(_of(rep, viewer))
    found = (
        touches.select_related("customer", "rep", "entered_by")
        .prefetch_related(Prefetch("outcomes", Outcome.objects.filter(withdrawn_at=None)))
        .order_by("happened_at", "pk")
    )
    return DayReport(
        tuple(_entry(touch, viewer) for touch in found), outcomes.filter(result="dismissed").count()
    )  # fmt: skip


def may_change(touch: Touch, user: User) -> bool:
    """Only the one whose report it is corrects it."""
    return touch.entered_by_id == user.pk or (touch.rep_id is not None and touch.rep_id == user.rep_id)


def found_customers(text: str, most: int = 8) -> Sequence[Customer]:
    """Customers whose name, reading, code or telephone holds the words."""
    rows = Customer.objects.filter(is_listed=True, merged_into=None)
    for word in text.split()[:4]:
        rows = rows.filter(search__contains=searchable(word))
    return list(rows.order_by("kana", "name")[:most]) if text.strip() else []


def searchable(text: str) -> str:
    """As `Customer.search` is kept."""
    return unicodedata.normalize("NFKC", text).lower()


def _of(rep: Rep | None, viewer: User) -> Q:
    return Q(rep=rep) if rep is not None else Q(rep=None, entered_by=viewer)


def _entry(touch: Touch, viewer: User) -> Entry:
    is_hidden = touch.is_private and touch.entered_by_id != viewer.pk and not viewer.may(Permission.SEE_PRIVATE_NOTES)
    results, reasons = dict(RESULTS), dict(REASONS)
    said = tuple(
        (str(results.get(outcome.result, outcome.result)), str(reasons.get(outcome.reason, outcome.reason)), outcome)
        for outcome in touch.outcomes.all()
    )
    return Entry(touch, said, "" if is_hidden else touch.note, is_hidden, may_change(touch, viewer))
