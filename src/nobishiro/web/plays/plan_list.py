"""The plan's approaches as a list."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nobishiro.web.core.lists import ChoiceFilter, Column, ListSpec, SearchFilter
from nobishiro.web.customers.models import Action
from nobishiro.web.people.models import Rep, User

CHANNELS = {"visit": _("visit"), "call": _("call"), "mail": _("mail")}
STATES = {"open": _("to do"), "done": pgettext_lazy("action", "done")}


def _approaches(user: User) -> QuerySet[Action]:
    return Action.objects.filter(source="plan").exclude(state="dropped").select_related("customer", "rep__division")


def _word(words: Mapping[str, object], value: str) -> str:
    return str(words.get(value, value))


PLAN: ListSpec[Action] = ListSpec(
    name="plan",
    title=_("Plan"),
    base=_approaches,
    row_url=lambda row: reverse("customers:karte", args=[row.customer_id]),
    columns=(
        Column("customer", _("Customer"), field="customer__name", sort="customer__kana", value=lambda row: row.customer.name),
        Column("code", _("Code"), field="customer__code", sort="customer__code", kind="code", is_default=False, value=lambda row: row.customer.code),
        Column("quadrant", _("Quadrant"), field="customer__quadrant", sort="customer__quadrant", kind="quadrant", value=lambda row: row.customer.quadrant),
        Column("rep", _("Rep"), field="rep__name", sort="rep__code", value=lambda row: row.rep.name if row.rep else ""),
        Column("rank", pgettext_lazy("sequence", "Order"), field="rank", sort="rank", kind="number"),
        Column("channel", _("How"), field="channel", sort="channel", value=lambda row: _word(CHANNELS, row.channel), export=lambda value: _word(CHANNELS, value)),
        Column("hours", _("Hours"), field="hours", sort="hours", kind="number", is_default=False),
        Column("due", _("Until"), field="due", sort="due", kind="day"),
        Column("expected", _("Expected"), sort="expected", kind="interval", unit=_("yen"), fields=("expected_low", "expected", "expected_high"), value=lambda row: (row.expected_low, row.expected, row.expected_high)),
        Column("state", _("State"), field="state", sort="state", value=lambda row: _word(STATES, row.state), export=lambda value: _word(STATES, value)),
    ),
    filters=(
        SearchFilter("q", _("Customer"), field="customer__search"),
        ChoiceFilter("rep", _("Rep"), choices=lambda user: [(str(rep.pk), rep.name) for rep in Rep.objects.all()[:100]], field="rep_id"),
        ChoiceFilter("quadrant", _("Quadrant"), choices=[(letter, letter) for letter in "ABCD"], field="customer__quadrant"),
        ChoiceFilter("state", _("State"), choices=list(STATES.items()), field="state"),
    ),
    default_sort="rank",
)  # fmt: skip
