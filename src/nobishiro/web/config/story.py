"""What people of a demo company did in the last weeks: the part of the story that no import brings.

Everything else a visitor sees was computed. The rows here are dated back, which only a demo may do; every screen of it says that
the data are simulated.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import polars as pl
from django.db import transaction
from django.utils import timezone

from nobishiro.pipelines.touch_hours import touches_between
from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.hours import customer_places
from nobishiro.web.customers.models import Action, Customer
from nobishiro.web.customers.outcomes import record_outcome
from nobishiro.web.customers.touches import add_touch
from nobishiro.web.people.calendar import add_business_days, is_business_day
from nobishiro.web.people.demo_people import demo_person
from nobishiro.web.people.models import CompanySettings, Division, Rep, User
from nobishiro.web.plays.models import WeekConfirmation
from nobishiro.web.plays.weeks import week_of
from nobishiro.web.referrals.models import Hearing, Praise, Question, Referral, Reward
from nobishiro.web.referrals.services import propose_questions, save_question

_ASKED: Final = (
    (
        "画像検査",
        "目で検査されている工程はありますか。人手は足りていますか",
        "Is there a step you inspect by eye? Are there enough people for it?",
    ),
    (
        "計測",
        "測った値を手で書き写しておられる所はありますか",
        "Is there a place where measured values are written down by hand?",
    ),
    (
        "保守",
        "止まると困る設備で、点検が追いつかないものはありますか",
        "Is there equipment that must not stop and is not checked often enough?",
    ),
)
"""The maker's checklist: (division, question, question in English)."""
_HEARD: Final = (
    ("検査員が二人辞められて、月末は残業で回しておられるとのこと。", "won"),
    ("温度の記録を紙からExcelに打ち直しておられる。監査で指摘あり。", "approached"),
    ("ラインの停止が今月3回。点検の契約を見直したいとのお話。", "accepted"),
    ("来期に検査装置の予算を取りたいとのこと。", "sent"),
    ("ラベルの印字かすれをカメラで見たいとのご相談。", "sent"),
)
_TOLD: Final = tuple(f"C{number:06d}" for number in range(1, 9))
"""Customers the story is told with: what happens to them is left to the visitor."""
_RESULTS: Final = ("open", "open", "considering", "declined", "won", "open", "dismissed", "considering")


@transaction.atomic
def begin_story(business: str, today: date) -> None:
    """Checklist, referrals on their way, outcomes of the last two weeks, weeks confirmed. Nothing where there are no reps."""
    manager, rep = demo_person(Role.MANAGER), demo_person(Role.REP)
    demo_person(Role.ADMINISTRATOR)
    settings = CompanySettings.current()
    settings.save()
    _ask(manager, business)
    if rep.rep is None:
        return
    reps = list(Rep.objects.filter(valid_to=None))
    _visit(reps, today)
    _approach(manager, reps, today)
    _work(rep, today)
    _refer(manager, rep, today)
    _confirm(manager, today)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), timezone.get_current_timezone())


def _business_days_before(today: date, count: int) -> list[date]:
    """The last `count` business days before `today`, the oldest first."""
    found: list[date] = []
    day = today
    while len(found) < count:
        day -= timedelta(days=1)
        if is_business_day(day):
            found.append(day)
    return found[::-1]


def _ask(manager: User, business: str) -> None:
    if business != "maker":
        propose_questions(by=manager)
        return
    for position, (division, ja, en) in enumerate(_ASKED, start=1):
        found = Division.objects.filter(name=division).first()
        save_question(
            by=manager,
            question=None,
            text_ja=ja,
            text_en=en,
            division=found,
            family="",
            position=position * 10,
            is_asked=True,
        )


def _work(rep: User, today: date) -> None:
    """Outcomes of the rep's last ten business days, on customers the story leaves alone."""
    assert rep.rep is not None
    own = Customer.objects.filter(main_rep=rep.rep, is_listed=True, quadrant__in="ABC").exclude(code__in=_TOLD)
    customers = list(own.order_by("pk")[:16])
    days = _business_days_before(today, 10)
    questions = list(Question.objects.filter(is_asked=True))
    for number, customer in enumerate(customers):
        day = days[number % len(days)]
        record_outcome(
            by=rep, code=f"demo-{number}", customer=customer, result=_RESULTS[number % len(_RESULTS)],
            happened_at=_at(day, 10 + number % 6), minutes=45, note="", reason="price" if number % 8 == 3 else "",
            amount=Decimal(180_000) if number % 8 == 4 else None,
        )  # fmt: skip
        if number % 3 and questions:
            Hearing.objects.get_or_create(
                customer=customer, question=questions[number % len(questions)], heard_on=day,
                defaults={"rep": rep.rep, "heard_at": _at(day, 11), "answer": "no" if number % 2 else "later", "entered_by": rep},
            )  # fmt: skip


