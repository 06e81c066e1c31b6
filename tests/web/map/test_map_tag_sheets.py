"""Tags go out to Excel, are changed there and come back: whole or not at all."""

from collections.abc import Callable
from io import BytesIO

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from nobishiro.web.core.jobs.registry import KINDS
from nobishiro.web.core.models import Job
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer, Tag
from nobishiro.web.customers.tags import current_tag, set_tag
from nobishiro.web.map.models import TagSheet
from nobishiro.web.people.models import User

Company = dict[str, Customer]
SignedIn = Callable[[Role], Client]


class QuietContext:
    job_id = 0

    def progress(self, what: str, done: int, total: int) -> None:
        pass

    def check(self) -> None:
        pass


def taken_out(client: Client) -> openpyxl.Workbook:
    response = client.get("/map/?out=xlsx")
    return openpyxl.load_workbook(BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]


def sent(client: Client, content: bytes, name: str = "tags.xlsx") -> TagSheet:
    response = client.post("/map/tags/", {"sheet": SimpleUploadedFile(name, content)})
    assert response.status_code == 303, response.content.decode()
    return TagSheet.objects.get(pk=int(response["Location"].rstrip("/").rsplit("/", 1)[-1]))


def saved(book: openpyxl.Workbook) -> bytes:
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def run_jobs() -> None:

    for job in Job.objects.filter(kind="map_tags", state="queued"):
        KINDS[job.kind].run(QuietContext(), job.payload)


def test_sheet_sent_back_untouched_changes_nothing(
    company: Company, signed_in: SignedIn, person: Callable[[Role], User]
) -> None:
    set_tag(by=person(Role.REP), customer=company["A1"], tag="relation", value="◎")
    set_tag(by=person(Role.REP), customer=company["B1"], tag="visits", value="seldom")
    client = signed_in(Role.MANAGER)
    sheet = sent(client, saved(taken_out(client)))
    assert (sheet.changes, sheet.rejected) == ([], [])
    assert "変わるところはありません" in client.get(f"/map/tags/{sheet.pk}/").content.decode()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_tags_changed_in_excel_come_back_after_a_dry_run(
    company: Company, signed_in: SignedIn, person: Callable[[Role], User], language: str
) -> None:
    set_tag(by=person(Role.REP), customer=company["C1"], tag="what", value="small")
    client = signed_in(Role.MANAGER)
    User.objects.update(language=language)
    book = taken_out(client)
    page = book.active
    head = {cell.value: cell.column for cell in page[1]}
    what, relation = ("What（設定）", "関係（主担当）") if language == "ja" else ("What (set)", "Relation (main rep)")
    row = {page.cell(at, 1).value: at for at in range(2, page.max_row + 1)}
    page.cell(row["B1"], head[what]).value = "大" if language == "ja" else "large"
    page.cell(row["A1"], head[relation]).value = "〇"
    page.cell(row["C1"], head[what]).value = None
    sheet = sent(client, saved(book))
    assert sorted((change[2], change[3], change[4]) for change in sheet.changes) == [
        ("relation", "", "○"),
        ("what", "", "large"),
        ("what", "small", ""),
    ]
    assert not Tag.objects.filter(customer=company["B1"]).exists()
    assert client.post(f"/map/tags/{sheet.pk}/apply/").status_code == 303
    run_jobs()
    run_jobs()
    sheet.refresh_from_db()
    assert sheet.state == "applied"
    tag = current_tag(company["B1"], "what")
    assert tag is not None
    assert (tag.value, tag.set_by_name) == ("large", "manager さん")
    assert current_tag(company["C1"], "what") is None
    assert (
        Tag.objects.filter(customer=company["A1"], tag="relation", rep__code="R1", value="○", withdrawn_at=None).count()
        == 1
    )


def test_unknown_customers_and_values_are_refused_by_line_and_nothing_is_taken(
    company: Company, signed_in: SignedIn
) -> None:
    client = signed_in(Role.MANAGER)
    text = "顧客コード,What（設定）,関係（主担当）\nB1,大,◎\nZZ,大,\nC1,とても,\nB1,小,\nU1,,◎\n,大,\n"
    sheet = sent(client, text.encode("cp932"), "タグ.csv")
    assert [(line, code) for line, code, _why in sheet.rejected] == [
        (3, "ZZ"),
        (4, "C1"),
        (5, "B1"),
        (6, "U1"),
        (7, ""),
    ]
    page = client.get(f"/map/tags/{sheet.pk}/").content.decode()
    assert "この顧客コードの顧客はいません" in page
    assert "とても" in page
    assert "/apply/" not in page
    client.post(f"/map/tags/{sheet.pk}/apply/")
    run_jobs()
    assert list(Tag.objects.values_list("customer__code", flat=True)) == ["D1"]
    assert not Job.objects.exists()


def test_column_that_is_missing_changes_nothing(
    company: Company, signed_in: SignedIn, person: Callable[[Role], User]
) -> None:
    set_tag(by=person(Role.REP), customer=company["B1"], tag="pace", value="low")
    sheet = sent(signed_in(Role.MANAGER), "顧客コード,What（設定）\nB1,大\n".encode(), "a.csv")
    assert [change[2] for change in sheet.changes] == ["what"]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"a,b\n1,2\n", "a.csv", "「顧客コード」の列がありません"),
        ("顧客コード,名前\nB1,x\n".encode(), "a.csv", "取り込む列がありません"),
        (b"MZ\x00", "a.exe", "Excelか、CSV"),
        (b"PK\x03\x04 broken", "a.xlsx", ""),
    ],
)
def test_files_that_are_no_such_sheet_are_refused_with_what_to_do(
    company: Company, signed_in: SignedIn, content: bytes, name: str, said: str
) -> None:
    page = signed_in(Role.MANAGER).post("/map/tags/", {"sheet": SimpleUploadedFile(name, content)})
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert said in page.content.decode()
    assert not TagSheet.objects.exists()


def test_sheet_left_is_not_taken_later(company: Company, signed_in: SignedIn) -> None:
    client = signed_in(Role.MANAGER)
    sheet = sent(client, "顧客コード,What（設定）\nB1,大\n".encode(), "a.csv")
    client.post(f"/map/tags/{sheet.pk}/drop/")
    client.post(f"/map/tags/{sheet.pk}/apply/")
    assert not Job.objects.exists()


def test_sheet_of_many_rows_stays_within_fifteen_queries(
    company: Company, signed_in: SignedIn, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = signed_in(Role.MANAGER)
    sheet = TagSheet.objects.create(
        file_name="=cmd|x.csv", changes=[[n, company["B1"].pk, "what", "", "large"] for n in range(300)], uploaded_by=None,
    )  # fmt: skip
    client.get("/map/tags/")
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        page = client.get(f"/map/tags/{sheet.pk}/").content.decode()
    assert "ほか100件" in page
