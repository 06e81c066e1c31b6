"""ひより市場, put together: canonical tables and truths of one fictional shop."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from nobishiro.contracts.protocols import ProgressReport
from nobishiro.simulation.calendar import Span, opening_minutes
from nobishiro.simulation.catalogue import customer_codes
from nobishiro.simulation.company import Simulated, SimulationSettings
from nobishiro.simulation.frames import Flags, Int64, canonical, codes, days, moments, pick, truth
from nobishiro.simulation.names import people_names
from nobishiro.simulation.opinions import nps_answers
from nobishiro.simulation.orders import Lines, Orders, Terms, arrange, order_codes, order_lines, order_of, pair_truth
from nobishiro.simulation.persons import Persons, draw_persons, person_consents
from nobishiro.simulation.response import effect_truth, response_truth
from nobishiro.simulation.shop.catalogue import (
    CHANNELS,
    DELIVERY,
    DIVISIONS,
    FREE_FROM,
    POSTAGE,
    SEASONS,
    SUBSTITUTES,
    TYPES,
    WEB,
    Range,
    shop_range,
)
from nobishiro.simulation.shop.purchases import PLAY, WINDOW, Planted, Shoppers, draw_shoppers, shop
from nobishiro.simulation.streams import Streams
from nobishiro.simulation.truths import (
    customer_truth,
    cycle_truth,
    ladder_truth,
    lucky_truth,
    move_truth,
    season_truth,
    wallet_from_sales,
    wallet_truth,
    yearly_sales,
)

NAME_JA: Final = "ひより市場"
NAME_EN: Final = "Hiyori Ichiba"
_SECOND_SUIT: Final = 0.18
"""Share of suits that come with a second at half price."""
_ASKED: Final = 0.04


def simulate_shop(settings: SimulationSettings, progress: ProgressReport) -> Simulated:
    """The shop with `settings.customers` customers who have a card; a third as many visits are anonymous."""
    streams = Streams(settings.seed, "shop")
    span = Span.before(settings.as_of, settings.months)
    range_ = shop_range()
    progress("simulate.customers", 0, 0)
    people = draw_shoppers(streams, settings.customers, range_, span)
    ids = customer_codes(people.size)
    persons = draw_persons(streams, ids, 0.62)
    progress("simulate.orders", 0, 0)
    bought, planted = shop(streams, people, range_, span)
    orders = _with_postage(arrange(_second_suits(streams, bought, range_)), range_)
    unit = _unit_prices(orders, range_)
    del bought
    order_ids = order_codes("O", orders.count)
    lines = _order_lines(streams, people, range_, orders, unit, order_ids, ids)
    progress("simulate.dealings", 0, 0)
    contact_ids = codes("P", np.arange(1, people.size + 1), 7)
    mails, outcomes, responses = _mails(people, range_, planted, orders, order_ids, ids, contact_ids)
    staff, assignments = _staff(streams, people, ids, span)
    tables = {
        "divisions": _divisions(),
        "reps": staff,
        "assignments": assignments,
        "customers": _customers(streams, people, persons, ids, span),
        "contacts": _contacts(persons, ids, contact_ids),
        "products": range_.catalogue.products(),
        "order_lines": lines,
        "touches": mails,
        "survey_answers": _opinions(streams, people, orders, ids, contact_ids),
        "tickets": _tickets(streams, people, ids, contact_ids, span),
        "web_events": _web_events(streams, people, range_, orders, ids, span),
        "consents": person_consents(
            streams, persons, ids, contact_ids, people.joined.astype(np.int64), "お買い得情報のメールを受け取る"
        ),
        "outcomes": outcomes,
    }
    truths = _truths(streams, people, range_, planted, orders, order_ids, unit, ids, span)
    truths |= {"responses": responses, "effects": effect_truth(responses, WINDOW)}
    return Simulated(tables, truths, NAME_JA, NAME_EN)


def _second_suits(streams: Streams, lines: Lines, range_: Range) -> Lines:
    random = streams.part("second_suits")
    suit = np.flatnonzero(range_.catalogue.family[lines.product] == range_.catalogue.families.index("スーツ"))
    quantity = lines.quantity.copy()
    quantity[suit[random.random(suit.size) < _SECOND_SUIT]] = 2
    return Lines(lines.customer, lines.day, lines.product, quantity, lines.origin)


def _with_postage(orders: Orders, range_: Range) -> Orders:
    """Orders with a line of postage on those by web that stay below the free-shipping line."""
    lines = orders.lines
    total = np.bincount(orders.order, weights=range_.catalogue.price[lines.product] * lines.quantity)
    first = orders.first_line
    at = first[(lines.origin[first] == WEB) & (total < FREE_FROM)]
    fee = np.full(at.size, range_.catalogue.at(POSTAGE))
    return arrange(Lines.join([lines, Lines.of(lines.customer[at], lines.day[at], fee, 1, WEB)]))


def _unit_prices(orders: Orders, range_: Range) -> Int64:
    lines = orders.lines
    price = range_.catalogue.price[lines.product]
    suit = range_.catalogue.family[lines.product] == range_.catalogue.families.index("スーツ")
    paired: Flags = suit & (lines.quantity == 2)
    return np.where(paired, price * 0.75, price).astype(np.int64)


def _order_lines(
    streams: Streams,
    people: Shoppers,
    range_: Range,
    orders: Orders,
    unit: Int64,
    order_ids: pl.Series,
    ids: pl.Series,
) -> pl.DataFrame:
    random = streams.part("terms")
    lines = orders.lines
    place = lines.origin[orders.first_line].astype(np.int64)
    minutes = np.where(
        place == WEB, random.integers(360, 1439, orders.count), opening_minutes(random, orders.count, 10, 20)
    )
    by_line = place[orders.order]
    terms = Terms(
        order_ids=order_ids,
        customer_ids=pick(ids, np.where(lines.customer < people.size, lines.customer, -1)),
        minutes=minutes,
        unit_price=unit,
        division_ids=pick([d[0] for d in DIVISIONS], by_line),
        rep_ids=pl.Series([None], dtype=pl.String).new_from_index(0, lines.size),
        channel=pick(CHANNELS, by_line),
    )
    return order_lines(orders, range_.catalogue, terms)


def _divisions() -> pl.DataFrame:
    names = ("division_id", "name", "is_window")
    return canonical("divisions", len(DIVISIONS), {n: [d[at] for d in DIVISIONS] for at, n in enumerate(names)})


def _staff(streams: Streams, people: Shoppers, ids: pl.Series, span: Span) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Three people a shop; customers belong to the first of the division they mostly use."""
    random = streams.part("staff")
    count = 3 * len(DIVISIONS)
    named = people_names(random, count)
    division = pick([d[0] for d in DIVISIONS], np.repeat(np.arange(len(DIVISIONS)), 3))
    rep_ids = codes("R", np.arange(1, count + 1), 4)
    reps = canonical(
        "reps",
        count,
        {
            "rep_id": rep_ids,
            "name": named.select(pl.concat_str("family_name", pl.lit(" "), "given_name")).to_series(),
            "division_id": division,
            "email": pl.select(pl.format("{}@hiyori.example", rep_ids.str.to_lowercase())).to_series(),
            "hours_per_month": 40.0,
            "valid_from": days(np.full(count, span.first)),
        },
    )
    assignments = canonical(
        "assignments",
        people.size,
        {
            "customer_id": ids,
            "division_id": division.gather(people.home * 3),
            "rep_id": rep_ids.gather(people.home * 3),
            "role": "main",
            "valid_from": days(people.joined),
        },
    )
    return reps, assignments


