"""Writing, reading, comparing: what a person relies on every day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from nobishiro.contracts.errors import BadInput, CommitNotFound, NotAWorkspace, StoreError, UnknownName, WorkspaceTooNew
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store import Store
from nobishiro.engine.store.delta import live_files
from nobishiro.engine.store.types import arrow_schema, polars_schema, stored_schema


def _lines(*rows: tuple[str, str, int, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "order_id": [row[0] for row in rows],
            "product_id": [row[1] for row in rows],
            "occurrence": [row[2] for row in rows],
            "quantity": [row[3] for row in rows],
            "ordered_at": [datetime(2026, 4, 1)] * len(rows),
        },
        schema_overrides={"quantity": pl.Float64, "occurrence": pl.Int64},
    )


def _customers(**names: str) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": list(names), "name": list(names.values())})


def _put(store: Store, import_id: str, **tables: pl.DataFrame) -> None:
    with store.begin(import_id, "import") as step:
        for name, frame in tables.items():
            step.upsert(name, frame)
        step.commit()


def _names(store: Store, at: int | None = None) -> dict[str, str]:
    frame = store.read("customers", at)
    return dict(zip(frame["customer_id"], frame["name"], strict=True))


def _keys(store: Store) -> list[tuple[str, str, int, Decimal]]:
    return sorted(store.read("order_lines").select("order_id", "product_id", "occurrence", "quantity").rows())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "ws")


def test_new_workspace_has_no_commit_and_reads_empty_typed_tables(store: Store) -> None:
    assert store.head() is None
    assert store.commits() == []
    for name, table in TABLES.items():
        assert store.files(name) == []
        assert store.read(name).schema == stored_schema(table)


def test_written_rows_come_back_with_declared_types_and_their_import(store: Store) -> None:
    with store.begin("first", "import", note="受注.csv", at=datetime(2026, 11, 21, 9)) as step:
        step.upsert("order_lines", _lines(("O1", "P1", 1, 2.5)))
        commit = step.commit()
    row = store.read("order_lines").row(0, named=True)
    assert store.read("order_lines").schema == stored_schema(TABLES["order_lines"])
    assert (row["quantity"], row["ordered_at"], row["import_id"]) == (Decimal("2.500"), datetime(2026, 4, 1), "first")
    assert row["amount"] is None
    assert (commit.number, commit.kind, commit.note, commit.at) == (1, "import", "受注.csv", datetime(2026, 11, 21, 9))


def test_comparison_counts_new_updated_unchanged(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲", C2="乙"))
    found = store.compare("customers", _customers(C1="甲", C2="丙", C3="丁"))
    assert (found.new, found.updated, found.unchanged, found.removed) == (1, 1, 1, 0)
    assert found.new_keys["customer_id"].to_list() == ["C3"]
    assert found.updated_keys["customer_id"].to_list() == ["C2"]
    assert _names(store) == {"C1": "甲", "C2": "乙"}


def test_comparing_is_what_writing_does(store: Store) -> None:
    _put(store, "first", order_lines=_lines(("O1", "P1", 1, 1), ("O1", "P2", 1, 1), ("O2", "P1", 1, 1)))
    frame = _lines(("O1", "P1", 1, 9), ("O3", "P1", 1, 1))
    dry = store.compare("order_lines", frame)
    with store.begin("second", "import") as step:
        wet = step.upsert("order_lines", frame)
        step.commit()
    assert (dry.new, dry.updated, dry.unchanged, dry.removed) == (wet.new, wet.updated, wet.unchanged, wet.removed)
    assert (dry.new, dry.updated, dry.unchanged, dry.removed) == (1, 1, 0, 1)
    assert dry.removed_keys.rows() == [("O1", "P2", 1)]


def test_order_in_file_replaces_its_lines_whole_and_spares_other_orders(store: Store) -> None:
    _put(store, "first", order_lines=_lines(("O1", "P1", 1, 1), ("O1", "P2", 1, 1), ("O2", "P1", 1, 1)))
    _put(store, "second", order_lines=_lines(("O1", "P3", 1, 5)))
    assert _keys(store) == [("O1", "P3", 1, Decimal(5)), ("O2", "P1", 1, Decimal(1))]


def test_order_cut_in_two_parts_of_one_import_keeps_both(store: Store) -> None:
    _put(store, "first", order_lines=_lines(("O1", "P1", 1, 1), ("O1", "P2", 1, 1), ("O1", "P3", 1, 1)))
    with store.begin("second", "import") as step:
        step.upsert("order_lines", _lines(("O1", "P1", 1, 7)))
        step.upsert("order_lines", _lines(("O1", "P2", 1, 1), ("O1", "P4", 1, 1)))
        commit = step.commit()
    assert _keys(store) == [("O1", "P1", 1, Decimal(7)), ("O1", "P2", 1, Decimal(1)), ("O1", "P4", 1, Decimal(1))]
    change = commit.changes[0]
    assert (change.new, change.updated, change.removed) == (1, 1, 1)


def test_last_part_counts_when_a_key_comes_twice_in_one_import(store: Store) -> None:
    with store.begin("first", "import") as step:
        step.upsert("customers", _customers(C1="甲", C2="乙"))
        step.upsert("customers", _customers(C1="丙"))
        commit = step.commit()
    assert _names(store) == {"C1": "丙", "C2": "乙"}
    assert commit.changes[0].new == 2


def test_same_file_twice_commits_nothing_new(store: Store) -> None:
    frame = _lines(("O1", "P1", 1, 1), ("O1", "P1", 2, 1))
    _put(store, "first", order_lines=frame)
    with store.begin("second", "import") as step:
        comparison = step.upsert("order_lines", frame)
        commit = step.commit()
    assert comparison.changes_nothing
    assert commit.number == 1
    assert set(store.read("order_lines")["import_id"]) == {"first"}


def test_unchanged_rows_keep_the_import_they_came_from(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲", C2="乙"))
    _put(store, "second", customers=_customers(C1="甲", C2="丙"))
    frame = store.read("customers").sort("customer_id")
    assert frame["import_id"].to_list() == ["first", "second"]


def test_null_and_nan_equal_themselves(store: Store) -> None:
    frame = pl.DataFrame({"rep_id": ["R1"], "name": ["佐藤"], "hours_per_month": [float("nan")]})
    _put(store, "first", reps=frame)
    assert store.compare("reps", frame).unchanged == 1


def test_delete_takes_rows_out_and_counts_them(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲", C2="乙"))
    with store.begin("second", "edit") as step:
        assert step.delete("customers", pl.DataFrame({"customer_id": ["C1", "C9"]})) == 1
        step.commit()
    assert _names(store) == {"C2": "乙"}


def test_row_deleted_and_written_again_in_one_import_is_unchanged(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲"))
    with store.begin("second", "edit") as step:
        step.delete("customers", pl.DataFrame({"customer_id": ["C1"]}))
        step.upsert("customers", _customers(C1="甲"))
        assert step.commit().number == 1


def test_leaving_without_commit_changes_nothing(store: Store) -> None:
    with store.begin("first", "import") as step:
        step.upsert("customers", _customers(C1="甲"))
    assert store.head() is None
    assert list((store.path / "staging").iterdir()) == []
    with pytest.raises(StoreError, match="has ended"):
        step.commit()


def test_several_tables_are_published_in_one_commit(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲"), order_lines=_lines(("O1", "P1", 1, 1)))
    head = store.head()
    assert head is not None
    assert head.number == 1
    assert {state.name for state in head.tables} == {"customers", "order_lines"}


def test_reader_as_of_a_commit_sees_it_after_later_ones(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲"))
    _put(store, "second", customers=_customers(C1="乙", C2="丙"))
    assert _names(store, 1) == {"C1": "甲"}
    assert _names(store, 2) == {"C1": "乙", "C2": "丙"}
    with pytest.raises(CommitNotFound, match="no commit 3"):
        store.files("customers", 3)


def test_delta_log_lists_the_files_of_the_commit(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲", C2="乙"))
    _put(store, "second", customers=_customers(C1="丙"))
    head = store.head()
    assert head is not None
    state = head.tables[0]
    assert live_files(store.path / "tables" / "customers", state.version) == sorted(f.name for f in state.files)


def test_second_writer_repeats_its_key_check_on_what_the_first_wrote(store: Store) -> None:
    slow = store.begin("slow", "import")
    slow.upsert("customers", _customers(C1="甲", C2="乙"))
    _put(store, "fast", customers=_customers(C2="丙", C3="丁"))
    commit = slow.commit()
    assert _names(store) == {"C1": "甲", "C2": "乙", "C3": "丁"}
    assert (commit.number, commit.changes[0].new, commit.changes[0].updated) == (2, 1, 1)


@pytest.mark.parametrize("published", [False, True])
def test_interrupt_around_the_last_step_leaves_old_or_new_state(
    store: Store, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    from nobishiro.engine.store import commits

    _put(store, "first", customers=_customers(C1="甲"))
    original = commits.write_exclusive

    def interrupted(path: Path, content: bytes) -> None:
        if published:
            original(path, content)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(commits, "write_exclusive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _put(store, "second", customers=_customers(C1="乙"))
    assert _names(store) == {"C1": "乙" if published else "甲"}
    head = store.head()
    assert head is not None
    directory = store.path / "tables" / "customers"
    assert DeltaTable(str(directory)).file_uris() == store.files("customers")
    assert len(list((store.path / "imports" / "second").glob("replaced/*"))) == int(published)
    _put(store, "third", customers=_customers(C2="丙"))
    assert set(_names(store)) == {"C1", "C2"}


def test_import_id_is_used_once(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲"))
    with pytest.raises(BadInput, match="already in"):
        _put(store, "first", customers=_customers(C2="乙"))
    with pytest.raises(BadInput, match="cannot be used"):
        store.begin("../first", "import")


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        (pl.DataFrame({"customer_id": ["C1", "C1"], "name": ["甲", "乙"]}), BadInput, "more than once"),
        (pl.DataFrame({"customer_id": ["C1", None], "name": ["甲", "乙"]}), BadInput, "row 1: key column"),
        (pl.DataFrame({"name": ["甲"]}), BadInput, "key column customer_id is empty"),
        (pl.DataFrame({"customer_id": ["C1"], "nickname": ["甲"]}), UnknownName, "no column nickname"),
        (pl.DataFrame({"customer_id": [1]}), BadInput, "does not fit text"),
        (pl.DataFrame({"customer_id": ["C1"], "annual_sales": [1e20]}), BadInput, "annual_sales: a value does not"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    store: Store, frame: pl.DataFrame, error: type[Exception], words: str
) -> None:
    with store.begin("first", "import") as step, pytest.raises(error, match=words):
        step.upsert("customers", frame)
    with pytest.raises(error, match=words):
        store.compare("customers", frame)


def test_unknown_table_is_named(store: Store) -> None:
    with pytest.raises(UnknownName, match="order_lines"):
        store.scan("orders")


def test_create_refuses_a_directory_with_other_things(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(NotAWorkspace, match="not empty"):
        Store.create(tmp_path)
    with pytest.raises(NotAWorkspace, match="is a file"):
        Store.create(tmp_path / "photo.jpg")
    with pytest.raises(NotAWorkspace, match="no workspace"):
        Store.open(tmp_path)
    with pytest.raises(NotAWorkspace, match="no workspace"):
        Store.open(tmp_path / "nowhere")


def test_create_opens_the_workspace_that_is_there(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲"))
    assert _names(Store.create(store.path)) == {"C1": "甲"}


def test_workspace_of_a_later_version_is_refused(store: Store) -> None:
    (store.path / "nobishiro.json").write_text('{"schema_version": 99}')
    with pytest.raises(WorkspaceTooNew, match="layout 99"):
        Store.open(store.path)


def test_column_added_later_is_null_in_older_files(store: Store) -> None:
    _put(store, "first", customers=_customers(C1="甲"))
    path = Path(store.files("customers")[0])
    pl.read_parquet(path).drop("acquired_on").write_parquet(path)
    assert store.read("customers")["acquired_on"].to_list() == [None]
    assert store.read("customers").schema["acquired_on"] == pl.Date
    _put(store, "second", customers=_customers(C2="乙").with_columns(acquired_on=date(2026, 1, 2)))
    assert store.read("customers").sort("customer_id")["acquired_on"].to_list() == [None, date(2026, 1, 2)]


@pytest.mark.parametrize("name", list(TABLES))
def test_every_table_can_be_written_and_read_back_unchanged(store: Store, name: str) -> None:
    table = TABLES[name]
    values = {
        "text": "値", "integer": 7, "quantity": Decimal("1.125"), "money": Decimal("1200.50"), "rate": 0.35,
        "score": 1.5, "flag": True, "day": date(2026, 4, 1), "moment": datetime(2026, 4, 1, 9, 30, 0, 123456),
    }  # fmt: skip
    row = {column.name: values[column.type.value] for column in table.columns}
    frame = pl.DataFrame([row], schema=polars_schema(table))
    _put(store, "first", **{name: frame})
    assert store.read(name).drop("import_id").equals(frame)
    assert store.compare(name, frame).unchanged == 1


def test_arrow_and_polars_types_agree() -> None:
    for table in TABLES.values():
        assert pl.DataFrame(arrow_schema(table).empty_table()).schema == polars_schema(table)


def test_lock_held_too_long_is_workspace_busy(tmp_path: Path) -> None:
    from nobishiro.contracts.errors import WorkspaceBusy
    from nobishiro.engine.store.layout import Layout, writer_lock

    store = Store.create(tmp_path / "ws", StoreSettings(lock_wait_seconds=0.05))
    with writer_lock(Layout(store.path), 1), store.begin("first", "import") as step:
        step.upsert("customers", _customers(C1="甲"))
        with pytest.raises(WorkspaceBusy, match="another process"):
            step.commit()
    assert store.head() is None
