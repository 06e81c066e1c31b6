"""Rows of a SQL query on a database: SQLite and DuckDB as they come, PostgreSQL with the `warehouse` extra."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa

from nobishiro.contracts.errors import BadInput, FileNotUsable, MissingCapability, UnknownName
from nobishiro.engine.intake.layout import unique_names
from nobishiro.engine.intake.raw import RawTable, ReadGuess, ReadOptions, no_rejected

SCHEMES: Final = ("sqlite", "duckdb", "postgresql", "postgres")
_URL: Final = re.compile(r"^(?P<scheme>[a-z][a-z0-9+]*)://", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"(://[^:/@]*):[^@]*@")
_WORD: Final = re.compile(r"^[^\s;()\"']+$")

Cell = str | int | float | bool | bytes | Decimal | date | datetime | time | None


def is_database_url(source: str) -> bool:
    """Whether `source` is a URL rather than a path; a URL of an unknown kind is one too, and is refused on reading."""
    return _URL.match(source) is not None


def read_database(url: str, options: ReadOptions) -> RawTable:
    """Rows of `options.query` (a SELECT or a table's name) with their own types; the only table when none is named.

    The database is opened for reading only. Raises `FileNotUsable`, `UnknownName`, `BadInput` for a failing query and
    `MissingCapability` when the driver is not installed.
    """
    found = _URL.match(url)
    scheme = found.group("scheme").lower() if found else ""
    shown = _PASSWORD.sub(r"\1:…@", url)
    if scheme == "sqlite":
        frame, query = _read_sqlite(_file_of(url, shown), options.query, shown)
    elif scheme == "duckdb":
        frame, query = _read_duckdb(_file_of(url, shown), options.query, shown)
    elif scheme in ("postgresql", "postgres"):
        frame, query = _read_postgresql(url, options.query, shown)
    else:
        raise UnknownName(f"{shown}: databases of this kind are not read; use sqlite:///, duckdb:/// or postgresql://")
    guess = ReadGuess("database", notes=(f"rows of: {query}",))
    lines = pl.Series("line", range(1, frame.height + 1), pl.Int64)
    return RawTable(shown, frame, lines, guess, (), no_rejected())


def _file_of(url: str, shown: str) -> Path:
    rest = url.split("://", 1)[1]
    path = Path(rest.removeprefix("/"))  # sqlite:///relative and sqlite:////absolute, as SQLAlchemy writes them
    if not rest.startswith("/") or not rest.strip("/"):
        raise FileNotUsable(
            f"{shown} names no file; write sqlite:///sales.db, with a fourth slash for an absolute path"
        )
    if not path.is_file():
        raise FileNotUsable(f"{path} does not exist or is no file; check the path in {shown}")
    return path


def _as_query(query: str | None, tables: Sequence[str], shown: str) -> str:
    if query is None:
        if len(tables) == 1:
            return f'SELECT * FROM "{tables[0]}"'
        listed = ", ".join(tables[:30]) or "none"
        raise UnknownName(f"{shown}: say which table, or give a SELECT as the query; it has: {listed}")
    text = query.strip().rstrip(";")
    if text in tables:
        return 'SELECT * FROM "' + text.replace('"', '""') + '"'
    if _WORD.match(text):
        raise UnknownName(f'{shown} has no table "{text}"; it has: {", ".join(tables[:30]) or "none"}')
    return text


def _read_sqlite(path: Path, query: str | None, shown: str) -> tuple[pl.DataFrame, str]:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
            tables = [str(row[0]) for row in rows if not str(row[0]).startswith("sqlite_")]
            statement = _as_query(query, tables, shown)
            cursor = connection.execute(statement)
            if cursor.description is None:
                raise BadInput(f"{shown}: the query returns no rows; give a SELECT")
            names = [str(column[0]) for column in cursor.description]
            return _frame(names, cursor.fetchall()), statement
        finally:
            connection.close()
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
        raise BadInput(f"{shown}: the query failed: {error}; check it against the tables of the database") from error


def _read_duckdb(path: Path, query: str | None, shown: str) -> tuple[pl.DataFrame, str]:
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()
            statement = _as_query(query, [str(row[0]) for row in rows], shown)
            found = connection.sql(statement)
            if found is None:
                raise BadInput(f"{shown}: the query returns no rows; give a SELECT")
            table: pa.Table = found.to_arrow_table()
    except duckdb.Error as error:
        raise BadInput(
            f"{shown}: the query failed: {str(error).splitlines()[0]}; check it against the database"
        ) from error
    names = unique_names([str(name) for name in table.column_names])
    frame = pl.DataFrame(pl.from_arrow(table.rename_columns(names)))
    return frame, statement


def _read_postgresql(url: str, query: str | None, shown: str) -> tuple[pl.DataFrame, str]:
    try:
        psycopg = import_module("psycopg")
    except ImportError as error:
        raise MissingCapability(
            f"{shown}: PostgreSQL needs an extra that is not installed; run: pip install 'nobishiro[warehouse]'"
        ) from error
    try:
        with psycopg.connect(url) as connection:
            connection.read_only = True
            rows = connection.execute(
                "SELECT table_name FROM information_schema.tables "
                "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
            ).fetchall()
            statement = _as_query(query, [str(row[0]) for row in rows], shown)
            cursor = connection.execute(statement)
            if cursor.description is None:
                raise BadInput(f"{shown}: the query returns no rows; give a SELECT")
            return _frame([column.name for column in cursor.description], cursor.fetchall()), statement
    except psycopg.Error as error:
        raise BadInput(f"{shown}: {str(error).splitlines()[0]}; check the address and the query") from error


def _frame(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pl.DataFrame([_series(name, list(cells)) for name, cells in zip(unique_names(names), columns, strict=True)])


def _series(name: str, cells: list[Cell]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if not kinds:
        return pl.Series(name, cells, pl.String)
    if len(kinds) == 1 and kinds <= {str, int, float, bool, Decimal, date, datetime, time}:
        try:
            return pl.Series(name, cells)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            return pl.Series(name, [None if cell is None else str(cell) for cell in cells], pl.String)
    if kinds == {int, float}:
        return pl.Series(name, [None if cell is None else float(str(cell)) for cell in cells], pl.Float64)
    return pl.Series(name, [None if cell is None else _text(cell) for cell in cells], pl.String)


def _text(cell: Cell) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
