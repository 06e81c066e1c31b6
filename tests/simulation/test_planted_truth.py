"""What was planted can be found, with the engine where it looks for it; what was not planted is not."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from nobishiro.engine.offer.replenishment import find_repeats
from nobishiro.engine.offer.together import find_pairs
from nobishiro.engine.settings import TogetherSettings
from nobishiro.engine.understand.sales import Sales, encode_sales
from nobishiro.simulation.company import BUSINESSES, SimulatedCompany, SimulationSettings, simulate_company
from nobishiro.simulation.frames import day_number
from nobishiro.simulation.schools.households import school_year

SIZES = {"maker": 2_000, "schools": 4_000, "shop": 6_000}
AS_OF = date(2026, 11, 21)


@cache
def company(business: str) -> SimulatedCompany:
    return simulate_company(SimulationSettings(business, SIZES[business]))


@cache
def sales(business: str) -> Sales:
    return encode_sales(company(business).tables["order_lines"], AS_OF)


@cache
def pairs(business: str) -> pl.DataFrame:
    return find_pairs(sales(business), TogetherSettings(top=50))


def planted(business: str, relation: str) -> pl.DataFrame:
    return company(business).truths["pairs"].filter(pl.col("relation") == relation)


def found(business: str, relation: str) -> pl.DataFrame:
    return planted(business, relation).join(pairs(business), on=["product_id", "other_product_id"], how="inner")


@pytest.mark.parametrize("business", BUSINESSES)
def test_planted_complements_are_found_beyond_chance(business: str) -> None:
    wanted = planted(business, "complement")
    holding = company(business).tables["order_lines"].group_by("product_id").len()
    common = wanted.join(holding, on="product_id").filter(pl.col("len") * pl.col("rate") >= 30)
    assert common.height >= 0.6 * wanted.height
    both = common.join(pairs(business), on=["product_id", "other_product_id"], how="anti")
    assert both.is_empty(), both


@pytest.mark.parametrize("business", BUSINESSES)
def test_found_complements_have_the_planted_rate(business: str) -> None:
    rows = found(business, "complement").with_columns(
        n=pl.col("together") / pl.col("confidence"),
        error=(pl.col("rate") * (1 - pl.col("rate")) / (pl.col("together") / pl.col("confidence"))).sqrt(),
    )
    # other ways onto the same order can only add to it
    assert (rows["confidence"] > rows["rate"] - 4 * rows["error"]).all()
    assert (rows["confidence"] - rows["rate"]).median() < 0.06


@pytest.mark.parametrize("business", BUSINESSES)
def test_pairs_by_chance_are_not_found_beyond_the_false_discovery_rate(business: str) -> None:
    by_chance = planted(business, "by_chance")
    both = pl.concat([by_chance, by_chance.select("other_product_id", "product_id").rename({
        "other_product_id": "product_id", "product_id": "other_product_id"})], how="diagonal")  # fmt: skip
    wrong = both.join(pairs(business), on=["product_id", "other_product_id"], how="inner")
    assert wrong.height <= 0.05 * max(pairs(business).height, 20)
    assert wrong.height <= 2


@pytest.mark.parametrize("business", BUSINESSES)
def test_substitutes_are_never_found_together(business: str) -> None:
    assert planted(business, "substitute").height > 0
    assert found(business, "substitute").is_empty()


@pytest.mark.parametrize("business", BUSINESSES)
def test_replenishment_cycles_are_recovered(business: str) -> None:
    data = sales(business)
    repeats = find_repeats(data, 180.0)
    seen = pl.DataFrame(
        {
            "customer_id": data.customers.gather(repeats.customer),
            "product_id": data.products.gather(repeats.product),
            "times": repeats.days_bought,
            "own": repeats.own_cycle,
        }
    )
    rows = company(business).truths["cycles"].join(seen, on=["customer_id", "product_id"]).filter(pl.col("times") >= 7)
    assert rows.height >= 100
    off = (rows["own"] / rows["mean_days"] - 1.0).abs()
    assert off.median() < 0.08
    assert (off < 0.30).mean() > 0.95


@pytest.mark.parametrize("business", BUSINESSES)
def test_effect_of_proposals_is_recovered_from_those_left_for_later(business: str) -> None:
    truths = company(business).truths
    rows = truths["responses"].filter(pl.col("arm") != "exempt")
    told = truths["effects"].row(0, named=True)
    asked, held = (rows.filter(pl.col("arm") == arm)["bought"].cast(pl.Float64) for arm in ("asked", "held_out"))
    assert (asked.len(), held.len()) == (told["asked"], told["held_out"])
    error = np.sqrt(asked.var() / asked.len() + held.var() / held.len())
    assert abs(asked.mean() - held.mean() - told["true_effect_rate"]) < 3 * error
    assert told["true_effect_rate"] > 2 * error, "the planted effect must be visible at this size"


@pytest.mark.parametrize("business", BUSINESSES)
def test_potential_outcomes_are_consistent_with_what_happened(business: str) -> None:
    rows = company(business).truths["responses"]
    expected = pl.when(pl.col("arm") == "held_out").then("buys_without").otherwise("buys_asked")
    assert rows.filter(pl.col("bought") != expected).is_empty()
    assert rows.filter(pl.col("buys_without") & ~pl.col("buys_asked")).is_empty()
    assert rows.filter(pl.col("propensity_asked") < pl.col("propensity_without")).is_empty()
    lines = company(business).tables["order_lines"].select("order_id", "product_id", "customer_id")
    bought = rows.drop_nulls("order_id")
    assert bought.height == rows["bought"].sum()
    assert bought.join(lines, on=["order_id", "product_id", "customer_id"], how="anti").is_empty()


@pytest.mark.parametrize("business", BUSINESSES)
def test_who_did_not_buy_within_the_window_has_no_order_of_it(business: str) -> None:
    """Neither arm is contaminated: the product comes to these customers in no other way in the window."""
    truths, window = company(business).truths, company(business).truths["effects"]["window_days"][0]
    lines = (
        company(business)
        .tables["order_lines"]
        .select("customer_id", "product_id", day=pl.col("ordered_at").cast(pl.Date))
    )
    rows = truths["responses"].filter(~pl.col("bought")).join(lines, on=["customer_id", "product_id"])
    inside = rows.filter(
        pl.col("day") >= pl.col("asked_on"), pl.col("day") < pl.col("asked_on") + pl.duration(days=window)
    )
    assert inside.height <= 0.005 * truths["responses"].height


@pytest.mark.parametrize("business", ["maker", "schools"])
def test_customer_in_holdout_has_no_proposal(business: str) -> None:
    rows = company(business).truths["responses"].filter(pl.col("arm") == "held_out")
    assert rows["proposal_id"].null_count() == rows.height
    held = rows.select("customer_id", "product_id", "asked_on")
    proposals = company(business).tables["proposals"].with_columns(day=pl.col("proposed_at").cast(pl.Date))
    on_the_day = held.join(
        proposals, left_on=["customer_id", "product_id", "asked_on"], right_on=["customer_id", "product_id", "day"]
    )
    assert on_the_day.is_empty()


@pytest.mark.parametrize("business", BUSINESSES)
def test_moves_that_are_seen_stand_in_the_orders(business: str) -> None:
    moves = company(business).truths["moves"].filter(pl.col("seen"))
    assert {"up", "down"} - set(moves["direction"]) <= {"down"}
    lines = (
        company(business)
        .tables["order_lines"]
        .select("customer_id", "product_id", day=pl.col("ordered_at").cast(pl.Date))
    )
    first = lines.group_by("customer_id", "product_id").agg(pl.col("day").min().alias("first"))
    last = lines.group_by("customer_id", "product_id").agg(pl.col("day").max().alias("last"))
    rows = moves.join(first, left_on=["customer_id", "from_product_id"], right_on=["customer_id", "product_id"]).join(
        last, left_on=["customer_id", "to_product_id"], right_on=["customer_id", "product_id"]
    )
    assert rows.height == moves.height >= 50
    assert (rows["first"] < rows["moved_on"]).all()
    assert (rows["last"] >= rows["moved_on"]).all()


@pytest.mark.parametrize("business", ["maker", "shop"])
def test_moves_go_up_far_more_often_than_down(business: str) -> None:
    moves = dict(company(business).truths["moves"].group_by("direction").len().iter_rows())
    assert moves["up"] > 2 * moves["down"] > 0


@pytest.mark.parametrize("business", BUSINESSES)
def test_families_with_a_season_sell_by_its_months(business: str) -> None:
    seasons = company(business).truths["seasons"]
    lines = (
        company(business)
        .tables["order_lines"]
        .join(company(business).tables["products"].select("product_id", "family"), on="product_id")
    )
    whole_years = lines.filter(
        pl.col("ordered_at") >= pl.datetime(2023, 12, 1), pl.col("ordered_at") < pl.datetime(2026, 11, 1)
    )
    monthly = whole_years.group_by("family", pl.col("ordered_at").dt.month().cast(pl.Int64).alias("month")).len()
    joined = seasons.join(monthly, on=["family", "month"], how="left").with_columns(pl.col("len").fill_null(0))
    for (family,), rows in joined.group_by("family"):
        if rows["len"].sum() >= 400:
            assert rows.select(pl.corr("factor", "len")).item() > 0.7, family


@pytest.mark.parametrize("business", BUSINESSES)
def test_customers_who_lapsed_buy_nothing_afterwards(business: str) -> None:
    gone = company(business).truths["customers"].drop_nulls("lapsed_on").select("customer_id", "lapsed_on", "segment")
    lines = company(business).tables["order_lines"].with_columns(day=pl.col("ordered_at").cast(pl.Date))
    rows = gone.filter(pl.col("segment") != "company").join(lines, on="customer_id")
    late = rows.filter(pl.col("day") >= pl.col("lapsed_on") + pl.duration(days=7))
    # an answer to a proposal made before the lapse may still come
    assert late.height <= 0.002 * rows.height


@pytest.mark.parametrize("business", BUSINESSES)
def test_wallets_hold_what_was_bought_and_the_true_potential(business: str) -> None:
    wallets = company(business).truths["wallets"]
    assert wallets["our_share"].is_between(0.0, 1.0).all()
    off = (wallets["total_spend"] * (1 - wallets["our_share"]) - wallets["potential"]).abs()
    assert off.max() < 1.0
    year = company(business).tables["order_lines"].filter(pl.col("ordered_at") >= pl.datetime(2025, 11, 21))
    bought = year.drop_nulls("customer_id")["amount"].cast(pl.Float64).sum()
    ours = (wallets["total_spend"] * wallets["our_share"]).sum()
    assert 0.8 < bought / ours < 1.25


def test_what_reps_were_told_of_total_spend_is_the_wallet() -> None:
    facts = company("maker").tables["facts"].filter(pl.col("fact") == "total_spend")
    wallets = company("maker").truths["wallets"].group_by("customer_id").agg(pl.col("total_spend").sum())
    rows = facts.join(wallets, on="customer_id")
    assert rows.height > 800
    ratio = rows["amount"].cast(pl.Float64) / rows["total_spend"]
    assert abs(ratio.median() - 1.0) < 0.02
    assert ratio.is_between(0.75, 1.35).all()


def test_coverage_of_facts_differs_between_reps() -> None:
    known = company("maker").tables["facts"].drop_nulls("rep_id").group_by("rep_id").len()
    held = company("maker").tables["assignments"].filter(pl.col("division_id") == "D10").group_by("rep_id").len()
    rate = known.join(held, on="rep_id").select(pl.col("len") / pl.col("len_right")).to_series()
    assert rate.quantile(0.9) > 1.5 * rate.quantile(0.1)


def test_lucky_orders_came_by_web_without_any_touch_before() -> None:
    lucky = company("maker").truths["lucky_orders"]
    tables = company("maker").tables
    lines = tables["order_lines"].join(lucky, on=["order_id", "customer_id", "product_id"])
    assert lines.height == lucky.height >= 5
    touches = tables["touches"].join(lucky, on="customer_id", how="semi")
    assert touches.is_empty()
    assert tables["facts"].join(lucky, on="customer_id", how="semi").is_empty()


def test_content_customers_answer_higher_and_are_won_more_easily() -> None:
    truths = company("maker").truths
    nps = company("maker").tables["survey_answers"].filter(pl.col("question") == "nps")
    rows = nps.join(truths["customers"], on="customer_id")
    assert rows.select(pl.corr("score", "nps_mean")).item() > 0.7
    both = (
        truths["responses"]
        .join(truths["customers"], on="customer_id")
        .with_columns(gain=pl.col("propensity_asked") - pl.col("propensity_without"))
    )
    assert both.filter(pl.col("nps_mean") > 8)["gain"].mean() > both.filter(pl.col("nps_mean") < 6)["gain"].mean()


@pytest.mark.parametrize(
    ("birthday", "on", "grade"),
    [
        (date(2020, 4, 1), date(2026, 4, 1), 1),
        (date(2020, 4, 2), date(2026, 4, 1), 0),
        (date(2020, 4, 2), date(2027, 3, 31), 0),
        (date(2020, 4, 2), date(2027, 4, 1), 1),
        (date(2011, 7, 15), date(2026, 11, 20), 9),
        (date(2022, 12, 31), date(2026, 11, 20), -2),
        (date(2021, 6, 1), date(2026, 11, 20), -1),
    ],
)
def test_school_year_follows_the_rule_of_2_april(birthday: date, on: date, grade: int) -> None:
    assert school_year(np.array([day_number(birthday)]), np.array([day_number(on)]))[0] == grade


def test_children_take_the_course_of_their_school_year() -> None:
    """A household with one child in lessons at a time pays for the course of that child's year, month by month."""
    homes = company("schools").truths["households"]
    single = homes.filter(pl.len().over("customer_id") == 1).filter(~pl.col("medicine"))
    lines = company("schools").tables["order_lines"].filter(pl.col("product_id").str.contains("^(ME|NO|MI)-"))
    rows = single.join(lines, on="customer_id")
    day = rows["ordered_at"].cast(pl.Date).to_physical().to_numpy()
    grade = school_year(rows["birthday"].to_physical().to_numpy(), day)
    wanted = {-2: "ME-3", -1: "ME-4", 0: "ME-5", 1: "NO-L", 4: "NO-U", 7: "NO-M", 9: "NO-X", 10: "MI-1", 12: "MI-3"}
    assert rows.height > 1_000
    for year, code in wanted.items():
        assert set(rows.filter(pl.Series(grade == year))["product_id"]) == {code}, year


