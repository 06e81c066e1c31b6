from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge, LayoutUnknown, UnknownName
from nobishiro.engine.intake.sources import ReadOptions, list_sheets, read_source
from nobishiro.engine.settings import ImportSettings


def _save(path: Path, sheets: dict[str, list[list[object]]], merges: tuple[str, ...] = ()) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        page = workbook.create_sheet(name)
        for row in rows:
            page.append(row)
        for merge in merges:
            page.merge_cells(merge)
    workbook.save(path)
    return path


def test_cells_read_as_people_see_them(tmp_path: Path) -> None:
    path = _save(
        tmp_path / "orders.xlsx",
        {"売上": [
            ["コード", "受注日", "数量", "金額", "混在"],
            ["00123", dt.date(2025, 4, 1), 12, 1234.5, "00012"],
            ["00124", dt.datetime(2025, 4, 2, 9, 30), 3.0, 1e12, 12],
        ]},
    )  # fmt: skip
    table = read_source(path)
    assert table.frame.rows() == [
        ("00123", "2025-04-01", "12", "1234.5", "00012"),
        ("00124", "2025-04-02 09:30:00", "3", "1000000000000", "12"),
    ]
    assert table.guess.kind == "excel"
    assert table.guess.sheet == "売上"


def test_rows_keep_excels_numbers_when_the_sheet_begins_lower_and_has_gaps(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    page = workbook.active
    for cell, value in {"C4": "コード", "D4": "名称", "C5": "1", "D5": "A", "C8": "2", "D8": "B"}.items():
        page[cell] = value
    path = tmp_path / "low.xlsx"
    workbook.save(path)
    table = read_source(path)
    assert table.guess.header_row == 4
    assert table.frame.rows() == [("1", "A"), ("2", "B")]
    assert table.lines.to_list() == [5, 8]
    assert [(row.line, row.reason) for row in table.skipped] == [(6, "blank"), (7, "blank")]


def test_old_xls_is_read_too(tmp_path: Path) -> None:
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("売上")
    date_style = xlwt.easyxf(num_format_str="YYYY/MM/DD")
    for column, label in enumerate(("コード", "受注日", "数量")):
        page.write(1, column, label)
    page.write(2, 0, "00123")
    page.write(2, 1, dt.date(2025, 4, 1), date_style)
    page.write(2, 2, 123.0)
    path = tmp_path / "old.xls"
    workbook.save(str(path))
    table = read_source(path)
    assert table.frame.rows() == [("00123", "2025-04-01", "123")]
    assert table.lines.to_list() == [3]


def test_the_sheet_most_like_a_table_is_chosen_shown_and_overridable(tmp_path: Path) -> None:
    path = _save(
        tmp_path / "book.xlsx",
        {"表紙": [["売上報告書"], ["作成者", "山田"]],
         "売上": [["コード", "金額"], ["1", 10], ["2", 20], ["3", 30]],
         "マスタ": [["コード", "名称"], ["1", "A"]]},
    )  # fmt: skip
    table = read_source(path)
    assert table.guess.sheet == "売上"
    assert table.guess.sheets == list_sheets(path) == ("表紙", "売上", "マスタ")
    assert table.source == "book.xlsx [売上]"
    assert any("most rows" in note for note in table.guess.notes)
    assert read_source(path, ReadOptions(sheet="マスタ")).frame.rows() == [("1", "A")]
    with pytest.raises(UnknownName, match="it has: 表紙, 売上, マスタ"):
        read_source(path, ReadOptions(sheet="なし"))


def test_merged_labels_hold_for_every_row_but_merged_amounts_count_once(tmp_path: Path) -> None:
    path = _save(
        tmp_path / "merged.xlsx",
        {
            "S": [
                ["受注番号", "得意先", "商品", "合計金額"],
                [1001, "A商店", "センサ", 500],
                [None, None, "画像", None],
                [1002, "B商店", "計測", 10],
            ]
        },
        merges=("A2:A3", "B2:B3", "D2:D3"),
    )
    table = read_source(path)
    assert table.frame.rows() == [
        ("1001", "A商店", "センサ", "500"), ("1001", "A商店", "画像", None), ("1002", "B商店", "計測", "10")
    ]  # fmt: skip
    assert any("merged cells filled down in 受注番号, 得意先" in note for note in table.guess.notes)


def test_blank_cells_that_are_not_merged_stay_blank(tmp_path: Path) -> None:
    path = _save(
        tmp_path / "gaps.xlsx", {"S": [["法人番号", "名称", "金額"], ["123", "A", 1], [None, "B", 2], [None, "C", 3]]}
    )
    assert read_source(path).frame["法人番号"].to_list() == ["123", None, None]


def test_formulas_that_look_like_text_and_leading_equals_stay_text(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.append(["コード", "名称"])
    page.append(["1", "x"])
    page["B2"].value = "=cmd"
    page["B2"].data_type = "s"
    path = tmp_path / "formula.xlsx"
    workbook.save(path)
    assert read_source(path).frame.row(0) == ("1", "=cmd")


def test_sheet_without_a_table_and_header_without_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LayoutUnknown, match="holds no text"):
        read_source(_save(tmp_path / "empty.xlsx", {"S": []}))
    with pytest.raises(LayoutUnknown, match="no rows below"):
        read_source(_save(tmp_path / "header.xlsx", {"S": [["コード", "名称"]]}))


def test_more_columns_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "wide.xlsx", {"S": [[f"c{i}" for i in range(30)], ["x"] * 30]})
    with pytest.raises(FileTooLarge, match="30 columns"):
        read_source(path, settings=ImportSettings(max_columns=20))


