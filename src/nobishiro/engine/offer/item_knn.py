"""Item-kNN: products close to those a customer has bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nobishiro.contracts.errors import BadInput, SettingsError
from nobishiro.engine.offer import knn_kernels, pair_kernels
from nobishiro.engine.offer.baskets import Ranking, pack_baskets, rank_products
from nobishiro.engine.offer.crew import crew_size, in_parallel
from nobishiro.engine.offer.purchases import Purchases, gather_purchases
from nobishiro.engine.settings import RecommendSettings

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer]

_DEFAULT: Final = RecommendSettings()


@dataclass(frozen=True, slots=True)
class _Near:
    """For each product the products beside it, and how near: starts (P + 1,), ranks, similarities."""

    start: Int64
    product: Integers
    similarity: Float32

    def turned(self, products: int) -> _Near:
        """The other way round: for each product those it is beside, in rising rank."""
        source = np.repeat(np.arange(products, dtype=np.int32), np.diff(self.start))
        start, back = pair_kernels.group_lines(self.product, 0, products, source)
        _, similarity = pair_kernels.group_lines(self.product, 0, products, self.similarity)
        return _Near(start, back, similarity)


class ItemKNN:
    """Scores a product by the sum, over what the customer bought, of weight × similarity of the two products.

    Similarity is the cosine of the sets of buyers, shrunk: buyers of both / (√(buyers of one · buyers of the other) +
    `shrinkage`), kept for the `neighbours` nearest products of each (Sarwar et al. 2001; Deshpande and Karypis 2004).
    Shrinkage takes from pairs with few buyers what chance gave them. A product is similar to itself by 1, so that
    without `exclude_bought` what a customer buys by habit comes first. Products with fewer than `min_buyers` buyers are
    near nothing.

    The same input gives the same output on any number of threads. Ties go to the product with more buyers, then to the
    lower code.
    """

    def __init__(self, settings: RecommendSettings = _DEFAULT, threads: int | None = None) -> None:
        if settings.neighbours < 1:
            raise SettingsError(f"recommend.neighbours is {settings.neighbours}; it must be at least 1")
        if settings.min_buyers < 1:
            raise SettingsError(f"recommend.min_buyers is {settings.min_buyers}; it must be at least 1")
        if not 0.0 <= settings.shrinkage < float("inf"):
            raise SettingsError(f"recommend.shrinkage is {settings.shrinkage}; it must be 0 or more")
        self._settings = settings
        self._crew = crew_size(threads)
        self._code: Int32 = np.empty(0, np.int32)
        self._rank: Int32 = np.empty(0, np.int32)
        self._buyers: Int64 = np.empty(0, np.int64)
        self._bought = Purchases.none()
        self._near = _Near(np.zeros(1, np.int64), np.empty(0, np.uint16), np.empty(0, np.float32))
        self._back = self._near

    def fit(
        self, customer: Integers, product: Integers, weight: npt.NDArray[np.floating], shape: tuple[int, int]
    ) -> None:
        """Learn from (customer code, product code, weight) triples; codes are dense from 0, weights at least 0.

        `shape` is (customers, products). Triples may repeat and come in any sequence; weights of the same customer and
        product add up. Similarity asks only who bought, scores also use the weights. Raises `BadInput`.
        """
        purchases = gather_purchases(customer, product, weight, shape)
        bounds = [shape[0] * part // self._crew for part in range(self._crew + 1)]
        ranking = rank_products(purchases.start, purchases.product, shape[1], self._settings.min_buyers, bounds)
        self._code, self._rank, self._buyers = ranking.code, ranking.rank, ranking.holding
        self._near = self._find_near(purchases, ranking, bounds)
        self._back = self._near.turned(shape[1])
        bought = ranking.rank[purchases.product].astype(self._near.product.dtype)
        self._bought = Purchases(purchases.start, bought, purchases.weight)

    def recommend(self, customers: Integers, k: int, exclude_bought: bool) -> tuple[Int32, Float32]:
        """The `k` best products of each customer and their scores, both (customers, k), best first.

        −1 and 0 where there are no more: a customer who bought nothing, or whose code was not in the fit, gets only
        those. Scores are positive. Raises `BadInput` for k below 1.
        """
        if k < 1:
            raise BadInput(f"k is {k}; ask for at least one product a customer")
        rows = customers.size
        best = np.full((rows, k), -1, np.int32)
        score = np.zeros((rows, k), np.float32)
        bounds = [rows * part // self._crew for part in range(self._crew + 1)]
        bought, near = self._bought, self._near
        in_parallel(
            self._crew,
            lambda part: knn_kernels.score_customers(
                customers,
                bought.start,
                bought.product,
                bought.weight,
                near.start,
                near.product,
                near.similarity,
                self._code.size,
                exclude_bought,
                bounds[part],
                bounds[part + 1],
                best,
                score,
            ),
        )
        return self._coded(best), score

    def explain(self, customers: Integers, products: Integers, top: int = 3) -> tuple[Int32, Float32]:
        """What each score is made of: the `top` bought products behind it and their shares, both (rows, top).

        Row r asks why `products[r]` (a code, or −1 for none) was recommended to `customers[r]`. Shares are of the
        whole score, the largest first, and add up to 1 when `top` covers all. A product bought before is behind itself.
        −1 and 0 where there are no more. Rows of one customer are best adjacent. Raises `BadInput`.
        """
        if top < 1:
            raise BadInput(f"top is {top}; ask for at least one product behind a score")
        if customers.shape != products.shape or customers.ndim != 1:
            raise BadInput(
                f"customers {customers.shape} and products {products.shape} do not fit; pass one of each a row"
            )
        rows = customers.size
        behind = np.full((rows, top), -1, np.int32)
        share = np.zeros((rows, top), np.float32)
        known = (products >= 0) & (products < self._code.size)
        wanted = np.full(rows, -1, np.int32)
        wanted[known] = self._rank[products[known]]
        bounds = [rows * part // self._crew for part in range(self._crew + 1)]
        bought, back = self._bought, self._back
        in_parallel(
            self._crew,
            lambda part: knn_kernels.explain_scores(
                customers,
                wanted,
                bought.start,
                bought.product,
                bought.weight,
                back.start,
                back.product,
                back.similarity,
                self._code.size,
                bounds[part],
                bounds[part + 1],
                behind,
                share,
            ),
        )
        return self._coded(behind), share

    def shared_buyers(self, products: Integers, others: Integers) -> Int64:
        """(rows,) customers who bought both `products[r]` and `others[r]`, where the latter is near the former, else 0.

        That is so for a recommended product and what `explain` says is behind it. The count is taken back out of the
        similarity, which is exact up to eight million buyers of both. Codes are those of the fit. Raises `BadInput`.
        """
        if products.shape != others.shape or products.ndim != 1:
            raise BadInput(f"products {products.shape} and others {others.shape} do not fit; pass one of each a row")
        if products.size == 0:
            return np.empty(0, np.int64)
        near, one, other = self._near, self._rank[products], self._rank[others]
        similarity = knn_kernels.similarity_of(near.start, near.product, near.similarity, one, other)
        root = np.sqrt(self._buyers).astype(np.float32)
        divisor = root[products] * root[others] + np.float32(self._settings.shrinkage)
        both: Int64 = np.rint(similarity.astype(np.float64) * divisor).astype(np.int64)
        return both

    def _coded(self, ranks: Int32) -> Int32:
        if self._code.size == 0:
            return ranks
        return np.where(ranks >= 0, self._code[np.maximum(ranks, 0)], np.int32(-1))

    def _find_near(self, purchases: Purchases, ranking: Ranking, bounds: list[int]) -> _Near:
        packed = pack_baskets(purchases.start, purchases.product, ranking, bounds)
        listed, products = ranking.listed, ranking.code.size
        top = self._settings.neighbours
        tables = [
            (np.full((listed, top), -1, np.int32), np.zeros((listed, top), np.float32)) for _ in range(self._crew)
        ]
        root = np.sqrt(ranking.holding[ranking.code[:listed]]).astype(np.float32)
        in_parallel(
            self._crew,
            lambda part: knn_kernels.find_similar(
                packed.stream,
                packed.place_start,
                packed.places,
                root,
                np.float32(self._settings.shrinkage),
                part,
                self._crew,
                packed.sentinel,
                1,
                *tables[part],
            ),
        )
        neighbour, similarity = tables[0]
        for more in tables[1:]:
            knn_kernels.merge_similar(neighbour, similarity, *more)
        kept = neighbour >= 0
        sizes = np.zeros(products, np.int64)
        sizes[:listed] = kept.sum(axis=1)
        narrow = np.uint16 if products < np.iinfo(np.uint16).max else np.uint32
        start = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        return _Near(start, neighbour[kept].astype(narrow), similarity[kept])
