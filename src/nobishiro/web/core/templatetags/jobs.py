"""Jobs in words: `{% load jobs %}`, then `{{ job|job_name }}`, `job_state`, `job_step`, `job_error`, `job_percent`, `job_seconds`."""

from __future__ import annotations

from django import template

from nobishiro.web.core.jobs.failures import error_words
from nobishiro.web.core.jobs.words import kind_words, state_words, step_words
from nobishiro.web.core.models import Job

register = template.Library()


@register.filter
def job_name(job: Job) -> str:
    """What people call it."""
    return kind_words(job.kind)


@register.filter
def job_state(job: Job) -> str:
    """Where it stands."""
    return state_words(job)


@register.filter
def job_step(job: Job) -> str:
    """What it is doing."""
    return step_words(job)


@register.filter
def job_error(job: Job) -> str:
    """Why it failed, and what to do."""
    return error_words(job.error)


@register.filter
def job_percent(job: Job) -> int | None:
    """How far it is in whole percents; None when it has not said of how much."""
    if job.progress_total <= 0:
        return None
    return max(0, min(100, job.progress_done * 100 // job.progress_total))


@register.filter
def job_seconds(job: Job) -> int | None:
    """How long it took; None while it has not ended or was never begun."""
    if job.started_at is None or job.ended_at is None:
        return None
    return max(0, round((job.ended_at - job.started_at).total_seconds()))
