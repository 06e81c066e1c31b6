"""Bring one file into a workspace: read, map, dry run or commit, rejected rows to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from nobishiro.contracts.errors import MappingIncomplete, UnknownName
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.corrections import corrections_overtaken
from nobishiro.engine.intake.exports import header_of
from nobishiro.engine.intake.guessing import ColumnGuess, MappingGuess, guess_mapping
from nobishiro.engine.intake.headers import find_headers, header_key
from nobishiro.engine.intake.importing import (
    REJECTED_REASON,
    ImportReport,
    PreparedImport,
    commit_import,
    dry_run,
    prepare_import,
    write_rejected,
)
from nobishiro.engine.intake.mapping import ColumnMapping, list_mappings, load_mapping, save_mapping
from nobishiro.engine.intake.presets import list_presets, match_preset
from nobishiro.engine.intake.raw import RawTable, ReadGuess, ReadOptions, SkippedRow
from nobishiro.engine.intake.sources import read_source
from nobishiro.engine.store.store import Store
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.match_customers import MergeReport, match_customers
from nobishiro.pipelines.wording import word, word_column

_PLAIN: Final = 0.9
"""From this confidence a guess is a known word."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What the user asked for; everything left out is guessed and shown."""

    source: str
    table: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    """(header, canonical column) named by hand; they count before any guess."""
    mapping: str | None = None
    """Name of a saved mapping or of a preset."""
    save_as: str | None = None
    """Save the mapping used under this name."""
    options: ReadOptions = field(default_factory=ReadOptions)
    is_dry_run: bool = False
    rejected_to: Path | None = None
    """Where rejected rows go; beside the source, or in the current directory for a database, when None."""
    language: str = "ja"
    """ja or en: how the reasons of rejected rows, the notes and the guesses are worded. Errors are in English."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What happened, or would."""

    report: ImportReport
    guess: ReadGuess
    skipped: tuple[SkippedRow, ...]
    mapping: ColumnMapping
    columns: tuple[ColumnGuess, ...]
    """How sure each column's meaning is; empty for a saved mapping or a preset."""
    rejected_file: Path | None
    merged: MergeReport | None
    """What 名寄せ found after an import of customers; None for a dry run and for other tables."""
    overtaken: pl.DataFrame
    """People's corrections that this import says otherwise of: table_name, row_key, column_name, value, imported_value,
    now. The person's word stands; both are kept."""


def import_file(
    workspace: Workspace, request: ImportRequest, at: datetime, progress: ProgressReport = no_progress
) -> ImportResult:
    """Import `request.source`, all or nothing, or say what an import would do.

    Rejected rows are written before the commit, so that an import never leaves rows nowhere. Raises the errors of
    reading, mapping and the store.
    """
    settings = workspace.settings
    progress("read", 0, 0)
    raw = read_source(request.source, request.options, settings.imports, progress)
    columns: tuple[ColumnGuess, ...] = ()
    if request.mapping is not None:
        mapping = find_mapping(workspace.path, request.mapping)
        if request.table is not None and mapping.table != request.table:
            raise UnknownName(f"mapping {request.mapping!r} is for {mapping.table}, not for {request.table}")
    else:
        chosen = choose_reading(raw, request.table, request.columns, workspace.path)
        mapping, columns = chosen.mapping, chosen.columns
    prepared = prepare_import(
        raw,
        mapping,
        settings.imports,
        at.date(),
        time_zone=settings.workspace.time_zone,
        customers=_customers(workspace.store) if mapping.search_customer else None,
        progress=progress,
    )
    prepared = _worded(prepared, request.language)
    columns = tuple(replace(column, why=word(column.why, request.language)) for column in columns)
    rejected_file = None
    if request.is_dry_run:
        report = dry_run(workspace.store, prepared)
    else:
        workspace.make(at)
        if not prepared.rejected.is_empty():
            rejected_file = request.rejected_to or _beside(request.source)
            write_rejected(prepared.rejected, rejected_file)
        try:
            report = commit_import(workspace.store, prepared, Store.new_import_id(at), at, progress)
        except BaseException:
            if rejected_file is not None:
                rejected_file.unlink(missing_ok=True)
            raise
    if request.save_as is not None and not request.is_dry_run:
        save_mapping(msgspec.structs.replace(mapping, name=request.save_as), workspace.path)
    merged = None
    if report.commit is not None and any(t.table == "customers" and t.new + t.updated for t in report.tables):
        merged = match_customers(workspace, at, progress=progress)
    guess = replace(raw.guess, notes=tuple(word(note, request.language) for note in raw.guess.notes))
    overtaken = _overtaken(workspace, report)
    return ImportResult(report, guess, raw.skipped, mapping, columns, rejected_file, merged, overtaken)


