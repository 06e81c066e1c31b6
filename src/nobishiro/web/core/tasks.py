"""Jobs of the house itself: a backup, and clearing away what is old."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.core.management import call_command
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from nobishiro.contracts.errors import NotAWorkspace
from nobishiro.pipelines.upkeep import Cleared, clear_workspace
from nobishiro.web.core.audit import record
from nobishiro.web.core.backup.making import clear_leftovers, find_backup, make_backup, new_backup_name, shelf
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.jobs.context import fenced_transaction
from nobishiro.web.core.jobs.registry import JobContext, job
from nobishiro.web.core.models import Job, Tick

KEPT_JOBS: Final = timedelta(days=90)
_KEPT_TICKS: Final = timedelta(days=400)


@job("backup", max_attempts=2, label=pgettext_lazy("job", "Backup"))
def backup(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """A backup on the shelf. Begun again after a crash it finds its name taken only by a whole one."""
    name = str(payload.get("name") or new_backup_name(timezone.localtime()))
    path = find_backup(name)
    if path is None:
        context.check()
        path = shelf() / name
        make_backup(path, timezone.now(), context.progress)
    with fenced_transaction(context, "audit") as is_new:
        if is_new:
            record(None, "backup.make", f"backup:{name}", {"bytes": path.stat().st_size, "job": context.job_id})
    return {"name": name, "bytes": path.stat().st_size}


@job("vacuum", label=pgettext_lazy("job", "Clear away what is old"))
def vacuum(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """Old jobs, ticks and sessions, files no commit needs, runs past the newest thirty."""
    context.progress("vacuum", 0, 3)
    now = timezone.now()
    over = (Job.State.DONE, Job.State.DEAD, Job.State.CANCELLED)
    jobs, _ = Job.objects.filter(state__in=over, ended_at__lt=now - KEPT_JOBS).delete()
    Tick.objects.filter(due__lt=now - _KEPT_TICKS).delete()
    call_command("clearsessions", verbosity=0)
    context.progress("vacuum", 1, 3)
    clear_leftovers(now)
    context.progress("vacuum", 2, 3)
    context.check()
    try:
        cleared = clear_workspace(workspace_path())
    except NotAWorkspace:
        cleared = Cleared(0, 0, 0)
    context.progress("vacuum", 3, 3)
    return {"files": cleared.files, "bytes": cleared.bytes, "runs": cleared.runs, "jobs": jobs}
