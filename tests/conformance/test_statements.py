"""Every statement, on every engine, gives the rows worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from nobishiro.engine.understand.statements import STATEMENTS

D = date
# Worked by hand from the rows in conftest.py; as_of 2024-07-01, so the year starts 2023-07-02 and the one before
# 2022-07-02.
EXPECTED = {
    "customer_orders": [
        # customer, orders, lines, first, last, amount, 12 months, before, orders in 12 months
        ("a", 4, 6, D(2022, 1, 10), D(2024, 6, 30), 265.0, 55.0, 0.0, 3),
        ("b", 2, 3, D(2023, 6, 30), D(2024, 3, 1), 60.0, 10.0, 50.0, 1),
        ("d", 2, 3, D(2023, 7, 3), D(2024, 2, 1), 10.0, 10.0, 0.0, 2),
        ("e", 1, 1, D(1969, 12, 31), D(1969, 12, 31), -2.0, 0.0, 0.0, 0),
    ],
    "customer_product_counts": [("a", 3), ("b", 2), ("d", 3), ("e", 1)],
    "customer_products": [
        # customer, product, orders, days, lines, quantity, amount, first, last
        ("a", "p1", 1, 1, 2, 2.0, 200.0, D(2022, 1, 10), D(2022, 1, 10)),
        ("a", "p2", 3, 3, 3, 3.0, 35.0, D(2022, 1, 10), D(2024, 6, 30)),
        ("a", "p3", 1, 1, 1, 1.0, 30.0, D(2023, 7, 2), D(2023, 7, 2)),
        ("b", "p1", 2, 2, 2, 3.0, 53.0, D(2023, 6, 30), D(2024, 3, 1)),
        ("b", "p4", 1, 1, 1, 1.0, 7.0, D(2024, 3, 1), D(2024, 3, 1)),
        ("d", "p1", 1, 1, 1, 1.0, 4.0, D(2023, 7, 3), D(2023, 7, 3)),
        ("d", "p2", 1, 1, 1, 1.0, 6.0, D(2023, 7, 3), D(2023, 7, 3)),
        ("d", "p4", 1, 1, 1, 1.0, 0.0, D(2024, 2, 1), D(2024, 2, 1)),
        ("e", "p5", 1, 1, 1, 1.0, -2.0, D(1969, 12, 31), D(1969, 12, 31)),
    ],
    "customer_families": [
        # customer, family, orders, first, last, amount, 12 months, before
        ("a", "F", 1, D(2022, 1, 10), D(2022, 1, 10), 200.0, 0.0, 0.0),
        ("a", "G", 4, D(2022, 1, 10), D(2024, 6, 30), 65.0, 55.0, 0.0),
        ("b", "F", 2, D(2023, 6, 30), D(2024, 3, 1), 60.0, 10.0, 50.0),
        ("d", "F", 2, D(2023, 7, 3), D(2024, 2, 1), 4.0, 4.0, 0.0),
        ("d", "G", 1, D(2023, 7, 3), D(2023, 7, 3), 6.0, 6.0, 0.0),
    ],
    "order_gaps": [
        # a: 2022-01-10 → 2023-07-02 (538) → 2024-06-30 (364): 364 + ¼, ½, ¾ of 174
        ("a", 2, 407.5, 451.0, 494.5),
        ("b", 1, 245.0, 245.0, 245.0),
        ("d", 1, 213.0, 213.0, 213.0),
    ],
    "touch_gaps": [("a", 2, 3.25, 5.5, 7.75)],
    "customer_touches": [
        ("a", 3, 1, 66.0, D(2023, 7, 12)),
        ("z", 1, 1, 90.0, D(2024, 6, 30)),
    ],
    "product_orders": [("p1", 5), ("p2", 5), ("p3", 1), ("p4", 2), ("p5", 1)],
    "pair_counts": [("p1", "p2", 3), ("p1", "p4", 1)],
}


def days_of(statement, as_of):
    days = {
        "as_of": as_of,
        "year_start": as_of - timedelta(days=365),
        "previous_start": as_of - timedelta(days=730),
    }
    return {name: days[name] for name in statement.parameters}


def rows_of(table):
    return sorted(tuple(row.values()) for row in table.to_pylist())


def test_every_statement_has_rows_worked_by_hand():
    assert EXPECTED.keys() == STATEMENTS.keys()


@pytest.fixture(scope="module")
def answered():
    """Answers so far, by engine and statement: a query on Spark takes seconds."""
    return {}


@pytest.fixture(params=list(EXPECTED))
def name(request):
    return request.param


@pytest.fixture
def answer(bound, name, as_of, answered):
    """What the engine answers to one statement over the hand-worked rows."""
    if (bound.name, name) not in answered:
        statement = STATEMENTS[name]
        answered[bound.name, name] = bound.query(statement.text, days_of(statement, as_of))
    return answered[bound.name, name]


def test_statement_gives_the_rows_worked_by_hand(answer, name):
    assert rows_of(answer) == EXPECTED[name]


def test_statement_gives_plain_types_and_rows_unique_by_its_key(answer, name):
    key = STATEMENTS[name].key
    assert {str(kind) for kind in answer.schema.types} <= {"string", "large_string", "int64", "double", "date32[day]"}
    assert tuple(answer.schema.names[: len(key)]) == key
    assert answer.select(list(key)).group_by(list(key)).aggregate([]).num_rows == answer.num_rows


def test_statement_of_a_time_before_everything_gives_no_rows_of_the_same_types(answer, bound, name):
    statement = STATEMENTS[name]
    before = bound.query(statement.text, days_of(statement, date(1900, 1, 1)))
    assert before.num_rows == 0
    assert before.schema.types == answer.schema.types
