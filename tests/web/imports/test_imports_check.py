"""The dry run: counts, reasons, rejected rows as a file, corrections, orders held back."""

import io
from collections.abc import Callable
from pathlib import Path

import fastexcel
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from imports_files import SALES

from nobishiro.engine.workspace import Workspace
from nobishiro.web.customers.models import Correction
from nobishiro.web.imports.models import ImportDraft

pytestmark = pytest.mark.slow  # starts processes of its own; `make test-faults` runs it

Bring = Callable[..., ImportDraft]
Commit = Callable[[ImportDraft], ImportDraft]

BAD = (
    "伝票番号,売上日,得意先コード,得意先名,商品コード,商品名,数量,金額\r\n"
    "S001,2025/04/01,000123,東和食品機械,P01,センサ,2,20000\r\n"
    "S001,2025/13/45,000123,東和食品機械,P02,ケーブル,1,1500\r\n"
    "S002,2025/05/12,000124,北陸精工,P01,センサ,1,10000\r\n"
    "S003,2025/05/99,000124,北陸精工,P01,センサ,1,abc\r\n"
)


def test_rows_are_rejected_by_reason_with_lines_and_orders_are_held_back_whole(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path
) -> None:
    draft = bring(BAD)
    page = admin.get(f"/imports/{draft.pk}/check/").content.decode()
    assert "4 行のうち 3 行は取り込めません" in page
    assert "伝票は全部そろってから" in page
    assert "日付として読めません" in page
    commit(draft)
    assert Workspace.open(site_workspace).read("order_lines")["order_id"].to_list() == ["S002"]


def test_rejected_rows_come_as_a_file_and_can_be_imported_once_corrected(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path, work_off: Callable[[], int]
) -> None:
    draft = commit(bring(BAD))
    answer = admin.get(f"/imports/{draft.pk}/rejected.csv")
    assert answer["Content-Disposition"].startswith("attachment")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "取り込めなかった理由" in text.splitlines()[0]
    assert len(text.splitlines()) == 4
    mended = text.replace("2025/13/45", "2025/04/01").replace("2025/05/99", "2025/05/30").replace("abc", "900")
    commit(bring(mended, encoding="utf-8-sig"))
    lines = Workspace.open(site_workspace).read("order_lines")
    assert sorted(lines["order_id"].to_list()) == ["S001", "S001", "S002", "S003"]


def test_rejected_rows_as_excel_hold_the_same(admin: Client, bring: Bring) -> None:
    draft = bring(BAD)
    content = b"".join(admin.get(f"/imports/{draft.pk}/rejected.xlsx").streaming_content)  # type: ignore[attr-defined]
    sheet = fastexcel.read_excel(io.BytesIO(content).getvalue()).load_sheet(0).to_polars()
    assert sheet.height == 3
    assert sheet.columns[-1] == "取り込めなかった理由"


def test_correction_a_file_says_otherwise_of_is_shown(admin: Client, bring: Bring, commit: Commit) -> None:
    commit(bring("顧客コード,顧客名,業種\r\n001,東和,機械\r\n002,北陸,食品\r\n"))
    Correction.objects.create(
        table_name="customers", row_key="001", column_name="industry", value="医療", imported_value="機械",
        set_at=timezone.now(),
    )  # fmt: skip
    draft = bring("顧客コード,顧客名,業種\r\n001,東和,電機\r\n002,北陸,食品\r\n")
    page = admin.get(f"/imports/{draft.pk}/check/").content.decode()
    assert "訂正と食い違うもの" in page
    assert "医療" in page
    assert "電機" in page
    same = bring("顧客コード,顧客名,業種\r\n001,東和,機械\r\n")
    assert "訂正と食い違うもの" not in admin.get(f"/imports/{same.pk}/check/").content.decode()


def test_pages_hold_their_queries(
    admin: Client, bring: Bring, commit: Commit, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(3):
        commit(bring(SALES.replace("S00", f"T{number}0")))
    draft = bring(BAD)
    bring(SALES)
    for page in (
        "",
        "new/",
        "same/",
        f"{draft.pk}/",
        f"{draft.pk}/columns/",
        f"{draft.pk}/check/",
        f"{draft.pk}/same/",
    ):
        with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
            assert admin.get(f"/imports/{page}").status_code == 200
    done = ImportDraft.objects.filter(state="done").first()
    assert done is not None
    for page in (f"{done.pk}/", f"steps/{done.import_id}/"):
        with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
            assert admin.get(f"/imports/{page}").status_code == 200


def test_unknown_draft_and_step_are_not_found(admin: Client) -> None:
    assert admin.get("/imports/4711/").status_code == 404
    assert admin.get("/imports/steps/nothing/").status_code == 404
    assert admin.get("/imports/templates/nothing.xlsx").status_code == 404


def test_draft_under_way_is_left_alone(admin: Client, site_workspace: Path) -> None:
    admin.post("/imports/new/", {"files": SimpleUploadedFile("a.csv", SALES.encode())})
    draft = ImportDraft.objects.get()
    assert "読み取っています" in admin.get(f"/imports/{draft.pk}/").content.decode()
    admin.post(f"/imports/{draft.pk}/reading/", {"encoding": "cp932"})
    admin.post(f"/imports/{draft.pk}/commit/")
    draft.refresh_from_db()
    assert draft.state == "reading"
    assert draft.options == {}
