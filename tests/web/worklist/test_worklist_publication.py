"""A published plan becomes what each rep is to do."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.actions import add_action, drop_action
from nobishiro.web.customers.models import Action, Customer, Tag
from nobishiro.web.customers.outcomes import record_outcome
from nobishiro.web.people.calendar import Calendar, load_calendar
from nobishiro.web.people.models import Rep, User
from nobishiro.web.worklist.models import LuckyOrder
from nobishiro.web.worklist.publication import actions_from_plan, days_of_month, take_over

AT = datetime(2026, 11, 4, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
Make = Callable[..., Customer]


def _only(customer: Customer) -> Action:
    return Action.objects.get(customer=customer)


def test_a_planned_approach_becomes_one_action_however_often_it_is_published(
    written, make_customer: Make, rep: Rep
) -> None:
    customer = make_customer("K1")
    written.plan("K1")
    written.offer("K1", "P1")
    run = written.publish()
    assert take_over(run, at=AT).planned == 1
    take_over(run, at=AT)
    action = _only(customer)
    assert (action.source, action.source_key, action.kind, action.rep) == ("plan", "plan:R1:K1:2026-11", "propose", rep)
    assert (action.family, action.product_code, action.offer_kind) == ("F1", "P1", "cross_sell")
    assert (action.expected_low, action.expected_high) == (20_000.0, 90_000.0)
    assert action.why_ja == "K1の理由"


def test_a_refill_is_called_one(written, make_customer: Make) -> None:
    customer = make_customer("K1")
    written.plan("K1")
    written.offer("K1", "P1", kind="replenishment")
    actions_from_plan(written.publish(), at=AT)
    assert _only(customer).offer_kind == "replenishment"


@pytest.mark.parametrize(
    ("nps", "kind"), [(None, "propose"), (0.0, "serve"), (6.0, "serve"), (7.0, "propose"), (10.0, "propose")]
)
def test_a_detractor_is_served_and_unknown_is_no_detractor(
    written, make_customer: Make, nps: float | None, kind: str
) -> None:
    customer = make_customer("K1", nps=nps)
    written.plan("K1")
    written.offer("K1", "P1")
    actions_from_plan(written.publish(), at=AT)
    action = _only(customer)
    assert action.kind == kind
    assert bool(action.family) is (kind == "propose")
    assert (action.expected is None) is (kind == "serve")


@pytest.mark.parametrize(
    ("kind", "closed", "expected"),
    [("complaint", None, "serve"), ("complaint", datetime(2026, 10, 2), "propose"), ("question", None, "propose")],
)
def test_an_open_complaint_stops_offers(
    written, make_customer: Make, kind: str, closed: datetime | None, expected: str
) -> None:
    customer = make_customer("K1")
    written.plan("K1")
    written.tables["tickets"] = [
        {"ticket_id": "T1", "customer_id": "K1", "opened_at": datetime(2026, 10, 1), "closed_at": closed, "kind": kind}
    ]
    actions_from_plan(written.publish(), at=AT)
    assert _only(customer).kind == expected


def test_a_thin_relation_is_built_before_anything_is_offered(written, make_customer: Make, rep: Rep) -> None:
    thin, mended, others = make_customer("K1"), make_customer("K2"), make_customer("K3")
    elsewhere = Rep.objects.create(code="R9", name="別の人")
    for n, customer in enumerate((thin, mended, others), start=1):
        written.plan(customer.code, order=n)
    Tag.objects.create(customer=thin, tag="relation", value="△", rep=rep, set_at=AT)
    Tag.objects.create(customer=mended, tag="relation", value="△", rep=rep, set_at=AT - timedelta(days=9))
    Tag.objects.create(customer=mended, tag="relation", value="○", rep=rep, set_at=AT)
    Tag.objects.create(customer=others, tag="relation", value="△", rep=elsewhere, set_at=AT)
    actions_from_plan(written.publish(), at=AT)
    assert (_only(thin).kind, _only(thin).family, _only(thin).offer_kind) == ("relate", "", "")
    assert _only(mended).kind == "propose"
    assert _only(others).kind == "propose"


def test_what_was_declined_lately_is_not_offered_again(
    written, make_customer: Make, person: Callable[[Role], User]
) -> None:
    customer = make_customer("K1")
    written.plan("K1")
    written.offer("K1", "P1")
    written.offer("K1", "P2", rank=2)
    record_outcome(
        by=person(Role.REP), code="tap-000001", customer=customer, result="declined", family="F1",
        happened_at=AT - timedelta(days=89),
    )  # fmt: skip
    run = written.publish()
    actions_from_plan(run, at=AT)
    action = _only(customer)
    assert (action.family, action.product_code, action.why_ja) == ("F2", "P2", "P2の根拠")
    actions_from_plan(run, at=AT + timedelta(days=2))
    assert _only(customer).family == "F1"  # the cool-off is over


def test_an_imported_refusal_counts_and_leaves_a_question(written, make_customer: Make) -> None:
    customer = make_customer("K1")
    written.plan("K1")
    written.offer("K1", "P1")
    written.tables["proposals"] = [
        {
            "proposal_id": "A",
            "customer_id": "K1",
            "product_id": "P1",
            "proposed_at": datetime(2026, 10, 1),
            "result": "declined",
        }
    ]
    actions_from_plan(written.publish(), at=AT)
    assert (_only(customer).kind, _only(customer).family) == ("ask", "")


def test_dismissed_is_no_refusal(written, make_customer: Make, person: Callable[[Role], User]) -> None:
    customer = make_customer("K1")
    written.plan("K1")
    written.offer("K1", "P1")
    record_outcome(
        by=person(Role.REP), code="tap-000002", customer=customer, result="dismissed", family="F1", happened_at=AT
    )
    actions_from_plan(written.publish(), at=AT)
    assert _only(customer).family == "F1"


def test_a_comes_first_b_beside_it_promoters_before_others(written, make_customer: Make) -> None:
    order = [
        ("A1", "A", None),
        ("A2", "A", 9.0),
        ("B1", "B", None),
        ("B2", "B", 10.0),
        ("C1", "C", 10.0),
        ("D1", "D", None),
    ]
    for n, (code, quadrant, nps) in enumerate(order, start=1):
        make_customer(code, quadrant=quadrant, nps=nps)
        written.plan(code, order=n, quadrant=quadrant)
    actions_from_plan(written.publish(), at=AT)
    ranked = list(Action.objects.order_by("rank").values_list("customer__code", flat=True))
    assert ranked == ["A2", "B2", "A1", "B1", "C1", "D1"]
    days = list(Action.objects.order_by("rank").values_list("due", flat=True))
    assert days == sorted(days)


def test_due_days_lie_on_business_days_of_the_month(written, make_customer: Make, db: None) -> None:
    for n in range(30):
        make_customer(f"K{n:02}")
        written.plan(f"K{n:02}", order=n + 1)
    actions_from_plan(written.publish(), at=AT)
    calendar = load_calendar()
    days = set(Action.objects.values_list("due", flat=True))
    assert all(calendar.is_business_day(day) for day in days)
    assert min(days) == date(2026, 11, 4)
    assert max(days) == date(2026, 11, 30)
    assert date(2026, 11, 23) not in days  # Labour Thanksgiving Day
    assert len(days) == 18


def test_a_month_nearly_over_goes_on_until_ten_days() -> None:
    days = days_of_month(date(2026, 11, 28), Calendar())
    assert days[0] == date(2026, 11, 30)
    assert len(days) == 10
    assert days[-1] == date(2026, 12, 11)


def test_a_later_run_keeps_the_day_and_drops_what_is_no_longer_planned(written, make_customer: Make, rep: Rep) -> None:
    kept, gone = make_customer("K1"), make_customer("K2")
    written.plan("K1", order=1)
    written.plan("K2", order=2)
    actions_from_plan(written.publish(), at=AT)
    due = _only(kept).due
    written.results["plan"] = []
    written.plan("K1", order=1, product="P2")
    run = written.publish()
    assert actions_from_plan(run, at=AT + timedelta(days=5)) == (1, 1)
    assert (_only(kept).due, _only(kept).family) == (due, "F2")
    assert _only(gone).state == "dropped"
    written.plan("K2", order=2)
    actions_from_plan(written.publish(), at=AT + timedelta(days=6))
    assert _only(gone).state == "open"


def test_what_a_person_dropped_stays_dropped(written, make_customer: Make, person: Callable[[Role], User]) -> None:
    customer = make_customer("K1")
    written.plan("K1")
    run = written.publish()
    actions_from_plan(run, at=AT)
    drop_action(by=person(Role.REP), action=_only(customer), why="moved away")
    actions_from_plan(run, at=AT)
    assert _only(customer).state == "dropped"


def test_what_is_done_stays_done_and_what_people_made_is_left_alone(
    written, make_customer: Make, person: Callable[[Role], User], rep: Rep
) -> None:
    customer, other = make_customer("K1"), make_customer("K2")
    written.plan("K1")
    run = written.publish()
    actions_from_plan(run, at=AT)
    own = add_action(
        by=person(Role.REP),
        customer=other,
        source="map",
        source_key="map:1",
        family="F3",
        title="自分で決めた",
        rep=rep,
    )
    record_outcome(by=person(Role.REP), code="tap-000003", customer=customer, result="open", action=_only(customer))
    actions_from_plan(run, at=AT)
    assert _only(customer).state == "done"
    own.refresh_from_db()
    assert (own.state, own.title, own.family) == ("open", "自分で決めた", "F3")


def test_orders_by_luck_are_kept_and_what_people_said_of_them_stays(written, make_customer: Make, rep: Rep) -> None:
    make_customer("K1")
    lines = [
        {"order_id": "O1", "product_id": "P1", "occurrence": 1, "customer_id": "K1", "ordered_at": datetime(2026, 10, 20),
         "quantity": 200, "amount": 900_000, "channel": "web"},
    ]  # fmt: skip
    written.tables["order_lines"] = lines
    written.tables["touches"] = [
        {"touch_id": "T", "customer_id": "K1", "kind": "visit", "happened_at": datetime(2026, 6, 1), "minutes": 60.0}
    ]
    run = written.publish()
    assert take_over(run, at=AT).lucky == 1
    order = LuckyOrder.objects.get()
    assert (order.code, order.amount, order.reason, order.product_name, order.quantity) == (
        "O1", 900_000.0, "untouched", "商品1", 200.0,
    )  # fmt: skip
    order.settled_at, order.settled_how = AT, "known"
    order.save()
    take_over(written.publish(), at=AT)
    assert LuckyOrder.objects.get().settled_how == "known"
    written.tables["touches"].append(
        {"touch_id": "U", "customer_id": "K1", "kind": "visit", "happened_at": datetime(2026, 10, 1), "minutes": 60.0}
    )
    assert take_over(written.publish(), at=AT).lucky == 0
    assert LuckyOrder.objects.get().is_found is False
