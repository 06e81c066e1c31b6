"""`nobishiro tune`: choose how to recommend by backtest."""

from __future__ import annotations

from nobishiro.cli.options import DEFAULT_WORKSPACE, AsOfOption, JsonOption, LanguageOption, WorkspaceOption
from nobishiro.cli.terminal import Terminal, default_language, now, parse_day


def tune(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Try recommendation settings on the company's own history and keep the best; later runs use it.

    Example: nobishiro tune -w acme
    """
    from nobishiro.engine.measure.backtest import POPULAR
    from nobishiro.engine.workspace import Workspace
    from nobishiro.pipelines.tune import tune as choose

    terminal = Terminal(lang or default_language(), as_json)
    opened = Workspace.open(workspace)
    with terminal.progress() as progress:
        chosen, results = choose(opened, parse_day(as_of), now(opened.settings.workspace.time_zone), progress)
    terminal.table(
        ("", "NDCG@10", "95 %", "recall@10", "n"),
        [(r.name, f"{r.ndcg:.4f}", f"{r.low:.4f}-{r.high:.4f}", f"{r.recall:.4f}", r.customers) for r in results],
    )
    best = next(result for result in results if result.name != POPULAR)
    popular = next(result for result in results if result.name == POPULAR)
    terminal.say("tune.chosen", name=best.name)
    if popular.ndcg > 0:
        terminal.say("tune.popular", ratio=best.ndcg / popular.ndcg, n=f"{best.customers:,}", cuts=len(best.cuts))
    terminal.document(
        {
            "chosen": best.name,
            "neighbours": chosen.chosen.neighbours,
            "half_life_days": chosen.chosen.half_life_days,
            "cuts": list(chosen.cuts),
            "window_days": chosen.window_days,
            "candidates": [
                {
                    "name": r.name,
                    "ndcg": r.ndcg,
                    "low": r.low,
                    "high": r.high,
                    "recall": r.recall,
                    "customers": r.customers,
                }
                for r in results
            ],
        }
    )
