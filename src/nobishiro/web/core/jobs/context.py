"""What a running job holds: its claim, its progress, and the transaction in which what it does counts once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from nobishiro.web.core.jobs.registry import JobContext
from nobishiro.web.core.models import Job


class JobTakenOver(Exception):
    """Another worker has claimed the job since; nothing this one does may count any more."""


class JobCancelled(Exception):
    """A person asked for it to stop."""


class JobReleased(Exception):
    """This worker is stopping; another one will do the job from the beginning."""


@dataclass(slots=True)
class RunningJob:
    """One claim. The job's thread says how far it is; the worker's heartbeat writes that down and keeps the lease."""

    job_id: int
    fence: int
    lease_seconds: float
    what: str = ""
    done: int = 0
    total: int = 0
    is_told: bool = True
    """Whether the progress stands in the database already."""
    _lost: threading.Event = field(default_factory=threading.Event)
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    def progress(self, what: str, done: int, total: int) -> None:
        """Say how far it is. Raises `JobTakenOver`, `JobCancelled` or `JobReleased` as soon as the heartbeat knows."""
        self._look()
        if (what, done, total) != (self.what, self.done, self.total):
            self.what, self.done, self.total, self.is_told = what[:200], done, total, False

    def check(self) -> None:
        """Ask the database itself whether this claim still holds; raises as `progress` does."""
        self._look()
        row = Job.objects.filter(pk=self.job_id).values("fence", "state", "cancel_asked").first()
        if row is None or row["fence"] != self.fence or row["state"] != Job.State.RUNNING:
            self.lose()
        elif row["cancel_asked"]:
            self.cancel()
        self._look()

    def lose(self) -> None:
        """Somebody else has it."""
        self._lost.set()

    def cancel(self) -> None:
        """A person asked for it to stop."""
        self._cancelled.set()

    def release(self) -> None:
        """The worker is stopping."""
        self._released.set()

    def _look(self) -> None:
        if self._lost.is_set():
            raise JobTakenOver(f"job {self.job_id}")
        if self._cancelled.is_set():
            raise JobCancelled(f"job {self.job_id}")
        if self._released.is_set():
            raise JobReleased(f"job {self.job_id}")


@contextmanager
def fenced_transaction(context: JobContext, step: str = "") -> Iterator[bool]:
    """A transaction that is committed only by the worker that holds the job; True unless `step` was done already.

    Whatever counts (rows written, a mail put into its outbox) belongs into one, because a job may be begun twice: after a
    crash, or when a worker slept so long that another took its job. The claim is asked for inside the transaction and the
    job's row stays locked until it ends, so that nobody takes the job meanwhile. A name given as `step` is written down in
    the same transaction; when a later attempt comes to a step that is done, it gets False and leaves it out:

        with fenced_transaction(context, "book") as is_new:
            if is_new:
                ...

    Raises `JobTakenOver` or `JobCancelled`; then nothing of the block was committed.
    """
    with transaction.atomic():
        held = Job.objects.select_for_update().filter(
            pk=context.job_id, fence=context.fence, state=Job.State.RUNNING
        )  # fmt: skip
        row = held.values("cancel_asked", "steps").first()
        if row is None:
            raise JobTakenOver(f"job {context.job_id}")
        if row["cancel_asked"]:
            raise JobCancelled(f"job {context.job_id}")
        is_new = not step or step not in row["steps"]
        yield is_new
        fields: dict[str, object] = {}
        if step and is_new:
            fields["steps"] = [*row["steps"], step]
        if isinstance(context, RunningJob):
            # the row was locked all along: without this, whoever waited for it would find a lease that lapsed meanwhile
            fields["lease_until"] = timezone.now() + timedelta(seconds=context.lease_seconds)
        if fields:
            Job.objects.filter(pk=context.job_id, fence=context.fence).update(**fields)
