"""What the processes count as done, late and open, worked by hand."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.actions import add_action, drop_action
from nobishiro.web.customers.models import Action, Customer, Touch
from nobishiro.web.people.models import Division, Rep, User
from nobishiro.web.plays import processes, selectors, services
from nobishiro.web.plays.models import WeekConfirmation
from nobishiro.web.plays.processes import Material, Tally, process_named, tally
from nobishiro.web.plays.weeks import Week, read_week, week_of
from nobishiro.web.referrals.models import Hearing, Question, Referral

pytestmark = pytest.mark.django_db
TOKYO = ZoneInfo("Asia/Tokyo")
WEEK = Week(date(2026, 11, 16))
TODAY = date(2026, 11, 19)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=TOKYO)


@pytest.fixture(autouse=True)
def _no_run(site_workspace: Path) -> None:
    """No figures were computed."""


def cases(name: str, week: Week = WEEK, today: date = TODAY) -> Tally:
    process = process_named(name)
    assert process is not None
    return tally(process.cases(Material(week, today)))


def test_a_week_runs_from_monday_to_sunday() -> None:
    assert week_of(date(2026, 11, 22)) == WEEK
    assert WEEK.sunday == date(2026, 11, 22)
    assert read_week("2026-11-18", TODAY) == WEEK
    assert read_week("nonsense", TODAY) == WEEK
    begin, end = WEEK.moments
    assert (begin, end - begin) == (at(date(2026, 11, 16), 0), timedelta(days=7))


def test_an_approach_is_late_the_day_after_it_was_due(customer: Customer) -> None:
    for number, due in enumerate([date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 25)]):
        add_action(by=None, customer=customer, source="plan", source_key=f"plan:{number}", due=due)
    assert cases("visits") == Tally(done=0, late=1, open=2)


def test_what_was_dropped_is_no_case(customer: Customer) -> None:
    action = add_action(by=None, customer=customer, source="plan", source_key="plan:1", due=date(2026, 11, 17))
    drop_action(by=None, action=action, why="no longer planned")
    assert cases("visits") == Tally()


def test_an_approach_done_this_week_counts_in_this_week_though_due_later(customer: Customer) -> None:
    action = add_action(by=None, customer=customer, source="plan", source_key="plan:1", due=date(2026, 11, 27))
    Action.objects.filter(pk=action.pk).update(state="done", ended_at=at(TODAY))
    assert cases("visits") == Tally(done=1)


def test_service_is_counted_apart_from_approaches(customer: Customer) -> None:
    add_action(by=None, customer=customer, source="plan", source_key="plan:1", kind="serve", due=date(2026, 11, 17))
    assert (cases("visits"), cases("service")) == (Tally(), Tally(late=1))


def test_hearing_counts_visits_with_an_answer_the_same_day(customer: Customer, rep: Rep) -> None:
    other = Customer.objects.create(code="K2", name="別の顧客")
    question = Question.objects.create(text_ja="検査は目視ですか")
    for number, (who, day) in enumerate(
        [(customer, date(2026, 11, 17)), (other, date(2026, 11, 17)), (other, date(2026, 11, 19))]
    ):
        Touch.objects.create(code=f"t{number}", customer=who, rep=rep, kind="visit", happened_at=at(day))
    Touch.objects.create(code="call", customer=customer, rep=rep, kind="call", happened_at=at(TODAY))
    Touch.objects.create(
        code="came", customer=customer, rep=rep, kind="visit", direction="inbound", happened_at=at(TODAY)
    )
    Hearing.objects.create(
        customer=customer,
        question=question,
        rep=rep,
        heard_on=date(2026, 11, 17),
        heard_at=at(date(2026, 11, 17)),
        answer="no",
    )
    assert cases("hearing") == Tally(done=1, late=1, open=1)
    assert cases("hearing").rate == 0.5


def test_a_referral_accepted_after_its_day_was_late_and_stays_so(customer: Customer) -> None:
    imaging = Division.objects.create(code="D2", name="画像検査")
    taker = Rep.objects.create(code="R2", name="鈴木", division=imaging)
    common = {"customer": customer, "to_division": imaging, "heard": "…", "accept_due": date(2026, 11, 17)}
    sent = at(date(2026, 11, 16))
    Referral.objects.create(
        code="a",
        sent_at=sent,
        state="accepted",
        accepted_at=at(date(2026, 11, 17)),
        approach_due=date(2026, 11, 18),
        to_rep=taker,
        **common,
    )
    Referral.objects.create(
        code="b",
        sent_at=sent,
        state="accepted",
        accepted_at=at(date(2026, 11, 18)),
        approach_due=date(2026, 11, 30),
        to_rep=taker,
        **common,
    )
    Referral.objects.create(code="c", sent_at=sent, **common)
    Referral.objects.create(code="d", sent_at=sent, state="returned", closed_at=at(date(2026, 11, 17)), **common)
    assert cases("accept") == Tally(done=2, late=2)
    assert cases("approach") == Tally(late=1)
    Touch.objects.create(code="t", customer=customer, rep=taker, kind="visit", happened_at=at(date(2026, 11, 18)))
    assert cases("approach") == Tally(done=1)


def test_rate_is_unknown_while_nothing_was_due() -> None:
    assert Tally(open=3).rate is None
    assert Tally(done=3, late=1, open=9).rate == 0.75


def test_rep_lines_put_who_is_late_first_and_add_up(customer: Customer, rep: Rep) -> None:
    other = Rep.objects.create(code="R0", name="先頭 一郎")
    add_action(by=None, customer=customer, source="plan", source_key="1", rep=rep, due=date(2026, 11, 17))
    add_action(by=None, customer=customer, source="plan", source_key="2", rep=other, due=date(2026, 11, 20))
    lines = selectors.process_lines(Material(WEEK, TODAY))
    rows = selectors.rep_lines(lines)
    assert [row.rep for row in rows] == [rep, other]
    for number, line in enumerate(lines):
        assert line.all.total == sum(row.tallies[number][1].total for row in rows)


def test_a_division_shows_its_own_reps_alone(customer: Customer, rep: Rep, division: Division) -> None:
    other = Rep.objects.create(code="R9", name="よその人")
    add_action(by=None, customer=customer, source="plan", source_key="1", rep=rep, due=date(2026, 11, 17))
    add_action(by=None, customer=customer, source="plan", source_key="2", rep=other, due=date(2026, 11, 17))
    own = selectors.process_lines(Material(WEEK, TODAY), division=division.pk)
    assert own[0].all == Tally(late=1)


def test_confirming_again_brings_the_week_up_to_date(person: Callable[[Role], User], division: Division) -> None:
    manager = person(Role.MANAGER)
    for note in ("見ました", "遅れは月曜に挽回"):
        services.confirm_week(by=manager, week=WEEK, division=None, note=note, figures={"visits": {"done": 1}})
    services.confirm_week(by=manager, week=WEEK, division=division, note="", figures={})
    assert WeekConfirmation.objects.count() == 2
    confirmed = selectors.confirmation(WEEK, None)
    assert confirmed is not None
    assert (confirmed.note, confirmed.confirmed_by) == ("遅れは月曜に挽回", manager)


def test_weeks_with_work_that_nobody_confirmed_are_named(customer: Customer, person: Callable[[Role], User]) -> None:
    add_action(by=None, customer=customer, source="plan", source_key="1", due=date(2026, 11, 4))
    oldest = selectors.open_sum().oldest
    assert selectors.unconfirmed_before(WEEK, oldest, {}) == [Week(date(2026, 11, 9)), Week(date(2026, 11, 2))]
    services.confirm_week(by=person(Role.MANAGER), week=Week(date(2026, 11, 9)), division=None, note="", figures={})
    known = selectors.confirmed_weeks(WEEK)
    assert selectors.unconfirmed_before(WEEK, oldest, known) == [Week(date(2026, 11, 2))]


def test_every_process_says_what_it_asks_and_what_shows_it() -> None:
    for process in processes.PROCESSES:
        assert str(process.asks)
        assert str(process.shown_by)
        assert process.cases(Material(WEEK, TODAY)) == []
