"""The month's plan: who approaches whom with what, within the reps' hours and the wished mix over A–D.

A first, B opened beside it, C maintained, D left. What a contact is expected to move is potential × an assumed response
plus track record × an assumed share kept (see `PlanSettings`); the sums are as good as these assumptions and say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack

from nobishiro.contracts.errors import SettingsError
from nobishiro.contracts.results import CHANNELS, RESULTS, PlanSummary
from nobishiro.contracts.tables import QUADRANTS
from nobishiro.decision.capacity import CapacityChoice, CapacityProblem, choose_by_prices
from nobishiro.engine.settings import PlanSettings

TEAM: Final = "team"
"""The rep of customers whom nobody looks after, when no reps are known: the team as a whole."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan and how good it is."""

    actions: pl.DataFrame
    """Columns of RESULTS["plan"]."""
    summary: PlanSummary


def make_plan(
    positions: pl.DataFrame,
    reps: pl.DataFrame,
    offers: pl.DataFrame,
    *,
    target: float | None = None,
    on_course: float | None = None,
    settings: PlanSettings = PlanSettings(),  # noqa: B008 - frozen
) -> Plan:
    """The plan of one month, at most one contact a customer, with the proven distance from the best possible one.

    `positions` are RESULTS["positions"]; `reps` the canonical reps, empty when nobody is known (then the team has
    `default_hours_per_month`); `offers` says what to speak of: (customer_id, family, product_id, why_ja, why_en), the
    first row of a customer counts. `target` and `on_course` are yen of the same period: what should come and what comes
    without the plan. Customers whose quadrant is unknown are not planned, they are counted in the words.
    Raises `SettingsError` when the mix does not add up to 1.
    """
    mix = np.array([settings.share_a, settings.share_b, settings.share_c, settings.share_d])
    if abs(mix.sum() - 1.0) > 1e-6 or (mix < 0).any():
        raise SettingsError(f"plan: the shares of A, B, C and D add up to {mix.sum():.2f}; they must add up to 1")
    known = positions.filter(pl.col("quadrant").is_not_null()).sort("customer_id")
    rep_ids, rep_hours = _rep_hours(reps, known, settings)
    rep_code = {rep: code for code, rep in enumerate(rep_ids)}
    hours = np.array([settings.hours_per_visit, settings.hours_per_call, settings.hours_per_mail])
    value, low, high = (_expected_yen(known, room, settings) for room in ("potential", "low", "high"))
    problem = CapacityProblem(
        value=value,
        hours=hours,
        rep=np.array([rep_code.get(rep or TEAM, 0) for rep in known["rep_id"]], np.int64),
        quadrant=np.array([QUADRANTS.index(letter) for letter in known["quadrant"]], np.int64),
        rep_hours=rep_hours,
        quadrant_hours=(mix + settings.mix_tolerance) * rep_hours.sum(),
    )
    chosen = _choose(problem, settings)
    actions = _actions(known, chosen.channel, (value, low, high), hours, rep_ids, problem, offers)
    return Plan(actions, _summarise(actions, chosen, problem, mix, positions, target, on_course, settings))


def _rep_hours(
    reps: pl.DataFrame, known: pl.DataFrame, settings: PlanSettings
) -> tuple[list[str], npt.NDArray[np.float64]]:
    hours: dict[str, float] = {
        row["rep_id"]: settings.default_hours_per_month if row["hours_per_month"] is None else row["hours_per_month"]
        for row in reps.sort("rep_id").iter_rows(named=True)
    }
    for rep in known["rep_id"].drop_nulls().unique().sort():
        hours.setdefault(rep, settings.default_hours_per_month)
    if not hours:
        hours[TEAM] = settings.default_hours_per_month
    elif known["rep_id"].null_count():
        # customers nobody looks after are shown as such, but have no hours of their own
        hours.setdefault(TEAM, 0.0)
    return list(hours), np.array(list(hours.values()), np.float64)


def _expected_yen(known: pl.DataFrame, room: str, settings: PlanSettings) -> npt.NDArray[np.float64]:
    potential = known[room].fill_null(0.0).to_numpy().astype(np.float64)
    record = known["track_record"].fill_null(0.0).to_numpy().astype(np.float64)
    opens = np.array([settings.opens_by_visit, settings.opens_by_call, settings.opens_by_mail])
    keeps = np.array([settings.keeps_by_visit, settings.keeps_by_call, settings.keeps_by_mail])
    yen: npt.NDArray[np.float64] = (
        np.maximum(potential, 0.0)[:, None] * opens + np.maximum(record, 0.0)[:, None] * keeps
    )
    return yen


def _choose(problem: CapacityProblem, settings: PlanSettings) -> CapacityChoice:
    quick = choose_by_prices(problem)
    n, channels = problem.value.shape
    if n == 0 or n * channels > settings.exact_below_choices:
        return quick
    rows, cols = np.repeat(np.arange(n), channels), np.arange(n * channels)
    hours = np.tile(problem.hours, n)
    once = coo_array((np.ones(n * channels), (rows, cols)), shape=(n, n * channels))
    by_rep = coo_array((hours, (problem.rep[rows], cols)), shape=(problem.rep_hours.size, n * channels))
    by_quadrant = coo_array((hours, (problem.quadrant[rows], cols)), shape=(problem.quadrant_hours.size, n * channels))
    limits = np.concatenate((np.ones(n), problem.rep_hours, problem.quadrant_hours))
    scale = max(float(problem.value.max()), 1.0)
    solved = milp(
        -problem.value.ravel() / scale,
        constraints=LinearConstraint(vstack([once, by_rep, by_quadrant]).tocsr(), -np.inf, limits),
        integrality=np.ones(n * channels),
        bounds=Bounds(0, 1),
        options={"time_limit": settings.time_limit_seconds, "mip_rel_gap": 1e-4},
    )
    if solved.x is None:
        return quick
    picked = np.round(solved.x).reshape(n, channels).astype(bool)
    channel = np.where(picked.any(axis=1), picked.argmax(axis=1), -1).astype(np.int64)
    expected = float(problem.value[picked].sum())
    bound = min(quick.bound, -float(solved.mip_dual_bound) * scale)
    if expected < quick.expected:
        return CapacityChoice(quick.channel, quick.expected, max(bound, quick.expected))
    return CapacityChoice(channel, expected, max(bound, expected))


