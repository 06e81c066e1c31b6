"""Business days: weekdays, national holidays, the company's own days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.contracts.errors import SettingsError
from nobishiro.web.people.calendar import (
    Calendar,
    add_business_days,
    current_calendar,
    forget_calendar,
    is_business_day,
    load_calendar,
    national_holidays,
    one_calendar,
    read_weekend,
)
from nobishiro.web.people.models import CalendarDay, CompanySettings

PLAIN = Calendar()
OWN = Calendar(exceptions={date(2026, 12, 30): False, date(2026, 12, 31): False, date(2026, 11, 21): True})


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 11, 20), True),  # Friday
        (date(2026, 11, 21), False),  # Saturday
        (date(2026, 11, 23), False),  # 勤労感謝の日, a Monday
        (date(2026, 5, 6), False),  # 振替休日 for 3 May, a Sunday
        (date(2026, 9, 22), False),  # 国民の休日 between two holidays
        (date(2026, 12, 30), True),
    ],
)
def test_weekend_and_national_holidays_are_closed(day: date, is_open: bool) -> None:
    assert PLAIN.is_business_day(day) is is_open


def test_the_companys_own_word_goes_before_the_rule() -> None:
    assert OWN.is_business_day(date(2026, 11, 21))  # a Saturday open after all
    assert not OWN.is_business_day(date(2026, 12, 30))  # a Wednesday closed


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 24)),  # Friday → over the weekend and a holiday
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 21), 0, date(2026, 11, 24)),
        (date(2026, 11, 24), -1, date(2026, 11, 20)),
        (date(2026, 11, 20), 10, date(2026, 12, 7)),
    ],
)
def test_adding_business_days(start: date, count: int, expected: date) -> None:
    assert PLAIN.add_business_days(start, count) == expected


def test_days_between_leave_out_the_first_and_count_the_last() -> None:
    assert PLAIN.business_days_between(date(2026, 11, 20), date(2026, 11, 24)) == 1
    assert PLAIN.business_days_between(date(2026, 11, 24), date(2026, 11, 20)) == -1
    assert PLAIN.business_days_between(date(2026, 11, 20), date(2026, 11, 20)) == 0


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 60))
def test_counting_back_gives_what_was_added(start: date, count: int) -> None:
    end = OWN.add_business_days(start, count)
    assert OWN.is_business_day(end)
    assert OWN.business_days_between(start, end) == count


def test_a_calendar_without_open_days_is_said_and_not_searched_for_ever() -> None:
    closed = Calendar(weekend=frozenset(range(7)))
    with pytest.raises(SettingsError, match="no business day"):
        closed.next_business_day(date(2026, 11, 21))


def test_a_weekend_of_seven_days_is_refused() -> None:
    assert read_weekend("") == frozenset()
    assert read_weekend("2, 6") == {2, 6}
    for text in ("0,1,2,3,4,5,6", "7"):
        with pytest.raises(SettingsError):
            read_weekend(text)


def test_holidays_have_names_in_both_languages() -> None:
    assert national_holidays(2026)[date(2026, 11, 23)] == "勤労感謝の日"
    assert national_holidays(2026, "en")[date(2026, 11, 23)] == "Labor Thanksgiving Day"


@pytest.mark.django_db
def test_the_calendar_is_read_from_settings_and_days() -> None:
    company = CompanySettings.current()
    company.weekend = "2"
    company.save()
    CalendarDay.objects.create(day=date(2026, 12, 31), is_open=False, name="大晦日")
    assert load_calendar() == Calendar(frozenset({2}), {date(2026, 12, 31): False})
    assert is_business_day(date(2026, 11, 21))
    assert add_business_days(date(2026, 12, 30) - timedelta(days=1), 1) == date(2027, 1, 2)


@pytest.mark.django_db
def test_one_calendar_asks_the_database_once(django_assert_num_queries) -> None:
    with one_calendar(), django_assert_num_queries(2):
        for ahead in range(100):
            is_business_day(date(2026, 1, 1) + timedelta(days=ahead))
    with one_calendar():
        before = current_calendar()
        CalendarDay.objects.create(day=date(2026, 11, 24), is_open=False)
        assert current_calendar() is before
        forget_calendar()
        assert not is_business_day(date(2026, 11, 24))
