"""のびしろ計器, put together: canonical tables and truths of one fictional maker."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from nobishiro.contracts.protocols import ProgressReport
from nobishiro.simulation.calendar import Span, opening_minutes
from nobishiro.simulation.catalogue import customer_codes
from nobishiro.simulation.company import Simulated, SimulationSettings
from nobishiro.simulation.exploring import NEVER
from nobishiro.simulation.frames import Float64, canonical, codes, days, moments, pick
from nobishiro.simulation.maker import dealings, knowledge
from nobishiro.simulation.maker.catalogue import DIVISIONS, SEASONS, TAKERS, Range, maker_range
from nobishiro.simulation.maker.population import (
    INDUSTRIES,
    NONE,
    SEGMENTS,
    STORY,
    Population,
    draw_population,
    trades,
)
from nobishiro.simulation.maker.purchases import CHANNELS, PLAY, WEB, WINDOW, Planted, buy
from nobishiro.simulation.maker.story import story_customers, tell_story
from nobishiro.simulation.maker.words import DECLINES
from nobishiro.simulation.names import addresses, company_names, corporate_numbers
from nobishiro.simulation.orders import Orders, Terms, arrange, order_codes, order_lines, order_of, pair_truth
from nobishiro.simulation.response import effect_truth, response_truth
from nobishiro.simulation.streams import Streams
from nobishiro.simulation.truths import (
    contract_truth,
    customer_truth,
    cycle_truth,
    ladder_truth,
    lucky_truth,
    move_truth,
    season_truth,
    wallet_truth,
)

NAME_JA: Final = "のびしろ計器"
NAME_EN: Final = "Nobishiro Keiki"


def simulate_maker(settings: SimulationSettings, progress: ProgressReport) -> Simulated:
    """The maker with `settings.customers` customers."""
    streams = Streams(settings.seed, "maker")
    span = Span.before(settings.as_of, settings.months)
    range_ = maker_range(settings.as_of)
    progress("simulate.customers", 0, 0)
    people = draw_population(streams, settings.customers, range_, span)
    ids = customer_codes(people.size)
    progress("simulate.orders", 0, 0)
    bought, planted = buy(streams, people, range_, span)
    orders = arrange(bought)
    del bought
    staff = dealings.make_staff(streams, people, range_, ids, span)
    lines, order_ids = _order_lines(streams, people, range_, orders, staff, ids)
    progress("simulate.dealings", 0, 0)
    contacts = dealings.make_contacts(streams, people, ids)
    touches = dealings.make_touches(streams, people, planted, staff, contacts, _record(lines, ids, span), ids, span)
    proposals, outcomes, responses = _proposals(streams, people, range_, planted, orders, order_ids, staff, ids, span)
    story = tell_story(range_, staff.reps, settings.as_of)
    tables = {
        "divisions": canonical(
            "divisions",
            len(DIVISIONS),
            {
                "division_id": [d[0] for d in DIVISIONS],
                "name": [d[1] for d in DIVISIONS],
                "is_window": [d[2] for d in DIVISIONS],
            },
        ),
        "reps": staff.reps,
        "assignments": staff.assignments,
        "customers": _customers(streams, people, ids, span),
        "contacts": contacts.table.filter(pl.Series(contacts.customer >= STORY)),
        "products": range_.catalogue.products(),
        "order_lines": lines,
        "touches": touches.table,
        "proposals": proposals,
        "deals": knowledge.make_deals(streams, people, range_, staff, ids, span),
        "survey_answers": knowledge.make_opinions(streams, people, contacts, ids, span),
        "tickets": knowledge.make_tickets(streams, people, contacts, range_, ids, span),
        "web_events": knowledge.make_web_events(streams, people, range_, ids, span),
        "facts": knowledge.make_facts(streams, people, planted, range_, staff, ids, span),
        "tags": knowledge.make_tags(streams, people, touches, staff, ids, span),
        "consents": knowledge.make_consents(streams, people, contacts, span),
        "outcomes": outcomes,
    }
    tables["consents"] = tables["consents"].filter(
        pl.col("contact_id").is_in(tables["contacts"]["contact_id"].implode())
    )
    for name, rows in story.rows.items():
        tables[name] = pl.concat([rows, tables[name]]) if name in tables else rows
    tables["targets"] = knowledge.make_targets(tables["order_lines"], staff, settings.as_of)
    truths = _truths(people, range_, planted, orders, order_ids, ids, span)
    truths |= {"responses": responses, "effects": effect_truth(responses, WINDOW), "story": story.truth}
    return Simulated(tables, truths, NAME_JA, NAME_EN)


def _record(lines: pl.DataFrame, ids: pl.Series, span: Span) -> Float64:
    """(N,) yen each drawn customer bought in the 365 days before `as_of`."""
    day = pl.col("ordered_at").cast(pl.Date).to_physical()
    year = lines.filter(day >= span.past - 365).group_by("customer_id").agg(pl.col("amount").cast(pl.Float64).sum())
    known = pl.DataFrame({"customer_id": ids}).join(year, on="customer_id", how="left", maintain_order="left")
    record: Float64 = known["amount"].fill_null(0.0).to_numpy()
    return record


def _customers(streams: Streams, people: Population, ids: pl.Series, span: Span) -> pl.DataFrame:
    random = streams.part("customers")
    count = people.size
    words, _ = trades()
    named = company_names(random, words, people.trade)
    where = addresses(random, count)
    staff = np.maximum(np.round(np.exp(random.normal(4.2, 1.0, count)) * (people.total / 6e6) ** 0.35), 3).astype(
        np.int64
    )
    sales = (staff * random.uniform(12e6, 34e6, count) / 1e6).astype(np.int64) * 1_000_000
    number = corporate_numbers(random.permutation(count).astype(np.int64) * 48_611 % 10**10 + 1_000)
    state = np.where(people.segment == NONE, 3, np.where(people.lapsed < span.past - 365, 1, 0))
    acquired = np.where(people.joined == NEVER, span.past - 200, people.joined - 30)
    frame = canonical(
        "customers",
        count,
        {
            "customer_id": ids,
            "name": named["name"],
            "name_kana": named["name_kana"],
            "kind": "company",
            "state": pick(("active", "dormant", "lost", "prospect"), state),
            "corporate_number": number,
            "industry": pick([row[0] for row in INDUSTRIES], people.industry),
            "employees": staff,
            "annual_sales": sales,
            "postal_code": where["postal_code"],
            "prefecture": where["prefecture"],
            "address": where["address"],
            "phone": where["phone"],
            "mail_domain": pl.select(pl.format("{}.example", ids.str.to_lowercase())).to_series(),
            "acquired_by": pick(
                ("visit", "fair", "web", "introduction"), random.choice(4, count, p=[0.5, 0.2, 0.2, 0.1])
            ),
            "acquired_on": days(acquired),
        },
    )
    story = story_customers()
    told = frame.head(STORY).with_columns(
        *(story[name].cast(frame.schema[name]) for name in story.columns),
    )
    return pl.concat([told, frame.slice(STORY)])


def _order_lines(
    streams: Streams, people: Population, range_: Range, orders: Orders, staff: dealings.Staff, ids: pl.Series
) -> tuple[pl.DataFrame, pl.Series]:
    random = streams.part("terms")
    order_ids = order_codes("O", orders.count)
    lines = orders.lines
    catalogue = range_.catalogue
    price = catalogue.price[lines.product] * (1.0 - people.discount[lines.customer])
    unit = (np.round(price / 10.0) * 10.0).astype(np.int64)
    # the whole order came the way of its first line
    channel = lines.origin[orders.first_line]
    at_night = channel == WEB
    minutes = opening_minutes(random, orders.count, 9, 18)
    minutes = np.where(at_night, opening_minutes(random, orders.count, 7, 23), minutes)
    by_line = channel[orders.order].astype(np.int64)
    rep = np.where(by_line == WEB, -1, people.rep[lines.customer])
    terms = Terms(
        order_ids=order_ids,
        customer_ids=ids.gather(lines.customer),
        minutes=minutes,
        unit_price=unit,
        division_ids=catalogue.division_codes().gather(lines.product),
        rep_ids=pick(staff.rep_ids, rep),
        channel=pick(CHANNELS, by_line),
    )
    return order_lines(orders, catalogue, terms), order_ids


def _proposals(
    streams: Streams,
    people: Population,
    range_: Range,
    planted: Planted,
    orders: Orders,
    order_ids: pl.Series,
    staff: dealings.Staff,
    ids: pl.Series,
    span: Span,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Proposals, their outcomes, and the truth about both arms; whom chance held out has neither of the first two."""
    random = streams.part("proposals")
    answers, catalogue = planted.answers, range_.catalogue
    made = ~answers.held_out
    number = np.cumsum(made).astype(np.int64)
    all_ids = codes("K", number, 8)
    proposal_ids = pl.DataFrame({"i": all_ids, "m": made}).select(pl.when("m").then("i")).to_series()
    won = answers.bought_day >= 0
    order = np.where(won, order_of(orders, answers.customer, answers.bought_day), -1)
    price = catalogue.price[answers.product] * (1.0 - people.discount[answers.customer])
    amount = (np.round(price / 10.0) * 10.0).astype(np.int64) * answers.quantity
    who = np.flatnonzero(made)
    result = np.where(won[who], 0, np.where(random.random(who.size) < 0.6, 1, 2))
    reason = np.where(result == 1, random.integers(0, len(DECLINES), who.size), -1)
    minute = opening_minutes(random, who.size, 9, 17)
    product_ids, rep_ids = (
        catalogue.codes.gather(answers.product[who]),
        staff.rep_ids.gather(people.rep[answers.customer[who]]),
    )
    results = pick(("won", "declined", "considering"), result)
    reasons = pick(DECLINES, reason)
    customer_ids = ids.gather(answers.customer[who])
    proposals = canonical(
        "proposals",
        who.size,
        {
            "proposal_id": proposal_ids.gather(who),
            "customer_id": customer_ids,
            "product_id": product_ids,
            "family": pick(catalogue.families, catalogue.family[answers.product[who]]),
            "rep_id": rep_ids,
            "proposed_at": moments(answers.day[who], minute),
            "result": results,
            "reason": reasons,
            "amount": amount[who],
        },
    )
    came = np.where(result == 0, answers.bought_day[who], answers.day[who])
    outcomes = canonical(
        "outcomes",
        who.size,
        {
            "outcome_id": codes("U", number[who], 8),
            "customer_id": customer_ids,
            "product_id": product_ids,
            "offer_kind": "cross_sell",
            "play": PLAY,
            "channel": "visit",
            "rep_id": rep_ids,
            "happened_at": moments(came, np.minimum(minute + 30, 1439)),
            "result": results,
            "reason": reasons,
            "amount": pl.Series(np.where(result == 0, amount[who], -1)).replace(-1, None),
        },
    )
    responses = response_truth(answers, PLAY, "X", ids, catalogue.codes, amount, pick(order_ids, order), proposal_ids)
    return proposals, outcomes, responses


