"""Choose one contact a customer within hours: multiple choice under rep hours and quadrant hours.

Plain arrays in, choices and a proven bound out. Prices on hours (Lagrange multipliers) split the problem into one
question a customer; any prices at all give a bound that no plan can pass, so the gap that is reported is proven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CapacityProblem:
    """N customers, K channels, R reps, Q quadrants."""

    value: Float64
    """(N, K) yen expected of each choice."""
    hours: Float64
    """(K,) hours one contact takes."""
    rep: Int64
    """(N,) rep code of each customer."""
    quadrant: Int64
    """(N,) quadrant code of each customer."""
    rep_hours: Float64
    """(R,) hours of each rep."""
    quadrant_hours: Float64
    """(Q,) hours that may go into each quadrant, over all reps."""


@dataclass(frozen=True, slots=True)
class CapacityChoice:
    """A feasible choice and how far from the best it can be at most."""

    channel: Int64
    """(N,) chosen channel, −1 for none."""
    expected: float
    bound: float


def choose_by_prices(problem: CapacityProblem, rounds: int = 120) -> CapacityChoice:
    """A feasible choice with a proven bound, in time linear in customers; deterministic.

    Prices on the hour limits are improved by subgradient steps (Held and Karp 1971; Fisher 1981), each limit's slope
    taken relative to its hours so that a small rep and a large quadrant move alike. The choices wanted at the best
    prices are then taken by gain an hour while hours last, and hours left over are filled with what still fits.
    """
    n = problem.value.shape[0]
    if n == 0:
        return CapacityChoice(np.empty(0, np.int64), 0.0, 0.0)
    who = np.arange(n)
    rep_limit = np.maximum(problem.rep_hours, 1e-9)
    quadrant_limit = np.maximum(problem.quadrant_hours, 1e-9)
    rep_price = _clearing_prices(problem)
    quadrant_price = np.zeros(problem.quadrant_hours.size)
    scale = float(rep_price.mean())
    best_bound, best_prices = np.inf, (rep_price, quadrant_price)
    for turn in range(rounds):
        wanted, gain = _wanted(problem, rep_price, quadrant_price)
        taken = gain > 0
        bound = float(gain[taken].sum() + rep_price @ problem.rep_hours + quadrant_price @ problem.quadrant_hours)
        if bound < best_bound:
            best_bound, best_prices = bound, (rep_price, quadrant_price)
        spent = np.where(taken, problem.hours[wanted], 0.0)
        length = scale * 0.5 / (1.0 + turn / 4.0)
        rep_slope = np.bincount(problem.rep, spent, rep_limit.size) / rep_limit - 1.0
        quadrant_slope = np.bincount(problem.quadrant, spent, quadrant_limit.size) / quadrant_limit - 1.0
        rep_price = np.maximum(0.0, rep_price + length * np.clip(rep_slope, -1.0, 1.0))
        quadrant_price = np.maximum(0.0, quadrant_price + length * np.clip(quadrant_slope, -1.0, 1.0))
    wanted, gain = _wanted(problem, *best_prices)
    channel = _make_feasible(problem, wanted, gain)
    chosen = np.flatnonzero(channel >= 0)
    expected = float(problem.value[who[chosen], channel[chosen]].sum())
    return CapacityChoice(channel, expected, max(best_bound, expected))


def _wanted(problem: CapacityProblem, rep_price: Float64, quadrant_price: Float64) -> tuple[Int64, Float64]:
    """The channel each customer wants at these prices on an hour, and what it gains over doing nothing."""
    price = rep_price[problem.rep] + quadrant_price[problem.quadrant]
    wanted = np.zeros(price.size, np.int64)
    gain = problem.value[:, 0] - price * problem.hours[0]
    for channel in range(1, problem.hours.size):
        other = problem.value[:, channel] - price * problem.hours[channel]
        better = other > gain
        wanted[better] = channel
        gain = np.where(better, other, gain)
    return wanted, gain


def _clearing_prices(problem: CapacityProblem) -> Float64:
    """The price of an hour of each rep at which the wanted hours just fit, were there no limits on quadrants."""
    free = np.zeros(problem.quadrant_hours.size)
    low = np.zeros(problem.rep_hours.size)
    per_hour = (problem.value / problem.hours).max(axis=1)
    high = np.zeros(problem.rep_hours.size)
    np.maximum.at(high, problem.rep, per_hour)
    for _ in range(30):
        middle = (low + high) / 2
        wanted, gain = _wanted(problem, middle, free)
        spent = np.bincount(problem.rep, np.where(gain > 0, problem.hours[wanted], 0.0), middle.size)
        over = spent > problem.rep_hours
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return high


def _make_feasible(problem: CapacityProblem, wanted: Int64, gain: Float64) -> Int64:
    """Take the wanted choices by gain an hour while hours last, then whatever adds most an hour and still fits."""
    n, channels = problem.value.shape
    choice = np.full(n, -1, np.int64)
    rep_left, quadrant_left = problem.rep_hours.copy(), problem.quadrant_hours.copy()
    first = np.lexsort((np.arange(n), -gain / problem.hours[wanted]))
    first = first[gain[first] > 0]
    limits = (problem.value, problem.hours, problem.rep, problem.quadrant, rep_left, quadrant_left, choice)
    _take(first, wanted[first], *limits)
    for _ in range(2):
        now = np.where(choice >= 0, problem.value[np.arange(n), np.maximum(choice, 0)], 0.0)
        used = np.where(choice >= 0, problem.hours[np.maximum(choice, 0)], 0.0)
        more = (problem.value - now[:, None]).ravel()
        longer = (problem.hours[None, :] - used[:, None]).ravel()
        candidates = np.flatnonzero(more > 0)
        by_hour = np.where(longer[candidates] > 0, more[candidates] / np.maximum(longer[candidates], 1e-9), np.inf)
        candidates = candidates[np.lexsort((candidates, -by_hour))]
        _take(candidates // channels, candidates % channels, *limits)
    return choice


@njit(cache=True, nogil=True)
def _take(
    customers: Int64,
    channels: Int64,
    value: Float64,
    hours: Float64,
    rep: Int64,
    quadrant: Int64,
    rep_left: Float64,
    quadrant_left: Float64,
    choice: Int64,
) -> None:
    for at in range(customers.size):
        who, how = customers[at], channels[at]
        now = choice[who]
        longer = hours[how]
        if now >= 0:
            if value[who, now] >= value[who, how]:
                continue
            longer -= hours[now]
        if longer > rep_left[rep[who]] + 1e-9 or longer > quadrant_left[quadrant[who]] + 1e-9:
            continue
        rep_left[rep[who]] -= longer
        quadrant_left[quadrant[who]] -= longer
        choice[who] = how
