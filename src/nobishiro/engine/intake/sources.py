"""The one door through which files and databases come in: `read_source`."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.intake import encoding as encodings
from nobishiro.engine.intake import excel
from nobishiro.engine.intake.database import is_database_url, read_database
from nobishiro.engine.intake.delimited import read_delimited
from nobishiro.engine.intake.layout import unique_names
from nobishiro.engine.intake.limits import check_archive, check_file, read_head
from nobishiro.engine.intake.raw import EncodingGuess, RawTable, ReadGuess, ReadOptions, SkippedRow, no_rejected
from nobishiro.engine.settings import ImportSettings

__all__ = [
    "EncodingGuess",
    "RawTable",
    "ReadGuess",
    "ReadOptions",
    "SkippedRow",
    "detect_encoding",
    "list_sheets",
    "read_source",
]

_EXCEL_NAMES = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb"})


def read_source(
    source: str | Path,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    settings: ImportSettings = ImportSettings(),  # noqa: B008 - frozen
    progress: ProgressReport = no_progress,
) -> RawTable:
    """Rows of a file (CSV, Excel, Parquet, SQLite, DuckDB) or of a database URL, with the line each one stands on.

    The kind is decided by the content, not by the name. What was guessed is in `guess`; `options` override it. A row
    that cannot be split is in `rejected`, a row that is no data in `skipped`; neither stops the rest. Raises
    `FileNotUsable`, `FileTooLarge`, `EncodingUnknown`, `LayoutUnknown`, `UnknownName`, `MissingCapability`, `BadInput`.
    """
    if isinstance(source, str) and is_database_url(source):
        return read_database(source, options)
    path = Path(source)
    size = check_file(path, settings)
    kind, note = _kind(path)
    if kind == "excel":
        _check_workbook(path, settings)
        table = excel.read_excel(path, options, settings, progress)
    elif kind == "parquet":
        table = _read_parquet(path, settings)
    elif kind in ("sqlite", "duckdb"):
        table = replace(read_database(f"{kind}:////{str(path.resolve()).lstrip('/')}", options), source=path.name)
    else:
        table = read_delimited(path, options, settings, progress, size)
    if note:
        table = replace(table, guess=replace(table.guess, notes=(note, *table.guess.notes)))
    return table


def list_sheets(path: str | Path, settings: ImportSettings = ImportSettings()) -> tuple[str, ...]:  # noqa: B008 - frozen
    """Names of a workbook's sheets in order; none for other files. Raises `FileNotUsable`, `FileTooLarge`."""
    file = Path(path)
    check_file(file, settings)
    if _kind(file)[0] != "excel":
        return ()
    _check_workbook(file, settings)
    return excel.list_sheets(file, settings)


def detect_encoding(path: str | Path, settings: ImportSettings = ImportSettings()) -> EncodingGuess:  # noqa: B008 - frozen
    """The encoding that reads a text file to its end, and why. Raises `FileNotUsable`, `EncodingUnknown`."""
    file = Path(path)
    check_file(file, settings)
    return encodings.detect_encoding(file)


def _kind(path: Path) -> tuple[str, str]:
    """What the content is, and a note where the name says something else."""
    head = read_head(path, 4096)
    suffix = path.suffix.lower()
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        return (
            "excel",
            "" if suffix in _EXCEL_NAMES else f"named {suffix or 'without ending'}, but it is an Excel workbook",
        )
    if head.startswith(b"PAR1"):
        return "parquet", "" if suffix in (".parquet", ".pq") else f"named {suffix}, but it is Parquet"
    if head.startswith(b"SQLite format 3\0"):
        return "sqlite", ""
    if head[8:12] == b"DUCK":
        return "duckdb", ""
    if head.startswith(b"\x1f\x8b"):
        raise FileNotUsable(f"{path.name} is compressed (gzip); unpack it first")
    if head.startswith(b"%PDF"):
        raise FileNotUsable(f"{path.name} is a PDF, not a table; export CSV or Excel from the system it came from")
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta")):
        raise FileNotUsable(
            f"{path.name} is a web page or XML, whatever its name says; open it in Excel and save it as .xlsx or CSV"
        )
    if suffix in _EXCEL_NAMES:
        return "csv", f"named {suffix}, but it is plain text: read as CSV"
    if suffix in (".parquet", ".pq"):
        raise FileNotUsable(f"{path.name} is no Parquet file, or was cut off while it was written; export it again")
    return "csv", ""


def _check_workbook(path: Path, settings: ImportSettings) -> None:
    if read_head(path, 2) != b"PK":
        if "EncryptedPackage".encode("utf-16-le") in read_head(path, 1 << 20):
            raise FileNotUsable(f"{path.name} is protected by a password; save it in Excel without one")
        return
    check_archive(path, settings)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if not any(name.startswith("xl/workbook.") or name == "content.xml" for name in names):
        shown = ", ".join(names[:3]) or "nothing"
        raise FileNotUsable(f"{path.name} is a zip archive ({shown} …) and no workbook; unpack it and import the files")


def _read_parquet(path: Path, settings: ImportSettings) -> RawTable:
    try:
        schema = pl.read_parquet_schema(path)
        if len(schema) > settings.max_columns:
            raise FileTooLarge(
                f"{path.name} has {len(schema):,} columns, more than the limit of {settings.max_columns:,}; "
                "leave columns out or raise imports.max_columns"
            )
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise FileNotUsable(f"{path.name} cannot be read as Parquet ({text}); export it again") from error
    if frame.height == 0 or frame.width == 0:
        raise FileNotUsable(f"{path.name} holds no rows; export it again")
    names = unique_names([name.strip() or None for name in frame.columns])
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    lines = pl.Series("line", range(1, frame.height + 1), pl.Int64)
    return RawTable(path.name, frame, lines, ReadGuess("parquet", notes=("columns as they are",)), (), no_rejected())
