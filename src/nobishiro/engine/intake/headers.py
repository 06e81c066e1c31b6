"""Column headers as people and systems write them, and what they say beside the name: unit, tax, percent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_REMARK: Final = re.compile(r"\(※[^)]*\)|※.*$|[(\[【]\s*(?:必須|任意|required|optional)[^)\]】]*[)\]】]|[*＊]+")
_SHEET: Final = re.compile(r"\((?:シート名|顧客|案件|活動|名刺|売上|商品マスタ|案件商品)\)$")
_UNIT: Final = re.compile(
    r"[(\[【<〈]\s*(?:単位\s*[:=]?\s*)?(千円|百万円|万円|億円|円|yen|jpy|¥|％|%|税抜き?|税込み?|税別|税込価格|人|名|分|時間|個)\s*[)\]】>〉]"
)
_FORMAT: Final = re.compile(r"[(\[]\s*(?:yyyy|y{2})[^)\]]*[)\]]")
_FACTORS: Final = {"千円": 1_000, "万円": 10_000, "百万円": 1_000_000, "億円": 100_000_000}
_TAX: Final = {"税抜": "excluded", "税抜き": "excluded", "税別": "excluded", "税込": "included", "税込み": "included"}


@dataclass(frozen=True, slots=True)
class Header:
    """One header taken apart."""

    text: str
    """As the file writes it."""
    key: str
    """What it is compared by: NFKC, lower case, without remarks, units, blanks and joints."""
    multiplier: int = 1
    """1,000 for (千円)."""
    percent: bool = False
    tax: str | None = None
    """`included`, `excluded`, or None where the header does not say."""
    hours: bool = False
    """Lengths of time are in hours: 所要時間(時間)."""
    sheet: str | None = None
    """What a system writes behind a header to name the sheet it belongs to: (商品マスタ)."""


def read_header(text: str) -> Header:
    """Take a header apart; a header that is nothing but a remark keeps it as its name."""
    plain = unicodedata.normalize("NFKC", text).replace("\ufeff", "").strip().lower()
    remarked = _REMARK.sub("", plain).strip()
    sheet = _SHEET.search(remarked)
    shown = _SHEET.sub("", remarked).strip() or plain
    units = _UNIT.findall(shown)
    multiplier, percent, tax = 1, False, None
    for unit in units:
        multiplier = _FACTORS.get(unit, multiplier)
        percent = percent or unit == "%"
        tax = _TAX.get(unit, tax)
    name = _FORMAT.sub("", _UNIT.sub("", shown)) or shown
    key = re.sub(r"[\s_\-‐‑–—・/.:：,、#'\"]+", "", name)
    return Header(text, key or plain, multiplier, percent, tax, "時間" in units, sheet and sheet[0])


def header_key(text: str) -> str:
    """What two headers are compared by."""
    return read_header(text).key


def find_headers(wanted: Iterable[str], available: Iterable[str]) -> Mapping[str, str]:
    """For each wanted header the available one: the same text first, else the only or first one with the same key."""
    names = list(available)
    exact = set(names)
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(header_key(name), name)
    found: dict[str, str] = {}
    for name in wanted:
        if name in exact:
            found[name] = name
        elif (other := by_key.get(header_key(name))) is not None:
            found[name] = other
    return found
