"""A small company on disk: what the pages of one customer read of the store and of the run."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.types import polars_schema

AS_OF = date(2026, 11, 21)


def filled(table: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows with the columns named; the others empty."""
    declared = TABLES.get(table) or RESULTS[table]
    schema = polars_schema(declared)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )


STORED: dict[str, list[dict[str, object]]] = {
    "customers": [
        {"customer_id": "000123", "name": "東和食品機械", "name_kana": "トウワ", "kind": "company", "state": "active",
         "industry": "食品機械", "phone": "03-0000-0001", "employees": 180, "parent_customer_id": "P1", "note": "社長は釣り好き"},
        {"customer_id": "P1", "name": "東和ホールディングス", "kind": "company", "state": "active"},
    ],
    "contacts": [
        {"contact_id": "K1", "customer_id": "000123", "family_name": "東", "given_name": "和子", "is_decision_maker": True},
    ],
    "products": [
        {"product_id": "P10", "name": "光電センサ E300", "family": "センサ", "price": 8000, "cost": 5000},
        {"product_id": "V1", "name": "V-Std", "family": "画像検査", "price": 1500000},
    ],
    "order_lines": [
        *({"order_id": f"O{n:03d}", "product_id": "P10", "occurrence": 1, "customer_id": "000123",
           "ordered_at": datetime(2026, 1 + n % 10, 1 + n % 27, 10), "quantity": 10, "amount": 80000} for n in range(30)),
        {"order_id": "O900", "product_id": "P10", "occurrence": 1, "customer_id": "DEALER", "end_customer_id": "000123",
         "ordered_at": datetime(2026, 11, 1), "quantity": 1, "amount": 9000},
        {"order_id": "O901", "product_id": "P10", "occurrence": 1, "customer_id": "000123", "end_customer_id": "OTHER",
         "ordered_at": datetime(2026, 11, 2), "quantity": 1, "amount": 7000},
    ],
    "touches": [
        {"touch_id": "T1", "customer_id": "000123", "rep_id": "R1", "kind": "visit", "direction": "outbound",
         "happened_at": datetime(2026, 10, 14, 14), "minutes": 75, "subject": "定期訪問", "note": "人手不足とのこと"},
    ],
    "proposals": [
        {"proposal_id": "Q1", "customer_id": "000123", "product_id": "P10", "rep_id": "R1",
         "proposed_at": datetime(2026, 3, 1), "result": "won"},
    ],
    "deals": [
        {"deal_id": "D1", "customer_id": "000123", "name": "検査の自動化", "stage": "見積提出", "outcome": "open",
         "amount": 1560000, "opened_on": date(2026, 9, 1), "expected_on": date(2026, 12, 11)},
    ],
    "survey_answers": [
        {"answer_id": "A1", "customer_id": "000123", "survey": "満足度", "question": "nps", "answer": "9", "score": 9,
         "answered_at": datetime(2026, 9, 22, 16)},
    ],
    "tickets": [
        {"ticket_id": "X1", "customer_id": "000123", "opened_at": datetime(2026, 5, 1), "closed_at": datetime(2026, 5, 2),
         "kind": "complaint", "subject": "納期遅れ", "note": "謝罪済み"},
    ],
}  # fmt: skip

COMPUTED: dict[str, list[dict[str, object]]] = {
    "customer_features": [{"customer_id": "000123", "amount_12m": 400000, "orders_12m": 4}],
    "families": [{"family": "センサ", "name": "センサ"}, {"family": "画像検査", "name": "画像検査"}, {"family": "保守", "name": "保守"}],
    "product_families": [
        {"product_id": "P10", "name": "光電センサ E300", "family": "センサ"},
        {"product_id": "V1", "name": "V-Std", "family": "画像検査"},
    ],
    "potential": [
        {"customer_id": "000123", "family": "センサ", "current": 400000, "basis": "unknown"},
        {"customer_id": "000123", "family": "画像検査", "current": 0, "potential": 1200000, "low": 0, "high": 4000000, "basis": "estimated"},
        {"customer_id": "000123", "family": "保守", "current": 0, "potential": 90000, "low": 0, "high": 200000, "basis": "estimated"},
    ],
    "customer_potential": [{"customer_id": "000123", "potential": 3000000, "low": 1200000, "high": 5000000, "basis": "estimated"}],
    "positions": [{"customer_id": "000123", "name": "東和食品機械", "quadrant": "B", "quadrant_computed": "B"}],
    "gaps": [
        {"customer_id": "000123", "family": "センサ", "state": "buying", "basis": "unknown"},
        {"customer_id": "000123", "family": "画像検査", "state": "not_proposed", "expected": 1200000, "low": 0, "high": 4000000,
         "basis": "estimated", "comparable_customers": 14, "comparable_buyers": 9},
        {"customer_id": "000123", "family": "保守", "state": "not_proposed", "expected": 90000, "low": 0, "high": 200000,
         "basis": "estimated", "comparable_customers": 14, "comparable_buyers": 3},
    ],
    "recommendations": [
        {"customer_id": "000123", "product_id": "V1", "rank": 1, "kind": "new", "reason": "bought_with", "evidence": "{}",
         "why_ja": "照明を買う14社中9社が購入。", "why_en": "9 of 14 bought it.", "say_ja": "同じ照明のまま自動にできます。",
         "say_en": "You can automate with the same light."},
    ],
}  # fmt: skip


@pytest.fixture
def karte_workspace(site_workspace: Path) -> Callable[..., Path]:
    """Write the company into the site's workspace; with a run unless told otherwise."""

    def write(*, with_run: bool = True, **more: list[dict[str, object]]) -> Path:
        store = Store.create(site_workspace, at=datetime(2026, 11, 21))
        with store.begin(
            store.new_import_id(datetime(2026, 11, 21)), "import", at=datetime(2026, 11, 21)
        ) as transaction:
            for table, rows in STORED.items():
                transaction.upsert(table, filled(table, [*rows, *more.get(table, [])]))
            transaction.commit()
        if with_run:
            with store.new_run(AS_OF, "{}", "test", None, datetime(2026, 11, 21)) as writer:
                for table, rows in COMPUTED.items():
                    writer.write(table, filled(table, rows))
                lines = {"potential": 1_000_000, "track_record": 1_000_000, "why_ja": "", "why_en": ""}
                writer.attach("thresholds.json", msgspec.json.encode(lines))
                writer.publish()
        return site_workspace

    return write
