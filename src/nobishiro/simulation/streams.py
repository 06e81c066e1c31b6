"""Random numbers by part: every part draws from a stream of its own, so that adding a part moves no other."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one simulated company."""

    seed: int
    business: str

    def part(self, name: str) -> np.random.Generator:
        """The stream of the part called `name`; the same numbers each time it is asked for.

        The name is hashed with CRC-32 into the spawn key of a `SeedSequence`: no counter that another part could move.
        """
        key = (crc32(self.business.encode()), crc32(name.encode()))
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key)))
