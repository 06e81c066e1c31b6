"""What the pages of this room read. Referrals are company-wide; whose turn it is depends on the person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from nobishiro.web.core.permissions import Permission
from nobishiro.web.customers.listing import listed
from nobishiro.web.customers.models import Customer, Family
from nobishiro.web.customers.next_step import PROMOTER
from nobishiro.web.people.models import Rep, User
from nobishiro.web.referrals.models import Hearing, Introduction, Praise, Question, Referral, Reward
from nobishiro.web.referrals.services import PAUSE_DAYS

OPEN = (Referral.State.SENT, Referral.State.ACCEPTED, Referral.State.APPROACHED)
_JOINED = ("customer", "from_rep", "from_user", "from_division", "to_division", "to_rep", "approach")


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures of the sentence at the top."""

    waiting: int
    """Sent and not yet accepted."""
    waiting_late: int
    following: int
    following_late: int
    unchecked: int
    """Accepted, with a touch that nobody has looked at."""


def division_of(user: User) -> int | None:
    """The person's division: the rep's, else the account's."""
    return user.rep.division_id if user.rep is not None else user.division_id


def referrals_for(user: User, *, whose: str, state: str = "") -> QuerySet[Referral]:
    """`whose` is `in` (to my division), `out` (made by me) or `all`; `state` is a state, `open`, or empty for all."""
    found = Referral.objects.select_related(*_JOINED)
    if whose == "in":
        found = found.filter(to_division_id=division_of(user))
    elif whose == "out":
        found = found.filter(Q(from_user=user) | Q(from_rep__isnull=False, from_rep=user.rep))
    if state == "open":
        found = found.filter(state__in=OPEN)
    elif state:
        found = found.filter(state=state)
    return found


def standing(found: QuerySet[Referral], today: date) -> Standing:
    """Counts over the referrals of one list."""
    from nobishiro.web.customers.models import Touch

    followed = Touch.objects.filter(
        customer_id=OuterRef("customer_id"),
        rep_id=OuterRef("to_rep_id"),
        happened_at__gte=OuterRef("accepted_at"),
        withdrawn_at__isnull=True,
    ).exclude(direction="inbound")
    figures = (
        found.select_related(None)
        .order_by()
        .annotate(has_touch=Exists(followed))
        .aggregate(
            waiting=Count("pk", filter=Q(state="sent")),
            waiting_late=Count("pk", filter=Q(state="sent", accept_due__lt=today)),
            following=Count("pk", filter=Q(state="accepted")),
            following_late=Count("pk", filter=Q(state="accepted", approach_due__lt=today, has_touch=False)),
            unchecked=Count("pk", filter=Q(state="accepted", has_touch=True)),
        )
    )
    return Standing(**figures)


def standing_of(referrals: Iterable[Referral], today: date) -> Standing:
    """The same counts over referrals that are at hand and carry `has_touch`."""
    sent = [one for one in referrals if one.state == Referral.State.SENT]
    accepted = [one for one in referrals if one.state == Referral.State.ACCEPTED]
    untouched = [one for one in accepted if not getattr(one, "has_touch", False)]
    return Standing(
        waiting=len(sent),
        waiting_late=sum(one.accept_due < today for one in sent),
        following=len(accepted),
        following_late=sum(one.approach_due is not None and one.approach_due < today for one in untouched),
        unchecked=len(accepted) - len(untouched),
    )


def family_names(codes: set[str]) -> dict[str, str]:
    """Names of product families by code."""
    return dict(Family.objects.filter(code__in=codes).values_list("code", "name"))


