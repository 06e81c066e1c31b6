"""Parquet files of a table: written once, synced, never changed; read with the declared columns and types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.contracts.tables import ColumnType, Table
from nobishiro.engine.store.commits import FileEntry
from nobishiro.engine.store.disk import sync_file
from nobishiro.engine.store.types import stored_schema

FILE_ROWS: Final = 2_000_000
"""Rows in a full file: changing one row rewrites little, and 30 million rows are only 15 files."""
GROUP_ROWS: Final = 1 << 20
"""Rows in a row group."""


def write_rows(table: Table, frame: pl.DataFrame, directory: Path, name: str) -> FileEntry:
    """Write `frame` (stored columns) to `directory / name`, on the device when this returns, and describe it."""
    path = directory / name
    frame.write_parquet(path, compression="zstd", compression_level=1, row_group_size=GROUP_ROWS)
    sync_file(path)
    low, high = leading_range(table, frame)
    return FileEntry(name, frame.height, path.stat().st_size, low, high)


def leading_range(table: Table, frame: pl.DataFrame) -> tuple[str | None, str | None]:
    """Smallest and largest value of the leading key column; (None, None) when it is no text or there are no rows."""
    leading = table.key[0]
    if frame.is_empty() or table.column(leading).type is not ColumnType.TEXT:
        return None, None
    low, high = frame.select(pl.col(leading).min().alias("low"), pl.col(leading).max().alias("high")).row(0)
    return low, high


def may_hold(entry: FileEntry, low: str | None, high: str | None) -> bool:
    """Whether a file can hold a key between `low` and `high`."""
    if entry.low is None or entry.high is None or low is None or high is None:
        return True
    return entry.low <= high and low <= entry.high


def scan_rows(table: Table, paths: Sequence[Path | str]) -> pl.LazyFrame:
    """The stored columns in order, typed; null where a file is older than a column, undeclared ones left out."""
    schema = stored_schema(table)
    if not paths:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(
        [str(path) for path in paths],
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
        hive_partitioning=False,
    )


def file_slices(rows: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of the files `rows` rows are cut into."""
    for offset in range(0, rows, FILE_ROWS):
        yield offset, min(FILE_ROWS, rows - offset)
