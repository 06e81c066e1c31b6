"""The wizard's step of columns: what a file is taken for, what stands for what, and how a person changes it.

Pages keep a mapping as text (`mapping_text`); its shape is the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from nobishiro.contracts.errors import BadInput, MappingIncomplete, UnknownName
from nobishiro.contracts.tables import TABLES, Column, ColumnType
from nobishiro.engine.intake.choices import choice_label
from nobishiro.engine.intake.guessing import ColumnGuess, guess_mapping
from nobishiro.engine.intake.headers import find_headers
from nobishiro.engine.intake.mapping import ColumnMapping, check_mapping, list_mappings, load_mapping, save_mapping
from nobishiro.engine.intake.presets import Preset, list_presets
from nobishiro.engine.intake.raw import RawTable
from nobishiro.engine.intake.rows import missing_columns
from nobishiro.pipelines.import_file import choose_reading, find_mapping
from nobishiro.pipelines.upload_reading import load_raw

_LOOKED_AT: Final = 5_000
"""Rows from which columns are guessed."""
SURE: Final = 0.6
"""From this confidence a required column needs no look."""
ALL_PRODUCTS: Final = "全商品"
"""Stands for the product in sales by customer and month that name none."""
FURTHER: Final[Mapping[str, str]] = {
    "customers": "customer_id",
    "products": "product_id",
    "reps": "rep_id",
    "divisions": "division_id",
}
"""Tables that rows about something else may feed as well, and the code that points there."""
_NAME_FOR_CODE: Final = {"customer_id": ("customers", "name"), "product_id": ("products", "name"),
                         "rep_id": ("reps", "name"), "division_id": ("divisions", "name")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """One header as the page of columns shows it."""

    header: str
    use: str
    """`table.column`, empty when nothing is made of it."""
    also: tuple[str, ...]
    """Further uses of the same header: a customer's code is a key of the customers, too."""
    confidence: float | None
    """0–1; None where the mapping was chosen, not guessed."""
    why: str
    samples: tuple[str, ...]
    filled: float
    is_required: bool


@dataclass(frozen=True, slots=True)
class MissingColumn:
    """A required column nothing in the file stands for."""

    name: str
    ja: str
    en: str
    choices: tuple[tuple[str, str], ...]
    """(value, Japanese label) where only certain values are allowed."""


@dataclass(frozen=True, slots=True)
class ShownMapping:
    """A mapping as the page of columns shows it."""

    table: str
    columns: tuple[ShownColumn, ...]
    missing: tuple[MissingColumn, ...]
    tables: tuple[str, ...]
    """Tables the rows go into, the main one first."""
    constants: tuple[tuple[str, str], ...]
    tax: str
    date_order: str
    is_exact: bool
    confidence: float
    """Of the least certain required column; 1 for chosen mappings."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file is taken for."""

    text: str
    """The mapping, as pages keep it."""
    origin: str
    """own (our own export), saved, preset or guess."""
    name: str
    """Of the saved mapping or preset."""


@dataclass(frozen=True, slots=True)
class NamedMapping:
    """A mapping that can be chosen."""

    name: str
    ja: str
    en: str
    is_preset: bool
    table: str


def mapping_text(mapping: ColumnMapping) -> str:
    """The mapping as text."""
    return msgspec.json.encode(mapping).decode()


def mapping_of(text: str) -> ColumnMapping:
    """The mapping a text holds, checked. Raises `BadInput`, `UnknownName`."""
    try:
        return check_mapping(msgspec.json.decode(text, type=ColumnMapping))
    except msgspec.MsgspecError as error:
        raise BadInput(f"the mapping cannot be read ({error}); choose the columns again") from error


def propose(workspace: Path, folder: Path, table: str = "", named: str = "") -> Proposal:
    """What the file in `folder` is taken for: our own export, a saved mapping, a preset, else a guess.

    `table` says what it is about, `named` asks for one saved mapping or preset. What is missing is not raised: the page
    shows it. Raises `UnknownName`.
    """
    raw = load_raw(folder, _LOOKED_AT)
    if named:
        mapping = find_mapping(workspace, named)
        return Proposal(mapping_text(mapping), "saved" if named in list_mappings(workspace) else "preset", named)
    if not table and (saved := _saved_for(raw, workspace)) is not None:
        return Proposal(mapping_text(saved), "saved", saved.name)
    try:
        chosen = choose_reading(raw, table or None, (), workspace)
    except MappingIncomplete:
        return Proposal(mapping_text(guess_mapping(raw.frame, table or None).mapping), "guess", "")
    if chosen.columns:
        mapping = chosen.mapping
        if raw.guess.layout == "cross" and not table and mapping.table != "order_lines":
            mapping = _sales_of_months(raw) or mapping
        return Proposal(mapping_text(mapping), "guess", "")
    return Proposal(mapping_text(chosen.mapping), "own" if chosen.mapping.exact else "preset", chosen.mapping.name)


