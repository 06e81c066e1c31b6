"""What people do to a customer: actions, outcomes, touches, facts, overrides, tags."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.actions import add_action, drop_action, reopen_action
from nobishiro.web.customers.facts import (
    IMPORTANT,
    add_fact,
    coverage_counts,
    coverage_of,
    known_facts,
    questions_for,
    told_total,
    withdraw_fact,
)
from nobishiro.web.customers.models import Action, Contact, Customer, Fact, Outcome, Override, Tag, Touch
from nobishiro.web.customers.outcomes import record_outcome, withdraw_outcome
from nobishiro.web.customers.overrides import set_override, withdraw_override
from nobishiro.web.customers.tags import current_tag, set_tag
from nobishiro.web.customers.touches import add_touch, withdraw_touch
from nobishiro.web.people.models import Rep, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def sato(person: Callable[[Role], User]) -> User:
    return person(Role.REP)


def test_same_source_key_is_one_action_updated_while_open(sato: User, customer: Customer) -> None:
    first = add_action(by=sato, customer=customer, source="map", source_key="map:1", family="F1")
    again = add_action(by=sato, customer=customer, source="map", source_key="map:1", family="F2")
    assert again.pk == first.pk and Action.objects.get().family == "F2" and again.rep == customer.main_rep


def test_ended_action_is_left_alone_when_made_again(sato: User, customer: Customer) -> None:
    action = add_action(by=sato, customer=customer, source="map", source_key="map:1", family="F1")
    drop_action(by=sato, action=action, why="moved away")
    again = add_action(by=sato, customer=customer, source="map", source_key="map:1", family="F2")
    assert (again.state, again.family) == ("dropped", "F1")
    reopen_action(by=sato, action=again)
    assert Action.objects.get().state == "open"


def test_tap_sent_twice_counts_once_and_writes_one_daily_report(sato: User, customer: Customer) -> None:
    action = add_action(by=None, customer=customer, source="plan", source_key="plan:1", family="F1", product_code="P1")
    outcome, is_new = record_outcome(by=sato, code="c-1", customer=customer, result="open", action=action, minutes=30)
    again, is_again_new = record_outcome(by=sato, code="c-1", customer=customer, result="won", action=action)
    assert (is_new, is_again_new, again.pk, again.result) == (True, False, outcome.pk, "open")
    assert (outcome.family, outcome.product_code) == ("F1", "P1")
    assert Outcome.objects.count() == 1
    touch = Touch.objects.get()
    assert (touch.code, touch.minutes, touch.rep) == ("web-c-1", 30, sato.rep)
    assert Action.objects.get().state == "done"
    customer.refresh_from_db()
    assert customer.last_touch_day == timezone.localdate()


def test_undo_takes_outcome_and_touch_back_and_opens_the_action(sato: User, customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(last_touch_day=None)
    action = add_action(by=None, customer=customer, source="plan", source_key="plan:1")
    outcome, _ = record_outcome(by=sato, code="c-1", customer=customer, result="declined", action=action)
    with pytest.raises(BadInput):
        reopen_action(by=sato, action=Action.objects.get())
    withdraw_outcome(by=sato, outcome=outcome)
    withdraw_outcome(by=sato, outcome=outcome)
    assert Action.objects.get().state == "open" and Action.objects.get().outcome is None
    assert Touch.objects.get().withdrawn_at is not None
    customer.refresh_from_db()
    assert customer.last_touch_day is None
    again, is_new = record_outcome(by=sato, code="c-1", customer=customer, result="declined", action=action)
    assert not is_new and again.withdrawn_at is not None and Action.objects.get().state == "open"
    assert AuditEntry.objects.filter(verb="outcome.withdraw").count() == 1


def test_dismissed_is_no_contact(sato: User, customer: Customer) -> None:
    record_outcome(by=sato, code="c-1", customer=customer, result="dismissed")
    assert not Touch.objects.exists()


def test_code_of_one_customer_is_refused_for_another(sato: User, customer: Customer) -> None:
    other = Customer.objects.create(code="2", name="他社")
    record_outcome(by=sato, code="c-1", customer=customer, result="open")
    with pytest.raises(BadInput):
        record_outcome(by=sato, code="c-1", customer=other, result="open")
    with pytest.raises(BadInput):
        add_touch(by=sato, code="c-1", customer=other, kind="visit")


@pytest.mark.parametrize("code", ["", "x" * 97, "a b", "<script>"])
def test_code_that_no_client_makes_is_refused(sato: User, customer: Customer, code: str) -> None:
    with pytest.raises(BadInput):
        record_outcome(by=sato, code=code, customer=customer, result="open")


def test_touch_moves_the_last_contact_forward_only_and_back_when_withdrawn(sato: User, customer: Customer) -> None:
    now = timezone.now()
    new = add_touch(by=sato, code="t-2", customer=customer, kind="call", happened_at=now)
    add_touch(by=sato, code="t-1", customer=customer, kind="visit", happened_at=now - timedelta(days=9))
    customer.refresh_from_db()
    assert customer.last_touch_day == timezone.localdate(now)
    withdraw_touch(by=sato, touch=Touch.objects.get(pk=new.pk))
    customer.refresh_from_db()
    assert customer.last_touch_day == timezone.localdate(now - timedelta(days=9))


def test_touch_in_the_future_happened_now(sato: User, customer: Customer) -> None:
    touch = add_touch(
        by=sato, code="t", customer=customer, kind="visit", happened_at=timezone.now() + timedelta(days=3)
    )
    assert touch.happened_at <= timezone.now()


def test_coverage_counts_known_and_fresh_of_the_eight(sato: User, customer: Customer) -> None:
    assert coverage_of(customer).known == 0 and len(questions_for(customer)) == len(IMPORTANT) == 8
    today = timezone.localdate()
    add_fact(by=sato, customer=customer, fact="outlook", value="増産")
    add_fact(by=sato, customer=customer, fact="competitor_buys", subject="F1", value="A社")  # not one of the eight
    add_fact(
        by=sato, customer=customer, fact="investment_plan", value="なし", learned_on=today - timedelta(days=400)
    )  # out of date
    add_fact(by=sato, customer=customer, fact="total_spend", subject="F1", amount=500_000)  # of one family only
    Contact.objects.create(code="K1", customer=customer, is_key_person=True)  # answers who decides
    assert coverage_of(customer).codes == {"outlook", "deciding_department"}
    assert coverage_counts(today) == {customer.pk: 2} == coverage_counts(today, [customer.pk])
    add_fact(by=sato, customer=customer, fact="total_spend", amount=18_000_000)
    customer.refresh_from_db()
    assert customer.coverage == 3
    questions = questions_for(customer)
    assert [question.fact for question in questions][-1] == "investment_plan"  # known once: asked last
    assert questions[-1].last is not None and questions[-1].last.value == "なし"


def test_newest_fact_counts_and_all_are_kept(sato: User, customer: Customer) -> None:
    today = timezone.localdate()
    old = add_fact(by=sato, customer=customer, fact="total_spend", amount=10, learned_on=today - timedelta(days=2))
    new = add_fact(by=sato, customer=customer, fact="total_spend", amount=20)
    assert add_fact(by=sato, customer=customer, fact="total_spend", amount=20).pk == new.pk
    assert told_total(known_facts(customer)) == new and Fact.objects.count() == 2
    withdraw_fact(by=sato, fact=new)
    assert told_total(known_facts(customer)) == old
    assert Fact.objects.count() == 2 and AuditEntry.objects.filter(verb="fact.withdraw").count() == 1


def test_imported_fact_is_overruled_never_withdrawn(sato: User, customer: Customer) -> None:
    imported = Fact.objects.create(
        customer=customer,
        fact="outlook",
        value="横ばい",
        learned_on=date(2026, 1, 5),
        set_at=timezone.now(),
        import_id="7",
    )
    with pytest.raises(BadInput):
        withdraw_fact(by=sato, fact=imported)
    newer = add_fact(by=sato, customer=customer, fact="outlook", value="増産")
    assert known_facts(customer) == [newer] and Fact.objects.filter(withdrawn_at=None).count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"fact": "outlook"},
        {"fact": "total_spend", "value": "たくさん"},
        {"fact": "total_spend", "amount": -1},
        {"fact": "outlook", "value": "x", "learned_on": date(2999, 1, 1)},
    ],
)
def test_fact_that_says_nothing_is_refused(sato: User, customer: Customer, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        add_fact(by=sato, customer=customer, **wrong)  # type: ignore[arg-type]
    assert not Fact.objects.exists()


def test_override_counts_at_once_and_the_one_before_comes_back(sato: User, customer: Customer) -> None:
    first = set_override(by=sato, customer=customer, measure="quadrant", value="A", reason="新工場")
    assert set_override(by=sato, customer=customer, measure="quadrant", value="A", reason="新工場").pk == first.pk
    second = set_override(by=sato, customer=customer, measure="quadrant", value="D", reason="撤退")
    customer.refresh_from_db()
    assert (customer.quadrant, customer.decided_by, customer.quadrant_computed) == ("D", "override", "B")
    withdraw_override(by=sato, override=second)
    customer.refresh_from_db()
    assert customer.quadrant == "A"
    first.refresh_from_db()
    withdraw_override(by=sato, override=first)
    customer.refresh_from_db()
    assert (customer.quadrant, customer.decided_by) == ("B", "computed")
    assert Override.objects.count() == 2


@pytest.mark.parametrize(
    ("measure", "value", "reason"),
    [
        ("quadrant", "E", "x"),
        ("quadrant", "A", " "),
        ("potential", "-5", "x"),
        ("potential", "nan", "x"),
        ("name", "x", "x"),
    ],
)
def test_override_without_sense_is_refused(
    sato: User, customer: Customer, measure: str, value: str, reason: str
) -> None:
    with pytest.raises(BadInput):
        set_override(by=sato, customer=customer, measure=measure, value=value, reason=reason)


def test_tag_moves_the_quadrant_and_clearing_brings_it_back(sato: User, customer: Customer) -> None:
    set_tag(by=sato, customer=customer, tag="what", value="small")
    customer.refresh_from_db()
    assert (customer.quadrant, customer.decided_by) == ("D", "tags")  # B has little record; now little room as well
    set_tag(by=sato, customer=customer, tag="what", value="small")
    assert Tag.objects.count() == 1
    assert set_tag(by=sato, customer=customer, tag="what", value="") is None
    customer.refresh_from_db()
    assert (customer.quadrant, customer.decided_by) == ("B", "computed")


def test_relation_is_per_rep_and_circles_are_one_sign(sato: User, customer: Customer) -> None:
    other = Rep.objects.create(code="R2", name="鈴木")
    set_tag(by=sato, customer=customer, tag="relation", value="〇")
    set_tag(by=sato, customer=customer, tag="relation", value="△", rep=other)
    mine, theirs = current_tag(customer, "relation", sato.rep), current_tag(customer, "relation", other)
    assert mine is not None and theirs is not None and (mine.value, theirs.value) == ("○", "△")
    with pytest.raises(BadInput):
        set_tag(by=sato, customer=customer, tag="relation", value="×")
