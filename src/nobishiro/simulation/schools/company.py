"""みらい学びグループ, put together: canonical tables and truths of fictional schools and a cloud for companies."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from nobishiro.contracts.protocols import ProgressReport
from nobishiro.simulation.calendar import Span
from nobishiro.simulation.catalogue import customer_codes
from nobishiro.simulation.company import Simulated, SimulationSettings
from nobishiro.simulation.frames import Float64, Int64, canonical, codes, days, moments, pick, truth
from nobishiro.simulation.opinions import nps_answers
from nobishiro.simulation.orders import Orders, Terms, arrange, order_codes, order_lines, order_of, pair_truth
from nobishiro.simulation.persons import draw_persons, person_consents
from nobishiro.simulation.response import effect_truth, response_truth
from nobishiro.simulation.schools import dealings
from nobishiro.simulation.schools.catalogue import DIVISIONS, PLANS, SEASONS, SUBSTITUTES, Range, schools_range
from nobishiro.simulation.schools.households import Households, draw_households, school_year
from nobishiro.simulation.schools.people import Register, make_register, make_staff
from nobishiro.simulation.schools.purchases import CHANNELS, PLAY, WINDOW, Firms, Planted, buy, draw_firms
from nobishiro.simulation.schools.story import cast_firms, cast_households, tell_story
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

NAME_JA: Final = "みらい学びグループ"
NAME_EN: Final = "Mirai Manabi Group"
_FIRMS: Final = 0.15
"""Share of the customers that are companies."""
_DECLINES: Final = ("まだ早い", "費用", "ほかの習い事", "送迎")


def simulate_schools(settings: SimulationSettings, progress: ProgressReport) -> Simulated:
    """Schools and a cloud with `settings.customers` customers: 85 % parents, 15 % companies."""
    streams = Streams(settings.seed, "schools")
    span = Span.before(settings.as_of, settings.months)
    range_ = schools_range()
    progress("simulate.customers", 0, 0)
    size = settings.customers - round(settings.customers * _FIRMS)
    homes = cast_households(draw_households(streams, size, span), span)
    firms = cast_firms(draw_firms(streams, settings.customers - size, size, span), span)
    ids = customer_codes(settings.customers)
    parents_loyalty = np.clip(streams.part("loyalty").normal(7.4, 1.6, size), 0.5, 10.0)
    loyalty = np.concatenate([parents_loyalty, firms.loyalty])
    progress("simulate.orders", 0, 0)
    bought, planted = buy(streams, homes, firms, parents_loyalty, range_, span)
    orders = arrange(bought)
    del bought
    order_ids = order_codes("O", orders.count)
    unit = range_.catalogue.price[orders.lines.product].astype(np.int64)
    lines = _order_lines(streams, orders, range_, unit, order_ids, ids)
    progress("simulate.dealings", 0, 0)
    persons = draw_persons(streams, ids, 0.7)
    register = make_register(streams, homes, firms, persons, ids, span)
    reps, assignments, rep = make_staff(streams, homes, firms, ids, span)
    rep_ids = reps["rep_id"]
    proposals, outcomes, responses = _proposals(streams, range_, planted, orders, order_ids, rep, rep_ids, ids)
    since = np.concatenate([homes.joined, firms.trial])
    tables = {
        "divisions": _divisions(),
        "reps": reps,
        "assignments": assignments,
        "customers": register.customers,
        "households": register.households,
        "contacts": register.contacts,
        "products": range_.catalogue.products(),
        "order_lines": lines,
        "touches": dealings.make_touches(
            streams, homes, firms, rep, rep_ids, reps["division_id"], ids, register.main_contact, span
        ),
        "proposals": proposals,
        "deals": dealings.make_deals(streams, firms, range_, rep, rep_ids, ids, span),
        "survey_answers": _opinions(streams, orders, loyalty, ids, register),
        "usage": dealings.make_usage(streams, firms, range_, ids, span),
        "tickets": dealings.make_tickets(streams, loyalty, since, ids, register.main_contact, span),
        "web_events": dealings.make_web_events(streams, firms, homes, ids, span),
        "facts": dealings.make_facts(streams, homes, firms, rep, rep_ids, ids, span),
        "consents": person_consents(
            streams, persons, ids, register.main_contact, since.astype(np.int64), "教室だよりを受け取る"
        ),
        "outcomes": outcomes,
    }
    story = tell_story(homes, ids, register.main_contact, rep_ids, span)
    for name, rows in story.rows.items():
        # what the story says of a customer counts before what chance said of the same
        own = rows.select("customer_id").unique()
        kept = tables[name].join(own, on="customer_id", how="anti", maintain_order="left")
        tables[name] = pl.concat([rows, kept])
    truths = _truths(streams, homes, firms, loyalty, range_, planted, orders, order_ids, unit, register, ids, span)
    truths |= {"responses": responses, "effects": effect_truth(responses, WINDOW), "story": story.truth}
    return Simulated(tables, truths, NAME_JA, NAME_EN)


def _divisions() -> pl.DataFrame:
    names = ("division_id", "name", "is_window")
    return canonical("divisions", len(DIVISIONS), {n: [d[at] for d in DIVISIONS] for at, n in enumerate(names)})


def _order_lines(
    streams: Streams, orders: Orders, range_: Range, unit: Int64, order_ids: pl.Series, ids: pl.Series
) -> pl.DataFrame:
    random = streams.part("terms")
    lines = orders.lines
    channel = lines.origin[orders.first_line].astype(np.int64)
    minutes = np.where(channel == 0, 0, random.integers(600, 1260, orders.count))
    terms = Terms(
        order_ids=order_ids,
        customer_ids=ids.gather(lines.customer),
        minutes=minutes,
        unit_price=unit,
        division_ids=range_.catalogue.division_codes().gather(lines.product),
        rep_ids=pl.Series([None], dtype=pl.String).new_from_index(0, lines.size),
        channel=pick(CHANNELS, channel[orders.order]),
    )
    return order_lines(orders, range_.catalogue, terms)


def _proposals(
    streams: Streams,
    range_: Range,
    planted: Planted,
    orders: Orders,
    order_ids: pl.Series,
    rep: Int64,
    rep_ids: pl.Series,
    ids: pl.Series,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What families were told before April, what came of it, and the truth about those left for later too."""
    random = streams.part("proposals")
    answers, catalogue = planted.answers, range_.catalogue
    made = ~answers.held_out
    who = np.flatnonzero(made)
    all_ids = codes("B", np.cumsum(made).astype(np.int64), 8)
    proposal_ids = pl.DataFrame({"i": all_ids, "m": made}).select(pl.when("m").then("i")).to_series()
    won = answers.bought[who]
    result = np.where(won, 0, np.where(random.random(who.size) < 0.5, 1, 2))
    reason = np.where(result == 1, random.integers(0, len(_DECLINES), who.size), -1)
    price = catalogue.price[answers.product].astype(np.int64)
    customer_ids = ids.gather(answers.customer[who])
    product_ids = catalogue.codes.gather(answers.product[who])
    reps = rep_ids.gather(rep[answers.customer[who]])
    results = pick(("won", "declined", "considering"), result)
    proposals = canonical(
        "proposals",
        who.size,
        {
            "proposal_id": proposal_ids.gather(who),
            "customer_id": customer_ids,
            "product_id": product_ids,
            "family": pick(catalogue.families, catalogue.family[answers.product[who]]),
            "rep_id": reps,
            "proposed_at": moments(answers.day[who], np.full(who.size, 960)),
            "result": results,
            "reason": pick(_DECLINES, reason),
            "amount": price[who],
        },
    )
    came = np.where(won, answers.bought_day[who], answers.day[who])
    outcomes = canonical(
        "outcomes",
        who.size,
        {
            "outcome_id": codes("U", np.arange(1, who.size + 1), 8),
            "customer_id": customer_ids,
            "product_id": product_ids,
            "offer_kind": "upsell",
            "play": PLAY,
            "channel": "visit",
            "rep_id": reps,
            "happened_at": moments(came, np.full(who.size, 1000)),
            "result": results,
            "reason": pick(_DECLINES, reason),
            "amount": pl.Series(np.where(won, price[who], -1)).replace(-1, None),
        },
    )
    order = np.where(answers.bought, order_of(orders, answers.customer, answers.bought_day), -1)
    responses = response_truth(answers, PLAY, "X", ids, catalogue.codes, price, pick(order_ids, order), proposal_ids)
    return proposals, outcomes, responses


