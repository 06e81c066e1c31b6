"""Errors of the engine in the page's language."""

from __future__ import annotations

from django.utils.translation import get_language

from nobishiro.contracts.errors import NobishiroError
from nobishiro.pipelines.wording import word


def in_words(error: NobishiroError) -> str:
    """What went wrong, as a person reads it; texts that are in the page's language already stay as they are."""
    return word(str(error), (get_language() or "ja")[:2])
