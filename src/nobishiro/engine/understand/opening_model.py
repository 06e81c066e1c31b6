"""Learned on earlier cuts: what a customer will spend in families not bought before, in yen, with an interval.

Three layers, each falling back to a plainer one where the history is small:

1. a *score*: the average of ridge on ranks and their squares, of a fixed direction ("orders often and opens much
   lately") whose slope alone is learned, and of gradient-boosted trees where there are enough outcomes. Ranks, because
   yen have tails that one wholesaler would own, and because a rank means the same at every cut, season and company;
2. an interval: the quantiles of what customers at the same place of the score went on to spend, read off customers the
   score had not seen, moved until it covers 80 % of their outcomes;
3. yen: the mean of those outcomes, each counted up to the upper end of the interval. A plain mean lies above most of
   what is likely, because one exceptional order in a hundred carries it; this one lies within the interval.

Yen rise with the score alone, never with size beside it: tried, and a size term beside the score made the order of
customers worse at every cut, because whoever buys much has fewer families left to open.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.stats import rankdata

from nobishiro.engine.understand.exploration import FEATURES, Float64, Int64

Flags = npt.NDArray[np.bool_]
COVERAGE = 0.8
_RIDGE = 300.0 / 12.0
"""Prior weight in customers (300), times the variance of a uniform rank."""
_TREES_FROM = 400
"""Positive outcomes below which trees follow noise; then ridge alone."""
_LEAST_POSITIVES = 60
"""Positive short outcomes below which the rows of whole horizons teach the order too."""
_FOLDS = 4
_FEW_FOLDS_FROM = 50_000
"""Rows from which half of them teach as well as three quarters do; then two folds, one a core, are half the work."""
_THREADS = 2
_DIRECTION = tuple(
    FEATURES.index(name)
    for name in ("orders_half", "lines_momentum", "opened_year", "opening_spend_year", "products_opened_momentum")
)
_ROWS_A_BIN = 100
_MOST_BINS = 40
_TREES: dict[str, Any] = {
    "objective": "l2",
    "learning_rate": 0.03,
    "num_leaves": 8,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True)
class Forecast:
    """Per customer, in the order asked; yen over one horizon."""

    score: Float64
    """(n,) the rank the outcome is expected to have among all customers, about 0 to 1."""
    expected: Float64
    """(n,) expected yen, outcomes above `high` counted as `high`."""
    low: Float64
    high: Float64
    chance: Float64
    """(n,) chance of any new spend."""


def rank_columns(values: npt.NDArray[Any]) -> Float64:
    """Each column as mid-ranks in (0, 1); ties share one rank."""
    ranked: Float64 = (rankdata(values, axis=0) - 0.5) / max(values.shape[0], 1)
    return ranked


@dataclass(frozen=True, slots=True)
class _Score:
    mean: npt.NDArray[Any]
    weights: npt.NDArray[Any]
    level: float
    slope: float
    trees: lightgbm.Booster | None

    def __call__(self, ranks: Float64) -> Float64:
        voices = [
            self.level + _terms(ranks, self.mean) @ self.weights,
            self.level + self.slope * _direction(ranks, self.mean),
        ]
        if self.trees is not None:
            voices.append(np.asarray(self.trees.predict(ranks, num_threads=1)))
        score: Float64 = np.mean(voices, axis=0)
        return score


def _terms(ranks: Float64, mean: npt.NDArray[Any]) -> Float64:
    centred = ranks - mean
    return np.column_stack((centred, centred**2))


def _direction(ranks: Float64, mean: npt.NDArray[Any]) -> Float64:
    along: Float64 = (ranks - mean)[:, _DIRECTION].mean(axis=1)
    return along


def _fit_score(ranks: Float64, target: Float64, positives: int, seed: int) -> _Score:
    mean = np.asarray(ranks.mean(axis=0))
    terms = _terms(ranks, mean)
    level = float(target.mean())
    weights = np.linalg.solve(terms.T @ terms + _RIDGE * np.eye(terms.shape[1]), terms.T @ (target - level))
    along = _direction(ranks, mean)
    # one number from all rows, hardly shrunk: what few data fall back on
    slope = float(along @ (target - level)) / (float(along @ along) + _RIDGE / 300.0)
    trees = None
    if positives >= _TREES_FROM:
        trees = lightgbm.train({**_TREES, "seed": seed}, lightgbm.Dataset(ranks, target), num_boost_round=150)
    return _Score(mean, weights, level, max(slope, 0.0), trees)


@dataclass(frozen=True, slots=True)
class _Curve:
    """Values against the place of a score among all customers, never falling; lines between knots."""

    place: Float64
    value: Float64

    def __call__(self, place: Float64) -> Float64:
        found = np.interp(place, self.place, self.value)
        # past the last knot the curve goes on as steeply as it arrived
        last = (self.value[-1] - self.value[-2]) / (self.place[-1] - self.place[-2])
        read: Float64 = found + np.maximum(place - self.place[-1], 0.0) * last
        return read


def _rising(place: Float64, values: Float64) -> _Curve:
    """The isotonic curve through `values`, with a knot at the middle of each of its flat blocks and none within.

    Flat blocks would tie customers whom the score tells apart.
    """
    fitted = isotonic_regression(values)
    starts = fitted.blocks
    knots = np.array([place[a:b].mean() for a, b in pairwise(starts)])
    level = np.asarray(fitted.x[starts[:-1]], np.float64)
    # before the first knot: down as steeply as it goes on, and at most to half
    slope = (level[1] - level[0]) / (knots[1] - knots[0]) if knots.size > 1 else level[0] / knots[0]
    first = max(level[0] - slope * knots[0], level[0] / 2.0)
    return _Curve(np.concatenate(([0.0], knots)), np.concatenate(([first], level)))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Yen against the place of a score among all customers, read off unseen customers."""

    expected: _Curve
    low: _Curve
    high: _Curve
    chance: _Curve

    def __call__(self, place: Float64) -> tuple[Float64, Float64, Float64, Float64]:
        """(expected, low, high, chance) at each place; low ≤ expected ≤ high."""
        expected = np.maximum(self.expected(place), 0.0)
        low = np.clip(self.low(place), 0.0, expected)
        return expected, low, np.maximum(self.high(place), expected), np.clip(self.chance(place), 0.0, 1.0)


