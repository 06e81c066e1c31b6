"""`nobishiro plan`: who approaches whom with what this month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.opening import open_analysis
from nobishiro.cli.options import AsOfOption, JsonOption, LanguageOption, MaybeWorkspace, OrdersArgument, OutOption
from nobishiro.cli.terminal import Terminal, default_language, parse_day, wrong_usage


def plan(
    orders: OrdersArgument = None,
    out: OutOption = Path("plan.xlsx"),
    hours: Annotated[float | None, typer.Option("--hours", min=0, help="Hours a month where a rep has none.")] = None,
    mix: Annotated[str | None, typer.Option("--mix", help="Wished share of hours A,B,C,D, e.g. 40,35,20,5.")] = None,
    as_of: AsOfOption = None,
    workspace: MaybeWorkspace = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Plan the month within the reps' hours: A first, B opened beside it, C maintained, D left.

    Example: nobishiro plan -w acme --mix 40,35,20,5 --out 計画.xlsx
    """
    import msgspec

    from nobishiro.engine.settings import Settings
    from nobishiro.pipelines.frames import write_frame

    terminal = Terminal(lang or default_language(), as_json)
    with terminal.progress() as progress:
        analysis, notes, rejected = open_analysis(orders, workspace, parse_day(as_of), Settings(), progress)
        given: dict[str, float] = {} if hours is None else {"default_hours_per_month": hours}
        settings = msgspec.structs.replace(analysis.settings.plan, **given, **_shares(mix))
        made = analysis.plan_with(settings)
        write_frame(made.actions, out)
    for note in notes:
        terminal.note(note)
    terminal.line(getattr(made.summary, f"words_{terminal.language}"))
    terminal.table(
        ("", "wished h", "planned h"),
        [(letter, f"{wished:,.1f}", f"{planned:,.1f}") for letter, wished, planned in made.summary.hours_by_quadrant],
    )
    terminal.say("wrote", path=out, n=f"{made.actions.height:,}")
    terminal.document({"out": out, "actions": made.actions.height, "summary": made.summary, "rejected": rejected})


def _shares(mix: str | None) -> dict[str, float]:
    if mix is None:
        return {}
    try:
        parts = [float(part) for part in mix.split(",")]
    except ValueError as error:
        raise wrong_usage(f"{mix!r} is not four numbers; use for example 40,35,20,5") from error
    if len(parts) != 4 or sum(parts) <= 0 or min(parts) < 0:
        raise wrong_usage(f"{mix!r} is not four shares; use for example 40,35,20,5")
    return {f"share_{letter}": part / sum(parts) for letter, part in zip("abcd", parts, strict=True)}
