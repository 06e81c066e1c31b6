"""A person's word over a computed one, with the reason; every one is kept, the newest not withdrawn counts."""

from __future__ import annotations

import math
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.tables import QUADRANTS
from nobishiro.web.core.audit import record
from nobishiro.web.customers.models import Customer, Override
from nobishiro.web.customers.standing import restand
from nobishiro.web.people.models import User

MEASURES: Final = ("quadrant", "potential", "track_record")


@transaction.atomic
def set_override(*, by: User, customer: Customer, measure: str, value: str, reason: str) -> Override:
    """Let a person's word count at once: `quadrant` A–D, or `potential` / `track_record` in yen a year.

    The same word for the same reason again is the same override. Raises `BadInput` without a reason or with a value
    that cannot be.
    """
    value, reason = value.strip(), reason.strip()
    if measure not in MEASURES:
        raise BadInput(gettext("Only the quadrant, the potential and the track record can be set by hand."))
    if not reason:
        raise BadInput(gettext("Write why: whoever looks at this customer next will want to know."))
    value = _checked(measure, value)
    current = current_override(customer, measure)
    if current is not None and (current.value, current.reason) == (value, reason[:500]):
        return current
    before = _shown(customer, measure)
    made = Override.objects.create(
        customer=customer, measure=measure, value=value, reason=reason[:500], set_by=by, set_by_name=by.name,
        set_at=timezone.now(),
    )  # fmt: skip
    restand(customer)
    record(by, "override.set", f"customer:{customer.code}", {"measure": measure, "before": before, "after": value})
    return made


@transaction.atomic
def withdraw_override(*, by: User, override: Override) -> None:
    """Take a word back: the one before counts again, else what was computed. Raises `BadInput` for an imported one."""
    if override.import_id:
        raise BadInput(gettext("This came by an import. Set what is right: the newer word counts."))
    if override.withdrawn_at is not None:
        return
    override.withdrawn_at = timezone.now()
    override.save(update_fields=["withdrawn_at"])
    restand(override.customer)
    record(
        by,
        "override.withdraw",
        f"customer:{override.customer.code}",
        {"measure": override.measure, "value": override.value},
    )


def current_override(customer: Customer, measure: str) -> Override | None:
    """The word that counts, if there is one."""
    rows = Override.objects.filter(customer=customer, measure=measure, withdrawn_at=None)
    return rows.order_by("-set_at", "-pk").first()


def _checked(measure: str, value: str) -> str:
    if measure == "quadrant":
        if value not in QUADRANTS:
            raise BadInput(gettext("Choose A, B, C or D."))
        return value
    try:
        yen = float(value.replace(",", "").replace("¥", ""))
    except ValueError:
        yen = -1.0
    if not math.isfinite(yen) or not 0 <= yen < 1e15:
        raise BadInput(gettext("Enter the yen a year as a number of zero or more."))
    return f"{yen:.0f}"


def _shown(customer: Customer, measure: str) -> str:
    shown = getattr(customer, measure)
    return "" if shown is None else str(shown)
