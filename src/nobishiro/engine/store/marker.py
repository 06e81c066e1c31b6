"""The file that makes a directory a workspace: its schema version, checked and brought up to date on opening."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from nobishiro.contracts.errors import NotAWorkspace, StoreError, WorkspaceTooNew
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store.disk import TEMPORARY, write_exclusive, write_replacing
from nobishiro.engine.store.layout import Layout, writer_lock
from nobishiro.engine.store.upgrade import upgrade_layout

SCHEMA_VERSION: Final = 1
"""Layout this code writes. Raise it, and add a step to `upgrade.py`, whenever a file changes its meaning."""
_BEFOREHAND: Final = ("settings.toml", "presets", "mappings", "web")
"""What may lie in a directory before the first import makes it a workspace: settings, the web application's home."""


class _Marker(msgspec.Struct, frozen=True):
    schema_version: int
    created_at: datetime | None = None


def make_workspace(layout: Layout, at: datetime | None) -> None:
    """Make an empty workspace unless there is one; `NotAWorkspace` when the directory holds something else."""
    if not can_become_workspace(layout):
        return
    layout.path.mkdir(parents=True, exist_ok=True)
    try:
        write_exclusive(layout.marker, _encode(_Marker(SCHEMA_VERSION, at)))
    except FileExistsError:
        return  # Another process made it between the look and the step: the same workspace.


def can_become_workspace(layout: Layout) -> bool:
    """Whether there is nothing yet; False where a workspace is. `NotAWorkspace` when there is something else."""
    path = layout.path
    if path.exists() and not path.is_dir():
        raise NotAWorkspace(f"{path} is a file; name a directory")
    if layout.marker.exists():
        return False
    if path.exists() and any(not _may_be_there(child.name) for child in path.iterdir()):
        raise NotAWorkspace(f"{path} is not empty and no workspace; name an empty or a new directory")
    return True


def _may_be_there(name: str) -> bool:
    return name.startswith(TEMPORARY) or name in _BEFOREHAND


def open_workspace(layout: Layout, settings: StoreSettings) -> None:
    """Check the marker and upgrade an older layout; `NotAWorkspace`, `WorkspaceTooNew`."""
    marker = _read(layout.marker)
    if marker.schema_version > SCHEMA_VERSION:
        raise WorkspaceTooNew(
            f"{layout.path} has layout {marker.schema_version}, this Nobishiro knows {SCHEMA_VERSION}; "
            f"install a later version"
        )
    if marker.schema_version == SCHEMA_VERSION:
        return
    with writer_lock(layout, settings.lock_wait_seconds):
        marker = _read(layout.marker)
        if marker.schema_version < SCHEMA_VERSION:
            upgrade_layout(layout, marker.schema_version)
            # The one step: until here the old layout counts, and an upgrade that was cut short starts again.
            write_replacing(layout.marker, _encode(_Marker(SCHEMA_VERSION, marker.created_at)))


def _read(path: Path) -> _Marker:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Marker)
    except (FileNotFoundError, NotADirectoryError):
        raise NotAWorkspace(
            f"{path.parent} is no workspace; make one with `nobishiro import` or Store.create"
        ) from None
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}: cannot be read ({error}); restore it from a backup") from error


def _encode(marker: _Marker) -> bytes:
    return msgspec.json.encode(marker) + b"\n"
