"""Today's proposals as they are read: at most ten cards a day, each with one offer in front and two behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from django.db.models import Case, IntegerField, Min, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from nobishiro.pipelines.published import PublishedRun
from nobishiro.pipelines.todays_offers import margin_rates, offers_of, products_of
from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Permission
from nobishiro.web.customers.facts import IMPORTANT, Question, questions_from
from nobishiro.web.customers.models import Action, Contact, Customer, Fact, Outcome
from nobishiro.web.customers.next_step import COOL_OFF_DAYS
from nobishiro.web.people.calendar import is_business_day
from nobishiro.web.people.models import Rep, User
from nobishiro.web.worklist.models import Met
from nobishiro.web.worklist.taps import RESULTS
from nobishiro.web.worklist.wording import kind_label, offer_note, range_text

MOST_CARDS: Final = 10
"""A rep's cards a day, those already ended today among them."""
UNSEEN_DAYS: Final = 30
_INNER_QUOTES: Final = str.maketrans("「」", "『』")
"""What is to be said stands in 「」 itself."""
_KINDS: Final = {"new": "cross_sell", "replenishment": "replenishment"}
_MINUTES: Final = {"visit": 60, "call": 15, "mail": 10}
"""What a contact takes where the plan says nothing."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to propose."""

    family: str
    product: str
    name: str
    family_name: str
    kind: str
    """cross_sell, upsell, downsell, bundle, replenishment."""
    state: str
    """The family's at this customer: buying, proposed, not_proposed, competitor, not_applicable; empty when unknown."""
    result: str
    """What came of it, where it was proposed."""
    why_ja: str
    why_en: str
    say_ja: str
    say_en: str
    low: float | None
    middle: float | None
    high: float | None
    is_margin: bool
    """The yen are gross profit; otherwise sales."""
    is_yearly: bool
    """The yen are a year's if they take it; otherwise what the plan expects of this one contact."""

    @property
    def note(self) -> str:
        """（関連提案・未提案）."""
        return offer_note(self.kind, self.state, self.result)

    @property
    def range(self) -> str:
        """¥38万〜¥92万."""
        return range_text(self.low, self.high)

    @property
    def is_known(self) -> bool:
        """Whether there is an interval to show."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True)
class Done:
    """What a tap of today said."""

    code: str
    result: str


@dataclass(frozen=True)
class Card:
    """One customer to see."""

    action: Action
    on: date
    front: Offer | None
    others: tuple[Offer, ...]
    questions: tuple[Question, ...]
    coverage: int
    outcome: Done | None
    """What came of it today; None while it is open."""
    spare_code: str
    """Id of a tap by a browser without JavaScript."""

    @property
    def customer(self) -> Customer:
        """Whom to see."""
        return self.action.customer

    @property
    def days_unseen(self) -> int | None:
        """Days since we were last in touch; None when no contact is known."""
        last = self.customer.last_touch_day
        return None if last is None else max(0, (self.on - last).days)

    @property
    def is_late(self) -> bool:
        """Whether its day has passed."""
        return self.action.due is not None and self.action.due < self.on

    @property
    def minutes(self) -> int:
        """What this contact takes as planned."""
        if self.action.hours:
            return max(5, round(self.action.hours * 60 / 5) * 5)
        return _MINUTES.get(self.action.channel, 30)

    @property
    def is_no_offer(self) -> bool:
        """Whether there is nothing to propose: to serve, to build the relation, to ask."""
        return self.action.kind in (Action.Kind.RELATE, Action.Kind.SERVE, Action.Kind.ASK)

    @property
    def kind_label(self) -> str:
        """What is to be done, in words."""
        return kind_label(self.action.kind)

    @property
    def result_label(self) -> str:
        """What came of it, in words."""
        return str(dict(RESULTS).get(self.outcome.result, "")) if self.outcome else ""

    @property
    def refer_url(self) -> str:
        """The form of a referral, filled in as far as the card knows."""
        asked = {"customer": self.action.customer_id}
        family = self.front.family if self.front else self.action.family
        return f"{reverse('referrals:new')}?{urlencode(asked | ({'family': family} if family else {}))}"

    @cached_property
    def most(self) -> float | None:
        """The right end of the drawn intervals."""
        return max((offer.high for offer in (self.front, *self.others) if offer and offer.high), default=None)


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """What the sentence at the top says."""

    customers: int
    """To be seen until the end of this week, those that are late among them."""
    b: int
    b_unseen: int
    late: int
    is_next: bool
    """It is next week's, as this week has no business day left."""
    first_due: date | None
    """The earliest day among everything open, this week or later."""


