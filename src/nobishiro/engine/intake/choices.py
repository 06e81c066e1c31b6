"""The words people use for a column's allowed values and for yes and no; read from `choices.toml`."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from nobishiro.contracts.tables import Column


def word_key(text: str) -> str:
    """How two labels are compared: NFKC, lower case, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


@cache
def _words() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    parsed = tomllib.loads(files(__package__).joinpath("choices.toml").read_text("utf-8"))
    return (
        MappingProxyType({key: tuple(words) for key, words in parsed["flag"].items()}),
        MappingProxyType({key: tuple(words) for key, words in parsed["choice"].items()}),
    )


@cache
def flag_words() -> Mapping[str, bool]:
    """Yes and no by `word_key`."""
    flags, _ = _words()
    return MappingProxyType({word_key(word): name == "true" for name, words in flags.items() for word in words})


@cache
def choice_words(column: Column) -> Mapping[str, str]:
    """The allowed value each known word stands for, by `word_key`; the value itself is a word as well."""
    _, choices = _words()
    words: dict[str, str] = {}
    for choice in column.choices:
        for word in choices.get(choice, ()):
            words.setdefault(word_key(word), choice)
    for choice in column.choices:
        words[word_key(choice)] = choice
    return MappingProxyType(words)


def choice_label(choice: str) -> str:
    """The first Japanese word of an allowed value, the value itself when there is none."""
    _, choices = _words()
    return next(iter(choices.get(choice, ())), choice)
