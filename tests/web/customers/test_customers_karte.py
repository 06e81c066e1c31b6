"""The karte: what it says, what is done on it, and what is hidden from whom."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.facts import add_fact
from nobishiro.web.customers.models import (
    Action,
    Contact,
    Correction,
    Customer,
    Fact,
    Hypothesis,
    Outcome,
    Override,
    Owner,
    Tag,
    Touch,
)
from nobishiro.web.customers.outcomes import record_outcome, withdraw_outcome
from nobishiro.web.customers.touches import add_touch
from nobishiro.web.people.models import Division, Rep, User

pytestmark = pytest.mark.django_db
SignedIn = Callable[[Role], Client]
MakeWorkspace = Callable[..., Path]


@pytest.fixture
def page(customer: Customer, karte_workspace: MakeWorkspace) -> str:
    karte_workspace()
    return reverse("customers:karte", args=[customer.pk])


def shown(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_karte_says_the_five_parts_in_their_order(page: str, signed_in: SignedIn) -> None:
    html = shown(signed_in(Role.REP), page)
    places = [html.index(f'id="{part}"') for part in ("where", "next", "knowing", "families", "timeline")]
    assert places == sorted(places)
    assert "東和食品機械さまはB（開拓候補）です。" in html and "同じ照明のまま自動にできます。" in html
    assert "V-Std" in html and "14顧客中9が購入" in html and reverse("customers:sheet", args=[1])[-7:] in html


def test_karte_is_whole_in_english(page: str, signed_in: SignedIn, person: Callable[[Role], User]) -> None:
    User.objects.filter(pk=person(Role.REP).pk).update(language="en")
    html = shown(signed_in(Role.REP), page)
    assert "You can automate with the same light." in html and "Where they stand" in html


@pytest.mark.parametrize("path", ["", "sheet/", "timeline/", "details/", "trail/", "family/?family=センサ"])
@pytest.mark.parametrize("role", [Role.MANAGER, Role.REP, Role.MARKETER, Role.SHOP_MANAGER, Role.ADMINISTRATOR])
def test_every_role_may_read_every_page_of_a_customer(page: str, signed_in: SignedIn, path: str, role: Role) -> None:
    shown(signed_in(role), page + path)


@pytest.mark.parametrize("path", ["", "sheet/", "timeline/", "details/", "trail/", "family/?family=センサ"])
def test_pages_of_a_full_customer_need_few_queries(
    page: str, path: str, customer: Customer, signed_in: SignedIn, person: Callable[[Role], User],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:  # fmt: skip
    rep = person(Role.REP)
    for number in range(12):
        division = Division.objects.create(code=f"DX{number}", name=f"事業部{number}")
        other = Rep.objects.create(code=f"RX{number}", name=f"営業{number}", division=division)
        Owner.objects.create(customer=customer, division=division, rep=other, role="main")
        Contact.objects.create(code=f"C{number}", customer=customer, family_name=f"担当{number}")
        Tag.objects.create(customer=customer, tag="relation", value="○", rep=other, set_at=timezone.now())
        add_touch(by=rep, code=f"t{number}", customer=customer, kind="visit", note="話")
        record_outcome(by=rep, code=f"o{number}", customer=customer, result="open", family=f"F{number}")
        add_fact(by=rep, customer=customer, fact="outlook", value=f"増産{number}")
        Override.objects.create(customer=customer, measure="quadrant", value="A", reason="x", set_at=timezone.now())
        Hypothesis.objects.create(customer=customer, family="保守", grounds=f"{number}", made_at=timezone.now())
        Action.objects.create(source_key=f"k{number}", source="map", customer=customer, rep=other, family=f"F{number}")
        Customer.objects.create(code=f"M{number}", name="旧", merged_into=customer, is_listed=False)
        Correction.objects.create(
            table_name="customers",
            row_key="000123",
            column_name=f"x{number}",
            value="1",
            set_by=rep,
            set_at=timezone.now(),
        )
    client = signed_in(Role.REP)
    shown(client, page + path)
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        shown(client, page + path)


def test_unknown_customer_is_not_found_and_a_merged_one_leads_on(
    page: str, customer: Customer, signed_in: SignedIn
) -> None:
    client = signed_in(Role.REP)
    assert client.get(reverse("customers:karte", args=[999])).status_code == 404
    old = Customer.objects.create(code="OLD", name="旧", merged_into=customer, is_listed=False)
    assert client.get(reverse("customers:karte", args=[old.pk])).headers["Location"] == page


def test_before_the_first_import_the_page_says_what_to_do(
    customer: Customer, site_workspace: Path, signed_in: SignedIn
) -> None:
    html = shown(signed_in(Role.REP), reverse("customers:karte", args=[customer.pk]))
    assert "受注を取り込んで計算すると、次の一手がここに出ます。" in html and "このお客様の記録はまだありません" in html


def test_share_of_their_spend_is_said_only_when_told(
    page: str, customer: Customer, signed_in: SignedIn, person: Callable[[Role], User]
) -> None:
    client = signed_in(Role.REP)
    assert "購入総額がわかりません" in shown(client, page)
    add_fact(by=person(Role.REP), customer=customer, fact="total_spend", subject="センサ", amount=500_000)
    assert "購入総額がわかりません" in shown(client, page)  # one family is not the whole
    add_fact(by=person(Role.REP), customer=customer, fact="total_spend", amount=2_000_000)
    assert "購入総額¥200万の20%" in shown(client, page)


def test_gross_profit_is_hidden_from_the_rep(page: str, signed_in: SignedIn) -> None:
    assert "粗利" not in shown(signed_in(Role.REP), page)
    assert "粗利" in shown(signed_in(Role.MANAGER), page)


def test_private_notes_are_hidden_from_the_marketer(
    page: str, customer: Customer, signed_in: SignedIn, person: Callable[[Role], User]
) -> None:
    add_touch(by=person(Role.REP), code="t", customer=customer, kind="call", note="内々の話", is_private=True)
    for address in (page, page + "timeline/"):
        assert "内々の話" in shown(signed_in(Role.REP), address)
        html = shown(signed_in(Role.MARKETER), address)
        assert "内々の話" not in html and "謝罪済み" not in html
    assert "釣り好き" in shown(signed_in(Role.REP), page + "details/")
    assert "釣り好き" not in shown(signed_in(Role.MARKETER), page + "details/")


def tap(client: Client, page: str, **said: str) -> str:
    response = client.post(page + "outcome/", said)
    assert response.status_code == 303
    return shown(client, page)


def test_tap_moves_the_family_and_undo_brings_it_back(page: str, customer: Customer, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    html = tap(client, page, code="abc", result="considering", family="画像検査", product_code="V1")
    assert "提案済み" in html and "記録しました: V-Std: 検討中" in html
    tap(client, page, code="abc", result="considering", family="画像検査", product_code="V1")
    outcome = Outcome.objects.get()
    assert Touch.objects.count() == 1
    client.post(f"{page}outcome/{outcome.pk}/undo/")
    html = shown(client, page)
    assert "記録しました: V-Std" not in html and Touch.objects.get().withdrawn_at is not None
    assert html.count("未提案") >= 2


def test_tap_ends_the_open_task_about_the_family(page: str, customer: Customer, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    client.post(page + "action/", {"family": "画像検査"})
    client.post(page + "action/", {"family": "画像検査"})
    action = Action.objects.get()
    assert (action.state, action.expected, action.rep) == ("open", 1_200_000, customer.main_rep)
    tap(client, page, code="abc", result="won", family="画像検査")
    assert Action.objects.get().state == "done"


def test_declined_family_is_among_why_not_and_not_to_be_said(
    page: str, customer: Customer, signed_in: SignedIn
) -> None:
    client = signed_in(Role.REP)
    html = tap(client, page, code="abc", result="declined", family="画像検査", product_code="V1", reason="価格")
    assert "お断りされました。しばらく時間をおきます。" in html
    sheet = shown(client, page + "sheet/")
    assert "画像検査: " in sheet and "お断り (価格)" in sheet


def test_only_whoever_tapped_or_sees_the_team_may_undo(page: str, customer: Customer, signed_in: SignedIn) -> None:
    outcome, _ = record_outcome(
        by=User.objects.create_user("x@example.jp", "別の営業", Role.REP), code="c", customer=customer, result="open"
    )
    address = f"{page}outcome/{outcome.pk}/undo/"
    assert signed_in(Role.REP).post(address).status_code == 404
    assert signed_in(Role.MANAGER).post(address).status_code == 303
    assert Outcome.objects.get().withdrawn_at is not None


@pytest.mark.parametrize(
    "path",
    ["outcome/", "fact/", "hypothesis/", "override/", "relation/", "touch/", "action/", "details/correct/"],
)
def test_reading_roles_change_nothing_and_nothing_changes_on_get(page: str, signed_in: SignedIn, path: str) -> None:
    assert signed_in(Role.MARKETER).post(page + path).status_code == 404
    assert signed_in(Role.REP).get(page + path).status_code == 405


def test_fact_is_answered_in_place(page: str, customer: Customer, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    said = {"fact": "outlook", "value": "増産 <b>", "source": "visit"}
    html = client.post(page + "fact/", said, headers={"HX-Request": "true"}).content.decode()
    assert 'id="knowing"' in html and "<html" not in html and "増産 &lt;b&gt;" in html and "1/8" in html
    html = client.post(page + "fact/", {"fact": "total_spend", "amount": "たくさん"}, headers={"HX-Request": "true"})
    assert 'role="alert"' in html.content.decode() and Fact.objects.count() == 1
    client.post(page + "fact/", {"fact": "total_spend", "amount": "１,８００万"})
    assert Fact.objects.get(fact="total_spend").amount == 18_000_000
    fact = Fact.objects.get(fact="outlook")
    assert client.post(f"{page}fact/{fact.pk}/withdraw/").status_code == 303
    assert "増産" not in shown(client, page)


def test_imported_fact_stands_beside_the_newer_one(page: str, customer: Customer, signed_in: SignedIn) -> None:
    old = timezone.localdate() - timedelta(days=30)
    Fact.objects.create(
        customer=customer, fact="outlook", value="横ばい", learned_on=old, set_at=timezone.now(), import_id="7"
    )
    client = signed_in(Role.REP)
    client.post(page + "fact/", {"fact": "outlook", "value": "増産"})
    html = shown(client, page)
    assert "増産" in html and "横ばい" in html and "以前の記録 1件" in html


def test_hypothesis_is_written_verified_and_dropped(page: str, customer: Customer, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    client.post(page + "hypothesis/", {"family": "保守", "amount": "30万", "grounds": "保守切れ"})
    client.post(page + "hypothesis/", {"family": "保守", "amount": "30万", "grounds": "保守切れ"})
    one = Hypothesis.objects.get()
    assert "仮説: 保守切れ" in shown(client, page)  # it leads the next step
    client.post(f"{page}hypothesis/{one.pk}/end/", {"how": "true", "verdict": "受注した"})
    one.refresh_from_db()
    assert (one.state, one.verdict) == ("true", "受注した")
    client.post(f"{page}hypothesis/{one.pk}/end/", {"how": "drop"})
    assert Hypothesis.objects.exists()  # what was verified stays


def test_override_relation_and_touch_count_at_once(page: str, customer: Customer, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    client.post(page + "override/", {"measure": "quadrant", "value": "A", "reason": "新工場"})
    assert "A（重点拡大）です。" in shown(client, page)
    client.post(f"{page}override/{Override.objects.get().pk}/withdraw/")
    assert "B（開拓候補）です。" in shown(client, page)
    client.post(page + "override/", {"measure": "quadrant", "value": "A", "reason": ""})
    assert Override.objects.count() == 1
    client.post(page + "relation/", {"sign": "△"})
    assert "まず関係をつくる" in shown(client, page)
    client.post(page + "relation/", {"sign": ""})
    client.post(page + "touch/", {"code": "n1", "kind": "call", "note": "電話した", "minutes": "5"})
    html = shown(client, page)
    assert "本日、接点がありました。" in html and "電話した" in html
    client.post(f"{page}touch/{Touch.objects.get().pk}/withdraw/")
    assert "電話した" not in shown(client, page)


def test_open_complaint_and_detractor_get_service(
    customer: Customer, karte_workspace: MakeWorkspace, signed_in: SignedIn
) -> None:
    opened = timezone.make_naive(timezone.now() - timedelta(days=1)).replace(microsecond=0)
    karte_workspace(
        tickets=[
            {"ticket_id": "X2", "customer_id": "000123", "opened_at": opened, "kind": "complaint", "subject": "異音"}
        ]
    )
    html = shown(signed_in(Role.REP), reverse("customers:karte", args=[customer.pk]))
    assert "まずお話を伺い、対応する" in html and "異音" in html and "同じ照明のまま" not in html
    page = reverse("customers:karte", args=[customer.pk])
    client = signed_in(Role.REP)
    client.post(page + "action/", {"kind": "relate"})  # not the next step
    assert not Action.objects.exists()
    client.post(page + "action/", {"kind": "serve"})
    client.post(page + "action/", {"kind": "serve"})
    action = Action.objects.get()
    assert (action.kind, action.family) == ("serve", "") and "異音" in action.why_ja and "異音" in action.why_en
    assert "やることにあります" in shown(client, page) and "どうすれば解消できますか。" in shown(
        client, page + "sheet/"
    )


def test_timeline_filters_by_kind_and_shows_more(page: str, customer: Customer, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    html = shown(client, page + "timeline/?kind=order")
    assert html.count('class="kind-order"') == 20 and "kind-touch" not in html and "全31件" in html
    more = client.get(page + "timeline/?kind=order&page=2", headers={"HX-Request": "true"}).content.decode()
    assert more.count('class="kind-order"') == 11 and "<html" not in more and "さらに見る" not in more
    assert "O900" in html and "O901" not in html + more  # what a dealer resells belongs to whoever uses it
    for kind, word in (
        ("touch", "定期訪問"),
        ("deal", "検査の自動化"),
        ("answer", "NPS 9"),
        ("ticket", "納期遅れ"),
        ("proposal", "受注"),
    ):
        assert word in shown(client, page + f"timeline/?kind={kind}")
    assert shown(client, page + "timeline/?kind=zzz&page=-3").count("<li class") == 20


def test_tap_handed_to_the_store_is_shown_once_and_not_at_all_when_undone(
    customer: Customer, karte_workspace: MakeWorkspace, signed_in: SignedIn, person: Callable[[Role], User]
) -> None:
    at = timezone.make_naive(timezone.now()).replace(microsecond=0)
    karte_workspace(
        touches=[{"touch_id": "web-c1", "customer_id": "000123", "kind": "visit", "happened_at": at, "note": "写し"}],
        proposals=[{"proposal_id": "web-c1", "customer_id": "000123", "product_id": "V1", "proposed_at": at, "result": "open"}],
    )  # fmt: skip
    outcome, _ = record_outcome(
        by=person(Role.REP),
        code="c1",
        customer=customer,
        result="open",
        product_code="V1",
        family="画像検査",
        note="元",
    )
    page = reverse("customers:timeline", args=[customer.pk])
    html = shown(signed_in(Role.REP), page)
    assert html.count("V-Std: 提案した") == 1 and "写し" not in html
    withdraw_outcome(by=person(Role.REP), outcome=outcome)
    html = shown(signed_in(Role.REP), page)
    assert "V-Std: 提案した" not in html and "写し" not in html


def test_correction_counts_at_once_and_the_import_stays_visible(
    page: str, customer: Customer, signed_in: SignedIn
) -> None:
    client = signed_in(Role.REP)
    said = {"table": "customers", "row": "000123", "column": "industry", "value": "包装機械"}
    assert client.post(page + "details/correct/", said).headers["Location"] == page + "details/"
    customer.refresh_from_db()
    assert customer.industry == "包装機械"
    html = shown(client, page + "details/")
    assert "包装機械" in html and "食品機械" in html
    client.post(page + "details/correct/", {**said, "value": "食品機械"})
    assert not Correction.objects.exists()
    Contact.objects.create(code="K1", customer=customer, family_name="東")
    client.post(
        page + "details/correct/", {"table": "contacts", "row": "K1", "column": "is_decision_maker", "value": "false"}
    )
    assert Correction.objects.get().value == "false" and Contact.objects.get().is_key_person is False


@pytest.mark.parametrize(
    "said",
    [
        {"table": "customers", "row": "000123", "column": "customer_id", "value": "X"},
        {"table": "products", "row": "P10", "column": "cost", "value": "1"},
        {"table": "customers", "row": "P1", "column": "industry", "value": "X"},
        {"table": "customers", "row": "000123", "column": "name", "value": " "},
        {"table": "customers", "row": "000123", "column": "kind", "value": "X"},
        {"table": "customers", "row": "000123", "column": "employees", "value": "-1"},
    ],
)
def test_correction_that_cannot_be_is_refused(page: str, signed_in: SignedIn, said: dict[str, str]) -> None:
    response = signed_in(Role.REP).post(page + "details/correct/", said, follow=True)
    assert 'class="message error"' in response.content.decode() and not Correction.objects.exists()


def test_group_and_evidence_lead_to_their_rows(page: str, signed_in: SignedIn) -> None:
    Customer.objects.create(code="P1", name="東和ホールディングス")
    client = signed_in(Role.REP)
    assert "東和ホールディングス" in shown(client, page + "details/")
    html = shown(client, page + "family/?family=センサ")
    assert "O900" in html and "O901" not in html and "光電センサ E300" in html
    assert client.get(page + "family/").status_code == 404


def test_trail_names_who_did_what(
    page: str, signed_in: SignedIn, customer: Customer, person: Callable[[Role], User]
) -> None:
    add_fact(by=person(Role.REP), customer=customer, fact="outlook", value="増産")
    html = shown(signed_in(Role.MARKETER), page + "trail/")
    assert "把握情報を記録" in html and "rep さん" in html and "増産" not in html


def test_sheet_fits_one_thought_each(page: str, signed_in: SignedIn) -> None:
    html = shown(signed_in(Role.REP), page + "sheet/")
    recent = html[html.index("最近のできごと") : html.index("今日のご提案")]
    assert len(re.findall("<li>", recent)) == 3
    assert (
        html.index("お会いする方")
        < html.index("今日のご提案")
        < html.index("伺うこと（2つ）")
        < html.index("言わないこと")
    )
