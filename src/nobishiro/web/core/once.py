"""What a request needs in several places is asked for once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar, cast

_V = TypeVar("_V")
_held: ContextVar[dict[str, object] | None] = ContextVar("held", default=None)


@contextmanager
def one_request() -> Iterator[None]:
    """Inside, `once` asks at most once a name."""
    token = _held.set({})
    try:
        yield
    finally:
        _held.reset(token)


def once(name: str, load: Callable[[], _V]) -> _V:
    """What `load` gives, kept until the request ends; outside of a request it is loaded each time."""
    held = _held.get()
    if held is None:
        return load()
    if name not in held:
        held[name] = load()
    return cast("_V", held[name])
