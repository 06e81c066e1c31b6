"""Contacts entered here: a tap's daily report, a visit noted, a hearing. Handed to the store when a run starts."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.tables import TOUCH_KINDS
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import published
from nobishiro.web.customers.models import Contact, Customer, Touch
from nobishiro.web.people.models import Rep, User

_CODE: Final = re.compile(r"[A-Za-z0-9:_.-]{1,96}")
_PREFIX: Final = "web-"
_LONGEST_MINUTES: Final = 24 * 60


@transaction.atomic
def add_touch(
    *,
    by: User,
    code: str,
    customer: Customer,
    kind: str,
    happened_at: datetime | None = None,
    minutes: float | None = None,
    subject: str = "",
    note: str = "",
    contact: Contact | None = None,
    direction: str = "outbound",
    is_private: bool = False,
    rep: Rep | None = None,
) -> Touch:
    """Keep a contact. `code` is made by the client: sent twice it is one touch, and one withdrawn stays withdrawn.

    `rep` is the person's own when not said. A moment ahead of our clock is taken as now. Raises `BadInput`.
    """
    code = checked_code(code)
    if kind not in TOUCH_KINDS:
        raise BadInput(gettext("Choose how you were in touch: visit, call, mail …"))
    if direction not in ("outbound", "inbound"):
        raise BadInput(gettext("Say who began: we or they."))
    if minutes is not None and not 0 <= minutes <= _LONGEST_MINUTES:
        raise BadInput(gettext("Enter the minutes as a number up to 1,440."))
    if contact is not None and contact.customer_id != customer.pk:
        raise BadInput(gettext("This person belongs to another customer."))
    whose = rep or by.rep
    now = timezone.now()
    touch, is_new = Touch.objects.get_or_create(
        code=code if code.startswith(_PREFIX) else _PREFIX + code,
        defaults={
            "customer": customer, "contact": contact, "rep": whose, "division": whose.division if whose else None,
            "kind": kind, "direction": direction, "happened_at": min(happened_at or now, now), "minutes": minutes,
            "subject": subject.strip()[:400], "note": note.strip(), "is_private": is_private, "entered_by": by,
        },
    )  # fmt: skip
    if touch.customer_id != customer.pk:
        raise BadInput(gettext("This entry was already used for another customer. Open the page again."))
    if is_new:
        _seen_on(customer, timezone.localdate(touch.happened_at))
        record(by, "touch.add", f"customer:{customer.code}", {"kind": kind, "touch": touch.code})
    return touch


@transaction.atomic
def amend_touch(*, by: User, touch: Touch, kind: str, minutes: float | None, note: str) -> None:
    """Correct the daily report: how, how long, what was said. Raises `BadInput`; a withdrawn one stays as it is."""
    if kind not in TOUCH_KINDS:
        raise BadInput(gettext("Choose how you were in touch: visit, call, mail …"))
    if minutes is not None and not 0 <= minutes <= _LONGEST_MINUTES:
        raise BadInput(gettext("Enter the minutes as a number up to 1,440."))
    values = {"kind": kind, "minutes": minutes, "note": note.strip()}
    changed = [name for name, value in values.items() if getattr(touch, name) != value]
    if touch.withdrawn_at is not None or not changed:
        return
    for name in changed:
        setattr(touch, name, values[name])
    touch.save(update_fields=changed)
    record(by, "touch.amend", f"customer:{touch.customer.code}", {"touch": touch.code, "changed": sorted(changed)})


@transaction.atomic
def withdraw_touch(*, by: User, touch: Touch) -> None:
    """Take a contact back; it is kept, so that the same tap sent again stays withdrawn."""
    if touch.withdrawn_at is not None:
        return
    touch.withdrawn_at = timezone.now()
    touch.save(update_fields=["withdrawn_at"])
    customer, day = touch.customer, timezone.localdate(touch.happened_at)
    if customer.last_touch_day == day:
        customer.last_touch_day = _last_day_without(touch)
        Customer.objects.filter(pk=customer.pk).update(last_touch_day=customer.last_touch_day)
    record(by, "touch.withdraw", f"customer:{customer.code}", {"touch": touch.code})


def checked_code(code: str) -> str:
    """The id a client made, when it can be one. Raises `BadInput`."""
    if not _CODE.fullmatch(code):
        raise BadInput(gettext("This entry has no usable number. Open the page again."))
    return code


def _seen_on(customer: Customer, day: date) -> None:
    Customer.objects.filter(
        Q(last_touch_day__lt=day) | Q(last_touch_day=None), pk=customer.pk
    ).update(last_touch_day=day)  # fmt: skip
    customer.last_touch_day = max(customer.last_touch_day or day, day)


def _last_day_without(touch: Touch) -> date | None:
    """The latest day among the other touches entered here and the run's own, when that one came before the touch."""
    others = Touch.objects.filter(customer=touch.customer, withdrawn_at=None).aggregate(last=Max("happened_at"))["last"]
    days = [] if others is None else [timezone.localdate(others)]
    run = published()
    if run is not None:
        known = run.rows("customer_features", [touch.customer.code], ["last_touch_day"])["last_touch_day"].to_list()
        # a day the run knows may rest on this very touch, when it was handed to the store before the run
        days += [day for day in known if day is not None and day != timezone.localdate(touch.happened_at)]
    return max(days, default=None)
