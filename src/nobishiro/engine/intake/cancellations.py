"""Cancellations and returns netted against the sale they take back, so that they count in the original period.

Only customers and products with a return are looked at closely: a table of hashes finds their lines in one pass, a
kernel walks through each customer × product in time. What finds no original is handed back, never subtracted from
another sale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.return_kernels import allocate_returns

REQUIRED: Final = ("customer_id", "order_id", "product_id", "ordered_at")
_SALE, _RETURN, _ASIDE = 0, 1, 2
_SLICE: Final = 4_000_000
_NO_ORDER, _NOBODY, _NOT_BOUGHT, _TOO_MANY, _NO_VALUE, _PRICE_DIFFERENCE = range(6)
_WHY_JA: Final = (
    "取消元の受注、またはその受注にこの商品がデータにない",
    "顧客コードがなく、取消元も書かれていない",
    "この顧客のこの商品の、それ以前の購入がない",
    "返品数がそれ以前の購入数を超える分",
    "販売ではない(金額ゼロの数量移動、または数量のない金額訂正)",
    "返品後に残った価格差",
)
_WHY_EN: Final = (
    "the order it cancels, or this product on it, is not in the data",
    "no customer, and no order is named",
    "this customer had not bought this product before",
    "more came back than had been bought before",
    "no sale: quantity moved at no price, or an amount corrected without quantity",
    "price difference left over after a return",
)


@dataclass(frozen=True, slots=True)
class Netted:
    """Net sales, and everything that is none; quantities and amounts of the three frames add up to what came in."""

    lines: pl.DataFrame
    """Sales after returns, in the order and with the columns given; what was returned whole is gone."""
    unmatched: pl.DataFrame
    """Returns, or the part of one, without an original; with `why_ja` and `why_en`."""
    adjustments: pl.DataFrame
    """Lines that are neither sale nor return, and price differences left by returns; with `why_ja` and `why_en`."""
    matched_lines: int
    """Return lines netted whole or in part."""
    matched_quantity: float
    """Units taken off their originals."""
    matched_amount: float
    """Yen taken off their originals."""


def net_cancellations(lines: pl.DataFrame) -> Netted:
    """Order lines with returns and cancellations netted against what they take back.

    `lines` are canonical order lines: `customer_id` (nullable), `order_id`, `product_id`, `ordered_at`; `quantity`,
    `amount` and `cancels_order_id` may be missing. A return is a line with a negative quantity (or, without a
    quantity, a negative amount). Its original is the order named in `cancels_order_id`; else, where the order number is
    another's with C or R before or after it (C1001, 1001-R), that order; else the same customer's latest line of the
    same product that is not later: at the same unit price and with enough left if there is one, then the same price,
    then any. An original loses quantity and amount; a return that names an order which is not there, or a product
    never bought, is `unmatched`.

    Zero-price quantity movements without a customer (stock corrections) and amounts corrected without quantity are put
    aside in `adjustments`, and so is what money remains on a line whose whole quantity came back at another price.
    Raises `MappingIncomplete` when a needed column is missing.
    """
    missing = [name for name in REQUIRED if name not in lines.columns]
    if missing:
        raise MappingIncomplete(f"order lines lack {', '.join(missing)}; map these columns before netting returns")
    kind = _kinds(lines)
    returned = np.flatnonzero(kind == _RETURN)
    aside = np.flatnonzero(kind == _ASIDE)
    if returned.size == 0 and aside.size == 0:
        return Netted(lines, _explained(lines.clear(), []), _explained(lines.clear(), []), 0, 0.0, 0.0)
    scale = _Scale(lines)
    adjustments = _explained(lines[aside], [_NO_VALUE] * aside.size)
    if returned.size == 0:
        return Netted(lines.filter(kind == _SALE), _explained(lines.clear(), []), adjustments, 0, 0.0, 0.0)
    returns = _Rows.of(lines, returned, scale)
    targets = _named_orders(lines, returns)
    sales = _Rows.of(lines, _possible_originals(lines, kind, returns, targets), scale)
    first = _match(returns, sales, targets.select("row", order_id="target"), ("order_id", "product_id"), scale, False)
    by_customer = returns.frame.join(targets, on="row", how="anti").filter(pl.col("customer_id").is_not_null())
    second = _match(
        returns, sales, by_customer.select("row", "customer_id"), ("customer_id", "product_id"), scale, True
    )
    return _result(lines, kind, returns, sales, targets, scale, adjustments, first | second)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Amounts and quantities as floats that hold whole numbers where the column does (yen and sen, thousandths)."""

    quantity: float
    amount: float
    exact: bool

    def __init__(self, lines: pl.DataFrame) -> None:
        object.__setattr__(self, "quantity", _scale_of(lines, "quantity"))
        object.__setattr__(self, "amount", _scale_of(lines, "amount"))
        object.__setattr__(self, "exact", not _is_float(lines, "amount") and not _is_float(lines, "quantity"))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some lines with what remains of each: `left` in units (or yen where there are no units), `yen` in amount."""

    frame: pl.DataFrame
    left: npt.NDArray[np.float64]
    yen: npt.NDArray[np.float64]
    full_left: npt.NDArray[np.float64]
    full_yen: npt.NDArray[np.float64]
    price: npt.NDArray[np.float64]
    moment: npt.NDArray[np.int64]

    @classmethod
    def of(cls, lines: pl.DataFrame, rows: npt.NDArray[np.int64], scale: _Scale) -> _Rows:
        wanted = ("customer_id", "order_id", "product_id", "ordered_at", "quantity", "amount", "cancels_order_id")
        part = lines.select(name for name in wanted if name in lines.columns)[rows]
        quantity = _values(part, "quantity", scale.quantity)
        amount = np.abs(np.nan_to_num(_values(part, "amount", scale.amount)))
        by_amount = np.isnan(quantity) | (quantity == 0)
        if "quantity" not in part.columns and "amount" not in part.columns:
            left = np.ones(rows.size)
        else:
            left = np.where(by_amount, amount, np.abs(np.nan_to_num(quantity)))
        price = np.divide(amount, left, out=np.zeros_like(amount), where=left > 0)
        moment = part["ordered_at"].cast(pl.Datetime("us")).to_physical().fill_null(np.iinfo(np.int64).max).to_numpy()
        named = ["cancels_order_id"] if "cancels_order_id" in part.columns else []
        frame = part.select("customer_id", "order_id", "product_id", *named).with_columns(
            row=pl.Series(rows, dtype=pl.Int64),
            place=pl.int_range(pl.len(), dtype=pl.Int64),
            by_amount=pl.Series(by_amount),
        )
        return cls(frame, left.copy(), amount.copy(), left, amount, price, moment)


def _kinds(lines: pl.DataFrame) -> npt.NDArray[np.int8]:
    """Sale, return or aside for each line."""
    quantity = _number(lines, "quantity")
    amount = _number(lines, "amount")
    priced = "amount" in lines.columns and bool(lines.select((amount != 0).any()).item())
    if not priced:
        amount = pl.lit(None, dtype=pl.Float64)
    negative = pl.coalesce(quantity < 0, amount < 0, pl.lit(False))
    no_value = (
        (negative & (amount >= 0).fill_null(False))
        | ((quantity >= 0) & (amount < 0)).fill_null(False)
        | ((quantity == 0) & (amount.fill_null(0) == 0)).fill_null(False)
    )
    kind = pl.when(no_value).then(_ASIDE).when(negative).then(_RETURN).otherwise(_SALE).cast(pl.Int8)
    kinds = np.empty(lines.height, dtype=np.int8)
    # Slice by slice, so that the comparisons never hold more than a few million values at a time.
    for start in range(0, lines.height, _SLICE):
        kinds[start : start + _SLICE] = lines.slice(start, _SLICE).select(kind.alias("kind"))["kind"].to_numpy()
    if not priced:
        return kinds
    free = pl.col("customer_id").is_null() & (amount == 0) & (quantity > 0)
    rows = lines.select(pl.arg_where(free).alias("row"))["row"]
    if rows.len() == 0:
        return kinds
    orders = lines["order_id"].gather(rows)
    paid = lines.lazy().filter(pl.col("order_id").is_in(orders.unique().implode()), amount > 0).select("order_id")
    unpaid = ~orders.is_in(paid.unique().collect()["order_id"].implode())
    kinds[rows.filter(unpaid).to_numpy()] = _ASIDE
    return kinds


def _named_orders(lines: pl.DataFrame, returns: _Rows) -> pl.DataFrame:
    """(row, target) of returns that name what they cancel, by column or by an order number derived from another's."""
    frame = returns.frame
    parts = []
    if "cancels_order_id" in frame.columns:
        given = frame.filter(pl.col("cancels_order_id").is_not_null())
        parts.append(given.select("row", target=pl.col("cancels_order_id").cast(frame.schema["order_id"])))
        frame = frame.filter(pl.col("cancels_order_id").is_null())
    if frame.schema["order_id"] == pl.String:
        number = pl.col("order_id").str.strip_chars()
        derived = frame.select(
            "row",
            "customer_id",
            "product_id",
            target=pl.coalesce(
                number.str.extract(r"^[CcRr][-_]?(.*\d.*)$"), number.str.extract(r"^(.*\d.*)[-_][CcRr]$")
            ),
        ).filter(pl.col("target").is_not_null())
        if derived.height:
            known = lines.lazy().filter(pl.col("order_id").is_in(derived["target"].unique().implode()))
            held = known.select("customer_id", "product_id", target="order_id").unique().collect()
            # The number alone may be another's: the order must be the same customer's and hold the product.
            keys = ["target", "product_id", "customer_id"]
            parts.append(derived.join(held, on=keys, how="semi", nulls_equal=True).select("row", "target"))
    if not parts:
        return pl.DataFrame(schema={"row": pl.Int64, "target": frame.schema["order_id"]})
    return pl.concat(parts)


