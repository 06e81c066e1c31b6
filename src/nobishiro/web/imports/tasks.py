"""Jobs of the import wizard. Each may be begun twice: a second time it finds what the first one did."""

from __future__ import annotations

import msgspec
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nobishiro.contracts.errors import BadInput, NobishiroError, UnknownName
from nobishiro.pipelines.customer_matches import scan_customers
from nobishiro.pipelines.import_history import undo_step
from nobishiro.pipelines.import_mapping import propose
from nobishiro.pipelines.import_wizard import Check, check_draft, commit_draft, read_pairs
from nobishiro.pipelines.upload_reading import UploadOptions, read_upload
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.jobs.context import fenced_transaction
from nobishiro.web.core.jobs.registry import JobContext, job
from nobishiro.web.imports.drafts import forget_upload, remove_expired
from nobishiro.web.imports.models import ImportDraft, MatchPair, Signature
from nobishiro.web.imports.pairs import decision_of, forget_pairs, keep_pairs, project_later, release_pairs
from nobishiro.web.imports.reception import LIMITS
from nobishiro.web.imports.selectors import persons_corrections
from nobishiro.web.people.models import User

_State = ImportDraft.State


@job("imports.read", needs="import", label=_("Read a file"))
def read(context: JobContext, payload: dict[str, object]) -> dict[str, object] | None:
    """Read the upload in a limited process, guess its columns, and make the dry run when nothing is missing."""
    draft = _draft(payload)
    if draft is None or draft.state != _State.READING:
        return None
    try:
        options = msgspec.convert(draft.options, UploadOptions)
        read_upload(draft.upload, draft.name, draft.place, options, LIMITS, context.progress)
        found = propose(workspace_path(), draft.place)
    except NobishiroError as error:
        _refuse(context, draft, _State.FAILED, error)
        return {"refused": type(error).__name__}
    draft.mapping, draft.origin, draft.mapping_name = found.text, found.origin, found.name
    return _check(context, draft)


@job("imports.check", needs="import", label=_("Try an import"))
def check(context: JobContext, payload: dict[str, object]) -> dict[str, object] | None:
    """Make the dry run with the columns as they are said now."""
    draft = _draft(payload)
    if draft is None or draft.state != _State.CHECKING:
        return None
    return _check(context, draft)


@job("imports.commit", needs="import", label=pgettext_lazy("import", "Import a file"))
def commit(context: JobContext, payload: dict[str, object]) -> dict[str, object] | None:
    """Import the draft, all or nothing; begun again after a crash it finds its own import and makes no second one."""
    draft = _draft(payload)
    if draft is None or draft.state != _State.COMMITTING:
        return None
    by = _person(payload)
    at = timezone.now()
    decided = MatchPair.objects.filter(
        draft=draft, decision__in=(MatchPair.Decision.SAME, MatchPair.Decision.DIFFERENT)
    )
    context.check()
    done = commit_draft(
        workspace_path(),
        draft.place,
        draft.mapping,
        draft.import_id,
        msgspec.json.decode(draft.check_result, type=Check),
        [decision_of(pair, pair.decided_by_name, pair.decision) for pair in decided],
        timezone.localtime(at).replace(tzinfo=None),
        context.progress,
    )
    with fenced_transaction(context):
        draft.outcome = {
            "tables": msgspec.to_builtins(done.tables),
            "merged": done.merged,
            "changed": done.import_id is not None,
        }
        draft.state, draft.done_at = _State.DONE, at
        draft.save()
        release_pairs(draft)
        if done.import_id is not None:
            name = by.name if by is not None else ""
            Signature.objects.get_or_create(
                import_id=done.import_id, defaults={"by": by, "by_name": name, "at": at, "job_id": context.job_id}
            )
        counts = {t.table: [t.new, t.updated, t.removed] for t in done.tables}
        record(by, "import.commit", f"import:{draft.import_id}", {"name": draft.name, "tables": counts})
        project_later(by)
    forget_upload(draft)
    remove_expired(at)
    return {"import_id": done.import_id or ""}


@job("imports.undo", needs="import", label=_("Take an import back"))
def undo(context: JobContext, payload: dict[str, object]) -> dict[str, object] | None:
    """Take a step of the store back; with one that is taken back already nothing happens."""
    import_id = str(payload["import_id"])
    by = _person(payload)
    at = timezone.now()
    context.check()
    done = undo_step(workspace_path(), import_id, timezone.localtime(at).replace(tzinfo=None))
    with fenced_transaction(context):
        if done.tables:
            Signature.objects.update_or_create(
                import_id=f"undo-{import_id}",
                defaults={
                    "by": by, "by_name": by.name if by is not None else "", "at": at, "job_id": context.job_id,
                    "detail": {"tables": done.tables, "kept": done.kept},
                },
            )  # fmt: skip
            record(by, "import.undo", f"import:{import_id}", {"tables": {t[0]: t[1:] for t in done.tables}})
        forget_pairs(import_id)
        project_later(by)
    return {"tables": [list(table) for table in done.tables]}


@job("imports.scan", needs="import", label=_("Look for the same customer twice"))
def scan(context: JobContext, payload: dict[str, object]) -> dict[str, object] | None:
    """Compare all customers that are there; pairs nobody judged yet are listed."""
    at = timezone.localtime(timezone.now()).replace(tzinfo=None)
    found = scan_customers(workspace_path(), at, context.progress)
    with fenced_transaction(context):
        return {"open": keep_pairs(found, None), "certain": int(found["is_certain"].sum())}


def _check(context: JobContext, draft: ImportDraft) -> dict[str, object]:
    at = timezone.localtime(timezone.now()).replace(tzinfo=None)
    try:
        result = check_draft(workspace_path(), draft.place, draft.mapping, at, persons_corrections(), context.progress)
    except (BadInput, UnknownName) as error:
        _refuse(context, draft, _State.READ, error)
        return {"refused": type(error).__name__}
    with fenced_transaction(context):
        draft.check_result = msgspec.json.encode(result).decode()
        draft.state, draft.error = _State.CHECKED, ""
        draft.save()
        keep_pairs(read_pairs(draft.place), draft)
    return {"rows": result.rows_read, "rejected": result.rejected}


def _refuse(context: JobContext, draft: ImportDraft, state: ImportDraft.State, error: NobishiroError) -> None:
    with fenced_transaction(context):
        draft.state, draft.error, draft.check_result = state, str(error)[:4000], ""
        draft.save()


def _draft(payload: dict[str, object]) -> ImportDraft | None:
    return ImportDraft.objects.filter(pk=str(payload["draft"])).first()


def _person(payload: dict[str, object]) -> User | None:
    return User.objects.filter(pk=str(payload["by"])).first()
