"""Delimited text (CSV, TSV …) to rows: the delimiter and header found, every record kept or rejected with its line."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from nobishiro.contracts.errors import FileTooLarge, LayoutUnknown, UnknownName
from nobishiro.contracts.protocols import ProgressReport
from nobishiro.engine.intake.body import MAX_BLANKS_LISTED, Body, shape_body
from nobishiro.engine.intake.encoding import HEAD_BYTES, detect_encoding, guess_from_head, utf8_blocks
from nobishiro.engine.intake.layout import HEAD_ROWS, Header, HeadRow, clean_cell, find_header, is_subtotal
from nobishiro.engine.intake.raw import (
    REJECTED_SCHEMA,
    EncodingGuess,
    RawTable,
    ReadGuess,
    ReadOptions,
    SkippedRow,
)
from nobishiro.engine.intake.tokens import (
    BROKEN,
    LONG_CELL,
    STRAY_QUOTE,
    Bytes,
    Longs,
    Tokens,
    gather_column,
    split_records,
)
from nobishiro.engine.settings import ImportSettings

DELIMITERS: Final = (",", "\t", ";", "|")
_UNUSUAL: Final = ("^", "~", ":", "\x01", "、", "，")
_MAX_OPEN: Final = 64 << 20
"""A record longer than this is no record: a quote was never closed, or the file has no line ends."""
_MAX_TEXT: Final = 2_000
_NAMES: Final = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "|"}


@dataclass(slots=True)
class _Parts:
    """What has been collected so far."""

    delimiter: str
    frames: list[pl.DataFrame] = field(default_factory=list)
    lines: list[Longs] = field(default_factory=list)
    skipped: list[SkippedRow] = field(default_factory=list)
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    blanks: int = 0
    stray: int = 0


def read_delimited(
    path: Path, options: ReadOptions, settings: ImportSettings, progress: ProgressReport, size: int
) -> RawTable:
    """Rows of a delimited text file. Raises `EncodingUnknown`, `LayoutUnknown`, `FileTooLarge`."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    cut = max(head.rfind(b"\n"), head.rfind(b"\r"))
    encoding = guess_from_head(path, head if cut < 0 or len(head) < HEAD_BYTES else head[: cut + 1], options.encoding)
    try:
        return _read(path, encoding, options, settings, progress, size)
    except UnicodeDecodeError:
        encoding = detect_encoding(path, options.encoding)
        return _read(path, encoding, options, settings, progress, size)


def _read(
    path: Path,
    encoding: EncodingGuess,
    options: ReadOptions,
    settings: ImportSettings,
    progress: ProgressReport,
    size: int,
) -> RawTable:
    blocks = utf8_blocks(path, encoding)
    opening: list[bytes] = []
    while sum(map(len, opening)) < HEAD_BYTES and (block := next(blocks, None)) is not None:
        opening.append(block)
    head = b"".join(opening)[:HEAD_BYTES]
    whole = len(head) < HEAD_BYTES
    delimiter, note = _find_delimiter(path.name, head, whole, options, settings)
    code = ord(delimiter)
    header = _find_header(path.name, head, code, options, settings)
    if len(header.upper) > settings.max_columns:
        raise FileTooLarge(
            f"{path.name} has {len(header.upper):,} columns, more than the limit of {settings.max_columns:,}; "
            "is the delimiter right? Otherwise leave columns out or raise imports.max_columns"
        )
    parts = _Parts(delimiter)
    bad = np.array(encoding.undecodable_lines, np.int64)
    done = 0
    carry, line = b"", 1
    for block, last in _with_last(chain(opening, blocks)):
        data = carry + block if carry else block
        buffer = np.frombuffer(data, np.uint8)
        tokens = split_records(
            buffer, code, line=line, final=last, max_cell=settings.max_cell_bytes, max_open=_MAX_OPEN
        )
        if tokens.consumed == 0 and len(data) > 2 * _MAX_OPEN:
            raise FileTooLarge(f"{path.name} line {line}: a line of more than {len(data):,} bytes is no record")
        _collect(buffer, data, tokens, header, bad, encoding, parts)
        carry, line = data[tokens.consumed :], int(tokens.line[-1])
        done += len(block)
        progress(f"reading {path.name}", min(done, size), size)
    width = len(header.upper)
    names = [f"c{index}" for index in range(width)]
    schema = dict.fromkeys(names, pl.String)
    frame = pl.concat(parts.frames) if parts.frames else pl.DataFrame(schema=schema)
    lines = pl.Series("line", np.concatenate(parts.lines) if parts.lines else np.empty(0, np.int64), pl.Int64)
    rejected = pl.DataFrame(parts.rejected, schema=REJECTED_SCHEMA, orient="row")
    if options.delimiter is None and options.header_row is None:
        _refuse_ragged(path.name, rejected, frame.height, width)
    notes = [encoding.reason, note]
    if parts.stray:
        notes.append(f"{parts.stray:,} row(s) have text after a closing quote; it is read as Excel reads it")
    if parts.blanks > MAX_BLANKS_LISTED:
        notes.append(f"{parts.blanks:,} empty lines skipped, the first {MAX_BLANKS_LISTED:,} are listed")
    guess = ReadGuess("csv", encoding.encoding, delimiter, notes=tuple(notes))
    body = Body(frame, lines, tuple(parts.skipped), rejected)
    return shape_body(path.name, body, header, guess, options, (path.stem,))


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    held: bytes | None = None
    for block in blocks:
        if held is not None:
            yield held, False
        held = block
    if held is not None:
        yield held, True


