"""Every word of the report and the workbook, in both languages, from one data file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import cast

from nobishiro.contracts.errors import UnknownName


@cache
def load_texts() -> dict[str, dict[str, str]]:
    """`{"ja": {key: text}, "en": {key: text}}`, keys joined as `section.key`. Raises `UnknownName` on a half entry."""
    sections = cast(
        dict[str, dict[str, list[str]]],
        tomllib.loads((files("nobishiro.report") / "static" / "texts.toml").read_text(encoding="utf-8")),
    )
    ja: dict[str, str] = {}
    en: dict[str, str] = {}
    for section, entries in sections.items():
        for key, pair in entries.items():
            if len(pair) != 2 or not all(pair):
                raise UnknownName(f"texts.toml [{section}] {key}: give the Japanese and the English text")
            ja[f"{section}.{key}"], en[f"{section}.{key}"] = pair
    return {"ja": ja, "en": en}


def say(language: str, key: str, **values: object) -> str:
    """The text of `key` in `language` with `{name}` places filled; raises `UnknownName` when there is no such text."""
    try:
        text = load_texts()[language][key]
    except KeyError as unknown:
        raise UnknownName(f"no text {key!r} in {language!r}; add it to report/static/texts.toml") from unknown
    return text.format(**values) if values else text
