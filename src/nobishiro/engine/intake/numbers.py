"""Numbers as people write them: ¥1,234, １２３, ▲1,234, (1,234), 12.5%, 3百万円, 12個.

Every reading takes distinct texts and gives a value or a problem for each; nothing is guessed silently.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final

import polars as pl

SCALE: Final = 9
"""Decimals kept while reading; rounding to the column's own comes last."""

EMPTY_MARKS: Final = frozenset(
    ("", "-", "--", "―", "—", "–", "‐", "ー",
     "n/a", "#n/a", "na", "null", "none", "nan", "なし", "無し", "未定", "不明")
)  # fmt: skip
"""What stands for an empty cell in a column of numbers or dates (after NFKC, lower case)."""

_PLAIN: Final = r"^[+-]?(\d+\.?\d*|\.\d+)$"
_YEN: Final = r"^-?[¥￥\\]?-?\d{1,3}(,\d{3})*(\.\d+)?円?$"
_MINUS: Final = "-−‐‑–—―▲△"
_UNITS: Final = {
    "千": 1_000, "万": 10_000, "百万": 1_000_000, "千万": 10_000_000, "億": 100_000_000, "十億": 1_000_000_000,
}  # fmt: skip
_NUMBER: Final = re.compile(
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?P<exponent>e[+-]?\d{1,3})?"
    r"(?P<unit>十億|億|百万|千万|千|万)?"
    r"(?P<counter>円|yen|jpy|%|個|本|台|枚|式|箱|冊|件|人|名|社|点|回|席|分|時間|日|セット|ケース|pcs|h|min)?"
)

_LENGTH: Final = re.compile(
    r"(?P<clock>\d{1,3}):(?P<past>[0-5]\d)(?::(?P<seconds>[0-5]\d)(?:\.\d+)?)?"
    r"|(?:(?P<hours>\d+(?:\.\d+)?)(?:時間|hours?|hrs?|h))?(?:(?P<minutes>\d+(?:\.\d+)?)(?:分間?|minutes?|mins?|m))?"
)


def parse_number(text: str) -> tuple[Decimal, bool] | None:
    """The number a text stands for and whether it was written as a percentage; None when it is no number."""
    t = unicodedata.normalize("NFKC", text).strip().replace(" ", "").lower()
    negative = False
    if len(t) > 2 and t[0] == "(" and t[-1] == ")":
        negative, t = True, t[1:-1]
    money = False
    while t and (t[0] in _MINUS or t[0] in "+¥\\$€£"):
        if t[0] in _MINUS:
            if negative:
                return None
            negative = True
        money = money or t[0] in "¥\\"
        t = t[1:]
    if t and t[-1] == "-":
        # "¥1,234-" closes an amount so that nobody adds digits; without a yen sign it is an accountant's minus.
        t = t[:-1]
        if not money:
            if negative:
                return None
            negative = True
    match = _NUMBER.fullmatch(t)
    if match is None:
        return None
    try:
        value = Decimal(match["digits"].replace(",", "") + (match["exponent"] or ""))
    except InvalidOperation:
        return None
    value *= _UNITS.get(match["unit"] or "", 1)
    return (-value if negative else value), match["counter"] == "%"


def parse_minutes(text: str) -> float | None:
    """Minutes of a length of time with its units or a colon (1:30, 1時間30分, 90分, 1.5h); None for anything else.

    A plain number is none: its unit stands elsewhere.
    """
    match = _LENGTH.fullmatch(unicodedata.normalize("NFKC", text).strip().replace(" ", "").lower())
    if match is None or not any(match.groups()):
        return None
    if match["clock"]:
        return int(match["clock"]) * 60.0 + int(match["past"]) + int(match["seconds"] or 0) / 60
    return float(match["hours"] or 0) * 60 + float(match["minutes"] or 0)


def is_empty_mark(texts: pl.Series) -> pl.Series:
    """Which of these texts mean that nothing is there."""
    return texts.str.normalize("NFKC").str.strip_chars().str.to_lowercase().is_in(list(EMPTY_MARKS))


def read_numbers(texts: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Decimal(38, 9) values, whether each was a percentage, and whether each is unreadable; an empty mark is null.

    `texts` has no nulls. A percentage keeps its written number: 12.5% is 12.5.
    """
    plain = texts.str.contains(_PLAIN)
    values = texts.set(~plain, None).cast(pl.Decimal(38, SCALE), strict=False)
    percent = pl.repeat(False, texts.len(), dtype=pl.Boolean, eager=True)
    rest = values.is_null()
    if not rest.any():
        return values, percent, rest
    yen = rest & texts.str.contains(_YEN)
    stripped = texts.set(~yen, None).str.replace_all(r"[¥￥\\,円]", "")
    values = values.zip_with(~yen, stripped.cast(pl.Decimal(38, SCALE), strict=False))
    rest = values.is_null()
    if not rest.any():
        return values, percent, rest
    at = rest.arg_true()
    left = texts.gather(at)
    empty = is_empty_mark(left)
    parsed = [parse_number(text) for text in left.to_list()]
    limit = Decimal(10) ** (38 - SCALE)
    fits = [entry is not None and abs(entry[0]) < limit for entry in parsed]
    read = pl.Series(
        [
            entry[0].quantize(Decimal(1).scaleb(-SCALE)) if ok and entry else None
            for entry, ok in zip(parsed, fits, strict=True)
        ],
        dtype=pl.Decimal(38, SCALE),
    )
    values = values.scatter(at, read)
    percent = percent.scatter(at, pl.Series([bool(entry and entry[1]) for entry in parsed], dtype=pl.Boolean))
    bad = pl.repeat(False, texts.len(), dtype=pl.Boolean, eager=True).scatter(at, read.is_null() & ~empty)
    return values, percent, bad


def round_decimals(values: pl.Series, scale: int) -> tuple[pl.Series, pl.Series]:
    """Decimal(18, scale), halves away from zero as invoices round, and which values do not fit into 18 digits."""
    rounded = values.round(scale, mode="half_away_from_zero").cast(pl.Decimal(18, scale), strict=False)
    return rounded, rounded.is_null() & values.is_not_null()