def _visit(reps: list[Rep], today: date) -> None:
    """Of the visits an import brought, three in five were heard; a rep's approaches of the last weeks, most of them made."""
    questions = list(Question.objects.filter(is_asked=True))
    run = published()
    if run is None or not questions:
        return
    visits = touches_between(run, today - timedelta(days=28), today).filter(pl.col("kind") == "visit")
    customers = dict(customer_places().select("customer_id", "pk").iter_rows())
    known = {rep.code: rep for rep in reps}
    seen = set(Hearing.objects.values_list("customer_id", "heard_on"))
    heard = []
    for number, row in enumerate(visits.iter_rows(named=True)):
        customer, day = customers.get(row["customer_id"]), row["happened_at"].date()
        if customer is None or number % 5 > 2 or (customer, day) in seen:
            continue
        seen.add((customer, day))
        question = questions[number % len(questions)]
        heard.append(
            Hearing(
                customer_id=customer, question=question, rep=known.get(row["rep_id"]), heard_on=day,
                heard_at=_at(day, 12), answer="no" if number % 4 else "later",
            )
        )  # fmt: skip
    Hearing.objects.bulk_create(heard)


def _approach(manager: User, reps: list[Rep], today: date) -> None:
    """What the plan asked of each rep in the last two weeks: seven in eight done in time, the rest late."""
    days = _business_days_before(today, 8)
    for place, rep in enumerate(reps):
        free = Customer.objects.filter(main_rep=rep, is_listed=True, quadrant__in="ABC").exclude(code__in=_TOLD)
        for number, customer in enumerate(free.order_by("-pk")[:8]):
            day = days[number % len(days)]
            action = add_action(
                by=None, customer=customer, source="plan", source_key=f"plan:demo:{rep.code}:{number}", rep=rep, due=day,
                rank=100 + number, hours=1.5, offer_kind="cross_sell", why_ja="先週の計画から", why_en="From last week's plan",
            )  # fmt: skip
            if (number + place) % 8:
                ended = _at(day, 15)
                Action.objects.filter(pk=action.pk).update(state=Action.State.DONE, ended_at=ended)


def _refer(manager: User, rep: User, today: date) -> None:
    """Five referrals of the rep, each further on than the next."""
    assert rep.rep is not None
    others = list(Division.objects.exclude(pk=rep.rep.division_id or -1))
    customers = list(
        Customer.objects.filter(main_rep=rep.rep, is_listed=True, quadrant__in=["A", "B"])
        .exclude(name__contains="東和食品機械")
        .order_by("-potential", "pk")[: len(_HEARD)]
    )
    days = _business_days_before(today, 22)
    for number, (customer, (heard, state)) in enumerate(zip(customers, _HEARD, strict=False)):
        division = others[number % len(others)] if others else None
        taker = Rep.objects.filter(division=division, valid_to=None).first() if division else None
        if division is None or taker is None:
            return
        sent = (
            days[0]
            if state == "won"
            else days[8]
            if state == "approached"
            else days[15]
            if state == "accepted"
            else days[-number + 1]
        )
        referral = Referral.objects.create(
            code=f"demo-{number}", customer=customer, heard=heard, from_user=rep, from_rep=rep.rep,
            from_division=rep.rep.division, to_division=division, sent_at=_at(sent, 16), accept_due=add_business_days(sent, 1),
        )  # fmt: skip
        if state == "sent":
            continue
        accepted = add_business_days(sent, 1)
        referral.state, referral.to_rep, referral.accepted_at = Referral.State.ACCEPTED, taker, _at(accepted, 9)
        referral.approach_due = add_business_days(accepted, 10)
        approach = add_business_days(accepted, 3)
        touch = add_touch(
            by=_specialist(taker), code=f"web-demo-approach-{number}", customer=customer, kind="visit", happened_at=_at(approach, 14),
            minutes=50, subject="社内紹介のご相談",
        )  # fmt: skip
        if state in ("approached", "won"):
            referral.state, referral.approach, referral.approached_at = (
                Referral.State.APPROACHED,
                touch,
                touch.happened_at,
            )
            referral.checked_by = manager
            Reward.objects.create(
                referral=referral, kind="referral", rep=rep.rep, amount=1000, earned_at=_at(approach, 18),
                state="approved" if state == "won" else "waiting", decided_by=manager if state == "won" else None,
                decided_at=_at(add_business_days(approach, 1), 10) if state == "won" else None,
            )  # fmt: skip
        if state == "won":
            closed = days[-2]
            referral.state, referral.amount, referral.closed_at = (
                Referral.State.WON,
                Decimal(2_400_000),
                _at(closed, 15),
            )
            Reward.objects.create(
                referral=referral, kind="closing", rep=rep.rep, amount=10000, earned_at=_at(closed, 15)
            )
            Praise.objects.create(
                referral=referral, by=manager, text="現場の一言を聞きのがさなかったおかげです。", at=_at(closed, 17)
            )
        referral.save()


def _specialist(rep: Rep) -> User:
    """The account of a rep of another division; nobody can sign in with it."""
    known = User.objects.filter(rep=rep).first()
    if known is not None:
        return known
    made = User.objects.create_user(f"{rep.code.lower()}@demo.invalid", rep.name, Role.REP)
    made.rep, made.division = rep, rep.division
    made.save(update_fields=["rep", "division"])
    return made


def _confirm(manager: User, today: date) -> None:
    """The three weeks before the last were confirmed; the last one waits."""
    week = week_of(today).before.before
    for _ in range(3):
        WeekConfirmation.objects.create(
            week=week.monday, confirmed_by=manager, confirmed_at=_at(week.sunday + timedelta(days=1), 9), note=""
        )
        week = week.before