def _overtaken(workspace: Workspace, report: ImportReport) -> pl.DataFrame:
    """Corrections whose imported value is another since this import."""
    columns = ("table_name", "row_key", "column_name", "value", "imported_value", "now")
    none = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    if report.commit is None:
        return none
    corrections = workspace.read("corrections")
    found = [
        corrections_overtaken(TABLES[done.table], workspace.read(done.table), corrections).select(
            pl.lit(done.table).alias("table_name"), *columns[1:]
        )
        for done in report.tables
        if done.updated and done.table in corrections["table_name"]
    ]
    return pl.concat([none, *found])


def _worded(prepared: PreparedImport, language: str) -> PreparedImport:
    """What was read, with reasons and notes in the person's language."""
    return replace(
        prepared,
        rejected=word_column(prepared.rejected, REJECTED_REASON, language),
        notes=tuple(word(note, language) for note in prepared.notes),
    )


def find_mapping(workspace: Path, name: str) -> ColumnMapping:
    """The mapping saved in the workspace under `name`, else the preset of that name. Raises `UnknownName`."""
    presets = {preset.name: preset for preset in list_presets(_preset_folders(workspace))}
    if name in presets and name not in list_mappings(workspace):
        return presets[name].mapping
    try:
        return load_mapping(name, workspace)
    except UnknownName as unknown:
        raise UnknownName(f"{unknown}. Presets are: {', '.join(presets)}") from unknown


def _preset_folders(workspace: Path | None) -> tuple[Path, ...]:
    """Where a company's own presets lie, beside ours."""
    return () if workspace is None else (workspace / "presets",)


@dataclass(frozen=True, slots=True)
class ChosenMapping:
    """How a file is read, and how sure each column's meaning is where that was guessed."""

    mapping: ColumnMapping
    columns: tuple[ColumnGuess, ...] = ()


def choose_mapping(raw: RawTable, table: str | None = None) -> ColumnMapping:
    """The mapping `choose_reading` chooses, for those who need no more."""
    return choose_reading(raw, table).mapping


def choose_reading(
    raw: RawTable,
    table: str | None = None,
    columns: Sequence[tuple[str, str]] = (),
    workspace: Path | None = None,
) -> ChosenMapping:
    """The mapping of our own export, else a preset whose headers are all there, else a guess from headers and values.

    A preset that reads the file as another table than the guess does, and makes less of it, is passed over: a ledger
    holds the columns of many a master as well.
    `columns` are (header, canonical column) the user named; they count before any guess. Raises `MappingIncomplete`
    naming what could not be found.
    """
    if columns:
        return ChosenMapping(_named_by_hand(raw, table, columns))
    own = _own_export(raw.frame, table)
    if own is not None:
        return ChosenMapping(own)
    preset = match_preset(raw.frame.columns, _preset_folders(workspace))
    guess = guess_mapping(raw.frame, table)
    if preset is not None and table in (None, preset.mapping.table) and not _makes_more(guess, preset.mapping, raw):
        return ChosenMapping(msgspec.structs.replace(_completed(preset.mapping, guess), name=preset.name))
    if guess.missing:
        named = ", ".join(f"{column.name} ({column.ja} / {column.en})" for column in guess.missing)
        raise MappingIncomplete(
            f"{raw.source}: looks like {guess.mapping.table} ({TABLES[guess.mapping.table].ja}), but nothing in it "
            f"stands for {named}. Say what the file is with --table, use a saved mapping with --mapping, or name the "
            f"header with --column HEADER=COLUMN. The file has: {', '.join(raw.frame.columns)}"
        )
    return ChosenMapping(guess.mapping, guess.columns)


