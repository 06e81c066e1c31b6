"""管理: users, divisions and reps, assignments, targets, calendar, company, products."""

import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.edit_masters import read_master
from nobishiro.web.core.models import AuditEntry, Job
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Correction
from nobishiro.web.people.calendar import is_business_day
from nobishiro.web.people.models import CalendarDay, CompanySettings, Division, Invitation, Rep, User

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 21, 9)


@pytest.fixture
def company(site_workspace: Path, rep: Rep) -> Path:
    Workspace.open_or_plan(site_workspace).make(AT)
    products = [f"P{number:03d}" for number in range(70)]
    with Workspace.open(site_workspace).store.begin("first", "import", "", AT) as transaction:
        transaction.upsert(
            "divisions",
            pl.DataFrame({"division_id": ["D1", "D2"], "name": ["汎用センサ", "画像検査"], "is_window": [True, False]}),
        )
        transaction.upsert(
            "reps",
            pl.DataFrame(
                {
                    "rep_id": ["R1", "R2"],
                    "name": ["佐藤 健", "鈴木 花"],
                    "division_id": ["D1", "D2"],
                    "email": ["s@x.jp", None],
                }
            ),
        )
        transaction.upsert(
            "customers",
            pl.DataFrame({"customer_id": [f"C{n}" for n in range(60)], "name": [f"<b>顧客</b>{n}" for n in range(60)]}),
        )
        transaction.upsert(
            "assignments",
            pl.DataFrame(
                {"customer_id": [f"C{n}" for n in range(60)], "division_id": "D1", "rep_id": "R1", "role": "main"}
            ),
        )
        transaction.upsert(
            "products",
            pl.DataFrame(
                {
                    "product_id": products,
                    "name": [f"センサ {p}" for p in products],
                    "family": ["光電"] * 40 + [None] * 30,
                    "price": [Decimal(1000)] * 70,
                    "cost": [Decimal(400)] * 10 + [None] * 60,
                    "kind": ["goods"] * 70,
                }
            ),
        )
        transaction.upsert(
            "targets",
            pl.DataFrame(
                {
                    "scope": ["company"],
                    "scope_id": ["all"],
                    "period_start": [date(2026, 4, 1)],
                    "period_end": [date(2026, 9, 30)],
                    "measure": ["sales"],
                    "amount": [Decimal(5_000_000)],
                }
            ),
        )
        transaction.commit()  # fmt: skip
    division2 = Division.objects.create(code="D2", name="画像検査")
    Rep.objects.create(code="R2", name="鈴木 花", division=division2, hours_per_month=60)
    return site_workspace


@pytest.fixture
def admin(signed_in: Callable[[Role], Client], person: Callable[[Role], User]) -> Client:
    client = signed_in(Role.ADMINISTRATOR)
    session = client.session
    session["account_authentication_methods_user"] = str(person(Role.ADMINISTRATOR).pk)
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session.save()
    return client


def latest(verb: str) -> AuditEntry:
    return AuditEntry.objects.filter(verb=verb).first()


# users


def test_inviting_shows_the_link_once_and_keeps_only_its_hash(admin: Client, rep: Rep, division: Division) -> None:
    answers = {
        "name": "新人",
        "email": "New@example.jp",
        "role": "rep",
        "division": division.pk,
        "rep": rep.pk,
        "is_active": "1",
    }
    response = admin.post(reverse("people:invite"), answers)
    assert response.status_code == 200 and "account/invitation/#" in response.context["link"]
    token = response.context["link"].split("#")[1]
    assert token in response.content.decode()
    made = Invitation.objects.get()
    assert (made.email, made.role, made.rep) == ("new@example.jp", "rep", rep)
    assert token not in admin.get(reverse("people:users")).content.decode()
    admin.post(reverse("people:invitation_withdraw", args=[made.pk]))
    assert Client().post(reverse("people:invitation"), {"token": token}).status_code == 404


