"""What people do with a draft: bring a file, say how it is read, what its columns are, import it, throw it away."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db import transaction
from django.utils import timezone

from nobishiro.contracts.errors import BadInput
from nobishiro.pipelines.import_mapping import Proposal, change_mapping, keep_mapping, propose, with_table
from nobishiro.pipelines.import_wizard import new_import_id
from nobishiro.pipelines.upload_reading import UploadOptions, clean_name
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.imports.models import ImportDraft
from nobishiro.web.imports.reception import new_place, open_upload, uploads_home
from nobishiro.web.people.models import User

_State = ImportDraft.State
UNFINISHED_DAYS: Final = 7
"""A draft nobody touched for so long is thrown away with its file."""
REJECTED_DAYS: Final = 90
"""How long the rejected rows of a finished import can be had again."""


class DraftBusy(Exception):
    """A job is at the draft, or it is imported already; nothing was changed."""


def start_draft(*, by: User, name: str, folder: str, size: int) -> ImportDraft:
    """A draft for a file that lies in `folder`; a job begins to read it."""
    with transaction.atomic():
        draft = ImportDraft.objects.create(
            folder=folder, name=clean_name(name), size=size, created_by=by, created_by_name=by.name
        )
        record(by, "import.upload", f"draft:{draft.pk}", {"name": draft.name, "bytes": size})
        _begin(draft, "imports.read", _State.READING, by)
    return draft


def paste_draft(*, by: User, text: str, name: str) -> ImportDraft:
    """A draft of pasted text: cells copied from a spreadsheet come with tabs."""
    place = new_place()
    content = text.encode("utf-8")
    with open_upload(place) as stream:
        stream.write(content)
    return start_draft(by=by, name=name, folder=place.name, size=len(content))


def read_again(*, by: User, draft: ImportDraft, options: UploadOptions) -> None:
    """Read the file once more, as the person says. Raises `DraftBusy`."""
    with transaction.atomic():
        locked = _free(draft)
        locked.options = msgspec.to_builtins(options)
        locked.mapping = locked.mapping_name = locked.origin = locked.check_result = ""
        _begin(locked, "imports.read", _State.READING, by)


def choose_mapping(*, by: User, draft: ImportDraft, table: str = "", named: str = "") -> None:
    """Take the file for another table, or read it by a saved mapping or preset. Raises `DraftBusy`, `UnknownName`."""
    found = (
        with_table(workspace_path(), draft.place, table) if table else propose(workspace_path(), draft.place, "", named)
    )
    _take(by, draft, found)


def set_columns(
    *,
    by: User,
    draft: ImportDraft,
    uses: Sequence[str],
    constants: Mapping[str, str],
    tax: str,
    date_order: str,
    save_as: str = "",
) -> None:
    """What each column is, as the person says; kept under `save_as` for the next file.

    Raises `DraftBusy`, `BadInput`, `UnknownName`.
    """
    text = change_mapping(draft.place, draft.mapping, uses, constants=constants, tax=tax, date_order=date_order)
    origin, name = ("hand", "") if text != draft.mapping else (draft.origin, draft.mapping_name)
    if save_as:
        keep_mapping(workspace_path(), text, save_as)
        origin, name = "saved", save_as.strip()
        record(by, "import.mapping", f"mapping:{name}", {"file": draft.name})
    _take(by, draft, Proposal(text, origin, name))


def check_again(*, by: User, draft: ImportDraft) -> None:
    """Make the dry run once more. Raises `DraftBusy`."""
    with transaction.atomic():
        _begin(_free(draft), "imports.check", _State.CHECKING, by)


def ask_commit(*, by: User, draft: ImportDraft, at: datetime) -> ImportDraft:
    """Let a job import the draft; asked twice, it is one import. Raises `DraftBusy` before its dry run is there."""
    with transaction.atomic():
        locked = ImportDraft.objects.select_for_update().get(pk=draft.pk)
        if locked.state == _State.DONE or (locked.state == _State.COMMITTING and locked.is_busy):
            return locked
        if locked.state not in (_State.CHECKED, _State.COMMITTING) or locked.is_busy:
            raise DraftBusy
        locked.import_id = locked.import_id or new_import_id(timezone.localtime(at))
        _begin(locked, "imports.commit", _State.COMMITTING, by)
    return locked


def discard_draft(*, by: User, draft: ImportDraft) -> None:
    """Throw an unfinished draft and its file away. Raises `DraftBusy` while it is being imported or when it is done."""
    with transaction.atomic():
        locked = ImportDraft.objects.select_for_update().get(pk=draft.pk)
        if locked.state == _State.DONE or (locked.state == _State.COMMITTING and locked.is_busy):
            raise DraftBusy
        record(by, "import.discard", f"draft:{locked.pk}", {"name": locked.name})
        place = locked.place
        locked.delete()
        transaction.on_commit(lambda: shutil.rmtree(place, ignore_errors=True))


def forget_upload(draft: ImportDraft) -> None:
    """Remove the file and the rows read from it; of a finished import only the rejected rows stay for a while."""
    for name in ("upload", "rows.parquet", "unsplit.parquet", "pairs.parquet", "reading.json"):
        (draft.place / name).unlink(missing_ok=True)
    shutil.rmtree(draft.place / "prepared", ignore_errors=True)


def remove_expired(at: datetime) -> int:
    """Throw away what nobody came back to, and rejected rows kept long enough; how many directories went."""
    removed = 0
    for draft in ImportDraft.objects.filter(changed_at__lt=at - timedelta(days=UNFINISHED_DAYS)).exclude(
        state=_State.DONE
    ):
        if not draft.is_busy:
            shutil.rmtree(draft.place, ignore_errors=True)
            draft.delete()
            removed += 1
    for draft in ImportDraft.objects.filter(state=_State.DONE, done_at__lt=at - timedelta(days=REJECTED_DAYS)):
        if draft.place.is_dir():
            shutil.rmtree(draft.place, ignore_errors=True)
            removed += 1
    known = set(ImportDraft.objects.values_list("folder", flat=True))
    yesterday = (at - timedelta(days=1)).timestamp()
    for place in uploads_home().iterdir():
        if place.name not in known and place.is_dir() and place.stat().st_mtime < yesterday:
            shutil.rmtree(place, ignore_errors=True)
            removed += 1
    return removed


def _take(by: User, draft: ImportDraft, found: Proposal) -> None:
    with transaction.atomic():
        locked = _free(draft)
        locked.mapping, locked.origin, locked.mapping_name = found.text, found.origin, found.name
        locked.check_result = ""
        _begin(locked, "imports.check", _State.CHECKING, by)


def _free(draft: ImportDraft) -> ImportDraft:
    locked = ImportDraft.objects.select_for_update().get(pk=draft.pk)
    if locked.is_busy or locked.state in (_State.DONE, _State.COMMITTING):
        raise DraftBusy
    if not locked.upload.exists():
        raise BadInput("the uploaded file is no longer kept; upload it again")
    return locked


def _begin(draft: ImportDraft, kind: str, state: ImportDraft.State, by: User) -> None:
    draft.error = ""
    draft.state = state
    draft.job = enqueue(kind, {"draft": draft.pk, "by": by.pk}, by=by, unique_key=f"imports:{draft.pk}")
    draft.save()