def _possible_originals(
    lines: pl.DataFrame, kind: npt.NDArray[np.int8], returns: _Rows, targets: pl.DataFrame
) -> npt.NDArray[np.int64]:
    """Rows of sales that share customer and product, or order and product, with a return (and a few by chance)."""
    of_customer = pl.col("customer_id").hash(11) ^ pl.col("product_id").hash(12)
    of_order = pl.col("order_id").hash(13) ^ pl.col("product_id").hash(12)
    open_returns = returns.frame.join(targets, on="row", how="anti").filter(pl.col("customer_id").is_not_null())
    named = returns.frame.drop("order_id").join(targets, on="row").rename({"target": "order_id"})
    bits = max(16, min(26, int(returns.left.size * 64).bit_length()))
    shift = np.uint64(64 - bits)
    wanted = []
    for frame, key in ((open_returns, of_customer), (named, of_order)):
        seen = np.zeros(1 << bits, dtype=np.bool_)
        seen[frame.select(key.alias("key"))["key"].to_numpy() >> shift] = True
        if frame.height:
            wanted.append((key, seen))
    found = []
    for start in range(0, lines.height, _SLICE):
        part = lines.slice(start, _SLICE)
        hit = np.zeros(part.height, dtype=np.bool_)
        for key, seen in wanted:
            hit |= seen[part.select(key.alias("key"))["key"].to_numpy() >> shift]
        found.append(np.flatnonzero(hit & (kind[start : start + _SLICE] == _SALE)) + start)
    return np.concatenate(found).astype(np.int64)


