"""Which products are bought together more often than chance, and which of the two comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from nobishiro.contracts.errors import BadInput, SettingsError
from nobishiro.engine.offer import direction_kernels, pair_kernels
from nobishiro.engine.offer.baskets import Ranking, pack_baskets, rank_products
from nobishiro.engine.offer.crew import crew_size, in_parallel
from nobishiro.engine.settings import TogetherSettings
from nobishiro.engine.understand.sales import Sales

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]

_DEFAULT: Final = TogetherSettings()


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Associated pairs as arrays of equal length R, both directions apart, sorted by product, then the largest G²."""

    orders: int
    """Distinct orders with at least one line: the denominator of support."""
    holding: Int64
    """(P,) distinct orders each product is on."""
    tests: int
    """Pairs that could be counted: the family the false discovery rate is controlled over."""
    product: Int32
    """(R,) product code."""
    other: Int32
    """(R,) code of the partner."""
    together: Int64
    """(R,) distinct orders holding both."""
    llr: Float64
    """(R,) Dunning's G², positive as only lifts above 1 are listed."""
    p_value: Float64
    """(R,) Fisher's exact one-sided p."""
    q_value: Float64
    """(R,) Benjamini–Hochberg."""


def find_pairs(sales: Sales, settings: TogetherSettings = _DEFAULT) -> pl.DataFrame:
    """Products on the same order more often than chance: one row a product and partner, the strongest first.

    Columns are those of the result table `pairs`; ids keep their type. A row says how often `other_product_id` goes
    with `product_id`: `confidence` is P(other | product), and a pair has a second row the other way round when each is
    among the other's `settings.top` best by G². `support` is a share of all distinct orders with a net sale. A product
    on one order twice counts once. What is tested, and over which family, is written at `count_pairs`.

    `direction` looks at the customers who first bought the two on different days: the share of them who bought
    `product_id` first; null when there is none (`direction_n` 0). Anonymous orders count for everything else.

    No lines, or no pair beyond chance: no rows, all columns. Raises `SettingsError`.
    """
    counts = _count_grouped(sales.order_start, sales.line_product, sales.products.len(), settings, None)
    before, customers = _count_directions(sales, counts)
    holding_product = counts.holding[counts.product].astype(np.float64)
    holding_other = counts.holding[counts.other].astype(np.float64)
    together = counts.together.astype(np.float64)
    orders = float(max(counts.orders, 1))
    frame = pl.DataFrame(
        {
            "product_id": sales.products.gather(counts.product),
            "other_product_id": sales.products.gather(counts.other),
            "together": counts.together,
            "support": together / orders,
            "confidence": together / holding_product,
            "lift": together * orders / (holding_product * holding_other),
            "llr": counts.llr,
            "q_value": counts.q_value,
            "direction": before / np.maximum(customers, 1),
            "direction_n": customers,
        }
    )
    known = pl.col("direction_n") > 0
    return frame.with_columns(pl.when(known).then(pl.col("direction")).alias("direction"))