def takers(referral: Referral) -> QuerySet[Rep]:
    """Who of the receiving division may take it on today."""
    today = timezone.localdate()
    return Rep.objects.filter(division_id=referral.to_division_id).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=today)
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the checklist with what was last heard from this customer."""

    question: Question
    last: Hearing | None


def checklist(customer: Customer) -> list[Asked]:
    """The questions to ask, each with the newest answer of this customer."""
    newest: dict[int, Hearing] = {}
    for hearing in Hearing.objects.filter(customer=customer).select_related("rep").order_by("heard_at"):
        newest[hearing.question_id] = hearing
    questions = Question.objects.filter(is_asked=True).select_related("division")
    return [Asked(question, newest.get(question.pk)) for question in questions]


def may_check(user: User, referral: Referral) -> bool:
    """Whether this person may confirm the approach: the referrer or a manager, never the one who follows it."""
    if user.rep_id is not None and user.rep_id == referral.to_rep_id:
        return False
    mine = referral.from_user_id == user.pk or (user.rep_id is not None and user.rep_id == referral.from_rep_id)
    return mine or user.may(Permission.CONFIRM)


def may_work(user: User, referral: Referral) -> bool:
    """Whether this person may accept, return and close it: somebody of the receiving division, or a manager."""
    return user.may(Permission.CONFIRM) or division_of(user) == referral.to_division_id


def ledger(user: User, *, rep: int | None, state: str, since: date, until: date) -> QuerySet[Reward]:
    """Lines of the reward ledger; a rep sees their own, who approves sees all."""
    found = Reward.objects.select_related(
        "referral__customer", "referral__to_division", "rep__division", "decided_by"
    ).filter(earned_at__date__gte=since, earned_at__date__lte=until)
    if not user.may(Permission.CONFIRM):
        found = found.filter(rep__isnull=False, rep=user.rep)
    elif rep is not None:
        found = found.filter(rep_id=rep)
    return found.filter(state=state) if state else found


@dataclass(frozen=True, slots=True)
class BoardLine:
    """What one person's referrals came to in a period."""

    rep: Rep
    made: int
    accepted: int
    approached: int
    won: int
    amount: Decimal


def board(since: datetime, until: datetime) -> list[BoardLine]:
    """Who referred, and what came of it; most won first, then most accepted."""
    reps = {rep.pk: rep for rep in Rep.objects.select_related("division")}
    figures = (
        Referral.objects.filter(sent_at__gte=since, sent_at__lt=until, from_rep__isnull=False)
        .order_by()
        .values("from_rep")
        .annotate(
            made=Count("pk"),
            accepted=Count("pk", filter=Q(accepted_at__isnull=False)),
            approached=Count("pk", filter=Q(approached_at__isnull=False)),
            won=Count("pk", filter=Q(state="won")),
            amount=Sum("amount", filter=Q(state="won")),
        )
    )
    lines = [
        BoardLine(
            reps[row["from_rep"]],
            row["made"],
            row["accepted"],
            row["approached"],
            row["won"],
            row["amount"] or Decimal(0),
        )
        for row in figures
    ]
    return sorted(lines, key=lambda line: (-line.won, -line.accepted, -line.made, line.rep.code))


def praises(since: datetime, until: datetime) -> QuerySet[Praise]:
    """Words of thanks in the period."""
    return Praise.objects.filter(at__gte=since, at__lt=until).select_related(
        "by", "referral__customer", "referral__from_rep", "referral__from_user"
    )


def promoters_to_ask(user: User, *, mine: bool) -> QuerySet[Customer]:
    """Promoters whom nobody asked within half a year, A and B first; one's own customers when `mine`."""
    since = timezone.now() - timedelta(days=PAUSE_DAYS)
    asked = Introduction.objects.filter(customer_id=OuterRef("pk"), asked_at__gte=since)
    found = listed().filter(nps__gte=PROMOTER).exclude(Exists(asked)).select_related("main_rep")
    if mine and user.rep is not None:
        found = found.filter(Q(main_rep=user.rep) | Q(owners__rep=user.rep)).distinct()
    return found.order_by("quadrant", "-nps", "kana", "name")


def introductions() -> QuerySet[Introduction]:
    """Every introduction asked for, newest first."""
    return Introduction.objects.select_related("customer", "asked_by", "rep", "introduced")
