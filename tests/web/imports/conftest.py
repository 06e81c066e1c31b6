"""An administrator at the wizard, files of every kind, and a worker that does what is due."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from nobishiro.web.core.jobs.worker import Worker
from nobishiro.web.core.permissions import Role
from nobishiro.web.imports.models import ImportDraft

SALES = (
    "伝票番号,売上日,得意先コード,得意先名,商品コード,商品名,数量,金額\r\n"
    "S001,2025/04/01,000123,東和食品機械㈱,P01,センサ髙感度,2,20000\r\n"
    "S001,2025/04/01,000123,東和食品機械㈱,P02,ケーブル,1,1500\r\n"
    "S002,2025/05/12,000124,北陸精工,P01,センサ髙感度,1,10000\r\n"
)
CROSS = (
    "得意先別売上推移,,,,\r\n"
    "2025年度,,,,\r\n"
    "得意先コード,得意先名,4月,5月,6月,合計\r\n"
    "001,東和食品機械,1000,2000,,3000\r\n"
    "002,北陸精工,500,,700,1200\r\n"
    ",合計,1500,2000,700,4200\r\n"
)


@pytest.fixture
def admin(signed_in: Callable[[Role], Client], site_workspace: Path) -> Client:
    """A browser of the administrator, over an empty workspace."""
    return signed_in(Role.ADMINISTRATOR)


@pytest.fixture
def work_off(db: None) -> Callable[[], int]:
    """Does the jobs that are due, here and now."""
    return lambda: Worker().work_off()


@pytest.fixture
def bring(admin: Client, work_off: Callable[[], int]) -> Callable[..., ImportDraft]:
    """Uploads content under a name and lets the worker read it; the draft."""

    def upload(content: str | bytes, name: str = "売上.csv", encoding: str = "utf-8") -> ImportDraft:
        data = content.encode(encoding) if isinstance(content, str) else content
        answer = admin.post("/imports/new/", {"files": SimpleUploadedFile(name, data)})
        assert answer.status_code == 302, answer.content
        work_off()
        draft = ImportDraft.objects.order_by("-pk").first()
        assert draft is not None
        return draft

    return upload


@pytest.fixture
def commit(admin: Client, work_off: Callable[[], int]) -> Callable[[ImportDraft], ImportDraft]:
    """Imports a draft as the person would."""

    def do(draft: ImportDraft) -> ImportDraft:
        assert admin.post(f"/imports/{draft.pk}/commit/").status_code == 302
        work_off()
        draft.refresh_from_db()
        return draft

    return do


def workbook(
    rows: list[list[object]], name: str = "Sheet1", more: dict[str, list[list[object]]] | None = None
) -> bytes:
    """An .xlsx."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    for title, listed in {name: rows, **(more or {})}.items():
        sheet = book.add_worksheet(title)
        for at, row in enumerate(listed):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(at, column, cell)
    book.close()
    return content.getvalue()
