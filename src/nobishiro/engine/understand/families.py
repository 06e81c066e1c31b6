"""Families of products: those the company gives, and where it gives none, learned from names and co-purchase.

A learned family is a group of products whose names share telling words and which the same customers buy. It is named by
those words and marked learned everywhere it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from nobishiro.contracts.errors import BadInput
from nobishiro.engine.settings import FamilySettings
from nobishiro.engine.understand.exploration import Float64, Int64
from nobishiro.engine.understand.sales import Sales
from nobishiro.engine.understand.telling_words import Words, read_words, tell_apart

_PER_ROOT = 1.2
_MOST = 150
_NAME_DIMENSIONS = 80
_BUYER_DIMENSIONS = 24
_LEAST_SIZE = 3
_SAMPLE = 20_000
_ROUNDS = 40
_STARTS = 4
_WORDS = 6
_CELLS = 50_000_000
"""Customer × family flags looked at at a time."""


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """Families and which product belongs to which."""

    families: pl.DataFrame
    """Columns of RESULTS["families"], sorted by family."""
    product_families: pl.DataFrame
    """Columns of RESULTS["product_families"], one row a product, sorted."""


def learn_families(products: pl.DataFrame, sales: Sales, settings: FamilySettings) -> FamilyResult:
    """Family of every product of the list or with sales; given ones as they are, the rest learned.

    `products` has product_id and may have name, family, category; a given family wins over a given category, and either
    wins over learning. Products without one are grouped by k-means on TF-IDF of their names and on who buys them; one
    without a name goes by who buys it, one without name and buyers to その他 / Other. About 1.2 √products families, at
    most 150, or `settings.count`. Names are unique, deterministic for a seed. Raises `BadInput` without product_id.
    """
    listed = _list_products(products, sales)
    given = listed["given"]
    rest = np.flatnonzero(given.is_null().to_numpy())
    family = given.to_list()
    words_of: dict[str, str] = {}
    if rest.size:
        names, words = _learn(listed["name"].gather(rest).to_list(), _buyers(listed, rest, sales), set(given), settings)
        for place, name in zip(rest.tolist(), names, strict=True):
            family[place] = name
        words_of = words
    product_families = listed.select("product_id", "name").with_columns(
        family=pl.Series(family, dtype=pl.String), learned=given.is_null()
    )
    return FamilyResult(_describe(product_families, sales, words_of), product_families)


def _list_products(products: pl.DataFrame, sales: Sales) -> pl.DataFrame:
    if "product_id" not in products.columns:
        raise BadInput(f"products lacks product_id; it has {', '.join(products.columns)}")
    columns = [_text(products, name) for name in ("name", "family", "category")]
    named = (
        products.select(pl.col("product_id").cast(pl.String), *columns)
        .filter(pl.col("product_id").is_not_null())
        .unique("product_id", keep="first", maintain_order=True)
    )
    sold = pl.DataFrame({"product_id": sales.products.cast(pl.String)}, schema={"product_id": pl.String})
    ids = pl.concat((named.select("product_id"), sold)).unique().sort("product_id")
    listed = ids.join(named, on="product_id", how="left", maintain_order="left")
    return listed.with_columns(given=pl.coalesce("family", "category"))


def _text(frame: pl.DataFrame, name: str) -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(None, pl.String).alias(name)
    text = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _buyers(listed: pl.DataFrame, rest: Int64, sales: Sales) -> sparse.csr_matrix:
    """(rest, customers) 1 where the customer bought the product; a seeded sample of customers where there are many."""
    place = pl.DataFrame({"product_id": listed["product_id"].gather(rest), "row": np.arange(rest.size)})
    codes = pl.DataFrame({"product_id": sales.products.cast(pl.String)}, schema={"product_id": pl.String})
    row_of = codes.join(place, on="product_id", how="left", maintain_order="left")["row"].fill_null(-1).to_numpy()
    customers = sales.customers.len()
    step = max(1, -(-customers // _SAMPLE))
    starts = sales.customer_start
    kept = np.arange(0, customers, step)
    rows: list[Int64] = []
    columns: list[Int64] = []
    for at, customer in enumerate(kept.tolist()):
        first, last = sales.order_start[starts[customer]], sales.order_start[starts[customer + 1]]
        bought = np.unique(row_of[sales.line_product[first:last]])
        bought = bought[bought >= 0]
        rows.append(bought)
        columns.append(np.full(bought.size, at))
    row = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    column = np.concatenate(columns) if columns else np.zeros(0, np.int64)
    return sparse.csr_matrix((np.ones(row.size), (row, column)), shape=(rest.size, max(kept.size, 1)))


def _learn(
    names: list[str | None], buyers: sparse.csr_matrix, taken: set[str | None], settings: FamilySettings
) -> tuple[list[str], dict[str, str]]:
    words = read_words(names)
    generator = np.random.default_rng(settings.seed)
    by_name = _reduce(words.vectors, _NAME_DIMENSIONS, generator)
    by_buyer = _reduce(_weigh(buyers), _BUYER_DIMENSIONS, generator)
    weight = float(np.clip(settings.name_weight, 0.0, 1.0))
    space = np.hstack((np.sqrt(weight) * by_name, np.sqrt(1.0 - weight) * by_buyer))
    placed = np.flatnonzero(np.linalg.norm(space, axis=1) > 0)
    group = np.full(len(names), -1, np.int64)
    if placed.size:
        count = settings.count or round(_PER_ROOT * np.sqrt(placed.size))
        count = int(np.clip(count, 1, min(_MOST if not settings.count else placed.size, placed.size)))
        length = np.linalg.norm(space[placed], axis=1, keepdims=True)
        group[placed] = _cluster(space[placed] / length, count, generator)
    return _name(words, group, taken)


def _weigh(buyers: sparse.csr_matrix) -> sparse.csr_matrix:
    """A customer who buys everything says little about what belongs together."""
    bought = np.asarray(buyers.sum(axis=0)).ravel()
    idf = np.log((1 + buyers.shape[0]) / (1 + bought))
    return sparse.csr_matrix(buyers @ sparse.diags(idf))


def _reduce(matrix: sparse.csr_matrix, dimensions: int, generator: np.random.Generator) -> Float64:
    """Rows in their leading singular directions (randomised, Halko et al. 2011), of unit length or zero."""
    most = min(dimensions, min(matrix.shape))
    drawn = generator.standard_normal((matrix.shape[1], min(most + 10, matrix.shape[1])))
    basis = _orthogonal(matrix @ drawn)
    for _ in range(3):
        basis = _orthogonal(matrix @ _orthogonal(matrix.T @ basis))
    small = np.asarray(matrix.T @ basis)
    values, left = np.linalg.eigh(small.T @ small)
    rows = (basis @ left[:, ::-1][:, :most]) * np.sqrt(np.maximum(values[::-1][:most], 0.0))
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    reduced: Float64 = np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-9)
    return reduced


def _orthogonal(columns: Float64) -> Float64:
    """Orthonormal columns of the same span, by way of the small Gram matrix: many rows, few columns."""
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > values[-1] * 1e-12 if values.size else np.zeros(0, np.bool_)
    found: Float64 = columns @ (vectors[:, kept] / np.sqrt(values[kept]))
    return found


def _cluster(points: Float64, count: int, generator: np.random.Generator) -> Int64:
    """Spherical k-means with k-means++ starts; the best of several; groups under 3 products join their nearest."""
    best, best_value = np.zeros(points.shape[0], np.int64), -np.inf
    for _ in range(_STARTS):
        centres = _start(points, count, generator)
        group = np.full(points.shape[0], -1, np.int64)
        for _ in range(_ROUNDS):
            nearest = (points @ centres.T).argmax(axis=1)
            if np.array_equal(nearest, group):
                break
            group = nearest
            centres = _centres(points, group, centres)
        value = float((points * centres[group]).sum())
        if value > best_value + 1e-9:
            best, best_value, best_centres = group, value, centres
    sizes = np.bincount(best, minlength=count)
    small = sizes < _LEAST_SIZE
    if small.any() and not small.all() and points.shape[0] > 2 * _LEAST_SIZE:
        likeness = points @ best_centres.T
        likeness[:, small] = -np.inf
        best = np.where(small[best], likeness.argmax(axis=1), best)
    return np.unique(best, return_inverse=True)[1].astype(np.int64)


def _start(points: Float64, count: int, generator: np.random.Generator) -> Float64:
    chosen = [int(generator.integers(points.shape[0]))]
    distance = 1.0 - points @ points[chosen[0]]
    for _ in range(count - 1):
        chance = np.maximum(distance, 0.0)
        total = chance.sum()
        chosen.append(
            int(generator.choice(points.shape[0], p=chance / total)) if total > 1e-9 else len(chosen) % points.shape[0]
        )
        distance = np.minimum(distance, 1.0 - points @ points[chosen[-1]])
    return points[chosen]


def _centres(points: Float64, group: Int64, before: Float64) -> Float64:
    member = sparse.csr_matrix(
        (np.ones(group.size), (group, np.arange(group.size))), shape=(before.shape[0], group.size)
    )
    sums = np.asarray(member @ points)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    centres: Float64 = np.where(length > 1e-9, sums / np.maximum(length, 1e-9), before)
    return centres


def _name(words: Words, group: Int64, taken: set[str | None]) -> tuple[list[str], dict[str, str]]:
    """A unique name for every row's group, and the telling words of each name; −1 is その他 / Other."""
    groups = int(group.max(initial=-1)) + 1
    telling = tell_apart(words, np.where(group < 0, groups, group), groups + 1, _WORDS)[:groups]
    japanese = any(not shown.isascii() for shown in words.shown) or not words.shown
    used = {name for name in taken if name is not None}
    names: dict[int, str] = {}
    sizes = np.bincount(group[group >= 0], minlength=groups)
    # the larger group has the first claim to a name
    for g in np.argsort(-sizes, kind="stable").tolist():
        found = telling[g]
        plain = "一緒に買われる商品" if japanese else "Bought together"
        options = [" / ".join(found[:n]) for n in range(min(2, len(found)), len(found) + 1)] if found else []
        name = next((option for option in options if option not in used), None)
        number = 1
        while name is None or name in used:
            number += 1
            base = options[0] if options else plain
            name = f"{base} {number}" if options or number > 2 else plain
        used.add(name)
        names[g] = name
    other = "その他" if japanese else "Other"
    while other in used:
        other += "(推定)" if japanese else " (learned)"
    shown = [names[g] if g >= 0 else other for g in group.tolist()]
    return shown, {names[g]: ", ".join(telling[g]) for g in range(groups)}


