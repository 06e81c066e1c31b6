"""The lines of the map that people drew: kept in the workspace's settings, where every run reads them.

A run computes its quadrants with the lines of `settings.toml`; a line moved since then counts at once on the pages,
which ask `lines_in_force`.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from nobishiro.contracts.errors import FileNotUsable, SettingsError
from nobishiro.contracts.results import Thresholds
from nobishiro.engine.settings import MapSettings, read_settings
from nobishiro.engine.workspace import SETTINGS_FILE
from nobishiro.pipelines.published import PublishedRun

BY_PERSON: Final = "person"
_KEYS: Final = ("potential_threshold", "track_record_threshold")
_SECTION: Final = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY: Final = re.compile(rf"^\s*({'|'.join(_KEYS)})\s*=")


def lines_in_force(run: PublishedRun) -> Thresholds:
    """Where the map is cut now: what a person drew, else what the run found."""
    found = run.thresholds()
    drawn = drawn_lines(run.workspace.path)
    if drawn.potential_threshold is None and drawn.track_record_threshold is None:
        return found
    return replace(
        found,
        potential=found.potential if drawn.potential_threshold is None else drawn.potential_threshold,
        track_record=found.track_record if drawn.track_record_threshold is None else drawn.track_record_threshold,
        set_by=BY_PERSON,
    )


def drawn_lines(workspace: Path) -> MapSettings:
    """The lines people drew; None where the curve decides. Raises `SettingsError`."""
    path = workspace / SETTINGS_FILE
    try:
        state = path.stat()
    except FileNotFoundError:
        return MapSettings()
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, changed: int, size: int) -> MapSettings:
    return read_settings(path).map


def keep_lines(workspace: Path, potential: float | None, track_record: float | None) -> None:
    """Write the lines into the workspace's settings, or take them out with None; everything else there stays as it is.

    Raises `SettingsError` when a line is negative or the file cannot be understood, `FileNotUsable` when it cannot be
    written.
    """
    values = dict(zip(_KEYS, (potential, track_record), strict=True))
    for name, value in values.items():
        if value is not None and not 0 <= value < 1e15:
            raise SettingsError(f"{name} {value!r}: a line is a number of yen from 0 up")
    path = workspace / SETTINGS_FILE
    read_settings(path)
    before = path.read_text("utf-8") if path.exists() else ""
    wanted = [f"{name} = {float(value)!r}" for name, value in values.items() if value is not None]
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.write_text(_with_lines(before, wanted), "utf-8")
        kept = read_settings(beside).map
        if (kept.potential_threshold, kept.track_record_threshold) != (potential, track_record):
            raise SettingsError(f"{path}: [map] is written in a way we cannot add to; put the lines there by hand")
        beside.replace(path)
    except OSError as problem:
        raise FileNotUsable(f"{path}: {problem.strerror}; make it writable for the site") from problem
    finally:
        beside.unlink(missing_ok=True)


def _with_lines(text: str, wanted: list[str]) -> str:
    """The settings with `wanted` under [map] and no other lines of the map."""
    kept: list[str] = []
    section, is_placed = "", False
    for row in text.splitlines():
        head = _SECTION.match(row)
        if head is not None:
            section = head.group(1)
        elif section == "map" and _KEY.match(row):
            continue
        kept.append(row)
        if head is not None and section == "map":
            kept += wanted
            is_placed = True
    if wanted and not is_placed:
        kept += ([""] if kept else []) + ["[map]", *wanted]
    return "".join(f"{row}\n" for row in kept)
