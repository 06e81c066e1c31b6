"""What to speak of first, and what the year should bring."""

from datetime import date

import polars as pl
import pytest

from nobishiro.contracts.tables import TABLES
from nobishiro.engine.decide.leads import choose_leads
from nobishiro.engine.decide.targets import target_of_year
from nobishiro.engine.store.types import polars_schema


def test_a_and_b_hear_of_something_new_c_and_d_of_what_is_due():
    positions = pl.DataFrame({"customer_id": list("abcdu"), "quadrant": ["A", "B", "C", "D", None]})
    offers = pl.DataFrame(
        [
            {"customer_id": c, "product_id": f"{kind}-{c}", "kind": kind, "rank": 1, "why_ja": "", "why_en": ""}
            for c in "abcdu"
            for kind in ("new", "replenishment")
        ]
    )
    families = pl.DataFrame({"product_id": ["new-a"], "family": ["画像検査"]})
    leads = choose_leads(positions, offers, families)
    assert dict(leads.select("customer_id", "product_id").iter_rows()) == {
        "a": "new-a", "b": "new-b", "c": "replenishment-c", "d": "replenishment-d", "u": "replenishment-u",
    }  # fmt: skip
    assert leads.filter(customer_id="a")["family"].item() == "画像検査"


def targets(*rows):
    return pl.DataFrame(
        [dict.fromkeys(TABLES["targets"].column_names) | row for row in rows], schema=polars_schema(TABLES["targets"])
    )


def target(scope, who, amount):
    return {
        "scope": scope, "scope_id": who, "measure": "sales", "amount": amount,
        "period_start": date(2026, 4, 1), "period_end": date(2027, 3, 31),
    }  # fmt: skip


def test_the_companys_target_counts_before_the_divisions():
    both = targets(target("company", "all", 3_650_000), target("division", "d1", 1))
    year = target_of_year(both, 730_000.0, date(2026, 11, 21))
    assert (year.target, year.on_course) == (pytest.approx(3_650_000.0), pytest.approx(730_000.0))


def test_without_a_company_target_the_divisions_are_added_up():
    two = targets(target("division", "d1", 365_000), target("division", "d2", 365_000))
    assert target_of_year(two, 0.0, date(2026, 11, 21)).target == pytest.approx(730_000.0)


def test_a_target_of_another_year_is_none():
    assert target_of_year(targets(target("company", "all", 1)), 0.0, date(2028, 1, 1)).target is None
