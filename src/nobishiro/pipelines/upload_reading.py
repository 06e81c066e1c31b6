"""A file that came through the browser, read in a child process with limits, and kept as rows the wizard goes on with.

Beside the upload lie afterwards `rows.parquet` (the file's own columns as they were read, and the line of each row),
`unsplit.parquet` (lines no reader could split) and `reading.json` (how it was read, the first rows, samples).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import unicodedata
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec
import polars as pl

from nobishiro.contracts import errors
from nobishiro.contracts.errors import FileNotUsable, FileTooLarge, NobishiroError
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.intake.months import parse_year
from nobishiro.engine.intake.raw import RawTable, ReadGuess, ReadOptions
from nobishiro.engine.intake.sources import read_source
from nobishiro.engine.settings import ImportSettings
from nobishiro.pipelines import upload_child
from nobishiro.pipelines.questionnaires import answers_in_rows

_LINE: Final = "\x00line"
_HEAD, _SAMPLES, _SKIPPED, _CELL = 20, 5, 200, 120
_ENDINGS: Final = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".parquet", ".pq"})
_UNIT: Final = re.compile(r"百万円|千円")
_BEFORE_BYTES: Final = 20_000_000
"""Up to this size a cross table is read a second time, to show it as it was."""
_MODULE: Final = "nobishiro.pipelines.upload_child"


class UploadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a file that comes through the browser may be; the command line has no such limits."""

    max_bytes: int = 100_000_000
    max_rows: int = 1_000_000
    max_columns: int = 500
    max_cell_bytes: int = 32_768
    memory: int = 4_000_000_000
    """Bytes of address space the reading process may use."""
    seconds: int = 180
    """How long it may take."""


class UploadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the person says about the file; empty leaves it to the guess."""

    encoding: str = ""
    delimiter: str = ""
    header_row: int = 0
    sheet: str = ""
    layout: str = ""
    year: str = ""
    """Such as 2025年度 or 2025年, for months without a year."""
    unit: str = ""
    """千円 or 百万円, where no title says so."""


class SeenRow(msgspec.Struct, frozen=True):
    """One of the first rows; `why` (title, subtotal, blank, repeated_header, unsplit) is empty for data."""

    line: int
    cells: tuple[str, ...]
    why: str = ""


class SeenColumn(msgspec.Struct, frozen=True):
    """One column as read."""

    name: str
    samples: tuple[str, ...]
    filled: float
    """Share of rows that hold something."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How a file was read."""

    source: str
    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    header_row: int = 0
    layout: str = "list"
    notes: tuple[str, ...] = ()
    rows: int
    unsplit: int = 0
    columns: tuple[SeenColumn, ...]
    head: tuple[SeenRow, ...]
    skipped: tuple[tuple[str, int], ...] = ()
    """(why, how many rows)."""
    before_columns: tuple[str, ...] = ()
    before: tuple[SeenRow, ...] = ()
    """A cross table's first rows before they were turned into rows."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the child is asked to do."""

    path: Path
    folder: Path
    name: str
    options: dict[str, object]
    max_rows: int
    max_columns: int
    max_cell_bytes: int
    max_bytes: int
    memory: int
    seconds: int


def clean_name(name: str) -> str:
    """A file name as it may be shown and kept: no folders, no control characters, at most 120 characters.

    It is shown, never used as a path.
    """
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(c for c in plain if c.isprintable() and unicodedata.category(c) not in ("Cf", "Co", "Cs")).strip()
    if len(plain) > 120:
        stem, dot, ending = plain.rpartition(".")
        plain = f"{(stem or plain)[:100]}{dot}{ending[:10]}" if dot else plain[:120]
    return plain.strip(". ") or "file"


def read_upload(
    path: Path,
    name: str,
    folder: Path,
    options: UploadOptions,
    limits: UploadLimits = UploadLimits(),  # noqa: B008 - frozen
    progress: ProgressReport = no_progress,
) -> Reading:
    """Read `path`, which was uploaded as `name`, into `folder`; what it turned out to be.

    `progress` is asked every half second and may raise to stop. Raises the errors of reading; `FileTooLarge` when the
    reading process passes its memory or time, `FileNotUsable` when it dies.
    """
    order = {
        "path": str(path),
        "folder": str(folder),
        "name": clean_name(name),
        "options": msgspec.to_builtins(options),
        **msgspec.to_builtins(limits),
    }
    kept = {key: value for key in ("PATH", "LANG", "LC_ALL", "PYTHONPATH") if (value := os.environ.get(key))}
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**kept, "POLARS_MAX_THREADS": "2", "TMPDIR": str(folder)},
        start_new_session=True,  # a workbook is parsed in a child of the child: both go together
    ) as child:
        try:
            told = _wait(child, json.dumps(order).encode(), clean_name(name), limits, progress)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise
    if child.returncode == 0:
        return load_reading(folder)
    raise _refusal(child.returncode, told, clean_name(name))


