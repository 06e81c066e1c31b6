"""Bring a backup back, into an empty directory and an empty database, checked before it counts."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nobishiro.contracts.errors import FileNotUsable, NotAWorkspace, SettingsError, WorkspaceTooNew
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.pipelines.backup import DatabaseEntry, Manifest, read_manifest, unpack_archive

if TYPE_CHECKING:
    from psycopg import Connection

_WORKING: Final = ".restoring"
"""Inside the new workspace while it is not one yet; whatever is found there is of a restore that was cut short."""


def restore_backup(
    file: Path, workspace: Path, environment: Mapping[str, str] | None = None, progress: ProgressReport = no_progress
) -> Manifest:
    """Restore `file` into `workspace`, which must be empty or absent, and into its database, which must be empty.

    Every file's size and hash and every table's rows are checked before anything is put in its place; a backup of an older
    version is brought up to this one. Sets this process's environment and Django up for the new workspace: one restore a
    process. Raises `FileNotUsable`, `WorkspaceTooNew`, `NotAWorkspace` (the directory is not empty), `SettingsError` (the
    database is not empty or of another kind), `DiskFull`; then workspace and database are as empty as before.
    """
    workspace = workspace.absolute()
    manifest = read_manifest(file)
    _check_empty(workspace)
    working = workspace / _WORKING
    shutil.rmtree(working, ignore_errors=True)
    was_there = workspace.exists()
    working.mkdir(mode=0o700, parents=True)
    try:
        unpack_archive(file, working, progress)
        made = working / "store"
        made.mkdir(exist_ok=True)
        home = made / "web"
        home.mkdir(mode=0o700)
        for child in sorted((working / "site").glob("*")):
            child.rename(home / child.name)
        _restore_database(manifest.database, working / "database", made, environment or {})
        _put_in_place(made, workspace)
    except BaseException:
        shutil.rmtree(working, ignore_errors=True)
        if not was_there:
            shutil.rmtree(workspace, ignore_errors=True)
        raise
    shutil.rmtree(working, ignore_errors=True)
    return manifest


def _check_empty(workspace: Path) -> None:
    if workspace.exists() and not workspace.is_dir():
        raise NotAWorkspace(f"{workspace} is a file; name a directory")
    if workspace.exists() and any(child.name != _WORKING for child in workspace.iterdir()):
        raise NotAWorkspace(f"{workspace} is not empty; a backup is restored into an empty or a new directory")


def _restore_database(entry: DatabaseEntry | None, unpacked: Path, made: Path, environment: Mapping[str, str]) -> None:
    if entry is None:
        return
    os.environ.update(environment)
    os.environ["NOBISHIRO_WORKSPACE"] = str(made)
    os.environ["DJANGO_SETTINGS_MODULE"] = "nobishiro.web.config.settings"
    import django
    from django.db import connection, connections

    if entry.vendor == "sqlite":
        _check_sqlite(entry, unpacked / "people.sqlite3")
    django.setup()
    if connection.vendor != entry.vendor:
        raise SettingsError(
            f"the backup holds a database of {entry.vendor}, NOBISHIRO_DATABASE_URL names one of {connection.vendor}; "
            f"restore into the same kind"
        )
    _check_known(entry)
    if entry.vendor == "sqlite":
        (unpacked / "people.sqlite3").rename(connection.settings_dict["NAME"])
        _finish()
    else:
        _restore_postgresql(entry, unpacked)
    connections.close_all()


def _check_sqlite(entry: DatabaseEntry, path: Path) -> None:
    from nobishiro.web.core.backup.snapshot import sqlite_tables

    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = sqlite_tables(database)
    except sqlite3.DatabaseError as error:
        raise FileNotUsable(f"the database in the backup cannot be read ({error}); take another copy") from error
    finally:
        database.close()
    _compare(entry, {table.name: (table.rows, table.sha256) for table in found})


def _compare(entry: DatabaseEntry, found: Mapping[str, tuple[int, str]]) -> None:
    for table in entry.tables:
        if found.get(table.name) != (table.rows, table.sha256):
            raise FileNotUsable(
                f"table {table.name} of the backup does not have the {table.rows} rows its manifest says; take another copy"
            )


def _check_known(entry: DatabaseEntry) -> None:
    """Every migration the backup's database has seen must be one we know."""
    from django.db.migrations.loader import MigrationLoader

    known = MigrationLoader(None)
    names = set(known.disk_migrations) | {node for made in known.disk_migrations.values() for node in made.replaces}
    unknown = [f"{app} {name}" for app, name in entry.migrations if (app, name) not in names]
    if unknown:
        raise WorkspaceTooNew(
            f"the backup was made by a later version of Nobishiro ({unknown[0]} is not known here); install that version"
        )


