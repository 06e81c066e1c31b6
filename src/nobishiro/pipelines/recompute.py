"""A run: everything computed from one commit, published in one step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

import nobishiro
from nobishiro.contracts.errors import NotEnoughHistory
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.analysis import STEPS, Analysis
from nobishiro.engine.store.runs import Run
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.people_snapshot import PeopleTables, take_snapshot

FINDINGS: Final = "findings.json"
THRESHOLDS: Final = "thresholds.json"
PLAN_SUMMARY: Final = "plan_summary.json"
PRODUCT_KINDS: Final = "product_kinds.json"


@dataclass(frozen=True, slots=True)
class RunReport:
    """A published run and the analysis it came from, for those who want to go on without reading it back."""

    run: Run
    analysis: Analysis
    rows: dict[str, int]


def recompute(
    workspace: Workspace,
    as_of: date | None,
    at: datetime,
    progress: ProgressReport = no_progress,
    people: PeopleTables | None = None,
) -> RunReport:
    """Compute every result of the newest commit and publish them as one run.

    With `people`, what they entered is brought into the store first.

    The run keeps the commit, the settings and the version it was computed with, so that it can be repeated. Raises
    `NotEnoughHistory` when there are no sales.
    """
    store = workspace.store
    if people is not None:
        progress("people", 0, 0)
        take_snapshot(workspace, people, at)
    head = store.head()
    number = head.number if head is not None else None
    analysis = workspace.analysis(as_of, at=number, progress=progress)
    if not analysis.sales.line_product.size:
        before = f" before {as_of}" if as_of else ""
        raise NotEnoughHistory(f"{workspace.path}: there are no sales of any product{before}; import more orders first")
    rows: dict[str, int] = {}
    with store.new_run(
        analysis.as_of, msgspec.json.encode(analysis.settings).decode(), nobishiro.__version__, number, at
    ) as writer:
        for name, frame in analysis.results_in_parts():
            writer.write(name, frame)
            rows[name] = rows.get(name, 0) + frame.height
            del frame
        writer.attach(FINDINGS, _json_rows(analysis.cleaned.findings))
        writer.attach(PRODUCT_KINDS, _json_rows(analysis.cleaned.product_kinds))
        writer.attach(THRESHOLDS, msgspec.json.encode(asdict(analysis.thresholds)))
        writer.attach(PLAN_SUMMARY, msgspec.json.encode(asdict(analysis.plan_summary)))
        run = writer.publish()
    progress("publish", len(STEPS), len(STEPS))
    return RunReport(run, analysis, rows)


def recompute_at(
    path: Path, as_of: date | None, at: datetime, progress: ProgressReport, people: PeopleTables
) -> tuple[str, dict[str, int]]:
    """`recompute` of the workspace at `path`: the run's number and the rows of each result."""
    report = recompute(Workspace.open(path), as_of, at, progress, people)
    return report.run.run_id, report.rows


def _json_rows(frame: pl.DataFrame) -> bytes:
    return frame.write_json().encode()
