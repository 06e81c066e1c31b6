"""What writing rows would do: which keys are new, changed, the same, or gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from nobishiro.contracts.tables import IMPORT_ID, Table
from nobishiro.engine.store.commits import FileEntry
from nobishiro.engine.store.parquet import leading_range, may_hold, scan_rows
from nobishiro.engine.store.partial import Partial, complete_rows
from nobishiro.engine.store.types import check_keys, conform, polars_schema

Int64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a write did or would do to one table. The key frames hold the key columns, in the order of the rows."""

    table: str
    new: int
    updated: int
    unchanged: int
    removed: int
    """Rows that go because their group (an order) came again without them."""
    new_keys: pl.DataFrame
    updated_keys: pl.DataFrame
    removed_keys: pl.DataFrame

    @property
    def changes_nothing(self) -> bool:
        """True when a write would leave the table as it is."""
        return self.new == self.updated == self.removed == 0


@dataclass(frozen=True, slots=True)
class FileMatch:
    """Rows of one file that incoming rows meet. `at_*` are row numbers in the file, `in_*` in the incoming frame."""

    at_same: Int64
    in_same: Int64
    at_changed: Int64
    in_changed: Int64
    at_lone: Int64
    """Rows of a group that came again, whose own key did not."""
    lone_keys: pl.DataFrame


def compare_rows(
    table: Table,
    directory: Path,
    entries: Sequence[FileEntry],
    frame: pl.DataFrame,
    partial: Partial | None = None,
) -> Comparison:
    """Compare `frame` with the rows of `entries` without writing; the same errors as `types.conform`."""
    incoming = conform(table, frame)
    check_keys(table, incoming)
    if partial is not None:
        incoming = complete_rows(table, incoming, _standing(table, directory, entries, incoming), partial)
    met, same = np.zeros(incoming.height, np.bool_), np.zeros(incoming.height, np.bool_)
    lone = []
    for _, match in match_files(table, directory, entries, incoming, by_group=True):
        met[match.in_same] = met[match.in_changed] = same[match.in_same] = True
        lone.append(match.lone_keys)
    return comparison_of(table, incoming, met, same, lone)


def comparison_of(
    table: Table, incoming: pl.DataFrame, met: Flags, same: Flags, lone: Sequence[pl.DataFrame]
) -> Comparison:
    """Sum up: `met` marks incoming rows whose key exists, `same` those that change nothing, `lone` are keys that go."""
    keys = incoming.select(table.key)
    empty = pl.DataFrame(schema={name: polars_schema(table)[name] for name in table.key})
    removed_keys = pl.concat([empty, *lone])
    new_keys = keys.filter(pl.Series(~met))
    updated_keys = keys.filter(pl.Series(met & ~same))
    return Comparison(
        table.name,
        new_keys.height,
        updated_keys.height,
        int(same.sum()),
        removed_keys.height,
        new_keys,
        updated_keys,
        removed_keys,
    )


def match_files(
    table: Table,
    directory: Path,
    entries: Sequence[FileEntry],
    incoming: pl.DataFrame,
    *,
    by_group: bool,
    with_owner: bool = False,
) -> list[tuple[FileEntry, FileMatch]]:
    """The files that hold a key of `incoming` (or, `by_group`, a row of its groups), each with what it holds.

    Rows are the same when all declared columns are (null equals null, NaN equals NaN); `with_owner` compares
    `import_id` as well. Files are looked at one after the other, so memory is bounded by one file and `incoming`.
    """
    if incoming.is_empty():
        return []
    match_on = table.replaced_by if by_group and table.replaced_by else table.key
    low, high = leading_range(table, incoming)
    wanted = incoming.select(match_on) if match_on == table.key else incoming.select(match_on).unique()
    found = []
    for entry in entries:
        if may_hold(entry, low, high):
            match = _match_file(table, directory / entry.name, incoming, wanted, with_owner)
            if match is not None:
                found.append((entry, match))
    return found


def keyed_rows(table: Table, path: Path, wanted: pl.DataFrame) -> pl.DataFrame | None:
    """Stored rows of one file that agree with a row of `wanted` on its columns; `_row` is the place in the file."""
    on = wanted.columns
    places = (
        scan_rows(table, [path])
        .select(on)
        .with_row_index("_row")
        .join(wanted.lazy(), on=on, how="semi", maintain_order="left")
        .select(pl.col("_row").cast(pl.Int64))
        .collect()["_row"]
    )
    if places.is_empty():
        return None
    everything = scan_rows(table, [path]).collect()
    if places.len() < everything.height:
        everything = everything[places]
    return everything.with_columns(places)


def _standing(table: Table, directory: Path, entries: Sequence[FileEntry], incoming: pl.DataFrame) -> pl.DataFrame:
    low, high = leading_range(table, incoming)
    keys = incoming.select(table.key)
    found = [keyed_rows(table, directory / entry.name, keys) for entry in entries if may_hold(entry, low, high)]
    empty = pl.DataFrame(schema=polars_schema(table))
    return pl.concat([empty, *(rows.select(table.column_names) for rows in found if rows is not None)])


def _match_file(
    table: Table, path: Path, incoming: pl.DataFrame, wanted: pl.DataFrame, with_owner: bool
) -> FileMatch | None:
    rows = keyed_rows(table, path, wanted)
    if rows is None:
        return None
    at = rows["_row"].to_numpy()
    pairs = (
        rows.lazy()
        .select(*table.key)
        .with_row_index("_there")
        .join(incoming.lazy().select(*table.key).with_row_index("_here"), on=table.key, how="inner")
        .select(pl.col("_there", "_here").cast(pl.Int64))
        .collect()
    )
    there, here = pairs["_there"], pairs["_here"]
    same = np.ones(pairs.height, np.bool_)
    for name in (*table.column_names, IMPORT_ID) if with_owner else table.column_names:
        if name not in table.key:
            same &= rows[name].gather(there).eq_missing(incoming[name].gather(here)).to_numpy()
    lone = np.ones(rows.height, np.bool_)
    lone[there.to_numpy()] = False
    places, numbers = at[there.to_numpy()], here.to_numpy()
    return FileMatch(
        at_same=places[same],
        in_same=numbers[same],
        at_changed=places[~same],
        in_changed=numbers[~same],
        at_lone=at[lone],
        lone_keys=rows.select(table.key).filter(pl.Series(lone)),
    )
