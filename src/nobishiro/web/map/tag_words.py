"""The words in which tags go out to Excel and come back: a salesperson's, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

WORDS: Final[Mapping[str, Mapping[str, str | _StrPromise]]] = {
    "what": {"large": pgettext_lazy("potential", "large"), "small": pgettext_lazy("potential", "small")},
    "pace": {"high": pgettext_lazy("orders", "often"), "low": pgettext_lazy("orders", "seldom")},
    "visits": {
        "often": pgettext_lazy("visits", "often"),
        "seldom": pgettext_lazy("visits", "seldom"),
        "none": pgettext_lazy("visits", "none"),
    },
    "relation": {"◎": "◎", "○": "○", "△": "△"},
}
"""By tag and value. Tags outside are free and do not travel in this sheet."""
READ: Final = {
    "what": {"大": "large", "large": "large", "小": "small", "small": "small"},
    "pace": {"高": "high", "多": "high", "high": "high", "often": "high", "低": "low", "少": "low", "low": "low", "seldom": "low"},
    "visits": {"多": "often", "often": "often", "少": "seldom", "seldom": "seldom", "なし": "none", "無": "none", "none": "none"},
    "relation": {"◎": "◎", "○": "○", "〇": "○", "◯": "○", "△": "△", "▲": "△"},
}  # fmt: skip
"""What may stand in a cell, in either language, whichever language the sheet went out in."""
HEADS: Final = {
    "code": frozenset({"顧客コード", "customer code"}),
    "what": frozenset({"what(設定)", "what (set)"}),
    "pace": frozenset({"pace(設定)", "pace (set)"}),
    "visits": frozenset({"訪問(設定)", "visits (set)"}),
    "relation": frozenset({"関係(主担当)", "relation (main rep)"}),
}
"""Heads that are read, in NFKC and lower case."""


def in_words(tag: str, value: str | None) -> str:
    """A tag's value as it stands in the sheet; a computed one that is not known stands empty."""
    if not value:
        return ""
    return str(WORDS.get(tag, {}).get(value, "" if value == "unknown" else value))