def _wait(
    child: subprocess.Popen[bytes], order: bytes, name: str, limits: UploadLimits, progress: ProgressReport
) -> tuple[bytes, bytes]:
    until = monotonic() + limits.seconds
    given: bytes | None = order
    while True:
        progress("read", 0, 0)
        try:
            return child.communicate(given, timeout=0.5)
        except subprocess.TimeoutExpired:
            given = None
        if monotonic() > until:
            raise FileTooLarge(
                f"{name} was not read within {limits.seconds} seconds; split it, or import it with the command line"
            )


def _refusal(code: int, told: tuple[bytes, bytes], name: str) -> NobishiroError:
    if code == upload_child.REFUSED:
        said = json.loads(told[0])
        return getattr(errors, said["error"], FileNotUsable)(said["message"])
    complaint = told[1].decode("utf-8", "replace")
    memory = any(word in complaint for word in ("memory allocation", "MemoryError", "bad_alloc", "mmap"))
    if code in (upload_child.OUT_OF_MEMORY, -signal.SIGXCPU, -signal.SIGXFSZ, -signal.SIGKILL) or memory:
        return FileTooLarge(f"{name} needs more memory or time than an upload may use; split it into several files")
    return FileNotUsable(f"{name} could not be read: the reader gave up on it; save it as CSV or .xlsx and try again")


def read_into(order: Order) -> None:
    """What the child does: read, check the limits, write rows and what was seen."""
    options = msgspec.convert(order.options, UploadOptions)
    settings = ImportSettings(
        max_file_bytes=order.max_bytes,
        max_cell_bytes=order.max_cell_bytes,
        max_columns=order.max_columns,
        max_archive_bytes=2_000_000_000,
        max_workbook_memory=order.memory,
        max_workbook_seconds=float(order.seconds),
    )
    shown = order.name
    # The engine looks for a year and a unit in the file's name: it gets those and nothing else of what was uploaded.
    link = order.folder / _own_name(shown, options)
    link.unlink(missing_ok=True)
    link.symlink_to(order.path)
    try:
        _refuse_databases(order.path, shown)
        raw = read_source(link, _read_options(options), settings)
        before = _before(link, raw, options, settings, order.path.stat().st_size)
    except NobishiroError as error:
        raise type(error)(str(error).replace(str(link), shown).replace(link.name, shown)) from error
    finally:
        link.unlink(missing_ok=True)
    if raw.frame.height > order.max_rows:
        raise FileTooLarge(
            f"{shown} has {raw.frame.height:,} rows, more than the {order.max_rows:,} an upload may have; "
            "split it, or import it with the command line"
        )
    source = raw.source.replace(link.name, shown)
    guess = replace(raw.guess, notes=tuple(note.replace(link.name, shown) for note in raw.guess.notes))
    raw = replace(raw, source=source, guess=guess)
    if _has_macros(order.path):
        raw = _noted(raw, "the workbook holds macros; they were not run, only the cells were read")
    answers = answers_in_rows(raw)
    if answers is not None:
        before, raw = raw, answers
    save_raw(raw, order.folder)
    reading = _reading(raw, before)
    (order.folder / "reading.json").write_bytes(msgspec.json.encode(reading))


def save_raw(raw: RawTable, folder: Path) -> None:
    """Rows and unsplit lines into the folder."""
    frame = raw.frame.with_columns(raw.lines.cast(pl.Int64).alias(_LINE))
    frame.write_parquet(folder / "rows.parquet", compression="lz4")
    raw.rejected.write_parquet(folder / "unsplit.parquet")


def load_reading(folder: Path) -> Reading:
    """How the file in `folder` was read. Raises `FileNotUsable` when its upload is gone."""
    try:
        return msgspec.json.decode((folder / "reading.json").read_bytes(), type=Reading)
    except FileNotFoundError as error:
        raise FileNotUsable("the uploaded file is no longer kept; upload it again") from error


def load_raw(folder: Path, rows: int | None = None) -> RawTable:
    """The rows as read (the first `rows` of them)."""
    reading = load_reading(folder)
    scanned = pl.scan_parquet(folder / "rows.parquet")
    frame = (scanned if rows is None else scanned.head(rows)).collect()
    guess = ReadGuess(
        reading.kind,
        reading.encoding or None,
        reading.delimiter or None,
        reading.sheet or None,
        reading.sheets,
        reading.header_row or None,
        reading.layout,
        reading.notes,
    )
    unsplit = pl.read_parquet(folder / "unsplit.parquet")
    return RawTable(reading.source, frame.drop(_LINE), frame[_LINE].alias("line"), guess, (), unsplit)


