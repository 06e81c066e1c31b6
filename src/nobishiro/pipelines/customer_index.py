"""Large tables of what happened, sorted by customer beside the store, so that a page need not scan millions of rows.

A copy that can be thrown away at any time: it is named after the store's files it was made of, which never change. One
that does not fit the newest commit is not found, and the store itself is read. Small row groups let a reader skip all
but one.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from nobishiro.contracts.protocols import ProgressReport, no_progress

if TYPE_CHECKING:
    from nobishiro.engine.workspace import Workspace

INDEXED: Final = ("order_lines", "touches", "proposals", "survey_answers", "tickets")
SMALLEST: Final = 200_000
"""Tables with fewer rows are read as fast without."""
_PART_ROWS: Final = 5_000_000
"""Rows sorted at a time: the memory it takes stays the same however large the table is."""
_GROUP_ROWS: Final = 1 << 14
_OWNER: Final = "_owner"


def build_index(
    workspace: Workspace, directory: Path, progress: ProgressReport = no_progress, *, smallest: int = SMALLEST
) -> tuple[str, ...]:
    """Index the large tables of the newest commit into `directory`; the names of those indexed now.

    What older commits and killed builders left is removed. One builder at a time: another's unfinished work is lost,
    and it fails.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.glob("*.parquet.*"):
        path.unlink(missing_ok=True)
    current: set[str] = set()
    built = []
    for at, table in enumerate(INDEXED):
        progress("index", at, len(INDEXED))
        files, rows = _files(workspace, table)
        if rows < smallest:
            continue
        parts = max(1, -(-rows // _PART_ROWS))
        names = [_name(table, files, parts, part) for part in range(parts)]
        current.update(names)
        if all((directory / name).exists() for name in names):
            continue
        _write(workspace, table, directory, names)
        built.append(table)
    for path in directory.glob("*.parquet"):
        if path.name not in current:
            path.unlink(missing_ok=True)
    return tuple(built)


def indexed_rows(
    workspace: Workspace, directory: Path, table: str, codes: Sequence[str], columns: Sequence[str]
) -> pl.LazyFrame | None:
    """The rows of these customers from the index, lazily; None where there is none for the newest commit."""
    files, rows = _files(workspace, table)
    parts = max(1, -(-rows // _PART_ROWS))
    wanted = {_part(code, parts) for code in codes}
    paths = [directory / _name(table, files, parts, part) for part in sorted(wanted)]
    if not paths or not all(path.exists() for path in paths):
        return None
    mine = pl.col(_OWNER) == codes[0] if len(codes) == 1 else pl.col(_OWNER).is_in(list(codes))
    return pl.scan_parquet(paths, glob=False).filter(mine).select(columns)


def _files(workspace: Workspace, table: str) -> tuple[tuple[str, ...], int]:
    head = workspace.store.head()
    state = head.table(table) if head is not None else None
    if state is None:
        return (), 0
    return tuple(entry.name for entry in state.files), sum(entry.rows for entry in state.files)


def _name(table: str, files: Sequence[str], parts: int, part: int) -> str:
    made_of = sha256("\n".join(sorted(files)).encode()).hexdigest()[:20]
    return f"{table}-{made_of}-{part + 1}of{parts}.parquet"


def _part(code: str, parts: int) -> int:
    return zlib.crc32(code.encode()) % parts


def _write(workspace: Workspace, table: str, directory: Path, names: Sequence[str]) -> None:
    customer = pl.col("customer_id")
    owner = pl.coalesce("end_customer_id", customer) if table == "order_lines" else customer
    rows = workspace.store.scan(table).with_columns(owner.alias(_OWNER)).filter(pl.col(_OWNER).is_not_null())
    place = None
    if len(names) > 1:
        owners = rows.select(pl.col(_OWNER).unique()).collect(engine="streaming").to_series()
        place = pl.LazyFrame(
            {_OWNER: owners, "_part": pl.Series([_part(str(code), len(names)) for code in owners], dtype=pl.Int64)}
        )
    for part, name in enumerate(names):
        mine = rows
        if place is not None:
            mine = rows.join(place.filter(pl.col("_part") == part).select(_OWNER), on=_OWNER, how="semi")
        unfinished = directory / f"{name}.{os.getpid()}"
        try:
            mine.sort(_OWNER).sink_parquet(
                unfinished, compression="zstd", compression_level=1, row_group_size=_GROUP_ROWS, mkdir=False
            )
            unfinished.replace(directory / name)
        finally:
            unfinished.unlink(missing_ok=True)
