"""The wizard's steps that ask the store: the dry run with its 名寄せ, and the commit.

A draft is a folder with the rows as read (`upload_reading`). The dry run leaves beside them what would be written
(`prepared/`), the rejected rows and the pairs, so that the commit need not compute them again when nothing changed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
import polars as pl

from nobishiro.contracts.errors import BadInput, UnknownName
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.corrections import corrections_overtaken
from nobishiro.engine.intake.importing import (
    REJECTED_LINE,
    REJECTED_REASON,
    PreparedImport,
    TableReport,
    commit_import,
    dry_run,
    prepare_import,
)
from nobishiro.engine.intake.mapping import ColumnMapping
from nobishiro.engine.intake.matching import find_matches
from nobishiro.engine.store.commits import Commit
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.types import conform
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.customer_matches import PAIR_COLUMNS, MatchDecision, decision_rows, order_counts, pairs_of
from nobishiro.pipelines.frames import write_frame
from nobishiro.pipelines.import_mapping import mapping_of
from nobishiro.pipelines.upload_reading import load_raw
from nobishiro.pipelines.wording import word_column

_HELD: Final = "held back because line"
_REASONS, _LINES, _EXAMPLE = 30, 5, 8
_QUOTED: Final = re.compile(r'"[^"]*"')
_DIGITS: Final = re.compile(r"(?<![A-Za-z_])\d[\d,./:-]*")


class TableCount(msgspec.Struct, frozen=True):
    """What would be, or was, done to one table."""

    table: str
    new: int
    updated: int
    unchanged: int
    removed: int
    columns: tuple[str, ...] = ()
    samples: tuple[tuple[str, ...], ...] = ()
    """The first new rows, then the first changed ones, in `columns`."""


class Reason(msgspec.Struct, frozen=True):
    """Rejected rows of one kind; texts are in English (`pipelines.wording` says them in Japanese)."""

    text: str
    """The first row's reason, as it is."""
    count: int
    lines: tuple[int, ...]
    examples: tuple[str, ...]


class Overtaken(msgspec.Struct, frozen=True):
    """A person's correction of which this file says otherwise; the person's word stands."""

    table: str
    row_key: str
    column: str
    value: str
    before: str
    now: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A dry run."""

    rows_read: int
    tables: tuple[TableCount, ...]
    rejected: int
    held_back: int
    left_out: int
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    overtaken: tuple[Overtaken, ...]
    certain: int
    ambiguous: int
    head: int
    """Number of the newest commit it was compared with; 0 in an empty workspace."""

    @property
    def changes_nothing(self) -> bool:
        """Whether a commit would leave every table as it is."""
        return not any(table.new or table.updated or table.removed for table in self.tables)


@dataclass(frozen=True, slots=True)
class PersonsCorrection:
    """A correction somebody made on a page."""

    table: str
    row_key: str
    column: str
    value: str
    imported_value: str


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did."""

    import_id: str | None
    """None when the file changed nothing."""
    tables: tuple[TableCount, ...]
    merged: int


def check_draft(
    workspace_path: Path,
    folder: Path,
    mapping: str,
    at: datetime,
    corrections: Sequence[PersonsCorrection] = (),
    progress: ProgressReport = no_progress,
) -> Check:
    """What importing the draft would do; nothing is written but the draft's own folder.

    Raises the errors of mapping, `TooManyRejected`, and the store's.
    """
    workspace = Workspace.open_or_plan(workspace_path)
    head = workspace.store.head()
    prepared = _prepare(workspace, folder, mapping_of(mapping), at, progress)
    _keep(prepared, folder)
    progress("compare", 0, 0)
    report = dry_run(workspace.store, prepared)
    certain, ambiguous = _matches(workspace, prepared, folder, progress)
    held = prepared.rejected.filter(pl.col(REJECTED_REASON).str.contains(_HELD, literal=True)).height
    return Check(
        rows_read=report.rows_read,
        tables=tuple(_count(table) for table in report.tables),
        rejected=prepared.rejected.height,
        held_back=held,
        left_out=report.left_out,
        reasons=_reasons(prepared.rejected),
        notes=report.notes,
        overtaken=_overtaken(workspace, prepared, corrections),
        certain=certain,
        ambiguous=ambiguous,
        head=0 if head is None else head.number,
    )


