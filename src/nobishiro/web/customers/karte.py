"""What a karte says of one customer: where they stand, the next step, what is known, families, time line.

What may be seen inside is decided here: cost and margin only with `SEE_COST`, private notes with `SEE_PRIVATE_NOTES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from nobishiro.pipelines.customer_rows import gross_profit
from nobishiro.web.core.permissions import Permission
from nobishiro.web.core.templatetags.nobishiro import is_japanese, quadrant_name, round_about, short
from nobishiro.web.customers.facts import told_total
from nobishiro.web.customers.family_states import FamilyRow, family_rows
from nobishiro.web.customers.knowing import Knowing, build_knowing
from nobishiro.web.customers.material import Material
from nobishiro.web.customers.models import Action, Contact, Customer, Fact, Outcome, Override
from nobishiro.web.customers.next_step import choose_next_step
from nobishiro.web.customers.offering import (
    ShownStep,
    WhyNotOther,
    show_step,
    situation_of,
    things_not_to_say,
    why_not_in_words,
)
from nobishiro.web.customers.timeline import Entry, TimelinePage, build_timeline
from nobishiro.web.customers.words import DECIDED_BY, RESULTS, ROLES, STATES, word
from nobishiro.web.people.models import User

_UNDO_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Relation:
    """One of our people and the customer."""

    rep_id: int
    name: str
    division: str
    role: str
    sign: str
    """◎○△, empty when nobody said."""
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Karte:
    """The whole page."""

    customer: Customer
    sentence: str
    state_name: str
    decided_by: str
    override: Override | None
    overrides: list[Override]
    told: Fact | None
    spent: float | None
    share: float | None
    profit: tuple[float, float] | None
    """(gross profit, share of sales it is known for); None without any, and for those who may not see cost."""
    relations: list[Relation]
    my_sign: str
    can_set_relation: bool
    contacts: list[Contact]
    lead: ShownStep
    step_action: Action | None
    """The open task of the lead's kind, when it is about no family."""
    folded: list[ShownStep]
    why_not: list[WhyNotOther]
    undoable: Outcome | None
    undoable_words: str
    knowing: Knowing
    families: list[FamilyRow]
    most: float
    most_current: float
    timeline: TimelinePage
    recent: list[Entry]
    """The last three things that happened, what was written down or set by hand left out."""
    has_run: bool
    things_not_to_say: list[str]


def build_karte(material: Material, user: User) -> Karte:
    """The page for this person."""
    customer = material.customer
    overrides = [override for override in material.overrides if override.withdrawn_at is None]
    override = next((one for one in overrides if one.measure == "quadrant"), None)
    told = told_total(material.facts)
    spent = customer.track_record
    families = family_rows(material)
    step = choose_next_step(situation_of(material, user, families))
    knowing = build_knowing(material)
    relations = _relations(material, user)
    sees_private = user.may(Permission.SEE_PRIVATE_NOTES)
    undoable = _undoable(material, user)
    timeline = build_timeline(material.happened, material.entered, material.catalogue, sees_private=sees_private)
    return Karte(
        customer=customer,
        sentence=_sentence(material),
        state_name=word(STATES, customer.state),
        decided_by=word(DECIDED_BY, customer.decided_by or "unknown"),
        override=override,
        overrides=material.overrides,
        told=told,
        spent=spent,
        share=float(spent) / float(told.amount) if told and told.amount and spent is not None else None,
        profit=_profit(material, user),
        relations=relations,
        my_sign=next((relation.sign for relation in relations if relation.is_mine), ""),
        can_set_relation=user.rep_id is not None and user.may(Permission.RECORD),
        contacts=material.contacts,
        lead=show_step(step.lead, material, knowing.questions),
        step_action=next(
            (one for one in material.actions if not one.family and one.kind == step.lead.kind.value), None
        ),
        folded=[show_step(one, material, ()) for one in step.folded],
        why_not=[why_not_in_words(one) for one in step.excluded],
        undoable=undoable,
        undoable_words=_said(undoable, material) if undoable else "",
        knowing=knowing,
        families=families,
        most=max((row.high or 0.0 for row in families), default=0.0),
        most_current=max((row.current or 0.0 for row in families), default=0.0),
        timeline=timeline,
        recent=[entry for entry in timeline.entries if entry.kind not in ("fact", "word")][:3],
        has_run=material.run is not None,
        things_not_to_say=things_not_to_say(step, material),
    )


def _relations(material: Material, user: User) -> list[Relation]:
    signs = {tag.rep_id: tag for tag in reversed(material.tags) if tag.tag == "relation"}
    relations, seen = [], set()
    for owner in material.owners:
        sign = signs.get(owner.rep_id)
        seen.add(owner.rep_id)
        relations.append(
            Relation(
                owner.rep_id, owner.rep.name, owner.division.name, word(ROLES, owner.role), sign.value if sign else "",
                owner.rep_id == user.rep_id,
            )
        )  # fmt: skip
    for rep_id, tag in signs.items():
        if rep_id not in seen:
            name = tag.rep.name if tag.rep else tag.set_by_name
            relations.append(
                Relation(rep_id or 0, name, "", "", tag.value, rep_id is not None and rep_id == user.rep_id)
            )
    return relations


def _profit(material: Material, user: User) -> tuple[float, float] | None:
    if material.run is None or not user.may(Permission.SEE_COST):
        return None
    return gross_profit(material.happened.order_lines, material.catalogue, material.run)


def _undoable(material: Material, user: User) -> Outcome | None:
    since = timezone.now() - _UNDO_FOR
    for outcome in sorted(material.outcomes, key=lambda one: one.entered_at, reverse=True):
        if outcome.entered_by_id == user.pk and outcome.entered_at >= since:
            return outcome
    return None


def _said(outcome: Outcome, material: Material) -> str:
    about = material.catalogue.name_of(outcome.product_code) or material.catalogue.family_name(outcome.family)
    said = word(RESULTS, outcome.result)
    return f"{about}: {said}" if about else said


def _sentence(material: Material) -> str:
    customer = material.customer
    if customer.quadrant:
        parts = [
            gettext("%(name)s is %(letter)s, %(word)s.")
            % {"name": customer.name, "letter": customer.quadrant, "word": quadrant_name(customer.quadrant)}
        ]
    else:
        parts = [gettext("Too little is known of %(name)s to place them on the map.") % {"name": customer.name}]
    if customer.potential is not None and customer.potential > 0:
        room = short(round_about(customer.potential))
        parts.append(gettext("About %(room)s a year is still open.") % {"room": room})
    if customer.last_touch_day is None:
        parts.append(gettext("There is no record of a contact."))
    else:
        days = (material.today - customer.last_touch_day).days
        if days <= 0:
            parts.append(gettext("We were in touch today."))
        else:
            parts.append(
                ngettext("The last contact was %(n)d day ago.", "The last contact was %(n)d days ago.", days)
                % {"n": days}
            )
    return ("" if is_japanese() else " ").join(parts)
