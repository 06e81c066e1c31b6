"""Which kinds of job there are. A room declares its own in `<room>/tasks.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

from django.apps import apps
from django.utils.functional import Promise
from django.utils.module_loading import module_has_submodule

_ROOMS: Final = "nobishiro.web."


class JobContext(Protocol):
    """What a running job may ask."""

    job_id: int
    fence: int
    """The number of this claim; `context.fenced_transaction` asks whether it still holds."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Say how far it is (a `ProgressReport`), and raise when it was cancelled or taken over. Cheap: call it often."""
        ...

    def check(self) -> None:
        """Raise `JobTakenOver` or `JobCancelled` when this worker may not go on; call before anything that counts."""
        ...


JobFunction = Callable[[JobContext, dict[str, object]], dict[str, object] | None]


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind: its function is given (context, payload) and may run twice without harm."""

    name: str
    run: JobFunction
    max_attempts: int
    needs: str
    """Value of the permission a person needs to start, retry or cancel it by hand."""
    label: str | Promise = ""
    """What people call it; a lazy text."""
    repeats: bool = False
    """Asked for under the key of one that runs, it is done once more afterwards: what runs may have read before the change."""


class _Kinds(dict[str, JobKind]):
    """Kinds by name. The rooms' `tasks.py` are imported when a name is looked for that is not there yet."""

    def __contains__(self, name: object) -> bool:
        return find_kind(str(name)) is not None

    def __missing__(self, name: str) -> JobKind:
        kind = find_kind(name)
        if kind is None:
            raise KeyError(name)
        return kind


KINDS: Final = _Kinds()


def job(
    name: str,
    *,
    max_attempts: int = 3,
    needs: str = "operate",
    label: str | Promise = "",
    repeats: bool = False,
) -> Callable[[JobFunction], JobFunction]:
    """Declare a kind of job. Raises `ValueError` when the name stands for another function already."""

    def declare(function: JobFunction) -> JobFunction:
        known = KINDS.get(name)
        if known is not None and known.run is not function:
            raise ValueError(f"two kinds of job are called {name}")
        KINDS[name] = JobKind(name, function, max_attempts, needs, label, repeats)
        return function

    return declare


def find_kind(name: str) -> JobKind | None:
    """The kind of that name; None when no room declares it. The rooms' `tasks.py` are imported when first asked."""
    kind = KINDS.get(name)
    if kind is None:
        _discover_kinds()
        kind = KINDS.get(name)
    return kind


def _discover_kinds() -> None:
    for app in apps.get_app_configs():
        if app.name.startswith(_ROOMS) and module_has_submodule(app.module, "tasks"):
            import_module(f"{app.name}.tasks")
