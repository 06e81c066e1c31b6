"""Engines that run the reductions, behind five methods: DuckDB in this process, Spark local or on a cluster.

The only file that knows an engine's name. A statement is one SELECT in the subset of DuckDB's dialect that
`docs/reference/sql-subset.md` writes down; sqlglot turns it into the engine's dialect. What an engine can do beyond
that subset it declares in `capabilities`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pyarrow as pa

from nobishiro.contracts.errors import BadInput, FileNotUsable, MissingCapability, SettingsError, UnknownName

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

    from nobishiro.contracts.protocols import Backend

LOCAL_FILES: Final = "local_files"
"""Reads Parquet files of this machine."""
SPILLS_TO_DISK: Final = "spills_to_disk"
"""Finishes reductions larger than memory."""
CLUSTER: Final = "cluster"
"""Runs on more than one machine."""

_CAPABILITIES: Final[Mapping[str, frozenset[str]]] = {
    "duckdb": frozenset({LOCAL_FILES, SPILLS_TO_DISK}),
    "spark": frozenset({LOCAL_FILES, SPILLS_TO_DISK, CLUSTER}),
}


@dataclass(frozen=True, slots=True)
class BackendState:
    """One engine as `nobishiro backends` lists it."""

    name: str
    example: str
    """A URL that `connect` takes."""
    available: bool
    capabilities: tuple[str, ...]
    why_not: str
    """What is missing and how to get it; empty when available."""


def list_backends() -> tuple[BackendState, ...]:
    """Every engine Nobishiro knows, whether it can be used here, and if not why. Starts none of them."""
    examples = {"duckdb": "duckdb://", "spark": "spark://local[2]"}
    missing = {"duckdb": "", "spark": _spark_missing()}
    return tuple(
        BackendState(name, examples[name], not missing[name], tuple(sorted(_CAPABILITIES[name])), missing[name])
        for name in _CAPABILITIES
    )


def connect(
    url: str = "duckdb://",
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Backend:
    """An open backend; close it when done.

    `duckdb://` works in memory, `duckdb:///path/file.db` on a database file. `spark://local[2]` starts a local Spark,
    `spark://host:7077` joins a cluster. `threads` and `memory_limit` (such as `4GB`) bound DuckDB and the memory of a
    Spark driver; `options` are handed to the engine as its own settings. Raises `UnknownName` for another engine,
    `MissingCapability` when its parts are not installed, `SettingsError` when the engine refuses a setting.
    """
    name, separator, rest = url.partition("://")
    if not separator or name not in _CAPABILITIES:
        known = ", ".join(state.example for state in list_backends())
        raise UnknownName(f'no backend for "{url}"; use one of {known}')
    if threads is not None and threads < 1:
        raise SettingsError(f"threads = {threads} for {url}: must be 1 or more")
    if name == "spark":
        return _Spark(rest, threads, memory_limit, options or {})
    return _DuckDB(urlsplit(url).path or rest, threads, memory_limit, options or {})


class _DuckDB:
    """DuckDB in this process."""

    def __init__(self, path: str, threads: int | None, memory_limit: str | None, options: Mapping[str, str]) -> None:
        import duckdb

        config: dict[str, str | bool | int | float | list[str]] = dict(options)
        if threads is not None:
            config["threads"] = threads
        if memory_limit is not None:
            config["memory_limit"] = memory_limit
        try:
            self._connection: duckdb.DuckDBPyConnection = duckdb.connect(path or ":memory:", config=config)
        except duckdb.Error as error:
            raise SettingsError(f"duckdb://{path}: {error}") from error

    @property
    def name(self) -> str:
        """`duckdb`."""
        return "duckdb"

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do beyond the written subset."""
        return _CAPABILITIES["duckdb"]

    def bind(self, table: str, source: Sequence[str] | pa.Table) -> None:
        """Make `table` readable: Parquet files united by column name, or rows in memory."""
        import duckdb

        name = _checked_name(table)
        if isinstance(source, pa.Table):
            rows = f"{name}__rows"
            self._connection.execute(f"DROP VIEW IF EXISTS {name}")
            self._connection.register(rows, source)
            self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {rows}")
            return
        files = ", ".join("'" + path.replace("'", "''") + "'" for path in _checked_files(table, source))
        try:
            self._connection.execute(
                f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM read_parquet([{files}], union_by_name = true)"
            )
        except duckdb.Error as error:
            raise FileNotUsable(f"{table}: {source[0]} and others are not readable as Parquet: {error}") from error

    def query(self, statement: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Rows of one SELECT; `$name` marks a parameter."""
        import duckdb

        try:
            return self._connection.sql(statement, params=dict(parameters or {})).to_arrow_table()
        except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as error:
            raise BadInput(f"duckdb cannot run the statement: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Spark:
    """Spark, local or joined; the session is shared by the process, as Spark wants it."""

    def __init__(self, master: str, threads: int | None, memory_limit: str | None, options: Mapping[str, str]) -> None:
        missing = _spark_missing()
        if missing:
            raise MissingCapability(f"spark://{master} cannot be used: {missing}")
        from pyspark.sql import SparkSession

        local = master.startswith("local")
        if local and threads is not None:
            master = f"local[{threads}]"
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.ansi.enabled": "true",
            "spark.sql.execution.arrow.pyspark.enabled": "true",
        }
        if local:
            settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        if memory_limit is not None:
            settings["spark.driver.memory"] = memory_limit.lower().removesuffix("b")
        builder = SparkSession.builder.master(master if local else f"spark://{master}").appName("nobishiro")
        for key, value in (settings | dict(options)).items():
            builder = builder.config(key, value)
        self._session: SparkSession = builder.getOrCreate()

    @property
    def name(self) -> str:
        """`spark`."""
        return "spark"

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do beyond the written subset."""
        return _CAPABILITIES["spark"]

    def bind(self, table: str, source: Sequence[str] | pa.Table) -> None:
        """Make `table` readable: Parquet files united by column name, or rows in memory."""
        name = _checked_name(table)
        if isinstance(source, pa.Table):
            frame = self._session.createDataFrame(source)
        else:
            frame = self._session.read.option("mergeSchema", "true").parquet(*_checked_files(table, source))
        frame.createOrReplaceTempView(name)

    def query(self, statement: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Rows of one SELECT written for DuckDB, run in Spark's dialect."""
        import sqlglot
        from pyspark.errors import AnalysisException, ParseException

        translated = sqlglot.transpile(statement, read="duckdb", write="spark")[0]
        try:
            return self._session.sql(translated, args=dict(parameters or {})).toArrow()
        except (AnalysisException, ParseException) as error:
            raise BadInput(f"spark cannot run the statement: {error}") from error

    def close(self) -> None:
        """Stop the session."""
        self._session.stop()


def _spark_missing() -> str:
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed; run: pip install 'nobishiro[spark]'"
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        return "no Java found; install Java 17 and put java on PATH, or set JAVA_HOME"
    return ""


def _checked_name(table: str) -> str:
    if not table.isidentifier() or not table.isascii():
        raise UnknownName(f'"{table}" cannot name a table; use letters, digits and underscores')
    return table


def _checked_files(table: str, source: Sequence[str]) -> list[str]:
    files = [str(path) for path in ([source] if isinstance(source, str) else source)]
    if not files:
        raise FileNotUsable(f"{table}: no files given; bind rows in memory for an empty table")
    for path in files:
        if "://" not in path and not os.path.exists(path):  # noqa: PTH110  (URLs of object stores are no paths)
            raise FileNotUsable(f"{table}: {path} does not exist")
    return files