def test_trials_end_after_thirty_days_and_only_converted_ones_pay() -> None:
    contracts = company("schools").truths["contracts"]
    lines = company("schools").tables["order_lines"].filter(pl.col("product_id").str.contains("^C[LY]-"))
    paying = lines.join(contracts, on="customer_id")
    assert paying["converted"].all()
    assert (paying["ordered_at"].cast(pl.Date) >= paying["started_on"]).all()
    assert (paying["ordered_at"].cast(pl.Date) < paying["ends_on"]).all()


def test_usage_stays_within_its_limit_and_one_story_customer_reached_it() -> None:
    tables, truths = company("schools").tables, company("schools").truths
    usage = tables["usage"]
    assert (usage["used"] <= usage["allowed"]).all()
    full = truths["story"].filter(pl.col("part") == "limit_reached")["customer_id"][0]
    latest = (
        usage.filter(pl.col("customer_id") == full, pl.col("metric") == "seats")
        .sort("period_start")
        .row(-1, named=True)
    )
    assert latest["used"] == latest["allowed"]


def test_shop_sells_without_a_card_too_and_charges_postage_below_the_line() -> None:
    lines = company("shop").tables["order_lines"]
    anonymous = lines["customer_id"].is_null().mean()
    assert 0.1 < anonymous < 0.4
    orders = lines.group_by("order_id", "channel").agg(
        pl.col("amount").filter(pl.col("product_id") != "FEE-S").cast(pl.Float64).sum().alias("total"),
        (pl.col("product_id") == "FEE-S").any().alias("postage"),
    )
    assert not orders.filter(pl.col("channel") != "web")["postage"].any()
    web = orders.filter(pl.col("channel") == "web")
    assert web.filter(pl.col("total") < 4_000)["postage"].all()
    assert not web.filter(pl.col("total") > 9_000)["postage"].any()


def test_second_suit_is_half_price() -> None:
    suits = (
        company("shop")
        .tables["order_lines"]
        .filter(pl.col("product_id").str.starts_with("SU-"))
        .join(company("shop").tables["products"].select("product_id", "price"), on="product_id")
    )
    two = suits.filter(pl.col("quantity") == 2)
    assert two.height > 20
    assert (two["unit_price"].cast(pl.Float64) == two["price"].cast(pl.Float64) * 0.75).all()
