"""Jobs of this room: the figures computed anew, and the lists brought in step with them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from django.utils import timezone

from nobishiro.pipelines.masters import last_order_day
from nobishiro.pipelines.recompute import recompute_at
from nobishiro.web.core.company import published, workspace_path
from nobishiro.web.core.jobs.registry import JobContext, job
from nobishiro.web.customers.imported_words import project_words
from nobishiro.web.customers.people_source import DatabasePeople
from nobishiro.web.customers.projection import project
from nobishiro.web.customers.publication import tell_publication

_CLOSED_BOOKS: Final = timedelta(days=92)
"""Data whose last order is older than this are looked at as of their own end: a demo, an archive."""


@job("recompute", needs="operate", repeats=True)
def recompute_job(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """What people entered into the store, every result anew, the lists, then whoever waits for a new run.

    `as_of` (ISO day, exclusive) may be given. Run twice it makes a second run with the same figures, and the newest is shown.
    """
    at, path = timezone.now(), workspace_path()
    project_words(path)  # before people's rows replace imported ones of the same key in the store
    said = str(payload.get("as_of") or "")
    as_of = date.fromisoformat(said) if said else day_to_look_from(path, at)
    context.check()
    run_id, rows = recompute_at(path, as_of, at, context.progress, DatabasePeople())
    context.check()
    report = _show(context, path, at)
    return {"run_id": run_id, "customers": report["customers"], "rows": sum(rows.values())}


@job("project", needs="import", repeats=True)
def project_job(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """The lists brought in step with the newest commit and run."""
    return _show(context, workspace_path(), timezone.now())


def day_to_look_from(path: Path, at: datetime) -> date | None:
    """Today, so that contacts and taps count though no order came since; None (the data's own end) for old data."""
    last, today = last_order_day(path), timezone.localdate(at)
    return today if last is not None and today - last <= _CLOSED_BOOKS else None


def _show(context: JobContext, path: Path, at: datetime) -> dict[str, object]:
    report = project(path, at=at, progress=context.progress)
    run = published()
    if run is not None:
        context.check()
        tell_publication(run, at=at)
    return {
        "run_id": report.run_id, "customers": report.customers, "unlisted": report.unlisted, "words": report.words,
    }  # fmt: skip
