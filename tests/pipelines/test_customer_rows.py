"""One customer's rows: whose they are, which commit they are of, and gross profit by hand."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.types import polars_schema
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.customer_index import build_index
from nobishiro.pipelines.customer_rows import (
    HAPPENED,
    catalogue_of,
    gross_profit,
    group_codes,
    happened_rows,
    master_rows,
    run_rows,
    workspace_at,
)
from nobishiro.pipelines.published import published_run

DAY = datetime(2026, 11, 1)


def filled(table: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    schema = polars_schema(TABLES.get(table) or RESULTS[table])
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )


def line(
    order: str, product: str, customer: str | None, end: str | None, quantity: int, amount: int
) -> dict[str, object]:
    return {
        "order_id": order, "product_id": product, "occurrence": 1, "customer_id": customer, "end_customer_id": end,
        "ordered_at": DAY, "quantity": quantity, "amount": amount,
    }  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    store = Store.create(tmp_path / "w", at=DAY)
    tables: dict[str, list[dict[str, object]]] = {
        "order_lines": [
            line("1", "A", "007", None, 2, 300),
            line("2", "A", "DEALER", "007", 1, 150),
            line("3", "A", "007", "008", 1, 150),
            line("4", "B", "OLD", None, 1, 100),
            line("5", "C", "007", None, 1, 50),
        ],
        "touches": [{"touch_id": "T", "customer_id": "007", "kind": "visit", "happened_at": DAY}],
        "customers": [
            {"customer_id": "007", "name": "七", "parent_customer_id": "P"},
            {"customer_id": "009", "name": "九", "parent_customer_id": "P"},
            {"customer_id": "010", "name": "十", "parent_customer_id": "007"},
            {"customer_id": "P", "name": "親"},
        ],
        "products": [
            {"product_id": "A", "name": "あ", "cost": 100},
            {"product_id": "B", "name": "い", "margin_rate": 0.4},
            {"product_id": "C", "name": "う"},
        ],
    }
    with store.begin("first", "import", at=DAY) as transaction:
        for table, rows in tables.items():
            transaction.upsert(table, filled(table, rows))
        transaction.commit()
    with store.new_run(date(2026, 11, 21), "{}", "test", None, DAY) as writer:
        names = [
            {"product_id": code, "name": name, "family": "F"} for code, name in (("A", "あ"), ("B", "い"), ("C", None))
        ]
        writer.write("product_families", filled("product_families", names))
        writer.write("families", filled("families", [{"family": "F", "name": "群"}]))
        gaps = [{"customer_id": code, "family": "F", "state": "buying"} for code in ("007", "008")]
        writer.write("gaps", filled("gaps", gaps))
        writer.publish()
    return Workspace.open(tmp_path / "w")


def test_lines_belong_to_the_end_customer_else_to_the_one_billed(workspace: Workspace) -> None:
    def orders(*codes: str) -> list[str]:
        return sorted(happened_rows(workspace, codes).order_lines["order_id"])

    assert orders("007") == ["1", "2", "5"]
    assert orders("008") == ["3"]
    assert orders("DEALER") == []
    assert orders("007", "OLD") == ["1", "2", "4", "5"]  # merged codes are read along


def test_only_the_tables_asked_for_are_read_and_all_are_typed(workspace: Workspace) -> None:
    rows = happened_rows(workspace, ["007"], ["touches"])
    assert rows.touches.height == 1 and rows.order_lines.is_empty()
    for name in HAPPENED:
        assert set(getattr(rows, name).columns) >= set(TABLES[name].column_names)


def test_rows_of_the_newest_commit_are_shown_before_the_next_run(workspace: Workspace) -> None:
    with workspace.store.begin("second", "import", at=DAY) as transaction:
        transaction.upsert("order_lines", filled("order_lines", [line("9", "A", "007", None, 1, 10)]))
        transaction.commit()
    assert "9" in happened_rows(workspace, ["007"]).order_lines["order_id"].to_list()


def test_without_a_workspace_or_a_run_everything_is_empty(tmp_path: Path) -> None:
    assert workspace_at(tmp_path / "none", None) is None
    assert happened_rows(None, ["007"]).order_lines.is_empty() and run_rows(None, "007").gaps.is_empty()
    assert master_rows(None, "customers", ["007"]).is_empty() and group_codes(None, "007", None) == []
    assert catalogue_of(None).name_of("A") == "A"


def test_gross_profit_by_hand(workspace: Workspace) -> None:
    run = published_run(workspace.path)
    assert run is not None
    lines = happened_rows(workspace, ["007", "OLD"]).order_lines
    # A: 300 − 2·100 and 150 − 100; B: 100 · 0.4; C has neither cost nor rate: 550 of 600 yen are known
    profit, share = gross_profit(lines, catalogue_of(run), run) or (0.0, 0.0)
    assert profit == pytest.approx(190.0) and share == pytest.approx(550 / 600)
    assert gross_profit(lines.filter(pl.col("product_id") == "C"), catalogue_of(run), run) is None


def test_names_group_and_run_rows(workspace: Workspace) -> None:
    run = published_run(workspace.path)
    catalogue = catalogue_of(run)
    assert (catalogue.name_of("A"), catalogue.name_of("C"), catalogue.family_name("F")) == ("あ", "C", "群")
    assert group_codes(workspace, "007", "P") == ["009", "010", "P"]
    assert run_rows(run, "007").gaps["customer_id"].to_list() == ["007"] and run_rows(run, "007").potential.is_empty()


def test_index_gives_the_same_rows_as_the_store(workspace: Workspace, tmp_path: Path) -> None:
    index = tmp_path / "index"
    assert build_index(workspace, index, smallest=1) == ("order_lines", "touches")
    assert build_index(workspace, index, smallest=1) == ()  # nothing changed
    for codes in (["007"], ["008"], ["007", "OLD"], ["nobody"]):
        plain, sorted_ = happened_rows(workspace, codes), happened_rows(workspace, codes, index=index)
        for name in HAPPENED:
            columns = TABLES[name].column_names
            mine, theirs = getattr(plain, name).select(columns), getattr(sorted_, name).select(columns)
            assert mine.sort(columns[0]).equals(theirs.sort(columns[0])), (name, codes)


def test_index_of_an_older_commit_is_not_used_and_goes_with_the_next(workspace: Workspace, tmp_path: Path) -> None:
    index = tmp_path / "index"
    build_index(workspace, index, smallest=1)
    old = {path.name for path in index.iterdir()}
    with workspace.store.begin("second", "import", at=DAY) as transaction:
        transaction.upsert("order_lines", filled("order_lines", [line("9", "A", "007", None, 1, 10)]))
        transaction.commit()
    assert "9" in happened_rows(workspace, ["007"], index=index).order_lines["order_id"].to_list()
    assert build_index(workspace, index, smallest=1) == ("order_lines",)
    assert len({path.name for path in index.iterdir()} & old) == 1 and len(list(index.iterdir())) == 2


def test_large_table_is_indexed_in_parts(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nobishiro.pipelines.customer_index._PART_ROWS", 2)
    build_index(workspace, tmp_path / "index", smallest=2)
    assert len(list((tmp_path / "index").glob("order_lines-*of3.parquet"))) == 3
    rows = happened_rows(workspace, ["007", "008", "OLD"], index=tmp_path / "index").order_lines
    assert sorted(rows["order_id"]) == ["1", "2", "3", "4", "5"]
