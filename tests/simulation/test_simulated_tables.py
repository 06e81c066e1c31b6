"""What every simulated company promises: the same again, canonical, whole, before `as_of`, and nobody real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from nobishiro.contracts.errors import SettingsError
from nobishiro.contracts.tables import TABLES, ColumnType
from nobishiro.engine.intake.corporate_numbers import check_digit, is_corporate_number
from nobishiro.engine.store.types import check_keys, conform, polars_schema
from nobishiro.simulation.company import BUSINESSES, SimulatedCompany, SimulationSettings, simulate_company
from nobishiro.simulation.names import corporate_numbers
from nobishiro.simulation.streams import Streams

AS_OF = date(2026, 11, 21)
PLANNED = {
    ("deals", "expected_on"),
    ("products", "active_from"),
    ("targets", "period_start"),
    ("targets", "period_end"),
}
"""Days that may lie ahead."""
REFERS = {
    "customer_id": "customers", "end_customer_id": "customers", "product_id": "products", "rep_id": "reps",
    "division_id": "divisions", "contact_id": "contacts", "household_id": "households", "upgrade_of": "products",
    "touch_id": "touches", "parent_customer_id": "customers",
}  # fmt: skip
KEY_OF = {"end_customer_id": "customer_id", "upgrade_of": "product_id", "parent_customer_id": "customer_id"}


@cache
def company(business: str, customers: int = 300, seed: int = 1) -> SimulatedCompany:
    return simulate_company(SimulationSettings(business, customers, seed))


def written(frames: Mapping[str, pl.DataFrame]) -> dict[str, bytes]:
    return {name: frame.write_csv().encode() for name, frame in frames.items()}


@pytest.mark.parametrize("business", BUSINESSES)
def test_same_settings_give_byte_identical_tables_and_truths(business: str) -> None:
    again = simulate_company(SimulationSettings(business, 300, 1))
    assert written(again.tables) == written(company(business).tables)
    assert written(again.truths) == written(company(business).truths)


@pytest.mark.parametrize("business", BUSINESSES)
def test_another_seed_gives_another_company(business: str) -> None:
    here, there = company(business).tables, company(business, seed=2).tables
    assert not here["order_lines"].equals(there["order_lines"])
    assert not here["customers"].equals(there["customers"])


def test_a_part_draws_the_same_whatever_other_parts_draw() -> None:
    alone = Streams(5, "maker").part("orders").random(4)
    streams = Streams(5, "maker")
    streams.part("another part").random(1000)
    assert (streams.part("orders").random(4) == alone).all()
    assert (streams.part("another part").random(4) != alone).all()


@pytest.mark.parametrize("business", BUSINESSES)
def test_every_table_is_canonical_and_its_keys_are_unique(business: str) -> None:
    tables = company(business).tables
    assert {"customers", "products", "order_lines", "divisions", "reps", "consents", "survey_answers"} <= set(tables)
    for name, frame in tables.items():
        assert frame.schema == polars_schema(TABLES[name]), name
        conform(TABLES[name], frame)
        check_keys(TABLES[name], frame)


@pytest.mark.parametrize("business", BUSINESSES)
def test_required_values_are_there_and_choices_are_known(business: str) -> None:
    for name, frame in company(business).tables.items():
        for column in TABLES[name].columns:
            values = frame[column.name]
            if column.required:
                assert values.null_count() == 0, (name, column.name)
            if column.choices:
                assert set(values.drop_nulls().unique()) <= set(column.choices), (name, column.name)


@pytest.mark.parametrize("business", BUSINESSES)
def test_every_code_that_is_named_exists(business: str) -> None:
    tables = company(business).tables
    for name, frame in tables.items():
        for column, table in REFERS.items():
            if column not in frame.columns or (name == table and column == TABLES[table].key[0]):
                continue
            named = frame.select(column).drop_nulls().unique()
            if named.is_empty():
                continue
            known = tables[table].select(pl.col(KEY_OF.get(column, column)).alias(column))
            lost = named.join(known, on=column, how="anti")
            assert lost.is_empty(), (name, column, lost.head())


@pytest.mark.parametrize("business", BUSINESSES)
def test_a_contact_belongs_to_the_customer_it_is_named_with(business: str) -> None:
    tables = company(business).tables
    owner = tables["contacts"].select("contact_id", owner="customer_id")
    for name, frame in tables.items():
        if name != "contacts" and {"contact_id", "customer_id"} <= set(frame.columns):
            both = frame.select("contact_id", "customer_id").drop_nulls().join(owner, on="contact_id")
            assert (both["customer_id"] == both["owner"]).all(), name


@pytest.mark.parametrize("business", BUSINESSES)
def test_nothing_happened_on_or_after_as_of(business: str) -> None:
    for name, frame in company(business).tables.items():
        for column in TABLES[name].columns:
            if (name, column.name) in PLANNED:
                continue
            latest = frame[column.name].max() if column.type in (ColumnType.DAY, ColumnType.MOMENT) else None
            if latest is not None:
                day = latest.date() if isinstance(latest, datetime) else latest
                assert day < AS_OF, (name, column.name, latest)


@pytest.mark.parametrize("business", BUSINESSES)
def test_amount_is_quantity_times_unit_price(business: str) -> None:
    lines = company(business).tables["order_lines"].select(pl.col("amount", "quantity", "unit_price").cast(pl.Float64))
    assert (lines["amount"] == lines["quantity"] * lines["unit_price"]).all()
    assert (lines["quantity"] > 0).all()


@pytest.mark.parametrize("business", BUSINESSES)
def test_an_order_is_of_one_customer_on_one_day_and_its_lines_are_adjacent(business: str) -> None:
    lines = company(business).tables["order_lines"]
    orders = lines.group_by("order_id").agg(
        pl.col("customer_id").n_unique().alias("customers"), pl.col("ordered_at").n_unique().alias("moments")
    )
    assert orders["customers"].max() == 1
    assert orders["moments"].max() == 1
    assert lines["order_id"].rle_id().n_unique() == orders.height


@pytest.mark.parametrize("business", ["maker", "schools"])
def test_corporate_numbers_check_and_no_office_gave_them_out(business: str) -> None:
    numbers = company(business).tables["customers"]["corporate_number"].drop_nulls()
    assert numbers.len() > 0
    assert numbers.is_unique().all()
    assert all(is_corporate_number(number) and number[1:3] == "99" for number in numbers)


@given(st.integers(0, 10**10 - 1))
@limits(max_examples=200)
def test_a_made_corporate_number_has_the_check_digit_of_the_rule(number: int) -> None:
    made = corporate_numbers(np.array([number]))[0]
    assert int(made[0]) == check_digit(made[1:])


@pytest.mark.parametrize("business", BUSINESSES)
def test_nobody_real_can_be_reached(business: str) -> None:
    tables = company(business).tables
    mails = pl.concat(
        [tables["contacts"]["email"], tables["reps"]["email"], tables["consents"]["address"]]
    ).drop_nulls()
    assert mails.str.ends_with(".example").all()
    phones = pl.concat([tables["contacts"]["phone"], tables["customers"]["phone"]]).drop_nulls()
    assert phones.str.contains("-0000-").all()


@pytest.mark.parametrize("business", BUSINESSES)
def test_the_first_note_says_in_both_languages_that_it_is_simulated(business: str) -> None:
    first = company(business).notes[0]
    assert "架空データ" in first and "simulated" in first and company(business).name_ja in first


@pytest.mark.parametrize("business", BUSINESSES)
def test_the_list_has_as_many_customers_as_were_asked_for(business: str) -> None:
    assert company(business).tables["customers"].height == 300


def test_history_is_as_long_as_asked() -> None:
    settings = SimulationSettings("maker", 300, as_of=date(2025, 4, 1), months=24)
    lines = simulate_company(settings).tables["order_lines"]
    drawn = lines.filter(pl.col("order_id").str.starts_with("O0"))["ordered_at"].cast(pl.Date)
    assert drawn.min() >= date(2023, 4, 1)
    assert drawn.max() < date(2025, 4, 1)


@pytest.mark.parametrize(
    ("change", "word"),
    [({"business": "bank"}, "bank"), ({"customers": 99}, "99"), ({"months": 11}, "11"), ({"seed": -1}, "-1")],
)
def test_impossible_settings_are_refused_with_the_value(change: dict, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        simulate_company(replace(SimulationSettings("maker", 300), **change))
