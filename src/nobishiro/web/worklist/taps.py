"""Taps that come over a flaky line: each is written once, in whatever state it arrives, and undone as safely."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.permissions import Permission
from nobishiro.web.customers.actions import finish_action, reopen_action
from nobishiro.web.customers.models import Action, Customer, Outcome
from nobishiro.web.customers.outcomes import record_outcome, withdraw_outcome
from nobishiro.web.customers.touches import add_touch, checked_code, withdraw_touch
from nobishiro.web.customers.yen_text import parse_yen
from nobishiro.web.people.models import User
from nobishiro.web.worklist.models import Met

OLDEST: Final = timedelta(days=31)
"""A tap that waited longer than this on a telephone is taken to be so old."""
RESULTS: Final = (
    ("won", pgettext_lazy("worklist", "Won")),
    ("open", pgettext_lazy("worklist", "Proposed")),
    ("considering", pgettext_lazy("worklist", "Considering")),
    ("declined", pgettext_lazy("worklist", "Declined")),
    ("referred", pgettext_lazy("worklist", "Referred")),
    ("dismissed", _("Not this time")),
    ("met", pgettext_lazy("worklist", "Done")),
)
MET: Final = "met"
"""Done without an offer: a service visit, a question asked."""
REASONS: Final = (
    ("price", pgettext_lazy("worklist", "Price")),
    ("timing", pgettext_lazy("worklist", "Timing")),
    ("competitor", pgettext_lazy("worklist", "Competitor")),
    ("not_needed", pgettext_lazy("worklist", "Not needed")),
    ("other", pgettext_lazy("worklist", "Something else")),
)
TOUCH_KINDS: Final = (
    ("visit", pgettext_lazy("worklist", "Visit")),
    ("call", pgettext_lazy("worklist", "Call")),
    ("mail", pgettext_lazy("worklist", "Mail")),
    ("meeting", pgettext_lazy("worklist", "Online meeting")),
    ("event", pgettext_lazy("worklist", "Event")),
    ("other", pgettext_lazy("worklist", "Other")),
)


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap, checked."""

    code: str
    customer: int
    result: str
    action: int | None = None
    family: str = ""
    product: str = ""
    offer_kind: str = ""
    reason: str = ""
    amount: Decimal | None = None
    touch_kind: str = "visit"
    minutes: float | None = None
    note: str = ""
    waited: timedelta = timedelta()
    """How long it lay on the telephone."""


class TapForm(forms.Form):
    """One tap: what came of one card."""

    code = forms.RegexField(r"^[A-Za-z0-9-]{8,64}$")
    action = forms.IntegerField(required=False, min_value=1)
    customer = forms.IntegerField(min_value=1)
    result = forms.ChoiceField(choices=RESULTS)
    family = forms.CharField(required=False, max_length=200)
    product = forms.CharField(required=False, max_length=200)
    offer_kind = forms.ChoiceField(
        required=False,
        choices=[(kind, kind) for kind in ("cross_sell", "upsell", "downsell", "bundle", "replenishment")],
    )
    reason = forms.ChoiceField(required=False, choices=REASONS)
    amount = forms.CharField(required=False, max_length=40)
    touch_kind = forms.ChoiceField(required=False, choices=TOUCH_KINDS)
    minutes = forms.FloatField(required=False, min_value=0, max_value=24 * 60)
    note = forms.CharField(required=False, max_length=4000)
    age = forms.FloatField(required=False, min_value=0)
    """Seconds since the tap on the sender's own clock: right even where that clock is wrong."""

    def clean_amount(self) -> Decimal | None:
        """Yen as people type them: 120万, ¥1,200,000."""
        text = self.cleaned_data["amount"]
        yen = parse_yen(text) if text else None
        if text and (yen is None or yen >= Decimal(10) ** 15):
            raise forms.ValidationError(gettext("This is no amount in yen."))
        return yen

    def tap(self) -> Tap:
        """What was said; only of a valid form."""
        said = self.cleaned_data
        result = said["result"]
        return Tap(
            code=said["code"], action=said["action"], customer=said["customer"], result=result,
            family=said["family"], product=said["product"], offer_kind=said["offer_kind"],
            reason=said["reason"] if result == "declined" else "",
            amount=said["amount"] if result == "won" else None,
            touch_kind=said["touch_kind"] or "visit", minutes=said["minutes"], note=said["note"],
            waited=min(timedelta(seconds=min(said["age"] or 0.0, OLDEST.total_seconds())), OLDEST),
        )  # fmt: skip


