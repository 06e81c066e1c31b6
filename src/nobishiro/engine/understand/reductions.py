"""The reductions behind the customer features: by the kernels from arrays and files, by statements on a backend."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.protocols import Backend
from nobishiro.engine.understand.chunks import LineColumns
from nobishiro.engine.understand.cuts import Int64
from nobishiro.engine.understand.habits import (
    PACKED,
    Packed,
    count_families,
    pack_runs,
    reduce_families,
    reduce_habits,
)
from nobishiro.engine.understand.runs import THREADS, Runs, runs_of_files
from nobishiro.engine.understand.sales import Sales
from nobishiro.engine.understand.statements import STATEMENTS

YEAR_DAYS: Final = 365
_EPOCH: Final = date(1970, 1, 1)

Source = Sales | Runs | Backend | Sequence[str | Path]
"""Net product lines: encoded, cut into runs, a backend where `sales` is bound, or Parquet files with net lines."""


@dataclass(frozen=True, slots=True)
class Reductions:
    """What the large tables came down to."""

    habits: pl.DataFrame
    """customer_id, orders, lines, products, first_day, last_day, amount, amount_12m, amount_prev_12m, orders_12m."""
    gaps: pl.DataFrame
    """customer_id, gaps, lower_quartile, median, upper_quartile."""
    families: pl.DataFrame | None
    """As `customer_families`; None when no families were given."""


def reduce_customers(
    source: Source, as_of: date, product_families: pl.DataFrame | None, columns: LineColumns | None
) -> Reductions:
    """What the lines of `source` before `as_of` come down to. Raises as `customer_features` does."""
    if product_families is not None:
        product_families = _checked_families(product_families)
    if isinstance(source, Backend):
        return _reduce_by_statements(source, as_of, product_families)
    if isinstance(source, Sales):
        if source.as_of != as_of:
            raise BadInput(f"sales were encoded as of {source.as_of}, not {as_of}; encode them as of the same day")
        runs = _runs_of_sales(source)
    elif isinstance(source, Runs):
        runs = source
    else:
        files = [source] if isinstance(source, str | Path) else list(source)
        runs = runs_of_files(files, as_of, columns=columns, keep_amount=product_families is not None)
    return _reduce_by_kernels(runs, as_of, product_families)


def _checked_families(product_families: pl.DataFrame) -> pl.DataFrame:
    families = product_families.select("product_id", "family").drop_nulls()
    twice = families.filter(pl.col("product_id").is_duplicated())
    if twice.height:
        raise BadInput(f"product {twice['product_id'][0]!r} stands in two families; name one row a product")
    return families


def _reduce_by_statements(backend: Backend, as_of: date, product_families: pl.DataFrame | None) -> Reductions:
    if product_families is not None:
        backend.bind("product_families", product_families.to_arrow(compat_level=pl.CompatLevel.oldest()))
    habits = rows_of(backend, "customer_orders", as_of).join(
        rows_of(backend, "customer_product_counts", as_of), on="customer_id", how="left"
    )
    families = None
    if product_families is not None:
        families = rows_of(backend, "customer_families", as_of).sort("customer_id", "family")
    return Reductions(habits, rows_of(backend, "order_gaps", as_of), families)


def rows_of(backend: Backend, name: str, as_of: date) -> pl.DataFrame:
    """Rows of one statement as of a day."""
    year_start, previous_start = windows(as_of)
    days = {"as_of": as_of, "year_start": year_start, "previous_start": previous_start}
    statement = STATEMENTS[name]
    frame = pl.from_arrow(backend.query(statement.text, {key: days[key] for key in statement.parameters}))
    assert isinstance(frame, pl.DataFrame)
    return frame


def windows(as_of: date) -> tuple[date, date]:
    """First day of the year before `as_of`, and of the year before that."""
    return as_of - timedelta(days=YEAR_DAYS), as_of - timedelta(days=2 * YEAR_DAYS)


def _runs_of_sales(sales: Sales) -> Runs:
    start = sales.order_start
    # Differences of one long running sum would cancel; each order is summed by itself.
    sums = np.add.reduceat(sales.line_amount, start[:-1]) if start.size > 1 else np.empty(0, np.float64)
    return Runs(
        as_of=sales.as_of,
        customers=sales.customers,
        products=sales.products,
        orders=sales.orders,
        run_customer=sales.order_customer,
        run_order=np.arange(sales.order_customer.size, dtype=np.int64),
        run_day=sales.order_day,
        run_first=np.ones(sales.order_customer.size, np.bool_),
        run_start=start[:-1],
        run_lines=np.diff(start).astype(np.int32),
        run_amount=sums,
        line_product=sales.line_product,
        line_quantity=sales.line_quantity,
        line_amount=sales.line_amount,
        has_amounts=sales.has_amounts,
    )


def _reduce_by_kernels(runs: Runs, as_of: date, product_families: pl.DataFrame | None) -> Reductions:
    year_start, previous_start = ((day - _EPOCH).days for day in windows(as_of))
    customers = runs.customers.len()
    start, packed = _runs_by_customer(runs)
    counts, days = np.empty((customers, 5), np.int64), np.empty((customers, 2), np.int32)
    yen, gaps = np.empty((customers, 3)), np.empty((customers, 3))
    with ThreadPoolExecutor(THREADS) as pool:
        blocks = _blocks(start)
        for _ in pool.map(
            lambda block: reduce_habits(
                block[0],
                block[1],
                start,
                packed,
                runs.line_product,
                runs.products.len(),
                previous_start,
                year_start,
                counts,
                days,
                yen,
                gaps,
            ),
            blocks,
        ):
            pass
    habits = pl.DataFrame(
        {
            "customer_id": runs.customers,
            "orders": counts[:, 0],
            "lines": counts[:, 1],
            "products": counts[:, 2],
            "orders_12m": counts[:, 3],
            "first_day": pl.Series(days[:, 0]).cast(pl.Date),
            "last_day": pl.Series(days[:, 1]).cast(pl.Date),
            "amount": yen[:, 0],
            "amount_12m": yen[:, 1],
            "amount_prev_12m": yen[:, 2],
        }
    )
    between = pl.DataFrame(
        {
            "customer_id": runs.customers,
            "gaps": counts[:, 4],
            "lower_quartile": gaps[:, 0],
            "median": gaps[:, 1],
            "upper_quartile": gaps[:, 2],
        }
    ).filter(pl.col("gaps") > 0)
    families = None
    if product_families is not None:
        families = _families_by_kernels(runs, start, packed, product_families, previous_start, year_start)
    return Reductions(habits, between, families)


def _runs_by_customer(runs: Runs) -> tuple[Int64, Packed]:
    """Where the runs of each customer start, and the runs; those of one order stand together."""
    whole = bool(runs.run_first.all())
    sequence = np.empty(0, np.int64) if whole else np.argsort(runs.run_order, kind="stable")
    packed = np.empty(runs.run_order.size, PACKED)
    start = pack_runs(
        sequence,
        runs.customers.len(),
        runs.run_customer,
        runs.run_order,
        runs.run_day,
        runs.run_first,
        runs.run_start,
        runs.run_lines,
        runs.run_amount,
        packed,
    )
    return start, packed


def _blocks(start: Int64, per_thread: int = 4) -> list[tuple[int, int]]:
    """Customer ranges of about equal numbers of runs."""
    edges = np.searchsorted(start, np.linspace(0, start[-1], THREADS * per_thread + 1)[1:-1])
    cuts = np.unique(np.concatenate(([0], edges, [start.size - 1])))
    return [(int(low), int(high)) for low, high in pairwise(cuts)]


def _families_by_kernels(
    runs: Runs, start: Int64, packed: Packed, product_families: pl.DataFrame, previous_start: int, year_start: int
) -> pl.DataFrame:
    names = product_families["family"].unique().sort()
    codes = pl.DataFrame({"family": names, "code": np.arange(names.len(), dtype=np.int32)})
    ids = pl.DataFrame({"product_id": runs.products})
    known = product_families.with_columns(pl.col("product_id").cast(ids.schema["product_id"]))
    family_of = (
        ids.join(known, on="product_id", how="left", maintain_order="left")
        .join(codes, on="family", how="left", maintain_order="left")["code"]
        .fill_null(-1)
        .to_numpy()
    )
    found = np.zeros(runs.customers.len(), np.int64)
    blocks = _blocks(start)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(
            lambda block: count_families(
                block[0],
                block[1],
                start,
                packed,
                runs.line_product,
                family_of,
                names.len(),
                found,
            ),
            blocks,
        ):
            pass
        row_start = np.concatenate(([0], np.cumsum(found))).astype(np.int64)
        size = int(row_start[-1])
        row_family, orders = np.empty(size, np.int32), np.empty(size, np.int64)
        days, yen = np.empty((size, 2), np.int32), np.empty((size, 3))
        for _ in pool.map(
            lambda block: reduce_families(
                block[0],
                block[1],
                start,
                packed,
                runs.line_product,
                runs.line_amount,
                family_of,
                names.len(),
                previous_start,
                year_start,
                row_start,
                row_family,
                orders,
                days,
                yen,
            ),
            blocks,
        ):
            pass
    return pl.DataFrame(
        {
            "customer_id": runs.customers.gather(np.repeat(np.arange(found.size), found)),
            "family": names.gather(row_family),
            "orders": orders,
            "first_day": pl.Series(days[:, 0]).cast(pl.Date),
            "last_day": pl.Series(days[:, 1]).cast(pl.Date),
            "amount": yen[:, 0],
            "amount_12m": yen[:, 1],
            "amount_prev_12m": yen[:, 2],
        }
    )
