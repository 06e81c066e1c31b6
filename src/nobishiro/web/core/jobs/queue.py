"""Put work into the queue."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from nobishiro.web.core.jobs.registry import KINDS
from nobishiro.web.core.models import Job


def enqueue(
    kind: str,
    payload: dict[str, object] | None = None,
    *,
    by: object = None,
    unique_key: str | None = None,
    run_after: datetime | None = None,
) -> Job:
    """A waiting job; with `unique_key`, the one already waiting or running under that key instead.

    Belongs to the surrounding transaction: when that is rolled back there is no job. Raises `KeyError` for an unknown kind.
    """
    declared = KINDS[kind]
    if unique_key is not None:
        waiting = Job.objects.filter(unique_key=unique_key).first()
        if waiting is not None:
            return waiting
    fields = {
        "kind": kind,
        "payload": payload or {},
        "unique_key": unique_key,
        "run_after": run_after or timezone.now(),
        "created_by_id": getattr(by, "pk", None),
        "max_attempts": declared.max_attempts,
    }
    try:
        with transaction.atomic():
            return Job.objects.create(**fields)
    except IntegrityError:
        return Job.objects.get(unique_key=unique_key)
