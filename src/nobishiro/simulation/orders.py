"""From single purchases to orders: what goes along with what, what never does, and what is there by chance alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from nobishiro.simulation.catalogue import Catalogue
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64, canonical, codes, moments, truth


@dataclass(frozen=True, slots=True)
class Lines:
    """Purchases as arrays of equal length; codes are positions in the customer list and the catalogue."""

    customer: Int32
    day: Int32
    product: Int32
    quantity: Int32
    origin: Int32
    """What brought the purchase about: a position in the channels of the business."""

    @classmethod
    def of(
        cls,
        customer: Int64 | Int32,
        day: Int32,
        product: Int64 | Int32,
        quantity: Int64 | Int32 | int = 1,
        origin: Int64 | Int32 | int = 0,
    ) -> Lines:
        """Lines from arrays of any integer type; a single number is repeated."""
        size = len(customer)
        return cls(
            *(
                np.ascontiguousarray(np.broadcast_to(np.asarray(value, np.int32), (size,)))
                for value in (customer, day, product, quantity, origin)
            )
        )

    @classmethod
    def join(cls, parts: Sequence[Lines]) -> Lines:
        """All parts one after the other."""
        return cls(
            np.concatenate([part.customer for part in parts]),
            np.concatenate([part.day for part in parts]),
            np.concatenate([part.product for part in parts]),
            np.concatenate([part.quantity for part in parts]),
            np.concatenate([part.origin for part in parts]),
        )

    def where(self, keep: Flags | Int64) -> Lines:
        """The lines that `keep` marks or numbers."""
        return Lines(self.customer[keep], self.day[keep], self.product[keep], self.quantity[keep], self.origin[keep])

    @property
    def size(self) -> int:
        """Number of lines."""
        return self.customer.size


@dataclass(frozen=True, slots=True)
class Complement:
    """`other` goes onto the order of `product` with probability `rate`, once or once for every unit."""

    product: int
    other: int
    rate: float
    each: bool = False


@dataclass(frozen=True, slots=True)
class Orders:
    """Lines by order: sorted by day, then customer; one line a product."""

    lines: Lines
    order: Int32
    """(L,) number of each line's order, from 0, ascending."""
    count: int

    @property
    def first_line(self) -> Int64:
        """(count,) first line of each order."""
        return np.searchsorted(self.order, np.arange(self.count))


def attach(random: np.random.Generator, lines: Lines, complements: Sequence[Complement]) -> Lines:
    """`lines` and the complements that go along with them; a complement does not bring complements of its own."""
    added = [lines]
    for pair in complements:
        at = np.flatnonzero(lines.product == pair.product)
        at = at[random.random(at.size) < pair.rate]
        quantity = lines.quantity[at] if pair.each else np.ones(at.size, np.int32)
        added.append(
            Lines.of(lines.customer[at], lines.day[at], np.full(at.size, pair.other), quantity, lines.origin[at])
        )
    return Lines.join(added)


def add_by_chance(
    random: np.random.Generator,
    lines: Lines,
    products: Int64,
    rates: Float64,
    *,
    most: int = 3,
    takers: float = 1.0,
) -> Lines:
    """`lines` and, on the orders of those who take it, each of `products` with its own rate, whatever else is on them.

    A share `takers` of the customers takes a product, drawn for each product apart. Pairs of these products are on the
    same order as often as chance has it: what a search for pairs must not find.
    """
    at = np.unique(_basket(lines), return_index=True)[1]
    customers = int(lines.customer.max(initial=0)) + 1
    added = [lines]
    for product, rate in zip(products, rates, strict=True):
        takes = random.random(customers) < takers
        drawn = at[(random.random(at.size) < rate) & takes[lines.customer[at]]]
        quantity = random.integers(1, most + 1, drawn.size)
        added.append(
            Lines.of(
                lines.customer[drawn],
                lines.day[drawn],
                np.full(drawn.size, product),
                quantity,
                lines.origin[drawn],
            )
        )
    return Lines.join(added)


