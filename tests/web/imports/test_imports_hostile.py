"""Files made to harm, and files that are not what they seem: a reason is given, and the site goes on."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from imports_files import SALES, workbook

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge, NobishiroError
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.upload_reading import UploadLimits, UploadOptions, clean_name, read_upload
from nobishiro.web.core.permissions import Role
from nobishiro.web.imports import reception
from nobishiro.web.imports.models import ImportDraft

Bring = Callable[..., ImportDraft]


def test_empty_file_is_refused_at_once_and_nothing_is_kept(admin: Client, site_workspace: Path) -> None:
    answer = admin.post("/imports/new/", {"files": SimpleUploadedFile("空.csv", b"")}, follow=True)
    assert "空です" in answer.content.decode()
    assert not ImportDraft.objects.exists()


def test_file_over_the_limit_is_dropped_while_it_comes(
    admin: Client, site_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception.Reception.__init__, "__defaults__", (100_000,))
    large = SimpleUploadedFile("大.csv", b"a,b\n" * 100_000)
    small = SimpleUploadedFile("小.csv", SALES.encode())
    answer = admin.post("/imports/new/", {"files": [large, small]}, follow=True)
    assert "100 MB を超えています" in answer.content.decode()
    assert [draft.name for draft in ImportDraft.objects.all()] == ["小.csv"]
    assert len(list(reception.uploads_home().iterdir())) >= 1


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"%PDF-1.7 x", "売上.xlsx", "PDF"),
        (b"\x1f\x8b\x08\x00abc", "売上.csv", "gzip"),
        (b"MZ\x90\x00" + b"\0" * 200, "売上.csv", "プログラム"),
        (b"SQLite format 3\0" + b"\0" * 200, "売上.csv", "データベース"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "売上.xls", "Web"),
        (b"PK\x03\x04" + b"broken" * 20, "売上.xlsx", "壊れ"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "売上.csv", ""),
    ],
)
def test_wrong_kind_is_refused_with_words(admin: Client, bring: Bring, content: bytes, name: str, said: str) -> None:
    draft = bring(content, name=name)
    assert draft.state == "failed"
    page = admin.get(f"/imports/{draft.pk}/").content.decode()
    assert said in page
    assert draft.folder not in page


def test_zip_bomb_is_refused(admin: Client, bring: Bring) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)
    draft = bring(content.getvalue(), name="爆弾.xlsx")
    assert draft.state == "failed"
    assert "zip" in draft.error or "expand" in draft.error


def test_workbook_with_macros_is_read_and_they_are_not_run(admin: Client, bring: Bring) -> None:
    book = io.BytesIO(workbook([["顧客コード", "顧客名"], ["001", "東和食品機械"]]))
    with zipfile.ZipFile(book, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0macro")
    draft = bring(book.getvalue(), name="顧客.xlsm")
    assert draft.state == "checked", draft.error
    assert "マクロは動かさず" in admin.get(f"/imports/{draft.pk}/").content.decode()


def test_huge_cell_is_a_rejected_row_and_the_others_come(bring: Bring) -> None:
    draft = bring(SALES + f"S003,2025/06/01,000125,{'長' * 20_000},P01,センサ,1,1000\r\n")
    assert draft.state == "checked", draft.error
    assert '"rejected":1' in draft.check_result


def test_formula_cells_stay_text_and_the_rejected_file_is_safe(
    admin: Client, bring: Bring, commit: Callable[[ImportDraft], ImportDraft], site_workspace: Path
) -> None:
    text = (
        "顧客コード,顧客名,獲得日\r\n"
        '001,"=HYPERLINK(""http://evil"")",2025/01/01\r\n'
        "002,@SUM(A1),2025/99/99\r\n003,+1-2,2025/99/99\r\n"
    )
    draft = bring(text, name="=cmd.csv")
    answer = admin.get(f"/imports/{draft.pk}/rejected.csv")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "'@SUM(A1)" in content
    assert "'+1-2" in content
    assert "\n@" not in content
    commit(draft)
    assert Workspace.open(site_workspace).read("customers")["name"].to_list() == ['=HYPERLINK("http://evil")']


def test_hostile_headers_and_names_are_shown_as_text(admin: Client, bring: Bring) -> None:
    draft = bring('顧客コード,顧客名,"<script>x</script>"\r\n001,<img src=x onerror=1>,y\r\n', name="<b>x</b>.csv")
    for page in ("", "columns/", "check/"):
        shown = admin.get(f"/imports/{draft.pk}/{page}").content.decode()
        assert "<script>x" not in shown
        assert "<img src=x" not in shown
        assert "<b>x</b>" not in shown


def test_more_columns_than_the_limit_are_refused(bring: Bring) -> None:
    header = ",".join(f"c{n}" for n in range(501))
    draft = bring(f"{header}\r\n{','.join('1' for _ in range(501))}\r\n")
    assert draft.state == "failed"
    assert "501" in draft.error


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\売上.csv", "売上.csv"),
        ("a\x00b\u202e.csv", "ab.csv"),
        ("", "file"),
        ("...", "file"),
    ],
)
def test_names_are_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_name_of_a_file_is_never_part_of_a_path(bring: Bring, site_workspace: Path) -> None:
    draft = bring(SALES, name="../../../秘密.csv")
    assert draft.name == "秘密.csv"
    assert not [path for path in site_workspace.rglob("*") if "秘密" in path.name]


def _read(tmp_path: Path, content: bytes, **limits: int) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(content)
    read_upload(upload, "x.csv", tmp_path, UploadOptions(), UploadLimits(**limits))


def test_reader_out_of_memory_gives_a_reason(tmp_path: Path) -> None:
    with pytest.raises((FileTooLarge, FileNotUsable)):
        _read(tmp_path, SALES.encode(), memory=150_000_000)


def test_reader_out_of_time_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(FileTooLarge, match=r"time|seconds"):
        _read(tmp_path, SALES.encode(), seconds=0)


def test_rows_over_the_limit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileTooLarge, match="3 rows"):
        _read(tmp_path, SALES.encode(), max_rows=2)


def test_progress_that_raises_stops_the_reader(tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(SALES.encode())

    def stop(what: str, done: int, total: int) -> None:
        raise NobishiroError(what)

    with pytest.raises(NobishiroError):
        read_upload(upload, "x.csv", tmp_path, UploadOptions(), progress=stop)


def test_upload_without_token_is_refused(person: Callable[[Role], object], site_workspace: Path) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person(Role.ADMINISTRATOR), backend="allauth.account.auth_backends.AuthenticationBackend")  # type: ignore[arg-type]
    answer = client.post("/imports/new/", {"files": SimpleUploadedFile("a.csv", SALES.encode())})
    assert answer.status_code == 403
    assert not ImportDraft.objects.exists()


@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER, Role.MARKETER, Role.SHOP_MANAGER])
def test_only_who_may_import_sees_the_wizard(signed_in: Callable[[Role], Client], bring: Bring, role: Role) -> None:
    draft = bring(SALES)
    client = signed_in(role)
    for page in ("", "new/", "same/", f"{draft.pk}/", f"{draft.pk}/columns/", f"{draft.pk}/rejected.csv"):
        assert client.get(f"/imports/{page}").status_code == 404
    assert client.post("/imports/new/", {"files": SimpleUploadedFile("a.csv", b"a")}).status_code == 404
    assert client.post(f"/imports/{draft.pk}/commit/").status_code == 404
