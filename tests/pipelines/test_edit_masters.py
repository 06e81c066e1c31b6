"""Masters edited by people: one commit, undoable, later readable."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import BadInput
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.edit_masters import (
    TableEdit,
    assignment_page,
    customers_per_rep,
    edit_masters,
    read_master,
    reassign,
)

AT = datetime(2026, 11, 21, 9)
ON = date(2026, 11, 21)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    path = tmp_path / "acme"
    workspace = Workspace.open_or_plan(path)
    workspace.make(AT)
    with Workspace.open(path).store.begin("first", "import", "", AT) as transaction:
        transaction.upsert(
            "customers", pl.DataFrame({"customer_id": ["C1", "C2", "C3"], "name": ["東和", "西和", "South"]})
        )
        transaction.upsert(
            "assignments",
            pl.DataFrame(
                {
                    "customer_id": ["C1", "C2", "C3", "C3"], "division_id": ["D1", "D1", "D2", "D1"],
                    "rep_id": ["R1", "R1", "R1", "R2"], "role": ["main", "main", "support", "main"],
                    "valid_from": [date(2025, 4, 1), None, date(2026, 11, 21), None],
                }
            ),
        )  # fmt: skip
        transaction.upsert(
            "reps", pl.DataFrame({"rep_id": ["R1", "R2"], "name": ["佐藤", "鈴木"], "email": ["s@x.jp", None]})
        )
        transaction.commit()
    return path


def test_an_edit_changes_its_own_columns_and_is_undone_whole(company: Path) -> None:
    rows = pl.DataFrame({"rep_id": ["R1", "R3"], "name": ["佐藤 健", "高橋"], "hours_per_month": [80.0, 60.0]})
    report = edit_masters(company, [TableEdit("reps", rows)], note="reps: 2", at=AT)
    reps = read_master(company, "reps").sort("rep_id")
    assert reps["name"].to_list() == ["佐藤 健", "鈴木", "高橋"]
    assert reps["email"].to_list() == ["s@x.jp", None, None], "what the form does not show stays"
    store = Workspace.open(company).store
    assert (store.head().kind, store.head().note) == ("edit", "reps: 2")
    store.undo(report.import_id, AT)
    assert read_master(company, "reps").sort("rep_id")["name"].to_list() == ["佐藤", "鈴木"]


def test_an_edit_without_a_change_makes_no_commit(company: Path) -> None:
    before = Workspace.open(company).store.head().number
    report = edit_masters(
        company, [TableEdit("reps", pl.DataFrame({"rep_id": ["R1"], "name": ["佐藤"]}))], note="", at=AT
    )
    assert (report.commit, report.written) == (None, 0)
    assert Workspace.open(company).store.head().number == before


def test_what_happened_is_not_edited_here(company: Path) -> None:
    with pytest.raises(BadInput, match="order_lines"):
        edit_masters(company, [TableEdit("order_lines", pl.DataFrame({"order_id": ["1"]}))], note="", at=AT)


def test_the_first_edit_makes_the_workspace(tmp_path: Path) -> None:
    edit_masters(
        tmp_path / "new",
        [TableEdit("divisions", pl.DataFrame({"division_id": ["D1"], "name": ["営業"]}))],
        note="",
        at=AT,
    )
    assert read_master(tmp_path / "new", "divisions")["name"].to_list() == ["営業"]
    assert read_master(tmp_path / "absent", "divisions").is_empty()


def test_handing_over_moves_every_tie_in_one_commit_and_keeps_the_past(company: Path) -> None:
    before = Workspace.open(company).store.head().number
    report, moved = reassign(company, from_rep="R1", to_rep="R2", on=ON, note="hand over", at=AT)
    assert report.commit == before + 1 and moved["customer_id"].to_list() == ["C1", "C2", "C3"]
    rows = read_master(company, "assignments").sort("customer_id", "division_id", "rep_id")
    assert rows.select("customer_id", "rep_id", "role", "valid_from", "valid_to").rows() == [
        ("C1", "R1", "main", date(2025, 4, 1), date(2026, 11, 20)),
        ("C1", "R2", "main", ON, None),
        ("C2", "R1", "main", None, date(2026, 11, 20)),
        ("C2", "R2", "main", ON, None),
        ("C3", "R2", "main", None, None),
        ("C3", "R2", "support", ON, None),  # R1's began this day and never held
    ]
    assert customers_per_rep(company, ON) == {"R2": 3}
    assert reassign(company, from_rep="R1", to_rep="R2", on=ON, note="", at=AT)[0].commit is None, "twice is once"


def test_handing_over_back_makes_the_tie_hold_again(company: Path) -> None:
    reassign(company, from_rep="R1", to_rep="R2", division="D1", on=ON, note="", at=AT)
    reassign(company, from_rep="R2", to_rep="R1", customers=["C1"], on=ON, note="", at=AT)
    page = assignment_page(company, ON, rep="R1")
    assert page.rows.select("customer_id", "division_id").rows() == [("C1", "D1"), ("C3", "D2")]


def test_ties_are_found_by_name_or_code_and_come_in_pages(company: Path) -> None:
    assert assignment_page(company, ON, search="和").total == 2
    assert assignment_page(company, ON, search="SOUTH").rows["customer_id"].to_list() == ["C3", "C3"]
    assert assignment_page(company, ON, search="c2", division="D1").customers == 1
    page = assignment_page(company, ON, offset=1, limit=2)
    assert (page.rows.height, page.total) == (2, 4)
    assert assignment_page(company, ON, search=".*").total == 0, "a search is text, not a pattern"
