"""The declared processes: what each asks for, until when, and what shows that it was done (M3).

| process | one case is | due | done when |
|---|---|---|---|
| visits | an approach of the plan | its day | an outcome was entered |
| hearing | a visit of ours | the visit's day | a question of the checklist was answered that day |
| accept | a referral sent | the company's SLA in business days | the division accepted or gave it back |
| approach | a referral accepted | the company's SLA in business days | a touch of who follows it, checked or not |
| ask_again | an order by luck, a question to ask | its day | an outcome or a fact was entered |
| service | a detractor or complaint on the list | its day | an outcome was entered |

A case is `done`, `late` (its day is past) or `open`. What was dropped is no case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

import polars as pl
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nobishiro.pipelines.touch_hours import touches_between
from nobishiro.web.core.company import published
from nobishiro.web.customers.hours import customer_places, reps_by_code
from nobishiro.web.customers.models import Action, Touch
from nobishiro.web.plays.weeks import Week
from nobishiro.web.referrals.models import Hearing, Referral

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

DONE, LATE, OPEN = "done", "late", "open"
STATES: Final = (DONE, LATE, OPEN)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing a process asks for."""

    customer_id: int
    rep_id: int | None
    due: date | None
    state: str
    ended: datetime | None
    evidence: str
    """What shows it, in words; empty when nothing does yet."""
    leads_to: tuple[str, int]
    """Name and key of the address where it is done."""

    @property
    def url(self) -> str:
        """That address; made for the cases of a page, not for all that are counted."""
        return reverse(self.leads_to[0], args=[self.leads_to[1]])


@dataclass(frozen=True, slots=True)
class Process:
    """One declared process."""

    name: str
    label: _StrPromise
    asks: _StrPromise
    """What is to be done, and by when."""
    shown_by: _StrPromise
    """What counts as evidence."""
    cases: Callable[[Material], list[Case]]


class Material:
    """What the processes of one week look at, each kind asked for once."""

    def __init__(self, week: Week, today: date) -> None:
        self.week: Final = week
        self.today: Final = today

    @cached_property
    def actions(self) -> list[Action]:
        """Actions due in the week or done in it; dropped ones are left out."""
        begin, end = self.week.moments
        due = Q(due__range=(self.week.monday, self.week.sunday))
        found = Action.objects.filter(due | Q(state="done", ended_at__gte=begin, ended_at__lt=end))
        return list(found.exclude(state="dropped").select_related("outcome"))

    @cached_property
    def referrals(self) -> list[Referral]:
        """Referrals to be accepted or approached in the week, and all that wait for it; `has_touch` says whether who
        follows one was there.
        """
        days = (self.week.monday, self.week.sunday)
        touches = Touch.objects.filter(
            customer_id=OuterRef("customer_id"), rep_id=OuterRef("to_rep_id"),
            happened_at__gte=OuterRef("accepted_at"), withdrawn_at__isnull=True,
        ).exclude(direction="inbound")  # fmt: skip
        waiting = Q(state__in=[Referral.State.SENT, Referral.State.ACCEPTED])
        found = Referral.objects.filter(Q(accept_due__range=days) | Q(approach_due__range=days) | waiting)
        return list(found.annotate(has_touch=Exists(touches)))


def _state(is_done: bool, due: date | None, today: date) -> str:
    if is_done:
        return DONE
    return LATE if due is not None and due < today else OPEN


def _action_cases(actions: Iterable[Action], today: date) -> list[Case]:
    words = result_words()
    return [
        Case(
            action.customer_id, action.rep_id, action.due, _state(action.state == "done", action.due, today),
            action.ended_at, words.get(action.outcome.result, "") if action.outcome else "",
            ("customers:karte", action.customer_id),
        )
        for action in actions
    ]  # fmt: skip


def result_words() -> dict[str, str]:
    """What came of a proposal, in the page's language."""
    return {
        "open": gettext("proposed"),
        "considering": gettext("considering"),
        "won": gettext("won"),
        "declined": gettext("declined"),
        "dismissed": gettext("not this time"),
        "referred": gettext("referred"),
    }


def _visits(material: Material) -> list[Case]:
    planned = (action for action in material.actions if action.source == "plan" and action.kind != "serve")
    return _action_cases(planned, material.today)


def _service(material: Material) -> list[Case]:
    return _action_cases((action for action in material.actions if action.kind == "serve"), material.today)


def _ask_again(material: Material) -> list[Case]:
    asked = (action for action in material.actions if action.source == "relisten" or action.kind == "ask")
    return _action_cases((action for action in asked if action.source != "plan"), material.today)


