"""Lessons month by month, seasonal courses, materials, plans with trials, and design work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nobishiro.simulation.calendar import Span, month_of, occasions, renewals
from nobishiro.simulation.cycles import Cycles
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64
from nobishiro.simulation.grades import Moves
from nobishiro.simulation.orders import Lines, add_by_chance, attach
from nobishiro.simulation.response import Asked, draw_answers
from nobishiro.simulation.schools.catalogue import EXTRAS, FIRST_GRADE, LAST_GRADE, PLANS, SEASONS, Range
from nobishiro.simulation.schools.households import Households, school_year
from nobishiro.simulation.streams import Streams

DIRECT, WEB, DESK = range(3)
CHANNELS: Final = ("direct_debit", "web", "desk")
PLAY: Final = "APRIL"
WINDOW: Final = 60
_HELD_OUT: Final = 0.3
_TRIAL_DAYS: Final = 30
_CONVERTS: Final = 0.55
_ANNUAL: Final = 0.3
_SEASONAL: Final = ((7, "SS-1", 0.5), (12, "SW-1", 0.4), (3, "SP-1", 0.3))
_FLAT: Final = (1.0,) * 12


@dataclass(frozen=True, slots=True)
class Firms:
    """M companies and schools that use the cloud: customers from H on."""

    customer: Int64
    """(M,) position in the customer list."""
    staff: Int64
    trial: Int32
    """First day of the trial."""
    converted: Flags
    before: Int64
    """(M,) plan (0–2) at the beginning, and after the move on `moved`."""
    after: Int64
    moved: Int32
    ends: Int32
    """First day without a plan."""
    annual: Flags
    designs: Float64
    """Design projects a year."""
    loyalty: Float64


@dataclass(frozen=True, slots=True)
class Planted:
    """What the lines were made from: the truth about them."""

    cycles: Cycles
    moves: Moves
    answers: Asked
    lucky: Lines


def draw_firms(streams: Streams, count: int, first: int, span: Span) -> Firms:
    """Companies that tried the cloud; the larger ones take the larger plans."""
    random = streams.part("firms")
    staff = np.maximum(np.round(np.exp(random.normal(3.6, 1.0, count))), 3).astype(np.int64)
    trial = (span.first + random.integers(0, span.size - 40, count)).astype(np.int32)
    before = np.clip((np.log(staff) - 2.6 + random.normal(0.0, 0.6, count)).astype(np.int64), 0, 2)
    kind = random.random(count)
    after = np.clip(before + np.where(kind < 0.25, 1, np.where(kind > 0.95, -1, 0)), 0, 2)
    moved = (trial + random.integers(120, 700, count)).astype(np.int32)
    converted = random.random(count) < _CONVERTS
    # one in fifty ends a month; annual contracts end with their year
    annual = random.random(count) < _ANNUAL
    stays = np.where(annual, 365 * random.geometric(0.25, count), 30 * random.geometric(0.02, count))
    ends = np.minimum(trial + _TRIAL_DAYS + stays, 2**31 - 1).astype(np.int32)
    return Firms(
        customer=np.arange(first, first + count),
        staff=staff,
        trial=trial,
        converted=converted,
        before=before,
        after=np.where(annual, before, after),
        moved=moved,
        ends=ends,
        annual=annual,
        designs=random.gamma(0.5, 0.3, count),
        loyalty=np.clip(random.normal(7.0, 1.8, count), 0.5, 10.0),
    )


def buy(
    streams: Streams, homes: Households, firms: Firms, loyalty: Float64, range_: Range, span: Span
) -> tuple[Lines, Planted]:
    """Everything in the span; `loyalty` is (H,) of the parents."""
    lessons, child, months = _lessons(homes, range_, span)
    cycles, materials = _materials(streams, homes, range_, span)
    answers, won = _answers(streams, homes, loyalty, range_, span)
    lucky = _lucky(streams, firms, range_, span)
    parts = [lessons, _extras(homes, range_, span), _seasonal(streams, homes, range_, child, months), materials, won]
    parts += [_tests(streams, homes, range_, span), _joining(homes, range_, span)]
    parts += [_plans(firms, range_, span), _designs(streams, firms, range_, span), lucky]
    joined = attach(streams.part("attached"), Lines.join(parts), range_.complements)
    everything = add_by_chance(streams.part("by_chance"), joined, range_.by_chance, range_.chance_rates, most=2)
    return everything, Planted(cycles, _moves(homes, firms, range_, span), answers, lucky)


def billing_days(span: Span) -> Int32:
    """The fifth of every month in the span, when lessons and plans are paid."""
    first = np.datetime64(span.first, "D").astype("datetime64[M]")
    months = np.arange(first, np.datetime64(span.past, "D").astype("datetime64[M]") + 1)
    day = months.astype("datetime64[D]").astype(np.int64) + 4
    return day[(day >= span.first) & (day < span.past)].astype(np.int32)


def _running(start: Int32, end: Int32, bills: Int32) -> tuple[Int64, Int64]:
    """(row, bill) of every month that falls between start and end."""
    low, high = np.searchsorted(bills, start), np.searchsorted(bills, end)
    count = np.maximum(high - low, 0)
    row = np.repeat(np.arange(start.size), count)
    return row, low[row] + np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)


def _course(homes: Households, range_: Range, child: Int64, day: Int32) -> Int64:
    """The main course of a child on a day, −1 outside the school years."""
    at = school_year(homes.birthday[child], day) - FIRST_GRADE
    known = (at >= 0) & (at <= LAST_GRADE - FIRST_GRADE)
    at = np.clip(at, 0, range_.main.size - 1)
    medicine = homes.medicine[child] & (range_.medicine[at] >= 0)
    return np.where(known, np.where(medicine, range_.medicine[at], range_.main[at]), -1)


def _lessons(homes: Households, range_: Range, span: Span) -> tuple[Lines, Int64, Int32]:
    bills = billing_days(span)
    child, bill = _running(homes.starts, homes.ends, bills)
    day = bills[bill]
    product = _course(homes, range_, child, day)
    keep = product >= 0
    child, day, product = child[keep], day[keep], product[keep]
    return Lines.of(homes.parent[child], day, product, 1, DIRECT), child, day


def _extras(homes: Households, range_: Range, span: Span) -> Lines:
    bills = billing_days(span)
    parts = []
    for number, family in enumerate(EXTRAS):
        product = int(np.flatnonzero(range_.catalogue.family == range_.catalogue.families.index(family))[0])
        # extra courses end with elementary school, or after two years
        end = np.minimum(homes.ends, homes.opened[:, number].astype(np.int64) + 730).astype(np.int32)
        start = homes.opened[:, number]
        child, bill = _running(np.where(start < span.past, start, span.past).astype(np.int32), end, bills)
        parts.append(Lines.of(homes.parent[child], bills[bill], np.full(child.size, product), 1, DIRECT))
    return Lines.join(parts)


def _seasonal(streams: Streams, homes: Households, range_: Range, child: Int64, day: Int32) -> Lines:
    """Courses in the holidays, for children in elementary school and above who have lessons then."""
    random = streams.part("seasonal")
    parts = []
    grade = school_year(homes.birthday[child], day)
    for month, code, chance in _SEASONAL:
        at = np.flatnonzero((month_of(day) == month) & (grade >= 1))
        at = at[random.random(at.size) < chance]
        parts.append(Lines.of(homes.parent[child[at]], day[at], np.full(at.size, range_.catalogue.at(code)), 1, DESK))
    return Lines.join(parts)


def _materials(streams: Streams, homes: Households, range_: Range, span: Span) -> tuple[Cycles, Lines]:
    random = streams.part("materials")
    runs = (homes.ends - homes.starts > 150) & (homes.starts < span.past)
    takes = (random.random((homes.size, range_.renewed.size)) < 0.14) & np.isin(
        np.arange(homes.size), homes.parent[runs]
    )[:, None]
    start = np.full(homes.size, span.past, np.int64)
    end = np.full(homes.size, span.first, np.int64)
    np.minimum.at(start, homes.parent[runs], homes.starts[runs])
    np.maximum.at(end, homes.parent[runs], homes.ends[runs])
    customer, column = np.nonzero(takes)
    mean = range_.cycle[column] * 1.2 * np.exp(random.normal(0.0, 0.25, customer.size))
    spread = mean * random.uniform(0.1, 0.25, customer.size)
    row, day = renewals(
        random, mean, spread, np.maximum(start, span.first)[customer].astype(np.int32), end[customer].astype(np.int32)
    )
    product = range_.renewed[column]
    return Cycles(customer, product, mean, spread), Lines.of(customer[row], day, product[row], 1, WEB)


def _tests(streams: Streams, homes: Households, range_: Range, span: Span) -> Lines:
    """Mock examinations for those in junior high school and above."""
    random = streams.part("tests")
    rate = np.full(homes.parent.size, 1.6)
    start = np.maximum(homes.starts, span.first).astype(np.int32)
    child, day = occasions(random, rate, start, homes.ends, span, span.weights(SEASONS["模試"]))
    old = school_year(homes.birthday[child], day) >= 7
    child, day = child[old], day[old]
    product = np.where(homes.medicine[child], range_.catalogue.at("EX-I"), range_.catalogue.at("EX-N"))
    return Lines.of(homes.parent[child], day, product, 1, WEB)


def _joining(homes: Households, range_: Range, span: Span) -> Lines:
    child = np.flatnonzero((homes.starts > span.first) & (homes.starts < homes.ends))
    fee = np.full(child.size, range_.catalogue.at("FE-J"))
    return Lines.of(homes.parent[child], homes.starts[child], fee, 1, DESK)


def _plans(firms: Firms, range_: Range, span: Span) -> Lines:
    bills = billing_days(span)
    start = (firms.trial + _TRIAL_DAYS).astype(np.int32)
    monthly = firms.converted & ~firms.annual
    row, bill = _running(start, np.where(monthly, firms.ends, start).astype(np.int32), bills)
    day = bills[bill]
    plans = range_.catalogue.places(PLANS)
    product = plans[np.where(day >= firms.moved[row], firms.after[row], firms.before[row])]
    seats = 1 + np.maximum(firms.staff[row] // 40, 0)
    extra = np.flatnonzero((day >= firms.moved[row]) & (firms.staff[row] > 60))
    paid = Lines.of(firms.customer[row], day, product, 1, DIRECT)
    more = Lines.of(
        firms.customer[row[extra]], day[extra], np.full(extra.size, range_.catalogue.at("AD-S")), seats[extra], DIRECT
    )
    yearly = range_.catalogue.places(("CY-S", "CY-T", "CY-P"))
    who = np.flatnonzero(firms.converted & firms.annual)
    years = np.maximum((np.minimum(firms.ends[who], span.past) - start[who] + 364) // 365, 0)
    again = np.repeat(who, years)
    number = np.arange(again.size) - np.repeat(np.cumsum(years) - years, years)
    when = (start[again] + 365 * number).astype(np.int32)
    keep = when < span.past
    annual = Lines.of(firms.customer[again[keep]], when[keep], yearly[firms.before[again[keep]]], 1, DESK)
    return Lines.join([paid, more, annual])


def _designs(streams: Streams, firms: Firms, range_: Range, span: Span) -> Lines:
    random = streams.part("designs")
    size = firms.customer.size
    row, day = occasions(
        random,
        firms.designs,
        np.full(size, span.first, np.int32),
        np.full(size, span.past, np.int32),
        span,
        span.weights(SEASONS["まなびデザイン"]),
    )
    some = range_.catalogue.places(("DS-W", "DS-P", "DS-M"))
    product = some[random.choice(3, row.size, p=[0.3, 0.4, 0.3])]
    return Lines.of(firms.customer[row], day, product, 1, DESK)


def _lucky(streams: Streams, firms: Firms, range_: Range, span: Span) -> Lines:
    """A few companies order a site or a film by web form, and nobody had spoken with them."""
    random = streams.part("lucky")
    who = np.flatnonzero(random.random(firms.customer.size) < 0.02)
    day = span.past - random.integers(10, 330, who.size)
    product = np.full(who.size, range_.catalogue.at("DS-W"))
    return Lines.of(firms.customer[who], day.astype(np.int32), product, 1 + random.integers(0, 2, who.size), WEB)


def _answers(streams: Streams, homes: Households, loyalty: Float64, range_: Range, span: Span) -> tuple[Asked, Lines]:
    """Months before an April in which a child begins a new stage families are told; some are left for later."""
    random = streams.part("answers")
    targets = ((1, "PV-N"), (10, "PV-M"), (11, "PV-I"))
    children, days, products = [], [], []
    first_year = int(np.datetime64(span.first, "D").astype("datetime64[Y]").astype(np.int64)) + 1970
    last_year = int(np.datetime64(span.past, "D").astype("datetime64[Y]").astype(np.int64)) + 1971
    for year in range(first_year, last_year + 1):
        # from October on, for the April that follows
        begin = int(np.datetime64(f"{year - 1}-10-01", "D").astype(np.int64))
        if begin < span.first or begin + 60 + WINDOW >= span.past:
            continue
        april = int(np.datetime64(f"{year}-04-01", "D").astype(np.int64))
        next_grade = school_year(homes.birthday, np.full(homes.birthday.size, april))
        for grade, code in targets:
            child = np.flatnonzero((next_grade == grade) & (homes.starts < begin) & (homes.ends > begin + 30))
            children.append(child)
            days.append((begin + random.integers(0, 60, child.size)).astype(np.int32))
            products.append(np.full(child.size, range_.catalogue.at(code)))
    child = np.concatenate(children) if children else np.empty(0, np.int64)
    day = np.concatenate(days) if days else np.empty(0, np.int32)
    product = np.concatenate(products) if products else np.empty(0, np.int64)
    # siblings of the same year are told once
    parent = homes.parent[child]
    once = np.sort(np.unique(parent * 1_000_003 + product * 1_009 + day // 90, return_index=True)[1])
    parent, day, product = parent[once], day[once], product[once]
    base = -2.6 + random.normal(0.0, 0.3, parent.size)
    lever = np.maximum(1.1 + 0.15 * (loyalty[parent] - 7.0), 0.0)
    answers = draw_answers(
        random,
        parent,
        product,
        day,
        without=1.0 / (1.0 + np.exp(-base)),
        asked=1.0 / (1.0 + np.exp(-base - lever)),
        exempt=np.zeros(parent.size, np.bool_),
        held_out_share=_HELD_OUT,
        window=WINDOW,
        quantity=np.ones(parent.size, np.int32),
    )
    won = np.flatnonzero(answers.bought)
    return answers, Lines.of(parent[won], answers.bought_day[won], product[won], 1, DESK)


def _moves(homes: Households, firms: Firms, range_: Range, span: Span) -> Moves:
    """Children who went on from one stage or year to the next, and companies that changed their plan."""
    parts: list[tuple[Int64, Int64, Int64, Int64, Flags]] = []
    first = int(np.datetime64(span.first, "D").astype("datetime64[Y]").astype(np.int64)) + 1970
    for year in range(first, first + span.size // 365 + 2):
        april = int(np.datetime64(f"{year}-04-01", "D").astype(np.int64))
        if not span.first + 35 <= april < span.past - 35:
            continue
        child = np.flatnonzero((homes.starts < april - 35) & (homes.ends > april + 35))
        before = _course(homes, range_, child, np.full(child.size, april - 1, np.int32))
        after = _course(homes, range_, child, np.full(child.size, april, np.int32))
        moved = (before != after) & (before >= 0) & (after >= 0)
        child, before, after = child[moved], before[moved], after[moved]
        parts.append((homes.parent[child], before, after, np.full(child.size, april), np.ones(child.size, np.bool_)))
    plans = range_.catalogue.places(PLANS)
    changed = firms.converted & ~firms.annual & (firms.before != firms.after) & (firms.moved < firms.ends)
    who = np.flatnonzero(changed & (firms.moved < span.past) & (firms.moved > firms.trial + 70))
    up = firms.after[who] > firms.before[who]
    moved_on = firms.moved[who].astype(np.int64)
    parts.append((firms.customer[who], plans[firms.before[who]], plans[firms.after[who]], moved_on, up))
    customer, source, target, day, direction = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Moves(customer, source, target, day.astype(np.int32), direction)
