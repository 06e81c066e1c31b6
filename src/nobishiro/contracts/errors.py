"""Everything Nobishiro raises on purpose, one tree.

    NobishiroError                     exit code  meaning
    ├── SettingsError                  2          an unknown or impossible setting
    ├── UnknownName                    2          a table, column, preset or backend that does not exist
    ├── BadInput                       3          a file or a value somebody gave us cannot be used as it is
    │   ├── FileNotUsable              3          missing, empty, a directory, no permission, not what it claims to be
    │   ├── FileTooLarge               3          over a limit: bytes, rows, columns, a cell, an archive's expansion
    │   ├── EncodingUnknown            3          no encoding reads the whole file; says where each one failed
    │   ├── LayoutUnknown              3          no header row, or columns that cannot be told apart
    │   ├── MappingIncomplete          3          a required column has no counterpart in the file
    │   ├── BadValue                   3          one value in one cell
    │   └── TooManyRejected            3          more rows rejected than the threshold allows; nothing was imported
    ├── NotEnoughHistory               4          the data are too few for an honest answer
    ├── StoreError                     5          the workspace on disk
    │   ├── NotAWorkspace              5          the directory holds something else, or nothing
    │   ├── WorkspaceTooNew            5          written by a later version of Nobishiro
    │   ├── WorkspaceBusy              5          another writer kept the lock longer than the wait allows
    │   ├── CommitNotFound             5          no such commit, import or run, or it was vacuumed
    │   └── DiskFull                   5          no space left; what was being written was discarded
    ├── MissingCapability              6          the chosen backend cannot do this, or an extra is not installed
    └── Interrupted                    130        the user stopped it; nothing was written

Messages say what was wrong, where, and what to do:
`orders.csv line 812: ordered_at "2025/13/01" is not a date; use YYYY-MM-DD`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class NobishiroError(Exception):
    """Base of every error raised on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class SettingsError(NobishiroError):
    """A setting is unknown or its value impossible."""

    exit_code = 2


class UnknownName(NobishiroError):
    """A table, column, preset, mapping or backend that does not exist; the message lists those that do."""

    exit_code = 2


class BadInput(NobishiroError):
    """Something a person gave us cannot be used as it is."""

    exit_code = 3


class FileNotUsable(BadInput):
    """The file is missing, empty, a directory, unreadable, or not of the kind its name says."""


class FileTooLarge(BadInput):
    """A limit on bytes, rows, columns, cell size or archive expansion was passed."""


class EncodingUnknown(BadInput):
    """No encoding reads the file to its end."""


class LayoutUnknown(BadInput):
    """No header row was found, or the columns cannot be told apart."""


class MappingIncomplete(BadInput):
    """A required column has no counterpart in the file."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: `source` is a file name, `line` counts from 1 as an editor or Excel shows it."""

    source: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        text = self.source
        if self.line is not None:
            text += f" line {self.line}"
        if self.column is not None:
            text += f": {self.column}"
        return text


class BadValue(BadInput):
    """One value that cannot be read, with its place and what to do."""

    def __init__(self, place: Place, value: object, problem: str, remedy: str) -> None:
        self.place = place
        self.value = value
        self.problem = problem
        self.remedy = remedy
        super().__init__(f'{place} "{str(value)[:80]}" {problem}; {remedy}')


class TooManyRejected(BadInput):
    """More rows were rejected than the threshold allows; nothing was imported."""


class NotEnoughHistory(NobishiroError):
    """The data are too few for an honest answer; the message says how many would do."""

    exit_code = 4


class StoreError(NobishiroError):
    """The workspace on disk cannot be used as asked."""

    exit_code = 5


class NotAWorkspace(StoreError):
    """The directory is no workspace and is not empty, or there is none where one was expected."""


class WorkspaceTooNew(StoreError):
    """The workspace was written by a later version of Nobishiro."""


class WorkspaceBusy(StoreError):
    """Another writer kept the lock longer than the wait allows."""


class CommitNotFound(StoreError):
    """No such commit, import or run, or its files were vacuumed."""


class DiskFull(StoreError):
    """No space left on the device; what was being written was discarded."""


class MissingCapability(NobishiroError):
    """The backend cannot do this, or an optional part is not installed; the message says which to install."""

    exit_code = 6


class Interrupted(NobishiroError):
    """The user stopped the work; nothing was written."""

    exit_code = 130
