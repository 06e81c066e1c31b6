"""Keeps each table's Delta log saying what the commit log says. The only module that knows `deltalake`."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction

from nobishiro.contracts.tables import IMPORT_ID, Table
from nobishiro.engine.store.commits import FileEntry
from nobishiro.engine.store.disk import sync_directory, sync_file
from nobishiro.engine.store.types import arrow_schema


def publish_files(directory: Path, table: Table, entries: tuple[FileEntry, ...], rows_change: bool) -> int:
    """Make `entries` the live files of the Delta table and return its new version; call with the writer lock held.

    Only the difference to what the Delta log says now is written. That is also what repairs a log in which a killed
    process left versions that were never published: whatever they added is taken out here, never built upon. A table
    that does not exist is made. `rows_change` is False for a compaction.
    """
    schema = arrow_schema(table).append(pa.field(IMPORT_ID, pa.string()))
    if DeltaTable.is_deltatable(str(directory)):
        delta = DeltaTable(str(directory))
        _add_columns(delta, schema)
    else:
        delta = DeltaTable.create(str(directory), schema, name=table.name)
    live = {uri.rsplit("/", 1)[-1] for uri in delta.file_uris()}
    wanted = {entry.name: entry for entry in entries}
    actions: list[AddAction | RemoveAction] = [
        _add(directory, entry, rows_change) for name, entry in wanted.items() if name not in live
    ]
    now = int(time.time() * 1000)
    actions += [RemoveAction(name, rows_change, now) for name in sorted(live - wanted.keys())]
    if actions:
        delta.create_write_transaction(actions, "append", delta.schema())
    _sync_log(directory)
    return DeltaTable(str(directory)).version()


def live_files(directory: Path, version: int) -> list[str]:
    """File names the Delta log lists at `version`, sorted."""
    delta = DeltaTable(str(directory), version=version)
    return sorted(uri.rsplit("/", 1)[-1] for uri in delta.file_uris())


def _add(directory: Path, entry: FileEntry, rows_change: bool) -> AddAction:
    statistics = msgspec.json.encode({"numRecords": entry.rows}).decode()
    modified = int((directory / entry.name).stat().st_mtime * 1000)
    return AddAction(entry.name, entry.bytes, {}, modified, rows_change, statistics)


def _add_columns(delta: DeltaTable, schema: pa.Schema) -> None:
    known = {field.name for field in delta.schema().fields}
    missing = [field for field in schema if field.name not in known]
    if missing:
        delta.alter.add_columns(list(Schema.from_arrow(pa.schema(missing)).fields))


def _sync_log(directory: Path) -> None:
    log = directory / "_delta_log"
    newest = max((path for path in log.iterdir() if path.suffix == ".json"), default=None)
    if newest is not None:
        sync_file(newest)
    sync_directory(log)
