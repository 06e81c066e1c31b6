"""Results of a run: written apart, published in one step, read by their declared columns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import polars as pl

from nobishiro.contracts.errors import BadInput, CommitNotFound, StoreError, UnknownName
from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import Table
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store.disk import disk_errors, sync_directory, sync_file, write_replacing
from nobishiro.engine.store.layout import Layout, Staging, check_name, writer_lock
from nobishiro.engine.store.types import conform, polars_schema

_GROUP_ROWS: Final = 1 << 15
"""Rows in a row group: results are sorted by customer, and a page that asks for one customer skips all other groups."""


class ResultTable(msgspec.Struct, frozen=True):
    """One result table of a run."""

    name: str
    rows: int
    files: tuple[str, ...]


class Run(msgspec.Struct, frozen=True):
    """What a run read, with which settings, and what it left. The content of `run.json`."""

    run_id: str
    """Six digits, counted up: the greatest is the latest."""
    commit: int
    """The commit whose facts were read."""
    as_of: date
    settings: str
    """The settings used, as a JSON document."""
    version: str
    """Version of Nobishiro that computed it."""
    at: datetime | None = None
    tables: tuple[ResultTable, ...] = ()
    attachments: tuple[str, ...] = ()

    def table(self, name: str) -> ResultTable | None:
        """One result table; None when the run did not write it."""
        for table in self.tables:
            if table.name == name:
                return table
        return None


class RunWriter:
    """A run being written. Use it in a `with`; leaving without `publish` discards everything."""

    def __init__(self, layout: Layout, settings: StoreSettings, run: Run) -> None:
        self._layout: Final = layout
        self._settings: Final = settings
        self._run: Final = run
        self._tables: Final[dict[str, ResultTable]] = {}
        self._attachments: Final[list[str]] = []
        self._ended = False
        with disk_errors(layout.path):
            self._staging: Final = Staging(layout)
            self._directory: Final = self._staging.path / "run"
            self._directory.mkdir()

    @property
    def commit(self) -> int:
        """The commit this run reads."""
        return self._run.commit

    def write(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a result table, with the declared columns and types; may be called again with more rows."""
        self._check_open()
        declared = result_table(table)
        rows = conform(declared, frame)
        known = self._tables.get(table, ResultTable(table, 0, ()))
        name = f"{table}-{len(known.files) + 1:04d}.parquet"
        with disk_errors(self._layout.path):
            rows.write_parquet(
                self._directory / name, compression="zstd", compression_level=1, row_group_size=_GROUP_ROWS
            )
            sync_file(self._directory / name)
        self._tables[table] = ResultTable(table, known.rows + rows.height, (*known.files, name))

    def attach(self, name: str, content: bytes) -> None:
        """Add a small file, such as thresholds as JSON; each name once."""
        self._check_open()
        check_name(name, "attachment")
        if name in self._attachments or (self._directory / name).exists():
            raise BadInput(f"attachment {name} is there already; give every attachment a name of its own")
        with disk_errors(self._layout.path):
            write_replacing(self._directory / name, content)
        self._attachments.append(name)

    def publish(self) -> Run:
        """Make the run visible in one step, under the next number."""
        self._check_open()
        try:
            with disk_errors(self._layout.path), writer_lock(self._layout, self._settings.lock_wait_seconds):
                numbers = _numbers(self._layout)
                run = msgspec.structs.replace(
                    self._run,
                    run_id=f"{(numbers[-1] if numbers else 0) + 1:06d}",
                    tables=tuple(self._tables.values()),
                    attachments=tuple(self._attachments),
                )
                write_replacing(self._directory / "run.json", msgspec.json.format(msgspec.json.encode(run), indent=1))
                os.rename(self._directory, self._layout.runs / run.run_id)  # noqa: PTH104  (refuses a full target)
                sync_directory(self._layout.runs)
                return run
        finally:
            self.close()

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

    def _check_open(self) -> None:
        if self._ended:
            raise StoreError("this run has ended; begin a new one")


def list_runs(layout: Layout) -> list[Run]:
    """All published runs, the oldest first."""
    return [read_run(layout, f"{number:06d}") for number in _numbers(layout)]


def newest_run(layout: Layout) -> Run | None:
    """The run published last; None when there is none."""
    numbers = _numbers(layout)
    return read_run(layout, f"{numbers[-1]:06d}") if numbers else None


def read_run(layout: Layout, run_id: str) -> Run:
    """One run; `CommitNotFound` when there is none."""
    check_name(run_id, "run")
    path = layout.runs / run_id / "run.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except FileNotFoundError:
        raise CommitNotFound(f"{layout.path}: there is no run {run_id}; `Store.runs` lists all") from None
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}: cannot be read ({error}); compute the run again") from error


def result_files(layout: Layout, run_id: str, table: str) -> list[str]:
    """Absolute paths of a result table's Parquet files; [] when the run did not write it."""
    found = read_run(layout, run_id).table(result_table(table).name)
    return [str(layout.runs / run_id / name) for name in found.files] if found is not None else []


def scan_result(layout: Layout, run_id: str, table: str) -> pl.LazyFrame:
    """Rows of a result table in the order written, with the declared columns and types, also when there are none."""
    declared = result_table(table)
    paths = result_files(layout, run_id, table)
    schema = polars_schema(declared)
    if not paths:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(paths, schema=schema, missing_columns="insert", extra_columns="ignore", glob=False)


def read_attachment(layout: Layout, run_id: str, name: str) -> bytes:
    """Content of an attachment; `CommitNotFound` when the run has none of that name."""
    run = read_run(layout, run_id)
    if name not in run.attachments:
        raise CommitNotFound(f"run {run_id} has no attachment {name}; it has {_listed(run.attachments)}")
    return (layout.runs / run_id / name).read_bytes()


def result_table(name: str) -> Table:
    """The result table called `name`; `UnknownName` listing those that exist."""
    if name not in RESULTS:
        raise UnknownName(f"there is no result table {name!r}; there are {', '.join(RESULTS)}")
    return RESULTS[name]


def _numbers(layout: Layout) -> list[int]:
    if not layout.runs.is_dir():
        return []
    return sorted(int(path.name) for path in Path(layout.runs).iterdir() if path.name.isdigit())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"
