"""What to speak of first, and what the year should bring."""

from datetime import date

import polars as pl
import pytest

from nobishiro.contracts.tables import TABLES
from nobishiro.engine.decide.leads import choose_leads, spend_told, told_gaps
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


def test_with_a_and_b_what_the_customer_told_leads_and_names_what_most_others_buy():
    positions = pl.DataFrame({"customer_id": list("abc"), "quadrant": ["A", "B", "C"]})
    offers = pl.DataFrame(
        [{"customer_id": c, "product_id": "p9", "kind": "new", "rank": 1, "why_ja": "", "why_en": ""} for c in "abc"]
    )
    families = pl.DataFrame({"product_id": ["p1", "p2", "p9"], "family": ["画像検査", "画像検査", "研修"]})
    facts = pl.DataFrame(
        {
            "customer_id": ["b", "b", "c", "a", "b"],
            "fact": ["total_spend", "total_spend", "total_spend", "outlook", "total_spend"],
            "subject": ["画像検査", "計測", "画像検査", "画像検査", "-"],
            "amount": [6_000_000, 1_000_000, 5_000_000, 1, 9_000_000],
            "learned_on": [date(2026, 10, 1)] * 5,
        }
    )
    gaps = pl.DataFrame(
        {
            "customer_id": ["b", "b", "c", "a"],
            "family": ["画像検査", "計測", "画像検査", "画像検査"],
            "state": ["not_proposed", "not_proposed", "not_proposed", "not_proposed"],
            "expected": [6_000_000.0, 1_000_000.0, 5_000_000.0, 9_000_000.0],
        }
    )
    buyers = pl.DataFrame({"product_id": ["p1", "p2"], "buyers": [3, 8]})
    told = told_gaps(gaps, spend_told(facts, date(2026, 11, 21)), families, buyers)
    leads = choose_leads(positions, offers, families, told)
    assert dict(leads.select("customer_id", "product_id").iter_rows()) == {"a": "p9", "b": "p2", "c": "p9"}
    assert leads.filter(customer_id="b")["why_ja"].item() == (
        "「画像検査」に年およそ600万円の余地。伺った金額からで、まだご提案していません"
    )
    assert leads.filter(customer_id="b")["why_en"].item() == (
        "About 6,000,000 a year for 画像検査 by what they told us; never proposed"
    )


def test_what_was_told_on_the_day_itself_is_not_known_yet():
    facts = pl.DataFrame(
        {
            "customer_id": ["b"],
            "fact": ["total_spend"],
            "subject": ["画像検査"],
            "amount": [1],
            "learned_on": [date(2026, 11, 21)],
        }
    )
    assert spend_told(facts, date(2026, 11, 21)).is_empty()


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