def test_power_over_accounts_asks_who_it_is_first(signed_in, person) -> None:
    client, other = signed_in(Role.ADMINISTRATOR), person(Role.REP)
    for name, args in (
        ("people:invite", []),
        ("people:user_disable", [other.pk]),
        ("people:user_password_link", [other.pk]),
    ):
        response = client.post(reverse(name, args=args), {"email": "x@example.jp", "role": "administrator"})
        assert response.status_code == 302 and response.url.startswith(reverse("account_reauthenticate")), name
    other.refresh_from_db()
    assert other.is_active and not Invitation.objects.exists()


def test_a_change_of_a_person_is_kept_with_before_and_after(admin: Client, person) -> None:
    user = person(Role.REP)
    answers = {
        "name": user.name,
        "email": user.email,
        "role": "manager",
        "language": "en",
        "must_use_mfa": "on",
        "password": "x",
        "session_stamp": "y",
    }
    assert admin.post(reverse("people:user", args=[user.pk]), answers).status_code == 302
    before = user.password
    user.refresh_from_db()
    assert (user.role, user.language, user.must_use_mfa, user.password) == ("manager", "en", True, before)
    detail = latest("user.change").detail
    assert detail["role"] == ["rep", "manager"] and detail["must_use_mfa"] == [False, True] and "name" not in detail
    taken = {**answers, "email": "administrator@example.jp"}
    assert admin.post(reverse("people:user", args=[user.pk]), taken).status_code == 422


def test_closing_an_account_ends_its_sessions_and_opens_again(admin: Client, signed_in, person) -> None:
    user, theirs = person(Role.REP), signed_in(Role.REP)
    assert theirs.get(reverse("people:account")).status_code == 200
    assert admin.post(reverse("people:user_disable", args=[user.pk])).status_code == 302
    assert theirs.get(reverse("people:account")).status_code == 302
    admin.post(reverse("people:user_enable", args=[user.pk]))
    assert theirs.get(reverse("people:account")).status_code == 302, "the old session does not come back"


def test_sessions_and_lost_factors_are_ended_by_the_administrator(admin: Client, signed_in, person) -> None:
    user, theirs = person(Role.REP), signed_in(Role.REP)
    admin.post(reverse("people:user_end_sessions", args=[user.pk]))
    assert theirs.get(reverse("people:account")).status_code == 302
    Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})
    admin.post(reverse("people:user_factors_off", args=[user.pk]))
    assert not Authenticator.objects.filter(user=user).exists()
    assert latest("mfa.remove").detail["by"] == "administrator"


def test_there_is_always_an_administrator_left(admin: Client, person) -> None:
    me = person(Role.ADMINISTRATOR)
    admin.post(reverse("people:user_disable", args=[me.pk]))
    answers = {"name": me.name, "email": me.email, "role": "rep"}
    assert admin.post(reverse("people:user", args=[me.pk]), answers).status_code == 422
    me.refresh_from_db()
    assert me.is_active and me.role == Role.ADMINISTRATOR


# divisions, reps, assignments


def test_a_rep_is_changed_in_the_store_and_on_the_pages_and_can_be_taken_back(admin: Client, company: Path) -> None:
    answers = {"name": "佐藤 健一", "division": "D2", "hours": "72.5", "valid_from": "2020-04-01", "valid_to": ""}
    assert admin.post(reverse("people:rep") + "?code=R1", answers).status_code == 302
    row = Rep.objects.get(code="R1")
    assert (row.name, row.division.code, row.hours_per_month) == ("佐藤 健一", "D2", 72.5)
    stored = read_master(company, "reps").filter(pl.col("rep_id") == "R1").row(0, named=True)
    assert (stored["name"], stored["hours_per_month"], stored["email"]) == ("佐藤 健一", 72.5, "s@x.jp")
    detail = latest("rep.save").detail
    assert detail["before"]["hours_per_month"] == 80 and detail["after"]["hours_per_month"] == 72.5
    Workspace.open(company).store.undo(detail["edit"], AT)
    assert read_master(company, "reps").filter(pl.col("rep_id") == "R1")["name"].item() == "佐藤 健"


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("people:rep", {"code": "R1", "name": "x"}),
        ("people:rep", {"code": "a b", "name": "x"}),
        ("people:rep", {"code": "R9", "name": ""}),
        ("people:rep", {"code": "R9", "name": "x", "hours": "-1"}),
        ("people:rep", {"code": "R9", "name": "x", "division": "none"}),
        ("people:rep", {"code": "R9", "name": "x", "valid_from": "2026-05-01", "valid_to": "2026-04-01"}),
        ("people:division", {"code": "D1", "name": "x"}),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    admin: Client, company: Path, name: str, answers: dict[str, str]
) -> None:
    before = Workspace.open(company).store.head().number
    response = admin.post(reverse(name), answers)
    assert response.status_code == 422 and "errorlist" in response.content.decode()
    assert Workspace.open(company).store.head().number == before


