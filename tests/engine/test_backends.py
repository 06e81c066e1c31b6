"""Engines behind five methods."""

from __future__ import annotations

import inspect
from datetime import date

import polars as pl
import pyarrow as pa
import pytest

from nobishiro.contracts.errors import BadInput, FileNotUsable, MissingCapability, SettingsError, UnknownName
from nobishiro.contracts.protocols import Backend
from nobishiro.engine import backends
from nobishiro.engine.backends import connect, list_backends

ROWS = pa.table({"customer_id": ["a", "b"], "day": [date(2024, 1, 1), date(2024, 1, 2)]})


@pytest.fixture
def duckdb():
    backend = connect()
    yield backend
    backend.close()


def test_duckdb_is_the_default_and_holds_the_protocol(duckdb):
    assert duckdb.name == "duckdb"
    assert isinstance(duckdb, Backend)
    assert "local_files" in duckdb.capabilities
    assert "cluster" not in duckdb.capabilities


def test_backend_has_at_most_five_methods():
    for engine in (backends._DuckDB, backends._Spark):
        assert len([name for name, _ in inspect.getmembers(engine) if not name.startswith("_")]) <= 5


def test_rows_in_memory_are_readable_and_can_be_bound_again(duckdb):
    duckdb.bind("sales", ROWS)
    assert duckdb.query("SELECT customer_id FROM sales WHERE day < $d", {"d": date(2024, 1, 2)}).to_pylist() == [
        {"customer_id": "a"}
    ]
    duckdb.bind("sales", ROWS.slice(1).append_column("more", pa.array([1])))
    assert duckdb.query("SELECT customer_id, more FROM sales").to_pylist() == [{"customer_id": "b", "more": 1}]


def test_files_with_an_added_column_are_united_by_name(duckdb, tmp_path):
    one, two = tmp_path / "it's 1.parquet", tmp_path / "2.parquet"
    pl.DataFrame({"a": [1], "b": ["x"]}).write_parquet(one)
    pl.DataFrame({"c": [True], "b": ["y"], "a": [2]}).write_parquet(two)
    duckdb.bind("t", [str(one), str(two)])
    rows = duckdb.query("SELECT a, b, c FROM t").to_pylist()
    assert sorted(rows, key=lambda row: row["a"]) == [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": "y", "c": True}]
    duckdb.bind("t", ROWS)
    assert duckdb.query("SELECT customer_id FROM t").num_rows == 2
    duckdb.bind("t", [str(two)])
    assert duckdb.query("SELECT a FROM t").num_rows == 1


def test_file_that_does_not_exist_or_is_no_parquet_is_named(duckdb, tmp_path):
    with pytest.raises(FileNotUsable, match=r"sales: .*gone\.parquet does not exist"):
        duckdb.bind("sales", [str(tmp_path / "gone.parquet")])
    text = tmp_path / "text.parquet"
    text.write_text("a,b\n")
    with pytest.raises(FileNotUsable, match="not readable as Parquet"):
        duckdb.bind("sales", [str(text)])
    with pytest.raises(FileNotUsable, match="no files given"):
        duckdb.bind("sales", [])


def test_name_that_is_no_identifier_is_refused(duckdb):
    with pytest.raises(UnknownName, match="cannot name a table"):
        duckdb.bind("sales; DROP TABLE x", ROWS)


def test_statement_on_a_table_nobody_bound_says_which(duckdb):
    with pytest.raises(BadInput, match="nowhere"):
        duckdb.query("SELECT a FROM nowhere")


def test_threads_and_memory_are_bounded():
    backend = connect("duckdb://", threads=1, memory_limit="200MB")
    found = backend.query(
        "SELECT current_setting('threads') AS threads, current_setting('memory_limit') AS memory"
    ).to_pylist()
    backend.close()
    assert found[0]["threads"] == 1
    assert found[0]["memory"].startswith("190.7")  # 200 MB in MiB


def test_database_file_keeps_its_tables(tmp_path):
    import duckdb as engine

    path = tmp_path / "mine.db"
    with engine.connect(str(path)) as connection:
        connection.execute("CREATE TABLE sales AS SELECT 1 AS a")
    backend = connect(f"duckdb://{path}")
    assert backend.query("SELECT a FROM sales").to_pylist() == [{"a": 1}]
    backend.close()


def test_unknown_engine_lists_those_that_exist():
    for url in ("oracle://x", "duckdb", ""):
        with pytest.raises(UnknownName, match=r"duckdb://, spark://local\[2\]"):
            connect(url)


def test_impossible_settings_are_refused():
    with pytest.raises(SettingsError, match="threads = 0"):
        connect(threads=0)
    with pytest.raises(SettingsError, match="no_such_option"):
        connect(options={"no_such_option": "1"})


def test_spark_without_pyspark_names_the_extra(monkeypatch):
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingCapability, match=r"pip install 'nobishiro\[spark\]'"):
        connect("spark://local[2]")
    states = {state.name: state for state in list_backends()}
    assert states["duckdb"].available
    assert not states["spark"].available
    assert "pyspark" in states["spark"].why_not


def test_spark_without_java_says_so(monkeypatch):
    pytest.importorskip("pyspark", reason="the Spark extra is not installed")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingCapability, match="no Java found; install Java 17"):
        connect("spark://local[2]")
