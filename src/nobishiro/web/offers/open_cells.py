"""The gap matrix in columns of numbers, kept in the process for one run: totals over millions of cells in some milliseconds.

Reading the run's file at every request took most of the page's time. Here a cell is a customer's and a family's place in
the sorted codes, its state and its expected yen: some twenty bytes; the rest is read for the rows of a page alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.contracts.tables import FAMILY_STATES
from nobishiro.pipelines.published import PublishedRun
from nobishiro.web.customers.cells import STATE_NOW, said_since

COLUMNS: Final = ("customer_id", "family", "state", "expected")


@dataclass(frozen=True, slots=True)
class _Kept:
    """One run's cells by (customer, family), as places in the code frames."""

    customers: pl.DataFrame
    """customer_id, customer (UInt32): by code."""
    families: pl.DataFrame
    """family, place (UInt32): by code."""
    cells: pl.DataFrame
    """customer, place, state, expected."""


def cells_in_columns(
    run: PublishedRun, customers: pl.DataFrame, state: str, families: Sequence[str] | None
) -> pl.DataFrame:
    """(customer, customer_id, place, family, expected, pk, rep) of the cells that are in `state` now, in no order.

    `customers` has customer_id, pk and rep of those wanted. What people recorded since the run is laid over.
    """
    kept = _kept(run)
    cells = kept.cells
    wanted = customers.join(kept.customers, on="customer_id", how="inner")
    if families is not None:
        places = kept.families.filter(pl.col("family").is_in(list(families)))["place"]
        cells = cells.filter(pl.col("place").is_in(places.implode()))
    since = _since(run, kept)
    if since.is_empty():
        now = cells.filter(pl.col("state") == state)
    else:
        moved = pl.col("customer").is_in(since["customer"].unique().implode())
        now = pl.concat(
            [
                cells.filter((pl.col("state") == state) & ~moved),
                cells.filter(moved)
                .with_columns(pl.col("state").cast(pl.String))
                .join(since, on=["customer", "place"], how="left")
                .with_columns(STATE_NOW)
                .filter(pl.col("state") == state)
                .with_columns(pl.col("state").cast(cells.schema["state"]))
                .select(cells.columns),
            ]
        )
    return now.join(wanted, on="customer", how="inner").join(kept.families, on="place", how="left")


def codes_in_state(run: PublishedRun, state: str, families: Sequence[str] | None) -> list[str]:
    """Codes of the customers with a cell in `state` now."""
    kept = _kept(run)
    everybody = kept.customers.select("customer_id", pk=pl.lit(0), rep=pl.lit(0))
    return cells_in_columns(run, everybody, state, families)["customer_id"].unique().to_list()


def _since(run: PublishedRun, kept: _Kept) -> pl.DataFrame:
    return (
        said_since(run)
        .join(kept.customers, on="customer_id", how="inner")
        .join(kept.families, on="family", how="inner")
        .select("customer", "place", "state_now", "result_now")
    )


_held: dict[Path, tuple[str, _Kept]] = {}


def _kept(run: PublishedRun) -> _Kept:
    path = run.workspace.path
    known = _held.get(path)
    if known is not None and known[0] == run.run_id:
        return known[1]
    frame = run.rows("gaps", columns=COLUMNS)
    customers = frame.select(pl.col("customer_id").unique().sort()).with_row_index("customer")
    families = frame.select(pl.col("family").unique().sort()).with_row_index("place")
    states = pl.Enum(FAMILY_STATES)
    cells = (
        frame.join(customers, on="customer_id", how="left", maintain_order="left")
        .join(families, on="family", how="left", maintain_order="left")
        .select("customer", "place", pl.col("state").cast(states), "expected")
    )
    _held.clear()  # of one run alone: some tens of megabytes with a hundred thousand customers
    kept = _Kept(customers, families, cells)
    _held[path] = (run.run_id, kept)
    return kept