def _fit_scale(place: Float64, outcome: Float64, level: float) -> _Scale:
    bins = int(np.clip(outcome.size // _ROWS_A_BIN, 1, _MOST_BINS))
    parts = np.array_split(np.argsort(place, kind="stable"), bins)
    centre, low, high, chance = (np.empty(bins) for _ in range(4))
    for b, rows in enumerate(parts):
        yen = outcome[rows]
        nothing = float((yen <= 0).mean())
        # where nothing is likely the interval begins at 0 and leaves all the rest above; where spend is certain it
        # leaves half of it on either side
        below = (1.0 - level) / 2.0 * max(1.0 - nothing / (1.0 - level), 0.0)
        centre[b], chance[b] = place[rows].mean(), 1.0 - nothing
        low[b] = float(np.quantile(yen, below))
        high[b] = float(np.quantile(yen, min(level + (below if below > nothing else 0.0), 1.0)))
    # one pretended customer of the usual kind a bin: that nobody of a hundred opened anything does not say never
    pretended = 1.0 / (1.0 + outcome.size / bins)
    top = _rising(centre, high + pretended * (high.mean() - high))
    counted = np.minimum(outcome, top(place))
    mean = np.array([float(counted[rows].mean()) for rows in parts])
    mean += pretended * (mean.mean() - mean)
    # the lower end keeps its blocks: it is 0 for as long as nothing is likely, not rising from the middle of there
    fitted = isotonic_regression(low).x
    foot = _Curve(np.concatenate(([0.0], centre)), np.concatenate((fitted[:1], fitted)))
    return _Scale(_rising(centre, mean), foot, top, _rising(centre, chance))


@dataclass(frozen=True, slots=True)
class OpeningModel:
    """Fitted on earlier cuts of one company's history; see `fit_opening_model`."""

    score: _Score
    scale: _Scale
    rows: int
    """Customer × cut rows learned from."""
    positives: int
    """Of those, rows with new spend."""
    with_trees: bool
    covered: float
    """Share of unseen rows whose outcome lay within the interval."""

    def forecast(self, features: npt.NDArray[Any]) -> Forecast:
        """Forecast for the rows of one cut; ranks are taken within these rows, so pass all customers at once."""
        score = self.score(rank_columns(features))
        expected, low, high, chance = self.scale(rank_columns(score))
        return Forecast(score, expected, low, high, chance)


def fit_opening_model(
    features: npt.NDArray[Any], outcome: Float64, cut: Int64, customer: Int64, in_yen: Flags, seed: int
) -> OpeningModel:
    """Model of new-family spend from (n, K) raw features, (n,) yen outcomes, and each row's cut and customer code.

    Ranks are taken within each cut. Rows `in_yen` teach yen and interval, the others (shorter and later outcomes)
    the order; where these are too few the same rows teach both. Folds are over customers: a customer's rows at all cuts
    are in one fold, so no outcome was seen by the score it is read against. The caller checks that there are enough.
    """
    ranks = np.empty(features.shape, np.float64)
    target = np.empty(outcome.size, np.float64)
    for c in np.unique(cut):
        rows = cut == c
        ranks[rows] = rank_columns(features[rows])
        target[rows] = rank_columns(outcome[rows])
    folds = _FOLDS if outcome.size < _FEW_FOLDS_FROM else 2
    # a mixing hash, not the code itself: codes follow sorted ids, which often follow age
    fold = ((customer.astype(np.uint64) * np.uint64(11400714819323198485)) >> np.uint64(40)) % np.uint64(folds)
    unseen = np.empty(outcome.size, np.float64)
    teaches = ~in_yen if int((outcome[~in_yen] > 0).sum()) >= _LEAST_POSITIVES else np.ones(in_yen.size, np.bool_)

    def fit(held: Flags) -> _Score:
        taken = teaches & ~held
        score = _fit_score(ranks[taken], target[taken], int((outcome[taken] > 0).sum()), seed)
        asked = held & in_yen
        if asked.any():
            unseen[asked] = score(ranks[asked])
        return score

    # one fit a thread: LightGBM's own threads wait for each other where the machine is busy
    with ThreadPoolExecutor(_THREADS) as pool:
        *_, final = pool.map(fit, [*(fold == f for f in range(folds)), np.zeros(fold.size, np.bool_)])
    place = np.empty(outcome.size, np.float64)
    for c in np.unique(cut[in_yen]):
        place[cut == c] = rank_columns(unseen[cut == c])
    scale, covered = _calibrate(place[in_yen], outcome[in_yen])
    positives = int((outcome[teaches] > 0).sum())
    return OpeningModel(
        score=final,
        scale=scale,
        rows=outcome.size,
        positives=positives,
        with_trees=positives >= _TREES_FROM,
        covered=covered,
    )


def _calibrate(place: Float64, outcome: Float64) -> tuple[_Scale, float]:
    """The scale whose interval covers 80 % of the rows, after all smoothing, and what it covers."""
    least, most = 0.5, 0.98
    for _ in range(12):
        level = (least + most) / 2.0
        _, low, high, _ = _fit_scale(place, outcome, level)(place)
        if float(((outcome >= low) & (outcome <= high)).mean()) < COVERAGE:
            least = level
        else:
            most = level
    scale = _fit_scale(place, outcome, most)
    _, low, high, _ = scale(place)
    return scale, float(((outcome >= low) & (outcome <= high)).mean())
