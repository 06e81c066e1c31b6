"""A small sheet that a person filled in and sends back: its cells as text, with the line each row stands on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from nobishiro.contracts.errors import FileTooLarge, LayoutUnknown
from nobishiro.engine.intake.sources import read_source
from nobishiro.engine.settings import ImportSettings


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


def read_sheet(path: Path, most_rows: int = 100_000) -> Sheet:
    """Rows of an Excel, CSV or TSV file, parsed within the limits of an import (a workbook in a process of its own).

    Raises `FileTooLarge` past 30 MB or `most_rows`, `LayoutUnknown` when the same head stands twice, and as reading does.
    """
    settings = ImportSettings(max_file_bytes=30_000_000, max_workbook_memory=2_000_000_000, max_workbook_seconds=60.0)
    table = read_source(path, settings=settings)
    frame = table.frame.select(pl.all().cast(pl.String).fill_null(""))
    if frame.height > most_rows:
        raise FileTooLarge(f"{path.name}: {frame.height:,} rows; send at most {most_rows:,} at a time")
    heads = tuple(frame.columns)
    if len({head.strip() for head in heads}) != len(heads):
        raise LayoutUnknown(f"{path.name}: two columns have the same head; give each its own")
    rows = tuple(
        SheetRow(int(line), {head.strip(): str(cell).strip() for head, cell in row.items()})
        for line, row in zip(table.lines.to_list(), frame.iter_rows(named=True), strict=True)
    )
    broken = tuple((int(row["line"]), str(row["reason"])) for row in table.rejected.iter_rows(named=True))
    return Sheet(heads, rows, broken)
