"""The worker: takes jobs one after the other in a few threads, keeps their leases, and runs the schedule."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.utils import timezone

from nobishiro.contracts.errors import SettingsError
from nobishiro.web.core.jobs import lease
from nobishiro.web.core.jobs.context import JobCancelled, JobReleased, JobTakenOver, RunningJob
from nobishiro.web.core.jobs.failures import UNKNOWN_KIND, describe_failure
from nobishiro.web.core.jobs.registry import find_kind
from nobishiro.web.core.jobs.schedule import tick
from nobishiro.web.core.models import Job

_LOGGER: Final = logging.getLogger("nobishiro.jobs")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How a worker behaves."""

    slots: int = 2
    """Jobs at once in this process: a long computation does not hold up a short errand."""
    lease_seconds: float = 30.0
    """How long a job stays with a worker that says nothing; a crashed one's jobs are taken over after that."""
    poll_seconds: float = 0.5
    retry_seconds: float = 10.0
    """Wait before the second attempt; doubled each time."""
    schedule_seconds: float = 15.0
    """How often the schedule is looked at; 0 leaves it to another worker."""
    grace_seconds: float = 20.0
    """How long running jobs may go on after the worker was told to stop; then they are handed back."""


@dataclass(slots=True)
class Worker:
    """One worker process. `run` returns when `stop` was called and what was running has ended or was handed back."""

    options: WorkerSettings = field(default_factory=WorkerSettings)
    clock: Callable[[], datetime] = timezone.now
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}")
    _held: dict[int, RunningJob] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Take no more jobs."""
        self._stopping.set()

    def run(self, is_orphan: Callable[[], bool] = lambda: False) -> None:
        """Work until told to stop, or until `is_orphan` says that the process that started this one is gone."""
        slots = [threading.Thread(target=self._slot, name=f"slot-{n}") for n in range(self.options.slots)]
        beat = threading.Thread(target=self._heartbeat, name="heartbeat", daemon=True)
        for thread in (*slots, beat):
            thread.daemon = True
            thread.start()
        _LOGGER.info("worker %s is ready", self.name)
        next_look = 0.0
        while not self._stopping.wait(0.2):
            if is_orphan():
                self.stop()
            if self.options.schedule_seconds and time.monotonic() >= next_look:
                next_look = time.monotonic() + self.options.schedule_seconds
                self._guarded(lambda: tick(self.clock(), _company_zone()))
        self._wind_up(slots)

    def work_off(self, most: int = 1000) -> int:
        """Do what is due now in this thread, without heartbeat, and return how many jobs that were."""
        done = 0
        while done < most:
            job = lease.claim_job(self.name, self.options.lease_seconds, self.clock())
            if job is None:
                break
            self._do(job)
            done += 1
        return done

    def _slot(self) -> None:
        while not self._stopping.is_set():
            job = self._guarded(lambda: lease.claim_job(self.name, self.options.lease_seconds, self.clock()))
            if job is None:
                self._stopping.wait(self.options.poll_seconds)
            else:
                self._do(job)
                close_old_connections()

    def _do(self, job: Job) -> None:
        running = RunningJob(job.pk, job.fence, self.options.lease_seconds)
        with self._guard:
            self._held[job.pk] = running
        try:
            ending = self._outcome_of(job, running)
            self._persist(ending, job)
        finally:
            with self._guard:
                self._held.pop(job.pk, None)

    def _outcome_of(self, job: Job, running: RunningJob) -> Callable[[], bool]:
        """Do the job; what is to be written down about how it ended."""
        kind = find_kind(job.kind)
        if kind is None:
            return lambda: lease.fail_job(
                running, UNKNOWN_KIND, may_help=False, retry_seconds=0, at=self.clock()
            )  # fmt: skip
        try:
            result = kind.run(running, job.payload)
        except JobTakenOver:
            _LOGGER.warning("job %s #%s was taken over by another worker", job.kind, job.pk)
            return lambda: True
        except JobCancelled:
            return lambda: lease.cancel_running(running, self.clock())
        except JobReleased:
            return lambda: lease.release_job(running, self.clock())
        except (Exception, SystemExit) as problem:
            said, may_help = describe_failure(problem, job.kind, job.pk)
            wait = self.options.retry_seconds
            return lambda: lease.fail_job(running, said, may_help=may_help, retry_seconds=wait, at=self.clock())
        return lambda: lease.finish_job(running, result, self.clock())

    def _persist(self, ending: Callable[[], bool], job: Job) -> None:
        """Write the ending down; where the database is away for a while, as long as the lease may still hold."""
        deadline = time.monotonic() + self.options.lease_seconds
        while True:
            try:
                ending()
                return
            except DatabaseError as error:
                if connection.in_atomic_block or time.monotonic() >= deadline:
                    _LOGGER.error(
                        "job %s #%s: its end could not be written (%s)", job.kind, job.pk, type(error).__name__
                    )
                    return
                _drop_connection()
                time.sleep(1.0)

    def _heartbeat(self) -> None:
        beat = min(1.0, self.options.lease_seconds / 3)
        last = time.monotonic()
        while not self._over.wait(beat):
            with self._guard:
                held = list(self._held.values())
            is_due = time.monotonic() - last >= self.options.lease_seconds / 3
            if is_due or any(not running.is_told for running in held):
                self._guarded(lambda held=held: lease.extend_leases(held, self.clock()))  # type: ignore[misc]
                last = time.monotonic()
            elif held:
                self._guarded(lambda held=held: _look_for_cancelled(held))  # type: ignore[misc]

    def _wind_up(self, slots: list[threading.Thread]) -> None:
        deadline = time.monotonic() + self.options.grace_seconds
        for thread in slots:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._guard:
            left = list(self._held.values())
        for running in left:
            running.release()
        for thread in slots:
            thread.join(2.0 if left else 0.1)
        self._over.set()
        with self._guard:
            left = list(self._held.values())
        for running in left:  # did not ask in time: handed back over its head, and its fence keeps it from counting
            self._guarded(lambda running=running: lease.release_job(running, self.clock()))  # type: ignore[misc]

    def _guarded(self, step: Callable[[], _T]) -> _T | None:
        """One step with the database; a database that is away is waited for, not died of."""
        try:
            close_old_connections()
            return step()
        except DatabaseError as error:
            _LOGGER.warning("worker %s: the database does not answer (%s)", self.name, type(error).__name__)
            _drop_connection()
            self._stopping.wait(1.0)
            return None


def work_off(most: int = 1000) -> int:
    """Do every job that is due, here and now: for tests and for commands that wait for what they asked for."""
    return Worker().work_off(most)


def options_of(environment: Mapping[str, str]) -> WorkerSettings:
    """How the environment wants the worker: NOBISHIRO_JOB_SLOTS, NOBISHIRO_LEASE_SECONDS; else the defaults."""
    defaults = WorkerSettings()
    try:
        slots = int(environment.get("NOBISHIRO_JOB_SLOTS", defaults.slots))
        lease_seconds = float(environment.get("NOBISHIRO_LEASE_SECONDS", defaults.lease_seconds))
    except ValueError as error:
        raise SettingsError(f"NOBISHIRO_JOB_SLOTS, NOBISHIRO_LEASE_SECONDS: {error}; give numbers") from None
    if slots < 1 or lease_seconds < 0.3:
        raise SettingsError("NOBISHIRO_JOB_SLOTS must be 1 or more, NOBISHIRO_LEASE_SECONDS 0.3 or more")
    return replace(defaults, slots=slots, lease_seconds=lease_seconds)


def run_worker(options: WorkerSettings | None = None, *, is_supervised: bool = False) -> None:
    """Be a worker until SIGTERM or SIGINT. Supervised, it also ends when the process that started it is gone."""
    worker = Worker(options or WorkerSettings())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    parent = os.getppid()
    worker.run(lambda: is_supervised and os.getppid() != parent)
    logging.shutdown()
    os._exit(0)  # a job that does not end may still be at work in its thread; its fence is gone


def _look_for_cancelled(held: list[RunningJob]) -> None:
    asked = Job.objects.filter(pk__in=[running.job_id for running in held], cancel_asked=True)
    cancelled = set(asked.values_list("pk", "fence"))
    for running in held:
        if (running.job_id, running.fence) in cancelled:
            running.cancel()


def _drop_connection() -> None:
    with suppress(Exception):
        connection.close()


def _company_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)