def test_divisions_cannot_stand_below_themselves(admin: Client, company: Path) -> None:
    assert admin.post(reverse("people:division") + "?code=D2", {"name": "画像検査", "parent": "D1"}).status_code == 302
    assert Division.objects.get(code="D2").parent.code == "D1"
    assert (
        admin.post(reverse("people:division") + "?code=D1", {"name": "汎用センサ", "parent": "D2"}).status_code == 422
    )


def test_handing_over_moves_all_and_tells_the_lists(admin: Client, company: Path) -> None:
    response = admin.post(reverse("people:hand_over"), {"from_rep": "R1", "to_rep": "R2"}, follow=True)
    assert response.context["total"] == 60 and response.context["rep"] == "R2"
    assert "<b>顧客</b>" not in response.content.decode()
    assert latest("assignment.hand_over").detail["customers"] == 60
    assert Job.objects.filter(kind="project").count() == 1
    assert admin.post(reverse("people:hand_over"), {"from_rep": "R2", "to_rep": "R2"}).status_code == 422


def test_one_assignment_is_added_and_ended(admin: Client, company: Path) -> None:
    tie = {"customer": "C5", "division": "D2", "rep": "R2", "role": "specialist"}
    assert admin.post(reverse("people:assignment_add"), tie).status_code == 302
    assert admin.get(reverse("people:assignments"), {"q": "c5", "rep": "R2"}).context["total"] == 1
    assert admin.post(reverse("people:assignment_add"), {**tie, "customer": "nobody"}).status_code == 422
    assert admin.post(reverse("people:assignment_end"), tie).status_code == 302
    assert admin.get(reverse("people:assignments"), {"rep": "R2"}).context["total"] == 0
    assert admin.post(reverse("people:assignment_end"), tie).status_code == 404


# targets


def targets_of(company: Path) -> dict[tuple[str, date], tuple[date, Decimal]]:
    frame = read_master(company, "targets")
    return {
        (f"{row['scope']}:{row['scope_id']}", row["period_start"]): (row["period_end"], row["amount"])
        for row in frame.iter_rows(named=True)
    }


def test_targets_are_kept_by_month_or_by_year(admin: Client, company: Path) -> None:
    address, about = reverse("people:targets_save"), {"year": "2026", "measure": "sales"}
    months = {"rep:R1:year": "", "rep:R1:0": "1,000,000", "rep:R1:11": "¥２，０００，０００"}
    whole = {"rep:R2:year": "12,000,000"}
    assert admin.post(address, {**about, **months, **whole}).status_code == 302
    kept = targets_of(company)
    assert kept["rep:R1", date(2026, 4, 1)] == (date(2026, 4, 30), 1_000_000)
    assert kept["rep:R1", date(2027, 3, 1)] == (date(2027, 3, 31), 2_000_000)
    assert kept["rep:R2", date(2026, 4, 1)] == (date(2027, 3, 31), 12_000_000)
    assert kept["company:all", date(2026, 4, 1)] == (date(2026, 9, 30), 5_000_000), "what was not sent stays"
    page = admin.get(reverse("people:targets"), about)
    assert page.context["rep_year"] == 15_000_000
    assert [name for name, _row in page.context["other"]] == ["全社"]

    spread = {"rep:R2:year": "12,000,000", "rep:R2:spread": "1"}
    admin.post(address, {**about, **spread})
    kept = targets_of(company)
    assert kept["rep:R2", date(2026, 4, 1)] == (date(2026, 4, 30), 1_000_000)
    assert sum(amount for (scope, _start), (_end, amount) in kept.items() if scope == "rep:R2") == 12_000_000
    admin.post(address, {**about, "rep:R1:year": "", "rep:R1:0": "1,000,000"})
    assert ("rep:R1", date(2027, 3, 1)) not in targets_of(company), "an empty field takes the target out"
    before = Workspace.open(company).store.head().number
    admin.post(address, {**about, "rep:R1:year": "", "rep:R1:0": "1,000,000"})
    assert Workspace.open(company).store.head().number == before, "nothing changed, nothing written"


