"""The commit log: one file a commit, naming the live files of every table. Readers go by it and by nothing else."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from nobishiro.contracts.errors import CommitNotFound, StoreError
from nobishiro.engine.store.disk import write_exclusive
from nobishiro.engine.store.layout import Layout

CommitKind = Literal["import", "edit", "undo", "run", "compact", "upgrade"]


class FileEntry(msgspec.Struct, frozen=True):
    """One live Parquet file of a table."""

    name: str
    """File name inside the table's directory."""
    rows: int
    bytes: int
    low: str | None = None
    """Smallest value of the leading key column, to pass files by that cannot hold a key; None when not known."""
    high: str | None = None


class TableState(msgspec.Struct, frozen=True):
    """A table as one commit has it."""

    name: str
    version: int
    """The Delta version that lists the same files, for other engines."""
    files: tuple[FileEntry, ...] = ()

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(entry.rows for entry in self.files)


class TableChange(msgspec.Struct, frozen=True):
    """What a commit did to one table, in rows."""

    table: str
    new: int = 0
    updated: int = 0
    removed: int = 0


class TableRecord(msgspec.Struct, frozen=True):
    """Where the rows lie that an import replaced or removed, relative to the workspace."""

    import_id: str
    table: str
    paths: tuple[str, ...]


class Commit(msgspec.Struct, frozen=True):
    """One published step. `tables` is the whole state, not a difference."""

    number: int
    kind: CommitKind
    import_id: str
    note: str = ""
    at: datetime | None = None
    tables: tuple[TableState, ...] = ()
    changes: tuple[TableChange, ...] = ()
    records: tuple[TableRecord, ...] = ()
    """Rows this commit replaced or removed; in an undo, the records of later imports it had to amend."""
    undoes: str | None = None

    def table(self, name: str) -> TableState | None:
        """The state of one table; None when it was never written."""
        for state in self.tables:
            if state.name == name:
                return state
        return None


class CommitLog:
    """Reads and extends the log of one workspace. A commit never changes, so each is read once."""

    def __init__(self, layout: Layout) -> None:
        self._layout: Final = layout
        self._known: Final[dict[int, Commit]] = {}

    def numbers(self) -> list[int]:
        """Numbers of all commits, ascending."""
        directory = self._layout.commits
        if not directory.is_dir():
            return []
        return sorted(int(path.stem) for path in directory.iterdir() if path.suffix == ".json" and path.stem.isdigit())

    def head(self) -> Commit | None:
        """The newest commit; None in a workspace that was never written."""
        numbers = self.numbers()
        return self.commit(numbers[-1]) if numbers else None

    def commit(self, number: int) -> Commit:
        """Commit `number`; `CommitNotFound` when there is none."""
        if number not in self._known:
            self._known[number] = _read(self._path(number))
        return self._known[number]

    def after(self, number: int) -> list[Commit]:
        """All commits later than `number`, ascending."""
        return [self.commit(other) for other in self.numbers() if other > number]

    def publish(self, commit: Commit) -> None:
        """The one step that makes a commit visible; FileExistsError when its number is taken."""
        write_exclusive(self._path(commit.number), msgspec.json.format(msgspec.json.encode(commit), indent=1))

    def of_import(self, import_id: str) -> Commit | None:
        """The commit that published `import_id`; None when it never got that far."""
        pointer = self._layout.import_directory(import_id) / "commit.json"
        try:
            number = msgspec.json.decode(pointer.read_bytes(), type=int)
        except FileNotFoundError:
            return None
        # The pointer is written just before the commit: a writer that died between leaves one that leads nowhere,
        # or to another import's commit.
        path = self._path(number)
        if not path.exists():
            return None
        commit = self.commit(number)
        return commit if commit.import_id == import_id else None

    def _path(self, number: int) -> Path:
        return self._layout.commits / f"{number:08d}.json"


def _read(path: Path) -> Commit:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Commit)
    except FileNotFoundError:
        raise CommitNotFound(f"{path.parent.parent}: there is no commit {int(path.stem)}") from None
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}: the commit cannot be read ({error}); restore the file from a backup") from error
