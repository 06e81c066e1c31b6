"""The month's plan, on companies small enough to check by hand."""

import polars as pl
import pytest

from nobishiro.contracts.errors import SettingsError
from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.decide.plan import make_plan
from nobishiro.engine.settings import PlanSettings


def position(code, quadrant, room, record, rep="r1"):
    return {
        "customer_id": code, "name": f"{code}社", "quadrant": quadrant, "potential": room, "track_record": record,
        "low": None if room is None else room / 2, "high": None if room is None else room * 2, "rep_id": rep,
    }  # fmt: skip


def positions(*rows):
    empty = dict.fromkeys(RESULTS["positions"].column_names)
    kinds = {"customer_id": pl.String, "name": pl.String, "quadrant": pl.String, "rep_id": pl.String}
    return pl.DataFrame(
        [{**empty, **row} for row in rows],
        schema={name: kinds.get(name, pl.Float64) for name in empty},
    )


def reps(**hours):
    names = TABLES["reps"].column_names
    schema = {name: pl.Float64 if name == "hours_per_month" else pl.String for name in names}
    rows = [{**dict.fromkeys(names), "rep_id": rep, "name": rep, "hours_per_month": h} for rep, h in hours.items()]
    return pl.DataFrame(rows, schema=schema)


OFFERS = pl.DataFrame(
    {
        "customer_id": ["b1"],
        "family": ["画像検査"],
        "product_id": ["V-Std"],
        "why_ja": ["照明を2回"],
        "why_en": ["lamps"],
    }
)
FOUR = (
    position("a1", "A", 1_000_000.0, 3_000_000.0),
    position("b1", "B", 900_000.0, 10_000.0),
    position("c1", "C", 10_000.0, 2_000_000.0),
    position("d1", "D", 5_000.0, 5_000.0),
)


def test_a_comes_first_then_b_with_the_offer_to_speak_of():
    plan = make_plan(positions(*FOUR), reps(r1=100.0), OFFERS)
    assert plan.actions["quadrant"].to_list() == ["A", "B", "C", "D"]
    assert plan.actions["order"].to_list() == [1, 2, 3, 4]
    assert plan.actions.filter(customer_id="b1").select("family", "why_ja").row(0) == ("画像検査", "照明を2回")


def test_expected_yen_is_potential_and_record_times_the_stated_assumptions():
    plan = make_plan(positions(FOUR[1]), reps(r1=100.0), OFFERS)
    row = plan.actions.row(0, named=True)
    assert row["channel"] == "visit"
    assert row["expected"] == pytest.approx(0.10 * 900_000 + 0.020 * 10_000)
    assert row["low"] == pytest.approx(0.10 * 450_000 + 0.020 * 10_000)
    assert row["high"] == pytest.approx(0.10 * 1_800_000 + 0.020 * 10_000)


def test_one_contact_a_customer_and_no_rep_works_longer_than_their_hours():
    many = positions(*(position(f"a{n}", "A", 1e6 / (n + 1), 0.0, f"r{n % 2}") for n in range(40)))
    plan = make_plan(many, reps(r0=10.0, r1=3.0), OFFERS)
    assert plan.actions["customer_id"].is_unique().all()
    spent = dict(plan.actions.group_by("rep_id").agg(pl.col("hours").sum()).iter_rows())
    assert spent["r0"] <= 10.0 + 1e-9
    assert spent["r1"] <= 3.0 + 1e-9


def test_c_gets_no_more_than_its_wished_share_even_where_it_pays():
    rich_c = positions(*(position(f"c{n}", "C", 0.0, 1e9) for n in range(300)), position("a", "A", 10.0, 10.0))
    plan = make_plan(rich_c, reps(r1=100.0), OFFERS)
    hours = {letter: planned for letter, _, planned in plan.summary.hours_by_quadrant}
    assert hours["C"] <= 25.0 + 1e-9  # 20 % wished, 5 % tolerance


def test_the_plan_is_proven_optimal_when_small():
    assert make_plan(positions(*FOUR), reps(r1=3.0), OFFERS).summary.optimality_gap < 1e-3


def test_unknown_quadrant_is_not_planned_but_counted_in_words():
    plan = make_plan(positions(*FOUR, position("x", None, None, 0.0)), reps(r1=100.0), OFFERS)
    assert "x" not in plan.actions["customer_id"]
    assert "1社" in plan.summary.words_ja


def test_the_gap_to_the_target_is_said():
    plan = make_plan(positions(FOUR[0]), reps(r1=10.0), OFFERS, target=1_000_000.0, on_course=500_000.0)
    assert plan.summary.target_gap == pytest.approx(500_000 - 160_000)
    assert "年間目標まであと340,000" in plan.summary.words_ja


def test_without_reps_the_team_has_the_default_hours():
    plan = make_plan(positions(position("a", "A", 1e6, 0.0, None)), reps(), OFFERS)
    assert plan.actions["rep_id"].to_list() == ["team"]
    assert plan.summary.hours_available == PlanSettings().default_hours_per_month


def test_nobody_to_approach_is_an_empty_plan_not_an_error():
    plan = make_plan(positions(), reps(r1=10.0), OFFERS)
    assert plan.actions.is_empty()
    assert plan.summary.expected == 0.0


def test_a_mix_that_does_not_add_up_is_refused():
    with pytest.raises(SettingsError, match="add up to 1"):
        make_plan(positions(*FOUR), reps(r1=1.0), OFFERS, settings=PlanSettings(share_a=0.9))
