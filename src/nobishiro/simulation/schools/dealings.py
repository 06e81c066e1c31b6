"""Talks at the desk, trials, usage, deals, questions and pages of みらい学びグループ as canonical tables."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from nobishiro.simulation.calendar import Span, occasions, opening_minutes
from nobishiro.simulation.frames import Float64, Int32, Int64, canonical, codes, days, moments, pick
from nobishiro.simulation.schools.catalogue import PLANS, Range
from nobishiro.simulation.schools.households import Households, school_year
from nobishiro.simulation.schools.purchases import Firms
from nobishiro.simulation.schools.story import FULL
from nobishiro.simulation.streams import Streams

SEATS: Final = (10, 50, 200)
STORAGE: Final = (20.0, 200.0, 1_000.0)
_TOPICS: Final = ("面談", "学習相談", "進路相談", "お迎え時の声かけ", "欠席の連絡")
_LOST: Final = ("価格", "時期の延期", "競合の実績", "社内の優先順位")
_RIVALS: Final = ("ミドリ工房(架空)", "カケハシ研修(架空)")
_HOPES: Final = (
    "中学受験を考えている",
    "高校受験に備えたい",
    "医学部を目指したい",
    "英語を伸ばしたい",
    "プログラミングに興味",
)


def make_touches(
    streams: Streams, homes: Households, firms: Firms, rep: Int64, rep_ids: pl.Series, reps_division: pl.Series,
    ids: pl.Series, contacts: pl.Series, span: Span,
) -> pl.DataFrame:  # fmt: skip
    """Talks with parents three times a year, calls and meetings with companies; the last two years."""
    random = streams.part("touches")
    begin = max(span.first, span.past - 730)
    start = np.maximum(np.concatenate([homes.joined, firms.trial]), begin).astype(np.int32)
    end = np.concatenate([homes.lapsed, np.full(firms.customer.size, span.past, np.int32)])
    rate = np.concatenate([np.full(homes.size, 2.4), np.full(firms.customer.size, 4.0)])
    customer, day = occasions(random, rate, start, end, span, span.weights((1.0,) * 12, span.closed()))
    sequence = np.lexsort((customer, day))
    customer, day = customer[sequence], day[sequence]
    size = customer.size
    firm = customer >= homes.size
    kind = np.where(firm, 1 + (random.random(size) < 0.4), 0)
    subject = pick(_TOPICS, np.where(firm, -1, random.integers(0, len(_TOPICS), size))).fill_null("ご利用状況の確認")
    return canonical(
        "touches",
        size,
        {
            "touch_id": codes("T", np.arange(1, size + 1), 9),
            "customer_id": ids.gather(customer),
            "contact_id": contacts.gather(customer),
            "rep_id": rep_ids.gather(rep[customer]),
            "division_id": reps_division.gather(rep[customer]),
            "kind": pick(("meeting", "call", "visit"), kind.astype(np.int64)),
            "direction": pick(("outbound", "inbound"), (random.random(size) < 0.35).astype(np.int64)),
            "happened_at": moments(day, opening_minutes(random, size, 10, 20)),
            "minutes": np.where(kind == 0, 20.0, np.where(kind == 1, 15.0, 60.0)),
            "subject": subject,
        },
    )


def make_facts(
    streams: Streams, homes: Households, firms: Firms, rep: Int64, rep_ids: pl.Series, ids: pl.Series, span: Span
) -> pl.DataFrame:
    """Aspirations heard at the desk, and what companies spend on learning in all."""
    random = streams.part("facts")
    heard = np.flatnonzero(random.random(homes.size) < 0.3)
    oldest = np.full(homes.size, -3, np.int64)
    np.maximum.at(oldest, homes.parent, school_year(homes.birthday, np.full(homes.parent.size, span.past - 1)))
    fits = np.where(oldest[heard] >= 10, 2, np.where(oldest[heard] >= 7, 1, np.where(oldest[heard] >= 4, 0, 3)))
    hope = np.where(random.random(heard.size) < 0.5, fits, random.integers(3, len(_HOPES), heard.size))
    told = np.flatnonzero(random.random(firms.customer.size) < 0.4)
    amount = np.maximum(np.round(firms.staff[told] * random.uniform(15_000, 60_000, told.size) / 1e5), 1) * 100_000
    who = np.concatenate([heard, firms.customer[told]])
    first = np.arange(who.size) < heard.size
    money = pl.Series(np.concatenate([np.full(heard.size, -1.0), amount]).astype(np.int64))
    value = pl.concat(
        [pick(_HOPES, hope), pl.select(pl.format("年間およそ{}万円", money.slice(heard.size) // 10_000)).to_series()]
    )
    return canonical(
        "facts",
        who.size,
        {
            "customer_id": ids.gather(who),
            "fact": pick(("total_spend", "next_interest"), first.astype(np.int64)),
            "subject": "-",
            "value": value,
            "amount": pl.select(pl.when(money >= 0).then(money)).to_series(),
            "learned_on": days(span.past - 1 - random.integers(0, 400, who.size)),
            "source": "visit",
            "rep_id": rep_ids.gather(rep[who]),
        },
    )


def make_usage(streams: Streams, firms: Firms, range_: Range, ids: pl.Series, span: Span) -> pl.DataFrame:
    """Seats and storage of every month of the last year in which a plan ran or was tried."""
    random = streams.part("usage")
    month = np.datetime64(span.past, "D").astype("datetime64[M]")
    starts = np.array([(month - back).astype("datetime64[D]").astype(np.int64) for back in range(12, -1, -1)])
    end = np.where(firms.converted, firms.ends, firms.trial + 30)
    row, at = np.nonzero((starts[None, :] >= firms.trial[:, None]) & (starts[None, :] < end[:, None]))
    day = starts[at]
    plan = np.where(day >= firms.moved[row], firms.after[row], firms.before[row])
    plan = np.where(firms.converted[row], plan, 1)
    seats, storage = np.asarray(SEATS)[plan], np.asarray(STORAGE)[plan]
    # use rises with the months towards what the staff need
    grown = np.clip((day - firms.trial[row]) / 240.0, 0.15, 1.0)
    used = np.minimum(np.round(firms.staff[row] * 0.8 * grown * random.uniform(0.85, 1.1, row.size)), seats)
    used = np.where((row == FULL) & (day > span.past - 100), seats, used)
    kept = np.round(np.minimum(storage, used * random.uniform(0.4, 2.0, row.size)), 1)
    product = range_.catalogue.codes.gather(range_.catalogue.places(PLANS)[plan])
    customer = ids.gather(firms.customer[row])
    parts = [
        canonical(
            "usage",
            row.size,
            {
                "customer_id": customer,
                "product_id": product,
                "metric": metric,
                "period_start": days(day),
                "used": amount.astype(np.float64),
                "allowed": allowed.astype(np.float64),
            },
        )
        for metric, amount, allowed in (("seats", used, seats), ("storage", kept, storage))
    ]
    return pl.concat(parts)


def make_deals(
    streams: Streams, firms: Firms, range_: Range, rep: Int64, rep_ids: pl.Series, ids: pl.Series, span: Span
) -> pl.DataFrame:
    """Plans and design work: won, open, or lost, mostly on price."""
    random = streams.part("deals")
    size = firms.customer.size
    row, day = occasions(random, np.full(size, 0.7), np.maximum(firms.trial, span.first).astype(np.int32),
                         np.full(size, span.past, np.int32), span, span.weights((1.0,) * 12))  # fmt: skip
    row, day = row[row > FULL], day[row > FULL]
    products = range_.catalogue.places(("CL-T", "CL-P", "DS-W", "DS-P", "DS-M"))
    product = products[random.integers(0, products.size, row.size)]
    took = random.integers(14, 100, row.size)
    running = day + took >= span.past
    outcome = np.where(running, 0, np.where(random.random(row.size) < 0.35, 1, 2))
    reason = np.where(outcome == 2, random.choice(len(_LOST), row.size, p=[0.5, 0.2, 0.2, 0.1]), -1)
    rival = np.where((reason == 0) | (reason == 2), random.integers(0, len(_RIVALS), row.size), -1)
    family = pick(range_.catalogue.families, range_.catalogue.family[product])
    customer = firms.customer[row]
    return canonical(
        "deals",
        row.size,
        {
            "deal_id": codes("N", np.arange(1, row.size + 1), 7),
            "customer_id": ids.gather(customer),
            "name": pl.select(pl.concat_str(pl.lit(family), pl.lit(" のご相談"))).to_series(),
            "product_id": range_.catalogue.codes.gather(product),
            "family": family,
            "rep_id": rep_ids.gather(rep[customer]),
            "division_id": range_.catalogue.division_codes().gather(product),
            "stage": pick(("引合い", "受注", "失注"), outcome),
            "outcome": pick(("open", "won", "lost"), outcome),
            "amount": range_.catalogue.price[product].astype(np.int64),
            "opened_on": days(day),
            "expected_on": days(day + took),
            "closed_on": days(np.where(running, -1, day + took)),
            "lost_reason": pick(_LOST, reason),
            "competitor": pick(_RIVALS, rival),
        },
    )


def make_tickets(
    streams: Streams, loyalty: Float64, joined: Int32, ids: pl.Series, contacts: pl.Series, span: Span
) -> pl.DataFrame:
    """Questions, and complaints of those who are not content."""
    random = streams.part("tickets")
    who = np.flatnonzero(
        (random.random(loyalty.size) < np.where(loyalty < 6.0, 0.12, 0.04)) & (joined < span.past - 120)
    )
    day = span.past - 1 - random.integers(0, 110, who.size)
    kind = np.where(loyalty[who] < 6.0, 1, random.integers(0, 3, who.size))
    done = np.where(day + 4 < span.past, day + 4, -1)
    return canonical(
        "tickets",
        who.size,
        {
            "ticket_id": codes("Q", np.arange(1, who.size + 1), 7),
            "customer_id": ids.gather(who),
            "contact_id": contacts.gather(who),
            "opened_at": moments(day, opening_minutes(random, who.size, 10, 19)),
            "closed_at": moments(done, opening_minutes(random, who.size, 10, 19)),
            "kind": pick(("question", "complaint", "request"), kind),
            "subject": pick(("時間割のお問い合わせ", "説明と違うとのご意見", "領収書のご依頼"), kind),
        },
    )


def make_web_events(streams: Streams, firms: Firms, homes: Households, ids: pl.Series, span: Span) -> pl.DataFrame:
    """Visits of the last half year: most visitors are anonymous until they ask for the brochure."""
    random = streams.part("web_events")
    count = ids.len()
    visits = random.poisson(0.9, count)
    visitor = np.repeat(np.arange(count), visits)
    since = np.concatenate([homes.joined, firms.trial]).astype(np.int64)
    day = np.maximum(span.past - 1 - random.integers(0, 180, visitor.size), np.minimum(since[visitor], span.past - 1))
    kind = random.choice(4, visitor.size, p=[0.72, 0.12, 0.10, 0.06])
    known = kind == 3
    return canonical(
        "web_events",
        visitor.size,
        {
            "event_id": codes("W", np.arange(1, visitor.size + 1), 9),
            "customer_id": pick(ids, np.where(known, visitor, -1)),
            "visitor_id": codes("v", visitor, 7),
            "happened_at": moments(day, random.integers(420, 1430, visitor.size)),
            "kind": pick(("view", "click", "popup", "form"), kind),
            "subject": pick(("コース案内", "料金", "体験のご案内", "資料請求"), kind),
        },
    )
