"""One call for a fictional company: its canonical tables and the truth they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

import polars as pl

from nobishiro.contracts.errors import SettingsError
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.tables import TABLES

BUSINESSES: Final = ("maker", "schools", "shop")
SIZES: Final[Mapping[str, int]] = MappingProxyType({"small": 300, "medium": 5_000, "large": 200_000})
DEMO_SIZES: Final[Mapping[str, int]] = MappingProxyType({"maker": 800, "schools": 2_000, "shop": 50_000})
"""Customers of each business where nobody says a number."""
AS_OF: Final = date(2026, 11, 21)
"""The day of the story."""
LEAST_CUSTOMERS: Final = 100
LEAST_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """What is simulated; the same settings always give the same company."""

    business: str
    """`maker`, `schools` or `shop`."""
    customers: int
    """Customers in the list, those without orders among them; at least 100."""
    seed: int = 1
    """Another seed is another company of the same kind."""
    as_of: date = AS_OF
    """Nothing happened on or after this day."""
    months: int = 36
    """Length of the history; at least 12."""


@dataclass(frozen=True, slots=True)
class SimulatedCompany:
    """A fictional company. Every name in it is made up; a likeness to a real one is accidental."""

    settings: SimulationSettings
    tables: Mapping[str, pl.DataFrame]
    """Canonical tables by name, only those with rows, every declared column in order and of its declared type."""
    truths: Mapping[str, pl.DataFrame]
    """What was planted, and what was not; docs/explanation/simulation.md describes every table."""
    name_ja: str
    name_en: str
    notes: tuple[str, ...]
    """What a reader has to know; the first says in Japanese and English that all of this is simulated."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What one business hands over to be checked and labelled."""

    tables: Mapping[str, pl.DataFrame]
    truths: Mapping[str, pl.DataFrame]
    name_ja: str
    name_en: str
    notes: tuple[str, ...] = ()


def simulate_company(settings: SimulationSettings, progress: ProgressReport = no_progress) -> SimulatedCompany:
    """The fictional company of `settings`, made without clock or global random state. Raises `SettingsError`."""
    check_settings(settings)
    made = _business(settings.business)(settings, progress)
    tables = {name: made.tables[name] for name in TABLES if name in made.tables and made.tables[name].height}
    label = (
        f"架空データ / simulated: {made.name_ja} ({made.name_en}), {settings.customers:,} customers, "
        f"seed {settings.seed}, until {settings.as_of} (exclusive). Nobody and nothing in it is real."
    )
    return SimulatedCompany(
        settings,
        MappingProxyType(tables),
        MappingProxyType(dict(made.truths)),
        made.name_ja,
        made.name_en,
        (label, *made.notes),
    )


def check_settings(settings: SimulationSettings) -> None:
    """Pass, or raise `SettingsError` saying what is impossible."""
    if settings.business not in BUSINESSES:
        raise SettingsError(
            f"there is no business {settings.business!r} to simulate; there are {', '.join(BUSINESSES)}"
        )
    if settings.customers < LEAST_CUSTOMERS:
        raise SettingsError(f"{settings.customers} customers are too few to simulate; use at least {LEAST_CUSTOMERS}")
    if settings.months < LEAST_MONTHS:
        raise SettingsError(f"{settings.months} months are too short a history; use at least {LEAST_MONTHS}")
    if settings.seed < 0:
        raise SettingsError(f"the seed is {settings.seed}; use zero or a positive number")


def _business(name: str) -> Callable[[SimulationSettings, ProgressReport], Simulated]:
    """The maker of one business, loaded when it is wanted; the businesses import this module's types."""
    if name == "maker":
        from nobishiro.simulation.maker.company import simulate_maker

        return simulate_maker
    if name == "schools":
        from nobishiro.simulation.schools.company import simulate_schools

        return simulate_schools
    from nobishiro.simulation.shop.company import simulate_shop

    return simulate_shop
