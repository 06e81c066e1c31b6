"""What a company sells, declared article by article, as arrays the simulation can draw from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from nobishiro.simulation.frames import Float64, Int64, canonical, codes


@dataclass(frozen=True, slots=True)
class Article:
    """One product."""

    code: str
    name: str
    family: str
    price: int
    cost: int
    division: str
    grade: str | None = None
    kind: str = "goods"
    upgrade_of: str | None = None
    active_from: date | None = None
    active_to: date | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All products by position."""

    articles: tuple[Article, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """Families in the order they are first declared."""
        return tuple(dict.fromkeys(article.family for article in self.articles))

    @property
    def codes(self) -> pl.Series:
        """(P,) product codes."""
        return pl.Series([article.code for article in self.articles], dtype=pl.String)

    @property
    def price(self) -> Float64:
        """(P,) list prices."""
        return np.array([article.price for article in self.articles], np.float64)

    @property
    def family(self) -> Int64:
        """(P,) position of each product's family."""
        place = {name: at for at, name in enumerate(self.families)}
        return np.array([place[article.family] for article in self.articles], np.int64)

    def at(self, code: str) -> int:
        """Position of one product; KeyError when it is not sold."""
        for place, article in enumerate(self.articles):
            if article.code == code:
                return place
        raise KeyError(code)

    def places(self, product_codes: Sequence[str]) -> Int64:
        """Positions of several products."""
        return np.array([self.at(code) for code in product_codes], np.int64)

    def division_codes(self) -> pl.Series:
        """(P,) the division that sells each product."""
        return pl.Series([article.division for article in self.articles], dtype=pl.String)

    def products(self) -> pl.DataFrame:
        """The canonical table `products`."""
        all_ = self.articles
        return canonical(
            "products",
            len(all_),
            {
                "product_id": [a.code for a in all_],
                "name": [a.name for a in all_],
                "category": [a.category or a.family for a in all_],
                "family": [a.family for a in all_],
                "grade": [a.grade for a in all_],
                "price": [a.price for a in all_],
                "cost": [a.cost for a in all_],
                "margin_rate": [round(1 - a.cost / a.price, 4) if a.price else None for a in all_],
                "division_id": [a.division for a in all_],
                "kind": [a.kind for a in all_],
                "upgrade_of": [a.upgrade_of for a in all_],
                "active_from": [a.active_from for a in all_],
                "active_to": [a.active_to for a in all_],
            },
        )


def customer_codes(count: int) -> pl.Series:
    """Codes of `count` customers, from `C000001` on."""
    return codes("C", np.arange(1, count + 1), 6)
