"""What people entered in the web application, brought into the store before a run: the engine then reads one thing.

A person's word wins over an imported row with the same key. The imported row is not lost: the commit's record holds it,
and when the person takes the word back it counts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from nobishiro.contracts.protocols import PeopleSource
from nobishiro.contracts.tables import IMPORT_ID, TABLES
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.types import polars_schema
from nobishiro.engine.workspace import Workspace

SNAPSHOT_TABLES: Final = ("facts", "tags", "overrides", "corrections", "outcomes", "touches", "proposals")
"""Canonical tables people write to in the web application; taps become touches and proposals as well."""
PEOPLE_PREFIX: Final = "people-"
"""How the import ids of snapshots begin."""
NOTE: Final = "people"


class PeopleTables(PeopleSource, Protocol):
    """A `PeopleSource` that also knows which imported rows people took back."""

    def withdrawn(self, table: str) -> pl.DataFrame:
        """Keys of imported rows a person declared void, with the `import_id` they came by; no rows where none were."""
        ...


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """What a snapshot changed; `commit` is None when nothing did."""

    commit: int | None
    written: int
    removed: int


def rows_of(table: str, rows: Iterable[Sequence[object]]) -> pl.DataFrame:
    """A canonical table from rows in the order of its columns, typed also when there are none."""
    return pl.DataFrame(list(rows), schema=polars_schema(TABLES[table]), orient="row")


def take_snapshot(workspace: Workspace, people: PeopleTables, at: datetime) -> SnapshotReport:
    """Make the store's tables say what people say now, as one commit; no commit when they do already.

    Rows of `people.snapshot` are written by key. What an earlier snapshot wrote and people no longer say goes; the
    imported row it had replaced comes back. Rows people declared void go.
    """
    store = workspace.store
    with store.begin(PEOPLE_PREFIX + store.new_import_id(at), "edit", NOTE, at) as transaction:
        written = removed = 0
        for table in SNAPSHOT_TABLES:
            said, void = people.snapshot(table), people.withdrawn(table)
            key = list(TABLES[table].key)
            stored = store.scan(table).select(*key, IMPORT_ID).collect()
            own = stored.filter(pl.col(IMPORT_ID).str.starts_with(PEOPLE_PREFIX))
            unsaid = own.join(said, on=key, how="anti").select(key)
            back = _replaced_imports(store, table, unsaid)
            if not void.is_empty():
                back = back.join(void, on=[*key, IMPORT_ID], how="anti")
                taken_back = stored.join(void, on=[*key, IMPORT_ID], how="semi").join(said, on=key, how="anti")
                unsaid = pl.concat([unsaid, taken_back.select(key)])
            unsaid = unsaid.join(back, on=key, how="anti")
            wanted = pl.concat([said, back.select(said.columns)])
            if not unsaid.is_empty():
                removed += transaction.delete(table, unsaid)
            if not wanted.is_empty():
                comparison = transaction.upsert(table, wanted)
                written += comparison.new + comparison.updated
        if not written and not removed:
            return SnapshotReport(None, 0, 0)
        commit = transaction.commit()
    return SnapshotReport(commit.number, written, removed)


def _replaced_imports(store: Store, table: str, keys: pl.DataFrame) -> pl.DataFrame:
    """Of each key the imported row that a snapshot replaced last, with its import; no rows where there was none."""
    columns = [*TABLES[table].column_names, IMPORT_ID]
    found: list[pl.DataFrame] = []
    missing = keys
    for paths in _records_of_snapshots(store, table) if not keys.is_empty() else ():
        if missing.is_empty():
            break
        rows = pl.concat([pl.read_parquet(path) for path in paths], how="diagonal_relaxed")
        hits = rows.filter(~pl.col(IMPORT_ID).str.starts_with(PEOPLE_PREFIX)).join(missing, on=keys.columns, how="semi")
        found.append(hits)
        missing = missing.join(hits, on=keys.columns, how="anti")
    if found:
        return pl.concat(found, how="diagonal_relaxed").select(columns)
    return store.scan(table).select(columns).head(0).collect()


def _records_of_snapshots(store: Store, table: str) -> list[list[Path]]:
    """Files with the rows each snapshot replaced, the newest snapshot first; as amended by later undos."""
    records: dict[str, list[Path]] = {}
    for commit in store.commits():
        for entry in commit.records:
            if entry.table == table and entry.import_id.startswith(PEOPLE_PREFIX):
                kept = records.setdefault(entry.import_id, [])
                kept[:] = [path for name in entry.paths if (path := store.path / name).exists()]
    return [paths for paths in reversed(records.values()) if paths]
