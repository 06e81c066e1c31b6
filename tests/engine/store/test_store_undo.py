"""Undo: an import goes out whole, what it replaced comes back, later changes stay."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import BadInput, CommitNotFound, StoreError
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store import Store


def _tags(rows: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"customer_id": list(rows), "tag": ["what"] * len(rows), "value": list(rows.values())},
        schema={"customer_id": pl.String, "tag": pl.String, "value": pl.String},
    )


def _lines(rows: dict[tuple[str, str], int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "order_id": [order for order, _ in rows],
            "product_id": [product for _, product in rows],
            "occurrence": [1] * len(rows),
            "quantity": list(rows.values()),
            "ordered_at": [datetime(2026, 4, 1)] * len(rows),
        },
        schema={
            "order_id": pl.String,
            "product_id": pl.String,
            "occurrence": pl.Int64,
            "quantity": pl.Int64,
            "ordered_at": pl.Datetime("us"),
        },
    )


def _put(store: Store, import_id: str, tags: dict[str, str], gone: tuple[str, ...] = ()) -> None:
    with store.begin(import_id, "import") as step:
        step.upsert("tags", _tags(tags))
        step.delete("tags", _tags(dict.fromkeys(gone, "")))
        step.commit()


def _values(store: Store) -> dict[str, tuple[str, str]]:
    frame = store.read("tags")
    return {row["customer_id"]: (row["value"], row["import_id"]) for row in frame.iter_rows(named=True)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "ws")


def test_undo_takes_new_rows_out_and_brings_replaced_ones_back(store: Store) -> None:
    _put(store, "a", {"C1": "large", "C2": "small"})
    _put(store, "b", {"C2": "large", "C3": "small"}, gone=("C1",))
    result = store.undo("b", datetime(2026, 11, 21))
    assert _values(store) == {"C1": ("large", "a"), "C2": ("small", "a")}
    counts = result.tables[0]
    assert (counts.table, counts.taken_out, counts.brought_back, counts.kept) == ("tags", 2, 2, 0)
    assert (result.commit.kind, result.commit.undoes, result.commit.number) == ("undo", "b", 3)
    assert _values(store)["C1"] == ("large", "a")


def test_undo_keeps_and_lists_what_a_later_import_changed(store: Store) -> None:
    _put(store, "a", {"C1": "a1", "C2": "a2", "C3": "a3"})
    _put(store, "b", {"C1": "b1"})
    _put(store, "c", {"C1": "c1"}, gone=("C2",))
    result = store.undo("a")
    assert _values(store) == {"C1": ("c1", "c")}
    assert result.kept.rows() == [("tags", "C1|what", "c"), ("tags", "C2|what", "c")]


def test_undoing_the_later_import_does_not_bring_back_an_undone_one(store: Store) -> None:
    _put(store, "a", {"C1": "a1"})
    _put(store, "b", {"C1": "b1"})
    _put(store, "c", {"C1": "c1"})
    store.undo("b")
    assert _values(store) == {"C1": ("c1", "c")}
    store.undo("c")
    assert _values(store) == {"C1": ("a1", "a")}
    store.undo("a")
    assert _values(store) == {}


def test_row_removed_then_written_again_comes_back_in_any_order_of_undoing(store: Store) -> None:
    _put(store, "a", {"C1": "a1"})
    _put(store, "b", {}, gone=("C1",))
    _put(store, "c", {"C1": "c1"})
    assert store.undo("b").kept.rows() == [("tags", "C1|what", "c")]
    assert _values(store) == {"C1": ("c1", "c")}
    store.undo("c")
    assert _values(store) == {"C1": ("a1", "a")}


def test_undo_of_an_order_brings_its_old_lines_back(store: Store) -> None:
    for name, rows in (("a", {("O1", "P1"): 1, ("O1", "P2"): 2}), ("b", {("O1", "P2"): 5, ("O1", "P3"): 3})):
        with store.begin(name, "import") as step:
            step.upsert("order_lines", _lines(rows))
            step.commit()
    store.undo("b")
    frame = store.read("order_lines").sort("product_id")
    assert frame["product_id"].to_list() == ["P1", "P2"]
    assert frame["quantity"].cast(pl.Int64).to_list() == [1, 2]
    assert set(frame["import_id"]) == {"a"}


def test_undo_twice_says_so_and_changes_nothing(store: Store) -> None:
    _put(store, "a", {"C1": "a1"})
    store.undo("a")
    with pytest.raises(StoreError, match="undone already, in commit 2"):
        store.undo("a")
    assert len(store.commits()) == 2


def test_undo_of_an_undo_is_refused_with_the_way_out(store: Store) -> None:
    _put(store, "a", {"C1": "a1"})
    undone = store.undo("a").commit
    with pytest.raises(StoreError, match="import the file again"):
        store.undo(undone.import_id)
    _put(store, "a-again", {"C1": "a1"})
    assert _values(store) == {"C1": ("a1", "a-again")}


def test_undo_of_an_unknown_import_names_it(store: Store) -> None:
    with pytest.raises(CommitNotFound, match="'nothing'"):
        store.undo("nothing")


def test_reserved_import_ids_are_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="undo-"):
        store.begin("undo-a", "import")


def test_undo_does_not_need_old_files(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws", StoreSettings(keep_commits=1))
    _put(store, "a", {"C1": "a1", "C2": "a2"})
    _put(store, "b", {"C1": "b1", "C3": "b3"})
    store.compact()
    assert store.vacuum().files > 0
    store.undo("b")
    assert _values(store) == {"C1": ("a1", "a"), "C2": ("a2", "a")}


class _Piles:
    """The store as the simplest thing that could be right: for each key the states the imports laid on it."""

    def __init__(self) -> None:
        self.piles: dict[tuple[str, str], list[tuple[str, int | None]]] = {}

    def shown(self) -> dict[tuple[str, str], tuple[int, str]]:
        tops = {key: pile[-1] for key, pile in self.piles.items() if pile}
        return {key: (value, name) for key, (name, value) in tops.items() if value is not None}

    def put(self, name: str, rows: dict[tuple[str, str], int], gone: set[tuple[str, str]]) -> None:
        before = self.shown()
        after = {key: value for key, (value, _) in before.items()}
        orders = {order for order, _ in rows}
        after = {key: value for key, value in after.items() if key[0] not in orders and key not in gone} | rows
        for key in before.keys() | after.keys():
            old = before[key][0] if key in before else None
            if after.get(key) != old:
                self.piles.setdefault(key, []).append((name, after.get(key)))

    def undo(self, name: str) -> set[tuple[str, str]]:
        kept = set()
        for key, pile in self.piles.items():
            if any(owner == name for owner, _ in pile[:-1]):
                kept.add(key)
            left = [(owner, value) for owner, value in pile if owner != name]
            while left and left[0][1] is None:
                left.pop(0)  # a removal with nothing left below it removes nothing
            self.piles[key] = left
        return kept


_KEY = st.tuples(st.sampled_from(["O1", "O2", "O3"]), st.sampled_from(["P1", "P2"]))
_STEP = st.one_of(
    st.tuples(st.just("put"), st.dictionaries(_KEY, st.integers(1, 3), max_size=5), st.sets(_KEY, max_size=2)),
    st.tuples(st.just("undo"), st.integers(0, 20)),
    st.tuples(st.just("compact")),
    st.tuples(st.just("vacuum")),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(_STEP, max_size=9))
def test_any_sequence_of_imports_and_undos_equals_the_piles(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple]
) -> None:
    check_sequence(tmp_path_factory.mktemp("piles"), steps)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(_STEP, min_size=4, max_size=14))
def test_any_long_sequence_of_imports_and_undos_equals_the_piles(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple]
) -> None:
    check_sequence(tmp_path_factory.mktemp("piles"), steps)


def check_sequence(directory: Path, steps: list[tuple]) -> None:
    store = Store.create(directory / "ws", StoreSettings(keep_commits=1, compact_above_files=3))
    model, names = _Piles(), []
    for number, step in enumerate(steps):
        if step[0] == "put":
            name = f"i{number}"
            # The store deletes first here, so that a row both named and written stays, as in the model.
            with store.begin(name, "import") as writer:
                writer.delete("order_lines", _lines(dict.fromkeys(step[2], 0)))
                writer.upsert("order_lines", _lines(step[1]))
                commit = writer.commit()
            model.put(name, step[1], step[2])
            if commit.import_id == name:
                names.append(name)
        elif step[0] == "undo" and names:
            name = names.pop(step[1] % len(names))
            if any(change.table for commit in store.commits() if commit.import_id == name for change in commit.changes):
                kept = {tuple(key.split("|")[:2]) for key in store.undo(name).kept["key"]}
                assert kept == model.undo(name)
        elif step[0] == "compact":
            store.compact()
        elif step[0] == "vacuum":
            store.vacuum()
        frame = store.read("order_lines").select(
            "order_id", "product_id", pl.col("quantity").cast(pl.Int64), "import_id"
        )
        found = {(order, product): (quantity, name) for order, product, quantity, name in frame.iter_rows()}
        assert len(found) == frame.height
        assert found == model.shown()
