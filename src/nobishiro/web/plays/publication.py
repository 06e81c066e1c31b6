"""When a run is published: how far the targets have come."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from nobishiro.pipelines.published import PublishedRun
from nobishiro.pipelines.target_progress import target_progress
from nobishiro.web.plays.models import TargetStanding


def keep_targets(run: PublishedRun, *, at: datetime) -> int:
    """Write the standing of every target of the run's day; how many. Running it twice leaves the same rows."""
    found = target_progress(run)
    rows = [
        TargetStanding(
            run_id=run.run_id, as_of=run.as_of, scope=one.scope, scope_id=one.scope_id, measure=one.measure,
            period_start=one.period_start, period_end=one.period_end, amount=one.amount, booked=one.booked,
            last_year_same=one.last_year_same, on_course=one.on_course, expected=one.expected, expected_low=one.low,
            expected_high=one.high,
        )
        for one in found
    ]  # fmt: skip
    with transaction.atomic():
        TargetStanding.objects.all().delete()
        TargetStanding.objects.bulk_create(rows)
    return len(rows)
