"""From a file to rows in the store, step by step, and back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from imports_files import SALES, workbook

from nobishiro.engine.workspace import Workspace
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.imports.models import ImportDraft, Signature

pytestmark = pytest.mark.slow  # starts processes of its own; `make test-faults` runs it

Bring = Callable[..., ImportDraft]
Commit = Callable[[ImportDraft], ImportDraft]


def test_newcomer_gets_from_a_sales_file_to_rows_without_a_question(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path
) -> None:
    draft = bring(SALES, encoding="cp932")
    assert draft.state == "checked"
    page = admin.get(f"/imports/{draft.pk}/").content.decode()
    assert "CP932" in page
    assert f"/imports/{draft.pk}/commit/" in page
    done = commit(draft)
    assert done.state == "done"
    lines = Workspace.open(site_workspace).read("order_lines")
    assert lines.height == 3
    assert set(lines["customer_id"]) == {"000123", "000124"}
    assert Workspace.open(site_workspace).read("customers")["name"].sort().to_list() == ["北陸精工", "東和食品機械(株)"]
    assert [entry.verb for entry in AuditEntry.objects.order_by("pk") if entry.verb.startswith("import")] == [
        "import.upload", "import.commit",
    ]  # fmt: skip
    assert Signature.objects.get(import_id=done.import_id).by_name == "administrator さん"
    assert not done.upload.exists()
    assert admin.get(f"/imports/{draft.pk}/").status_code == 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp"])
def test_every_encoding_gives_the_same_rows(bring: Bring, commit: Commit, site_workspace: Path, encoding: str) -> None:
    text = SALES if encoding != "euc_jp" else SALES.replace("髙", "高").replace("㈱", "(株)")
    draft = commit(bring(text, encoding=encoding))
    assert draft.state == "done"
    products = Workspace.open(site_workspace).read("products").sort("product_id")
    assert products["name"].to_list() == ["センサ高感度" if encoding == "euc_jp" else "センサ髙感度", "ケーブル"]


def test_same_draft_committed_twice_is_one_import(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path, work_off: Callable[[], int]
) -> None:
    draft = bring(SALES)
    admin.post(f"/imports/{draft.pk}/commit/")
    admin.post(f"/imports/{draft.pk}/commit/")
    work_off()
    commit(draft)
    commits = Workspace.open(site_workspace).store.commits()
    assert [c.kind for c in commits] == ["import"]


def test_commit_that_died_after_the_store_had_it_is_finished_and_not_repeated(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path
) -> None:
    draft = commit(bring(SALES))
    ImportDraft.objects.filter(pk=draft.pk).update(state="committing", outcome={}, job=None)
    again = commit(ImportDraft.objects.get(pk=draft.pk))
    assert again.state == "done"
    assert again.outcome["tables"][0]["new"] == 3
    assert len(Workspace.open(site_workspace).store.commits()) == 1


def test_importing_the_same_file_again_changes_nothing(admin: Client, bring: Bring, commit: Commit) -> None:
    commit(bring(SALES))
    again = bring(SALES)
    page = admin.get(f"/imports/{again.pk}/check/").content.decode()
    assert "すべて登録済み" in page
    done = commit(again)
    assert done.outcome["changed"] is False


def test_undo_takes_rows_out_and_marks_the_step(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path, work_off: Callable[[], int]
) -> None:
    draft = commit(bring(SALES))
    assert admin.get(f"/imports/steps/{draft.import_id}/undo/").status_code == 405
    assert admin.post(f"/imports/steps/{draft.import_id}/undo/").status_code == 302
    work_off()
    assert Workspace.open(site_workspace).read("order_lines").height == 0
    step = admin.get(f"/imports/steps/{draft.import_id}/").content.decode()
    assert "は取り消しました" in step
    assert f"/imports/steps/{draft.import_id}/undo/" not in step
    assert AuditEntry.objects.filter(verb="import.undo").count() == 1
    admin.post(f"/imports/steps/{draft.import_id}/undo/")
    work_off()
    assert len(Workspace.open(site_workspace).store.commits()) == 2


def test_undo_lists_what_a_later_import_changed(
    admin: Client, bring: Bring, commit: Commit, work_off: Callable[[], int], site_workspace: Path
) -> None:
    first = commit(bring(SALES))
    commit(bring(SALES.replace("10000", "12000")))
    admin.post(f"/imports/steps/{first.import_id}/undo/")
    work_off()
    page = admin.get(f"/imports/steps/{first.import_id}/").content.decode()
    assert "S002" in page
    assert Workspace.open(site_workspace).read("order_lines")["amount"].to_list() == [12000]


def test_cross_table_is_shown_before_and_after(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path
) -> None:
    cross = (
        "得意先別売上推移,,,,,\r\n"
        "得意先コード,得意先名,4月,5月,6月,合計\r\n"
        "001,東和食品機械,1000,2000,,3000\r\n"
        "002,北陸精工,500,,700,1200\r\n"
        ",合計,1500,2000,700,4200\r\n"
    )
    draft = bring(cross, name="2025年度 売上推移.csv")
    assert draft.state == "checked", draft.error
    page = admin.get(f"/imports/{draft.pk}/").content.decode()
    assert "年月" in page
    assert "得意先別売上推移" in page  # the title row, greyed
    assert "小計・合計" in page
    commit(draft)
    lines = Workspace.open(site_workspace).read("order_lines").sort("ordered_at", "customer_id")
    assert lines["amount"].to_list() == [1000, 500, 2000, 700]


def test_months_without_a_year_ask_for_it(admin: Client, bring: Bring, work_off: Callable[[], int]) -> None:
    cross = "得意先コード,得意先名,4月,5月\r\n001,東和,1000,2000\r\n002,北陸,500,\r\n"
    draft = bring(cross, name="推移.csv")
    assert draft.state == "failed"
    assert "2025年度" in admin.get(f"/imports/{draft.pk}/").content.decode()
    admin.post(f"/imports/{draft.pk}/reading/", {"year": "2025年度", "unit": "千円"})
    work_off()
    draft.refresh_from_db()
    assert draft.state == "checked", draft.error
    assert "1000000" in admin.get(f"/imports/{draft.pk}/").content.decode()


def test_encoding_said_by_a_person_counts(admin: Client, bring: Bring, work_off: Callable[[], int]) -> None:
    draft = bring(SALES, encoding="cp932")
    admin.post(f"/imports/{draft.pk}/reading/", {"encoding": "euc_jp"})
    work_off()
    draft.refresh_from_db()
    assert draft.state == "failed"
    admin.post(f"/imports/{draft.pk}/reading/", {"encoding": "cp932"})
    work_off()
    draft.refresh_from_db()
    assert draft.state == "checked"


def test_sheet_can_be_chosen(admin: Client, bring: Bring, work_off: Callable[[], int]) -> None:
    sales: list[list[object]] = [list(row.split(",")) for row in SALES.splitlines()]
    book = workbook(sales, "売上", 顧客=[["顧客コード", "顧客名"], ["000999", "山本製作所"]])
    draft = bring(book, name="台帳.xlsx")
    assert "売上" in admin.get(f"/imports/{draft.pk}/").content.decode()
    admin.post(f"/imports/{draft.pk}/reading/", {"sheet": "顧客"})
    work_off()
    draft.refresh_from_db()
    assert "山本製作所" in admin.get(f"/imports/{draft.pk}/").content.decode()


def test_draft_thrown_away_leaves_nothing(admin: Client, bring: Bring) -> None:
    draft = bring(SALES)
    place = draft.place
    assert place.stat().st_mode & 0o777 == 0o700
    assert draft.upload.stat().st_mode & 0o777 == 0o600
    admin.post(f"/imports/{draft.pk}/discard/")
    assert not ImportDraft.objects.exists()


def test_pasted_cells_are_a_file(admin: Client, work_off: Callable[[], int]) -> None:
    text = "顧客コード\t顧客名\t住所\n001\t東和食品機械\t東京都港区芝1-2-3\n"
    assert admin.post("/imports/paste/", {"text": text}).status_code == 302
    work_off()
    draft = ImportDraft.objects.get()
    assert draft.state == "checked", draft.error
    assert "東和食品機械" in admin.get(f"/imports/{draft.pk}/").content.decode()


def test_several_files_come_in_a_row(admin: Client, bring: Bring, commit: Commit, work_off: Callable[[], int]) -> None:
    files = [
        SimpleUploadedFile("a.csv", SALES.encode()),
        SimpleUploadedFile("b.csv", SALES.replace("S00", "T00").encode()),
    ]
    admin.post("/imports/new/", {"files": files})
    work_off()
    first, second = ImportDraft.objects.order_by("pk")
    commit(first)
    assert f"/imports/{second.pk}/" in admin.get(f"/imports/{first.pk}/").content.decode()
