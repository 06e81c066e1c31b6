"""Which kinds of job there are. A room declares its own in `<room>/tasks.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class JobContext(Protocol):
    """What a running job may ask."""

    job_id: int

    def progress(self, what: str, done: int, total: int) -> None:
        """Say how far it is (a `ProgressReport`), keep the lease, and raise when it was cancelled or taken over."""
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


KINDS: dict[str, JobKind] = {}


def job(name: str, *, max_attempts: int = 3, needs: str = "operate") -> Callable[[JobFunction], JobFunction]:
    """Declare a kind of job."""

    def declare(function: JobFunction) -> JobFunction:
        if name in KINDS and KINDS[name].run is not function:
            raise ValueError(f"two kinds of job are called {name}")
        KINDS[name] = JobKind(name, function, max_attempts, needs)
        return function

    return declare
