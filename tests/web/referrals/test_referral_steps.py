"""A referral goes from hearing to reward, each step once, in order, with who and when."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Action, Customer, Touch
from nobishiro.web.customers.touches import add_touch, withdraw_touch
from nobishiro.web.people.models import Division, Rep, User
from nobishiro.web.plays.processes import Material
from nobishiro.web.plays.weeks import week_of
from nobishiro.web.referrals import selectors, services
from nobishiro.web.referrals.models import Hearing, Question, Referral, Reward
from nobishiro.web.referrals.services import StepNotPossible

pytestmark = pytest.mark.django_db
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def imaging() -> Division:
    return Division.objects.create(code="D2", name="画像検査")


@pytest.fixture
def taker(imaging: Division) -> Rep:
    return Rep.objects.create(code="R2", name="鈴木 花", division=imaging)


@pytest.fixture
def window_rep(person: Callable[[Role], User]) -> User:
    return person(Role.REP)


@pytest.fixture
def specialist(taker: Rep) -> User:
    user = User.objects.create_user("hana@example.jp", "鈴木 花", Role.REP)
    user.rep = taker
    user.save()
    return user


@pytest.fixture
def manager(person: Callable[[Role], User]) -> User:
    return person(Role.MANAGER)


@pytest.fixture
def sent(window_rep: User, customer: Customer, imaging: Division) -> Referral:
    return services.send_referral(
        by=window_rep, code="c-1", customer=customer, to_division=imaging, heard="目視検査の人手が足りない"
    )[0]


def approached(sent: Referral, specialist: User, window_rep: User) -> Referral:
    accepted = services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    touch = add_touch(
        by=specialist,
        code="t-1",
        customer=sent.customer,
        kind="visit",
        happened_at=timezone.now() + timedelta(minutes=1),
    )
    return services.confirm_approach(by=window_rep, referral=accepted, touch=touch)


def test_sending_the_same_form_twice_makes_one_referral(
    window_rep: User, customer: Customer, imaging: Division, sent: Referral
) -> None:
    again, is_new = services.send_referral(
        by=window_rep, code="c-1", customer=customer, to_division=imaging, heard="もう一度"
    )
    assert (again.pk, is_new, Referral.objects.count()) == (sent.pk, False, 1)


def test_two_open_referrals_of_the_same_need_are_refused(
    window_rep: User, customer: Customer, imaging: Division, sent: Referral
) -> None:
    with pytest.raises(StepNotPossible, match="画像検査"):
        services.send_referral(by=window_rep, code="c-2", customer=customer, to_division=imaging, heard="同じ話")


def test_own_division_is_no_referral(window_rep: User, customer: Customer, division: Division) -> None:
    with pytest.raises(StepNotPossible):
        services.send_referral(by=window_rep, code="c-3", customer=customer, to_division=division, heard="…")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 11, 20, 17, 0, tzinfo=TOKYO), date(2026, 11, 24)),  # Friday; Monday 23 is a holiday
        (datetime(2026, 11, 24, 9, 0, tzinfo=TOKYO), date(2026, 11, 25)),
    ],
)
def test_acceptance_is_due_on_the_next_business_day_of_the_company(
    monkeypatch: pytest.MonkeyPatch, now: datetime, due: date, window_rep: User, customer: Customer, imaging: Division
) -> None:
    monkeypatch.setattr(services.timezone, "now", lambda: now)
    referral, _ = services.send_referral(by=window_rep, code="c-9", customer=customer, to_division=imaging, heard="話")
    assert referral.accept_due == due


def test_accepting_makes_something_to_do_for_who_follows_it(sent: Referral, specialist: User) -> None:
    services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    action = Action.objects.get(source_key=f"referral:{sent.pk}")
    assert (action.rep, action.customer, action.kind) == (specialist.rep, sent.customer, "follow")
    assert "目視検査の人手が足りない" in action.why_ja


def test_somebody_of_another_division_cannot_follow_it(sent: Referral, specialist: User, rep: Rep) -> None:
    with pytest.raises(StepNotPossible):
        services.accept_referral(by=specialist, referral=sent, rep=rep)


def test_a_referral_is_accepted_once(sent: Referral, specialist: User) -> None:
    services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    with pytest.raises(StepNotPossible):
        services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    with pytest.raises(StepNotPossible):
        services.return_referral(by=specialist, referral=sent, reason="遅かった")


def test_the_approach_needs_a_touch_after_the_acceptance(
    sent: Referral, specialist: User, window_rep: User, customer: Customer
) -> None:
    before = add_touch(
        by=specialist, code="t-0", customer=customer, kind="visit", happened_at=timezone.now() - timedelta(days=2)
    )
    accepted = services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    with pytest.raises(StepNotPossible):
        services.confirm_approach(by=window_rep, referral=accepted, touch=before)
    assert not Reward.objects.exists()


def test_a_withdrawn_touch_shows_nothing(sent: Referral, specialist: User, customer: Customer) -> None:
    accepted = services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    touch = add_touch(
        by=specialist, code="t-1", customer=customer, kind="visit", happened_at=timezone.now() + timedelta(minutes=1)
    )
    assert services.approaches_of(accepted) == [touch]
    withdraw_touch(by=specialist, touch=touch)
    assert services.approaches_of(accepted) == []


def test_who_follows_it_cannot_confirm_their_own_approach(sent: Referral, specialist: User, customer: Customer) -> None:
    accepted = services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    touch = add_touch(
        by=specialist, code="t-1", customer=customer, kind="call", happened_at=timezone.now() + timedelta(minutes=1)
    )
    with pytest.raises(StepNotPossible):
        services.confirm_approach(by=specialist, referral=accepted, touch=touch)


def test_both_rewards_wait_for_approval_and_are_earned_once(
    sent: Referral, specialist: User, window_rep: User, manager: User
) -> None:
    referral = approached(sent, specialist, window_rep)
    services.close_referral(by=specialist, referral=referral, is_won=True, amount=Decimal(1_200_000))
    with pytest.raises(StepNotPossible):
        services.close_referral(by=specialist, referral=referral, is_won=True, amount=Decimal(1_200_000))
    lines = {line.kind: line for line in Reward.objects.all()}
    assert {kind: (line.amount, line.state, line.rep) for kind, line in lines.items()} == {
        "referral": (1000, "waiting", window_rep.rep),
        "closing": (10000, "waiting", window_rep.rep),
    }
    services.decide_reward(by=manager, reward=lines["closing"], is_approved=True)
    with pytest.raises(StepNotPossible):
        services.decide_reward(by=manager, reward=lines["closing"], is_approved=False, reason="やはり")


def test_an_approved_reward_is_taken_back_by_a_line_of_its_own_and_once(
    sent: Referral, specialist: User, window_rep: User, manager: User
) -> None:
    approached(sent, specialist, window_rep)
    reward = services.decide_reward(by=manager, reward=Reward.objects.get(), is_approved=True)
    back = services.reverse_reward(by=manager, reward=reward, reason="二重でした")
    assert (back.amount, Reward.objects.get(pk=reward.pk).amount) == (-1000, 1000)
    with pytest.raises(StepNotPossible):
        services.reverse_reward(by=manager, reward=reward, reason="もう一度")


def test_a_lost_referral_keeps_the_referral_reward_and_earns_no_other(
    sent: Referral, specialist: User, window_rep: User
) -> None:
    referral = approached(sent, specialist, window_rep)
    with pytest.raises(StepNotPossible):
        services.close_referral(by=specialist, referral=referral, is_won=False, reason=" ")
    services.close_referral(by=specialist, referral=referral, is_won=False, reason="価格")
    assert [line.kind for line in Reward.objects.all()] == ["referral"]


def test_each_step_is_in_the_audit_trail(sent: Referral, specialist: User, window_rep: User) -> None:
    approached(sent, specialist, window_rep)
    verbs = list(AuditEntry.objects.filter(verb__startswith="referral.").order_by("id").values_list("verb", flat=True))
    assert verbs == ["referral.send", "referral.accept", "referral.check"]


def test_answering_again_the_same_day_corrects(window_rep: User, customer: Customer) -> None:
    question = Question.objects.create(text_ja="検査は目視ですか")
    services.answer_question(by=window_rep, customer=customer, question=question, answer="no")
    services.answer_question(by=window_rep, customer=customer, question=question, answer="yes", note="月末は徹夜")
    hearing = Hearing.objects.get()
    assert (hearing.answer, hearing.note, hearing.rep) == ("yes", "月末は徹夜", window_rep.rep)


@pytest.mark.parametrize("nps", [None, 0, 8])
def test_only_promoters_are_asked_for_an_introduction(window_rep: User, customer: Customer, nps: float | None) -> None:
    Customer.objects.filter(pk=customer.pk).update(nps=nps)
    with pytest.raises(StepNotPossible):
        services.ask_for_introduction(by=window_rep, customer=customer)
    assert customer not in selectors.promoters_to_ask(window_rep, mine=False)


def test_a_promoter_is_not_asked_again_within_half_a_year(window_rep: User, customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(nps=9)
    asked = services.ask_for_introduction(by=window_rep, customer=customer)
    with pytest.raises(StepNotPossible):
        services.ask_for_introduction(by=window_rep, customer=customer)
    assert customer not in selectors.promoters_to_ask(window_rep, mine=False)
    asked.asked_at = timezone.now() - timedelta(days=services.PAUSE_DAYS + 1)
    asked.save()
    assert customer in selectors.promoters_to_ask(window_rep, mine=True)
    services.ask_for_introduction(by=window_rep, customer=customer)


def test_an_introduction_has_a_name_from_when_it_was_made(window_rep: User, customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(nps=10)
    asked = services.ask_for_introduction(by=window_rep, customer=customer)
    with pytest.raises(StepNotPossible):
        services.move_introduction(by=window_rep, introduction=asked, state="introduced")
    moved = services.move_introduction(
        by=window_rep, introduction=asked, state="introduced", introduced_name="北浜製菓"
    )
    assert (moved.introduced_name, moved.introduced) == ("北浜製菓", None)


def test_standing_counts_what_is_late_and_what_waits_for_a_check(
    sent: Referral, specialist: User, window_rep: User, customer: Customer
) -> None:
    everything = selectors.referrals_for(window_rep, whose="all")
    late = selectors.standing(everything, sent.accept_due + timedelta(days=1))
    assert (late.waiting, late.waiting_late, late.unchecked) == (1, 1, 0)
    accepted = services.accept_referral(by=specialist, referral=sent, rep=specialist.rep)
    assert accepted.approach_due is not None
    overdue = selectors.standing(everything, accepted.approach_due + timedelta(days=1))
    assert (overdue.waiting, overdue.following, overdue.following_late) == (0, 1, 1)
    Touch.objects.create(
        code="t-2", customer=customer, rep=specialist.rep, kind="visit", happened_at=timezone.now() + timedelta(hours=1)
    )
    checked = selectors.standing(everything, accepted.approach_due + timedelta(days=1))
    assert (checked.following_late, checked.unchecked) == (0, 1)
    day = accepted.approach_due + timedelta(days=1)
    at_hand = Material(week_of(day), day).referrals
    assert selectors.standing_of(at_hand, day) == selectors.standing(everything, day)
