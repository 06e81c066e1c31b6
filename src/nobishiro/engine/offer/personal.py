"""Personal recommendations: new products and replenishment, ranked apart, each with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit, prange

from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.results import OFFER_KINDS, RESULTS
from nobishiro.decision.arbitration import MAX_OPTIONS
from nobishiro.engine.offer.item_knn import ItemKNN
from nobishiro.engine.offer.reasons import add_evidence, add_sentences
from nobishiro.engine.offer.replenishment import Repeats, find_repeats, rank_replenishment
from nobishiro.engine.settings import RecommendSettings
from nobishiro.engine.understand.sales import Sales

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

RECENT_DAYS: Final = 90
"""How far back "lately" looks where a customer's own purchases say nothing."""
_TEXTS: Final = ("why_ja", "why_en", "say_ja", "say_en")
_DEFAULT: Final = RecommendSettings()


def recommend_products(
    sales: Sales,
    names: pl.DataFrame,
    settings: RecommendSettings = _DEFAULT,
    *,
    kinds: Sequence[str] = OFFER_KINDS,
    texts_up_to: int = MAX_OPTIONS,
    progress: ProgressReport = no_progress,
) -> pl.DataFrame:
    """For every customer of `sales` up to `settings.k` products of each kind, as RESULTS["recommendations"].

    `new` are products the customer never bought, `replenishment` those bought before; the two are never mixed. `names`
    has `product_id` and `name`; a product without a name is called by its code. Every row has a reason and its evidence;
    the sentences are written for the first `texts_up_to` ranks and are empty below. A customer of whom too little is
    known gets what many bought lately, said to be so.
    """
    repeats = find_repeats(sales, settings.half_life_days)
    buyers = _buyers_by_product(repeats, sales.products.len())
    parts = []
    if "new" in kinds:
        progress("recommend", 0, 2)
        parts.append(_new_products(sales, repeats, buyers, settings))
    if "replenishment" in kinds:
        progress("recommend", 1, 2)
        parts.append(_replenishment(sales, repeats, settings))
    progress("recommend", 2, 2)
    rows = pl.concat(parts, how="diagonal") if parts else _new_products(sales, repeats, buyers, settings).head(0)
    return _finish(rows, sales, names, settings, texts_up_to)


@dataclass(frozen=True, slots=True)
class _Buyers:
    """For each product the customers who bought it, sorted."""

    start: Int64
    customer: Int32


def _buyers_by_product(repeats: Repeats, products: int) -> _Buyers:
    order = np.argsort(repeats.product, kind="stable")  # repeats are customer-major, so customers stay sorted
    start = np.searchsorted(repeats.product[order], np.arange(products + 1))
    return _Buyers(start.astype(np.int64), repeats.customer[order])


def _new_products(sales: Sales, repeats: Repeats, buyers: _Buyers, settings: RecommendSettings) -> pl.DataFrame:
    customers, products = sales.customers.len(), sales.products.len()
    number_of_buyers = np.diff(buyers.start)
    knn = ItemKNN(settings)
    knn.fit(repeats.customer, repeats.product, repeats.weight, (customers, products))
    product, score = knn.recommend(np.arange(customers, dtype=np.int32), settings.k, exclude_bought=True)
    popular, popularity = _popular_lately(sales)
    product, score, filled = _fill(product, score, popular, popularity, repeats, customers)
    at, place = np.nonzero(product >= 0)
    chosen = product[at, place]
    because = knn.explain(at.astype(np.int32), chosen, top=1)[0][:, 0]
    because = np.where(filled[at, place], -1, because)
    both = _count_common(
        buyers.start, buyers.customer, np.maximum(because, 0).astype(np.int64), chosen.astype(np.int64)
    )
    known = because >= 0
    return pl.DataFrame(
        {
            "customer": at.astype(np.int32),
            "product": chosen.astype(np.int32),
            "rank": (place + 1).astype(np.int64),
            "score": score[at, place].astype(np.float64),
            "kind": pl.repeat("new", at.size, eager=True),
            "reason": np.where(known, "bought_with", "popular"),
            "because": np.where(known, because, -1).astype(np.int32),
            # the customer bought one and not the other, so is among the buyers and not among those of both
            "buyers": np.where(known, number_of_buyers[np.maximum(because, 0)] - 1, popularity[chosen]).astype(
                np.int64
            ),
            "both": np.where(known, both, 0).astype(np.int64),
        },
        schema_overrides={"kind": pl.String, "reason": pl.String},
    ).with_columns(pl.when(pl.col("because") >= 0).then("because").alias("because"))


def _popular_lately(sales: Sales) -> tuple[Int64, Int64]:
    """Products from the one bought by most customers lately, and how many bought each."""
    recent = (sales.line_day >= sales.as_of_day - RECENT_DAYS) & (sales.line_customer >= 0)
    pairs = np.unique(sales.line_product[recent].astype(np.int64) << 32 | sales.line_customer[recent])
    count = np.bincount(pairs >> 32, minlength=sales.products.len()).astype(np.int64)
    order = np.lexsort((np.arange(count.size), -count))
    return order[count[order] > 0], count


