from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from nobishiro.contracts.errors import BadInput, FileNotUsable, MissingCapability, UnknownName
from nobishiro.engine.intake.sources import ReadOptions, read_source


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "sales.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE orders (code TEXT, amount INTEGER, rate REAL, mixed);"
        "INSERT INTO orders VALUES ('001', 10, 0.5, 1), ('002', NULL, 1, 'x'), ('003', 30, NULL, NULL);"
        "CREATE TABLE customers (code TEXT);"
    )
    connection.commit()
    connection.close()
    return path


def test_a_query_on_sqlite_keeps_types_and_leading_zeros(sqlite_file: Path) -> None:
    table = read_source(f"sqlite:///{sqlite_file}", ReadOptions(query="SELECT * FROM orders ORDER BY code;"))
    assert table.frame.schema == {"code": pl.String, "amount": pl.Int64, "rate": pl.Float64, "mixed": pl.String}
    assert table.frame.rows() == [("001", 10, 0.5, "1"), ("002", None, 1.0, "x"), ("003", 30, None, None)]
    assert table.lines.to_list() == [1, 2, 3]
    assert table.guess.kind == "database"


def test_a_tables_name_is_query_enough_and_a_sqlite_file_needs_no_url(sqlite_file: Path) -> None:
    assert read_source(sqlite_file, ReadOptions(query="orders")).frame.height == 3
    with pytest.raises(UnknownName, match="it has: customers, orders"):
        read_source(sqlite_file)
    with pytest.raises(UnknownName, match='no table "order"'):
        read_source(sqlite_file, ReadOptions(query="order"))


def test_duckdb_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sales.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT '001' AS code, DATE '2025-04-01' AS day, 1.50::DECIMAL(18,2) AS amount"
        )
    for source in (f"duckdb:///{path}", path):
        table = read_source(source)
        assert table.frame["code"].to_list() == ["001"]
        assert table.frame.schema["day"] == pl.Date


@pytest.mark.parametrize("query", ["DELETE FROM orders", "DROP TABLE orders", "INSERT INTO orders VALUES ('9',9,9,9)"])
def test_a_database_is_never_written(sqlite_file: Path, query: str) -> None:
    with pytest.raises(BadInput):
        read_source(f"sqlite:///{sqlite_file}", ReadOptions(query=query))
    assert read_source(sqlite_file, ReadOptions(query="orders")).frame.height == 3


def test_a_failing_query_a_missing_file_and_an_unknown_kind_are_named(sqlite_file: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the query failed"):
        read_source(f"sqlite:///{sqlite_file}", ReadOptions(query="SELECT nothing FROM orders"))
    with pytest.raises(FileNotUsable, match="does not exist"):
        read_source(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(FileNotUsable, match="names no file"):
        read_source("sqlite://")
    with pytest.raises(UnknownName, match="oracle"):
        read_source("oracle://host/db")


def test_postgresql_without_its_extra_says_what_to_install_and_hides_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingCapability, match="warehouse") as caught:
        read_source("postgresql://reader:hunter2@host/sales", ReadOptions(query="orders"))
    assert "hunter2" not in str(caught.value)


def test_text_that_is_not_utf8_in_the_database_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (name TEXT)")
    connection.execute("INSERT INTO orders VALUES (CAST(x'8CDA' AS TEXT))")  # 顧 in CP932
    connection.commit()
    connection.close()
    with pytest.raises(BadInput, match="the query failed"):
        read_source(path)
