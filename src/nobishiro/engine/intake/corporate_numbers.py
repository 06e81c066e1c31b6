"""法人番号: thirteen digits, the first of which checks the other twelve."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import polars as pl

_SEPARATORS: Final = re.compile(r"[\s\-‐‑‒–—―−ー・,.]")


def check_digit(twelve: str) -> int:
    """The check digit of the twelve digits that follow it: 9 − (Σ digit × 1, 2, 1, 2 … from the right) mod 9.

    National Tax Agency's rule; the answer is 1–9. Raises ValueError for anything but twelve ASCII digits.
    """
    if len(twelve) != 12 or not (twelve.isascii() and twelve.isdigit()):
        raise ValueError(f"{twelve!r} is not twelve digits")
    return 9 - sum(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(twelve))) % 9


def is_corporate_number(digits: str) -> bool:
    """Whether `digits` are thirteen ASCII digits with the right check digit."""
    if len(digits) != 13 or not (digits.isascii() and digits.isdigit()):
        return False
    return int(digits[0]) == check_digit(digits[1:])


def normalise_corporate_number(text: str | None) -> str | None:
    """The thirteen digits of a corporate number, or None when it is none (wrong length or check digit).

    Full-width digits, hyphens, spaces, the T of an invoice registration number (T1234567890123) and the `.0` a
    spreadsheet leaves are taken off.
    """
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = _SEPARATORS.sub("", plain.removesuffix(".0"))
    plain = plain[1:] if plain[:1] in ("T", "t") else plain
    return plain if is_corporate_number(plain) else None


def normalise_corporate_numbers(numbers: pl.Series) -> pl.Series:
    """`normalise_corporate_number` over a column, String, null where there is no valid number."""
    texts = numbers.cast(pl.String)
    distinct = texts.drop_nulls().unique(maintain_order=True)
    cleaned = pl.Series([normalise_corporate_number(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, cleaned, default=None, return_dtype=pl.String)
