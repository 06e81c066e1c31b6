"""一緒に売れる as rows: a pair once, read in the direction in which it says more."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl

from nobishiro.pipelines.customer_rows import catalogue_of
from nobishiro.pipelines.published import PublishedRun

PAGE: Final = 50
ORDERS: Final = {"together": "together", "confidence": "confidence", "llr": "llr"}
"""What the list can be ordered by: how often, how surely, how far beyond chance."""
LEAST_DIRECTION: Final = 10
"""Customers behind a direction below which it is not said."""
EVEN: Final = 0.1
"""Nearer to half than this is no direction."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two products sold together more often than chance."""

    product: str
    product_name: str
    other: str
    other_name: str
    together: int
    confidence: float
    """Of the orders with `product`, the share that holds `other` as well."""
    support: float
    lift: float | None
    q_value: float | None
    first: str
    """Name of the one most customers bought first; empty when it is even or not known."""
    first_share: float | None
    direction_n: int

    @property
    def support_said(self) -> str:
        """The share of all orders: to two places, as few pairs reach a hundredth."""
        return f"{self.support * 100:.2f}%"

    @property
    def is_even(self) -> bool:
        """Enough customers, and no order among them."""
        return not self.first and self.direction_n >= LEAST_DIRECTION


@dataclass(frozen=True, slots=True)
class PairPage:
    """One page of pairs."""

    rows: tuple[Pair, ...]
    total: int
    all: int
    page: int
    pages: int
    families: tuple[tuple[str, str], ...]


def pair_page(run: PublishedRun, words: str, family: str, order: str, page: int) -> PairPage:
    """The pairs whose names or codes hold every word, with a product of the family, in the order wanted."""
    every = _pairs(run)
    rows = every
    for word in fold(words).split()[:8]:
        rows = rows.filter(pl.col("search").str.contains(word, literal=True))
    if family:
        rows = rows.filter((pl.col("family") == family) | (pl.col("other_family") == family))
    by = ORDERS.get(order, "llr")
    rows = rows.sort([by, "product_id", "other_product_id"], descending=[True, False, False], nulls_last=True)
    pages = max(1, -(-rows.height // PAGE))
    page = max(1, min(page, pages))
    catalogue = catalogue_of(run)
    used = set(every["family"]) | set(every["other_family"])
    families = tuple(sorted(((code, catalogue.family_name(code)) for code in used if code), key=lambda pair: pair[1]))
    shown = rows.slice((page - 1) * PAGE, PAGE).iter_rows(named=True)
    return PairPage(tuple(_pair(row) for row in shown), rows.height, every.height, page, pages, families)


def fold(text: str) -> str:
    """A text as it is searched: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text[:200]).lower()


@lru_cache(maxsize=2)
def _pairs(run: PublishedRun) -> pl.DataFrame:
    """Each pair once, in the direction of the greater confidence, with names, families and what is searched."""
    catalogue = catalogue_of(run)
    rows = run.rows("pairs").sort("confidence", descending=True, nulls_last=True)
    once = rows.with_columns(
        pl.min_horizontal("product_id", "other_product_id").alias("_a"),
        pl.max_horizontal("product_id", "other_product_id").alias("_b"),
    ).unique(["_a", "_b"], keep="first", maintain_order=True)
    product, other = once["product_id"].to_list(), once["other_product_id"].to_list()
    names = [catalogue.name_of(code) for code in product]
    other_names = [catalogue.name_of(code) for code in other]
    search = [fold(" ".join(parts))[:2000] for parts in zip(product, names, other, other_names, strict=True)]
    return once.with_columns(
        pl.Series("name", names, pl.String),
        pl.Series("other_name", other_names, pl.String),
        pl.Series("family", [catalogue.family_of(code) for code in product], pl.String),
        pl.Series("other_family", [catalogue.family_of(code) for code in other], pl.String),
        pl.Series("search", search, pl.String),
    ).drop("_a", "_b")


def _pair(row: dict[str, object]) -> Pair:
    share, n = row["direction"], int(str(row["direction_n"] or 0))
    first, first_share = "", None
    if isinstance(share, float) and n >= LEAST_DIRECTION and abs(share - 0.5) >= EVEN:
        first = str(row["name"] if share > 0.5 else row["other_name"])
        first_share = share if share > 0.5 else 1 - share
    lift, q_value = row["lift"], row["q_value"]
    return Pair(
        str(row["product_id"]), str(row["name"]), str(row["other_product_id"]), str(row["other_name"]), int(str(row["together"])),
        float(str(row["confidence"])), float(str(row["support"])), lift if isinstance(lift, float) else None,
        q_value if isinstance(q_value, float) else None, first, first_share, n,
    )  # fmt: skip
