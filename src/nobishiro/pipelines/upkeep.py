"""What keeps a workspace usable: made when there is none, cleared of what is old, its disk told."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from nobishiro.contracts.errors import NotAWorkspace
from nobishiro.engine.store.disk import disk_errors
from nobishiro.engine.workspace import Workspace

KEPT_RUNS: Final = 30
"""Newest runs that stay: a month of nights."""


def make_workspace(path: Path, at: datetime) -> bool:
    """Make a workspace at `path`; False when there was one. Raises `NotAWorkspace` where something else lies."""
    workspace = Workspace.open_or_plan(path)
    if (path / "nobishiro.json").exists():
        return False
    workspace.make(at)
    return True


@dataclass(frozen=True, slots=True)
class DiskShare:
    """One part of what the workspace takes on the disk."""

    name: str
    """tables, history, replaced, runs, people, uploads, backups or other."""
    bytes: int


def measure_workspace(path: Path) -> tuple[DiskShare, ...]:
    """What takes how much, the largest first; empty where there is no workspace."""
    try:
        usage = Workspace.open(path).store.disk_usage()
    except NotAWorkspace:
        return ()
    web = path / "web"
    database = sum(file.stat().st_size for file in web.glob("people.sqlite3*") if file.is_file())
    shares = {
        "tables": sum(table.bytes for table in usage.tables),
        "history": sum(table.history_bytes for table in usage.tables),
        "replaced": usage.replaced_bytes,
        "runs": usage.runs_bytes,
        "people": database,
        "uploads": _size(web / "uploads"),
        "backups": _size(web / "backups"),
    }
    shares["other"] = max(0, usage.total_bytes - sum(shares.values()))
    return tuple(DiskShare(name, size) for name, size in sorted(shares.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was removed."""

    files: int
    bytes: int
    runs: int


def clear_workspace(path: Path, keep_runs: int = KEPT_RUNS) -> Cleared:
    """Remove files no kept commit needs, what killed writers left, and runs older than the newest `keep_runs`."""
    workspace = Workspace.open(path)
    with disk_errors(path):
        old = [run.run_id for run in workspace.store.runs()][: -max(keep_runs, 1)]
        freed = 0
        for run_id in old:
            directory = path / "runs" / run_id
            freed += _size(directory)
            # out of the list first, in one step: a reader finds the run whole or not at all
            gone = directory.rename(path / "staging" / f"old-run-{run_id}")
            shutil.rmtree(gone)
        vacuumed = workspace.store.vacuum()
    return Cleared(vacuumed.files, vacuumed.bytes + freed, len(old))


def _size(directory: Path) -> int:
    if not directory.is_dir():
        return 0
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
