"""The one step that makes prepared tables visible: files into place, Delta logs, the pointer, then the commit."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store import delta
from nobishiro.engine.store.changes import Prepared
from nobishiro.engine.store.commits import Commit, CommitKind, CommitLog, TableRecord, TableState
from nobishiro.engine.store.disk import sync_directory, write_replacing
from nobishiro.engine.store.layout import Layout


@dataclass(frozen=True, slots=True)
class Heading:
    """What a commit says about itself."""

    kind: CommitKind
    import_id: str
    note: str = ""
    at: datetime | None = None
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """The rows an import is on record as having replaced in one table, still staged; no paths when there are none."""

    import_id: str
    table: str
    staged: tuple[Path, ...]


def publish(
    layout: Layout,
    log: CommitLog,
    head: Commit | None,
    heading: Heading,
    prepared: Sequence[Prepared],
    amended: Sequence[Amendment] = (),
) -> Commit:
    """Publish `prepared` on top of `head` as one commit; call with the writer lock held and `head` the newest.

    Killed before the last step, it leaves files and Delta versions that no commit names: readers never see them, the
    next writer's Delta version takes them out, vacuum removes them. When it fails instead, it puts that right itself.
    """
    if log.of_import(heading.import_id) is not None:
        raise BadInput(
            f"import {heading.import_id} is already in {layout.path}; give every import an id of its own "
            f"(Store.new_import_id makes one)"
        )
    number = (head.number if head is not None else 0) + 1
    moved: list[Path] = []
    touched: list[Prepared] = []
    try:
        records = [
            _place_record(layout, Amendment(heading.import_id, item.table.name, item.records), moved)
            for item in prepared
            if item.records
        ]
        records += [_place_record(layout, amendment, moved) for amendment in amended]
        for item in prepared:
            _place_files(layout, item, moved)
        states = {state.name: state for state in head.tables} if head is not None else {}
        for item in prepared:
            touched.append(item)
            version = delta.publish_files(
                layout.table(item.table.name), item.table, item.files, rows_change=heading.kind != "compact"
            )
            states[item.table.name] = TableState(item.table.name, version, item.files)
        commit = Commit(
            number=number,
            kind=heading.kind,
            import_id=heading.import_id,
            note=heading.note,
            at=heading.at,
            tables=tuple(states[name] for name in TABLES if name in states),
            changes=tuple(item.change for item in prepared),
            records=tuple(records),
            undoes=heading.undoes,
        )
        pointer = layout.import_directory(heading.import_id) / "commit.json"
        pointer.parent.mkdir(exist_ok=True)
        write_replacing(pointer, str(number).encode())
        log.publish(commit)
    except BaseException:
        # Interrupted after the commit's last step, everything stands: taking files back would destroy it.
        if number not in log.numbers():
            _withdraw(layout, head, touched, moved)
        raise
    return commit


def _place_files(layout: Layout, item: Prepared, moved: list[Path]) -> None:
    directory = layout.table(item.table.name)
    directory.mkdir(exist_ok=True)
    for path in item.fresh:
        target = directory / path.name
        path.rename(target)
        moved.append(target)
    sync_directory(directory)


def _place_record(layout: Layout, record: Amendment, moved: list[Path]) -> TableRecord:
    directory = layout.import_directory(record.import_id) / "replaced"
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for path in record.staged:
        target = directory / path.name
        path.rename(target)
        moved.append(target)
        paths.append(target.relative_to(layout.path).as_posix())
    sync_directory(directory)
    sync_directory(directory.parent)
    return TableRecord(record.import_id, record.table, tuple(paths))


def _withdraw(layout: Layout, head: Commit | None, touched: Sequence[Prepared], moved: Sequence[Path]) -> None:
    # On a full disk even taking back may fail; what then stays is what a killed process leaves, and the next writer
    # deals with that. The first error is the one to report.
    with contextlib.suppress(Exception):
        for item in touched:
            state = head.table(item.table.name) if head is not None else None
            delta.publish_files(
                layout.table(item.table.name), item.table, state.files if state is not None else (), rows_change=True
            )
    for path in moved:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
