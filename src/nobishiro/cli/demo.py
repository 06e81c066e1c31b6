"""`nobishiro demo`: the whole on the bundled real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.options import JsonOption, LanguageOption
from nobishiro.cli.terminal import Terminal, default_language, now


def demo(
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Where the demo lives.")] = Path(
        "demo-workspace"
    ),
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the report on this machine.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8000,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Import real orders, draw the map, choose offers, plan the month; open the report.

    Example: nobishiro demo --serve
    """
    from nobishiro.pipelines.demo import run_demo

    terminal = Terminal(lang or default_language(), as_json)
    with terminal.progress() as progress:
        done = run_demo(workspace, now("Asia/Tokyo"), terminal.language, progress)
    summary = done.run.analysis.plan_summary
    quadrants = dict(done.run.analysis.positions.group_by("quadrant").len().iter_rows())
    named = sorted((letter, count) for letter, count in quadrants.items() if letter)
    terminal.line(" · ".join(f"{letter} {count:,}" for letter, count in named))
    terminal.line(getattr(summary, f"words_{terminal.language}"))
    terminal.line(f"  {done.presented.report}")
    terminal.line(f"  {done.presented.workbook}")
    terminal.document(
        {
            "workspace": workspace,
            "rows_read": done.imported.report.rows_read,
            "rejected": done.imported.report.rejected.height,
            "rows": done.run.rows,
            "report": done.presented.report,
            "workbook": done.presented.workbook,
        }
    )
    if serve:
        from nobishiro.cli.page_server import serve_directory

        serve_directory(done.presented.report.parent, port, lambda url: terminal.say("serving", url=url))
