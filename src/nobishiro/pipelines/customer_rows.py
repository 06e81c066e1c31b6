"""One customer's rows as a page shows them: what happened, from the newest commit, and what the run says of them.

Every table is scanned with the customer as a predicate, all in one pass over the cores; nothing is kept between calls
but the names and prices of the products, once a run. Codes merged into the customer are given along: rows are stored
under the code they came with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from nobishiro.contracts.errors import NotAWorkspace
from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store.types import polars_schema
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.customer_index import INDEXED, indexed_rows

if TYPE_CHECKING:
    from nobishiro.pipelines.published import PublishedRun

HAPPENED: Final = ("order_lines", "touches", "proposals", "deals", "survey_answers", "tickets", "usage")
"""Tables of what happened with a customer, in the order of `HappenedRows`."""
_RUN: Final = ("gaps", "potential", "recommendations", "customer_features", "customer_potential")
_YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class HappenedRows:
    """Rows of the canonical tables, with their declared columns; a table not asked for is empty."""

    order_lines: pl.DataFrame
    """Lines that belong to the customer: as end customer, else as the one billed."""
    touches: pl.DataFrame
    proposals: pl.DataFrame
    deals: pl.DataFrame
    survey_answers: pl.DataFrame
    tickets: pl.DataFrame
    usage: pl.DataFrame


@dataclass(frozen=True, slots=True)
class RunRows:
    """Rows of the run's results, with their declared columns."""

    gaps: pl.DataFrame
    potential: pl.DataFrame
    recommendations: pl.DataFrame
    customer_features: pl.DataFrame
    customer_potential: pl.DataFrame


@dataclass(frozen=True, slots=True)
class CatalogueProduct:
    """What pages say about a product. Cost and margin are restricted: only for those who may see them."""

    code: str
    name: str
    family: str
    price: float | None
    cost: float | None
    margin_rate: float | None
    upgrade_of: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products and families of one run."""

    products: Mapping[str, CatalogueProduct]
    families: Mapping[str, str]
    """Name by code."""

    def name_of(self, product: str | None) -> str:
        """The product's name, its code where it has none."""
        known = self.products.get(product or "")
        return known.name if known is not None else (product or "")

    def family_of(self, product: str | None) -> str:
        """The product's family; empty when not known."""
        known = self.products.get(product or "")
        return known.family if known is not None else ""

    def family_name(self, family: str | None) -> str:
        """The family's name, its code where it has none."""
        return self.families.get(family or "", family or "")


def workspace_at(path: Path, run: PublishedRun | None) -> Workspace | None:
    """The workspace to read rows from, also before the first run; None where there is none yet."""
    if run is not None:
        return run.workspace
    try:
        return Workspace.open(path)
    except NotAWorkspace:
        return None


def happened_rows(
    workspace: Workspace | None,
    codes: Sequence[str],
    tables: Collection[str] = HAPPENED,
    *,
    index: Path | None = None,
) -> HappenedRows:
    """What happened with the customer of these codes, as of the newest commit; of `tables` only.

    `index` is where `customer_index.build_index` puts large tables; without one the store is scanned.
    """
    if workspace is None or not codes:
        return HappenedRows(*(_no_rows(name) for name in HAPPENED))
    wanted = [name for name in HAPPENED if name in tables]
    try:
        found = _scan(workspace, codes, wanted, index)
    except FileNotFoundError:  # vacuum was faster than this reader: the newest commit is another one now
        found = _scan(workspace, codes, wanted, index)
    read = dict(zip(wanted, found, strict=True))
    return HappenedRows(*(read[name] if name in read else _no_rows(name) for name in HAPPENED))


def run_rows(run: PublishedRun | None, code: str) -> RunRows:
    """What the run says about the customer; empty before the first."""
    if run is None:
        return RunRows(*(pl.DataFrame(schema=polars_schema(RESULTS[name])) for name in _RUN))
    scans = [
        run.workspace.store.scan_result(run.run_id, name).filter(pl.col("customer_id") == code)
        for name in _RUN
    ]  # fmt: skip
    return RunRows(*pl.collect_all(scans))


