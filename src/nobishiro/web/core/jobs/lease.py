"""Who works on a job: claimed by a conditional update, held by a lease, told apart by a fence number.

Every step is one UPDATE that names the fence it expects, so that of two workers one succeeds and the other learns it.
PostgreSQL passes rows by that another holds; SQLite takes writers one by one anyway.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from nobishiro.web.core.jobs.context import RunningJob
from nobishiro.web.core.jobs.failures import WORKER_DIED
from nobishiro.web.core.models import Job

_State = Job.State
_LONGEST_BACK_OFF = timedelta(minutes=30)


def claim_job(worker: str, lease_seconds: float, at: datetime) -> Job | None:
    """The next job that is due, held by `worker` from now on; None when there is none. Counts as an attempt."""
    bury_lapsed(lease_seconds, at)
    due = _due(lease_seconds, at)
    if not due.exists():  # asked without a lock: most of the time there is nothing
        return None
    with transaction.atomic():
        job = due.select_for_update(skip_locked=True).order_by("run_after", "pk").first()
        if job is None:
            return None
        fields = {
            "state": _State.RUNNING,
            "fence": job.fence + 1,
            "attempts": job.attempts + 1,
            "worker": worker[:100],
            "lease_until": at + timedelta(seconds=lease_seconds),
            "started_at": at,
            "ended_at": None,
            "cancel_asked": False,
            "progress_what": "",
            "progress_done": 0,
            "progress_total": 0,
        }
        if not Job.objects.filter(pk=job.pk, fence=job.fence, state=job.state).update(**fields):
            return None
    for name, value in fields.items():
        setattr(job, name, value)
    return job


def bury_lapsed(lease_seconds: float, at: datetime) -> int:
    """Give up jobs whose worker died for the last time they may be tried; those being cancelled are cancelled."""
    lapsed = Job.objects.filter(_lapsed(lease_seconds, at))
    hopeless = lapsed.filter(Q(attempts__gte=F("max_attempts")) | Q(cancel_asked=True))
    if not hopeless.exists():
        return 0
    buried = 0
    for job in hopeless:
        state, error = (_State.CANCELLED, "") if job.cancel_asked else (_State.DEAD, WORKER_DIED)
        dead = RunningJob(job.pk, job.fence, lease_seconds)
        buried += _end(dead, at, unless_until=job.lease_until, state=state, error=error, unique_key=None)
    return buried


def extend_leases(held: Iterable[RunningJob], at: datetime) -> None:
    """Keep what this worker holds, write its progress down, and tell the jobs that were cancelled or taken over."""
    by_id = {running.job_id: running for running in held}
    if not by_id:
        return
    with transaction.atomic():
        rows = Job.objects.select_for_update(skip_locked=True).filter(pk__in=by_id)
        found = {row.pk: row for row in rows.only("fence", "state", "cancel_asked")}
        for job_id, row in found.items():
            running = by_id[job_id]
            if row.fence != running.fence or row.state != _State.RUNNING:
                running.lose()
                continue
            if row.cancel_asked:
                running.cancel()
            told = {"progress_what": running.what, "progress_done": running.done, "progress_total": running.total}
            running.is_told = True
            until = at + timedelta(seconds=running.lease_seconds)
            Job.objects.filter(pk=job_id, fence=running.fence).update(lease_until=until, **told)
    # A row passed by is locked by the job's own transaction, and then nobody can take it; a deleted one is lost.
    missing = by_id.keys() - found.keys()
    if missing:
        there = set(Job.objects.filter(pk__in=missing).values_list("pk", flat=True))
        for job_id in missing - there:
            by_id[job_id].lose()


def finish_job(running: RunningJob, result: dict[str, object] | None, at: datetime) -> bool:
    """The job is done; False when it was not this worker's any more."""
    plain = json.loads(json.dumps(result or {}, default=str))
    return _end(
        running, at, state=_State.DONE, result=plain, error="", unique_key=None,
        progress_what=running.what, progress_done=running.done, progress_total=running.total,
    )  # fmt: skip


def cancel_running(running: RunningJob, at: datetime) -> bool:
    """The job stopped because somebody asked."""
    return _end(running, at, state=_State.CANCELLED, unique_key=None)


def fail_job(running: RunningJob, error: str, *, may_help: bool, retry_seconds: float, at: datetime) -> bool:
    """Try again later, each time after twice as long; give up after the last attempt or when it cannot help."""
    job = Job.objects.filter(pk=running.job_id).values("attempts", "max_attempts").first()
    if job is None:
        return False
    if not may_help or job["attempts"] >= job["max_attempts"]:
        return _end(running, at, state=_State.DEAD, error=error, unique_key=None)
    wait = min(timedelta(seconds=retry_seconds * 2 ** (job["attempts"] - 1)), _LONGEST_BACK_OFF)
    return _end(running, at, state=_State.FAILED, error=error, run_after=at + wait)


def release_job(running: RunningJob, at: datetime) -> bool:
    """Hand the job back unfinished, because this worker stops; the attempt does not count."""
    return _end(running, at, state=_State.QUEUED, run_after=at, started_at=None, attempts=F("attempts") - 1)


def _end(running: RunningJob, at: datetime, unless_until: datetime | None = None, **fields: object) -> bool:
    """Write an ending down, and put the job's repetition into the queue, in one transaction; False when it was lost.

    With `unless_until` the lease must still be the lapsed one that was seen.
    """
    mine = Job.objects.filter(pk=running.job_id, fence=running.fence, state=_State.RUNNING)
    if unless_until is not None:
        mine = mine.filter(lease_until=unless_until)
    ended: dict[str, object] = {"ended_at": at, "lease_until": None, "cancel_asked": False, "fence": running.fence + 1}
    if fields["state"] == _State.QUEUED:
        ended["ended_at"] = None
    with transaction.atomic():
        job = mine.select_for_update().first()
        if job is None:
            return False
        if "unique_key" in fields and job.again:
            ended["again"] = False
        mine.update(**ended, **fields)
        if "unique_key" in fields and job.again:
            Job.objects.create(
                kind=job.kind, payload=job.payload, unique_key=job.unique_key, run_after=at,
                created_by_id=job.created_by_id, max_attempts=job.max_attempts,
            )  # fmt: skip
        return True


def _due(lease_seconds: float, at: datetime) -> QuerySet[Job]:
    waiting = Q(state__in=(_State.QUEUED, _State.FAILED), run_after__lte=at)
    return Job.objects.filter(waiting | _lapsed(lease_seconds, at))


def _lapsed(lease_seconds: float, at: datetime) -> Q:
    # A lease that ends far in the future was written by a clock that has been put back since; nobody keeps it.
    beyond = at + timedelta(seconds=max(lease_seconds, 60.0) * 2)
    return Q(state=_State.RUNNING) & (Q(lease_until__lt=at) | Q(lease_until__gt=beyond) | Q(lease_until=None))
