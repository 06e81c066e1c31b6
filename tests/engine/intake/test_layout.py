from __future__ import annotations

import pytest

from nobishiro.contracts.errors import LayoutUnknown
from nobishiro.engine.intake.layout import Header, HeadRow, find_header, is_subtotal, unique_names


def _header(*rows: tuple[str | None, ...]) -> Header:
    return find_header([HeadRow(line, cells) for line, cells in enumerate(rows, start=1)], "sheet.xlsx")


@pytest.mark.parametrize(
    "label",
    [
        *("小計", "合計", "総計", "総合計", "計", "小　計", "【合計】", "*** 合計 ***", "累計"),
        *("A商店 小計", "A商店　計", "得意先計", "月計", "部門合計"),
        *("Total", "TOTAL:", "Grand Total", "Subtotal", "sub-total", "A Shop Total"),
    ],
)
def test_labels_of_totals_are_recognised(label: str) -> None:
    assert is_subtotal(label)


@pytest.mark.parametrize(
    "label",
    [
        *(
            "東京時計",
            "山田設計",
            "流量計",
            "温度計",
            "のびしろ計器",
            "会計事務所",
            "株式会社計測",
            "計画",
            "合計書類箱",
        ),
        *("Totally", "Total Care KK", None),
    ],
)
def test_names_that_hold_計_or_total_are_no_totals(label: str | None) -> None:
    assert not is_subtotal(label)


def test_titles_above_the_header_are_found() -> None:
    header = _header(
        ("売上一覧", None, None),
        ("作成日", "2025/04/30", None),
        ("得意先", "商品", "金額"),
        ("A", "S", "100"),
        ("B", "T", "200"),
    )
    assert (header.first_line, header.last_line) == (3, 3)
    assert header.names == ["得意先", "商品", "金額"]
    assert [row.line for row in header.titles] == [1, 2]


def test_two_header_rows_are_joined_where_merged_cells_leave_gaps() -> None:
    header = _header(
        ("得意先", "4月", None, "5月", None, "合計"),
        (None, "数量", "金額", "数量", "金額", None),
        ("A", "1", "100", "2", "200", "300"),
    )
    assert header.upper == ("得意先", "4月", "4月", "5月", "5月", "合計")
    assert header.lower == (None, "数量", "金額", "数量", "金額", None)
    assert header.names == ["得意先", "4月 数量", "4月 金額", "5月 数量", "5月 金額", "合計"]


def test_a_sparse_upper_row_joins_the_header_below_it() -> None:
    header = _header(
        (None, None, "2025年4月", None, "2025年5月", None),
        ("得意先", "商品群", "数量", "金額", "数量", "金額"),
        ("A", "S", "1", "100", "2", "200"),
    )
    assert (header.first_line, header.last_line) == (1, 2)
    assert header.names[:3] == ["得意先", "商品群", "2025年4月 数量"]


def test_a_vertical_merge_does_not_run_to_the_right() -> None:
    header = _header(("得意先", None, "2025年度", None), (None, "商品群", "4月", "5月"), ("A", "S", "1", "2"))
    assert header.upper == ("得意先", None, "2025年度", "2025年度")
    assert header.names == ["得意先", "商品群", "2025年度 4月", "2025年度 5月"]


def test_text_data_below_a_full_header_is_not_taken_for_a_second_header_row() -> None:
    header = _header(("氏名", "部署", "備考"), ("山田", "営業", None), ("佐藤", None, "休"))
    assert header.first_line == header.last_line == 1


def test_data_without_labels_has_no_header() -> None:
    with pytest.raises(LayoutUnknown, match="no header row"):
        _header(("001", "2025/04/01", "1,200"), ("002", "2025/04/02", "¥3,400"))


def test_nothing_at_all_has_no_header() -> None:
    with pytest.raises(LayoutUnknown, match="holds no text"):
        _header((None, None), (None, None))


def test_line_breaks_in_labels_are_layout() -> None:
    header = _header(("得意先\nコード", "order\ndate", "金額"), ("1", "2025/04/01", "3"))
    assert header.names == ["得意先コード", "order date", "金額"]


def test_unique_names_never_clash_with_a_given_one() -> None:
    assert unique_names(["金額", "金額", "金額_2", None]) == ["金額", "金額_2", "金額_2_2", "列4"]
