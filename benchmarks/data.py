"""Order lines shaped like a grocery's, made from a seed: what every benchmark here reads.

    python benchmarks/data.py --out DIR [--scale tenth|full] [--seed 7]

writes `DIR/<scale>/lines.parquet` with order_id, customer_id, product_id (int32), ordered_at (timestamp, microseconds),
quantity (int32) and amount (float64), in order of time, zstd, row groups of a million lines, beside it
`products.parquet` with product_id and category (int32), and prints what came out as one JSON line. The full set has
about 30 million lines of 200,000 customers and 50,000 products; a tenth has a tenth of the
customers and all products.

The shape follows the public Instacart data: a long tail of products in categories, lognormal baskets of eleven lines
on average, half of the lines repeats of the customer's own, and complements bought together more often than chance.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit

CUSTOMERS: Final = {"tenth": 20_000, "full": 200_000}
PRODUCTS: Final = 50_000
CATEGORIES: Final = 134
COMPLEMENTS: Final = 6
PREFERRED_CATEGORIES: Final = 16
LARGEST_BASKET: Final = 80
DAY: Final = 86_400
BEGIN: Final = 1_672_531_200
"""2023-01-01, in seconds since 1970."""
SPAN: Final = 730 * DAY
ROWS_PER_GROUP: Final = 1_000_000

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assortment:
    """Products sorted by category; their codes say nothing yet about popularity."""

    category_start: Int64
    cumulative_popularity: Float64
    complements: Int32
    price: Float64


@dataclass(frozen=True, slots=True)
class Baskets:
    """Orders by customer and time, and the products of each in turn."""

    customer: Int32
    second: Int64
    lines: Int32
    product: Int32


def make_assortment(rng: np.random.Generator) -> Assortment:
    """Zipf-like popularity, unequal categories, six complements a product from its own and three related categories."""
    popularity = 1.0 / (np.arange(PRODUCTS) + 12.0)
    popularity /= popularity.sum()
    weight = 1.0 / (np.arange(CATEGORIES) + 3.0) ** 0.8
    category = rng.choice(CATEGORIES, PRODUCTS, p=weight / weight.sum())
    by_category = np.argsort(category, kind="stable")
    category, popularity = category[by_category], popularity[by_category]
    start = np.searchsorted(category, np.arange(CATEGORIES + 1)).astype(np.int64)
    related = rng.integers(0, CATEGORIES, (CATEGORIES, 3))
    complements = np.empty((PRODUCTS, COMPLEMENTS), np.int32)
    for own in range(CATEGORIES):
        members = np.arange(start[own], start[own + 1])
        pool = np.concatenate([*(np.arange(start[other], start[other + 1]) for other in related[own]), members])
        pull = np.sqrt(popularity[pool])
        complements[members] = rng.choice(pool, (members.size, COMPLEMENTS), p=pull / pull.sum())
    price = (np.round(np.exp(rng.normal(1.4, 0.7, PRODUCTS)), 2) + 0.29).astype(np.float64)
    return Assortment(start, np.cumsum(popularity), complements, price)


def make_baskets(rng: np.random.Generator, assortment: Assortment, customers: int) -> Baskets:
    """Every customer's orders inside the two years."""
    start = assortment.category_start
    mass = np.diff(np.concatenate(([0.0], assortment.cumulative_popularity))[start])
    preferred = rng.choice(CATEGORIES, (customers, PREFERRED_CATEGORIES), p=mass / mass.sum()).astype(np.int32)
    taste = rng.gamma(0.6, 1.0, preferred.shape)
    orders = np.clip(rng.lognormal(2.35, 0.93, customers), 1, 100).astype(np.int32)
    made = _draw_baskets(
        rng,
        start,
        assortment.cumulative_popularity,
        assortment.complements,
        orders,
        np.exp(rng.normal(np.log(8.8), 0.5, customers)),
        preferred,
        np.cumsum(taste / taste.sum(axis=1, keepdims=True), axis=1),
        BEGIN + (rng.random(customers) ** 1.3 * SPAN * 0.9).astype(np.int64),
        rng.gamma(1.6, 1 / 14.0, customers) + 1 / 60.0,
        BEGIN + SPAN,
    )
    return Baskets(*made)


