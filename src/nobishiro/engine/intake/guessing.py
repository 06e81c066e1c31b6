"""Which table a file is and what its columns mean, guessed from headers in both languages and from the values.

The guess is shown with a confidence and a reason for each column; the user changes what is wrong and saves the mapping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

import polars as pl
from rapidfuzz import fuzz

from nobishiro.contracts.errors import UnknownName
from nobishiro.contracts.tables import TABLES, Column, ColumnType, Table
from nobishiro.engine.intake.headers import Header, read_header
from nobishiro.engine.intake.mapping import ColumnMapping
from nobishiro.engine.intake.rows import missing_columns
from nobishiro.engine.intake.values import ValueRules, clean_column
from nobishiro.engine.intake.vocabulary import HOMES, TableWords, end_customer_names, table_words

_SAMPLE: Final = 300
_FUZZY: Final = 88.0
_OTHER_PARTY: Final = re.compile(
    r"^(配送先|お?届け?先|送付先|発送先|送り主|納品先|shipping|shipto|delivery|仕入先|supplier|vendor)"
)
_LENIENT: Final = ValueRules(latest_day=date(2200, 1, 1), earliest_day=date(1900, 1, 1), max_quantity=1e15)
_NAME_AS_CODE: Final = {
    "customer_id": ("customers", ("name",)),
    "product_id": ("products", ("name", "family", "category")),
    "rep_id": ("reps", ("name",)),
    "division_id": ("divisions", ("name",)),
}
"""Where a file has no code, the name (for a product at last its family) stands for it."""
_KNOWN: Final = 0.9
"""From this confidence a header is a known word."""
_LEAST: Final = 0.3
"""Readings less certain are none."""
_BESIDE: Final = 0.9
"""What a column of a further table counts for an event's table; a little less than for its own."""
_FURTHER: Final = ("customer_id", "product_id", "rep_id", "division_id")


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """One header and what it was taken for."""

    header: str
    table: str
    column: str
    confidence: float
    """0–1: 1.0 the canonical name itself, from 0.9 a known word, below 0.7 worth a look."""
    why: str
    alternatives: tuple[tuple[str, str, float], ...]
    """(table, column, confidence) of other readings, best first."""


@dataclass(frozen=True, slots=True)
class MappingGuess:
    """The mapping proposed for a file, and how sure each part is."""

    mapping: ColumnMapping
    columns: tuple[ColumnGuess, ...]
    unmapped: tuple[str, ...]
    """Headers nothing is made of."""
    missing: tuple[Column, ...]
    """Required columns without a counterpart; the mapping cannot be used until they are named."""
    tables: tuple[tuple[str, float], ...]
    """Canonical tables by how well the headers fit, best first."""

    @property
    def confidence(self) -> float:
        """The least certain required column's confidence; 0 when one is missing."""
        if self.missing:
            return 0.0
        table = TABLES[self.mapping.table]
        needed = {column.name for column in table.columns if column.required}
        own = [guess.confidence for guess in self.columns if guess.table == table.name]
        return min([g.confidence for g in self.columns if g.table == table.name and g.column in needed] or own or [0.0])


@dataclass(frozen=True, slots=True)
class _Match:
    headers: tuple[str, ...]
    column: str
    confidence: float
    why: str
    by_name: bool = False
    """A name stands for the code the file does not have."""


