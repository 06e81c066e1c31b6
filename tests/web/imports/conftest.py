"""An administrator at the wizard, files of every kind, and a worker that does what is due."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from nobishiro.web.core.jobs.worker import Worker
from nobishiro.web.core.permissions import Role
from nobishiro.web.imports.models import ImportDraft

sys.path.append(str(Path(__file__).parent))


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
