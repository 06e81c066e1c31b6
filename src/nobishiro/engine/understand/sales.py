"""Net sales as dense arrays: what understand and offer compute on.

Orders are customer-major: sorted by customer, then day, then order; the lines of an order are adjacent. Cancelled,
returned and non-product lines are out already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Sales:
    """Net sales lines before `as_of`, encoded.

    U customers, P products, B orders, L lines. Codes are dense from 0 in the order of the sorted ids; anonymous orders
    carry customer −1 and come first.
    """

    as_of: date
    """Exclusive: every line is strictly before this day."""
    customers: pl.Series
    """(U,) ids as given, sorted."""
    products: pl.Series
    """(P,) ids as given, sorted."""
    orders: pl.Series
    """(B,) order ids as given."""
    order_customer: Int32
    """(B,) customer code, −1 anonymous."""
    order_day: Int32
    """(B,) days since 1970-01-01."""
    order_start: Int64
    """(B + 1,) first line of each order."""
    line_product: Int32
    """(L,) product code."""
    line_quantity: Float64
    """(L,) net units."""
    line_amount: Float64
    """(L,) net yen; the number of units when the source has no amounts."""
    has_amounts: bool

    @property
    def as_of_day(self) -> int:
        """`as_of` in days since 1970-01-01."""
        return (self.as_of - _EPOCH).days

    @property
    def line_order(self) -> Int32:
        """(L,) order code of each line."""
        return np.repeat(np.arange(self.order_customer.size, dtype=np.int32), np.diff(self.order_start))

    @property
    def line_customer(self) -> Int32:
        """(L,) customer code of each line, −1 anonymous."""
        return np.repeat(self.order_customer, np.diff(self.order_start))

    @property
    def line_day(self) -> Int32:
        """(L,) day of each line."""
        return np.repeat(self.order_day, np.diff(self.order_start))

    @property
    def customer_start(self) -> Int64:
        """(U + 1,) first order of each customer; orders before entry 0 are anonymous."""
        return np.searchsorted(self.order_customer, np.arange(self.customers.len() + 1)).astype(np.int64)


def encode_sales(lines: pl.DataFrame, as_of: date | None = None) -> Sales:
    """Encode net sales lines; rows on or after `as_of` are left out (default: the day after the last line).

    `lines` has `customer_id` (nullable), `order_id`, `product_id`, `ordered_at` (date or timestamp) and may have
    `quantity` and `amount`. Ids keep their type. Lines of an order need not be adjacent; an order that names several
    customers belongs to the first by id.
    """
    day = pl.col("ordered_at").cast(pl.Date)
    if as_of is None:
        last = lines.select(day.max()).item()
        as_of = date.fromordinal(last.toordinal() + 1) if last is not None else _EPOCH
    has_amounts = "amount" in lines.columns
    quantity = pl.col("quantity").cast(pl.Float64).fill_null(1.0) if "quantity" in lines.columns else pl.lit(1.0)
    amount = pl.col("amount").cast(pl.Float64).fill_null(0.0) if has_amounts else quantity
    frame = lines.select(
        "customer_id",
        "order_id",
        "product_id",
        day.cast(pl.Int32).alias("day"),
        quantity.alias("quantity"),
        amount.alias("amount"),
    ).filter(pl.col("day") < (as_of - _EPOCH).days, pl.col("product_id").is_not_null())
    customers = frame["customer_id"].drop_nulls().unique().sort()
    products = frame["product_id"].unique().sort()
    frame = frame.with_columns(
        _codes(frame["customer_id"], customers).alias("customer"),
        _codes(frame["product_id"], products).alias("product"),
    )
    heads = (
        frame.group_by("order_id")
        .agg(pl.col("customer").max(), pl.col("day").min())
        .sort("customer", "day", "order_id")
    )
    heads = heads.with_row_index("order")
    frame = (
        frame.select("order_id", "product", "quantity", "amount")
        .join(heads.select("order_id", "order"), on="order_id", how="left", maintain_order="left")
        .sort("order", maintain_order=True)
    )
    sizes = np.bincount(frame["order"].to_numpy(), minlength=heads.height)
    return Sales(
        as_of=as_of,
        customers=customers,
        products=products,
        orders=heads["order_id"],
        order_customer=heads["customer"].to_numpy().astype(np.int32),
        order_day=heads["day"].to_numpy().astype(np.int32),
        order_start=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        line_product=frame["product"].to_numpy().astype(np.int32),
        line_quantity=frame["quantity"].to_numpy(),
        line_amount=frame["amount"].to_numpy(),
        has_amounts=has_amounts,
    )


def _codes(values: pl.Series, ids: pl.Series) -> pl.Series:
    table = pl.DataFrame({"id": ids, "code": np.arange(ids.len(), dtype=np.int32)})
    joined = pl.DataFrame({"id": values}).join(table, on="id", how="left", maintain_order="left")
    return joined["code"].fill_null(-1)
