"""Yen as people type them: ¥1,800,000, 180万, １．８億."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

_SIGNS: Final = re.compile(r"[¥￥\\,、\s円]")
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)(億|万|千|k|m)?(?:(\d+(?:\.\d+)?)(万|千)?)?", re.IGNORECASE)
_UNITS: Final = {"億": 10**8, "万": 10**4, "千": 10**3, "k": 10**3, "m": 10**6}


def parse_yen(text: str) -> Decimal | None:
    """The amount in yen; None when the text is no amount."""
    plain = _SIGNS.sub("", unicodedata.normalize("NFKC", text))
    match = _AMOUNT.fullmatch(plain)
    if match is None:
        return None
    whole, unit, rest, rest_unit = match.groups()
    if rest is not None and unit is None:
        return None
    amount = Decimal(whole) * _UNITS.get((unit or "").lower(), 1)
    if rest is not None:
        amount += Decimal(rest) * _UNITS.get(rest_unit or "", 1)
    return amount
