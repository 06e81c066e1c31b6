"""The map's page, its points, its conditions and its hours."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from map_company import many_customers, project_company, write_company

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer, Outcome, Tag, Touch
from nobishiro.web.map.hours import month_hours
from nobishiro.web.people.models import CompanySettings, Rep, User

Company = dict[str, Customer]
SignedIn = Callable[[Role], Client]


def points(client: Client, query: str = "") -> dict[str, object]:
    response = client.get(f"/map/points/{query}")
    assert response.status_code == 200
    return json.loads(response.content)


def codes(client: Client, query: str = "") -> list[str]:
    return sorted(points(client, query)["customers"]["code"])  # type: ignore[index]


def test_sentence_says_quadrants_and_where_the_hours_went(company: Company, signed_in: SignedIn) -> None:
    page = signed_in(Role.MANAGER).get("/map/").content.decode()
    assert "A 1・B 2・C 1・D 1。" in page
    # 2 h in A, 1 h in B, 14 h in C of 17 h; the plan gives B 20 h
    assert "今月使った時間の82%がC（現状維持）です。" in page
    assert "Bにあと19時間回せます。" in page


def test_too_much_c_is_said_above_the_plans_share_and_the_tolerance(company: Company, signed_in: SignedIn) -> None:
    hours = month_hours()
    assert hours.allowed_c == pytest.approx(8 / 40 + 0.10)
    assert hours.all.is_too_much_c
    assert [spent.rep.code for spent in hours.alarmed if spent.rep] == ["R1"]
    CompanySettings.objects.update_or_create(pk=1, defaults={"c_tolerance": 70})
    assert not month_hours().all.is_too_much_c
    page = signed_in(Role.MANAGER).get("/map/").content.decode()
    assert "Cに時間をかけすぎています" not in page


def test_alarm_leads_to_the_contacts(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.MANAGER)
    assert "/map/hours/?quadrant=C" in client.get("/map/").content.decode()
    page = client.get("/map/hours/?quadrant=C&rep=R1").content.decode()
    assert page.count("大空商事") == 2
    assert "14.0時間" in page
    assert "東和食品機械" not in page


def test_hours_of_a_contact_entered_since_the_run_count_and_a_withdrawn_one_does_not(
    company: Company, rep: Rep, today: datetime
) -> None:
    for code, withdrawn in (("web-1", None), ("web-2", today)):
        Touch.objects.create(
            code=code,
            customer=company["B1"],
            rep=rep,
            kind="visit",
            happened_at=today,
            minutes=180,
            withdrawn_at=withdrawn,
        )
    assert month_hours().all.of("B").spent == pytest.approx(1 + 3)


def test_contact_without_length_is_counted_and_said(company: Company) -> None:
    assert month_hours().without_length == 1


def test_no_contacts_at_all_is_said(site_workspace: Path, rep: Rep, today: datetime, signed_in: SignedIn) -> None:
    site_workspace.rmdir()
    write_company(site_workspace, has_touches=False)
    project_company(rep)
    page = signed_in(Role.MANAGER).get("/map/").content.decode()
    assert "接点データなし" in page
    assert "かけすぎ" not in page


def test_without_a_plan_no_alarm_is_raised(site_workspace: Path, rep: Rep, today: datetime) -> None:
    site_workspace.rmdir()
    write_company(site_workspace, has_plan=False)
    project_company(rep)
    hours = month_hours()
    assert hours.allowed_c is None
    assert hours.free_for_b is None
    assert not hours.all.is_too_much_c


def test_points_carry_every_customer_also_the_unknown(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    data = points(client)
    customers = data["customers"]
    assert data["total"] == 6
    assert customers["code"] == ["A1", "B1", "B2", "C1", "D1", "U1"]  # type: ignore[index]
    assert customers["quadrant"] == "ABBCD?"  # type: ignore[index]
    assert customers["potential"][-1] is None  # type: ignore[index]
    assert data["thresholds"] == {"potential": 1_000_000.0, "track": 1_000_000.0}


def test_points_are_packed_for_a_browser_that_takes_it(company: Company, signed_in: SignedIn) -> None:
    response = signed_in(Role.REP).get("/map/points/", headers={"Accept-Encoding": "gzip, br"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(response.content))["total"] == 6


def test_hostile_names_stay_text_in_the_json(company: Company, signed_in: SignedIn) -> None:
    name = "</script><img src=x onerror=alert(1)>'\"\\\u2028"
    Customer.objects.filter(code="A1").update(name=name)
    client = signed_in(Role.REP)
    assert points(client)["customers"]["name"][0] == name  # type: ignore[index]
    assert client.get("/map/points/").headers["Content-Type"] == "application/json"
    assert "<img src=x" not in client.get(f"/map/customer/{company['A1'].pk}/").content.decode()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?quadrant=B", ["B1", "B2"]),
        ("?quadrant=U", ["U1"]),
        ("?quadrant=A&quadrant=C", ["A1", "C1"]),
        ("?q=みなと", ["B2"]),
        ("?rep=R1&quadrant=C", ["C1"]),
        ("?rep=nobody", []),
        ("?missed=1", ["B1", "B2"]),
        ("?family=F1", ["B1"]),
        ("?family=F2", ["B1", "B2"]),
        ("?nps=promoter", ["A1"]),
        ("?unseen=10", ["A1", "B1", "B2", "C1", "D1", "U1"]),
        ("?unseen=30", ["B1", "B2", "C1", "D1", "U1"]),
        ("?unseen=%27%3Bdrop", ["A1", "B1", "B2", "C1", "D1", "U1"]),
    ],
)
def test_conditions_in_the_address_narrow_the_points(
    company: Company, signed_in: SignedIn, query: str, wanted: list[str]
) -> None:
    assert codes(signed_in(Role.REP), query) == wanted


def test_mine_are_those_whose_main_rep_i_am(company: Company, signed_in: SignedIn) -> None:
    assert codes(signed_in(Role.REP), "?rep=me") == ["A1", "B1", "B2", "C1", "D1"]


def test_family_proposed_today_is_no_longer_never_proposed(
    company: Company, signed_in: SignedIn, today: datetime
) -> None:
    Outcome.objects.create(code="web-o1", customer=company["B1"], family="F2", result="open", happened_at=today)
    Outcome.objects.filter(code="web-o1").update(entered_at=today)
    assert codes(signed_in(Role.REP), "?family=F2") == ["B2"]


def test_customers_chosen_one_by_one_are_a_condition(company: Company, signed_in: SignedIn) -> None:
    ids = f"{company['A1'].pk}.{company['D1'].pk}"
    assert codes(signed_in(Role.REP), f"?ids={ids}") == ["A1", "D1"]


def test_more_customers_than_points_are_counted_and_left_out(
    company: Company, signed_in: SignedIn, rep: Rep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nobishiro.web.map.points.MOST_POINTS", 3)
    client = signed_in(Role.REP)
    data = points(client)
    assert data["total"] == 6
    assert data["customers"]["code"] == ["A1", "B1", "B2"]  # type: ignore[index]
    answer = client.get("/map/counts/?potential=2500000&track_record=1000000").json()
    # B1 falls to D; the override B2, the tagged D1 and the unknown stay
    assert answer == {"counts": [1, 1, 1, 2, 1]}
    assert client.get("/map/counts/?potential=-1&track_record=x").status_code == 400


def test_tags_only_company_sees_a_board(company: Company, signed_in: SignedIn) -> None:
    Customer.objects.update(potential=None, decided_by="tags")
    page = signed_in(Role.MANAGER).get("/map/").content.decode()
    assert 'class="board"' in page
    assert "北斗精機" in page
    assert 'id="place"' not in page


def test_nobody_yet_says_what_to_do(site_workspace: Path, signed_in: SignedIn, rep: Rep) -> None:
    page = signed_in(Role.ADMINISTRATOR).get("/map/").content.decode()
    assert "取り込む" in page
    assert 'href="/imports/"' in page


@pytest.mark.parametrize(
    "address",
    [
        "/map/",
        "/map/points/",
        "/map/paper/",
        "/map/hours/",
        "/map/tags/",
        "/map/?rep=R1&quadrant=B&family=F1&unseen=30",
    ],
)
def test_pages_stay_within_fifteen_queries(
    company: Company, signed_in: SignedIn, rep: Rep, address: str, django_assert_max_num_queries: Callable[..., object]
) -> None:
    many_customers(rep, 300)
    client = signed_in(Role.MANAGER)
    client.get(address)
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        assert client.get(address).status_code == 200


def test_panel_shows_one_customer_with_the_history_of_overrides(
    company: Company, signed_in: SignedIn, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = signed_in(Role.REP)
    address = f"/map/customer/{company['B1'].pk}/"
    answer = client.post(f"{address}override/", {"value": "A", "reason": "工場を新設すると伺った"})
    assert answer.headers["HX-Trigger"] == "map-changed"
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        page = client.get(address).content.decode()
    assert "工場を新設すると伺った" in page
    assert "画像検査" in page
    assert f"/customers/{company['B1'].pk}/" in page
    company["B1"].refresh_from_db()
    assert (company["B1"].quadrant, company["B1"].decided_by) == ("A", "override")


def test_override_without_a_reason_changes_nothing(company: Company, signed_in: SignedIn) -> None:
    answer = signed_in(Role.REP).post(f"/map/customer/{company['B1'].pk}/override/", {"value": "A", "reason": " "})
    assert "理由を書いてください" in answer.content.decode()
    company["B1"].refresh_from_db()
    assert company["B1"].quadrant == "B"


def test_unknown_customer_is_not_found(company: Company, signed_in: SignedIn) -> None:
    assert signed_in(Role.REP).get("/map/customer/999999/").status_code == 404


def test_paper_holds_legend_date_lines_and_the_names_that_matter(company: Company, signed_in: SignedIn) -> None:
    page = signed_in(Role.MANAGER).get("/map/paper/").content.decode()
    for said in ("2026/11/21(土)", "曲がるところ。", "¥1,000,000", "北斗精機", "東和食品機械", "重点拡大"):
        assert said in page


def test_excel_holds_computed_and_set_tags_side_by_side(
    company: Company, signed_in: SignedIn, person: Callable[[Role], User]
) -> None:
    Tag.objects.create(customer=company["B1"], tag="what", value="small", set_at=timezone.now())
    response = signed_in(Role.MANAGER).get("/map/?out=xlsx")
    assert response.status_code == 200
    from io import BytesIO

    import openpyxl

    rows = list(openpyxl.load_workbook(BytesIO(b"".join(response.streaming_content))).active.values)  # type: ignore[union-attr,attr-defined]
    head = list(rows[0])
    row = next(row for row in rows if row[0] == "B1")
    assert row[head.index("What（計算）")] == "大"
    assert row[head.index("What（設定）")] == "小"


def test_marketer_sees_the_map_and_may_not_move_it(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.MARKETER)
    assert client.get("/map/").status_code == 200
    for address in ("/map/lines/", "/map/act/", "/map/tolerance/", f"/map/customer/{company['B1'].pk}/override/"):
        assert client.post(address, {}).status_code == 404
