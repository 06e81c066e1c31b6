"""The one time line of a customer: orders, contacts, proposals, deals, answers, inquiries, facts and what people set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy

from nobishiro.web.core.templatetags.nobishiro import is_japanese
from nobishiro.web.customers.facts import WHOLE, name_of
from nobishiro.web.customers.models import Fact, Outcome, Override, Tag, Touch
from nobishiro.web.customers.words import (
    CHANNELS,
    MEASURES,
    OUTCOMES_OF_DEALS,
    RESULTS,
    SOURCES,
    TAGS,
    TICKET_KINDS,
    TOUCH_KINDS,
    Words,
    word,
)
from nobishiro.web.people.models import Rep

if TYPE_CHECKING:
    from nobishiro.pipelines.customer_rows import Catalogue, HappenedRows

PAGE: Final = 20
KINDS: Final[Words] = {
    "order": pgettext_lazy("time line", "Orders"),
    "touch": pgettext_lazy("time line", "Contacts"),
    "proposal": pgettext_lazy("time line", "Proposals"),
    "deal": pgettext_lazy("time line", "Deals"),
    "answer": pgettext_lazy("time line", "Surveys"),
    "ticket": pgettext_lazy("time line", "Inquiries"),
    "fact": pgettext_lazy("time line", "What we learned"),
    "word": pgettext_lazy("time line", "Set by hand"),
}
_TABLES: Final = {
    "order": "order_lines", "touch": "touches", "proposal": "proposals", "deal": "deals", "answer": "survey_answers",
    "ticket": "tickets",
}  # fmt: skip
_NAMED: Final = 3
"""Products of an order named in its heading."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order."""

    product: str
    quantity: float | None
    amount: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    kind: str
    at: datetime
    has_time: bool
    title: str
    detail: str = ""
    amount: float | None = None
    who: str = ""
    lines: tuple[Line, ...] = ()
    is_imported: bool = True
    touch: Touch | None = None
    outcome: Outcome | None = None

    @property
    def kind_name(self) -> str:
        """What kind of thing."""
        return word(KINDS, self.kind)


@dataclass(frozen=True, slots=True)
class _Stub:
    """Something of which only the moment is known: what is not on the page is never written out."""

    kind: str
    at: datetime
    make: Callable[[], Entry]