def show_mapping(folder: Path, text: str, origin: str) -> ShownMapping:
    """The mapping header by header, with samples and how sure each guess is."""
    raw = load_raw(folder, _LOOKED_AT)
    mapping = mapping_of(text)
    uses = _uses(mapping, raw)
    guessed: dict[tuple[str, str], ColumnGuess] = {}
    if origin == "guess":
        guessed = {(g.header, f"{g.table}.{g.column}"): g for g in guess_mapping(raw.frame, mapping.table).columns}
    shown = tuple(_shown(raw.frame[header], uses.get(header, ()), guessed) for header in raw.frame.columns)
    missing = missing_columns(TABLES[mapping.table], mapping, raw.frame.columns)
    needed = [c.confidence for c in shown if c.is_required and c.use.startswith(f"{mapping.table}.")]
    sure = min([c if c is not None else 1.0 for c in needed] or [1.0])
    return ShownMapping(
        table=mapping.table,
        columns=shown,
        missing=tuple(_missing(column) for column in missing),
        tables=tuple(dict.fromkeys([mapping.table, *(further.table for further in mapping.also)])),
        constants=mapping.constants,
        tax=mapping.tax or "",
        date_order=mapping.date_order or "",
        is_exact=mapping.exact,
        confidence=0.0 if missing else sure,
    )


def change_mapping(
    folder: Path,
    text: str,
    uses: Sequence[str],
    *,
    constants: Mapping[str, str],
    tax: str = "",
    date_order: str = "",
) -> str:
    """The mapping after a person said what each header is; `uses` has `table.column` or nothing for each, in order.

    A header whose use is as before keeps all it was used for. Raises `UnknownName`, `BadInput`.
    """
    raw = load_raw(folder, 1)
    before = mapping_of(text)
    headers = raw.frame.columns
    if len(uses) != len(headers):
        raise BadInput("the file has other columns than the page showed; open the page again")
    known = _uses(before, raw)
    filled = {column: value for column, value in constants.items() if value}
    as_before = [known.get(header, ("",))[0] for header in headers]
    kept_constants = {column: value for column, value in before.constants if column not in constants}
    said = (tax or None, date_order or None, {**kept_constants, **filled})
    if list(uses) == as_before and said == (before.tax, before.date_order, dict(before.constants)):
        return text
    wanted: dict[str, list[tuple[str, str]]] = {}
    for header, use in zip(headers, uses, strict=True):
        now = known.get(header, ())
        kept = now if use and now and now[0] == use else ((use,) if use else ())
        for one in kept:
            table, _, column = one.partition(".")
            wanted.setdefault(table, []).append((header, column))
    main = _main(before, wanted)
    further = [_with_key(table, pairs, main) for table, pairs in wanted.items() if table != before.table]
    changed = msgspec.structs.replace(
        main,
        name="",
        also=tuple(m for m in further if len(m.columns) > 1),
        constants=tuple({**kept_constants, **filled}.items()),
        tax=tax or None,
        date_order=date_order or None,
    )
    return mapping_text(check_mapping(changed))


def with_table(workspace: Path, folder: Path, table: str) -> Proposal:
    """What the file is when it is about `table`. Raises `UnknownName`."""
    if table not in TABLES:
        raise UnknownName(f"there is no table {table!r}; there are {', '.join(TABLES)}")
    return propose(workspace, folder, table)


def keep_mapping(workspace: Path, text: str, name: str) -> None:
    """Save the mapping in the workspace under `name`. Raises `BadInput` for a name no file can have."""
    save_mapping(msgspec.structs.replace(mapping_of(text), name=name.strip()), workspace)


def named_mappings(workspace: Path) -> tuple[NamedMapping, ...]:
    """Saved mappings, then presets."""
    saved = list_mappings(workspace)
    own = [NamedMapping(name, name, name, False, load_mapping(name, workspace).table) for name in saved]
    presets = [p for p in list_presets((workspace / "presets",)) if p.name not in saved]
    return (*own, *(_named(preset) for preset in presets))


def column_choices(table: str) -> tuple[tuple[str, str, str, tuple[Column, ...]], ...]:
    """(table, ja, en, columns) a header may be taken for when the file is about `table`."""
    main = TABLES[table]
    pointed = [name for name, key in FURTHER.items() if name != table and key in main.column_names]
    return tuple(
        (
            name,
            TABLES[name].ja,
            TABLES[name].en,
            tuple(c for c in TABLES[name].columns if name == table or c.name != key),
        )
        for name, key in [(table, ""), *((name, FURTHER[name]) for name in pointed)]
    )


