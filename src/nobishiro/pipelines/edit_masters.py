"""Masters that people keep in the web application: divisions, reps, assignments, targets; read for pages, edited here.

An edit is one commit of kind "edit": all or nothing, with a note that says what it was, listed beside the imports and
undone like one. A column left out of the rows stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.contracts.errors import BadInput, NotAWorkspace
from nobishiro.contracts.tables import IMPORT_ID, TABLES
from nobishiro.engine.intake.corrections import apply_corrections
from nobishiro.engine.store.store import Store
from nobishiro.engine.workspace import Workspace

EDITABLE: Final = ("divisions", "reps", "assignments", "targets")
EDIT_PREFIX: Final = "masters-"
"""How the import ids of these edits begin."""


@dataclass(frozen=True, slots=True)
class TableEdit:
    """What changes in one table: `rows` are written by key, their own columns only; rows of `gone` (keys) go."""

    table: str
    rows: pl.DataFrame | None = None
    gone: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class EditReport:
    """An edit that was published; `import_id` undoes it. Empty and zero when nothing changed."""

    import_id: str
    commit: int | None
    written: int
    removed: int


def edit_masters(path: Path, edits: Sequence[TableEdit], *, note: str, at: datetime) -> EditReport:
    """Write all `edits` in one commit. A workspace that was never written is made.

    Raises `BadInput` for a table that is not edited this way or rows that do not fit, `WorkspaceBusy`, `DiskFull`.
    """
    for edit in edits:
        if edit.table not in EDITABLE:
            raise BadInput(f"{edit.table} is not edited here; there are {', '.join(EDITABLE)}")
    workspace = Workspace.open_or_plan(path)
    workspace.make(at)
    store = Workspace.open(path).store
    import_id = EDIT_PREFIX + store.new_import_id(at)
    with store.begin(import_id, "edit", note, at) as transaction:
        written = removed = 0
        for edit in edits:
            if edit.gone is not None and not edit.gone.is_empty():
                removed += transaction.delete(edit.table, edit.gone)
            if edit.rows is not None and not edit.rows.is_empty():
                comparison = transaction.upsert(edit.table, edit.rows, given=edit.rows.columns)
                written += comparison.new + comparison.updated
        if not written and not removed:
            return EditReport("", None, 0, 0)
        commit = transaction.commit()
    return EditReport(import_id, commit.number, written, removed)


def read_master(path: Path, table: str, corrections: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows of one master with its declared columns, as people corrected them; no rows without a workspace.

    `corrections` (canonical) are those made since the last run; they go before the store's own.
    """
    declared = TABLES[table]
    try:
        store = Store.open(path)
    except NotAWorkspace:
        from nobishiro.engine.store.types import polars_schema

        return pl.DataFrame(schema=polars_schema(declared))
    stored = store.read("corrections").drop(IMPORT_ID)
    if corrections is not None and not corrections.is_empty():
        stored = pl.concat([corrections.select(stored.columns).cast(stored.schema), stored]).unique(
            TABLES["corrections"].key, keep="first", maintain_order=True
        )
    return apply_corrections(declared, store.read(table).drop(IMPORT_ID), stored)


@dataclass(frozen=True, slots=True)
class AssignmentPage:
    """Some of the ties that hold, and how many there are in all."""

    rows: pl.DataFrame
    """customer_id, customer (name), division_id, rep_id, role, valid_from."""
    total: int
    customers: int
    """Distinct customers among all."""


def assignment_page(
    path: Path,
    on: date,
    *,
    rep: str = "",
    division: str = "",
    search: str = "",
    offset: int = 0,
    limit: int = 50,
) -> AssignmentPage:
    """Ties between customers and reps that hold on `on`, by customer; `search` in name or code, whatever the case."""
    held = _holding(path, on)
    if rep:
        held = held.filter(pl.col("rep_id") == rep)
    if division:
        held = held.filter(pl.col("division_id") == division)
    names = read_master(path, "customers").select("customer_id", pl.col("name").alias("customer"))
    joined = held.join(names, on="customer_id", how="left", maintain_order="left")
    if search:
        word = search.lower()
        joined = joined.filter(
            pl.col("customer").str.to_lowercase().str.contains(word, literal=True).fill_null(False)
            | pl.col("customer_id").str.to_lowercase().str.contains(word, literal=True)
        )
    ordered = joined.sort("customer_id", "division_id", "role", "rep_id")
    rows = ordered.slice(offset, limit).select("customer_id", "customer", "division_id", "rep_id", "role", "valid_from")
    return AssignmentPage(rows, ordered.height, ordered["customer_id"].n_unique())


def customers_per_rep(path: Path, on: date) -> dict[str, int]:
    """How many customers each rep looks after on `on`."""
    counted = _holding(path, on).group_by("rep_id").agg(pl.col("customer_id").n_unique().alias("n"))
    return dict(counted.select("rep_id", "n").iter_rows())


def customer_exists(path: Path, code: str) -> bool:
    """Whether the customer master knows the code."""
    try:
        store = Store.open(path)
    except NotAWorkspace:
        return False
    return not store.scan("customers").filter(pl.col("customer_id") == code).head(1).collect().is_empty()


def ended(rows: pl.DataFrame, on: date) -> TableEdit:
    """The edit by which ties of `rows` hold until the day before `on`; those that began no earlier go whole."""
    last = on - timedelta(days=1)
    key = list(TABLES["assignments"].key)
    begun = pl.col("valid_from").is_not_null() & (pl.col("valid_from") >= on)
    going = rows.filter(~begun).select(*key, pl.lit(last).alias("valid_to"))
    return TableEdit("assignments", going, rows.filter(begun).select(key))


def reassign(
    path: Path, *, from_rep: str, to_rep: str, division: str = "", customers: Sequence[str] | None = None,
    on: date, note: str, at: datetime,
) -> tuple[EditReport, pl.DataFrame]:  # fmt: skip
    """Hand every tie of one rep over to another from the day `on`, in one commit; the ties that moved come back.

    `division` and `customers` narrow it. Where the other rep has the same tie already, only the old one ends.
    """
    held = _holding(path, on).filter(pl.col("rep_id") == from_rep)
    if division:
        held = held.filter(pl.col("division_id") == division)
    if customers is not None:
        held = held.filter(pl.col("customer_id").is_in(list(customers)))
    if held.is_empty():
        return EditReport("", None, 0, 0), held
    key = list(TABLES["assignments"].key)
    moved = held.with_columns(pl.lit(to_rep).alias("rep_id"))
    already = _holding(path, on).select(key)
    fresh = moved.join(already, on=key, how="anti").select(
        *key, pl.lit(on).alias("valid_from"), pl.lit(None, pl.Date).alias("valid_to")
    )
    end = ended(held, on)
    edits = [TableEdit("assignments", end.rows, end.gone), TableEdit("assignments", fresh)]
    return edit_masters(path, edits, note=note, at=at), held


def _holding(path: Path, on: date) -> pl.DataFrame:
    return read_master(path, "assignments").filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= on),
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= on),
    )
