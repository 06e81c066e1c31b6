"""Which company this is, whether its data are simulated, and the run the pages show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings

from nobishiro.pipelines.published import PublishedRun, published_run

_kept: dict[str, tuple[int, PublishedRun | None]] = {}


@dataclass(frozen=True, slots=True)
class CompanyCard:
    """What the head of every page says."""

    name_ja: str
    name_en: str
    is_simulated: bool
    as_of: date | None


def workspace_path() -> Path:
    """The workspace's directory."""
    path: Path = settings.INSTALLATION.workspace
    return path


def published() -> PublishedRun | None:
    """The newest published run; None before the first. Looked up once a publication, not once a request."""
    path = workspace_path()
    runs = path / "runs"
    try:
        stamp = max(runs.stat().st_mtime_ns, *(entry.stat().st_mtime_ns for entry in runs.iterdir()))
    except (FileNotFoundError, TypeError):
        stamp = 0
    kept = _kept.get(str(path))
    if kept is None or kept[0] != stamp:
        kept = (stamp, published_run(path))
        _kept[str(path)] = kept
    return kept[1]


def company_card() -> CompanyCard:
    """The company's names (the administrator's, else the simulation's) and the day of the figures."""
    from nobishiro.web.people.models import CompanySettings

    run = published()
    name_ja = name_en = CompanySettings.current().name
    simulated = workspace_path() / "simulated.json"
    is_simulated = simulated.is_file()
    if is_simulated:
        said = json.loads(simulated.read_text("utf-8"))
        name_ja, name_en = name_ja or said["name_ja"], name_en or said["name_en"]
    return CompanyCard(name_ja or "", name_en or "", is_simulated, run.as_of if run else None)