def commit_draft(
    workspace_path: Path,
    folder: Path,
    mapping: str,
    import_id: str,
    checked: Check,
    decisions: Sequence[MatchDecision],
    at: datetime,
    progress: ProgressReport = no_progress,
) -> Committed:
    """Import the draft under `import_id`, all or nothing, with its merges and what people decided about its pairs.

    With an id that is committed already nothing is done and that commit is reported: a job killed after the commit
    and run again makes no second import. Raises the errors of the store.
    """
    workspace = Workspace.open_or_plan(workspace_path)
    done = find_commit(workspace.store, import_id)
    if done is not None:
        return _reported(done)
    head = workspace.store.head()
    if (folder / "prepared").is_dir() and checked.head == (0 if head is None else head.number):
        prepared = _kept(folder, load_raw(folder, 1).source, mapping_of(mapping).table, checked)
    else:
        prepared = _prepare(workspace, folder, mapping_of(mapping), at, progress)
        _keep(prepared, folder)
        _matches(workspace, prepared, folder, progress)
    merges = _merge_rows(folder, decisions, at)
    if merges.height and "merges" not in prepared.tables:
        prepared = replace(prepared, tables=MappingProxyType({**prepared.tables, "merges": merges}))
    workspace.make(at)
    try:
        report = commit_import(workspace.store, prepared, import_id, at, progress)
    except BadInput:
        done = find_commit(workspace.store, import_id)
        if done is None:
            raise
        return _reported(done)  # another worker, which took this job over, was faster
    counts = tuple(_count(table) for table in report.tables)
    merged = next((table.new + table.updated for table in counts if table.table == "merges"), 0)
    return Committed(report.import_id, tuple(t for t in counts if t.table != "merges"), merged)


def new_import_id(at: datetime) -> str:
    """An id for an import that has not begun yet."""
    return Store.new_import_id(at)


def find_commit(store: Store, import_id: str) -> Commit | None:
    """The commit made under `import_id`, looked for from the newest back."""
    return next((commit for commit in reversed(store.commits()) if commit.import_id == import_id), None)


def write_rejected_rows(folder: Path, out: Path, language: str) -> None:
    """The rejected rows as .csv or .xlsx: the file's own columns, the line and the reason in ja or en.

    Formula-safe; corrected in place, the file can be imported as it is. Raises `UnknownName` when none are kept.
    """
    kept = folder / "rejected.parquet"
    if not kept.is_file():
        raise UnknownName("the rejected rows of this file are no longer kept; import the file again")
    write_frame(word_column(pl.read_parquet(kept), REJECTED_REASON, language), out)


def read_pairs(folder: Path) -> pl.DataFrame:
    """Certain and ambiguous pairs the dry run found, with `is_certain`; columns as `customer_matches.PAIR_COLUMNS`."""
    kept = folder / "pairs.parquet"
    if not kept.is_file():
        return pl.DataFrame(schema=PAIR_COLUMNS)
    return pl.read_parquet(kept)


def draft_customers(workspace_path: Path, folder: Path, codes: Sequence[str]) -> pl.DataFrame:
    """The customers called `codes` as they would be after the import."""
    workspace = Workspace.open_or_plan(workspace_path)
    known = (
        workspace.store.scan("customers").filter(pl.col("customer_id").is_in(list(codes))).collect().drop("import_id")
    )
    brought = folder / "prepared" / "customers.parquet"
    if not brought.is_file():
        return known
    rows = pl.scan_parquet(brought).filter(pl.col("customer_id").is_in(list(codes))).collect()
    return _after(known, rows, fills_gaps=False)