def guess_mapping(frame: pl.DataFrame, table: str | None = None) -> MappingGuess:
    """The most likely mapping of a file with these headers and values; `table` says what it is about, if known.

    Never raises for a strange file: what cannot be told is in `missing` and `unmapped`. Raises `UnknownName` for a
    table that does not exist.
    """
    if table is not None and table not in TABLES:
        raise UnknownName(f"there is no table {table!r}; there are {', '.join(TABLES)}")
    headers = tuple(read_header(name) for name in frame.columns if not name.startswith("_"))
    evidence = _Evidence(frame)
    scores = _score_tables(headers, evidence)
    main = table or (scores[0][0] if scores else "order_lines")
    matches = _assign(TABLES[main], headers, evidence, as_main=True)
    matches = _complete_dates(TABLES[main], matches, headers, evidence)
    matches = _names_for_codes(TABLES[main], matches, headers, evidence)
    matches, end_customers = _end_customers(matches, headers)
    further = _further_tables(TABLES[main], matches, headers, evidence)
    mapping = ColumnMapping(
        table=main,
        columns=tuple((header, match.column) for match in matches for header in match.headers),
        named=tuple(match.column for match in matches if match.by_name),
        tax=next((h.tax for h in headers if h.tax and any(h.text in match.headers for match in matches)), None),
        also=tuple(
            ColumnMapping(table=name, columns=tuple((h, match.column) for match in found for h in match.headers))
            for name, found in [*further.items(), *(("customers", found) for found in end_customers)]
        ),
    )
    all_matches = [(main, matches), *further.items(), *(("customers", found) for found in end_customers)]
    guesses = tuple(
        ColumnGuess(h, name, match.column, round(match.confidence, 3), match.why, _alternatives(h, name, match, main))
        for name, found in all_matches
        for match in found
        for h in match.headers
    )
    used = {guess.header for guess in guesses}
    return MappingGuess(
        mapping=mapping,
        columns=guesses,
        unmapped=tuple(name for name in frame.columns if name not in used),
        missing=missing_columns(TABLES[main], mapping, frame.columns),
        tables=tuple(scores),
    )


class _Evidence:
    """How well the values of a header fit a column type, read from a sample once."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._shares: dict[tuple[str, ColumnType, tuple[str, ...]], float | None] = {}

    def share(self, header: str, column: Column) -> float | None:
        """Share of the sampled values that read as the column's type; None when any text does, or nothing is there."""
        if column.type is ColumnType.TEXT and not column.choices:
            return None
        key = (header, column.type, column.choices)
        if key not in self._shares:
            values = self._frame[header].drop_nulls().head(_SAMPLE)
            if values.dtype == pl.String:
                values = values.filter(values.str.strip_chars() != "")
            if values.len():
                cleaned = clean_column(values, column, _LENIENT)
                self._shares[key] = cleaned.values.is_not_null().mean()  # type: ignore[assignment]
            else:
                self._shares[key] = None
        return self._shares[key]

    def looks_like_days(self, header: str) -> bool:
        """Whether nearly all values are dates and cannot be plain numbers."""
        values = self._frame[header].drop_nulls().head(_SAMPLE)
        if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
            return True
        if values.dtype != pl.String or not values.len():
            return False
        marked = values.str.contains(r"\d\D+\d")
        share = self.share(header, TABLES["order_lines"].column("ordered_at"))
        return bool(marked.mean() == 1.0 and share is not None and share >= 0.9)


def _score_tables(headers: Sequence[Header], evidence: _Evidence) -> list[tuple[str, float]]:
    """Tables by the headers they explain: words that few tables know count more, pointers to other tables little."""
    assigned = {name: _assign(table, headers, evidence, as_main=True, fuzzy=False) for name, table in TABLES.items()}
    rarity: dict[str, int] = {}
    for name, matches in assigned.items():
        for match in matches:
            if HOMES.get(match.column, name) == name:
                for header in match.headers:
                    rarity[header] = rarity.get(header, 0) + 1
    scores = []
    for name, matches in assigned.items():
        table = TABLES[name]
        score = 0.0
        for match in matches:
            pointer = HOMES.get(match.column, name) != name
            share = 1.0 / max(rarity.get(header, 1) for header in match.headers)
            score += match.confidence * (0.15 if pointer else 0.25 + 0.75 * share)
        found = _names_for_codes(table, _complete_dates(table, matches, headers, evidence), headers, evidence)
        if any(match.column in _moments(table) for match in found):
            # Something happened on a day: what the rows say about customers and products comes with it.
            further = _further_tables(table, found, headers, evidence)
            score += _BESIDE * sum(len(entries) - 1 for entries in further.values())
        mapping = ColumnMapping(table=name, columns=tuple((h, m.column) for m in found for h in m.headers))
        lacking = len(missing_columns(table, mapping, [header.text for header in headers]))
        own = [match for match in matches if HOMES.get(match.column, name) == name]
        if matches and own:
            scores.append((name, round(score - 1.5 * lacking, 4)))
    return sorted(scores, key=lambda entry: -entry[1])


