"""What people call jobs, their steps and their states."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from nobishiro.web.core.jobs.registry import find_kind
from nobishiro.web.core.models import Job

_NAMES: Final[dict[str, str | Promise]] = {
    "recompute": pgettext_lazy("job", "Compute the figures"),
    "morning_mail": pgettext_lazy("job", "Morning mail"),
    "tune": pgettext_lazy("job", "Choose how to recommend"),
}
"""Kinds whose room gave no label."""
STATES: Final[dict[str, str | Promise]] = {
    Job.State.QUEUED: _("waiting"),
    Job.State.RUNNING: _("under way"),
    Job.State.DONE: _("done"),
    Job.State.FAILED: _("failed, will be tried again"),
    Job.State.DEAD: _("given up"),
    Job.State.CANCELLED: _("stopped"),
}
_STEPS: Final[dict[str, str | Promise]] = {
    "read": _("reading the file"),
    "clean": _("tidying up the rows"),
    "write": _("saving"),
    "lines": _("sorting out the order lines"),
    "families": _("looking at the product families"),
    "features": _("summing up the customers"),
    "potential": _("estimating the room to grow"),
    "map": _("drawing the customer map"),
    "gaps": _("looking for what was not proposed yet"),
    "pairs": _("counting what sells together"),
    "recommend": _("choosing the offers"),
    "plan": _("making the plan"),
    "publish": _("making it visible"),
    "backtest": _("trying it on the past"),
    "match": _("looking for the same customer twice"),
    "people": _("adding what people entered"),
    "projection": _("bringing the lists up to date"),
    "database": _("copying what people entered"),
    "store": _("copying the tables"),
    "pack": _("packing"),
    "vacuum": _("clearing away what is old"),
}


def kind_words(kind: str) -> str:
    """What people call a kind of job; its own name when nobody said."""
    declared = find_kind(kind)
    label = (declared.label if declared is not None else "") or _NAMES.get(kind, kind)
    return str(label)


def state_words(job: Job) -> str:
    """Where the job stands; a running one that was asked to stop says so."""
    if job.state == Job.State.RUNNING and job.cancel_asked:
        return gettext("stopping")
    return str(STATES[job.state])


def step_words(job: Job) -> str:
    """What a running job is doing; "" when it has not said."""
    return str(_STEPS.get(job.progress_what, job.progress_what))
