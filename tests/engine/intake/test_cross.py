from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from nobishiro.contracts.errors import LayoutUnknown
from nobishiro.engine.intake.sources import RawTable, read_source

Cells = list[list[object]]


def _read(
    tmp_path: Path, rows: Cells, *, merges: tuple[str, ...] = (), name: str = "table", sheet: str = "Sheet1"
) -> RawTable:
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.title = sheet
    for row in rows:
        page.append(row)
    for merge in merges:
        page.merge_cells(merge)
    path = tmp_path / f"{name}.xlsx"
    workbook.save(path)
    return read_source(path)


def test_month_customer_family_table_with_titles_merges_and_totals_becomes_rows(tmp_path: Path) -> None:
    table = _read(
        tmp_path,
        [
            ["得意先別商品群別売上表　2025年度"],
            [],
            ["得意先", "商品群", "4月", "5月", "1月", "合計"],
            ["A商店", "センサ", 100, 200, None, 300],
            [None, "画像検査", 10, "-", 0, 10],
            ["A商店 小計", None, 110, 200, 0, 310],
            ["東京時計", "センサ", "1,000", None, 5, 1005],
            ["合計", None, 1110, 200, 5, 1315],
        ],
        merges=("A4:A5", "A1:F1"),
    )
    assert table.guess.layout == "cross"
    assert table.frame.columns == ["得意先", "商品群", "年月", "金額"]
    assert table.frame.rows() == [
        ("A商店", "センサ", "2025-04", "100"),
        ("A商店", "センサ", "2025-05", "200"),
        ("A商店", "画像検査", "2025-04", "10"),
        ("A商店", "画像検査", "2026-01", "0"),
        ("東京時計", "センサ", "2025-04", "1,000"),
        ("東京時計", "センサ", "2026-01", "5"),
    ]
    assert table.lines.to_list() == [4, 4, 5, 5, 7, 7]
    assert [(row.line, row.reason) for row in table.skipped] == [(1, "title"), (6, "subtotal"), (8, "subtotal")]
    assert table.guess.header_row == 3
    assert any("2025年度" in note for note in table.guess.notes)


def test_quantities_and_amounts_under_each_month_become_two_columns(tmp_path: Path) -> None:
    table = _read(
        tmp_path,
        [
            ["得意先", "商品群", "2025年4月", None, "2025年5月", None, "合計", None],
            [None, None, "数量", "売上金額", "数量", "売上金額", "数量", "売上金額"],
            ["A", "S", 1, 100, 2, 200, 3, 300],
            ["B", "S", None, None, 3, 300, 3, 300],
        ],
        merges=("C1:D1", "E1:F1", "G1:H1", "A1:A2", "B1:B2"),
    )
    assert table.frame.columns == ["得意先", "商品群", "年月", "数量", "金額"]
    assert table.frame.rows() == [
        ("A", "S", "2025-04", "1", "100"),
        ("A", "S", "2025-05", "2", "200"),
        ("B", "S", "2025-05", "3", "300"),
    ]


def test_families_under_each_month_become_a_family_column(tmp_path: Path) -> None:
    table = _read(
        tmp_path,
        [
            ["得意先", "2025/04", None, None, "2025/05", None, None],
            [None, "センサ", "画像", "計", "センサ", "画像", "計"],
            ["A", 1, 2, 3, 4, None, 4],
        ],
    )
    assert table.frame.columns == ["得意先", "年月", "商品群", "金額"]
    assert table.frame.rows() == [
        ("A", "2025-04", "センサ", "1"),
        ("A", "2025-04", "画像", "2"),
        ("A", "2025-05", "センサ", "4"),
    ]


def test_months_under_each_family_start_the_year_again(tmp_path: Path) -> None:
    table = _read(
        tmp_path,
        [
            ["2025年度 売上"],
            ["得意先", "センサ", None, "画像", None],
            [None, "12月", "1月", "12月", "1月"],
            ["A", 1, 2, 3, 4],
        ],
    )
    assert table.frame.select("年月", "商品群", "金額").rows() == [
        ("2025-12", "センサ", "1"), ("2026-01", "センサ", "2"), ("2025-12", "画像", "3"), ("2026-01", "画像", "4")
    ]  # fmt: skip


