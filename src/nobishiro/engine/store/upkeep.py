"""Keeps the workspace small: merges small files, removes what no kept commit needs, tells the disk it uses."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from nobishiro.contracts.errors import StoreError
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store.changes import Prepared
from nobishiro.engine.store.commits import Commit, CommitLog, FileEntry, TableChange, TableState
from nobishiro.engine.store.disk import disk_errors
from nobishiro.engine.store.layout import Layout, Staging, sweep_staging, writer_lock
from nobishiro.engine.store.parquet import FILE_ROWS, scan_rows, write_rows
from nobishiro.engine.store.publication import Heading, publish

_LOGGER: Final = logging.getLogger(__name__)
_VACUUM_EVERY: Final = 16
"""A commit whose number is a multiple of this removes files that are no longer needed."""


@dataclass(frozen=True, slots=True)
class CompactedTable:
    """Live files of one table before and after."""

    table: str
    files_before: int
    files_after: int


@dataclass(frozen=True, slots=True)
class CompactResult:
    """A compaction; `commit` is None when there was nothing to merge."""

    commit: Commit | None
    tables: tuple[CompactedTable, ...]


@dataclass(frozen=True, slots=True)
class VacuumResult:
    """What vacuum removed."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TableUsage:
    """Disk used by one table."""

    table: str
    rows: int
    files: int
    bytes: int
    """Of the live files of the newest commit."""
    history_bytes: int
    """Of files only older commits need, and of the Delta log."""


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Disk used by a workspace; `usage["order_lines"]` is one table's."""

    tables: tuple[TableUsage, ...]
    replaced_bytes: int
    """Rows that imports replaced, kept for undo."""
    runs_bytes: int
    total_bytes: int

    def __getitem__(self, table: str) -> TableUsage:
        for usage in self.tables:
            if usage.table == table:
                return usage
        raise KeyError(f"{table} was never written; written are {', '.join(u.table for u in self.tables)}")


@dataclass(frozen=True, slots=True)
class _Merge:
    state: TableState
    sources: tuple[FileEntry, ...]
    merged: FileEntry


def tidy(layout: Layout, log: CommitLog, settings: StoreSettings, commit: Commit) -> None:
    """After `commit`: compact tables that have too many files, now and then vacuum.

    The commit stands whether or not this succeeds, and the next one tries again; so a failure is logged, not raised.
    """
    try:
        crowded = [state.name for state in commit.tables if len(state.files) > settings.compact_above_files]
        if crowded:
            compact_tables(layout, log, settings, crowded, commit.at)
        if commit.number % _VACUUM_EVERY == 0:
            vacuum_tables(layout, log, settings)
    except StoreError as error:
        _LOGGER.warning("commit %d is published; tidying up after it failed: %s", commit.number, error)


def compact_tables(
    layout: Layout, log: CommitLog, settings: StoreSettings, tables: Sequence[str], at: datetime | None
) -> CompactResult:
    """Merge the small files of `tables` into few, in one commit that changes no row. Memory: two million rows."""
    head = log.head()
    if head is None:
        return CompactResult(None, ())
    with disk_errors(layout.path):
        staging = Staging(layout)
        try:
            states = [state for state in head.tables if state.name in tables]
            merges = [merge for state in states for merge in _merge_small(layout, staging, state)]
            if not merges:
                return CompactResult(None, ())
            with writer_lock(layout, settings.lock_wait_seconds):
                sweep_staging(layout)
                return _publish_merges(layout, log, staging, merges, at)
        finally:
            staging.close()


def vacuum_tables(layout: Layout, log: CommitLog, settings: StoreSettings) -> VacuumResult:
    """Remove files that none of the newest `keep_commits` commits needs, and what killed writers left behind."""
    files = size = 0
    with disk_errors(layout.path), writer_lock(layout, settings.lock_wait_seconds):
        layout.make_directories()
        sweep_staging(layout)
        kept = [log.commit(number) for number in log.numbers()[-max(settings.keep_commits, 1) :]]
        needed = {(state.name, entry.name) for commit in kept for state in commit.tables for entry in state.files}
        for path in (layout.path / "tables").glob("*/*.parquet"):
            if (path.parent.name, path.name) not in needed:
                files, size = files + 1, size + path.stat().st_size
                path.unlink()
    return VacuumResult(files, size)


def remove_unpublished(layout: Layout, log: CommitLog, settings: StoreSettings) -> None:
    """Remove the directories of imports that were killed before they were published."""
    with disk_errors(layout.path), writer_lock(layout, settings.lock_wait_seconds):
        layout.make_directories()
        for directory in (layout.path / "imports").iterdir():
            if log.of_import(directory.name) is None:
                shutil.rmtree(directory)


def measure_disk(layout: Layout, log: CommitLog) -> DiskUsage:
    """Bytes on disk by table and purpose."""
    head = log.head()
    usages = []
    for state in head.tables if head is not None else ():
        live = sum(entry.bytes for entry in state.files)
        history = _size(layout.table(state.name)) - live
        usages.append(TableUsage(state.name, state.rows, len(state.files), live, history))
    return DiskUsage(tuple(usages), _size(layout.path / "imports"), _size(layout.runs), _size(layout.path))


def _merge_small(layout: Layout, staging: Staging, state: TableState) -> list[_Merge]:
    table, directory = TABLES[state.name], layout.table(state.name)
    merges = []
    for sources in _groups([entry for entry in state.files if entry.rows <= FILE_ROWS // 2]):
        rows = scan_rows(table, [directory / entry.name for entry in sources]).collect()
        merged = write_rows(table, rows, staging.path, staging.new_path(table.name).name)
        merges.append(_Merge(state, sources, merged))
    return merges


def _groups(small: Sequence[FileEntry]) -> list[tuple[FileEntry, ...]]:
    groups: list[list[FileEntry]] = [[]]
    total = 0
    for entry in small:
        if total + entry.rows > FILE_ROWS:
            groups.append([])
            total = 0
        groups[-1].append(entry)
        total += entry.rows
    return [tuple(group) for group in groups if len(group) > 1]


def _publish_merges(
    layout: Layout, log: CommitLog, staging: Staging, merges: Sequence[_Merge], at: datetime | None
) -> CompactResult:
    head = log.head()
    if head is None:
        return CompactResult(None, ())
    prepared, counts = [], []
    for state in head.tables:
        # Another writer may have rewritten a source since; a merge of it would bring back old rows.
        live = set(state.files)
        usable = [merge for merge in merges if merge.state.name == state.name and live.issuperset(merge.sources)]
        if not usable:
            continue
        merged_away = {entry for merge in usable for entry in merge.sources}
        files = [entry for entry in state.files if entry not in merged_away] + [merge.merged for merge in usable]
        fresh = tuple(staging.path / merge.merged.name for merge in usable)
        prepared.append(Prepared(TABLES[state.name], tuple(files), fresh, (), TableChange(state.name)))
        counts.append(CompactedTable(state.name, len(state.files), len(files)))
    if not prepared:
        return CompactResult(None, ())
    heading = Heading("compact", f"compact-{head.number + 1:08d}", "", at)
    return CompactResult(publish(layout, log, head, heading, prepared), tuple(counts))


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
