"""聞き直し: orders by luck to be asked about, what is only in people's heads, and a list handed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When
from django.utils.translation import gettext

from nobishiro.web.core.templatetags.nobishiro import day as day_text
from nobishiro.web.core.templatetags.nobishiro import is_japanese, number, short
from nobishiro.web.customers.facts import BY_CODE, IMPORTANT, Question, name_of, newest_of, questions_from
from nobishiro.web.customers.models import Action, Contact, Customer, Fact, Tag
from nobishiro.web.people.models import Rep
from nobishiro.web.worklist.models import LuckyOrder
from nobishiro.web.worklist.sentences import joined
from nobishiro.web.worklist.wording import channel_label

THIN: Final = len(IMPORTANT) // 2
"""Facts known of the eight up to which a customer counts as hardly known."""
WHY_FIRST: Final = ("chosen_reason", "previous_supplier")
"""What an order by luck is asked about before anything else."""
AT_ONCE: Final = 20
_Of = TypeVar("_Of", Fact, Contact, Action)
MOST_HANDED_OVER: Final = 100
"""Customers a page of the hand-over sheet."""


@dataclass(frozen=True, slots=True)
class LuckyCard:
    """One order by luck."""

    order: LuckyOrder
    why: str
    questions: tuple[Question, ...]
    """At most three, why they chose us first."""
    coverage: int
    is_planned: bool
    """Asking is on somebody's list already."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A customer on the hand-over sheet."""

    customer: Customer
    relation: str
    facts: tuple[tuple[str, Fact], ...]
    """(what it is about, in words; the fact)."""
    coverage: int
    ask: Question | None
    key_persons: tuple[Contact, ...]
    actions: tuple[Action, ...]


def open_lucky(rep: Rep | None) -> QuerySet[LuckyOrder]:
    """Orders by luck of customers we hardly know, the largest yen first; of one rep's customers or of all."""
    rows = LuckyOrder.objects.filter(
        Q(customer__coverage=None) | Q(customer__coverage__lte=THIN),
        is_found=True, settled_at=None, customer__is_listed=True,
    )  # fmt: skip
    if rep is not None:
        rows = rows.filter(customer__main_rep=rep)
    return rows.order_by("-amount", "pk")


def lucky_total(rows: QuerySet[LuckyOrder]) -> tuple[int, float]:
    """(How many, worth how much)."""
    said = rows.order_by().aggregate(n=Count("pk"), yen=Sum("amount"))
    return said["n"], said["yen"] or 0.0


def lucky_cards(orders: Sequence[LuckyOrder], on: date) -> list[LuckyCard]:
    """The cards of a page of orders, with what to ask."""
    keys = [order.customer_id for order in orders]
    asked = questions_of(keys, on)
    planned = set(
        Action.objects.filter(
            source_key__in=[f"relisten:{order.pk}" for order in orders], state=Action.State.OPEN
        ).values_list("source_key", flat=True)
    )
    cards = []
    for order in orders:
        questions = sorted(asked[order.customer_id], key=lambda one: _place(one.fact))
        cards.append(
            LuckyCard(
                order,
                why_lucky(order),
                tuple(questions[:3]),
                len(IMPORTANT) - len(questions),
                f"relisten:{order.pk}" in planned,
            )
        )
    return cards


def why_lucky(order: LuckyOrder) -> str:
    """Why we think nobody of us brought it about."""
    how = channel_label(order.channel) if order.channel else ""
    came = gettext("Ordered %(how)s on %(day)s.") if how else gettext("Ordered on %(day)s.")
    said = [came % {"how": how, "day": day_text(order.ordered_on)}]
    if order.touched_on is None:
        said.append(gettext("No contact of ours is known before it."))
    else:
        days = (order.ordered_on - order.touched_on).days
        said.append(gettext("Our last contact was %(days)s days before.") % {"days": number(days)})
    if order.usual:
        times = order.amount / order.usual
        if times >= 1.5:
            said.append(
                gettext("%(times)s times their usual order of %(yen)s.")
                % {"times": f"{times:,.1f}", "yen": short(order.usual)}
            )
    else:
        said.append(gettext("Their first order in two years."))
    return joined(*said)


def questions_of(customers: Sequence[int], on: date) -> dict[int, list[Question]]:
    """What to ask each customer next, in two queries for all of them."""
    facts: dict[int, list[Fact]] = {key: [] for key in customers}
    for fact in Fact.objects.filter(customer__in=customers, withdrawn_at=None):
        facts[fact.customer_id].append(fact)
    known = set(Contact.objects.filter(customer__in=customers, is_key_person=True).values_list("customer", flat=True))
    return {key: questions_from(said, key in known, on) for key, said in facts.items()}


def least_known(rep: Rep | None) -> list[int]:
    """A and B customers with the fewest facts, the largest room first, for five minutes."""
    rows = Customer.objects.filter(is_listed=True, quadrant__in=("A", "B")).exclude(coverage__gte=len(IMPORTANT))
    if rep is not None:
        rows = rows.filter(main_rep=rep)
    order = F("coverage").asc(nulls_first=True), F("potential").desc(nulls_last=True), "pk"
    return list(rows.order_by(*order).values_list("pk", flat=True)[:AT_ONCE])


def handed_over(rep: Rep | None, on: date, page: int) -> tuple[list[HandedOver], int]:
    """(A page of the hand-over sheet, customers in all): A first, the largest room first."""
    rows = Customer.objects.filter(is_listed=True, main_rep=rep)
    total = rows.count()
    first = (page - 1) * MOST_HANDED_OVER
    unknown = Case(When(quadrant="", then=Value(1)), default=Value(0), output_field=IntegerField())
    found = list(
        rows.order_by(unknown, "quadrant", F("potential").desc(nulls_last=True), "pk")[first : first + MOST_HANDED_OVER]
    )
    keys = [customer.pk for customer in found]
    facts = _by_customer(Fact.objects.filter(customer__in=keys, withdrawn_at=None))
    people = _by_customer(Contact.objects.filter(customer__in=keys, is_key_person=True).order_by("pk"))
    actions = _by_customer(Action.objects.filter(customer__in=keys, state=Action.State.OPEN).order_by("due", "rank"))
    tags = Tag.objects.filter(customer__in=keys, tag="relation", withdrawn_at=None).filter(Q(rep=rep) | Q(rep=None))
    relations = {tag.customer_id: tag.value for tag in tags.order_by("set_at", "pk")}
    sheet = []
    for customer in found:
        said = facts.get(customer.pk, [])
        asked = questions_from(said, customer.pk in people, on)
        known = [(_name(fact), fact) for fact in newest_of(said) if fact.fact in BY_CODE]
        sheet.append(
            HandedOver(
                customer,
                relations.get(customer.pk, ""),
                tuple(known),
                len(IMPORTANT) - len(asked),
                asked[0] if asked else None,
                tuple(people.get(customer.pk, [])),
                tuple(actions.get(customer.pk, [])[:2]),
            )
        )
    return sheet, total


def _by_customer(rows: Iterable[_Of]) -> dict[int, list[_Of]]:
    found: dict[int, list[_Of]] = {}
    for row in rows:
        found.setdefault(row.customer_id, []).append(row)
    return found


def _name(fact: Fact) -> str:
    ja, en = name_of(fact.fact)
    return ja if is_japanese() else en


def _place(fact: str) -> int:
    if fact in WHY_FIRST:
        return WHY_FIRST.index(fact)
    return len(WHY_FIRST) + list(BY_CODE).index(fact)
