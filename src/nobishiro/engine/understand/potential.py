"""拡大余地: yen a year each customer could still buy from us, by family, with an interval, told or estimated.

docs/explanation/potential.md says in words what is computed here and what was measured.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from nobishiro.contracts.errors import BadInput
from nobishiro.engine.settings import PotentialSettings
from nobishiro.engine.understand.comparables import Comparables, Flags, Likeness, choose_comparables, fit_affinity
from nobishiro.engine.understand.exploration import FEATURES, Cut, Float32, Float64, Int32, Int64, look_at_cut
from nobishiro.engine.understand.family_cells import (
    Cells,
    no_cells,
    scale_forecast,
    spread_over_families,
    tell_families,
    tell_whole,
)
from nobishiro.engine.understand.opening_model import Forecast
from nobishiro.engine.understand.potential_words import Hints, write_reasons
from nobishiro.engine.understand.rehearsal import (
    YEAR,
    Rehearsal,
    TooLittle,
    model_columns,
    rehearse,
)
from nobishiro.engine.understand.sales import Sales
from nobishiro.engine.understand.told import Told, read_told

_CELLS = 2_000_000
"""Customer × family cells a thread works on at a time; some thirty numbers a cell are in memory meanwhile."""
_STEP = 4096
"""Blocks are multiples of this many customers."""
_THREADS = 2
_LEAST_COMPARABLES = 5
"""With one order day and fewer comparable customers than this nothing is said."""

BY_FAMILY_SCHEMA = {
    "customer_id": pl.String,
    "family": pl.String,
    "current": pl.Float64,
    "potential": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "basis": pl.String,
    "comparable_customers": pl.Int64,
    "comparable_buyers": pl.Int64,
}
BY_CUSTOMER_SCHEMA = {
    "customer_id": pl.String,
    "current": pl.Float64,
    "potential": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "basis": pl.String,
    "exploration": pl.Float64,
    "why_ja": pl.String,
    "why_en": pl.String,
}


@dataclass(frozen=True, slots=True)
class PotentialResult:
    """Potential of every customer of the list."""

    by_family: pl.DataFrame
    """Columns of RESULTS["potential"], sorted by customer and family."""
    by_customer: pl.DataFrame
    """Columns of RESULTS["customer_potential"], one row a customer, sorted."""
    rehearsal: Rehearsal | None
    """What was learned on earlier cuts; None when nothing could be estimated."""
    not_estimated: TooLittle | None
    """Why nothing was estimated, for the whole company; None otherwise."""


def estimate_potential(
    sales: Sales,
    product_family: pl.DataFrame,
    facts: pl.DataFrame | None,
    customers: pl.DataFrame | None,
    settings: PotentialSettings,
    *,
    horizon: int | None = None,
) -> PotentialResult:
    """Yen a year each customer could still buy from us: told where a fact says it, else estimated, else null.

    Estimated potential is what customers who stood where this one stands went on to spend in families new to them, at
    the pace of one horizon (half a year where the history allows) expressed per year, learned on earlier cuts of the
    same history, exceptional spend counted up to the interval's upper end: sums of it are cautious. It is spread over
    the families never bought by how many comparable customers buy them and for how much. In families bought before
    nothing is estimated (null): that comparable customers buy more there did not foretell that this one will. Told
    potential is the told total less what they buy from us, floored at 0, as precise as it was said.

    The interval of a customer covers 80 % of what such customers went on to spend. A family's interval is that of its
    expectation: the customer's own joined with the Wilson interval of the comparable customers' take-up.

    `product_family` has product_id and family (null: none); `facts` the canonical columns; `customers` at least
    customer_id and adds customers without orders (told or unknown). Without amounts all yen are units. `horizon`
    fixes the days of the rehearsal; leave it to follow the history. Deterministic for a seed. Raises `BadInput` when a
    frame lacks a column; never for little data, which is `unknown`.
    """
    _check("product_family", product_family, ("product_id", "family"))
    _check("facts", facts, ("customer_id", "fact", "subject"))
    _check("customers", customers, ("customer_id",))
    coded, families = _code_families(sales, product_family)
    told = read_told(facts, sales.as_of)
    rehearsed = rehearse(sales, coded, families.len(), settings, horizon)
    by_family, by_customer = _estimate(_Setting(sales, coded, families, settings, rehearsed, told))
    if customers is not None:
        listed = customers["customer_id"].cast(pl.String).drop_nulls().unique()
        prospects = listed.filter(~listed.is_in(by_customer["customer_id"].implode()))
        more_families, more_customers = _say_of_prospects(prospects, told)
        by_family, by_customer = pl.concat((by_family, more_families)), pl.concat((by_customer, more_customers))
    if not by_customer["customer_id"].is_sorted():  # prospects came last, or the ids were numbers
        by_family, by_customer = by_family.sort("customer_id", "family"), by_customer.sort("customer_id")
    return PotentialResult(
        by_family=by_family,
        by_customer=by_customer,
        rehearsal=rehearsed if isinstance(rehearsed, Rehearsal) else None,
        not_estimated=rehearsed if isinstance(rehearsed, TooLittle) else None,
    )


def _check(what: str, frame: pl.DataFrame | None, needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if frame is not None and name not in frame.columns]
    if missing and frame is not None:
        raise BadInput(f"{what} lacks {', '.join(missing)}; it has {', '.join(frame.columns)}")


def _code_families(sales: Sales, product_family: pl.DataFrame) -> tuple[Int32, pl.Series]:
    named = product_family.select(pl.col("product_id").cast(pl.String), pl.col("family").cast(pl.String)).unique(
        "product_id", keep="first", maintain_order=True
    )
    products = pl.DataFrame({"product_id": sales.products.cast(pl.String)}).join(
        named, on="product_id", how="left", maintain_order="left"
    )
    families = named["family"].drop_nulls().unique().sort().alias("family")
    codes = pl.DataFrame({"family": families, "code": np.arange(families.len(), dtype=np.int32)})
    coded = products.join(codes, on="family", how="left", maintain_order="left")["code"].fill_null(-1)
    return coded.to_numpy().astype(np.int32), families


@dataclass(frozen=True, slots=True)
class _Setting:
    """What all blocks of customers share."""

    sales: Sales
    coded: Int32
    families: pl.Series
    settings: PotentialSettings
    rehearsed: Rehearsal | TooLittle
    told: Told

    @property
    def size(self) -> int:
        """Number of families."""
        return self.families.len()

    def look(self, codes: Int64, horizon: int, year: int) -> Cut:
        """Customers as they stand at `as_of`."""
        return look_at_cut(self.sales, self.coded, self.size, self.sales.as_of_day, horizon, year, codes)


def _estimate(setting: _Setting) -> tuple[pl.DataFrame, pl.DataFrame]:
    customers = setting.sales.customers.len()
    blocks = _blocks(customers, setting.size)
    forecast = _forecast(setting, blocks)
    comparables = _choose_reference(setting)
    if not blocks:
        return pl.DataFrame(schema=BY_FAMILY_SCHEMA), pl.DataFrame(schema=BY_CUSTOMER_SCHEMA)
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(lambda codes: _estimate_block(setting, codes, forecast, comparables), blocks))
    return pl.concat([by_family for by_family, _ in found]), pl.concat([by_customer for _, by_customer in found])


def _blocks(customers: int, families: int) -> list[Int64]:
    step = max(1, _CELLS // max(families, 1) // _STEP) * _STEP
    return [np.arange(start, min(start + step, customers), dtype=np.int64) for start in range(0, customers, step)]


def _forecast(setting: _Setting, blocks: list[Int64]) -> Forecast | None:
    """The model's word on every customer; ranks need all of them at once, so only their columns are kept."""
    rehearsed = setting.rehearsed
    if isinstance(rehearsed, TooLittle):
        return None
    sample = _sample(setting.sales.customers.len(), setting.settings.training_customers, setting.settings.seed)
    seen = setting.look(sample, rehearsed.horizon, rehearsed.year)
    affinity = fit_affinity(seen.owned[seen.known], seen.current[seen.known])

    def describe(codes: Int64) -> Float32:
        cut = setting.look(codes, rehearsed.horizon, rehearsed.year)
        return model_columns(cut.features, affinity, cut.owned)

    with ThreadPoolExecutor(_THREADS) as pool:
        columns = list(pool.map(describe, blocks))
    return rehearsed.model.forecast(np.vstack(columns))


