"""What the page 稼働 says: one sentence from the figures, the schedule, and what the disk holds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nobishiro.pipelines.upkeep import DiskShare, measure_workspace
from nobishiro.web.core.backup.making import KeptBackup
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.jobs.registry import find_kind
from nobishiro.web.core.jobs.schedule import SCHEDULES, next_due
from nobishiro.web.core.jobs.selectors import JobCounts, RunRow
from nobishiro.web.core.jobs.words import kind_words
from nobishiro.web.core.templatetags.nobishiro import is_japanese, moment

_KEPT_SECONDS: Final = 60.0
_measured: dict[Path, tuple[float, tuple[DiskShare, ...]]] = {}
_SHARES: Final[dict[str, str | Promise]] = {
    "tables": _("Tables: orders, customers and what else was imported"),
    "history": _("Earlier states of the tables"),
    "replaced": _("What imports replaced, kept to take them back"),
    "runs": _("Computed figures"),
    "people": _("What people entered"),
    "uploads": _("Uploaded files"),
    "backups": _("Backups"),
    "other": _("Other"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """One entry of the schedule."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """One part of the disk, in words."""

    label: str
    bytes: int


def sentence(counts: JobCounts, runs: list[RunRow], backups: list[KeptBackup]) -> str:
    """How the house is, from the figures."""
    said = []
    if counts.running or counts.waiting:
        said.append(
            gettext("%(running)d under way, %(waiting)d waiting.")
            % {"running": counts.running, "waiting": counts.waiting}
        )
    else:
        said.append(gettext("Nothing is under way."))
    if counts.dead:
        told = ngettext(
            "%(n)d job was given up in the last seven days and needs you.",
            "%(n)d jobs were given up in the last seven days and need you.",
            counts.dead,
        )
        said.append(told % {"n": counts.dead})
    elif counts.failed:
        told = ngettext(
            "%(n)d job failed and will be tried again by itself.",
            "%(n)d jobs failed and will be tried again by themselves.",
            counts.failed,
        )
        said.append(told % {"n": counts.failed})
    else:
        said.append(gettext("Nothing has failed."))
    if runs and runs[0].made_at is not None:
        said.append(gettext("The figures were computed on %(when)s.") % {"when": moment(runs[0].made_at)})
    elif not runs:
        said.append(gettext("No figures have been computed yet."))
    newest = next((kept.manifest for kept in backups if kept.manifest is not None), None)
    if newest is not None:
        said.append(gettext("The last backup is of %(when)s.") % {"when": moment(newest.made_at)})
    else:
        said.append(gettext("There is no backup here yet."))
    return ("" if is_japanese() else " ").join(said)


def schedule(at: datetime) -> list[Due]:
    """What comes due next, the nearest first; kinds no room declares are left out."""
    zone = ZoneInfo(settings.TIME_ZONE)
    known = [one for one in SCHEDULES if find_kind(one.kind) is not None]
    return sorted((Due(kind_words(one.kind), next_due(one, at, zone)) for one in known), key=lambda due: due.at)


def disk_shares() -> list[Share]:
    """What takes how much, the largest first. Measured at most once a minute: thousands of files are asked."""
    path = workspace_path()
    kept = _measured.get(path)
    if kept is None or time.monotonic() - kept[0] > _KEPT_SECONDS:
        kept = (time.monotonic(), measure_workspace(path))
        _measured[path] = kept
    return [Share(str(_SHARES[share.name]), share.bytes) for share in kept[1] if share.bytes]
