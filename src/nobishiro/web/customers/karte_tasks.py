"""やること made on the karte: a family to propose, or what comes before any offer."""

from __future__ import annotations

from typing import Final

from django.utils import timezone, translation
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.family_states import family_rows
from nobishiro.web.customers.material import Material
from nobishiro.web.customers.models import Action
from nobishiro.web.customers.next_step import choose_next_step
from nobishiro.web.customers.offering import show_step, situation_of
from nobishiro.web.people.models import User

_BEFORE: Final = (Action.Kind.SERVE, Action.Kind.RELATE, Action.Kind.ASK)


def make_task(material: Material, by: User, family: str) -> Action:
    """A family to propose, once a person and day. Raises `BadInput` for one that does not apply."""
    row = next((row for row in family_rows(material) if row.code == family), None)
    if row is None or row.state == "not_applicable":
        raise BadInput(gettext("This family cannot be proposed to them."))
    n, buyers = row.comparable_customers or 0, row.comparable_buyers or 0
    return add_action(
        by=by, customer=material.customer, source="karte", source_key=_key(material, by, family), rep=by.rep,
        family=family, offer_kind="cross_sell",
        why_ja=f"よく似た{n}顧客のうち{buyers}顧客が購入しています。" if buyers else "",
        why_en=f"{buyers} of {n} comparable customers buy it." if buyers else "",
        expected=row.expected, expected_low=row.low, expected_high=row.high,
    )  # fmt: skip


def before_any_offer(material: Material, by: User, kind: str) -> Action:
    """To serve, to build the relation, to ask: only while that is the next step. Raises `BadInput` otherwise."""
    step = choose_next_step(situation_of(material, by, family_rows(material))).lead
    if kind not in _BEFORE or step.kind.value != kind:
        raise BadInput(gettext("The next step is another one by now."))
    why = {}
    for language in ("ja", "en"):
        with translation.override(language):
            why[language] = show_step(step, material, ()).why
    return add_action(
        by=by, customer=material.customer, source="karte", source_key=_key(material, by, kind), kind=kind, rep=by.rep,
        why_ja=why["ja"], why_en=why["en"], rank=1,
    )  # fmt: skip


def _key(material: Material, by: User, what: str) -> str:
    whose = f"rep{by.rep_id}" if by.rep_id else f"user{by.pk}"
    return f"karte:{whose}:{material.customer.pk}:{what[:100]}:{timezone.localdate()}"
