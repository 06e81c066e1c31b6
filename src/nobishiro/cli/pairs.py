"""`nobishiro pairs`: what is bought together, from one file or a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.opening import open_analysis
from nobishiro.cli.options import AsOfOption, JsonOption, LanguageOption, MaybeWorkspace, OrdersArgument, OutOption
from nobishiro.cli.terminal import Terminal, default_language, parse_day

COLUMNS = (
    "product_id",
    "other_product_id",
    "together",
    "support",
    "confidence",
    "lift",
    "llr",
    "q_value",
    "direction",
)


def pairs(
    orders: OrdersArgument = None,
    out: OutOption = Path("pairs.parquet"),
    top: Annotated[int | None, typer.Option("--top", min=1, help="Partners per product.")] = None,
    min_together: Annotated[int | None, typer.Option("--min-together", min=1, help="Fewest common orders.")] = None,
    max_q: Annotated[float | None, typer.Option("--max-q", min=0, max=1, help="Largest false discovery rate.")] = None,
    as_of: AsOfOption = None,
    workspace: MaybeWorkspace = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Count what is bought on the same order more often than chance, both directions listed.

    Example: nobishiro pairs orders.parquet --out pairs.parquet
    """
    import msgspec

    from nobishiro.engine.offer.together import find_pairs
    from nobishiro.engine.settings import Settings
    from nobishiro.pipelines.frames import write_frame

    terminal = Terminal(lang or default_language(), as_json)
    with terminal.progress() as progress:
        analysis, notes, rejected = open_analysis(orders, workspace, parse_day(as_of), Settings(), progress)
        given = {"top": top, "min_together": min_together, "max_q": max_q}
        settings = msgspec.structs.replace(
            analysis.settings.together, **{name: value for name, value in given.items() if value is not None}
        )
        sales = analysis.sales
        progress("pairs", 0, 0)
        frame = find_pairs(sales, settings).select(COLUMNS)
        write_frame(frame, out)
    for note in notes:
        terminal.note(note)
    terminal.say("wrote", path=out, n=f"{frame.height:,}")
    terminal.document({"out": out, "rows": frame.height, "as_of": analysis.as_of, "rejected": rejected})
