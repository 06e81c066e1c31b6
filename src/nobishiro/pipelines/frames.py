"""A result to a file: the ending chooses the format, the file appears whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import polars as pl
import xlsxwriter

from nobishiro.contracts.errors import UnknownName
from nobishiro.engine.intake.texts import protect
from nobishiro.engine.intake.whole_file import whole_file


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame` as .parquet, .csv (UTF-8 with BOM, formula-safe), .json or .xlsx.

    Raises `UnknownName` for another ending, `FileNotUsable` and `DiskFull` when it cannot be written.
    """
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    writers: dict[str, Callable[[Path], object]] = {
        ".parquet": lambda to: frame.write_parquet(to, compression="zstd"),
        ".csv": lambda to: frame.with_columns(protect(pl.col(name)).alias(name) for name in texts).write_csv(
            to, include_bom=True
        ),
        ".json": lambda to: frame.write_json(to),
        ".xlsx": lambda to: _write_excel(frame, to),
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UnknownName(f"{path}: do not know how to write {path.suffix or 'that'}; use one of {', '.join(writers)}")
    with whole_file(path) as part:
        writer(part)


def _write_excel(frame: pl.DataFrame, path: Path) -> None:
    content = io.BytesIO()  # a full disk would leave XlsxWriter's own file open
    with xlsxwriter.Workbook(
        content, {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    ) as book:
        frame.write_excel(book, freeze_panes=(1, 0), autofilter=True)
    path.write_bytes(content.getbuffer())
