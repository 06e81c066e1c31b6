"""Keys: numbering an order's equal lines, and rows of one file that claim the same key."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from nobishiro.contracts.tables import Table
from nobishiro.engine.intake.rows import LINE, REASON


@dataclass(frozen=True, slots=True)
class KeyedRows:
    """Rows with one row a key, and those that claimed a key already taken."""

    frame: pl.DataFrame
    repeated: int
    """Rows equal in every column to one before them; kept once."""
    conflicts: pl.DataFrame
    """`_line` and `_reason` of rows whose key another row of the file holds with other values."""


def number_occurrences(lines: pl.DataFrame) -> pl.DataFrame:
    """Order lines with `occurrence` 1, 2 … among lines of the same order and product, where it is empty.

    Exact repeats are real sales: two equal lines are two lines. They are numbered by line id, time, quantity and amount
    before the place in the file, so that a file whose lines come in another order gives the same keys.
    """
    if "occurrence" in lines.columns and lines["occurrence"].null_count() == 0:
        return lines
    group = ["order_id", "product_id"]
    several = lines.select(pl.struct(group).is_duplicated()).to_series()
    numbered = lines.with_columns(pl.lit(1, pl.Int64).alias("occurrence"))
    if not several.any():
        return numbered
    by = [name for name in ("line_id", "ordered_at", "quantity", "amount", "unit_price") if name in lines.columns]
    place = (
        lines.with_row_index("_at")
        .filter(several)
        .sort(by=[*group, *by, "_at"], nulls_last=True)
        .with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(group).alias("occurrence"))
        .select("_at", "occurrence")
    )
    return numbered.with_columns(numbered["occurrence"].scatter(place["_at"], place["occurrence"]))


def settle_keys(table: Table, frame: pl.DataFrame) -> KeyedRows:
    """One row a key: equal rows are kept once, a row that contradicts an earlier one is set aside with the reason.

    `frame` has the table's columns and `_line`.
    """
    key = list(table.key)
    nothing = pl.DataFrame(schema={LINE: pl.Int64, REASON: pl.String})
    twice = frame.select(pl.struct(key).is_duplicated()).to_series() if len(key) > 1 else frame[key[0]].is_duplicated()
    if not twice.any():
        return KeyedRows(frame, 0, nothing)
    values = [name for name in frame.columns if name != LINE]
    suspects = frame.filter(twice)
    distinct = suspects.unique(subset=values, keep="first", maintain_order=True)
    first = distinct.unique(subset=key, keep="first", maintain_order=True)
    others = distinct.join(first.select(*key, pl.col(LINE).alias("_first")), on=key, how="left", nulls_equal=True)
    named = pl.concat_str([pl.col(name).cast(pl.String) for name in key], separator=" / ", ignore_nulls=True)
    conflicts = others.filter(pl.col(LINE) != pl.col("_first")).select(
        LINE,
        pl.format(
            "{}: {} stands on line {} already with other values; keep one of the two",
            pl.lit("+".join(table.column(name).ja for name in key)),
            named,
            pl.col("_first"),
        ).alias(REASON),
    )
    kept = pl.concat([frame.filter(~twice), first]).sort(LINE, maintain_order=True)
    return KeyedRows(kept, suspects.height - distinct.height, conflicts)
