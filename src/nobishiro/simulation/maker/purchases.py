"""What the customers of のびしろ計器 buy: occasions with seasons, renewals, moves between grades, contracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nobishiro.simulation.calendar import Span, occasions, renewals
from nobishiro.simulation.cycles import Cycles
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64
from nobishiro.simulation.grades import Grades, Moves, draw_grades
from nobishiro.simulation.maker.catalogue import LADDERS, SEASONS, TAKERS, Range
from nobishiro.simulation.maker.population import A, D, Population
from nobishiro.simulation.orders import Lines, add_by_chance, attach
from nobishiro.simulation.response import Asked, draw_answers
from nobishiro.simulation.streams import Streams

VISIT, WEB, FAX, CALL = range(4)
CHANNELS: Final = ("visit", "web", "fax", "call")
WINDOW: Final = 60
"""Days after a proposal within which a purchase counts as its answer."""
PLAY: Final = "B-OPEN"
_HELD_OUT: Final = 0.3
_BELOW: Final = 0.8
"""Share of occasions in a family with grades that ask for the graded product."""
_CONSUMABLES: Final = 0.26
_FLAT: Final = (1.0,) * 12


@dataclass(frozen=True, slots=True)
class Contracts:
    """Service contracts: one row a customer, renewed every year until they end."""

    customer: Int64
    product: Int64
    start: Int32
    end: Int32
    """First day without; may lie after `as_of`."""
    cancelled: Flags


@dataclass(frozen=True, slots=True)
class Planted:
    """What the lines were made from: the truth about them."""

    cycles: Cycles
    moves: Moves
    contracts: Contracts
    answers: Asked
    lucky: Lines
    """Large orders nobody worked for; they are in `lines` too."""


def buy(streams: Streams, people: Population, range_: Range, span: Span) -> tuple[Lines, Planted]:
    """Everything the drawn customers buy in the span."""
    closed = span.closed()
    grades = _draw_grades(streams, people, range_, span)
    lines = [_occasions(streams, people, range_, span, closed, grades)]
    cycles, renewed = _renewals(streams, people, range_, span, closed)
    contracts, paid = _contracts(streams, people, range_, span, closed)
    answers, won = _answers(streams, people, range_, span, closed)
    lucky = _lucky(streams, people, range_, span, closed)
    lines += [renewed, paid, won, lucky]
    joined = attach(streams.part("attached"), Lines.join(lines), range_.complements)
    everything = add_by_chance(streams.part("by_chance"), joined, range_.by_chance, range_.chance_rates, takers=TAKERS)
    takes = [people.opened[:, family] < ladder.day for family, ladder in grades.items()]
    return everything, Planted(cycles, Moves.of(list(grades.values()), takes), contracts, answers, lucky)


def _draw_grades(streams: Streams, people: Population, range_: Range, span: Span) -> dict[int, Grades]:
    """The grades of each family that has them, by the family's position."""
    ladders = {}
    for ladder in LADDERS:
        places = np.array([range_.catalogue.places(row) for row in ladder])
        random = streams.part(f"grades {ladder[0][0]}")
        ladders[int(range_.catalogue.family[places[0, 0]])] = draw_grades(random, places, people.size, span)
    return ladders