def _match(
    returns: _Rows,
    sales: _Rows,
    wanted: pl.DataFrame,
    keys: tuple[str, str],
    scale: _Scale,
    in_time: bool,
) -> npt.NDArray[np.bool_]:
    """Take `wanted` returns off the sales that share `keys`; says which returns found something.

    Changes what is left of both.
    """
    taken = np.zeros(returns.left.size, dtype=np.bool_)
    if wanted.height == 0 or sales.left.size == 0:
        return taken
    by = [*keys, "by_amount"]
    asked = wanted.join(
        returns.frame.select("row", "product_id", "by_amount", "place"), on="row", maintain_order="left"
    )
    groups = asked.select(by).unique(maintain_order=True).with_row_index("group")
    asked = asked.join(groups, on=by, maintain_order="left").with_columns(
        moment=pl.Series(returns.moment[asked["place"].to_numpy()])
    )
    asked = asked.sort("group", "moment", "row")
    offered = sales.frame.select(*by, "place", "row").join(groups, on=by, maintain_order="left")
    offered = offered.with_columns(moment=pl.Series(sales.moment[offered["place"].to_numpy()])).sort(
        "group", "moment", "row"
    )
    edges = np.arange(groups.height + 1)
    before = returns.left.copy()
    allocate_returns(
        np.searchsorted(asked["group"].to_numpy(), edges).astype(np.int64),
        asked["place"].to_numpy(),
        np.searchsorted(offered["group"].to_numpy(), edges).astype(np.int64),
        offered["place"].to_numpy(),
        returns.moment,
        returns.left,
        returns.yen,
        returns.price,
        sales.moment,
        sales.left,
        sales.yen,
        sales.price,
        in_time,
        scale.exact,
    )
    taken[:] = returns.left < before
    return taken


