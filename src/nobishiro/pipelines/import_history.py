"""Every import and edit of a workspace, newest first, and taking one back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store.commits import Commit
from nobishiro.engine.workspace import Workspace

_KINDS: Final = ("import", "edit", "undo")
_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """What one step did to one table, in rows."""

    table: str
    ja: str
    en: str
    new: int
    updated: int
    removed: int


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One import, edit or undo."""

    import_id: str
    kind: str
    note: str
    """The file's name for an import; for an undo that of what it took back."""
    at: datetime | None
    tables: tuple[HistoryTable, ...]
    undoes: str
    undone_by: str
    """Import id of the undo that took this step back; empty while it holds."""

    @property
    def may_be_undone(self) -> bool:
        """Whether it can be taken back: undone steps and undos cannot."""
        return self.kind in ("import", "edit") and not self.undone_by


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking a step back did."""

    tables: tuple[tuple[str, int, int, int], ...]
    """(table, taken out, brought back, kept)."""
    kept: tuple[tuple[str, str, str], ...]
    """(table, key, import id of the later step that changed it): the first of the rows left as they are."""


def list_history(workspace_path: Path) -> list[HistoryStep]:
    """All steps, the newest first; none while there is no workspace."""
    commits = Workspace.open_or_plan(workspace_path).store.commits()
    undone = {commit.undoes: commit.import_id for commit in commits if commit.undoes}
    return [_step(commit, undone) for commit in reversed(commits) if commit.kind in _KINDS]


def find_step(workspace_path: Path, import_id: str) -> HistoryStep | None:
    """The step called `import_id`; None when there is none."""
    return next((step for step in list_history(workspace_path) if step.import_id == import_id), None)


def undo_step(workspace_path: Path, import_id: str, at: datetime) -> Undone:
    """Take a step back in one commit; with one that is undone already, nothing happens and nothing is reported.

    Raises `CommitNotFound` for an unknown step, `StoreError` for one that cannot be taken back.
    """
    step = find_step(workspace_path, import_id)
    if step is not None and step.undone_by:
        return Undone((), ())
    result = Workspace.open(workspace_path).store.undo(import_id, at)
    kept = result.kept.head(_KEPT).select("table", "key", "import_id").rows()
    return Undone(
        tuple((t.table, t.taken_out, t.brought_back, t.kept) for t in result.tables),
        tuple((str(table), str(key), str(later)) for table, key, later in kept),
    )


def row_counts(workspace_path: Path) -> dict[str, int]:
    """Rows of every canonical table that has any, without reading them."""
    head = Workspace.open_or_plan(workspace_path).store.head()
    return {state.name: state.rows for state in head.tables if state.rows} if head is not None else {}


def has_costs(workspace_path: Path) -> bool:
    """Whether any product has a cost or a margin rate."""
    products = Workspace.open_or_plan(workspace_path).store.scan("products")
    known = pl.any_horizontal(pl.col("cost").is_not_null(), pl.col("margin_rate").is_not_null())
    return bool(products.select(known.any()).collect().item())


def _step(commit: Commit, undone: dict[str, str]) -> HistoryStep:
    tables = tuple(
        HistoryTable(c.table, TABLES[c.table].ja, TABLES[c.table].en, c.new, c.updated, c.removed)
        for c in commit.changes
    )
    return HistoryStep(
        commit.import_id,
        commit.kind,
        commit.note,
        commit.at,
        tables,
        commit.undoes or "",
        undone.get(commit.import_id, ""),
    )
