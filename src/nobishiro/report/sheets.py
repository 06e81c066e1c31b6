"""A workbook that cannot be turned against its reader: text stays text, amounts carry their format, heads repeat.

Rows are written in order, so a sheet never has to stand in memory whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeAlias

import xlsxwriter

Value: TypeAlias = str | int | float | bool | date | None
CELL_LIMIT: Final = 32_767
ROW_LIMIT: Final = 1_048_576
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

QUADRANT_COLOURS: Final = {"A": "#17613F", "B": "#D08700", "C": "#4C6C93", "D": "#D3D5D7"}
"""The same four as in the report."""
QUADRANT_INK: Final = {"A": "#FFFFFF", "B": "#1C1B19", "C": "#FFFFFF", "D": "#1C1B19"}
SYMBOLS: Final = {"JPY": "¥", "GBP": "£", "USD": "$", "EUR": "€"}


class Kind(StrEnum):
    """How a column is shown."""

    TEXT = "text"
    CODE = "code"
    """Text even when it looks like a number: leading zeros stay."""
    COUNT = "count"
    HOURS = "hours"
    MONEY = "money"
    SHARE = "share"
    FIGURE = "figure"
    TINY = "tiny"
    DAY = "day"
    QUADRANT = "quadrant"
    MARK = "mark"
    LONG = "long"


RIGHT: Final = frozenset({Kind.COUNT, Kind.HOURS, Kind.MONEY, Kind.SHARE, Kind.FIGURE, Kind.TINY})
"""Heads over numbers stand on the right, as the numbers do."""


@dataclass(frozen=True, slots=True)
class Head:
    """One column of a sheet: its title, how it is shown, and its width in characters."""

    title: str
    kind: Kind
    width: float


class Book:
    """An open workbook with its formats; `add_sheet` writes one list sheet. Close it when done."""

    def __init__(self, target: str, currency: str, title: str, created: datetime) -> None:
        self._book = xlsxwriter.Workbook(
            target,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._book.set_properties({"title": _text(title), "author": "Nobishiro", "created": created})
        symbol = SYMBOLS.get(currency, currency + " ")
        quoted = f'"{symbol}"'
        base: dict[str, object] = {"font_name": "Yu Gothic", "font_size": 10, "valign": "top"}
        # Minus as ▲, as on Japanese statements.
        numbers = {
            Kind.COUNT: '#,##0;"▲"#,##0',
            Kind.HOURS: '#,##0.0;"▲"#,##0.0',
            Kind.MONEY: f'{quoted}#,##0;"▲"{quoted}#,##0',
            Kind.SHARE: '0.0%;"▲"0.0%',
            Kind.FIGURE: "0.00",
            Kind.TINY: "0.0E+00",
            Kind.DAY: "yyyy/mm/dd",
        }
        self._formats = {kind: self._book.add_format({**base, "num_format": form}) for kind, form in numbers.items()}
        self._formats[Kind.TEXT] = self._book.add_format(base)
        self._formats[Kind.CODE] = self._book.add_format({**base, "num_format": "@"})
        self._formats[Kind.LONG] = self._book.add_format({**base, "text_wrap": True})
        self._formats[Kind.MARK] = self._book.add_format({**base, "align": "center"})
        self._formats[Kind.QUADRANT] = self._book.add_format({**base, "align": "center"})
        self._quadrants = {
            letter: self._book.add_format(
                {**base, "align": "center", "bold": True, "bg_color": colour, "font_color": QUADRANT_INK[letter]}
            )
            for letter, colour in QUADRANT_COLOURS.items()
        }
        self._head = self._book.add_format({**base, "bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"})
        self._head_right = self._book.add_format(
            {**base, "bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom", "align": "right"}
        )
        self._title = self._book.add_format({**base, "bold": True, "font_size": 14})
        self._note = self._book.add_format({**base, "font_color": "#5D5A54"})
        self._names: set[str] = set()

    def close(self) -> None:
        """Write the file."""
        self._book.close()

    @property
    def workbook(self) -> xlsxwriter.Workbook:
        """For charts."""
        return self._book

    def add_sheet(
        self,
        name: str,
        title: str,
        notes: Sequence[str],
        heads: Sequence[Head],
        rows: Sequence[Sequence[Value]],
        *,
        paper: int = 9,
        frozen: int = 0,
        bare: bool = False,
    ) -> tuple[xlsxwriter.worksheet.Worksheet, int]:
        """The sheet and the number of its first data row (from 0). `bare` sheets begin with the head, for re-import.

        `paper` is Excel's number: 9 is A4, 8 is A3. Rows past Excel's limit are left out and the last row says so.
        """
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer("&L&F  &A&R&P / &N")
        sheet.hide_gridlines(2)
        for column, head in enumerate(heads):
            sheet.set_column(column, column, head.width, self._formats[head.kind] if bare else None)
        at = 0
        if not bare:
            sheet.set_row(0, 24)
            sheet.write_string(0, 0, _text(title), self._title)
            for number, note in enumerate(notes, 1):
                sheet.write_string(number, 0, _text(note), self._note)
            at = len(notes) + 2
        for column, head in enumerate(heads):
            form = self._head_right if head.kind in RIGHT else self._head
            sheet.write_string(at, column, _text(head.title), form)
        room = ROW_LIMIT - at - 2
        for number, row in enumerate(rows[:room], at + 1):
            for column, (head, value) in enumerate(zip(heads, row, strict=True)):
                self._write(sheet, number, column, head.kind, value)
        written = min(len(rows), room)
        if len(rows) > room:
            sheet.write_string(at + 1 + room, 0, f"+ {len(rows) - room:,}", self._note)
        if heads:
            sheet.autofilter(at, 0, at + max(written, 1), len(heads) - 1)
            sheet.freeze_panes(at + 1, frozen)
            sheet.repeat_rows(at)
        return sheet, at + 1

    def _write(self, sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, kind: Kind, value: Value) -> None:
        form = self._formats[kind]
        if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
            return
        if kind is Kind.QUADRANT and isinstance(value, str):
            sheet.write_string(row, column, _text(value), self._quadrants.get(value, form))
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, form)
        elif isinstance(value, bool):
            sheet.write_boolean(row, column, value, form)
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value, form)
        else:
            sheet.write_string(row, column, _text(value), form)


def _text(value: str) -> str:
    """What Excel can hold: no control characters, at most 32,767 characters."""
    if value.isprintable() and len(value) <= CELL_LIMIT:
        return value
    return _NOT_IN_XML.sub(" ", value)[:CELL_LIMIT]
