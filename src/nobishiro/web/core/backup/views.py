"""Backups of the page 稼働: made by a job, taken away as a file, removed."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from nobishiro.web.core.audit import record
from nobishiro.web.core.backup.making import find_backup, new_backup_name
from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires


@requires(Permission.OPERATE)
@require_POST
def make(request: SignedInRequest) -> HttpResponse:
    """Ask for one."""
    name = new_backup_name(timezone.localtime())
    job = enqueue("backup", {"name": name}, by=request.user, unique_key="backup")
    record(request.user, "backup.ask", f"job:{job.pk}", request=request)
    return redirect("core:job", pk=job.pk)


@requires(Permission.OPERATE)
@require_GET
def take(request: SignedInRequest, name: str) -> HttpResponseBase:
    """The file. It holds everything there is about customers, so that taking it is written down."""
    path = _found(name)
    record(request.user, "backup.take", f"backup:{name}", request=request)
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


@requires(Permission.OPERATE)
@require_POST
def remove(request: SignedInRequest, name: str) -> HttpResponse:
    """Remove it for good."""
    path = _found(name)
    record(request.user, "backup.remove", f"backup:{name}", request=request)
    path.unlink(missing_ok=True)
    messages.success(request, _("The backup was removed."))
    return redirect("core:jobs")


def _found(name: str) -> Path:
    path = find_backup(name)
    if path is None:
        raise Http404
    return path
