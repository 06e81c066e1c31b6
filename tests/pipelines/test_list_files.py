"""Lists to files: codes stay codes, nothing becomes a formula, what does not fit is named."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from nobishiro.pipelines import list_files
from nobishiro.pipelines.list_files import (
    ListColumn,
    cells_not_fitting,
    list_texts,
    write_list_csv,
    write_list_excel,
)

COLUMNS = [
    ListColumn("コード"), ListColumn("円", "number"), ListColumn("率", "percent"), ListColumn("日", "day"),
    ListColumn("時", "moment"),
]  # fmt: skip
ROWS = [
    ("000123", 1_200_000, 0.62, date(2026, 11, 21), datetime(2026, 11, 21, 14, 5)),
    ("=1+1", Decimal("12.50"), None, date(1868, 10, 23), None),
    ("@sum\x00", float("nan"), None, None, None),
    ("\t-5", -3.25, None, None, None),
]


def test_excel_keeps_codes_numbers_and_days(tmp_path: Path) -> None:
    path = tmp_path / "l.xlsx"
    assert write_list_excel(COLUMNS, ROWS[:2], path, "顧客/一覧") == 2
    sheet = openpyxl.load_workbook(path).active
    assert sheet.title == "顧客_一覧"
    assert [cell.value for cell in sheet[2]] == [
        "000123",
        1_200_000,
        0.62,
        datetime(2026, 11, 21),
        datetime(2026, 11, 21, 14, 5),
    ]
    assert (sheet["A3"].value, sheet["A3"].data_type) == ("=1+1", "s")
    assert (sheet["B3"].value, sheet["D3"].value) == (12.5, "1868-10-23")


def test_rows_past_a_sheet_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_files, "_SHEET_ROWS", 3)
    path = tmp_path / "l.xlsx"
    assert write_list_excel([ListColumn("n", "number")], ((n,) for n in range(7)), path, "x") == 7
    book = openpyxl.load_workbook(path)
    assert [[row[0].value for row in sheet.iter_rows()] for sheet in book] == [["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6]]


def test_empty_list_has_its_head(tmp_path: Path) -> None:
    assert write_list_excel(COLUMNS, [], tmp_path / "l.xlsx") == 0
    assert write_list_csv(list_texts(COLUMNS, []), tmp_path / "l.csv") == 0
    assert (tmp_path / "l.csv").read_bytes().decode("utf-8-sig") == "コード,円,率,日,時\r\n"


def test_csv_text_runs_no_formula_and_numbers_keep_their_minus() -> None:
    texts = list_texts(COLUMNS, ROWS)
    assert texts["コード"].to_list() == ["000123", "'=1+1", "'@sum", "'\t-5"]
    assert texts["円"].to_list() == ["1200000", "12.5", None, "-3.25"]
    assert texts["日"].to_list() == ["2026/11/21", "1868/10/23", None, None]


def test_columns_of_one_name_stay_apart() -> None:
    assert list_texts([ListColumn("a"), ListColumn("a")], [("1", "2")]).columns == ["a", "a (2)"]


def test_what_cp932_cannot_hold_is_named_and_replaced(tmp_path: Path) -> None:
    texts = list_texts([ListColumn("名"), ListColumn("注")], [("髙橋", "〜10"), ("吉🍣", None)])
    found = [(cell.line, cell.column, cell.what) for cell in cells_not_fitting(texts)]
    assert found == [(2, "注", "〜"), (3, "名", "🍣")]
    write_list_csv(texts, tmp_path / "l.csv", "cp932")
    assert (tmp_path / "l.csv").read_bytes().decode("cp932") == "名,注\r\n髙橋,～10\r\n吉〓,\r\n"
