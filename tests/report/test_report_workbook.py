"""The workbook opens in Excel, keeps text as text, and its tag sheet can come back."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from nobishiro.contracts.errors import FileNotUsable
from nobishiro.contracts.tables import TABLES
from nobishiro.report import ReportData, write_workbook

_spec = spec_from_file_location("company_for_workbook", Path(__file__).with_name("company_of_instruments.py"))
assert _spec is not None
assert _spec.loader is not None
_module = module_from_spec(_spec)
_spec.loader.exec_module(_module)
company_of_instruments = _module.company_of_instruments
HOSTILE = ("=1+1", "+1", "-1", "@SUM(1)", "http://example.com", "a\x00b", "<b>&\"'")


@pytest.fixture(scope="module")
def data() -> ReportData:
    return company_of_instruments(60)


@pytest.fixture(scope="module")
def book(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = tmp_path_factory.mktemp("book") / "map.xlsx"
    write_workbook(data, path)
    return openpyxl.load_workbook(path)


def head_row(sheet: openpyxl.worksheet.worksheet.Worksheet) -> int:
    return int(sheet.auto_filter.ref.split(":")[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def test_sheets_follow_the_report(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == [
        "顧客マップ",
        "マップ図",
        "拡大余地",
        "提案もれ",
        "提案",
        "一緒に売れる",
        "計画",
        "根拠・データ",
        "タグ記入",
        "図のデータ",
    ]


def test_english_data_makes_english_sheets(data: ReportData, tmp_path: Path) -> None:
    write_workbook(replace(data, language="en", currency="GBP"), tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(tmp_path / "map.xlsx")
    assert book.sheetnames[0] == "Customer map"
    sheet = book.worksheets[0]
    assert "£" in sheet.cell(head_row(sheet) + 1, 4).number_format


def test_every_customer_stands_in_the_list_with_letter_and_colour(book: openpyxl.Workbook, data: ReportData) -> None:
    sheet = book["顧客マップ"]
    first = head_row(sheet) + 1
    rows = {sheet.cell(row, 2).value: sheet.cell(row, 1) for row in range(first, sheet.max_row + 1)}
    assert {code: cell.value for code, cell in rows.items()} == dict(
        data.positions.select("customer_id", "quadrant").iter_rows()
    )
    colours = {cell.value: cell.fill.start_color.rgb for cell in rows.values()}
    assert colours == {"A": "FF17613F", "B": "FFD08700", "C": "FF4C6C93", "D": "FFD3D5D7"}


def test_codes_keep_their_leading_zeros(book: openpyxl.Workbook) -> None:
    sheet = book["顧客マップ"]
    cell = sheet.cell(head_row(sheet) + 1, 2)
    assert cell.data_type == "s"
    assert cell.value.startswith("0")


def test_heads_are_frozen_filtered_and_repeated_on_landscape_paper(book: openpyxl.Workbook) -> None:
    for sheet in book.worksheets:
        row = head_row(sheet)
        assert sheet.print_title_rows == f"${row}:${row}", sheet.title
        assert sheet.freeze_panes.endswith(str(row + 1)), sheet.title
        assert sheet.page_setup.orientation == "landscape"
    assert book["顧客マップ"].page_setup.paperSize == 8


def test_gap_matrix_marks_every_state(book: openpyxl.Workbook, data: ReportData) -> None:
    sheet = book["提案もれ"]
    first = head_row(sheet) + 1
    marks = {"buying": "●", "proposed": "◐", "not_proposed": "○", "competitor": "✕", "not_applicable": "–"}
    place = {family: 8 + n for n, family in enumerate(data.families["family"])}
    rows = {sheet.cell(row, 2).value: row for row in range(first, sheet.max_row + 1)}
    for gap in data.gaps.iter_rows(named=True):
        assert sheet.cell(rows[gap["customer_id"]], place[gap["family"]]).value == marks[gap["state"]]
    assert sheet.cell(first, 1).value == "B"


def test_text_that_looks_like_a_formula_or_a_link_stays_text(tmp_path: Path) -> None:
    write_workbook(company_of_instruments(20, hostile=HOSTILE), tmp_path / "map.xlsx")
    with ZipFile(tmp_path / "map.xlsx") as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    book = openpyxl.load_workbook(tmp_path / "map.xlsx")
    names = {cell.value for cell in book["顧客マップ"]["C"]}
    assert {"=1+1", "+1", "-1", "@SUM(1)", "http://example.com", "a b", "<b>&\"'"} <= names
    assert not any(cell.data_type == "f" for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)


def test_map_has_a_native_scatter_with_four_series_on_log_axes(data: ReportData, tmp_path: Path) -> None:
    write_workbook(data, tmp_path / "map.xlsx")
    with ZipFile(tmp_path / "map.xlsx") as archive:
        chart = archive.read("xl/charts/chart1.xml").decode()
    assert chart.count("<c:ser>") == 4
    assert chart.count('<c:logBase val="10"/>') == 2


def test_log_chart_plots_no_zero_and_nothing_unknown(book: openpyxl.Workbook, data: ReportData) -> None:
    sheet = book["図のデータ"]
    points = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert points
    assert all(track > 0 and potential > 0 for _, _, track, potential in points)
    assert [point[0] for point in points] == sorted(point[0] for point in points)


def test_tag_sheet_has_the_canonical_heads_and_empty_values(book: openpyxl.Workbook) -> None:
    sheet = book["タグ記入"]
    heads = [cell.value for cell in sheet[1]]
    assert heads == [column.ja for column in TABLES["tags"].columns]
    values = heads.index(TABLES["tags"].column("value").ja) + 1
    assert all(sheet.cell(row, values).value is None for row in range(2, sheet.max_row + 1))
    assert sheet.max_row > 2


def test_unwritable_place_is_named(data: ReportData, tmp_path: Path) -> None:
    with pytest.raises(FileNotUsable, match="nowhere"):
        write_workbook(data, tmp_path / "nowhere" / "map.xlsx")


def test_long_sheet_says_what_it_leaves_out(data: ReportData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nobishiro.report.workbook.SHEET_LIMIT", 20)
    write_workbook(data, tmp_path / "map.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "map.xlsx")["拡大余地"]
    assert sheet.max_row == head_row(sheet) + 20
    assert "上から20行" in sheet.cell(2, 1).value
