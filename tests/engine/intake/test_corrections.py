"""A person's correction stands, whatever a later import says."""

from datetime import datetime

import polars as pl

from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.corrections import apply_corrections, corrections_overtaken
from nobishiro.engine.store.types import polars_schema

CUSTOMERS, CORRECTIONS = TABLES["customers"], TABLES["corrections"]


def customers(**values):
    row = dict.fromkeys(CUSTOMERS.column_names) | {"customer_id": "1", "name": "甲", "employees": 10} | values
    return pl.DataFrame([row], schema=polars_schema(CUSTOMERS))


def correction(column, value, imported):
    row = {
        "table_name": "customers", "row_key": "1", "column_name": column, "value": value, "imported_value": imported,
        "set_by": "佐藤", "set_at": datetime(2026, 4, 1),
    }  # fmt: skip
    return pl.DataFrame([row], schema=polars_schema(CORRECTIONS))


def test_the_persons_value_is_read_and_typed():
    read = apply_corrections(CUSTOMERS, customers(), correction("employees", "25", "10"))
    assert read["employees"].to_list() == [25]
    assert read.schema == customers().schema


def test_an_empty_correction_clears_the_field():
    assert apply_corrections(CUSTOMERS, customers(), correction("employees", "", "10"))["employees"].to_list() == [None]


def test_what_a_later_import_said_is_kept_and_shown():
    later = customers(employees=12)
    words = correction("employees", "25", "10")
    assert apply_corrections(CUSTOMERS, later, words)["employees"].item() == 25
    assert corrections_overtaken(CUSTOMERS, later, words).rows() == [("1", "employees", "25", "10", "12")]
    assert corrections_overtaken(CUSTOMERS, customers(), words).is_empty()


def test_keys_and_unknown_columns_are_never_changed():
    assert apply_corrections(CUSTOMERS, customers(), correction("customer_id", "2", "1")).equals(customers())
    assert apply_corrections(CUSTOMERS, customers(), correction("colour", "red", "")).equals(customers())
