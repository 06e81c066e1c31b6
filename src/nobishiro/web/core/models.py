"""Jobs, the audit trail, saved lists: what every room uses."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Job(models.Model):
    """One piece of work behind the pages, held by a lease while a worker is at it."""

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        """Failed and will be tried again; `run_after` says when."""
        DEAD = "dead"
        """Gave up after `max_attempts`, or an error that trying again cannot mend."""
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=60)
    payload = models.JSONField(default=dict)
    unique_key = models.CharField(max_length=200, null=True, unique=True, default=None)
    """At most one job with this key waits or runs; cleared when it ends."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    run_after = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveBigIntegerField(default=0)
    """Grows with every claim; a worker whose number is no longer this one has lost the job."""
    worker = models.CharField(max_length=100, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)
    cancel_asked = models.BooleanField(default=False)
    again = models.BooleanField(default=False)
    """Asked for once more while it ran: another one under its key is made when it ends (kinds with `repeats`)."""
    progress_what = models.CharField(max_length=200, blank=True)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    steps = models.JSONField(default=list)
    """Names of the steps that count and are done, written together with what they did (`jobs.context`)."""
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    """In English as the engine words it, or a mark of `jobs.failures`; pages show `failures.error_words`."""

    class Meta:
        """How jobs are found."""

        indexes = [
            models.Index(fields=["state", "run_after"], name="job_claim"),
            models.Index(fields=["kind", "-created_at"], name="job_kind"),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in (self.State.DONE, self.State.DEAD, self.State.CANCELLED)


class Tick(models.Model):
    """One time a schedule came due, written once however many schedulers run."""

    schedule = models.CharField(max_length=60)
    due = models.DateTimeField()
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        """One tick a schedule and moment."""

        constraints = [models.UniqueConstraint(fields=["schedule", "due"], name="one_tick")]

    def __str__(self) -> str:
        return f"{self.schedule} {self.due:%Y-%m-%d %H:%M}"


class AuditEntry(models.Model):
    """Who did what, when, to what."""

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.BigIntegerField(null=True)
    """Not a foreign key: what somebody did stays when the account goes."""
    actor_name = models.CharField(max_length=200, blank=True)
    verb = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)
    address = models.CharField(max_length=64, blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["verb", "-id"], name="audit_verb"),
            models.Index(fields=["subject", "-id"], name="audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.verb} {self.subject}"


class SavedList(models.Model):
    """A list page with its filters, columns and order under a name: a person's own (マイリスト) or everybody's (共有リスト)."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_lists")
    page = models.CharField(max_length=60)
    """Name of the list spec."""
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=4000, blank=True)
    """The query string that brings it back."""
    is_shared = models.BooleanField(default=False)
    is_favourite = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One name a person and page."""

        constraints = [models.UniqueConstraint(fields=["owner", "page", "name"], name="one_list_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
