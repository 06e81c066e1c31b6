"""The changes one writer prepares for one table: marks on the rows that go, staged files with the rows that come."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from nobishiro.contracts.tables import IMPORT_ID, Table
from nobishiro.engine.store.commits import FileEntry, TableChange
from nobishiro.engine.store.comparison import Comparison, comparison_of, keyed_rows, match_files
from nobishiro.engine.store.layout import Staging
from nobishiro.engine.store.parquet import file_slices, leading_range, may_hold, scan_rows, write_rows
from nobishiro.engine.store.partial import Partial, complete_rows
from nobishiro.engine.store.types import polars_schema

_UNTOUCHED: Final = 0
_CONFIRMED: Final = 1
"""Came again, the same."""
_UPDATED: Final = 2
"""Came again, different: the new row is staged."""
_GONE: Final = 3
"""Its group came again without it; a later part of the same file may still bring it."""
_DELETED: Final = 4
"""Taken out by name."""

Marks = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A table ready to be published: its full list of files, and which of them and of the records are still staged."""

    table: Table
    files: tuple[FileEntry, ...]
    fresh: tuple[Path, ...]
    records: tuple[Path, ...]
    change: TableChange


@dataclass(slots=True)
class _Staged:
    entry: FileEntry
    dropped: npt.NDArray[np.bool_]


