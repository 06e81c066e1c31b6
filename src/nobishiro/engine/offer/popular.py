"""What everybody buys: the baselines a recommender has to beat, and what a customer nobody knows gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from nobishiro.contracts.errors import BadInput, SettingsError
from nobishiro.contracts.protocols import Recommender
from nobishiro.engine.offer import popular_kernels
from nobishiro.engine.offer.purchases import Purchases, gather_purchases

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]

_BELOW: Final = np.float32(0.999)


class Popular:
    """Recommends the products with the most buyers; the score is their number.

    Ties go to the lower code. Products nobody bought are not recommended.
    """

    def __init__(self) -> None:
        self._bought = Purchases.none()
        self._sequence: Int32 = np.empty(0, np.int32)
        self._score: Float32 = np.empty(0, np.float32)

    def fit(
        self, customer: Integers, product: Integers, weight: npt.NDArray[np.floating], shape: tuple[int, int]
    ) -> None:
        """Learn from (customer code, product code, weight) triples; `shape` is (customers, products).

        Triples may repeat and come in any sequence. Raises `BadInput`.
        """
        self._bought = gather_purchases(customer, product, weight, shape)
        score = self._measure(self._bought, shape[1])
        sequence = np.argsort(-score, kind="stable").astype(np.int32)
        self._sequence = sequence[score[sequence] > 0]
        self._score = score[self._sequence].astype(np.float32)

    def recommend(self, customers: Integers, k: int, exclude_bought: bool) -> tuple[Int32, Float32]:
        """The first `k` products, for each customer without their own if asked, and scores: both (customers, k).

        −1 and 0 where there are no more. A customer outside the fit bought nothing. Raises `BadInput` for k below 1.
        """
        if k < 1:
            raise BadInput(f"k is {k}; ask for at least one product a customer")
        best = np.full((customers.size, k), -1, np.int32)
        score = np.zeros((customers.size, k), np.float32)
        popular_kernels.list_first(
            customers,
            self._bought.start,
            self._bought.product,
            self._sequence,
            self._score,
            exclude_bought,
            best,
            score,
        )
        return best, score

    def _measure(self, bought: Purchases, products: int) -> Float64:
        return np.bincount(bought.product, minlength=products).astype(np.float64)


class RecentlyPopular(Popular):
    """Recommends the products with the largest sum of weights.

    With weights that fall with age, as every recommender here is fitted, that is what sells now.
    """

    def _measure(self, bought: Purchases, products: int) -> Float64:
        return np.asarray(np.bincount(bought.product, bought.weight, minlength=products), np.float64)


class FallbackChain:
    """Asks recommenders in turn, each for the places the ones before it left empty.

    A chain such as `("item_knn", ItemKNN()), ("recently_popular", RecentlyPopular()), ("popular", Popular())` never
    leaves a customer without products while there are any; `recommend_named` says which link spoke. Scores of later
    links are scaled to stay below those of earlier ones, so that they fall along a row; between customers they say
    nothing.
    """

    def __init__(self, links: Sequence[tuple[str, Recommender]]) -> None:
        if not links:
            raise SettingsError("a fallback chain has no links; give it at least one recommender")
        self.names: Final = tuple(name for name, _ in links)
        """Names of the links, first asked first."""
        self._links = tuple(link for _, link in links)

    def fit(
        self, customer: Integers, product: Integers, weight: npt.NDArray[np.floating], shape: tuple[int, int]
    ) -> None:
        """Fit every link on the same triples. Raises `BadInput`."""
        for link in self._links:
            link.fit(customer, product, weight, shape)

    def recommend(self, customers: Integers, k: int, exclude_bought: bool) -> tuple[Int32, Float32]:
        """As `recommend_named`, without the links."""
        best, score, _ = self.recommend_named(customers, k, exclude_bought)
        return best, score

    def recommend_named(self, customers: Integers, k: int, exclude_bought: bool) -> tuple[Int32, Float32, Int8]:
        """Products, scores, and for each place the index into `names` of the link that filled it: each (customers, k).

        −1, 0 and −1 where no link had anything. A product comes once. Raises `BadInput` for k below 1.
        """
        best, score = self._links[0].recommend(customers, k, exclude_bought)
        best, score = best.copy(), score.copy()
        link = np.where(best >= 0, np.int8(0), np.int8(-1))
        for index, further in enumerate(self._links[1:], start=1):
            open_rows = np.flatnonzero(best[:, -1] < 0)
            if open_rows.size == 0:
                break
            more, more_score = further.recommend(customers[open_rows], k, exclude_bought)
            popular_kernels.fill_open(open_rows, more, more_score, index, _BELOW, best, score, link)
        return best, score, link
