"""Order lines, streamed chunk by chunk and reduced to runs: what is kept is a product code a line and a row a run.

Two threads decode and reduce row groups at once (Arrow and the kernels release the interpreter lock), so a file is
never whole in memory. Everything that has to be sorted or matched is done on runs, about a tenth of the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from nobishiro.engine.understand.chunks import LineColumns, Source, column_names, file_source, frame_source, is_text
from nobishiro.engine.understand.cuts import Flags, Float64, Int32, Int64, Integers, cut_runs, settle_orders
from nobishiro.engine.understand.ids import (
    DIRECT_RANGE,
    NO_FLAGS,
    joined,
    name_runs,
    one_array,
    only_named,
    read_ids,
    series_of,
    settle_words,
)

THREADS: Final = 2
_EPOCH: Final = date(1970, 1, 1)
_NO_FLOATS: Final = np.empty(0, np.float64)
_END_OF_TIME: Final = np.iinfo(np.int32).max
_PER_DAY: Final = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


@dataclass(frozen=True, slots=True)
class Runs:
    """R runs over U customers, P products and B orders; lines of a run are neighbours in `line_*`."""

    as_of: date
    customers: pl.Series
    """(U,) ids as given, sorted; every one has an order."""
    products: pl.Series
    """(P,) ids as given, sorted, of `line_product`; may hold some that no kept line names."""
    orders: pl.Series
    """(B,) ids as given, sorted."""
    run_customer: Int32
    """(R,) customer code of the run's order, −1 anonymous."""
    run_order: Int64
    """(R,) order code."""
    run_day: Int32
    """(R,) day of the run's order."""
    run_first: Flags
    """(R,) true on the first run of its order."""
    run_start: Int64
    run_lines: Int32
    run_amount: Float64
    line_product: Integers
    """Product code of each line; gaps between chunks hold nothing."""
    line_quantity: Float64
    """Units of each line; empty unless asked for."""
    line_amount: Float64
    """Yen of each line (units where the source has no amounts); empty unless asked for."""
    has_amounts: bool


@dataclass(frozen=True, slots=True)
class _Cut:
    """The runs of one piece, ids still its own."""

    order: Integers
    customer: Integers
    named: Flags
    day: Int32
    start: Int64
    lines: Int32
    amount: Float64
    order_words: pa.Array | None
    customer_words: pa.Array | None
    product_words: pa.Array | None


def runs_of_files(
    files: Sequence[str | Path],
    as_of: date | None,
    *,
    columns: LineColumns | None = None,
    keep_quantity: bool = False,
    keep_amount: bool = False,
) -> Runs:
    """Runs of the lines in Parquet files, streamed. Raises `FileNotUsable`, and `LayoutUnknown` for missing columns.

    Ids are integers or text. `as_of` is exclusive; None takes the day after the last line.
    """
    return _reduce(file_source(files, columns or LineColumns(), keep_quantity), as_of, keep_quantity, keep_amount)


def runs_of_frame(
    lines: pl.DataFrame, as_of: date | None, *, keep_quantity: bool = False, keep_amount: bool = False
) -> Runs:
    """Runs of lines in memory; columns carry their canonical names. Raises `LayoutUnknown`."""
    return _reduce(frame_source(lines, keep_quantity), as_of, keep_quantity, keep_amount)


def _reduce(source: Source, as_of: date | None, keep_quantity: bool, keep_amount: bool) -> Runs:
    columns = source.columns
    end_day = (as_of - _EPOCH).days if as_of is not None else _END_OF_TIME
    total = sum(source.rows)
    base = np.concatenate(([0], np.cumsum(source.rows))).astype(np.int64)
    shift, kind = _product_storage(source)
    line_product = np.empty(total, kind)
    line_quantity = np.empty(total if keep_quantity else 0, np.float64)
    line_amount = np.empty(total if keep_amount else 0, np.float64)

    text = any(is_text(source.schema.field(name).type) for name in column_names(columns))

    def cut(chunk: int) -> list[_Cut]:
        table = source.chunks[chunk]()
        # Numbers are cut piece by piece as they were decoded, uncopied; words need one dictionary a chunk.
        pieces = [table] if text else [pa.Table.from_batches([batch]) for batch in table.to_batches()]
        starts = base[chunk] + np.cumsum([0, *(piece.num_rows for piece in pieces)])
        lines = (line_product, line_quantity, line_amount)
        return [
            _cut_piece(piece, columns, end_day, int(start), shift, lines)
            for piece, start in zip(pieces, starts, strict=False)
        ]

    with ThreadPoolExecutor(THREADS) as pool:
        cuts = [piece for pieces in pool.map(cut, range(len(source.chunks))) for piece in pieces]
    types = source.schema
    products, line_product = _name_products(
        cuts, base, shift, line_product, types.field(columns.product_id).type, source.product_range
    )
    day = joined([c.day for c in cuts], np.int32)
    named = joined([c.named for c in cuts], np.bool_)
    customers, customer_code = name_runs(
        [c.customer for c in cuts], [c.customer_words for c in cuts], named, types.field(columns.customer_id).type
    )
    orders, order = name_runs(
        [c.order for c in cuts], [c.order_words for c in cuts], None, types.field(columns.order_id).type
    )
    customer = customer_code.astype(np.int32)
    first = np.ones(order.size, np.bool_)
    if orders.len() < order.size:
        owner = np.full(orders.len(), -2, np.int32)
        settle_orders(order, customer, day, owner, np.zeros(orders.len(), np.int32), first)
        customers, customer = only_named(customers, customer)
    last = int(day.max()) if day.size else -1
    return Runs(
        as_of=as_of if as_of is not None else date.fromordinal(_EPOCH.toordinal() + last + 1),
        customers=customers,
        products=products,
        orders=orders,
        run_customer=customer,
        run_order=order,
        run_day=day,
        run_first=first,
        run_start=joined([c.start for c in cuts], np.int64),
        run_lines=joined([c.lines for c in cuts], np.int32),
        run_amount=joined([c.amount for c in cuts], np.float64),
        line_product=line_product,
        line_quantity=line_quantity,
        line_amount=line_amount,
        has_amounts=columns.amount is not None,
    )


