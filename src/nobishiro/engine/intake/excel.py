"""Excel workbooks to rows: the sheet chosen, merged cells respected, cells as the text people see."""

from __future__ import annotations

import html
import re
import zipfile
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge, LayoutUnknown, UnknownName
from nobishiro.contracts.protocols import ProgressReport
from nobishiro.engine.intake.body import Body, shape_body
from nobishiro.engine.intake.layout import HEAD_ROWS, HeadRow, clean_cell, find_header
from nobishiro.engine.intake.raw import REJECTED_SCHEMA, RawTable, ReadGuess, ReadOptions
from nobishiro.engine.intake.workbook import Page, dump_pages, sheet_names
from nobishiro.engine.settings import ImportSettings

_SHEET_TAG: Final = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION: Final = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_MERGE: Final = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_MIDNIGHT: Final = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"


def list_sheets(path: Path, settings: ImportSettings) -> tuple[str, ...]:
    """Names of the sheets in their order. Raises `FileNotUsable`, `FileTooLarge`."""
    return sheet_names(path, memory=settings.max_workbook_memory, seconds=settings.max_workbook_seconds)


def read_excel(path: Path, options: ReadOptions, settings: ImportSettings, progress: ProgressReport) -> RawTable:
    """Rows of one sheet of an .xlsx or .xls workbook.

    Raises `FileNotUsable`, `FileTooLarge`, `LayoutUnknown`, `UnknownName` for a sheet that is not there.
    """
    progress(f"reading {path.name}", 0, 0)
    with TemporaryDirectory(prefix="nobishiro-") as folder:
        sheets, pages = dump_pages(
            path,
            Path(folder),
            options.sheet,
            memory=settings.max_workbook_memory,
            seconds=settings.max_workbook_seconds,
        )
        if options.sheet is not None and not pages:
            raise UnknownName(f'{path.name} has no sheet "{options.sheet}"; it has: {", ".join(sheets)}')
        page, grid, note = _choose_page(path.name, pages, options.sheet)
    sheet = page.name
    source = path.name if len(sheets) == 1 else f"{path.name} [{sheet}]"
    if grid.width > settings.max_columns:
        used = [name for name in grid.columns if grid[name].null_count() < grid.height]
        if len(used) > settings.max_columns:
            raise FileTooLarge(
                f"{source} has {len(used):,} columns, more than the limit of {settings.max_columns:,}; "
                "leave columns out or raise imports.max_columns"
            )
    names = [f"c{index}" for index in range(grid.width)]
    grid = _as_seen(grid.rename(dict(zip(grid.columns, names, strict=True))))
    head = [
        HeadRow(line, tuple(clean_cell(cell) for cell in row))
        for line, row in enumerate(grid.head(max(HEAD_ROWS, options.header_row or 0)).iter_rows(), start=1)
    ]
    header = find_header(head, source, options.header_row)
    lines = pl.Series("line", range(1, grid.height + 1), pl.Int64)
    below = lines > header.last_line
    frame, lines = grid.filter(below), lines.filter(below)
    frame, lines, rejected = _without_long_cells(frame, lines, settings)
    merged = _vertical_merges(path, sheet, page.first_column)
    guess = ReadGuess("excel", sheet=sheet, sheets=sheets, notes=(note,) if note else ())
    body = Body(frame, lines, (), rejected, merged)
    table = shape_body(source, body, header, guess, options, (sheet, path.stem))
    progress(f"reading {path.name}", 1, 1)
    return table


def _choose_page(source: str, pages: list[Page], wanted: str | None) -> tuple[Page, pl.DataFrame, str]:
    if not pages:
        raise FileNotUsable(f"{source} holds no sheet; save it again in Excel")
    if wanted is not None:
        return pages[0], _grid(pages[0]), f'sheet "{wanted}": as you said'
    if len(pages) == 1:
        return pages[0], _grid(pages[0]), ""
    counts = {page.name: _table_rows(_grid(page)) for page in pages}
    best = max(pages, key=lambda page: counts[page.name])
    if counts[best.name] == 0:
        raise LayoutUnknown(f"{source}: none of its sheets ({', '.join(counts)}) holds a table")
    others = ", ".join(f"{name}: {rows:,}" for name, rows in counts.items() if name != best.name)
    note = f'sheet "{best.name}": most rows that look like a table ({counts[best.name]:,}; {others})'
    return best, _grid(best), note


