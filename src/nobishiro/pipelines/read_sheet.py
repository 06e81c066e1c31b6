"""A small sheet that a person filled in and sends back: its cells as text, with the line each row stands on."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from nobishiro.contracts.errors import LayoutUnknown
from nobishiro.pipelines.upload_reading import UploadLimits, UploadOptions, load_raw, read_upload


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: `cells` by head, as text; an empty cell is ''."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet holds, and the rows that could not even be split: (line, why)."""

    heads: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    broken: tuple[tuple[int, str], ...]


def read_sheet(path: Path, name: str, most_rows: int = 100_000) -> Sheet:
    """Rows of an Excel, CSV or TSV file that was uploaded as `name`, parsed in a limited child process.

    Raises `FileTooLarge` past 20 MB or `most_rows`, `LayoutUnknown` when a head stands twice, and as reading does.
    """
    limits = UploadLimits(max_bytes=20_000_000, max_rows=most_rows, memory=2_000_000_000, seconds=60)
    with tempfile.TemporaryDirectory(prefix="nobishiro-sheet-") as place:
        read_upload(path, name, Path(place), UploadOptions(), limits)
        table = load_raw(Path(place))
    frame = table.frame.select(pl.all().cast(pl.String).fill_null(""))
    heads = tuple(head.strip() for head in frame.columns)
    if len(set(heads)) != len(heads):
        raise LayoutUnknown(f"{name}: two columns have the same head; give each its own")
    rows = tuple(
        SheetRow(int(line), {head: str(cell).strip() for head, cell in zip(heads, cells, strict=True)})
        for line, cells in zip(table.lines.to_list(), frame.iter_rows(), strict=True)
    )
    broken = tuple((int(row["line"]), str(row["reason"])) for row in table.rejected.iter_rows(named=True))
    return Sheet(heads, rows, broken)