@njit(cache=True)
def _draw_baskets(  # type: ignore[no-untyped-def]
    rng, category_start, cumulative, complements, orders, mean_lines, preferred, taste, first_second, rate, end
):
    customers = orders.size
    order_customer = np.empty(orders.sum(), np.int32)
    order_second = np.empty(order_customer.size, np.int64)
    order_lines = np.empty(order_customer.size, np.int32)
    product = np.empty(max(1 << 16, order_customer.size * 12), np.int32)
    basket = np.empty(LARGEST_BASKET, np.int32)
    used = 0
    order = 0
    for customer in range(customers):
        history = used
        second = first_second[customer]
        for visit in range(orders[customer]):
            if visit > 0:
                second += np.int64(rng.gamma(2.0, DAY / (2.0 * rate[customer]))) + 3600
            if second >= end:
                break
            wanted = min(int(np.exp(rng.normal(np.log(mean_lines[customer]), 0.45))) + 1, LARGEST_BASKET)
            size = 0
            tries = 0
            known = used - history
            while size < wanted and tries < wanted * 4:
                tries += 1
                what = rng.random()
                if size > 0 and what < 0.13:
                    beside = basket[rng.integers(0, size)]
                    drawn = complements[beside, min(int(rng.exponential(1.5)), COMPLEMENTS - 1)]
                elif known > 0 and what < 0.63:
                    back = int(rng.exponential(known * 0.5))
                    if back >= known:
                        back = rng.integers(0, known)
                    drawn = product[used - 1 - back]
                else:
                    column = np.searchsorted(taste[customer], rng.random())
                    category = preferred[customer, min(column, PREFERRED_CATEGORIES - 1)]
                    low, high = category_start[category], category_start[category + 1]
                    base = cumulative[low - 1] if low > 0 else 0.0
                    mark = base + rng.random() * (cumulative[high - 1] - base)
                    drawn = min(low + np.searchsorted(cumulative[low:high], mark), high - 1)
                repeated = False
                for place in range(size):
                    repeated |= basket[place] == drawn
                if not repeated:
                    basket[size] = drawn
                    size += 1
            if used + size > product.size:
                grown = np.empty(product.size + product.size // 2, np.int32)
                grown[:used] = product[:used]
                product = grown
            product[used : used + size] = basket[:size]
            used += size
            order_customer[order] = customer
            order_second[order] = second
            order_lines[order] = size
            order += 1
    return order_customer[:order].copy(), order_second[:order].copy(), order_lines[:order].copy(), product[:used].copy()


def write_products(path: Path, assortment: Assortment, code: Int32) -> None:
    """Write which category each product belongs to, by its shuffled code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    category = np.repeat(np.arange(CATEGORIES, dtype=np.int32), np.diff(assortment.category_start))
    pl.DataFrame({"product_id": code, "category": category}).sort("product_id").write_parquet(path)


def write_lines(
    path: Path, rng: np.random.Generator, assortment: Assortment, baskets: Baskets, code: Int32
) -> dict[str, float]:
    """Write the lines in order of time, a row group at a time, products by their `code`. Returns the counts."""
    by_time = np.argsort(baskets.second, kind="stable")
    begin = np.concatenate(([0], np.cumsum(baskets.lines)[:-1]))[by_time]
    lines = baskets.lines[by_time]
    end = np.cumsum(lines)
    writer: pq.ParquetWriter | None = None
    path.parent.mkdir(parents=True, exist_ok=True)
    first_order = 0
    while first_order < lines.size:
        written = int(end[first_order - 1]) if first_order else 0
        past = max(int(np.searchsorted(end, written + ROWS_PER_GROUP, side="right")), first_order + 1)
        size = lines[first_order:past]
        inside = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        product = baskets.product[np.repeat(begin[first_order:past], size) + inside]
        quantity = rng.geometric(0.72, product.size).astype(np.int32)
        reduced = np.where(rng.random(product.size) < 0.12, 0.9, 1.0)
        source = by_time[first_order:past]
        table = pa.table(
            {
                "order_id": np.repeat(np.arange(first_order, past, dtype=np.int32), size),
                "customer_id": np.repeat(baskets.customer[source], size),
                "product_id": code[product],
                "ordered_at": pa.array(np.repeat(baskets.second[source] * 1_000_000, size), pa.timestamp("us")),
                "quantity": quantity,
                "amount": np.round(assortment.price[product] * quantity * reduced, 2),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=ROWS_PER_GROUP + LARGEST_BASKET)
        first_order = past
    if writer is not None:
        writer.close()
    return describe_lines(path)


def describe_lines(path: Path) -> dict[str, float]:
    """How many of everything, the mean basket, and the share of lines a customer had bought before."""
    counts = (
        pl.scan_parquet(path)
        .select(
            lines=pl.len(),
            orders=pl.col("order_id").n_unique(),
            customers=pl.col("customer_id").n_unique(),
            products=pl.col("product_id").n_unique(),
            bought=(pl.col("customer_id").cast(pl.Int64) * PRODUCTS + pl.col("product_id")).n_unique(),
        )
        .collect()
        .row(0, named=True)
    )
    lines = float(counts["lines"])
    found = {name: int(counts[name]) for name in ("lines", "orders", "customers", "products")}
    return {**found, "mean_basket": lines / counts["orders"], "repeat_share": 1 - counts["bought"] / lines}


def lines_path(out: Path, scale: str) -> Path:
    """Where the lines of a scale lie under `out`."""
    return out / scale / "lines.parquet"


def products_path(out: Path, scale: str) -> Path:
    """Where the categories of a scale's products lie under `out`."""
    return out / scale / "products.parquet"


def make_lines(out: Path, scale: str, seed: int) -> dict[str, float]:
    """Make and write one set; the same seed gives the same file."""
    rng = np.random.default_rng(seed)
    assortment = make_assortment(rng)
    baskets = make_baskets(rng, assortment, CUSTOMERS[scale])
    code = rng.permutation(PRODUCTS).astype(np.int32)
    write_products(products_path(out, scale), assortment, code)
    return write_lines(lines_path(out, scale), rng, assortment, baskets, code)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the order lines the benchmarks read.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--scale", choices=tuple(CUSTOMERS), default="tenth")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    began = time.perf_counter()
    found = make_lines(arguments.out, arguments.scale, arguments.seed)
    seconds = round(time.perf_counter() - began, 1)
    print(json.dumps({"data": arguments.scale, "seed": arguments.seed, "seconds": seconds, **found}))


if __name__ == "__main__":
    main()