def _customers(streams: Streams, people: Shoppers, persons: Persons, ids: pl.Series, span: Span) -> pl.DataFrame:
    random = streams.part("customers")
    state = np.where(people.lapsed < span.past - 365, 1, 0)
    how = np.where(people.home == WEB, 0, np.where(people.home == DELIVERY, 2, 1))
    how[random.random(people.size) < 0.08] = 3
    return canonical(
        "customers",
        people.size,
        {
            "customer_id": ids,
            "name": persons.full_name,
            "name_kana": persons.names["name_kana"],
            "kind": "person",
            "state": pick(("active", "dormant"), state),
            "postal_code": persons.where["postal_code"],
            "prefecture": persons.where["prefecture"],
            "address": persons.where["address"],
            "phone": persons.where["phone"],
            "acquired_by": pick(("web", "shop", "leaflet", "introduction"), how),
            "acquired_on": days(people.joined),
        },
    )


def _contacts(persons: Persons, ids: pl.Series, contact_ids: pl.Series) -> pl.DataFrame:
    return canonical(
        "contacts",
        ids.len(),
        {
            "contact_id": contact_ids,
            "customer_id": ids,
            "family_name": persons.names["family_name"],
            "given_name": persons.names["given_name"],
            "name_kana": persons.names["name_kana"],
            "email": persons.email,
            "is_decision_maker": True,
        },
    )


