"""Every table out to CSV, Excel or Parquet, so that importing the file again changes nothing.

CSV text that a spreadsheet would run as a formula gets an apostrophe in front; importing our own export takes it off.
What an encoding cannot hold is written as 〓 and named cell by cell.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter

from nobishiro.contracts.errors import FileNotUsable, UnknownName
from nobishiro.contracts.tables import Column, ColumnType, Table
from nobishiro.engine.intake.texts import protect
from nobishiro.engine.intake.whole_file import whole_file

EXPORT_ENCODINGS: Final = ("utf-8-sig", "utf-8", "utf-16", "cp932", "euc_jp")
HEADERS: Final = ("ja", "en", "name")
_REPLACEMENT: Final = "〓"
_EXCEL_CELL: Final = 32_767
_EXCEL_ROWS: Final = 1_048_575
_NUMBERS: Final = (ColumnType.INTEGER, ColumnType.QUANTITY, ColumnType.MONEY, ColumnType.RATE, ColumnType.SCORE)


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A cell that the file cannot hold as it is."""

    line: int
    """Line in the file, the header being line 1."""
    column: str
    """Header of the column."""
    value: str
    what: str
    """The characters that do not fit, or why."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written."""

    path: Path
    rows: int
    unwritable: tuple[Unwritable, ...]


def header_of(column: Column, headers: str) -> str:
    """The header of a column: its Japanese label, its English one, or its canonical name."""
    return {"ja": column.ja, "en": column.en, "name": column.name}[headers]


def export_table(
    table: Table,
    frame: pl.DataFrame,
    path: Path,
    *,
    encoding: str = "utf-8-sig",
    headers: str = "ja",
) -> ExportReport:
    """Write `frame` (canonical columns of `table`) to `path`; its ending chooses .csv, .tsv, .xlsx or .parquet.

    The file appears whole or not at all. Raises `UnknownName` for an ending, encoding or header style that does not
    exist, `FileNotUsable` when the directory cannot be written, `DiskFull` when there is no space.
    """
    if headers not in HEADERS:
        raise UnknownName(f"headers {headers!r} are not known; use one of {', '.join(HEADERS)}")
    if encoding not in EXPORT_ENCODINGS:
        raise UnknownName(f"encoding {encoding!r} is not known; use one of {', '.join(EXPORT_ENCODINGS)}")
    writers: dict[str, Callable[[Path], tuple[Unwritable, ...]]] = {
        ".csv": lambda to: _write_delimited(table, frame, to, encoding, headers, ","),
        ".tsv": lambda to: _write_delimited(table, frame, to, encoding, headers, "\t"),
        ".xlsx": lambda to: _write_excel(table, frame, to, headers),
        ".parquet": lambda to: _write_parquet(table, frame, to),
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UnknownName(f"{path.name}: do not know how to write {path.suffix or 'a file without an ending'}; "
                          f"use one of {', '.join(writers)}")  # fmt: skip
    with whole_file(path, "choose a directory you may write to") as part:
        unwritable = writer(part)
    return ExportReport(path, frame.height, unwritable)


def find_unwritable(frame: pl.DataFrame, encoding: str) -> tuple[Unwritable, ...]:
    """The text cells that `encoding` would change or refuse, in file order; columns are called as in `frame`.

    Reading back what was written decides, because Python's cp932 takes 〜 and − and gives back ～ and －.
    """
    found: list[Unwritable] = []
    for name in frame.columns:
        if frame[name].dtype != pl.String:
            continue
        distinct = frame[name].drop_nulls().unique()
        if _survives("\n".join(distinct.to_list()), encoding):
            continue
        bad = [value for value in distinct.to_list() if not _survives(value, encoding)]
        where = frame.select(pl.col(name).alias("value")).with_row_index("line", offset=2)
        for line, value in where.filter(pl.col("value").is_in(bad)).iter_rows():
            lost = dict.fromkeys(character for character in value if not _survives(character, encoding))
            found.append(Unwritable(line, name, value, " ".join(lost)))
    return tuple(sorted(found, key=lambda cell: (cell.line, frame.columns.index(cell.column))))


def _survives(text: str, encoding: str) -> bool:
    try:
        written = text.encode(encoding)
        # Three-byte characters (JIS X 0212) are read by few systems, and make a short EUC-JP file look like CP932.
        return written.decode(encoding) == text and not (encoding == "euc_jp" and b"\x8f" in written)
    except UnicodeError:
        return False


def _as_text(column: Column, headers: str) -> pl.Expr:
    """The column as the text a CSV holds; every value reads back the same."""
    value = pl.col(column.name)
    match column.type:
        case ColumnType.TEXT:
            value = protect(value)
        case ColumnType.MOMENT:
            value = value.dt.strftime("%Y-%m-%d %H:%M:%S%.6f").str.replace(r"\.000000$", "")
        case ColumnType.DAY:
            value = value.dt.strftime("%Y-%m-%d")
        case ColumnType.FLAG:
            value = pl.when(value).then(pl.lit("1")).when(~value).then(pl.lit("0"))
        case _:
            value = value.cast(pl.String)
    return value.alias(header_of(column, headers))


def _write_delimited(
    table: Table, frame: pl.DataFrame, path: Path, encoding: str, headers: str, delimiter: str
) -> tuple[Unwritable, ...]:
    texts = frame.select(_as_text(column, headers) for column in table.columns)
    unwritable = find_unwritable(texts, encoding)
    if not encoding.startswith("utf") and unwritable:
        # a replacement of our own, so that the changed cells can be seen and searched for
        columns = {cell.column for cell in unwritable}
        texts = texts.with_columns(
            pl.col(name).map_elements(lambda value: _fit(value, encoding), return_dtype=pl.String) for name in columns
        )
    with path.open("wb") as file:
        if encoding == "utf-8":
            texts.write_csv(file, separator=delimiter, quote_style="necessary")
        else:
            # slices keep the memory of the transcoding bounded
            for start in range(0, max(texts.height, 1), 100_000):
                part = texts.slice(start, 100_000).write_csv(
                    separator=delimiter, include_header=start == 0, quote_style="necessary"
                )
                file.write(part.encode(_part_encoding(encoding, start == 0)))
        file.flush()
        os.fsync(file.fileno())
    return unwritable


def _part_encoding(encoding: str, first: bool) -> str:
    """A byte order mark belongs at the beginning only."""
    if first:
        return encoding
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)


