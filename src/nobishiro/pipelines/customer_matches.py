"""名寄せ as pages work with it: a scan of what is there, two customers side by side, decisions that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.intake.matching import MatchResult, find_matches
from nobishiro.engine.intake.merges import DIFFERENT
from nobishiro.engine.store.store import Store
from nobishiro.engine.workspace import Workspace

PAIR_COLUMNS: Final = pl.Schema(
    {
        "customer_id": pl.String,
        "other_customer_id": pl.String,
        "score": pl.Float64,
        "rule": pl.String,
        "agrees_ja": pl.String,
        "agrees_en": pl.String,
        "differs_ja": pl.String,
        "differs_en": pl.String,
        "is_certain": pl.Boolean,
    }
)
"""A pair: saying yes merges the first code into the second."""
SHOWN: Final = ("name", "corporate_number", "prefecture", "address", "phone", "mail_domain", "state", "industry")
"""What of two customers is shown side by side."""


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """What somebody, or a rule, says about two codes: the first goes into the second, or they are two."""

    customer_id: str
    other_customer_id: str
    is_same: bool
    evidence: str
    decided_by: str


def scan_customers(workspace_path: Path, at: datetime, progress: ProgressReport = no_progress) -> pl.DataFrame:
    """All pairs of the workspace's customers that no decision covers (`PAIR_COLUMNS`); nothing is merged."""
    workspace = Workspace.open_or_plan(workspace_path)
    progress("match", 0, 0)
    found = find_matches(
        workspace.read("customers"),
        None,
        workspace.read("merges"),
        workspace.settings.imports,
        orders=order_counts(workspace.store),
    )
    return pairs_of(found)


def pairs_of(found: MatchResult) -> pl.DataFrame:
    """Certain and ambiguous pairs as one frame."""
    certain = found.certain.select(
        "customer_id",
        pl.col("into_customer_id").alias("other_customer_id"),
        pl.lit(1.0).alias("score"),
        "rule",
        pl.col("evidence_ja").alias("agrees_ja"),
        pl.col("evidence_en").alias("agrees_en"),
        pl.lit("").alias("differs_ja"),
        pl.lit("").alias("differs_en"),
        pl.lit(True).alias("is_certain"),
    )
    ambiguous = found.ambiguous.with_columns(pl.lit(False).alias("is_certain"))
    return pl.concat([certain, ambiguous.select(PAIR_COLUMNS.names())], how="vertical_relaxed")


def order_counts(store: Store) -> pl.DataFrame:
    """customer_id and orders: of two codes the one with more stays."""
    return (
        store.scan("order_lines")
        .filter(pl.col("customer_id").is_not_null())
        .group_by("customer_id")
        .agg(pl.col("order_id").n_unique().alias("orders"))
        .collect(engine="streaming")
    )


def read_customers(workspace_path: Path, codes: Sequence[str]) -> pl.DataFrame:
    """The customers called `codes`: `customer_id`, `SHOWN`."""
    store = Workspace.open_or_plan(workspace_path).store
    rows = store.scan("customers").filter(pl.col("customer_id").is_in(list(codes)))
    return rows.select("customer_id", *SHOWN).collect()


def decision_rows(decisions: Sequence[MatchDecision], at: datetime) -> pl.DataFrame:
    """Decisions as rows of `merges`; of two about the same codes the last counts."""
    kept = {(d.customer_id, d.other_customer_id): d for d in decisions}
    rows = [
        (
            d.customer_id,
            d.other_customer_id,
            d.evidence if d.is_same else f"{DIFFERENT}: {d.evidence}",
            d.decided_by,
            at,
        )
        for d in kept.values()
    ]
    return pl.DataFrame(
        rows,
        schema={
            "customer_id": pl.String,
            "into_customer_id": pl.String,
            "evidence": pl.String,
            "decided_by": pl.String,
            "decided_at": pl.Datetime("us"),
        },
        orient="row",
    )


def record_decisions(
    workspace_path: Path, import_id: str, decisions: Sequence[MatchDecision], at: datetime, note: str = "名寄せ"
) -> None:
    """Write decisions in one step under `import_id`, which undoes them. Raises the errors of the store."""
    workspace = Workspace.open_or_plan(workspace_path)
    workspace.make(at)
    with workspace.store.begin(import_id, "edit", note, at) as transaction:
        transaction.upsert("merges", decision_rows(decisions, at))
        transaction.commit()


def withdraw_decisions(
    workspace_path: Path, import_id: str, pairs: Sequence[tuple[str, str]], at: datetime, note: str = "名寄せ"
) -> int:
    """Take decisions about pairs out again, so that they are asked anew; how many rows there were."""
    workspace = Workspace.open(workspace_path)
    keys = pl.DataFrame(list(pairs), schema={"customer_id": pl.String, "into_customer_id": pl.String}, orient="row")
    with workspace.store.begin(import_id, "edit", note, at) as transaction:
        removed = transaction.delete("merges", keys)
        transaction.commit()
    return removed
