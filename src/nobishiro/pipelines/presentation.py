"""An analysis as people look at it: the report and the workbook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from nobishiro.engine.analysis import Analysis
from nobishiro.engine.understand.sales import Sales
from nobishiro.report.data import Measure, ReportData
from nobishiro.report.page import write_report
from nobishiro.report.workbook import write_workbook

_HISTORY_DAYS: Final = 730
_UNTAXED: Final = ("金額は税抜", "amounts are without tax")
_LABELS: Final = {
    "lines": ("受注明細", "Order lines"),
    "non_products": ("商品ではない明細", "Lines that are no product"),
    "netted": ("取消・返品", "Cancellations and returns"),
    "unmatched": ("元の受注が見つからない返品", "Returns without an original"),
    "adjustments": ("調整", "Adjustments"),
    "anonymous": ("顧客コードなし", "Without a customer"),
    "rejected": ("取り込めなかった行", "Rejected rows"),
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the analysis itself does not know."""

    company: str
    generated_at: datetime
    language: str = "ja"
    currency: str = "JPY"
    simulated: bool = False
    source_note: str = ""
    rejected: int = 0
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Presented:
    """Where the files are."""

    report: Path
    workbook: Path


def present(analysis: Analysis, occasion: Occasion, directory: Path) -> Presented:
    """Write `report.html` and `nobishiro.xlsx` into `directory`, each whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    data = report_data(analysis, occasion)
    presented = Presented(directory / "report.html", directory / "nobishiro.xlsx")
    write_report(data, presented.report)
    write_workbook(data, presented.workbook)
    return presented


def report_data(analysis: Analysis, occasion: Occasion) -> ReportData:
    """Everything the report shows, codes as text."""
    results = {name: _codes_as_text(frame) for name, frame in analysis.results().items()}
    products = pl.DataFrame({"product_id": analysis.sales.products}).join(
        analysis.product_names, on="product_id", how="left", maintain_order="left"
    )
    reps = analysis.table("reps")
    return ReportData(
        company=occasion.company,
        as_of=analysis.as_of,
        generated_at=occasion.generated_at,
        language=occasion.language,
        currency=occasion.currency,
        simulated=occasion.simulated,
        source_note=occasion.source_note,
        positions=_with_rep_names(results["positions"], reps),
        gaps=results["gaps"],
        families=results["families"],
        pairs=results["pairs"],
        recommendations=results["recommendations"],
        plan=_with_rep_names(results["plan"], reps),
        customer_features=results["customer_features"],
        customer_potential=results["customer_potential"],
        potential=results["potential"],
        products=_codes_as_text(products),
        order_history=_codes_as_text(order_history(analysis.sales, _HISTORY_DAYS)),
        thresholds=analysis.thresholds,
        plan_summary=analysis.plan_summary,
        intake=_intake(analysis, occasion),
        measures=occasion.measures,
    )


def order_history(sales: Sales, days: int) -> pl.DataFrame:
    """Net sales lines of the last `days`: customer_id, day, order_id, product_id, quantity, amount."""
    since = sales.as_of_day - days
    customer = sales.line_customer
    keep = np.flatnonzero((sales.line_day >= since) & (customer >= 0))
    return pl.DataFrame(
        {
            "customer_id": sales.customers.gather(customer[keep]),
            "day": pl.Series(sales.line_day[keep]).cast(pl.Date),
            "order_id": sales.orders.gather(sales.line_order[keep]),
            "product_id": sales.products.gather(sales.line_product[keep]),
            "quantity": sales.line_quantity[keep],
            "amount": sales.line_amount[keep],
        }
    )


def _intake(analysis: Analysis, occasion: Occasion) -> pl.DataFrame:
    rows = [
        (*_LABELS[row["what"]], row["count"], row["amount"], row["ja"], row["en"])
        for row in analysis.cleaned.findings.iter_rows(named=True)
    ]
    taxed = ("金額は税込", "amounts include tax") if analysis.settings.workspace.tax == "included" else _UNTAXED
    rows[0] = (*rows[0][:4], f"{rows[0][4]}({taxed[0]})", f"{rows[0][5]} ({taxed[1]})")
    if occasion.rejected:
        said = ("理由を付けた別ファイルに分けました", "kept in a file of their own, with the reason")
        rows.append((*_LABELS["rejected"], occasion.rejected, 0.0, *said))
    texts = ("what_ja", "what_en", "explanation_ja", "explanation_en")
    columns = (*texts[:2], "count", "amount", *texts[2:])
    kinds = dict.fromkeys(texts, pl.String) | {"count": pl.Int64, "amount": pl.Float64}
    return pl.DataFrame(rows, schema={name: kinds[name] for name in columns}, orient="row")


def _with_rep_names(frame: pl.DataFrame, reps: pl.DataFrame) -> pl.DataFrame:
    """Reps by name where every name is somebody's own, for people to read."""
    named = reps.select("rep_id", "name")
    if named.is_empty() or not named["name"].is_unique().all():
        return frame
    return frame.with_columns(pl.col("rep_id").replace(dict(named.iter_rows())))


def _codes_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    codes = [name for name in frame.columns if name.endswith("_id") and frame.schema[name] != pl.String]
    return frame.with_columns(pl.col(name).cast(pl.String) for name in codes)
