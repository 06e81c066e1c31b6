"""Products with grades: which grade a customer takes, and the one move they may make between two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nobishiro.simulation.calendar import Span
from nobishiro.simulation.frames import Flags, Int32, Int64


@dataclass(frozen=True, slots=True)
class Grades:
    """For each customer, (N,): the row of the ladder they need, the grade before and after, and the day of the move."""

    products: Int64
    """(rows, grades) positions in the catalogue, the lowest grade first."""
    row: Int64
    before: Int64
    after: Int64
    day: Int32

    def at(self, customer: Int64 | Int32, day: Int32) -> Int64:
        """The product a customer takes on a day."""
        grade = np.where(day >= self.day[customer], self.after[customer], self.before[customer])
        taken: Int64 = self.products[self.row[customer], grade]
        return taken


@dataclass(frozen=True, slots=True)
class Moves:
    """Who moved from which product to which, and when."""

    customer: Int64
    source: Int64
    target: Int64
    day: Int32
    up: Flags

    @classmethod
    def of(cls, some: list[Grades], takes: list[Flags]) -> Moves:
        """The moves of several ladders; `takes` says which customers use each."""
        who = [np.flatnonzero(t & (g.before != g.after)) for g, t in zip(some, takes, strict=True)]
        pairs = list(zip(some, who, strict=True))
        return cls(
            np.concatenate(who),
            np.concatenate([g.products[g.row[w], g.before[w]] for g, w in pairs]),
            np.concatenate([g.products[g.row[w], g.after[w]] for g, w in pairs]),
            np.concatenate([g.day[w] for g, w in pairs]),
            np.concatenate([g.after[w] > g.before[w] for g, w in pairs]),
        )


def draw_grades(
    random: np.random.Generator, products: Int64, count: int, span: Span, up: float = 0.24, down: float = 0.05
) -> Grades:
    """Grades of `count` customers, low ones the most common; a share moves `up` one step, another `down`."""
    rows, steps = products.shape
    before = np.minimum((random.random(count) ** 1.5 * steps).astype(np.int64), steps - 1)
    kind = random.random(count)
    after = np.clip(before + np.where(kind < up, 1, np.where(kind > 1.0 - down, -1, 0)), 0, steps - 1)
    row = random.integers(0, rows, count)
    day = (span.first + random.integers(span.size // 5, span.size * 4 // 5, count)).astype(np.int32)
    return Grades(products, row, before, after, day)
