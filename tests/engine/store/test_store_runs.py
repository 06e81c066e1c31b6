"""Runs: results are there whole or not at all, and say what they were computed from."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import BadInput, CommitNotFound, StoreError, UnknownName
from nobishiro.contracts.results import RESULTS
from nobishiro.engine.store import Store
from nobishiro.engine.store.types import polars_schema


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "ws")
    with store.begin("a", "import") as step:
        step.upsert("customers", pl.DataFrame({"customer_id": ["C1"], "name": ["甲"]}))
        step.commit()
    return store


_FEATURES = pl.DataFrame({"customer_id": ["C1"], "orders": [3], "amount": [1200.0], "last_day": [date(2026, 4, 1)]})


def test_published_run_is_read_back_with_what_it_was_computed_from(store: Store) -> None:
    with store.new_run(date(2026, 11, 21), '{"map": {"k": 1}}', "0.1.0", at=datetime(2026, 11, 21, 9)) as writer:
        assert writer.commit == 1
        writer.write("customer_features", _FEATURES)
        writer.write("customer_features", _FEATURES.with_columns(customer_id=pl.lit("C2")))
        writer.attach("thresholds.json", b"{}")
        run = writer.publish()
    assert store.latest_run() == store.run("000001") == run
    assert store.runs() == [run]
    assert (run.run_id, run.commit, run.as_of, run.version) == ("000001", 1, date(2026, 11, 21), "0.1.0")
    assert run.settings == '{"map": {"k": 1}}'
    assert store.read_attachment("000001", "thresholds.json") == b"{}"
    frame = store.read_result("000001", "customer_features")
    assert frame.schema == polars_schema(RESULTS["customer_features"])
    assert frame["customer_id"].to_list() == ["C1", "C2"]
    assert len(store.result_files("000001", "customer_features")) == 2


def test_table_a_run_did_not_write_is_empty_and_typed(store: Store) -> None:
    with store.new_run(date(2026, 11, 21), "{}", "0.1.0") as writer:
        writer.publish()
    assert store.read_result("000001", "plan").schema == polars_schema(RESULTS["plan"])


def test_run_left_without_publishing_is_never_seen(store: Store) -> None:
    with store.new_run(date(2026, 11, 21), "{}", "0.1.0") as writer:
        writer.write("customer_features", _FEATURES)
    assert store.latest_run() is None
    assert list((store.path / "staging").iterdir()) == []
    with pytest.raises(StoreError, match="has ended"):
        writer.publish()


def test_two_runs_at_once_get_numbers_of_their_own(store: Store) -> None:
    first, second = (store.new_run(date(2026, 11, day), "{}", "0.1.0") for day in (21, 22))
    assert second.publish().run_id == "000001"
    assert first.publish().run_id == "000002"
    latest = store.latest_run()
    assert latest is not None
    assert latest.as_of == date(2026, 11, 21)


def test_what_is_wrong_with_a_run_is_said(store: Store, tmp_path: Path) -> None:
    with store.new_run(date(2026, 11, 21), "{}", "0.1.0") as writer:
        with pytest.raises(UnknownName, match="customer_features"):
            writer.write("features", _FEATURES)
        with pytest.raises(BadInput, match="cannot be used"):
            writer.attach("../x", b"")
        writer.attach("x", b"")
        with pytest.raises(BadInput, match="there already"):
            writer.attach("x", b"")
    with pytest.raises(BadInput, match="no JSON"):
        store.new_run(date(2026, 11, 21), "{", "0.1.0")
    with pytest.raises(CommitNotFound, match="no commit 7"):
        store.new_run(date(2026, 11, 21), "{}", "0.1.0", commit=7)
    with pytest.raises(CommitNotFound, match="no run 000009"):
        store.run("000009")
    with pytest.raises(CommitNotFound, match="nothing was imported"):
        Store.create(tmp_path / "empty").new_run(date(2026, 11, 21), "{}", "0.1.0")
