"""The customer map (LWP): the complete List, What and Pace tags, and A–D on potential × track record.

List: every customer of every division, those without orders as well. What: how much room there is. Pace: how often they
order. Visits are a third mark. Computed tags and those set by a person stand side by side; an override with its reason
counts before tags, tags before what was computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from nobishiro.contracts.results import RESULTS, Thresholds
from nobishiro.contracts.tables import QUADRANTS
from nobishiro.engine.settings import MapSettings
from nobishiro.engine.understand.thresholds import Bend, find_bend

_HIGH: Final = ("large", "high", "often", "大", "高", "多", "◎")
_LOW: Final = ("small", "low", "seldom", "小", "低", "少", "△")
_WINDOW: Final = 365


@dataclass(frozen=True, slots=True)
class CustomerMap:
    """The map and the thresholds it was cut with."""

    positions: pl.DataFrame
    """Columns of RESULTS["positions"], one row a customer of the List."""
    thresholds: Thresholds


def list_customers(customers: pl.DataFrame, features: pl.DataFrame, also: pl.DataFrame | None = None) -> pl.DataFrame:
    """The complete List: (customer_id, name, state as given) of every code that any table names, sorted by code.

    `also` is a frame with `customer_id` of codes seen elsewhere (deals, touches, assignments). A code without a master
    row is called by its code.
    """
    codes = [features.select("customer_id")]
    if also is not None:
        codes.append(also.select("customer_id").drop_nulls())
    if not customers.is_empty():
        codes.append(customers.select("customer_id"))
    listed = pl.concat(codes, how="vertical_relaxed").unique().sort("customer_id")
    if customers.is_empty():
        return listed.with_columns(_code_text().alias("name"), pl.lit(None, pl.String).alias("state"))
    known = customers.select("customer_id", "name", "state").unique("customer_id", keep="first", maintain_order=True)
    joined = listed.join(known, on="customer_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(pl.col("name"), _code_text()).alias("name"))


def build_map(
    customers: pl.DataFrame,
    features: pl.DataFrame,
    potential: pl.DataFrame,
    *,
    tags: pl.DataFrame,
    overrides: pl.DataFrame,
    assignments: pl.DataFrame,
    deals: pl.DataFrame,
    as_of: date,
    has_amounts: bool = True,
    settings: MapSettings = MapSettings(),  # noqa: B008 - frozen
) -> CustomerMap:
    """Positions of every customer and the thresholds, from the tables named as in `contracts`.

    `features` and `potential` have the columns of the results customer_features and customer_potential; either may be
    empty. Without amounts the track record counts orders. Without any amounts and orders the quadrant comes from
    tags alone, and customers without tags stay where nothing is known (`quadrant` null).
    """
    listed = list_customers(
        customers, features, pl.concat([deals.select("customer_id"), assignments.select("customer_id")])
    )
    record = pl.col("amount_12m") if has_amounts else pl.col("orders_12m").cast(pl.Float64)
    rows = (
        listed.join(
            features.select(
                "customer_id",
                record.fill_null(0.0).alias("track_record"),
                pl.col("orders_12m").fill_null(0),
                "orders",
                "recency_days",
                "visits_12m",
                "touch_hours_12m",
                "last_touch_day",
            ),
            on="customer_id",
            how="left",
            maintain_order="left",
        )
        .join(
            potential.select("customer_id", "potential", "low", "high", pl.col("basis").alias("potential_basis")),
            on="customer_id",
            how="left",
            maintain_order="left",
        )
        .join(_main_assignment(assignments, as_of), on="customer_id", how="left", maintain_order="left")
        .join(_tag_columns(tags), on="customer_id", how="left", maintain_order="left")
        .join(_quadrant_overrides(overrides), on="customer_id", how="left", maintain_order="left")
        .join(_lost(deals), on="customer_id", how="left", maintain_order="left")
        .join(_amount_overrides(overrides), on="customer_id", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("_record_said", pl.col("track_record").fill_null(0.0)).alias("track_record"),
            pl.coalesce("_room_said", "potential").alias("potential"),
            *(pl.when(pl.col("_room_said").is_null()).then(pl.col(name)).alias(name) for name in ("low", "high")),
            pl.when(pl.col("_room_said").is_not_null())
            .then(pl.lit("told"))
            .otherwise(pl.col("potential_basis"))
            .fill_null("unknown")
            .alias("potential_basis"),
            pl.col("orders_12m").fill_null(0),
        )
    )
    thresholds, pace_bend = _thresholds(rows, settings, has_amounts)
    return CustomerMap(_place(rows, thresholds, pace_bend), thresholds)


def _code_text() -> pl.Expr:
    return pl.col("customer_id").cast(pl.String)


def _thresholds(rows: pl.DataFrame, settings: MapSettings, has_amounts: bool) -> tuple[Thresholds, Bend]:
    record = find_bend(rows["track_record"])
    room = find_bend(rows["potential"])
    pace = find_bend(rows["orders_12m"].cast(pl.Float64))
    record_at = settings.track_record_threshold if settings.track_record_threshold is not None else record.value
    room_at = settings.potential_threshold if settings.potential_threshold is not None else room.value
    drawn = (settings.track_record_threshold is not None, settings.potential_threshold is not None)
    record_ja, record_en = ("実績", "track record") if has_amounts else ("受注回数", "number of orders")
    by_hand_ja, by_hand_en = "{}の線は人が決めました。", "The line of {} was set by a person."
    why_ja = [
        by_hand_ja.format(record_ja) if drawn[0] else record.in_words_ja(record_ja),
        by_hand_ja.format("拡大余地") if drawn[1] else room.in_words_ja("拡大余地"),
    ]
    why_en = [
        by_hand_en.format(record_en) if drawn[0] else record.in_words_en(record_en),
        by_hand_en.format("potential") if drawn[1] else room.in_words_en("potential"),
    ]
    return (
        Thresholds(
            potential=room_at,
            track_record=record_at,
            why_ja="".join(why_ja),
            why_en=" ".join(why_en),
            set_by="person" if any(drawn) else "computed",
        ),
        pace,
    )


def _place(rows: pl.DataFrame, thresholds: Thresholds, pace: Bend) -> pl.DataFrame:
    what = (
        pl.when(pl.col("potential").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("potential") >= thresholds.potential)
        .then(pl.lit("large"))
        .otherwise(pl.lit("small"))
    )
    ordering = (
        pl.when(pl.col("orders_12m") <= 0)
        .then(pl.lit("none"))
        .when(pl.col("orders_12m").cast(pl.Float64) >= pace.value)
        .then(pl.lit("high"))
        .otherwise(pl.lit("low"))
    )
    visits = (
        pl.when(pl.col("visits_12m").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("visits_12m") <= 0)
        .then(pl.lit("none"))
        .when(pl.col("visits_12m") >= 6)
        .then(pl.lit("often"))
        .otherwise(pl.lit("seldom"))
    )
    big_record = pl.col("track_record") >= thresholds.track_record
    tagged_room, tagged_record = _tag_side("what_set"), _tag_side("pace_set")
    computed_room = pl.when(pl.col("potential").is_not_null()).then(pl.col("potential") >= thresholds.potential)
    state = (
        pl.when(pl.col("orders_12m") > 0)
        .then(pl.lit("active"))
        .when(pl.col("orders").fill_null(0) > 0)
        .then(pl.lit("dormant"))
        .when(pl.col("was_lost").fill_null(False))
        .then(pl.lit("lost"))
        .otherwise(pl.lit("prospect"))
    )
    placed = rows.with_columns(
        pl.coalesce(pl.col("state"), state).alias("state"),
        what.alias("what_computed"),
        ordering.alias("pace_computed"),
        visits.alias("visits_computed"),
        _quadrant(computed_room, big_record).alias("quadrant_computed"),
        _quadrant(pl.coalesce(tagged_room, computed_room), pl.coalesce(tagged_record, big_record)).alias("_tagged"),
        (tagged_room.is_not_null() | tagged_record.is_not_null()).alias("_has_tags"),
    )
    return placed.with_columns(
        pl.coalesce(pl.col("_override"), pl.col("_tagged")).alias("quadrant"),
        pl.when(pl.col("_override").is_not_null())
        .then(pl.lit("override"))
        .when(pl.col("_tagged").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("_has_tags"))
        .then(pl.lit("tags"))
        .otherwise(pl.lit("computed"))
        .alias("decided_by"),
    ).select(RESULTS["positions"].column_names)


def _quadrant(room: pl.Expr, record: pl.Expr) -> pl.Expr:
    return (
        pl.when(room & record)
        .then(pl.lit("A"))
        .when(room & ~record)
        .then(pl.lit("B"))
        .when(~room & record)
        .then(pl.lit("C"))
        .when(~room & ~record)
        .then(pl.lit("D"))
    )


def _tag_side(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_in(_HIGH)).then(True).when(pl.col(column).is_in(_LOW)).then(False)


def _main_assignment(assignments: pl.DataFrame, as_of: date) -> pl.DataFrame:
    last = as_of - timedelta(days=1)
    held = assignments.filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= last),
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= last),
    )
    return (
        held.with_columns((pl.col("role") != "main").alias("_second"))
        .sort("_second", "division_id", "rep_id")
        .unique("customer_id", keep="first", maintain_order=True)
        .select("customer_id", "rep_id", "division_id")
    )


def _tag_columns(tags: pl.DataFrame) -> pl.DataFrame:
    latest = tags.unique(["customer_id", "tag"], keep="last", maintain_order=True)
    names = {"what": "what_set", "pace": "pace_set"}
    frame = latest.select("customer_id").unique(maintain_order=True)
    for tag, column in names.items():
        side = latest.filter(pl.col("tag") == tag).select("customer_id", pl.col("value").alias(column))
        frame = frame.join(side, on="customer_id", how="left", maintain_order="left")
    return frame


def _quadrant_overrides(overrides: pl.DataFrame) -> pl.DataFrame:
    return (
        overrides.filter(pl.col("measure") == "quadrant", pl.col("value").is_in(QUADRANTS))
        .unique("customer_id", keep="last", maintain_order=True)
        .select("customer_id", pl.col("value").alias("_override"), "reason")
    )


def _amount_overrides(overrides: pl.DataFrame) -> pl.DataFrame:
    """Yen that a person set over the computed potential or track record."""
    latest = overrides.unique(["customer_id", "measure"], keep="last", maintain_order=True)
    frame = latest.select("customer_id").unique(maintain_order=True)
    for measure, column in (("potential", "_room_said"), ("track_record", "_record_said")):
        said = latest.filter(pl.col("measure") == measure).select(
            "customer_id", pl.col("value").str.replace_all(",", "").cast(pl.Float64, strict=False).alias(column)
        )
        frame = frame.join(said, on="customer_id", how="left", maintain_order="left")
    return frame


def _lost(deals: pl.DataFrame) -> pl.DataFrame:
    lost = deals.filter(pl.col("outcome") == "lost").select("customer_id").unique()
    return lost.with_columns(pl.lit(True).alias("was_lost"))
