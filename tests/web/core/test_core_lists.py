"""A list page's address says what is shown; what is taken out is exactly that."""

import io

import openpyxl
import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import include, path
from django.utils import translation
from django.views.decorators.http import require_GET

from nobishiro.web.core.lists import (
    ChoiceFilter,
    Column,
    FlagFilter,
    ListSpec,
    NumberFilter,
    Order,
    RangeFilter,
    SearchFilter,
    list_page,
)
from nobishiro.web.core.models import AuditEntry, SavedList
from nobishiro.web.core.permissions import Permission, Role, SignedInRequest, requires
from nobishiro.web.customers.models import Customer
from nobishiro.web.people.models import Rep

SPEC: ListSpec[Customer] = ListSpec(
    "trial",
    base=lambda user: Customer.objects.filter(is_listed=True).select_related("main_rep"),
    columns=(
        Column("name", "顧客", field="name", sort=("kana", "name")),
        Column("code", "コード", field="code", sort="code", kind="code"),
        Column("quadrant", "区分", field="quadrant", sort="quadrant", kind="quadrant"),
        Column("potential", "拡大余地", fields=("potential_low", "potential", "potential_high"), sort="potential", kind="interval", unit="円/年"),
        Column("track", "実績", field="track_record", sort="track_record", kind="yen", is_default=False),
        Column("rep", "担当", field="main_rep__name", is_default=False),
        Column("secret", "原価", field="code", needs=Permission.SEE_COST, is_default=False),
    ),
    filters=(
        SearchFilter("q", "さがす"),
        ChoiceFilter("quadrant", "区分", [("A", "A"), ("B", "B")], lambda rows, values: rows.filter(quadrant__in=values), is_multiple=True),
        ChoiceFilter("rep", "担当", lambda user: [("me", "自分"), ("R1", "佐藤")], lambda rows, values: rows.filter(main_rep__code__in=values),
                     resolve=lambda values, user: [user.rep.code if value == "me" and user.rep else value for value in values]),
        FlagFilter("missed", "もれ", lambda rows: rows.filter(missed_families__gt=0)),
        NumberFilter("orders", "受注", lambda rows, n: rows.filter(orders_12m__gte=n)),
        RangeFilter("track", "実績", "track_record", unit="万円", scale=10_000),
        RangeFilter("touch", "接点", "last_touch_day", is_days=True),
    ),
    orders=(Order("promoters", "推奨が先", ("-nps", "-potential")),),
    default_sort="-potential",
    row_url=lambda row: f"/customers/{row.pk}/",
    page_size=3,
    title="試しの一覧",
)  # fmt: skip


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def trial(request: SignedInRequest) -> HttpResponseBase:
    return list_page(request, SPEC, "trial_list.html", lambda shown: {"sum": shown.queryset().count()})


_TEMPLATE = """{% extends "core/base.html" %}{% block content %}<h1 class="sentence">{{ sum }}</h1>{% include "core/list_filters.html" %}{% include "core/list_tools.html" %}{% include "core/list_table.html" %}{% endblock %}"""
_URLS = type("urls", (), {"urlpatterns": [path("trial/", trial), path("", include("nobishiro.web.config.urls"))]})


@pytest.fixture(autouse=True)
def _site(settings) -> None:
    templates = [dict(settings.TEMPLATES[0])]
    templates[0] |= {"APP_DIRS": False, "OPTIONS": templates[0]["OPTIONS"] | {"loaders": [
        ("django.template.loaders.locmem.Loader", {"trial_list.html": _TEMPLATE}),
        "django.template.loaders.app_directories.Loader",
    ]}}  # fmt: skip
    settings.TEMPLATES = templates
    settings.ROOT_URLCONF = _URLS
    translation.activate("ja")


def make(code: str, name: str = "", **fields: object) -> Customer:
    name = name or f"顧客{code}"
    return Customer.objects.create(code=code, name=name, search=f"{name} {code}".lower(), **fields)


@pytest.fixture
def five(rep: Rep) -> list[Customer]:
    return [
        make("001", "アルファ工業", quadrant="A", potential=5e6, potential_low=4e6, potential_high=6e6, track_record=900_000, main_rep=rep, nps=5),
        make("002", "ベータ商会", quadrant="B", potential=3e6, potential_low=1e6, potential_high=4e6, track_record=100_000, missed_families=2, nps=10),
        make("003", "=cmd|'/c calc'!A1", quadrant="B", potential=2e6, potential_low=1e6, potential_high=3e6, orders_12m=7),
        make("004", "髙﨑🍣製作所", quadrant="C", track_record=2_000_000, main_rep=rep),
        make("005", "エコー", quadrant="", potential=1e6, potential_low=1e5, potential_high=2e6),
    ]  # fmt: skip


