"""What the commands that read either a file or a workspace have in common."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from nobishiro.cli.terminal import now, wrong_usage

if TYPE_CHECKING:
    from nobishiro.contracts.protocols import ProgressReport
    from nobishiro.engine.analysis import Analysis
    from nobishiro.engine.intake.raw import ReadOptions
    from nobishiro.engine.settings import Settings


def open_analysis(
    orders: Path | None,
    workspace: Path | None,
    as_of: date | None,
    settings: Settings,
    progress: ProgressReport,
    options: ReadOptions | None = None,
) -> tuple[Analysis, tuple[str, ...], int]:
    """The analysis of a file, or else of a workspace; with what reading said and how many rows were rejected."""
    from nobishiro.engine.intake.raw import ReadOptions as Options
    from nobishiro.engine.workspace import Workspace
    from nobishiro.pipelines.single_file import analyse_file

    if orders is not None:
        today = now(settings.workspace.time_zone).date()
        analysis, opened = analyse_file(orders, settings, today, as_of, options=options or Options(), progress=progress)
        return analysis, opened.notes, opened.rejected
    if workspace is not None:
        return Workspace.open(workspace).analysis(as_of, progress=progress), (), 0
    raise wrong_usage("give a file of order lines, or a workspace with --workspace")
