"""Choose how to recommend by backtest on the company's own history, and keep the choice."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

import nobishiro
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.measure.backtest import POPULAR, Backtest, backtest_new
from nobishiro.engine.settings import RecommendSettings
from nobishiro.engine.store.tunes import Tune, TunedCandidate, save_tune
from nobishiro.engine.workspace import Workspace

NEIGHBOURS = (5, 10, 20, 40, 80)
HALF_LIVES = (90.0, 365.0)


def candidates_from(settings: RecommendSettings) -> dict[str, RecommendSettings]:
    """The grid that is tried: how many neighbours, and how fast a purchase is forgotten."""
    return {
        f"{neighbours} neighbours, half-life {half_life:.0f} days": msgspec.structs.replace(
            settings, neighbours=neighbours, half_life_days=half_life
        )
        for neighbours in NEIGHBOURS
        for half_life in HALF_LIVES
    }


def tune(
    workspace: Workspace, as_of: date | None, at: datetime, progress: ProgressReport = no_progress
) -> tuple[Tune, list[Backtest]]:
    """Try every candidate on the last windows, keep the best and return it with all results.

    Raises `NotEnoughHistory` when no window has enough customers; the defaults stand then.
    """
    analysis = workspace.analysis(as_of, progress=progress)
    head = workspace.store.head()
    grid = candidates_from(workspace.settings.recommend)
    results = backtest_new(analysis.sales, grid, progress=progress)
    best = next(result for result in results if result.name != POPULAR)
    chosen = Tune(
        at=at,
        commit=head.number if head is not None else 0,
        as_of=analysis.as_of,
        chosen=grid[best.name],
        candidates=tuple(TunedCandidate(r.name, r.ndcg, r.low, r.high, r.recall, r.customers) for r in results),
        cuts=best.cuts,
        window_days=best.window_days,
        k=best.k,
        version=nobishiro.__version__,
    )
    save_tune(workspace.path, chosen)
    return chosen, results
