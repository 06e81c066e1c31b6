"""振り返り: what came of a week's or a month's proposals, where the hours went, what was learned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Final

from django.db.models import Count, Q, QuerySet, Sum

from nobishiro.web.customers.facts import BY_CODE
from nobishiro.web.customers.hours import HoursSpent, hours_spent
from nobishiro.web.customers.models import Action, Fact, Outcome
from nobishiro.web.people.models import Rep, User
from nobishiro.web.worklist.report import bounds
from nobishiro.web.worklist.taps import RESULTS

FEW: Final = 20
"""Below so many proposals a rate is said to rest on few."""
MOST_ROWS: Final = 50
_PROPOSED: Final = ("won", "open", "considering", "declined")
_LETTERS: Final = ("A", "B", "C", "D", "")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal of the time and what came of it."""

    outcome: Outcome
    result: str
    later: str
    """What came of it after; empty when nothing did yet."""


@dataclass(frozen=True, slots=True)
class QuadrantHours:
    """Hours spent and planned in one quadrant."""

    quadrant: str
    spent: float
    planned: float


@dataclass(frozen=True, slots=True)
class LookBack:
    """A week or a month of a rep, or of the team."""

    first: date
    until: date
    counts: tuple[tuple[str, str, int], ...]
    """(code, result in words, how many)."""
    proposals: int
    won: int
    rate: tuple[float, float, float] | None
    """(low, share won, high); None without any proposal."""
    yen: float
    hours: tuple[QuadrantHours, ...]
    has_touches: bool
    most_hours: float
    unknown_minutes: int
    facts: tuple[Fact, ...]
    facts_in_all: int
    rows: tuple[Proposal, ...]

    @property
    def is_few(self) -> bool:
        """Whether the rate rests on few."""
        return 0 < self.proposals < FEW


def wilson(won: int, of: int, z: float = 1.2816) -> tuple[float, float, float] | None:
    """(low, share, high) of a rate, by default at 80 %; None of nothing.

    Wilson (1927): holds for small numbers and near 0 and 1, where the plain interval does not.
    """
    if of <= 0:
        return None
    share = won / of
    spread = 1 + z * z / of
    middle = (share + z * z / (2 * of)) / spread
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / spread
    return max(0.0, middle - half), share, min(1.0, middle + half)


def look_back(first: date, until: date, *, rep: Rep | None, user: User, everybody: bool) -> LookBack:
    """The days from `first` up to, not on, `until`; of a rep, or of everybody."""
    begin, end = bounds(first, until)
    outcomes = Outcome.objects.filter(happened_at__gte=begin, happened_at__lt=end, withdrawn_at=None)
    facts = Fact.objects.filter(learned_on__gte=first, learned_on__lt=until, withdrawn_at=None, fact__in=BY_CODE)
    planned = Action.objects.filter(due__gte=first, due__lt=until, source="plan").exclude(state=Action.State.DROPPED)
    if not everybody:
        outcomes = outcomes.filter(Q(rep=rep) if rep else Q(entered_by=user))
        facts = facts.filter(Q(rep=rep) if rep else Q(set_by=user))
        planned = planned.filter(rep=rep)
    counted = {
        row["result"]: (row["n"], row["yen"])
        for row in outcomes.order_by().values("result").annotate(n=Count("pk"), yen=Sum("amount"))
    }
    won = counted.get("won", (0, None))
    proposals = sum(counted.get(result, (0, None))[0] for result in _PROPOSED)
    spent = hours_spent(first, until)
    hours = _hours(spent, planned.values_list("customer__quadrant").annotate(h=Sum("hours")), rep, everybody)
    return LookBack(
        first, until,
        tuple((code, str(name), counted.get(code, (0, None))[0]) for code, name in RESULTS if code != "met"),
        proposals, won[0], wilson(won[0], proposals), float(won[1] or 0), hours, spent.has_touches,
        max((max(one.spent, one.planned) for one in hours), default=0.0), spent.unknown_minutes,
        tuple(facts.select_related("customer").order_by("-learned_on", "-pk")[:MOST_ROWS]), facts.count(),
        _proposals(outcomes.filter(result__in=_PROPOSED)),
    )  # fmt: skip


def _hours(spent: HoursSpent, planned: object, rep: Rep | None, everybody: bool) -> tuple[QuadrantHours, ...]:
    wished = {letter: float(hours or 0) for letter, hours in planned}  # type: ignore[attr-defined]
    done = spent.by_quadrant if everybody else spent.by_rep.get(rep.pk if rep else None, {})
    return tuple(
        QuadrantHours(letter, done.get(letter, 0.0), wished.get(letter, 0.0))
        for letter in _LETTERS
        if letter or done.get(letter) or wished.get(letter)
    )


def _proposals(outcomes: QuerySet[Outcome]) -> tuple[Proposal, ...]:
    rows = list(outcomes.select_related("customer", "rep").order_by("-happened_at")[:MOST_ROWS])
    results = {code: str(name) for code, name in RESULTS}
    later: dict[tuple[int, str], list[Outcome]] = {}
    for outcome in Outcome.objects.filter(
        customer__in=[row.customer_id for row in rows], withdrawn_at=None, result__in=_PROPOSED
    ).order_by("happened_at"):
        later.setdefault((outcome.customer_id, outcome.family), []).append(outcome)
    found = []
    for row in rows:
        after = [one for one in later.get((row.customer_id, row.family), []) if one.happened_at > row.happened_at]
        found.append(Proposal(row, results[row.result], results[after[-1].result] if after else ""))
    return tuple(found)


def span(period: str, on: date) -> tuple[date, date]:
    """First day and the day after the last of the week (from Monday) or the month that holds `on`."""
    if period == "month":
        first = on.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    first = on - timedelta(days=on.weekday())
    return first, first + timedelta(days=7)