def _occasions(
    streams: Streams, people: Population, range_: Range, span: Span, closed: Flags, grades: dict[int, Grades]
) -> Lines:
    parts = []
    price, yearly = range_.catalogue.price, people.yearly
    renewed = set(range_.catalogue.family[range_.renewed].tolist())
    contract = range_.catalogue.families.index("保守契約")
    for family, name in enumerate(range_.catalogue.families):
        choices = range_.choices[family]
        if family in renewed or family == contract or not choices.size:
            continue
        random = streams.part(f"occasions {name}")
        who = np.flatnonzero(people.drawn & (people.opened[:, family] < people.lapsed))
        liked = choices[random.integers(0, choices.size, who.size)]
        typical = price[liked]
        graded = grades.get(family)
        if graded is not None:
            typical = price[graded.products[graded.row[who], graded.before[who]]]
        worth = yearly[who, family]
        often = np.clip(1.0 * (worth / 300_000.0) ** 0.4, 0.2, 7.0)
        often = np.where(worth / often < typical, worth / typical, often)
        # what the price leaves of a year's spend, so that the yen of a family come out right on average
        units = np.maximum(worth / np.maximum(often, 1e-9) / (typical * (1.0 - people.discount[who])), 1.0)
        season = span.weights(SEASONS.get(name, _FLAT), closed)
        row, day = occasions(random, often, people.opened[who, family], people.lapsed[who], span, season)
        switched = random.random(row.size) < 0.2
        product = np.where(switched, choices[random.integers(0, choices.size, row.size)], liked[row])
        if graded is not None:
            asks = random.random(row.size) < _BELOW
            product = np.where(asks, graded.at(who[row], day), product)
        scale = units[row] * np.minimum(typical[row] / price[product], 3.0)
        quantity = np.maximum(np.round(scale * np.exp(random.normal(-0.06, 0.35, row.size))), 1)
        origin = random.choice(4, row.size, p=[0.5, 0.22, 0.16, 0.12])
        parts.append(Lines.of(who[row], day, product, quantity.astype(np.int64), origin))
    return Lines.join(parts)


def _renewals(streams: Streams, people: Population, range_: Range, span: Span, closed: Flags) -> tuple[Cycles, Lines]:
    random = streams.part("renewals")
    family = range_.catalogue.family[range_.renewed]
    opened = people.opened[:, family]
    takes = (opened < people.lapsed[:, None]) & people.drawn[:, None]
    takes &= random.random(takes.shape) < _CONSUMABLES
    customer, column = np.nonzero(takes)
    mean = range_.cycle[column] * 1.25 * np.exp(random.normal(0.0, 0.3, customer.size))
    spread = mean * random.uniform(0.08, 0.25, customer.size)
    row, day = renewals(random, mean, spread, opened[customer, column], people.lapsed[customer])
    open_day = span.next_open(closed)[day - span.first]
    product = range_.renewed[column]
    many = np.bincount(customer * len(range_.catalogue.families) + family[column], minlength=people.wallet.size)
    sharing = many.reshape(people.wallet.shape)[customer, family[column]]
    worth = people.yearly[customer, family[column]] / np.maximum(sharing, 1)
    units = np.clip(np.round(worth * mean / 365.0 / range_.catalogue.price[product]), 1, 60).astype(np.int64)
    keep = (open_day >= 0) & (open_day < people.lapsed[customer[row]])
    row, open_day = row[keep], open_day[keep]
    origin = random.choice(4, row.size, p=[0.15, 0.55, 0.22, 0.08])
    cycles = Cycles(customer, product, mean, spread)
    return cycles, Lines.of(customer[row], open_day, product[row], units[row], origin)


def _contracts(
    streams: Streams, people: Population, range_: Range, span: Span, closed: Flags
) -> tuple[Contracts, Lines]:
    random = streams.part("contracts")
    catalogue = range_.catalogue
    family = catalogue.families.index("保守契約")
    machines = [catalogue.families.index(name) for name in ("画像検査", "寸法測定", "データロガー")]
    since = np.maximum(people.opened[:, family], people.opened[:, machines].min(axis=1))
    customer = np.flatnonzero(people.drawn & (since < people.lapsed))
    start = since[customer].astype(np.int64)
    basic = np.array([catalogue.at("MB-1"), catalogue.at("MP-1")])
    product = basic[(random.random(customer.size) < 0.35).astype(np.int64)]
    # each year one in nine does not renew; who lapses as a customer lets the contract run out
    kept = random.geometric(1.0 / 9.0, customer.size)
    years = np.minimum(kept, np.ceil((people.lapsed[customer] - start) / 365.0).astype(np.int64))
    end = start + 365 * years
    row = np.repeat(np.arange(customer.size), years)
    year = np.arange(row.size) - np.repeat(np.cumsum(years) - years, years)
    day = start[row] + 365 * year
    row, day = row[day < span.past], day[day < span.past]
    day = span.next_open(closed)[day - span.first]
    row, day = row[day >= 0], day[day >= 0]
    paid = Lines.of(customer[row], day, product[row], 1, VISIT)
    return Contracts(customer, product, start.astype(np.int32), end.astype(np.int32), end < span.past), paid


