"""The wizard's pages for one file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.contracts.errors import BadInput, FileNotUsable, NobishiroError, UnknownName
from nobishiro.contracts.tables import TABLES
from nobishiro.pipelines.import_mapping import ShownMapping, column_choices, show_mapping
from nobishiro.pipelines.import_wizard import write_rejected_rows
from nobishiro.pipelines.upload_reading import load_reading
from nobishiro.web.core.audit import record
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.core.templatetags.nobishiro import is_japanese
from nobishiro.web.imports import drafts, selectors
from nobishiro.web.imports.drafts import DraftBusy
from nobishiro.web.imports.forms import ColumnsForm, ReadingForm
from nobishiro.web.imports.models import ImportDraft, MatchPair

_State = ImportDraft.State


def find_draft(pk: int) -> ImportDraft:
    """The draft, or 404."""
    return get_object_or_404(ImportDraft.objects.select_related("job"), pk=pk)


@requires(Permission.IMPORT)
@require_GET
def draft(request: SignedInRequest, pk: int) -> HttpResponse:
    """Where the draft stands: being read, to be looked at, imported, or refused with what to do."""
    found = find_draft(pk)
    if found.state == _State.DONE:
        return _result(request, found)
    if found.is_busy or found.has_stopped:
        return render(request, "imports/working.html", {"draft": found})
    if found.state == _State.FAILED:
        form = ReadingForm(initial=ReadingForm.initial_of(found.options))
        context = {"draft": found, "problem": selectors.say(found.error), "form": form}
        return render(request, "imports/refused.html", context)
    return _preview(request, found)


def _preview(request: SignedInRequest, found: ImportDraft) -> HttpResponse:
    seen = load_reading(found.place)
    shown = show_mapping(found.place, found.mapping, found.origin)
    check = selectors.check_of(found)
    doubts = selectors.doubts(found, shown, check)
    context = {
        "draft": found,
        "reading": seen,
        "rows": selectors.shown_rows(seen),
        "column_names": [column.name for column in seen.columns],
        "before": selectors.shown_rows(seen, before=True),
        "skipped": selectors.shown_skipped(seen),
        "notes": [selectors.say(note) for note in seen.notes],
        "mapping": shown,
        "table": selectors.label_of(shown.table),
        "check": check,
        "problem": selectors.say(found.error) if found.error else "",
        "doubts": doubts,
        "is_clear": check is not None and not doubts and not found.error,
        "assumptions": selectors.assumptions(shown),
        "form": ReadingForm(initial=ReadingForm.initial_of(found.options), sheets=seen.sheets),
        "open_pairs": found.pairs.filter(is_certain=False, decision="").count(),
        "certain_pairs": found.pairs.filter(is_certain=True).count(),
        "steps": selectors.step_links(found, "preview"),
    }
    return render(request, "imports/preview.html", context)


def _result(request: SignedInRequest, found: ImportDraft) -> HttpResponse:
    tables = [(selectors.label_of(t["table"]), t) for t in found.outcome.get("tables", [])]
    check = selectors.check_of(found)
    context = {
        "draft": found,
        "tables": tables,
        "check": check,
        "has_rejected": selectors.has_rejected(found),
        "next": selectors.next_draft(found),
        "open_pairs": MatchPair.objects.filter(draft=None, decision="", is_certain=False).count(),
        "steps": selectors.step_links(found, "result"),
    }
    return render(request, "imports/result.html", context)


@requires(Permission.IMPORT)
@require_POST
def reading(request: SignedInRequest, pk: int) -> HttpResponse:
    """Read the file again as the person says; without anything said, as before."""
    found = find_draft(pk)
    try:
        sheets = load_reading(found.place).sheets
    except FileNotUsable:
        sheets = ()
    form = ReadingForm(request.POST, sheets=sheets)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect("imports:draft", pk)
    return _do(request, found, lambda: drafts.read_again(by=request.user, draft=found, options=form.options()))


@requires(Permission.IMPORT)
@require_http_methods(["GET", "POST"])
def columns(request: SignedInRequest, pk: int) -> HttpResponse:
    """What each column is."""
    found = find_draft(pk)
    if found.is_busy or not found.mapping or found.state in (_State.DONE, _State.COMMITTING):
        return redirect("imports:draft", pk)
    shown = show_mapping(found.place, found.mapping, found.origin)
    if request.method == "POST":
        return _set_columns(request, found, shown)
    return render(request, "imports/columns.html", _columns_page(found, shown))


def _columns_page(found: ImportDraft, shown: ShownMapping) -> dict[str, object]:
    ja = is_japanese()
    choices = [
        (table, table_ja if ja else table_en, [(f"{table}.{c.name}", c.ja if ja else c.en, c.required) for c in listed])
        for table, table_ja, table_en, listed in column_choices(shown.table)
    ]
    labels = {value: label for _table, _name, listed in choices for value, label, _required in listed}
    missing = [(c, c.ja if ja else c.en, [(v, label if ja else v) for v, label in c.choices]) for c in shown.missing]
    return {
        "draft": found,
        "mapping": shown,
        "choices": choices,
        "columns": [(at, column, labels.get(column.use, "")) for at, column in enumerate(shown.columns)],
        "missing": missing,
        "kept_constants": [(name, selectors.label_of(shown.table, name), value) for name, value in shown.constants],
        "ignored": sum(not column.use for column in shown.columns),
        "tables": [(name, selectors.label_of(name)) for name in TABLES],
        "named": selectors.mappings(),
        "form": ColumnsForm(initial={"tax": shown.tax, "date_order": shown.date_order}),
        "assumptions": selectors.assumptions(shown),
        "steps": selectors.step_links(found, "columns"),
    }


def _set_columns(request: SignedInRequest, found: ImportDraft, shown: ShownMapping) -> HttpResponse:
    form = ColumnsForm(request.POST)
    allowed = {f"{table}.{c.name}" for table, _ja, _en, listed in column_choices(shown.table) for c in listed}
    # What the mapping says already may stay, even where the page offers it to no other header.
    allowed |= {column.use for column in shown.columns} | {""}
    uses = [request.POST.get(f"use-{at}", "") for at in range(len(shown.columns))]
    if not form.is_valid() or any(use not in allowed for use in uses):
        messages.error(request, gettext("This does not fit the file. Look at the columns again."))
        return redirect("imports:columns", found.pk)
    names = {column.name for column in TABLES[shown.table].columns}
    given = {
        key.removeprefix("constant-"): str(value).strip()[:200]
        for key, value in request.POST.items()
        if key.startswith("constant-") and key.removeprefix("constant-") in names
    }
    said = form.cleaned_data
    return _do(
        request,
        found,
        lambda: drafts.set_columns(
            by=request.user,
            draft=found,
            uses=uses,
            constants=given,
            tax=said["tax"],
            date_order=said["date_order"],
            save_as=said["save_as"],
        ),
        back="imports:columns",
    )


@requires(Permission.IMPORT)
@require_POST
def mapping(request: SignedInRequest, pk: int) -> HttpResponse:
    """Another table, a saved mapping or a preset."""
    found = find_draft(pk)
    table, named = request.POST.get("table", ""), request.POST.get("named", "")
    if bool(table) == bool(named):
        return redirect("imports:columns", pk)
    return _do(
        request, found, lambda: drafts.choose_mapping(by=request.user, draft=found, table=table, named=named),
        back="imports:columns",
    )  # fmt: skip


@requires(Permission.IMPORT)
@require_GET
def check(request: SignedInRequest, pk: int) -> HttpResponse:
    """The dry run."""
    found = find_draft(pk)
    result = selectors.check_of(found)
    if result is None or found.is_busy or found.state != _State.CHECKED:
        return redirect("imports:draft", pk)
    context = {
        "draft": found,
        "check": result,
        "tables": [
            (selectors.label_of(t.table), t, [selectors.label_of(t.table, name) for name in t.columns])
            for t in result.tables
        ],
        "reasons": selectors.shown_reasons(result.reasons),
        "notes": [selectors.say(note) for note in result.notes],
        "overtaken": [
            (selectors.label_of(o.table), o.row_key, selectors.label_of(o.table, o.column), o) for o in result.overtaken
        ],
        "open_pairs": found.pairs.filter(is_certain=False, decision="").count(),
        "certain_pairs": found.pairs.filter(is_certain=True).count(),
        "steps": selectors.step_links(found, "check"),
    }
    return render(request, "imports/check.html", context)


@requires(Permission.IMPORT)
@require_POST
def check_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make the dry run once more, against what is there now."""
    found = find_draft(pk)
    return _do(request, found, lambda: drafts.check_again(by=request.user, draft=found))


