"""The list of customers: who is on it, in which order, under which conditions."""

import io
from datetime import timedelta

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone, translation

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer, Owner
from nobishiro.web.people.models import Division, Rep, User


@pytest.fixture(autouse=True)
def _language() -> None:
    translation.activate("ja")


def make(code: str, **fields: object) -> Customer:
    name = str(fields.pop("name", f"顧客{code}"))
    return Customer.objects.create(code=code, name=name, search=f"{name} {code}".lower(), **fields)


@pytest.fixture
def listed(rep: Rep, site_workspace) -> dict[str, Customer]:
    other = Division.objects.create(code="D2", name="画像検査")
    colleague = Rep.objects.create(code="R2", name="高橋", division=other)
    day = timezone.localdate()
    made = [
        make("1", quadrant="A", potential=5e6, nps=6, main_rep=rep, last_touch_day=day, coverage=8, kana="イ", potential_basis="told"),
        make("2", quadrant="A", potential=1e6, nps=9, last_touch_day=day - timedelta(days=29), coverage=3, kana="ア", state="active", industry="食品", potential_basis="estimated"),
        make("3", quadrant="B", potential=4e6, last_touch_day=day - timedelta(days=30), missed_families=2, expected_missed=900_000, potential_basis="estimated", industry="食品"),
        make("4", quadrant="B", potential=2e6, nps=10, potential_basis="estimated", prefecture="東京都", main_division=other),
        make("5", quadrant="", potential=None, nps=7, potential_basis="unknown", state="lost", kana="ウ"),
        make("6", quadrant="C", potential=9e9, is_listed=False),
    ]  # fmt: skip
    Owner.objects.create(customer=made[2], division=rep.division, rep=rep, role="support")
    Owner.objects.create(customer=made[2], division=other, rep=colleague, role="main")
    return {row.code: row for row in made}


def codes(client: Client, query: str) -> str:
    return "".join(row.row.code for row in client.get(f"/customers/?{query}").context["list"].rows)


def test_by_room_to_grow_unless_asked_otherwise(signed_in, listed) -> None:
    client = signed_in(Role.REP)
    assert codes(client, "") == "13425"  # unknown last; who is no longer listed is not there
    assert codes(client, "sort=promoters") == "21435"  # promoters first within A and B
    assert codes(client, "sort=name") == "21534"  # ア イ ウ, then those without a reading by name
    assert codes(client, "sort=quadrant") == "12345"


def test_conditions(signed_in, listed) -> None:
    client = signed_in(Role.REP)
    assert codes(client, "rep=me") == "13"  # as main rep, and as one of several owners
    assert codes(client, f"rep={Rep.objects.get(code='R2').pk}") == "3"
    assert codes(client, f"division={Division.objects.get(code='D2').pk}") == "34"
    assert codes(client, "unseen=30") == "345"  # never seen counts as unseen
    assert codes(client, "missed=1") == "3"
    assert codes(client, "nps=detractor") == "1"
    assert codes(client, "nps=unknown") == "3"  # unknown is not detractor
    assert codes(client, "nps=promoter") == "42"
    assert codes(client, "known=3") == "3425"
    assert codes(client, "unknown=1") == "5"
    assert codes(client, "state=lost") == "5"
    assert codes(client, "industry=食品") == "32"
    assert codes(client, "prefecture=東京都&quadrant=B") == "4"
    assert codes(client, "q=顧客4") == "4"


def test_rep_who_is_none_is_not_offered_a_list_of_their_own(signed_in, listed) -> None:
    page = signed_in(Role.MANAGER).get("/customers/?rep=me")
    assert page.context["list"].total == 5  # nobody offered `me`


def test_sentence_is_made_from_the_rows_shown(signed_in, listed) -> None:
    page = signed_in(Role.REP).get("/customers/")
    figures = page.context["figures"]
    assert (figures.total, figures.a, figures.b, figures.unplaced, figures.b_unseen) == (
        5,
        2,
        2,
        1,
        2,
    )
    text = page.content.decode()
    assert "お客様は 5社" in text
    assert "quadrant=B&amp;unseen=30" in text
    narrowed = signed_in(Role.REP).get("/customers/?quadrant=A").context["figures"]
    assert (narrowed.total, narrowed.b_unseen) == (2, 0)


def test_unknown_is_said_and_never_zero(signed_in, listed) -> None:
    text = signed_in(Role.REP).get("/customers/?unknown=1").content.decode()
    assert "わからない" in text
    assert "0/8" in text  # of what matters nothing is known: that is a count


def test_language_of_the_person_counts(signed_in, listed) -> None:
    client = signed_in(Role.REP)
    user = client.get("/customers/").context["user"]
    User.objects.filter(pk=user.pk).update(language="en")
    text = client.get("/customers/?columns=name.state.nps").content.decode()
    assert "5 customers." in text
    assert "buying" in text
    assert "detractor" in text


def test_file_says_what_the_page_says(signed_in, listed) -> None:
    answer = signed_in(Role.REP).get(
        "/customers/?quadrant=B&columns=code.divisions.potential.state.basis.last_touch&out=xlsx"
    )
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert rows[0][:2] == ["当社事業部", "拡大余地 (円/年) 下限"]
    assert [row[0] for row in rows[1:]] == ["汎用センサ・画像検査", "画像検査"]
    assert [row[-1] for row in rows[1:]] == ["推定", "推定"]


def test_before_the_first_import_the_page_says_what_to_do(signed_in, db, site_workspace) -> None:
    assert "/imports/" in signed_in(Role.ADMINISTRATOR).get("/customers/").content.decode()
    assert "/imports/" not in signed_in(Role.REP).get("/customers/").content.decode().split("<main")[1]


def test_page_asks_few_questions_however_many_rows(
    signed_in, rep, site_workspace, django_assert_max_num_queries
) -> None:
    Customer.objects.bulk_create(
        Customer(code=f"{n:05}", name=f"顧客{n}", main_rep=rep, potential=float(n), industry=f"業種{n % 9}")
        for n in range(300)
    )
    Owner.objects.bulk_create(
        Owner(customer_id=pk, division=rep.division, rep=rep, role="main")
        for pk in Customer.objects.values_list("pk", flat=True)
    )
    client = signed_in(Role.REP)
    client.get("/customers/")  # the company's settings are made by the first page ever shown
    with django_assert_max_num_queries(15):
        client.get("/customers/?columns=name.rep.divisions.potential.coverage&rep=me&industry=業種3")