def test_a_year_above_the_months_counts_for_those_below_it(tmp_path: Path) -> None:
    table = _read(
        tmp_path,
        [["得意先", "2024年", None, "2025年", None], [None, "11月", "12月", "1月", "2月"], ["A", 1, 2, 3, 4]],
    )
    assert table.frame["年月"].to_list() == ["2024-11", "2024-12", "2025-01", "2025-02"]
    assert table.frame.columns == ["得意先", "年月", "金額"]


@pytest.mark.parametrize(("name", "sheet"), [("売上2025年度", "Sheet1"), ("table", "2025年度")])
def test_the_year_may_stand_in_the_name_of_the_file_or_sheet(tmp_path: Path, name: str, sheet: str) -> None:
    table = _read(tmp_path, [["得意先", "4月", "3月"], ["A", 1, 2]], name=name, sheet=sheet)
    assert table.frame["年月"].to_list() == ["2025-04", "2026-03"]


def test_months_without_any_year_are_refused_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(LayoutUnknown, match="no year"):
        _read(tmp_path, [["得意先", "4月", "5月"], ["A", 1, 2]])


def test_thousands_of_yen_are_multiplied_and_said(tmp_path: Path) -> None:
    table = _read(
        tmp_path,
        [
            ["単位：千円"],
            ["得意先", "2025年4月", None],
            [None, "数量", "金額"],
            ["A", 3, 2.5],
            ["B", 1, "▲1,200"],
            ["C", None, None],
        ],
    )
    assert table.frame.columns[-1] == "金額"
    assert table.frame["金額"].to_list() == ["2500", "-1200000"]
    assert any("1,000" in note for note in table.guess.notes)


def test_real_dates_in_the_header_are_months(tmp_path: Path) -> None:
    import datetime as dt

    table = _read(
        tmp_path,
        [["得意先", dt.date(2025, 4, 1), dt.date(2025, 5, 1), dt.date(2025, 6, 1)], ["A", 1, 2, 3], ["B", 4, 5, 6]],
    )
    assert table.frame["年月"].to_list() == ["2025-04", "2025-05", "2025-06"] * 2


def test_averages_and_shares_are_not_amounts(tmp_path: Path) -> None:
    table = _read(tmp_path, [["得意先", "2025年4月", "2025年5月", "平均", "構成比"], ["A", 1, 3, 2, 0.5]])
    assert table.frame.columns == ["得意先", "年月", "金額"]
    assert table.frame.height == 2


def test_numbers_without_a_label_are_rejected(tmp_path: Path) -> None:
    table = _read(tmp_path, [["得意先", "2025年4月", "2025年5月"], ["A", 1, 3], [None, 1, 3]])
    assert table.frame.height == 2
    assert table.rejected["line"].to_list() == [3]
    assert "without a label" in table.rejected["reason"][0]


def test_measures_in_rows_are_never_mixed_into_one_amount(tmp_path: Path) -> None:
    table = _read(
        tmp_path,
        [
            ["2025年度（千円）"],
            ["コード", "得意先", "項目", "4月", "5月"],
            ["001", "A", "数量", 1, 2],
            [None, None, "売上金額", 100, 200],
            ["002", "B", "数量", 3, None],
            [None, None, "売上金額", 300, 400],
        ],
    )
    assert table.frame.columns == ["コード", "得意先", "年月", "数量", "金額"]
    assert table.frame.rows() == [
        ("001", "A", "2025-04", "1", "100000"),
        ("001", "A", "2025-05", "2", "200000"),
        ("002", "B", "2025-04", "3", "300000"),
        ("002", "B", "2025-05", None, "400000"),
    ]
    assert table.lines.to_list() == [3, 3, 5, 6]
