"""Where the axis is cut."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.engine.understand.thresholds import find_bend


def test_bend_stands_at_the_smallest_value_not_below_the_mean():
    bend = find_bend(pl.Series([100.0, 80.0, 10.0, 5.0, 5.0]))  # mean 40
    assert (bend.value, bend.above, bend.positive) == (80.0, 2, 5)
    assert bend.share == pytest.approx(0.9)


def test_nothing_positive_puts_nobody_above_the_line():
    bend = find_bend(pl.Series([0.0, None, -3.0]))
    assert bend.value == float("inf")
    assert "線は引いていません" in bend.in_words_ja("実績")


def test_what_is_known_of_nobody_is_said_to_be_unknown():
    assert "わからない" in find_bend(pl.Series([None, None], dtype=pl.Float64)).in_words_ja("拡大余地")


def test_equal_values_all_stand_above():
    assert find_bend(pl.Series([7.0, 7.0, 7.0])).above == 3


@given(st.lists(st.floats(0.01, 1e9), min_size=1, max_size=60))
def test_bend_is_always_one_of_the_values_and_somebody_is_above(values):
    bend = find_bend(pl.Series(values))
    assert bend.value in values
    assert 1 <= bend.above <= len(values)
    assert 0 < bend.share <= 1 + 1e-9
