"""`nobishiro run`: compute everything of a workspace and publish it in one step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.options import DEFAULT_WORKSPACE, AsOfOption, JsonOption, LanguageOption, WorkspaceOption
from nobishiro.cli.terminal import Terminal, default_language, now, parse_day


def run(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_of: AsOfOption = None,
    report: Annotated[Path | None, typer.Option("--report", help="Also write report and workbook here.")] = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Compute the map, gaps, offers and plan from the newest commit, as the latest tune chose.

    Example: nobishiro run -w acme --report out/
    """
    from nobishiro.engine.workspace import Workspace
    from nobishiro.pipelines.presentation import Occasion, present
    from nobishiro.pipelines.recompute import recompute

    terminal = Terminal(lang or default_language(), as_json)
    opened = Workspace.open(workspace)
    at = now(opened.settings.workspace.time_zone)
    with terminal.progress() as progress:
        done = recompute(opened, parse_day(as_of), at, progress)
    terminal.say("run.done", id=done.run.run_id, day=done.run.as_of)
    terminal.table(("", ""), list(done.rows.items()))
    terminal.line(getattr(done.analysis.plan_summary, f"words_{terminal.language}"))
    files: dict[str, object] = {}
    if report is not None:
        occasion = Occasion(
            company=opened.path.name,
            generated_at=at,
            language=terminal.language,
            currency=opened.settings.workspace.currency,
        )
        shown = present(done.analysis, occasion, report)
        files = {"report": shown.report, "workbook": shown.workbook}
        for path in files.values():
            terminal.line(f"  {path}")
    terminal.document(
        {"run_id": done.run.run_id, "commit": done.run.commit, "as_of": done.run.as_of, "rows": done.rows, **files}
    )
