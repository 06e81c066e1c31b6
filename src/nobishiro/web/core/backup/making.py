"""Make a backup, and keep those made by the page on a shelf inside the workspace."""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

import nobishiro
from nobishiro.contracts.errors import NobishiroError
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.pipelines.backup import (
    FORMAT,
    Manifest,
    Part,
    pin_store,
    read_manifest,
    unfinished_archives,
    write_archive,
)
from nobishiro.web.core.backup.snapshot import new_snapshot

SITE_FOLDERS: Final = ("files", "uploads")
"""Of the web application's home; mail, static files and the signing key are not in a backup."""
_SCRATCH: Final = ".backup-"
_LEFT_AFTER_SECONDS: Final = 86_400
_NAME: Final = re.compile(r"nobishiro-\d{8}-\d{6}(-[0-9a-f]{4})?\.zip")


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """One backup on the shelf."""

    name: str
    bytes: int
    manifest: Manifest | None
    """None when the file cannot be read."""

    @property
    def rows(self) -> int | None:
        """Rows of the store and of the database together."""
        if self.manifest is None:
            return None
        database = self.manifest.database
        return sum(self.manifest.store.rows.values()) + (database.rows if database is not None else 0)


def make_backup(out: Path, at: datetime, progress: ProgressReport = no_progress) -> Manifest:
    """The whole installation as of one moment in the file `out`, while others go on working.

    Whole or not at all. Raises `FileNotUsable` when `out` is there, `DiskFull`, `WorkspaceBusy`.
    """
    home = settings.INSTALLATION.home
    scratch = home / f"{_SCRATCH}{secrets.token_hex(6)}"
    snapshot = new_snapshot()
    try:
        scratch.mkdir(mode=0o700, parents=True)
        progress("store", 0, 0)
        pinned = pin_store(settings.INSTALLATION.workspace, scratch / "store", snapshot.begin)
        database, parts = snapshot.copy(scratch / "database", progress)
        snapshot.close()
        manifest = Manifest(FORMAT, nobishiro.__version__, at, pinned.entry, database)
        return write_archive(out, [*pinned.parts, *parts, *_site_parts(home)], manifest, progress)
    finally:
        snapshot.close()
        shutil.rmtree(scratch, ignore_errors=True)


def shelf() -> Path:
    """Where the page's backups lie."""
    place: Path = settings.INSTALLATION.home / "backups"
    return place


def new_backup_name(at: datetime) -> str:
    """A name nobody has used on the shelf, which sorts by `at`."""
    name = f"nobishiro-{at:%Y%m%d-%H%M%S}.zip"
    return name if not (shelf() / name).exists() else f"{name[:-4]}-{secrets.token_hex(2)}.zip"


def list_backups() -> list[KeptBackup]:
    """What is on the shelf, the newest first."""
    if not shelf().is_dir():
        return []
    paths = sorted((path for path in shelf().iterdir() if _NAME.fullmatch(path.name)), reverse=True)
    return [KeptBackup(path.name, path.stat().st_size, _manifest_of(path)) for path in paths]


def find_backup(name: str) -> Path | None:
    """The file of that name on the shelf; None for any other text."""
    path = shelf() / name
    return path if _NAME.fullmatch(name) and path.is_file() else None


def clear_leftovers(at: datetime) -> int:
    """Remove what backups left behind that were killed more than a day before `at`; returns how many there were."""
    home = settings.INSTALLATION.home
    left = [*home.glob(f"{_SCRATCH}*"), *unfinished_archives(shelf())]
    old = [path for path in left if at.timestamp() - path.stat().st_mtime > _LEFT_AFTER_SECONDS]
    for path in old:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(old)


def _manifest_of(path: Path) -> Manifest | None:
    try:
        return read_manifest(path)
    except NobishiroError:
        return None


def _site_parts(home: Path) -> list[Part]:
    return [
        Part(f"site/{file.relative_to(home).as_posix()}", file)
        for folder in SITE_FOLDERS
        for file in sorted((home / folder).rglob("*"))
        if file.is_file() and not file.is_symlink()
    ]
