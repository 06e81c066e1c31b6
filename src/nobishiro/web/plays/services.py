"""The manager confirms a week."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from nobishiro.web.core.audit import record
from nobishiro.web.people.models import Division, User
from nobishiro.web.plays.models import WeekConfirmation
from nobishiro.web.plays.weeks import Week


@transaction.atomic
def confirm_week(
    *, by: User, week: Week, division: Division | None, note: str, figures: dict[str, dict[str, int]]
) -> WeekConfirmation:
    """Keep that `by` looked at the week, with the figures as they are now; confirming again brings it up to date."""
    confirmed, _ = WeekConfirmation.objects.update_or_create(
        week=week.monday,
        division=division,
        defaults={"confirmed_by": by, "confirmed_at": timezone.now(), "note": note, "figures": figures},
    )
    record(
        by, "week.confirm", f"week:{week.monday}", {"division": division.code if division else "", "figures": figures}
    )
    return confirmed