@dataclass(frozen=True, slots=True)
class DayList:
    """A rep's day."""

    rep: Rep | None
    on: date
    cards: tuple[Card, ...]
    """Open ones first, then those ended today."""
    week: WeekFigures
    waiting: int
    """Open ones beyond today's cards."""

    @property
    def is_done(self) -> bool:
        """Whether no card is open any more."""
        return all(card.outcome is not None for card in self.cards)


def day_list(rep: Rep | None, *, viewer: User, at: datetime) -> DayList:
    """Today's cards of a rep (None: of customers nobody looks after), as `viewer` may see them."""
    on = timezone.localdate(at)
    done = _done_today(rep, on)
    opened = open_actions(rep)
    wanted = list(opened[: max(0, MOST_CARDS - len(done))])
    waiting = max(0, opened.count() - len(wanted)) if len(wanted) + len(done) >= MOST_CARDS else 0
    ended = list(Action.objects.filter(pk__in=done).select_related("customer", "rep").order_by("ended_at"))
    return DayList(rep, on, cards_of(wanted + ended, viewer=viewer, on=on, done=done), week_figures(rep, on), waiting)


def _done_today(rep: Rep | None, on: date) -> dict[int, Done]:
    """What ended actions of this rep today, by action."""
    outcomes = Outcome.objects.filter(actions__rep=rep, withdrawn_at=None, entered_at__gte=_start(on))
    done = {
        action: Done(code, result)
        for action, code, result in outcomes.order_by("entered_at").values_list("actions", "code", "result")
    }
    met = Met.objects.filter(action__rep=rep, withdrawn_at=None, happened_at__gte=_start(on))
    done.update({action: Done(code, "met") for action, code in met.values_list("action", "code")})
    return dict(list(done.items())[-MOST_CARDS:])


def open_actions(rep: Rep | None) -> QuerySet[Action]:
    """What is to be done by a rep, by day and then in the plan's order; what has no day comes last."""
    undated = Case(When(due=None, then=Value(1)), default=Value(0), output_field=IntegerField())
    return (
        Action.objects.filter(rep=rep, state=Action.State.OPEN, customer__is_listed=True)
        .select_related("customer", "rep")
        .order_by(undated, "due", "rank", "pk")
    )


def cards_of(
    actions: Sequence[Action], *, viewer: User, on: date, done: Mapping[int, Done] = MappingProxyType({})
) -> tuple[Card, ...]:
    """The cards of some actions: offers, questions and what was proposed since the run, in a fixed number of queries."""
    customers = [action.customer for action in actions]
    if not customers:
        return ()
    facts: dict[int, list[Fact]] = {}
    for fact in Fact.objects.filter(customer__in=customers, withdrawn_at=None):
        facts.setdefault(fact.customer_id, []).append(fact)
    known = set(Contact.objects.filter(customer__in=customers, is_key_person=True).values_list("customer", flat=True))
    offers = _Offers(published(), actions, viewer, on)
    cards = []
    for action in actions:
        asked = questions_from(facts.get(action.customer_id, []), action.customer_id in known, on)
        front, others = offers.of(action)
        known_facts = len(IMPORTANT) - len(asked)
        cards.append(Card(action, on, front, others, tuple(asked[:2]), known_facts, done.get(action.pk), str(uuid4())))
    return tuple(cards)


def week_figures(rep: Rep | None, on: date) -> WeekFigures:
    """How many customers are to be seen until Sunday, and how many of B nobody has seen for a month."""
    sunday = on + timedelta(days=6 - on.weekday())
    is_next = not any(is_business_day(on + timedelta(days=ahead)) for ahead in range((sunday - on).days + 1))
    if is_next:
        sunday += timedelta(days=7)
    opened = Action.objects.filter(rep=rep, state=Action.State.OPEN, customer__is_listed=True)
    rows = opened.filter(Q(due__lte=sunday) | Q(due=None)).values_list(
        "customer", "customer__quadrant", "customer__last_touch_day", "due"
    )
    seen: dict[int, tuple[str, date | None]] = {}
    late: set[int] = set()
    for customer, quadrant, last, due in rows:
        seen[customer] = (quadrant, last)
        if due is not None and due < on:
            late.add(customer)
    of_b = [last for quadrant, last in seen.values() if quadrant == "B"]
    border = on - timedelta(days=UNSEEN_DAYS)
    unseen = sum(last is not None and last <= border for last in of_b)
    first = None if seen else opened.aggregate(first=Min("due"))["first"]
    return WeekFigures(len(seen), len(of_b), unseen, len(late), is_next, first)


