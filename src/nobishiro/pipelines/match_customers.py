"""名寄せ: merge what is certainly one customer, list what a person has to judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.intake.matching import MatchResult, find_matches
from nobishiro.engine.store.store import Store
from nobishiro.engine.workspace import Workspace


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What was merged, and what is left to a person."""

    import_id: str | None
    """What to undo to take the merges back; None when nothing was merged."""
    certain: int
    ambiguous: int
    matches: MatchResult


def match_customers(
    workspace: Workspace,
    at: datetime,
    *,
    cross_reference: pl.DataFrame | None = None,
    is_dry_run: bool = False,
    progress: ProgressReport = no_progress,
) -> MergeReport:
    """Scan all customers of the workspace and write certain merges in one undoable step; customers stay as they are.

    `cross_reference` has `old_customer_id` and `new_customer_id`. What people decided before is respected.
    """
    store = workspace.store
    progress("match", 0, 0)
    customers = workspace.read("customers")
    orders = (
        store.scan("order_lines")
        .filter(pl.col("customer_id").is_not_null())
        .group_by("customer_id")
        .agg(pl.col("order_id").n_unique().alias("orders"))
        .collect(engine="streaming")
    )
    matches = find_matches(
        customers, cross_reference, workspace.read("merges"), workspace.settings.imports, orders=orders
    )
    certain = matches.certain
    import_id = None
    if certain.height and not is_dry_run:
        import_id = Store.new_import_id(at)
        rows = certain.select(
            "customer_id",
            "into_customer_id",
            pl.col("evidence_ja").alias("evidence"),
            pl.lit("rule").alias("decided_by"),
            pl.lit(at).dt.cast_time_unit("us").alias("decided_at"),
        )
        with store.begin(import_id, "edit", "名寄せ", at) as transaction:
            # What a person decided about the pair in the meantime stays.
            transaction.upsert("merges", rows, fills_gaps=True)
            transaction.commit()
    return MergeReport(import_id, certain.height, matches.ambiguous.height, matches)
