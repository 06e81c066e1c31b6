"""What the manager confirmed, and how far the targets had come when the run was published."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from nobishiro.web.people.models import Division


class WeekConfirmation(models.Model):
    """A manager has looked at a week's processes. One a week and division; without a division, for the company."""

    week = models.DateField()
    """The week's Monday."""
    division = models.ForeignKey(Division, null=True, on_delete=models.CASCADE, related_name="+")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    confirmed_at = models.DateTimeField()
    note = models.TextField(blank=True)
    figures = models.JSONField(default=dict)
    """Done, late and open of each process as they were then."""

    class Meta:
        """Newest week first."""

        ordering = ["-week", "-confirmed_at"]
        constraints = [
            models.UniqueConstraint(fields=["week", "division"], name="one_confirmation", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.week:%Y-%m-%d}"


class TargetStanding(models.Model):
    """How far one target had come at the newest run. Projection, written when a run is published."""

    run_id = models.CharField(max_length=100)
    as_of = models.DateField()
    scope = models.CharField(max_length=10)
    scope_id = models.CharField(max_length=200)
    measure = models.CharField(max_length=20)
    period_start = models.DateField()
    period_end = models.DateField()
    amount = models.FloatField()
    booked = models.FloatField(null=True)
    last_year_same = models.FloatField(null=True)
    on_course = models.FloatField(null=True)
    expected = models.FloatField()
    expected_low = models.FloatField()
    expected_high = models.FloatField()

    class Meta:
        """As the pages list them."""

        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.scope} {self.scope_id}"

    @property
    def gap(self) -> float | None:
        """Yen still missing with what comes by itself; None when that is not known, negative when it is enough."""
        return None if self.on_course is None else self.amount - self.on_course

    @property
    def still_open(self) -> float | None:
        """What is missing when the plan comes in as expected."""
        return None if self.gap is None else self.gap - self.expected
