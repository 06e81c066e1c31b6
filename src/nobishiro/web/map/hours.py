"""Where the hours of a month went, held against the plan: by quadrant, by rep, and whether C takes too many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import polars as pl
from django.db.models import QuerySet
from django.utils import timezone

from nobishiro.pipelines.published import PublishedRun
from nobishiro.pipelines.touch_hours import has_touches, touches_between
from nobishiro.web.core.among import among
from nobishiro.web.core.company import published
from nobishiro.web.customers.hours import QUADRANTS as LETTERS
from nobishiro.web.customers.hours import all_reps, hours_spent
from nobishiro.web.customers.models import Customer, Touch
from nobishiro.web.people.models import CompanySettings, Rep

LEAST_HOURS: Final = 4.0
"""Below this a share says nothing: one visit would make it."""


@dataclass(frozen=True, slots=True)
class Month:
    """The month looked at."""

    first: date
    until: date
    """Exclusive."""
    is_current: bool


@dataclass(frozen=True, slots=True)
class QuadrantHours:
    """One quadrant; `wished` and `planned` are None without a plan."""

    letter: str
    spent: float
    share: float
    """Of all hours spent, 0 to 1."""
    wished_share: float | None
    planned: float | None


@dataclass(frozen=True, slots=True)
class Spent:
    """Hours of one rep, or of all."""

    rep: Rep | None
    hours: float
    by_letter: tuple[QuadrantHours, ...]
    is_too_much_c: bool

    def of(self, letter: str) -> QuadrantHours:
        """One quadrant's."""
        return self.by_letter[LETTERS.index(letter)]

    @property
    def c(self) -> QuadrantHours:
        """The hours that keep what is."""
        return self.of("C")

    @property
    def most(self) -> QuadrantHours:
        """Where most of the hours went."""
        return max(self.by_letter, key=lambda row: row.spent)


@dataclass(frozen=True, slots=True)
class MonthHours:
    """The month's hours; `is_known` is False when there are no contacts at all (接点データなし)."""

    month: Month
    is_known: bool
    all: Spent
    reps: tuple[Spent, ...]
    """Those with any hours, the most of C first."""
    without_length: int
    """Contacts of which nobody said how long they took."""
    allowed_c: float | None
    """Share of hours in C from which it is too much; None without a plan."""
    free_for_b: float | None
    """Hours B is still short of its plan; None without a plan."""

    @property
    def alarmed(self) -> tuple[Spent, ...]:
        """Reps with too much C."""
        return tuple(spent for spent in self.reps if spent.is_too_much_c)

    @property
    def longest(self) -> float:
        """The longest bar."""
        return max((max(row.spent, row.planned or 0.0) for row in self.all.by_letter), default=0.0)


def month_shown(run: PublishedRun | None) -> Month:
    """This month; while the figures end earlier and nobody recorded anything since, the last month they know."""
    today = timezone.localdate()
    current = _month_of(today, is_current=True)
    if run is None:
        return current
    last = run.as_of - timedelta(days=1)
    if (
        last >= current.first
        or Touch.objects.filter(withdrawn_at=None, happened_at__gte=_start(current.first)).exists()
    ):
        return current
    return _month_of(last, is_current=False)


def month_hours(rep_code: str = "") -> MonthHours:
    """Hours of the month by quadrant and rep, of everybody or of one rep."""
    run = published()
    month = month_shown(run)
    names = all_reps()
    spent = hours_spent(month.first, month.until)
    wished, planned = _plan(run, rep_code)
    allowed = None if wished is None else wished["C"] + CompanySettings.current().c_tolerance / 100
    by_quadrant = spent.by_quadrant
    if rep_code:
        by_quadrant = next(
            (hours for pk, hours in spent.by_rep.items() if pk in names and names[pk].code == rep_code),
            dict.fromkeys(LETTERS, 0.0),
        )
    everybody = _spent(None, by_quadrant, wished, planned, allowed)
    reps = [
        _spent(names[pk], hours, wished, None, allowed)
        for pk, hours in spent.by_rep.items()
        if pk in names and (not rep_code or names[pk].code == rep_code)
    ]
    reps = sorted((one for one in reps if one.hours > 0), key=lambda one: (-one.c.share, -one.hours))
    short = None if planned is None else max(0.0, planned["B"] - everybody.of("B").spent)
    return MonthHours(
        month, spent.has_touches, everybody, tuple(reps), 0 if rep_code else spent.unknown_minutes, allowed, short
    )


def contacts_of(run: PublishedRun | None, month: Month) -> pl.DataFrame:
    """(touch_id, customer_id, rep_id, kind, happened_at, minutes) of a month: imported ones and those entered here."""
    here = (
        Touch.objects.filter(
            withdrawn_at=None, happened_at__gte=_start(month.first), happened_at__lt=_start(month.until)
        )
        .order_by("happened_at", "pk")
        .values_list("code", "customer__code", "rep__code", "kind", "happened_at", "minutes")
    )
    schema: dict[str, pl.DataType] = {
        "touch_id": pl.String(), "customer_id": pl.String(), "rep_id": pl.String(), "kind": pl.String(),
        "happened_at": pl.Datetime("us"), "minutes": pl.Float64(),
    }  # fmt: skip
    rows = [(*row[:4], timezone.make_naive(row[4]), row[5]) for row in here]
    entered = pl.DataFrame(rows, schema=schema, orient="row")
    if run is None or not has_touches(run):
        return entered
    imported = touches_between(run, month.first, month.until).cast(schema)  # type: ignore[arg-type]
    return pl.concat([imported, entered]).sort("happened_at", maintain_order=True)


def _plan(run: PublishedRun | None, rep_code: str) -> tuple[Mapping[str, float] | None, Mapping[str, float] | None]:
    """The plan's wished share and its hours by quadrant; None where there is no plan (for this rep)."""
    if run is None or not run.run.table("plan"):
        return None, None
    summary = run.plan_summary()
    total = sum(wished for _, wished, _ in summary.hours_by_quadrant)
    if total <= 0:
        return None, None
    shares = dict.fromkeys(LETTERS, 0.0) | {letter: wished / total for letter, wished, _ in summary.hours_by_quadrant}
    rows = run.rows("plan", columns=["rep_id", "quadrant", "hours"])
    if rep_code:
        rows = rows.filter(pl.col("rep_id") == rep_code)
    hours = rows.group_by("quadrant").agg(pl.col("hours").sum())
    planned = dict.fromkeys(LETTERS, 0.0) | {
        str(letter or ""): float(sum_ or 0.0) for letter, sum_ in hours.iter_rows()
    }
    return shares, planned


def _spent(
    rep: Rep | None,
    hours: Mapping[str, float],
    wished: Mapping[str, float] | None,
    planned: Mapping[str, float] | None,
    allowed: float | None,
) -> Spent:
    total = sum(hours.values())
    rows = tuple(
        QuadrantHours(
            letter,
            hours[letter],
            hours[letter] / total if total > 0 else 0.0,
            None if wished is None else wished[letter],
            None if planned is None else planned[letter],
        )
        for letter in LETTERS
    )
    share = rows[LETTERS.index("C")].share
    return Spent(rep, total, rows, allowed is not None and total >= LEAST_HOURS and share > allowed)


def named_customers(codes: list[str]) -> QuerySet[Customer]:
    """The customers of contacts, for their rows."""
    return Customer.objects.filter(among("code", codes)).only("code", "name", "quadrant")


def _month_of(day: date, *, is_current: bool) -> Month:
    first = day.replace(day=1)
    return Month(first, (first + timedelta(days=32)).replace(day=1), is_current)


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
