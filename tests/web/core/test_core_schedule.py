"""The schedule: each time once, whatever the clock does and however many look at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from nobishiro.web.core.jobs.registry import KINDS, JobKind
from nobishiro.web.core.jobs.schedule import SCHEDULES, Schedule, latest_due, next_due, tick
from nobishiro.web.core.jobs.worker import work_off
from nobishiro.web.core.models import Job, Tick

TOKYO = ZoneInfo("Asia/Tokyo")
NIGHTLY = Schedule("nightly", "nightly", time(3, 0), timedelta(hours=20))
MAIL = Schedule("mail", "nightly", time(8, 0), timedelta(hours=2))


@pytest.fixture(autouse=True)
def nightly() -> Iterator[None]:
    KINDS["nightly"] = JobKind("nightly", lambda context, payload: None, 3, "operate")
    yield
    del KINDS["nightly"]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=TOKYO)


def test_due_times_are_the_companys() -> None:
    assert latest_due(NIGHTLY, at(10, 2, 59), TOKYO) == at(9, 3)
    assert latest_due(NIGHTLY, at(10, 3), TOKYO) == at(10, 3)
    assert next_due(NIGHTLY, at(10, 3), TOKYO) == at(11, 3)
    assert latest_due(NIGHTLY, datetime(2028, 2, 29, 3, tzinfo=TOKYO), TOKYO).astimezone(TOKYO).date() == date(
        2028, 2, 29
    )


@pytest.mark.django_db
def test_a_new_installation_waits_for_the_next_time() -> None:
    assert tick(at(10, 14), TOKYO, [NIGHTLY]) == []
    assert len(tick(at(11, 3, 1), TOKYO, [NIGHTLY])) == 1


@pytest.mark.django_db
def test_each_time_once() -> None:
    tick(at(9, 14), TOKYO, [NIGHTLY])
    made = [
        len(tick(moment, TOKYO, [NIGHTLY])) for moment in (at(10, 3), at(10, 3), at(10, 12), at(11, 2, 59), at(11, 3))
    ]
    assert made == [1, 0, 0, 0, 1]


@pytest.mark.django_db
def test_clock_a_day_ahead_and_back_again_makes_no_second() -> None:
    tick(at(9, 14), TOKYO, [NIGHTLY])
    made = [
        len(tick(moment, TOKYO, [NIGHTLY])) for moment in (at(10, 4), at(11, 4), at(10, 5), at(9, 5), at(11, 3, 30))
    ]
    assert made == [1, 1, 0, 0, 0]


@pytest.mark.django_db
def test_days_nobody_was_there_are_made_up_for_once_and_a_late_mail_is_left_out() -> None:
    tick(at(1, 14), TOKYO, [NIGHTLY, MAIL])
    assert [job.kind for job in tick(at(6, 11), TOKYO, [NIGHTLY, MAIL])] == ["nightly"]
    assert Tick.objects.filter(schedule="mail").count() == 2


@pytest.mark.django_db
def test_a_time_that_comes_while_the_last_one_still_waits_adds_no_job() -> None:
    tick(at(9, 14), TOKYO, [NIGHTLY])
    first = tick(at(10, 4), TOKYO, [NIGHTLY])[0]
    assert tick(at(11, 4), TOKYO, [NIGHTLY])[0].pk == first.pk
    assert work_off() == 1


@pytest.mark.django_db
def test_kind_no_room_has_declared_is_passed_over() -> None:
    assert tick(at(9, 14), TOKYO, [Schedule("x", "no such kind", time(1), timedelta(hours=1))]) == []
    assert not Tick.objects.exists()


def test_the_house_has_its_night() -> None:
    assert [(one.kind, one.at) for one in SCHEDULES] == [
        ("recompute", time(3)), ("vacuum", time(4, 30)), ("morning_mail", time(8)),
    ]  # fmt: skip


class TickProperty(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(0, 7 * 24 * 60), min_size=1, max_size=25))
    def test_whatever_the_clock_shows_no_due_time_comes_twice(self, minutes: list[int]) -> None:
        Job.objects.all().delete()
        Tick.objects.all().delete()
        start = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
        for minute in minutes:
            tick(start + timedelta(minutes=minute), TOKYO, [NIGHTLY])
            Job.objects.update(unique_key=None)
        assert Job.objects.count() <= len(set(Tick.objects.values_list("due", flat=True)))
        jobs_of = list(Tick.objects.exclude(job=None).values_list("job", flat=True))
        assert len(jobs_of) == len(set(jobs_of)) == Job.objects.count()