def _prepare(
    workspace: Workspace, folder: Path, mapping: ColumnMapping, at: datetime, progress: ProgressReport
) -> PreparedImport:
    raw = load_raw(folder)
    customers = None
    if mapping.search_customer or "customer_id" in mapping.named:
        customers = workspace.store.scan("customers").select("customer_id", "name", "mail_domain").collect()
    settings = workspace.settings
    return prepare_import(
        raw,
        mapping,
        settings.imports,
        at.date(),
        time_zone=settings.workspace.time_zone,
        customers=customers if mapping.search_customer else None,
        progress=progress,
    )


def _keep(prepared: PreparedImport, folder: Path) -> None:
    place = folder / "prepared"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name, frame in prepared.tables.items():
        frame.write_parquet(place / f"{name}.parquet", compression="lz4")
    prepared.rejected.write_parquet(folder / "rejected.parquet", compression="zstd")


def _kept(folder: Path, source: str, main: str, checked: Check) -> PreparedImport:
    place = folder / "prepared"
    names = [main, *(path.stem for path in sorted(place.glob("*.parquet")) if path.stem != main)]
    return PreparedImport(
        source=source,
        rows_read=checked.rows_read,
        tables=MappingProxyType({name: pl.read_parquet(place / f"{name}.parquet") for name in names}),
        main=main,
        rejected=pl.read_parquet(folder / "rejected.parquet"),
        left_out=checked.left_out,
        notes=checked.notes,
    )


def _matches(workspace: Workspace, prepared: PreparedImport, folder: Path, progress: ProgressReport) -> tuple[int, int]:
    """Pairs among the customers as they would be that the import's new or changed ones take part in; how many."""
    (folder / "pairs.parquet").unlink(missing_ok=True)
    brought = prepared.tables.get("customers")
    if brought is None or brought.is_empty():
        return 0, 0
    known = workspace.read("customers")
    after = _after(known, brought, fills_gaps=prepared.main != "customers")
    fresh = after.join(known, on=after.columns, how="anti", nulls_equal=True)["customer_id"]
    if fresh.is_empty():
        return 0, 0
    progress("match", 0, 0)
    found = find_matches(
        after, None, workspace.read("merges"), workspace.settings.imports, orders=order_counts(workspace.store)
    )
    pairs = pairs_of(found).filter(pl.any_horizontal(pl.col("customer_id", "other_customer_id").is_in(fresh.implode())))
    pairs.write_parquet(folder / "pairs.parquet")
    certain = int(pairs["is_certain"].sum())
    return certain, pairs.height - certain


def _after(known: pl.DataFrame, brought: pl.DataFrame, *, fills_gaps: bool) -> pl.DataFrame:
    """The customers after the import: what a master says counts, what came along with orders fills gaps only."""
    table = TABLES["customers"]
    given = [name for name in brought.columns if name in table.column_names and name != "customer_id"]
    rows = conform(table, brought)
    both = known.join(rows.select("customer_id", *given), on="customer_id", how="left", suffix="\x00new")
    told = [pl.coalesce(name, f"{name}\x00new") if fills_gaps else pl.col(f"{name}\x00new") for name in given]
    met = pl.col("customer_id").is_in(rows["customer_id"].implode())
    changed = both.with_columns(
        pl.when(met).then(value).otherwise(pl.col(name)).alias(name) for name, value in zip(given, told, strict=True)
    ).select(known.columns)
    return pl.concat([changed, rows.join(known, on="customer_id", how="anti").select(known.columns)])


def _merge_rows(folder: Path, decisions: Sequence[MatchDecision], at: datetime) -> pl.DataFrame:
    """Rows of `merges`: certain pairs nobody objected to, and what people decided."""
    decided = {frozenset((d.customer_id, d.other_customer_id)) for d in decisions}
    certain = read_pairs(folder).filter("is_certain")
    by_rule = [
        MatchDecision(code, other, True, evidence, "rule")
        for code, other, evidence in certain.select("customer_id", "other_customer_id", "agrees_ja").iter_rows()
        if frozenset((code, other)) not in decided
    ]
    return decision_rows([*by_rule, *decisions], at)


