"""Compaction, vacuum, disk use, upgrade, and the Delta log beside them."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from nobishiro.contracts.errors import CommitNotFound, StoreError
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store import Store
from nobishiro.engine.store.delta import live_files
from nobishiro.engine.store.parquet import FILE_ROWS
from nobishiro.engine.store.types import stored_schema


def _products(first: int, count: int = 1) -> pl.DataFrame:
    numbers = range(first, first + count)
    return pl.DataFrame({"product_id": [f"P{n:05d}" for n in numbers], "name": [f"商品{n}" for n in numbers]})


def _put(store: Store, import_id: str, frame: pl.DataFrame) -> None:
    with store.begin(import_id, "import") as step:
        step.upsert("products", frame)
        step.commit()


def _ids(store: Store, at: int | None = None) -> list[str]:
    return sorted(store.read("products", at)["product_id"])


def test_compaction_merges_files_and_changes_no_row(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    for n in range(5):
        _put(store, f"i{n}", _products(n))
    before = store.read("products").sort("product_id")
    result = store.compact(datetime(2026, 11, 21))
    assert [(t.table, t.files_before, t.files_after) for t in result.tables] == [("products", 5, 1)]
    assert result.commit is not None
    assert (result.commit.kind, len(store.files("products"))) == ("compact", 1)
    assert store.read("products").sort("product_id").equals(before)
    assert _ids(store, 2) == ["P00000", "P00001"]
    assert store.compact().commit is None


def test_full_files_are_not_written_again(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    _put(store, "large", _products(0, FILE_ROWS // 2 + 1))
    _put(store, "small", _products(FILE_ROWS))
    assert store.compact().commit is None


def test_table_with_too_many_files_is_compacted_by_the_next_commit(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws", StoreSettings(compact_above_files=4))
    for n in range(5):
        _put(store, f"i{n}", _products(n))
    assert len(store.files("products")) == 1
    assert [commit.kind for commit in store.commits()] == ["import"] * 5 + ["compact"]
    _put(store, "later", _products(9))
    assert len(_ids(store)) == 6


def test_compaction_overtaken_by_a_writer_brings_no_old_row_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nobishiro.engine.store import upkeep

    store = Store.create(tmp_path / "ws")
    _put(store, "a", _products(0))
    _put(store, "b", _products(1))
    original = upkeep._publish_merges

    def overtaken(*arguments: object) -> object:
        monkeypatch.setattr(upkeep, "writer_lock", original_lock)
        return original(*arguments)

    original_lock = upkeep.writer_lock

    def write_first(layout: object, wait: float) -> object:
        monkeypatch.setattr(upkeep, "writer_lock", original_lock)
        _put(store, "c", _products(0).with_columns(name=pl.lit("改名")))
        return original_lock(layout, wait)

    monkeypatch.setattr(upkeep, "writer_lock", write_first)
    monkeypatch.setattr(upkeep, "_publish_merges", overtaken)
    assert store.compact().commit is None
    assert sorted(store.read("products")["name"]) == ["商品1", "改名"]


def test_vacuum_keeps_what_the_kept_commits_need_and_says_what_is_gone(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws", StoreSettings(keep_commits=2))
    for n in range(4):
        _put(store, f"i{n}", _products(0).with_columns(name=pl.lit(f"名{n}")))
    result = store.vacuum()
    assert result.files == 2
    assert result.bytes > 0
    assert store.read("products")["name"].to_list() == ["名3"]
    assert store.read("products", 3)["name"].to_list() == ["名2"]
    with pytest.raises(CommitNotFound, match="keep_commits = 2"):
        store.read("products", 2)


def test_vacuum_removes_what_killed_writers_left(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    _put(store, "a", _products(0))
    orphan = store.path / "tables" / "products" / "products-dead.parquet"
    orphan.write_bytes(b"half")
    (store.path / "imports" / "dead").mkdir()
    (store.path / "staging" / "dead").mkdir()
    open_transaction = store.begin("alive", "import")
    open_transaction.upsert("products", _products(1))
    store.vacuum()
    assert not orphan.exists()
    assert sorted(path.name for path in (store.path / "imports").iterdir()) == ["a"]
    assert not (store.path / "staging" / "dead").exists()
    open_transaction.commit()
    assert _ids(store) == ["P00000", "P00001"]


def test_vacuum_happens_by_itself(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws", StoreSettings(keep_commits=1))
    for n in range(16):
        _put(store, f"i{n}", _products(0).with_columns(name=pl.lit(f"名{n}")))
    assert len(list((store.path / "tables" / "products").glob("*.parquet"))) == 1


def test_writer_whose_base_was_vacuumed_away_starts_again_on_the_newest(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws", StoreSettings(keep_commits=1))
    _put(store, "a", _products(0, 3))

    def rename(import_id: str) -> None:
        _put(store, import_id, _products(0, 3).with_columns(name=pl.lit(import_id)))
        store.vacuum()

    with store.begin("slow", "import") as step:
        step.upsert("products", _products(2, 2))
        rename("b")
        step.upsert("products", _products(4).with_columns(name=pl.lit("新")))
        rename("c")
        assert step.commit().changes[0].new == 2
    names = dict(store.read("products").select("product_id", "name").iter_rows())
    assert names == {"P00000": "c", "P00001": "c", "P00002": "商品2", "P00003": "商品3", "P00004": "新"}


def test_reader_whose_files_are_vacuumed_away_reads_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.create(tmp_path / "ws", StoreSettings(keep_commits=1))
    _put(store, "a", _products(0))
    scan = store.scan("products")
    _put(store, "b", _products(0).with_columns(name=pl.lit("改")))
    store.vacuum()
    scans = [scan, store.scan("products")]
    monkeypatch.setattr(store, "scan", lambda table, at=None: scans.pop(0))
    assert store.read("products")["name"].to_list() == ["改"]
    assert scans == []


def test_duckdb_reads_the_files_with_the_declared_types(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    line = {"order_id": "O1", "product_id": "P1", "occurrence": 1, "ordered_at": datetime(2026, 4, 1), "amount": 1200}
    with store.begin("a", "import") as step:
        step.upsert("order_lines", pl.DataFrame([line]))
        step.commit()
    connection = duckdb.connect()
    statement = "SELECT order_id, ordered_at, quantity, amount FROM read_parquet($files)"
    found = connection.sql(statement, params={"files": store.files("order_lines")})
    assert [str(dtype) for dtype in found.types] == ["VARCHAR", "TIMESTAMP", "DECIMAL(18,3)", "DECIMAL(18,2)"]
    assert found.fetchall() == [("O1", datetime(2026, 4, 1), None, Decimal("1200.00"))]
    connection.close()


def test_failed_tidying_leaves_the_commit_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from nobishiro.engine.store import upkeep

    def refuse(*arguments: object) -> None:
        raise StoreError("the disk is away")

    monkeypatch.setattr(upkeep, "compact_tables", refuse)
    store = Store.create(tmp_path / "ws", StoreSettings(compact_above_files=1))
    _put(store, "a", _products(0))
    _put(store, "b", _products(1))
    assert _ids(store) == ["P00000", "P00001"]
    assert "tidying up after it failed: the disk is away" in caplog.text


def test_disk_usage_tells_live_and_history_apart(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    _put(store, "a", _products(0, 100))
    _put(store, "b", _products(0, 100).with_columns(name=pl.lit("改")))
    usage = store.disk_usage()
    table = usage["products"]
    live = sum(Path(path).stat().st_size for path in store.files("products"))
    assert (table.rows, table.files, table.bytes) == (100, 1, live)
    assert table.history_bytes > 0
    assert usage.replaced_bytes > 0
    assert usage.total_bytes > table.bytes + table.history_bytes
    with pytest.raises(KeyError, match="products"):
        usage["customers"]


def test_writer_does_not_build_on_a_delta_version_that_was_never_published(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    _put(store, "a", _products(0))
    directory = store.path / "tables" / "products"
    orphan = _products(7).with_columns(
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in stored_schema(TABLES["products"]).items()
        if name not in ("product_id", "name")
    )
    write_deltalake(str(directory), orphan.select(stored_schema(TABLES["products"]).names()).to_arrow(), mode="append")
    assert DeltaTable(str(directory)).count() == 2
    assert _ids(store) == ["P00000"]
    _put(store, "b", _products(1))
    assert _ids(store) == ["P00000", "P00001"]
    head = store.head()
    assert head is not None
    assert live_files(directory, head.tables[0].version) == sorted(Path(path).name for path in store.files("products"))


@pytest.mark.slow
def test_delta_log_agrees_after_hundreds_of_commits(tmp_path: Path) -> None:
    # Past a hundred versions Delta writes a checkpoint, from which later versions are read.
    store = Store.create(tmp_path / "ws", StoreSettings(compact_above_files=8))
    for n in range(130):
        _put(store, f"i{n}", _products(n))
    head = store.head()
    assert head is not None
    directory = store.path / "tables" / "products"
    names = live_files(directory, head.tables[0].version)
    assert names == sorted(Path(path).name for path in store.files("products"))
    assert DeltaTable(str(directory)).count() == len(_ids(store)) == 130


def _make_version_zero(path: Path) -> None:
    """What the first prototype left: narrow types, no `import_id`, a `log.json` instead of commits."""
    frame = pl.DataFrame(
        {
            "order_id": ["O1", "O1"],
            "product_id": ["P1", "P2"],
            "occurrence": pl.Series([1, 1], dtype=pl.Int32),
            "ordered_at": [date(2026, 4, 1), date(2026, 4, 2)],
            "amount": pl.Series([Decimal(1200), None], dtype=pl.Decimal(12, 0)),
        }
    )
    directory = path / "tables" / "order_lines"
    write_deltalake(str(directory), frame.to_arrow())
    write_deltalake(str(directory), frame.with_columns(order_id=pl.lit("never published")).to_arrow(), mode="append")
    (path / "log.json").write_text(json.dumps({"tables": {"order_lines": 0}}))
    (path / "nobishiro.json").write_text(json.dumps({"schema_version": 0, "created_at": "2026-01-02T03:04:05"}))


def _check_upgraded(store: Store) -> None:
    frame = store.read("order_lines").sort("product_id")
    assert frame.schema == stored_schema(TABLES["order_lines"])
    assert frame["order_id"].to_list() == ["O1", "O1"]
    assert frame["amount"].to_list() == [Decimal("1200.00"), None]
    assert frame["ordered_at"].to_list() == [datetime(2026, 4, 1), datetime(2026, 4, 2)]
    assert set(frame["import_id"]) == {"before-upgrade"}
    assert json.loads((store.path / "nobishiro.json").read_text()) == {
        "schema_version": 1,
        "created_at": "2026-01-02T03:04:05",
    }


def test_workspace_of_version_zero_is_upgraded_on_opening(tmp_path: Path) -> None:
    _make_version_zero(tmp_path)
    _check_upgraded(Store.open(tmp_path))
    store = Store.open(tmp_path)
    assert [commit.kind for commit in store.commits()] == ["upgrade"]
    with store.begin("later", "import") as step:
        step.upsert("order_lines", store.read("order_lines").drop("import_id").with_columns(channel=pl.lit("web")))
        assert step.commit().changes[0].updated == 2


def test_upgrade_cut_short_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nobishiro.engine.store import marker

    _make_version_zero(tmp_path)

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(marker, "write_replacing", die)
        with pytest.raises(KeyboardInterrupt):
            Store.open(tmp_path)
    assert json.loads((tmp_path / "nobishiro.json").read_text())["schema_version"] == 0
    _check_upgraded(Store.open(tmp_path))
