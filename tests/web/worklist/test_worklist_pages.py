"""The pages of the work list: what they show, to whom, and in how many queries."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.facts import add_fact
from nobishiro.web.customers.models import Action, Contact, Customer, Fact, Outcome, Tag, Touch
from nobishiro.web.customers.outcomes import record_outcome
from nobishiro.web.customers.touches import add_touch
from nobishiro.web.people.models import CompanySettings, Rep, User
from nobishiro.web.worklist.cards import MOST_CARDS, day_list, week_figures
from nobishiro.web.worklist.models import LuckyOrder
from nobishiro.web.worklist.sentences import day_sentence

AT = datetime(2026, 11, 4, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
Sign = Callable[[Role], Client]
Make = Callable[..., Customer]
Act = Callable[..., Action]
Person = Callable[[Role], User]


@pytest.fixture
def many(written, make_customer: Make, make_action: Act, person: Person) -> list[Customer]:
    """Enough rows that one query a card would show."""
    CompanySettings.current()
    customers = []
    for n in range(14):
        customer = make_customer(f"K{n:02}", quadrant="AB"[n % 2], last_touch_day=date(2026, 9, 27))
        customers.append(customer)
        make_action(customer, rank=n + 1, source_key=f"plan:{n}", due=timezone.localdate() + timedelta(days=n % 3))
        for rank, product in enumerate(("P1", "P2", "P3"), start=1):
            written.offer(
                customer.code, product, rank=rank, kind="new" if rank < 3 else "replenishment", say="ひとことです。"
            )
        Fact.objects.create(customer=customer, fact="outlook", value="増産", learned_on=date(2026, 10, 1), set_at=AT)
        Contact.objects.create(code=f"C{n}", customer=customer, is_key_person=True)
    written.results["gaps"] = [
        {"customer_id": customer.code, "family": "F1", "state": "not_proposed", "expected": 500_000.0, "low": 380_000.0,
         "high": 920_000.0, "basis": "estimated", "is_missed": True}
        for customer in customers
    ]  # fmt: skip
    written.tables["products"] = [
        {"product_id": "P1", "name": "商品1", "price": 1000, "cost": 600}, {"product_id": "P2", "name": "商品2", "price": 1000}
    ]  # fmt: skip
    written.publish()
    return customers


def test_today_shows_at_most_ten_cards_and_one_offer_in_front(
    many: list[Customer], signed_in: Sign, django_assert_max_num_queries
) -> None:
    client = signed_in(Role.REP)
    with django_assert_max_num_queries(15):
        page = client.get(reverse("worklist:today"))
    text = page.content.decode()
    assert page.status_code == 200
    assert text.count('<article class="card"') == MOST_CARDS
    assert "K00工業さま" in text
    assert "商品群1 商品1" in text
    assert "関連提案・未提案" in text
    assert "「ひとことです。」" in text
    assert "ほかの2案" in text
    assert "¥38万〜¥92万" in text
    assert "売上" in text
    assert "粗利" not in text  # a rep may not see cost
    assert page.headers["X-Nobishiro-User"] == page.context["user"].pk.__str__()
    assert page.headers["Cache-Control"] == "no-store"


def test_who_may_see_cost_sees_the_margin(many: list[Customer], signed_in: Sign) -> None:
    text = signed_in(Role.MANAGER).get(reverse("worklist:today"), {"rep": "R1"}).content.decode()
    assert "粗利" in text
    assert "¥15万〜¥37万" in text  # 40 % of 380,000 and 920,000


def test_today_in_english(many: list[Customer], signed_in: Sign, person: Person) -> None:
    client = signed_in(Role.REP)
    User.objects.update(language="en")
    text = client.get(reverse("worklist:today")).content.decode()
    assert "customers to see " in text
    assert "(related, not yet proposed)" in text
    assert "¥380k–¥920k" in text


def test_the_sentence_is_made_from_todays_figures(
    make_customer: Make, make_action: Act, rep: Rep, person: Person, site_workspace: object
) -> None:
    for n in range(12):
        customer = make_customer(
            f"K{n:02}", quadrant="B" if n < 6 else "A", last_touch_day=date(2026, 10, 5) if n < 4 else date(2026, 11, 1)
        )
        make_action(customer, source_key=f"plan:{n}", due=date(2026, 11, 6))
    make_action(make_customer("Z"), source_key="plan:next", due=date(2026, 11, 9))
    day = day_list(rep, viewer=person(Role.REP), at=AT)
    with translation.override("ja"):
        said = day_sentence(day)
    assert said == "今週お会いしたいのは 12 社。うち B の 4 社は 30 日以上ご訪問がありません。"
    assert week_figures(rep, date(2026, 11, 4)).late == 0


def test_cards_ended_today_count_among_the_ten(
    make_customer: Make, make_action: Act, rep: Rep, person: Person, site_workspace: object
) -> None:
    actions = [make_action(make_customer(f"K{n:02}"), source_key=f"p:{n}", rank=n) for n in range(14)]
    for n in range(3):
        record_outcome(
            by=person(Role.REP), code=f"tap-00000{n}", customer=actions[n].customer, result="open", action=actions[n]
        )
    day = day_list(rep, viewer=person(Role.REP), at=timezone.now())
    assert len(day.cards) == MOST_CARDS
    assert sum(card.outcome is None for card in day.cards) == 7
    assert day.waiting == 4


def test_days_unseen_and_late(
    make_customer: Make, make_action: Act, rep: Rep, person: Person, site_workspace: object
) -> None:
    make_action(make_customer("K1", last_touch_day=date(2026, 9, 27)), due=date(2026, 11, 2))
    (card,) = day_list(rep, viewer=person(Role.REP), at=AT).cards
    assert (card.days_unseen, card.is_late, card.minutes) == (38, True, 60)


def test_no_offer_where_service_comes_first(written, make_customer: Make, make_action: Act, signed_in: Sign) -> None:
    customer = make_customer("K1")
    make_action(customer, kind="serve", family="", product_code="", offer_kind="", why_ja="苦情が未解決です。")
    written.offer("K1", "P1")
    written.publish()
    text = signed_in(Role.REP).get(reverse("worklist:today")).content.decode()
    assert "提案はしない" in text
    assert "商品1" not in text
    assert 'data-outcome="met"' in text
    assert 'data-outcome="won"' not in text


def test_what_was_proposed_since_the_run_is_said(
    many: list[Customer], person: Person, rep: Rep, make_action: Act
) -> None:
    record_outcome(by=person(Role.REP), code="tap-000009", customer=many[0], result="considering", family="F1")
    cards = day_list(rep, viewer=person(Role.REP), at=timezone.now()).cards
    front = next(card.front for card in cards if card.customer == many[0])
    assert front is not None
    with translation.override("ja"):
        assert (front.state, front.result, front.note) == ("proposed", "considering", "（関連提案・提案済み: 検討中）")


def test_a_declined_family_is_not_among_the_other_offers(many: list[Customer], person: Person, rep: Rep) -> None:
    record_outcome(by=person(Role.REP), code="tap-000010", customer=many[0], result="declined", family="F2")
    cards = day_list(rep, viewer=person(Role.REP), at=timezone.now()).cards
    others = next(card.others for card in cards if card.customer == many[0])
    assert [offer.product for offer in others] == ["P3"]


def test_other_kinds_come_before_more_of_the_same(many: list[Customer], person: Person, rep: Rep) -> None:
    card = day_list(rep, viewer=person(Role.REP), at=timezone.now()).cards[0]
    assert [offer.kind for offer in card.others] == ["replenishment", "cross_sell"]


def test_hostile_names_stay_text(written, make_customer: Make, make_action: Act, signed_in: Sign) -> None:
    make_action(make_customer("K1", name="<script>alert(1)</script>"))
    written.publish()
    text = signed_in(Role.REP).get(reverse("worklist:today")).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_nobody_but_who_leads_sees_anothers_list(many: list[Customer], signed_in: Sign) -> None:
    Rep.objects.create(code="R2", name="鈴木")
    assert signed_in(Role.REP).get(reverse("worklist:today"), {"rep": "R2"}).status_code == 404
    page = signed_in(Role.MANAGER).get(reverse("worklist:today"), {"rep": "R2"})
    assert page.status_code == 200
    assert "X-Nobishiro-User" not in page.headers  # never kept on the manager's device
    assert signed_in(Role.MANAGER).get(reverse("worklist:today"), {"rep": "nobody"}).status_code == 404


def test_who_leads_sees_everybodys_list_at_a_glance(
    many: list[Customer], signed_in: Sign, make_action: Act, django_assert_max_num_queries
) -> None:
    for n in range(20):
        make_action(
            many[n % 14],
            rep=Rep.objects.create(code=f"S{n}", name=f"担当{n}"),
            source_key=f"s:{n}",
            due=date(2026, 1, 5),
        )
    client = signed_in(Role.MANAGER)
    with django_assert_max_num_queries(15):
        text = client.get(reverse("worklist:today")).content.decode()
    assert "期限を過ぎたご提案が 20 件あります。" in text
    assert "佐藤 健" in text


@pytest.mark.parametrize("name", ["today", "relisten", "look_back", "report", "five", "handover", "mail"])
def test_pages_stand_without_any_figures(signed_in: Sign, site_workspace: object, name: str) -> None:
    for role in (Role.REP, Role.MANAGER):
        page = signed_in(role).get(reverse(f"worklist:{name}"))
        assert page.status_code == 200
        assert 'class="nothing"' in page.content.decode() or name == "mail"


@pytest.mark.parametrize("name", ["today", "relisten", "look_back", "report", "five", "handover", "mail", "token"])
@pytest.mark.parametrize("role", [Role.MARKETER, Role.ADMINISTRATOR])
def test_who_does_not_work_a_list_finds_nothing(signed_in: Sign, site_workspace: object, name: str, role: Role) -> None:
    assert signed_in(role).get(reverse(f"worklist:{name}")).status_code == 404


def test_the_daily_report_lists_corrects_and_adds(
    customer: Customer, person: Person, signed_in: Sign, django_assert_max_num_queries
) -> None:
    rep = person(Role.REP)
    for n in range(25):
        other = Customer.objects.create(code=f"X{n}", name=f"顧客{n}")
        record_outcome(by=rep, code=f"tap-1000{n:02}", customer=other, result="declined", reason="price", minutes=30)
    client = signed_in(Role.REP)
    with django_assert_max_num_queries(15):
        text = client.get(reverse("worklist:report")).content.decode()
    assert "今日は 25 社、12.5 時間。" in text
    assert "お断り: 価格" in text
    touch = Touch.objects.order_by("pk").first()
    client.post(reverse("worklist:report_amend", args=[touch.pk]), {"kind": "call", "minutes": "15", "note": "留守"})
    touch.refresh_from_db()
    assert (touch.kind, touch.minutes, touch.note) == ("call", 15, "留守")
    client.post(reverse("worklist:report_amend", args=[touch.pk]), {"kind": "call", "minutes": "9999"})
    touch.refresh_from_db()
    assert touch.minutes == 15
    form = {
        "code": "report-add-1", "customer": customer.pk, "day": timezone.localdate(), "time": "00:05", "kind": "visit",
        "minutes": "60", "note": "工場を見学",
    }  # fmt: skip
    client.post(reverse("worklist:report_add"), form)
    client.post(reverse("worklist:report_add"), form)
    assert Touch.objects.filter(customer=customer).count() == 1
    assert "工場を見学" in client.get(reverse("worklist:report")).content.decode()


def test_taking_back_a_contact_takes_back_what_the_tap_said(
    person: Person, signed_in: Sign, customer: Customer, make_action: Act
) -> None:
    action = make_action(customer)
    outcome, _ = record_outcome(by=person(Role.REP), code="tap-2000001", customer=customer, result="won", action=action)
    signed_in(Role.REP).post(reverse("worklist:report_withdraw", args=[outcome.touch.pk]))
    outcome.refresh_from_db()
    action.refresh_from_db()
    assert outcome.withdrawn_at is not None
    assert action.state == "open"
    assert Touch.objects.filter(withdrawn_at=None).count() == 0


def test_nobody_corrects_anothers_report(person: Person, signed_in: Sign, customer: Customer) -> None:
    touch = add_touch(by=person(Role.REP), code="t-1", customer=customer, kind="visit", note="私の")
    client = signed_in(Role.MANAGER)
    assert client.post(reverse("worklist:report_amend", args=[touch.pk]), {"kind": "call"}).status_code == 404
    assert client.post(reverse("worklist:report_withdraw", args=[touch.pk])).status_code == 404
    assert "私の" in client.get(reverse("worklist:report"), {"rep": "all"}).content.decode()
    assert signed_in(Role.REP).get(reverse("worklist:report"), {"rep": "all"}).status_code == 404


def test_customers_are_found_by_what_people_type(signed_in: Sign, customer: Customer) -> None:
    client = signed_in(Role.REP)
    for text in ("東和", "トウワ", "０００１２３"):
        assert "東和食品機械" in client.get(reverse("worklist:report_customers"), {"q": text}).content.decode()
    assert "東和食品機械" not in client.get(reverse("worklist:report_customers"), {"q": "  "}).content.decode()


@pytest.fixture
def lucky(make_customer: Make) -> list[LuckyOrder]:
    return [
        LuckyOrder.objects.create(
            code=f"O{n}", customer=make_customer(f"L{n:02}", coverage=None if n % 2 else 2), run_id="1",
            ordered_on=date(2026, 10, 1), amount=1000.0 * (n + 1), usual=500.0, channel="web",
            touched_on=date(2026, 6, 1), reason="untouched", product_name="光電 E500", quantity=200,
        )
        for n in range(30)
    ]  # fmt: skip


def test_orders_by_luck_are_ranked_by_yen_with_why_and_what_to_ask(
    lucky: list[LuckyOrder], signed_in: Sign, site_workspace: object, django_assert_max_num_queries
) -> None:
    client = signed_in(Role.REP)
    with django_assert_max_num_queries(15):
        text = client.get(reverse("worklist:relisten")).content.decode()
    assert "働きかけなしに届き、理由をよく知らないご注文が 30 件、計 ¥46万 あります。" in text
    assert text.index("L29工業") < text.index("L28工業")
    assert "こちらからの最後の接点は 122 日前でした。" in text
    assert "光電 E500 × 200" in text
    assert "選ばれた理由" in text


def test_well_known_customers_are_not_asked_again(
    lucky: list[LuckyOrder], signed_in: Sign, site_workspace: object
) -> None:
    Customer.objects.update(coverage=5)
    assert "聞き直すご注文はありません" in signed_in(Role.REP).get(reverse("worklist:relisten")).content.decode()


def test_an_answer_becomes_facts_and_settles_the_order(
    lucky: list[LuckyOrder], signed_in: Sign, site_workspace: object
) -> None:
    order = lucky[0]
    client = signed_in(Role.REP)
    client.post(reverse("worklist:relisten_answer", args=[order.pk]), {"fact_chosen_reason": "  ", "fact_outlook": ""})
    order.refresh_from_db()
    assert order.settled_at is None
    client.post(
        reverse("worklist:relisten_answer", args=[order.pk]),
        {"fact_chosen_reason": "納期が早い", "fact_previous_supplier": "A社", "fact_total_spend": "1,800万"},
    )
    order.refresh_from_db()
    assert order.settled_how == "asked"
    assert {fact.fact: fact.value or fact.amount for fact in Fact.objects.filter(customer=order.customer)} == {
        "chosen_reason": "納期が早い", "previous_supplier": "A社", "total_spend": 18_000_000,
    }  # fmt: skip


def test_asking_later_is_one_thing_to_do(
    lucky: list[LuckyOrder], signed_in: Sign, site_workspace: object, rep: Rep
) -> None:
    client = signed_in(Role.REP)
    for _ in range(2):
        client.post(reverse("worklist:relisten_later", args=[lucky[0].pk]))
    action = Action.objects.get()
    assert (action.kind, action.source, action.rep, action.customer) == ("ask", "relisten", rep, lucky[0].customer)
    client.post(reverse("worklist:relisten_settle", args=[lucky[0].pk]))
    lucky[0].refresh_from_db()
    assert lucky[0].settled_how == "known"


def test_five_minutes_ask_one_question_a_customer(
    make_customer: Make, signed_in: Sign, site_workspace: object, django_assert_max_num_queries
) -> None:
    known = make_customer("K1", coverage=6, quadrant="A")
    first, second = make_customer("K2", coverage=None), make_customer("K3", coverage=1)
    make_customer("K4", quadrant="C", coverage=None)
    client = signed_in(Role.REP)
    with django_assert_max_num_queries(15):
        page = client.get(reverse("worklist:five"))
    assert page.context["run"] == f"{first.pk},{second.pk},{known.pk}"
    assert page.context["question"].fact == "total_spend"
    form = {"c": page.context["run"], "at": "0", "n": "0", "customer": first.pk, "fact": "total_spend", "do": "keep"}
    answer = client.post(reverse("worklist:five"), form | {"amount": "たくさん"}, follow=True)
    assert answer.context["customer"] == first  # nothing was kept, asked again
    answer = client.post(reverse("worklist:five"), form | {"amount": "1800万円"}, follow=True)
    assert Fact.objects.get().amount == 18_000_000
    assert (answer.context["customer"], answer.context["kept"]) == (second, 1)
    form |= {"at": "1", "n": "1", "customer": second.pk}
    answer = client.post(reverse("worklist:five"), form | {"do": "ask"}, follow=True)
    assert Action.objects.get().kind == "ask"
    form |= {"at": "2", "customer": known.pk, "do": "skip"}
    answer = client.post(reverse("worklist:five"), form, follow=True)
    assert "頭の中にだけあったことが 1 件、残りました。" in answer.content.decode()


def test_the_hand_over_sheet_says_what_is_known_and_what_is_not(
    make_customer: Make, signed_in: Sign, rep: Rep, person: Person, make_action: Act, site_workspace: object,
    django_assert_max_num_queries,
) -> None:  # fmt: skip
    for n in range(30):
        customer = make_customer(f"K{n:02}")
        add_fact(by=person(Role.REP), customer=customer, fact="outlook", value=f"来期は増産{n}")
        Tag.objects.create(customer=customer, tag="relation", value="○", rep=rep, set_at=AT)
        Contact.objects.create(code=f"C{n}", customer=customer, family_name="田中", is_key_person=True)
        make_action(customer, source_key=f"h:{n}")
    client = signed_in(Role.MANAGER)
    with django_assert_max_num_queries(15):
        text = client.get(reverse("worklist:handover"), {"rep": "R1"}).content.decode()
    assert "佐藤 健さんの担当は 30 社です。" in text
    assert "来期は増産29" in text
    assert "田中" in text


def test_look_back_counts_what_came_of_it(
    make_customer: Make, signed_in: Sign, person: Person, make_action: Act, site_workspace: object,
    django_assert_max_num_queries,
) -> None:  # fmt: skip
    rep = person(Role.REP)
    for n in range(12):
        customer = make_customer(f"K{n:02}")
        record_outcome(
            by=rep, code=f"tap-3000{n:02}", customer=customer, result="won" if n < 3 else "open", family="F1",
            amount=100_000 if n < 3 else None, minutes=60,
        )  # fmt: skip
        make_action(customer, source_key=f"l:{n}", due=timezone.localdate(), hours=2.0)
    add_fact(by=rep, customer=customer, fact="outlook", value="来期は増産")
    record_outcome(by=rep, code="tap-300099", customer=customer, result="won", family="F1", amount=50_000)
    client = signed_in(Role.REP)
    with django_assert_max_num_queries(15):
        page = client.get(reverse("worklist:look_back"))
    said = page.context["said"]
    text = page.content.decode()
    assert (said.proposals, said.won, said.yen) == (13, 4, 350_000)
    assert said.rate[0] < 4 / 13 < said.rate[2]
    assert "まだ少ないので" in text
    assert [(one.quadrant, one.planned) for one in said.hours if one.planned] == [("B", 24.0)]
    assert next(one.spent for one in said.hours if one.quadrant == "B") == 12.0
    assert "来期は増産" in text
    assert any(row.later == "受注" for row in said.rows)
    assert client.get(reverse("worklist:look_back"), {"period": "month"}).context["said"].proposals == 13
    assert client.get(reverse("worklist:look_back"), {"rep": "all"}).status_code == 404
    assert signed_in(Role.MANAGER).get(reverse("worklist:look_back")).context["said"].proposals == 13
    assert Outcome.objects.count() == 13