def names(response) -> list[str]:
    return [row.row.code for row in response.context["list"].rows]


def test_address_says_filters_order_and_page(signed_in, five) -> None:
    client: Client = signed_in(Role.REP)
    assert names(client.get("/trial/")) == ["001", "002", "003"]  # potential, largest first
    assert names(client.get("/trial/?page=2")) == ["005", "004"]  # unknown potential last
    assert names(client.get("/trial/?sort=potential")) == ["005", "003", "002"]
    assert names(client.get("/trial/?sort=potential&page=2")) == ["001", "004"]  # unknown last in this direction too
    assert names(client.get("/trial/?quadrant=B&quadrant=A")) == ["001", "002", "003"]
    assert names(client.get("/trial/?quadrant=Z")) == ["001", "002", "003"]  # nobody offered Z
    assert names(client.get("/trial/?rep=me")) == ["001", "004"]
    assert names(client.get("/trial/?missed=1")) == ["002"]
    assert names(client.get("/trial/?orders=７")) == ["003"]
    assert names(client.get("/trial/?track_from=50&track_to=100")) == ["001"]
    assert names(client.get("/trial/?sort=promoters")) == ["002", "001", "003"]
    assert names(client.get("/trial/?sort=secret")) == [
        "001",
        "002",
        "003",
    ]  # may not be sorted by what may not be seen
    assert names(client.get("/trial/?page=99")) == ["005", "004"]
    for odd in ("page=-1", "page=²", "orders=x", "track_from=nan", "touch_from=99", "sort=;drop", "columns=nothing"):
        assert client.get(f"/trial/?{odd}").status_code == 200


def test_search_folds_width_and_case_and_wants_every_word(signed_in, five) -> None:
    client = signed_in(Role.REP)
    assert names(client.get("/trial/", {"q": "ｱﾙﾌｧ"})) == ["001"]
    assert names(client.get("/trial/", {"q": "００２　ベータ"})) == ["002"]
    assert names(client.get("/trial/", {"q": "アルファ 002"})) == []
    assert "この条件に合うもの" in client.get("/trial/", {"q": "ない"}).content.decode()


def test_chosen_columns_are_in_the_address_and_restricted_ones_stay_away(signed_in, five) -> None:
    heads = lambda response: [head.column.name for head in response.context["list"].heads]  # noqa: E731
    assert heads(signed_in(Role.REP).get("/trial/")) == ["name", "code", "quadrant", "potential"]
    assert heads(signed_in(Role.REP).get("/trial/?columns=rep&columns=name&columns=secret")) == ["name", "rep"]
    assert heads(signed_in(Role.MANAGER).get("/trial/?columns=name.secret")) == ["name", "secret"]


