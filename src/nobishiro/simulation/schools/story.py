"""The families and companies the product's story is told with: made by hand, the same whatever the seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from nobishiro.simulation.calendar import Span
from nobishiro.simulation.frames import canonical, days, moments, truth
from nobishiro.simulation.schools.households import Households, academic_year
from nobishiro.simulation.schools.purchases import Firms

BEGINNER, DOCTOR = 0, 1
"""Households by position: the eldest begins school next April; the eldest is in high school, wants medicine."""
NURTURED, TRIAL, FULL = 0, 1, 2
"""Companies by position: lost on price and interested again; at the end of the trial; at the limit of the plan."""
STORY_TRUTH: Final = {"customer_id": pl.String, "part": pl.String, "expected": pl.String}


def cast_households(homes: Households, span: Span) -> Households:
    """The households with the eldest of the first two made what the story needs."""
    birthday, starts, ends, medicine = (
        homes.birthday.copy(),
        homes.starts.copy(),
        homes.ends.copy(),
        homes.medicine.copy(),
    )
    joined, lapsed = homes.joined.copy(), homes.lapsed.copy()
    now = int(academic_year(np.array([span.past - 1]), 1)[0])
    for parent, grade in ((BEGINNER, 0), (DOCTOR, 10)):
        mine = np.flatnonzero(homes.parent == parent)
        eldest = mine[0]
        birthday[eldest] = int(np.datetime64(f"{now - 6 - grade}-07-15", "D").astype(np.int64))
        younger = mine[1:]
        birthday[younger] = np.maximum(birthday[younger], birthday[eldest] + 400)
        birthday[younger] = np.minimum(birthday[younger], span.past - 500)
        joined[parent], lapsed[parent] = span.past - 400, span.past
        starts[mine], ends[mine] = span.past - 400, span.past - 400
        ends[eldest] = span.past
        medicine[eldest] = False
    return replace(homes, birthday=birthday, starts=starts, ends=ends, medicine=medicine, joined=joined, lapsed=lapsed)


def cast_firms(firms: Firms, span: Span) -> Firms:
    """The companies with the first three made what the story needs."""
    trial, converted, designs = firms.trial.copy(), firms.converted.copy(), firms.designs.copy()
    before, after, ends, annual = firms.before.copy(), firms.after.copy(), firms.ends.copy(), firms.annual.copy()
    staff = firms.staff.copy()
    converted[[NURTURED, TRIAL, FULL]] = False, False, True
    designs[[NURTURED, TRIAL, FULL]] = 0.0
    trial[[NURTURED, TRIAL, FULL]] = span.past - 300, span.past - 25, span.past - 330
    before[FULL] = after[FULL] = 0
    annual[FULL], ends[FULL], staff[FULL] = False, span.past + 400, 48
    return replace(
        firms,
        trial=trial,
        converted=converted,
        designs=designs,
        before=before,
        after=after,
        ends=ends,
        annual=annual,
        staff=staff,
    )


@dataclass(frozen=True, slots=True)
class Story:
    """Rows beside the drawn ones, by canonical table, and what each story customer is there for."""

    rows: dict[str, pl.DataFrame]
    truth: pl.DataFrame


def tell_story(homes: Households, ids: pl.Series, contacts: pl.Series, reps: pl.Series, span: Span) -> Story:
    """Deals, mails, clicks and facts of the story customers."""
    lost = ids[homes.size + NURTURED]
    rep = reps[reps.len() - 1]
    mails = np.arange(span.past - 84, span.past - 2, 14)
    touches = canonical(
        "touches",
        mails.size,
        {
            "touch_id": [f"TS{number:05d}" for number in range(1, mails.size + 1)],
            "customer_id": lost,
            "contact_id": contacts[homes.size + NURTURED],
            "rep_id": rep,
            "division_id": "G60",
            "kind": "mail",
            "direction": "outbound",
            "happened_at": moments(mails, np.full(mails.size, 540)),
            "minutes": 0.0,
            "subject": "採用サイトの作り方(隔週便)",
        },
    )
    clicks = np.array([span.past - 27, span.past - 13, span.past - 13, span.past - 12])
    events = canonical(
        "web_events",
        clicks.size,
        {
            "event_id": [f"WS{number:05d}" for number in range(1, clicks.size + 1)],
            "customer_id": lost,
            "visitor_id": "vstory",
            "happened_at": moments(clicks, np.array([605, 610, 612, 620])),
            "kind": ["click", "click", "click", "download"],
            "subject": ["採用サイト事例", "料金の考え方", "紹介動画の事例", "紹介動画 制作ガイド"],
            "product_id": [None, None, "DS-M", "DS-M"],
        },
    )
    deals = canonical(
        "deals",
        2,
        {
            "deal_id": ["NS00001", "NS00002"],
            "customer_id": lost,
            "name": ["ウェブサイト制作", "紹介動画制作"],
            "product_id": ["DS-W", "DS-M"],
            "family": "まなびデザイン",
            "rep_id": rep,
            "division_id": "G60",
            "stage": ["失注", "引合い"],
            "outcome": ["lost", "open"],
            "amount": [880_000, 560_000],
            "opened_on": days(np.array([span.past - 160, span.past - 8])),
            "expected_on": days(np.array([span.past - 95, span.past + 40])),
            "closed_on": days(np.array([span.past - 95, -1])),
            "lost_reason": ["価格", None],
            "competitor": ["ミドリ工房(架空)", None],
        },
    )
    facts = canonical(
        "facts",
        2,
        {
            "customer_id": [ids[DOCTOR], lost],
            "fact": ["next_interest", "total_spend"],
            "subject": "-",
            "value": ["医学部を目指したい(面談にて)", "年間およそ400万円"],
            "amount": [None, 4_000_000],
            "learned_on": days(np.array([span.past - 12, span.past - 100])),
            "source": ["visit", "visit"],
            "rep_id": [reps[0], rep],
        },
    )
    rows = (
        (ids[BEGINNER], "begins_school", "the eldest is in the last year before school: told from October"),
        (ids[DOCTOR], "aspiration", "first year of high school, wants medicine: 医志コース"),
        (lost, "nurture", "design deal lost on price, mails every second week, three clicks and a download, new deal"),
        (ids[homes.size + TRIAL], "trial_end", "the cloud's trial ends in five days"),
        (ids[homes.size + FULL], "limit_reached", "seats of Starter used up"),
    )
    columns = dict(zip(STORY_TRUTH, zip(*rows, strict=True), strict=True))
    return Story(
        {"touches": touches, "web_events": events, "deals": deals, "facts": facts}, truth(columns, STORY_TRUTH)
    )
