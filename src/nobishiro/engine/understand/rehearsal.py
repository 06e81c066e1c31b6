"""What we would have said on earlier days of the same history, and what came of it: how the model learns.

The horizon follows the history: half a year where there are 17 months or more, a good third of it where there is less.
Under 80 days, or with too few customers who ever opened a family, nothing is learned and the result says why.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from nobishiro.engine.settings import PotentialSettings
from nobishiro.engine.understand.comparables import FamilyAffinity, Flags, fit_affinity
from nobishiro.engine.understand.exploration import Cut, Float32, Int32, Int64, look_at_cut
from nobishiro.engine.understand.opening_model import OpeningModel, fit_opening_model
from nobishiro.engine.understand.sales import Sales

YEAR = 365.0
_LEAST_HORIZON = 28
_SHARE_OF_HISTORY = 0.36
_LEAST_HISTORY_OF_A_CUT = 0.75
"""In horizons: a cut with less history before it would teach from customers nobody knew yet."""
_SHORT_CUTS = 8
"""Cuts that teach the order of customers, at most; each begins half an outcome before the next."""
_LEAST_CUSTOMERS = 30
_LEAST_POSITIVES = 20
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The fitted model and what the rehearsal measured."""

    model: OpeningModel
    horizon: int
    """Days over which outcomes were counted."""
    year: int
    """Length in days of the long window of the features: a year, or what the latest cut has before it."""
    cuts: tuple[int, ...]
    """Days the model learned at, latest first."""
    fading: float
    """Power of the history's length with which new spend shrinks; 0 where it does not."""


@dataclass(frozen=True, slots=True)
class TooLittle:
    """Why no estimate is made, in words."""

    why_ja: str
    why_en: str


def history_days(sales: Sales) -> int:
    """Days from the first order to `as_of`, one stray early order in a hundred ignored; 0 without orders."""
    days = sales.order_day[sales.order_customer >= 0]
    return int(sales.as_of_day - np.quantile(days, 0.01, method="lower")) if days.size else 0


def rehearse(
    sales: Sales, product_family: Int32, families: int, settings: PotentialSettings, horizon: int | None = None
) -> Rehearsal | TooLittle:
    """Learn on earlier cuts, or say why not.

    `horizon` overrides the choice of days (used by the evaluation only).
    """
    history = history_days(sales)
    if horizon is None:
        horizon = min(settings.horizon_days, int(_SHARE_OF_HISTORY * history))
    if horizon < _LEAST_HORIZON:
        return TooLittle(
            f"履歴が{history}日分しかないため推定できません(80日以上必要です)。",
            f"Not estimated: {history} days of history, at least 80 are needed.",
        )
    if families < 2:
        return TooLittle("商品群が2つ以上ないため推定できません。", "Not estimated: fewer than two families are known.")
    first = sales.as_of_day - history
    days = _choose_cuts(sales.as_of_day, history, horizon)
    year = int(min(YEAR, max(day for day, _, in_yen in days if in_yen) - first))
    views = [
        _look(sales, product_family, families, day, span, horizon, year, settings, in_yen) for day, span, in_yen in days
    ]
    views = [view for view in views if view.cut.known.sum() >= _LEAST_CUSTOMERS]
    positives = sum(int((view.cut.new_spend > 0).sum()) for view in views if view.in_yen)
    if positives < _LEAST_POSITIVES:
        return TooLittle(
            f"新しい商品群を買い始めた顧客が過去に{positives}件しかないため推定できません({_LEAST_POSITIVES}件必要です)。",
            f"Not estimated: {positives} customers opened a new family in the past, {_LEAST_POSITIVES} are needed.",
        )
    fading = _fading(sales, product_family, families, horizon, history, settings)
    aged = [(history / (view.cut.day - first)) ** fading for view in views]
    with ThreadPoolExecutor(_THREADS) as pool:
        columns = list(pool.map(lambda view: _features(view.cut), views))
    model = fit_opening_model(
        features=np.vstack(columns),
        outcome=np.concatenate([by * view.cut.new_spend[view.cut.known] for by, view in zip(aged, views, strict=True)]),
        cut=np.concatenate([np.full(int(view.cut.known.sum()), i) for i, view in enumerate(views)]),
        customer=np.concatenate([view.codes[view.cut.known] for view in views]),
        in_yen=np.concatenate([np.full(int(view.cut.known.sum()), view.in_yen) for view in views]),
        seed=settings.seed,
    )
    return Rehearsal(
        model=model,
        horizon=horizon,
        year=year,
        cuts=tuple(view.cut.day for view in views),
        fading=fading,
    )


