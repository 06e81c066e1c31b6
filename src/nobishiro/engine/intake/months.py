"""Months as people write them above the columns of a cross table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_ERAS: Final = {"令和": 2018, "平成": 1988, "昭和": 1925, "R": 2018, "H": 1988, "S": 1925}
_ENGLISH: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ENGLISH_FULL: Final = (
    *("january", "february", "march", "april", "june", "july", "august"),
    *("september", "october", "november", "december", "sept"),
)
_TAIL: Final = r"\s*(?:度|分|期)?\s*(?P<rest>\D*)$"
_FIRST_DAY: Final = re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.]0?1(?:[ T]00:00(?::00)?)?(?P<rest>)$")
_PATTERNS: Final = (
    re.compile(r"(?P<y>\d{4})\s*年\s*(?P<m>\d{1,2})\s*月" + _TAIL),
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})(?P<rest>)$"),
    re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<rest>)$"),
    re.compile(r"(?P<era>令和|平成|昭和|[RHS])\s*(?P<n>\d{1,2}|元)\s*[年./-]\s*(?P<m>\d{1,2})\s*月?" + _TAIL),
    re.compile(r"'?(?P<yy>\d{2})\s*年\s*(?P<m>\d{1,2})\s*月" + _TAIL),
    re.compile(r"'?(?P<yy>\d{2})/(?P<m>\d{1,2})(?P<rest>)$"),
    re.compile(r"(?P<name>[A-Za-z]{3,9})\.?[-\s/']*(?P<y>\d{4})(?P<rest>)$"),
    re.compile(r"(?P<name>[A-Za-z]{3,9})\.?[-\s/']*(?P<yy>\d{2})(?P<rest>)$"),
    re.compile(r"(?P<y>\d{4})[-\s/](?P<name>[A-Za-z]{3,9})(?P<rest>)$"),
    re.compile(r"(?P<m>\d{1,2})\s*月" + _TAIL),
    re.compile(r"(?P<name>[A-Za-z]{3,9})\.?(?P<rest>)$"),
)
_FISCAL: Final = re.compile(
    r"(?:(?P<y>\d{4})|(?P<era>令和|平成|昭和|[RHS])\s*(?P<n>\d{1,2}|元))\s*年(?P<fiscal>度)?|FY\s*'?(?P<fy>\d{4}|\d{2})"
)


@dataclass(frozen=True, slots=True)
class MonthLabel:
    """A month named by a header; `year` is None where only the month stands, `rest` what follows it (売上, 数量 …)."""

    year: int | None
    month: int
    rest: str = ""


@dataclass(frozen=True, slots=True)
class YearLabel:
    """A year named by a title; `fiscal` when it says 年度 or FY."""

    year: int
    fiscal: bool
    text: str


def parse_month(label: str | None) -> MonthLabel | None:
    """The month `label` names, else None: 2025年4月, 2025/04, 202504, 令和7年4月, R7.4, 4月, Apr-25 …"""
    if label is None:
        return None
    text = unicodedata.normalize("NFKC", label).strip()
    if not text or len(text) > 30:
        return None
    for pattern in (_FIRST_DAY, *_PATTERNS):
        found = pattern.match(text)
        if found is None:
            continue
        parts = found.groupdict()
        month = _month_number(parts)
        if month is None:
            continue
        year = _year_number(parts)
        if year is not None and not 1950 <= year <= 2100:
            continue
        return MonthLabel(year, month, parts["rest"].strip(" 　()[]_-:"))
    return None


def parse_year(text: str | None) -> YearLabel | None:
    """The last year `text` names (2025年度, 2025年, 令和7年度, FY2025), else None."""
    if text is None:
        return None
    last = None
    for found in _FISCAL.finditer(unicodedata.normalize("NFKC", text)):
        parts = found.groupdict()
        if parts["fy"] is not None:
            year: int | None = int(parts["fy"]) if len(parts["fy"]) == 4 else 2000 + int(parts["fy"])
            fiscal = True
        else:
            year, fiscal = _year_number(parts), parts["fiscal"] is not None
        if year is not None and 1950 <= year <= 2100:
            last = YearLabel(year, fiscal, found.group(0))
    return last


def number_months(months: Sequence[int], year: YearLabel) -> list[str]:
    """`YYYY-MM` for months without a year, left to right; the year turns where a month is smaller than the last.

    A fiscal year is taken to begin in April when the first month is January to March and the table holds nothing else.
    """
    now = year.year + (1 if year.fiscal and max(months) <= 3 else 0)
    numbered = []
    last = 0
    for month in months:
        if month < last:
            now += 1
        last = month
        numbered.append(f"{now:04d}-{month:02d}")
    return numbered


def _month_number(parts: dict[str, str | None]) -> int | None:
    name = parts.get("name")
    if name is not None:
        short = name.lower()[:3]
        known = name.lower() in (*_ENGLISH, *_ENGLISH_FULL)
        return _ENGLISH.index(short) + 1 if known else None
    month = int(parts["m"] or 0)
    return month if 1 <= month <= 12 else None


def _year_number(parts: dict[str, str | None]) -> int | None:
    if parts.get("y"):
        return int(parts["y"] or 0)
    if parts.get("yy"):
        return 2000 + int(parts["yy"] or 0)
    if parts.get("era"):
        count = parts["n"] or "1"
        return _ERAS[parts["era"] or ""] + (1 if count == "元" else int(count))
    return None
