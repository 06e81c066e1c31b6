"""What came of a proposal: one tap, which also writes the daily report and ends the action. Undone as easily."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.tables import PROPOSAL_RESULTS
from nobishiro.web.core.audit import record
from nobishiro.web.customers.models import Action, Customer, Outcome
from nobishiro.web.customers.touches import add_touch, checked_code, withdraw_touch
from nobishiro.web.people.models import User

DISMISSED: Final = "dismissed"
"""今回は出さない: not brought up, so no contact happened."""


@transaction.atomic
def record_outcome(
    *,
    by: User,
    code: str,
    customer: Customer,
    result: str,
    family: str = "",
    product_code: str = "",
    offer_kind: str = "",
    reason: str = "",
    amount: Decimal | int | float | None = None,
    action: Action | None = None,
    touch_kind: str = "visit",
    minutes: float | None = None,
    note: str = "",
    happened_at: datetime | None = None,
    channel: str = "visit",
    play: str = "",
) -> tuple[Outcome, bool]:
    """The outcome, and whether it is new.

    `code` is made by the client: the same tap again gives the same outcome and False, and one that was undone stays
    undone. Writes the touch (the daily report) unless nothing was brought up, and ends `action`, whose family, product
    and play hold where they are not said. Raises `BadInput`.
    """
    code = checked_code(code)
    if result not in PROPOSAL_RESULTS:
        raise BadInput(gettext("Choose what came of it."))
    if action is not None and action.customer_id != customer.pk:
        raise BadInput(gettext("This task belongs to another customer. Open the page again."))
    yen = None if amount is None else Decimal(str(amount)).quantize(Decimal(1))
    if yen is not None and not (0 <= yen < Decimal(10) ** 15):
        raise BadInput(gettext("Enter the amount as a number of zero or more."))
    rep = by.rep or (action.rep if action else None) or customer.main_rep
    now = timezone.now()
    outcome, is_new = Outcome.objects.get_or_create(
        code=code,
        defaults={
            "customer": customer, "family": family or (action.family if action else ""),
            "product_code": product_code or (action.product_code if action else ""),
            "offer_kind": offer_kind or (action.offer_kind if action else ""), "play": play or (action.play if action else ""),
            "channel": channel, "rep": rep, "happened_at": min(happened_at or now, now), "result": result,
            "reason": reason.strip()[:400], "amount": yen, "entered_by": by,
        },
    )  # fmt: skip
    if outcome.customer_id != customer.pk:
        raise BadInput(gettext("This entry was already used for another customer. Open the page again."))
    if not is_new:
        return outcome, False
    if result != DISMISSED:
        outcome.touch = add_touch(
            by=by, code=code, customer=customer, kind=touch_kind, happened_at=outcome.happened_at, minutes=minutes,
            subject=action.title if action else "", note=note, rep=rep,
        )  # fmt: skip
        outcome.save(update_fields=["touch"])
    if action is not None:
        Action.objects.filter(pk=action.pk, state=Action.State.OPEN).update(
            state=Action.State.DONE, outcome=outcome, ended_at=now
        )
        action.refresh_from_db(fields=["state", "outcome", "ended_at"])
    record(
        by, "outcome.add", f"customer:{customer.code}", {"outcome": code, "result": result, "family": outcome.family}
    )
    return outcome, True


@transaction.atomic
def withdraw_outcome(*, by: User, outcome: Outcome) -> None:
    """Undo: the outcome and its touch are withdrawn, the action it ended is open again."""
    if outcome.withdrawn_at is not None:
        return
    outcome.withdrawn_at = timezone.now()
    outcome.save(update_fields=["withdrawn_at"])
    if outcome.touch is not None:
        withdraw_touch(by=by, touch=outcome.touch)
    Action.objects.filter(outcome=outcome).update(state=Action.State.OPEN, outcome=None, ended_at=None)
    record(by, "outcome.withdraw", f"customer:{outcome.customer.code}", {"outcome": outcome.code})
