"""`nobishiro demo`: a fictional company to step into, or the whole on real data as a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from nobishiro.cli.options import JsonOption, LanguageOption
from nobishiro.cli.terminal import Terminal, default_language, now

REAL: Final = "real"
HOME: Final = Path("demo-workspace")


def demo(
    world: Annotated[str, typer.Argument(help="maker, schools, shop, or real for real data as a report.")] = "maker",
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace", "-w", help="Where the demo lives (default: demo-workspace, for real data its `real`)."
        ),
    ] = None,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Open it on this machine until Ctrl+C.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8000,
    others: Annotated[
        bool, typer.Option("--others/--no-others", help="Also make the other companies, behind the pages.")
    ] = True,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Make a fictional company and open it: step in as manager, rep or administrator with one click.

    `real` imports real orders instead, draws the map, chooses offers, plans the month and writes the report.

    Examples:
      nobishiro demo --serve

      nobishiro demo real --serve
    """
    terminal = Terminal(lang or default_language(), as_json)
    if world == REAL:
        _real(terminal, workspace or HOME / REAL, port if serve else None)
        return
    from nobishiro.cli.serve import need_web

    need_web()
    from nobishiro.web.config.worlds import make_world, serve_worlds, world_named

    chosen, home = world_named(world), workspace or HOME
    today = now("Asia/Tokyo").date()
    with terminal.progress() as progress:
        directory = make_world(chosen, home, today, progress)
    terminal.say("demo.made", name=getattr(chosen, f"name_{terminal.language}"), path=directory)
    terminal.document({"world": chosen.name, "workspace": directory, "customers": chosen.customers})
    if serve:
        serve_worlds(
            chosen,
            home,
            today,
            port,
            ready=lambda url: terminal.say("demo.ready" if others else "serve.ready", url=f"{url}/demo/"),
            make_report=lambda place: _report(place, terminal.language),
            serve_report=_serve_report,
            with_others=others,
        )


def _report(place: Path, language: str) -> Path:
    """The report on real data, made at `place`; its directory."""
    from nobishiro.pipelines.demo import run_demo

    return run_demo(place, now("Asia/Tokyo"), language).presented.report.parent


def _serve_report(directory: Path, said: Callable[[str], None]) -> None:
    from nobishiro.cli.page_server import serve_directory

    serve_directory(directory, 0, said)


def _real(terminal: Terminal, workspace: Path, port: int | None) -> None:
    """The whole on the bundled real data."""
    from nobishiro.pipelines.demo import run_demo

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
    if port is not None:
        from nobishiro.cli.page_server import serve_directory

        serve_directory(done.presented.report.parent, port, lambda url: terminal.say("serving", url=url))