def _choose_reference(setting: _Setting) -> Comparables:
    settings = setting.settings
    # twice as many are looked at as are kept: some did not buy in the window
    sample = _sample(setting.sales.customers.len(), 2 * settings.reference_customers, settings.seed + 1)
    cut = setting.look(sample, settings.horizon_days, settings.window_days)
    return choose_comparables(
        sample, cut.owned, cut.current, settings.comparables, settings.reference_customers, settings.seed
    )


def _sample(customers: int, most: int, seed: int) -> Int64:
    if customers <= most:
        return np.arange(customers, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(customers, most, replace=False)).astype(np.int64)


def _estimate_block(
    setting: _Setting, codes: Int64, forecast: Forecast | None, comparables: Comparables
) -> tuple[pl.DataFrame, pl.DataFrame]:
    settings, rehearsed = setting.settings, setting.rehearsed
    cut = setting.look(codes, settings.horizon_days, settings.window_days)
    likeness = comparables.find(codes, cut.owned, cut.current)
    ids = setting.sales.customers[codes].cast(pl.String)
    cells = no_cells(cut.current)
    if forecast is not None and isinstance(rehearsed, Rehearsal):
        mine = scale_forecast(forecast, codes, YEAR / rehearsed.horizon)
        enough = cut.owned.any(axis=1) & ((cut.orders >= 2) | (likeness.counted >= _LEAST_COMPARABLES))
        cells = spread_over_families(cut.owned, likeness, comparables, mine, enough)
    told = setting.told
    cells = tell_families(
        cells,
        cut.current,
        _told_cells(told.by_family, "total", ids, setting.families),
        _told_cells(told.by_family, "spread", ids, setting.families),
        _told_cells(told.not_applicable.with_columns(flag=pl.lit(0.0)), "flag", ids, setting.families) == 0.0,
    )
    joined = pl.DataFrame({"customer_id": ids}).join(told.whole, on="customer_id", how="left", maintain_order="left")
    whole = joined["total"].to_numpy().astype(np.float64)
    cells = tell_whole(cells, cut.total, whole, joined["spread"].to_numpy().astype(np.float64))
    by_family = _family_rows(setting, ids, cut, cells, likeness)
    return by_family, _customer_rows(setting, ids, cut, cells, likeness, whole, forecast, codes)


