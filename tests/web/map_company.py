"""A company of six customers and the run that placed them: small enough to be worked by hand.

| code | name | quadrant | potential | track record | decided by |
|---|---|---|---|---|---|
| A1 | 東和食品機械 | A | 3,000,000 | 2,000,000 | computed |
| B1 | 北斗精機 | B | 2,000,000 | 100,000 | computed |
| B2 | みなと樹脂 | B | 1,500,000 | 0 | override |
| C1 | 大空商事 | C | 200,000 | 5,000,000 | computed |
| D1 | 小川工業 | D | 100,000 | 50,000 | tags |
| U1 | なぞの会社 | unknown | – | 10,000 | unknown |

The lines lie at 1,000,000 and 1,000,000. Families: F1 センサ, F2 画像検査. B1 was never offered F1 (400,000) and F2
(900,000); B2 never F2 (not known); A1 buys F1 and was offered F2; C1 buys both; D1 buys F2 elsewhere.
"""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from nobishiro.contracts.results import RESULTS, PlanSummary, Thresholds
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.types import polars_schema
from nobishiro.web.customers.models import Customer, Family, Tag
from nobishiro.web.people.models import Division, Rep

AS_OF = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 6)
CUSTOMERS = (
    # code, name, quadrant, computed, decided, potential, low, high, track, hours
    ("A1", "東和食品機械", "A", "A", "computed", 3_000_000.0, 2_000_000.0, 4_000_000.0, 2_000_000.0, 12.0),
    ("B1", "北斗精機", "B", "B", "computed", 2_000_000.0, 1_000_000.0, 3_000_000.0, 100_000.0, 2.0),
    ("B2", "みなと樹脂", "B", "D", "override", 1_500_000.0, 500_000.0, 2_500_000.0, 0.0, 0.0),
    ("C1", "大空商事", "C", "C", "computed", 200_000.0, 100_000.0, 300_000.0, 5_000_000.0, 40.0),
    ("D1", "小川工業", "D", "D", "tags", 100_000.0, 0.0, 200_000.0, 50_000.0, 1.0),
    ("U1", "なぞの会社", "", "", "unknown", None, None, None, 10_000.0, None),
)
GAPS = (
    # customer, family, state, result, expected, low, high, buyers, missed, rank
    ("A1", "F1", "buying", None, 100_000.0, 0.0, 200_000.0, 40, False, None),
    ("A1", "F2", "proposed", "considering", 800_000.0, 300_000.0, 1_200_000.0, 20, False, None),
    ("B1", "F1", "not_proposed", None, 400_000.0, 100_000.0, 700_000.0, 30, True, 2),
    ("B1", "F2", "not_proposed", None, 900_000.0, 200_000.0, 1_500_000.0, 14, True, 1),
    ("B2", "F2", "not_proposed", None, None, None, None, 0, False, None),
    ("C1", "F1", "buying", None, 50_000.0, 0.0, 100_000.0, 40, False, None),
    ("C1", "F2", "buying", None, 50_000.0, 0.0, 100_000.0, 20, False, None),
    ("D1", "F2", "competitor", None, 60_000.0, 0.0, 100_000.0, 5, False, None),
)
TOUCHES = (
    # id, customer, kind, day, minutes
    ("t1", "A1", "visit", datetime(2026, 11, 4, 10), 120.0),
    ("t2", "B1", "visit", datetime(2026, 11, 5, 10), 60.0),
    ("t3", "C1", "visit", datetime(2026, 11, 6, 10), 600.0),
    ("t4", "C1", "call", datetime(2026, 11, 9, 10), 240.0),
    ("t5", "D1", "mail", datetime(2026, 11, 10, 10), None),
    ("t6", "C1", "visit", datetime(2026, 10, 6, 10), 900.0),
)
LINES = (
    # order, customer, product, day
    ("o1", "A1", "P1", date(2026, 3, 1)), ("o1", "A1", "P2", date(2026, 3, 1)), ("o2", "A1", "P1", date(2026, 4, 1)),
    ("o3", "C1", "P1", date(2026, 5, 1)), ("o4", "C1", "P2", date(2026, 6, 1)), ("o5", "B1", "P1", date(2026, 6, 1)),
)  # fmt: skip


def _frame(table: str, rows: list[dict[str, object]], *, is_result: bool = False) -> pl.DataFrame:
    schema = polars_schema((RESULTS if is_result else TABLES)[table])
    columns = {name: [row.get(name) for row in rows] for name in schema}
    return pl.DataFrame(columns, strict=False).cast(dict(schema.items())) if rows else pl.DataFrame(schema=schema)


