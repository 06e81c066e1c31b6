"""Customer × family yen put together: estimated first, then what was told laid over it. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nobishiro.engine.understand.comparables import Comparables, Flags, Likeness
from nobishiro.engine.understand.exploration import Float64, Int64
from nobishiro.engine.understand.opening_model import Forecast

_Z = 1.2815515655446004
"""Half width of an 80 % interval in standard deviations."""
_PRIOR = 5.0
"""Comparable customers' worth of the reference set's share mixed into a take-up."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Yen a year of n customers × F families, and of the customers as a whole."""

    potential: Float64
    low: Float64
    high: Float64
    """(n, F); zero where nothing is known."""
    told: Flags
    """(n, F) a fact says it."""
    known: Flags
    """(n, F) told or estimated."""
    customer_potential: Float64
    customer_low: Float64
    customer_high: Float64
    """(n,)"""
    customer_basis: npt.NDArray[np.str_]
    """(n,) told, estimated or unknown."""


def no_cells(current: Float64) -> Cells:
    """Nothing known about anybody; `current` gives the shape."""
    rows = current.shape[0]
    empty, none = np.zeros(current.shape), np.zeros(current.shape, np.bool_)
    nothing = np.zeros(rows)
    unknown = np.full(rows, "unknown", "<U9")
    return Cells(empty, empty, empty, none, none, nothing, nothing, nothing, unknown)


def scale_forecast(forecast: Forecast, codes: Int64, by: float) -> Forecast:
    """The rows of `codes`, yen times `by`."""
    return Forecast(
        forecast.score[codes],
        forecast.expected[codes] * by,
        forecast.low[codes] * by,
        forecast.high[codes] * by,
        forecast.chance[codes],
    )


def spread_over_families(
    owned: Flags, likeness: Likeness, comparables: Comparables, forecast: Forecast, enough: Flags
) -> Cells:
    """Cells of an estimate: `forecast` spread over the families not owned; those owned stay unknown.

    A family's weight is its take-up among comparable customers (the reference set's share counted as 5 more of them)
    times the yen of its buyers. Nobody who owns every family has new ones to open.
    """
    reference = comparables.current
    buying = (reference > 0).sum(axis=0)
    share = buying / max(reference.shape[0], 1)
    usual = reference.sum(axis=0, dtype=np.float64) / np.maximum(buying, 1)
    counted = likeness.counted[:, None] + _PRIOR
    take_up = (likeness.buyers + _PRIOR * share) / counted
    yen = (likeness.yen.astype(np.float64) * likeness.buyers + usual * _PRIOR) / (likeness.buyers + _PRIOR)
    weight = np.where(owned, 0.0, take_up * yen)
    whole = weight.sum(axis=1, keepdims=True)
    open_any = whole[:, 0] > 0
    part = np.divide(weight, whole, out=np.zeros_like(weight), where=whole > 0)
    expected = np.where(open_any, forecast.expected, 0.0)
    fresh = part * expected[:, None]
    # relative half widths below and above: the customer's own, joined with the take-up's (Wilson)
    spread = _Z * np.sqrt(take_up * (1 - take_up) / counted + (_Z / (2 * counted)) ** 2) / (1 + _Z**2 / counted)
    centre = (take_up + _Z**2 / (2 * counted)) / (1 + _Z**2 / counted)
    safe_take_up, safe_expected = np.maximum(take_up, 1e-9), np.maximum(expected, 1e-9)[:, None]
    under = np.hypot(1 - (centre - spread) / safe_take_up, 1 - forecast.low[:, None] / safe_expected)
    over = np.hypot((centre + spread) / safe_take_up - 1, forecast.high[:, None] / safe_expected - 1)
    low = np.where(owned, 0.0, fresh * np.maximum(1 - under, 0.0))
    high = np.where(owned, 0.0, fresh * (1 + over))
    rows = enough[:, None]
    return Cells(
        potential=np.where(rows, fresh, 0.0),
        low=np.where(rows, low, 0.0),
        high=np.where(rows, high, 0.0),
        told=np.zeros(owned.shape, np.bool_),
        known=rows & ~owned,
        customer_potential=np.where(enough, expected, 0.0),
        customer_low=np.where(enough & open_any, forecast.low, 0.0),
        customer_high=np.where(enough & open_any, forecast.high, 0.0),
        customer_basis=np.where(enough, "estimated", "unknown"),
    )


def tell_families(cells: Cells, current: Float64, total: Float64, spread: Float64, not_applicable: Flags) -> Cells:
    """Lay told family totals (n, F, NaN untold) over the cells, and zero where a family has no use for the customer.

    A customer's interval keeps the share of it that the untold families carry. One of whom nothing else is known is
    told, with the families told.
    """
    said = ~np.isnan(total)
    told = said | not_applicable
    if not told.any():
        return cells
    left = np.where(told, 0.0, cells.potential).sum(axis=1)
    before = cells.potential.sum(axis=1)
    share = np.divide(left, before, out=np.zeros_like(left), where=before > 0)
    values = [
        np.where(said & ~not_applicable, np.maximum(np.nan_to_num(total + sign * spread) - current, 0.0), 0.0)
        for sign in (0.0, -1.0, 1.0)
    ]
    sums = [np.where(told, value, 0.0).sum(axis=1) for value in values]
    basis = np.where((cells.customer_basis == "unknown") & said.any(axis=1), "told", cells.customer_basis)
    return replace(
        cells,
        potential=np.where(told, values[0], cells.potential),
        low=np.where(told, values[1], cells.low),
        high=np.where(told, values[2], cells.high),
        told=cells.told | told,
        known=cells.known | told,
        customer_potential=left + sums[0],
        customer_low=cells.customer_low * share + sums[1],
        customer_high=cells.customer_high * share + sums[2],
        customer_basis=basis,
    )


def tell_whole(cells: Cells, current: Float64, total: Float64, spread: Float64) -> Cells:
    """Lay told totals of whole customers (n, NaN untold) over the cells: the estimate only spreads what is left.

    What the told families do not take is shared out among the others as the estimate had it; where there was no
    estimate the families stay unknown and only the customer's sum is told.
    """
    said = ~np.isnan(total)
    if not said.any():
        return cells
    room, least, most = (np.maximum(np.nan_to_num(total + sign * spread) - current, 0.0) for sign in (0.0, -1.0, 1.0))
    by_family = np.where(cells.told, cells.potential, 0.0).sum(axis=1)
    estimated = cells.potential.sum(axis=1) - by_family
    # families told one by one may add up to more than the whole: then they are the better knowledge
    room, most = np.maximum(room, by_family), np.maximum(most, by_family)
    factor = np.where(said, np.divide(room - by_family, estimated, out=np.zeros_like(room), where=estimated > 0), 1.0)
    shared = said[:, None] & ~cells.told & cells.known
    scale = np.where(shared, factor[:, None], 1.0)
    return replace(
        cells,
        potential=cells.potential * scale,
        low=cells.low * scale,
        high=cells.high * scale,
        told=cells.told | (shared & (cells.potential > 0)),
        customer_potential=np.where(said, room, cells.customer_potential),
        customer_low=np.where(said, np.minimum(least, room), cells.customer_low),
        customer_high=np.where(said, most, cells.customer_high),
        customer_basis=np.where(said, "told", cells.customer_basis),
    )
