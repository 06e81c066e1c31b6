"""People's corrections of imported rows: laid over them when they are read, never written into them."""

from __future__ import annotations

import polars as pl

from nobishiro.contracts.tables import ColumnType, Table
from nobishiro.engine.store.types import polars_type


def apply_corrections(table: Table, frame: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """The rows as people corrected them; the person's word wins over any later import.

    `corrections` is the canonical table; a correction of a row that is not there does nothing.
    """
    own = corrections.filter(pl.col("table_name") == table.name)
    if own.is_empty():
        return frame
    keyed = frame.with_columns(_row_key(table).alias("_row"))
    for name in own["column_name"].unique().sort():
        if name not in table.column_names or name in table.key:
            continue
        words = own.filter(pl.col("column_name") == name).select(
            pl.col("row_key").alias("_row"),
            _typed(pl.col("value"), table.column(name).type).alias("_value"),
            pl.lit(True).alias("_corrected"),
        )
        keyed = (
            keyed.join(words, on="_row", how="left", maintain_order="left")
            .with_columns(pl.when("_corrected").then(pl.col("_value")).otherwise(pl.col(name)).alias(name))
            .drop("_value", "_corrected")
        )
    return keyed.drop("_row")


def corrections_overtaken(table: Table, frame: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """Corrections whose imported value has changed since: (row_key, column_name, value, imported_value, now).

    Both are kept and the person's stands; this is the list to show.
    """
    own = corrections.filter(pl.col("table_name") == table.name)
    found = []
    keyed = frame.with_columns(_row_key(table).alias("row_key"))
    for name in own["column_name"].unique().sort():
        if name in table.column_names:
            now = keyed.select("row_key", pl.col(name).cast(pl.String).alias("now"))
            found.append(own.filter(pl.col("column_name") == name).join(now, on="row_key", how="inner"))
    columns = ["row_key", "column_name", "value", "imported_value", "now"]
    if not found:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.concat(found).filter(pl.col("now").ne_missing(pl.col("imported_value"))).select(columns)


def _row_key(table: Table) -> pl.Expr:
    return pl.concat_str([pl.col(name).cast(pl.String) for name in table.key], separator="|")


def _typed(value: pl.Expr, column_type: ColumnType) -> pl.Expr:
    text = pl.when(value == "").then(None).otherwise(value)
    if column_type is ColumnType.FLAG:
        return text.is_in(["true", "1"])
    if column_type is ColumnType.DAY:
        return text.str.to_date("%Y-%m-%d", strict=False)
    if column_type is ColumnType.MOMENT:
        return text.str.to_datetime(time_unit="us", strict=False)
    return text.cast(polars_type(column_type), strict=False)
