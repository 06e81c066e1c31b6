"""How canonical columns lie in memory and on disk: the one place that turns a `ColumnType` into a dtype."""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa

from nobishiro.contracts.errors import BadInput, UnknownName
from nobishiro.contracts.tables import IMPORT_ID, Column, ColumnType, Table

_POLARS: Final[dict[ColumnType, pl.DataType]] = {
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
_ARROW: Final[dict[ColumnType, pa.DataType]] = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.QUANTITY: pa.decimal128(18, 3),
    ColumnType.MONEY: pa.decimal128(18, 2),
    ColumnType.RATE: pa.float64(),
    ColumnType.SCORE: pa.float64(),
    ColumnType.FLAG: pa.bool_(),
    ColumnType.DAY: pa.date32(),
    ColumnType.MOMENT: pa.timestamp("us"),
}


def polars_type(column_type: ColumnType) -> pl.DataType:
    """The Polars dtype of a column type."""
    return _POLARS[column_type]


def polars_schema(table: Table) -> pl.Schema:
    """Declared columns in order with their Polars dtypes, without the store's own `import_id`."""
    return pl.Schema({column.name: _POLARS[column.type] for column in table.columns})


def stored_schema(table: Table) -> pl.Schema:
    """`polars_schema` and `import_id` as the last column: what lies on disk and what `Store.scan` yields."""
    return pl.Schema({**polars_schema(table), IMPORT_ID: pl.String()})


def arrow_schema(table: Table) -> pa.Schema:
    """Declared columns in order with their Arrow types, without `import_id`."""
    return pa.schema([pa.field(column.name, _ARROW[column.type]) for column in table.columns])


def conform(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with exactly the declared columns in order and of the declared types.

    Missing columns become null; `import_id` is dropped, the store sets its own. Numbers may be widened or narrowed as
    long as every value fits, a date may become a moment at midnight; nothing else is converted: codes are text and a
    number would have lost its leading zeros. Raises `UnknownName` for a column the table does not have and `BadInput`
    for a type that does not fit, a value that does not fit, or an empty key column.
    """
    names = table.column_names
    unknown = [name for name in frame.columns if name not in names and name != IMPORT_ID]
    if unknown:
        raise UnknownName(f"{table.name} has no column {', '.join(unknown)}; it has {', '.join(names)}")
    series = [_conform_column(table, column, frame) for column in table.columns]
    return pl.DataFrame(series)


def conform_keys(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The key columns of `frame`, distinct and of the declared types; the same errors as `conform`."""
    missing = [name for name in table.key if name not in frame.columns]
    if missing:
        raise BadInput(f"{table.name}: key column {', '.join(missing)} is missing; the key is {', '.join(table.key)}")
    series = [_conform_column(table, table.column(name), frame) for name in table.key]
    return pl.DataFrame(series).unique(maintain_order=True)


def check_keys(table: Table, frame: pl.DataFrame) -> None:
    """Pass when no key occurs twice in `frame`; `BadInput` naming the first that does."""
    keys = frame.select(table.key)
    if keys.unique().height == keys.height:
        return
    doubled = keys.filter(keys.is_duplicated()).row(0)
    shown = ", ".join(f"{name}={value!r}" for name, value in zip(table.key, doubled, strict=True))
    raise BadInput(f"{table.name}: key {shown} occurs more than once in the rows to write; keep one row of each key")


def _conform_column(table: Table, column: Column, frame: pl.DataFrame) -> pl.Series:
    wanted = _POLARS[column.type]
    if column.name not in frame.columns:
        series = pl.Series(column.name, [None], dtype=wanted).new_from_index(0, frame.height)
    else:
        series = _cast(table, column, frame[column.name], wanted)
    if column.name in table.key and series.null_count():
        row = series.is_null().arg_max()
        raise BadInput(f"{table.name} row {row}: key column {column.name} is empty; every row needs one")
    return series


def _cast(table: Table, column: Column, series: pl.Series, wanted: pl.DataType) -> pl.Series:
    found = series.dtype
    if found == wanted:
        return series
    if not _may_cast(column.type, found):
        raise BadInput(
            f"{table.name}.{column.name}: {found} does not fit {column.type} ({wanted}); convert the column first"
        )
    try:
        return series.cast(wanted, strict=True)
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"{table.name}.{column.name}: a value does not fit {wanted}: {error}") from error


def _may_cast(column_type: ColumnType, found: pl.DataType) -> bool:
    if isinstance(found, pl.Null):
        return True
    match column_type:
        case ColumnType.TEXT:
            return isinstance(found, (pl.Categorical, pl.Enum))
        case ColumnType.INTEGER:
            return found.is_integer()
        case ColumnType.QUANTITY | ColumnType.MONEY | ColumnType.RATE | ColumnType.SCORE:
            return found.is_numeric()
        case ColumnType.MOMENT:
            return isinstance(found, pl.Date) or (isinstance(found, pl.Datetime) and found.time_zone is None)
        case _:
            return False
