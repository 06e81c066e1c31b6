"""Kernels that split delimited text into records and fields, and gather one column's bytes.

The rules are those of RFC 4180, read as Excel reads them: a quote opens a field only at its start, two quotes inside it
are one, what follows the closing quote is taken as it stands. A record ends at LF, CR LF or CR outside quotes; each of
the three counts as one line inside quotes too, as editors count. A quote that is opened and never closed, or closed in
the middle of a later line, costs only the line it stands on: that line becomes a record with `BROKEN` set and reading
goes on with the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

STRAY_QUOTE = 1
BROKEN = 2
LONG_CELL = 4

_QUOTE, _LF, _CR, _SPACE = 34, 10, 13, 32

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Where records and fields stand in one block of UTF-8 bytes."""

    start: Longs
    """First byte of each field (after its opening quote)."""
    end: Longs
    """One past the last byte of each field (before its closing quote)."""
    dirty: Bytes
    """1 when the field holds doubled quotes, 2 when text follows its closing quote, else 0."""
    first: Longs
    """Index of each record's first field; one longer than the records."""
    begin: Longs
    """First byte of each record; one longer than the records."""
    line: Longs
    """Line of each record, counted from 1 over the whole file; one longer than the records."""
    filled: npt.NDArray[np.int32]
    """Fields of each record that hold more than blanks."""
    flag: Bytes
    """`STRAY_QUOTE | BROKEN | LONG_CELL` per record."""
    consumed: int
    """Bytes used; the rest is an unfinished record to be read again with the next block."""

    @property
    def records(self) -> int:
        """How many complete records the block holds."""
        return len(self.flag)

    @property
    def widths(self) -> Longs:
        """Fields per record."""
        return np.diff(self.first)


def split_records(block: Bytes, delimiter: int, *, line: int, final: bool, max_cell: int, max_open: int) -> Tokens:
    """Records and fields of `block`, whose first line is `line`.

    `final` says that nothing follows: the last record needs no newline. A field over `max_cell` bytes sets `LONG_CELL`;
    a quoted field still open after `max_open` bytes counts as never closed.
    """
    newlines = int(np.count_nonzero(block == _LF) + np.count_nonzero(block == _CR))
    records = newlines + 2
    fields = int(np.count_nonzero(block == delimiter)) + records
    start = np.empty(fields, np.int64)
    end = np.empty(fields, np.int64)
    dirty = np.empty(fields, np.uint8)
    first = np.empty(records + 1, np.int64)
    begin = np.empty(records + 1, np.int64)
    lines = np.empty(records + 1, np.int64)
    filled = np.empty(records, np.int32)
    flag = np.empty(records, np.uint8)
    found, used, consumed = _split(
        block, delimiter, line, final, max_cell, max_open, start, end, dirty, first, begin, lines, filled, flag
    )
    return Tokens(
        start[:used],
        end[:used],
        dirty[:used],
        first[: found + 1],
        begin[: found + 1],
        lines[: found + 1],
        filled[:found],
        flag[:found],
        int(consumed),
    )


def gather_column(block: Bytes, tokens: Tokens, records: Longs, column: int) -> tuple[Longs, Bytes]:
    """Offsets (one longer than `records`) and bytes of one column of the chosen records, quotes taken off."""
    fields = tokens.first[records] + column
    room = int((tokens.end[fields] - tokens.start[fields]).sum()) if len(fields) else 0
    offsets = np.empty(len(records) + 1, np.int64)
    data = np.empty(max(room, 1), np.uint8)
    size = int(_gather(block, tokens.start, tokens.end, tokens.dirty, fields, offsets, data))
    return offsets, data[:size]


@njit(cache=True, nogil=True)
def _line_end(block, i, n):  # type: ignore[no-untyped-def]
    while i < n and block[i] != 10 and block[i] != 13:
        i += 1
    return i


@njit(cache=True, nogil=True)
def _split(  # type: ignore[no-untyped-def]
    block, delimiter, line, final, max_cell, max_open, start, end, dirty, first, begin, lines, filled, flag
):
    n = len(block)
    i = 0
    records = 0
    fields = 0
    while i < n:
        record_begin = i
        record_line = line
        first_field = fields
        state = 0
        full = 0
        inner = 0  # line breaks inside quotes
        finished = False
        broken = False
        while True:
            mark = 0
            if i < n and block[i] == 34:
                i += 1
                left = i
                closed = False
                while i < n:
                    c = block[i]
                    if c == 34:
                        if i + 1 < n and block[i + 1] == 34:
                            mark = 1
                            i += 2
                            continue
                        closed = True
                        break
                    if c == 10 or (c == 13 and not (i + 1 < n and block[i + 1] == 10)):
                        inner += 1
                    i += 1
                if not closed:
                    if not final and n - left < max_open:
                        break  # unfinished
                    broken = True
                    break
                if i + 1 >= n and not final:
                    break  # the quote may be the first of two
                right = i
                i += 1
                if i < n and block[i] != delimiter and block[i] != 10 and block[i] != 13:
                    if inner > 0:
                        broken = True
                        break
                    state |= 1
                    mark = 2
                    while i < n and block[i] != delimiter and block[i] != 10 and block[i] != 13:
                        i += 1
                    right = i
            else:
                left = i
                while i < n and block[i] != delimiter and block[i] != 10 and block[i] != 13:
                    i += 1
                right = i
            if i >= n and not final:
                break
            start[fields] = left
            end[fields] = right
            dirty[fields] = mark
            fields += 1
            if right - left > max_cell:
                state |= 4
            for k in range(left, right):
                if block[k] > 32:
                    full += 1
                    break
            if i < n and block[i] == delimiter:
                i += 1
                continue
            if i < n and block[i] == 13:
                if i + 1 < n:
                    i += 2 if block[i + 1] == 10 else 1
                elif final:
                    i += 1
                else:
                    break  # LF may follow
            elif i < n:
                i += 1
            finished = True
            break
        if broken:
            fields = first_field
            i = _line_end(block, record_begin, n)
            start[fields] = record_begin
            end[fields] = i
            dirty[fields] = 0
            fields += 1
            state = 2 | (4 if i - record_begin > max_cell else 0)
            full = 1
            inner = 0
            if i < n and block[i] == 13 and i + 1 < n and block[i + 1] == 10:
                i += 1
            if i < n:
                i += 1
            finished = True
        if not finished:
            fields = first_field
            i = record_begin
            break
        first[records] = first_field
        begin[records] = record_begin
        lines[records] = record_line
        filled[records] = full
        flag[records] = state
        records += 1
        line = record_line + inner + 1
    first[records] = fields
    begin[records] = i
    lines[records] = line
    return records, fields, i


@njit(cache=True, nogil=True)
def _gather(block, start, end, dirty, fields, offsets, data):  # type: ignore[no-untyped-def]
    at = 0
    offsets[0] = 0
    for r in range(len(fields)):
        f = fields[r]
        mark = dirty[f]
        if mark == 0:
            for k in range(start[f], end[f]):
                data[at] = block[k]
                at += 1
        else:
            k = start[f]
            inside = True
            while k < end[f]:
                c = block[k]
                if inside and c == 34:
                    if k + 1 < end[f] and block[k + 1] == 34:
                        k += 1
                    elif mark == 2:
                        inside = False
                        k += 1
                        continue
                data[at] = c
                at += 1
                k += 1
        offsets[r + 1] = at
    return at
