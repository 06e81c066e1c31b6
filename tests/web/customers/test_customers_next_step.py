"""The one next step, and why not the others: rules stated one by one."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.web.customers.next_step import (
    AWAIT_DAYS,
    COOL_OFF_DAYS,
    FOLLOW_AFTER_DAYS,
    LATER_DAYS,
    Answer,
    Candidate,
    Situation,
    StepKind,
    WhyNot,
    choose_next_step,
    touches_on,
)

TODAY = date(2026, 11, 21)
SMALL = Candidate("F1", "照明", "not_proposed", expected=100.0)
LARGE = Candidate("F2", "画像検査", "not_proposed", expected=900.0)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_family_with_the_most_yen_expected_comes_first() -> None:
    step = choose_next_step(Situation(TODAY, [SMALL, LARGE]))
    assert step.lead.candidate == LARGE and [one.candidate for one in step.folded] == [SMALL]


def test_hypothesis_goes_before_what_they_spoke_of_before_yen() -> None:
    spoken = Candidate("F3", "計測", "not_proposed", expected=10.0, heard="計測を自動に")
    thought = Candidate("F4", "保守", "not_proposed", expected=1.0, hypothesis="保守切れが近い")
    step = choose_next_step(Situation(TODAY, [LARGE, spoken, thought]))
    assert [step.lead.candidate, *(one.candidate for one in step.folded)] == [thought, spoken, LARGE]


@pytest.mark.parametrize("nps", [0, 6])
def test_detractor_gets_service_and_no_offer(nps: float) -> None:
    step = choose_next_step(Situation(TODAY, [LARGE], nps=nps))
    assert step.lead.kind is StepKind.SERVE and step.lead.is_detractor and step.folded == ()
    assert [one.why for one in step.excluded] == [WhyNot.SERVICE_FIRST]


@pytest.mark.parametrize("nps", [None, 7, 10])
def test_unknown_nps_is_not_a_detractor(nps: float | None) -> None:
    assert choose_next_step(Situation(TODAY, [LARGE], nps=nps)).lead.kind is StepKind.PROPOSE


def test_open_complaint_is_served_first() -> None:
    step = choose_next_step(Situation(TODAY, [LARGE], nps=10, open_complaint="納期遅れ"))
    assert (step.lead.kind, step.lead.complaint) == (StepKind.SERVE, "納期遅れ")


def test_thin_relation_is_built_before_anything_is_offered() -> None:
    step = choose_next_step(Situation(TODAY, [LARGE], relation="△"))
    assert step.lead.kind is StepKind.RELATE and step.excluded[0].why is WhyNot.RELATION_FIRST


@pytest.mark.parametrize(
    ("result", "days", "why"),
    [
        ("declined", COOL_OFF_DAYS - 1, WhyNot.DECLINED),
        ("declined", COOL_OFF_DAYS, None),
        ("dismissed", LATER_DAYS - 1, WhyNot.LATER),
        ("dismissed", LATER_DAYS, None),
        ("open", AWAIT_DAYS - 1, WhyNot.AWAITING),
        ("considering", AWAIT_DAYS, None),
        ("referred", 1, WhyNot.AWAITING),
        ("won", 1, WhyNot.BUYING),
    ],
)
def test_answer_keeps_a_family_from_being_proposed_for_its_time(result: str, days: int, why: WhyNot | None) -> None:
    step = choose_next_step(Situation(TODAY, [LARGE], [Answer("F2", "P", result, ago(days), "価格")]))
    assert [one.why for one in step.excluded] == ([] if why is None else [why])
    if why is None:
        assert step.lead.candidate == LARGE


def test_latest_answer_counts() -> None:
    answers = [Answer("F2", "P", "declined", ago(20)), Answer("F2", "P", "considering", ago(10))]
    step = choose_next_step(Situation(TODAY, [LARGE], answers))
    assert step.lead.kind is StepKind.FOLLOW and step.excluded[0].why is WhyNot.AWAITING


@pytest.mark.parametrize(("days", "is_followed"), [(FOLLOW_AFTER_DAYS - 1, False), (FOLLOW_AFTER_DAYS, True)])
def test_considered_offer_is_followed_up_after_a_week(days: int, is_followed: bool) -> None:
    step = choose_next_step(Situation(TODAY, [LARGE, SMALL], [Answer("F2", "P", "considering", ago(days))]))
    assert (step.lead.kind is StepKind.FOLLOW) == is_followed
    assert SMALL in [one.candidate for one in (step.lead, *step.folded)]


@pytest.mark.parametrize(("state", "why"), [("buying", WhyNot.BUYING), ("not_applicable", WhyNot.NOT_APPLICABLE)])
def test_family_that_needs_no_proposal_is_left_out(state: str, why: WhyNot) -> None:
    step = choose_next_step(Situation(TODAY, [replace(LARGE, state=state)]))
    assert step.lead.kind is StepKind.ASK and [one.why for one in step.excluded] == [why]


def test_one_grade_up_may_be_proposed_in_a_family_they_buy() -> None:
    upgrade = replace(LARGE, state="buying", offer_kind="upsell", product_code="E500")
    assert choose_next_step(Situation(TODAY, [upgrade])).lead.candidate == upgrade


def test_family_of_which_nobody_knows_the_worth_waits() -> None:
    step = choose_next_step(Situation(TODAY, [replace(LARGE, expected=None)]))
    assert step.lead.kind is StepKind.ASK and step.excluded[0].why is WhyNot.UNKNOWN_WORTH


def test_restock_comes_after_what_opens_a_family() -> None:
    restock = Candidate("F9", "消耗品", "buying", "P9", offer_kind="replenishment", due_day=TODAY)
    step = choose_next_step(Situation(TODAY, [restock, SMALL]))
    assert step.lead.candidate == SMALL and step.folded[0].kind is StepKind.REPLENISH


@pytest.mark.parametrize(
    ("words", "name", "does"),
    [
        ("検査の自動化に関心", "画像検査", True),
        ("センサを増やす", "光電センサ", True),
        ("モニタを増やす", "光電センサ", False),
        ("V-LITE を見たい", "v-lite", True),
        ("いろいろ見たい", "いろいろ見本", False),
        ("", "画像検査", False),
    ],
)
def test_spoken_words_touch_on_a_name(words: str, name: str, does: bool) -> None:
    assert touches_on(words, name) is does


_STATES = st.sampled_from(["buying", "proposed", "not_proposed", "competitor", "not_applicable"])
_RESULTS = st.sampled_from(["open", "considering", "won", "declined", "dismissed", "referred"])


@given(
    states=st.lists(st.tuples(_STATES, st.none() | st.floats(0, 1e6)), max_size=8),
    answers=st.lists(st.tuples(st.integers(0, 7), _RESULTS, st.integers(0, 400)), max_size=8),
    nps=st.none() | st.integers(0, 10),
    relation=st.sampled_from(["", "◎", "○", "△"]),
)
def test_nothing_refused_or_left_out_is_ever_proposed(
    states: list[tuple[str, float | None]], answers: list[tuple[int, str, int]], nps: int | None, relation: str
) -> None:
    candidates = [Candidate(f"F{at}", f"f{at}", state, expected=yen) for at, (state, yen) in enumerate(states)]
    given_ = [Answer(f"F{at}", "", result, ago(days)) for at, result, days in answers]
    step = choose_next_step(Situation(TODAY, candidates, given_, nps, relation))
    assert len(step.folded) <= 2
    proposed = [one for one in (step.lead, *step.folded) if one.kind is StepKind.PROPOSE]
    left_out = {one.family for one in step.excluded}
    for one in proposed:
        assert one.candidate is not None and one.candidate.family not in left_out
        assert one.candidate.state not in ("buying", "not_applicable")
    if (nps is not None and nps <= 6) or relation == "△":
        assert not proposed
    assert len(left_out) + len(proposed) <= len(candidates)
