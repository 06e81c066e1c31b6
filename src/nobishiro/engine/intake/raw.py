"""What reading a file hands to mapping: its cells as they stand, with the line each row has in an editor or Excel."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

SKIP_REASONS = ("title", "subtotal", "blank", "repeated_header")
"""Why a row is no data: a title above the header, a 小計 / 合計 row, an empty row, the header printed again."""

REJECTED_SCHEMA = pl.Schema({"line": pl.Int64, "text": pl.String, "reason": pl.String})
"""Columns of `RawTable.rejected`: where the row stands, its original text (cut when very long), why and what to do."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about a file; None leaves it to the guess, anything else overrides it."""

    encoding: str | None = None
    """`utf-8`, `utf-16`, `cp932` (Shift_JIS means this too), `euc_jp` or another name Python knows."""
    delimiter: str | None = None
    """One character: `,` `;` tab or `|` are found by themselves."""
    header_row: int | None = None
    """Line of the (first) header row, counted from 1 as an editor or Excel shows it."""
    sheet: str | None = None
    """Name of the Excel sheet."""
    layout: str | None = None
    """`list` (one record a row) or `cross` (months across the top)."""
    query: str | None = None
    """A SELECT (or a table name) for a database."""


@dataclass(frozen=True, slots=True)
class EncodingGuess:
    """Which encoding reads a file, and why it was chosen."""

    encoding: str
    """Python's name of it; `utf-8-sig`, `utf-16-le` and `utf-16-be` when a byte order mark says so."""
    bom_bytes: int
    """Length of the byte order mark, 0 without one."""
    reason: str
    """In plain words."""
    undecodable_lines: tuple[int, ...] = ()
    """Lines (from 1) that this encoding cannot read; at most one in a hundred, else no encoding is chosen."""


@dataclass(frozen=True, slots=True)
class ReadGuess:
    """How a source was read; shown to the user, who may override each part with `ReadOptions`."""

    kind: str
    """`csv`, `excel`, `parquet` or `database`."""
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    header_row: int | None = None
    """Line of the header (the first of two levels); None for Parquet and databases."""
    layout: str = "list"
    """`list` or `cross`."""
    notes: tuple[str, ...] = ()
    """What was decided and why, in plain words."""


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that is no data and was left out on purpose."""

    line: int
    reason: str
    """One of `SKIP_REASONS`."""
    text: str


@dataclass(frozen=True, slots=True)
class RawTable:
    """The rows of one source, before anything is interpreted."""

    source: str
    """File name (or the database without its password) for messages."""
    frame: pl.DataFrame
    """Columns are the headers as written, stripped and made unique. CSV and Excel: all String, an empty cell is null;
    Excel dates are `YYYY-MM-DD` (with ` HH:MM:SS` where the cell has a time), whole numbers have no point.
    Parquet and database columns keep their own types."""
    lines: pl.Series
    """Int64, one per row of `frame`: the line an editor or Excel shows (the first line of a record that spans several).
    Rows of Parquet and databases count from 1."""
    guess: ReadGuess
    skipped: tuple[SkippedRow, ...]
    rejected: pl.DataFrame
    """Rows that could not be split into the columns; see `REJECTED_SCHEMA`."""


def no_rejected() -> pl.DataFrame:
    """An empty table of rejected rows."""
    return pl.DataFrame(schema=REJECTED_SCHEMA)
