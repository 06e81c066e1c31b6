"""What is bought again and again."""

from __future__ import annotations

from dataclasses import dataclass

from nobishiro.simulation.frames import Float64, Int64


@dataclass(frozen=True, slots=True)
class Cycles:
    """One row a customer × product, with the true mean and spread of the gaps in days."""

    customer: Int64
    product: Int64
    mean: Float64
    spread: Float64
