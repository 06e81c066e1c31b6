"""In which unit a person sees yen: 円, 千円 or 百万円. Held for the request by the middleware, asked by the `yen` filter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

YEN_UNITS: Final = {"yen": 1, "thousand": 1_000, "million": 1_000_000}
_held: ContextVar[str] = ContextVar("yen_unit", default="yen")


def yen_unit() -> str:
    """yen, thousand or million."""
    return _held.get()


@contextmanager
def shown_in(unit: str) -> Iterator[None]:
    """Inside, yen are shown in `unit`; one that does not exist is yen."""
    token = _held.set(unit if unit in YEN_UNITS else "yen")
    try:
        yield
    finally:
        _held.reset(token)