def model_columns(features: Float32, affinity: FamilyAffinity, owned: Flags) -> Float32:
    """What the model sees of each customer: habits of their own beside what their families say about the others."""
    return np.column_stack((features, affinity.columns(owned)))


@dataclass(frozen=True, slots=True)
class _View:
    """Customers at one earlier day."""

    codes: Int64
    cut: Cut
    in_yen: bool
    """The outcome covers a whole horizon and teaches yen; else it teaches the order of customers."""


def _choose_cuts(as_of: int, history: int, horizon: int) -> list[tuple[int, int, bool]]:
    """(day, days of outcome, teaches yen), whole horizons first, the latest of them first.

    Whole horizons teach yen, thirds of one teach the order of customers: there are more of them, they end today instead
    of months ago, and more history lies before them.
    """
    whole = [horizon, horizon + horizon // 4, horizon + horizon // 2]
    if whole[-1] < YEAR - horizon // 8:
        whole.append(int(YEAR))  # the outcome then lies in the season that comes next
    span = max(horizon // 3, min(horizon, _LEAST_HORIZON))
    short = [span + i * max(span // 2, 1) for i in range(_SHORT_CUTS)]
    most, most_short = history - _LEAST_HISTORY_OF_A_CUT * horizon, history - span
    return [(as_of - back, horizon, True) for back in whole if back <= most or back == horizon] + [
        (as_of - back, span, False) for back in short if back <= most_short
    ]


def _look(
    sales: Sales,
    product_family: Int32,
    families: int,
    day: int,
    span: int,
    horizon: int,
    year: int,
    settings: PotentialSettings,
    in_yen: bool = True,
) -> _View:
    starts = sales.customer_start
    first_days = sales.order_day[np.minimum(starts[:-1], max(sales.order_day.size - 1, 0))]
    codes = np.flatnonzero((np.diff(starts) > 0) & (first_days < day)).astype(np.int64)
    if codes.size > settings.training_customers:
        generator = np.random.default_rng(settings.seed)
        codes = np.sort(generator.choice(codes, settings.training_customers, replace=False))
    cut = look_at_cut(sales, product_family, families, day, horizon, year, codes, outcome_days=span)
    return _View(codes, cut, in_yen)


def _fading(
    sales: Sales, product_family: Int32, families: int, horizon: int, history: int, settings: PotentialSettings
) -> float:
    """Power of the history's length with which new spend per customer shrinks, −4 to 0; 0 where it cannot be measured.

    Customers run out of families to open, and the shorter the history, the more families look new that were bought
    before it began. Outcomes of earlier cuts are therefore too large for today. Measured over the last half horizons,
    one after the other: the slope of log new spend per known customer against log days of history.
    """
    step = max(horizon // 2, 1)
    length, spend = [], []
    for back in range(step, 5 * step, step):
        before = history - back
        if before < step:
            break
        cut = _look(sales, product_family, families, sales.as_of_day - back, step, horizon, horizon, settings).cut
        if int(cut.known.sum()) >= _LEAST_CUSTOMERS and float(cut.new_spend.sum()) > 0:
            length.append(np.log(before))
            spend.append(np.log(float(cut.new_spend[cut.known].mean())))
    if len(length) < 3:
        return 0.0
    (slope, _), residuals, *_ = np.polyfit(length, spend, 1, full=True)
    # a slope that its own points do not bear out (a season among them) is believed less: James and Stein
    scatter = float(residuals.sum()) / (len(length) - 2) / float(np.var(length) * len(length))
    belief = max(0.0, 1.0 - scatter / slope**2) if slope < 0 else 0.0
    return float(np.clip(slope * belief, -4.0, 0.0))


def _features(cut: Cut) -> Float32:
    known = cut.known
    owned = cut.owned[known]
    return model_columns(cut.features[known], fit_affinity(owned, cut.current[known]), owned)
