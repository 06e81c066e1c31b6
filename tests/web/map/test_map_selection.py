"""What becomes of customers drawn round on the map."""

from collections.abc import Callable
from datetime import date

from django.test import Client

from nobishiro.web.core.models import SavedList
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Action, Customer

Company = dict[str, Customer]
SignedIn = Callable[[Role], Client]


def act(client: Client, ids: str, **more: str) -> str:
    said = {
        "ids": ids,
        "key": "aaaaaaaa-1111",
        "kind": "propose",
        "due": "2026-11-30",
        "whose": "owner",
        "title": "画像検査の話",
    } | more
    return client.post("/map/act/", said).content.decode()


def ids(company: Company, *codes: str) -> str:
    return ".".join(str(company[code].pk) for code in codes)


def test_chosen_customers_become_things_to_do_of_their_own_rep(company: Company, signed_in: SignedIn) -> None:
    page = act(signed_in(Role.MANAGER), ids(company, "B1", "B2"))
    assert "2件をやることに入れました" in page
    actions = {action.customer.code: action for action in Action.objects.select_related("customer", "rep")}
    assert set(actions) == {"B1", "B2"}
    assert {
        (action.rep.code, action.due, action.kind, action.source, action.title)
        for action in actions.values()
        if action.rep
    } == {("R1", date(2026, 11, 30), "propose", "map", "画像検査の話")}


def test_same_choice_sent_twice_makes_the_tasks_once(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.MANAGER)
    act(client, ids(company, "B1"))
    act(client, ids(company, "B1"))
    assert Action.objects.count() == 1
    act(client, ids(company, "B1"), key="bbbbbbbb-2222")
    assert Action.objects.count() == 2


def test_customer_nobody_looks_after_stops_the_whole_choice(company: Company, signed_in: SignedIn) -> None:
    page = act(signed_in(Role.MANAGER), ids(company, "B1", "U1"))
    assert "なぞの会社には担当がいません" in page
    assert not Action.objects.exists()


def test_rep_takes_them_as_their_own(company: Company, signed_in: SignedIn) -> None:
    act(signed_in(Role.REP), ids(company, "U1"), whose="me")
    assert [action.rep.code for action in Action.objects.all() if action.rep] == ["R1"]


def test_customer_that_is_gone_stops_the_whole_choice(company: Company, signed_in: SignedIn) -> None:
    Customer.objects.filter(code="B2").update(is_listed=False)
    assert "一覧から外れた" in act(signed_in(Role.MANAGER), ids(company, "B1", "B2"))
    assert not Action.objects.exists()


def test_too_many_and_none_are_refused(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.MANAGER)
    assert "101社は多すぎます" in act(client, ".".join(str(n) for n in range(1, 102)))
    assert "先に顧客を選んでください" in act(client, "x.y")
    assert not Action.objects.exists()


def test_chosen_customers_are_kept_as_a_list_that_shows_them(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.MANAGER)
    page = client.post("/map/keep/", {"ids": ids(company, "B1", "C1"), "name": "年内に会う"}).content.decode()
    saved = SavedList.objects.get()
    assert (saved.page, saved.name, saved.query) == ("customers", "年内に会う", f"ids={ids(company, 'B1', 'C1')}")
    assert "「年内に会う」として保存しました" in page
    shown = client.get(f"/customers/?{saved.query}").content.decode()
    assert "北斗精機" in shown
    assert "大空商事" in shown
    assert "東和食品機械" not in shown
