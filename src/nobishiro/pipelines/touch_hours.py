"""Where the hours went: the contacts of some days with their length, out of the store."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.published import PublishedRun

COLUMNS: Final = ("touch_id", "customer_id", "rep_id", "kind", "happened_at", "minutes")


def touches_between(run: PublishedRun, first: date, until: date, entered_here: str = "web-") -> pl.DataFrame:
    """`COLUMNS` of the touches from `first` up to, not on, `until`, as of the run's commit, in the order of time.

    Those whose number begins with `entered_here` are left out: the site has them itself, newer than any run. `minutes`
    is null where nobody said how long it took.
    """
    return _read(run.workspace.path, run.run.commit, first, until, entered_here)


def has_touches(run: PublishedRun) -> bool:
    """Whether any contact was ever imported; without one nothing can be said about hours."""
    return bool(run.workspace.store.files("touches", run.run.commit))


@lru_cache(maxsize=8)
def _read(workspace: Path, commit: int, first: date, until: date, entered_here: str) -> pl.DataFrame:
    day = pl.col("happened_at").cast(pl.Date)
    return (
        Workspace.open(workspace)
        .store.scan("touches", commit)
        .select(COLUMNS)
        .filter(day >= first, day < until, ~pl.col("touch_id").str.starts_with(entered_here))
        .with_columns(pl.col("minutes").cast(pl.Float64))
        .sort("happened_at", "touch_id")
        .collect()
    )
