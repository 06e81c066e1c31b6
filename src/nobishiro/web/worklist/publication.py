"""When a run is published, its plan becomes what each rep is to do this month.

What people made is never touched. A planned approach keeps its day once it has one: a day that moved with every run would never
be late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nobishiro.pipelines.lucky_orders import lucky_orders
from nobishiro.pipelines.published import PublishedRun
from nobishiro.pipelines.todays_offers import offers_of, products_of, restraint_of
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.customers.actions import add_action, add_planned_actions, drop_action, reopen_action
from nobishiro.web.customers.models import Action, Customer, Outcome, Tag
from nobishiro.web.customers.next_step import COOL_OFF_DAYS, DETRACTOR, PROMOTER
from nobishiro.web.people.calendar import Calendar, current_calendar
from nobishiro.web.people.models import Rep
from nobishiro.web.worklist.models import LuckyOrder

LEAST_DAYS: Final = 10
"""Business days a plan is spread over at least, when the month has fewer left."""
_KINDS: Final = {"new": "cross_sell", "replenishment": "replenishment"}
_AT_ONCE: Final = 500
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the plan."""

    planned: int
    dropped: int
    lucky: int


@dataclass(slots=True)
class _Planned:
    """One row of the plan on its way to an action."""

    rep: Rep | None
    rep_code: str
    customer: Customer
    order: int
    channel: str
    hours: float | None
    kind: str = "propose"
    family: str = ""
    product: str = ""
    offer_kind: str = ""
    why: tuple[str, str] = ("", "")
    yen: tuple[float | None, float | None, float | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class _Reasons:
    """What speaks against an offer, for all planned customers at once."""

    complaining: frozenset[str]
    refused: frozenset[tuple[str, str]]
    thin: frozenset[tuple[int, int | None]]
    """(customer pk, rep pk or None) whose relation is △."""
    offers: dict[str, list[dict[str, object]]] = field(default_factory=dict)


def take_over(run: PublishedRun, *, at: datetime) -> Published:
    """What a publication means for this room: the plan's actions, and the orders by luck."""
    planned, dropped = actions_from_plan(run, at=at)
    return Published(planned, dropped, lucky_orders_from(run))


def actions_from_plan(run: PublishedRun, *, at: datetime) -> tuple[int, int]:
    """(open or made actions of the plan, dropped ones). Running it twice changes nothing.

    Each rep's part is a transaction of its own, so that nobody's tap waits for the whole company's plan.
    """
    day = timezone.localdate(at)
    plan = run.rows("plan")
    reps = {rep.code: rep for rep in Rep.objects.all()}
    customers = _customers(plan["customer_id"].unique().to_list())
    rows = [
        _Planned(
            rep=reps.get(row["rep_id"]), rep_code=row["rep_id"], customer=customers[row["customer_id"]],
            order=row["order"], channel=row["channel"], hours=row["hours"], family=row["family"] or "",
            product=row["product_id"] or "", why=(row["why_ja"] or "", row["why_en"] or ""),
            yen=(row["expected"], row["low"], row["high"]),
        )
        for row in plan.iter_rows(named=True)
        if row["customer_id"] in customers
    ]  # fmt: skip
    reasons = _reasons(run, rows, day)
    by_rep: dict[str, list[_Planned]] = {}
    for planned in rows:
        _judge(planned, reasons)
        by_rep.setdefault(planned.rep_code, []).append(planned)
    calendar = current_calendar()
    kept = sum(_bring_in(ordered(part), day, calendar) for part in by_rep.values())
    keys = {_key(planned, day) for planned in rows}
    dropped = 0
    for action in Action.objects.filter(source="plan", state=Action.State.OPEN).select_related("customer").iterator():
        if action.source_key not in keys:
            drop_action(by=None, action=action, why="no longer planned")
            dropped += 1
    return kept, dropped


def lucky_orders_from(run: PublishedRun) -> int:
    """Keep the run's orders by luck; those of before that it no longer finds are put away, what people said stays."""
    found = lucky_orders(run)
    names = products_of(run, found["product_id"].drop_nulls().unique().to_list())
    called = dict(names.select("product_id", "product_name").iter_rows())
    customers = _customers(found["customer_id"].unique().to_list())
    rows = [
        LuckyOrder(
            code=row["order_id"], customer=customers[row["customer_id"]], run_id=run.run_id,
            ordered_on=row["ordered_on"], amount=row["amount"], usual=row["usual"], channel=row["channel"] or "",
            touched_on=row["touched_on"], reason=row["reason"], product_code=row["product_id"] or "",
            product_name=called.get(row["product_id"]) or "", quantity=row["quantity"], is_found=True,
        )
        for row in found.iter_rows(named=True)
        if row["customer_id"] in customers
    ]  # fmt: skip
    changed = [name.name for name in LuckyOrder._meta.concrete_fields if name.name not in _STAYS]
    with transaction.atomic():
        LuckyOrder.objects.exclude(run_id=run.run_id).update(is_found=False)
        LuckyOrder.objects.bulk_create(
            rows, batch_size=_AT_ONCE, update_conflicts=True, unique_fields=["code"], update_fields=changed
        )
    return len(rows)


_STAYS: Final = frozenset({"id", "code", "settled_at", "settled_how", "settled_by"})


def ordered(rows: Sequence[_Planned]) -> list[_Planned]:
    """A rep's approaches in the order of the month: A with B beside it, then C, then D; promoters first within A and B.

    B is laid evenly between A, so that every day of the month opens something new beside what is grown.
    """
    of = {letter: [] for letter in ("A", "B", "C", "D", "")}  # type: dict[str, list[_Planned]]
    for planned in sorted(rows, key=lambda one: one.order):
        of[planned.customer.quadrant].append(planned)
    for letter in ("A", "B"):
        of[letter].sort(key=lambda one: not _is_promoter(one.customer))  # stable: the plan's order within
    beside = [((at + 0.0) / len(of["A"]), 0, one) for at, one in enumerate(of["A"])]
    beside += [((at + 0.5) / len(of["B"]), 1, one) for at, one in enumerate(of["B"])]
    return [one for *_place, one in sorted(beside, key=lambda entry: entry[:2])] + of["C"] + of["D"] + of[""]


def days_of_month(day: date, calendar: Calendar) -> list[date]:
    """Business days from `day` to the month's end; a month nearly over goes on until there are ten."""
    end = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    found = [calendar.add_business_days(day, 0)]
    while (following := calendar.next_business_day(found[-1])) <= end or len(found) < LEAST_DAYS:
        found.append(following)
    return found


def _key(planned: _Planned, day: date) -> str:
    return f"plan:{planned.rep_code}:{planned.customer.code}:{day:%Y-%m}"[:200]


@transaction.atomic
def _bring_in(rows: Sequence[_Planned], day: date, calendar: Calendar) -> int:
    known = {}
    keys = [_key(planned, day) for planned in rows]
    for part in range(0, len(keys), _AT_ONCE):
        for action in Action.objects.filter(source_key__in=keys[part : part + _AT_ONCE]).select_related("outcome"):
            known[action.source_key] = action
    days, new = days_of_month(day, calendar), []
    for at, (planned, key) in enumerate(zip(rows, keys, strict=True)):
        before = known.get(key)
        if before is not None and before.state == Action.State.DROPPED:
            if _dropped_by_person(before, planned.customer):
                continue
            reopen_action(by=None, action=before)
        due = before.due if before is not None and before.due else days[at * len(days) // len(rows)]
        expected, low, high = planned.yen
        values: dict[str, object] = {
            "kind": planned.kind, "due": due, "family": planned.family, "product_code": planned.product,
            "offer_kind": planned.offer_kind, "why_ja": planned.why[0], "why_en": planned.why[1], "rank": at + 1,
            "hours": planned.hours, "expected": expected, "expected_low": low, "expected_high": high,
            "channel": planned.channel,
        }  # fmt: skip
        if before is None:
            new.append(Action(source="plan", source_key=key, customer=planned.customer, rep=planned.rep, **values))
            continue
        if all(getattr(before, name) == value for name, value in values.items()):
            continue  # most of a nightly run
        add_action(
            by=None, customer=planned.customer, source="plan", source_key=key, kind=planned.kind, rep=planned.rep,
            due=due, family=planned.family, product_code=planned.product, offer_kind=planned.offer_kind,
            why_ja=planned.why[0], why_en=planned.why[1], rank=at + 1, hours=planned.hours, expected=expected,
            expected_low=low, expected_high=high, channel=planned.channel,
        )  # fmt: skip
    add_planned_actions(new)
    return len(rows)


def _dropped_by_person(action: Action, customer: Customer) -> bool:
    said = AuditEntry.objects.filter(verb="action.drop", subject=f"customer:{customer.code}").values_list(
        "detail", flat=True
    )
    return any(detail.get("action") == action.pk for detail in said)


def _judge(planned: _Planned, reasons: _Reasons) -> None:
    """Whether anything is offered at all, and what."""
    customer = planned.customer
    nps = customer.nps
    if customer.code in reasons.complaining:
        _no_offer(planned, "serve", "解決していない苦情があります。ご提案はせず、まずお困りごとの解決を。",
                  "A complaint is still open. Offer nothing; see to it that it is settled.")  # fmt: skip
    elif nps is not None and nps <= DETRACTOR:
        _no_offer(planned, "serve", f"NPS {nps:.0f}。ご提案はせず、まずご不満をうかがいます。",
                  f"NPS {nps:.0f}. Offer nothing; listen to what is wrong first.")  # fmt: skip
    elif {(customer.pk, planned.rep.pk if planned.rep else None), (customer.pk, None)} & reasons.thin:
        _no_offer(planned, "relate", "関係はまだ△です。ご提案の前に、お会いして関係をつくります。",
                  "The relation is still thin (△). Meet them and build it before offering anything.")  # fmt: skip
    else:
        _choose_offer(planned, reasons)


def _no_offer(planned: _Planned, kind: str, ja: str, en: str) -> None:
    planned.kind, planned.why = kind, (ja, en)
    planned.family = planned.product = planned.offer_kind = ""
    planned.yen = (None, None, None)


def _choose_offer(planned: _Planned, reasons: _Reasons) -> None:
    """The plan's own offer, else the first that was not declined lately; where none is left there is something to ask."""
    code = planned.customer.code
    offers = reasons.offers.get(code, [])
    own = next((offer for offer in offers if offer["product_id"] == planned.product), None)
    if planned.family or planned.product:
        family = planned.family or str((own or {}).get("family") or "")
        if not _is_refused(code, family, reasons):
            planned.offer_kind = _KINDS.get(str((own or {}).get("kind")), "cross_sell")
            return
    other = next((offer for offer in offers if not _is_refused(code, str(offer["family"] or ""), reasons)), None)
    if other is not None:
        planned.family, planned.product = str(other["family"] or ""), str(other["product_id"])
        planned.offer_kind = _KINDS.get(str(other["kind"]), "cross_sell")
        planned.why = str(other["why_ja"] or ""), str(other["why_en"] or "")
    elif planned.family or planned.product:
        _no_offer(planned, "ask", "最近お断りされた商材のほかに、お勧めできる根拠がまだありません。まずお話をうかがいます。",
                  "Beyond what they declined lately there are no grounds to offer anything yet. Listen first.")  # fmt: skip


def _is_refused(code: str, family: str, reasons: _Reasons) -> bool:
    return (code, family) in reasons.refused or (code, "") in reasons.refused


def _reasons(run: PublishedRun, rows: Sequence[_Planned], day: date) -> _Reasons:
    since = day - timedelta(days=COOL_OFF_DAYS)
    said = restraint_of(run, since)
    codes = [planned.customer.code for planned in rows]
    keys = [planned.customer.pk for planned in rows]
    refused = set(said.refused)
    for part in _parts(keys):
        refused.update(
            Outcome.objects.filter(
                customer__in=part, result="declined", withdrawn_at=None, happened_at__date__gte=since
            ).values_list("customer__code", "family")
        )
    offers: dict[str, list[dict[str, object]]] = {}
    for offer in offers_of(run, codes).iter_rows(named=True):
        offers.setdefault(offer["customer_id"], []).append(offer)
    return _Reasons(said.complaining, frozenset(refused), _thin_relations(keys), offers)


def _thin_relations(keys: Sequence[int]) -> frozenset[tuple[int, int | None]]:
    latest: dict[tuple[int, int | None], str] = {}
    for part in _parts(keys):
        tags = Tag.objects.filter(customer__in=part, tag="relation", withdrawn_at=None).order_by("set_at", "pk")
        latest.update({(tag.customer_id, tag.rep_id): tag.value for tag in tags})
    return frozenset(key for key, value in latest.items() if value == "△")


def _customers(codes: Sequence[str]) -> dict[str, Customer]:
    found: dict[str, Customer] = {}
    for part in _parts(codes):
        rows = Customer.objects.filter(Q(merged_into=None), code__in=part, is_listed=True)
        found.update({customer.code: customer for customer in rows.select_related("main_rep")})
    return found


def _parts(values: Sequence[_V]) -> Iterable[Sequence[_V]]:
    return (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))


def _is_promoter(customer: Customer) -> bool:
    return customer.nps is not None and customer.nps >= PROMOTER