def test_a_cell_over_the_limit_is_a_rejected_row(tmp_path: Path) -> None:
    path = _save(tmp_path / "long.xlsx", {"S": [["コード", "備考"], ["1", "x" * 5_000], ["2", "y"]]})
    table = read_source(path, settings=ImportSettings(max_cell_bytes=1_000))
    assert table.frame.rows() == [("2", "y")]
    assert table.rejected["line"].to_list() == [2]


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "cut.xlsx", {"S": [["コード"], ["1"]]})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(FileNotUsable, match=r"cut\.xlsx"):
        read_source(path)


def _damaged_xls(path: Path) -> Path:
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("S")
    for row in range(20):
        page.write(row, 0, "コード" if row == 0 else f"{row:05d}")
    workbook.save(str(path))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 + 117])
    return path


def test_a_file_that_makes_the_parser_panic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotUsable, match=r"cut\.xls is no readable Excel workbook"):
        read_source(_damaged_xls(tmp_path / "cut.xls"))


def test_a_workbook_that_needs_too_much_memory_or_time_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "greedy.xlsx", {"S": [["コード", "名称"], ["1", "A"]]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    # One cell at the far corner: the parser lays out all 17 thousand million cells between.
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(FileTooLarge, match=r"greedy\.xlsx needs more memory"):
        read_source(path, settings=ImportSettings(max_workbook_memory=2_000_000_000))
    with pytest.raises(FileTooLarge, match="not read within"):
        read_source(path, settings=ImportSettings(max_workbook_seconds=0.01))


def test_units_below_the_header_and_remarks_below_the_table_are_no_data(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["顧客名", "売上", "数量"],
        [None, "(円)", "（個）"],
        ["A", 100, 1],
        ["B", 200, 2],
        ["※税抜です"],
    ]
    table = read_source(_save(tmp_path / "units.xlsx", {"S": rows}))
    assert table.frame["顧客名"].to_list() == ["A", "B"]
    assert [(row.line, row.reason) for row in table.skipped] == [(2, "title"), (5, "title")]


def test_years_across_the_top_are_labels(tmp_path: Path) -> None:
    table = read_source(_save(tmp_path / "years.xlsx", {"S": [["顧客", 2023, 2024, 2025], ["A", 1, 2, 3]]}))
    assert table.frame.columns == ["顧客", "2023", "2024", "2025"]
