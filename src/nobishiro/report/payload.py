"""The run's tables as column arrays: a small part for the first paint, a large part that is unpacked after it.

Customers, products and families are numbered by their place in the first part, so that a name is written once. Yen
that were computed are whole units of the currency; booked amounts keep two decimals. What is left out to hold the file
to its size is counted in `shown`, and the page says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec
import polars as pl

from nobishiro.contracts.tables import FAMILY_STATES
from nobishiro.report.data import ReportData

Columns: TypeAlias = dict[str, object]
"""A JSON object of arrays, strings and numbers."""

MONTHS: Final = 24
OFFERS_A_KIND: Final = 3
"""One in front, two folded."""
MAX_CELLS: Final = 120_000
"""Customer × family cells that keep their figures; the others keep their state."""
MAX_HISTORY: Final = 130_000
"""Order lines in the page."""
MAX_PAIRS: Final = 3_000

STATE_LETTERS: Final[Mapping[str, str]] = {state: "bpncx"[place] for place, state in enumerate(FAMILY_STATES)}
BASIS_LETTERS: Final = {"told": "t", "estimated": "e", "unknown": "u"}


def core_columns(data: ReportData) -> Columns:
    """What the first paint needs: customers on the map, families, plan, thresholds, intake, measures."""
    customers = data.positions
    missed = (
        data.gaps.filter(pl.col("is_missed"))
        .sort("customer_id", "expected", descending=[False, True], nulls_last=True)
        .group_by("customer_id", maintain_order=True)
        .agg(pl.len().alias("missed"))
    )
    counts = customers.select("customer_id").join(missed, on="customer_id", how="left", maintain_order="left")["missed"]
    return {
        "thresholds": {
            "potential": data.thresholds.potential,
            "track": data.thresholds.track_record,
            "ja": data.thresholds.why_ja,
            "en": data.thresholds.why_en,
            "setBy": data.thresholds.set_by,
        },
        "customers": {
            "id": customers["customer_id"].to_list(),
            "name": _texts(customers["name"], customers["customer_id"]),
            "state": _coded(customers["state"]),
            "quadrant": "".join(_letters(customers["quadrant"])),
            "computed": "".join(_letters(customers["quadrant_computed"])),
            "decidedBy": _coded(customers["decided_by"]),
            "potential": _whole(customers["potential"]),
            "low": _whole(customers["low"]),
            "high": _whole(customers["high"]),
            "basis": "".join(BASIS_LETTERS.get(value or "unknown", "u") for value in customers["potential_basis"]),
            "track": _whole(customers["track_record"]),
            "orders": customers["orders_12m"].to_list(),
            "hours": customers["touch_hours_12m"].cast(pl.Float64).round(1).to_list(),
            "recency": customers["recency_days"].to_list(),
            "lastTouch": _days(customers["last_touch_day"]),
            "visits": _coded(customers["visits_computed"]),
            "rep": _coded(customers["rep_id"]),
            "division": _coded(customers["division_id"]),
            "missed": counts.fill_null(0).to_list(),
        },
        "families": {
            "id": data.families["family"].to_list(),
            "name": _texts(data.families["name"], data.families["family"]),
            "learned": data.families["learned"].fill_null(False).to_list(),
            "products": data.families["products"].to_list(),
            "customers": data.families["customers"].to_list(),
            "amount": _whole(data.families["amount_12m"]),
            "words": data.families["words"].fill_null("").to_list(),
        },
        "planSummary": _plan_summary(data),
        "intake": {
            "ja": data.intake["what_ja"].to_list(),
            "en": data.intake["what_en"].to_list(),
            "count": data.intake["count"].to_list(),
            "amount": _money(data.intake["amount"]),
            "explanationJa": data.intake["explanation_ja"].to_list(),
            "explanationEn": data.intake["explanation_en"].to_list(),
        },
        "measures": [
            {"ja": m.name_ja, "en": m.name_en, "value": m.value, "n": m.n, "howJa": m.how_ja, "howEn": m.how_en}
            for m in data.measures
        ],
        "hasTouch": data.positions["touch_hours_12m"].null_count() < data.positions.height,
    }


def detail_columns(data: ReportData) -> Columns:
    """Everything behind a click: gap cells, offers with evidence, order rows, pairs, the plan, the reasons."""
    customers = _numbers(data.positions["customer_id"], "customer")
    families = _numbers(data.families["family"], "family_number")
    products, product_columns = _products(data)
    return {
        "products": product_columns,
        "why": _whys(data),
        "features": _features(data),
        "gaps": _gaps(data, customers, families),
        "offers": _offers(data, customers, products),
        "history": _history(data, customers, products),
        "pairs": _pairs(data, products),
        "plan": _plan(data, customers, families, products),
    }


def encode(columns: Columns) -> bytes:
    """JSON in UTF-8 that is safe inside an HTML script element: no bare `<`, `>`, `&` or line separator in it."""
    text = msgspec.json.encode(columns)
    for character, escaped in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        text = text.replace(character, escaped)
    return text.replace("\u2028".encode(), b"\\u2028").replace("\u2029".encode(), b"\\u2029")


def _plan_summary(data: ReportData) -> Columns | None:
    plan = data.plan_summary
    if plan is None:
        return None
    return {
        "expected": plan.expected,
        "low": plan.low,
        "high": plan.high,
        "bound": plan.bound,
        "gap": plan.optimality_gap,
        "hoursAvailable": plan.hours_available,
        "hoursPlanned": plan.hours_planned,
        "byQuadrant": [[quadrant, wished, planned] for quadrant, wished, planned in plan.hours_by_quadrant],
        "target": plan.target,
        "targetGap": plan.target_gap,
        "ja": plan.words_ja,
        "en": plan.words_en,
    }


def _products(data: ReportData) -> tuple[pl.DataFrame, Columns]:
    """Products numbered: the catalogue first, then codes that only stand on orders, pairs or offers."""
    mentioned = [
        data.recommendations["product_id"],
        data.pairs["product_id"],
        data.pairs["other_product_id"],
        data.plan["product_id"],
        data.order_history["product_id"],
    ]
    catalogue = data.products.unique("product_id", keep="first", maintain_order=True)
    codes = pl.concat([catalogue["product_id"], *(column.drop_nulls().unique().sort() for column in mentioned)])
    frame = (
        pl.DataFrame({"product_id": codes})
        .unique("product_id", keep="first", maintain_order=True)
        .join(catalogue, on="product_id", how="left", maintain_order="left")
    )
    numbered = _numbers(frame["product_id"], "product")
    columns: Columns = {
        "id": frame["product_id"].to_list(),
        "name": _texts(frame["name"], frame["product_id"]),
        "price": _money(frame["price"]),
    }
    return numbered, columns


def _whys(data: ReportData) -> Columns:
    joined = data.positions.select("customer_id", "reason").join(
        data.customer_potential.select("customer_id", "why_ja", "why_en"),
        on="customer_id",
        how="left",
        maintain_order="left",
    )
    return {
        "ja": joined["why_ja"].fill_null("").to_list(),
        "en": joined["why_en"].fill_null("").to_list(),
        "reason": joined["reason"].fill_null("").to_list(),
    }


def _features(data: ReportData) -> Columns:
    wanted = data.positions.select("customer_id").join(
        data.customer_features, on="customer_id", how="left", maintain_order="left"
    )
    return {
        "orders": wanted["orders"].to_list(),
        "amount": _whole(wanted["amount"]),
        "amount12": _whole(wanted["amount_12m"]),
        "amountPrevious": _whole(wanted["amount_prev_12m"]),
        "cycle": wanted["cycle_days"].cast(pl.Float64).round(0).to_list(),
        "spread": wanted["cycle_spread_days"].cast(pl.Float64).round(0).to_list(),
        "lastDay": _days(wanted["last_day"]),
        "dueDay": _days(wanted["due_day"]),
        "newFamilies": wanted["new_families_12m"].to_list(),
        "touches": wanted["touches_12m"].to_list(),
    }


def _gaps(data: ReportData, customers: pl.DataFrame, families: pl.DataFrame) -> Columns:
    """`states` holds one letter a customer × family; `cells` the figures of those that matter most, by customer."""
    width = data.families.height
    cells = (
        data.gaps.join(customers, left_on="customer_id", right_on="key")
        .join(families, left_on="family", right_on="key")
        .join(
            data.potential.select(
                "customer_id",
                "family",
                "current",
                pl.col("potential").alias("room"),
                pl.col("low").alias("room_low"),
                pl.col("high").alias("room_high"),
            ),
            on=["customer_id", "family"],
            how="left",
        )
    )
    letters = ["."] * (data.positions.height * width)
    for customer, family, state in cells.select("customer", "family_number", "state").iter_rows():
        letters[customer * width + family] = STATE_LETTERS.get(state, ".")
    said = pl.col("is_missed").fill_null(False)
    matters = (
        pl.when(said)
        .then(0)
        .when(pl.col("state").is_in(["buying", "proposed", "competitor"]))
        .then(1)
        .when(pl.col("expected").is_not_null() | pl.col("room").is_not_null())
        .then(2)
        .otherwise(3)
    )
    cells = cells.with_columns(matters.alias("matters")).filter(pl.col("matters") < 3)
    order = ["matters", "expected", "room"]
    kept = cells.sort("customer", *order, descending=[False, False, True, True], nulls_last=True).with_columns(
        pl.int_range(pl.len()).over("customer").alias("place")
    )
    total = kept.height
    if total > MAX_CELLS:
        # The first cells of every customer before the later cells of any.
        kept = kept.sort("place", "customer").head(MAX_CELLS).sort("customer", "place")
    return {
        "states": "".join(letters),
        "shown": kept.height,
        "total": total,
        "customer": kept["customer"].to_list(),
        "family": kept["family_number"].to_list(),
        "current": _whole(kept["current"]),
        "room": _whole(kept["room"]),
        "roomLow": _whole(kept["room_low"]),
        "roomHigh": _whole(kept["room_high"]),
        "expected": _whole(kept["expected"]),
        "low": _whole(kept["low"]),
        "high": _whole(kept["high"]),
        "basis": "".join(BASIS_LETTERS.get(value or "unknown", "u") for value in kept["basis"]),
        "comparable": kept["comparable_customers"].to_list(),
        "buyers": kept["comparable_buyers"].to_list(),
        "missed": "".join("1" if value else "0" for value in kept["is_missed"]),
        "rank": kept["rank"].to_list(),
        "result": _coded(kept["proposal_result"]),
    }


def _offers(data: ReportData, customers: pl.DataFrame, products: pl.DataFrame) -> Columns:
    kept = (
        data.recommendations.filter(pl.col("rank") <= OFFERS_A_KIND)
        .join(customers, left_on="customer_id", right_on="key")
        .join(products, left_on="product_id", right_on="key")
        .sort("customer", "kind", "rank")
    )
    return {
        "customer": kept["customer"].to_list(),
        "product": kept["product"].to_list(),
        "kind": "".join("r" if kind == "replenishment" else "n" for kind in kept["kind"]),
        "reason": _coded(kept["reason"]),
        "evidence": kept["evidence"].fill_null("").to_list(),
        "whyJa": kept["why_ja"].fill_null("").to_list(),
        "whyEn": kept["why_en"].fill_null("").to_list(),
        "sayJa": kept["say_ja"].fill_null("").to_list(),
        "sayEn": kept["say_en"].fill_null("").to_list(),
        "due": _days(kept["due_day"]),
    }


def _history(data: ReportData, customers: pl.DataFrame, products: pl.DataFrame) -> Columns:
    """Most recent rows first within a customer; months are summed over every line handed over."""
    lines = data.order_history.join(customers, left_on="customer_id", right_on="key").join(
        products, left_on="product_id", right_on="key"
    )
    lines = lines.with_columns(pl.col("day").cast(pl.Date), pl.col("amount").cast(pl.Float64))
    first = data.as_of.year * 12 + data.as_of.month - MONTHS
    month = (pl.col("day").dt.year().cast(pl.Int64) * 12 + pl.col("day").dt.month() - first).alias("month")
    months = (
        lines.with_columns(month)
        .filter((pl.col("month") >= 1) & (pl.col("month") <= MONTHS))
        .group_by("customer", "month")
        .agg(pl.col("amount").sum())
        .sort("customer", "month")
    )
    kept = lines.sort("customer", "day", "order_id", "product", descending=[False, True, True, False]).with_columns(
        pl.int_range(pl.len()).over("customer").alias("place")
    )
    total = kept.height
    if total > MAX_HISTORY:
        kept = kept.sort("place", "customer").head(MAX_HISTORY).sort("customer", "place")
    orders = kept["order_id"].cast(pl.String).unique(maintain_order=True)
    numbered = kept.join(_numbers(orders, "order_number"), left_on="order_id", right_on="key", maintain_order="left")
    return {
        "shown": kept.height,
        "total": total,
        "customer": numbered["customer"].to_list(),
        "day": _days(numbered["day"]),
        "order": numbered["order_number"].to_list(),
        "orders": orders.to_list(),
        "product": numbered["product"].to_list(),
        "quantity": _trimmed(numbered["quantity"].cast(pl.Float64).round(3)),
        "amount": _money(numbered["amount"]),
        "firstMonth": first + 1,
        "monthCustomer": months["customer"].to_list(),
        "month": (months["month"] - 1).to_list(),
        "monthAmount": _whole(months["amount"]),
    }


def _pairs(data: ReportData, products: pl.DataFrame) -> Columns:
    other = products.rename({"product": "other"})
    kept = (
        data.pairs.sort("llr", descending=True, nulls_last=True)
        .head(MAX_PAIRS)
        .join(products, left_on="product_id", right_on="key", maintain_order="left")
        .join(other, left_on="other_product_id", right_on="key", maintain_order="left")
    )
    return {
        "shown": kept.height,
        "total": data.pairs.height,
        "distinct": _unordered(data.pairs),
        "product": kept["product"].to_list(),
        "other": kept["other"].to_list(),
        "together": kept["together"].to_list(),
        "support": _significant(kept["support"]),
        "confidence": _significant(kept["confidence"]),
        "lift": _significant(kept["lift"]),
        "q": _significant(kept["q_value"]),
        "direction": _significant(kept["direction"]),
        "directionN": kept["direction_n"].to_list(),
    }


def _unordered(pairs: pl.DataFrame) -> int:
    """Pairs counted once, whichever product stands first."""
    a, b = pl.col("product_id"), pl.col("other_product_id")
    return pairs.select(pl.min_horizontal(a, b).alias("a"), pl.max_horizontal(a, b).alias("b")).n_unique()


def _plan(data: ReportData, customers: pl.DataFrame, families: pl.DataFrame, products: pl.DataFrame) -> Columns:
    kept = (
        data.plan.join(customers, left_on="customer_id", right_on="key", how="left")
        .join(families, left_on="family", right_on="key", how="left")
        .join(products, left_on="product_id", right_on="key", how="left")
        .sort("rep_id", "order")
    )
    return {
        "rep": kept["rep_id"].fill_null("").to_list(),
        "customer": kept["customer"].to_list(),
        "name": _texts(kept["name"], kept["customer_id"]),
        "quadrant": "".join(_letters(kept["quadrant"])),
        "channel": _coded(kept["channel"]),
        "hours": kept["hours"].cast(pl.Float64).round(2).to_list(),
        "family": kept["family_number"].to_list(),
        "product": kept["product"].to_list(),
        "expected": _whole(kept["expected"]),
        "low": _whole(kept["low"]),
        "high": _whole(kept["high"]),
        "order": kept["order"].to_list(),
        "whyJa": kept["why_ja"].fill_null("").to_list(),
        "whyEn": kept["why_en"].fill_null("").to_list(),
    }


def _numbers(keys: pl.Series, name: str) -> pl.DataFrame:
    return pl.DataFrame({"key": keys.cast(pl.String), name: pl.Series(range(keys.len()), dtype=pl.Int64)})


def _texts(names: pl.Series, instead: pl.Series) -> list[str]:
    """Names, or the code where there is none."""
    return [name or str(code) for name, code in zip(names, instead, strict=True)]


def _letters(quadrants: pl.Series) -> Sequence[str]:
    return [value if value in ("A", "B", "C", "D") else "?" for value in quadrants]


def _coded(values: pl.Series) -> Columns:
    """Few distinct texts as a list of them and a number a row; −1 is none."""
    distinct = sorted({str(value) for value in values if value is not None})
    place = {value: number for number, value in enumerate(distinct)}
    return {"of": distinct, "at": [-1 if value is None else place[str(value)] for value in values]}


def _whole(values: pl.Series) -> list[int | None]:
    whole: list[int | None] = values.cast(pl.Float64).fill_nan(None).round(0).cast(pl.Int64).to_list()
    return whole


def _money(values: pl.Series) -> list[float | int | None]:
    return _trimmed(values.cast(pl.Float64).fill_nan(None).round(2))


def _trimmed(values: pl.Series) -> list[float | int | None]:
    """Whole numbers without their `.0`, which would double the bytes."""
    return [None if value is None else int(value) if value == int(value) else value for value in values]


def _significant(values: pl.Series) -> list[float | None]:
    return [None if value is None else float(f"{value:.4g}") for value in values.cast(pl.Float64).fill_nan(None)]


def _days(values: pl.Series) -> list[int | None]:
    """Days since 1970-01-01."""
    days: list[int | None] = values.cast(pl.Date).to_physical().to_list()
    return days