class _Offers:
    """Offers of a few customers, with what people did since the run laid over them."""

    def __init__(self, run: PublishedRun | None, actions: Sequence[Action], viewer: User, on: date) -> None:
        self.rates: dict[str, float] = {}
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.gaps: dict[tuple[str, str], dict[str, object]] = {}
        self.names: dict[str, tuple[str, str, str]] = {}
        self.families: dict[str, str] = {}
        codes = [action.customer.code for action in actions]
        if run is not None:
            for row in offers_of(run, codes).iter_rows(named=True):
                self.rows.setdefault(row["customer_id"], []).append(row)
            families = {action.family for action in actions if action.family}
            gaps = run.rows("gaps", codes)
            for row in gaps.iter_rows(named=True):
                if row["family"] in families:
                    self.gaps[row["customer_id"], row["family"]] = row
            named = products_of(run, sorted({action.product_code for action in actions if action.product_code}))
            self.names = {row[0]: (row[1], row[2], row[3]) for row in named.iter_rows()}
            self.families = dict(run.rows("families", columns=["family", "name"]).iter_rows())
            if viewer.may(Permission.SEE_COST):
                self.rates = margin_rates(run)
        since = datetime.combine(on - timedelta(days=COOL_OFF_DAYS), time(), timezone.get_current_timezone())
        self.since_run = run.as_of if run is not None else None
        self.said: dict[tuple[int, str], str] = {}
        for outcome in Outcome.objects.filter(
            customer__in=[action.customer_id for action in actions], withdrawn_at=None, happened_at__gte=since
        ).order_by("happened_at"):
            if outcome.family and outcome.result != "dismissed":
                self.said[outcome.customer_id, outcome.family] = outcome.result

    def of(self, action: Action) -> tuple[Offer | None, tuple[Offer, ...]]:
        """The one in front, and at most two behind it of other families, other kinds first."""
        if action.kind in (Action.Kind.RELATE, Action.Kind.SERVE):
            return None, ()
        rows = self.rows.get(action.customer.code, [])
        front = self._front(action, rows)
        taken = {front.family, front.product} if front else set()
        free = [
            self._offer(action, row)
            for row in rows
            if row["family"] not in taken
            and row["product_id"] not in taken
            and row["proposal_result"] != "declined"
            and self.said.get((action.customer_id, str(row["family"] or ""))) not in ("declined", "won")
        ]
        chosen: list[Offer] = []
        kinds = {front.kind} if front else set()
        for wants_new_kind in (True, False):
            for offer in free:
                fresh = offer.kind not in kinds or not wants_new_kind
                if len(chosen) < 2 and fresh and offer.family not in {one.family for one in chosen}:
                    chosen.append(offer)
                    kinds.add(offer.kind)
        return front, tuple(chosen)

    def _front(self, action: Action, rows: Sequence[dict[str, object]]) -> Offer | None:
        if not action.family and not action.product_code:
            return None
        row = next((row for row in rows if row["product_id"] == action.product_code), None)
        if row is not None:
            return self._offer(action, row, is_front=True)
        gap = self.gaps.get((action.customer.code, action.family), {})
        name, family, family_name = self.names.get(action.product_code, ("", "", ""))
        family = action.family or family
        return self._offer(
            action,
            {
                **gap,
                "family": family,
                "family_name": family_name or self.families.get(family, family),
                "product_id": action.product_code,
                "product_name": name or action.product_code,
            },
            is_front=True,
        )

    def _offer(self, action: Action, row: dict[str, object], *, is_front: bool = False) -> Offer:
        family = str(row.get("family") or (action.family if is_front else ""))
        state, result = str(row.get("state") or ""), str(row.get("proposal_result") or "")
        since = self.said.get((action.customer_id, family))
        if since is not None and state != "buying":
            state, result = ("buying", "won") if since == "won" else ("proposed", since)
        low, middle, high = (_yen(row.get(name)) for name in ("low", "expected", "high"))
        is_yearly = low is not None
        if not is_yearly and is_front:
            low, middle, high = action.expected_low, action.expected, action.expected_high
        rate = self.rates.get(family)
        if rate is not None:
            low, middle, high = (None if value is None else value * rate for value in (low, middle, high))
        why = (action.why_ja, action.why_en) if is_front and action.why_ja else ("", "")
        return Offer(
            family=family,
            product=str(row.get("product_id") or ""),
            name=str(row.get("product_name") or ""),
            family_name=str(row.get("family_name") or family),
            kind=(action.offer_kind if is_front else "") or _KINDS.get(str(row.get("kind")), "cross_sell"),
            state=state,
            result=result,
            why_ja=why[0] or str(row.get("why_ja") or ""),
            why_en=why[1] or str(row.get("why_en") or ""),
            say_ja=str(row.get("say_ja") or "").translate(_INNER_QUOTES),
            say_en=str(row.get("say_en") or ""),
            low=low,
            middle=middle,
            high=high,
            is_margin=rate is not None,
            is_yearly=is_yearly,
        )


def _yen(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _start(on: date) -> datetime:
    return datetime.combine(on, time(), timezone.get_current_timezone())
