"""The list of all jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from nobishiro.web.core.jobs.failures import error_words
from nobishiro.web.core.jobs.words import STATES, kind_words, state_words
from nobishiro.web.core.lists import ChoiceFilter, Column, ListSpec, RangeFilter
from nobishiro.web.core.models import Job

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from nobishiro.web.people.models import User


def _all_jobs(user: User) -> QuerySet[Job]:
    return Job.objects.select_related("created_by").defer("payload", "result", "steps")


def _kinds(user: User) -> list[tuple[str, str]]:
    known = Job.objects.order_by("kind").values_list("kind", flat=True).distinct()
    return sorted(((kind, kind_words(kind)) for kind in known), key=lambda pair: pair[1])


def _seconds(job: Job) -> int | None:
    if job.started_at is None or job.ended_at is None:
        return None
    return max(0, round((job.ended_at - job.started_at).total_seconds()))


_CHOICES: Final[list[tuple[str, str | Promise]]] = [(str(state), label) for state, label in STATES.items()]

JOBS: Final[ListSpec[Job]] = ListSpec(
    name="jobs",
    base=_all_jobs,
    title=_("Jobs"),
    row_url=lambda job: reverse("core:job", args=[job.pk]),
    default_sort="-created",
    columns=(
        Column("kind", _("Job"), "kind", sort="kind", value=lambda job: kind_words(job.kind)),
        Column("state", _("State"), "state", sort="state", value=state_words),
        Column("by", _("Started by"), "created_by__name", value=lambda job: job.created_by.name if job.created_by else _("the schedule")),
        Column("created", _("Asked for"), "created_at", sort="created_at", kind="moment"),
        Column("started", _("Begun"), "started_at", sort="started_at", kind="moment", is_default=False),
        Column("ended", _("Ended"), "ended_at", sort="ended_at", kind="moment"),
        Column("seconds", _("Took"), value=_seconds, kind="number", unit=_("seconds")),
        Column("attempts", _("Attempts"), "attempts", sort="attempts", kind="number", is_default=False),
        Column("error", _("What went wrong"), "error", value=lambda job: error_words(job.error)),
    ),
    filters=(
        ChoiceFilter("state", _("State"), _CHOICES, field="state", is_main=True),
        ChoiceFilter("kind", _("Job"), _kinds, field="kind", is_main=True),
        RangeFilter("created", _("Asked for"), "created_at__date", is_days=True),
    ),
)  # fmt: skip
