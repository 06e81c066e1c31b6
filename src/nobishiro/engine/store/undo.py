"""Takes one import out again and brings back what it replaced, sparing whatever a later import changed.

Think of each key as a pile: every import that changed it laid a state (a row, or its absence) on top of the one before.
Undoing an import pulls its state out of the pile. On top, the state below shows again. Further down nothing shows: the
key is kept as the later import left it, and that import's record of what lay below is amended, so that undoing it later
brings back the right row. The state of every table is therefore that of the imports not undone, whatever the order of
undoing. An import that brought a row unchanged laid nothing on the pile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from nobishiro.contracts.errors import CommitNotFound, StoreError
from nobishiro.contracts.tables import IMPORT_ID, TABLES, Table
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store.changes import Prepared, TableChanges
from nobishiro.engine.store.commits import Commit, CommitLog
from nobishiro.engine.store.comparison import keyed_rows
from nobishiro.engine.store.disk import disk_errors
from nobishiro.engine.store.layout import Layout, Staging, sweep_staging, writer_lock
from nobishiro.engine.store.parquet import leading_range, may_hold, scan_rows, write_rows
from nobishiro.engine.store.publication import Amendment, Heading, publish

UNDO_PREFIX: Final = "undo-"
_UNDOABLE: Final = ("import", "edit", "run")


@dataclass(frozen=True, slots=True)
class UndoneTable:
    """What an undo did to one table, in rows."""

    table: str
    taken_out: int
    brought_back: int
    kept: int


@dataclass(frozen=True, slots=True)
class UndoResult:
    """An undo, published."""

    commit: Commit
    import_id: str
    tables: tuple[UndoneTable, ...]
    kept: pl.DataFrame
    """Keys left as a later import made them: `table`, `key` (parts joined by |), `import_id` of the newest such one."""


@dataclass(frozen=True, slots=True)
class _History:
    """What happened since an import: its live successors and everybody's latest records."""

    order: dict[str, int]
    """Commit number of every later import that is not undone."""
    records: dict[tuple[str, str], tuple[str, ...]]
    """(import, table) → record files, as amended."""


def undo_import(
    layout: Layout, log: CommitLog, settings: StoreSettings, import_id: str, at: datetime | None
) -> UndoResult:
    """Undo `import_id` in a new commit. `CommitNotFound` when there is no such import, `StoreError` when it is undone
    already or is no import (an undo is not undone: import the file again).
    """
    with disk_errors(layout.path):
        staging = Staging(layout)
        try:
            with writer_lock(layout, settings.lock_wait_seconds):
                sweep_staging(layout)
                target, head = _target(layout, log, import_id), log.head()
                if head is None:
                    raise CommitNotFound(f"{layout.path}: there is no commit")
                return _undo(layout, log, staging, target, head, at)
        finally:
            staging.close()


def _target(layout: Layout, log: CommitLog, import_id: str) -> Commit:
    commit = log.of_import(import_id)
    if commit is None:
        raise CommitNotFound(
            f"{layout.path}: no commit was made by import {import_id!r}; either there was none of that name or it "
            f"changed nothing. `Store.commits` lists all"
        )
    if commit.kind not in _UNDOABLE:
        raise StoreError(
            f"{import_id} is {'an undo' if commit.kind == 'undo' else f'of kind {commit.kind}'} and cannot be undone; "
            f"to bring rows back that an undo took out, import the file again"
        )
    before = log.of_import(UNDO_PREFIX + import_id)
    if before is not None:
        raise StoreError(f"{import_id} was undone already, in commit {before.number}; import the file again instead")
    return commit


def _undo(
    layout: Layout, log: CommitLog, staging: Staging, target: Commit, head: Commit, at: datetime | None
) -> UndoResult:
    history = _history(log, target)
    prepared: list[Prepared] = []
    amended: list[Amendment] = []
    undone, kept = [], [pl.DataFrame(schema={"table": pl.String, "key": pl.String, "import_id": pl.String})]
    for change in target.changes:
        part = _undo_table(layout, staging, TABLES[change.table], target, head, history)
        prepared += [part.prepared] if part.prepared is not None else []
        amended += part.amended
        undone.append(part.counts)
        kept.append(part.kept)
    heading = Heading("undo", UNDO_PREFIX + target.import_id, target.note, at, undoes=target.import_id)
    commit = publish(layout, log, head, heading, prepared, amended)
    return UndoResult(commit, target.import_id, tuple(undone), pl.concat(kept))


@dataclass(frozen=True, slots=True)
class _Part:
    prepared: Prepared | None
    amended: list[Amendment]
    counts: UndoneTable
    kept: pl.DataFrame


