"""A tap is written once, in whatever order and however often it arrives."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Action, Customer, Outcome, Touch
from nobishiro.web.people.models import Rep, User
from nobishiro.web.worklist.models import Met

CODE = "0b5c2f1e-9c1d-4d0e-8a39-000000000001"
Sign = Callable[[Role], Client]


@pytest.fixture
def action(customer: Customer, make_action: Callable[..., Action]) -> Action:
    return make_action(customer)


def _send(client: Client, user: User, action: Action, **said: object) -> dict[str, object]:
    body = {
        "kind": "tap", "code": CODE, "user": user.pk, "action": action.pk, "customer": action.customer_id,
        "result": "open", "age": 0,
    } | said  # fmt: skip
    answer = client.post(
        reverse("worklist:outcomes"),
        json.dumps(body),
        content_type="application/json",
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_same_tap_again_counts_once(signed_in: Sign, person: Callable[[Role], User], action: Action) -> None:
    client, user = signed_in(Role.REP), person(Role.REP)
    first = _send(client, user, action, minutes=45, note="来期に投資", touch_kind="visit")
    again = _send(client, user, action, minutes=45)
    assert (first["is_new"], again["is_new"], first["code"]) == (True, False, CODE)
    outcome, touch = Outcome.objects.get(), Touch.objects.get()
    assert (outcome.result, outcome.family, outcome.offer_kind) == ("open", "F1", "cross_sell")
    assert (touch.minutes, touch.note, touch.kind) == (45, "来期に投資", "visit")
    action.refresh_from_db()
    assert (action.state, action.outcome) == ("done", outcome)


def test_undo_opens_the_card_again_and_the_late_tap_stays_undone(
    signed_in: Sign, person: Callable[[Role], User], action: Action
) -> None:
    client, user = signed_in(Role.REP), person(Role.REP)
    _send(client, user, action)
    assert _send(client, user, action, kind="undo")["is_new"] is True
    _send(client, user, action, kind="undo")
    action.refresh_from_db()
    assert action.state == "open"
    assert _send(client, user, action)["is_new"] is False
    action.refresh_from_db()
    assert action.state == "open"
    assert Outcome.objects.filter(withdrawn_at=None).count() == Touch.objects.filter(withdrawn_at=None).count() == 0


def test_undo_of_a_tap_that_never_came_is_answered(
    signed_in: Sign, person: Callable[[Role], User], action: Action
) -> None:
    said = _send(signed_in(Role.REP), person(Role.REP), action, kind="undo")
    assert said["is_new"] is False
    assert "refused" not in said


def test_two_telephones_end_an_action_once(signed_in: Sign, person: Callable[[Role], User], action: Action) -> None:
    client, user = signed_in(Role.REP), person(Role.REP)
    _send(client, user, action)
    second = _send(client, user, action, code="another-telephone-1", result="won", amount="1200000")
    assert second["refused"] is True
    assert "提案した" in str(second["why"])
    assert Outcome.objects.count() == 1


def test_a_tap_that_waited_is_dated_by_how_long_it_waited(
    signed_in: Sign, person: Callable[[Role], User], action: Action
) -> None:
    _send(signed_in(Role.REP), person(Role.REP), action, age=3 * 3600)
    waited = timezone.now() - Outcome.objects.get().happened_at
    assert timedelta(hours=3) <= waited < timedelta(hours=3, minutes=1)


def test_a_tap_older_than_a_month_is_not_believed_to_be_older(
    signed_in: Sign, person: Callable[[Role], User], action: Action
) -> None:
    _send(signed_in(Role.REP), person(Role.REP), action, age=1e12)
    assert timezone.now() - Outcome.objects.get().happened_at < timedelta(days=31, minutes=1)


def test_a_reason_is_kept_for_a_refusal_only_and_an_amount_for_a_win_only(
    signed_in: Sign,
    person: Callable[[Role], User],
    action: Action,
    customer: Customer,
    make_action: Callable[..., Action],
) -> None:
    client, user = signed_in(Role.REP), person(Role.REP)
    _send(client, user, action, result="declined", reason="price", amount="5")
    other = make_action(customer, source_key="map:2", source="map")
    _send(client, user, other, code="tap-number-2", result="won", reason="price", amount="120万")
    refused, won = Outcome.objects.order_by("pk")
    assert (refused.reason, refused.amount) == ("price", None)
    assert (won.reason, won.amount) == ("", 1_200_000)


def test_not_this_time_writes_no_contact(signed_in: Sign, person: Callable[[Role], User], action: Action) -> None:
    _send(signed_in(Role.REP), person(Role.REP), action, result="dismissed")
    assert Touch.objects.count() == 0
    assert Outcome.objects.get().result == "dismissed"


def test_a_task_without_an_offer_is_met_and_undone(
    signed_in: Sign, person: Callable[[Role], User], customer: Customer, make_action: Callable[..., Action]
) -> None:
    action = make_action(customer, kind="serve", family="", product_code="", offer_kind="")
    client, user = signed_in(Role.REP), person(Role.REP)
    assert _send(client, user, action, result="met")["is_new"] is True
    assert _send(client, user, action, result="met")["is_new"] is False
    action.refresh_from_db()
    assert (action.state, Outcome.objects.count(), Touch.objects.count(), Met.objects.count()) == ("done", 0, 1, 1)
    _send(client, user, action, kind="undo")
    action.refresh_from_db()
    assert action.state == "open"
    assert Touch.objects.get().withdrawn_at is not None
    assert _send(client, user, action, result="met")["is_new"] is False  # the late one stays undone
    action.refresh_from_db()
    assert action.state == "open"


def test_another_persons_tap_is_never_taken_as_mine(
    signed_in: Sign, person: Callable[[Role], User], action: Action
) -> None:
    client = signed_in(Role.MANAGER)
    body = {"kind": "tap", "code": CODE, "user": person(Role.REP).pk, "customer": action.customer_id, "result": "open"}
    answer = client.post(reverse("worklist:outcomes"), json.dumps(body), content_type="application/json")
    assert answer.status_code == 409
    assert Outcome.objects.count() == 0


def test_nobody_signed_in_is_told_so_the_queue_waits(client: Client, action: Action) -> None:
    answer = client.post(
        reverse("worklist:outcomes"), "{}", content_type="application/json", headers={"Accept": "application/json"}
    )
    assert answer.status_code == 401


def test_another_reps_card_is_refused(signed_in: Sign, person: Callable[[Role], User], action: Action) -> None:
    action.rep = Rep.objects.create(code="R9", name="別の人")
    action.save()
    said = _send(signed_in(Role.REP), person(Role.REP), action)
    assert said["refused"] is True
    assert Outcome.objects.count() == 0


def test_nobody_undoes_what_somebody_else_entered(
    signed_in: Sign, person: Callable[[Role], User], action: Action
) -> None:
    _send(signed_in(Role.MANAGER), person(Role.MANAGER), action)
    said = _send(signed_in(Role.REP), person(Role.REP), action, kind="undo")
    assert said["refused"] is True
    assert Outcome.objects.get().withdrawn_at is None


@pytest.mark.parametrize("body", [" ", "[]", "nonsense", '{"user": "x"}'])
def test_what_is_no_tap_is_not_taken(signed_in: Sign, action: Action, body: str) -> None:
    answer = signed_in(Role.REP).post(reverse("worklist:outcomes"), body, content_type="application/json")
    assert answer.status_code in (400, 409)


@pytest.mark.parametrize(
    "said",
    [
        {"result": "sold"},
        {"code": "x"},
        {"code": "<script>aaaaaaa"},
        {"minutes": 99999},
        {"customer": 999_999},
        {"reason": "because"},
    ],
)
def test_an_unusable_tap_is_refused_for_good(
    signed_in: Sign, person: Callable[[Role], User], action: Action, said: dict[str, object]
) -> None:
    assert _send(signed_in(Role.REP), person(Role.REP), action, **said)["refused"] is True
    assert Outcome.objects.count() == 0


def test_without_javascript_a_plain_form_does_the_same(signed_in: Sign, action: Action) -> None:
    client = signed_in(Role.REP)
    form = {"code": CODE, "action": action.pk, "customer": action.customer_id, "result": "considering", "minutes": "30"}
    assert client.post(reverse("worklist:outcomes"), form).status_code in (302, 303)
    client.post(reverse("worklist:outcomes"), form)
    assert Outcome.objects.get().result == "considering"


def test_a_form_needs_its_token(person: Callable[[Role], User], action: Action) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person(Role.REP), backend="allauth.account.auth_backends.AuthenticationBackend")
    body = {"kind": "tap", "code": CODE, "user": person(Role.REP).pk, "customer": action.customer_id, "result": "open"}
    assert (
        client.post(reverse("worklist:outcomes"), json.dumps(body), content_type="application/json").status_code == 403
    )
    fresh = client.get(reverse("worklist:token")).json()
    assert fresh["user"] == person(Role.REP).pk
    answer = client.post(
        reverse("worklist:outcomes"),
        json.dumps(body),
        content_type="application/json",
        headers={"X-CSRFToken": fresh["token"]},
    )
    assert answer.status_code == 200


def test_the_worker_is_open_holds_no_data_and_reaches_today_only(client: Client, db: None) -> None:
    answer = client.get(reverse("worklist:worker"))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert "Service-Worker-Allowed" not in answer.headers
    assert reverse("worklist:worker").startswith(reverse("worklist:today"))