def _fit(value: str, encoding: str) -> str:
    return "".join(character if _survives(character, encoding) else _REPLACEMENT for character in value)


def _write_parquet(table: Table, frame: pl.DataFrame, path: Path) -> tuple[Unwritable, ...]:
    frame.select(table.column_names).write_parquet(path, compression="zstd")
    return ()


def _write_excel(table: Table, frame: pl.DataFrame, path: Path, headers: str) -> tuple[Unwritable, ...]:
    if frame.height > _EXCEL_ROWS:
        raise FileNotUsable(
            f"{path.name}: {frame.height:,} rows; an Excel sheet holds {_EXCEL_ROWS:,}. Use .csv or .parquet"
        )
    found: list[Unwritable] = []
    content = io.BytesIO()  # a full disk would leave XlsxWriter's own file open
    book = xlsxwriter.Workbook(
        content, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet(table.ja[:31] if headers == "ja" else table.name[:31])
    bold = book.add_format({"bold": True})
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy/mm/dd"})
    moment = book.add_format({"num_format": "yyyy/mm/dd hh:mm:ss"})
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, header_of(column, headers), bold)
    sheet.freeze_panes(1, 0)
    for line, row in enumerate(frame.select(table.column_names).iter_rows(), start=1):
        for at, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            if value is None:
                continue
            if isinstance(value, str):
                if len(value) > _EXCEL_CELL:
                    found.append(
                        Unwritable(
                            line + 1, header_of(column, headers), value[:80], f"more than {_EXCEL_CELL:,} characters"
                        )
                    )
                sheet.write_string(line, at, value[:_EXCEL_CELL], text)
            elif isinstance(value, datetime):
                if value.microsecond:
                    sheet.write_string(line, at, value.isoformat(sep=" "), text)
                else:
                    sheet.write_datetime(line, at, value, moment)
            elif isinstance(value, date):
                if value.year < 1901:
                    sheet.write_string(line, at, value.isoformat(), text)
                else:
                    sheet.write_datetime(line, at, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
            elif isinstance(value, bool):
                sheet.write_boolean(line, at, value)
            elif column.type in _NUMBERS and _exact_in_excel(value):
                sheet.write_number(line, at, value)
            else:
                sheet.write_string(line, at, str(value), text)
    book.close()
    path.write_bytes(content.getbuffer())
    return tuple(found)


def _exact_in_excel(value: int | float | Decimal) -> bool:
    """Excel keeps fifteen digits."""
    if isinstance(value, float):
        return float(f"{value:.15g}") == value and abs(value) < 1e300
    return len(str(abs(value)).replace(".", "").lstrip("0")) <= 15
