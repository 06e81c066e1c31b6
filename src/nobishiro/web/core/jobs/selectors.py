"""Jobs as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from nobishiro.web.core.company import published
from nobishiro.web.core.jobs.registry import find_kind
from nobishiro.web.core.models import Job
from nobishiro.web.core.permissions import Permission

if TYPE_CHECKING:
    from nobishiro.web.people.models import User

_State = Job.State
ACTIVE = (_State.RUNNING, _State.QUEUED, _State.FAILED)
_RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class JobCounts:
    """How many there are: of those over, the last seven days'."""

    running: int
    waiting: int
    failed: int
    """Will be tried again."""
    dead: int
    done: int


def count_jobs(at: datetime) -> JobCounts:
    """How things stand."""
    lately = Q(ended_at__gte=at - _RECENT)
    counted = Job.objects.aggregate(
        running=Count("pk", filter=Q(state=_State.RUNNING)),
        waiting=Count("pk", filter=Q(state=_State.QUEUED)),
        failed=Count("pk", filter=Q(state=_State.FAILED)),
        dead=Count("pk", filter=Q(state=_State.DEAD) & lately),
        done=Count("pk", filter=Q(state=_State.DONE) & lately),
    )
    return JobCounts(**counted)


def active_jobs() -> QuerySet[Job]:
    """Under way, waiting, or to be tried again: those under way first."""
    return Job.objects.filter(state__in=ACTIVE).select_related("created_by").order_by("-started_at", "run_after", "pk")


def given_up_jobs(at: datetime) -> QuerySet[Job]:
    """Given up in the last seven days, the newest first."""
    dead = Job.objects.filter(state=_State.DEAD, ended_at__gte=at - _RECENT)
    return dead.select_related("created_by").order_by("-ended_at")


def may_watch(user: User, job: Job) -> bool:
    """Whether this person may see how far the job is: who started it, who may start such, who runs the house."""
    kind = find_kind(job.kind)
    is_theirs = job.created_by_id is not None and job.created_by_id == user.pk
    return is_theirs or user.may(Permission.OPERATE) or (kind is not None and user.may(Permission(kind.needs)))


def may_steer(user: User, job: Job) -> bool:
    """Whether this person may stop it or let it be tried again."""
    kind = find_kind(job.kind)
    return user.may(Permission.OPERATE) or (kind is not None and user.may(Permission(kind.needs)))


@dataclass(frozen=True, slots=True)
class RunRow:
    """A published run."""

    run_id: str
    as_of: date
    made_at: datetime | None
    version: str
    commit: int
    rows: int
    seconds: int | None
    """How long its computation took; None when a command made it, or its job was cleared away."""
    settings: str
    is_shown: bool
    """Whether the pages show this one."""


def recent_runs(most: int) -> list[RunRow]:
    """The newest runs, the newest first; empty before the first."""
    newest = published()
    if newest is None:
        return []
    took: dict[str, int] = {}
    jobs = (
        Job.objects.filter(kind="recompute", state=_State.DONE)
        .order_by("-pk")
        .values("result", "started_at", "ended_at")
    )
    for job in jobs[: most * 2]:
        run_id = job["result"].get("run_id") if isinstance(job["result"], dict) else None
        if run_id and job["started_at"] and job["ended_at"]:
            took.setdefault(str(run_id), round((job["ended_at"] - job["started_at"]).total_seconds()))
    runs = newest.workspace.store.runs()[-most:][::-1]
    return [
        RunRow(
            run_id=run.run_id,
            as_of=run.as_of,
            made_at=_aware(run.at),
            version=run.version,
            commit=run.commit,
            rows=sum(table.rows for table in run.tables),
            seconds=took.get(run.run_id),
            settings=run.settings,
            is_shown=run.run_id == newest.run_id,
        )
        for run in runs
    ]


def _aware(at: datetime | None) -> datetime | None:
    """The store keeps the workspace's own clock without a zone."""
    return timezone.make_aware(at) if at is not None and timezone.is_naive(at) else at
