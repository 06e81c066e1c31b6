"""A filtered list with its chosen columns as a file. The rows stream from the database into a file that goes once it is sent."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from itertools import accumulate
from pathlib import Path
from typing import IO, Final, cast

from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from nobishiro.pipelines.list_files import Cell, cells_not_fitting, list_texts, write_list_csv, write_list_excel
from nobishiro.web.core.audit import record
from nobishiro.web.core.list_columns import Column, Row, plain
from nobishiro.web.core.lists import ListPage
from nobishiro.web.core.permissions import SignedInRequest

FORMATS: Final = ("xlsx", "csv", "cp932")
_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK: Final = 2_000
MOST_SHOWN: Final = 1_000
"""Cells that do not fit, shown on the page; the rest is counted."""


def export_list(
    request: SignedInRequest, shown: ListPage[Row], out: str, *, is_replacing: bool = False
) -> HttpResponseBase:
    """The file; for CP932 first the page that names every cell that does not fit, unless `is_replacing`. 404 for another `out`."""
    if out not in FORMATS:
        raise Http404
    columns = [made for column in shown.columns for made in column.file_columns()]
    title = str(shown.spec.title or shown.spec.name)
    place = Path(tempfile.mkdtemp(prefix="nobishiro-list-"))
    try:
        if out == "xlsx":
            path = place / "list.xlsx"
            count = write_list_excel(columns, rows_of(shown), path, title)
        else:
            path = place / "list.csv"
            texts = list_texts(columns, rows_of(shown))
            if out == "cp932" and not is_replacing and (misfits := cells_not_fitting(texts)):
                context = {
                    "list": shown,
                    "misfits": [(cell, _first_text(texts.row(cell.line - 2))) for cell in misfits[:MOST_SHOWN]],
                    "count": len(misfits),
                    "more": max(0, len(misfits) - MOST_SHOWN),
                }
                return render(request, "core/list_misfits.html", context)
            count = write_list_csv(texts, path, "cp932" if out == "cp932" else "utf-8-sig")
        detail: dict[str, object] = {
            "count": count,
            "format": out,
            "columns": [column.name for column in shown.columns],
            "query": shown.query[:1000],
        }
        record(request.user, "list.export", f"list:{shown.spec.name}", detail, request=request)
        file = path.open("rb")
    finally:
        shutil.rmtree(place)  # an open file stays readable until it is closed; its name is gone, whatever happens next
    day = timezone.localdate()
    ending = "xlsx" if out == "xlsx" else "csv"
    charset = {"csv": "; charset=utf-8", "cp932": "; charset=Shift_JIS"}.get(out, "")
    return FileResponse(
        cast("IO[bytes]", file),
        as_attachment=True,
        filename=f"{title}_{day:%Y%m%d}.{ending}",
        content_type=_EXCEL if out == "xlsx" else f"text/csv{charset}",
    )


def rows_of(shown: ListPage[Row]) -> Iterable[list[Cell]]:
    """The rows as cells, some thousand at a time; without making row objects where every column names its fields."""
    columns = shown.columns
    rows = shown.in_order()
    if all(column.fields for column in columns):
        names = [name for column in columns for name in column.fields]
        if len(names) == len(columns) and not any(column.lookup or column.export for column in columns):
            for values in rows.values_list(*names).iterator(chunk_size=_CHUNK):
                yield [plain(value) for value in values]
            return
        ends = list(accumulate((len(column.fields) for column in columns), initial=0))
        readers = [_reader(column, start, end) for column, start, end in zip(columns, ends, ends[1:], strict=False)]
        for values in rows.values_list(*names).iterator(chunk_size=_CHUNK):
            yield [cell for read in readers for cell in read(values)]
        return
    for row in rows.iterator(chunk_size=_CHUNK):
        yield [cell for column in columns for cell in column.file_cells(column.of(row))]


def _reader(column: Column, start: int, end: int) -> Callable[[tuple[object, ...]], list[Cell]]:
    """How a column's cells are made of its part of the values."""
    export = column.export
    if column.lookup is not None:
        known = column.lookup()
        return lambda values: [plain(known.get(cast("int", values[start])))]
    if export is not None:
        return lambda values: column.file_cells(export(*values[start:end]))
    return lambda values: [plain(value) for value in values[start:end]]


def _first_text(values: tuple[object, ...]) -> str:
    return next((str(value) for value in values if value), "")
