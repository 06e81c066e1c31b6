"""What each customer does: one row a customer, the same from arrays, from Parquet files and from any backend.

Local lines go through the kernels (`runs`, `habits`); a backend runs the statements. Both give the reductions, and one
last step over the reductions, shared by both, makes the table.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from nobishiro.contracts.results import RESULTS
from nobishiro.engine.backends import connect
from nobishiro.engine.store.types import polars_type
from nobishiro.engine.understand.chunks import LineColumns
from nobishiro.engine.understand.reductions import YEAR_DAYS, Source, reduce_customers, rows_of, windows


def customer_features(
    source: Source,
    as_of: date,
    *,
    touches: pl.DataFrame | None = None,
    product_families: pl.DataFrame | None = None,
    customers: pl.Series | None = None,
    columns: LineColumns | None = None,
) -> pl.DataFrame:
    """One row for each customer with a net sale or a touch before `as_of` (exclusive), or named in `customers`.

    The columns are those of `RESULTS["customer_features"]`, sorted by `customer_id`, whose ids keep their type. Amounts
    are in units where the source has none in yen. `touches` has customer_id, kind, happened_at and may have minutes;
    without it the touch columns are null. `product_families` has product_id and family, one row a product; without it
    the family columns are null. `columns` names the columns of Parquet files. Years are 365 days; the opening rate of a
    customer of less than a year is per one year. Equal customers get equal quintiles: 1 + ⌊5 × (share below)⌋; a
    customer without orders gets none. Raises `LayoutUnknown`, `FileNotUsable`, and `BadInput` for a product in two
    families or a `Sales` of another day.
    """
    reductions = reduce_customers(source, as_of, product_families, columns)
    frame = _with_touches(_everyone(reductions.habits, touches, customers, as_of), touches, as_of)
    frame = frame.join(reductions.gaps, on="customer_id", how="left")
    frame = _with_families(frame, reductions.families, as_of)
    frame = _with_scores(_with_paces(frame, as_of))
    declared = RESULTS["customer_features"].columns
    frame = frame.select(
        pl.col(c.name) if c.name == "customer_id" else pl.col(c.name).cast(polars_type(c.type)) for c in declared
    )
    return frame if frame["customer_id"].is_sorted() else frame.sort("customer_id")


def customer_families(
    source: Source, as_of: date, product_families: pl.DataFrame, *, columns: LineColumns | None = None
) -> pl.DataFrame:
    """Spend of each customer in each family: customer_id, family, orders, first_day, last_day, amount, amount_12m,
    amount_prev_12m; sorted by customer and family. Only families bought before `as_of` have a row.
    """
    families = reduce_customers(source, as_of, product_families, columns).families
    assert families is not None
    return families


def _everyone(
    habits: pl.DataFrame, touches: pl.DataFrame | None, customers: pl.Series | None, as_of: date
) -> pl.DataFrame:
    kind = habits.schema["customer_id"]
    others = [habits["customer_id"]]
    if touches is not None:
        seen = touches.filter(pl.col("happened_at").cast(pl.Date) < as_of)
        others.append(seen["customer_id"].cast(kind))
    if customers is not None:
        others.append(customers.cast(kind))
    if len(others) == 1:
        frame = habits
    else:
        every = pl.concat([series.rename("customer_id") for series in others]).drop_nulls().unique()
        frame = every.to_frame().join(habits, on="customer_id", how="left")
    none = ("orders", "lines", "products", "orders_12m", "amount", "amount_12m", "amount_prev_12m")
    return frame.with_columns(pl.col(name).fill_null(0) for name in none)


def _with_touches(frame: pl.DataFrame, touches: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    if touches is None:
        return frame.with_columns(
            pl.lit(None, pl.Int64).alias("touches_12m"),
            pl.lit(None, pl.Int64).alias("visits_12m"),
            pl.lit(None, pl.Float64).alias("touch_hours_12m"),
            pl.lit(None, pl.Date).alias("last_touch_day"),
            pl.lit(None, pl.Float64).alias("touch_gap_days"),
        )
    minutes = pl.col("minutes").cast(pl.Float64) if "minutes" in touches.columns else pl.lit(None, pl.Float64)
    rows = touches.select(
        pl.col("customer_id").cast(frame.schema["customer_id"]),
        pl.col("happened_at").cast(pl.Date).alias("day"),
        pl.col("kind").cast(pl.String),
        minutes.alias("minutes"),
    )
    backend = connect()
    try:
        backend.bind("touches", rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
        paces, gaps = rows_of(backend, "customer_touches", as_of), rows_of(backend, "touch_gaps", as_of)
    finally:
        backend.close()
    gaps = gaps.select("customer_id", pl.col("median").alias("touch_gap_days"))
    return (
        frame.join(paces, on="customer_id", how="left")
        .join(gaps, on="customer_id", how="left")
        .with_columns(
            pl.col("touches_12m").fill_null(0),
            pl.col("visits_12m").fill_null(0),
            (pl.col("touch_minutes_12m").fill_null(0.0) / 60).alias("touch_hours_12m"),
        )
    )


def _with_families(frame: pl.DataFrame, families: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    if families is None:
        return frame.with_columns(
            pl.lit(None, pl.Int64).alias("families"),
            pl.lit(None, pl.String).alias("top_family"),
            pl.lit(None, pl.Float64).alias("top_family_share"),
            pl.lit(None, pl.Int64).alias("new_families_12m"),
            pl.lit(None, pl.Float64).alias("opening_rate"),
        )
    year_start, _ = windows(as_of)
    # Rows come by customer and family, so the first of equal families is the first by name.
    ever, year = pl.col("amount").arg_max(), pl.col("amount_12m").arg_max()
    summary = families.group_by("customer_id").agg(
        pl.len().alias("families"),
        (pl.col("first_day") >= year_start).sum().alias("new_families_12m"),
        pl.col("first_day").min().alias("opening_day"),
        (pl.col("first_day") == pl.col("first_day").min()).sum().alias("at_opening"),
        pl.col("family").get(ever).alias("top_ever"),
        pl.col("amount").get(ever).alias("part_ever"),
        pl.col("family").get(year).alias("top_year"),
        pl.col("amount_12m").get(year).alias("part_year"),
    )
    this_year = pl.col("amount_12m") > 0
    whole = pl.when(this_year).then("amount_12m").otherwise("amount")
    part = pl.when(this_year).then("part_year").otherwise("part_ever")
    opened = pl.col("families") - pl.when(pl.col("opening_day") == pl.col("first_day")).then("at_opening").otherwise(0)
    years = (
        pl.max_horizontal((pl.lit(as_of) - pl.col("first_day")).dt.total_days(), pl.lit(YEAR_DAYS)).cast(pl.Float64)
        / YEAR_DAYS
    )
    return frame.join(summary, on="customer_id", how="left").with_columns(
        pl.col("families").fill_null(0),
        pl.col("new_families_12m").fill_null(0),
        pl.when(this_year).then("top_year").otherwise("top_ever").alias("top_family"),
        pl.when(whole > 0).then(part / whole).alias("top_family_share"),
        pl.when(pl.col("orders") > 0).then(opened.fill_null(0) / years).alias("opening_rate"),
    )


def _with_paces(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    before, day = pl.col("amount_prev_12m"), pl.lit(as_of)
    enough = pl.col("gaps") >= 2
    frame = frame.with_columns(
        (day - pl.col("last_day")).dt.total_days().alias("recency_days"),
        (day - pl.col("first_day")).dt.total_days().alias("tenure_days"),
        pl.when(pl.col("orders") > 0).then(pl.col("amount") / pl.col("orders")).alias("mean_order"),
        pl.when(before > 0).then(pl.col("amount_12m") / before - 1).alias("trend"),
        pl.when(enough).then(pl.col("median")).alias("cycle_days"),
        pl.when(enough).then(pl.col("upper_quartile") - pl.col("lower_quartile")).alias("cycle_spread_days"),
    )
    # The due day is the whole day on or after last + cycle: half a day early would call a customer late too soon.
    frame = frame.with_columns(
        (pl.col("last_day") + pl.duration(days=pl.col("cycle_days").ceil().cast(pl.Int64))).alias("due_day")
    )
    return frame.with_columns((day - pl.col("due_day")).dt.total_days().cast(pl.Float64).alias("overdue_days"))


def _with_scores(frame: pl.DataFrame) -> pl.DataFrame:
    bought = pl.col("orders") > 0

    def quintile(values: pl.Expr) -> pl.Expr:
        counted = pl.when(bought).then(values)
        below = counted.rank("min").cast(pl.Int64) - 1
        return 1 + (5 * below) // bought.sum().cast(pl.Int64)

    # Sums of yen differ in their last digits with the order of adding: rounded, equal customers stay equal.
    return frame.with_columns(
        quintile(-pl.col("recency_days")).alias("recency_score"),
        quintile(pl.col("orders")).alias("frequency_score"),
        quintile(pl.col("amount").round(2)).alias("monetary_score"),
    )
