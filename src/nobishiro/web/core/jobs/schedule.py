"""What comes due by the company's clock: each time once, however many schedulers run and whatever the clock does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from django.db import IntegrityError, transaction

from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.core.jobs.registry import find_kind
from nobishiro.web.core.models import Job, Tick


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job that is put into the queue every day at `at`."""

    name: str
    kind: str
    at: time
    catch_up: timedelta
    """How much later it is still worth doing when nobody was there in time; past that the day is left out."""


SCHEDULES: Final = (
    Schedule("recompute", "recompute", time(3, 0), timedelta(hours=20)),
    Schedule("vacuum", "vacuum", time(4, 30), timedelta(hours=20)),
    Schedule("morning_mail", "morning_mail", time(8, 0), timedelta(hours=2)),
)
"""In the order of the night. A kind no room has declared is passed over."""


def tick(at: datetime, zone: tzinfo, schedules: Sequence[Schedule] = SCHEDULES) -> list[Job]:
    """Put into the queue what has come due by `at` and was not yet; the jobs made.

    The row of `Tick` and the job are one transaction, and the row is unique: a second scheduler, a second call or a clock
    that went back and comes again finds it. Only the latest due time of a schedule counts; a schedule seen for the first
    time begins with its next one.
    """
    made = []
    for schedule in schedules:
        if find_kind(schedule.kind) is not None:
            job = _tick_one(schedule, at, zone)
            if job is not None:
                made.append(job)
    return made


def next_due(schedule: Schedule, at: datetime, zone: tzinfo) -> datetime:
    """When it comes due next after `at`."""
    due = latest_due(schedule, at, zone).astimezone(zone)
    return datetime.combine(due.date() + timedelta(days=1), schedule.at, zone).astimezone(UTC)


def latest_due(schedule: Schedule, at: datetime, zone: tzinfo) -> datetime:
    """The last time it came due, `at` included."""
    local = at.astimezone(zone)
    due = datetime.combine(local.date(), schedule.at, zone)
    if due > local:
        due = datetime.combine(local.date() - timedelta(days=1), schedule.at, zone)
    return due.astimezone(UTC)


def _tick_one(schedule: Schedule, at: datetime, zone: tzinfo) -> Job | None:
    due = latest_due(schedule, at, zone)
    if Tick.objects.filter(schedule=schedule.name, due__gte=due).exists():
        return None
    is_first = not Tick.objects.filter(schedule=schedule.name).exists()
    is_late = at - due > schedule.catch_up
    try:
        with transaction.atomic():
            written = Tick.objects.create(schedule=schedule.name, due=due)
            if is_first or is_late:
                return None
            written.job = enqueue(schedule.kind, unique_key=schedule.kind)
            written.save(update_fields=["job"])
            return written.job
    except IntegrityError:
        return None  # another scheduler was faster
