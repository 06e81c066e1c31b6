"""The whole on real data: the bundled orders go in; the map, gaps, offers and plan come out as report and workbook."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.contracts.errors import NotAWorkspace, NotEnoughHistory
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.measure.backtest import POPULAR, Backtest
from nobishiro.engine.store.store import Store
from nobishiro.engine.workspace import SETTINGS_FILE, Workspace
from nobishiro.pipelines.import_file import ImportRequest, ImportResult, import_file
from nobishiro.pipelines.presentation import Occasion, Presented, present
from nobishiro.pipelines.recompute import RunReport, recompute
from nobishiro.pipelines.tune import tune
from nobishiro.report.data import Measure

DATA: Final = "online_retail_ii.parquet"
COMPANY_JA: Final = "実データ: 英国のギフト卸(Online Retail II)"
COMPANY_EN: Final = "Real data: a UK gift wholesaler (Online Retail II)"
SOURCE: Final = (
    "Online Retail II, Daqing Chen, UCI Machine Learning Repository, doi 10.24432/C5CG6D, CC BY 4.0; both sheets "
    "joined, lines that stand in both kept once. Reps, their hours, who looks after whom and the target "
    "(last year + 10 %) are assumptions of this demo."
)
_SETTINGS: Final = """# The demo's own settings; every key is in docs/reference/settings.md
[workspace]
currency = "GBP"
tax = "excluded"
time_zone = "Europe/London"
"""
_REPS: Final = tuple(f"担当{number}(仮) Rep {number}" for number in range(1, 6))
_HOURS: Final = 80.0


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made."""

    workspace: Workspace
    imported: ImportResult
    run: RunReport
    presented: Presented
    backtest: tuple[Backtest, ...]


def run_demo(directory: Path, at: datetime, language: str, progress: ProgressReport = no_progress) -> Demo:
    """Import the bundled data into a new workspace at `directory`, compute, and write the report beside it.

    A demo that is there already is made anew; any other directory is left alone: raises `NotAWorkspace`.
    """
    _clear(directory)
    store = Store.create(directory, at=at)
    (directory / SETTINGS_FILE).write_text(_SETTINGS, "utf-8")
    workspace = Workspace.open(store.path)
    with as_file(files("nobishiro.demo_data").joinpath(DATA)) as path:
        imported = import_file(
            workspace, ImportRequest(str(path), rejected_to=directory / "rejected.csv"), at, progress
        )
    _assume_people(workspace, at)
    try:
        _, backtest = tune(workspace, None, at, progress)
    except NotEnoughHistory:
        backtest = []
    run = recompute(workspace, None, at, progress)
    occasion = Occasion(
        company=COMPANY_JA if language == "ja" else COMPANY_EN,
        generated_at=at,
        language=language,
        currency="GBP",
        source_note=SOURCE,
        rejected=imported.report.rejected.height,
        measures=measures_of(backtest),
    )
    presented = present(run.analysis, occasion, directory / "report")
    return Demo(workspace, imported, run, presented, tuple(backtest))


def measures_of(backtest: list[Backtest]) -> tuple[Measure, ...]:
    """The chosen way of recommending and popularity, as the report shows them."""
    chosen = next((result for result in backtest if result.name != POPULAR), None)
    popular = next((result for result in backtest if result.name == POPULAR), None)
    shown = []
    for result, ja, en in (
        (chosen, "新しい商品の提案(採用した方法)", "New products, chosen method"),
        (popular, "人気順", "Popularity"),
    ):
        if result is None:
            continue
        days = ", ".join(day.isoformat() for day in sorted(result.cuts))
        shown.append(
            Measure(
                ja,
                en,
                f"NDCG@{result.k} {result.ndcg:.3f} ({result.low:.3f}–{result.high:.3f}), "
                f"recall@{result.k} {result.recall:.3f}",
                result.customers,
                f"{days} の各時点で提案し、続く{result.window_days}日に初めて買われた商品と比べました"
                f"({_ja(result.name)})。",
                f"Recommended as of {days}, compared with what was bought for the first time in the next "
                f"{result.window_days} days. {result.name}",
            )
        )
    return tuple(shown)


def _ja(candidate: str) -> str:
    """The name of a tuned candidate as a Japanese reader wants it."""
    words = {" neighbours, half-life ": "近傍・半減期", " days": "日", POPULAR: "直近の人気順"}
    for english, japanese in words.items():
        candidate = candidate.replace(english, japanese)
    return candidate


def _clear(directory: Path) -> None:
    if not directory.exists():
        return
    settings = directory / SETTINGS_FILE
    if settings.is_file() and settings.read_text("utf-8") == _SETTINGS:
        shutil.rmtree(directory)
        return
    if any(directory.iterdir()):
        raise NotAWorkspace(f"{directory}: holds something that is no demo; name an empty directory with --workspace")


def _assume_people(workspace: Workspace, at: datetime) -> None:
    """Five assumed reps share the customers evenly by code, and a target is assumed: the data know neither."""
    ids = [f"R{number}" for number in range(1, len(_REPS) + 1)]
    customers = (
        workspace.store.scan("order_lines")
        .select(pl.col("customer_id").drop_nulls().unique().sort())
        .collect()
        .to_series()
    )
    reps = pl.DataFrame(
        {"rep_id": ids, "name": _REPS, "division_id": "D1", "hours_per_month": _HOURS},
        schema_overrides={"hours_per_month": pl.Float64},
    )
    assignments = pl.DataFrame(
        {
            "customer_id": customers,
            "division_id": pl.repeat("D1", customers.len(), eager=True),
            "rep_id": [ids[number % len(ids)] for number in range(customers.len())],
            "role": pl.repeat("main", customers.len(), eager=True),
        }
    )
    divisions = pl.DataFrame({"division_id": ["D1"], "name": ["営業(仮)"], "is_window": [True]})
    day = pl.col("ordered_at").cast(pl.Date)
    lines = workspace.store.scan("order_lines").select(day.alias("day"), "amount")
    last = lines.select(pl.col("day").max()).collect().item()
    year = lines.filter(pl.col("day") > last - timedelta(days=365)).select(pl.col("amount").sum()).collect().item()
    targets = pl.DataFrame(
        {
            "scope": ["company"],
            "scope_id": ["all"],
            "period_start": [last],
            "period_end": [last + timedelta(days=364)],
            "measure": ["sales"],
            "amount": [round(year * Decimal("1.1"), 2)],
        },
        schema_overrides={"amount": pl.Decimal(18, 2)},
    )
    with workspace.store.begin(Store.new_import_id(at), "edit", "demo: assumed reps", at) as transaction:
        transaction.upsert("divisions", divisions)
        transaction.upsert("reps", reps)
        transaction.upsert("assignments", assignments)
        transaction.upsert("targets", targets)
        transaction.commit()
