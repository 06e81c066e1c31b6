"""The words the drawing says: the report's own, in the page's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import get_language

from nobishiro.report.texts import load_texts
from nobishiro.web.core.templatetags.nobishiro import quadrant_name

if TYPE_CHECKING:
    from nobishiro.web.people.models import User

_PARTS: Final = ("map.", "quadrant.", "word.", "money.", "list.")
_UNITS: Final = ("yen", "thousand", "million")


def drawing_words(user: User) -> dict[str, object]:
    """`core` of the drawing's scripts: language, currency, texts and the unit this person reads yen in."""
    language = "ja" if (get_language() or "ja").startswith("ja") else "en"
    texts = {key: text for key, text in load_texts()[language].items() if key.startswith(_PARTS)}
    texts |= {f"quadrant.{letter}": quadrant_name(letter) for letter in "ABCD"}  # as the rest of the page calls them
    unit = _UNITS.index(user.yen_unit) if user.yen_unit in _UNITS else 0
    return {"language": language, "currency": "JPY", "texts": {language: texts}, "unit": unit}