@dataclass(slots=True)
class TableChanges:
    """Changes to `table` on top of `base`, the files of the commit the writer looked at."""

    table: Table
    directory: Path
    base: tuple[FileEntry, ...]
    staging: Staging
    _marks: dict[str, Marks] = field(default_factory=dict)
    _staged: list[_Staged] = field(default_factory=list)

    def put(self, incoming: pl.DataFrame, *, by_group: bool = True, with_owner: bool = False) -> Comparison:
        """Stage what `incoming` (stored columns, each key once) changes and say what that is.

        Several calls act like one with all rows: a group cut in two by them keeps both halves, and of a key that comes
        twice the later row counts.
        """
        met, same = np.zeros(incoming.height, np.bool_), np.zeros(incoming.height, np.bool_)
        lone = []
        for entry, match in match_files(
            self.table, self.directory, self.base, incoming, by_group=by_group, with_owner=with_owner
        ):
            marks = self._marks_of(entry)
            marks[match.at_same] = _CONFIRMED
            marks[match.at_changed] = _UPDATED
            going = marks[match.at_lone] == _UNTOUCHED
            marks[match.at_lone[going]] = _GONE
            lone.append(match.lone_keys.filter(pl.Series(going)))
            met[match.in_same] = met[match.in_changed] = same[match.in_same] = True
        self._drop_staged(incoming.select(self.table.key))
        rows = incoming if not same.any() else incoming.filter(pl.Series(~same))
        for offset, length in file_slices(rows.height):
            entry = self._write(rows.slice(offset, length))
            self._staged.append(_Staged(entry, np.zeros(entry.rows, np.bool_)))
        return comparison_of(self.table, incoming, met, same, lone)

    def completed(self, incoming: pl.DataFrame, partial: Partial) -> pl.DataFrame:
        """`incoming` (declared columns, each key once) with what stands where it says nothing."""
        return complete_rows(self.table, incoming, self._standing(incoming.select(self.table.key)), partial)

    def remove(self, keys: pl.DataFrame) -> int:
        """Take the rows of `keys` (each once) out, staged ones too; returns how many there were."""
        removed = self._drop_staged(keys)
        low, high = leading_range(self.table, keys)
        for entry in self.base:
            rows = keyed_rows(self.table, self.directory / entry.name, keys) if may_hold(entry, low, high) else None
            if rows is None:
                continue
            marks, at = self._marks_of(entry), rows["_row"].to_numpy()
            removed += int((marks[at] <= _CONFIRMED).sum())
            marks[at] = _DELETED
        return removed

    def remove_owned(self, import_id: str) -> int:
        """Take out every row that `import_id` wrote; returns how many there were."""
        removed = 0
        for entry in self.base:
            owners = scan_rows(self.table, [self.directory / entry.name]).select(pl.col(IMPORT_ID) == import_id)
            owned = owners.collect().to_series().fill_null(value=False).to_numpy()
            if owned.any():
                removed += int(owned.sum())
                self._marks_of(entry)[owned] = _DELETED
        return removed

    def finish(self, *, keep_records: bool = True) -> Prepared | None:
        """Write what is left to write and hand the table over; None when nothing changes."""
        files: list[FileEntry] = []
        fresh: list[Path] = []
        records: list[Path] = []
        updated = removed = new = 0
        for entry in self.base:
            marks = self._marks.get(entry.name)
            going = None if marks is None else marks >= _UPDATED
            if marks is None or going is None or not going.any():
                files.append(entry)
                continue
            updated += int((marks == _UPDATED).sum())
            removed += int((marks > _UPDATED).sum())
            if not keep_records and going.all():
                continue
            kept, gone = _split(scan_rows(self.table, [self.directory / entry.name]).collect(), going)
            if keep_records:
                records.append(self.staging.path / self._write(gone).name)
            if kept.height:
                files.append(self._write(kept))
                fresh.append(self.staging.path / files[-1].name)
        for staged in self._staged:
            entry = staged.entry
            if staged.dropped.any():
                rows, _ = _split(scan_rows(self.table, [self.staging.path / entry.name]).collect(), staged.dropped)
                (self.staging.path / entry.name).unlink()
                if rows.is_empty():
                    continue
                entry = self._write(rows)
            new += entry.rows
            files.append(entry)
            fresh.append(self.staging.path / entry.name)
        if not fresh and not removed:
            return None
        change = TableChange(self.table.name, new - updated, updated, removed)
        return Prepared(self.table, tuple(files), tuple(fresh), tuple(records), change)

    def discard(self) -> None:
        """Remove what was staged, so that the changes can be made again on another base."""
        for staged in self._staged:
            (self.staging.path / staged.entry.name).unlink(missing_ok=True)
        self._staged.clear()
        self._marks.clear()

    def _marks_of(self, entry: FileEntry) -> Marks:
        return self._marks.setdefault(entry.name, np.zeros(entry.rows, np.uint8))

    def _standing(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The declared columns of the rows of `keys` as they are with what was put and removed so far."""
        low, high = leading_range(self.table, keys)
        found = [pl.DataFrame(schema=polars_schema(self.table))]
        places = [(self.directory, entry, self._marks_of(entry) > _CONFIRMED) for entry in self.base]
        places += [(self.staging.path, staged.entry, staged.dropped) for staged in self._staged]
        for directory, entry, gone in places:
            rows = keyed_rows(self.table, directory / entry.name, keys) if may_hold(entry, low, high) else None
            if rows is not None:
                stays = pl.Series(~gone[rows["_row"].to_numpy()])
                found.append(rows.filter(stays).select(self.table.column_names))
        return pl.concat(found)

    def _drop_staged(self, keys: pl.DataFrame) -> int:
        dropped = 0
        low, high = leading_range(self.table, keys)
        for staged in self._staged:
            if not may_hold(staged.entry, low, high):
                continue
            rows = keyed_rows(self.table, self.staging.path / staged.entry.name, keys)
            if rows is not None:
                at = rows["_row"].to_numpy()
                dropped += int((~staged.dropped[at]).sum())
                staged.dropped[at] = True
        return dropped

    def _write(self, rows: pl.DataFrame) -> FileEntry:
        return write_rows(self.table, rows, self.staging.path, self.staging.new_path(self.table.name).name)


def owned_by(rows: pl.DataFrame, import_id: str) -> pl.DataFrame:
    """`rows` with `import_id` as the last column."""
    return rows.with_columns(pl.lit(import_id, pl.String).alias(IMPORT_ID))


def _split(rows: pl.DataFrame, going: npt.NDArray[np.bool_]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return rows.filter(pl.Series(~going)), rows.filter(pl.Series(going))
