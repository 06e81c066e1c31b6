"""Where order lines come from: Parquet row groups or slices of a frame, read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from nobishiro.contracts.errors import FileNotUsable, LayoutUnknown

_CHUNK_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class LineColumns:
    """What the columns are called where the lines come from; None or absent means there is none."""

    customer_id: str = "customer_id"
    order_id: str = "order_id"
    product_id: str = "product_id"
    ordered_at: str = "ordered_at"
    quantity: str | None = "quantity"
    amount: str | None = "amount"


@dataclass(frozen=True, slots=True)
class Source:
    """Chunks of at most some million lines, each read by calling it; all have the same columns."""

    chunks: list[Callable[[], pa.Table]]
    rows: list[int]
    schema: pa.Schema
    columns: LineColumns
    product_range: tuple[int, int] | None
    """Smallest and largest integer product id, where it is known before reading."""


def file_source(files: Sequence[str | Path], columns: LineColumns, keep_quantity: bool) -> Source:
    """The rows of Parquet files, about a million at a time and whole row groups.

    The quantity is not read where there is an amount, unless it is to be kept. Raises `FileNotUsable`, and
    `LayoutUnknown` for missing or differing columns.
    """
    chunks: list[Callable[[], pa.Table]] = []
    rows: list[int] = []
    schema: pa.Schema | None = None
    low, high, known = np.iinfo(np.int64).max, np.iinfo(np.int64).min, True
    for path in files:
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise FileNotUsable(f"{path}: not readable as Parquet: {error}") from error
        this = metadata.schema.to_arrow_schema()
        if schema is None:
            schema = this
            columns = _present(columns, this.names, str(path), keep_quantity)
        wanted = column_names(columns)
        for name in wanted:
            if name not in this.names or this.field(name).type != schema.field(name).type:
                raise LayoutUnknown(f"{path}: column {name} is missing or of another type than in {files[0]}")
        words = [n for n in wanted if is_text(schema.field(n).type)]
        place = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}[columns.product_id]
        groups: list[int] = []
        offset = size = 0
        for group in range(metadata.num_row_groups):
            statistics = metadata.row_group(group).column(place).statistics
            if statistics is not None and statistics.has_min_max and isinstance(statistics.min, int):
                low, high = min(low, statistics.min), max(high, statistics.max)
            elif metadata.row_group(group).num_rows:
                known = False
            groups.append(group)
            size += metadata.row_group(group).num_rows
            if size >= _CHUNK_ROWS or (size and group == metadata.num_row_groups - 1):
                read = _read_words if words else _read_rows
                chunks.append(partial(read, path, groups, offset, size, wanted))
                rows.append(size)
                groups, offset, size = [], offset + size, 0
    if schema is None:
        raise FileNotUsable("no files given: name at least one Parquet file of order lines")
    _check_types(schema, columns)
    return Source(chunks, rows, schema, columns, (low, high) if known and low <= high else None)


def _read_rows(path: str | Path, groups: list[int], offset: int, size: int, names: list[str]) -> pa.Table:
    """Polars decodes numbers faster than Arrow does."""
    rows = pl.scan_parquet(path, glob=False, hive_partitioning=False).select(names).slice(offset, size)
    return rows.collect().to_arrow(compat_level=pl.CompatLevel.oldest())


def _read_words(path: str | Path, groups: list[int], offset: int, size: int, names: list[str]) -> pa.Table:
    """Arrow hands text over as the dictionary the file holds, so that no word is compared twice."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        schema = file.schema_arrow
    words = [name for name in names if is_text(schema.field(name).type)]
    with pq.ParquetFile(path, read_dictionary=words, pre_buffer=False) as file:
        return file.read_row_groups(groups, columns=names, use_threads=False)


def frame_source(lines: pl.DataFrame, keep_quantity: bool) -> Source:
    """Slices of a frame whose columns carry their canonical names. Raises `LayoutUnknown`."""
    columns = _present(LineColumns(), lines.columns, "lines", keep_quantity)
    kinds = {name: lines.schema[name] for name in column_names(columns)}
    texts = [name for name, kind in kinds.items() if kind in (pl.Categorical, pl.Enum)]
    frame = lines.select(pl.col(n).cast(pl.String) if n in texts else pl.col(n) for n in kinds)
    oldest = pl.CompatLevel.oldest()
    chunks: list[Callable[[], pa.Table]] = [
        lambda s=start: frame.slice(s, _CHUNK_ROWS).to_arrow(compat_level=oldest)  # type: ignore[misc]
        for start in range(0, frame.height, _CHUNK_ROWS)
    ]
    rows = [min(_CHUNK_ROWS, frame.height - start) for start in range(0, frame.height, _CHUNK_ROWS)]
    span: tuple[int, int] | None = None
    product = frame[columns.product_id]
    if product.dtype.is_integer() and product.len() > product.null_count():
        span = (int(product.min()), int(product.max()))  # type: ignore[arg-type]
    schema = frame.head(0).to_arrow(compat_level=oldest).schema
    _check_types(schema, columns)
    return Source(chunks, rows, schema, columns, span)


def _present(columns: LineColumns, have: Sequence[str], where: str, keep_quantity: bool) -> LineColumns:
    needed = (columns.customer_id, columns.order_id, columns.product_id, columns.ordered_at)
    missing = [name for name in needed if name not in have]
    if missing:
        raise LayoutUnknown(f"{where}: no column {', '.join(missing)}; it has {', '.join(have)}")
    amount = columns.amount if columns.amount in have else None
    quantity = columns.quantity if columns.quantity in have and (keep_quantity or amount is None) else None
    return LineColumns(*needed, quantity, amount)


def column_names(columns: LineColumns) -> list[str]:
    """The columns to read."""
    optional = [name for name in (columns.quantity, columns.amount) if name is not None]
    return [columns.order_id, columns.customer_id, columns.product_id, columns.ordered_at, *optional]


def _check_types(schema: pa.Schema, columns: LineColumns) -> None:
    for name in (columns.customer_id, columns.order_id, columns.product_id):
        kind = schema.field(name).type
        if not (pa.types.is_integer(kind) or is_text(kind) or pa.types.is_null(kind)) or pa.types.is_uint64(kind):
            raise LayoutUnknown(f"column {name} is {kind}; ids must be text or integers below 2⁶³: cast it first")
    moment = schema.field(columns.ordered_at).type
    if not (pa.types.is_date32(moment) or (pa.types.is_timestamp(moment) and moment.tz is None)):
        raise LayoutUnknown(
            f"column {columns.ordered_at} is {moment}; it must be a date, or a timestamp without a time zone on the "
            "workspace's clock"
        )


def is_text(kind: pa.DataType) -> bool:
    """Whether ids of this Arrow type are words."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))
