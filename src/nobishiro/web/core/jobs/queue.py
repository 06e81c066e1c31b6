"""Put work into the queue, take it out again, try it once more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from nobishiro.web.core.jobs.registry import KINDS
from nobishiro.web.core.models import Job

_State = Job.State
_TRIES: Final = 10


def enqueue(
    kind: str,
    payload: dict[str, object] | None = None,
    *,
    by: object = None,
    unique_key: str | None = None,
    run_after: datetime | None = None,
) -> Job:
    """A waiting job; with `unique_key`, the one already waiting or running under that key instead.

    A kind that `repeats` is done once more after the running one, which may have begun before what is new was there.

    Belongs to the surrounding transaction: when that is rolled back there is no job. Raises `KeyError` for an unknown kind.
    """
    declared = KINDS[kind]
    fields = {
        "kind": kind,
        "payload": payload or {},
        "unique_key": unique_key,
        "run_after": run_after or timezone.now(),
        "created_by_id": getattr(by, "pk", None),
        "max_attempts": declared.max_attempts,
    }
    if unique_key is None:
        return Job.objects.create(**fields)
    for _ in range(_TRIES):
        waiting = Job.objects.filter(unique_key=unique_key).first()
        if waiting is not None and _joins(waiting, repeats=declared.repeats):
            return waiting
        if waiting is not None:
            continue  # it ended just now
        try:
            with transaction.atomic():
                return Job.objects.create(**fields)
        except IntegrityError:
            continue  # somebody else was faster; theirs is there now, unless it has ended and given the key back
    raise RuntimeError(f"{unique_key}: jobs under this key come and go too fast to join one")


def _joins(waiting: Job, *, repeats: bool) -> bool:
    """Whether the job under the key stands for what is asked now; one that runs is told to be done once more."""
    if not repeats or waiting.state != _State.RUNNING:
        return True
    return bool(Job.objects.filter(pk=waiting.pk, state=_State.RUNNING).update(again=True))


def cancel_job(job: Job) -> bool:
    """Take a waiting job out, ask a running one to stop; False when it is over already."""
    waiting = Job.objects.filter(pk=job.pk, state__in=(_State.QUEUED, _State.FAILED))
    if waiting.update(state=_State.CANCELLED, ended_at=timezone.now(), unique_key=None):
        return True
    return bool(Job.objects.filter(pk=job.pk, state=_State.RUNNING).update(cancel_asked=True))


def retry_job(job: Job) -> bool:
    """Let a job that ended without success, or waits to be tried again, begin now; False for any other.

    Steps that counted and are done stay done.
    """
    again = Job.objects.filter(pk=job.pk, state__in=(_State.DEAD, _State.CANCELLED, _State.FAILED))
    return bool(again.update(state=_State.QUEUED, run_after=timezone.now(), attempts=0, error="", ended_at=None))
