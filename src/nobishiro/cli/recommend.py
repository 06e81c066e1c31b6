"""`nobishiro recommend`: products for every customer, from one file or a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.opening import open_analysis
from nobishiro.cli.options import AsOfOption, JsonOption, LanguageOption, MaybeWorkspace, OrdersArgument, OutOption
from nobishiro.cli.terminal import Terminal, default_language, parse_day

COLUMNS = ("customer_id", "product_id", "rank", "score", "kind", "reason", "evidence")


def recommend(
    orders: OrdersArgument = None,
    out: OutOption = Path("recs.parquet"),
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="Products per customer and kind.")] = 10,
    new_only: Annotated[bool, typer.Option("--new-only", help="Only products the customer never bought.")] = False,
    as_of: AsOfOption = None,
    workspace: MaybeWorkspace = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Recommend new products and replenishment, ranked apart, each with its evidence.

    Examples:
      nobishiro recommend orders.parquet --out recs.parquet --k 10 --new-only --as-of 2025-10-01

      nobishiro recommend -w acme --out 提案.xlsx
    """
    import msgspec

    from nobishiro.engine.offer.personal import recommend_products
    from nobishiro.engine.settings import Settings
    from nobishiro.pipelines.frames import write_frame

    terminal = Terminal(lang or default_language(), as_json)
    with terminal.progress() as progress:
        analysis, notes, rejected = open_analysis(orders, workspace, parse_day(as_of), Settings(), progress)
        settings = msgspec.structs.replace(analysis.settings.recommend, k=k)
        kinds = ("new",) if new_only else ("new", "replenishment")
        frame = recommend_products(
            analysis.sales, analysis.product_names, settings, kinds=kinds, texts_up_to=0, progress=progress
        ).select(COLUMNS)
        write_frame(frame, out)
    for note in notes:
        terminal.note(note)
    terminal.say("wrote", path=out, n=f"{frame.height:,}")
    terminal.document(
        {
            "out": out,
            "rows": frame.height,
            "customers": frame["customer_id"].n_unique(),
            "as_of": analysis.as_of,
            "rejected": rejected,
            "kinds": list(kinds),
        }
    )
