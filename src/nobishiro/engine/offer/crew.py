"""Threads over kernels that hold no lock: parts of one job side by side, results in a fixed sequence."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

Part = TypeVar("Part")

_LARGEST: Final = 8
"""Every part has counters of its own; more of them cost memory before they save time."""


def crew_size(threads: int | None = None) -> int:
    """How many parts to make: `threads` if given, else one a processor, eight at most."""
    return threads or min(os.cpu_count() or 1, _LARGEST)


def in_parallel(crew: int, work: Callable[[int], Part]) -> list[Part]:
    """Results of `work(0)` … `work(crew − 1)`, in that sequence."""
    if crew == 1:
        return [work(0)]
    with ThreadPoolExecutor(crew) as pool:
        return list(pool.map(work, range(crew)))
