"""What people decide in this room: orders by luck that are settled, and the morning mail."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.audit import record
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.facts import add_fact
from nobishiro.web.customers.models import Action, Fact
from nobishiro.web.people.models import User
from nobishiro.web.worklist.models import LuckyOrder, MorningMail


@transaction.atomic
def answer_lucky(
    *, by: User, order: LuckyOrder, answers: dict[str, str], on: date, at: datetime, amount: Decimal | None = None
) -> list[Fact]:
    """Keep what they said about an order that came by luck, as facts of that day; the order is settled by it.

    `answers` is fact → words; empty ones are passed over. Raises `BadInput` when nothing was said.
    """
    facts = [
        add_fact(by=by, customer=order.customer, fact=fact, value=value, learned_on=on, source="visit")
        for fact, value in answers.items()
        if value.strip()
    ]
    if amount is not None:
        facts.append(
            add_fact(by=by, customer=order.customer, fact="total_spend", amount=amount, learned_on=on, source="visit")
        )
    if not facts:
        raise BadInput(gettext("Write at least one answer."))
    _settle(by, order, "asked", at)
    return facts


@transaction.atomic
def settle_lucky(*, by: User, order: LuckyOrder, at: datetime) -> None:
    """It was no luck: we know why it came."""
    _settle(by, order, "known", at)


@transaction.atomic
def unsettle_lucky(*, by: User, order: LuckyOrder) -> None:
    """Back on the list."""
    if order.settled_at is None:
        return
    order.settled_at, order.settled_how, order.settled_by = None, "", None
    order.save(update_fields=["settled_at", "settled_how", "settled_by"])
    record(by, "lucky.reopen", f"customer:{order.customer.code}", {"order": order.code})


def ask_later(*, by: User, order: LuckyOrder, due: date, why: tuple[str, str]) -> Action:
    """Make asking about this order something to do, for the asker's own list or the customer's main rep."""
    return add_action(
        by=by, customer=order.customer, source="relisten", source_key=f"relisten:{order.pk}", kind=Action.Kind.ASK,
        rep=by.rep, due=due, why_ja=why[0], why_en=why[1], rank=10,
    )  # fmt: skip


@transaction.atomic
def set_morning_mail(*, by: User, is_wanted: bool) -> MorningMail:
    """Ask for the morning mail, or no longer."""
    kept, _is_new = MorningMail.objects.update_or_create(user=by, defaults={"is_wanted": is_wanted})
    record(by, "morning_mail.set", f"user:{by.pk}", {"wanted": is_wanted})
    return kept


def _settle(by: User, order: LuckyOrder, how: str, at: datetime) -> None:
    if order.settled_at is not None:
        return
    order.settled_at, order.settled_how, order.settled_by = at, how, by
    order.save(update_fields=["settled_at", "settled_how", "settled_by"])
    record(by, "lucky.settle", f"customer:{order.customer.code}", {"order": order.code, "how": how})