@dataclass(frozen=True, slots=True)
class EnteredWords:
    """What people entered here about the customer, not withdrawn."""

    touches: Sequence[Touch] = ()
    outcomes: Sequence[Outcome] = ()
    facts: Sequence[Fact] = ()
    overrides: Sequence[Override] = ()
    tags: Sequence[Tag] = ()
    undone: frozenset[str] = frozenset()
    """Codes of touches and outcomes taken back."""


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some entries, newest first."""

    entries: list[Entry]
    kind: str
    number: int
    total: int

    @property
    def next_number(self) -> int | None:
        """The page after this one."""
        return self.number + 1 if self.number * PAGE < self.total else None


def tables_for(kind: str) -> tuple[str, ...]:
    """Tables of the store to be read for the time line of that kind; all without one."""
    if not kind:
        return tuple(_TABLES.values())
    return (_TABLES[kind],) if kind in _TABLES else ()


def build_timeline(
    happened: HappenedRows,
    entered: EnteredWords,
    catalogue: Catalogue,
    *,
    sees_private: bool,
    kind: str = "",
    page: int = 1,
) -> TimelinePage:
    """One page of the time line, newest first. Private notes are left out unless the person may see them."""
    stubs = [stub for stub in _stubs(happened, entered, catalogue, sees_private) if not kind or stub.kind == kind]
    stubs.sort(key=lambda stub: stub.at, reverse=True)
    entries = [stub.make() for stub in stubs[(page - 1) * PAGE : page * PAGE]]
    return TimelinePage(_with_names(entries), kind, page, len(stubs))


def _stubs(happened: HappenedRows, entered: EnteredWords, catalogue: Catalogue, sees_private: bool) -> Iterator[_Stub]:
    yield from _orders(happened.order_lines, catalogue)
    here = {touch.code for touch in entered.touches} | entered.undone
    for row in happened.touches.iter_rows(named=True):
        if row["touch_id"] not in here:
            yield _Stub("touch", _aware(row["happened_at"]), partial(_stored_touch, row, sees_private))
    spoken = {outcome.touch_id: outcome for outcome in entered.outcomes if outcome.touch_id}
    for touch in entered.touches:
        outcome = spoken.get(touch.pk)
        yield _Stub("touch", touch.happened_at, partial(_entered_touch, touch, outcome, catalogue, sees_private))
    codes = {outcome.code for outcome in entered.outcomes} | entered.undone
    said = codes | {f"web-{code}" for code in codes}
    for row in happened.proposals.iter_rows(named=True):
        if row["proposal_id"] not in said:
            yield _Stub("proposal", _aware(row["proposed_at"]), partial(_proposal, row, catalogue))
    for outcome in entered.outcomes:
        if outcome.touch_id is None:  # one with a touch is told there
            yield _Stub("proposal", outcome.happened_at, partial(_outcome, outcome, catalogue))
    for row in happened.deals.iter_rows(named=True):
        day = row["closed_on"] or row["opened_on"] or row["expected_on"]
        if day is not None:
            yield _Stub("deal", _aware(datetime.combine(day, time())), partial(_deal, row, catalogue))
    for row in happened.survey_answers.iter_rows(named=True):
        yield _Stub("answer", _aware(row["answered_at"]), partial(_answer, row))
    for row in happened.tickets.iter_rows(named=True):
        yield _Stub("ticket", _aware(row["opened_at"]), partial(_ticket, row, catalogue, sees_private))
    for fact in entered.facts:
        yield _Stub("fact", _aware(datetime.combine(fact.learned_on, time())), partial(_fact, fact, catalogue))
    for override in entered.overrides:
        yield _Stub("word", override.set_at, partial(_override, override))
    for tag in entered.tags:
        yield _Stub("word", tag.set_at, partial(_tag, tag))


def _orders(lines: pl.DataFrame, catalogue: Catalogue) -> Iterator[_Stub]:
    if lines.is_empty():
        return
    heads = lines.group_by("order_id").agg(pl.col("ordered_at").min())
    for order, at in heads.iter_rows():
        yield _Stub("order", _aware(at), partial(_order, order, at, lines, catalogue))


def _order(order: str, at: datetime, rows: pl.DataFrame, catalogue: Catalogue) -> Entry:
    rows = rows.filter(pl.col("order_id") == order)
    lines = sorted(
        (
            Line(catalogue.name_of(product), _number(quantity), _number(amount))
            for product, quantity, amount in rows.select("product_id", "quantity", "amount").iter_rows()
        ),
        key=lambda line: -(line.amount or 0.0),
    )
    names = list(dict.fromkeys(line.product for line in lines))
    title = gettext(", ").join(names[:_NAMED])
    more = len(names) - _NAMED
    if more > 0:
        title += " " + ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more}
    amounts = [line.amount for line in lines if line.amount is not None]
    channel = next((code for code in rows["channel"] if code), "")
    parts = [gettext("Order %(number)s") % {"number": order}, word(CHANNELS, channel)]
    return Entry(
        "order", _aware(at), at.time() != time(), title, _joined(parts), sum(amounts) if amounts else None,
        lines=tuple(lines),
    )  # fmt: skip


def _stored_touch(row: Mapping[str, Any], sees_private: bool) -> Entry:
    title = word(TOUCH_KINDS, row["kind"])
    if row["direction"] == "inbound":
        title = gettext("%(kind)s from them") % {"kind": title}
    # of one entered here whose private mark is no longer at hand, the store must not tell the note
    hides = row["touch_id"].startswith("web-") and not sees_private
    at = row["happened_at"]
    return Entry(
        "touch", _aware(at), at.time() != time(), f"{title}: {row['subject']}" if row["subject"] else title,
        _joined(["" if hides else row["note"], _minutes(row["minutes"])]), who=row["rep_id"] or "",
    )  # fmt: skip


def _entered_touch(touch: Touch, outcome: Outcome | None, catalogue: Catalogue, sees_private: bool) -> Entry:
    title = word(TOUCH_KINDS, touch.kind)
    if outcome is not None:
        title += f": {_outcome_title(outcome, catalogue)}"
    elif touch.subject:
        title += f": {touch.subject}"
    note = touch.note if sees_private or not touch.is_private else gettext("(private note)")
    parts = [outcome.reason if outcome else "", note, _minutes(touch.minutes)]
    return Entry(
        "touch", touch.happened_at, True, title, _joined(parts), _number(outcome.amount) if outcome else None,
        str(touch.rep or ""), is_imported=False, touch=None if outcome else touch, outcome=outcome,
    )  # fmt: skip


def _proposal(row: Mapping[str, Any], catalogue: Catalogue) -> Entry:
    about = catalogue.name_of(row["product_id"]) or catalogue.family_name(row["family"])
    at = row["proposed_at"]
    return Entry(
        "proposal", _aware(at), at.time() != time(), f"{about}: {word(RESULTS, row['result'])}", row["reason"] or "",
        _number(row["amount"]), row["rep_id"] or "",
    )  # fmt: skip


def _outcome(outcome: Outcome, catalogue: Catalogue) -> Entry:
    return Entry(
        "proposal", outcome.happened_at, True, _outcome_title(outcome, catalogue), outcome.reason,
        _number(outcome.amount), str(outcome.rep or ""), is_imported=False, outcome=outcome,
    )  # fmt: skip


def _deal(row: Mapping[str, Any], catalogue: Catalogue) -> Entry:
    about = row["name"] or catalogue.name_of(row["product_id"]) or catalogue.family_name(row["family"])
    is_open = row["outcome"] in (None, "open")
    parts = [row["stage"], row["lost_reason"]]
    if row["competitor"]:
        parts.append(gettext("against %(name)s") % {"name": row["competitor"]})
    if row["expected_on"] and is_open:
        parts.append(gettext("expected %(day)s") % {"day": f"{row['expected_on']:%Y/%m/%d}"})
    day = row["closed_on"] or row["opened_on"] or row["expected_on"]
    return Entry(
        "deal", _aware(datetime.combine(day, time())), False,
        f"{about}: {word(OUTCOMES_OF_DEALS, row['outcome'] or 'open')}", _joined(parts), _number(row["amount"]),
        row["rep_id"] or "",
    )  # fmt: skip


def _answer(row: Mapping[str, Any]) -> Entry:
    said = row["answer"] or ("" if row["score"] is None else f"{row['score']:g}")
    title = f"NPS {said}" if row["question"].lower() == "nps" else f"{row['question']}: {said}"
    at = row["answered_at"]
    return Entry("answer", _aware(at), at.time() != time(), title, row["survey"])


def _ticket(row: Mapping[str, Any], catalogue: Catalogue, sees_private: bool) -> Entry:
    state = gettext("settled") if row["closed_at"] else gettext("not settled")
    about = row["subject"] or catalogue.name_of(row["product_id"])
    at = row["opened_at"]
    return Entry(
        "ticket", _aware(at), at.time() != time(), f"{word(TICKET_KINDS, row['kind'] or 'other')}: {about}",
        _joined([state, row["note"] if sees_private else ""]),
    )  # fmt: skip


def _fact(fact: Fact, catalogue: Catalogue) -> Entry:
    title = name_of(fact.fact)[0 if is_japanese() else 1]
    if fact.subject != WHOLE:
        title = gettext("%(what)s (%(about)s)") % {"what": title, "about": catalogue.family_name(fact.subject)}
    return Entry(
        "fact", _aware(datetime.combine(fact.learned_on, time())), False, f"{title}: {fact.value}" if fact.value else title,
        word(SOURCES, fact.source), _number(fact.amount), str(fact.rep or fact.set_by_name),
        is_imported=bool(fact.import_id),
    )  # fmt: skip


def _override(override: Override) -> Entry:
    return Entry(
        "word", override.set_at, not override.import_id, f"{word(MEASURES, override.measure)}: {override.value}", override.reason,
        who=override.set_by_name, is_imported=bool(override.import_id),
    )  # fmt: skip


def _tag(tag: Tag) -> Entry:
    return Entry(
        "word", tag.set_at, not tag.import_id, f"{word(TAGS, tag.tag)}: {tag.value}", tag.reason,
        who=str(tag.rep or tag.set_by_name), is_imported=bool(tag.import_id),
    )  # fmt: skip


def _with_names(entries: list[Entry]) -> list[Entry]:
    """Reps by name; rows of the store know their codes."""
    codes = {entry.who for entry in entries if entry.is_imported and entry.who}
    if not codes:
        return entries
    names = dict(Rep.objects.filter(code__in=codes).values_list("code", "name"))
    return [replace(entry, who=names.get(entry.who, entry.who)) if entry.is_imported else entry for entry in entries]


def _outcome_title(outcome: Outcome, catalogue: Catalogue) -> str:
    about = catalogue.name_of(outcome.product_code) or catalogue.family_name(outcome.family)
    said = word(RESULTS, outcome.result)
    return f"{about}: {said}" if about else said


def _minutes(minutes: float | None) -> str:
    return ngettext("%(n)d minute", "%(n)d minutes", round(minutes)) % {"n": round(minutes)} if minutes else ""


def _joined(parts: Sequence[str | None]) -> str:
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _aware(moment: datetime) -> datetime:
    """A moment of the store, which is on the company's clock without saying so."""
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