def _opinions(streams: Streams, orders: Orders, loyalty: Float64, ids: pl.Series, register: Register) -> pl.DataFrame:
    random = streams.part("opinions")
    first = orders.first_line
    asked = np.flatnonzero(random.random(orders.count) < 0.03)
    customer = orders.lines.customer[first[asked]].astype(np.int64)
    day = orders.lines.day[first[asked]]
    return nps_answers(random, "満足度アンケート", customer, day, loyalty, ids, register.main_contact)


def _truths(
    streams: Streams,
    homes: Households,
    firms: Firms,
    loyalty: Float64,
    range_: Range,
    planted: Planted,
    orders: Orders,
    order_ids: pl.Series,
    unit: Int64,
    register: Register,
    ids: pl.Series,
    span: Span,
) -> dict[str, pl.DataFrame]:
    catalogue, moves, cycles = range_.catalogue, planted.moves, planted.cycles
    is_firm = np.arange(ids.len()) >= homes.size
    sales = yearly_sales(orders, catalogue, unit, ids.len(), span.past)
    usual = sales.sum(axis=0) / np.maximum((sales > 0).sum(axis=0), 1)
    for name in ("手数料", "文具"):
        usual[catalogue.families.index(name)] = 0.0
    wallet, share = wallet_from_sales(streams.part("wallets"), sales, usual)
    # households have no use for the cloud and companies none for lessons
    of_firms = np.array([name in ("まなびクラウド", "クラウド追加", "まなびデザイン") for name in catalogue.families])
    wallet[is_firm[:, None] != of_firms[None, :]] = 0.0
    exploring = np.concatenate([homes.exploring, np.zeros(firms.customer.size)])
    lapsed = np.concatenate([homes.lapsed, np.where(firms.converted, firms.ends, firms.trial + 30)])
    joined = np.concatenate([homes.joined, firms.trial])
    grade = school_year(homes.birthday, np.full(homes.parent.size, span.past - 1))
    tried = firms.customer
    runs = firms.converted
    plans = catalogue.places(PLANS)
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
            ids,
            pick(("household", "company"), is_firm.astype(np.int64)),
            exploring,
            loyalty,
            joined.astype(np.int32),
            lapsed.astype(np.int32),
            span.past,
        ),
        "wallets": wallet_truth(ids, catalogue.families, wallet, share, np.arange(ids.len())),
        "lucky_orders": lucky_truth(orders, order_ids, ids, catalogue, planted.lucky),
        "households": truth(
            {
                "customer_id": ids.gather(homes.parent),
                "contact_id": register.child_contact,
                "birthday": days(homes.birthday),
                "school_year": grade,
                "starts_on": days(np.where(homes.starts < homes.ends, homes.starts, -1)),
                "ends_on": days(np.where((homes.starts < homes.ends) & (homes.ends < span.past), homes.ends, -1)),
                "medicine": homes.medicine,
            },
            {
                "customer_id": pl.String,
                "contact_id": pl.String,
                "birthday": pl.Date,
                "school_year": pl.Int64,
                "starts_on": pl.Date,
                "ends_on": pl.Date,
                "medicine": pl.Boolean,
            },
        ),
        "contracts": truth(
            {
                "customer_id": ids.gather(tried),
                "product_id": catalogue.codes.gather(plans[np.where(runs, firms.before, 1)]),
                "trial_on": days(firms.trial),
                "converted": runs,
                "annual": firms.annual & runs,
                "started_on": days(np.where(runs, firms.trial + 30, -1)),
                "ends_on": days(np.where(runs, firms.ends, firms.trial + 30)),
                "ended": np.where(runs, firms.ends, firms.trial + 30) < span.past,
            },
            {
                "customer_id": pl.String,
                "product_id": pl.String,
                "trial_on": pl.Date,
                "converted": pl.Boolean,
                "annual": pl.Boolean,
                "started_on": pl.Date,
                "ends_on": pl.Date,
                "ended": pl.Boolean,
            },
        ),
    }
