"""What may happen to a hearing, a referral, a reward and an introduction: each step once, in order, with who and when.

sent ──accept──▶ accepted ──confirm_approach──▶ approached ──close──▶ won | lost
  └──return_to_sender──▶ returned                 (referral reward)      (closing reward)
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.audit import record
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.models import Action, Customer, Touch
from nobishiro.web.customers.next_step import PROMOTER
from nobishiro.web.people.calendar import add_business_days
from nobishiro.web.people.models import CompanySettings, Division, Rep, User
from nobishiro.web.referrals.models import Hearing, Introduction, Praise, Question, Referral, Reward

PAUSE_DAYS: Final = 180
"""Days during which a customer is not asked for an introduction again."""

_FROM: Final = {
    "accept": (Referral.State.SENT,),
    "return": (Referral.State.SENT,),
    "approach": (Referral.State.ACCEPTED,),
    "close": (Referral.State.APPROACHED,),
}


class StepNotPossible(BadInput):
    """The step does not follow from where the referral, reward or introduction stands."""


@transaction.atomic
def answer_question(
    *, by: User, customer: Customer, question: Question, answer: str, note: str = "", on: date | None = None
) -> Hearing:
    """Keep what was answered today; answering again the same day corrects it."""
    if answer not in Hearing.Answer.values:
        raise StepNotPossible(gettext("Choose yes, no or later."))
    now = timezone.now()
    hearing, is_new = Hearing.objects.update_or_create(
        customer=customer,
        question=question,
        heard_on=on or timezone.localdate(),
        defaults={"answer": answer, "note": note, "rep": by.rep, "entered_by": by, "heard_at": now},
    )
    record(
        by,
        "hearing.answer" if is_new else "hearing.correct",
        f"customer:{customer.code}",
        {"question": question.pk, "answer": answer},
    )
    return hearing


@transaction.atomic
def save_question(
    *,
    by: User,
    question: Question | None,
    text_ja: str,
    text_en: str,
    division: Division | None,
    family: str,
    position: int,
    is_asked: bool,
) -> Question:
    """A new question of the checklist, or a changed one. What was heard stays with the question."""
    question = question or Question()
    question.text_ja, question.text_en = text_ja, text_en
    question.division, question.family = division, family
    question.position, question.is_asked = position, is_asked
    question.save()
    record(by, "question.save", f"question:{question.pk}", {"text": text_ja, "asked": is_asked})
    return question


def propose_questions(*, by: User) -> list[Question]:
    """A first checklist where there is none: one question a division that does not visit by itself."""
    if Question.objects.exists():
        return []
    made = []
    listened_for = Division.objects.filter(is_window=False).prefetch_related("families")
    for position, division in enumerate(listened_for, start=1):
        families = [family.name for family in division.families.all() if family.is_listed][:3]
        about_ja, about_en = "・".join(families), ", ".join(families)
        made.append(
            save_question(
                by=by,
                question=None,
                text_ja=f"{division.name}({about_ja})について、お困りのことやご検討中のことはありますか"
                if families
                else f"{division.name}について、お困りのことやご検討中のことはありますか",
                text_en=f"Is there anything that troubles you, or that you are considering, about {division.name}"
                f"{f' ({about_en})' if families else ''}?",
                division=division,
                family="",
                position=position * 10,
                is_asked=True,
            )
        )
    return made


@transaction.atomic
def send_referral(
    *,
    by: User,
    code: str,
    customer: Customer,
    to_division: Division,
    heard: str,
    family: str = "",
    hearing: Hearing | None = None,
) -> tuple[Referral, bool]:
    """(The referral, whether it is new). The same `code` again gives the referral already made.

    Raises `StepNotPossible` to one's own division, and while the same division still works on a lead of this customer and
    family.
    """
    known = Referral.objects.filter(code=code).first()
    if known is not None:
        return known, False
    from_division = by.rep.division if by.rep is not None else by.division
    if from_division is not None and from_division.pk == to_division.pk:
        raise StepNotPossible(gettext("That is your own division: make it something to do instead of a referral."))
    Customer.objects.select_for_update().get(pk=customer.pk)  # two reps hearing the same thing at once
    open_one = (
        Referral.objects.filter(customer=customer, to_division=to_division, family=family)
        .exclude(state__in=[Referral.State.WON, Referral.State.LOST, Referral.State.RETURNED])
        .first()
    )
    if open_one is not None:
        raise StepNotPossible(
            gettext("%(division)s already works on this since %(day)s; add what you heard to that referral.")
            % {"division": to_division, "day": f"{timezone.localtime(open_one.sent_at):%Y/%m/%d}"}
        )
    now = timezone.now()
    sla = CompanySettings.current().referral_sla_days
    referral = Referral.objects.create(
        code=code,
        customer=customer,
        family=family,
        heard=heard,
        hearing=hearing,
        from_user=by,
        from_rep=by.rep,
        from_division=from_division,
        to_division=to_division,
        sent_at=now,
        accept_due=add_business_days(timezone.localdate(now), sla),
    )
    record(by, "referral.send", f"customer:{customer.code}", {"referral": referral.pk, "to": to_division.code})
    return referral, True


@transaction.atomic
def accept_referral(*, by: User, referral: Referral, rep: Rep) -> Referral:
    """The division takes it on: who follows it, and until when the customer is to be approached."""
    referral = _at_step(referral, "accept")
    if rep.division_id != referral.to_division_id:
        raise StepNotPossible(gettext("Choose somebody of %(division)s.") % {"division": referral.to_division})
    now = timezone.now()
    referral.state = Referral.State.ACCEPTED
    referral.to_rep, referral.accepted_at = rep, now
    referral.approach_due = add_business_days(timezone.localdate(now), CompanySettings.current().approach_sla_days)
    referral.save()
    who = referral.from_rep or referral.from_user
    add_action(
        by=by,
        customer=referral.customer,
        source="referral",
        source_key=f"referral:{referral.pk}",
        kind=Action.Kind.FOLLOW,
        rep=rep,
        due=referral.approach_due,
        family=referral.family,
        offer_kind="cross_sell",
        why_ja=f"{who}さんからの社内紹介:「{referral.heard}」",
        why_en=f"Referred by {who}: “{referral.heard}”",
        rank=1,
        play="referral",
    )
    record(by, "referral.accept", f"customer:{referral.customer.code}", {"referral": referral.pk, "rep": rep.code})
    return referral


@transaction.atomic
def return_referral(*, by: User, referral: Referral, reason: str) -> Referral:
    """The division does not take it, and says why."""
    referral = _at_step(referral, "return")
    if not reason.strip():
        raise StepNotPossible(gettext("Say why, so that the next referral fits."))
    referral.state, referral.returned_reason, referral.closed_at = Referral.State.RETURNED, reason, timezone.now()
    referral.save()
    record(by, "referral.return", f"customer:{referral.customer.code}", {"referral": referral.pk, "reason": reason})
    return referral


def approaches_of(referral: Referral) -> list[Touch]:
    """Touches that can show the approach: with this customer, by the one who follows it, after it was accepted."""
    if referral.accepted_at is None or referral.to_rep_id is None:
        return []
    return list(
        Touch.objects.filter(
            customer_id=referral.customer_id,
            rep_id=referral.to_rep_id,
            happened_at__gte=referral.accepted_at,
            withdrawn_at__isnull=True,
        )
        .exclude(direction="inbound")
        .order_by("happened_at")[:10]
    )


@transaction.atomic
def confirm_approach(*, by: User, referral: Referral, touch: Touch) -> Referral:
    """The process check: somebody else than the one who follows it has seen that the approach was really made.

    The referral reward becomes due. Raises `StepNotPossible` without a touch of the right people, or by the rep concerned.
    """
    referral = _at_step(referral, "approach")
    if by.rep_id is not None and by.rep_id == referral.to_rep_id:
        raise StepNotPossible(gettext("The check is made by the one who referred, or by a manager."))
    if touch.pk not in {one.pk for one in approaches_of(referral)}:
        raise StepNotPossible(
            gettext("There is no touch of %(rep)s with this customer since the referral was accepted.")
            % {"rep": referral.to_rep}
        )
    referral.state = Referral.State.APPROACHED
    referral.approach, referral.approached_at, referral.checked_by = touch, touch.happened_at, by
    referral.save()
    _earn(referral, Reward.Kind.REFERRAL, CompanySettings.current().referral_reward)
    record(by, "referral.check", f"customer:{referral.customer.code}", {"referral": referral.pk, "touch": touch.code})
    return referral


@transaction.atomic
def close_referral(
    *, by: User, referral: Referral, is_won: bool, amount: Decimal | None = None, reason: str = ""
) -> Referral:
    """Won, with the amount, or lost, with the reason. A win makes the closing reward due."""
    referral = _at_step(referral, "close")
    if is_won and (amount is None or amount <= 0):
        raise StepNotPossible(gettext("Enter the amount of the order."))
    if not is_won and not reason.strip():
        raise StepNotPossible(gettext("Say why it was lost; it is what the next one learns from."))
    referral.state = Referral.State.WON if is_won else Referral.State.LOST
    referral.amount, referral.lost_reason = (amount, "") if is_won else (None, reason)
    referral.closed_at = timezone.now()
    referral.save()
    if is_won:
        _earn(referral, Reward.Kind.CLOSING, CompanySettings.current().closing_reward)
    verb = "referral.won" if is_won else "referral.lost"
    record(by, verb, f"customer:{referral.customer.code}", {"referral": referral.pk, "amount": str(amount or "")})
    return referral


@transaction.atomic
def decide_reward(*, by: User, reward: Reward, is_approved: bool, reason: str = "") -> Reward:
    """Approve or refuse a waiting line. Nobody approves a reward of their own; a refusal says why."""
    reward = Reward.objects.select_for_update(of=("self",)).select_related("rep").get(pk=reward.pk)
    if reward.state != Reward.State.WAITING:
        raise StepNotPossible(gettext("This line has been decided already."))
    if by.rep_id is not None and by.rep_id == reward.rep_id:
        raise StepNotPossible(gettext("Somebody else has to approve your own reward."))
    if not is_approved and not reason.strip():
        raise StepNotPossible(gettext("Say why it is refused."))
    reward.state = Reward.State.APPROVED if is_approved else Reward.State.REFUSED
    reward.decided_by, reward.decided_at, reward.reason = by, timezone.now(), reason
    reward.save()
    record(by, f"reward.{reward.state}", f"reward:{reward.pk}", {"amount": str(reward.amount), "reason": reason})
    return reward


@transaction.atomic
def reverse_reward(*, by: User, reward: Reward, reason: str) -> Reward:
    """Take an approved reward back by a line of its own."""
    reward = Reward.objects.select_for_update(of=("self",)).get(pk=reward.pk)
    if reward.state != Reward.State.APPROVED or reward.kind == Reward.Kind.REVERSAL:
        raise StepNotPossible(gettext("Only an approved reward can be taken back."))
    if Reward.objects.filter(reverses=reward).exists():
        raise StepNotPossible(gettext("This reward was taken back already."))
    if not reason.strip():
        raise StepNotPossible(gettext("Say why it is taken back."))
    now = timezone.now()
    line = Reward.objects.create(
        referral_id=reward.referral_id,
        kind=Reward.Kind.REVERSAL,
        rep_id=reward.rep_id,
        amount=-reward.amount,
        state=Reward.State.APPROVED,
        earned_at=now,
        decided_by=by,
        decided_at=now,
        reason=reason,
        reverses=reward,
    )
    record(by, "reward.reverse", f"reward:{reward.pk}", {"amount": str(line.amount), "reason": reason})
    return line


@transaction.atomic
def praise(*, by: User, referral: Referral, text: str) -> Praise:
    """A word of thanks on the board."""
    if not text.strip():
        raise StepNotPossible(gettext("Write a word of thanks."))
    said = Praise.objects.create(referral=referral, by=by, text=text.strip(), at=timezone.now())
    record(by, "praise", f"referral:{referral.pk}")
    return said


@transaction.atomic
def ask_for_introduction(*, by: User, customer: Customer, note: str = "") -> Introduction:
    """Keep that a promoter was asked. Raises `StepNotPossible` for others, and within 180 days of the last time."""
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    if customer.nps is None or customer.nps < PROMOTER:
        raise StepNotPossible(gettext("Only customers who would recommend us (9 or 10) are asked."))
    now = timezone.now()
    last = customer.introductions.order_by("-asked_at").first()
    if last is not None and (now - last.asked_at).days < PAUSE_DAYS:
        raise StepNotPossible(gettext("They were asked less than half a year ago; leave them in peace."))
    asked = Introduction.objects.create(
        customer=customer, asked_by=by, rep=by.rep, asked_at=now, changed_at=now, note=note
    )
    record(by, "introduction.ask", f"customer:{customer.code}")
    return asked


@transaction.atomic
def move_introduction(
    *, by: User, introduction: Introduction, state: str, introduced_name: str = "", at: datetime | None = None
) -> Introduction:
    """Say how far an introduction came; from `introduced` on it has a name."""
    introduction = Introduction.objects.select_for_update(of=("self",)).get(pk=introduction.pk)
    if state not in Introduction.State.values:
        raise StepNotPossible(gettext("Choose how far it came."))
    name = introduced_name.strip() or introduction.introduced_name
    if state in (Introduction.State.INTRODUCED, Introduction.State.MET, Introduction.State.WON) and not name:
        raise StepNotPossible(gettext("Enter the name of the company that was introduced."))
    introduction.state, introduction.introduced_name = state, name
    introduction.introduced = Customer.objects.filter(name=name, is_listed=True).first() if name else None
    introduction.changed_at = at or timezone.now()
    introduction.save()
    record(by, f"introduction.{state}", f"customer:{introduction.customer.code}")
    return introduction


def _at_step(referral: Referral, step: str) -> Referral:
    """The referral, held for this transaction, when the step follows from where it stands now."""
    held = (
        Referral.objects.select_for_update(of=("self",))
        .select_related("customer", "to_division", "to_rep", "from_rep", "from_user")
        .get(pk=referral.pk)
    )
    if held.state not in _FROM[step]:
        raise StepNotPossible(gettext("Somebody was faster: this referral has moved on. Load the page again."))
    return held


def _earn(referral: Referral, kind: Reward.Kind, amount: Decimal) -> None:
    """The referrer's reward, waiting for approval; once a referral and kind. Nothing for a person who is no rep."""
    if referral.from_rep_id is None or amount <= 0:
        return
    Reward.objects.get_or_create(
        referral=referral,
        kind=kind,
        defaults={"rep_id": referral.from_rep_id, "amount": amount, "earned_at": timezone.now()},
    )