def count_pairs(
    order: Integers,
    product: Integers,
    settings: TogetherSettings = _DEFAULT,
    threads: int | None = None,
) -> PairCounts:
    """Associated pairs of products from one (order, product) row a line, in any sequence.

    `order` and `product` are integers of the same length; orders are told apart by their number alone, and their lines
    need not be adjacent (sorted orders are faster). Products are codes dense from 0. A product repeated on an order
    counts once.

    *Listed* are pairs on at least `min_together` orders, with a lift above 1 and a false discovery rate of at most
    `max_q`; of those the `top` partners of each product with the largest G² (Dunning 1993), ties by code.

    *The test* is Fisher's exact one, one-sided: the chance of so many or more orders with both, given on how many
    orders each of the two is. G² against χ² would be too generous where few are expected together (5 found where 0.5
    were expected: 0.00009, exactly 0.00017), and that is where most pairs are. Margins are what the test is conditional
    on, so choosing products by them costs nothing. It does not know that large orders hold more of everything.

    *The family* is every pair of products that are each on at least `min_together` orders: m = n (n − 1) / 2, seen or
    not. Pairs that were not tested (on fewer orders, or with a lift of at most 1) enter with p = 1, which can only make
    q larger. q is Benjamini and Hochberg (1995): it holds for independent and positively dependent tests.

    The same for any number of `threads`. Raises `BadInput` for arrays that do not fit, `SettingsError`.
    """
    if order.ndim != 1 or order.shape != product.shape:
        raise BadInput(f"order {order.shape} and product {product.shape} do not fit; pass one number of each a line")
    if order.dtype.kind not in "iu" or product.dtype.kind not in "iu":
        raise BadInput(f"order is {order.dtype} and product {product.dtype}; encode both as integers")
    lowest, products = (int(product.min()), int(product.max()) + 1) if product.size else (0, 0)
    if lowest < 0 or products > np.iinfo(np.int32).max:
        raise BadInput(f"product codes run from {lowest} to {products - 1}; encode them densely from 0")
    if order.dtype == np.uint64:
        order = order.view(np.int64)
    is_sorted, distinct = pair_kernels.order_is_sorted(order)
    if is_sorted:
        return _count_grouped(pair_kernels.order_starts(order, distinct), product, products, settings, threads)
    lowest = int(order.min())
    spread = int(order.max()) - lowest + 1
    if spread > 2 * order.size + 1024:
        order = np.unique(order, return_inverse=True)[1]
        lowest, spread = 0, int(order.max()) + 1
    start, grouped = pair_kernels.group_lines(order, lowest, spread, product)
    return _count_grouped(np.unique(start), grouped, products, settings, threads)