def _hearing(material: Material) -> list[Case]:
    """Our visits of the week: entered here, and those an import brought up to the run's day."""
    begin, end = material.week.moments
    heard = Hearing.objects.filter(customer_id=OuterRef("customer_id"), heard_on=OuterRef("happened_at__date"))
    visits = (
        Touch.objects.filter(kind="visit", happened_at__gte=begin, happened_at__lt=end, withdrawn_at__isnull=True)
        .exclude(direction="inbound")
        .annotate(is_heard=Exists(heard))
        .values_list("customer_id", "rep_id", "happened_at", "is_heard")
    )
    cases = [
        _hearing_case(customer, rep, timezone.localdate(at), is_heard, at, material.today)
        for customer, rep, at, is_heard in visits
    ]
    return cases + _imported_visits(material.week, material.today)


def _hearing_case(customer: int, rep: int | None, day: date, is_heard: bool, at: datetime | None, today: date) -> Case:
    return Case(
        customer, rep, day, _state(is_heard, day, today), at if is_heard else None,
        gettext("checklist answered") if is_heard else "", ("referrals:hear", customer),
    )  # fmt: skip


def _imported_visits(week: Week, today: date) -> list[Case]:
    run = published()
    if run is None or run.as_of <= week.monday:
        return []
    frame = touches_between(run, week.monday, week.after.monday)
    frame = frame.filter(frame["kind"] == "visit")
    if frame.is_empty():
        return []
    reps = reps_by_code()
    heard = set(
        Hearing.objects.filter(heard_on__range=(week.monday, week.sunday)).values_list("customer_id", "heard_on")
    )
    visits = frame.join(customer_places(), on="customer_id", how="inner", maintain_order="left")
    return [
        _hearing_case(pk, reps.get(rep), day, (pk, day) in heard, None, today)
        for pk, rep, day in visits.select("pk", "rep_id", pl.col("happened_at").dt.date()).iter_rows()
    ]


def _in_week(material: Material, day: date | None) -> bool:
    return day is not None and material.week.monday <= day <= material.week.sunday


def _accept(material: Material) -> list[Case]:
    return [
        Case(
            one.customer_id, one.to_rep_id, one.accept_due,
            _kept(one.accepted_at or (one.closed_at if one.state == "returned" else None), one.accept_due, material.today),
            one.accepted_at or one.closed_at,
            gettext("accepted") if one.accepted_at else (gettext("given back") if one.state == "returned" else ""),
            ("referrals:detail", one.pk),
        )
        for one in material.referrals
        if _in_week(material, one.accept_due)
    ]  # fmt: skip


def _kept(ended: datetime | None, due: date, today: date) -> str:
    """Done in time, or late: a step taken after its day was late and stays so."""
    if ended is None:
        return _state(False, due, today)
    return DONE if timezone.localdate(ended) <= due else LATE


def _approach(material: Material) -> list[Case]:
    cases = []
    for one in material.referrals:
        if one.approach_due is None or one.accepted_at is None or not _in_week(material, one.approach_due):
            continue
        if one.approached_at is not None:
            state, words = _kept(one.approached_at, one.approach_due, material.today), gettext("touch, checked")
        else:
            has_touch = bool(getattr(one, "has_touch", False))
            state = _state(has_touch, one.approach_due, material.today)
            words = gettext("touch, not checked yet") if has_touch else ""
        address = ("referrals:detail", one.pk)
        cases.append(Case(one.customer_id, one.to_rep_id, one.approach_due, state, one.approached_at, words, address))
    return cases


PROCESSES: Final = (
    Process(
        "visits", _("Planned approaches"), _("Approach those of the plan by their day."), _("an outcome was entered"), _visits
    ),
    Process(
        "hearing", _("Hearing on every visit"), _("Ask the checklist on the day of the visit."),
        _("a question was answered that day"), _hearing,
    ),
    Process(
        "accept", _("Referrals accepted"), _("Accept or give back within the days agreed."), _("accepted or given back in time"), _accept
    ),
    Process(
        "approach", _("Referrals approached"), _("Approach the customer within the days agreed."),
        _("a touch of who follows it"), _approach,
    ),
    Process(
        "ask_again", _("Asked again"), _("Ask after orders that came by luck."), _("an outcome or a fact was entered"), _ask_again
    ),
    Process(
        "service", _("Service first"), _("Look after detractors and complaints before any offer."), _("an outcome was entered"), _service
    ),
)  # fmt: skip


def process_named(name: str) -> Process | None:
    """The process of that name."""
    return next((process for process in PROCESSES if process.name == name), None)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cases stand where."""

    done: int = 0
    late: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.done + self.late + self.open

    @property
    def rate(self) -> float | None:
        """Share done of those whose day has come; None without any."""
        judged = self.done + self.late
        return self.done / judged if judged else None


def tally(cases: Iterable[Case]) -> Tally:
    """Count cases by state."""
    counts = dict.fromkeys(STATES, 0)
    for case in cases:
        counts[case.state] += 1
    return Tally(**counts)
