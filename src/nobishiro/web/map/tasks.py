"""Jobs of this room."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from nobishiro.web.core.jobs.registry import JobContext, job
from nobishiro.web.map.tag_sheets import apply_changes
from nobishiro.web.people.models import User


@job("map_tags", needs="record", label=_("Take in tags"))
def map_tags(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """Set the tags of a sheet that somebody said yes to."""
    by = User.objects.get(pk=int(str(payload["by"])))
    return {"changes": apply_changes(int(str(payload["sheet"])), by, context)}
