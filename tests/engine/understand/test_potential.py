from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.results import RESULTS
from nobishiro.engine.settings import PotentialSettings
from nobishiro.engine.understand.potential import PotentialResult, estimate_potential
from nobishiro.engine.understand.sales import Sales, encode_sales

AS_OF = date(2025, 1, 1)
SETTINGS = PotentialSettings()
FAMILIES = 10
PRODUCTS = [(f"P{i:02d}", f"群{i % FAMILIES}") for i in range(40)]
PRODUCT_FAMILY = pl.DataFrame(PRODUCTS, schema=["product_id", "family"], orient="row")


def small_company(customers: int = 300, days: int = 365, seed: int = 3) -> pl.DataFrame:
    """A year of a small company: half of the customers open families steadily, half keep to what they buy."""
    generator = np.random.default_rng(seed)
    rows = []
    for c in range(customers):
        explores = c % 2 == 0
        mine = list(generator.choice(FAMILIES, 2, replace=False))
        for n, day in enumerate(range(int(generator.integers(0, 60)), days, 20)):
            if explores and n % 3 == 2 and len(mine) < FAMILIES:
                mine.append(int(generator.choice([f for f in range(FAMILIES) if f not in mine])))
            for family in mine[-3:]:
                product = family + FAMILIES * int(generator.integers(0, 4))
                amount = float(np.round(generator.lognormal(8, 0.4)))
                rows.append((f"C{c:04d}", f"O{c}-{n}", f"P{product:02d}", AS_OF - timedelta(days=days - day), amount))
    return pl.DataFrame(rows, schema=["customer_id", "order_id", "product_id", "ordered_at", "amount"], orient="row")


@pytest.fixture(scope="module")
def company() -> Sales:
    return encode_sales(small_company(), AS_OF)


@pytest.fixture(scope="module")
def result(company: Sales) -> PotentialResult:
    return estimate_potential(company, PRODUCT_FAMILY, None, None, SETTINGS)


def fact(customer: str, subject: str, amount: float, day: date = date(2024, 6, 1), what: str = "total_spend"):
    return pl.DataFrame(
        [(customer, what, subject, amount, day)],
        schema=["customer_id", "fact", "subject", "amount", "learned_on"],
        orient="row",
    )


def of(result: PotentialResult, customer: str) -> dict[str, object]:
    return result.by_customer.row(by_predicate=pl.col("customer_id") == customer, named=True)


def test_result_has_the_declared_columns(result: PotentialResult) -> None:
    assert tuple(result.by_family.columns) == RESULTS["potential"].column_names
    assert tuple(result.by_customer.columns) == RESULTS["customer_potential"].column_names


def test_every_customer_stands_once_in_the_result(company: Sales, result: PotentialResult) -> None:
    assert result.by_customer["customer_id"].to_list() == company.customers.to_list()
    assert result.by_family.select("customer_id", "family").is_duplicated().sum() == 0


def test_low_is_at_most_potential_and_high_at_least(result: PotentialResult) -> None:
    for frame in (result.by_family, result.by_customer):
        known = frame.drop_nulls("potential")
        assert known.height
        assert (known["low"] >= 0).all()
        assert (known["low"] <= known["potential"] + 1e-9).all()
        assert (known["potential"] <= known["high"] + 1e-9).all()


def test_no_two_customers_who_differ_share_a_potential(result: PotentialResult) -> None:
    estimated = result.by_customer.filter(pl.col("basis") == "estimated")
    assert estimated.height == 300
    assert estimated["potential"].n_unique() == estimated["exploration"].n_unique()


def test_potential_lies_within_its_interval_and_not_at_the_upper_end(result: PotentialResult) -> None:
    estimated = result.by_customer.filter(pl.col("basis") == "estimated", pl.col("high") > 0)
    assert (estimated["potential"] < 0.98 * estimated["high"]).mean() > 0.9
    assert (estimated["potential"] / estimated["high"]).median() < 0.9


def test_customer_potential_is_the_sum_over_families(result: PotentialResult) -> None:
    sums = result.by_family.group_by("customer_id").agg(pl.col("potential").sum()).sort("customer_id")
    np.testing.assert_allclose(sums["potential"], result.by_customer["potential"], rtol=1e-6)


def test_customers_who_open_families_rank_above_equals_who_do_not(result: PotentialResult) -> None:
    explores = result.by_customer["customer_id"].str.slice(1).cast(pl.Int64) % 2 == 0
    room = result.by_customer["potential"]
    assert room.filter(explores).median() > 2 * room.filter(~explores).median()
    score = result.by_customer["exploration"]
    assert score.filter(explores).median() > score.filter(~explores).median()


def test_same_input_gives_the_same_result(company: Sales, result: PotentialResult) -> None:
    again = estimate_potential(company, PRODUCT_FAMILY, None, None, SETTINGS)
    assert again.by_customer.equals(result.by_customer)
    assert again.by_family.equals(result.by_family)


def test_told_total_beats_the_estimate_and_is_net_of_what_they_buy_from_us(company: Sales) -> None:
    told = estimate_potential(company, PRODUCT_FAMILY, fact("C0001", "-", 2_000_000), None, SETTINGS)
    row = of(told, "C0001")
    assert row["basis"] == "told"
    assert row["potential"] == pytest.approx(2_000_000 - row["current"])
    # said to the million: half a million either way
    assert row["low"] == pytest.approx(1_500_000 - row["current"])
    assert row["high"] == pytest.approx(2_500_000 - row["current"])
    assert "2,000,000" in row["why_ja"]


def test_told_total_below_current_leaves_no_room(company: Sales) -> None:
    row = of(estimate_potential(company, PRODUCT_FAMILY, fact("C0001", "-", 100), None, SETTINGS), "C0001")
    assert (row["basis"], row["potential"], row["low"], row["high"]) == ("told", 0.0, 0.0, 0.0)


