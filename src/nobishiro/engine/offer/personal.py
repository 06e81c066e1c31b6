"""Personal recommendations: new products and replenishment, ranked apart, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit

from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.results import OFFER_KINDS, RESULTS
from nobishiro.decision.arbitration import MAX_OPTIONS
from nobishiro.engine.offer.item_knn import ItemKNN
from nobishiro.engine.offer.reasons import add_evidence, add_sentences
from nobishiro.engine.offer.replenishment import Repeats, Replenishment, find_repeats, rank_replenishment
from nobishiro.engine.settings import RecommendSettings
from nobishiro.engine.understand.sales import Sales

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

RECENT_DAYS: Final = 90
"""How far back "lately" looks where a customer's own purchases say nothing."""
CUSTOMERS_A_PART: Final = 25_000
"""Customers whose rows are made at a time: some hundred megabytes of sentences."""
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
    has `product_id` and `name`; a product without a name is called by its code. Every row has a reason and evidence;
    sentences are written for the first `texts_up_to` ranks and are empty below. A customer of whom too little is known
    gets what many bought lately, said to be so.
    """
    parts = recommend_in_parts(sales, names, settings, kinds=kinds, texts_up_to=texts_up_to, progress=progress)
    return pl.concat(list(parts))


def recommend_in_parts(
    sales: Sales,
    names: pl.DataFrame,
    settings: RecommendSettings = _DEFAULT,
    *,
    kinds: Sequence[str] = OFFER_KINDS,
    texts_up_to: int = MAX_OPTIONS,
    progress: ProgressReport = no_progress,
    customers_a_part: int = CUSTOMERS_A_PART,
) -> Iterator[pl.DataFrame]:
    """The rows of `recommend_products` in the same sequence, some customers at a time, at least one part.

    What is learned is learned once, from all; only the rows with their sentences are never there all at once.
    """
    repeats = find_repeats(sales, settings.half_life_days)
    maker = _Maker.of(sales, names, repeats, settings, kinds, texts_up_to)
    customers = sales.customers.len()
    starts = range(0, max(customers, 1), customers_a_part)
    for number, first in enumerate(starts):
        progress("recommend", number, len(starts))
        yield maker.part(first, min(first + customers_a_part, customers))
    progress("recommend", len(starts), len(starts))


@dataclass(frozen=True, slots=True)
class _Maker:
    """What was learned from all customers, ready to be written out for some."""

    sales: Sales
    repeats: Repeats
    start: Int64
    """(customers + 1,) first row of each customer in `repeats`."""
    labels: pl.Series
    settings: RecommendSettings
    texts_up_to: int
    knn: ItemKNN | None
    ranked: Replenishment | None
    buyers: Int64
    """(products,) customers who bought it."""
    popularity: Int64
    """(products,) customers who bought it lately."""

    @classmethod
    def of(
        cls,
        sales: Sales,
        names: pl.DataFrame,
        repeats: Repeats,
        settings: RecommendSettings,
        kinds: Sequence[str],
        texts_up_to: int,
    ) -> _Maker:
        customers, products = sales.customers.len(), sales.products.len()
        knn, ranked = None, None
        if "new" in kinds:
            knn = ItemKNN(settings)
            knn.fit(repeats.customer, repeats.product, repeats.weight, (customers, products))
        if "replenishment" in kinds:
            ranked = rank_replenishment(repeats, customers, sales.as_of_day, settings.k)
        lately = repeats.product[repeats.last_day >= sales.as_of_day - RECENT_DAYS]
        return cls(
            sales=sales,
            repeats=repeats,
            start=np.searchsorted(repeats.customer, np.arange(customers + 1)).astype(np.int64),
            labels=_labels(sales.products, names),
            settings=settings,
            texts_up_to=texts_up_to,
            knn=knn,
            ranked=ranked,
            buyers=np.bincount(repeats.product, minlength=products).astype(np.int64),
            popularity=np.bincount(lately, minlength=products).astype(np.int64),
        )

    def part(self, first: int, past: int) -> pl.DataFrame:
        """Rows of the customers from `first` to before `past`, finished."""
        parts = []
        if self.knn is not None:
            parts.append(_new_products(self, self.knn, first, past))
        if self.ranked is not None:
            parts.append(_replenishment(self, self.ranked, first, past))
        rows = pl.concat(parts, how="diagonal") if parts else pl.DataFrame(schema=_NO_ROWS)
        return _finish(rows, self)


def _new_products(maker: _Maker, knn: ItemKNN, first: int, past: int) -> pl.DataFrame:
    product, score = knn.recommend(np.arange(first, past, dtype=np.int32), maker.settings.k, exclude_bought=True)
    popularity = maker.popularity
    popular = np.lexsort((np.arange(popularity.size), -popularity))
    popular = popular[popularity[popular] > 0]
    most = max(int(popularity.max(initial=1)), 1)
    filled = np.zeros(product.shape, np.bool_)
    _fill(first, maker.start, maker.repeats.product, popular, popularity, most, product, score, filled)
    at, place = np.nonzero(product >= 0)
    chosen = product[at, place]
    because = knn.explain((at + first).astype(np.int32), chosen, top=1)[0][:, 0]
    because = np.where(filled[at, place], -1, because)
    known = because >= 0
    both = np.zeros(at.size, np.int64)
    both[known] = knn.shared_buyers(because[known], chosen[known])
    # the customer bought one and not the other, so is among the buyers and not among those of both
    buyers = np.where(known, maker.buyers[np.maximum(because, 0)] - 1, popularity[chosen]).astype(np.int64)
    return pl.DataFrame(
        {
            "customer": (at + first).astype(np.int32),
            "product": chosen.astype(np.int32),
            "rank": (place + 1).astype(np.int64),
            "score": score[at, place].astype(np.float64),
            "kind": pl.repeat("new", at.size, eager=True),
            "reason": _either(known, "bought_with", "popular"),
            "because": because.astype(np.int32),
            "buyers": buyers,
            "both": both,
        },
        schema_overrides={"kind": pl.String, "reason": pl.String},
    ).with_columns(pl.when(pl.col("because") >= 0).then("because").alias("because"))


@njit(cache=True, nogil=True)
def _fill(
    first: int,
    start: Int64,
    bought: Int32,
    popular: Int64,
    popularity: Int64,
    most: int,
    product: Int32,
    score: Float32,
    filled: Flags,
) -> None:
    """Fill empty places, the last of each row, with what many bought lately and this customer never did.

    Row 0 is customer `first`; `bought` are everybody's products, sorted for each, from `start` on. Scores stay
    descending.
    """
    k = product.shape[1]
    for row in range(product.shape[0]):
        place = k
        while place > 0 and product[row, place - 1] < 0:
            place -= 1
        if place == k:
            continue
        own = bought[start[first + row] : start[first + row + 1]]
        given = place
        lowest = np.float64(score[row, place - 1]) if place else 1.0
        for candidate in popular:
            if place == k:
                break
            at = np.searchsorted(own, candidate)
            taken = at < own.size and own[at] == candidate
            for other in range(given):
                taken |= product[row, other] == candidate
            if not taken:
                product[row, place] = candidate
                score[row, place] = 0.5 * lowest * popularity[candidate] / most
                filled[row, place] = True
                place += 1


def _replenishment(maker: _Maker, ranked: Replenishment, first: int, past: int) -> pl.DataFrame:
    sales, repeats = maker.sales, maker.repeats
    mine = ranked.row[first:past]
    at, place = np.nonzero(mine >= 0)
    row = mine[at, place]
    cycle = repeats.cycle[row]
    several = (repeats.days_bought[row] > 1) & np.isfinite(cycle)
    return pl.DataFrame(
        {
            "customer": (at + first).astype(np.int32),
            "product": repeats.product[row],
            "rank": (place + 1).astype(np.int64),
            "score": ranked.score[at + first, place],
            "kind": pl.repeat("replenishment", at.size, eager=True),
            "reason": _either(several, "due", "regular"),
            "days_bought": repeats.days_bought[row].astype(np.int64),
            "cycle": cycle,
            "elapsed": (sales.as_of_day - repeats.last_day[row]).astype(np.int64),
            "last_day": pl.Series(repeats.last_day[row]).cast(pl.Date),
        },
        schema_overrides={"kind": pl.String, "reason": pl.String},
    )


def _either(which: Flags, one: str, other: str) -> pl.Series:
    return pl.select(pl.when(pl.Series(which)).then(pl.lit(one)).otherwise(pl.lit(other))).to_series()


_FILLERS: Final[dict[str, pl.DataType]] = {
    "because": pl.Int32(),
    "buyers": pl.Int64(),
    "both": pl.Int64(),
    "days_bought": pl.Int64(),
    "cycle": pl.Float64(),
    "elapsed": pl.Int64(),
    "last_day": pl.Date(),
}
_NO_ROWS: Final[dict[str, pl.DataType]] = {
    "customer": pl.Int32(),
    "product": pl.Int32(),
    "rank": pl.Int64(),
    "score": pl.Float64(),
    "kind": pl.String(),
    "reason": pl.String(),
    **_FILLERS,
}


def _finish(rows: pl.DataFrame, maker: _Maker) -> pl.DataFrame:
    """Codes become ids, evidence and sentences are added, columns take their declared order."""
    sales = maker.sales
    rows = rows.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in _FILLERS.items() if name not in rows.columns
    ).sort("customer", "kind", "rank")
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
    is_told = rows["rank"] <= maker.texts_up_to
    told = rows.filter(is_told)
    told = told.with_columns(
        maker.labels.gather(told["product"]).alias("product_name"),
        maker.labels.gather(told["because"]).alias("because_name"),
    )
    told = add_sentences(told, maker.settings.count_leaves_from)
    # One empty sentence at the end stands for all that are not told.
    place = np.where(is_told.to_numpy(), np.cumsum(is_told.to_numpy()) - 1, told.height)
    silent = pl.Series([""])
    rows = rows.with_columns(told[name].append(silent).gather(place).alias(name) for name in _TEXTS)
    return rows.select(RESULTS["recommendations"].column_names)


def _labels(products: pl.Series, names: pl.DataFrame) -> pl.Series:
    codes = pl.DataFrame({"product_id": products})
    known = names.select(pl.col("product_id").cast(products.dtype), "name").unique("product_id", keep="first")
    joined = codes.join(known, on="product_id", how="left", maintain_order="left")
    return joined.select(pl.coalesce("name", pl.col("product_id").cast(pl.String))).to_series()