def _told_cells(told: pl.DataFrame, value: str, ids: pl.Series, families: pl.Series) -> Float64:
    """(n, F) the values of `told` at customer × family, NaN elsewhere."""
    cells = np.full((ids.len(), max(families.len(), 1)), np.nan)
    if told.height:
        rows = pl.DataFrame({"customer_id": ids}).with_row_index("row")
        columns = pl.DataFrame({"family": families}, schema={"family": pl.String}).with_row_index("column")
        found = told.join(rows, on="customer_id").join(columns, on="family")
        cells[found["row"].to_numpy(), found["column"].to_numpy()] = found[value].to_numpy()
    return cells


def _family_rows(setting: _Setting, ids: pl.Series, cut: Cut, cells: Cells, likeness: Likeness) -> pl.DataFrame:
    if setting.size == 0:
        return pl.DataFrame(schema=BY_FAMILY_SCHEMA)
    settings = setting.settings
    listed = np.ones(cells.potential.shape, np.bool_)
    if setting.sales.customers.len() * setting.size > settings.max_rows:
        most = min(settings.listed_families, setting.size)
        likely = np.argpartition(-cells.potential, most - 1, axis=1)[:, :most]
        listed = (cut.current > 0) | cells.told
        np.put_along_axis(listed, likely, True, axis=1)
        listed &= (cells.potential > 0) | (cut.current > 0) | cells.told
    row, family = np.nonzero(listed)
    known = cells.known[row, family]
    basis = np.where(cells.told[row, family], "told", np.where(known, "estimated", "unknown"))
    unknown = ~known
    return pl.DataFrame(
        {
            "customer_id": ids[row],
            "family": setting.families[family],
            "current": cut.current[row, family],
            "potential": _null_where(cells.potential[row, family], unknown),
            "low": _null_where(cells.low[row, family], unknown),
            "high": _null_where(cells.high[row, family], unknown),
            "basis": pl.Series(basis, dtype=pl.String),
            "comparable_customers": likeness.counted[row].astype(np.int64),
            "comparable_buyers": likeness.buyers[row, family].astype(np.int64),
        },
        schema=BY_FAMILY_SCHEMA,
    )


