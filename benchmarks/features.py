"""Customer features from a Parquet file: recency, frequency, money and distinct products of every customer.

    python benchmarks/features.py [--scale tenth|full]

Everybody starts from the file (its pages are in the page cache) and ends with one row a customer in memory. They do not
do the same: the peers give orders, lines, distinct products, first and last moment, yen and three quintiles; ours gives
these and the windows of 12 months, the purchase cycle with its spread and what follows from them, 31 columns in all,
and holds for orders whose lines are not adjacent or that name several customers. `polars_by_order` and
`duckdb_by_order` reduce to orders first, which spares the distinct count of orders; like the others they trust that an
order names one customer. `polars_same` gives our columns. `nobishiro_families` adds what families need, `load_sales` is
the encoding into arrays that everything else computes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from harness import Job, Notes, Peer, main, nothing

AS_OF = date(2025, 1, 1)
COLUMNS = ("order_id", "customer_id", "product_id", "ordered_at", "amount")
FAMILIES = 100


@dataclass(frozen=True, slots=True)
class File:
    """The lines on disk, and families for their products."""

    path: str
    families: pl.DataFrame


def load(lines: Path) -> File:
    with lines.open("rb") as file:
        while file.read(1 << 24):
            pass
    products = pl.scan_parquet(lines).select(pl.col("product_id").unique().sort()).collect()
    family = pl.format("family {}", pl.col("product_id") % FAMILIES).alias("family")
    return File(str(lines), products.with_columns(family))


def _first_rows(file: File) -> str:
    """A small file of the same columns, beside the large one, to compile on."""
    small = file.path.replace("lines.parquet", "first_lines.parquet")
    if not Path(small).exists():
        pl.read_parquet(file.path, n_rows=20_000).write_parquet(small)
    return small


def compile_ours(file: File) -> None:
    from nobishiro.engine.understand.features import customer_features

    customer_features([_first_rows(file)], AS_OF)


def features_ours(file: File) -> Notes:
    from nobishiro.engine.understand.features import customer_features

    found = customer_features([file.path], AS_OF)
    return {"rows": found.height, "columns": found.width, "yen": round(float(found["amount"].sum()))}


def compile_families(file: File) -> None:
    from nobishiro.engine.understand.features import customer_features

    customer_features([_first_rows(file)], AS_OF, product_families=file.families)


def features_with_families(file: File) -> Notes:
    from nobishiro.engine.understand.features import customer_features

    found = customer_features([file.path], AS_OF, product_families=file.families)
    return {"rows": found.height, "columns": found.width}


def compile_load(file: File) -> None:
    from nobishiro.engine.understand.sales import load_sales

    load_sales([_first_rows(file)], AS_OF)


def load_arrays(file: File) -> Notes:
    from nobishiro.engine.understand.sales import load_sales

    sales = load_sales([file.path], AS_OF)
    return {"rows": sales.line_product.size}


def _quintiles(frame: pl.DataFrame) -> pl.DataFrame:
    count = frame.height

    def quintile(values: pl.Expr, name: str) -> pl.Expr:
        return ((values.rank("ordinal") * 5 + (count - 1)) // count).cast(pl.Int8).alias(name)

    return frame.with_columns(
        quintile(pl.col("last"), "recency"), quintile(pl.col("orders"), "frequency"), quintile(pl.col("yen"), "money")
    ).sort("customer_id")


def _noted(frame: pl.DataFrame) -> Notes:
    return {"rows": frame.height, "columns": frame.width, "yen": round(float(frame["yen"].sum()))}


def _polars_by_line(file: File, streaming: bool) -> Notes:
    lazy = (
        pl.scan_parquet(file.path)
        .select(COLUMNS)
        .group_by("customer_id")
        .agg(
            pl.col("order_id").n_unique().alias("orders"),
            pl.len().alias("lines"),
            pl.col("product_id").n_unique().alias("products"),
            pl.col("ordered_at").min().alias("first"),
            pl.col("ordered_at").max().alias("last"),
            pl.col("amount").sum().alias("yen"),
        )
    )
    return _noted(_quintiles(lazy.collect(engine="streaming") if streaming else lazy.collect()))


def features_polars(file: File) -> Notes:
    return _polars_by_line(file, streaming=False)


def features_polars_streaming(file: File) -> Notes:
    return _polars_by_line(file, streaming=True)


def _orders_in_polars(lines: pl.DataFrame) -> pl.LazyFrame:
    return (
        lines.lazy()
        .group_by("order_id")
        .agg(
            pl.col("customer_id").first(),
            pl.col("ordered_at").first(),
            pl.col("amount").sum(),
            pl.len().alias("lines"),
        )
    )


def features_polars_by_order(file: File) -> Notes:
    lines = pl.scan_parquet(file.path).select(COLUMNS).collect()
    products = lines.lazy().group_by("customer_id").agg(pl.col("product_id").n_unique().alias("products"))
    customers = (
        _orders_in_polars(lines)
        .group_by("customer_id")
        .agg(
            pl.len().alias("orders"),
            pl.col("lines").sum(),
            pl.col("ordered_at").min().alias("first"),
            pl.col("ordered_at").max().alias("last"),
            pl.col("amount").sum().alias("yen"),
        )
    )
    return _noted(_quintiles(customers.join(products, on="customer_id").collect()))


def features_polars_same(file: File) -> Notes:
    """Our columns, without touches and families."""
    lines = pl.scan_parquet(file.path).select(COLUMNS).collect()
    products = lines.lazy().group_by("customer_id").agg(pl.col("product_id").n_unique().alias("products"))
    year, before = AS_OF - timedelta(days=365), AS_OF - timedelta(days=730)
    orders = _orders_in_polars(lines).with_columns(pl.col("ordered_at").cast(pl.Date).alias("day"))
    this_year, year_before = pl.col("day") >= year, pl.col("day").is_between(before, year, closed="left")
    customers = orders.group_by("customer_id").agg(
        pl.len().alias("orders"),
        pl.col("lines").sum(),
        pl.col("day").min().alias("first"),
        pl.col("day").max().alias("last"),
        pl.col("amount").sum().alias("yen"),
        pl.col("amount").filter(this_year).sum().alias("amount_12m"),
        pl.col("amount").filter(year_before).sum().alias("amount_prev_12m"),
        this_year.sum().alias("orders_12m"),
    )
    gaps = (
        orders.select("customer_id", "day")
        .unique()
        .sort("customer_id", "day")
        .with_columns(pl.col("day").diff().over("customer_id").dt.total_days().alias("gap"))
        .drop_nulls("gap")
        .group_by("customer_id")
        .agg(
            pl.col("gap").median().alias("cycle"),
            (pl.col("gap").quantile(0.75, "linear") - pl.col("gap").quantile(0.25, "linear")).alias("spread"),
        )
    )
    frame = customers.join(products, on="customer_id").join(gaps, on="customer_id", how="left").collect()
    return _noted(_quintiles(frame))


_QUINTILES = """select *, ntile(5) over (order by last) recency, ntile(5) over (order by orders) frequency,
    ntile(5) over (order by yen) money from customers order by customer_id"""


def import_duckdb(_: File) -> None:
    import duckdb  # noqa: F401


def _in_duckdb(statement: str) -> Notes:
    import duckdb

    connection = duckdb.connect(config={"threads": int(os.environ["OMP_NUM_THREADS"])})
    frame = pl.from_arrow(connection.sql(statement).to_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return _noted(frame)


def features_duckdb(file: File) -> Notes:
    return _in_duckdb(
        f"""with customers as (
            select customer_id, count(distinct order_id) orders, count(*) as lines, count(distinct product_id) products,
                min(ordered_at) as first, max(ordered_at) as last, sum(amount) yen
            from '{file.path}' group by customer_id
        ) {_QUINTILES}"""
    )


def features_duckdb_by_order(file: File) -> Notes:
    return _in_duckdb(
        f"""with bought as (select distinct customer_id, product_id from '{file.path}'),
        held as (select customer_id, count(*) products from bought group by customer_id),
        heads as (
            select order_id, any_value(customer_id) customer_id, any_value(ordered_at) ordered_at, sum(amount) amount,
                count(*) as lines
            from '{file.path}' group by order_id
        ),
        reduced as (
            select customer_id, count(*) orders, sum(lines) as lines, min(ordered_at) as first,
                max(ordered_at) as last, sum(amount) yen
            from heads group by customer_id
        ),
        customers as (select * from reduced join held using (customer_id)) {_QUINTILES}"""
    )


def import_pandas(_: File) -> None:
    import pandas  # noqa: F401


def features_pandas(file: File) -> Notes:
    import numpy as np
    import pandas as pd

    lines = pd.read_parquet(file.path, columns=list(COLUMNS))
    found = lines.groupby("customer_id", sort=True).agg(
        orders=("order_id", "nunique"),
        lines=("amount", "size"),
        products=("product_id", "nunique"),
        first=("ordered_at", "min"),
        last=("ordered_at", "max"),
        yen=("amount", "sum"),
    )
    for name, values in (("recency", found["last"]), ("frequency", found["orders"]), ("money", found["yen"])):
        found[name] = np.ceil(values.rank(method="first") / len(found) * 5).astype("int8")
    return {"rows": len(found), "columns": found.shape[1] + 1, "yen": round(float(found["yen"].sum()))}


PEERS = (
    Peer("nobishiro", compile_ours, features_ours),
    Peer("polars", nothing, features_polars),
    Peer("polars_streaming", nothing, features_polars_streaming),
    Peer("polars_by_order", nothing, features_polars_by_order),
    Peer("polars_same", nothing, features_polars_same),
    Peer("duckdb", import_duckdb, features_duckdb),
    Peer("duckdb_by_order", import_duckdb, features_duckdb_by_order),
    Peer("pandas", import_pandas, features_pandas),
    Peer("nobishiro_families", compile_families, features_with_families),
    Peer("load_sales", compile_load, load_arrays),
)

if __name__ == "__main__":
    main(Job("features", load, PEERS, ours="nobishiro"))
