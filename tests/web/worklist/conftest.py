"""A published run whose rows a test writes by hand, and customers for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.types import polars_schema
from nobishiro.pipelines.published import PublishedRun, published_run
from nobishiro.web.customers.models import Action, Customer
from nobishiro.web.people.models import Rep

TOKYO = ZoneInfo("Asia/Tokyo")
AT = datetime(2026, 11, 4, 9, tzinfo=TOKYO)  # a Wednesday; the 3rd was a holiday


@dataclass
class HandWritten:
    """A workspace and the rows a run is made of."""

    path: Path
    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    results: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def plan(self, customer: str, *, rep: str = "R1", order: int = 1, product: str = "P1", quadrant: str = "B") -> None:
        self.results.setdefault("plan", []).append(
            {
                "rep_id": rep, "customer_id": customer, "name": customer, "quadrant": quadrant, "channel": "visit",
                "hours": 2.0, "family": "F1" if product == "P1" else "F2", "product_id": product, "expected": 50_000.0,
                "low": 20_000.0, "high": 90_000.0, "order": order, "why_ja": f"{customer}の理由", "why_en": f"why {customer}",
            }
        )  # fmt: skip

    def offer(self, customer: str, product: str, *, rank: int = 1, kind: str = "new", say: str = "") -> None:
        self.results.setdefault("recommendations", []).append(
            {
                "customer_id": customer, "product_id": product, "rank": rank, "score": 1.0, "kind": kind,
                "reason": "bought_with", "evidence": "{}", "why_ja": f"{product}の根拠", "why_en": f"grounds of {product}",
                "say_ja": say, "say_en": say, "due_day": None,
            }
        )  # fmt: skip

    def publish(self) -> PublishedRun:
        if (self.path / "web").exists() is False and not any(self.path.iterdir()):
            self.path.rmdir()
        store = Store.create(self.path, at=AT.replace(tzinfo=None))
        with store.begin(Store.new_import_id(AT), "import", "", AT.replace(tzinfo=None)) as transaction:
            for name, rows in self.tables.items():
                transaction.upsert(name, frame(TABLES[name], rows))
            transaction.commit()
        families = [{"family": f"F{n}", "name": f"商品群{n}", "learned": False} for n in (1, 2, 3)]
        products = [{"product_id": f"P{n}", "name": f"商品{n}", "family": f"F{n}", "learned": False} for n in (1, 2, 3)]
        given = {"families": families, "product_families": products} | self.results
        head = store.head()
        with store.new_run(
            date(2026, 11, 4), "{}", "0", head.number if head else None, AT.replace(tzinfo=None)
        ) as writer:
            for name in RESULTS:
                writer.write(name, frame(RESULTS[name], given.get(name, [])))
            writer.publish()
        run = published_run(self.path)
        assert run is not None
        return run


def frame(table: object, rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {name: dtype for name, dtype in polars_schema(table).items() if name != "import_id"}
    full = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(full, schema=schema, strict=False)


@pytest.fixture
def written(site_workspace: Path, db: None) -> HandWritten:
    return HandWritten(site_workspace)


@pytest.fixture
def make_customer(rep: Rep) -> Callable[..., Customer]:
    def make(code: str, **more: object) -> Customer:
        given: dict[str, object] = {
            "name": f"{code}工業", "kana": code, "search": code.lower(), "main_rep": rep, "main_division": rep.division,
            "quadrant": "B", "potential": 1_000_000.0,
        }  # fmt: skip
        return Customer.objects.create(code=code, **(given | more))

    return make


@pytest.fixture
def make_action(rep: Rep) -> Callable[..., Action]:
    def make(customer: Customer, **more: object) -> Action:
        given: dict[str, object] = {
            "source": "plan", "source_key": f"plan:R1:{customer.code}:2026-11", "rep": rep, "due": date(2026, 11, 4),
            "family": "F1", "product_code": "P1", "offer_kind": "cross_sell", "rank": 1, "hours": 1.0,
            "why_ja": "理由です。", "why_en": "A reason.", "expected": 50_000.0, "expected_low": 20_000.0,
            "expected_high": 90_000.0,
        }  # fmt: skip
        return Action.objects.create(customer=customer, **(given | more))

    return make
