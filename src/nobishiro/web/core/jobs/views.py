"""稼働: jobs, runs, the schedule, the disk; and how far one job is."""

from __future__ import annotations

import json
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from nobishiro.contracts.errors import CommitNotFound
from nobishiro.web.core.audit import record
from nobishiro.web.core.backup.making import list_backups
from nobishiro.web.core.company import published, workspace_path
from nobishiro.web.core.jobs import operation
from nobishiro.web.core.jobs.lists import JOBS
from nobishiro.web.core.jobs.queue import cancel_job, enqueue, retry_job
from nobishiro.web.core.jobs.selectors import (
    active_jobs,
    count_jobs,
    given_up_jobs,
    may_steer,
    may_watch,
    recent_runs,
)
from nobishiro.web.core.jobs.words import kind_words
from nobishiro.web.core.lists import list_page
from nobishiro.web.core.models import Job
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires

_RUNS_SHOWN: Final = 10
_ACTIVE_SHOWN: Final = 20
_ENDED_SHOWN: Final = 8


@requires(Permission.OPERATE)
@require_GET
def operation_page(request: SignedInRequest) -> HttpResponse:
    """How the house is."""
    now = timezone.now()
    counts, runs, backups = count_jobs(now), recent_runs(_RUNS_SHOWN), list_backups()
    ended = Job.objects.filter(state__in=(Job.State.DONE, Job.State.CANCELLED)).select_related("created_by")
    context = {
        "sentence": operation.sentence(counts, runs, backups),
        "counts": counts,
        "active": active_jobs()[:_ACTIVE_SHOWN],
        "given_up": given_up_jobs(now)[:_ACTIVE_SHOWN],
        "ended": ended.order_by("-ended_at")[:_ENDED_SHOWN],
        "runs": runs,
        "backups": backups,
        "schedule": operation.schedule(now),
        "disk": operation.disk_shares(),
        "workspace": workspace_path(),
    }
    return render(request, "core/operation.html", context)


@requires(Permission.OPERATE)
@require_GET
def all_jobs(request: SignedInRequest) -> HttpResponseBase:
    """Every job there was, until it is cleared away."""
    return list_page(request, JOBS, "core/jobs.html")


@requires(Permission.BE_HERE)
@require_GET
def job_page(request: SignedInRequest, pk: int) -> HttpResponse:
    """One job: for who started it, who may start such, and who runs the house."""
    job = _watched(request, pk)
    detail = json.dumps(job.result, ensure_ascii=False, indent=1) if job.result else ""
    return render(request, "core/job.html", {"job": job, "detail": detail, "may_steer": _may_stop(request, job)})


@requires(Permission.BE_HERE)
@require_GET
def job_progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """How far it is, for a page that asks every second; once it is over, the page is loaded anew."""
    job = _watched(request, pk)
    response = render(request, "core/job_progress.html", {"job": job})
    if job.is_over:
        response.headers["HX-Refresh"] = "true"
    return response


@requires(Permission.BE_HERE)
@require_POST
def stop_job(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take it out of the queue, or ask it to stop."""
    job = _watched(request, pk)
    if not _may_stop(request, job):
        raise Http404
    if cancel_job(job):
        record(request.user, "job.stop", f"job:{job.pk}", {"kind": job.kind}, request=request)
        messages.success(request, _("%(job)s is being stopped.") % {"job": kind_words(job.kind)})
    else:
        messages.info(request, _("It was over already."))
    return _back(request)


@requires(Permission.BE_HERE)
@require_POST
def retry_job_view(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let it begin again now."""
    job = _watched(request, pk)
    if not may_steer(request.user, job):
        raise Http404
    if retry_job(job):
        record(request.user, "job.retry", f"job:{job.pk}", {"kind": job.kind}, request=request)
        messages.success(request, _("%(job)s begins again.") % {"job": kind_words(job.kind)})
    else:
        messages.info(request, _("It is under way or done; there is nothing to try again."))
    return _back(request)


@requires(Permission.OPERATE)
@require_POST
def compute_anew(request: SignedInRequest) -> HttpResponse:
    """計算し直す."""
    job = enqueue("recompute", {}, by=request.user, unique_key="recompute")
    record(request.user, "run.ask", f"job:{job.pk}", request=request)
    return redirect("core:job", pk=job.pk)


@requires(Permission.OPERATE)
@require_GET
def run_page(request: SignedInRequest, run_id: str) -> HttpResponse:
    """What one run read, with which settings, and what it wrote."""
    newest = published()
    if newest is None:
        raise Http404
    try:
        run = newest.workspace.store.run(run_id)
    except CommitNotFound:
        raise Http404 from None
    sections = [
        (name, [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()])
        for name, values in json.loads(run.settings).items()
        if isinstance(values, dict)
    ]
    shown = next((row for row in recent_runs(1000) if row.run_id == run_id), None)
    context = {"run": run, "row": shown, "sections": sections, "tables": run.tables}
    return render(request, "core/run.html", context)


def _watched(request: SignedInRequest, pk: int) -> Job:
    job = get_object_or_404(Job.objects.select_related("created_by"), pk=pk)
    if not may_watch(request.user, job):
        raise Http404
    return job


def _may_stop(request: SignedInRequest, job: Job) -> bool:
    return may_steer(request.user, job) or job.created_by_id == request.user.pk


def _back(request: SignedInRequest) -> HttpResponse:
    return redirect("core:jobs") if request.user.may(Permission.OPERATE) else redirect("home")
