"""Rows that say only some columns: what stands elsewhere stays, whoever was faster."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import UnknownName
from nobishiro.engine.store import Store


def _frame(**columns: str | None) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ["C1"], **{name: [value] for name, value in columns.items()}})


def _put(store: Store, import_id: str, frame: pl.DataFrame, fills_gaps: bool = False) -> None:
    with store.begin(import_id, "import") as step:
        step.upsert("customers", frame, given=frame.columns, fills_gaps=fills_gaps)
        step.commit()


def _row(store: Store, *names: str) -> tuple[object, ...]:
    return store.read("customers").select(names).row(0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "ws")


def test_column_the_file_does_not_have_keeps_its_value(store: Store) -> None:
    _put(store, "master", _frame(name="山田商事", phone="03-1111-1111"))
    _put(store, "second", _frame(name="山田商事株式会社"))
    assert _row(store, "name", "phone") == ("山田商事株式会社", "03-1111-1111")


def test_empty_cell_of_a_column_the_file_has_empties_it(store: Store) -> None:
    _put(store, "master", _frame(name="山田商事", phone="03-1111-1111"))
    _put(store, "second", _frame(name="山田商事", phone=None))
    assert _row(store, "phone") == (None,)


def test_rows_that_fill_gaps_never_replace_what_stands(store: Store) -> None:
    _put(store, "master", _frame(name="山田商事", phone=None))
    _put(store, "ledger", _frame(name="ヤマダ", phone="03-1111-1111"), fills_gaps=True)
    assert _row(store, "name", "phone") == ("山田商事", "03-1111-1111")


def test_column_that_does_not_exist_is_named(store: Store) -> None:
    with store.begin("x", "import") as step, pytest.raises(UnknownName, match="nickname"):
        step.upsert("customers", _frame(name="a"), given=("nickname",))


def test_later_part_of_one_import_completes_what_an_earlier_part_put(store: Store) -> None:
    with store.begin("parts", "import") as step:
        step.upsert("customers", _frame(name="山田商事", phone="03-1111-1111"))
        step.upsert("customers", _frame(name="山田", phone=None), given=("name",))
        step.commit()
    assert _row(store, "name", "phone") == ("山田", "03-1111-1111")


def test_row_deleted_before_in_the_same_import_gives_nothing_back(store: Store) -> None:
    _put(store, "master", _frame(name="山田商事", phone="03-1111-1111"))
    with store.begin("again", "import") as step:
        step.delete("customers", _frame())
        step.upsert("customers", _frame(name="山田"), given=("name",))
        step.commit()
    assert _row(store, "name", "phone") == ("山田", None)


def test_writer_who_was_faster_keeps_the_columns_the_other_says_nothing_of(store: Store) -> None:
    _put(store, "master", _frame(name="old", phone="old"))
    with store.begin("slow", "import") as slow:
        slow.upsert("customers", _frame(name="new"), given=("name",))
        _put(store, "fast", _frame(phone="new"))
        slow.commit()
    assert _row(store, "name", "phone") == ("new", "new")


def test_gap_filled_by_a_faster_writer_is_no_gap_any_more(store: Store) -> None:
    _put(store, "master", _frame(name="山田商事", phone=None))
    with store.begin("slow", "import") as slow:
        slow.upsert("customers", _frame(name="ヤマダ", phone="from the ledger"), fills_gaps=True)
        _put(store, "fast", _frame(phone="from the master"))
        slow.commit()
    assert _row(store, "name", "phone") == ("山田商事", "from the master")


def test_writers_at_the_same_time_lose_none_of_each_others_columns(store: Store) -> None:
    columns = ("name", "phone", "address")
    _put(store, "master", _frame(name="0", phone="0", address="0"))
    failures: list[BaseException] = []

    def write(column: str) -> None:
        try:
            for turn in range(1, 6):
                _put(Store.open(store.path), f"{column}-{turn}", _frame(**{column: str(turn)}))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(column,)) for column in columns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert _row(store, *columns) == ("5", "5", "5")


CELL = st.sampled_from([None, "x", "y"])
ROW = st.tuples(CELL, CELL)


@settings(max_examples=15, deadline=None)
@given(
    stands=st.dictionaries(st.sampled_from("abc"), ROW, max_size=3),
    comes=st.dictionaries(st.sampled_from("abc"), ROW, min_size=1, max_size=3),
    names=st.sets(st.sampled_from(["phone", "address"])),
    fills_gaps=st.booleans(),
)
def test_comparison_says_what_writing_does_and_the_cells_are_those_of_the_rule(
    tmp_path_factory: pytest.TempPathFactory,
    stands: dict[str, tuple[str | None, str | None]],
    comes: dict[str, tuple[str | None, str | None]],
    names: set[str],
    fills_gaps: bool,
) -> None:
    store = Store.create(tmp_path_factory.mktemp("ws") / "ws", at=datetime(2026, 1, 1))

    def frame(rows: dict[str, tuple[str | None, str | None]]) -> pl.DataFrame:
        records = [(code, code, *cells) for code, cells in rows.items()]
        schema = dict.fromkeys(("customer_id", "name", "phone", "address"), pl.String)
        return pl.DataFrame(records, schema=schema, orient="row")

    with store.begin("one", "import") as step:
        step.upsert("customers", frame(stands))
        step.commit()
    wanted = store.compare("customers", frame(comes), given=names, fills_gaps=fills_gaps)
    with store.begin("two", "import") as step:
        done = step.upsert("customers", frame(comes), given=names, fills_gaps=fills_gaps)
        step.commit()
    assert (wanted.new, wanted.updated, wanted.unchanged) == (done.new, done.updated, done.unchanged)

    def cell(code: str, at: int) -> str | None:
        old, new = stands[code][at] if code in stands else None, comes[code][at] if code in comes else None
        if code not in stands or code not in comes:
            return new if code in comes else old
        if fills_gaps:
            return new if old is None else old
        return new if ("phone", "address")[at] in names else old

    found = {code: (phone, address) for code, phone, address in
             store.read("customers").select("customer_id", "phone", "address").iter_rows()}  # fmt: skip
    assert found == {code: (cell(code, 0), cell(code, 1)) for code in {*stands, *comes}}