def _count_grouped(
    start: Int64, product: Integers, products: int, settings: TogetherSettings, threads: int | None
) -> PairCounts:
    """Count over orders whose lines are adjacent: `start` (orders + 1,), no order without lines."""
    _check(settings)
    crew = crew_size(threads)
    orders = start.size - 1
    bounds = [orders * part // crew for part in range(crew + 1)]
    ranking = rank_products(start, product, products, settings.min_together, bounds)
    code = ranking.code[: ranking.listed]
    tests = code.size * (code.size - 1) // 2
    found = _find_associated(start, product, ranking, bounds, tests, settings)
    sorted_p, sorted_q = _false_discovery_rates([part[4] for part in found], tests, settings.max_q)
    best = _Best.empty(code.size, settings.top)
    if sorted_p.size:
        in_parallel(crew, lambda part: best.merge(found, float(sorted_p[-1]), part, crew, code))
    by_code = np.argsort(code, kind="stable")
    listed = best.other[by_code] >= 0
    p_value = best.p[by_code][listed]
    return PairCounts(
        orders=orders,
        holding=ranking.holding,
        tests=tests,
        product=np.repeat(code[by_code], listed.sum(axis=1)),
        other=code[best.other[by_code][listed]],
        together=best.both[by_code][listed].astype(np.int64),
        llr=best.llr[by_code][listed],
        p_value=p_value,
        q_value=sorted_q[np.searchsorted(sorted_p, p_value, side="right") - 1],
    )


_Pairs = tuple[Integers, Integers, Int32, Float64, Float64]
"""Rank of the commoner product, rank of the rarer, orders with both, G², p."""


@dataclass(frozen=True, slots=True)
class _Best:
    """The best partners of each rank, (ranks, top); −1 where there is none."""

    other: Int32
    both: Int32
    llr: Float64
    p: Float64
    lowest: Float64

    @classmethod
    def empty(cls, ranks: int, top: int) -> _Best:
        shape = (ranks, top)
        other = np.full(shape, -1, np.int32)
        return cls(other, np.zeros(shape, np.int32), np.zeros(shape), np.zeros(shape), np.zeros(ranks))

    def merge(self, found: list[_Pairs], max_p: float, part: int, crew: int, code: Int32) -> None:
        """Take in the pairs with p at most `max_p` for every `crew`th rank from `part` on."""
        for common, rare, both, llr, p in found:
            pair_kernels.keep_best(
                common,
                rare,
                both,
                llr,
                p,
                max_p,
                part,
                crew,
                code,
                self.other,
                self.both,
                self.llr,
                self.p,
                self.lowest,
            )


def _find_associated(
    start: Int64, product: Integers, ranking: Ranking, bounds: list[int], tests: int, settings: TogetherSettings
) -> list[_Pairs]:
    """Pairs of ranks that may pass the test, one part a thread."""
    crew, orders = len(bounds) - 1, start.size - 1
    packed = pack_baskets(start, product, ranking, bounds)
    holding = ranking.holding[ranking.code[: ranking.listed]]
    # No more pairs can pass than stand on `min_together` orders; a p that would fail even then is dropped at once.
    candidates = packed.meetings // settings.min_together
    certain = settings.max_q >= 1.0 or tests == 0
    max_p = 1.0 if certain else settings.max_q * min(1.0, candidates / tests) * (1 + 1e-6)
    return in_parallel(
        crew,
        lambda part: pair_kernels.count_associated(
            packed.stream,
            packed.place_start,
            packed.places,
            holding,
            orders,
            part,
            crew,
            packed.sentinel,
            settings.min_together,
            max_p,
        ),
    )


def _false_discovery_rates(p_values: list[Float64], tests: int, max_q: float) -> tuple[Float64, Float64]:
    """The p listed, ascending, and the q of each. A p above `max_q` cannot change a q below it and may be missing."""
    p = np.sort(np.concatenate(p_values)) if p_values else np.empty(0)
    q = np.minimum(p * (tests / np.arange(1, p.size + 1)), 1.0)
    passing = np.flatnonzero(q <= max_q)
    listed = int(passing[-1]) + 1 if passing.size else 0
    return p[:listed], np.minimum.accumulate(q[:listed][::-1])[::-1]


def _count_directions(sales: Sales, counts: PairCounts) -> tuple[Int64, Int64]:
    """For each listed row: customers who first bought the product before the other, and those behind the share."""
    size = counts.product.size
    before, customers = np.zeros(size, np.int64), np.zeros(size, np.int64)
    if size == 0:
        return before, customers
    wanted = np.zeros(sales.products.len(), np.bool_)
    wanted[counts.product] = True
    wanted[counts.other] = True
    first_order = int(np.searchsorted(sales.order_customer, 0))
    start, buyer, day = direction_kernels.first_days(
        sales.order_start, sales.order_customer, sales.order_day, sales.line_product, first_order, wanted
    )
    buyers = np.diff(start)
    # The product with more buyers is spread out once and its partners' buyers looked up in it.
    swapped = (buyers[counts.product] < buyers[counts.other]) | (
        (buyers[counts.product] == buyers[counts.other]) & (counts.product > counts.other)
    )
    wide = np.where(swapped, counts.other, counts.product)
    slim = np.where(swapped, counts.product, counts.other)
    by_pair = np.lexsort((slim, wide))
    crew = crew_size()
    bounds = [size * part // crew for part in range(crew + 1)]
    in_parallel(
        crew,
        lambda part: direction_kernels.count_first(
            start,
            buyer,
            day,
            wide,
            slim,
            by_pair[bounds[part] : bounds[part + 1]],
            sales.customers.len(),
            before,
            customers,
        ),
    )
    return np.where(swapped, customers - before, before), customers


def _check(settings: TogetherSettings) -> None:
    if settings.min_together < 1:
        raise SettingsError(f"together.min_together is {settings.min_together}; it must be at least 1")
    if settings.top < 1:
        raise SettingsError(f"together.top is {settings.top}; it must be at least 1")
    if not 0.0 < settings.max_q <= 1.0:
        raise SettingsError(f"together.max_q is {settings.max_q}; it must be above 0 and at most 1")