@pytest.mark.parametrize(
    "answers",
    [{"rep:R1:year": "1", "rep:R1:0": "5"}, {"rep:R1:year": "many"}, {"rep:R1:year": "-5"}, {"rep:R1:year": "NaN"}],
)
def test_impossible_targets_are_said(admin: Client, company: Path, answers: dict[str, str]) -> None:
    response = admin.post(reverse("people:targets_save"), {"year": "2026", "measure": "sales", **answers})
    assert response.status_code == 422 and "佐藤 健" in response.content.decode()
    assert len(targets_of(company)) == 1


def test_the_grid_follows_the_fiscal_year(admin: Client, company: Path) -> None:
    CompanySettings(pk=1, fiscal_year_starts=10).save()
    year = admin.get(reverse("people:targets"), {"year": "2026"}).context["year"]
    assert (year.start, year.end) == (date(2026, 10, 1), date(2027, 9, 30))


# calendar and company


def test_days_are_closed_one_by_one_and_by_a_pasted_list(admin: Client) -> None:
    admin.post(reverse("people:calendar_save"), {"day": "2026-11-24", "is_open": "0", "name": "創立記念日"})
    assert not is_business_day(date(2026, 11, 24))
    pasted = "2026/12/29(火) 年末休業\n２０２６年１２月３０日, 年末休業\n\n2027-01-04"
    assert admin.post(reverse("people:calendar_paste"), {"lines": pasted, "is_open": "0"}).status_code == 302
    assert list(CalendarDay.objects.values_list("day", "name")) == [
        (date(2026, 11, 24), "創立記念日"), (date(2026, 12, 29), "年末休業"), (date(2026, 12, 30), "年末休業"), (date(2027, 1, 4), ""),
    ]  # fmt: skip
    page = admin.get(reverse("people:calendar"), {"year": "2026"})
    assert page.context["open_days"] == sum(
        is_business_day(date.fromordinal(day))
        for day in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())
    )
    day = CalendarDay.objects.get(day=date(2026, 11, 24))
    admin.post(reverse("people:calendar_remove", args=[day.pk]))
    assert is_business_day(date(2026, 11, 24))
    refused = admin.post(reverse("people:calendar_paste"), {"lines": "2026/12/29\nsometime", "is_open": "0"})
    assert refused.status_code == 422 and "2 行目" in refused.content.decode()


def test_the_companys_settings_are_kept_with_before_and_after(admin: Client) -> None:
    answers = {
        "name": "のびしろ計器", "fiscal_year_starts": "10", "closing_day": "20", "price_shown": "included", "weekend": ["2", "6"],
        "referral_sla_days": "2", "approach_sla_days": "7", "referral_reward": "500", "closing_reward": "9000", "restored_at": "2020-01-01",
    }  # fmt: skip
    assert admin.post(reverse("people:company"), answers).status_code == 302
    kept = CompanySettings.current()
    assert (kept.name, kept.fiscal_year_starts, kept.weekend, kept.closing_day) == ("のびしろ計器", 10, "2,6", 20)
    assert kept.restored_at is None
    assert latest("company.change").detail["weekend"] == ["5,6", "2,6"]
    every_day = {**answers, "weekend": list("0123456")}
    assert admin.post(reverse("people:company"), every_day).status_code == 422


