"""What the engine says, in Japanese: errors, reasons of rejected rows, notes, and why a column was guessed.

The engine words everything in English and knows no other language. `wording.ja.toml` beside this module lists those
texts with named gaps and how a Japanese colleague would say them; a test holds the list to the code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import polars as pl

JOINT: Final = " / "
"""What stands between several problems of one row."""
_GAP: Final = re.compile(r"\{(\w+)(\*?)\}")
_ENDING: Final = 6
"""Characters at the end of a text by which its message is looked up."""
_VALUE: Final = re.compile(r'"[^"\x00]*"')
_KEPT: Final = re.compile("\x00([0-9]+)\x00")


@dataclass(frozen=True, slots=True)
class _Message:
    """One English text with gaps and its Japanese."""

    literals: tuple[str, ...]
    """The fixed pieces, in order; the quick look before the pattern is tried."""
    pattern: re.Pattern[str]
    inner: frozenset[str]
    """Gaps whose content is put into Japanese too."""
    japanese: tuple[str, ...]
    """Fixed pieces and names of gaps in turn."""
    ending: str
    """The last characters of every such text; empty when it ends in a gap."""


@dataclass(frozen=True, slots=True)
class _Wording:
    by_ending: Mapping[str, tuple[_Message, ...]]
    """Last characters of a text → the messages it can be, those that end in a gap among them."""
    open_ended: tuple[_Message, ...]
    """Messages that end in a gap or in few fixed characters: what a text with any other ending can be."""
    words: Mapping[str, str]


def in_japanese(text: str) -> str:
    """`text` in Japanese; what stands in its gaps (headers, values, file names) stays as it is.

    Several problems joined by " / " are put into Japanese one by one. A text nothing fits comes back unchanged.
    """
    parts = text.split(JOINT)
    if len(parts) > 1:
        translated, complete = _piecewise(parts)
        if complete:
            return translated
        whole = _translate(text)
        return translated if whole is None else whole
    whole = _translate(text)
    return text if whole is None else whole


def word(text: str, language: str) -> str:
    """`text`, which is English, in `language`: ja or en."""
    return in_japanese(text) if language == "ja" else text


def word_column(frame: pl.DataFrame, column: str, language: str) -> pl.DataFrame:
    """`frame` with the texts of one column in `language`; texts that differ in quoted values alone are worded once."""
    if language != "ja" or frame.is_empty():
        return frame
    worded: dict[str, str] = {}
    japanese = [None if text is None else _word_shape(text, worded) for text in frame[column]]
    return frame.with_columns(pl.Series(column, japanese, dtype=pl.String))


def _word_shape(text: str, worded: dict[str, str]) -> str:
    """`text` in Japanese, by what was worded before: its quoted values are taken out, and put back afterwards."""
    if "\x00" in text:
        return in_japanese(text)
    values: list[str] = []

    def keep(match: re.Match[str]) -> str:
        values.append(match.group())
        return f"\x00{len(values) - 1}\x00"

    shape = _VALUE.sub(keep, text)
    if shape not in worded:
        worded[shape] = in_japanese(shape)
    if worded[shape] == shape:
        return in_japanese(text)  # a message whose own words stand in quotes
    return _KEPT.sub(lambda match: values[int(match.group(1))], worded[shape])


def _piecewise(parts: list[str]) -> tuple[str, bool]:
    """Each shortest run of parts that is a message in Japanese, and whether all of them are one.

    A value may hold the joint itself, so a message may take several parts.
    """
    said: list[str] = []
    complete, at = True, 0
    while at < len(parts):
        for end in range(at + 1, len(parts) + 1):
            japanese = _translate(JOINT.join(parts[at:end]))
            if japanese is not None:
                said.append(japanese)
                at = end
                break
        else:
            said.append(parts[at])
            complete, at = False, at + 1
    return JOINT.join(said), complete


def _translate(text: str) -> str | None:
    """One message in Japanese, with or without a header or a table's name in front; None when nothing fits."""
    found = _fit(text)
    if found is not None:
        return found
    at = text.find(": ")
    while at >= 0:
        found = _fit(text[at + 2 :])
        if found is not None:
            return f"{text[:at]}: {found}"
        at = text.find(": ", at + 2)
    return None


def _fit(text: str) -> str | None:
    wording = _wording()
    for message in wording.by_ending.get(text[-_ENDING:], wording.open_ended):
        if not _holds(text, message.literals):
            continue
        match = message.pattern.fullmatch(text)
        if match is not None:
            gaps = {name: _gap(value) if name in message.inner else value for name, value in match.groupdict().items()}
            pieces = message.japanese
            return "".join(gaps[piece] if at % 2 else piece for at, piece in enumerate(pieces))
    return None


def _holds(text: str, literals: tuple[str, ...]) -> bool:
    at = 0
    for literal in literals:
        at = text.find(literal, at)
        if at < 0:
            return False
        at += len(literal)
    return True


def _gap(text: str) -> str:
    """The content of a gap: a word we know, several messages joined by "; ", or one."""
    words = _wording().words
    if text in words:
        return words[text]
    parts = [_translate(part) for part in text.split("; ")]
    if len(parts) > 1 and None not in parts:
        return "、".join(part for part in parts if part is not None)
    return in_japanese(text)


@cache
def _wording() -> _Wording:
    content = resources.files("nobishiro.pipelines").joinpath("wording.ja.toml").read_text(encoding="utf-8")
    listed = tomllib.loads(content)
    messages = [_compile(english, japanese) for english, japanese in listed["messages"].items()]
    messages.sort(key=lambda message: (not message.inner, -sum(map(len, message.literals))))
    endings = [message.ending for message in messages]
    open_ended = tuple(message for message, ending in zip(messages, endings, strict=True) if not ending)
    by_ending = {
        known: tuple(message for message, ending in zip(messages, endings, strict=True) if ending in ("", known))
        for known in set(endings) - {""}
    }
    return _Wording(by_ending, open_ended, listed["words"])


def _compile(english: str, japanese: str) -> _Message:
    pieces = _GAP.split(english)  # literal, name, star, literal, name, star, … literal
    literals, names, stars = pieces[0::3], pieces[1::3], pieces[2::3]
    pattern = re.escape(literals[0])
    for name, literal in zip(names, literals[1:], strict=True):
        pattern += f"(?P<{name}>.+?){re.escape(literal)}"
    unknown = set(_GAP.split(japanese)[1::3]) - set(names)
    if unknown:
        raise ValueError(f"wording.ja.toml: {english!r} has no gap {', '.join(sorted(unknown))}")
    return _Message(
        tuple(literal for literal in literals if literal),
        re.compile(pattern, re.DOTALL),
        frozenset(name for name, star in zip(names, stars, strict=True) if star),
        tuple(piece for at, piece in enumerate(_GAP.split(japanese)) if at % 3 != 2),
        literals[-1][-_ENDING:] if len(literals[-1]) >= _ENDING else "",
    )