def _moments(table: Table) -> frozenset[str]:
    return frozenset(c.name for c in table.columns if c.required and c.type is ColumnType.MOMENT)


def _assign(
    table: Table, headers: Sequence[Header], evidence: _Evidence, *, as_main: bool, fuzzy: bool = True
) -> list[_Match]:
    """At most one reading a header and one header (or one joined group) a column, the surest first."""
    words = table_words(table.name)
    candidates: list[_Match] = list(_joined(table, words, headers))
    for header in headers:
        for column, confidence in _exact(words, header.key, as_main):
            candidates.append(_weigh(table, header, column, confidence, evidence))
            if fuzzy and confidence >= _KNOWN and table.column(column).required:
                # Where no value reads, each row is to say so; without the column only "there is none" could be said.
                candidates[-1] = replace(candidates[-1], confidence=max(candidates[-1].confidence, _LEAST))
        if fuzzy and not any(header.text in candidate.headers for candidate in candidates):
            candidates += [_weigh(table, header, c, s, evidence) for c, s in _near(words, header.key, as_main)]
    order = {column: place for place, column in enumerate(table.column_names)}
    candidates = [candidate for candidate in candidates if candidate.confidence >= _LEAST]
    candidates.sort(key=lambda c: (-len(c.headers), -c.confidence, order[c.column]))
    taken: set[str] = set()
    filled: set[str] = set()
    chosen: list[_Match] = []
    for candidate in candidates:
        if candidate.column in filled or taken & set(candidate.headers):
            continue
        chosen.append(candidate)
        filled.add(candidate.column)
        taken |= set(candidate.headers)
    return sorted(chosen, key=lambda match: order[match.column])


def _exact(words: TableWords, key: str, as_main: bool) -> list[tuple[str, float]]:
    found = list(words.anywhere.get(key, ()))
    if as_main:
        known = {column for column, _ in found}
        found += [(column, confidence) for column, confidence in words.as_main.get(key, ()) if column not in known]
    return found


def _near(words: TableWords, key: str, as_main: bool) -> list[tuple[str, float]]:
    """Readings of a header that is nearly, or ends in, a known word."""
    if len(key) < 3 or _OTHER_PARTY.match(key):
        return []
    found: dict[str, float] = {}
    for word, entries in words.anywhere.items():
        if len(word) < 3:
            continue
        if key.endswith(word) and len(word) >= 4:
            likeness = 0.55
        elif len(word) >= 4 and fuzz.ratio(key, word) >= _FUZZY:
            likeness = 0.65
        else:
            continue
        for column, _ in entries:
            found[column] = max(found.get(column, 0.0), likeness)
    return sorted(found.items(), key=lambda entry: -entry[1])[:3]


def _joined(table: Table, words: TableWords, headers: Sequence[Header]) -> list[_Match]:
    by_key = {header.key: header.text for header in reversed(headers)}
    return [
        _Match(
            tuple(by_key[part] for part in parts), column, 0.93, "見出し" + "＋".join(f"「{by_key[p]}」" for p in parts)
        )
        for column, parts in words.parts
        if column in table.column_names and all(part in by_key for part in parts)
    ]


def _weigh(table: Table, header: Header, column: str, confidence: float, evidence: _Evidence) -> _Match:
    declared = table.column(column)
    share = evidence.share(header.text, declared)
    why = f"見出し「{header.text}」"
    if confidence < 0.7:
        why += " (似た見出し)"
    if share is not None:
        confidence *= 0.25 + 0.75 * share
        if share < 0.9:
            why += f"; only {share:.0%} of the values read as {declared.type.value}"
    return _Match((header.text,), column, confidence, why)


