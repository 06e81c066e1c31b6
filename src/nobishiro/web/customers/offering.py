"""② the next step of the karte: what is known is gathered, chosen from, and put in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.web.core.templatetags.nobishiro import is_japanese
from nobishiro.web.customers.facts import WHOLE, Question, newest_of
from nobishiro.web.customers.family_states import FamilyRow
from nobishiro.web.customers.material import Material
from nobishiro.web.customers.models import Fact, Hypothesis
from nobishiro.web.customers.next_step import (
    Answer,
    Candidate,
    Excluded,
    NextStep,
    Situation,
    Step,
    StepKind,
    touches_on,
)
from nobishiro.web.customers.words import RESULTS, WHY_NOT, word
from nobishiro.web.people.models import User

_REPLENISH_AHEAD: Final = timedelta(days=14)
_WISHES: Final = ("next_interest", "investment_plan", "aspiration")
"""Facts in which a customer says what they will look at."""
_WISH_LASTS: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step in words."""

    step: Step
    title: str
    why: str
    say: str
    ask: tuple[str, ...]
    """At most two questions."""
    offer_kind: str
    family: str
    product_code: str


@dataclass(frozen=True, slots=True)
class WhyNotOther:
    """Why a family is not proposed now, in words."""

    name: str
    why: str
    day: date | None
    reason: str


def situation_of(material: Material, user: User, families: Sequence[FamilyRow]) -> Situation:
    """What the choice of the next step rests on."""
    tickets = material.happened.tickets
    complaint = ""
    for kind, closed, subject in tickets.select("kind", "closed_at", "subject").iter_rows():
        if kind == "complaint" and closed is None:
            complaint = subject or gettext("complaint")
    return Situation(
        today=material.today,
        candidates=_candidates(material, families),
        answers=_answers(material),
        nps=material.customer.nps,
        relation=_relation_that_counts(material, user),
        open_complaint=complaint,
    )


def show_step(step: Step, material: Material, questions: Sequence[Question]) -> ShownStep:
    """A step in the words of the page's language."""
    candidate, answer = step.candidate, step.answer
    japanese = is_japanese()
    about = _about(candidate, answer, material)
    why = say = kind = ""
    match step.kind:
        case StepKind.SERVE:
            title = gettext("Listen and put things right first")
            if step.complaint:
                why = gettext("A complaint is not settled: %(subject)s.") % {"subject": step.complaint}
            else:
                why = gettext("They rated us %(nps)d of 10. Service comes before offers.") % {
                    "nps": material.customer.nps or 0
                }
        case StepKind.RELATE:
            title = gettext("Build the relation first")
            why = gettext("The relation is △. A visit without an offer, a useful hint, an introduction.")
        case StepKind.FOLLOW:
            title = gettext("Ask what became of %(about)s") % {"about": about}
            why = gettext("%(result)s on %(day)s; no answer since.") % {
                "result": word(RESULTS, answer.result if answer else ""),
                "day": f"{answer.day:%Y/%m/%d}" if answer else "",
            }
        case StepKind.ASK:
            title = gettext("Ask before you offer")
            why = gettext("Nothing can be proposed on good grounds yet. The questions below open it up.")
        case _:
            title = gettext("Propose %(about)s") % {"about": about}
            why, kind = _why(candidate, japanese), candidate.offer_kind if candidate else ""
            say = _say(candidate, japanese)
    return ShownStep(
        step, title, why, say, _to_ask(step, questions), kind,
        candidate.family if candidate else answer.family if answer else "",
        candidate.product_code if candidate else answer.product_code if answer else "",
    )  # fmt: skip


def _to_ask(step: Step, questions: Sequence[Question]) -> tuple[str, ...]:
    """What to ask: of a customer who is not content, only about that."""
    if step.kind is StepKind.SERVE:
        return gettext("What went wrong, from where they stand?"), gettext("What would put it right?")
    return tuple(question.ja if is_japanese() else question.en for question in questions[:2])


def _say(candidate: Candidate | None, japanese: bool) -> str:
    """The run's sentence; else one that only takes up what they said themselves, or asks."""
    if candidate is None:
        return ""
    ready = candidate.say_ja if japanese else candidate.say_en
    if ready:
        return ready
    if candidate.heard:
        return gettext("You spoke of “%(words)s”. How is it going?") % {"words": candidate.heard.rstrip("。.")}
    return gettext("Where do you get %(family)s today?") % {"family": candidate.family_name}


def why_not_in_words(excluded: Excluded) -> WhyNotOther:
    """Why something is not proposed now, in the page's language."""
    return WhyNotOther(excluded.name or excluded.family, word(WHY_NOT, excluded.why), excluded.day, excluded.reason)


def things_not_to_say(step: NextStep, material: Material) -> list[str]:
    """What is better left out at the visit, for the one-minute sheet."""
    things = []
    if step.lead.kind in (StepKind.SERVE, StepKind.RELATE):
        things.append(gettext("No offers today."))
    for one in step.excluded:
        if one.why.value == "declined":
            things.append(
                gettext("%(what)s: declined on %(day)s%(reason)s.")
                % {
                    "what": one.name,
                    "day": f"{one.day:%Y/%m/%d}" if one.day else "",
                    "reason": f" ({one.reason})" if one.reason else "",
                }
            )
        elif one.why.value == "not_applicable":
            things.append(gettext("%(what)s: they have no use for it.") % {"what": one.name})
    candidate = step.lead.candidate
    if candidate is not None and step.lead.kind is StepKind.PROPOSE and not (candidate.say_ja or candidate.say_en):
        things.append(gettext("The counts behind “why” are for us only: other customers must not be recognised."))
    return things[:5]


