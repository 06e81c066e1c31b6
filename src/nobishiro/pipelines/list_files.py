"""A list as people see it, to a file they can open: rows and headers in, Excel or CSV out.

Rows come one by one, so that a list of a hundred thousand customers never lies in memory whole (for CSV its texts do:
for CP932 every cell must be looked at before the first byte is written). Codes are text cells, no text becomes a
formula.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Final, Literal

import polars as pl
import xlsxwriter

from nobishiro.engine.intake.exports import Unwritable, find_unwritable
from nobishiro.engine.intake.texts import protect
from nobishiro.engine.intake.whole_file import whole_file

__all__ = ["Cell", "ListColumn", "Unwritable", "cells_not_fitting", "list_texts", "write_list_csv", "write_list_excel"]

Cell = str | int | float | Decimal | bool | date | datetime | None
"""One value of a list; None is an empty cell. A datetime is written as it stands: bring it to the company's clock."""

_SHEET_ROWS: Final = 1_048_575
_CELL_LENGTH: Final = 32_767
_CHUNK: Final = 10_000
_FIRST_EXCEL_YEAR: Final = 1901


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of the file."""

    header: str
    kind: Literal["text", "number", "percent", "day", "moment"] = "text"


def write_list_excel(columns: Sequence[ListColumn], rows: Iterable[Sequence[Cell]], path: Path, sheet: str = "") -> int:
    """Write the rows to an .xlsx and return how many there were; past Excel's limit they go on in a further sheet.

    Memory stays the same however many rows there are. Texts longer than a cell holds are cut to 32,767 characters.
    Raises `DiskFull` and `FileNotUsable`; the file appears whole or not at all.
    """
    with whole_file(path) as part:
        book = xlsxwriter.Workbook(
            str(part),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": True,
                "default_date_format": "yyyy/mm/dd",
            },
        )
        count = _fill(book, columns, rows, sheet)
        book.close()
    return count


def _fill(book: xlsxwriter.Workbook, columns: Sequence[ListColumn], rows: Iterable[Sequence[Cell]], title: str) -> int:
    bold = book.add_format({"bold": True, "bottom": 1})
    formats = {
        "text": book.add_format({"num_format": "@"}),
        "number": book.add_format({"num_format": "#,##0.##;▲#,##0.##"}),
        "whole": book.add_format({"num_format": "#,##0;▲#,##0"}),
        "percent": book.add_format({"num_format": "0%"}),
        "day": book.add_format({"num_format": "yyyy/mm/dd"}),
        "moment": book.add_format({"num_format": "yyyy/mm/dd hh:mm"}),
    }
    text, whole, decimals = formats["text"], formats["whole"], formats["number"]
    left, count, sheets = iter(rows), 0, 0
    while True:
        lines = list(islice(left, 1))
        if not lines and sheets:
            return count
        sheets += 1
        name = "".join("_" if letter in "[]:*?/\\'" else letter for letter in title)[:28] or "list"
        sheet = book.add_worksheet(name if sheets == 1 else f"{name} {sheets}")
        sheet.freeze_panes(1, 1)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, 14 if column.kind != "text" else 22)
            sheet.write_string(0, at, column.header, bold)
        write_string, write_number, write_datetime = sheet.write_string, sheet.write_number, sheet.write_datetime
        line = 0
        for row in chain(lines, left):
            line += 1
            for at, value in enumerate(row):
                if value is None:
                    continue
                if isinstance(value, str):
                    write_string(line, at, value if len(value) <= _CELL_LENGTH else value[:_CELL_LENGTH], text)
                elif isinstance(value, bool):
                    sheet.write_boolean(line, at, value)
                elif isinstance(value, datetime):
                    write_datetime(line, at, value.replace(tzinfo=None), formats["moment"])
                elif isinstance(value, date):
                    if value.year < _FIRST_EXCEL_YEAR:
                        write_string(line, at, value.isoformat(), formats["text"])
                    else:
                        write_datetime(line, at, value, formats["day"])
                elif columns[at].kind == "percent":
                    write_number(line, at, value, formats["percent"])
                else:
                    write_number(line, at, value, whole if _needs_no_decimals(value) else decimals)
            if line == _SHEET_ROWS:
                break
        sheet.autofilter(0, 0, max(line, 1), len(columns) - 1)
        count += line
        if line < _SHEET_ROWS:
            return count


def _needs_no_decimals(value: float | Decimal) -> bool:
    number = float(value)
    return abs(number) >= 1000 or number.is_integer()


def list_texts(columns: Sequence[ListColumn], rows: Iterable[Sequence[Cell]]) -> pl.DataFrame:
    """The rows as the texts a CSV holds, one text column each, without what a spreadsheet would run as a formula.

    Headers that occur twice get a number, as a table needs different names.
    """
    names = _different([column.header for column in columns])
    left = iter(rows)
    parts = []
    while chunk := list(islice(left, _CHUNK)):
        texts = [
            [_text(value, column.kind) for value in values]
            for column, values in zip(columns, zip(*chunk, strict=True), strict=True)
        ]
        parts.append(pl.DataFrame(dict(zip(names, texts, strict=True)), schema=dict.fromkeys(names, pl.String)))
    frame = pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    safe = [name for name, column in zip(names, columns, strict=True) if column.kind == "text"]
    return frame.with_columns(protect(pl.col(name)).alias(name) for name in safe)


def cells_not_fitting(texts: pl.DataFrame, encoding: str = "cp932") -> tuple[Unwritable, ...]:
    """The cells of `list_texts` that the encoding cannot hold or would change, in the order of the file."""
    return find_unwritable(texts, encoding)


def write_list_csv(texts: pl.DataFrame, path: Path, encoding: Literal["utf-8-sig", "cp932"] = "utf-8-sig") -> int:
    """Write `list_texts` as CSV and return the number of rows; what CP932 does not know becomes 〓."""
    with whole_file(path) as part, part.open("wb") as file:
        for start in range(0, max(texts.height, 1), _CHUNK):
            text = texts.slice(start, _CHUNK).write_csv(
                include_header=start == 0, quote_style="necessary", line_terminator="\r\n"
            )
            if encoding == "cp932":
                file.write(text.encode("cp932", "nobishiro-geta"))
            else:
                file.write(text.encode("utf-8-sig" if start == 0 else "utf-8"))
    return texts.height


def _geta(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "〓" * (error.end - error.start), error.end


codecs.register_error("nobishiro-geta", _geta)


def _text(value: Cell, kind: str) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else value.replace("\x00", "")
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return f"{value:%Y/%m/%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%Y/%m/%d}"
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if kind == "percent":
        return f"{value:.4g}"
    return str(int(value)) if value == int(value) else f"{value:.15g}"


def _different(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told
