"""The words headers are known by, from `synonyms.toml` and the labels of the canonical tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, cast

from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.headers import header_key

HOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "customer_id": "customers",
        "product_id": "products",
        "rep_id": "reps",
        "division_id": "divisions",
        "contact_id": "contacts",
        "household_id": "households",
        "family": "products",
    }
)
"""Columns that point to another table, whose words they share."""

LABEL: Final = 1.0
_FIRST_WORD, _STEP, _ALONE = 0.97, 0.0005, 0.07


@dataclass(frozen=True, slots=True)
class TableWords:
    """What one table's columns are called: key → (column, confidence)."""

    anywhere: Mapping[str, tuple[tuple[str, float], ...]]
    """Known in any file."""
    as_main: Mapping[str, tuple[tuple[str, float], ...]]
    """Known when the table is what the file is about."""
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    """(column, keys that are joined)."""


@cache
def table_words(table: str) -> TableWords:
    """The words of one canonical table; earlier synonyms count a little more than later ones."""
    synonyms = _synonyms()
    own = synonyms.get(table, {})
    anywhere: dict[str, list[tuple[str, float]]] = {}
    alone: dict[str, list[tuple[str, float]]] = {}
    for column in TABLES[table].columns:
        home = synonyms.get(HOMES.get(column.name, ""), {}) if HOMES.get(column.name) != table else {}
        words = (*_list(own, column.name), *_list(home, column.name))
        labels = (column.name, column.ja, column.en)
        target = anywhere if len(column.en) > 2 else alone
        for label in labels:
            _add(anywhere if label == column.name else alone, label, column.name, LABEL)
        for place, word in enumerate(words):
            _add(target, word, column.name, _FIRST_WORD - place * _STEP)
        for place, word in enumerate(_list(_section(own, "alone"), column.name)):
            _add(alone, word, column.name, _FIRST_WORD - _ALONE - place * _STEP)
    parts = [
        (column, tuple(header_key(part) for part in group))
        for column, groups in _section(own, "parts").items()
        for group in cast("list[list[str]]", groups)
    ]
    return TableWords(_frozen(anywhere), _frozen(alone), tuple(parts))


@cache
def end_customer_names() -> frozenset[str]:
    """Keys of headers that hold the name of who uses what a dealer bought."""
    return frozenset(header_key(word) for word in _list(_synonyms()["end_customers"], "name"))


@cache
def _synonyms() -> Mapping[str, Mapping[str, object]]:
    return MappingProxyType(tomllib.loads(files(__package__).joinpath("synonyms.toml").read_text("utf-8")))


def _section(table: Mapping[str, object], name: str) -> Mapping[str, object]:
    return cast("Mapping[str, object]", table.get(name, {}))


def _list(table: Mapping[str, object], column: str) -> tuple[str, ...]:
    words = table.get(column, ())
    return tuple(cast("list[str]", words)) if isinstance(words, list) else ()


def _add(words: dict[str, list[tuple[str, float]]], word: str, column: str, confidence: float) -> None:
    entries = words.setdefault(header_key(word), [])
    if all(known != column for known, _ in entries):
        entries.append((column, confidence))


def _frozen(words: dict[str, list[tuple[str, float]]]) -> Mapping[str, tuple[tuple[str, float], ...]]:
    return MappingProxyType({key: tuple(entries) for key, entries in words.items()})
