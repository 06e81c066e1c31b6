"""One writer's changes to any number of tables, published in one step or not at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl

from nobishiro.contracts.errors import StoreError, UnknownName
from nobishiro.contracts.tables import TABLES, Table
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store.changes import Prepared, TableChanges, owned_by
from nobishiro.engine.store.commits import Commit, CommitLog, FileEntry
from nobishiro.engine.store.comparison import Comparison
from nobishiro.engine.store.disk import disk_errors
from nobishiro.engine.store.layout import Layout, Staging, sweep_staging, writer_lock
from nobishiro.engine.store.partial import Partial
from nobishiro.engine.store.publication import Heading, publish
from nobishiro.engine.store.types import check_keys, conform, conform_keys
from nobishiro.engine.store.upkeep import tidy

_ROWS_IN_MEMORY: Final = 2_000_000
"""Above so many rows a transaction keeps what it was given on disk, not in memory, for the case that it must repeat."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One call, kept so that it can be repeated when another writer was faster."""

    table: str
    removes: bool
    rows: pl.DataFrame | Path
    partial: Partial | None = None
    """Kept apart from the rows: what they leave as it stands is looked up again when the step is repeated."""

    def load(self) -> pl.DataFrame:
        return pl.read_parquet(self.rows) if isinstance(self.rows, Path) else self.rows


class Transaction:
    """Changes on top of the commit that was newest when it began. Leaving its `with` without `commit` discards them.

    Everything is prepared outside the writer lock. `commit` takes the lock; when another writer has meanwhile changed a
    table this one touches, the steps are run again on what is there now, so that neither loses a row.
    """

    def __init__(self, layout: Layout, log: CommitLog, settings: StoreSettings, heading: Heading) -> None:
        self._layout: Final = layout
        self._log: Final = log
        self._settings: Final = settings
        self._heading: Final = heading
        self._base: Commit | None = log.head()
        self._steps: Final[list[_Step]] = []
        self._tables: Final[dict[str, TableChanges]] = {}
        self._rows_in_memory = 0
        self._ended = False
        with disk_errors(layout.path):
            self._staging: Final = Staging(layout)

    @property
    def import_id(self) -> str:
        """What every row written here carries as `import_id`."""
        return self._heading.import_id

    def upsert(
        self, table: str, frame: pl.DataFrame, *, given: Collection[str] | None = None, fills_gaps: bool = False
    ) -> Comparison:
        """Write `frame` by the table's key and say what that changes.

        Rows that are there already and equal are left alone, with the import they came from. Where the table is
        replaced by group (an order's lines), rows of a group in `frame` that are not in it go. A table may be written
        in several calls; together they act like one, so a large file can come in parts. Columns left out are null.
        Where `given` names columns, a row that stands already keeps its values in all others; with `fills_gaps` it
        keeps every value it has, and only its empty cells are filled. Both hold for the row as it stands at the commit.
        Raises `UnknownName` for a table or column that does not exist, `BadInput` for a type that does not fit, an
        empty key, or a key that occurs twice in `frame`.
        """
        declared = self._declared(table)
        incoming = conform(declared, frame)
        check_keys(declared, incoming)
        partial = Partial.of(declared, given, fills_gaps)
        with disk_errors(self._layout.path):
            try:
                comparison = self._put(declared, incoming, partial)
            except FileNotFoundError:  # Vacuum let go of the commit this began on.
                self._repeat(self._log.head())
                comparison = self._put(declared, incoming, partial)
            self._remember(_Step(table, False, incoming, partial))
        return comparison

    def delete(self, table: str, keys: pl.DataFrame) -> int:
        """Take the rows of `keys` (the table's key columns; others are ignored) out; returns how many there were."""
        declared = self._declared(table)
        wanted = conform_keys(declared, keys)
        with disk_errors(self._layout.path):
            try:
                removed = self._changes(declared).remove(wanted)
            except FileNotFoundError:
                self._repeat(self._log.head())
                removed = self._changes(declared).remove(wanted)
            self._remember(_Step(table, True, wanted))
        return removed

    def commit(self) -> Commit:
        """Publish everything in one step and return the commit; the newest one when nothing changes.

        `changes` of the commit says what was done; it differs from the comparisons returned before when another writer
        was faster. In a workspace that was never written, even a transaction without changes makes the first commit.
        Raises `WorkspaceBusy`, `DiskFull`, `BadInput` when the import id is taken; nothing is published then.
        """
        self._check_open()
        try:
            with disk_errors(self._layout.path):
                commit, published = self._publish()
        finally:
            self.close()
        if published:
            tidy(self._layout, self._log, self._settings, commit)
        return commit

    def close(self) -> None:
        """Discard what was not published; may be called twice."""
        self._ended = True
        self._staging.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _publish(self) -> tuple[Commit, bool]:
        try:
            prepared = self._prepare()
        except FileNotFoundError:
            self._repeat(self._log.head())
            prepared = self._prepare()
        with writer_lock(self._layout, self._settings.lock_wait_seconds):
            sweep_staging(self._layout)
            head = self._log.head()
            if self._overtaken(head):
                self._repeat(head)
                prepared = self._prepare()
            if head is not None and not prepared:
                return head, False
            return publish(self._layout, self._log, head, self._heading, prepared), True

    def _declared(self, table: str) -> Table:
        self._check_open()
        return declared_table(table)

    def _check_open(self) -> None:
        if self._ended:
            raise StoreError(f"import {self.import_id}: this transaction has ended; begin a new one")

    def _changes(self, table: Table) -> TableChanges:
        if table.name not in self._tables:
            self._tables[table.name] = TableChanges(
                table, self._layout.table(table.name), _files_of(self._base, table.name), self._staging
            )
        return self._tables[table.name]

    def _put(self, table: Table, incoming: pl.DataFrame, partial: Partial | None) -> Comparison:
        changes = self._changes(table)
        rows = incoming if partial is None else changes.completed(incoming, partial)
        return changes.put(owned_by(rows, self.import_id))

    def _remember(self, step: _Step) -> None:
        rows = step.load()
        if self._rows_in_memory + rows.height > _ROWS_IN_MEMORY:
            kept = self._staging.new_path("step")
            rows.write_parquet(kept, compression="lz4")
            step = replace(step, rows=kept)
        else:
            self._rows_in_memory += rows.height
        self._steps.append(step)

    def _prepare(self) -> list[Prepared]:
        finished = [changes.finish() for changes in self._tables.values()]
        return [item for item in finished if item is not None]

    def _overtaken(self, head: Commit | None) -> bool:
        return any(changes.base != _files_of(head, name) for name, changes in self._tables.items())

    def _repeat(self, head: Commit | None) -> None:
        self._base = head
        for changes in self._tables.values():
            changes.discard()
        self._tables.clear()
        for step in self._steps:
            table, rows = TABLES[step.table], step.load()
            if step.removes:
                self._changes(table).remove(rows)
            else:
                self._put(table, rows, step.partial)


def declared_table(name: str) -> Table:
    """The canonical table called `name`; `UnknownName` listing those that exist."""
    if name not in TABLES:
        raise UnknownName(f"there is no table {name!r}; there are {', '.join(TABLES)}")
    return TABLES[name]


def _files_of(commit: Commit | None, table: str) -> tuple[FileEntry, ...]:
    state = commit.table(table) if commit is not None else None
    return state.files if state is not None else ()
