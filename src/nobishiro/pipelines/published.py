"""The published results as pages read them: by customer, a few columns, some milliseconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from nobishiro.contracts.errors import NotAWorkspace
from nobishiro.contracts.results import RESULTS, PlanSummary, Thresholds
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.recompute import PLAN_SUMMARY, THRESHOLDS

if TYPE_CHECKING:
    from nobishiro.engine.store.runs import Run


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """One run, read only."""

    workspace: Workspace
    run: Run

    @property
    def run_id(self) -> str:
        """Its number."""
        return self.run.run_id

    @property
    def as_of(self) -> date:
        """The day it was computed for, exclusive."""
        return self.run.as_of

    def rows(
        self, table: str, customers: Sequence[str] | None = None, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Rows of one result table, of the named customers or of all, in the run's order.

        A table the run did not write (an older version's) comes back empty, with its columns.
        """
        if self.run.table(table) is None:
            return _empty(table, None if columns is None else tuple(columns))
        frame = self.workspace.store.scan_result(self.run_id, table)
        if customers is not None:
            frame = frame.filter(pl.col("customer_id").is_in(list(customers)))
        if columns is not None:
            frame = frame.select(columns)
        return frame.collect()

    def thresholds(self) -> Thresholds:
        """Where the map is cut; infinite where no line was drawn, as nobody has any (JSON has no such number)."""
        said = msgspec.json.decode(
            self.workspace.store.read_attachment(self.run_id, THRESHOLDS), type=dict[str, object]
        )
        lines = {name: math.inf if said.get(name) is None else said[name] for name in ("potential", "track_record")}
        return msgspec.convert(said | lines, type=Thresholds)

    def plan_summary(self) -> PlanSummary:
        """How good the plan is."""
        return msgspec.json.decode(self.workspace.store.read_attachment(self.run_id, PLAN_SUMMARY), type=PlanSummary)


def published_run(path: Path) -> PublishedRun | None:
    """The newest published run of the workspace at `path`; None while there is no workspace or no run."""
    try:
        workspace = Workspace.open(path)
    except NotAWorkspace:
        return None
    newest = workspace.store.latest_run()
    return None if newest is None else PublishedRun(workspace, newest)


@lru_cache(maxsize=32)
def _empty(table: str, columns: tuple[str, ...] | None) -> pl.DataFrame:
    from nobishiro.engine.store.types import polars_schema

    frame = pl.DataFrame(schema=polars_schema(RESULTS[table]))
    return frame if columns is None else frame.select(columns)