def _restore_postgresql(entry: DatabaseEntry, unpacked: Path) -> None:
    """Schema as it was, rows, identities, checks; then up to this version. What was made is dropped when it fails."""
    from django.db import connection, transaction
    from django.db.migrations.executor import MigrationExecutor

    from nobishiro.web.core.backup.snapshot import copy_table, postgresql_tables

    connection.ensure_connection()
    database: Connection = connection.connection
    if postgresql_tables(database):
        raise SettingsError(
            "the database NOBISHIRO_DATABASE_URL names is not empty; make a new one and restore into that"
        )
    try:
        executor = MigrationExecutor(connection)
        whole = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
        seen = set(entry.migrations)
        executor.migrate(None, plan=[step for step in whole if (step[0].app_label, step[0].name) in seen])
        with transaction.atomic():
            there = set(postgresql_tables(database))
            for name in sorted(there):
                database.execute(f'TRUNCATE "{name}" CASCADE')
            for table in entry.tables:
                if table.name not in there:
                    raise FileNotUsable(
                        f"table {table.name} of the backup is not known to this version; take another copy"
                    )
                _fill(database, table.name, table.columns, unpacked / f"{table.name}.copy")
            _set_identities(database)
            found = {table.name: copy_table(database, table.name, None) for table in entry.tables}
            _compare(entry, {name: (table.rows, table.sha256) for name, table in found.items()})
        _finish()
    except BaseException:
        connection.close()
        connection.ensure_connection()
        for name in postgresql_tables(connection.connection):
            connection.connection.execute(f'DROP TABLE IF EXISTS "{name}" CASCADE')
        raise


def _fill(database: Connection, name: str, columns: tuple[str, ...], path: Path) -> None:
    listed = ", ".join(f'"{column}"' for column in columns)
    statement = f'COPY "{name}" ({listed}) FROM STDIN'
    with database.cursor() as cursor, cursor.copy(statement) as stream, path.open("rb") as file:
        while chunk := file.read(1 << 20):
            stream.write(chunk)


def _set_identities(database: Connection) -> None:
    """Count on behind the greatest number in use."""
    found = database.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND is_identity = 'YES'"
    ).fetchall()
    for table, column in found:
        database.execute(
            f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), "
            f'(SELECT coalesce(max("{column}"), 0) + 1 FROM "{table}"), false)'
        )


def _finish() -> None:
    """Up to this version's schema, and a word in the audit trail."""
    from django.apps import apps
    from django.core.management import call_command
    from django.utils import timezone

    from nobishiro.web.core.audit import record

    call_command("migrate", interactive=False, verbosity=0)
    company = apps.get_model("people", "CompanySettings")
    company.objects.update_or_create(pk=1, defaults={"restored_at": timezone.now()})
    record(None, "backup.restore", "", {})


def _put_in_place(made: Path, workspace: Path) -> None:
    """Everything into the workspace, the marker last: until then it is none."""
    children = sorted(made.iterdir(), key=lambda child: child.name == "nobishiro.json")
    for child in children:
        child.rename(workspace / child.name)