def write_company(workspace: Path, *, has_touches: bool = True, has_plan: bool = True) -> Store:
    """The store and one published run at `workspace`."""
    store = Store.create(workspace, at=AT)
    names = {"P1": "光電 <E100>", "P2": "照明 L1", "P3": "=画像 V"}
    with store.begin(Store.new_import_id(AT), "import", "company", AT) as transaction:
        lines = [
            {
                "order_id": order,
                "line_id": f"{order}-{at}",
                "occurrence": 1,
                "customer_id": who,
                "product_id": what,
                "ordered_at": datetime.combine(day, datetime.min.time()),
                "quantity": 1,
                "amount": 10_000,
            }
            for at, (order, who, what, day) in enumerate(LINES)
        ]
        transaction.upsert("order_lines", _frame("order_lines", lines))
        transaction.upsert(
            "products", _frame("products", [{"product_id": code, "name": name} for code, name in names.items()])
        )
        if has_touches:
            touches = [
                {
                    "touch_id": id_,
                    "customer_id": who,
                    "rep_id": "R1",
                    "kind": kind,
                    "happened_at": at,
                    "minutes": minutes,
                }
                for id_, who, kind, at, minutes in TOUCHES
            ]
            transaction.upsert("touches", _frame("touches", touches))
        transaction.commit()
    positions = [
        {
            "customer_id": code, "name": name, "quadrant": quadrant or None, "quadrant_computed": computed or None, "decided_by": decided,
            "potential": potential, "low": low, "high": high, "track_record": track, "what_computed": "large" if potential and potential >= 1e6 else "small",
            "pace_computed": "low", "visits_computed": "seldom", "touch_hours_12m": hours, "rep_id": "R1", "division_id": "D1",
        }
        for code, name, quadrant, computed, decided, potential, low, high, track, hours in CUSTOMERS
    ]  # fmt: skip
    gaps = [
        {
            "customer_id": who, "family": family, "state": state, "proposal_result": result, "expected": expected, "low": low, "high": high,
            "basis": "estimated" if expected is not None else "unknown", "comparable_customers": 50, "comparable_buyers": buyers,
            "is_missed": missed, "rank": rank,
        }
        for who, family, state, result, expected, low, high, buyers, missed, rank in GAPS
    ]  # fmt: skip
    families = [
        {"family": "F1", "name": "センサ", "amount_12m": 9e6},
        {"family": "F2", "name": "画像検査", "amount_12m": 5e6},
    ]
    products = [
        {"product_id": "P1", "name": names["P1"], "family": "F1"}, {"product_id": "P2", "name": names["P2"], "family": "F1"},
        {"product_id": "P3", "name": names["P3"], "family": "F2"},
    ]  # fmt: skip
    pairs = [
        {"product_id": "P1", "other_product_id": "P2", "together": 30, "support": 0.05, "confidence": 0.4, "lift": 3.0, "llr": 50.0, "q_value": 0.0001, "direction": 0.71, "direction_n": 17},
        {"product_id": "P2", "other_product_id": "P1", "together": 30, "support": 0.05, "confidence": 0.6, "lift": 3.0, "llr": 50.0, "q_value": 0.0001, "direction": 0.29, "direction_n": 17},
        {"product_id": "P1", "other_product_id": "P3", "together": 8, "support": 0.01, "confidence": 0.1, "lift": 1.5, "llr": 9.0, "q_value": 0.04, "direction": 0.5, "direction_n": 4},
    ]  # fmt: skip
    plan = [
        {"rep_id": "R1", "customer_id": who, "channel": "visit", "quadrant": letter, "hours": hours, "order": at}
        for at, (who, letter, hours) in enumerate((("A1", "A", 8.0), ("B1", "B", 20.0), ("C1", "C", 6.0)), 1)
    ]
    with store.new_run(AS_OF, "{}", "test", at=AT) as writer:
        for table, rows in (
            ("positions", positions),
            ("gaps", gaps),
            ("families", families),
            ("product_families", products),
            ("pairs", pairs),
        ):
            writer.write(table, _frame(table, rows, is_result=True))
        if has_plan:
            writer.write("plan", _frame("plan", plan, is_result=True))
            summary = PlanSummary(
                1.0,
                0.0,
                2.0,
                1.0,
                0.0,
                80.0,
                34.0,
                (("A", 16.0, 8.0), ("B", 14.0, 20.0), ("C", 8.0, 6.0), ("D", 2.0, 0.0)),
                None,
                None,
                "",
                "",
            )
            writer.attach("plan_summary.json", json.dumps(asdict(summary)).encode())
        lines_ = Thresholds(1_000_000.0, 1_000_000.0, "曲がるところ。", "Where it bends.")
        writer.attach("thresholds.json", json.dumps(asdict(lines_)).encode())
        writer.publish()
    return store


def project_company(rep: Rep) -> dict[str, Customer]:
    """The customers and families as the pages know them; U1 has no rep."""
    for code, name in (("F1", "センサ"), ("F2", "画像検査")):
        Family.objects.create(code=code, name=name, division=Division.objects.first())
    made = {}
    for code, name, quadrant, computed, decided, potential, low, high, track, hours in CUSTOMERS:
        missed = [gap for gap in GAPS if gap[0] == code and gap[2] == "not_proposed"]
        made[code] = Customer.objects.create(
            code=code, name=name, search=f"{name} {code.lower()}", kind="company", state="active", quadrant=quadrant,
            quadrant_computed=computed, decided_by=decided, potential=potential, potential_low=low, potential_high=high,
            potential_basis="estimated" if potential else "unknown", track_record=track, touch_hours_12m=hours,
            main_rep=None if code == "U1" else rep, main_division=None if code == "U1" else rep.division,
            missed_families=len(missed), expected_missed=sum(gap[4] or 0.0 for gap in missed) or None,
            last_touch_day=date(2026, 11, 4) if code == "A1" else None, nps=9.0 if code == "A1" else None,
        )  # fmt: skip
    Tag.objects.create(
        customer=made["D1"], tag="pace", value="low", set_by_name="佐藤 健", set_at=datetime(2026, 10, 1, tzinfo=UTC)
    )
    return made


def many_customers(rep: Rep, count: int) -> None:
    """So many more that a query a row would show."""
    Customer.objects.bulk_create(
        Customer(
            code=f"M{at:06d}", name=f"顧客 {at}", kana=f"{at}", search=f"顧客 {at}", quadrant="ABCD"[at % 4], quadrant_computed="ABCD"[at % 4],
            decided_by="computed", potential=float(at * 1000 + 1), potential_low=0.0, potential_high=float(at * 2000 + 1), track_record=float(at * 100),
            potential_basis="estimated", touch_hours_12m=float(at % 30), main_rep=rep, main_division=rep.division,
        )
        for at in range(count)
    )  # fmt: skip