def _grid(page: Page) -> pl.DataFrame:
    with page.file.open("rb") as stream:  # read, not mapped: the folder is gone afterwards
        return pl.read_ipc(stream)


def _table_rows(frame: pl.DataFrame) -> int:
    """Rows about as wide as the table; a sheet of one column is a note, not a table."""
    if frame.width == 0 or frame.height == 0:
        return 0
    filled = frame.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32)).alias("n"))["n"]
    many = filled.filter(filled > 1)
    if many.len() == 0:
        return 0
    usual = Counter(many.head(5_000).to_list()).most_common(1)[0][0]
    return int((many >= max(2, round(0.6 * usual))).sum())


def _as_seen(grid: pl.DataFrame) -> pl.DataFrame:
    """Dates without a time lose the midnight that the file format adds; cells of blanks are empty."""
    return grid.with_columns(
        pl.when(pl.all().str.strip_chars(" \t\r\n\u3000") == "")
        .then(None)
        .otherwise(pl.all().str.replace(_MIDNIGHT, "${1}"))
        .name.keep()
    )


def _without_long_cells(
    frame: pl.DataFrame, lines: pl.Series, settings: ImportSettings
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    empty = pl.DataFrame(schema=REJECTED_SCHEMA)
    if frame.height == 0:
        return frame, lines, empty
    longest = frame.select(pl.max_horizontal(pl.all().str.len_bytes()).alias("n"))["n"]
    long = (longest > settings.max_cell_bytes).fill_null(value=False)
    if not long.any():
        return frame, lines, empty
    texts = [" ".join(cell[:200] for cell in row if cell is not None) for row in frame.filter(long).iter_rows()]
    reason = f"a cell is longer than {settings.max_cell_bytes:,} bytes; shorten it or raise imports.max_cell_bytes"
    rejected = pl.DataFrame(
        {"line": lines.filter(long).to_list(), "text": texts, "reason": [reason] * len(texts)}, schema=REJECTED_SCHEMA
    )
    return frame.filter(~long), lines.filter(~long), rejected


def _vertical_merges(path: Path, sheet: str, offset: int) -> tuple[tuple[int, int, int], ...] | None:
    """(column, first row, last row) of cells merged downwards, columns counted from the first used one."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = _sheet_part(archive, sheet)
            if part is None:
                return None
            found = []
            with archive.open(part) as stream:
                tail = b""
                while chunk := stream.read(1 << 20):
                    text = tail + chunk
                    if b"mergeCell" in text:
                        text += stream.read()
                        found = _MERGE.findall(text)
                        break
                    tail = text[-64:]
    except (zipfile.BadZipFile, KeyError):
        return None
    merges = []
    for left, top, right, bottom in found:
        first, last = int(top), int(bottom)
        if last > first:
            merges += [(column - offset, first, last) for column in range(_column(left), _column(right) + 1)]
    return tuple(merges)


def _sheet_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    names = set(archive.namelist())
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    wanted = None
    for tag in _SHEET_TAG.findall(archive.read("xl/workbook.xml")):
        if _attribute(tag, rb"name") == sheet:
            wanted = _attribute(tag, rb"\w+:id")
    for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels")):
        if wanted is not None and _attribute(tag, rb"Id") == wanted:
            target = _attribute(tag, rb"Target") or ""
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return part if part in names else None
    return None


def _attribute(tag: bytes, name: bytes) -> str | None:
    found = re.search(rb"\s" + name + rb'\s*=\s*"([^"]*)"', tag)
    return html.unescape(found.group(1).decode("utf-8", "replace")) if found else None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