def _truths(
    people: Population,
    range_: Range,
    planted: Planted,
    orders: Orders,
    order_ids: pl.Series,
    ids: pl.Series,
    span: Span,
) -> dict[str, pl.DataFrame]:
    drawn = np.flatnonzero(people.drawn)
    cycles = planted.cycles
    return {
        "pairs": pair_truth(
            orders,
            range_.catalogue,
            range_.complements,
            range_.substitutes,
            range_.by_chance,
            TAKERS * range_.chance_rates,
        ),
        "ladders": ladder_truth(range_.catalogue),
        "moves": move_truth(
            orders.lines, ids, range_.catalogue, planted.moves.customer, planted.moves.source, planted.moves.target,
            planted.moves.day, planted.moves.up,
        ),
        "seasons": season_truth(SEASONS),
        "cycles": cycle_truth(ids, range_.catalogue, cycles.customer, cycles.product, cycles.mean, cycles.spread),
        "customers": customer_truth(
            ids.gather(drawn), pick(SEGMENTS, people.segment[drawn]), people.exploring[drawn], people.loyalty[drawn],
            people.joined[drawn], people.lapsed[drawn], span.past,
        ),
        "wallets": wallet_truth(ids, range_.catalogue.families, people.wallet,
                                people.share * (people.opened < people.lapsed[:, None]), drawn),
        "lucky_orders": lucky_truth(orders, order_ids, ids, range_.catalogue, planted.lucky),
        "contracts": contract_truth(ids, range_.catalogue, planted.contracts.customer, planted.contracts.product,
                                    planted.contracts.start, planted.contracts.end, planted.contracts.cancelled),
    }  # fmt: skip
