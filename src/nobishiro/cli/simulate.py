"""`nobishiro simulate`: a fictional company whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.options import JsonOption, LanguageOption
from nobishiro.cli.terminal import Terminal, default_language, now, parse_day, wrong_usage


def simulate(
    business: Annotated[str, typer.Argument(help="maker, schools or shop.")],
    customers: Annotated[
        int | None, typer.Option("--customers", min=1, help="Customers (default: the size of the business's demo).")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="small, medium or large: 300, 5,000 or 200,000 customers.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write one file a table here.")] = None,
    workspace: Annotated[Path | None, typer.Option("--workspace", "-w", help="Make a new workspace here.")] = None,
    kind: Annotated[str, typer.Option("--kind", help="csv or parquet, for --out.")] = "csv",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed is another company.")] = 1,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="YYYY-MM-DD: the history ends before this day (default: 2026-11-21).")
    ] = None,
    months: Annotated[int, typer.Option("--months", min=1, help="Length of the history.")] = 36,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Make a fictional company with its truth beside it, as files or as a new workspace.

    Examples:
      nobishiro simulate maker --customers 800 --out maker/

      nobishiro simulate shop --size small --workspace shop-demo
    """
    from nobishiro.pipelines.simulate import simulate_files, simulate_into, simulation_of
    from nobishiro.simulation.company import AS_OF, DEMO_SIZES, SIZES, SimulationSettings

    terminal = Terminal(lang or default_language(), as_json)
    if (out is None) == (workspace is None):
        raise wrong_usage("say where to: either --out for files or --workspace for a new workspace")
    if size is not None and customers is not None:
        raise wrong_usage("say either --customers or --size")
    if size is not None and size not in SIZES:
        raise wrong_usage(f"{size!r} is no size; use one of {', '.join(SIZES)}")
    count = customers if customers is not None else SIZES[size] if size else DEMO_SIZES.get(business, SIZES["small"])
    settings = SimulationSettings(business, count, seed, parse_day(as_of) or AS_OF, months)
    at = now("Asia/Tokyo")
    with terminal.progress() as progress:
        files: tuple[Path, ...] = ()
        if workspace is not None:
            where = simulate_into(workspace, settings, at, progress).path
        else:
            where = out or Path()
            files = simulate_files(where, settings, at, kind, progress)
    label = simulation_of(where)
    assert label is not None
    terminal.say("simulate.done", name=label.name_ja if terminal.language == "ja" else label.name_en, path=where)
    terminal.document(
        {
            "simulated": True,
            "business": label.business,
            "name_ja": label.name_ja,
            "name_en": label.name_en,
            "customers": label.customers,
            "seed": label.seed,
            "as_of": label.as_of,
            "months": label.months,
            "workspace": workspace,
            "files": list(files),
        }
    )
