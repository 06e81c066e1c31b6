"""Keys of rows that come without one, and keys that come twice."""

from datetime import datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.keys import number_occurrences, settle_keys
from nobishiro.engine.intake.rows import LINE, REASON

NOON = datetime(2026, 4, 1, 12)


def lines(*rows):
    return pl.DataFrame(
        [{"order_id": o, "product_id": p, "quantity": q, "ordered_at": NOON} for o, p, q in rows],
        schema={"order_id": pl.String, "product_id": pl.String, "quantity": pl.Int64, "ordered_at": pl.Datetime("us")},
    )


def test_exact_repeats_are_real_sales_and_get_numbers_of_their_own():
    assert number_occurrences(lines(("1", "a", 2), ("1", "a", 2), ("1", "b", 1)))["occurrence"].to_list() == [1, 2, 1]


@given(st.permutations([("1", "a", 2), ("1", "a", 5), ("1", "b", 1), ("2", "a", 2), ("1", "a", 2)]))
def test_the_same_lines_in_another_order_get_the_same_keys(rows):
    numbered = number_occurrences(lines(*rows)).select("order_id", "product_id", "quantity", "occurrence")
    assert sorted(numbered.rows()) == [
        ("1", "a", 2, 1), ("1", "a", 2, 2), ("1", "a", 5, 3), ("1", "b", 1, 1), ("2", "a", 2, 1),
    ]  # fmt: skip


def customers(*rows):
    return pl.DataFrame([{"customer_id": c, "name": n, LINE: line} for c, n, line in rows])


def test_an_equal_row_is_kept_once_and_a_contradicting_one_is_set_aside_with_the_line_it_contradicts():
    keyed = settle_keys(TABLES["customers"], customers(("1", "甲", 2), ("2", "乙", 3), ("1", "甲", 4), ("1", "丙", 5)))
    assert keyed.frame["customer_id"].to_list() == ["1", "2"]
    assert keyed.repeated == 1
    assert keyed.conflicts[LINE].to_list() == [5]
    assert "顧客コード: 1 stands on line 2 already" in keyed.conflicts[REASON][0]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), max_size=20))
def test_every_row_is_kept_repeated_or_set_aside(rows):
    frame = pl.DataFrame(
        [{"customer_id": c, "name": n, LINE: at} for at, (c, n) in enumerate(rows)],
        schema={"customer_id": pl.String, "name": pl.String, LINE: pl.Int64},
    )
    keyed = settle_keys(TABLES["customers"], frame)
    assert keyed.frame["customer_id"].is_unique().all() or keyed.frame.is_empty()
    assert keyed.frame.height + keyed.repeated + keyed.conflicts.height == len(rows)
