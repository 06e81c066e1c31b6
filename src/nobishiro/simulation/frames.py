"""Arrays to canonical frames: every declared column in order, of its declared type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from nobishiro.contracts.tables import TABLES, ColumnType, Table

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Values = pl.Series | Sequence[object] | npt.NDArray[np.generic] | str | float | bool | None

_TYPES: Final[Mapping[ColumnType, pl.DataType]] = {
    ColumnType.TEXT: pl.String(),
    ColumnType.INTEGER: pl.Int64(),
    ColumnType.QUANTITY: pl.Decimal(18, 3),
    ColumnType.MONEY: pl.Decimal(18, 2),
    ColumnType.RATE: pl.Float64(),
    ColumnType.SCORE: pl.Float64(),
    ColumnType.FLAG: pl.Boolean(),
    ColumnType.DAY: pl.Date(),
    ColumnType.MOMENT: pl.Datetime("us"),
}
"""The same types as the store's; repeated because a simulation knows the contracts and nothing of the engine."""

EPOCH: Final = date(1970, 1, 1)


def schema_of(table: Table) -> pl.Schema:
    """Declared columns of a canonical table with their Polars types."""
    return pl.Schema({column.name: _TYPES[column.type] for column in table.columns})


def canonical(name: str, rows: int, columns: Mapping[str, Values]) -> pl.DataFrame:
    """`rows` rows of the canonical table `name`; columns that are not given are null, a single value is repeated.

    Numbers of days since 1970-01-01 become dates, numbers become money. Raises KeyError for an undeclared column.
    """
    table = TABLES[name]
    for given in columns:
        table.column(given)
    return pl.DataFrame(
        [_series(column.name, columns.get(column.name), _TYPES[column.type], rows) for column in table.columns]
    )


def truth(columns: Mapping[str, Values], types: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """A truth table with exactly the columns of `types`."""
    sized = [_length(value) for value in columns.values() if _length(value) is not None]
    rows = sized[0] if sized and sized[0] is not None else 0
    return pl.DataFrame([_series(name, columns[name], _instance(kind), rows) for name, kind in types.items()])


def codes(prefix: str, numbers: Int64 | Int32, width: int) -> pl.Series:
    """Codes such as `C00012`; twelve characters at most stay inside a string view and cost no more memory."""
    return pl.select(pl.lit(prefix) + pl.lit(pl.Series(numbers)).cast(pl.String).str.zfill(width)).to_series()


def pick(texts: Sequence[str] | pl.Series, at: npt.NDArray[np.integer]) -> pl.Series:
    """`texts` by position; a position of −1 is null."""
    known = texts if isinstance(texts, pl.Series) else pl.Series(list(texts), dtype=pl.String)
    places = pl.Series(np.asarray(at, np.int64))
    return known.gather(pl.select(pl.when(places >= 0).then(places)).to_series())


def days(numbers: npt.NDArray[np.integer]) -> pl.Series:
    """Dates from days since 1970-01-01; a negative number is null."""
    series = pl.Series(np.asarray(numbers, np.int32))
    return pl.select(pl.when(series >= 0).then(series).cast(pl.Date)).to_series()


def moments(numbers: npt.NDArray[np.integer], minutes: npt.NDArray[np.integer]) -> pl.Series:
    """Timestamps from days since 1970-01-01 and minutes after midnight; a negative day is null."""
    day = np.asarray(numbers, np.int64)
    micro = pl.Series((day * 1440 + np.asarray(minutes, np.int64)) * 60_000_000)
    return pl.select(pl.when(pl.Series(day) >= 0).then(micro).cast(pl.Datetime("us"))).to_series()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def _instance(kind: pl.DataType | type[pl.DataType]) -> pl.DataType:
    return kind() if isinstance(kind, type) else kind


def _length(value: Values) -> int | None:
    return None if value is None or isinstance(value, str | float | bool | int) else len(value)


def _series(name: str, value: Values, kind: pl.DataType, rows: int) -> pl.Series:
    if _length(value) is None:
        return pl.Series(name, [value], dtype=kind if value is None else None).cast(kind).new_from_index(0, rows)
    if isinstance(value, pl.Series):
        series = value.rename(name)
    elif isinstance(value, np.ndarray):
        series = pl.Series(name, value)
    else:
        return pl.Series(name, list(value), dtype=kind, strict=False)  # type: ignore[arg-type]
    return series if series.dtype == kind else series.cast(kind)