def master_rows(workspace: Workspace | None, table: str, codes: Sequence[str]) -> pl.DataFrame:
    """Imported rows of a master (`customers`, `contacts`) of these customers, uncorrected, with declared columns."""
    if workspace is None:
        return _no_rows(table)
    return workspace.store.scan(table).filter(pl.col("customer_id").is_in(list(codes))).collect()


def group_codes(workspace: Workspace | None, code: str, parent: str | None) -> list[str]:
    """Codes of the same group: the customer above, those beside and those below, without the customer itself."""
    if workspace is None:
        return []
    above = [code] if not parent else [code, parent]
    rows = (
        workspace.store.scan("customers")
        .filter(pl.col("parent_customer_id").is_in(above))
        .select("customer_id")
        .collect()
    )
    return sorted(({*rows["customer_id"], *([parent] if parent else [])}) - {code})


def catalogue_of(run: PublishedRun | None) -> Catalogue:
    """Names, families and prices of the products, read once a run."""
    return Catalogue({}, {}) if run is None else _catalogue(run)


def gross_profit(lines: pl.DataFrame, catalogue: Catalogue, run: PublishedRun) -> tuple[float, float] | None:
    """(gross profit in yen, share of sales whose cost is known) of the 365 days before `as_of`; None without any.

    Cost by the master: `cost` × quantity, else the margin rate. Lines without either are left out and lower the share.
    Restricted: only for those who may see cost.
    """
    until = datetime.combine(run.as_of, time())
    sold = lines.filter(pl.col("ordered_at") < until, pl.col("ordered_at") >= until - _YEAR)
    profit = known = total = 0.0
    for product, quantity, amount in sold.select("product_id", "quantity", "amount").iter_rows():
        if amount is None:
            continue
        total += float(amount)
        about = catalogue.products.get(product)
        if about is None:
            continue
        if about.cost is not None and quantity is not None:
            profit += float(amount) - about.cost * float(quantity)
        elif about.margin_rate is not None:
            profit += float(amount) * about.margin_rate
        else:
            continue
        known += float(amount)
    return (profit, known / total) if known > 0 and total > 0 else None


def _scan(workspace: Workspace, codes: Sequence[str], tables: Sequence[str], index: Path | None) -> list[pl.DataFrame]:
    head = workspace.store.head()
    if head is None:
        return [_no_rows(name) for name in tables]
    one = len(codes) == 1
    mine = pl.col("customer_id") == codes[0] if one else pl.col("customer_id").is_in(list(codes))
    used = pl.col("end_customer_id") == codes[0] if one else pl.col("end_customer_id").is_in(list(codes))
    scans = []
    for name in tables:
        found = None
        if index is not None and name in INDEXED:
            found = indexed_rows(workspace, index, name, codes, TABLES[name].column_names)
        if found is not None:
            scans.append(found)
            continue
        rows = workspace.store.scan(name, head.number)
        owned = used | (pl.col("end_customer_id").is_null() & mine) if name == "order_lines" else mine
        scans.append(rows.filter(owned))
    return pl.collect_all(scans)


def _no_rows(table: str) -> pl.DataFrame:
    return pl.DataFrame(schema=polars_schema(TABLES[table]))


@lru_cache(maxsize=4)
def _catalogue_at(path: Path, run_id: str, commit: int) -> Catalogue:
    workspace = Workspace.open(path)
    store = workspace.store
    named = store.scan_result(run_id, "product_families").select("product_id", "name", "family")
    master = store.scan("products", commit).select("product_id", "price", "cost", "margin_rate", "upgrade_of")
    products = {
        code: CatalogueProduct(code, name or code, family or "", _float(price), _float(cost), margin, upgrade or "")
        for code, name, family, price, cost, margin, upgrade in named.join(master, on="product_id", how="left")
        .collect()
        .iter_rows()
    }
    families = dict(store.scan_result(run_id, "families").select("family", "name").collect().iter_rows())
    return Catalogue(products, {code: name or code for code, name in families.items()})


def _catalogue(run: PublishedRun) -> Catalogue:
    return _catalogue_at(run.workspace.path, run.run_id, run.run.commit)


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
