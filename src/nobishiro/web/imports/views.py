"""The history of imports, bringing a file, taking a step back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.pipelines.import_history import find_step
from nobishiro.pipelines.import_templates import TEMPLATES, write_template
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.core.jobs.registry import KINDS
from nobishiro.web.core.models import Job
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.imports import drafts, selectors
from nobishiro.web.imports.forms import PasteForm
from nobishiro.web.imports.models import ImportDraft, MatchPair, Signature
from nobishiro.web.imports.reception import LIMITS, Received, Reception

_PAGE = 30


@requires(Permission.IMPORT)
@require_GET
def history(request: SignedInRequest) -> HttpResponse:
    """Every import and edit, the newest first, and the drafts that wait."""
    page = Paginator(selectors.history(), _PAGE).get_page(request.GET.get("page"))
    last = (
        next((s for s in page.object_list if s.kind == "import" and not s.undone_by), None)
        if page.number == 1
        else None
    )
    open_pairs = MatchPair.objects.filter(draft=None, decision=MatchPair.Decision.OPEN, is_certain=False).count()
    context = {
        "page": page,
        "steps": selectors.shown_steps(list(page.object_list)),
        "drafts": selectors.open_drafts(),
        "last": last,
        "open_pairs": open_pairs,
    }
    return render(request, "imports/history.html", context)


@csrf_exempt
@requires(Permission.IMPORT)
@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest) -> HttpResponse:
    """Choose or drop files. The token is checked by `_receive`: only then may the upload's own handler be put in."""
    if request.method == "POST":
        reception = Reception()
        request.upload_handlers = [reception]
        return _receive(request, reception)
    return _upload_page(request, PasteForm())


@csrf_protect
def _receive(request: HttpRequest, reception: Reception) -> HttpResponse:
    if not request.FILES and not reception.received:
        messages.error(request, gettext("Choose a file first."))
        return redirect("imports:new")
    started: list[ImportDraft] = []
    for file in reception.received:
        if file.problem:
            messages.error(request, _problem(file))
        else:
            user = request.user
            started.append(drafts.start_draft(by=user, name=file.name, folder=file.folder, size=file.size))  # type: ignore[arg-type]
    drafts.remove_expired(timezone.now())
    if not started:
        return redirect("imports:new")
    if len(started) > 1:
        said = gettext("%(n)d files were taken in. After this one the next is offered.") % {"n": len(started)}
        messages.success(request, said)
    return redirect("imports:draft", started[0].pk)


def _problem(file: Received) -> str:
    if file.problem == "empty":
        return gettext("“%(name)s” is empty (0 bytes). Export it again.") % {"name": file.name}
    if file.problem == "disk_full":
        return gettext("“%(name)s” could not be kept: the disk is full.") % {"name": file.name}
    said = gettext("“%(name)s” is larger than %(most)d MB. Split it, or import it with the command line.")
    return said % {"name": file.name, "most": LIMITS.max_bytes // 1_000_000}


@requires(Permission.IMPORT)
@require_POST
def paste(request: SignedInRequest) -> HttpResponse:
    """Cells copied from a spreadsheet, as if they were a file."""
    form = PasteForm(request.POST)
    if not form.is_valid():
        return _upload_page(request, form, status=422)
    name = gettext("pasted %(moment)s") % {"moment": f"{timezone.localtime():%Y-%m-%d %H:%M}"}
    made = drafts.paste_draft(by=request.user, text=form.cleaned_data["text"], name=f"{name}.csv")
    return redirect("imports:draft", made.pk)


def _upload_page(request: HttpRequest, form: PasteForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "templates": TEMPLATES, "limits": LIMITS, "most": LIMITS.max_bytes // 1_000_000}
    return render(request, "imports/upload.html", context, status=status)


@requires(Permission.IMPORT)
@require_GET
def template(request: SignedInRequest, name: str, ending: str) -> FileResponse:
    """An empty file with the headers to fill in."""
    found = next((known for known in TEMPLATES if known.name == name), None)
    if found is None or ending not in ("xlsx", "csv"):
        raise Http404
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"template.{ending}"
        write_template(name, out)
        return FileResponse(out.open("rb"), as_attachment=True, filename=f"{found.ja}.{ending}")


@requires(Permission.IMPORT)
@require_GET
def step(request: SignedInRequest, import_id: str) -> HttpResponse:
    """One step of the store: what it did, who made it, and taking it back."""
    found = find_step(workspace_path(), import_id)
    if found is None:
        raise Http404
    undone = Signature.objects.filter(import_id=f"undo-{import_id}").first()
    job = Job.objects.filter(kind="imports.undo", payload__import_id=import_id).order_by("-pk").first()
    context = {
        "shown": selectors.shown_steps([found])[0],
        "undone": undone,
        "kept": [(selectors.label_of(table), key, later) for table, key, later in undone.detail.get("kept", [])]
        if undone
        else [],
        "undone_tables": [(selectors.label_of(t), *rest) for t, *rest in undone.detail.get("tables", [])]
        if undone
        else [],
        "job": job if job is not None and not (found.undone_by and job.is_over) else None,
    }
    return render(request, "imports/step.html", context)


@requires(Permission.IMPORT)
@require_POST
def undo(request: SignedInRequest, import_id: str) -> HttpResponse:
    """Let a job take a step back."""
    found = find_step(workspace_path(), import_id)
    if found is None:
        raise Http404
    if found.may_be_undone:
        payload: dict[str, object] = {"import_id": import_id, "by": request.user.pk}
        enqueue("imports.undo", payload, by=request.user, unique_key=f"imports.undo:{import_id}")
        record(request.user, "import.undo_asked", f"import:{import_id}", {"name": found.note}, request=request)
    return redirect("imports:step", import_id)


@requires(Permission.IMPORT)
@require_POST
def recompute(request: SignedInRequest) -> HttpResponse:
    """Let a job compute the figures anew."""
    if "recompute" in KINDS:
        enqueue("recompute", {}, by=request.user, unique_key="recompute")
        messages.success(request, gettext("The figures are being computed anew. It takes a few minutes."))
    return redirect("imports:list")
