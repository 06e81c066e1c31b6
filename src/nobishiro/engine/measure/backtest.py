"""How good recommendations would have been on the company's own history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from nobishiro.contracts.errors import NotEnoughHistory
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.offer.item_knn import ItemKNN
from nobishiro.engine.offer.replenishment import Repeats, find_repeats
from nobishiro.engine.settings import RecommendSettings
from nobishiro.engine.understand.sales import Sales

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

POPULAR: Final = "popular lately"
_EPOCH: Final = date(1970, 1, 1)
_RECENT_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Backtest:
    """One candidate's result over several days to look from."""

    name: str
    ndcg: float
    """NDCG@k of the new products, mean over customers and days."""
    low: float
    high: float
    """95 % interval of the mean over customers (normal approximation)."""
    recall: float
    customers: int
    """Customers × days that bought anything new in the window."""
    cuts: tuple[date, ...]
    window_days: int
    k: int


def sales_before(sales: Sales, day: date) -> Sales:
    """The same company as of an earlier day; codes stay the same, customers without orders yet keep theirs."""
    keep = sales.order_day < (day - _EPOCH).days
    sizes = np.diff(sales.order_start)
    lines = np.repeat(keep, sizes)
    return replace(
        sales,
        as_of=day,
        orders=sales.orders.filter(keep.tolist()) if sales.orders.len() else sales.orders,
        order_customer=sales.order_customer[keep],
        order_day=sales.order_day[keep],
        order_start=np.concatenate(([0], np.cumsum(sizes[keep]))).astype(np.int64),
        line_product=sales.line_product[lines],
        line_quantity=sales.line_quantity[lines],
        line_amount=sales.line_amount[lines],
    )


def backtest_new(
    sales: Sales,
    candidates: Mapping[str, RecommendSettings],
    *,
    cuts: int = 2,
    window_days: int = 60,
    k: int = 10,
    progress: ProgressReport = no_progress,
) -> list[Backtest]:
    """Each candidate and popularity on the task "which products does the customer buy for the first time next".

    Looks from the last `cuts` days that leave a whole window before `sales.as_of`, one window apart. A customer counts
    when they had bought before and buy a product new to them in the window; products with fewer than five buyers before
    the cut are no truth, for nobody can know them. Best NDCG first; ties in the order given, popularity last. Raises
    `NotEnoughHistory` when no window has thirty such customers.
    """
    days = [sales.as_of - timedelta(days=window_days * (back + 1)) for back in range(cuts)]
    hits: dict[str, list[Float64]] = {name: [] for name in (*candidates, POPULAR)}
    recalls: dict[str, list[Float64]] = {name: [] for name in hits}
    used: list[date] = []
    total = len(days) * len(hits)
    done = 0
    for day in days:
        before = sales_before(sales, day)
        repeats_of: dict[float, Repeats] = {}
        truth = _new_purchases(sales, before, window_days)
        if truth.customer.size < 30:
            continue
        used.append(day)
        for name, settings in candidates.items():
            progress("backtest", done, total)
            repeats = repeats_of.setdefault(settings.half_life_days, find_repeats(before, settings.half_life_days))
            knn = ItemKNN(settings)
            knn.fit(repeats.customer, repeats.product, repeats.weight, (sales.customers.len(), sales.products.len()))
            ranked, _ = knn.recommend(truth.customer.astype(np.int32), k, exclude_bought=True)
            _score(ranked.astype(np.int64), truth, k, hits[name], recalls[name])
            done += 1
        _score(_most_popular(before, truth, k), truth, k, hits[POPULAR], recalls[POPULAR])
        done += 1
    if not used:
        raise NotEnoughHistory(
            f"no window of {window_days} days before {sales.as_of} has 30 customers who bought something new; "
            "with so few, the defaults are used and nothing is chosen"
        )
    results = [_summarise(name, hits[name], recalls[name], used, window_days, k) for name in hits]
    return sorted(results, key=lambda result: -result.ndcg)


@dataclass(frozen=True, slots=True)
class _Truth:
    """Customers who bought something new in the window, and what."""

    customer: Int64
    start: Int64
    product: Int64
    owned: Int64
    """customer × 2³² + product of everything bought before, sorted."""


def _new_purchases(sales: Sales, before: Sales, window_days: int) -> _Truth:
    start = before.as_of_day
    customer, product, day = sales.line_customer, sales.line_product.astype(np.int64), sales.line_day
    owned = np.unique(_pair(before.line_customer, before.line_product.astype(np.int64)))
    owned = owned[owned >= 0]
    buyers = np.bincount(owned & 0xFFFFFFFF, minlength=sales.products.len())
    bought = np.zeros(sales.customers.len() + 1, np.bool_)
    bought[owned >> 32] = True
    inside = (day >= start) & (day < start + window_days) & (customer >= 0)
    pairs = np.unique(_pair(customer[inside], product[inside]))
    pairs = pairs[~np.isin(pairs, owned)]
    pairs = pairs[bought[pairs >> 32] & (buyers[pairs & 0xFFFFFFFF] >= 5)]
    who, at = np.unique(pairs >> 32, return_index=True)
    return _Truth(who, np.append(at, pairs.size).astype(np.int64), pairs & 0xFFFFFFFF, owned)


def _pair(customer: npt.NDArray[np.int32], product: Int64) -> Int64:
    return customer.astype(np.int64) << 32 | product


def _most_popular(before: Sales, truth: _Truth, k: int) -> Int64:
    recent = (before.line_day >= before.as_of_day - _RECENT_DAYS) & (before.line_customer >= 0)
    pairs = np.unique(_pair(before.line_customer[recent], before.line_product[recent].astype(np.int64)))
    count = np.bincount(pairs & 0xFFFFFFFF, minlength=before.products.len())
    order = np.lexsort((np.arange(count.size), -count))
    ranked = np.full((truth.customer.size, k), -1, np.int64)
    for row, customer in enumerate(truth.customer.tolist()):
        owned = truth.owned[
            np.searchsorted(truth.owned, customer << 32) : np.searchsorted(truth.owned, (customer + 1) << 32)
        ]
        have = set((owned & 0xFFFFFFFF).tolist())
        best = [p for p in order[: k + len(have)].tolist() if p not in have][:k]
        ranked[row, : len(best)] = best
    return ranked


def _score(ranked: Int64, truth: _Truth, k: int, hits: list[Float64], recalls: list[Float64]) -> None:
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discount)))
    sizes = np.diff(truth.start)
    rows = np.repeat(np.arange(sizes.size), sizes)
    wanted = np.sort(rows << 32 | truth.product)
    keys = np.arange(sizes.size)[:, None] << 32 | np.maximum(ranked, 0)
    hit = np.isin(keys, wanted) & (ranked >= 0)
    hits.append((hit * discount).sum(axis=1) / ideal[np.minimum(sizes, k)])
    recalls.append(hit.sum(axis=1) / sizes)


def _summarise(
    name: str, hits: list[Float64], recalls: list[Float64], cuts: Sequence[date], window_days: int, k: int
) -> Backtest:
    values = np.concatenate(hits)
    error = 1.96 * values.std() / np.sqrt(values.size)
    mean = float(values.mean())
    return Backtest(
        name,
        mean,
        mean - float(error),
        mean + float(error),
        float(np.concatenate(recalls).mean()),
        int(values.size),
        tuple(cuts),
        window_days,
        k,
    )
