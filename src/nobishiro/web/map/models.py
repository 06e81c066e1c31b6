"""Lines people drew across the map, and sheets of tags on their way back in."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class MapThreshold(models.Model):
    """Where the map was cut from then on, why and by whom. Kept for ever; the newest counts. Written by `map.lines` alone."""

    potential = models.FloatField(null=True)
    """Yen a year; None lets the curve decide again, from the next run on."""
    track_record = models.FloatField(null=True)
    reason = models.CharField(max_length=500)
    before_potential = models.FloatField()
    before_track_record = models.FloatField()
    moved = models.PositiveIntegerField(default=0)
    """Customers whose quadrant changed by it."""
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    set_by_name = models.CharField(max_length=200, blank=True)
    set_at = models.DateTimeField()

    class Meta:
        """Newest first."""

        ordering = ["-set_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.potential} × {self.track_record}"


class TagSheet(models.Model):
    """A sheet of tags that came back from Excel: what it would change, until somebody says yes or no."""

    class State(models.TextChoices):
        """How it stands."""

        CHECKED = "checked"
        QUEUED = "queued"
        APPLIED = "applied"
        DROPPED = "dropped"

    file_name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State.choices, default=State.CHECKED)
    changes = models.JSONField(default=list)
    """Rows of [line, customer pk, tag, value before, value after]."""
    rejected = models.JSONField(default=list)
    """Rows of [line, customer as written, reason]."""
    unchanged = models.PositiveIntegerField(default=0)
    """Cells that say what is known already."""
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True)
    job = models.ForeignKey("core.Job", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        """Newest first."""

        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.file_name
