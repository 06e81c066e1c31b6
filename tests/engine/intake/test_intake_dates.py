"""Dates and times as people write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.engine.intake.dates import read_moments

TOKYO = "Asia/Tokyo"


def read_one(text: str) -> datetime | None:
    return read_moments(pl.Series([text]), TOKYO, latest_year=2027).values[0]


@pytest.mark.parametrize(
    "written",
    [
        "2025-04-01", "2025/4/1", "2025.4.1", "20250401", "2025年4月1日", "２０２５年４月１日", "令和7年4月1日",
        "令和７年４月１日",
        "R7.4.1", "R7/4/1", "r07-04-01", "2025/4/1(火)", "2025年4月1日（火曜日）", "1-Apr-2025", "Apr 1, 2025", "45748",
        "45748.0",
        "2025-04", "2025/4", "2025年4月", "202504", "令和7年4月", "2025/04/01 00:00:00", "2025-04-01T00:00:00+09:00",
        "2025-03-31T15:00:00Z", "2025-03-31 17:00:00 +0200", "1743433200", "1743433200000", "1743433200000000",
        "250401",
    ],
)  # fmt: skip
def test_the_first_of_april_2025_in_every_notation(written: str) -> None:
    assert read_one(written) == datetime(2025, 4, 1)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("令和元年5月1日", datetime(2019, 5, 1)),
        ("平成31年4月30日", datetime(2019, 4, 30)),
        ("昭和64年1月7日", datetime(1989, 1, 7)),
        ("S63.12.1", datetime(1988, 12, 1)),
        ("2025-04-01T09:30:00+09:00", datetime(2025, 4, 1, 9, 30)),
        ("2025/4/1 9:30", datetime(2025, 4, 1, 9, 30)),
        ("2025-04-01 09:30:15.250", datetime(2025, 4, 1, 9, 30, 15, 250000)),
        ("2025年4月1日 午後3時5分", datetime(2025, 4, 1, 15, 5)),
        ("2025/4/1 3:05 PM", datetime(2025, 4, 1, 15, 5)),
        ("2025/4/1 12:05 AM", datetime(2025, 4, 1, 0, 5)),
        ("2025/4/1 25:30", datetime(2025, 4, 2, 1, 30)),  # the small hours of the same business day
        ("45748.5", datetime(2025, 4, 1, 12)),
        ("20250401093000", datetime(2025, 4, 1, 9, 30)),
    ],
)
def test_eras_times_and_serials(written: str, expected: datetime) -> None:
    assert read_one(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "2025/13/01",
        "2025-02-30",
        "20250231",
        "99999999",
        "令和元年4月1日",
        "h",
        "4月1日",
        "4/1",
        "平成",
        "2025/4/1 9:75",
        "2025/4/1 abc",
    ],
)
def test_impossible_dates_are_problems_with_a_remedy(written: str) -> None:
    read = read_moments(pl.Series([written]), TOKYO, latest_year=2027)
    assert read.values.to_list() == [None]
    assert "YYYY-MM-DD" in read.problems[0]


def test_the_whole_column_decides_between_day_and_month() -> None:
    british = read_moments(pl.Series(["01/04/2025", "02/04/2025", "13/04/2025"]), TOKYO)
    assert british.values.to_list() == [datetime(2025, 4, 1), datetime(2025, 4, 2), datetime(2025, 4, 13)]
    american = read_moments(pl.Series(["04/01/2025", "04/13/2025"]), TOKYO)
    assert american.values.to_list() == [datetime(2025, 4, 1), datetime(2025, 4, 13)]
    assert "day/month/year" in british.notes[0]


def test_an_open_order_is_settled_by_time_running_forward_and_said() -> None:
    read = read_moments(pl.Series(["01/04/2025", "02/04/2025", "03/04/2025", "01/05/2025"]), TOKYO)
    assert read.date_order == "dmy"
    assert "read as day/month/year" in read.notes[0]


def test_an_undecidable_order_is_said_to_be_one() -> None:
    read = read_moments(pl.Series(["05/05/2025"]), TOKYO)
    assert "could be read in more than one way" in read.notes[0]


def test_the_given_order_wins() -> None:
    read = read_moments(pl.Series(["01/04/2025", "02/04/2025"]), TOKYO, date_order="mdy")
    assert read.values.to_list() == [datetime(2025, 1, 4), datetime(2025, 2, 4)]


def test_two_digit_years_are_japanese_first() -> None:
    read = read_moments(pl.Series(["25/04/01", "25/04/15"]), TOKYO, latest_year=2027)
    assert read.values.to_list() == [datetime(2025, 4, 1), datetime(2025, 4, 15)]


ERAS = [
    ("令和", "R", date(2019, 5, 1), 2018),
    ("平成", "H", date(1989, 1, 8), 1988),
    ("昭和", "S", date(1926, 12, 25), 1925),
]


def in_era(day: date, short: bool) -> str:
    name, letter, _, before = next(era for era in ERAS if day >= era[2])
    year = day.year - before
    if short:
        return f"{letter}{year}.{day.month}.{day.day}"
    return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


NOTATIONS = {
    "iso": lambda day: day.isoformat(),
    "slashes": lambda day: f"{day.year}/{day.month}/{day.day}",
    "dots": lambda day: f"{day.year}.{day.month:02}.{day.day:02}",
    "compact": lambda day: day.strftime("%Y%m%d"),
    "japanese": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "full width": lambda day: day.isoformat().translate(str.maketrans("0123456789-", "０１２３４５６７８９－")),
    "era": lambda day: in_era(day, short=False),
    "short era": lambda day: in_era(day, short=True),
    "serial": lambda day: str((day - date(1899, 12, 30)).days),
    "with time": lambda day: f"{day.year}/{day.month}/{day.day} 0:00:00",
    "utc": lambda day: (datetime(day.year, day.month, day.day) - timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%SZ"),
}


@given(day=st.dates(date(1952, 1, 1), date(2027, 12, 31)), notation=st.sampled_from(sorted(NOTATIONS)))
def test_every_day_reads_back_in_every_notation(day: date, notation: str) -> None:
    assert read_one(NOTATIONS[notation](day)) == datetime(day.year, day.month, day.day)


@given(days=st.lists(st.dates(date(1952, 1, 1), date(2027, 12, 31)), min_size=1, max_size=8))
def test_a_column_of_mixed_notations_reads_back(days: list[date]) -> None:
    names = sorted(NOTATIONS)
    texts = [NOTATIONS[names[place % len(names)]](day) for place, day in enumerate(days)]
    read = read_moments(pl.Series(texts), TOKYO, latest_year=2027)
    assert read.values.to_list() == [datetime(day.year, day.month, day.day) for day in days]