def _candidates(material: Material, families: Sequence[FamilyRow]) -> list[Candidate]:
    catalogue = material.catalogue
    offers: dict[str, dict[str, object]] = {}
    restock = []
    for row in material.rows.recommendations.sort("kind", "rank").iter_rows(named=True):
        family = catalogue.family_of(row["product_id"])
        if row["kind"] == "new":
            offers.setdefault(family, row)
        elif row["due_day"] is not None and row["due_day"] <= material.today + _REPLENISH_AHEAD:
            restock.append((family, row))
    bought = {code for code in material.happened.order_lines["product_id"].to_list() if code}
    thoughts = {
        one.family: one.grounds for one in reversed(material.hypotheses) if one.state == Hypothesis.State.OPEN
    }  # fmt: skip
    candidates = []
    wishes = [
        fact
        for fact in newest_of(material.facts)
        if fact.fact in _WISHES and fact.value and fact.learned_on >= material.today - _WISH_LASTS
    ]
    for row_of in families:
        offer = offers.get(row_of.code, {})
        product = str(offer.get("product_id") or "")
        known = catalogue.products.get(product)
        wish = next((one for one in wishes if _is_about(one, row_of)), None)
        kind = "upsell" if known is not None and known.upgrade_of in bought and known.upgrade_of else "cross_sell"
        candidates.append(
            Candidate(
                row_of.code, row_of.name, row_of.state, product, catalogue.name_of(product), kind, row_of.expected,
                row_of.low, row_of.high, row_of.comparable_customers, row_of.comparable_buyers,
                str(offer.get("why_ja") or ""), str(offer.get("why_en") or ""), str(offer.get("say_ja") or ""),
                str(offer.get("say_en") or ""), None, thoughts.get(row_of.code, ""), wish.value if wish else "", wish.learned_on if wish else None,
            )
        )  # fmt: skip
    for code, row in restock[:1]:
        candidates.append(
            Candidate(
                code, catalogue.family_name(code), "buying", row["product_id"], catalogue.name_of(row["product_id"]),
                "replenishment", why_ja=row["why_ja"] or "", why_en=row["why_en"] or "", say_ja=row["say_ja"] or "",
                say_en=row["say_en"] or "", due_day=row["due_day"],
            )
        )  # fmt: skip
    return candidates


def _is_about(wish: Fact, row: FamilyRow) -> bool:
    if wish.subject != WHOLE:
        return wish.subject == row.code
    return touches_on(wish.value, row.name)


def _answers(material: Material) -> list[Answer]:
    catalogue = material.catalogue
    answers = [
        Answer(
            outcome.family or catalogue.family_of(outcome.product_code), outcome.product_code, outcome.result,
            timezone.localdate(outcome.happened_at), outcome.reason,
        )
        for outcome in material.outcomes
    ]  # fmt: skip
    for row in material.happened.proposals.iter_rows(named=True):
        if row["proposal_id"] not in material.told_here:
            family = row["family"] or catalogue.family_of(row["product_id"])
            answers.append(
                Answer(family, row["product_id"] or "", row["result"], row["proposed_at"].date(), row["reason"] or "")
            )
    return answers


def _relation_that_counts(material: Material, user: User) -> str:
    """The person's own relation, else the main rep's, else the thinnest that anybody has."""
    signs = {tag.rep_id: tag.value for tag in reversed(material.tags) if tag.tag == "relation"}
    for rep in (user.rep_id, material.customer.main_rep_id):
        if rep is not None and rep in signs:
            return signs[rep]
    return signs.get(None, "")


def _about(candidate: Candidate | None, answer: Answer | None, material: Material) -> str:
    if candidate is not None and (candidate.product_name or candidate.family_name):
        if candidate.product_name and candidate.family_name and candidate.product_name != candidate.family_name:
            return gettext("%(product)s (%(family)s)") % {
                "product": candidate.product_name, "family": candidate.family_name,
            }  # fmt: skip
        return candidate.product_name or candidate.family_name
    if answer is not None:
        return material.catalogue.name_of(answer.product_code) or material.catalogue.family_name(answer.family)
    return ""


def _why(candidate: Candidate | None, japanese: bool) -> str:
    if candidate is None:
        return ""
    parts = []
    if candidate.hypothesis:
        parts.append(gettext("What we think: %(grounds)s") % {"grounds": candidate.hypothesis})
    if candidate.heard:
        parts.append(
            gettext("They told us: “%(words)s” (%(day)s).")
            % {"words": candidate.heard, "day": f"{candidate.heard_on:%Y/%m/%d}" if candidate.heard_on else ""}
        )
    told = candidate.why_ja if japanese else candidate.why_en
    if told:
        parts.append(told)
    elif candidate.comparable_customers and candidate.comparable_buyers:
        parts.append(
            gettext("Of %(n)d comparable customers, %(buyers)d buy this family.")
            % {"n": candidate.comparable_customers, "buyers": candidate.comparable_buyers}
        )
    if candidate.state == "competitor":
        parts.append(gettext("They buy it elsewhere today."))
    return " ".join(parts)
