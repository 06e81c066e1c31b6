"""④ families × state at one customer: what the run says, with what people recorded since laid over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from nobishiro.web.customers.material import Material
from nobishiro.web.customers.models import Action, Outcome
from nobishiro.web.customers.words import BASES, FAMILY_STATES, RESULTS, word

_PROPOSAL_DAYS: Final = timedelta(days=730)
"""As in the gap matrix: a proposal older than this no longer counts as proposed."""
_STATE_FACTS: Final = ("not_applicable", "competitor_buys")


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """One family at this customer."""

    code: str
    name: str
    state: str
    state_name: str
    result: str
    expected: float | None
    low: float | None
    high: float | None
    basis: str
    current: float | None
    comparable_customers: int | None
    comparable_buyers: int | None
    action: Action | None

    @property
    def has_comparison(self) -> bool:
        """Whether comparable customers were counted."""
        return bool(self.comparable_customers)


def family_rows(material: Material) -> list[FamilyRow]:
    """④ families × state: the run's, with what people recorded since; the largest expected yen first."""
    current = dict(material.rows.potential.select("family", "current").iter_rows())
    actions = {action.family: action for action in material.actions if action.family}
    tapped = _latest_outcomes(material)
    rows = []
    named = set()
    for gap in material.rows.gaps.iter_rows(named=True):
        family = gap["family"]
        named.add(family)
        state, result = _state_now(material, family, gap["state"], gap["proposal_result"], tapped.get(family))
        applies = state != "not_applicable"
        rows.append(
            FamilyRow(
                family, material.catalogue.family_name(family), state, word(FAMILY_STATES, state),
                word(RESULTS, result) if result and state == "proposed" else "",
                gap["expected"] if applies else None, gap["low"] if applies else None, gap["high"] if applies else None,
                word(BASES, gap["basis"]), current.get(family), gap["comparable_customers"], gap["comparable_buyers"],
                actions.get(family),
            )
        )  # fmt: skip
    for family in sorted(({*tapped} | {fact.subject for fact in material.facts if fact.fact in _STATE_FACTS}) - named):
        if family in ("", "-"):
            continue
        state, result = _state_now(material, family, "not_proposed", None, tapped.get(family))
        rows.append(
            FamilyRow(
                family, material.catalogue.family_name(family), state, word(FAMILY_STATES, state),
                word(RESULTS, result) if result and state == "proposed" else "", None, None, None,
                word(BASES, "unknown"), None, None, None, actions.get(family),
            )
        )  # fmt: skip
    order = ("not_proposed", "competitor", "proposed", "buying", "not_applicable")
    return sorted(rows, key=lambda row: (order.index(row.state), -(row.expected or 0), -(row.current or 0), row.name))


def _state_now(
    material: Material, family: str, state: str, result: str | None, tapped: Outcome | None
) -> tuple[str, str | None]:
    """The family's state with what was entered since the run: facts about it, and taps."""
    facts = [fact for fact in material.facts if fact.subject == family and fact.fact in _STATE_FACTS]
    if any(fact.fact == "not_applicable" for fact in facts):
        return "not_applicable", result
    if state in ("buying", "not_applicable"):
        return "buying" if state == "buying" else "not_proposed", result
    elsewhere = max((fact.learned_on for fact in facts), default=None)
    if tapped is not None:
        day = timezone.localdate(tapped.happened_at)
        if material.today - day <= _PROPOSAL_DAYS and (elsewhere is None or day > elsewhere):
            return "proposed", tapped.result
    if elsewhere is not None and state != "proposed":
        return "competitor", result
    return state, result


def _latest_outcomes(material: Material) -> dict[str, Outcome]:
    """The latest tap a family that says something was brought up."""
    latest: dict[str, Outcome] = {}
    for outcome in material.outcomes:
        family = outcome.family or material.catalogue.family_of(outcome.product_code)
        if family and outcome.result != "dismissed":
            latest.setdefault(family, outcome)
    return latest