def _collect(
    buffer: Bytes, data: bytes, tokens: Tokens, header: Header, bad: Longs, encoding: EncodingGuess, parts: _Parts
) -> None:
    width = len(header.upper)
    widths = tokens.widths
    lines = tokens.line[:-1]
    body = lines > header.last_line
    blank = (tokens.filled == 0) & body
    fits = widths == width
    for extra in np.unique(widths[widths > width]):
        # A delimiter at the end of every line, as some systems write it, is no extra field.
        rows = np.flatnonzero(widths == extra)
        fields = tokens.first[rows][:, None] + np.arange(width, extra)
        fits[rows] = (tokens.end[fields] == tokens.start[fields]).all(axis=1)
    damaged = np.zeros(tokens.records, bool)
    if len(bad):
        damaged = np.searchsorted(bad, tokens.line[1:]) > np.searchsorted(bad, lines)
    good = body & ~blank & fits & ((tokens.flag & (BROKEN | LONG_CELL)) == 0) & ~damaged
    parts.stray += int(np.count_nonzero(good & ((tokens.flag & STRAY_QUOTE) > 0)))
    for record in np.flatnonzero(blank & ~damaged):
        parts.blanks += 1
        if parts.blanks <= MAX_BLANKS_LISTED:
            parts.skipped.append(SkippedRow(int(lines[record]), "blank", ""))
    for record in np.flatnonzero(body & ~blank & ~good):
        _set_aside(data, tokens, int(record), width, bool(damaged[record]), encoding, parts)
    rows = np.flatnonzero(good)
    if len(rows):
        parts.frames.append(_columns(buffer, tokens, rows, width))
        parts.lines.append(lines[rows])


def _set_aside(
    data: bytes, tokens: Tokens, record: int, width: int, damaged: bool, encoding: EncodingGuess, parts: _Parts
) -> None:
    begin, end = int(tokens.begin[record]), int(tokens.begin[record + 1])
    line, flag = int(tokens.line[record]), int(tokens.flag[record])
    size = end - begin
    text = "" if flag & LONG_CELL else data[begin:end].decode("utf-8", "ignore").rstrip("\r\n")
    fields = int(tokens.widths[record])
    if damaged:
        reason = f"not readable as {encoding.encoding}; write this line again in the encoding of the others"
    elif flag & LONG_CELL:
        written = io.StringIO()
        cells = [cell or "" for cell in _cells(data, tokens, record)]
        csv.writer(written, delimiter=parts.delimiter, lineterminator="").writerow(
            cell if len(cell) <= _MAX_TEXT else cell[:_MAX_TEXT] + "…" for cell in cells
        )
        text = written.getvalue()
        reason = (
            f"a cell is too long (the row has {size:,} bytes) and cut off here; shorten it or raise "
            "imports.max_cell_bytes"
        )
    elif flag & BROKEN:
        reason = "a quote is opened and not closed on this line; close it, or double a quote that belongs to the text"
    elif fields < width and any(is_subtotal(cell) for cell in _cells(data, tokens, record)):
        parts.skipped.append(SkippedRow(line, "subtotal", text[:200]))
        return
    elif fields > width:
        reason = f"{fields} fields where the header has {width}; put quotes around a text that holds the delimiter"
    else:
        reason = f"{fields} fields where the header has {width}; fill in the missing ones"
    parts.rejected.append((line, text, reason))


def _columns(buffer: Bytes, tokens: Tokens, rows: Longs, width: int) -> pl.DataFrame:
    def column(index: int) -> pl.Series:
        offsets, data = gather_column(buffer, tokens, rows, index)
        present = np.packbits(np.diff(offsets) > 0, bitorder="little")
        array = pa.LargeStringArray.from_buffers(
            len(rows), pa.py_buffer(offsets), pa.py_buffer(data), pa.py_buffer(present)
        )
        return pl.Series(f"c{index}", pl.from_arrow(array))

    with ThreadPoolExecutor(2) as pool:
        return pl.DataFrame(list(pool.map(column, range(width))))


def _cells(data: bytes, tokens: Tokens, record: int) -> list[str | None]:
    buffer = np.frombuffer(data, np.uint8)
    chosen = np.array([record], np.int64)
    return [
        clean_cell(gather_column(buffer, tokens, chosen, index)[1].tobytes().decode("utf-8", "replace"))
        for index in range(int(tokens.widths[record]))
    ]