def _overtaken(
    workspace: Workspace, prepared: PreparedImport, corrections: Sequence[PersonsCorrection]
) -> tuple[Overtaken, ...]:
    names = ("table_name", "row_key", "column_name", "value", "imported_value")
    people = pl.DataFrame(
        [(c.table, c.row_key, c.column, c.value, c.imported_value) for c in corrections],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    )
    stored = workspace.read("corrections").select(names)
    known = pl.concat([people, stored]).unique(
        ["table_name", "row_key", "column_name"], keep="first", maintain_order=True
    )
    found: list[Overtaken] = []
    for name, frame in prepared.tables.items():
        own = known.filter(pl.col("table_name") == name, pl.col("column_name").is_in(frame.columns))
        if own.is_empty() or not set(TABLES[name].key) <= set(frame.columns):
            continue
        told = corrections_overtaken(TABLES[name], frame, own).filter(pl.col("now").ne_missing(pl.col("value")))
        found += [
            Overtaken(
                name,
                row["row_key"],
                row["column_name"],
                row["value"] or "",
                row["imported_value"] or "",
                row["now"] or "",
            )
            for row in told.head(200).iter_rows(named=True)
        ]
    return tuple(found)


def _reasons(rejected: pl.DataFrame) -> tuple[Reason, ...]:
    """Rejected rows by kind of reason, the most frequent first."""
    if rejected.is_empty():
        return ()
    groups: dict[str, list[int]] = {}
    shapes: dict[str, str] = {}
    for at, text in enumerate(rejected[REJECTED_REASON].to_list()):
        shape = shapes.get(text) or shapes.setdefault(text, _shape(text))
        groups.setdefault(shape, []).append(at)
    cells = [name for name in rejected.columns if name not in (REJECTED_LINE, REJECTED_REASON)]
    found = []
    for rows in sorted(groups.values(), key=len, reverse=True)[:_REASONS]:
        some = rejected[rows[:_LINES]]
        examples = tuple(
            " · ".join(str(c)[:40] for c in row[:_EXAMPLE] if c is not None) for row in some.select(cells).iter_rows()
        )
        lines = tuple(int(line) for line in some[REJECTED_LINE])
        found.append(Reason(str(some[REJECTED_REASON][0]), len(rows), lines, examples))
    return tuple(found)


def _shape(text: str) -> str:
    if _HELD in text:
        return _HELD
    return _DIGITS.sub("#", _QUOTED.sub('"…"', text))


def _count(report: TableReport) -> TableCount:
    table = TABLES[report.table]
    sample = pl.concat([report.new_sample, report.updated_sample]).head(_LINES)
    columns = tuple(c.name for c in table.columns if sample[c.name].null_count() < sample.height)
    rows = tuple(tuple(_plain(cell) for cell in row) for row in sample.select(columns).iter_rows())
    return TableCount(
        report.table, report.new, report.updated, report.unchanged, report.removed, columns, rows if columns else ()
    )


def _plain(cell: object) -> str:
    """A cell as people write it: no midnight behind a day, no zeros behind a number."""
    if cell is None:
        return ""
    if isinstance(cell, datetime) and cell.time() == time.min:
        return f"{cell:%Y-%m-%d}"
    if isinstance(cell, Decimal):
        return f"{cell:,f}".rstrip("0").rstrip(".") if "." in f"{cell:f}" else f"{cell:,f}"
    return str(cell)[:60]


def _reported(commit: Commit) -> Committed:
    counts = tuple(TableCount(c.table, c.new, c.updated, 0, c.removed) for c in commit.changes)
    merged = next((c.new + c.updated for c in counts if c.table == "merges"), 0)
    return Committed(commit.import_id, tuple(c for c in counts if c.table != "merges"), merged)


def tables_of(names: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Table → (ja, en)."""
    return {name: (TABLES[name].ja, TABLES[name].en) for name in names}