def _product_storage(source: Source) -> tuple[int, npt.DTypeLike]:
    """What is taken off integer product ids, and the smallest type that holds the rest; text becomes int32 codes."""
    kind = source.schema.field(source.columns.product_id).type
    if not pa.types.is_integer(kind):
        return 0, np.int32
    if source.product_range is None or source.product_range[1] - source.product_range[0] >= DIRECT_RANGE:
        return 0, np.int64
    low, high = source.product_range
    return low, np.uint16 if high - low < 1 << 16 else np.int32


def _cut_piece(
    table: pa.Table,
    columns: LineColumns,
    end_day: int,
    base: int,
    shift: int,
    lines: tuple[Integers, Float64, Float64],
) -> _Cut:
    order, order_null, order_words = read_ids(table[columns.order_id])
    customer, customer_null, customer_words = read_ids(table[columns.customer_id])
    product, product_null, product_words = read_ids(table[columns.product_id])
    moment, moment_null, per_day = _moments(table[columns.ordered_at])
    skip = NO_FLAGS
    for flags in (order_null, product_null, moment_null):
        if flags.size:
            skip = flags if skip.size == 0 else skip | flags
    n = table.num_rows
    # Only the pages of runs that are written become memory, so generous sizes cost nothing.
    run_order, run_customer = np.empty(n, order.dtype), np.empty(n, customer.dtype)
    named, day = np.empty(n, np.bool_), np.empty(n, np.int32)
    start, count, money = np.empty(n, np.int64), np.empty(n, np.int32), np.empty(n, np.float64)
    k = cut_runs(
        order,
        customer,
        customer_null,
        skip,
        moment,
        per_day,
        product,
        shift,
        _floats(table, columns.quantity, 1.0),
        _floats(table, columns.amount, 0.0),
        end_day,
        base,
        *lines,
        run_order,
        run_customer,
        named,
        day,
        start,
        count,
        money,
    )
    return _Cut(
        run_order[:k].copy(),
        run_customer[:k].copy(),
        named[:k].copy(),
        day[:k].copy(),
        start[:k].copy(),
        count[:k].copy(),
        money[:k].copy(),
        order_words,
        customer_words,
        product_words,
    )


def _moments(column: pa.ChunkedArray) -> tuple[Integers, Flags, int]:
    array = one_array(column)
    per_day = 1 if pa.types.is_date32(array.type) else _PER_DAY[array.type.unit]
    array = array.view(pa.int32() if per_day == 1 else pa.int64())
    null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else NO_FLAGS
    if array.null_count:
        array = array.fill_null(0)
    return array.to_numpy(zero_copy_only=True), null, per_day


def _floats(table: pa.Table, name: str | None, missing: float) -> Float64:
    if name is None:
        return _NO_FLOATS
    array = one_array(table[name])
    if array.type != pa.float64():
        array = array.cast(pa.float64())
    if array.null_count:
        array = array.fill_null(missing)
    values: Float64 = array.to_numpy(zero_copy_only=True)
    return values


def _name_products(
    cuts: list[_Cut],
    base: Int64,
    shift: int,
    line_product: Integers,
    kind: pa.DataType,
    span: tuple[int, int] | None,
) -> tuple[pl.Series, Integers]:
    """Ids and codes of products; codes of text are settled in place, chunk by chunk."""
    if line_product.dtype == np.int64:
        kept = np.zeros(line_product.size, np.bool_)
        for cut in cuts:
            if cut.start.size:
                kept[cut.start[0] : cut.start[-1] + cut.lines[-1]] = True
        values, inverse = np.unique(line_product[kept], return_inverse=True)
        codes = np.zeros(line_product.size, np.int32)
        codes[kept] = inverse
        return series_of(values, kind), codes
    if not any(cut.product_words is not None for cut in cuts):
        low, high = span if span is not None else (0, -1)
        return series_of(np.arange(low, high + 1), kind), line_product
    ids, code_of = settle_words([cut.product_words for cut in cuts])
    for chunk, table in enumerate(code_of):
        part = line_product[base[chunk] : base[chunk + 1]]
        used = int(cuts[chunk].start[-1] + cuts[chunk].lines[-1] - base[chunk]) if cuts[chunk].start.size else 0
        part[:used] = table[part[:used]]
    return ids, line_product