def _mails(
    people: Shoppers,
    range_: Range,
    planted: Planted,
    orders: Orders,
    order_ids: pl.Series,
    ids: pl.Series,
    contact_ids: pl.Series,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Leaflet mails as touches, what came of them, and the truth about both arms."""
    answers, catalogue = planted.answers, range_.catalogue
    who = np.flatnonzero(~answers.held_out)
    customer, product = answers.customer[who], answers.product[who]
    touches = canonical(
        "touches",
        who.size,
        {
            "touch_id": codes("T", np.arange(1, who.size + 1), 9),
            "customer_id": ids.gather(customer),
            "contact_id": contact_ids.gather(customer),
            "division_id": DIVISIONS[WEB][0],
            "kind": "mail",
            "direction": "outbound",
            "happened_at": moments(answers.day[who], np.full(who.size, 480)),
            "minutes": 0.0,
            "subject": pl.select(
                pl.concat_str(pl.lit(pl.Series([a.name for a in catalogue.articles])[product]), pl.lit(" のご案内"))
            ).to_series(),
        },
    )
    amount = catalogue.price[answers.product].astype(np.int64)
    won = answers.bought[who]
    outcomes = canonical(
        "outcomes",
        who.size,
        {
            "outcome_id": codes("U", np.arange(1, who.size + 1), 9),
            "customer_id": ids.gather(customer),
            "product_id": catalogue.codes.gather(product),
            "offer_kind": "cross_sell",
            "play": PLAY,
            "channel": "mail",
            "happened_at": moments(np.where(won, answers.bought_day[who], answers.day[who]), np.full(who.size, 1200)),
            "result": pick(("open", "won"), won.astype(np.int64)),
            "amount": pl.Series(np.where(won, amount[who], -1)).replace(-1, None),
        },
    )
    order = np.where(answers.bought, order_of(orders, answers.customer, answers.bought_day), -1)
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, answers.customer.size)
    responses = response_truth(answers, PLAY, "X", ids, catalogue.codes, amount, pick(order_ids, order), nothing)
    return touches, outcomes, responses


def _opinions(
    streams: Streams, people: Shoppers, orders: Orders, ids: pl.Series, contact_ids: pl.Series
) -> pl.DataFrame:
    random = streams.part("opinions")
    first = orders.first_line
    customer, day = orders.lines.customer[first].astype(np.int64), orders.lines.day[first]
    asked = np.flatnonzero((customer < people.size) & (random.random(orders.count) < _ASKED))
    # the answer comes on the day itself: a later one could fall on or after `as_of`
    return nps_answers(random, "購入後アンケート", customer[asked], day[asked], people.loyalty, ids, contact_ids)


def _tickets(streams: Streams, people: Shoppers, ids: pl.Series, contact_ids: pl.Series, span: Span) -> pl.DataFrame:
    random = streams.part("tickets")
    who = np.flatnonzero(random.random(people.size) < np.where(people.loyalty < 6.0, 0.05, 0.012))
    day = span.past - 1 - random.integers(0, 300, who.size)
    kind = np.where(people.loyalty[who] < 6.0, 1, random.integers(0, 3, who.size))
    done = np.where(day + 3 < span.past, day + 3, -1)
    return canonical(
        "tickets",
        who.size,
        {
            "ticket_id": codes("Q", np.arange(1, who.size + 1), 7),
            "customer_id": ids.gather(who),
            "contact_id": contact_ids.gather(who),
            "opened_at": moments(day, opening_minutes(random, who.size, 10, 19)),
            "closed_at": moments(done, opening_minutes(random, who.size, 10, 19)),
            "kind": pick(("question", "complaint", "request"), kind),
            "subject": pick(("在庫のお問い合わせ", "お届けの遅れ", "領収書のご依頼"), kind),
        },
    )


def _web_events(
    streams: Streams, people: Shoppers, range_: Range, orders: Orders, ids: pl.Series, span: Span
) -> pl.DataFrame:
    """Views and carts around the web orders of the last ninety days; two in five visitors never say who they are."""
    random = streams.part("web_events")
    lines = orders.lines
    at = np.flatnonzero((lines.origin == WEB) & (lines.customer < people.size) & (lines.day >= span.past - 90))
    at = at[random.random(at.size) < 0.5]
    kind = random.choice(3, at.size, p=[0.6, 0.25, 0.15])
    known = random.random(at.size) < 0.6
    return canonical(
        "web_events",
        at.size,
        {
            "event_id": codes("W", np.arange(1, at.size + 1), 9),
            "customer_id": pick(ids, np.where(known, lines.customer[at], -1)),
            "visitor_id": codes("v", lines.customer[at], 7),
            "happened_at": moments(lines.day[at], random.integers(0, 1439, at.size)),
            "kind": pick(("view", "cart", "purchase"), kind),
            "subject": "商品ページ",
            "product_id": range_.catalogue.codes.gather(lines.product[at]),
        },
    )


def _truths(
    streams: Streams,
    people: Shoppers,
    range_: Range,
    planted: Planted,
    orders: Orders,
    order_ids: pl.Series,
    unit: Int64,
    ids: pl.Series,
    span: Span,
) -> dict[str, pl.DataFrame]:
    catalogue, moves, cycles = range_.catalogue, planted.moves, planted.cycles
    sales = yearly_sales(orders, catalogue, unit, people.size, span.past)
    buyers = np.maximum((sales > 0).sum(axis=0), 1)
    usual = sales.sum(axis=0) / buyers
    usual[[catalogue.families.index("送料"), catalogue.families.index("レジ横")]] = 0.0
    wallet, share = wallet_from_sales(streams.part("wallets"), sales, usual)
    rounds, start, end = people.weekly
    places = [(catalogue.at(a), catalogue.at(b)) for a, b in SUBSTITUTES]
    return {
        "pairs": pair_truth(orders, catalogue, range_.complements, places, range_.by_chance, range_.chance_rates),
        "ladders": ladder_truth(catalogue),
        "moves": move_truth(
            orders.lines, ids, catalogue, moves.customer, moves.source, moves.target, moves.day, moves.up
        ),
        "seasons": season_truth(SEASONS),
        "cycles": cycle_truth(ids, catalogue, cycles.customer, cycles.product, cycles.mean, cycles.spread),
        "customers": customer_truth(
            ids, pick(TYPES, people.type), people.exploring, people.loyalty, people.joined, people.lapsed, span.past
        ),
        "wallets": wallet_truth(ids, catalogue.families, wallet, share, np.arange(people.size)),
        "lucky_orders": lucky_truth(orders, order_ids, ids, catalogue, planted.lucky),
        "contracts": truth(
            {
                "customer_id": ids.gather(rounds),
                "product_id": pl.Series(["宅配"]).new_from_index(0, rounds.size),
                "started_on": days(start),
                "ends_on": days(end),
                "ended": end < span.past,
            },
            {
                "customer_id": pl.String,
                "product_id": pl.String,
                "started_on": pl.Date,
                "ends_on": pl.Date,
                "ended": pl.Boolean,
            },
        ),
    }