def _fill(
    product: Int32,
    score: npt.NDArray[np.float32],
    popular: Int64,
    popularity: Int64,
    repeats: Repeats,
    customers: int,
) -> tuple[Int32, npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Empty places filled with what many bought lately and this customer never did; scores stay descending."""
    product, score = product.copy(), score.copy()
    filled = np.zeros(product.shape, np.bool_)
    start = np.searchsorted(repeats.customer, np.arange(customers + 1))
    for customer in np.flatnonzero((product < 0).any(axis=1)):
        have = set(repeats.product[start[customer] : start[customer + 1]].tolist())
        have.update(product[customer][product[customer] >= 0].tolist())
        empty = np.flatnonzero(product[customer] < 0)
        lowest = float(score[customer, empty[0] - 1]) if empty[0] else 1.0
        candidates = (p for p in popular.tolist() if p not in have)
        most = max(int(popularity.max(initial=1)), 1)
        for place, candidate in zip(empty, candidates, strict=False):
            product[customer, place] = candidate
            score[customer, place] = 0.5 * lowest * popularity[candidate] / most
            filled[customer, place] = True
    return product, score, filled


def _replenishment(sales: Sales, repeats: Repeats, settings: RecommendSettings) -> pl.DataFrame:
    ranked = rank_replenishment(repeats, sales.customers.len(), sales.as_of_day, settings.k)
    at, place = np.nonzero(ranked.row >= 0)
    row = ranked.row[at, place]
    cycle = repeats.cycle[row]
    several = (repeats.days_bought[row] > 1) & np.isfinite(cycle)
    return pl.DataFrame(
        {
            "customer": at.astype(np.int32),
            "product": repeats.product[row],
            "rank": (place + 1).astype(np.int64),
            "score": ranked.score[at, place],
            "kind": pl.repeat("replenishment", at.size, eager=True),
            "reason": np.where(several, "due", "regular"),
            "days_bought": repeats.days_bought[row].astype(np.int64),
            "cycle": cycle,
            "elapsed": (sales.as_of_day - repeats.last_day[row]).astype(np.int64),
            "last_day": pl.Series(repeats.last_day[row]).cast(pl.Date),
        },
        schema_overrides={"kind": pl.String, "reason": pl.String},
    )


_FILLERS: Final[dict[str, pl.DataType]] = {
    "because": pl.Int32(),
    "buyers": pl.Int64(),
    "both": pl.Int64(),
    "days_bought": pl.Int64(),
    "cycle": pl.Float64(),
    "elapsed": pl.Int64(),
    "last_day": pl.Date(),
}


def _finish(
    rows: pl.DataFrame, sales: Sales, names: pl.DataFrame, settings: RecommendSettings, texts_up_to: int
) -> pl.DataFrame:
    """Codes become ids, evidence and sentences are added, columns take their declared order."""
    rows = rows.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in _FILLERS.items() if name not in rows.columns
    )
    labels = _labels(sales.products, names)
    rows = rows.with_columns(
        sales.customers.gather(rows["customer"]).alias("customer_id"),
        sales.products.gather(rows["product"]).alias("product_id"),
        sales.products.gather(rows["because"]).alias("because_id"),
        pl.lit(RECENT_DAYS).alias("window_days"),
        (pl.col("last_day") + pl.duration(days=pl.col("cycle").fill_nan(None).round(0).cast(pl.Int64))).alias(
            "due_day"
        ),
    )
    rows = add_evidence(rows).drop("because_id")
    told = rows.filter(pl.col("rank") <= texts_up_to)
    told = told.with_columns(
        labels.gather(told["product"]).alias("product_name"),
        labels.gather(told["because"]).alias("because_name"),
    )
    told = add_sentences(told, settings.count_leaves_from)
    untold = rows.filter(pl.col("rank") > texts_up_to).with_columns(pl.lit("").alias(name) for name in _TEXTS)
    done = pl.concat([told, untold], how="diagonal").sort("customer", "kind", "rank")
    return done.select(RESULTS["recommendations"].column_names)


def _labels(products: pl.Series, names: pl.DataFrame) -> pl.Series:
    codes = pl.DataFrame({"product_id": products})
    known = names.select(pl.col("product_id").cast(products.dtype), "name").unique("product_id", keep="first")
    joined = codes.join(known, on="product_id", how="left", maintain_order="left")
    return joined.select(pl.coalesce("name", pl.col("product_id").cast(pl.String))).to_series()


@njit(cache=True, nogil=True, parallel=True)
def _count_common(start: Int64, customer: Int32, one: Int64, other: Int64) -> Int64:
    """Customers who bought both products of each pair, by walking the two sorted lists."""
    common = np.zeros(one.size, np.int64)
    for pair in prange(one.size):
        a, a_end = start[one[pair]], start[one[pair] + 1]
        b, b_end = start[other[pair]], start[other[pair] + 1]
        count = 0
        while a < a_end and b < b_end:
            if customer[a] == customer[b]:
                count += 1
                a += 1
                b += 1
            elif customer[a] < customer[b]:
                a += 1
            else:
                b += 1
        common[pair] = count
    return common
