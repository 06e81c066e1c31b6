"""The gap matrix as it stands now: the run's cells with what people recorded since laid over them.

The same order of strength as the engine's: not applicable, then buying, then what was learned or proposed last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

import polars as pl
from django.db.models import F, Value
from django.utils import timezone

from nobishiro.pipelines.published import PublishedRun
from nobishiro.web.core.once import once
from nobishiro.web.customers.models import Fact, Outcome

NOT_APPLICABLE: Final = "not_applicable"
COMPETITOR: Final = "competitor_buys"
_DISMISSED: Final = "dismissed"
"""今回は出さない: it was not brought up."""
_SINCE: Final = {"customer_id": pl.String, "family": pl.String, "state_now": pl.String, "result_now": pl.String}

STATE_NOW: Final = (
    pl.when(pl.col("state") == NOT_APPLICABLE)
    .then(pl.col("state"))
    .when((pl.col("state") == "buying") & (pl.col("state_now") != NOT_APPLICABLE))
    .then(pl.col("state"))
    .otherwise(pl.coalesce("state_now", "state"))
    .alias("state")
)
"""`state` of a cell of the run, joined with `said_since`, as it is now."""


def cells_now(
    run: PublishedRun, customers: Sequence[str] | None = None, families: Sequence[str] | None = None
) -> pl.LazyFrame:
    """RESULTS["gaps"] of these customers and families (None: of all), `state` and `proposal_result` as they are now.

    `is_missed` and `rank` are the run's, and stand false and null where the cell is no longer 未提案.
    """
    cells = run.workspace.store.scan_result(run.run_id, "gaps") if run.run.table("gaps") else run.rows("gaps").lazy()
    if customers is not None:
        cells = cells.filter(pl.col("customer_id").is_in(list(customers)))
    if families is not None:
        cells = cells.filter(pl.col("family").is_in(list(families)))
    since = said_since(run)
    if since.is_empty():
        return cells
    is_open = pl.col("state") == "not_proposed"
    return (
        cells.join(since.lazy(), on=["customer_id", "family"], how="left", maintain_order="left")
        .with_columns(
            STATE_NOW,
            pl.coalesce("result_now", "proposal_result").alias("proposal_result"),
        )
        .with_columns((pl.col("is_missed") & is_open).alias("is_missed"), pl.when(is_open).then("rank").alias("rank"))
        .drop("state_now", "result_now")
    )


def said_since(run: PublishedRun) -> pl.DataFrame:
    """(customer_id, family, state_now, result_now) of what was recorded after the run was computed. One query a request."""
    return once(f"said since {run.run_id}", lambda: _said_since(run))


def _said_since(run: PublishedRun) -> pl.DataFrame:
    moment = moment_of(run)
    tapped = (
        Outcome.objects.filter(entered_at__gt=moment, withdrawn_at=None)
        .exclude(result=_DISMISSED)
        .exclude(family="")
        .annotate(at=F("happened_at"), said=Value("proposed"))
        .values_list("customer__code", "family", "result", "said", "at")
    )
    learned = (
        Fact.objects.filter(set_at__gt=moment, withdrawn_at=None, fact__in=(NOT_APPLICABLE, COMPETITOR))
        .exclude(subject="-")
        .annotate(at=F("set_at"), said=Value("learned"))
        .values_list("customer__code", "subject", "fact", "said", "at")
    )
    rows = [
        (code, family, "proposed", word, at)
        if said == "proposed"
        else (code, family, "competitor" if word == COMPETITOR else NOT_APPLICABLE, None, at)
        for code, family, word, said, at in tapped.union(learned, all=True)
    ]
    # of several the last one stands, and before all that the customer has no use for it
    rows.sort(key=lambda row: (row[2] == NOT_APPLICABLE, row[4]))
    frame = pl.DataFrame([row[:4] for row in rows], schema=_SINCE, orient="row")
    return frame.unique(["customer_id", "family"], keep="last", maintain_order=True)


def moment_of(run: PublishedRun) -> datetime:
    """When the run was computed; what was recorded after it, it cannot know."""
    at = run.run.at
    if at is None:
        return timezone.make_aware(datetime.combine(run.as_of, time()))
    return at if at.tzinfo is not None else timezone.make_aware(at)
