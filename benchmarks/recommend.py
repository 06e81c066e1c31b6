"""Ten products for every customer by item-kNN.

    python benchmarks/recommend.py [--scale tenth|full]

Everybody gets the distinct (customer, product, log(1 + lines)) triples in memory, fits 20 neighbours a product and
lists ten products a customer; once with what they bought already allowed, and once without (`new_only_seconds`).
`fit_seconds` and `recommend_seconds` part the work, `…_cpu_seconds` are processor time of all threads. `hit_rate` is
the share of customers whose last order, kept out of the fit, holds at least one of the ten: a check that speed was not
bought with nonsense.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from harness import Job, Notes, Peer, main

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEIGHBOURS = 20
K = 10

Int32 = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Triples:
    """Distinct (customer, product) pairs before each customer's last order, and what that order holds."""

    customer: Int32
    product: Int32
    weight: Float32
    later_customer: Int32
    later_product: Int32
    shape: tuple[int, int]

    def matrix(self) -> csr_matrix:
        """Customers × products."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.weight, (self.customer, self.product)), shape=self.shape)


def load(lines: Path) -> Triples:
    last = pl.col("ordered_at").max().over("customer_id")
    first = pl.col("ordered_at").min().over("customer_id")
    frame = pl.read_parquet(lines, columns=["customer_id", "product_id", "ordered_at"])
    frame = frame.with_columns(later=(pl.col("ordered_at") == last) & (last > first))
    shape = (int(str(frame["customer_id"].max())) + 1, int(str(frame["product_id"].max())) + 1)
    known = (
        frame.filter(~pl.col("later"))
        .group_by("customer_id", "product_id")
        .len("lines")
        .sort("customer_id", "product_id")
    )
    later = frame.filter("later")
    return Triples(
        known["customer_id"].to_numpy().copy(),
        known["product_id"].to_numpy().copy(),
        np.log1p(known["lines"].to_numpy()).astype(np.float32),
        later["customer_id"].to_numpy().copy(),
        later["product_id"].to_numpy().copy(),
        shape,
    )


def hit_rate(triples: Triples, best: Int32) -> float:
    """Share of customers with a later order that holds one of the `best` (customers, K)."""
    key = triples.later_customer.astype(np.int64) * triples.shape[1] + triples.later_product
    row = np.arange(triples.shape[0], dtype=np.int64)[:, None]
    hit = np.asarray(np.isin(np.where(best >= 0, row * triples.shape[1] + best, -1), key)).any(axis=1)
    return round(float(np.mean(np.asarray(hit)[np.unique(triples.later_customer)])), 4)


def compile_ours(triples: Triples) -> None:
    from nobishiro.engine.offer.item_knn import ItemKNN

    few = slice(0, int(np.searchsorted(triples.customer, 50)))
    model = ItemKNN()
    model.fit(triples.customer[few], triples.product[few], triples.weight[few], (50, triples.shape[1]))
    model.recommend(np.arange(50, dtype=np.int32), K, False)


def recommend_ours(triples: Triples) -> Notes:
    from nobishiro.engine.offer.item_knn import ItemKNN
    from nobishiro.engine.settings import RecommendSettings

    customers = np.arange(triples.shape[0], dtype=np.int32)
    began = _Times.now()
    model = ItemKNN(RecommendSettings(neighbours=NEIGHBOURS))
    model.fit(triples.customer, triples.product, triples.weight, triples.shape)
    fitted = _Times.now()
    best, _ = model.recommend(customers, K, exclude_bought=False)
    recommended = _Times.now()
    model.recommend(customers, K, exclude_bought=True)
    return _notes(triples, began, fitted, recommended, _Times.now(), best)


def import_implicit(_: Triples) -> None:
    import implicit.nearest_neighbours  # noqa: F401


def recommend_implicit(triples: Triples) -> Notes:
    from implicit.nearest_neighbours import CosineRecommender

    customers = np.arange(triples.shape[0], dtype=np.int32)
    began = _Times.now()
    matrix = triples.matrix()
    model = CosineRecommender(K=NEIGHBOURS, num_threads=0)
    model.fit(matrix, show_progress=False)
    fitted = _Times.now()
    best, _ = model.recommend(customers, matrix, N=K, filter_already_liked_items=False)
    recommended = _Times.now()
    model.recommend(customers, matrix, N=K, filter_already_liked_items=True)
    return _notes(triples, began, fitted, recommended, _Times.now(), best)


def import_sparse_dot_topn(_: Triples) -> None:
    import sparse_dot_topn  # noqa: F401


def recommend_sparse_dot_topn(triples: Triples) -> Notes:
    import os

    from scipy.sparse import diags
    from sparse_dot_topn import sp_matmul_topn

    threads = int(os.environ["OMP_NUM_THREADS"])
    began = _Times.now()
    matrix = triples.matrix()
    norm = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    unit = (matrix @ diags(1 / np.maximum(norm, 1e-9))).tocsr().astype(np.float32)
    near = sp_matmul_topn(unit.T.tocsr(), unit, top_n=NEIGHBOURS, n_threads=threads)
    fitted = _Times.now()
    found = sp_matmul_topn(matrix, near.tocsr(), top_n=K, sort=True, n_threads=threads)
    recommended = _Times.now()
    best = np.full((triples.shape[0], K), -1, np.int32)
    place = np.arange(found.indices.size) - np.repeat(found.indptr[:-1], np.diff(found.indptr))
    best[np.repeat(np.arange(triples.shape[0]), np.diff(found.indptr)), place] = found.indices
    return _notes(triples, began, fitted, recommended, None, best)


@dataclass(frozen=True, slots=True)
class _Times:
    clock: float
    processor: float

    @classmethod
    def now(cls) -> _Times:
        return cls(time.perf_counter(), time.process_time())

    def since(self, earlier: _Times, name: str) -> dict[str, float | str]:
        return {
            f"{name}_seconds": round(self.clock - earlier.clock, 4),
            f"{name}_cpu_seconds": round(self.processor - earlier.processor, 4),
        }


def _notes(
    triples: Triples, began: _Times, fitted: _Times, recommended: _Times, new_only: _Times | None, best: Int32
) -> Notes:
    return {
        **fitted.since(began, "fit"),
        **recommended.since(fitted, "recommend"),
        **(new_only.since(recommended, "new_only") if new_only else {}),
        "customers_per_second": round(triples.shape[0] / (recommended.clock - fitted.clock)),
        "hit_rate": hit_rate(triples, np.asarray(best, np.int32)),
    }


PEERS = (
    Peer("nobishiro", compile_ours, recommend_ours),
    Peer("implicit", import_implicit, recommend_implicit),
    Peer("sparse_dot_topn", import_sparse_dot_topn, recommend_sparse_dot_topn),
)

if __name__ == "__main__":
    main(Job("recommend", load, PEERS, ours="nobishiro"))
