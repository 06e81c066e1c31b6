"""One frozen settings class a step. Unknown keys and impossible values are refused, and the message names them.

Read from `settings.toml` in the workspace: one section a step, `[map]`, `[plan]` and so on; what is left out keeps the
default written here. A run stores the settings it used.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from nobishiro.contracts.errors import SettingsError


class _Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every settings class."""


class WorkspaceSettings(_Step, frozen=True):
    """What holds for the whole workspace."""

    time_zone: str = "Asia/Tokyo"
    """Clock of every timestamp; a business day ends at midnight there."""
    currency: str = "JPY"
    """The one currency of all amounts (ISO 4217)."""
    tax: str = "excluded"
    """`excluded` (税抜) or `included` (税込): what amounts mean."""


class StoreSettings(_Step, frozen=True):
    """Files on disk."""

    lock_wait_seconds: float = 60.0
    """How long a writer waits for another before `WorkspaceBusy`."""
    compact_above_files: int = 32
    """A table with more live files than this is rewritten into few."""
    keep_commits: int = 200
    """Commits readable as of; older ones may be vacuumed."""


class ImportSettings(_Step, frozen=True):
    """Reading files."""

    max_rejected_share: float = 1.0
    """The whole import fails when more than this share of rows is rejected; 1.0 never fails it."""
    max_file_bytes: int = 0
    """Refuse larger files; 0 means no limit (the command line has none, a browser upload has)."""
    max_cell_bytes: int = 1_000_000
    """A longer cell is a rejected row."""
    max_columns: int = 500
    """More columns than this is no table."""
    max_archive_ratio: float = 200.0
    """An .xlsx that expands by more than this is refused as a zip bomb."""
    max_archive_bytes: int = 4_000_000_000
    """Expanded bytes an .xlsx may have."""
    max_workbook_memory: int = 8_000_000_000
    """Bytes of address space the process that parses a workbook may use; 0 means no limit."""
    max_workbook_seconds: float = 600.0
    """Seconds a workbook may take to parse."""
    earliest_day: str = "1950-01-01"
    """A date before it is a rejected row."""
    latest_days_ahead: int = 366
    """A date further ahead of the import day than this is a rejected row."""
    max_quantity: float = 1e9
    """A larger absolute quantity is a rejected row."""
    match_near_name: float = 90.0
    """Names this alike (0–100, share of letters in common order) are near: listed for a person, never merged "
    "alone."""
    match_max_shared: int = 20
    """A phone, address or mail domain shared by more names than this (a building, a call centre) is no evidence."""


class MapSettings(_Step, frozen=True):
    """The customer map."""

    potential_threshold: float | None = None
    """Yen a year; None places it where the curve bends."""
    track_record_threshold: float | None = None
    """Yen a year; None places it where the curve bends."""


class FamilySettings(_Step, frozen=True):
    """Families where products carry no category."""

    count: int = 0
    """How many to learn; 0 chooses by the number of products."""
    name_weight: float = 0.7
    """Weight of the names against co-purchase when products are grouped, 0 to 1."""
    seed: int = 7


class PotentialSettings(_Step, frozen=True):
    """拡大余地."""

    window_days: int = 365
    """How far back "what they buy from us now" looks."""
    horizon_days: int = 183
    """Over how many days an earlier forecast is held against what came; shorter where the history is short."""
    comparables: int = 50
    """How many comparable customers are counted for one customer."""
    reference_customers: int = 2000
    """Comparable customers are looked for among this many; a seeded sample where there are more."""
    training_customers: int = 6_000
    """The model learns from this many customers a cut; a seeded sample where there are more."""
    max_rows: int = 2_000_000
    """Every customer × family is listed up to this many rows; above it, families bought or told and the most likely."""
    listed_families: int = 15
    """How many of the most likely families are listed per customer when not all are."""
    seed: int = 7


class TogetherSettings(_Step, frozen=True):
    """Bought together."""

    min_together: int = 5
    """Pairs on fewer orders are not listed."""
    top: int = 20
    """Partners kept per product."""
    max_q: float = 0.05
    """Largest false discovery rate listed."""


class RecommendSettings(_Step, frozen=True):
    """Personal recommendations."""

    k: int = 10
    """How many per customer and kind."""
    neighbours: int = 10
    """Partners per product the scores are summed over."""
    min_buyers: int = 3
    """A product with fewer buyers is not recommended by co-purchase."""
    shrinkage: float = 10.0
    """Pretended buyers in the divisor of a similarity: pairs with few buyers count for less."""
    half_life_days: float = 180.0
    """A purchase this old weighs half."""
    count_leaves_from: int = 5
    """Counts are spoken to customers only from this many buyers up."""


class PlanSettings(_Step, frozen=True):
    """The month's plan. What one contact moves is an assumption, shown as such, until outcomes have been measured."""

    hours_per_visit: float = 2.0
    hours_per_call: float = 0.4
    hours_per_mail: float = 0.15
    default_hours_per_month: float = 80.0
    """Hours of a rep whose row says nothing."""
    share_a: float = 0.40
    share_b: float = 0.35
    share_c: float = 0.20
    share_d: float = 0.05
    """The wished mix of hours over A, B, C and D; adds up to 1."""
    mix_tolerance: float = 0.05
    """How far a quadrant may go over its wished share of all hours."""
    opens_by_visit: float = 0.10
    opens_by_call: float = 0.03
    opens_by_mail: float = 0.008
    """Assumed share of the potential that one contact of this kind turns into sales within the year."""
    keeps_by_visit: float = 0.020
    keeps_by_call: float = 0.008
    keeps_by_mail: float = 0.002
    """Assumed share of the track record that one contact of this kind keeps from being lost."""
    exact_below_choices: int = 30_000
    """Up to this many customer × channel choices the plan is solved exactly; above, by prices with a proven bound."""
    time_limit_seconds: float = 20.0
    """The exact solver stops here and reports its proven gap."""


class Settings(_Step, frozen=True):
    """All of them."""

    workspace: WorkspaceSettings = WorkspaceSettings()
    store: StoreSettings = StoreSettings()
    imports: ImportSettings = ImportSettings()
    map: MapSettings = MapSettings()
    families: FamilySettings = FamilySettings()
    potential: PotentialSettings = PotentialSettings()
    together: TogetherSettings = TogetherSettings()
    recommend: RecommendSettings = RecommendSettings()
    plan: PlanSettings = PlanSettings()


def from_mapping(values: dict[str, Any], source: str = "settings") -> Settings:
    """Settings from nested plain values. Raises `SettingsError` naming the unknown key or the wrong type."""
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{source}: {error}; see docs/reference/settings.md for every key") from error


def read_settings(path: Path) -> Settings:
    """Settings of a TOML file; the defaults when there is none. Raises `SettingsError`."""
    if not path.exists():
        return Settings()
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not readable as TOML: {error}") from error
    return from_mapping(values, str(path))