class NotThere(BadInput):
    """What the tap is about is not there, or not this person's."""


@transaction.atomic
def take_tap(*, by: User, tap: Tap, at: datetime) -> bool:
    """Write one tap; whether it is new, as the same code again writes nothing. Raises `NotThere` and `BadInput`."""
    customer = Customer.objects.filter(pk=tap.customer).select_related("main_rep").first()
    if customer is None:
        raise NotThere(gettext("This customer is no longer there."))
    action = _action_of(by, tap)
    if tap.result == MET:
        if action is None:
            raise NotThere(gettext("This proposal is no longer on your list."))
        return _meet(by, tap, action, at)
    _outcome, is_new = record_outcome(
        by=by, code=tap.code, customer=customer, result=tap.result, family=tap.family, product_code=tap.product,
        offer_kind=tap.offer_kind, reason=tap.reason, amount=tap.amount, action=action, touch_kind=tap.touch_kind,
        minutes=tap.minutes, note=tap.note, happened_at=at - tap.waited,
    )  # fmt: skip
    return is_new


@transaction.atomic
def take_undo(*, by: User, code: str) -> bool:
    """Withdraw what a tap wrote; False when no such tap ever came. Twice is once. Raises `NotThere`."""
    outcome = Outcome.objects.filter(code=code).select_related("customer", "touch__customer").first()
    met = Met.objects.filter(code=code).select_related("action__customer", "touch__customer").first()
    entered = outcome or met
    if entered is None:
        return False
    if entered.entered_by_id != by.pk and not by.may(Permission.SEE_TEAM):
        raise NotThere(gettext("Somebody else entered this."))
    if outcome is not None:
        withdraw_outcome(by=by, outcome=outcome)
    elif met is not None and met.withdrawn_at is None:
        met.withdrawn_at = timezone.now()
        met.save(update_fields=["withdrawn_at"])
        if met.touch is not None:
            withdraw_touch(by=by, touch=met.touch)
        reopen_action(by=by, action=met.action)
    return True


def may_end(by: User, action: Action) -> bool:
    """Whether this action is on a list the person works: their own, nobody's, or any for who leads the team."""
    return action.rep_id is None or action.rep_id == by.rep_id or by.may(Permission.SEE_TEAM)


def _meet(by: User, tap: Tap, action: Action, at: datetime) -> bool:
    happened_at = at - tap.waited
    met, is_new = Met.objects.get_or_create(
        code=checked_code(tap.code), defaults={"action": action, "entered_by": by, "happened_at": happened_at}
    )
    if not is_new:
        return False
    met.touch = add_touch(
        by=by, code=tap.code, customer=action.customer, kind=tap.touch_kind, happened_at=happened_at,
        minutes=tap.minutes, subject=action.title, note=tap.note, rep=by.rep or action.rep,
    )  # fmt: skip
    met.save(update_fields=["touch"])
    finish_action(by=by, action=action)
    return True


def _action_of(by: User, tap: Tap) -> Action | None:
    """The action tapped, held for this transaction: two telephones that end it at once do so one after the other."""
    if tap.action is None:
        return None
    held = Action.objects.select_for_update(of=("self",)).select_related("outcome", "rep", "customer")
    action = held.filter(pk=tap.action).first()
    if action is None or not may_end(by, action):
        raise NotThere(gettext("This proposal is no longer on your list."))
    ended = action.outcome
    if ended is not None and ended.withdrawn_at is None and ended.code != tap.code:
        result = dict(RESULTS).get(ended.result, ended.result)
        raise BadInput(gettext("An outcome is there already: %(result)s. Undo that first.") % {"result": result})
    if Met.objects.filter(action=action, withdrawn_at=None).exclude(code=tap.code).exists():
        raise BadInput(gettext("This is marked as done already. Undo that first."))
    return action
