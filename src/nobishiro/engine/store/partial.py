"""Rows that say only some of a table's columns: completed with what stands, so that the rest is not emptied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import polars as pl

from nobishiro.contracts.errors import UnknownName
from nobishiro.contracts.tables import Table


@dataclass(frozen=True, slots=True)
class Partial:
    """What rows to write say, and what they leave as it stands."""

    given: frozenset[str]
    """Columns the rows speak of; in the others what stands stays."""
    fills_gaps: bool
    """Only cells that stand empty are filled; what stands stays, in every column."""

    @classmethod
    def of(cls, table: Table, given: Collection[str] | None, fills_gaps: bool) -> Self | None:
        """The description of such rows; None when they say everything. `UnknownName` for a column there is not."""
        unknown = sorted(set(given or ()) - set(table.column_names))
        if unknown:
            raise UnknownName(
                f"{table.name} has no column {', '.join(unknown)}; it has {', '.join(table.column_names)}"
            )
        if not fills_gaps and (given is None or set(table.column_names) <= {*given, *table.key}):
            return None
        return cls(frozenset(table.column_names if given is None else given), fills_gaps)


def complete_rows(table: Table, incoming: pl.DataFrame, standing: pl.DataFrame, partial: Partial) -> pl.DataFrame:
    """`incoming` (declared columns, each key once) as it is to be written over `standing`, rows in the same order.

    A key that is not in `standing` (each key once) comes as it is.
    """
    if standing.is_empty():
        return incoming
    key = list(table.key)
    known = standing.select(*key, *(pl.col(n).alias(f"{n}__known") for n in table.column_names if n not in key))
    joined = incoming.join(
        known.with_columns(pl.lit(True).alias("__stands")), on=key, how="left", maintain_order="left"
    )
    return joined.select(_written(name, name in key, partial) for name in table.column_names)


def _written(name: str, is_key: bool, partial: Partial) -> pl.Expr:
    if is_key:
        return pl.col(name)
    if partial.fills_gaps:
        return pl.coalesce(pl.col(f"{name}__known"), pl.col(name)).alias(name)
    if name in partial.given:
        return pl.col(name)
    return pl.when(pl.col("__stands")).then(pl.col(f"{name}__known")).otherwise(pl.col(name)).alias(name)
