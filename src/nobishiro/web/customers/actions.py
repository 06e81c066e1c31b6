"""やること: made by the plan and by people in any room, ended by an outcome, dropped or opened again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.audit import record
from nobishiro.web.customers.models import Action, Customer
from nobishiro.web.people.models import Rep, User

SOURCES: Final = ("plan", "map", "gaps", "karte", "referral", "relisten", "process")
OFFER_KINDS: Final = ("", "cross_sell", "upsell", "downsell", "bundle", "replenishment")


@transaction.atomic
def add_action(
    *,
    by: User | None,
    customer: Customer,
    source: str,
    source_key: str,
    kind: str = "propose",
    rep: Rep | None = None,
    due: date | None = None,
    family: str = "",
    product_code: str = "",
    offer_kind: str = "",
    title: str = "",
    why_ja: str = "",
    why_en: str = "",
    rank: int = 1000,
    hours: float | None = None,
    expected: float | None = None,
    expected_low: float | None = None,
    expected_high: float | None = None,
    play: str = "",
    channel: str = "visit",
) -> Action:
    """Something to do. The same `source_key` is the same action: brought up to date while open, left alone once ended.

    `by` is None when the plan makes it; a person's is in the audit trail. Without `rep` it is the customer's main rep's.
    """
    if source not in SOURCES:
        raise BadInput(f"action source {source!r} is not known; use one of {', '.join(SOURCES)}")
    if kind not in Action.Kind.values or offer_kind not in OFFER_KINDS:
        raise BadInput(f"action kind {kind!r} or offer kind {offer_kind!r} is not known")
    if not 0 < len(source_key) <= 200:
        raise BadInput("an action needs a source key of at most 200 characters")
    values = {
        "source": source, "kind": kind, "customer": customer, "rep": rep or customer.main_rep, "due": due,
        "family": family, "product_code": product_code, "offer_kind": offer_kind, "title": title[:400],
        "why_ja": why_ja, "why_en": why_en, "rank": rank, "hours": hours, "expected": expected,
        "expected_low": expected_low, "expected_high": expected_high, "play": play, "channel": channel,
    }  # fmt: skip
    action, is_new = Action.objects.get_or_create(source_key=source_key, defaults=values | {"created_by": by})
    if action.customer_id != customer.pk:
        raise BadInput(gettext("This entry was already used for another customer. Open the page again."))
    if is_new:
        if by is not None:
            record(by, "action.add", f"customer:{customer.code}", {"action": action.pk, "source": source, "kind": kind})
    elif action.state == Action.State.OPEN and any(getattr(action, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(action, name, value)
        action.save(update_fields=list(values))
    return action


@transaction.atomic
def add_planned_actions(actions: Sequence[Action]) -> None:
    """Actions of a plan that nobody has yet, all at once; one whose `source_key` is there already is left as it is.

    For a company's whole month, where asking for each would take minutes. A rep that is missing is the customer's main one.
    """
    for action in actions:
        if action.source != "plan" or not 0 < len(action.source_key) <= 200:
            raise BadInput(
                "only the plan makes actions by the hundred, each with a source key of at most 200 characters"
            )
        if action.rep_id is None:
            action.rep_id = action.customer.main_rep_id
    Action.objects.bulk_create(actions, batch_size=500, ignore_conflicts=True)


@transaction.atomic
def drop_action(*, by: User | None, action: Action, why: str) -> None:
    """It is no longer wanted; not a refusal by the customer. One that ended already stays as it is."""
    if action.state != Action.State.OPEN:
        return
    action.state, action.ended_at = Action.State.DROPPED, timezone.now()
    action.save(update_fields=["state", "ended_at"])
    if by is not None:
        record(by, "action.drop", f"customer:{action.customer.code}", {"action": action.pk, "why": why[:200]})


@transaction.atomic
def finish_action(*, by: User, action: Action) -> None:
    """It was done, and nothing was proposed: a service visit, a question asked. One that ended already stays as it is."""
    if action.state != Action.State.OPEN:
        return
    action.state, action.ended_at = Action.State.DONE, timezone.now()
    action.save(update_fields=["state", "ended_at"])
    record(by, "action.finish", f"customer:{action.customer.code}", {"action": action.pk, "kind": action.kind})


@transaction.atomic
def reopen_action(*, by: User | None, action: Action) -> None:
    """It is to be done after all. Raises `BadInput` while an outcome stands: that is to be withdrawn first."""
    if action.state == Action.State.OPEN:
        return
    if action.outcome is not None and action.outcome.withdrawn_at is None:
        raise BadInput(gettext("An outcome was recorded. Undo that first."))
    action.state, action.ended_at, action.outcome = Action.State.OPEN, None, None
    action.save(update_fields=["state", "ended_at", "outcome"])
    if by is not None:
        record(by, "action.reopen", f"customer:{action.customer.code}", {"action": action.pk})