def _undo_table(
    layout: Layout, staging: Staging, table: Table, target: Commit, head: Commit, history: _History
) -> _Part:
    state = head.table(table.name)
    changes = TableChanges(table, layout.table(table.name), state.files if state is not None else (), staging)
    below = _record(layout, table, history.records.get((target.import_id, table.name), ()))
    later = {
        name: record
        for name in history.order
        if (record := _record(layout, table, history.records.get((name, table.name), ()))).height
    }
    touched = _later_changes(table, changes, target.import_id, below, later, history.order)
    by_age = pl.col(IMPORT_ID).sort_by("number")
    kept = touched.group_by(table.key).agg(by_age.first().alias("next"), by_age.last().alias("top"))
    # A row of the import that still shows has nobody's change above it, so all such rows go.
    taken_out = changes.remove_owned(target.import_id)
    back = below.join(kept, on=table.key, how="anti", maintain_order="left")
    if back.height:
        changes.put(back, by_group=False, with_owner=True)
    amended = [
        _amend(staging, table, later.get(name), below, kept.filter(pl.col("next") == name), name)
        for name in kept["next"].unique().sort()
    ]
    shown = kept.sort(table.key).select(
        pl.lit(table.name).alias("table"),
        pl.concat_str([pl.col(name).cast(pl.String) for name in table.key], separator="|").alias("key"),
        pl.col("top").alias("import_id"),
    )
    counts = UndoneTable(table.name, taken_out, back.height, kept.height)
    return _Part(changes.finish(keep_records=False), amended, counts, shown)


def _history(log: CommitLog, target: Commit) -> _History:
    later = log.after(target.number)
    undone = {commit.undoes for commit in later}
    records = {
        (record.import_id, record.table): record.paths for commit in (target, *later) for record in commit.records
    }
    live = {c.import_id: c.number for c in later if c.kind in _UNDOABLE and c.import_id not in undone}
    return _History(live, records)


def _later_changes(
    table: Table,
    changes: TableChanges,
    import_id: str,
    below: pl.DataFrame,
    later: dict[str, pl.DataFrame],
    order: dict[str, int],
) -> pl.DataFrame:
    """Key, `import_id` and `number` of every later import that changed a key the undone one had changed."""
    covered = [record.filter(pl.col(IMPORT_ID) == import_id).select(table.key) for record in later.values()]
    keys = pl.concat([below.select(table.key), *covered]).unique()
    found = [record.join(keys, on=table.key, how="semi") for record in later.values()]
    events = [
        rows.select(*table.key, pl.lit(name).alias(IMPORT_ID)) for name, rows in zip(later, found, strict=True)
    ]  # whoever has a record of the key changed it
    events += [rows.select(*table.key, IMPORT_ID) for rows in found]  # and so did whoever wrote the row recorded
    events += [rows.select(*table.key, IMPORT_ID) for rows in _standing(table, changes, keys)]
    numbers = pl.DataFrame(
        {IMPORT_ID: list(order), "number": list(order.values())}, schema={IMPORT_ID: pl.String, "number": pl.Int64}
    )
    schema = {**{name: below.schema[name] for name in table.key}, IMPORT_ID: pl.String()}
    return pl.concat([pl.DataFrame(schema=schema), *events]).join(numbers, on=IMPORT_ID, how="inner")


def _standing(table: Table, changes: TableChanges, keys: pl.DataFrame) -> Sequence[pl.DataFrame]:
    low, high = leading_range(table, keys)
    candidates = [entry for entry in changes.base if keys.height and may_hold(entry, low, high)]
    found = [keyed_rows(table, changes.directory / entry.name, keys) for entry in candidates]
    return [rows for rows in found if rows is not None]


def _amend(
    staging: Staging,
    table: Table,
    record: pl.DataFrame | None,
    below: pl.DataFrame,
    kept: pl.DataFrame,
    import_id: str,
) -> Amendment:
    """The record of `import_id` with what the undone import had below instead of what the undone import had laid."""
    inherited = below.join(kept, on=table.key, how="semi", maintain_order="left")
    if record is not None:
        inherited = pl.concat([record.join(kept, on=table.key, how="anti", maintain_order="left"), inherited])
    if inherited.is_empty():
        return Amendment(import_id, table.name, ())
    path = staging.new_path(table.name)
    write_rows(table, inherited, staging.path, path.name)
    return Amendment(import_id, table.name, (path,))


def _record(layout: Layout, table: Table, paths: tuple[str, ...]) -> pl.DataFrame:
    return scan_rows(table, [layout.path / path for path in paths]).collect()
