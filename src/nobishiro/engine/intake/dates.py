"""Dates and times as people write them: 2025/4/1, 令和7年4月1日, R7.4.1, 20250401, 45748 (Excel), 2025-04-01T09:30Z.

Readings are whole-column where one cell cannot tell: 01/04/2025 is April or January, and the other cells decide.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from nobishiro.engine.intake.numbers import is_empty_mark

DATE_ORDERS: Final = ("ymd", "dmy", "mdy")
MOMENT: Final = pl.Datetime("us")

_FAST: Final = (
    (r"^\d{4}-\d{1,2}-\d{1,2}$", "%Y-%m-%d"),
    (r"^\d{4}/\d{1,2}/\d{1,2}$", "%Y/%m/%d"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}:\d{2}$", "%Y-%m-%d %H:%M:%S"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}:\d{2}$", "%Y/%m/%d %H:%M:%S"),
    (r"^\d{4}-\d{1,2}-\d{1,2}T\d{2}:\d{2}:\d{2}$", "%Y-%m-%dT%H:%M:%S"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}$", "%Y/%m/%d %H:%M"),
    (r"^\d{4}-\d{1,2}-\d{1,2}[ T]\d{2}:\d{2}:\d{2}\.\d{1,6}$", None),
    (r"^(19|20)\d{6}$", "%Y%m%d"),
)
_ERAS: Final = {
    "令和": ((2019, 5, 1), 2018), "平成": ((1989, 1, 8), 1988), "昭和": ((1926, 12, 25), 1925),
    "大正": ((1912, 7, 30), 1911), "明治": ((1868, 1, 25), 1867),
}  # fmt: skip
_ERA_LETTERS: Final = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正", "m": "明治"}
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1)
    for name in names.split()
}  # fmt: skip

_ERA: Final = re.compile(
    r"(令和|平成|昭和|大正|明治|[rhstm](?=[\d元.]))\s*\.?\s*(\d{1,2}|元)(?:年\s*|[./-])(\d{1,2})(?:(?:月\s*|[./-])(\d{1,2})日?|月)?"
)
_YMD: Final = re.compile(r"(\d{4})\s*(?:年\s*|[-/.])(\d{1,2})\s*(?:(?:月\s*|[-/.])(\d{1,2})日?|月)?")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})?(?:[ t]?(\d{2})(\d{2})(\d{2})?)?")
_THREE: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_NAMED: Final = re.compile(
    r"(?:(\d{1,2})[-/ ]([a-z]{3,9})\.?[-/, ]+(\d{4}|\d{2})|([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}))"
)
_TIME: Final = re.compile(
    r"(?:(午前|午後|am|pm)\s*)?(\d{1,2})(?::|時)(?:(\d{1,2})(?:(?::|分)(?:(\d{1,2})(?:\.(\d{1,9})\d*)?秒?)?)?)?\s*(午前|午後|am|pm)?"
    r"\s*(z|utc|gmt|jst|[+-]\d{2}:?\d{2})?(?:\[[\w/]+\])?"
)
_WEEKDAY: Final = re.compile(
    r"\s*\(?(?:[月火水木金土日]|mon|tue|wed|thu|fri|sat|sun)(?:曜日?)?\)\s*|^(?:mon|tue|wed|thu|fri|sat|sun),?\s+"
)
_SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?")
_SERIAL_ZERO: Final = datetime(1899, 12, 30)  # noqa: DTZ001  the 1900 system counts a 29 February 1900 that never was
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  on the workspace's own clock


@dataclass(frozen=True, slots=True)
class ReadMoments:
    """`values` Datetime(us) and `problems` String, one per text, and what had to be decided for the whole column."""

    values: pl.Series
    problems: pl.Series
    notes: tuple[str, ...]
    date_order: str | None


def read_moments(
    texts: pl.Series, time_zone: str, date_order: str | None = None, latest_year: int = 2100
) -> ReadMoments:
    """Moments on the clock of `time_zone`; `texts` has no nulls and stands in the order of the file.

    A month alone is its first day. A time with an offset is moved to `time_zone`. Two-digit years are 20xx up to
    `latest_year`, else 19xx. `date_order` (`ymd`, `dmy`, `mdy`) settles 01/04/2025 and 25/04/01; None lets the column
    decide: the order that reads most values, then the one under which the file runs forward in time.
    """
    stripped = texts.str.strip_chars()
    values = pl.repeat(None, texts.len(), dtype=MOMENT, eager=True)
    rest = values.is_null()
    for pattern, form in _FAST:
        if not rest.any():
            break
        matching = rest & stripped.str.contains(pattern)
        if not matching.any():
            continue
        at = matching.arg_true()
        some = stripped.gather(at)
        if form is None:
            some = some.str.replace("T", " ")
            read = some.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        elif "%H" in form:
            read = some.str.to_datetime(form, time_unit="us", strict=False)
        else:
            read = some.str.to_date(form, strict=False).cast(MOMENT)
        values = values.scatter(at, read)
        rest = values.is_null()
    problems = pl.repeat(None, texts.len(), dtype=pl.String, eager=True)
    if not rest.any():
        return ReadMoments(values, problems, (), date_order)
    at = rest.arg_true()
    left = texts.gather(at)
    empty = is_empty_mark(left).to_list()
    raw = left.to_list()
    plain = [_prepare(text) for text in raw]
    order, notes = _settle_order(plain, date_order, latest_year)
    zone = ZoneInfo(time_zone)
    found: list[datetime | None] = []
    trouble: list[str | None] = []
    for text, nothing in zip(plain, empty, strict=True):
        moment = None if nothing else parse_moment(text, zone, order or "ymd", latest_year)
        found.append(moment)
        trouble.append(None if nothing or moment is not None else _explain(text))
    values = values.scatter(at, pl.Series(found, dtype=MOMENT))
    problems = problems.scatter(at, pl.Series(trouble, dtype=pl.String))
    return ReadMoments(values, problems, notes, order)


def parse_moment(text: str, zone: ZoneInfo, order: str = "ymd", latest_year: int = 2100) -> datetime | None:
    """The moment a text stands for, without a zone, on the clock of `zone`; None when it is none."""
    text = _prepare(text)
    if re.fullmatch(r"\d{10}|\d{13}|\d{16}", text):
        return _from_epoch(int(text), len(text), zone)
    if _SERIAL.fullmatch(text):
        seconds = round(float(text) * 86400)
        return _SERIAL_ZERO + timedelta(seconds=seconds)
    head = _date_part(text, order, latest_year)
    if head is None:
        return None
    (year, month, day), end, clock = head
    try:
        moment = datetime(year, month, day)  # noqa: DTZ001  the workspace's clock, as the file means it
    except ValueError:
        return None
    tail = text[end:].lstrip(" t,")
    if clock is not None:
        if tail:
            return None
        return _add_time(moment, clock)
    return _with_time(moment, tail, zone) if tail else moment


def _prepare(text: str) -> str:
    t = unicodedata.normalize("NFKC", text).strip().lower()
    t = t.replace("−", "-").replace("‐", "-")
    return _WEEKDAY.sub(" ", t).strip() if t else t


def _from_epoch(number: int, digits: int, zone: ZoneInfo) -> datetime | None:
    seconds = number / {10: 1, 13: 1_000, 16: 1_000_000}[digits]
    if not 0 < seconds < 4_102_444_800:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=number * {10: 1_000_000, 13: 1_000, 16: 1}[digits]
    )
    return moment.astimezone(zone).replace(tzinfo=None)


_Clock = tuple[int, int, int]


def _date_part(text: str, order: str, latest_year: int) -> tuple[tuple[int, int, int], int, _Clock | None] | None:
    """Year, month and day at the start of `text`, where they end, and a time written without separators."""
    if match := _ERA.match(text):
        return _from_era(match)
    if match := _YMD.match(text):
        return (int(match[1]), int(match[2]), int(match[3] or 1)), match.end(), None
    if match := _THREE.match(text):
        return _from_three(match, order, latest_year), match.end(), None
    if match := _NAMED.match(text):
        day, word, year = (match[1], match[2], match[3]) if match[1] else (match[5], match[4], match[6])
        month = _MONTHS.get(word)
        return None if month is None else ((_full_year(year, latest_year), month, int(day)), match.end(), None)
    if match := _COMPACT.fullmatch(text):
        if len(text) == 6 and not 1900 <= int(match[1]) <= latest_year + 1:
            return (_full_year(text[:2], latest_year), int(text[2:4]), int(text[4:])), match.end(), None
        clock = (int(match[4]), int(match[5]), int(match[6] or 0)) if match[4] else None
        return (int(match[1]), int(match[2]), int(match[3] or 1)), match.end(), clock
    return None


def _from_era(match: re.Match[str]) -> tuple[tuple[int, int, int], int, None] | None:
    era = _ERA_LETTERS.get(match[1], match[1])
    first, before = _ERAS[era]
    year = before + (1 if match[2] == "元" else int(match[2]))
    day = (year, int(match[3]), int(match[4] or 1))
    # 平成31年5月 is still written here and there: the year is plain even when the era had ended; a day before its
    # first one is not. A month without a day is taken as a whole.
    if (day if match[4] else day[:2]) < (first if match[4] else first[:2]):
        return None
    return day, match.end(), None


def _from_three(match: re.Match[str], order: str, latest_year: int) -> tuple[int, int, int]:
    a, b, c = match[1], match[3], match[4]
    if len(c) == 2 and order == "ymd":
        return _full_year(a, latest_year), int(b), int(c)
    year = _full_year(c, latest_year)
    return (year, int(b), int(a)) if order == "dmy" else (year, int(a), int(b))


def _full_year(text: str, latest_year: int) -> int:
    if len(text) == 4:
        return int(text)
    year = 2000 + int(text)
    return year if year <= latest_year else year - 100


def _with_time(moment: datetime, tail: str, zone: ZoneInfo) -> datetime | None:
    match = _TIME.fullmatch(tail)
    if match is None:
        return None
    hour, minute, second = int(match[2]), int(match[3] or 0), int(match[4] or 0)
    half = match[1] or match[6]
    if half is not None:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if half in ("午後", "pm") else 0)
    micro = int((match[5] or "0")[:6].ljust(6, "0"))
    full = _add_time(moment, (hour, minute, second))
    if full is None:
        return None
    full = full.replace(microsecond=micro)
    offset = match[7]
    if offset is None:
        return full
    source: tzinfo
    if offset in ("z", "utc", "gmt"):
        source = UTC
    elif offset == "jst":
        source = timezone(timedelta(hours=9))
    else:
        sign = -1 if offset[0] == "-" else 1
        source = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])))
    try:
        return full.replace(tzinfo=source).astimezone(zone).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return None


def _add_time(moment: datetime, clock: _Clock) -> datetime | None:
    hour, minute, second = clock
    # 24:00 and 25:30 are how shops write the small hours of the same business day.
    if hour > 29 or minute > 59 or second > 60:
        return None
    try:
        return moment + timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
    except OverflowError:
        return None


def _settle_order(texts: list[str], given: str | None, latest_year: int) -> tuple[str | None, tuple[str, ...]]:
    """The day/month order of the texts that leave it open, and what to tell the user about it."""
    open_ones = [match for text in texts if (match := _THREE.match(text))]
    if not open_ones or given is not None:
        return given, ()
    four = any(len(match[4]) == 4 for match in open_ones)
    orders = ("mdy", "dmy") if four else ("ymd", "mdy", "dmy")
    scored = [(_score(open_ones, order, latest_year), -rank, order) for rank, order in enumerate(orders)]
    scored.sort(reverse=True)
    (best_score, _, best), (next_score, _, _) = scored[0], scored[1]
    shown = {"ymd": "year/month/day", "mdy": "month/day/year", "dmy": "day/month/year"}[best]
    sample = open_ones[0][0]
    if best_score == next_score:
        return best, (
            f'dates like "{sample}" could be read in more than one way; taken as {shown}, set date_order to change it',
        )
    return best, (f'dates like "{sample}" are read as {shown}: the other values of the column leave no better order',)


def _score(matches: list[re.Match[str]], order: str, latest_year: int) -> tuple[int, int]:
    """How many values are real dates under an order, and how few steps back in time the file then takes."""
    good, back, last = 0, 0, None
    for match in matches:
        try:
            day = datetime(*_from_three(match, order, latest_year))  # noqa: DTZ001
        except ValueError:
            continue
        good += 1
        if last is not None and day < last:
            back += 1
        last = day
    return good, -back


def _explain(text: str) -> str:
    if re.fullmatch(r"\d{1,2}月\d{1,2}日|\d{1,2}[/-]\d{1,2}", text):
        return "has no year; write YYYY-MM-DD"
    if _ERA.match(text) or _YMD.match(text) or _THREE.match(text):
        return "is not a date; the day does not exist or something follows it, use YYYY-MM-DD"
    return "is not a date; use YYYY-MM-DD"
