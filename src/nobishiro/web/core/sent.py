"""Whole numbers out of addresses and forms, which anybody may write."""

from __future__ import annotations

NO_KEY = -1
"""A key no row has."""


def is_whole(text: str, digits: int = 17) -> bool:
    """Whether `text` is a whole number of at most so many digits; "²" is a digit to Python and no number, and is none here."""
    return text.isascii() and text.isdigit() and len(text) <= digits


def key_sent(text: str | None) -> int:
    """A row's key; `NO_KEY` for what is none."""
    return int(text) if text is not None and is_whole(text) else NO_KEY
