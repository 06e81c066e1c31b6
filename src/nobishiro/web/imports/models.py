"""What is on its way into the store: drafts of imports, pairs to judge, and who signed which step of the store."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q

from nobishiro.web.core.models import Job


class ImportDraft(models.Model):
    """One uploaded file between upload and commit. It can be left and come back to; afterwards it says what was imported."""

    class State(models.TextChoices):
        """Where it stands."""

        READING = "reading"
        READ = "read"
        """Read, but a required column is missing or the dry run could not be made: `error` says which."""
        CHECKING = "checking"
        CHECKED = "checked"
        """The dry run is there; it can be imported."""
        COMMITTING = "committing"
        DONE = "done"
        FAILED = "failed"
        """The file could not be read: `error` says why."""

    folder = models.CharField(max_length=40, unique=True)
    """Random name of its directory in the workspace's `web/uploads/`; the file's own name is never used as a path."""
    name = models.CharField(max_length=130)
    size = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.READING)
    options = models.JSONField(default=dict)
    """What the person said about the file (`UploadOptions`)."""
    origin = models.CharField(max_length=10, blank=True)
    """own, saved, preset, guess or hand: where the mapping comes from."""
    mapping_name = models.CharField(max_length=120, blank=True)
    mapping = models.TextField(blank=True)
    check_result = models.TextField(blank=True)
    """The dry run (`Check`), as JSON."""
    error = models.TextField(blank=True)
    """In English; pages say it in their language."""
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    import_id = models.CharField(max_length=100, blank=True)
    """Set when the commit is asked for, so that asking twice is one import."""
    outcome = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "-id"], name="draft_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> Path:
        """Its directory."""
        return Path(settings.INSTALLATION.home) / "uploads" / self.folder

    @property
    def upload(self) -> Path:
        """The file as it was uploaded."""
        return self.place / "upload"

    @property
    def is_busy(self) -> bool:
        """Whether a job is at it."""
        return self.job is not None and not self.job.is_over

    @property
    def has_stopped(self) -> bool:
        """Whether its job ended without doing what the state says."""
        under_way = self.state in (self.State.READING, self.State.CHECKING, self.State.COMMITTING)
        return under_way and (self.job is None or self.job.is_over)


class MatchPair(models.Model):
    """Two codes that may be one customer: of a draft that is not imported yet, or (without one) of what is there."""

    class Decision(models.TextChoices):
        """What a person said."""

        OPEN = ""
        SAME = "same"
        DIFFERENT = "different"
        LATER = "later"

    draft = models.ForeignKey(ImportDraft, null=True, on_delete=models.CASCADE, related_name="pairs")
    code = models.CharField(max_length=200)
    other_code = models.CharField(max_length=200)
    """The code that stays when they are one."""
    score = models.FloatField()
    rule = models.CharField(max_length=40)
    agrees_ja = models.TextField(blank=True)
    agrees_en = models.TextField(blank=True)
    differs_ja = models.TextField(blank=True)
    differs_en = models.TextField(blank=True)
    is_certain = models.BooleanField(default=False)
    decision = models.CharField(max_length=10, blank=True, choices=Decision.choices, default=Decision.OPEN)
    decided_by_name = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    import_id = models.CharField(max_length=100, blank=True)
    """The step of the store that wrote the decision; empty while it is not written."""

    class Meta:
        """The likeliest first."""

        constraints = [
            models.UniqueConstraint(fields=["draft", "code", "other_code"], name="one_pair_a_draft"),
            models.UniqueConstraint(fields=["code", "other_code"], condition=Q(draft=None), name="one_pair"),
        ]
        indexes = [models.Index(fields=["draft", "decision", "-score"], name="pair_open")]
        ordering = ["-score", "id"]

    def __str__(self) -> str:
        return f"{self.code} = {self.other_code}?"


class Signature(models.Model):
    """Who made a step of the store (an import, an edit, an undo), and what came of an undo."""

    import_id = models.CharField(max_length=110, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.import_id} {self.by_name}"
