"""What we would have said on earlier days of the same history, and what came of it: how the model learns.

The horizon follows the history: half a year where there are 17 months or more, a good third of it where there is less.
Under 80 days, or with too few customers who ever opened a family, nothing is learned and the result says why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nobishiro.engine.settings import PotentialSettings
from nobishiro.engine.understand.comparables import FamilyAffinity, Flags, Likeness, choose_comparables, fit_affinity
from nobishiro.engine.understand.exploration import Cut, Float32, Float64, Int32, Int64, look_at_cut
from nobishiro.engine.understand.opening_model import OpeningModel, fit_opening_model
from nobishiro.engine.understand.sales import Sales

YEAR = 365.0
_LEAST_HORIZON = 28
_SHARE_OF_HISTORY = 0.36
_LEAST_HISTORY_OF_A_CUT = 0.75
"""In horizons: a cut with less history before it would teach from customers nobody knew yet."""
_LEAST_CUSTOMERS = 30
_LEAST_POSITIVES = 20


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
    closed_share: float
    """Of the gap to comparable customers in families already bought, the share closed within the horizon."""


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
    days = _choose_cuts(sales.as_of_day, history, horizon)
    year = int(min(YEAR, max(days) - (sales.as_of_day - history)))
    cuts = [_look(sales, product_family, families, day, horizon, year, settings) for day in days]
    cuts = [cut for cut in cuts if cut[1].known.sum() >= _LEAST_CUSTOMERS]
    positives = sum(int((cut.new_spend > 0).sum()) for _, cut in cuts)
    if positives < _LEAST_POSITIVES:
        return TooLittle(
            f"新しい商品群を買い始めた顧客が過去に{positives}件しかないため推定できません({_LEAST_POSITIVES}件必要です)。",
            f"Not estimated: {positives} customers opened a new family in the past, {_LEAST_POSITIVES} are needed.",
        )
    model = fit_opening_model(
        features=np.vstack([_features(cut) for _, cut in cuts]),
        outcome=np.concatenate([cut.new_spend[cut.known] for _, cut in cuts]),
        cut=np.concatenate([np.full(int(cut.known.sum()), i) for i, (_, cut) in enumerate(cuts)]),
        customer=np.concatenate([codes[cut.known] for codes, cut in cuts]),
        seed=settings.seed,
    )
    return Rehearsal(
        model=model,
        horizon=horizon,
        year=year,
        cuts=tuple(cut.day for _, cut in cuts),
        closed_share=_closed_share(*cuts[0], horizon, year, settings),
    )


def model_columns(features: Float32, affinity: FamilyAffinity, owned: Flags) -> Float32:
    """What the model sees of each customer: habits of their own beside what their families say about the others."""
    return np.column_stack((features, affinity.columns(owned)))


def gap_to_comparables(owned: Flags, current: Float64, likeness: Likeness, per_year: float) -> Float64:
    """(n, F) yen a year that comparable buyers spend more in families this customer has bought before; 0 elsewhere.

    Shrunk by how few comparable buyers there are (10 count as half); in a family no longer bought, by how many of the
    comparable customers buy it at all.
    """
    weight = likeness.buyers / (likeness.buyers + 10.0)
    usual = np.where(current > 0, 1.0, likeness.buyers / np.maximum(likeness.counted, 1)[:, None])
    gap = np.maximum(likeness.yen * usual - current, 0.0) * weight * per_year
    found: Float64 = np.where(owned, gap, 0.0)
    return found


def _choose_cuts(as_of: int, history: int, horizon: int) -> tuple[int, ...]:
    first = as_of - history
    backs = [horizon, horizon + horizon // 4, horizon + horizon // 2]
    if backs[-1] < YEAR - horizon // 8:
        backs.append(int(YEAR))  # the outcome then lies in the season that comes next
    fit = [as_of - back for back in backs if as_of - back - first >= _LEAST_HISTORY_OF_A_CUT * horizon]
    return tuple(fit) if fit else (as_of - horizon,)


def _look(
    sales: Sales, product_family: Int32, families: int, day: int, horizon: int, year: int, settings: PotentialSettings
) -> tuple[Int64, Cut]:
    starts = sales.customer_start
    first_days = sales.order_day[np.minimum(starts[:-1], max(sales.order_day.size - 1, 0))]
    codes = np.flatnonzero((np.diff(starts) > 0) & (first_days < day)).astype(np.int64)
    if codes.size > settings.training_customers:
        generator = np.random.default_rng(settings.seed)
        codes = np.sort(generator.choice(codes, settings.training_customers, replace=False))
    return codes, look_at_cut(sales, product_family, families, day, horizon, year, codes, with_outcome=True)


def _features(cut: Cut) -> Float32:
    known = cut.known
    owned = cut.owned[known]
    return model_columns(cut.features[known], fit_affinity(owned, cut.current[known]), owned)


def _closed_share(codes: Int64, cut: Cut, horizon: int, year: int, settings: PotentialSettings) -> float:
    if codes.size > settings.reference_customers:
        chosen = np.sort(np.random.default_rng(settings.seed).choice(codes.size, settings.reference_customers, False))
        codes, owned, current, after = codes[chosen], cut.owned[chosen], cut.current[chosen], cut.after[chosen]
    else:
        owned, current, after = cut.owned, cut.current, cut.after
    comparables = choose_comparables(
        codes, owned, current, settings.comparables, settings.reference_customers, settings.seed
    )
    likeness = comparables.find(codes, owned, current)
    per_year = YEAR / year
    gap = gap_to_comparables(owned, current, likeness, per_year)
    grown: Float64 = after * (YEAR / horizon) - current * per_year
    whole = float(gap.sum())
    return float(np.minimum(np.maximum(grown, 0.0), gap).sum()) / whole if whole > 0 else 0.0
