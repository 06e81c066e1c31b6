"""One analysis: the same results whole and in parts, each computed when it is read."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine import analysis as module
from nobishiro.engine.analysis import Analysis, Inputs
from nobishiro.engine.settings import Settings
from nobishiro.engine.store.types import conform


def company() -> Analysis:
    rows = [
        {
            "customer_id": f"c{n % 7}",
            "order_id": f"o{n // 3:03}",
            "product_id": f"p{(n * n + n // 5) % 9}",
            "ordered_at": datetime(2025, 1, 1) + timedelta(days=n),
            "quantity": 1.0,
            "amount": 100.0 + n,
        }
        for n in range(160)
    ]
    master = {"product_id": [f"p{n}" for n in range(9)], "category": [f"f{n % 3}" for n in range(9)]}
    products = conform(TABLES["products"], pl.DataFrame(master))
    return Analysis(Inputs(pl.DataFrame(rows).lazy(), {"products": products}), None, Settings())


def test_results_in_parts_put_together_are_the_results_in_their_order(monkeypatch) -> None:
    monkeypatch.setattr(module, "_LARGE", 0)
    parts: dict[str, list[pl.DataFrame]] = {}
    in_parts = company()
    for name, part in in_parts.results_in_parts():
        parts.setdefault(name, []).append(part)
    whole = company().results()
    assert list(parts) == list(whole) == list(RESULTS)
    for name, frame in whole.items():
        assert pl.concat(parts[name]).equals(frame), name
    # let go of as too large, and computed again for whoever asks
    assert "gaps" not in in_parts.__dict__
    assert in_parts.gaps.equals(whole["gaps"])


def test_offers_that_lead_are_those_ranked_first_however_they_were_read() -> None:
    whole, in_parts = company(), company()
    first = whole.recommendations.filter(pl.col("rank") == 1)
    assert whole.leading_offers.equals(first)
    assert not pl.concat(list(in_parts.recommendation_parts())).is_empty()
    assert "recommendations" not in in_parts.__dict__
    assert in_parts.leading_offers.equals(first)
