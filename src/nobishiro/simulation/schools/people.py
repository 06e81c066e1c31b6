"""Customers, households, children and our staff of みらい学びグループ as canonical tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from nobishiro.simulation.calendar import Span
from nobishiro.simulation.frames import Int64, canonical, codes, days, pick
from nobishiro.simulation.names import (
    addresses,
    company_names,
    corporate_numbers,
    name_people,
    people_names,
)
from nobishiro.simulation.persons import Persons
from nobishiro.simulation.schools.catalogue import DIVISIONS
from nobishiro.simulation.schools.households import Households, school_year
from nobishiro.simulation.schools.purchases import Firms
from nobishiro.simulation.streams import Streams

_TRADES: Final = (
    ("ソフトウェア", "ソフトウェア", "情報通信"),
    ("商事", "ショウジ", "卸売"),
    ("建設", "ケンセツ", "建設"),
    ("会計事務所", "カイケイジムショ", "専門サービス"),
    ("介護サービス", "カイゴサービス", "福祉"),
    ("ホテル", "ホテル", "宿泊"),
    ("運輸", "ウンユ", "運輸"),
    ("設計", "セッケイ", "専門サービス"),
)
STORY_FIRMS: Final = ("鶫久見ソフトウェア株式会社", "株式会社雫郷田商事", "蒼手原会計事務所")


@dataclass(frozen=True, slots=True)
class Register:
    """Who is a customer, and the codes of the contacts: children first, then parents, then people at companies."""

    customers: pl.DataFrame
    households: pl.DataFrame
    contacts: pl.DataFrame
    main_contact: pl.Series
    """(N,) the contact to speak with at each customer."""
    child_contact: pl.Series
    """(K,)"""


def make_register(
    streams: Streams, homes: Households, firms: Firms, persons: Persons, ids: pl.Series, span: Span
) -> Register:
    """Parents who pay, children who learn, companies that subscribe."""
    random = streams.part("register")
    size, firm_count, children = homes.size, firms.customer.size, homes.parent.size
    household_ids = codes("H", np.arange(1, size + 1), 6)
    where = persons.where.head(size)
    households = canonical(
        "households",
        size,
        {
            "household_id": household_ids,
            "name": persons.names["family_name"].head(size),
            "postal_code": where["postal_code"],
            "prefecture": where["prefecture"],
            "address": where["address"],
            "phone": where["phone"],
        },
    )
    state = np.where(homes.lapsed < span.past - 365, 1, 0)
    parents = canonical(
        "customers",
        size,
        {
            "customer_id": ids.head(size),
            "name": persons.full_name.head(size),
            "name_kana": persons.names["name_kana"].head(size),
            "kind": "person",
            "state": pick(("active", "dormant"), state),
            "postal_code": where["postal_code"],
            "prefecture": where["prefecture"],
            "address": where["address"],
            "phone": where["phone"],
            "household_id": household_ids,
            "acquired_by": pick(("leaflet", "web", "introduction", "visit"), random.integers(0, 4, size)),
            "acquired_on": days(homes.joined),
        },
    )
    companies = _companies(streams, firms, ids.slice(size), span)
    child_ids = codes("K", np.arange(1, children + 1), 7)
    parent_ids = codes("P", np.arange(1, size + 1), 7)
    firm_ids = codes("P", np.arange(size + 1, size + firm_count + 1), 7)
    named = name_people(random, persons.family[homes.parent], random.random(children) < 0.5)
    grade = school_year(homes.birthday, np.full(children, span.past - 1))
    stage = np.where(grade <= 0, 0, np.where(grade <= 6, 1, np.where(grade <= 9, 2, np.where(grade <= 12, 3, 4))))
    learners = canonical(
        "contacts",
        children,
        {
            "contact_id": child_ids,
            "customer_id": ids.gather(homes.parent),
            "family_name": named["family_name"],
            "given_name": named["given_name"],
            "name_kana": named["name_kana"],
            "title": pick(("未就学", "小学生", "中学生", "高校生", "高卒生"), stage),
            "is_decision_maker": False,
            "birthday": days(homes.birthday),
        },
    )
    payers = canonical(
        "contacts",
        size,
        {
            "contact_id": parent_ids,
            "customer_id": ids.head(size),
            "family_name": persons.names["family_name"].head(size),
            "given_name": persons.names["given_name"].head(size),
            "name_kana": persons.names["name_kana"].head(size),
            "title": "保護者",
            "email": persons.email.head(size),
            "phone": where["phone"],
            "is_decision_maker": True,
        },
    )
    people = people_names(random, firm_count)
    clerks = canonical(
        "contacts",
        firm_count,
        {
            "contact_id": firm_ids,
            "customer_id": ids.slice(size),
            "family_name": people["family_name"],
            "given_name": people["given_name"],
            "name_kana": people["name_kana"],
            "department": pick(("人事部", "総務部", "経営企画", "広報"), random.integers(0, 4, firm_count)),
            "title": pick(("担当", "課長", "部長"), random.integers(0, 3, firm_count)),
            "email": persons.email.slice(size),
            "is_decision_maker": random.random(firm_count) < 0.4,
        },
    )
    return Register(
        pl.concat([parents, companies]),
        households,
        pl.concat([learners, payers, clerks]),
        pl.concat([parent_ids, firm_ids]),
        child_ids,
    )


def _companies(streams: Streams, firms: Firms, ids: pl.Series, span: Span) -> pl.DataFrame:
    random = streams.part("companies")
    count = firms.customer.size
    trade = random.integers(0, len(_TRADES), count)
    words = pl.DataFrame({"word": [t[0] for t in _TRADES], "reading": [t[1] for t in _TRADES]})
    named = company_names(random, words, trade)
    names = pl.concat([pl.Series(STORY_FIRMS[:count], dtype=pl.String), named["name"].slice(len(STORY_FIRMS))])
    where = addresses(random, count)
    active = firms.converted & (firms.ends >= span.past)
    trying = firms.trial + 30 >= span.past
    state = np.where(active | trying, 0, np.where(firms.converted, 1, 2))
    return canonical(
        "customers",
        count,
        {
            "customer_id": ids,
            "name": names,
            "name_kana": named["name_kana"],
            "kind": "company",
            "state": pick(("active", "dormant", "lost"), state),
            "corporate_number": corporate_numbers(np.arange(count, dtype=np.int64) * 61_703 + 5_000_000_000),
            "industry": pick([t[2] for t in _TRADES], trade),
            "employees": firms.staff,
            "annual_sales": (firms.staff * random.uniform(8e6, 25e6, count) / 1e6).astype(np.int64) * 1_000_000,
            "postal_code": where["postal_code"],
            "prefecture": where["prefecture"],
            "address": where["address"],
            "phone": where["phone"],
            "mail_domain": pl.select(pl.format("{}.example", ids.str.to_lowercase())).to_series(),
            "acquired_by": pick(("web", "fair", "introduction"), random.integers(0, 3, count)),
            "acquired_on": days(firms.trial - 7),
        },
    )


def make_staff(
    streams: Streams, homes: Households, firms: Firms, ids: pl.Series, span: Span
) -> tuple[pl.DataFrame, pl.DataFrame, Int64]:
    """(reps, assignments, (N,) position of the main rep); parents by their eldest's stage, companies by the cloud."""
    random = streams.part("staff")
    each = max(2, ids.len() // (len(DIVISIONS) * 400))
    count = each * len(DIVISIONS)
    named = people_names(random, count)
    division = pick([d[0] for d in DIVISIONS], np.repeat(np.arange(len(DIVISIONS)), each))
    rep_ids = codes("R", np.arange(1, count + 1), 4)
    reps = canonical(
        "reps",
        count,
        {
            "rep_id": rep_ids,
            "name": named.select(pl.concat_str("family_name", pl.lit(" "), "given_name")).to_series(),
            "division_id": division,
            "email": pl.select(pl.format("{}@mirai-manabi.example", rep_ids.str.to_lowercase())).to_series(),
            "hours_per_month": 60.0,
            "valid_from": days(np.full(count, span.first)),
        },
    )
    eldest = np.full(homes.size, -3, np.int64)
    np.maximum.at(eldest, homes.parent, school_year(homes.birthday, np.full(homes.parent.size, span.past - 1)))
    place = np.where(eldest <= 0, 0, np.where(eldest <= 9, 1, 2))
    place = np.concatenate([place, np.where(firms.converted, 4, 5)])
    rep = place * each + random.integers(0, each, ids.len())
    since = np.concatenate([homes.joined, firms.trial])
    assignments = canonical(
        "assignments",
        ids.len(),
        {
            "customer_id": ids,
            "division_id": division.gather(rep),
            "rep_id": rep_ids.gather(rep),
            "role": "main",
            "valid_from": days(since),
        },
    )
    return reps, assignments, rep
