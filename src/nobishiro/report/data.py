"""What the report and the workbook are made from: result tables of one run and the few facts around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

import polars as pl

from nobishiro.contracts.errors import SettingsError, UnknownName
from nobishiro.contracts.results import RESULTS, PlanSummary, Thresholds

LANGUAGES: Final = ("ja", "en")

EXTRA_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "products": ("product_id", "name", "price"),
        "order_history": ("customer_id", "day", "order_id", "product_id", "quantity", "amount"),
        "intake": ("what_ja", "what_en", "count", "amount", "explanation_ja", "explanation_en"),
    }
)
"""Columns of the frames that are not result tables."""

RESULT_FRAMES: Final = (
    "positions",
    "gaps",
    "families",
    "pairs",
    "recommendations",
    "plan",
    "customer_features",
    "customer_potential",
    "potential",
)
"""Fields of `ReportData` that have the columns of `RESULTS[field]`."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a backtest, as text, with what it rests on."""

    name_ja: str
    name_en: str
    value: str
    n: int
    how_ja: str
    how_en: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """One run, ready to be shown.

    The frames named in `RESULT_FRAMES` have the columns of `contracts.results.RESULTS`; `products`, `order_history` and
    `intake` those of `EXTRA_COLUMNS`. `order_history` should hold every line of the last 24 months: months are summed
    before the page is held to its size, and only rows that do not fit are left out (the page says so).
    Amounts are in `currency` (ISO 4217).
    """

    company: str
    as_of: date
    generated_at: datetime
    language: str
    currency: str
    simulated: bool
    source_note: str
    positions: pl.DataFrame
    gaps: pl.DataFrame
    families: pl.DataFrame
    pairs: pl.DataFrame
    recommendations: pl.DataFrame
    plan: pl.DataFrame
    customer_features: pl.DataFrame
    customer_potential: pl.DataFrame
    potential: pl.DataFrame
    products: pl.DataFrame
    order_history: pl.DataFrame
    thresholds: Thresholds
    plan_summary: PlanSummary | None
    intake: pl.DataFrame
    measures: tuple[Measure, ...]


def check_data(data: ReportData) -> None:
    """Return when every frame has its columns; raises `UnknownName` or `SettingsError` naming what is missing."""
    if data.language not in LANGUAGES:
        raise SettingsError(f"language {data.language!r} is not one of {', '.join(LANGUAGES)}")
    frames: dict[str, tuple[pl.DataFrame, tuple[str, ...]]] = {
        "positions": (data.positions, RESULTS["positions"].column_names),
        "gaps": (data.gaps, RESULTS["gaps"].column_names),
        "families": (data.families, RESULTS["families"].column_names),
        "pairs": (data.pairs, RESULTS["pairs"].column_names),
        "recommendations": (data.recommendations, RESULTS["recommendations"].column_names),
        "plan": (data.plan, RESULTS["plan"].column_names),
        "customer_features": (data.customer_features, RESULTS["customer_features"].column_names),
        "customer_potential": (data.customer_potential, RESULTS["customer_potential"].column_names),
        "potential": (data.potential, RESULTS["potential"].column_names),
        "products": (data.products, EXTRA_COLUMNS["products"]),
        "order_history": (data.order_history, EXTRA_COLUMNS["order_history"]),
        "intake": (data.intake, EXTRA_COLUMNS["intake"]),
    }
    for name, (frame, expected) in frames.items():
        missing = [column for column in expected if column not in frame.columns]
        if missing:
            raise UnknownName(
                f"report: {name} lacks {', '.join(missing)}; hand over the frame with its declared columns"
            )
    if data.positions["customer_id"].n_unique() != data.positions.height:
        raise UnknownName("report: positions has a customer_id twice; hand over one row a customer")
