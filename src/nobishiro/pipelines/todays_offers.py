"""What a rep may offer a few customers today, and what speaks against offering anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from nobishiro.pipelines.published import PublishedRun

_RECOMMENDED: Final = ("customer_id", "product_id", "rank", "kind", "why_ja", "why_en", "say_ja", "say_en", "due_day")
_GAP: Final = ("customer_id", "family", "state", "proposal_result", "expected", "low", "high")


@dataclass(frozen=True, slots=True)
class Restraint:
    """Customers who are to be served or left in peace before anything is offered."""

    complaining: frozenset[str]
    """Customers with an open complaint."""
    refused: frozenset[tuple[str, str]]
    """(customer, family) declined since the asked day, as imported proposals say; an empty family stands for all."""


def offers_of(run: PublishedRun, customers: Sequence[str]) -> pl.DataFrame:
    """Recommendations of the named customers with names, family and the family's state, in the run's order.

    Columns: customer_id, product_id, rank, kind, why_ja, why_en, say_ja, say_en, due_day, product_name, family,
    family_name, state, proposal_result, expected, low, high (the family's at this customer; null where the gap
    matrix has none).
    """
    offered = run.rows("recommendations", customers, _RECOMMENDED)
    names = products_of(run, offered["product_id"].unique().to_list())
    gaps = run.rows("gaps", customers, _GAP)
    return offered.join(names, on="product_id", how="left", maintain_order="left").join(
        gaps, on=["customer_id", "family"], how="left", maintain_order="left"
    )


def products_of(run: PublishedRun, products: Sequence[str]) -> pl.DataFrame:
    """product_id, product_name, family, family_name of the named products."""
    schema = {"product_id": pl.String, "product_name": pl.String, "family": pl.String, "family_name": pl.String}
    if not products or run.run.table("product_families") is None:
        return pl.DataFrame(schema=schema)
    known = (
        run.workspace.store.scan_result(run.run_id, "product_families")
        .filter(pl.col("product_id").is_in(list(products)))
        .select("product_id", pl.col("name").alias("product_name"), "family")
        .collect()
    )
    families = run.rows("families", columns=["family", "name"]).rename({"name": "family_name"})
    return known.join(families, on="family", how="left")


def restraint_of(run: PublishedRun, since: date) -> Restraint:
    """Open complaints, and what customers declined on or after `since`, as far as imported rows say."""
    store, commit = run.workspace.store, run.run.commit
    complaining = (
        store.scan("tickets", commit)
        .filter(pl.col("kind") == "complaint", pl.col("closed_at").is_null())
        .select("customer_id")
        .unique()
        .collect()
    )
    declined = (
        store.scan("proposals", commit)
        .filter(pl.col("result") == "declined", pl.col("proposed_at") >= datetime.combine(since, time()))
        .select("customer_id", "product_id", "family")
        .collect()
    )
    named = products_of(run, declined["product_id"].drop_nulls().unique().to_list())
    families = declined.join(
        named.select("product_id", pl.col("family").alias("of_product")), on="product_id", how="left"
    )
    pairs = families.select("customer_id", pl.coalesce("family", "of_product", pl.lit("")).alias("family")).unique()
    return Restraint(frozenset(complaining["customer_id"]), frozenset(pairs.iter_rows()))


def margin_rates(run: PublishedRun) -> dict[str, float]:
    """Gross profit over sales by family: the median of its products' rates; families without any are missing."""
    rate = pl.coalesce(
        pl.col("margin_rate"),
        pl.when(pl.col("price").cast(pl.Float64) > 0).then(
            1.0 - pl.col("cost").cast(pl.Float64) / pl.col("price").cast(pl.Float64)
        ),
    )
    rates = (
        run.workspace.store.scan("products", run.run.commit)
        .select("product_id", rate.alias("rate"))
        .filter(pl.col("rate").is_not_null())
        .collect()
    )
    if rates.is_empty():
        return {}
    of = run.rows("product_families", columns=["product_id", "family"])
    by_family = rates.join(of, on="product_id").group_by("family").agg(pl.col("rate").median())
    return dict(by_family.iter_rows())
