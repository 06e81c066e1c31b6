"""What we think a customer could take: family or product × amount × grounds; later found true or false."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.audit import record
from nobishiro.web.customers.models import Customer, Hypothesis
from nobishiro.web.people.models import User


@transaction.atomic
def add_hypothesis(
    *, by: User, customer: Customer, family: str, grounds: str, amount: Decimal | None = None, product_code: str = ""
) -> Hypothesis:
    """Write a hypothesis down; the same one while it is open is the same. Raises `BadInput` without grounds."""
    family, grounds = family.strip(), grounds.strip()
    if not family or len(family) > 200:
        raise BadInput(gettext("Choose what they could take."))
    if not grounds:
        raise BadInput(gettext("Write on what grounds you think so."))
    if amount is not None and not (0 <= amount < Decimal(10) ** 15):
        raise BadInput(gettext("Enter the yen a year as a number of zero or more."))
    made, is_new = Hypothesis.objects.get_or_create(
        customer=customer, family=family, product_code=product_code, amount=amount, grounds=grounds,
        state=Hypothesis.State.OPEN,
        defaults={"made_by": by, "made_by_name": by.name, "made_at": timezone.now()},
    )  # fmt: skip
    if is_new:
        record(by, "hypothesis.add", f"customer:{customer.code}", {"hypothesis": made.pk, "family": family})
    return made


@transaction.atomic
def end_hypothesis(*, by: User, hypothesis: Hypothesis, is_true: bool, verdict: str = "") -> None:
    """Say how it turned out. One that ended keeps its first verdict."""
    if hypothesis.state != Hypothesis.State.OPEN:
        return
    hypothesis.state = Hypothesis.State.TRUE if is_true else Hypothesis.State.FALSE
    hypothesis.verdict, hypothesis.verified_by_name, hypothesis.verified_at = verdict.strip(), by.name, timezone.now()
    hypothesis.save(update_fields=["state", "verdict", "verified_by_name", "verified_at"])
    record(
        by, "hypothesis.end", f"customer:{hypothesis.customer.code}",
        {"hypothesis": hypothesis.pk, "state": hypothesis.state},
    )  # fmt: skip


@transaction.atomic
def drop_hypothesis(*, by: User, hypothesis: Hypothesis) -> None:
    """Take one back that nobody verified; the audit trail keeps what it said. Raises `BadInput` once it ended."""
    if hypothesis.state != Hypothesis.State.OPEN:
        raise BadInput(gettext("It was verified already, so it stays."))
    record(
        by, "hypothesis.drop", f"customer:{hypothesis.customer.code}",
        {"family": hypothesis.family, "grounds": hypothesis.grounds[:200]},
    )  # fmt: skip
    hypothesis.delete()