def test_told_family_replaces_that_family_only(company: Sales, result: PotentialResult) -> None:
    told = estimate_potential(company, PRODUCT_FAMILY, fact("C0001", "群5", 900_000), None, SETTINGS)
    row = told.by_family.row(by_predicate=(pl.col("customer_id") == "C0001") & (pl.col("family") == "群5"), named=True)
    assert row["basis"] == "told"
    assert row["potential"] == pytest.approx(900_000 - row["current"])
    others = (pl.col("customer_id") == "C0001") & (pl.col("family") != "群5")
    assert told.by_family.filter(others).equals(result.by_family.filter(others))
    assert of(told, "C0001")["basis"] == "estimated"
    assert of(told, "C0001")["potential"] == pytest.approx(
        told.by_family.filter(pl.col("customer_id") == "C0001")["potential"].sum()
    )


def test_later_fact_replaces_an_earlier_one_and_future_ones_do_not_count(company: Sales) -> None:
    facts = pl.concat(
        [
            fact("C0001", "-", 3_000_000, date(2024, 9, 1)),
            fact("C0001", "-", 5_000_000, date(2024, 2, 1)),
            fact("C0001", "-", 9_000_000, date(2025, 1, 1)),
        ]
    )
    row = of(estimate_potential(company, PRODUCT_FAMILY, facts, None, SETTINGS), "C0001")
    assert row["potential"] == pytest.approx(3_000_000 - row["current"])


def test_family_a_customer_has_no_use_for_has_no_room(company: Sales) -> None:
    facts = fact("C0001", "群5", 0.0, what="not_applicable")
    rows = estimate_potential(company, PRODUCT_FAMILY, facts, None, SETTINGS).by_family
    row = rows.row(by_predicate=(pl.col("customer_id") == "C0001") & (pl.col("family") == "群5"), named=True)
    assert (row["potential"], row["basis"]) == (0.0, "told")


def test_customer_without_orders_is_unknown_until_told(company: Sales) -> None:
    customers = pl.DataFrame({"customer_id": ["C0001", "見込A", "見込B"]})
    told = estimate_potential(company, PRODUCT_FAMILY, fact("見込B", "-", 400_000), customers, SETTINGS)
    assert of(told, "見込A")["potential"] is None
    assert of(told, "見込A")["basis"] == "unknown"
    assert of(told, "見込B")["potential"] == 400_000
    assert told.by_customer.height == company.customers.len() + 2


def test_too_short_a_history_abstains_aloud() -> None:
    lines = small_company(customers=60, days=40)
    got = estimate_potential(encode_sales(lines, AS_OF), PRODUCT_FAMILY, None, None, SETTINGS)
    assert got.by_customer["basis"].unique().to_list() == ["unknown"]
    assert got.by_customer["potential"].null_count() == got.by_customer.height
    assert got.not_estimated is not None
    assert "80" in got.by_customer["why_en"][0]


def test_too_few_customers_abstain_aloud() -> None:
    got = estimate_potential(encode_sales(small_company(customers=4), AS_OF), PRODUCT_FAMILY, None, None, SETTINGS)
    assert got.by_customer["potential"].null_count() == 4
    assert got.not_estimated is not None


def test_one_order_day_without_comparable_customers_is_unknown() -> None:
    lone = pl.DataFrame(
        {
            "customer_id": ["Z"],
            "order_id": ["OZ"],
            "product_id": ["X"],
            "ordered_at": [date(2024, 12, 1)],
            "amount": [1e4],
        }
    )
    families = pl.concat([PRODUCT_FAMILY, pl.DataFrame({"product_id": ["X"], "family": ["ほかの群"]})])
    got = estimate_potential(encode_sales(pl.concat([small_company(), lone]), AS_OF), families, None, None, SETTINGS)
    assert of(got, "Z")["potential"] is None
    assert of(got, "Z")["basis"] == "unknown"


def test_one_family_abstains_instead_of_guessing() -> None:
    lines = small_company(customers=80)
    one = PRODUCT_FAMILY.with_columns(family=pl.lit("全部"))
    got = estimate_potential(encode_sales(lines, AS_OF), one, None, None, SETTINGS)
    assert got.by_customer["potential"].null_count() == 80


def test_no_sales_at_all_gives_empty_tables() -> None:
    empty = small_company(customers=1).clear()
    got = estimate_potential(encode_sales(empty, AS_OF), PRODUCT_FAMILY, None, None, SETTINGS)
    assert got.by_customer.height == 0
    assert got.by_family.height == 0


def test_comparable_counts_are_counted_customers(company: Sales, result: PotentialResult) -> None:
    assert (result.by_family["comparable_buyers"] <= result.by_family["comparable_customers"]).all()
    assert (result.by_family["comparable_customers"] <= SETTINGS.comparables).all()


def test_rows_above_the_limit_keep_bought_and_most_likely_families(company: Sales, result: PotentialResult) -> None:
    few = PotentialSettings(max_rows=100, listed_families=3)
    got = estimate_potential(company, PRODUCT_FAMILY, None, None, few)
    bought = result.by_family.filter(pl.col("current") > 0).select("customer_id", "family")
    assert bought.join(got.by_family, on=["customer_id", "family"], how="anti").height == 0
    assert got.by_family.height < result.by_family.height
    assert got.by_customer.equals(result.by_customer)


def test_missing_column_is_named() -> None:
    sales = encode_sales(small_company(customers=1), AS_OF)
    with pytest.raises(BadInput, match="family"):
        estimate_potential(sales, pl.DataFrame({"product_id": ["a"]}), None, None, SETTINGS)