@requires(Permission.IMPORT)
@require_GET
def rejected(request: SignedInRequest, pk: int, ending: str) -> FileResponse:
    """The rejected rows, to be corrected and imported again."""
    found = find_draft(pk)
    if ending not in ("csv", "xlsx"):
        raise Http404
    stem = found.name.rpartition(".")[0] or found.name
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"rejected.{ending}"
        try:
            write_rejected_rows(found.place, out, "ja" if is_japanese() else "en")
        except UnknownName as error:
            raise Http404 from error
        record(request.user, "import.rejected_file", f"draft:{found.pk}", {"name": found.name}, request=request)
        return FileResponse(out.open("rb"), as_attachment=True, filename=f"{stem}.rejected.{ending}")


@requires(Permission.IMPORT)
@require_POST
def commit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Import it."""
    found = find_draft(pk)
    return _do(request, found, lambda: drafts.ask_commit(by=request.user, draft=found, at=timezone.now()))


@requires(Permission.IMPORT)
@require_POST
def discard(request: SignedInRequest, pk: int) -> HttpResponse:
    """Throw the draft away."""
    found = find_draft(pk)
    try:
        drafts.discard_draft(by=request.user, draft=found)
    except DraftBusy:
        messages.error(request, gettext("It is being imported just now."))
        return redirect("imports:draft", pk)
    messages.success(request, gettext("“%(name)s” was thrown away.") % {"name": found.name})
    return redirect("imports:list")


def _do(
    request: SignedInRequest, found: ImportDraft, change: Callable[[], object], back: str = "imports:draft"
) -> HttpResponse:
    try:
        change()
    except DraftBusy:
        messages.error(request, gettext("Something is being done with this file just now. Wait a moment."))
    except (BadInput, UnknownName) as error:
        messages.error(request, selectors.say(str(error)))
        return redirect(back, found.pk)
    except NobishiroError as error:
        messages.error(request, selectors.say(str(error)))
    return redirect("imports:draft", found.pk)
