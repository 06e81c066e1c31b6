"""From mapped rows to a committed import: dry run, all-or-nothing commit, rejected rows that can be imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from nobishiro.contracts.errors import TooManyRejected
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.tables import TABLES, Table
from nobishiro.engine.intake.keys import number_occurrences, settle_keys
from nobishiro.engine.intake.mapping import ColumnMapping
from nobishiro.engine.intake.raw import RawTable
from nobishiro.engine.intake.rows import LINE, REASON, map_rows
from nobishiro.engine.intake.whole_file import whole_file
from nobishiro.engine.settings import ImportSettings
from nobishiro.engine.store.comparison import Comparison
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.types import conform

REJECTED_LINE: Final = "元の行"
REJECTED_REASON: Final = "取り込めなかった理由"
_SAMPLE: Final = 5
_WORD: Final = r"[^\s,;|\"]+"
"""What may be an order number in a line whose cells are not known."""


@dataclass(frozen=True, slots=True)
class PreparedImport:
    """What a file would write, before the store is asked."""

    source: str
    rows_read: int
    tables: Mapping[str, pl.DataFrame]
    """Canonical rows by table, one a key; the main table first."""
    main: str
    rejected: pl.DataFrame
    """The file's own columns as text, then `元の行` and `取り込めなかった理由`; importable again once corrected."""
    left_out: int
    notes: tuple[str, ...]

    @property
    def rejected_share(self) -> float:
        """Rejected rows over rows read."""
        return self.rejected.height / max(self.rows_read, 1)


