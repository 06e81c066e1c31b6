"""What reps of のびしろ計器 know and what customers say: facts, opinions, deals, tickets, consents, targets, pages."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from nobishiro.simulation.calendar import Span, occasions, opening_minutes
from nobishiro.simulation.frames import Float64, Int64, Values, canonical, codes, day_number, days, moments, pick
from nobishiro.simulation.maker.catalogue import Range
from nobishiro.simulation.maker.dealings import Contacts, Staff, Touches
from nobishiro.simulation.maker.population import BUSY_REP, NONE, Population
from nobishiro.simulation.maker.purchases import Planted
from nobishiro.simulation.maker.words import (
    COMPETITORS,
    FACTS,
    LOST_REASONS,
    NPS_REASONS,
    PAGES,
    TICKETS,
)
from nobishiro.simulation.streams import Streams


def make_facts(
    streams: Streams, people: Population, planted: Planted, range_: Range, staff: Staff,
    customers: pl.Series, span: Span,
) -> pl.DataFrame:  # fmt: skip
    """What reps know: some know nearly everything about their customers, some hardly anything."""
    random = streams.part("facts")
    diligence = random.beta(3.2, 1.6, people.reps)
    diligence[BUSY_REP] = 0.95
    heard = np.clip(diligence[people.rep], 0.05, 0.97) * np.where(people.segment == NONE, 0.25, 1.0)
    heard[planted.lucky.customer] = 0.0
    heard[~people.drawn] = 0.0
    parts: list[pl.DataFrame] = []

    def tell(fact: str, who: Int64, subject: pl.Series | str, value: pl.Series, amount: Int64 | None) -> None:
        learned = span.past - 1 - (random.exponential(260.0, who.size).astype(np.int64) % 900)
        parts.append(
            canonical(
                "facts",
                who.size,
                {
                    "customer_id": customers.gather(who),
                    "fact": fact,
                    "subject": subject,
                    "value": value,
                    "amount": amount,
                    "learned_on": days(np.maximum(learned, span.first)),
                    "source": pick(("visit", "call", "survey"), random.choice(3, who.size, p=[0.75, 0.15, 0.1])),
                    "rep_id": staff.rep_ids.gather(people.rep[who]),
                },
            )
        )

    for fact, values in FACTS.items():
        who = np.flatnonzero(random.random(people.size) < heard * 0.85)
        tell(fact, who, "-", pick(values, random.integers(0, len(values), who.size)), None)
    # the most useful question is asked first
    who = np.flatnonzero(
        random.random(people.size)
        < np.where(heard > 0, np.where(people.segment == NONE, 0.1, 0.35) + 0.65 * heard, 0.0)
    )
    amount = _rounded(people.total[who] * np.exp(random.normal(0.0, 0.05, who.size)))
    said = pl.select(pl.format("年間およそ{}万円", pl.lit(pl.Series(amount // 10_000)))).to_series()
    tell("total_spend", who, "-", said, amount)
    for fact, chance in (("competitor_buys", 0.5), ("not_applicable", 0.35)):
        open_ = (people.opened >= span.past) & (
            (people.wallet > 0) if fact == "competitor_buys" else (people.wallet == 0.0)
        )
        open_[:, range_.catalogue.families.index("ついで品")] = False
        who = np.flatnonzero(open_.any(axis=1) & (random.random(people.size) < heard * chance))
        luck = np.where(open_[who], random.random((who.size, open_.shape[1])), -1.0)
        family = luck.argmax(axis=1)
        value = COMPETITORS if fact == "competitor_buys" else ("使う工程がない",)
        tell(
            fact,
            who,
            pick(range_.catalogue.families, family),
            pick(value, random.integers(0, len(value), who.size)),
            None,
        )
    return pl.concat(parts)


def _rounded(amount: Float64) -> Int64:
    """Two leading digits: how people say what they spend in a year."""
    step = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(amount, 1.0))) - 1, 4)
    rounded: Int64 = (np.maximum(np.round(amount / step), 1) * step).astype(np.int64)
    return rounded


def make_opinions(
    streams: Streams, people: Population, contacts: Contacts, customers: pl.Series, span: Span
) -> pl.DataFrame:
    """NPS with a reason, asked once a year; about half answer, customers without orders are not asked."""
    random = streams.part("opinions")
    asked = np.flatnonzero((people.segment[contacts.customer] != NONE) & people.drawn[contacts.customer])
    parts = []
    for number, back in enumerate((400, 45)):
        who = asked[random.random(asked.size) < 0.42]
        who = who[people.lapsed[contacts.customer[who]] > span.past - back]
        day = span.past - back + random.integers(0, 20, who.size)
        score = np.clip(np.round(people.loyalty[contacts.customer[who]] + random.normal(0.0, 0.8, who.size)), 0, 10)
        reason = np.where(score >= NPS_REASONS[0][0], 0, np.where(score >= NPS_REASONS[1][0], 1, 2))
        for question in ("nps", "理由"):
            minute = opening_minutes(random, who.size, 9, 18)
            parts.append((who, day, score, reason, minute, question, f"お客様アンケート {number + 1}回目"))
    frames = []
    begin = 1
    for who, day, score, reason, minute, question, survey in parts:
        is_score = question == "nps"
        frames.append(
            canonical(
                "survey_answers",
                who.size,
                {
                    "answer_id": codes("A", np.arange(begin, begin + who.size), 8),
                    "customer_id": customers.gather(contacts.customer[who]),
                    "contact_id": contacts.table["contact_id"].gather(who),
                    "survey": survey,
                    "question": question,
                    "answer": pl.Series(score.astype(np.int64)).cast(pl.String)
                    if is_score
                    else pick([text for _, text in NPS_REASONS], reason),
                    "score": score if is_score else None,
                    "answered_at": moments(day, minute),
                },
            )
        )
        begin += who.size
    return pl.concat(frames)


def make_tags(
    streams: Streams, people: Population, touches: Touches, staff: Staff, customers: pl.Series, span: Span
) -> pl.DataFrame:
    """Relation ◎○△ as the rep sees it: closer where they meet often and where the customer is content."""
    random = streams.part("tags")
    met = np.bincount(touches.customer[touches.day >= span.past - 365], minlength=people.size)
    warmth = 0.12 * met + 0.35 * (people.loyalty - 7.0) + random.normal(0.0, 0.6, people.size)
    who = np.flatnonzero(people.drawn & (random.random(people.size) < 0.75))
    value = np.where(warmth[who] > 1.3, 0, np.where(warmth[who] > 0.2, 1, 2))
    return canonical(
        "tags",
        who.size,
        {
            "customer_id": customers.gather(who),
            "tag": "relation",
            "value": pick(("◎", "○", "△"), value),
            "set_by": staff.rep_ids.gather(people.rep[who]),
            "set_on": days(span.past - 1 - random.integers(0, 300, who.size)),
        },
    )


def make_tickets(
    streams: Streams, people: Population, contacts: Contacts, range_: Range, customers: pl.Series, span: Span
) -> pl.DataFrame:
    """Questions from everybody, complaints from those who are not content."""
    random = streams.part("tickets")
    rate = np.where(people.loyalty < 6.0, 0.9, 0.25) * (people.segment != NONE) * people.drawn
    row, day = occasions(random, rate, np.maximum(people.joined, span.past - 540).astype(np.int32), people.lapsed, span,
                         span.weights((1.0,) * 12, span.closed()))  # fmt: skip
    unhappy = (people.loyalty[row] < 6.0) & (random.random(row.size) < 0.6)
    kind = np.where(unhappy, 1 + random.integers(0, 2, row.size), np.array([0, 3, 4])[random.integers(0, 3, row.size)])
    took = random.geometric(0.3, row.size)
    closed = np.where(day + took < span.past, day + took, -1)
    products = range_.catalogue.codes
    return canonical(
        "tickets",
        row.size,
        {
            "ticket_id": codes("Q", np.arange(1, row.size + 1), 7),
            "customer_id": customers.gather(row),
            "contact_id": contacts.table["contact_id"].gather(contacts.first[row]),
            "opened_at": moments(day, opening_minutes(random, row.size, 9, 17)),
            "closed_at": moments(closed, opening_minutes(random, row.size, 9, 17)),
            "kind": pick([name for name, _ in TICKETS], kind),
            "product_id": products.gather(random.integers(0, 60, row.size)),
            "subject": pick([text for _, text in TICKETS], kind),
        },
    )


def make_consents(streams: Streams, people: Population, contacts: Contacts, span: Span) -> pl.DataFrame:
    """Mail to most by business card or sign-up; one in fifteen refused later."""
    random = streams.part("consents")
    who = np.flatnonzero(random.random(contacts.customer.size) < 0.8)
    granted = span.past - 1 - random.integers(60, 900, who.size)
    refused = np.flatnonzero(random.random(who.size) < 0.07)
    basis = random.choice(2, who.size, p=[0.65, 0.35])
    table = contacts.table
    both = np.concatenate([who, who[refused]])
    is_refused = np.arange(both.size) >= who.size
    changed = np.concatenate([granted, granted[refused] + random.integers(10, 50, refused.size)])
    reason = np.concatenate([basis, basis[refused]])
    return canonical(
        "consents",
        both.size,
        {
            "address": table["email"].gather(both),
            "channel": "mail",
            "customer_id": table["customer_id"].gather(both),
            "contact_id": table["contact_id"].gather(both),
            "state": pick(("granted", "refused"), is_refused.astype(np.int64)),
            "basis": pick(("business_card", "opt_in"), reason),
            "changed_at": moments(changed, np.full(both.size, 600)),
            "wording": pick(("名刺交換", "製品情報のメールを受け取る"), reason),
            "source": pick(("名刺", "ウェブフォーム"), reason),
        },
    )


def make_deals(
    streams: Streams, people: Population, range_: Range, staff: Staff, customers: pl.Series, span: Span
) -> pl.DataFrame:
    """Opportunities for the dear products: won, open at quotation, or lost with reason and competitor."""
    random = streams.part("deals")
    catalogue = range_.catalogue
    dear = np.flatnonzero(catalogue.price >= 80_000)
    rate = np.array([0.9, 0.5, 0.35, 0.1, 0.6])[people.segment] * people.drawn
    start = np.full(people.size, max(span.first, span.past - 730), np.int32)
    row, day = occasions(random, rate, start, np.full(people.size, span.past, np.int32), span,
                         span.weights((1.0,) * 12, span.closed()))  # fmt: skip
    product = dear[random.integers(0, dear.size, row.size)]
    took = random.integers(20, 140, row.size)
    open_ = day + took >= span.past
    won = ~open_ & (random.random(row.size) < 0.42) & (people.segment[row] != NONE)
    outcome = np.where(open_, 0, np.where(won, 1, 2))
    lost = outcome == 2
    units = 1 + random.poisson(0.6, row.size)
    stage = np.where(open_, random.integers(0, 3, row.size), np.where(won, 3, 4))
    reason = np.where(lost, random.choice(len(LOST_REASONS), row.size, p=[0.38, 0.22, 0.2, 0.1, 0.1]), -1)
    rival = np.where(lost & (reason <= 1), random.integers(0, len(COMPETITORS), row.size), -1)
    family = pick(catalogue.families, catalogue.family[product])
    return canonical(
        "deals",
        row.size,
        {
            "deal_id": codes("N", np.arange(1, row.size + 1), 7),
            "customer_id": customers.gather(row),
            "name": pl.select(pl.concat_str(pl.lit(family), pl.lit(" 導入案件"))).to_series(),
            "product_id": catalogue.codes.gather(product),
            "family": family,
            "rep_id": staff.rep_ids.gather(people.rep[row]),
            "division_id": catalogue.division_codes().gather(product),
            "stage": pick(("引合い", "提案中", "見積提出", "受注", "失注"), stage),
            "outcome": pick(("open", "won", "lost"), outcome),
            "amount": (catalogue.price[product] * units).astype(np.int64),
            "opened_on": days(day),
            "expected_on": days(day + took),
            "closed_on": days(np.where(open_, -1, day + took)),
            "lost_reason": pick(LOST_REASONS, reason),
            "competitor": pick(COMPETITORS, rival),
        },
    )


def make_targets(lines: pl.DataFrame, staff: Staff, as_of: date) -> pl.DataFrame:
    """The fiscal year's targets (April to March): last year's sales and ten percent; company, divisions, reps."""
    start = date(as_of.year - (as_of.month < 4), 4, 1)
    end = date(start.year + 1, 3, 31)
    day = pl.col("ordered_at").cast(pl.Date)
    year = lines.filter(day >= date(start.year - 1, 4, 1), day < start)
    wanted = (pl.col("amount").cast(pl.Float64).sum() * 1.1 / 100_000).round().clip(lower_bound=1) * 100_000
    parts = [
        year.select(pl.lit("company").alias("scope"), pl.lit("all").alias("scope_id"), wanted.alias("amount")),
        year.group_by("division_id").agg(wanted.alias("amount")).sort("division_id")
        .select(pl.lit("division").alias("scope"), pl.col("division_id").alias("scope_id"), "amount"),
        year.drop_nulls("rep_id").group_by("rep_id").agg(wanted.alias("amount")).sort("rep_id")
        .select(pl.lit("rep").alias("scope"), pl.col("rep_id").alias("scope_id"), "amount"),
    ]  # fmt: skip
    rows = pl.concat(parts)
    sales: dict[str, Values] = {
        "scope": rows["scope"],
        "scope_id": rows["scope_id"],
        "period_start": days(np.full(rows.height, day_number(start))),
        "period_end": days(np.full(rows.height, day_number(end))),
        "measure": "sales",
        "amount": rows["amount"],
    }
    return canonical("targets", rows.height, sales)


def make_web_events(
    streams: Streams, people: Population, range_: Range, customers: pl.Series, span: Span
) -> pl.DataFrame:
    """Pages and downloads of the last half year; two thirds of the visitors are known."""
    random = streams.part("web")
    rate = np.array([6.0, 5.0, 3.0, 1.0, 2.5])[people.segment] * people.drawn
    row, day = occasions(random, rate, np.full(people.size, span.past - 183, np.int32),
                         np.full(people.size, span.past, np.int32), span, span.weights((1.0,) * 12))  # fmt: skip
    known = random.random(people.size) < 0.66
    kind = random.choice(len(PAGES), row.size, p=[0.7, 0.15, 0.1, 0.05])
    product = random.integers(0, len(range_.catalogue.articles), row.size)
    who = pl.DataFrame({"c": customers.gather(row), "k": known[row]}).select(pl.when("k").then("c")).to_series()
    return canonical(
        "web_events",
        row.size,
        {
            "event_id": codes("W", np.arange(1, row.size + 1), 9),
            "customer_id": who,
            "visitor_id": codes("v", row, 7),
            "happened_at": moments(day, opening_minutes(random, row.size, 7, 23)),
            "kind": pick([name for name, _ in PAGES], kind),
            "subject": pick([text for _, text in PAGES], kind),
            "product_id": range_.catalogue.codes.gather(product),
        },
    )
