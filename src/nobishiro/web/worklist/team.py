"""Everybody's list at a glance, for who leads the team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import pgettext

from nobishiro.web.customers.models import Action, Touch


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One rep."""

    code: str
    name: str
    division: str
    due: int
    """To be seen until Sunday."""
    late: int
    ended: int
    """Ended this week."""
    touches: int
    """Contacts entered today."""


def team_today(*, at: datetime) -> list[TeamRow]:
    """Every rep with something to do or done this week, the latest first."""
    on = timezone.localdate(at)
    monday = on - timedelta(days=on.weekday())
    sunday = monday + timedelta(days=6)
    counted = (
        Action.objects.filter(customer__is_listed=True)
        .exclude(state=Action.State.DROPPED)
        .values("rep", "rep__code", "rep__name", "rep__division__name")
        .annotate(
            soon=Count("customer", distinct=True, filter=Q(state="open") & (Q(due__lte=sunday) | Q(due=None))),
            past=Count("customer", distinct=True, filter=Q(state="open", due__lt=on)),
            ended=Count("pk", filter=Q(state="done", ended_at__date__gte=monday)),
        )
        .order_by("-past", "-soon", "rep__code")
    )
    touched = dict(
        Touch.objects.filter(withdrawn_at=None, happened_at__date=on)
        .values_list("rep")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [
        TeamRow(
            code=row["rep__code"] or "-", name=row["rep__name"] or pgettext("worklist", "Nobody's customers"),
            division=row["rep__division__name"] or "", due=row["soon"], late=row["past"], ended=row["ended"],
            touches=touched.get(row["rep"], 0),
        )
        for row in counted
        if row["soon"] or row["past"] or row["ended"]
    ]  # fmt: skip
