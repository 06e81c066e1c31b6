"""Who shops at ひより市場, how often, and what lands in the basket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nobishiro.simulation.calendar import Span, month_of, occasions, renewals, weekday_of
from nobishiro.simulation.cycles import Cycles
from nobishiro.simulation.exploring import NEVER, opening_days, stays
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64
from nobishiro.simulation.grades import Grades, Moves, draw_grades
from nobishiro.simulation.orders import Lines, add_by_chance, attach
from nobishiro.simulation.response import Asked, draw_answers
from nobishiro.simulation.shop.catalogue import DELIVERY, MAIN, SEASONS, TYPES, WEB, Range
from nobishiro.simulation.streams import Streams

PLAY: Final = "LEAFLET-MAIL"
WINDOW: Final = 21
"""Days after a mail within which a purchase counts as its answer."""
CAMPAIGN_DAYS: Final = 60
_CAMPAIGNS: Final = 9
_HELD_OUT: Final = 0.25
_SHARES: Final = (0.46, 0.16, 0.13, 0.02, 0.23)
_VISITS: Final = (7.0, 6.0, 1.6, 2.0, 4.0)
"""Visits a year by type, on average; a few come far more often than most."""
_LINES: Final = (2.4, 0.25, 0.5, 1.6, 1.2)
"""Further lines on a visit beyond the first."""
_ANONYMOUS: Final = 0.30
"""Anonymous visits to the stores for every visit with a card."""
_FAVOURITES: Final = 6
_FAITHFUL: Final = 0.5
_TAKES_AGAIN: Final = (0.07, 0.06, 0.01, 0.12, 0.10)
_WEEKLY_LINES: Final = 3.2
_BULK: Final = 0.001


@dataclass(frozen=True, slots=True)
class Shoppers:
    """N customers."""

    type: Int64
    """(N,) position in TYPES."""
    home: Int64
    """(N,) the division they mostly use."""
    joined: Int32
    lapsed: Int32
    visits: Float64
    """(N,) visits a year."""
    exploring: Float64
    opened: Int32
    """(N, F) first day each family may be bought."""
    loyalty: Float64
    weekly: tuple[Int64, Int32, Int32]
    """Customers with weekly delivery, its first day and the first day without."""

    @property
    def size(self) -> int:
        """Number of customers."""
        return self.type.size


@dataclass(frozen=True, slots=True)
class Planted:
    """What the lines were made from: the truth about them."""

    cycles: Cycles
    moves: Moves
    answers: Asked
    lucky: Lines


def draw_shoppers(streams: Streams, count: int, range_: Range, span: Span) -> Shoppers:
    """Customers by type, with a heavy tail of visits."""
    random = streams.part("shoppers")
    kind = random.choice(len(TYPES), count, p=_SHARES)
    visits = np.asarray(_VISITS)[kind] * random.gamma(0.8, 1.0 / 0.8, count)
    home = np.where(kind == 3, DELIVERY, random.choice(4, count, p=[0.22, 0.38, 0.24, 0.16]))
    joined, lapsed = stays(streams.part("stay"), np.full(count, 0.35), np.full(count, 0.18), span)
    families = len(range_.catalogue.families)
    liking = np.zeros((len(TYPES), families))
    for at in range(len(TYPES)):
        liking[at] = np.bincount(range_.catalogue.family, weights=range_.chosen[at], minlength=families)
    used = liking[kind] > 0
    exploring = random.gamma(1.5, 1.0, count)
    wish = np.where(used, np.log(np.maximum(liking[kind], 1e-9)) + random.gumbel(0.0, 0.8, used.shape), -np.inf)
    first = 4 + random.poisson(5.0, count)
    opened = opening_days(streams.part("opening"), wish, first, exploring, joined, span)
    some = np.flatnonzero(kind == 3)
    start = np.maximum(joined[some], span.first + random.integers(0, span.size, some.size)).astype(np.int32)
    end = np.minimum(lapsed[some], start + 7 * random.geometric(1 / 60, some.size)).astype(np.int32)
    # the weekly round goes from Monday to Friday
    start += np.where(weekday_of(start) >= 5, 7 - weekday_of(start), 0).astype(np.int32)
    return Shoppers(
        type=kind,
        home=home,
        joined=joined,
        lapsed=lapsed,
        visits=visits,
        exploring=exploring,
        opened=opened,
        loyalty=np.clip(random.normal(7.3, 1.8, count), 0.5, 10.0),
        weekly=(some, start, np.maximum(end, start)),
    )


def shop(streams: Streams, people: Shoppers, range_: Range, span: Span) -> tuple[Lines, Planted]:
    """Everything bought in the span, with a card and without."""
    grades = [
        draw_grades(streams.part(f"grades {at}"), ladder, people.size, span) for at, ladder in enumerate(range_.ladders)
    ]
    cycles, renewed = _renewals(streams, people, range_, span)
    answers, won = _answers(streams, people, range_, span)
    lucky = _bulk(streams, people, range_, span)
    parts = [_visits(streams, people, range_, span, grades), _weekly(streams, people, range_, span)]
    parts += [_anonymous(streams, people, range_, span)]
    chosen = _instead(Lines.join(parts), range_)
    joined = attach(streams.part("attached"), Lines.join([chosen, renewed, won, lucky]), range_.complements)
    everything = add_by_chance(streams.part("by_chance"), joined, range_.by_chance, range_.chance_rates, most=1)
    family = [int(range_.catalogue.family[ladder[0, 0]]) for ladder in range_.ladders]
    takes = [people.opened[:, f] < g.day for f, g in zip(family, grades, strict=True)]
    return everything, Planted(cycles, Moves.of(grades, takes), answers, lucky)


def _pick(random: np.random.Generator, range_: Range, kind: Int64) -> Int64:
    """A product for each row, as its type of customer picks."""
    reach = np.cumsum(range_.chosen, axis=1)
    luck = random.random(kind.size)
    product = np.empty(kind.size, np.int64)
    for at in range(reach.shape[0]):
        mine = kind == at
        product[mine] = np.searchsorted(reach[at], luck[mine] * reach[at, -1], side="right")
    last = reach.shape[1] - 1
    picked: Int64 = np.minimum(product, last).astype(np.int64)
    return picked


def _in_season(random: np.random.Generator, range_: Range, product: Int64, day: Int32) -> Flags:
    """Thins what has a season so that the rest follows its months."""
    factor = np.ones((len(range_.catalogue.families), 13))
    for name, months in SEASONS.items():
        factor[range_.catalogue.families.index(name), 1:] = np.asarray(months) / max(months)
    keep: Flags = random.random(product.size) < factor[range_.catalogue.family[product], month_of(day)]
    return keep


def _baskets(random: np.random.Generator, range_: Range, kind: Int64, more: Float64) -> tuple[Int64, Int64]:
    """(visit of each line, random product of each line)."""
    visit = np.repeat(np.arange(kind.size), 1 + random.poisson(more))
    return visit, _pick(random, range_, kind[visit])


def _visits(streams: Streams, people: Shoppers, range_: Range, span: Span, grades: list[Grades]) -> Lines:
    random = streams.part("visits")
    weight = np.where(weekday_of(np.arange(span.first, span.past)) >= 5, 1.6, 0.76)
    customer, day = occasions(random, people.visits, people.joined, people.lapsed, span, weight)
    visit, product = _baskets(random, range_, people.type[customer], np.asarray(_LINES)[people.type[customer]])
    liked = _pick(random, range_, np.repeat(people.type, _FAVOURITES)).reshape(people.size, _FAVOURITES)
    who, when = customer[visit], day[visit]
    faithful = random.random(visit.size) < _FAITHFUL
    product = np.where(faithful, liked[who, random.integers(0, _FAVOURITES, visit.size)], product)
    keep = people.opened[who, range_.catalogue.family[product]] <= when
    keep &= _in_season(random, range_, product, when)
    who, when, product, visit = who[keep], when[keep], product[keep], visit[keep]
    for ladder in grades:
        mine = np.isin(product, ladder.products[:, 0])
        product[mine] = ladder.at(who[mine], when[mine])
    place = people.home[customer]
    elsewhere = random.random(customer.size) < 0.15
    place = np.where(elsewhere | (place == DELIVERY), random.choice(4, customer.size, p=[0.3, 0.4, 0.2, 0.1]), place)
    return Lines.of(who, when, product, _units(random, range_, product), place[visit])


def _units(random: np.random.Generator, range_: Range, product: Int64) -> Int64:
    """One of most things, now and then two or three of what is cheap."""
    cheap = range_.catalogue.price[product] < 1_000
    return 1 + np.where(cheap, random.choice(3, product.size, p=[0.8, 0.15, 0.05]), 0)


def _weekly(streams: Streams, people: Shoppers, range_: Range, span: Span) -> Lines:
    random = streams.part("weekly")
    customer, start, end = people.weekly
    weeks = np.maximum((end - start + 6) // 7, 0).astype(np.int64)
    row = np.repeat(np.arange(customer.size), weeks)
    week = np.arange(row.size) - np.repeat(np.cumsum(weeks) - weeks, weeks)
    day = (start[row] + 7 * week).astype(np.int32)
    came = (random.random(row.size) < 0.92) & (day < span.past)
    row, day = row[came], day[came]
    kind = np.full(row.size, 3, np.int64)
    visit, product = _baskets(random, range_, kind, np.full(row.size, _WEEKLY_LINES))
    keep = _in_season(random, range_, product, day[visit])
    visit, product = visit[keep], product[keep]
    return Lines.of(customer[row[visit]], day[visit], product, _units(random, range_, product), DELIVERY)


def _anonymous(streams: Streams, people: Shoppers, range_: Range, span: Span) -> Lines:
    random = streams.part("anonymous")
    expected = _ANONYMOUS * float((people.visits * (people.lapsed - people.joined) / 365.0).sum())
    count = int(random.poisson(expected))
    day = random.integers(span.first, span.past, count).astype(np.int32)
    kind = random.choice(len(TYPES), count, p=[0.5, 0.3, 0.05, 0.0, 0.15])
    visit, product = _baskets(random, range_, kind, np.asarray(_LINES)[kind])
    keep = _in_season(random, range_, product, day[visit])
    visit, product = visit[keep], product[keep]
    place = random.choice([MAIN, MAIN + 1, MAIN + 2], count, p=[0.5, 0.3, 0.2])
    return Lines.of(people.size + visit, day[visit], product, _units(random, range_, product), place[visit])


def _instead(lines: Lines, range_: Range) -> Lines:
    """Of two products bought in place of each other only the one a customer takes on that day."""
    product = lines.product.copy()
    luck = (lines.customer.astype(np.int64) * 1_000_003) % 9973
    switched = (lines.customer.astype(np.int64) * 7_368_787 + lines.day.astype(np.int64) * 15_485_863) % 100 < 15
    for number, (first, second) in enumerate(range_.substitutes):
        either = (product == first) | (product == second)
        likes_first = (luck + 4_999 * number) % 9973 < 5_600
        product[either] = np.where(likes_first[either] ^ switched[either], first, second)
    return Lines(lines.customer, lines.day, product, lines.quantity, lines.origin)


def _renewals(streams: Streams, people: Shoppers, range_: Range, span: Span) -> tuple[Cycles, Lines]:
    random = streams.part("renewals")
    takes = random.random((people.size, range_.renewed.size)) < np.asarray(_TAKES_AGAIN)[people.type][:, None]
    customer, column = np.nonzero(takes)
    mean = range_.cycle[column] * 1.3 * np.exp(random.normal(0.0, 0.3, customer.size))
    spread = mean * random.uniform(0.08, 0.3, customer.size)
    start = np.maximum(people.joined[customer], span.first + random.integers(0, span.size * 2 // 3, customer.size))
    end = np.minimum(people.lapsed[customer], start + random.integers(200, 900, customer.size)).astype(np.int32)
    row, day = renewals(random, mean, spread, start.astype(np.int32), end)
    place = np.where(people.home[customer] == DELIVERY, MAIN, people.home[customer])
    product = range_.renewed[column]
    cycles = Cycles(customer, product, mean, spread)
    return cycles, Lines.of(customer[row], day, product[row], 1, place[row])


def _answers(streams: Streams, people: Shoppers, range_: Range, span: Span) -> tuple[Asked, Lines]:
    """Every second month four in a hundred get the mail of a product they never bought from here."""
    random = streams.part("answers")
    customers, days, products = [], [], []
    offered = range_.catalogue.places(("GI-J", "CB-D", "BA-1", "GA-P", "BE-6", "OL-1", "ME-B", "FI-S", "RI-10"))
    for number in range(_CAMPAIGNS):
        day = span.past - WINDOW - 7 - CAMPAIGN_DAYS * number
        if day < span.first:
            break
        product = offered[number % offered.size]
        family = range_.catalogue.family[product]
        fit = (people.joined < day - 30) & (people.lapsed > day) & (people.opened[:, family] == NEVER)
        who = np.flatnonzero(fit & (random.random(people.size) < 0.12))
        customers.append(who)
        days.append(np.full(who.size, day, np.int32))
        products.append(np.full(who.size, product))
    customer, day_, product_ = np.concatenate(customers), np.concatenate(days), np.concatenate(products)
    base = -3.9 + 0.25 * np.log1p(people.visits[customer])
    lever = np.maximum(0.95 + 0.12 * (people.loyalty[customer] - 7.0), 0.0)
    answers = draw_answers(
        random,
        customer,
        product_,
        day_,
        without=1.0 / (1.0 + np.exp(-base)),
        asked=1.0 / (1.0 + np.exp(-base - lever)),
        exempt=np.zeros(customer.size, np.bool_),
        held_out_share=_HELD_OUT,
        window=WINDOW,
        quantity=np.ones(customer.size, np.int32),
    )
    won = np.flatnonzero(answers.bought)
    return answers, Lines.of(customer[won], answers.bought_day[won], product_[won], 1, WEB)


def _bulk(streams: Streams, people: Shoppers, range_: Range, span: Span) -> Lines:
    """A few buy fifty gifts at once for reasons of their own: luck, not the beginning of anything."""
    random = streams.part("lucky")
    who = np.flatnonzero((random.random(people.size) < _BULK) & (people.lapsed >= span.past))
    gifts = range_.catalogue.places(("GI-S", "GI-H"))
    product = gifts[random.integers(0, gifts.size, who.size)]
    day = span.past - random.integers(1, 350, who.size)
    keep = day >= people.joined[who]
    return Lines.of(who[keep], day[keep].astype(np.int32), product[keep], random.integers(20, 60, who.size)[keep], WEB)