def _actions(
    known: pl.DataFrame,
    channel: npt.NDArray[np.int64],
    yen: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]],
    hours: npt.NDArray[np.float64],
    rep_ids: list[str],
    problem: CapacityProblem,
    offers: pl.DataFrame,
) -> pl.DataFrame:
    at = np.flatnonzero(channel >= 0)
    how = channel[at]
    value, low, high = (table[at, how] for table in yen)
    # an interval holds only where the potential's own does
    unknown = known["low"].is_null().to_numpy()[at]
    first = offers.unique("customer_id", keep="first", maintain_order=True).select(
        "customer_id", "family", "product_id", "why_ja", "why_en"
    )
    frame = pl.DataFrame(
        {
            "rep_id": [rep_ids[code] for code in problem.rep[at]],
            "customer_id": known["customer_id"].gather(at),
            "name": known["name"].gather(at),
            "quadrant": known["quadrant"].gather(at),
            "channel": [CHANNELS[code] for code in how],
            "hours": hours[how],
            "expected": value,
            "low": pl.Series(np.minimum(low, value)).set(pl.Series(unknown), None),
            "high": pl.Series(np.maximum(high, value)).set(pl.Series(unknown), None),
        },
        schema_overrides={"rep_id": pl.String, "channel": pl.String},
    ).join(first, on="customer_id", how="left", maintain_order="left")
    ordered = frame.sort(
        "rep_id",
        "quadrant",
        pl.col("expected") / pl.col("hours"),
        "customer_id",
        descending=[False, False, True, False],
    )
    return ordered.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("rep_id").alias("order"),
    ).select(RESULTS["plan"].column_names)


def _summarise(
    actions: pl.DataFrame,
    chosen: CapacityChoice,
    problem: CapacityProblem,
    mix: npt.NDArray[np.float64],
    positions: pl.DataFrame,
    target: float | None,
    on_course: float | None,
    settings: PlanSettings,
) -> PlanSummary:
    available = float(problem.rep_hours.sum())
    spent = dict(actions.group_by("quadrant").agg(pl.col("hours").sum()).iter_rows())
    gap = 0.0 if chosen.bound <= 0 else (chosen.bound - chosen.expected) / chosen.bound
    missing = None if target is None else target - (on_course or 0.0) - chosen.expected
    unknown = positions["quadrant"].null_count()
    ja = [
        f"今月は{actions.height:,}件、{actions['hours'].sum():,.1f}時間（使える時間 {available:,.0f}時間）の計画です。",
        f"これ以上は最大でも{gap:.1%}しか増やせません。",
    ]
    en = [
        f"{actions.height:,} contacts this month in {actions['hours'].sum():,.1f} of {available:,.0f} hours.",
        f"No plan within the same hours can expect more than {gap:.1%} above this one.",
    ]
    if missing is not None:
        ja.append(
            f"この計画を入れても年間目標まであと{missing:,.0f}です。"
            if missing > 0
            else f"年間目標を{-missing:,.0f}上回る見込みです。"
        )
        en.append(
            f"With this plan {missing:,.0f} are still missing to the year's target."
            if missing > 0
            else f"{-missing:,.0f} above the year's target."
        )
    ja.append(
        f"期待額は仮の前提によります: 訪問1回で拡大余地の{settings.opens_by_visit:.0%}が動き、"
        f"実績の{settings.keeps_by_visit:.0%}を守る(電話 {settings.opens_by_call:.1%}・{settings.keeps_by_call:.1%}、"
        f"メール {settings.opens_by_mail:.1%}・{settings.keeps_by_mail:.1%})。"
    )
    en.append(
        f"Expected amounts rest on assumptions: a visit opens {settings.opens_by_visit:.0%} of the potential and keeps "
        f"{settings.keeps_by_visit:.0%} of the track record (call {settings.opens_by_call:.1%} and "
        f"{settings.keeps_by_call:.1%}, mail {settings.opens_by_mail:.1%} and {settings.keeps_by_mail:.1%})."
    )
    nobody = int((problem.rep_hours[problem.rep] == 0.0).sum())
    if nobody:
        ja.append(f"担当が決まっていない(または時間がない)お客様{nobody:,}社は計画に入っていません。")
        en.append(f"{nobody:,} customers have no rep, or one without hours, and are not in the plan.")
    if unknown:
        ja.append(f"拡大余地がわからないお客様が{unknown:,}社あります。まず聞き取りから始めてください。")
        en.append(f"For {unknown:,} customers the potential is unknown: ask them first.")
    return PlanSummary(
        expected=chosen.expected,
        low=float(actions["low"].fill_null(0.0).sum()),
        high=float(actions.select(pl.coalesce("high", "expected").sum()).item()),
        bound=chosen.bound,
        optimality_gap=gap,
        hours_available=available,
        hours_planned=float(actions["hours"].sum()),
        hours_by_quadrant=tuple(
            (letter, float(mix[code] * available), float(spent.get(letter, 0.0)))
            for code, letter in enumerate(QUADRANTS)
        ),
        target=target,
        target_gap=missing,
        words_ja="".join(ja),
        words_en=" ".join(en),
    )
