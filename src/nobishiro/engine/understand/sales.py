"""Net sales as dense arrays: what understand and offer compute on.

Orders are customer-major: sorted by customer, then day, then order; the lines of an order are adjacent. Cancelled,
returned and non-product lines are out already.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from nobishiro.engine.understand.chunks import LineColumns
from nobishiro.engine.understand.cuts import (
    Float64,
    Int32,
    Int64,
    gather_lines,
    group_stably,
    mark_products,
)
from nobishiro.engine.understand.runs import THREADS, Runs, runs_of_files, runs_of_frame

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Sales:
    """Net sales lines before `as_of`, encoded.

    U customers, P products, B orders, L lines. Codes are dense from 0 in the order of the sorted ids; anonymous orders
    carry customer −1 and come first.
    """

    as_of: date
    """Exclusive: every line is strictly before this day."""
    customers: pl.Series
    """(U,) ids as given, sorted."""
    products: pl.Series
    """(P,) ids as given, sorted."""
    orders: pl.Series
    """(B,) order ids as given."""
    order_customer: Int32
    """(B,) customer code, −1 anonymous."""
    order_day: Int32
    """(B,) days since 1970-01-01."""
    order_start: Int64
    """(B + 1,) first line of each order."""
    line_product: Int32
    """(L,) product code."""
    line_quantity: Float64
    """(L,) net units."""
    line_amount: Float64
    """(L,) net yen; the number of units when the source has no amounts."""
    has_amounts: bool

    @property
    def as_of_day(self) -> int:
        """`as_of` in days since 1970-01-01."""
        return (self.as_of - _EPOCH).days

    @property
    def line_order(self) -> Int32:
        """(L,) order code of each line."""
        return np.repeat(np.arange(self.order_customer.size, dtype=np.int32), np.diff(self.order_start))

    @property
    def line_customer(self) -> Int32:
        """(L,) customer code of each line, −1 anonymous."""
        return np.repeat(self.order_customer, np.diff(self.order_start))

    @property
    def line_day(self) -> Int32:
        """(L,) day of each line."""
        return np.repeat(self.order_day, np.diff(self.order_start))

    @property
    def customer_start(self) -> Int64:
        """(U + 1,) first order of each customer; orders before entry 0 are anonymous."""
        return np.searchsorted(self.order_customer, np.arange(self.customers.len() + 1)).astype(np.int64)


def encode_sales(lines: pl.DataFrame, as_of: date | None = None) -> Sales:
    """Encode net sales lines; rows on or after `as_of` are left out (default: the day after the last line).

    `lines` has `customer_id` (nullable), `order_id`, `product_id`, `ordered_at` (date or timestamp) and may have
    `quantity` and `amount`. Ids are text or integers and keep their type. Lines of an order need not be adjacent; an
    order that names several customers belongs to the first by id, and to the earliest of its days. Lines without an
    order, a product or a day are left out. Raises `LayoutUnknown`.
    """
    return _arrange(runs_of_frame(lines, as_of, keep_quantity=True, keep_amount=True))


def load_sales(files: Sequence[str | Path], as_of: date | None = None, *, columns: LineColumns | None = None) -> Sales:
    """The same from Parquet files of net sales lines, streamed: the lines are never in memory as a table.

    Raises `FileNotUsable` and `LayoutUnknown`.
    """
    return _arrange(runs_of_files(files, as_of, columns=columns, keep_quantity=True, keep_amount=True))


def _arrange(runs: Runs) -> Sales:
    """Orders by customer, day and id, and their lines next to each other, in the order they came in."""
    count = runs.orders.len()
    order_customer, order_day = np.empty(count, np.int32), np.empty(count, np.int32)
    order_customer[runs.run_order] = runs.run_customer
    order_day[runs.run_order] = runs.run_day
    order_lines = np.bincount(runs.run_order, runs.run_lines, count).astype(np.int64)
    # Codes of orders ascend with their ids, and a stable sort keeps that order within a customer's day.
    place = (order_customer.astype(np.int64) << 32) + (order_day.astype(np.int64) + (1 << 31))
    sequence = np.argsort(place, kind="stable")
    order_start = np.concatenate(([0], np.cumsum(order_lines[sequence]))).astype(np.int64)
    group_start, member = group_stably(runs.run_order, count)
    seen = np.zeros(runs.products.len(), np.bool_)
    mark_products(runs.run_start, runs.run_lines, runs.line_product, seen)
    code_of = (np.cumsum(seen) - 1).astype(np.int32)

    lines = int(order_start[-1])
    line_product = np.empty(lines, np.int32)
    line_quantity, line_amount = np.empty(lines, np.float64), np.empty(lines, np.float64)

    def gather(low: int, high: int) -> None:
        gather_lines(
            low,
            high,
            sequence,
            order_start,
            group_start,
            member,
            runs.run_start,
            runs.run_lines,
            runs.line_product,
            code_of,
            runs.line_quantity,
            runs.line_amount,
            line_product,
            line_quantity,
            line_amount,
        )

    edges = [int(edge) for edge in np.linspace(0, count, 4 * THREADS + 1)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(gather, edges[:-1], edges[1:]))
    return Sales(
        as_of=runs.as_of,
        customers=runs.customers.rename(""),
        products=runs.products.filter(pl.Series(seen)).rename(""),
        orders=runs.orders.gather(sequence).rename(""),
        order_customer=order_customer[sequence],
        order_day=order_day[sequence],
        order_start=order_start,
        line_product=line_product,
        line_quantity=line_quantity,
        line_amount=line_amount,
        has_amounts=runs.has_amounts,
    )
