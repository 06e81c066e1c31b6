"""How のびしろ計器 and its customers deal with one another: owners, visits, facts, deals, tickets, consents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from nobishiro.simulation.calendar import Span, occasions, opening_minutes
from nobishiro.simulation.frames import Float64, Int32, Int64, canonical, codes, days, moments, pick
from nobishiro.simulation.maker.catalogue import GAUGING, SENSORS, SERVICE, VISION, Range
from nobishiro.simulation.maker.population import BUSY_REP, NONE, B, Population
from nobishiro.simulation.maker.purchases import Planted
from nobishiro.simulation.maker.words import (
    DEPARTMENTS,
    NOTES,
    SUBJECTS,
    TITLES,
)
from nobishiro.simulation.names import people_names
from nobishiro.simulation.streams import Streams

_VISITS: Final = (13.0, 3.2, 6.0, 3.6, 1.4)
_CALLS: Final = (6.0, 1.2, 4.0, 2.0, 1.0)
_BEHIND: Final = (3.0, 0.5, 1.2, 0.5, 0.0)
"""Visits a year of each division behind the window."""
_BUSY_SHARE: Final = 0.68
"""A little more than the 62 % a map shows: some of those whose spend nobody told stand elsewhere on it."""
_SPECIALISTS: Final = ((VISION, 0.4, "specialist"), (GAUGING, 0.3, "specialist"), (SERVICE, 0.3, "service"))
"""The other divisions, their part of the reps behind the window, and the role they have at a customer."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Our people and who looks after whom."""

    reps: pl.DataFrame
    rep_ids: pl.Series
    assignments: pl.DataFrame
    specialist: Int64
    """(N, 3) position of the rep of each division behind the window, −1 where none looks after the customer."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """People at the customers: (K,) customer of each, the first contact of each customer, and the table."""

    table: pl.DataFrame
    customer: Int64
    first: Int64
    count: Int64


def make_staff(streams: Streams, people: Population, range_: Range, customers: pl.Series, span: Span) -> Staff:
    """Reps by division; a customer has the window's rep and one of each division it buys from."""
    random = streams.part("staff")
    named = people_names(random, people.reps)
    division = [SENSORS] * people.window_reps
    behind = people.reps - people.window_reps
    for name, part, _ in _SPECIALISTS:
        division += [name] * max(round(behind * part), 1)
    division = (division + [SERVICE] * people.reps)[: people.reps]
    rep_ids = codes("R", np.arange(1, people.reps + 1), 4)
    reps = canonical(
        "reps",
        people.reps,
        {
            "rep_id": rep_ids,
            "name": named.select(pl.concat_str("family_name", pl.lit(" "), "given_name")).to_series(),
            "division_id": division,
            "email": named.select(
                pl.format("rep{}@nobishiro-keiki.example", pl.int_range(1, pl.len() + 1))
            ).to_series(),
            "hours_per_month": np.where(np.array(division) == SENSORS, 90.0, 80.0),
            "valid_from": days(np.full(people.reps, span.first)),
        },
    )
    family_division = np.array(
        [next(a.division for a in range_.catalogue.articles if a.family == f) for f in range_.catalogue.families]
    )
    specialist = np.full((people.size, len(_SPECIALISTS)), -1, np.int64)
    parts = [(np.arange(people.size), SENSORS, people.rep, "main")]
    for at, (name, _, role) in enumerate(_SPECIALISTS):
        pool = np.flatnonzero(np.array(division) == name)
        who = np.flatnonzero((people.opened[:, family_division == name] < span.past).any(axis=1))
        specialist[who, at] = pool[random.integers(0, pool.size, who.size)]
        parts.append((who, name, specialist[who, at], role))
    sizes = [who.size for who, *_ in parts]
    held = np.concatenate([who for who, *_ in parts])
    assignments = canonical(
        "assignments",
        held.size,
        {
            "customer_id": customers.gather(held),
            "division_id": pick([p[1] for p in parts], np.repeat(np.arange(len(parts)), sizes)),
            "rep_id": rep_ids.gather(np.concatenate([p[2] for p in parts])),
            "role": pick([p[3] for p in parts], np.repeat(np.arange(len(parts)), sizes)),
            "valid_from": days(np.minimum(people.joined[held], span.past - 30)),
        },
    )
    return Staff(reps, rep_ids, assignments, specialist)


def make_contacts(streams: Streams, people: Population, customers: pl.Series) -> Contacts:
    """One to four people at each customer; where there are several, one or two are key persons."""
    random = streams.part("contacts")
    count = np.minimum(1 + random.poisson(np.array([1.6, 0.9, 0.9, 0.3, 0.2])[people.segment]), 4)
    customer = np.repeat(np.arange(people.size), count)
    first = np.cumsum(count) - count
    size = customer.size
    named = people_names(random, size)
    title = np.minimum(random.integers(0, len(TITLES), size) + (np.arange(size) == first[customer]), len(TITLES) - 1)
    table = canonical(
        "contacts",
        size,
        {
            "contact_id": codes("P", np.arange(1, size + 1), 7),
            "customer_id": customers.gather(customer),
            "family_name": named["family_name"],
            "given_name": named["given_name"],
            "name_kana": named["name_kana"],
            "department": pick(DEPARTMENTS, random.integers(0, len(DEPARTMENTS), size)),
            "title": pick(TITLES, title),
            "email": pl.select(
                pl.format(
                    "p{}@{}.example",
                    pl.int_range(1, size + 1),
                    customers.gather(customer).str.to_lowercase(),
                )
            ).to_series(),
            "phone": pl.select(
                pl.format("0{}0-0000-{}", pl.lit(pl.Series(customer % 8 + 1)), pl.int_range(size) % 9000 + 1000)
            ).to_series(),
            "is_decision_maker": (title >= 3) & (random.random(size) < 0.7),
        },
    )
    return Contacts(table, customer, first, count)