def arrange(lines: Lines) -> Orders:
    """Orders of `lines`: one a customer and day; lines of the same product on an order become one."""
    basket = _basket(lines)
    sequence = np.lexsort((lines.product, basket))
    basket, product = basket[sequence], lines.product[sequence]
    fresh = np.ones(lines.size, np.bool_)
    fresh[1:] = (basket[1:] != basket[:-1]) | (product[1:] != product[:-1])
    start = np.flatnonzero(fresh)
    kept = lines.where(sequence[start])
    quantity = np.add.reduceat(lines.quantity[sequence], start) if start.size else kept.quantity
    opens = np.ones(start.size, np.bool_)
    opens[1:] = basket[start][1:] != basket[start][:-1]
    order = (np.cumsum(opens) - 1).astype(np.int32)
    merged = Lines(kept.customer, kept.day, kept.product, quantity.astype(np.int32), kept.origin)
    return Orders(merged, order, int(opens.sum()))


def order_of(orders: Orders, customer: Int64, day: Int32) -> Int64:
    """The order of each customer on a day; any number where they have none."""
    first = orders.first_line
    most = int(orders.lines.customer.max(initial=0)) + 1
    keys = orders.lines.day[first].astype(np.int64) * most + orders.lines.customer[first]
    wanted = day.astype(np.int64) * most + customer
    return np.minimum(np.searchsorted(keys, wanted), max(keys.size - 1, 0))


def _basket(lines: Lines) -> Int64:
    """One number a customer and day, ascending by day."""
    most = int(lines.customer.max(initial=0)) + 1
    return lines.day.astype(np.int64) * most + lines.customer


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order line needs beyond who, when, what and how many; columns by line or by order."""

    order_ids: pl.Series
    """(orders,) codes."""
    customer_ids: pl.Series
    """(lines,) codes, null for anonymous sales."""
    minutes: Int64
    """(orders,) minutes after midnight."""
    unit_price: Int64
    """(lines,) yen."""
    division_ids: pl.Series
    rep_ids: pl.Series
    channel: pl.Series
    end_customer_ids: pl.Series | None = None


def order_lines(orders: Orders, catalogue: Catalogue, terms: Terms) -> pl.DataFrame:
    """The canonical table `order_lines`."""
    lines = orders.lines
    return canonical(
        "order_lines",
        lines.size,
        {
            "order_id": terms.order_ids.gather(orders.order),
            "product_id": catalogue.codes.gather(lines.product),
            "occurrence": pl.Series([1], dtype=pl.Int64).new_from_index(0, lines.size),
            "customer_id": terms.customer_ids,
            "end_customer_id": terms.end_customer_ids,
            "ordered_at": moments(lines.day, terms.minutes[orders.order]),
            "quantity": lines.quantity,
            "amount": terms.unit_price * lines.quantity,
            "unit_price": terms.unit_price,
            "division_id": terms.division_ids,
            "rep_id": terms.rep_ids,
            "channel": terms.channel,
        },
    )


def order_codes(prefix: str, count: int) -> pl.Series:
    """Codes of `count` orders in the order of their days."""
    return codes(prefix, np.arange(1, count + 1), 9)


PAIRS = {
    "product_id": pl.String,
    "other_product_id": pl.String,
    "relation": pl.String,
    "rate": pl.Float64,
    "lift": pl.Float64,
}


def pair_truth(
    orders: Orders,
    catalogue: Catalogue,
    complements: Sequence[Complement],
    substitutes: Sequence[tuple[int, int]],
    by_chance: Int64,
    rates: Float64,
) -> pl.DataFrame:
    """Truth about pairs: planted complements and substitutes, and pairs that stand together by chance alone.

    `rate` is the planted P(other | product); `lift` is that over the share of orders that hold the other product.
    """
    holding = np.bincount(orders.lines.product, minlength=len(catalogue.articles)) / max(orders.count, 1)
    names = catalogue.codes.to_list()
    rows: list[tuple[str, str, str, float, float]] = [
        (names[c.product], names[c.other], "complement", c.rate, c.rate / max(float(holding[c.other]), 1e-12))
        for c in complements
    ]
    rows += [(names[a], names[b], "substitute", 0.0, 0.0) for a, b in substitutes]
    for i, a in enumerate(by_chance):
        for j in range(i + 1, by_chance.size):
            rows.append((names[int(a)], names[int(by_chance[j])], "by_chance", float(rates[j]), 1.0))
    columns = list(zip(*rows, strict=True))
    return truth(dict(zip(PAIRS, columns, strict=True)), PAIRS)