@dataclass(frozen=True, slots=True)
class TableReport:
    """What an import did, or would do, to one table."""

    table: str
    new: int
    updated: int
    unchanged: int
    removed: int
    new_sample: pl.DataFrame
    """The first new rows, as the file gives them."""
    updated_sample: pl.DataFrame


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of a dry run (`commit` is None) or of an import."""

    source: str
    import_id: str | None
    commit: int | None
    tables: tuple[TableReport, ...]
    rows_read: int
    rejected: pl.DataFrame
    left_out: int
    notes: tuple[str, ...]


def prepare_import(
    raw: RawTable,
    mapping: ColumnMapping,
    settings: ImportSettings,
    today: date,
    *,
    time_zone: str = "Asia/Tokyo",
    customers: pl.DataFrame | None = None,
    progress: ProgressReport = no_progress,
) -> PreparedImport:
    """The canonical rows of one file, one a key, with every rejected row and its reason.

    Raises `MappingIncomplete`, and `TooManyRejected` when more than `settings.max_rejected_share` of the rows are bad.
    """
    raw = without_rejection_columns(raw)
    rows_read = raw.frame.height + raw.rejected.height
    raw, blank = _without_blank_rows(raw, mapping)
    progress("clean", 0, rows_read)
    mapped = map_rows(raw, mapping, settings, today, time_zone=time_zone, customers=customers)
    table = TABLES[mapped.table]
    frame, held_back = _hold_back(raw, mapping, table, mapped.frame, mapped.rejected)
    frame = number_occurrences(frame) if table.name == "order_lines" else frame
    keyed = settle_keys(table, frame)
    notes = list(mapped.notes)
    if keyed.repeated:
        notes.append(f"{keyed.repeated:,} rows repeat an earlier row exactly and were read once")
    rejected = pl.concat(
        [mapped.rejected, _with_texts(raw, held_back), _with_texts(raw, keyed.conflicts)], how="vertical_relaxed"
    )
    tables = {table.name: keyed.frame.drop(LINE)}
    for further in mapped.also:
        notes.extend(further.notes)
        if further.frame.width > 1 and further.frame.height:
            tables[further.table] = further.frame.drop(LINE)
    prepared = PreparedImport(
        source=raw.source,
        rows_read=rows_read,
        tables=MappingProxyType(tables),
        main=table.name,
        rejected=_rejected_rows(raw, rejected),
        left_out=mapped.left_out.height + blank,
        notes=(*raw.guess.notes, *notes),
    )
    progress("clean", rows_read, rows_read)
    if prepared.rejected_share > settings.max_rejected_share:
        first = prepared.rejected.row(0, named=True)
        raise TooManyRejected(
            f"{raw.source}: {prepared.rejected.height:,} of {rows_read:,} rows cannot be imported "
            f"({prepared.rejected_share:.1%}, more than {settings.max_rejected_share:.1%}), so nothing was imported. "
            f"The first: line {first[REJECTED_LINE]}: {first[REJECTED_REASON]}"
        )
    return prepared


def dry_run(store: Store, prepared: PreparedImport) -> ImportReport:
    """What `commit_import` would do now, with samples; nothing is written."""
    reports = []
    for name, frame in prepared.tables.items():
        given, fills_gaps = _says(prepared, name)
        reports.append(_report(store.compare(name, frame, given=given, fills_gaps=fills_gaps), frame))
    return _result(prepared, tuple(reports), None, None)


def commit_import(
    store: Store, prepared: PreparedImport, import_id: str, at: datetime, progress: ProgressReport = no_progress
) -> ImportReport:
    """Write all tables of the import in one step, or nothing. Without any change there is no import to undo."""
    reports = []
    total = sum(frame.height for frame in prepared.tables.values())
    written = 0
    with store.begin(import_id, "import", prepared.source, at) as transaction:
        for name, frame in prepared.tables.items():
            progress("write", written, total)
            given, fills_gaps = _says(prepared, name)
            reports.append(_report(transaction.upsert(name, frame, given=given, fills_gaps=fills_gaps), frame))
            written += frame.height
        commit = transaction.commit()
    progress("write", total, total)
    changed = commit.import_id == import_id
    return _result(prepared, tuple(reports), import_id if changed else None, commit.number)


def write_rejected(rejected: pl.DataFrame, path: Path) -> None:
    """The rejected rows as CSV (UTF-8 with BOM, which Excel opens): the original columns, their line and the reason.

    Corrected in place, the file is imported again as it is; the two added columns are ignored then. The file appears
    whole or not at all. Raises `FileNotUsable`, `DiskFull`.
    """
    with whole_file(path, "choose another place with --rejected") as part, part.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        rejected.write_csv(file)


def without_rejection_columns(raw: RawTable) -> RawTable:
    """`raw` without the two columns that a file of rejected rows carries."""
    added = [name for name in (REJECTED_LINE, REJECTED_REASON) if name in raw.frame.columns]
    if not added:
        return raw
    return replace(raw, frame=raw.frame.drop(added))


def _without_blank_rows(raw: RawTable, mapping: ColumnMapping) -> tuple[RawTable, int]:
    """Without the rows of one of our own forms that nobody filled in: the key is printed, everything else is empty."""
    table = TABLES[mapping.table]
    needed = any(column.required and column.name not in table.key for column in table.columns)
    others = [header for header, column in mapping.columns if column not in table.key and header in raw.frame.columns]
    if not mapping.exact or not needed or not others:
        return raw, 0
    filled = raw.frame.select(pl.any_horizontal(pl.col(others).is_not_null())).to_series()
    if filled.all():
        return raw, 0
    return replace(raw, frame=raw.frame.filter(filled), lines=raw.lines.filter(filled)), int((~filled).sum())


def _hold_back(
    raw: RawTable, mapping: ColumnMapping, table: Table, frame: pl.DataFrame, rejected: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows without those of groups of which a row was rejected, and the latter with the reason.

    An order is replaced whole by a file that holds it: were its good lines imported now, the corrected file of the bad
    ones would replace the order by them alone. A line that could not even be split holds back every order whose number
    stands in it.
    """
    nothing = pl.DataFrame(schema={LINE: pl.Int64, REASON: pl.String})
    headers = [name for column in table.replaced_by for name in mapping.headers_of(column)]
    if len(headers) != 1 or headers[0] not in raw.frame.columns or (rejected.is_empty() and raw.rejected.is_empty()):
        return frame, nothing
    order = pl.col(headers[0]).cast(pl.String)
    unsplit = raw.rejected.select(
        pl.col("text").str.extract_all(_WORD).alias("_order"), pl.col("line").cast(pl.Int64).alias(LINE)
    ).explode("_order")
    bad = pl.concat([rejected.select(order.alias("_order"), LINE), unsplit]).drop_nulls("_order")
    bad = bad.group_by("_order").agg(pl.col(LINE).min().alias("_bad"))
    orders = raw.frame.select(order.alias("_order")).with_columns(raw.lines.cast(pl.Int64).alias(LINE))
    held = orders.join(bad, on="_order", how="inner").join(frame.select(LINE), on=LINE, how="semi").sort(LINE)
    why = pl.format(
        "{} {}: held back because line {} of it was rejected; correct that line and import this file",
        pl.lit(headers[0]),
        pl.col("_order"),
        pl.col("_bad"),
    )
    return frame.join(held, on=LINE, how="anti", maintain_order="left"), held.select(LINE, why.alias(REASON))