def _makes_more(guess: MappingGuess, preset: ColumnMapping, raw: RawTable) -> bool:
    """Whether the guess is usable, about another table, and reads more headers than the preset does."""
    if guess.missing or guess.mapping.table == preset.table:
        return False
    wanted = {header for mapping in (preset, *preset.also) for header, _ in mapping.columns}
    return len({column.header for column in guess.columns}) > len(find_headers(wanted, raw.frame.columns))


def _completed(preset: ColumnMapping, guess: MappingGuess) -> ColumnMapping:
    """The preset, and of the headers it does not know those with a plain meaning: a company adds columns of its own."""
    known = {header_key(header) for mapping in (preset, *preset.also) for header, _ in mapping.columns}
    known |= {header_key(header) for header in preset.drop}
    plain = {(c.header, c.table, c.column) for c in guess.columns if c.confidence >= _PLAIN}
    tables = {mapping.table: mapping for mapping in (preset, *preset.also)}
    for table, mapping in tables.items():
        taken = {column for _, column in (*mapping.columns, *((None, name) for name, _ in mapping.constants))}
        added = tuple(
            (header, column)
            for header, its_table, column in sorted(plain)
            if its_table == table and column not in taken and header_key(header) not in known
        )
        tables[table] = msgspec.structs.replace(mapping, columns=(*mapping.columns, *added))
    also = tuple(tables[mapping.table] if mapping.table != preset.table else mapping for mapping in preset.also)
    if len({mapping.table for mapping in preset.also}) < len(preset.also):
        also = preset.also
    return msgspec.structs.replace(tables[preset.table], also=also)


def _named_by_hand(raw: RawTable, table: str | None, columns: Sequence[tuple[str, str]]) -> ColumnMapping:
    """A guess in which the named headers stand under their canonical names, so that all that rests on them follows."""
    for header, _ in columns:
        if header not in raw.frame.columns:
            raise UnknownName(f"{raw.source}: has no column {header!r}; it has {', '.join(raw.frame.columns)}")
    wanted = {header: column for header, column in columns if column not in raw.frame.columns or column == header}
    header_of_column = {column: header for header, column in wanted.items()}
    guess = guess_mapping(raw.frame.rename(wanted), table).mapping

    def in_the_file(mapping: ColumnMapping) -> ColumnMapping:
        pairs = tuple((header_of_column.get(header, header), column) for header, column in mapping.columns)
        return msgspec.structs.replace(mapping, columns=pairs, also=tuple(in_the_file(m) for m in mapping.also))

    mapping = in_the_file(guess)
    headers, named = {header for header, _ in columns}, {column for _, column in columns}
    kept = tuple(
        (header, column) for header, column in mapping.columns if header not in headers and column not in named
    )
    return msgspec.structs.replace(
        mapping, columns=(*kept, *columns), named=tuple(name for name in mapping.named if name not in named)
    )


def _own_export(frame: pl.DataFrame, table: str | None) -> ColumnMapping | None:
    """The exact mapping when the headers are those of one of our own exports."""
    for declared in TABLES.values():
        if table not in (None, declared.name):
            continue
        for style in ("ja", "en", "name"):
            headers = [header_of(column, style) for column in declared.columns]
            if frame.columns == headers:
                pairs = tuple((header_of(c, style), c.name) for c in declared.columns)
                return ColumnMapping(table=declared.name, columns=pairs, exact=True, name="nobishiro")
    return None


def _customers(store: Store) -> pl.DataFrame:
    return store.scan("customers").select("customer_id", "name", "mail_domain").collect()


def _beside(source: str) -> Path:
    path = Path(source)
    if path.is_file():
        return path.with_name(f"{path.stem}.rejected.csv")
    return Path("database.rejected.csv")
