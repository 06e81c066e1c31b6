from __future__ import annotations

import pytest

from nobishiro.engine.intake.months import MonthLabel, YearLabel, number_months, parse_month, parse_year


@pytest.mark.parametrize(
    ("label", "year", "month"),
    [
        ("2025年4月", 2025, 4),
        ("2025年 04月度", 2025, 4),
        ("２０２５年４月", 2025, 4),
        ("2025/04", 2025, 4),
        ("2025-4", 2025, 4),
        ("2025.12", 2025, 12),
        ("202504", 2025, 4),
        ("令和7年4月", 2025, 4),
        ("令和元年5月", 2019, 5),
        ("R7.4", 2025, 4),
        ("H31/4", 2019, 4),
        ("25年4月", 2025, 4),
        ("25/04", 2025, 4),
        ("Apr-25", 2025, 4),
        ("April 2025", 2025, 4),
        ("2025-04-01", 2025, 4),
        ("2025-04-01 00:00:00", 2025, 4),
        ("4月", None, 4),
        ("12月度", None, 12),
        ("Sept", None, 9),
    ],
)
def test_months_are_read_as_people_write_them(label: str, year: int | None, month: int) -> None:
    assert parse_month(label) == MonthLabel(year, month)


def test_what_follows_the_month_is_kept() -> None:
    assert parse_month("2025年4月 売上") == MonthLabel(2025, 4, "売上")
    assert parse_month("4月(数量)") == MonthLabel(None, 4, "数量")


@pytest.mark.parametrize(
    "label",
    [
        "",
        None,
        "得意先",
        "13月",
        "2025年13月",
        "202513",
        "0120",
        "2025-04-15",
        "商品4",
        "Maker",
        "1月31日",
        "12",
        "4月1日",
    ],
)
def test_other_labels_are_no_months(label: str | None) -> None:
    assert parse_month(label) is None


def test_year_of_a_title_and_whether_it_is_fiscal() -> None:
    assert parse_year("得意先別売上 2025年度") == YearLabel(2025, True, "2025年度")
    assert parse_year("2024年 実績") == YearLabel(2024, False, "2024年")
    assert parse_year("令和7年度") == YearLabel(2025, True, "令和7年度")
    assert parse_year("FY25 Sales") == YearLabel(2025, True, "FY25")
    assert parse_year("売上表") is None


def test_months_after_december_belong_to_the_next_year() -> None:
    assert number_months([4, 5, 12, 1, 3], YearLabel(2025, True, "")) == [
        "2025-04",
        "2025-05",
        "2025-12",
        "2026-01",
        "2026-03",
    ]
    assert number_months([1, 2, 12], YearLabel(2025, False, "")) == ["2025-01", "2025-02", "2025-12"]


def test_the_last_quarter_alone_of_a_fiscal_year_is_in_the_next_calendar_year() -> None:
    assert number_months([1, 2, 3], YearLabel(2025, True, "")) == ["2026-01", "2026-02", "2026-03"]