def _describe(product_families: pl.DataFrame, sales: Sales, words: dict[str, str]) -> pl.DataFrame:
    families = product_families.group_by("family").agg(
        pl.col("learned").any(), pl.len().cast(pl.Int64).alias("products")
    )
    counted = _count_sales(product_families, sales)
    return (
        families.join(counted, on="family", how="left")
        .with_columns(
            name=pl.col("family"),
            customers=pl.col("customers").fill_null(0),
            amount_12m=pl.col("amount_12m").fill_null(0.0),
            words=pl.col("family").replace_strict(words, default="", return_dtype=pl.String)
            if words
            else pl.lit("", pl.String),
        )
        .select("family", "name", "learned", "products", "customers", "amount_12m", "words")
        .sort("family")
    )


def _count_sales(product_families: pl.DataFrame, sales: Sales) -> pl.DataFrame:
    """Customers ever and yen of the last 365 days, by family."""
    codes = pl.DataFrame({"product_id": sales.products.cast(pl.String)}, schema={"product_id": pl.String})
    of_product = codes.join(product_families, on="product_id", how="left", maintain_order="left")["family"]
    names = of_product.unique().sort()
    coded = (
        of_product.replace_strict(names, np.arange(names.len()), return_dtype=pl.Int64).to_numpy()
        if names.len()
        else np.zeros(0, np.int64)
    )
    family = coded[sales.line_product]
    recent = sales.line_day >= sales.as_of_day - 365
    amount = np.bincount(family[recent], weights=sales.line_amount[recent], minlength=names.len())
    buyers = np.zeros(names.len(), np.int64)
    step = max(1, _CELLS // max(names.len(), 1))
    for start in range(0, sales.customers.len(), step):
        stop = min(start + step, sales.customers.len())
        orders = slice(sales.customer_start[start], sales.customer_start[stop])
        first, last = sales.order_start[orders.start], sales.order_start[orders.stop]
        customer = np.repeat(
            sales.order_customer[orders] - start, np.diff(sales.order_start[orders.start : orders.stop + 1])
        )
        bought = np.zeros((stop - start, names.len()), np.bool_)
        bought[customer, family[first:last]] = True
        buyers += bought.sum(axis=0)
    return pl.DataFrame(
        {"family": names, "customers": buyers, "amount_12m": amount[: names.len()]},
        schema={"family": pl.String, "customers": pl.Int64, "amount_12m": pl.Float64},
    )