# products


def test_products_are_found_and_cost_is_seen_by_those_who_may(admin: Client, signed_in, company: Path) -> None:
    page = admin.get(reverse("people:products"), {"q": "ｐ00"})
    assert page.context["found"].total == 10 and "cost" not in page.context["found"].rows[0]
    manager = signed_in(Role.MANAGER).get(reverse("people:products"))
    assert manager.context["found"].rows[0]["cost"] == 400 and len(manager.context["found"].rows) == 50
    assert manager.context["found"].without_family == 30 and manager.context["found"].without_cost == 60
    assert signed_in(Role.REP).get(reverse("people:products"), {"lacks": "cost"}).context["found"].total == 70


def test_a_correction_wins_and_is_taken_back_by_entering_the_import(admin: Client, company: Path) -> None:
    address = reverse("people:product") + "?code=P050"
    answers = {"family": "画像", "upgrade_of": "P001", "price": "1,000", "cost": "1", "product_id": "X"}
    assert admin.post(address, answers).status_code == 302
    made = {row.column_name: row for row in Correction.objects.all()}
    assert set(made) == {"family", "upgrade_of"}, "price is as imported; cost is not this person's"
    assert (made["family"].value, made["family"].imported_value) == ("画像", "")
    rows = admin.get(reverse("people:products"), {"family": "画像"}).context["found"].rows
    assert [row["product_id"] for row in rows] == ["P050"]
    admin.post(address, {"family": "", "upgrade_of": ""})
    assert not Correction.objects.exists()


def test_who_sees_costs_and_confirms_corrects_them_and_the_trail_does_not_tell(signed_in, company: Path) -> None:
    client = signed_in(Role.MANAGER)
    assert client.post(reverse("people:product") + "?code=P001", {"cost": "450", "family": "画像"}).status_code == 302
    assert Correction.objects.get().column_name == "cost"
    assert latest("product.correct").detail == {"also": ["cost"]}
    assert signed_in(Role.REP).post(reverse("people:product") + "?code=P001", {"cost": "1"}).status_code == 404


@pytest.mark.parametrize(
    "answers",
    [{"upgrade_of": "P001"}, {"upgrade_of": "none"}, {"kind": "thing"}, {"price": "-1"}, {"active_to": "soon"}],
)
def test_impossible_corrections_are_said(admin: Client, company: Path, answers: dict[str, str]) -> None:
    response = admin.post(reverse("people:product") + "?code=P001", answers)
    assert response.status_code == 422 and 'role="alert"' in response.content.decode()
    assert not Correction.objects.exists()


# every page


@pytest.mark.parametrize(
    "name",
    [
        "users",
        "invite",
        "staff",
        "division",
        "rep",
        "assignments",
        "targets",
        "calendar",
        "company",
        "products",
        "account",
    ],
)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_pages_hold_in_both_languages_within_fifteen_queries(
    admin: Client, company: Path, person, django_assert_max_num_queries, name: str, language: str
) -> None:
    User.objects.filter(pk=person(Role.ADMINISTRATOR).pk).update(language=language)
    for number in range(20):
        User.objects.create_user(f"u{number}@example.jp", f"U{number}", Role.REP)
        Rep.objects.create(code=f"X{number}", name=f"X{number}")
        CalendarDay.objects.create(day=date(2026, 6, 1 + number))
    with django_assert_max_num_queries(15):
        assert admin.get(reverse(f"people:{name}")).status_code == 200


def test_pages_stand_without_a_workspace(admin: Client, site_workspace: Path) -> None:
    Rep.objects.all().delete()
    Division.objects.all().delete()
    for name in ("staff", "assignments", "targets", "products"):
        response = admin.get(reverse(f"people:{name}"))
        assert response.status_code == 200
        assert name == "targets" or 'class="nothing"' in response.content.decode()