def _complete_dates(
    table: Table, matches: list[_Match], headers: Sequence[Header], evidence: _Evidence
) -> list[_Match]:
    """A required moment without a header is the only column whose values look like dates."""
    filled = {match.column for match in matches}
    used = {header for match in matches for header in match.headers}
    for column in table.columns:
        if column.required and column.type in (ColumnType.MOMENT, ColumnType.DAY) and column.name not in filled:
            days = [h.text for h in headers if h.text not in used and evidence.looks_like_days(h.text)]
            if len(days) == 1:
                used.add(days[0])
                matches = [*matches, _Match((days[0],), column.name, 0.5, "values look like dates")]
    return matches


def _names_for_codes(
    table: Table, matches: list[_Match], headers: Sequence[Header], evidence: _Evidence
) -> list[_Match]:
    """Pointers to other tables that have no code are filled from the name beside them."""
    filled = {match.column for match in matches}
    used = {header for match in matches for header in match.headers}
    added: list[_Match] = []
    for pointer, (home, columns) in _NAME_AS_CODE.items():
        if pointer not in table.column_names or pointer in filled or HOMES[pointer] == table.name:
            continue
        named = {m.column: m for m in _assign(TABLES[home], headers, evidence, as_main=False, fuzzy=False)}
        for column in columns:
            match = named.get(column)
            if match is not None and not used & set(match.headers):
                why = f"{match.why}: no code in the file, the {column} stands for it"
                added.append(_Match(match.headers, pointer, 0.7 * match.confidence, why, by_name=True))
                break
    return [*matches, *added]


def _end_customers(matches: list[_Match], headers: Sequence[Header]) -> tuple[list[_Match], list[list[_Match]]]:
    """Who uses what a dealer bought: its name beside the code, or for it; a customer of its own."""
    if not any(match.column == "ordered_at" for match in matches):
        return matches, []
    used = {header for match in matches for header in match.headers}
    name = next((h.text for h in headers if h.key in end_customer_names() and h.text not in used), None)
    if name is None:
        return matches, []
    why = f"見出し「{name}」"
    key = next((match for match in matches if match.column == "end_customer_id"), None)
    if key is None:
        key = _Match(
            (name,), "end_customer_id", 0.65, f"{why}: no code in the file, the name stands for it", by_name=True
        )
        matches = [*matches, key]
    return matches, [[_Match(key.headers, "customer_id", key.confidence, key.why), _Match((name,), "name", 0.9, why)]]


def _further_tables(
    table: Table, matches: list[_Match], headers: Sequence[Header], evidence: _Evidence
) -> Mapping[str, list[_Match]]:
    """What else the rows say about the customers, products, reps and divisions they point to."""
    keys = {match.column: match for match in matches if match.column in _FURTHER}
    used = {header for match in matches for header in match.headers}
    further: dict[str, list[_Match]] = {}
    for pointer, key in keys.items():
        home = HOMES[pointer]
        if home == table.name:
            continue
        free = [header for header in headers if header.text not in used]
        found = _assign(TABLES[home], free, evidence, as_main=False)
        found = [match for match in found if match.column not in HOMES or match.column == "family"]
        if key.by_name:
            found = [m for m in found if m.column != "name"]
            found.append(_Match(key.headers, "name", key.confidence, key.why))
            if home == "products" and key.why.endswith("the family stands for it"):
                found.append(_Match(key.headers, "family", key.confidence, key.why))
        if not any(match.column == "name" for match in found):
            continue
        further[home] = [_Match(key.headers, pointer, key.confidence, key.why), *found]
        used |= {header for match in found for header in match.headers}
    return MappingProxyType(further)


def _alternatives(header: str, table: str, match: _Match, main: str) -> tuple[tuple[str, str, float], ...]:
    key = read_header(header).key
    found = [
        (name, column, round(confidence, 3))
        for name in dict.fromkeys((table, main, *TABLES))
        for column, confidence in _exact(table_words(name), key, name in (table, main))
        if (name, column) != (table, match.column)
    ]
    return tuple(sorted(found, key=lambda entry: (entry[0] not in (table, main), -entry[2]))[:4])
