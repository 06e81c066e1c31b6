"""Which option comes first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.decision.arbitration import MAX_OPTIONS, order_options


def test_larger_value_first_and_equal_values_by_the_smaller_tie_breaker():
    assert order_options(np.array([1.0, 5.0, 5.0]), np.array([0, 9, 2])).tolist() == [2, 1, 0]


def test_no_benefit_no_option():
    assert order_options(np.array([0.0, -1.0, np.nan]), np.arange(3)).tolist() == []


@given(st.lists(st.floats(-10, 10), max_size=30))
def test_never_more_than_three_options(values):
    assert order_options(np.array(values, np.float64), np.arange(len(values))).size <= MAX_OPTIONS
