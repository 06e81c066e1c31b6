"""提案もれ: what was never proposed, as it stands today, and what is done about it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

import openpyxl
import pytest
from django.http import QueryDict
from django.test import Client
from map_company import many_customers

from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.cells import cells_now
from nobishiro.web.customers.facts import add_fact
from nobishiro.web.customers.models import Action, Customer, Fact, Outcome
from nobishiro.web.customers.overrides import set_override
from nobishiro.web.offers.gap_table import gap_grid, gap_list
from nobishiro.web.people.models import Rep, User

Company = dict[str, Customer]
SignedIn = Callable[[Role], Client]
Person = Callable[[Role], User]


def listed(person: Person, query: str = "") -> list[tuple[str, str]]:
    run = published()
    assert run is not None
    return [(cell.customer.code, cell.family) for cell in gap_list(run, QueryDict(query), person(Role.MANAGER)).cells]


def state_of(code: str, family: str) -> tuple[str, str | None]:
    run = published()
    assert run is not None
    row = cells_now(run, [code], [family]).collect().row(0, named=True)
    return row["state"], row["proposal_result"]


def test_b_is_listed_first_by_expected_yen_and_the_unknown_stand_last(company: Company, person: Person) -> None:
    assert listed(person) == [("B1", "F2"), ("B1", "F1"), ("B2", "F2")]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("family=F1", [("B1", "F1")]),
        ("quadrant=A", []),
        ("rep=R1&q=みなと", [("B2", "F2")]),
        ("division=D1&family=F2", [("B1", "F2"), ("B2", "F2")]),
        ("state=proposed", [("A1", "F2")]),
        ("state=competitor", [("D1", "F2")]),
        ("state=buying&quadrant=C", [("C1", "F1"), ("C1", "F2")]),
        ("state=nonsense", [("B1", "F2"), ("B1", "F1"), ("B2", "F2")]),
    ],
)
def test_conditions_in_the_address_narrow_the_list(
    company: Company, person: Person, query: str, wanted: list[tuple[str, str]]
) -> None:
    assert listed(person, query) == wanted


def test_customer_moved_to_b_by_a_person_joins_the_first_list(company: Company, person: Person) -> None:
    set_override(by=person(Role.MANAGER), customer=company["B1"], measure="quadrant", value="C", reason="担当交代まで")
    assert listed(person) == [("B2", "F2")]


def test_totals_by_family_and_rep_add_up(company: Company, person: Person) -> None:
    run = published()
    assert run is not None
    found = gap_list(run, QueryDict(), person(Role.MANAGER))
    assert [(total.name, total.cells, total.customers, total.expected) for total in found.by_family] == [
        ("画像検査", 2, 2, 900_000),
        ("センサ", 1, 1, 400_000),
    ]
    assert [(total.key, total.cells, total.customers, total.expected) for total in found.by_rep] == [
        ("R1", 3, 2, 1_300_000)
    ]
    assert (found.total, found.customers, found.expected, found.unknown) == (3, 2, 1_300_000, 1)


def test_family_proposed_today_shows_proposed_with_its_result(
    company: Company, person: Person, today: datetime
) -> None:
    Outcome.objects.create(code="web-1", customer=company["B1"], family="F2", result="declined", happened_at=today)
    assert state_of("B1", "F2") == ("proposed", "declined")
    assert listed(person) == [("B1", "F1"), ("B2", "F2")]


@pytest.mark.parametrize("change", [{"result": "dismissed"}, {"withdrawn": True}])
def test_what_was_not_brought_up_or_was_undone_stays_unproposed(
    company: Company, today: datetime, change: dict[str, object]
) -> None:
    Outcome.objects.create(
        code="web-1", customer=company["B1"], family="F2", result=change.get("result", "open"), happened_at=today,
        withdrawn_at=today if "withdrawn" in change else None,
    )  # fmt: skip
    assert state_of("B1", "F2") == ("not_proposed", None)


def test_facts_since_the_run_lay_over_its_states(company: Company, person: Person) -> None:
    add_fact(by=person(Role.REP), customer=company["B1"], fact="competitor_buys", subject="F1", value="他社電機")
    add_fact(by=person(Role.REP), customer=company["C1"], fact="competitor_buys", subject="F1", value="他社電機")
    add_fact(by=person(Role.REP), customer=company["A1"], fact="not_applicable", subject="F2")
    assert state_of("B1", "F1")[0] == "competitor"
    assert state_of("C1", "F1")[0] == "buying"
    assert state_of("A1", "F2")[0] == "not_applicable"


def test_what_was_recorded_before_the_run_is_the_runs(company: Company, today: datetime) -> None:
    Outcome.objects.create(code="web-1", customer=company["B1"], family="F2", result="open", happened_at=today)
    Outcome.objects.update(entered_at=today - timedelta(days=3))
    assert state_of("B1", "F2")[0] == "not_proposed"


def test_grid_has_a_sign_and_a_word_for_every_state(company: Company, signed_in: SignedIn, person: Person) -> None:
    add_fact(by=person(Role.REP), customer=company["C1"], fact="not_applicable", subject="F2")
    page = signed_in(Role.MANAGER).get("/gaps/").content.decode()
    for said in ("● 取引あり", "◆ 提案済み · 検討中", "○ 未提案", "× 他社購入", "－ 対象外"):
        assert said in page
    assert "わからない" in page


def test_grid_row_of_a_phone_names_the_three_largest(company: Company, person: Person) -> None:
    run = published()
    assert run is not None
    grid = gap_grid(run, QueryDict(), person(Role.MANAGER))
    tops = {row.customer.code: [cell.family for cell in row.top] for row in grid.rows}
    assert tops["B1"] == ["F2", "F1"]
    assert grid.rows[0].customer.code == "B1"
    assert [name for _, name in grid.families] == ["センサ", "画像検査"]


def test_families_that_do_not_fit_are_one_press_away(
    company: Company, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nobishiro.web.offers.gap_table.GRID_FAMILIES", 1)
    client = signed_in(Role.MANAGER)
    assert "families=2" in client.get("/gaps/").content.decode()
    assert "families=1" in client.get("/gaps/?families=2").content.decode()
    assert client.get("/gaps/?families=99&page=99").status_code == 200


def test_cell_says_on_what_it_rests_and_becomes_a_thing_to_do(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    address = f"/gaps/{company['B1'].pk}/F2/"
    page = client.get(f"{address}panel/").content.decode()
    assert "似たお客様50社のうち14社が画像検査を購入しています" in page
    assert "¥900,000" in page
    assert f"/referrals/new/?customer={company['B1'].pk}&amp;family=F2" in page
    said = {"key": "aaaaaaaa-1111", "due": "2026-11-30", "title": "目視検査の話"}
    for _ in range(2):
        answer = client.post(f"{address}act/", said).content.decode()
    assert "やることに入れました" in answer
    action = Action.objects.get()
    assert (action.family, action.source, action.expected, action.expected_low, action.rep) == (
        "F2",
        "gaps",
        900_000,
        200_000,
        company["B1"].main_rep,
    )
    assert action.why_ja == "似たお客様50社のうち14社が画像検査を購入しています。"
    assert action.why_en == "14 of 50 comparable customers buy 画像検査."


def test_learned_in_the_cell_becomes_a_fact_and_the_cell_follows(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    address = f"/gaps/{company['B1'].pk}/F2/learned/"
    assert "購入先を書いてください" in client.post(address, {"fact": "competitor_buys"}).content.decode()
    answer = client.post(address, {"fact": "competitor_buys", "value": "他社電機"})
    assert "cell-changed" in answer.headers["HX-Trigger"]
    fact = Fact.objects.get()
    assert (fact.fact, fact.subject, fact.value) == ("competitor_buys", "F2", "他社電機")
    assert "他社購入" in client.get(f"/gaps/{company['B1'].pk}/F2/panel/").content.decode()
    client.post(f"/gaps/{company['B1'].pk}/F1/learned/", {"fact": "not_applicable"})
    assert state_of("B1", "F1")[0] == "not_applicable"


def test_cell_of_nobody_or_nothing_is_not_found(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.REP)
    assert client.get("/gaps/999/F2/panel/").status_code == 404
    assert client.get(f"/gaps/{company['B1'].pk}/none/panel/").status_code == 404


def test_marketer_reads_and_does_not_act(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.MARKETER)
    address = f"/gaps/{company['B1'].pk}/F2/"
    assert "やることにする" not in client.get(f"{address}panel/").content.decode()
    assert client.post(f"{address}act/", {}).status_code == 404
    assert client.post(f"{address}learned/", {}).status_code == 404


def test_excel_holds_the_filtered_list(company: Company, signed_in: SignedIn) -> None:
    response = signed_in(Role.MANAGER).get("/gaps/?out=xlsx&family=F2")
    rows = list(openpyxl.load_workbook(BytesIO(b"".join(response.streaming_content))).active.values)  # type: ignore[union-attr,attr-defined]
    assert [row[0] for row in rows[1:3]] == ["B1", "B2"]
    assert rows[1][4:8] == ("画像検査", 900_000, 200_000, 1_500_000)


@pytest.mark.parametrize(
    "address", ["/gaps/", "/gaps/?view=list", "/gaps/?state=buying", "/gaps/?quadrant=B&rep=R1&family=F2&q=a"]
)
def test_pages_stay_within_fifteen_queries(
    company: Company, signed_in: SignedIn, rep: Rep, address: str, django_assert_max_num_queries: Callable[..., object]
) -> None:
    many_customers(rep, 300)
    client = signed_in(Role.MANAGER)
    client.get(address)
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        assert client.get(address).status_code == 200


def test_before_the_first_run_the_page_says_what_to_do(db: None, signed_in: SignedIn, site_workspace: object) -> None:
    page = signed_in(Role.MANAGER).get("/gaps/").content.decode()
    assert "管理者に取込を頼んでください" in page


def test_hostile_family_and_customer_names_stay_text(company: Company, signed_in: SignedIn) -> None:
    Customer.objects.filter(code="B1").update(name="<script>alert(1)</script>")
    page = signed_in(Role.MANAGER).get("/gaps/").content.decode()
    assert "<script>alert(1)" not in page