def _answers(streams: Streams, people: Population, range_: Range, span: Span, closed: Flags) -> tuple[Asked, Lines]:
    """Families never opened are proposed over the last two years, about one a customer and year, before `WINDOW`."""
    random = streams.part("answers")
    catalogue = range_.catalogue
    begin = max(span.first, span.past - 730)
    asked = random.poisson(0.8 * (span.past - WINDOW - begin) / 365.0, people.size)
    asked[~people.drawn] = 0
    asked[people.joined > begin] = 0
    asked[people.lapsed < span.past] = 0
    customer = np.repeat(np.arange(people.size), asked)
    day = (begin + random.integers(0, span.past - WINDOW - begin, customer.size)).astype(np.int32)
    # one of the families with room that is not bought until well after the window
    room = people.wallet[customer] * (people.opened[customer] > (day + 4 * WINDOW)[:, None])
    room[:, [f for f, choices in enumerate(range_.choices) if not choices.size]] = 0.0
    reach = np.cumsum(room, axis=1)
    some = reach[:, -1] > 0
    customer, day, room, reach = customer[some], day[some], room[some], reach[some]
    family = (reach < (random.random(customer.size) * reach[:, -1])[:, None]).sum(axis=1)
    entry = np.array([int(c[0]) if c.size else -1 for c in range_.choices])
    product = entry[family]
    # one proposal a customer × family
    first = np.sort(np.unique(customer * len(catalogue.families) + family, return_index=True)[1])
    customer, day, product, family = customer[first], day[first], product[first], family[first]
    fit = np.log1p(room[first][np.arange(first.size), family] / 1e6)
    base = -3.5 + 0.45 * fit
    lever = 1.25 + 0.16 * (people.loyalty[customer] - 7.0)
    without, with_it = _chance(base), _chance(base + np.maximum(lever, 0.0))
    answers = draw_answers(
        random,
        customer,
        product,
        day,
        without=without,
        asked=with_it,
        exempt=people.segment[customer] == A,
        held_out_share=_HELD_OUT,
        window=WINDOW - 4,
        quantity=np.maximum(np.round(60_000 / catalogue.price[product]), 1).astype(np.int32),
    )
    bought = answers.bought_day >= 0
    shifted = answers.bought_day.copy()
    shifted[bought] = span.next_open(closed)[answers.bought_day[bought] - span.first]
    answers = Asked(
        **{name: getattr(answers, name) for name in Asked.__slots__ if name != "bought_day"}, bought_day=shifted
    )
    won = np.flatnonzero(shifted >= 0)
    origin = np.where(answers.held_out[won], WEB, VISIT)
    return answers, Lines.of(customer[won], shifted[won], product[won], answers.quantity[won], origin)


def _lucky(streams: Streams, people: Population, range_: Range, span: Span, closed: Flags) -> Lines:
    """Large orders by web from customers nobody had seen, in the last year."""
    random = streams.part("lucky")
    catalogue = range_.catalogue
    some = np.flatnonzero(people.drawn & (people.segment == D) & (people.lapsed >= span.past))
    some = some[random.random(some.size) < 0.04]
    some = some[people.joined[some] < span.past - 365]
    day = span.next_open(closed)[span.size - random.integers(30, 330, some.size)]
    products = catalogue.places(("E300-N", "E500-P", "P20-M12", "L50-A", "CB-ROB"))
    product = products[random.integers(0, products.size, some.size)]
    quantity = np.maximum(np.round(random.uniform(0.7e6, 2.2e6, some.size) / catalogue.price[product]), 1)
    return Lines.of(some, day, product, quantity.astype(np.int64), WEB)


def _chance(logit: Float64) -> Float64:
    chance: Float64 = 1.0 / (1.0 + np.exp(-logit))
    return chance
