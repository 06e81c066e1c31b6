"""The database as of one moment, copied while others go on writing."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote

from django.db import connection

from nobishiro.contracts.errors import StoreError
from nobishiro.contracts.protocols import ProgressReport
from nobishiro.pipelines.backup import DatabaseEntry, Part, TableEntry

if TYPE_CHECKING:
    from psycopg import Connection

SQLITE_FILE: Final = "people.sqlite3"
_MIGRATIONS: Final = "SELECT app, name FROM django_migrations ORDER BY app, name"


class Snapshot(Protocol):
    """One moment of the database, until `close`."""

    def begin(self) -> None:
        """From here on nothing that is committed is seen any more."""
        ...

    def copy(self, into: Path, progress: ProgressReport) -> tuple[DatabaseEntry, list[Part]]:
        """Write everything below `into`."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


def new_snapshot() -> Snapshot:
    """The one for the database in use."""
    if connection.vendor == "postgresql":
        return PostgresqlSnapshot()
    return SqliteSnapshot(Path(connection.settings_dict["NAME"]))


class SqliteSnapshot:
    """SQLite's own online backup, under a read transaction: in WAL mode writers are not held up."""

    def __init__(self, path: Path) -> None:
        self._source: Final = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, timeout=20, check_same_thread=False
        )

    def begin(self) -> None:
        """Take the moment."""
        self._source.execute("BEGIN")
        self._source.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def copy(self, into: Path, progress: ProgressReport) -> tuple[DatabaseEntry, list[Part]]:
        """One file, checked, with its tables counted and hashed."""
        into.mkdir(parents=True, exist_ok=True)
        progress("database", 0, 1)
        path = into / SQLITE_FILE
        target = sqlite3.connect(path, isolation_level=None)
        try:
            self._source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
            if (said := target.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise StoreError(f"{SQLITE_FILE}: the database is damaged ({said}); restore the last good backup")
            entry = DatabaseEntry("sqlite", _migrations(target.execute(_MIGRATIONS)), sqlite_tables(target))
        finally:
            target.close()
        progress("database", 1, 1)
        return entry, [Part(f"database/{SQLITE_FILE}", path)]

    def close(self) -> None:
        """Let go."""
        self._source.close()


def sqlite_tables(database: sqlite3.Connection) -> tuple[TableEntry, ...]:
    """Every table with its rows counted and hashed."""
    named = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    entries = []
    for (name,) in database.execute(named).fetchall():
        digest, rows = hashlib.sha256(), 0
        for row in database.execute(f'SELECT * FROM "{name}" ORDER BY rowid'):
            digest.update(repr(row).encode())
            rows += 1
        entries.append(TableEntry(name, rows, digest.hexdigest()))
    return tuple(entries)


class PostgresqlSnapshot:
    """COPY of every table in one REPEATABLE READ transaction."""

    def __init__(self) -> None:
        self._wrapper: Final = connection.copy()
        self._wrapper.ensure_connection()
        self._connection: Final[Connection] = self._wrapper.connection

    def begin(self) -> None:
        """Take the moment."""
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._connection.execute("SELECT 1")

    def copy(self, into: Path, progress: ProgressReport) -> tuple[DatabaseEntry, list[Part]]:
        """A file a table in COPY's text format, with its rows counted and hashed."""
        into.mkdir(parents=True, exist_ok=True)
        migrations = _migrations(self._connection.execute(_MIGRATIONS))
        tables, parts = [], []
        names = postgresql_tables(self._connection)
        for at, name in enumerate(names):
            progress("database", at, len(names))
            path = into / f"{name}.copy"
            tables.append(copy_table(self._connection, name, path))
            parts.append(Part(f"database/{name}.copy", path))
        progress("database", len(names), len(names))
        return DatabaseEntry("postgresql", migrations, tuple(tables)), parts

    def close(self) -> None:
        """Let go."""
        self._wrapper.close()


def postgresql_tables(database: Connection) -> list[str]:
    """Names of the tables of the current schema."""
    found = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
    return [str(row[0]) for row in found]


def copy_table(database: Connection, name: str, path: Path | None) -> TableEntry:
    """One table's rows by key into `path` (None: only counted and hashed)."""
    found = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = %s "
        "ORDER BY ordinal_position",
        [name],
    )
    columns = tuple(str(row[0]) for row in found)
    listed = ", ".join(f'"{column}"' for column in columns)
    digest, rows = hashlib.sha256(), 0
    file = path.open("wb") if path is not None else None
    try:
        with (
            database.cursor() as cursor,
            cursor.copy(f'COPY (SELECT {listed} FROM "{name}" ORDER BY 1) TO STDOUT') as stream,
        ):
            for chunk in stream:
                digest.update(chunk)
                rows += bytes(chunk).count(
                    b"\n"
                )  # text format writes a line break inside a value as \n in two characters
                if file is not None:
                    file.write(chunk)
    finally:
        if file is not None:
            file.close()
    return TableEntry(name, rows, digest.hexdigest(), columns)


def _migrations(rows: Iterable[tuple[object, ...]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(row[0]), str(row[1])) for row in rows)
