"""Work of this room behind the pages."""

from __future__ import annotations

from dataclasses import asdict

from django.utils import timezone
from django.utils.translation import pgettext_lazy

from nobishiro.web.core.jobs.registry import JobContext, job
from nobishiro.web.worklist.morning import send_morning_mails


@job("morning_mail", max_attempts=5, label=pgettext_lazy("worklist", "Morning mail"))
def morning_mail(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """Mail today's lists; safe to run twice."""
    return asdict(send_morning_mails(at=timezone.now(), job=context))
