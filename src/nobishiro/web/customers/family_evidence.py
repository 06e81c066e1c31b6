"""The rows behind one family's figures at one customer: what they bought, what was proposed, what is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import polars as pl

from nobishiro.web.customers.family_states import FamilyRow, family_rows
from nobishiro.web.customers.material import Material
from nobishiro.web.customers.models import Fact
from nobishiro.web.customers.words import RESULTS, word

_MOST = 200
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """One order line of the family."""

    day: date
    order: str
    product: str
    quantity: float | None
    amount: float | None


@dataclass(frozen=True, slots=True)
class ProposedLine:
    """One proposal of the family."""

    day: date
    product: str
    result: str
    reason: str


@dataclass(frozen=True, slots=True)
class FamilyEvidence:
    """What one row of ④ rests on."""

    code: str
    name: str
    row: FamilyRow | None
    lines: list[BoughtLine]
    total: float
    """Yen of the lines within the 365 days before the run's day."""
    is_cut: bool
    proposals: list[ProposedLine]
    facts: list[Fact]


def family_evidence(material: Material, family: str) -> FamilyEvidence:
    """The rows behind `family` at the customer, newest first, at most 200 lines."""
    catalogue = material.catalogue
    mine = [code for code, product in catalogue.products.items() if product.family == family]
    rows = material.happened.order_lines.filter(pl.col("product_id").is_in(mine)).sort("ordered_at", descending=True)
    total = 0.0
    if material.run is not None:
        until = datetime.combine(material.run.as_of, time())
        year = rows.filter(pl.col("ordered_at") < until, pl.col("ordered_at") >= until - _YEAR)
        total = float(year["amount"].sum() or 0)
    lines = [
        BoughtLine(at.date(), order, catalogue.name_of(product), _number(quantity), _number(amount))
        for at, order, product, quantity, amount in rows.select(
            "ordered_at", "order_id", "product_id", "quantity", "amount"
        )
        .head(_MOST)
        .iter_rows()
    ]
    proposals = [
        ProposedLine(row["proposed_at"].date(), catalogue.name_of(row["product_id"]), word(RESULTS, row["result"]), row["reason"] or "")
        for row in material.happened.proposals.sort("proposed_at", descending=True).iter_rows(named=True)
        if (row["family"] or catalogue.family_of(row["product_id"])) == family
        and row["proposal_id"] not in material.told_here
    ]  # fmt: skip
    here = [
        ProposedLine(outcome.happened_at.date(), catalogue.name_of(outcome.product_code), word(RESULTS, outcome.result), outcome.reason)
        for outcome in material.outcomes
        if (outcome.family or catalogue.family_of(outcome.product_code)) == family
    ]  # fmt: skip
    found = next((row for row in family_rows(material) if row.code == family), None)
    return FamilyEvidence(
        family, catalogue.family_name(family), found, lines, total, rows.height > _MOST, [*here, *proposals],
        [fact for fact in material.facts if fact.subject == family],
    )  # fmt: skip


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
