"""Brings an older workspace layout up to date, table by table; the marker's replacement afterwards is the one step."""

from __future__ import annotations

import shutil

import msgspec
import polars as pl

from nobishiro.contracts.errors import StoreError
from nobishiro.contracts.tables import IMPORT_ID, TABLES, Table
from nobishiro.engine.store import delta
from nobishiro.engine.store.changes import Prepared
from nobishiro.engine.store.commits import CommitLog, TableChange
from nobishiro.engine.store.layout import Layout, Staging
from nobishiro.engine.store.parquet import file_slices, write_rows
from nobishiro.engine.store.publication import Heading, publish
from nobishiro.engine.store.types import stored_schema


class _LogZero(msgspec.Struct, frozen=True):
    """Version 0: one file `log.json` that names each table's Delta version, and no list of files."""

    tables: dict[str, int]


def upgrade_layout(layout: Layout, found: int) -> None:
    """Upgrade from layout `found`; call with the writer lock held. May be cut short and run again."""
    if found != 0:
        raise StoreError(f"{layout.path}: there is no upgrade from layout {found}; restore a backup of another version")
    _from_zero(layout)


def _from_zero(layout: Layout) -> None:
    try:
        log = msgspec.json.decode((layout.path / "log.json").read_bytes(), type=_LogZero)
    except (FileNotFoundError, msgspec.MsgspecError) as error:
        raise StoreError(f"{layout.path}/log.json: cannot be read ({error}); restore it from a backup") from error
    # An upgrade that was cut short may have got as far as its commit; version 0 had none, so they can go.
    shutil.rmtree(layout.commits, ignore_errors=True)
    layout.make_directories()
    staging = Staging(layout)
    try:
        prepared = [_table_from_zero(layout, staging, TABLES[name], version) for name, version in log.tables.items()]
        publish(layout, CommitLog(layout), None, Heading("upgrade", "upgrade-from-0"), prepared)
    finally:
        staging.close()


def _table_from_zero(layout: Layout, staging: Staging, table: Table, version: int) -> Prepared:
    # Version 0 had whatever types the source had: every file is written anew with the declared ones.
    directory = layout.table(table.name)
    files, fresh = [], []
    for name in delta.live_files(directory, version):
        old = pl.read_parquet(directory / name)
        rows = old.select(
            (pl.col(column) if column in old.columns else pl.lit("before-upgrade" if column == IMPORT_ID else None))
            .cast(dtype)
            .alias(column)
            for column, dtype in stored_schema(table).items()
        )
        for offset, length in file_slices(rows.height):
            path = staging.new_path(table.name)
            files.append(write_rows(table, rows.slice(offset, length), staging.path, path.name))
            fresh.append(path)
    return Prepared(table, tuple(files), tuple(fresh), (), TableChange(table.name))
