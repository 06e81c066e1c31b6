"""The pages of referrals, as each role sees them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer
from nobishiro.web.customers.touches import add_touch
from nobishiro.web.people.models import Division, Rep, User
from nobishiro.web.referrals import services
from nobishiro.web.referrals.models import Question, Referral, Reward

pytestmark = pytest.mark.django_db


@pytest.fixture
def imaging() -> Division:
    division = Division.objects.create(code="D2", name="画像検査")
    Rep.objects.create(code="R2", name="鈴木 花", division=division)
    return division


@pytest.fixture
def many(person: Callable[[Role], User], customer: Customer, imaging: Division) -> list[Referral]:
    """Forty referrals in every state, with rewards and thanks."""
    by, taker = person(Role.REP), Rep.objects.get(code="R2")
    specialist = User.objects.create_user("hana@example.jp", "鈴木 花", Role.REP)
    specialist.rep = taker
    specialist.save()
    made = []
    for number in range(40):
        other = Customer.objects.create(code=f"K{number}", name=f"顧客{number}", search=f"顧客{number}", nps=10)
        referral, _ = services.send_referral(
            by=by, code=f"c-{number}", customer=other, to_division=imaging, heard=f"話 {number}"
        )
        if number % 4:
            services.accept_referral(by=specialist, referral=referral, rep=taker)
        if number % 4 > 1:
            touch = add_touch(
                by=specialist,
                code=f"t-{number}",
                customer=other,
                kind="visit",
                happened_at=timezone.now() + timedelta(minutes=1),
            )
            services.confirm_approach(by=by, referral=referral, touch=touch)
            services.praise(by=specialist, referral=referral, text="ありがとうございます")
        if number % 4 > 2:
            services.close_referral(by=specialist, referral=referral, is_won=True, amount=Decimal(500_000))
        made.append(referral)
    return made


PAGES = [
    "/referrals/", "/referrals/?whose=all&state=", "/referrals/?whose=out&state=won", "/referrals/rewards/",
    "/referrals/board/", "/referrals/introductions/", "/referrals/introductions/?whose=all", "/referrals/new/?q=顧客",
]  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_pages_open_with_few_queries(
    address: str,
    role: Role,
    language: str,
    many: list[Referral],
    person: Callable[[Role], User],
    signed_in: Callable[[Role], Client],
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    User.objects.filter(pk=person(role).pk).update(language=language)
    client = signed_in(role)
    with django_assert_max_num_queries(15):
        answer = client.get(address)
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.content.decode()


def test_one_referral_opens_in_every_state(
    many: list[Referral], signed_in: Callable[[Role], Client], django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = signed_in(Role.MANAGER)
    for referral in many[:4]:
        with django_assert_max_num_queries(15):
            answer = client.get(reverse("referrals:detail", args=[referral.pk]))
        assert referral.heard in answer.content.decode()


def test_a_yes_leads_to_the_referral_with_what_was_said(
    signed_in: Callable[[Role], Client], customer: Customer, imaging: Division
) -> None:
    question = Question.objects.create(text_ja="検査は目視ですか", division=imaging)
    client = signed_in(Role.REP)
    assert "検査は目視ですか" in client.get(reverse("referrals:hear", args=[customer.pk])).content.decode()
    answer = client.post(
        reverse("referrals:answer", args=[customer.pk, question.pk]), {"answer": "yes", "note": "月末は徹夜です"}
    )
    assert answer.status_code == 302
    form = client.get(answer.headers["Location"]).content.decode()
    assert "月末は徹夜です" in form
    assert f'<option value="{imaging.pk}" selected>' in form


def test_the_whole_way_by_the_pages(
    signed_in: Callable[[Role], Client], person: Callable[[Role], User], customer: Customer, imaging: Division
) -> None:
    rep, manager = signed_in(Role.REP), signed_in(Role.MANAGER)
    sent = rep.post(
        "/referrals/new/",
        {
            "code": "b1b1b1b1-0000-4000-8000-000000000001",
            "customer": customer.pk,
            "to_division": imaging.pk,
            "heard": "人手が足りない",
        },
    )
    referral = Referral.objects.get()
    assert sent.headers["Location"] == reverse("referrals:detail", args=[referral.pk])
    taker = Rep.objects.get(code="R2")
    rep.post(reverse("referrals:accept", args=[referral.pk]), {"rep": taker.pk})
    referral.refresh_from_db()
    assert referral.state == "sent", "a rep of another division may not accept it"
    manager.post(reverse("referrals:accept", args=[referral.pk]), {"rep": taker.pk})
    specialist = User.objects.create_user("hana@example.jp", "鈴木 花", Role.REP)
    specialist.rep = taker
    specialist.save()
    touch = add_touch(
        by=specialist,
        code="t-1",
        customer=customer,
        kind="visit",
        happened_at=timezone.now() + timedelta(minutes=1),
        minutes=40,
    )
    assert "アプローチを確認する" in rep.get(reverse("referrals:detail", args=[referral.pk])).content.decode()
    rep.post(reverse("referrals:check", args=[referral.pk]), {"touch": touch.pk})
    manager.post(reverse("referrals:close", args=[referral.pk]), {"result": "won", "amount": "1200000"})
    referral.refresh_from_db()
    assert (referral.state, referral.amount) == ("won", 1_200_000)
    waiting = Reward.objects.filter(state="waiting")
    assert waiting.count() == 2
    rep.post(reverse("referrals:decide", args=[waiting[0].pk]), {"decision": "approve"})
    assert waiting.count() == 2, "only who may confirm approves"
    manager.post(reverse("referrals:decide", args=[waiting[0].pk]), {"decision": "approve"})
    assert waiting.count() == 1
    assert "¥1,000" in rep.get("/referrals/rewards/").content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"code": "no", "customer": "1", "to_division": "1", "heard": "x"},
        {
            "code": "b1b1b1b1-0000-4000-8000-000000000001",
            "customer": "99999999999999999999",
            "to_division": "x",
            "heard": "",
        },
    ],
)
def test_a_form_that_makes_no_sense_says_so_and_keeps_nothing(
    signed_in: Callable[[Role], Client], customer: Customer, imaging: Division, sent: dict[str, str]
) -> None:
    answer = signed_in(Role.REP).post("/referrals/new/", sent)
    assert answer.status_code == 400
    assert not Referral.objects.exists()


def test_hostile_words_are_shown_as_words(
    signed_in: Callable[[Role], Client], person: Callable[[Role], User], customer: Customer, imaging: Division
) -> None:
    hostile = "<script>alert(1)</script>"
    referral, _ = services.send_referral(
        by=person(Role.REP), code="c", customer=customer, to_division=imaging, heard=hostile
    )
    for address in ("/referrals/?whose=all", reverse("referrals:detail", args=[referral.pk])):
        page = signed_in(Role.MANAGER).get(address).content.decode()
        assert hostile not in page
        assert "&lt;script&gt;" in page


def test_a_checklist_is_drafted_from_the_divisions_once(
    signed_in: Callable[[Role], Client], imaging: Division, division: Division
) -> None:
    client = signed_in(Role.MANAGER)
    client.post("/referrals/questions/", {"propose": "1"})
    client.post("/referrals/questions/", {"propose": "1"})
    assert [question.division for question in Question.objects.all()] == [imaging]
    assert signed_in(Role.REP).get("/referrals/questions/").status_code == 404
