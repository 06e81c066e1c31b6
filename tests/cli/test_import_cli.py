"""`nobishiro import`, `undo`, `export`, `match` as a new user meets them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest
from cli_desk import Desk, ledger, line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nobishiro.contracts.tables import IMPORT_ID, TABLES
from nobishiro.engine.intake.importing import ImportReport, commit_import, dry_run, prepare_import
from nobishiro.engine.intake.sources import read_source
from nobishiro.engine.settings import ImportSettings
from nobishiro.engine.store import Store
from nobishiro.pipelines.import_file import choose_mapping

GOOD = tuple(line(number, number % 3, number % 5) for number in range(1, 31))
NOW = datetime(2026, 11, 21)


def test_plain_ledger_is_order_lines_and_feeds_customers_and_products(desk: Desk) -> None:
    done = desk.imported(desk.write("sales.csv", ledger(*GOOD)))
    assert {name: counts["new"] for name, counts in done["tables"].items()} == {
        "order_lines": 30,
        "products": 5,
        "customers": 3,
    }
    assert done["read_as"]["encoding"] == "utf-8"
    assert {(c["header"], c["table"], c["column"]) for c in done["columns"]} >= {
        ("受注番号", "order_lines", "order_id"),
        ("得意先名", "customers", "name"),
    }


def test_dry_run_writes_nothing_at_all(desk: Desk) -> None:
    path = desk.write("sales.csv", ledger(*GOOD, line(31, quantity="x")))
    before = desk.files()
    done = desk.imported(path, "--dry-run", "--save-mapping", "ours")
    assert (done["dry_run"], done["commit"], done["rejected"]) == (True, None, 1)
    assert len(done["samples"]["order_lines"]) == 5
    assert desk.files() == before


def test_import_again_changes_nothing_and_undo_takes_it_back(desk: Desk) -> None:
    first = desk.imported(desk.write("first.csv", ledger(*GOOD[:10])))
    before = desk.tables()
    path = desk.write("sales.csv", ledger(*GOOD, GOOD[0].replace("ネジ", "ボルト")))
    second = desk.imported(path)
    again = desk.imported(path)
    for counts in again["tables"].values():
        assert counts["new"] == counts["updated"] == counts["removed"] == 0
    said = desk.nobishiro("undo", second["import_id"], "-w", desk.workspace, "--json")
    assert said.code == 0 and said.document["undone"] == second["import_id"]
    assert desk.tables() == before
    listed = desk.nobishiro("undo", "-w", desk.workspace, "--json").document["imports"]
    assert first["import_id"] in [entry["import_id"] for entry in listed]
    twice = desk.nobishiro("undo", second["import_id"], "-w", desk.workspace)
    assert twice.code == 5 and "Traceback" not in twice.err


def test_rejected_rows_are_the_file_with_line_and_reason_and_import_again_once_corrected(desk: Desk) -> None:
    bad = (
        line(31, quantity="沢山"),
        line(32, day="2025/02/30"),
        line(33).replace("O00033", ""),
        line(34).replace("C001", "C001,支店"),  # a comma in a name without quotes: one field too many
    )
    path = desk.write("sales.csv", ledger(*GOOD[:7], *bad, *GOOD[7:]))
    done = desk.imported(path)
    assert (done["rejected"], done["tables"]["order_lines"]["new"]) == (4, 30)
    rejects = Path(done["rejected_file"])
    lines = rejects.read_text("utf-8-sig").splitlines()
    assert lines[0] == path.read_text().splitlines()[0] + ",元の行,取り込めなかった理由"
    assert [row.split(",")[-2] if row.count('"') == 0 else row for row in lines[1:]]
    for reason in ("数量: ", "受注日: ", "受注番号: is empty", "9 fields where the header has 8"):
        assert any(reason in row for row in lines[1:])
    corrected = (
        rejects.read_text("utf-8-sig")
        .replace("沢山", "3", 1)
        .replace("2025/02/30", "2025/02/28", 1)
        .replace("山田商店1,,P001", "山田商店1,O00033,P001", 1)
    )
    whole = next(row for row in corrected.splitlines() if "9 fields" in row)
    split = line(34) + ",11,corrected by hand"
    rejects.write_text("﻿" + corrected.replace(whole, split), "utf-8")
    fixed = desk.imported(rejects)
    assert (fixed["rejected"], fixed["tables"]["order_lines"]["new"]) == (0, 4)
    wanted = sorted(f"O{number:05d}" for number in range(1, 35))
    assert desk.read("order_lines")["order_id"].to_list() == wanted


@pytest.mark.parametrize(
    "bad",
    [
        line(1, product=9, quantity="x"),
        line(1, product=9).replace("ネジ9", "ネジ,9"),
        line(1, product=9).replace("ネジ9", '"ネジ9'),
    ],
    ids=["value", "fields", "quote"],
)
def test_order_of_a_rejected_line_loses_none_of_its_lines(desk: Desk, bad: str) -> None:
    """The corrected file replaces the order: it has to hold all its lines."""
    rows = [line(1, product=1), line(1, product=2), bad, line(2)]
    done = desk.imported(desk.write("sales.csv", ledger(*rows)))
    assert desk.read("order_lines")["order_id"].to_list() == ["O00002"]
    assert done["rejected"] == 3
    rejects = Path(done["rejected_file"])
    kept = [row for row in rejects.read_text("utf-8-sig").splitlines()[1:] if "held back" in row]
    header = rejects.read_text("utf-8-sig").splitlines()[0]
    rejects.write_text("\n".join((header, *kept, line(1, product=9) + ",4,x")) + "\n", "utf-8")
    assert desk.imported(rejects)["rejected"] == 0
    assert desk.read("order_lines")["product_id"].to_list() == ["P001", "P002", "P009", "P001"]


def test_failed_import_takes_its_rejected_rows_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.imported(desk.write("first.csv", ledger(*GOOD)))
    path = desk.write("sales.csv", ledger(line(40), line(41, quantity="x")))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nobishiro.engine.store.transaction.publish", full)
    said = desk.refused(path)
    assert said.code == 5 and "no space left" in said.err


def test_mapping_is_saved_and_used_again(desk: Desk) -> None:
    first = desk.write("one.csv", "A,B,C,D\nC1,O1,P1,2025-04-01\n")
    named = [f"--column={pair}" for pair in ("A=customer_id", "B=order_id", "C=product_id", "D=ordered_at")]
    desk.imported(first, "--table", "order_lines", *named, "--save-mapping", "ours")
    second = desk.write("two.csv", "A,B,C,D\nC2,O2,P2,2025-04-02\n")
    assert desk.imported(second, "--mapping", "ours")["tables"]["order_lines"]["new"] == 1
    assert desk.read("order_lines")["customer_id"].to_list() == ["C1", "C2"]


def test_ledger_in_cp932_keeps_the_letters_of_names(desk: Desk) -> None:
    text = ledger(*(row.replace("山田商店", "㈱髙﨑①") for row in GOOD))
    done = desk.imported(desk.write("sales.csv", text.encode("cp932")))
    assert done["read_as"]["encoding"] == "cp932"
    assert "髙﨑" in desk.read("customers")["name"][0]


def test_everything_exported_imports_into_a_new_workspace_unchanged(desk: Desk) -> None:
    desk.imported(
        desk.write("sales.csv", ledger(*GOOD, line(40, quantity="-1"), line(41).replace("ネジ1", '"=ネ,ジ"')))
    )
    people = 'customer_id,tag,value,set_by,set_on,reason\nC001,what,large,佐藤,2026-04-01,"改行\n有り"\n'
    desk.imported(desk.write("tags.csv", people), "--table", "tags")
    for suffix, options in (("utf8", ()), ("sjis", ("--encoding", "cp932", "--headers", "en"))):
        out = desk.path / f"export-{suffix}"
        said = desk.nobishiro("export", "all", "-w", desk.workspace, "--out", out, "--json", *options)
        assert said.code == 0
        assert [file["unwritable"] for file in said.document["files"]] == [[]] * len(said.document["files"])
        other = desk.path / f"other-{suffix}"
        for file in sorted(out.iterdir()):
            done = desk.nobishiro("import", file, "-w", other, "--json")
            assert done.code == 0 and done.document["rejected"] == 0
        store = Store.open(other)
        found = {n: rows for n in TABLES if (rows := store.read(n).drop(IMPORT_ID).sort(TABLES[n].key).rows())}
        assert found == desk.tables()


def test_customer_under_two_codes_is_merged_and_the_merge_undone(desk: Desk) -> None:
    rows = "C1,株式会社山田商店,東京都港区芝1-2-3\nC2,㈱山田商店,東京都港区芝１丁目２番３号\nC3,鈴木商会,\n"
    done = desk.imported(desk.write("customers.csv", "顧客コード,顧客名,住所\n" + rows), "--table", "customers")
    assert done["merged"] == {"certain": 1, "ambiguous": 0}
    assert desk.read("merges").select("customer_id", "into_customer_id").rows() == [("C2", "C1")]
    said = desk.nobishiro("match", "-w", desk.workspace, "--json", "--out", desk.path / "候補.csv")
    assert said.code == 0 and said.document["certain"] == []
    merged = next(
        entry
        for entry in desk.nobishiro("undo", "-w", desk.workspace, "--json").document["imports"]
        if entry["kind"] == "edit"
    )
    assert desk.nobishiro("undo", merged["import_id"], "-w", desk.workspace).code == 0
    assert desk.read("merges").is_empty()


@dataclass(frozen=True)
class Imported:
    """What a dry run said and what the import did."""

    foretold: ImportReport
    done: ImportReport

    def counts(self) -> list[tuple]:
        return _counts(self.done)


def test_what_an_import_says_against_a_correction_is_shown_and_the_correction_stands(desk: Desk) -> None:
    desk.imported(desk.write("customers.csv", "顧客コード,顧客名,従業員数\n1,甲,10\n"), "--table", "customers")
    corrected = "表,行,列,訂正値,取込値\ncustomers,1,employees,25,10\n"
    desk.imported(desk.write("corrections.csv", corrected), "--table", "corrections")
    done = desk.imported(desk.write("customers.csv", "顧客コード,顧客名,従業員数\n1,甲,12\n"), "--table", "customers")
    (shown,) = done["corrections_overtaken"]
    assert (shown["row_key"], shown["column_name"], shown["value"], shown["now"]) == ("1", "employees", "25", "12")


def _counts(report: ImportReport) -> list[tuple]:
    tables = [(t.table, t.new, t.updated, t.unchanged, t.removed) for t in report.tables]
    return [*tables, (report.rows_read, report.rejected.height, report.left_out)]


def _bring(store: Store, path: Path, import_id: str) -> Imported:
    raw = read_source(path)
    prepared = prepare_import(raw, choose_mapping(raw, "order_lines"), ImportSettings(), date(2026, 11, 21))
    return Imported(dry_run(store, prepared), commit_import(store, prepared, import_id, NOW))


def _all(store: Store) -> dict[str, list[tuple]]:
    return {name: store.read(name).drop(IMPORT_ID).sort(TABLES[name].key).rows() for name in TABLES}


ROW = st.builds(
    line,
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["2025-04-01", "2025/4/2", "令和7年4月3日", "1900-01-01", "never"]),
    st.sampled_from(["1", "２", "-3", "1,000", "x", "99999999999999"]),
)
BOOK = st.lists(ROW.map(lambda row: row.replace("1,000", '"1,000"')), min_size=1, max_size=8)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=BOOK, after=BOOK)
def test_dry_run_foretells_the_import_twice_is_once_and_undo_is_before(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("books")
    store = Store.create(folder / "ws")
    for name, rows in (("before", before), ("after", after)):
        (folder / f"{name}.csv").write_text(ledger(*rows), "utf-8")
    _bring(store, folder / "before.csv", "one")
    was = _all(store)
    second = _bring(store, folder / "after.csv", "two")
    assert _counts(second.foretold) == _counts(second.done)
    now = _all(store)
    again = _bring(store, folder / "after.csv", "three")
    assert all(t.new == t.updated == t.removed == 0 for t in again.done.tables)
    assert _all(store) == now
    if now != was:
        store.undo("two")
        assert _all(store) == was


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=BOOK, second=BOOK)
def test_order_of_two_disjoint_imports_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], second: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("books")
    apart = [row.replace("C00", "D00").replace(",O", ",X").replace(",P", ",Q") for row in second]
    (folder / "a.csv").write_text(ledger(*first), "utf-8")
    (folder / "b.csv").write_text(ledger(*apart), "utf-8")
    ends = []
    for order in ("ab", "ba"):
        store = Store.create(folder / order)
        for name in order:
            _bring(store, folder / f"{name}.csv", name)
        ends.append(_all(store))
    assert ends[0] == ends[1]
