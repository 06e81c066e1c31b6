"""The next step with a customer: one in front, two folded, and why not the others. Pure: what is known comes in.

Before anything is offered, a detractor and an open complaint are served and a thin relation (△) is built. Then what the
customer is considering is followed up. Of what could be proposed, what somebody wrote down as a hypothesis comes first, then
what the customer spoke of, then the families with the most yen expected. Left out, each with its reason: what they buy already, what does not apply, what they
declined within the cool-off, what was proposed and awaits an answer, and what the rep put off a few days ago.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

COOL_OFF_DAYS: Final = 90
"""After a refusal the same thing is not proposed again for so long."""
AWAIT_DAYS: Final = 60
"""What was proposed and not answered is not proposed anew for so long; it is asked about instead."""
LATER_DAYS: Final = 14
"""今回は出さない is no refusal, but the same card the next morning would be a nuisance."""
FOLLOW_AFTER_DAYS: Final = 7
DETRACTOR: Final = 6
"""NPS of 0–6."""
PROMOTER: Final = 9
"""NPS from which somebody recommends us."""
FOLDED: Final = 2
_KANJI: Final = re.compile(r"[\u4e00-\u9fff々]+")
_KATAKANA: Final = re.compile(r"[ァ-ヴー]+")
_WORDS: Final = re.compile(r"[a-z0-9]+")


class StepKind(StrEnum):
    """What is to be done."""

    SERVE = "serve"
    RELATE = "relate"
    FOLLOW = "follow"
    PROPOSE = "propose"
    REPLENISH = "replenish"
    ASK = "ask"


class WhyNot(StrEnum):
    """Why something is not proposed now."""

    BUYING = "buying"
    NOT_APPLICABLE = "not_applicable"
    DECLINED = "declined"
    AWAITING = "awaiting"
    LATER = "later"
    UNKNOWN_WORTH = "unknown_worth"
    """Nobody can say what it would bring: neither they nor customers like them tell."""
    SERVICE_FIRST = "service_first"
    RELATION_FIRST = "relation_first"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family that could be proposed, with the product to speak of."""

    family: str
    family_name: str
    state: str
    """Of `contracts.tables.FAMILY_STATES`."""
    product_code: str = ""
    product_name: str = ""
    offer_kind: str = "cross_sell"
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    comparable_customers: int | None = None
    comparable_buyers: int | None = None
    why_ja: str = ""
    why_en: str = ""
    say_ja: str = ""
    say_en: str = ""
    due_day: date | None = None
    """Replenishment: the day they are expected to need more."""
    hypothesis: str = ""
    """What somebody wrote down as grounds."""
    heard: str = ""
    """What the customer said they will look at, where it touches this family."""
    heard_on: date | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a proposal: imported or tapped, not undone."""

    family: str
    product_code: str
    result: str
    day: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the choice rests on."""

    today: date
    candidates: Sequence[Candidate]
    answers: Sequence[Answer] = ()
    nps: float | None = None
    relation: str = ""
    """◎○△ of whoever looks after the customer; empty when nobody said."""
    open_complaint: str = ""
    """Subject of a complaint not settled, empty without one."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do."""

    kind: StepKind
    candidate: Candidate | None = None
    answer: Answer | None = None
    is_detractor: bool = False
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Excluded:
    """Something not to be proposed now, and why."""

    family: str
    name: str
    why: WhyNot
    day: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one step, two folded, and why not the others."""

    lead: Step
    folded: tuple[Step, ...]
    excluded: tuple[Excluded, ...]


def touches_on(words: str, name: str) -> bool:
    """Whether what somebody said touches on something of that name: two neighbouring kanji, or a word in kana or letters.

    「検査の自動化に関心」 touches on 画像検査. Hiragana does not count.
    """
    spoken, called = _terms(words), _terms(name)
    return not spoken.isdisjoint(called)


def choose_next_step(situation: Situation) -> NextStep:
    """The next step. Where nothing may be proposed and nothing is to be followed up, it is to ask."""
    restraint = _restraint(situation)
    latest = _latest_answers(situation)
    steps: list[Step] = []
    excluded: list[Excluded] = []
    for candidate in situation.candidates:
        reason = _why_not(candidate, latest.get(candidate.family), situation.today)
        if reason is not None:
            excluded.append(reason)
        elif restraint is not None:
            why = WhyNot.RELATION_FIRST if restraint.kind is StepKind.RELATE else WhyNot.SERVICE_FIRST
            excluded.append(Excluded(candidate.family, candidate.family_name, why))
        else:
            kind = StepKind.REPLENISH if candidate.offer_kind == "replenishment" else StepKind.PROPOSE
            steps.append(Step(kind, candidate))
    steps.sort(key=_order)
    follow = _to_follow(situation, latest)
    if restraint is not None:
        return NextStep(restraint, (), tuple(excluded))
    ordered = [*follow, *steps] or [Step(StepKind.ASK)]
    return NextStep(ordered[0], tuple(ordered[1 : 1 + FOLDED]), tuple(excluded))


def _terms(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKC", text).lower()
    terms = {word for word in _WORDS.findall(plain) if len(word) > 2}
    for run in _KANJI.findall(plain):
        terms |= {run[at : at + 2] for at in range(len(run) - 1)}
    # a piece of a katakana word means nothing: センサ is a word, ンサ is not
    terms |= {word for word in _KATAKANA.findall(plain) if len(word) > 2}
    return terms


def _restraint(situation: Situation) -> Step | None:
    is_detractor = situation.nps is not None and situation.nps <= DETRACTOR
    if is_detractor or situation.open_complaint:
        return Step(StepKind.SERVE, is_detractor=is_detractor, complaint=situation.open_complaint)
    if situation.relation == "△":
        return Step(StepKind.RELATE)
    return None


def _latest_answers(situation: Situation) -> dict[str, Answer]:
    latest: dict[str, Answer] = {}
    for answer in sorted(situation.answers, key=lambda answer: answer.day):
        if answer.family and answer.day <= situation.today:
            latest[answer.family] = answer
    return latest


def _why_not(candidate: Candidate, answer: Answer | None, today: date) -> Excluded | None:
    def because(why: WhyNot, of: Answer | None = None) -> Excluded:
        return Excluded(
            candidate.family, candidate.family_name, why, of.day if of else None, of.reason if of else ""
        )  # fmt: skip

    if candidate.state == "not_applicable":
        return because(WhyNot.NOT_APPLICABLE)
    if answer is not None:
        age = today - answer.day
        if answer.result == "declined" and age < timedelta(days=COOL_OFF_DAYS):
            return because(WhyNot.DECLINED, answer)
        if answer.result == "dismissed" and age < timedelta(days=LATER_DAYS):
            return because(WhyNot.LATER, answer)
        if answer.result in ("open", "considering", "referred") and age < timedelta(days=AWAIT_DAYS):
            return because(WhyNot.AWAITING, answer)
    if candidate.offer_kind == "replenishment":
        return None
    if candidate.state == "buying" or (answer is not None and answer.result == "won"):
        if candidate.offer_kind in ("upsell", "downsell") and candidate.product_code:
            return None
        return because(WhyNot.BUYING)
    if candidate.expected is None and not candidate.hypothesis and not candidate.product_code:
        return because(WhyNot.UNKNOWN_WORTH)
    return None


def _order(step: Step) -> tuple[int, float, str]:
    candidate = step.candidate
    if candidate is None:
        return (9, 0.0, "")
    if step.kind is StepKind.REPLENISH:
        return (3, 0.0, candidate.family)
    first = 0 if candidate.hypothesis else 1 if candidate.heard else 2
    return (first, -(candidate.expected or 0.0), candidate.family)


def _to_follow(situation: Situation, latest: dict[str, Answer]) -> list[Step]:
    names = {candidate.family: candidate for candidate in situation.candidates}
    waiting = [
        answer
        for answer in latest.values()
        if answer.result in ("open", "considering")
        and timedelta(days=FOLLOW_AFTER_DAYS) <= situation.today - answer.day < timedelta(days=AWAIT_DAYS)
    ]
    waiting.sort(key=lambda answer: (answer.result != "considering", answer.day))
    return [Step(StepKind.FOLLOW, names.get(answer.family), answer) for answer in waiting]
