"""Customers who are persons: names, addresses, mail and what they agreed to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from nobishiro.simulation.frames import Flags, Int64, canonical, moments, pick
from nobishiro.simulation.names import FAMILY_NAMES, addresses, name_people
from nobishiro.simulation.streams import Streams


@dataclass(frozen=True, slots=True)
class Persons:
    """N people."""

    family: Int64
    """(N,) position of the family name, so that children share it."""
    names: pl.DataFrame
    """family_name, given_name, name_kana, woman."""
    where: pl.DataFrame
    """prefecture, postal_code, address, phone."""
    full_name: pl.Series
    email: pl.Series


def draw_persons(streams: Streams, ids: pl.Series, women: float) -> Persons:
    """One person a code; mail goes to `.example`."""
    random = streams.part("persons")
    count = ids.len()
    family = random.integers(0, len(FAMILY_NAMES), count)
    names = name_people(random, family, random.random(count) < women)
    full = names.select(pl.concat_str("family_name", pl.lit(" "), "given_name")).to_series()
    email = pl.select(pl.format("{}@mail.example", ids.str.to_lowercase())).to_series()
    return Persons(family, names, addresses(random, count), full, email)


def person_consents(
    streams: Streams, persons: Persons, ids: pl.Series, contact_ids: pl.Series, day: Int64, wording: str
) -> pl.DataFrame:
    """Seven in ten agreed to mail on their day, one in twenty of those refused later."""
    random = streams.part("consents")
    agreed = np.flatnonzero(random.random(ids.len()) < 0.7)
    refused: Flags = random.random(agreed.size) < 0.05
    who = np.concatenate([agreed, agreed[refused]])
    later = np.arange(who.size) >= agreed.size
    return canonical(
        "consents",
        who.size,
        {
            "address": persons.email.gather(who),
            "channel": "mail",
            "customer_id": ids.gather(who),
            "contact_id": contact_ids.gather(who),
            "state": pick(("granted", "refused"), later.astype(np.int64)),
            "basis": "opt_in",
            "changed_at": moments(day[who] + np.where(later, 1, 0), np.where(later, 1080, 600)),
            "wording": wording,
            "source": pick(("会員登録", "配信停止ボタン"), later.astype(np.int64)),
        },
    )