@dataclass(frozen=True, slots=True)
class Touches:
    """Touches and what later steps need of them."""

    table: pl.DataFrame
    customer: Int64
    day: Int32


def make_touches(
    streams: Streams, people: Population, planted: Planted, staff: Staff, contacts: Contacts,
    record: Float64, customers: pl.Series, span: Span,
) -> Touches:  # fmt: skip
    """Visits and calls of the last two years; B is long unseen, and one rep spends 62 % of the hours in C.

    `record` is what each customer bought in the last 365 days.
    """
    random = streams.part("touches")
    begin = max(span.first, span.past - 730)
    weight = span.weights((1.0,) * 12, span.closed())
    start = np.full(people.size, begin, np.int32)
    start = np.where(people.segment == NONE, begin, np.maximum(start, people.joined)).astype(np.int32)
    unseen = np.full(people.size, span.past, np.int64)
    long_unseen = (people.segment == B) & (random.random(people.size) < 0.78)
    unseen[long_unseen] -= random.integers(32, 190, int(long_unseen.sum()))
    unseen[planted.lucky.customer] = begin
    unseen[~people.drawn] = begin
    past = np.minimum(unseen, np.maximum(people.lapsed.astype(np.int64) + 90, begin)).astype(np.int32)
    past = np.minimum(past, span.past).astype(np.int32)
    eager = random.uniform(0.8, 1.2, people.reps)
    kinds = [("visit", _VISITS, people.rep, 75.0), ("call", _CALLS, people.rep, 12.0)]
    kinds += [("visit", _BEHIND, staff.specialist[:, at], 80.0) for at in range(staff.specialist.shape[1])]
    parts: list[tuple[Int64, Int32, Int64, Float64, int]] = []
    for number, (_, rates, rep, minutes) in enumerate(kinds):
        yearly = np.asarray(rates)[people.segment] * np.where(rep >= 0, eager[np.maximum(rep, 0)], 0.0)
        row, day = occasions(random, yearly, start, past, span, weight)
        length = np.maximum(np.round(minutes * np.exp(random.normal(0.0, 0.3, row.size)) / 5) * 5, 5.0)
        parts.append((row, day, rep[row], length, number))
    customer = np.concatenate([p[0] for p in parts])
    day = np.concatenate([p[1] for p in parts])
    rep = np.concatenate([p[2] for p in parts])
    minutes_spent = np.concatenate([p[3] for p in parts])
    kind = np.repeat([p[4] for p in parts], [p[0].size for p in parts])
    minutes_spent = _lean_towards_c(people, record, customer, day, rep, minutes_spent, span)
    sequence = np.lexsort((customer, day))
    customer, day, rep = customer[sequence], day[sequence], rep[sequence]
    minutes_spent, kind = minutes_spent[sequence], kind[sequence]
    size = customer.size
    met = contacts.first[customer] + (random.random(size) * contacts.count[customer]).astype(np.int64)
    division = staff.reps["division_id"]
    note = random.integers(0, len(NOTES), size)
    note[random.random(size) < 0.45] = -1
    table = canonical(
        "touches",
        size,
        {
            "touch_id": codes("T", np.arange(1, size + 1), 9),
            "customer_id": customers.gather(customer),
            "contact_id": contacts.table["contact_id"].gather(met),
            "rep_id": staff.rep_ids.gather(rep),
            "division_id": division.gather(rep),
            "kind": pick([name for name, *_ in kinds], kind),
            "direction": pick(("outbound", "inbound"), ((kind == 1) & (random.random(size) < 0.4)).astype(np.int64)),
            "happened_at": moments(day, opening_minutes(random, size, 9, 17)),
            "minutes": minutes_spent,
            "subject": pick(SUBJECTS, random.integers(0, len(SUBJECTS), size)),
            "note": pick(NOTES, note),
        },
    )
    return Touches(table, customer, day)


def _lean_towards_c(
    people: Population, record: Float64, customer: Int64, day: Int32, rep: Int64, minutes: Float64, span: Span
) -> Float64:
    """Minutes with one rep's visits to C stretched or shortened until they are `_BUSY_SHARE` of the last year.

    C is here who buys more than the mean of those who buy and has less left than the mean of what is left: about what
    a map of this company shows.
    """
    room = np.maximum(people.total - record, 0.0)
    has_record = record >= record[record > 0].mean()
    is_c = has_record & (room < room[room > 0].mean())
    mine = (rep == BUSY_REP) & (day >= span.past - 365)
    in_c = mine & is_c[customer]
    others = float(minutes[mine & ~in_c].sum())
    if not in_c.any() or others == 0.0:
        return minutes
    wanted = others * _BUSY_SHARE / (1.0 - _BUSY_SHARE)
    return np.where(in_c, np.round(minutes * wanted / minutes[in_c].sum()), minutes)
