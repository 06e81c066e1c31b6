"""Bought together: which products share orders, and how strongly; the best 20 partners a product.

    python benchmarks/pairs.py [--scale tenth|full]

Everybody gets the (order, product) columns in memory and lists the best 20 partners of each product among pairs on at
least 20 orders. They do not do the same: ours counts exactly, tests every pair exactly and controls the false
discovery rate; `implicit` and `sparse_dot_topn` rank by the count alone and test nothing; the SQL self-join, Polars and
SciPy rank by the count times the log of the lift. `nobishiro_5` is ours with its default of 5 orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

from harness import Job, Notes, Peer, main, nothing

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MIN_TOGETHER = 20
TOP = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """One row a line, lines of an order adjacent."""

    order: npt.NDArray[np.int32]
    product: npt.NDArray[np.int32]

    @property
    def shape(self) -> tuple[int, int]:
        """Orders and products."""
        return int(self.order.max()) + 1, int(self.product.max()) + 1


def load(lines: Path) -> Columns:
    table = pq.read_table(lines, columns=["order_id", "product_id"])
    return Columns(*(table[name].combine_chunks().to_numpy() for name in ("order_id", "product_id")))


def compile_ours(columns: Columns) -> None:
    _count(Columns(columns.order[:20_000], columns.product[:20_000]), MIN_TOGETHER)


def _count(columns: Columns, min_together: int) -> Notes:
    from nobishiro.engine.offer.together import count_pairs
    from nobishiro.engine.settings import TogetherSettings

    found = count_pairs(columns.order, columns.product, TogetherSettings(min_together=min_together, top=TOP))
    return {"rows": found.product.size, "tests": found.tests}


def count_ours(columns: Columns) -> Notes:
    return _count(columns, MIN_TOGETHER)


def count_ours_from_5(columns: Columns) -> Notes:
    return _count(columns, 5)


def _matrix(columns: Columns, dtype: npt.DTypeLike) -> csr_matrix:
    from scipy.sparse import csr_matrix

    ones = np.ones(columns.order.size, dtype)
    return csr_matrix((ones, (columns.order, columns.product)), shape=columns.shape)


def import_implicit(_: Columns) -> None:
    import implicit.nearest_neighbours  # noqa: F401


def count_implicit(columns: Columns) -> Notes:
    from implicit.nearest_neighbours import ItemItemRecommender

    model = ItemItemRecommender(K=TOP, num_threads=0)
    model.fit(_matrix(columns, np.float64), show_progress=False)
    return {"rows": int(model.similarity.nnz), "note": "counts only, no test"}


def import_sparse_dot_topn(_: Columns) -> None:
    import sparse_dot_topn  # noqa: F401


def count_sparse_dot_topn(columns: Columns) -> Notes:
    from sparse_dot_topn import sp_matmul_topn

    matrix = _matrix(columns, np.float32)
    found = sp_matmul_topn(
        matrix.T.tocsr(), matrix, top_n=TOP + 1, threshold=MIN_TOGETHER - 1.0, sort=True, n_threads=_threads()
    )
    return {"rows": int(found.nnz), "note": "counts only, no test"}


def _threads() -> int:
    import os

    return int(os.environ["OMP_NUM_THREADS"])


def import_duckdb(_: Columns) -> None:
    import duckdb  # noqa: F401


def count_duckdb(columns: Columns) -> Notes:
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect(config={"threads": _threads()})
    connection.register("lines", pa.table({"o": columns.order, "p": columns.product}))
    orders, _ = columns.shape
    found = connection.sql(
        f"""
        with held as (select p, count(*) n from lines group by p),
        pairs as (
            select a.p one, b.p other, count(*) together
            from lines a join lines b on a.o = b.o and a.p < b.p
            group by one, other having count(*) >= {MIN_TOGETHER}
        ),
        directed as (
            select one, other, together from pairs union all select other, one, together from pairs
        )
        select one, other, together, together * {orders}::double / (x.n * y.n) lift
        from directed join held x on x.p = one join held y on y.p = other
        where together * {orders}::double > x.n * y.n
        qualify row_number() over (partition by one order by together * ln(lift) desc, other) <= {TOP}
        """
    ).to_arrow_table()
    return {"rows": found.num_rows, "note": "lift, no test"}


def count_polars(columns: Columns) -> Notes:
    orders, _ = columns.shape
    lines = pl.DataFrame({"o": columns.order, "p": columns.product}).lazy()
    held = lines.group_by("p").len("n").with_columns(pl.col("n").cast(pl.Float64))
    pairs = (
        lines.join(lines, on="o")
        .filter(pl.col("p") < pl.col("p_right"))
        .group_by("p", "p_right")
        .len("together")
        .filter(pl.col("together") >= MIN_TOGETHER)
    )
    directed = pl.concat([pairs, pairs.select(p="p_right", p_right="p", together="together")])
    lift = pl.col("together") * float(orders) / (pl.col("n") * pl.col("n_right"))
    found = (
        directed.join(held, on="p")
        .join(held, left_on="p_right", right_on="p", suffix="_right")
        .with_columns(lift=lift)
        .filter(pl.col("lift") > 1)
        .with_columns(strength=pl.col("together") * pl.col("lift").log())
        .sort("strength", descending=True)
        .group_by("p", maintain_order=True)
        .head(TOP)
        .collect(engine="streaming")
    )
    return {"rows": found.height, "note": "lift, no test"}


def count_scipy(columns: Columns) -> Notes:
    orders, products = columns.shape
    matrix = _matrix(columns, np.int32)
    both = (matrix.T.tocsr() @ matrix).tocsr()
    one = np.repeat(np.arange(products), np.diff(both.indptr))
    kept = (both.data >= MIN_TOGETHER) & (one != both.indices)
    one, other, together = one[kept], both.indices[kept], both.data[kept]
    held = np.bincount(columns.product).astype(np.float64)
    lift = together * float(orders) / (held[one] * held[other])
    kept = lift > 1
    one, strength = one[kept], together[kept] * np.log(lift[kept])
    by_strength = np.lexsort((-strength, one))
    sorted_one = one[by_strength]
    place = np.arange(one.size) - np.searchsorted(sorted_one, sorted_one)
    return {"rows": int((place < TOP).sum()), "note": "lift, no test"}


PEERS = (
    Peer("nobishiro", compile_ours, count_ours),
    Peer("nobishiro_5", compile_ours, count_ours_from_5),
    Peer("implicit", import_implicit, count_implicit),
    Peer("sparse_dot_topn", import_sparse_dot_topn, count_sparse_dot_topn),
    Peer("duckdb", import_duckdb, count_duckdb),
    Peer("polars", nothing, count_polars),
    Peer("scipy", nothing, count_scipy),
)

if __name__ == "__main__":
    main(Job("pairs", load, PEERS, ours="nobishiro"))