def _own_name(name: str, options: UploadOptions) -> str:
    stem, _, ending = name.rpartition(".")
    year = parse_year(options.year) or parse_year(stem)
    unit = options.unit or next(iter(_UNIT.findall(unicodedata.normalize("NFKC", stem))), "")
    words = ["upload"]
    if year is not None:
        words.append(f"{year.year}年度" if year.fiscal else f"{year.year}年")
    if unit in ("千円", "百万円"):
        words.append(f"({unit})")
    suffix = f".{ending.lower()}"
    return " ".join(words) + (suffix if suffix in _ENDINGS else "")


def _read_options(options: UploadOptions) -> ReadOptions:
    return ReadOptions(
        encoding=options.encoding or None,
        delimiter=options.delimiter or None,
        header_row=options.header_row or None,
        sheet=options.sheet or None,
        layout=options.layout or None,
    )


def _refuse_databases(path: Path, name: str) -> None:
    with path.open("rb") as stream:
        head = stream.read(16)
    if head.startswith(b"SQLite format 3\0") or head[8:12] == b"DUCK":
        raise FileNotUsable(f"{name} is a database; export the table as CSV or Excel, or use the command line")
    if head.startswith((b"MZ", b"\x7fELF", b"#!")):
        raise FileNotUsable(f"{name} is a program, not a table; upload CSV or Excel")


def _has_macros(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("vbaProject.bin") for name in archive.namelist())


def _noted(raw: RawTable, note: str) -> RawTable:
    return replace(raw, guess=replace(raw.guess, notes=(*raw.guess.notes, note)))


def _before(link: Path, raw: RawTable, options: UploadOptions, settings: ImportSettings, size: int) -> RawTable | None:
    if raw.guess.layout != "cross" or size > _BEFORE_BYTES:
        return None
    try:
        return read_source(link, replace(_read_options(options), layout="list"), settings)
    except NobishiroError:
        return None  # it is shown for comparison only; the table itself was read


def _reading(raw: RawTable, before: RawTable | None) -> Reading:
    guess = raw.guess
    counts = dict.fromkeys(("title", "subtotal", "blank", "repeated_header"), 0)
    for row in raw.skipped:
        counts[row.reason] += 1
    return Reading(
        source=raw.source,
        kind=guess.kind,
        encoding=guess.encoding or "",
        delimiter=guess.delimiter or "",
        sheet=guess.sheet or "",
        sheets=guess.sheets,
        header_row=guess.header_row or 0,
        layout=guess.layout,
        notes=guess.notes,
        rows=raw.frame.height,
        unsplit=raw.rejected.height,
        columns=tuple(_column(raw.frame[name]) for name in raw.frame.columns),
        head=_head(raw) if before is None else _data_rows(raw, _HEAD),
        skipped=tuple((why, count) for why, count in counts.items() if count),
        before_columns=() if before is None else tuple(before.frame.columns),
        before=() if before is None else _head(replace(before, skipped=raw.skipped)),
    )


def _column(values: pl.Series) -> SeenColumn:
    filled = values.drop_nulls()
    samples = filled.head(2_000).unique(maintain_order=True).head(_SAMPLES).to_list()
    share = filled.len() / values.len() if values.len() else 0.0
    return SeenColumn(values.name, tuple(_shown(value) for value in samples), share)


def _head(raw: RawTable) -> tuple[SeenRow, ...]:
    """The first rows of data with the skipped and unsplit ones between them, by line."""
    left_out = {row.line for row in raw.skipped}
    data = [row for row in _data_rows(raw, _HEAD) if row.line not in left_out]
    last = data[-1].line if data else 0
    if raw.frame.height <= _HEAD:
        last = max([last, *left_out])  # a total below the last row is seen as well
    near = [row for row in raw.skipped if not data or row.line <= last][:_SKIPPED]
    others = [SeenRow(row.line, (row.text[:_CELL],), row.reason) for row in near]
    unsplit = raw.rejected.filter(pl.col("line") <= last) if data else raw.rejected.head(_HEAD)
    others += [SeenRow(line, (text[:_CELL],), "unsplit") for line, text in unsplit.select("line", "text").iter_rows()]
    return tuple(sorted([*data, *others], key=lambda row: row.line)[: 2 * _HEAD])


def _data_rows(raw: RawTable, count: int) -> tuple[SeenRow, ...]:
    cells = raw.frame.head(count).iter_rows()
    return tuple(
        SeenRow(line, tuple(_shown(cell) for cell in row))
        for line, row in zip(raw.lines.head(count).to_list(), cells, strict=True)
    )


def _shown(cell: object) -> str:
    return "" if cell is None else str(cell)[:_CELL]