def _customer_rows(
    setting: _Setting,
    ids: pl.Series,
    cut: Cut,
    cells: Cells,
    likeness: Likeness,
    whole: Float64,
    forecast: Forecast | None,
    codes: Int64,
) -> pl.DataFrame:
    unknown = cells.customer_basis == "unknown"
    # the family to name: the one with the most yen of those never bought
    room = np.where(cut.owned, 0.0, cells.potential)
    rows, best = np.arange(codes.size), room.argmax(axis=1)
    has_open = room[rows, best] > 0
    exploration = forecast.score[codes] if forecast is not None else np.full(codes.size, np.nan)
    hints = Hints(
        basis=cells.customer_basis,
        opened=np.rint(np.expm1(cut.features[:, FEATURES.index("opened_year")])).astype(np.int64),
        owned=cut.owned.sum(axis=1),
        order_days=cut.orders,
        comparable=likeness.counted,
        buyers=likeness.buyers[rows, best],
        family=_names_where(setting.families, best, has_open),
        told=whole,
        current=cut.total,
    )
    why_ja, why_en = write_reasons(hints, setting.rehearsed if isinstance(setting.rehearsed, TooLittle) else None)
    return pl.DataFrame(
        {
            "customer_id": ids,
            "current": cut.total,
            "potential": _null_where(cells.customer_potential, unknown),
            "low": _null_where(cells.customer_low, unknown),
            "high": _null_where(cells.customer_high, unknown),
            "basis": pl.Series(cells.customer_basis, dtype=pl.String),
            "exploration": _null_where(exploration, np.isnan(exploration)),
            "why_ja": why_ja,
            "why_en": why_en,
        },
        schema=BY_CUSTOMER_SCHEMA,
    )


def _null_where(values: Float64, null: Flags) -> pl.Series:
    return pl.DataFrame({"v": values, "n": null}).select(pl.when(~pl.col("n")).then(pl.col("v")).alias("v"))["v"]


def _names_where(families: pl.Series, codes: Int64, named: Flags) -> pl.Series:
    if families.len() == 0:
        return pl.Series([None] * codes.size, dtype=pl.String)
    return pl.DataFrame({"f": families[codes], "n": named}).select(pl.when(pl.col("n")).then(pl.col("f")).alias("f"))[
        "f"
    ]


def _say_of_prospects(ids: pl.Series, told: Told) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Customers without orders: told, or unknown."""
    people = pl.DataFrame({"customer_id": ids}, schema={"customer_id": pl.String})
    families = told.by_family.join(people, on="customer_id").select(
        "customer_id",
        "family",
        current=pl.lit(0.0),
        potential=pl.col("total"),
        low=pl.max_horizontal(pl.col("total") - pl.col("spread"), pl.lit(0.0)),
        high=pl.col("total") + pl.col("spread"),
        basis=pl.lit("told"),
        comparable_customers=pl.lit(0, pl.Int64),
        comparable_buyers=pl.lit(0, pl.Int64),
    )
    sums = families.group_by("customer_id").agg(pl.col("potential", "low", "high").sum())
    rows = (
        people.join(told.whole, on="customer_id", how="left")
        .join(sums, on="customer_id", how="left")
        .with_columns(
            low=pl.coalesce(pl.max_horizontal(pl.col("total") - pl.col("spread"), pl.lit(0.0)), "low"),
            high=pl.coalesce(pl.col("total") + pl.col("spread"), "high"),
            potential=pl.coalesce("total", "potential"),
        )
    )
    count = rows.height
    hints = Hints(
        basis=np.where(rows["potential"].is_null().to_numpy(), "unknown", "told"),
        opened=np.zeros(count, np.int64),
        owned=np.zeros(count, np.int64),
        order_days=np.zeros(count, np.int64),
        comparable=np.zeros(count, np.int64),
        buyers=np.zeros(count, np.int64),
        family=pl.Series([None] * count, dtype=pl.String),
        told=rows["total"].to_numpy().astype(np.float64),
        current=np.zeros(count),
    )
    why_ja, why_en = write_reasons(hints, None)
    rows = rows.with_columns(
        current=pl.lit(0.0),
        basis=pl.Series(hints.basis, dtype=pl.String),
        exploration=pl.lit(None, pl.Float64),
        why_ja=why_ja,
        why_en=why_en,
    )
    return families.select(list(BY_FAMILY_SCHEMA)), rows.select(list(BY_CUSTOMER_SCHEMA))