def _head_tokens(head: bytes, code: int, final: bool, settings: ImportSettings) -> Tokens:
    buffer = np.frombuffer(head, np.uint8)
    return split_records(buffer, code, line=1, final=final, max_cell=settings.max_cell_bytes, max_open=HEAD_BYTES // 2)


def _find_header(source: str, head: bytes, code: int, options: ReadOptions, settings: ImportSettings) -> Header:
    tokens = _head_tokens(head, code, True, settings)
    rows = [
        HeadRow(int(tokens.line[record]), tuple(_cells(head, tokens, record)))
        for record in range(min(tokens.records, max(HEAD_ROWS, options.header_row or 0)))
        if tokens.filled[record] and not tokens.flag[record] & LONG_CELL
    ]
    if not rows:
        raise LayoutUnknown(f"{source} holds only blank lines; export it again")
    if len(rows[0].cells) > settings.max_columns:
        raise FileTooLarge(
            f"{source} has {len(rows[0].cells):,} columns, more than the limit of {settings.max_columns:,}; "
            "is the delimiter right? Otherwise leave columns out or raise imports.max_columns"
        )
    header = find_header(rows, source, options.header_row)
    return _as_wide_as_rows(header, rows)


def _as_wide_as_rows(header: Header, rows: list[HeadRow]) -> Header:
    """A header that ends in delimiters where the rows do not is cut to their width."""
    below = Counter(len(row.cells) for row in rows if row.line > header.last_line and row.filled > 1)
    width = len(header.upper)
    usual = max(below, key=lambda n: (below[n], n), default=width)
    while width > usual and header.upper[width - 1] is None and header.lower[width - 1] is None:
        width -= 1
    return Header(
        header.first_line, header.last_line, header.upper[:width], header.lower[:width], header.titles, header.notes
    )


def _find_delimiter(
    source: str, head: bytes, final: bool, options: ReadOptions, settings: ImportSettings
) -> tuple[str, str]:
    wanted = options.delimiter
    if wanted is not None:
        wanted = "\t" if wanted in ("\\t", "tab", "TAB") else wanted
        if len(wanted) != 1 or not 0 < ord(wanted) < 128 or wanted in '"\r\n':
            raise UnknownName(
                f'delimiter "{options.delimiter}" cannot be used; give one ASCII character such as , ; | or tab'
            )
    scores = {mark: _consistency(head, mark, final, settings) for mark in DELIMITERS}
    best = max(scores, key=lambda mark: scores[mark])
    width, share = scores[best][1], scores[best][2]
    if wanted is not None:
        own = _consistency(head, wanted, final, settings)
        if own[1] <= 1 and width > 1 and share > 0.8:
            raise LayoutUnknown(
                f'{source}: with the delimiter "{_NAMES.get(wanted, wanted)}" there is one column; '
                f'"{_NAMES[best]}" gives {width}'
            )
        return wanted, f"delimiter {_NAMES.get(wanted, wanted)}: as you said"
    if width > 1:
        return best, f"delimiter {_NAMES[best]}: {share:.0%} of the first rows have {width} fields with it"
    lines = [text for text in head.decode("utf-8", "ignore").splitlines()[:50] if text.strip()]
    columns = {len(text.split()) for text in lines}
    if len(lines) > 1 and len(columns) == 1 and min(columns) >= 3:
        raise LayoutUnknown(
            f"{source}: its {columns.pop()} columns are set apart by blanks; open it in Excel (Text to Columns) "
            "and save it as CSV"
        )
    for mark in _UNUSUAL:
        counts = {text.count(mark) for text in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            shown = repr(mark) if mark < " " else mark
            raise LayoutUnknown(
                f'{source}: comma, tab, semicolon and | give one column; "{shown}" would give {counts.pop() + 1}. '
                + ("Say so with the delimiter option" if ord(mark) < 128 else "Replace it by a comma")
            )
    return (
        ",",
        "one column only: none of comma, tab, semicolon and | splits the rows; name the delimiter if there is one",
    )


def _consistency(head: bytes, mark: str, final: bool, settings: ImportSettings) -> tuple[float, int, float]:
    """(score, fields per record, share of records that have as many) of a delimiter."""
    tokens = _head_tokens(head, ord(mark), final, settings)
    widths = [int(width) for width, filled in zip(tokens.widths, tokens.filled, strict=True) if filled][:1_000]
    if not widths:
        return 0.0, 1, 0.0
    counts = Counter(widths)
    width = max(counts, key=lambda n: (counts[n] if n > 1 else counts[n] * 0.5, n))
    share = counts[width] / len(widths)
    return (share * min(width, 20) if width > 1 else 0.0), width, share


def _refuse_ragged(source: str, rejected: pl.DataFrame, accepted: int, width: int) -> None:
    """When hardly any row has the header's width, it is the guess that is wrong, not the rows."""
    ragged = rejected.filter(pl.col("reason").str.contains("fields where the header has"))
    if ragged.height > accepted and (accepted == 0 or ragged.height >= 10):
        raise LayoutUnknown(
            f"{source}: {ragged.height:,} of {ragged.height + accepted:,} rows have another number of fields than the "
            f"header ({width}); first: line {ragged['line'][0]}, {ragged['reason'][0]}. "
            "Is the delimiter or the header row right? Name them to read the file all the same"
        )
