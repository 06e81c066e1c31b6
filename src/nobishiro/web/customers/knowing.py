"""③ 把握度 of the karte: what is known, what to ask, and what we think."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from nobishiro.web.core.templatetags.nobishiro import is_japanese
from nobishiro.web.customers.facts import (
    BY_CODE,
    IMPORTANT,
    Coverage,
    Question,
    coverage_from,
    name_of,
    newest_of,
    questions_from,
)
from nobishiro.web.customers.material import Material
from nobishiro.web.customers.models import Fact, Hypothesis
from nobishiro.web.customers.words import SOURCES, word


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact that counts, and the earlier ones beside it."""

    name: str
    about: str
    newest: Fact
    earlier: tuple[Fact, ...]
    source: str
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Thought:
    """A hypothesis with its family's name."""

    row: Hypothesis
    family_name: str


@dataclass(frozen=True, slots=True)
class Knowing:
    """③ 把握度: what is known, what to ask, and what we think."""

    coverage: Coverage
    questions: list[Question]
    known: list[KnownFact]
    hypotheses: list[Thought]
    ended_hypotheses: list[Thought]
    families: list[tuple[str, str]]


def build_knowing(material: Material) -> Knowing:
    """③ 把握度."""
    history: dict[tuple[str, str], list[Fact]] = {}
    for fact in material.facts:
        history.setdefault((fact.fact, fact.subject), []).append(fact)
    language = 0 if is_japanese() else 1
    known = []
    coverage = coverage_from(material.facts, material.has_key_person, material.today)
    for fact in newest_of(material.facts):
        earlier = tuple(one for one in history[fact.fact, fact.subject] if one.pk != fact.pk)
        about = "" if fact.subject == "-" else material.catalogue.family_name(fact.subject)
        is_fresh = fact.fact not in BY_CODE or fact.learned_on >= material.today - timedelta(
            days=BY_CODE[fact.fact].fresh_days
        )
        known.append(
            KnownFact(name_of(fact.fact)[language], about, fact, earlier, word(SOURCES, fact.source), is_fresh)
        )
    order = {one.code: at for at, one in enumerate(IMPORTANT)}
    known.sort(key=lambda one: (order.get(one.newest.fact, 99), one.about))
    thoughts = [Thought(one, material.catalogue.family_name(one.family)) for one in material.hypotheses]
    return Knowing(
        coverage,
        questions_from(material.facts, material.has_key_person, material.today),
        known,
        [one for one in thoughts if one.row.state == Hypothesis.State.OPEN],
        [one for one in thoughts if one.row.state != Hypothesis.State.OPEN],
        sorted(material.catalogue.families.items(), key=lambda pair: pair[1]),
    )