def _with_texts(raw: RawTable, conflicts: pl.DataFrame) -> pl.DataFrame:
    """Lines and reasons with the file's own cells before them."""
    texts = raw.frame.select(pl.all().cast(pl.String, strict=False)).with_columns(raw.lines.cast(pl.Int64).alias(LINE))
    return texts.join(conflicts, on=LINE, how="inner", maintain_order="left")


def _rejected_rows(raw: RawTable, rejected: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows in file order; rows that could not even be split keep their text in the first column."""
    rows = rejected.rename({LINE: REJECTED_LINE, REASON: REJECTED_REASON})
    if not raw.rejected.is_empty():
        unsplit = pl.DataFrame(
            [
                (*_cells_of(text, raw), line, why)
                for line, text, why in raw.rejected.select("line", "text", "reason").rows()
            ],
            schema={**dict.fromkeys(raw.frame.columns, pl.String), REJECTED_LINE: pl.Int64, REJECTED_REASON: pl.String},
            orient="row",
        )
        rows = pl.concat([rows, unsplit], how="diagonal_relaxed")
    return rows.sort(REJECTED_LINE, maintain_order=True)


def _cells_of(text: str, raw: RawTable) -> list[str | None]:
    width = raw.frame.width
    if raw.guess.delimiter is not None and raw.guess.layout == "list":
        try:
            cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=raw.guess.delimiter, strict=True), [])
        except csv.Error:
            cells = []
        if len(cells) == width:
            return [cell or None for cell in cells]
    return [text, *[None] * (width - 1)]


def _says(prepared: PreparedImport, name: str) -> tuple[tuple[str, ...] | None, bool]:
    """Which columns the rows of a table speak of, and whether they fill gaps only, as `Transaction.upsert` takes it.

    A file with few columns does not empty the others, but an order comes again whole. Rows that came along with another
    table (a ledger's customer names) fill gaps only: what a master file said stays.
    """
    table = TABLES[name]
    if table.replaced_by:
        return None, False
    return tuple(prepared.tables[name].columns), name != prepared.main


def _report(comparison: Comparison, frame: pl.DataFrame) -> TableReport:
    key = comparison.new_keys.columns
    rows = conform(TABLES[comparison.table], frame)

    def sample(keys: pl.DataFrame) -> pl.DataFrame:
        return rows.join(keys.head(_SAMPLE), on=key, how="semi", maintain_order="left")

    return TableReport(
        comparison.table,
        comparison.new,
        comparison.updated,
        comparison.unchanged,
        comparison.removed,
        sample(comparison.new_keys),
        sample(comparison.updated_keys),
    )


def _result(
    prepared: PreparedImport, tables: tuple[TableReport, ...], import_id: str | None, commit: int | None
) -> ImportReport:
    return ImportReport(
        source=prepared.source,
        import_id=import_id,
        commit=commit,
        tables=tables,
        rows_read=prepared.rows_read,
        rejected=prepared.rejected,
        left_out=prepared.left_out,
        notes=prepared.notes,
    )
