"""Customers like this one: which they are, which families they buy, and how much.

Two views of the same question. `FamilyAffinity` learns from family to family ("who buys A buys B"), is cheap for every
customer at every cut and feeds the model. `Comparables` finds actual customers, so that a count can be said aloud
("of 50 customers like you, 31 buy B") and families can be ranked for one customer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from nobishiro.engine.understand.exploration import Float32, Float64, Int32, Int64

Flags = npt.NDArray[np.bool_]

AFFINITY_FEATURES = ("open_mass", "open_yen", "likely_mass", "likely_yen", "fitted_mass", "fitted_yen")
_BLOCK = 4096
_THREADS = 2
_SIZE_WEIGHT = 0.15
"""How much likeness a factor e in yearly spend costs, where identical family shares are worth 1."""


@dataclass(frozen=True, slots=True)
class FamilyAffinity:
    """What owning some families says about the others; fitted on one cut."""

    share: Float32
    """(F,) share of customers who own the family."""
    yen: Float32
    """(F,) mean yen of a buyer in the long window."""
    given: Float32
    """(F, F) share of owners of the row's family who own the column's."""
    fitted: Float32
    """(F, F) ridge weights from row to column, zero on the diagonal (Steck 2019, EASE)."""

    def columns(self, owned: Flags) -> Float32:
        """(n, 6) sums over the families a customer does not own, one column per name in `AFFINITY_FEATURES`, log1p."""
        found = np.empty((owned.shape[0], len(AFFINITY_FEATURES)), np.float32)

        def fill(start: int, stop: int) -> None:
            have = owned[start:stop].astype(np.float32)
            open_ = np.float32(1.0) - have
            likely = open_ * (have @ self.given) / np.maximum(have.sum(axis=1, keepdims=True), 1.0)
            fitted = open_ * np.maximum(have @ self.fitted, 0.0)
            sums = (open_ @ self.share, open_ @ (self.share * self.yen), likely.sum(axis=1), likely @ self.yen)
            found[start:stop] = np.log1p(np.column_stack((*sums, fitted.sum(axis=1), fitted @ self.yen)))

        _in_blocks(fill, owned.shape[0])
        return found


def fit_affinity(owned: Flags, current: Float64) -> FamilyAffinity:
    """Affinity from (n, F) ownership and yen; n may be a sample."""
    have = owned.astype(np.float32)
    customers, families = have.shape
    together = (have.T @ have).astype(np.float64)
    owners = np.maximum(np.diag(together), 1.0)
    inverse = np.linalg.inv(together + (0.02 * customers + 5.0) * np.eye(families))
    fitted = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(fitted, 0.0)
    buyers = np.maximum((current > 0).sum(axis=0), 1)
    return FamilyAffinity(
        share=have.mean(axis=0) if customers else np.zeros(families, np.float32),
        yen=(current.sum(axis=0) / buyers).astype(np.float32),
        given=(together / owners[:, None]).astype(np.float32),
        fitted=fitted.astype(np.float32),
    )


@dataclass(frozen=True, slots=True)
class Likeness:
    """What comparable customers buy, for a block of customers."""

    counted: Int32
    """(n,) comparable customers: up to `count`, only those who share a family."""
    buyers: Int32
    """(n, F) of those, how many bought the family in the long window."""
    yen: Float32
    """(n, F) mean yearly yen of those buyers in the family; 0 without one."""


@dataclass(frozen=True, slots=True)
class Comparables:
    """A reference set of customers, searched for the most alike; built by `choose_comparables`."""

    codes: Int64
    """(R,) customer codes of the reference set."""
    direction: Float32
    """(R, F) square roots of family shares."""
    size: Float32
    """(R,) log1p of yearly spend."""
    current: Float32
    """(R, F) yen in the long window."""
    count: int

    def find(self, codes: Int64, owned: Flags, current: Float64) -> Likeness:
        """The `count` reference customers most alike each row: family shares (Bhattacharyya) less a size penalty.

        A customer is never comparable to itself. A customer who bought nothing lately is compared by the families ever
        owned, in equal shares.
        """
        rows, families = current.shape
        counted = np.zeros(rows, np.int32)
        buyers = np.zeros((rows, families), np.int32)
        yen = np.zeros((rows, families), np.float32)
        if self.codes.size == 0:
            return Likeness(counted, buyers, yen)

        def fill(start: int, stop: int) -> None:
            direction, size = _describe(owned[start:stop], current[start:stop])
            alike = direction @ self.direction.T
            _gather(
                alike, size, self.size, codes[start:stop], self.codes, self.current, np.int64(self.count),
                np.float32(_SIZE_WEIGHT), counted[start:stop], buyers[start:stop], yen[start:stop],
            )  # fmt: skip

        _in_blocks(fill, rows, block=1024)
        return Likeness(counted, buyers, yen)


def choose_comparables(codes: Int64, owned: Flags, current: Float64, count: int, most: int, seed: int) -> Comparables:
    """Reference set: customers who bought in the long window, a seeded sample of `most` where there are more."""
    active = np.flatnonzero(current.sum(axis=1) > 0)
    if active.size > most:
        active = np.sort(np.random.default_rng(seed).choice(active, most, replace=False))
    direction, size = _describe(owned[active], current[active])
    return Comparables(codes[active], direction, size, current[active].astype(np.float32), count)


def _describe(owned: Flags, current: Float64) -> tuple[Float32, Float32]:
    total = current.sum(axis=1, keepdims=True)
    weight = np.where(total > 0, current, owned)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    return np.sqrt(share).astype(np.float32), np.log1p(total[:, 0]).astype(np.float32)


def _in_blocks(work: Callable[[int, int], Any], rows: int, block: int = _BLOCK) -> None:
    starts = range(0, rows, block)
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda start: work(start, min(start + block, rows)), starts))


@njit(cache=True, nogil=True)
def _gather(alike, size, reference_size, codes, reference_codes, current, count, size_weight, counted, buyers, yen):  # type: ignore[no-untyped-def]  # fmt: skip
    best = np.empty(count, np.float32)
    who = np.empty(count, np.int64)
    for i in range(alike.shape[0]):
        held = 0
        for j in range(alike.shape[1]):
            if alike[i, j] <= 0.0 or reference_codes[j] == codes[i]:
                continue
            value = alike[i, j] - size_weight * abs(size[i] - reference_size[j])
            if held == count and value <= best[held - 1]:
                continue
            place = held if held < count else count - 1
            while place > 0 and best[place - 1] < value:
                best[place] = best[place - 1]
                who[place] = who[place - 1]
                place -= 1
            best[place] = value
            who[place] = j
            if held < count:
                held += 1
        counted[i] = held
        for n in range(held):
            for f in range(current.shape[1]):
                if current[who[n], f] > 0:
                    buyers[i, f] += 1
                    yen[i, f] += current[who[n], f]
        for f in range(current.shape[1]):
            if buyers[i, f] > 0:
                yen[i, f] /= buyers[i, f]