def _sales_of_months(raw: RawTable) -> ColumnMapping | None:
    """Months across the top are amounts: sales of all products together where no column names one; else None."""
    guess = guess_mapping(raw.frame, "order_lines")
    have = {column for _, column in guess.mapping.columns}
    if {column.name for column in guess.missing} != {"product_id"} or not {"amount", "customer_id"} <= have:
        return None
    return msgspec.structs.replace(guess.mapping, constants=(("product_id", ALL_PRODUCTS),))


def _named(preset: Preset) -> NamedMapping:
    return NamedMapping(preset.name, preset.ja, preset.en, True, preset.mapping.table)


def _saved_for(raw: RawTable, workspace: Path) -> ColumnMapping | None:
    """The saved mapping all of whose headers the file has; of several the one that knows most of them."""
    best: ColumnMapping | None = None
    most = 0
    for name in list_mappings(workspace):
        mapping = load_mapping(name, workspace)
        wanted = {header for part in (mapping, *mapping.also) for header, _ in part.columns}
        if wanted and len(wanted) > most and len(find_headers(wanted, raw.frame.columns)) == len(wanted):
            best, most = msgspec.structs.replace(mapping, name=name), len(wanted)
    return best


def _uses(mapping: ColumnMapping, raw: RawTable) -> dict[str, tuple[str, ...]]:
    """Header of the file → all it is used for, the main table's first; a code's own table comes last."""
    found: dict[str, list[str]] = {}
    for part in (mapping, *mapping.also):
        headers = find_headers((header for header, _ in part.columns), raw.frame.columns)
        for header, column in part.columns:
            if header in headers:
                uses = found.setdefault(headers[header], [])
                use = f"{part.table}.{column}"
                if use not in uses:
                    uses.append(use)
    return {header: tuple(_by_meaning(uses, mapping)) for header, uses in found.items()}


def _by_meaning(uses: list[str], mapping: ColumnMapping) -> list[str]:
    """A name that stands for a code is a name first."""
    for pointer, (table, column) in _NAME_FOR_CODE.items():
        if pointer in mapping.named and f"{mapping.table}.{pointer}" in uses and f"{table}.{column}" in uses:
            return [f"{table}.{column}", *(use for use in uses if use != f"{table}.{column}")]
    return uses


def _shown(values: pl.Series, uses: tuple[str, ...], guessed: Mapping[tuple[str, str], ColumnGuess]) -> ShownColumn:
    filled = values.drop_nulls()
    use = uses[0] if uses else ""
    guess = guessed.get((values.name, use))
    table, _, column = use.partition(".")
    return ShownColumn(
        header=values.name,
        use=use,
        also=uses[1:],
        confidence=None if guess is None else guess.confidence,
        why="" if guess is None else guess.why,
        samples=tuple(str(v)[:60] for v in filled.head(500).unique(maintain_order=True).head(4).to_list()),
        filled=filled.len() / values.len() if values.len() else 0.0,
        is_required=bool(use) and TABLES[table].column(column).required,
    )


def _missing(column: Column) -> MissingColumn:
    choices = tuple((choice, choice_label(choice)) for choice in column.choices)
    if column.type is ColumnType.FLAG:
        choices = (("true", "はい"), ("false", "いいえ"))
    return MissingColumn(column.name, column.ja, column.en, choices)


def _main(before: ColumnMapping, wanted: dict[str, list[tuple[str, str]]]) -> ColumnMapping:
    """The main table's part: the columns said, and names for codes the file does not have."""
    pairs = list(wanted.get(before.table, ()))
    have = {column for _, column in pairs}
    named = [column for column in before.named if column in have]
    for pointer, (table, column) in _NAME_FOR_CODE.items():
        if pointer not in TABLES[before.table].column_names or pointer in have or table == before.table:
            continue
        names = [header for header, other in wanted.get(table, ()) if other == column]
        if len(names) == 1:
            pairs.append((names[0], pointer))
            named.append(pointer)
    have = {column for _, column in pairs}
    return msgspec.structs.replace(
        before,
        columns=tuple(pairs),
        named=tuple(dict.fromkeys(named)),
        first_of=tuple(column for column in before.first_of if column in have),
        hashed=tuple(column for column in before.hashed if column in have),
        value_maps=tuple(entry for entry in before.value_maps if entry[0] in have),
        exact=before.exact and tuple(pairs) == before.columns,
        also=(),
    )


def _with_key(table: str, pairs: list[tuple[str, str]], main: ColumnMapping) -> ColumnMapping:
    """A further table's part, with the code by which the rows point to it."""
    pointer = FURTHER.get(table, "")
    if pointer and pointer not in {column for _, column in pairs}:
        pairs = [*((header, pointer) for header in main.headers_of(pointer)), *pairs]
    return ColumnMapping(table=table, columns=tuple(dict.fromkeys(pairs)))
