"""What the team may know and what may be said."""

import json
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.engine.offer.reasons import add_evidence, add_sentences


def offer(**values):
    row = {
        "reason": "bought_with", "product_name": "画像 V-Std", "because_id": "L1", "because_name": "照明", "buyers": 23,
        "both": 14, "window_days": 90, "days_bought": 4, "cycle": 30.0, "elapsed": 42, "last_day": date(2026, 10, 10),
    } | values  # fmt: skip
    return add_sentences(add_evidence(pl.DataFrame([row])), 5).row(0, named=True)


def test_counts_are_said_when_five_or_more_bought_and_nobody_can_be_guessed():
    assert offer()["say_ja"] == "「照明」をお使いのお客様23社のうち14社が、「画像 V-Std」もあわせてお選びです。"


@pytest.mark.parametrize(("buyers", "both"), [(23, 4), (4, 3), (5, 5), (7, 7)])
def test_few_buyers_or_all_of_them_are_never_said_but_the_team_knows(buyers, both):
    said = offer(buyers=buyers, both=both)
    assert (said["say_ja"], said["say_en"]) == ("", "")
    assert f"{buyers}社のうち{both}社" in said["why_ja"]


def test_due_says_how_late_it_is():
    assert offer(reason="due")["why_ja"] == "4回購入、約30日ごと。前回から42日で、目安を12日過ぎています"
    assert "due in about 20" in offer(reason="due", elapsed=10)["why_en"]


def test_a_purchase_without_a_cycle_is_not_pressed_on_the_customer():
    said = offer(reason="regular", cycle=float("nan"), days_bought=1)
    assert said["why_ja"] == "1回購入。前回から42日"
    assert said["say_ja"] == ""


@given(st.text(max_size=20))
def test_evidence_is_json_whatever_the_code_says(code):
    assert json.loads(offer(because_id=code)["evidence"]) == {"because": [code], "buyers": 23, "both": 14}


@given(st.integers(0, 60), st.integers(0, 60))
def test_no_count_below_five_ever_leaves_the_house(buyers, both):
    said = offer(buyers=buyers, both=both)
    if both < 5 or both >= buyers:
        assert said["say_ja"] == said["say_en"] == ""
