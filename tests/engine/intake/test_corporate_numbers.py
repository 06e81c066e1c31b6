import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.engine.intake.corporate_numbers import (
    check_digit,
    is_corporate_number,
    normalise_corporate_number,
    normalise_corporate_numbers,
)

TWELVE = st.text("0123456789", min_size=12, max_size=12)


def test_published_numbers_are_valid():
    # The tax agency's worked example, and the numbers the agency and two listed companies publish.
    assert check_digit("700110005901") == 8
    for number in ("8700110005901", "7000012050002", "1180301018771"):
        assert is_corporate_number(number)


@pytest.mark.parametrize(
    "text", ["Ｔ１１８０３０１０１８７７１", "T1180301018771", "1-1803-0101-8771", " 1180301018771 ", "1180301018771.0"]
)
def test_number_is_found_in_what_people_type(text):
    assert normalise_corporate_number(text) == "1180301018771"


@pytest.mark.parametrize("text", [None, "", "1180301018772", "180301018771", "11803010187711", "株式会社"])
def test_anything_else_is_no_number(text):
    assert normalise_corporate_number(text) is None


def test_check_digit_refuses_other_lengths():
    with pytest.raises(ValueError, match="twelve"):
        check_digit("123")


def test_column_of_numbers():
    assert normalise_corporate_numbers(pl.Series(["T1180301018771", None, "x"])).to_list() == [
        "1180301018771",
        None,
        None,
    ]
    assert normalise_corporate_numbers(pl.Series([1180301018771])).to_list() == ["1180301018771"]


@given(TWELVE)
def test_exactly_one_first_digit_is_right(twelve):
    assert sum(is_corporate_number(f"{first}{twelve}") for first in range(10)) == 1


@given(TWELVE, st.integers(0, 11), st.integers(1, 8))
def test_one_wrong_digit_is_noticed(twelve, place, shift):
    wrong = str((int(twelve[place]) + shift) % 10)
    other = twelve[:place] + wrong + twelve[place + 1 :]
    # 0 and 9 are alike modulo 9: the one confusion the rule cannot see.
    if {twelve[place], wrong} != {"0", "9"}:
        assert check_digit(other) != check_digit(twelve)


@given(TWELVE)
def test_normalising_twice_changes_nothing(twelve):
    number = f"{check_digit(twelve)}{twelve}"
    assert normalise_corporate_number(normalise_corporate_number(number)) == number
