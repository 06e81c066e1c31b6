"""Who wants to know that a new run is shown: rooms register here, and nobody below them needs to know of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from nobishiro.pipelines.published import PublishedRun


class PublicationHook(Protocol):
    """Called with the run once it is projected; safe to be called twice for one run."""

    def __call__(self, run: PublishedRun, *, at: datetime) -> object:
        """Take the run over."""
        ...


Hook = TypeVar("Hook", bound=Callable[..., object])
HOOKS: list[PublicationHook] = []


def on_publication(function: Hook) -> Hook:
    """Have `function(run, at=…)` called after every publication, in the order of registration; once, however often it is given."""
    if function not in HOOKS:
        HOOKS.append(function)
    return function


def tell_publication(run: PublishedRun, *, at: datetime) -> None:
    """Call all hooks. An error of one is raised: the job that publishes is tried again, and each may run twice."""
    for hook in HOOKS:
        hook(run, at=at)
