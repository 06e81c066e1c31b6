"""The store: facts on disk, all-or-nothing commits, readable as of any commit."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Final, Self

import msgspec
import polars as pl

from nobishiro.contracts.errors import BadInput, CommitNotFound
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store.commits import Commit, CommitKind, CommitLog, TableState
from nobishiro.engine.store.comparison import Comparison, compare_rows
from nobishiro.engine.store.disk import disk_errors
from nobishiro.engine.store.layout import Layout, check_name
from nobishiro.engine.store.marker import can_become_workspace, make_workspace, open_workspace
from nobishiro.engine.store.parquet import scan_rows
from nobishiro.engine.store.partial import Partial
from nobishiro.engine.store.publication import Heading
from nobishiro.engine.store.runs import (
    Run,
    RunWriter,
    list_runs,
    newest_run,
    read_attachment,
    read_run,
    result_files,
    scan_result,
)
from nobishiro.engine.store.transaction import Transaction, declared_table
from nobishiro.engine.store.undo import UndoResult, undo_import
from nobishiro.engine.store.upkeep import (
    CompactResult,
    DiskUsage,
    VacuumResult,
    compact_tables,
    measure_disk,
    remove_unpublished,
    vacuum_tables,
)

_DEFAULTS: Final = StoreSettings()
_RESERVED: Final = ("undo-", "compact-", "upgrade-")


class Store:
    """One workspace directory. Cheap to open; safe to use from several threads and processes at once."""

    def __init__(self, layout: Layout, settings: StoreSettings) -> None:
        self._layout: Final = layout
        self._settings: Final = settings
        self._log: Final = CommitLog(layout)

    @classmethod
    def create(cls, path: Path, settings: StoreSettings = _DEFAULTS, at: datetime | None = None) -> Self:
        """Make a workspace at `path`, or open the one that is there. `NotAWorkspace` when something else is there."""
        layout = Layout(Path(path).absolute())
        with disk_errors(layout.path):
            make_workspace(layout, at)
        return cls.open(path, settings)

    @classmethod
    def open(cls, path: Path, settings: StoreSettings = _DEFAULTS) -> Self:
        """Open the workspace at `path`, upgrading an older layout in one step. `NotAWorkspace`, `WorkspaceTooNew`."""
        layout = Layout(Path(path).absolute())
        with disk_errors(layout.path):
            open_workspace(layout, settings)
        return cls(layout, settings)

    @classmethod
    def open_or_plan(cls, path: Path, settings: StoreSettings = _DEFAULTS) -> Self:
        """`open`; where the directory is empty or absent, an empty store to read that `create` may make later."""
        layout = Layout(Path(path).absolute())
        with disk_errors(layout.path):
            if can_become_workspace(layout):
                return cls(layout, settings)
        return cls.open(path, settings)

    @property
    def path(self) -> Path:
        """The workspace directory, absolute."""
        return self._layout.path

    @staticmethod
    def new_import_id(at: datetime) -> str:
        """An id nobody has used, which sorts by `at`: `20261121-201530-9f3a61`."""
        return f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"

    def head(self) -> Commit | None:
        """The newest commit; None in a workspace that was never written."""
        return self._log.head()

    def commits(self) -> list[Commit]:
        """All commits, the oldest first."""
        return [self._log.commit(number) for number in self._log.numbers()]

    def commit(self, number: int) -> Commit:
        """Commit `number`; `CommitNotFound` when there is none."""
        return self._log.commit(number)

    def files(self, table: str, at: int | None = None) -> list[str]:
        """Absolute paths of the live Parquet files as of commit `at` (default: the newest); [] if never written.

        Files never change, so a list once taken stays readable until vacuum lets go of its commit. Raises
        `CommitNotFound` when there is no such commit or vacuum has removed files of it.
        """
        name = declared_table(table).name
        commit = self._log.head() if at is None else self._log.commit(at)
        state = commit.table(name) if commit is not None else None
        if commit is None or state is None:
            return []
        return self._paths(commit, state)

    def scan(self, table: str, at: int | None = None) -> pl.LazyFrame:
        """Rows as of commit `at`: the declared columns in order and `import_id`, typed, also when there are none."""
        return scan_rows(declared_table(table), self.files(table, at))

    def read(self, table: str, at: int | None = None) -> pl.DataFrame:
        """`scan`, collected."""
        try:
            return self.scan(table, at).collect()
        except FileNotFoundError:  # Vacuum was faster than this reader: the newest commit is another one now.
            return self.scan(table, at).collect()

    def compare(
        self, table: str, frame: pl.DataFrame, *, given: Collection[str] | None = None, fills_gaps: bool = False
    ) -> Comparison:
        """What `Transaction.upsert` of `frame` would do now, without writing; the same errors."""
        declared = declared_table(table)
        head = self._log.head()
        state = head.table(table) if head is not None else None
        partial = Partial.of(declared, given, fills_gaps)
        entries = state.files if state is not None else ()
        return compare_rows(declared, self._layout.table(table), entries, frame, partial)

    def begin(self, import_id: str, kind: CommitKind, note: str = "", at: datetime | None = None) -> Transaction:
        """Begin changes that are published together under `import_id`, which no other import may have used."""
        check_name(import_id, "import id")
        if import_id.startswith(_RESERVED):
            raise BadInput(f"import id {import_id!r} begins with {', '.join(_RESERVED)}, which the store uses itself")
        return Transaction(self._layout, self._log, self._settings, Heading(kind, import_id, note, at))

    def undo(self, import_id: str, at: datetime | None = None) -> UndoResult:
        """Take an import out in a new commit and bring back what it replaced; keys changed later are kept and listed.

        Raises `CommitNotFound` when no such import changed anything, `StoreError` when it is undone already or is an
        undo itself.
        """
        return undo_import(self._layout, self._log, self._settings, import_id, at)

    def compact(self, at: datetime | None = None) -> CompactResult:
        """Merge small files of every table; done by itself above `settings.compact_above_files`."""
        return compact_tables(self._layout, self._log, self._settings, tuple(TABLES), at)

    def vacuum(self) -> VacuumResult:
        """Remove files that none of the newest `settings.keep_commits` commits needs, and what killed writers left."""
        remove_unpublished(self._layout, self._log, self._settings)
        return vacuum_tables(self._layout, self._log, self._settings)

    def disk_usage(self) -> DiskUsage:
        """Bytes on disk, by table and purpose."""
        return measure_disk(self._layout, self._log)

    def new_run(
        self, as_of: date, settings: str, version: str, commit: int | None = None, at: datetime | None = None
    ) -> RunWriter:
        """Begin a run that reads commit `commit` (default: the newest) with `settings`, a JSON document."""
        head = self._log.head() if commit is None else self._log.commit(commit)
        if head is None:
            raise CommitNotFound(f"{self.path}: nothing was imported yet, so there is nothing to compute; import first")
        try:
            msgspec.json.decode(settings)
        except msgspec.MsgspecError as error:
            raise BadInput(f"settings of the run are no JSON document: {error}") from error
        run = Run("", head.number, as_of, settings, version, at)
        return RunWriter(self._layout, self._settings, run)

    def runs(self) -> list[Run]:
        """All published runs, the oldest first."""
        return list_runs(self._layout)

    def run(self, run_id: str) -> Run:
        """One run; `CommitNotFound` when there is none."""
        return read_run(self._layout, run_id)

    def latest_run(self) -> Run | None:
        """The run published last; None when there is none."""
        return newest_run(self._layout)

    def result_files(self, run_id: str, table: str) -> list[str]:
        """Absolute paths of a result table's Parquet files; [] when the run did not write it."""
        return result_files(self._layout, run_id, table)

    def scan_result(self, run_id: str, table: str) -> pl.LazyFrame:
        """Rows of a result table with the declared columns in order, typed, also when there are none."""
        return scan_result(self._layout, run_id, table)

    def read_result(self, run_id: str, table: str) -> pl.DataFrame:
        """`scan_result`, collected."""
        return self.scan_result(run_id, table).collect()

    def read_attachment(self, run_id: str, name: str) -> bytes:
        """Content of a file the run attached; `CommitNotFound` when there is none of that name."""
        return read_attachment(self._layout, run_id, name)

    def _paths(self, commit: Commit, state: TableState) -> list[str]:
        directory = self._layout.table(state.name)
        paths = [directory / entry.name for entry in state.files]
        for path in paths:
            if not path.exists():
                raise CommitNotFound(
                    f"commit {commit.number}: a file of {state.name} is gone ({path.name}); vacuum keeps the "
                    f"newest store.keep_commits = {self._settings.keep_commits} commits"
                )
        return [str(path) for path in paths]