def test_hostile_names_are_shown_as_text(signed_in, db) -> None:
    make("9", "<script>alert(1)</script>", potential=1.0)
    page = signed_in(Role.REP).get("/trial/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def content(response) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def test_excel_holds_the_filtered_list_with_the_chosen_columns(signed_in, five) -> None:
    answer = signed_in(Role.REP).get("/trial/?quadrant=B&columns=name.code.potential.rep&out=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content(answer)))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert rows == [
        ["顧客", "コード", "拡大余地 (円/年) 下限", "拡大余地 (円/年)", "拡大余地 (円/年) 上限", "担当"],
        ["ベータ商会", "002", 1e6, 3e6, 4e6, None],
        ["=cmd|'/c calc'!A1", "003", 1e6, 2e6, 3e6, None],
    ]
    cell = book.active["A3"]
    assert cell.data_type == "s"  # a text, not a formula
    assert book.active["B2"].number_format == "@"
    entry = AuditEntry.objects.get(verb="list.export")
    assert entry.subject == "list:trial"
    assert entry.detail["count"] == 2
    assert "quadrant=B" in entry.detail["query"]


def test_csv_has_a_bom_and_no_formula(signed_in, five) -> None:
    said = content(signed_in(Role.REP).get("/trial/?columns=name.code&out=csv"))
    assert said.startswith(b"\xef\xbb\xbf")
    lines = said.decode("utf-8-sig").split("\r\n")
    assert lines[0] == "顧客,コード"
    assert "'=cmd|'/c calc'!A1,003" in lines
    assert len(lines) == 7


def test_cp932_names_each_cell_that_does_not_fit_before_it_replaces(signed_in, five) -> None:
    client = signed_in(Role.REP)
    page = client.get("/trial/?columns=name.code&sort=code&out=cp932")
    assert page.status_code == 200
    (cell, name) = page.context["misfits"][0]
    assert (cell.line, cell.column, cell.value, cell.what, name) == (5, "顧客", "髙﨑🍣製作所", "🍣", "髙﨑🍣製作所")
    assert page.context["count"] == 1
    assert not AuditEntry.objects.filter(verb="list.export").exists()
    said = content(client.get("/trial/?columns=name.code&sort=code&out=cp932&replace=1")).decode("cp932")
    assert said.split("\r\n")[4] == "髙﨑〓製作所,004"
    assert (
        content(client.get("/trial/?rep=me&quadrant=A&columns=name&out=cp932"))
        .decode("cp932")
        .startswith("顧客\r\nアルファ")
    )


def test_unknown_format_is_not_there(signed_in, five) -> None:
    assert signed_in(Role.REP).get("/trial/?out=exe").status_code == 404


def test_without_export_permission_nothing_is_taken_out(signed_in, five, monkeypatch) -> None:
    from nobishiro.web.core import permissions

    monkeypatch.setitem(
        permissions.ROLE_PERMISSIONS, Role.REP, frozenset({Permission.BE_HERE, Permission.SEE_CUSTOMERS})
    )
    client = signed_in(Role.REP)
    assert "out=xlsx" not in client.get("/trial/").content.decode()
    assert client.get("/trial/?out=xlsx").status_code == 404
    assert AuditEntry.objects.filter(verb="denied").exists()


def test_own_list_is_kept_found_and_forgotten(signed_in, five) -> None:
    client = signed_in(Role.REP)
    kept = {"page": "trial", "name": "Bだけ", "query": "quadrant=B&page=3&out=xlsx&columns=name", "next": "/trial/"}
    answer = client.post("/lists/keep/", kept)
    saved = SavedList.objects.get()
    assert (answer.status_code, answer.url) == (303, f"/trial/?quadrant=B&columns=name&list={saved.pk}")
    page = client.get(answer.url)
    assert page.context["list"].current_list == saved
    assert names(page) == ["002", "003"]
    client.post(f"/lists/{saved.pk}/favour/", {"on": "1", "next": "/trial/"})
    saved.refresh_from_db()
    assert saved.is_favourite
    other = signed_in(Role.MANAGER)
    assert other.get("/trial/").context["list"].saved == []  # mine are mine
    assert other.post(f"/lists/{saved.pk}/forget/", {"next": "/trial/"}).status_code == 404
    client.post(f"/lists/{saved.pk}/forget/", {"next": "/trial/"})
    assert not SavedList.objects.exists()


def test_only_those_who_may_share_lists_with_all(signed_in, five) -> None:
    kept = {"page": "trial", "name": "Bだけ", "query": "quadrant=B", "next": "https://evil.example/", "is_shared": "1"}
    assert signed_in(Role.REP).post("/lists/keep/", kept).status_code == 404
    answer = signed_in(Role.MANAGER).post("/lists/keep/", kept)
    assert answer.url.startswith("/?quadrant=B")  # never to somebody else's site
    saved = SavedList.objects.get()
    rep = signed_in(Role.REP)
    assert rep.get("/trial/").context["list"].shared_lists == [saved]
    assert rep.post(f"/lists/{saved.pk}/share/", {"on": "0", "next": "/trial/"}).status_code == 404
    assert rep.post(f"/lists/{saved.pk}/forget/", {"next": "/trial/"}).status_code == 404
    signed_in(Role.MANAGER).post(f"/lists/{saved.pk}/share/", {"on": "0", "next": "/trial/"})
    saved.refresh_from_db()
    assert not saved.is_shared


def test_a_list_page_asks_few_questions_however_many_rows(signed_in, rep, django_assert_max_num_queries) -> None:
    Customer.objects.bulk_create(
        Customer(code=f"{n:05}", name=f"顧客{n}", main_rep=rep, potential=float(n)) for n in range(300)
    )
    client = signed_in(Role.REP)
    with django_assert_max_num_queries(15):
        client.get("/trial/?columns=name.rep.potential")