def _result(
    lines: pl.DataFrame,
    kind: npt.NDArray[np.int8],
    returns: _Rows,
    sales: _Rows,
    targets: pl.DataFrame,
    scale: _Scale,
    adjustments: pl.DataFrame,
    taken: npt.NDArray[np.bool_],
) -> Netted:
    changed = sales.left < sales.full_left
    gone = changed & (sales.left <= 0)
    unpriced = (
        lines["amount"].gather(sales.frame["row"]).is_null().to_numpy()
        if "amount" in lines.columns
        else np.zeros_like(gone)
    )
    rest = np.where(gone | unpriced, sales.yen, np.minimum(sales.yen, 0.0))
    by_amount = sales.frame["by_amount"].to_numpy()
    over = np.flatnonzero(changed & (rest != 0) & ~by_amount)
    sale_rows = sales.frame["row"].to_numpy()
    priced = [pl.col("amount").fill_null(0)] if "amount" in lines.columns else []
    differences = _written(
        lines[sale_rows[over]].with_columns(priced), np.zeros(over.size), rest[over], by_amount[over], scale
    )
    adjustments = pl.concat([adjustments, _explained(differences, [_PRICE_DIFFERENCE] * over.size)])
    keep = kind == _SALE
    keep[sale_rows[gone]] = False
    reduced = np.flatnonzero(changed & ~gone)
    dropped = np.flatnonzero(~keep)
    positions = sale_rows[reduced] - np.searchsorted(dropped, sale_rows[reduced])
    net = lines.filter(keep)
    part = _written(
        lines[sale_rows[reduced]], sales.left[reduced], np.maximum(sales.yen[reduced], 0.0), by_amount[reduced], scale
    )
    for name in ("quantity", "amount"):
        if name in net.columns and reduced.size:
            column = net[name].clone()
            net = net.with_columns(column.scatter(positions, part[name]))
    open_ = np.flatnonzero(returns.left > 0)
    rows = returns.frame["row"].to_numpy()
    why = _reasons(returns, targets, taken)[open_]
    leftover = _written(
        lines[rows[open_]],
        -returns.left[open_],
        -returns.yen[open_],
        returns.frame["by_amount"].to_numpy()[open_],
        scale,
    )
    units = ~returns.frame["by_amount"].to_numpy()
    return Netted(
        lines=net,
        unmatched=_explained(leftover, why.tolist()),
        adjustments=adjustments,
        matched_lines=int(taken.sum()),
        matched_quantity=float((returns.full_left - returns.left)[units].sum() / scale.quantity),
        matched_amount=float((returns.full_yen - returns.yen).sum() / scale.amount),
    )


def _reasons(returns: _Rows, targets: pl.DataFrame, taken: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
    """Why a return, or what is left of it, found no original."""
    named = returns.frame["row"].is_in(targets["row"].implode()).to_numpy()
    nobody = returns.frame["customer_id"].is_null().to_numpy()
    why = np.where(named, _NO_ORDER, np.where(nobody, _NOBODY, _NOT_BOUGHT)).astype(np.int8)
    why[taken] = _TOO_MANY
    return why


def _written(
    rows: pl.DataFrame,
    quantity: npt.NDArray[np.float64],
    amount: npt.NDArray[np.float64],
    by_amount: npt.NDArray[np.bool_],
    scale: _Scale,
) -> pl.DataFrame:
    """`rows` with other quantities and amounts, in the types they had; a line without units keeps its quantity."""
    columns = []
    if "quantity" in rows.columns:
        new = pl.Series("quantity", quantity / scale.quantity).cast(rows.schema["quantity"])
        columns.append(new.zip_with(pl.Series(~by_amount), rows["quantity"]))
    if "amount" in rows.columns:
        new = pl.Series("amount", amount / scale.amount).cast(rows.schema["amount"])
        columns.append(new.zip_with(rows["amount"].is_not_null(), rows["amount"]))
    return rows.with_columns(columns)


def _explained(rows: pl.DataFrame, why: list[int]) -> pl.DataFrame:
    return rows.with_columns(
        pl.Series("why_ja", [_WHY_JA[code] for code in why], dtype=pl.String),
        pl.Series("why_en", [_WHY_EN[code] for code in why], dtype=pl.String),
    )


def _number(lines: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in lines.columns else pl.lit(None, dtype=pl.Float64)


def _values(lines: pl.DataFrame, name: str, scale: float) -> npt.NDArray[np.float64]:
    """(rows,) float64, NaN where empty; whole numbers where the column's type is exact."""
    if name not in lines.columns:
        return np.full(lines.height, np.nan)
    values = lines[name].cast(pl.Float64).to_numpy() * scale
    return values if _is_float(lines, name) else np.round(values)


def _scale_of(lines: pl.DataFrame, name: str) -> float:
    dtype = lines.schema.get(name)
    return float(10**dtype.scale) if isinstance(dtype, pl.Decimal) else 1.0


def _is_float(lines: pl.DataFrame, name: str) -> bool:
    dtype = lines.schema.get(name)
    return dtype is not None and dtype.is_float()
