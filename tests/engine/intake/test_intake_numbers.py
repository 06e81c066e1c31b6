"""Numbers as people write them."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.engine.intake.numbers import parse_number, read_numbers, round_decimals


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1234", "1234"),
        ("-12.50", "-12.5"),
        ("¥1,234", "1234"),
        ("￥１，２３４", "1234"),
        ("\\1,234", "1234"),  # a yen sign that CP932 wrote
        ("1,234円", "1234"),
        ("¥1,234-", "1234"),  # closed so that nobody adds digits
        ("1,234-", "-1234"),  # an accountant's minus
        ("▲1,234", "-1234"),
        ("△５", "-5"),
        ("−7", "-7"),
        ("(1,234)", "-1234"),
        ("（１，２３４）", "-1234"),
        ("3百万円", "3000000"),
        ("1.5千円", "1500"),
        ("2億", "200000000"),
        ("12個", "12"),
        ("120 名", "120"),
        ("1E+3", "1000"),
        (" 8 ", "8"),
    ],
)
def test_number_in_every_notation(written: str, expected: str) -> None:
    values, percent, bad = read_numbers(pl.Series([written]))
    assert values.to_list() == [Decimal(expected)]
    assert not percent.any()
    assert not bad.any()


@pytest.mark.parametrize(
    "written", ["abc", "1,23", "12,3456", "--5", "(-5)", "1.2.3", "inf", "12x", "1-2", "¥", "2025/4/1"]
)
def test_what_is_no_number_is_bad_and_never_a_number(written: str) -> None:
    values, _, bad = read_numbers(pl.Series([written]))
    assert values.to_list() == [None]
    assert bad.to_list() == [True]


@pytest.mark.parametrize("written", ["-", "―", "－", "N/A", "null", "なし"])
def test_marks_of_emptiness_are_empty_and_no_problem(written: str) -> None:
    values, _, bad = read_numbers(pl.Series([written]))
    assert values.to_list() == [None]
    assert bad.to_list() == [False]


def test_percentage_is_told_apart() -> None:
    assert parse_number("35%") == (Decimal(35), True)
    assert parse_number("３５％") == (Decimal(35), True)


def test_halves_are_rounded_away_from_zero() -> None:
    values = pl.Series(["1.005", "-1.005", "2.674"], dtype=pl.String).cast(pl.Decimal(38, 9))
    rounded, large = round_decimals(values, 2)
    assert rounded.to_list() == [Decimal("1.01"), Decimal("-1.01"), Decimal("2.67")]
    assert not large.any()


FULL_WIDTH = str.maketrans("0123456789,.-", "０１２３４５６７８９，．－")


@given(
    amount=st.decimals(min_value=-(10**13), max_value=10**13, places=2, allow_nan=False, allow_infinity=False),
    yen=st.sampled_from(["", "¥", "￥"]),
    minus=st.sampled_from(["-", "▲", "△", "−", "()"]),
    commas=st.booleans(),
    full_width=st.booleans(),
    suffix=st.sampled_from(["", "円"]),
)
def test_money_reads_back_however_it_is_written(
    amount: Decimal, yen: str, minus: str, commas: bool, full_width: bool, suffix: str
) -> None:
    body = f"{abs(amount):,.2f}" if commas else f"{abs(amount):.2f}"
    body = f"{yen}{body}{suffix}"
    if amount < 0:
        body = f"({body})" if minus == "()" else minus + body
    if full_width:
        body = body.translate(FULL_WIDTH)
    values, _, bad = read_numbers(pl.Series([body]))
    assert values.to_list() == [amount]
    assert not bad.any()
