"""Cells become typed values: one cleaned column, with a problem and its remedy for each cell that cannot be read.

Work is done once per distinct value and spread over the rows, so a million rows cost little more than their dictionary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from nobishiro.contracts.tables import Column, ColumnType
from nobishiro.engine.intake.choices import choice_label, choice_words, flag_words, word_key
from nobishiro.engine.intake.dates import MOMENT, read_moments
from nobishiro.engine.intake.distinct import encode_distinct
from nobishiro.engine.intake.numbers import is_empty_mark, parse_minutes, read_numbers, round_decimals
from nobishiro.engine.intake.texts import MULTILINE, PROTECTED, SPECIAL, clean_codes, clean_texts, read_each
from nobishiro.engine.settings import ImportSettings
from nobishiro.engine.store.types import polars_type

_AHEAD: Final = frozenset(
    ("valid_from", "valid_to", "active_from", "active_to", "period_start", "period_end", "expected_on")
)
_OPEN_ENDED: Final = frozenset(("valid_to", "active_to"))
_YEARS_AHEAD: Final = 20
_FLOAT: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_OLDEST_PERSON: Final = date(1900, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRules:
    """What holds for the cells of one column."""

    latest_day: date
    """A later day is a problem; plans and validity (`valid_to`, `expected_on` …) may lie 20 years further."""
    earliest_day: date = date(1950, 1, 1)
    """An earlier day is a problem; birthdays go back to 1900."""
    max_quantity: float = 1e9
    max_cell_bytes: int = 1_000_000
    time_zone: str = "Asia/Tokyo"
    date_order: str | None = None
    """`ymd`, `dmy` or `mdy` where 01/04/2025 leaves it open; None lets the column decide."""
    multiplier: int = 1
    """1,000 for a column headed 金額(千円)."""
    percent: bool = False
    """Plain numbers are percentages: 35 is 0.35."""
    value_map: tuple[tuple[str, str], ...] = ()
    """The file's own words for values, read before anything else; `~word` stands for any text that has
    the word in it, `*` for any word a choice does not know."""
    exact: bool = False
    """Texts were written by Nobishiro: nothing but types is read, no character is changed."""
    guarded: bool = False
    """With `exact`: the file is a CSV, with an apostrophe before what a spreadsheet would take for a formula."""


@dataclass(frozen=True, slots=True)
class CleanedColumn:
    """`values` typed as the store types them, `problems` String, null where a cell is good; both one per row."""

    values: pl.Series
    problems: pl.Series
    notes: tuple[str, ...] = ()
    """What was decided or repaired for the whole column."""


def rules_from(settings: ImportSettings, today: date, time_zone: str = "Asia/Tokyo") -> ValueRules:
    """Rules with the limits of the settings, seen from `today`."""
    return ValueRules(
        earliest_day=date.fromisoformat(settings.earliest_day),
        latest_day=today + timedelta(days=settings.latest_days_ahead),
        max_quantity=settings.max_quantity,
        max_cell_bytes=settings.max_cell_bytes,
        time_zone=time_zone,
    )


@dataclass(slots=True)
class _Read:
    """Values and problems of distinct texts, before they are spread."""

    values: pl.Series
    problems: pl.Series
    notes: list[str] = field(default_factory=list)


def clean_column(values: pl.Series, column: Column, rules: ValueRules) -> CleanedColumn:
    """The typed values of one source column and what is wrong with each cell, worded as `BadValue` words it.

    `values` may be text or any type a file can hold. An empty cell is null and no problem here: whether the row may
    lack it is decided where rows are put together.
    """
    name = values.name
    native = _read_native(values, column, rules)
    if native is not None:
        problems = native.problems
        if problems.is_not_null().any():
            problems = ('"' + values.cast(pl.String) + '" ') + problems
        kept = native.values.set(problems.is_not_null(), None).alias(column.name)
        return CleanedColumn(kept, problems, tuple(_named(name, native.notes)))
    texts = _as_text(values, column, rules)
    if rules.exact and column.type is ColumnType.TEXT and not column.choices:
        if rules.guarded:
            texts = texts.str.replace(PROTECTED, "$1")
        return CleanedColumn(texts.set(texts == "", None).alias(column.name), _no_problems(texts.len()))
    distinct = encode_distinct(texts)
    if not distinct.texts.len():
        empty = pl.Series(column.name, [], dtype=polars_type(column.type))
        return CleanedColumn(empty.extend_constant(None, values.len()), _no_problems(values.len()))
    words = distinct.texts
    if rules.value_map:
        words = _translate(words, rules.value_map)
    read = _READERS[column.type](words, column, rules)
    if column.type is ColumnType.TEXT:
        long = words.str.len_bytes() > rules.max_cell_bytes
        if long.any():
            said = f"is longer than {rules.max_cell_bytes:,} bytes; shorten it or raise max_cell_bytes"
            read.problems = read.problems.set(long & read.problems.is_null(), said)
    problems = _no_problems(values.len())
    if read.problems.is_not_null().any():
        shown = '"' + distinct.texts.str.slice(0, 80).str.replace_all(r"[\r\n]+", " ") + '" '
        problems = distinct.spread(shown + read.problems)
        read.values = read.values.set(read.problems.is_not_null(), None)
    return CleanedColumn(distinct.spread(read.values).alias(column.name), problems, tuple(_named(name, read.notes)))


def _translate(words: pl.Series, value_map: tuple[tuple[str, str], ...]) -> pl.Series:
    """The file's own words in ours: the whole word first, then the first `~word` found in the text."""
    whole = {word_key(source): target for source, target in value_map if not source.startswith("~")}
    inner = [(word_key(source[1:]), target) for source, target in value_map if source.startswith("~")]
    translated = []
    for text in words.to_list():
        key = word_key(text)
        inside = next((target for part, target in inner if part in key), text)
        translated.append(whole.get(key, inside))
    return pl.Series(translated, dtype=pl.String)


def _named(name: str, notes: list[str]) -> list[str]:
    return [f"{name}: {note}" if name else note for note in notes]


def _no_problems(rows: int) -> pl.Series:
    return pl.Series("problems", [], dtype=pl.String).extend_constant(None, rows)


def _read_native(values: pl.Series, column: Column, rules: ValueRules) -> _Read | None:
    """Values that the file holds in their own type already; None where they have to be read as text."""
    dtype, wanted = values.dtype, column.type
    if rules.value_map:
        return None
    if wanted in (ColumnType.DAY, ColumnType.MOMENT) and (dtype == pl.Date or isinstance(dtype, pl.Datetime)):
        if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            values = values.dt.convert_time_zone(rules.time_zone).dt.replace_time_zone(None)
        return _within_days(values.cast(MOMENT), _no_problems(values.len()), column, rules, [])
    if wanted is ColumnType.QUANTITY and (dtype.is_integer() or dtype.is_float()) and rules.multiplier == 1:
        return _within_quantity(_decimals(values, 3), column, rules)
    if wanted is ColumnType.MONEY and (dtype.is_integer() or dtype.is_float()) and rules.multiplier == 1:
        return _decimals(values, 2)
    if wanted is ColumnType.SCORE and dtype == pl.Float64 and rules.multiplier == 1:
        return _Read(values.set(~values.is_finite(), None), _no_problems(values.len()))
    return None


def _decimals(values: pl.Series, scale: int) -> _Read:
    notes = []
    if values.dtype.is_float():
        values = values.set(~values.is_finite(), None)
        rounded = values.cast(pl.Float64).round(scale, mode="half_away_from_zero")
        lossy = ((rounded - values).abs() > 1e-9 * rounded.abs().clip(1.0)).fill_null(False).sum()
        if lossy:
            notes.append(f"{lossy} values were rounded to {scale} decimals, halves away from zero")
        result = rounded.cast(pl.Decimal(18, scale), strict=False)
    else:
        result = values.cast(pl.Decimal(18, scale), strict=False)
    large = result.is_null() & values.is_not_null()
    return _Read(result, _no_problems(values.len()).set(large, "is too large for this column; correct it"), notes)


def _as_text(values: pl.Series, column: Column, rules: ValueRules) -> pl.Series:
    """The column as text; an empty cell is null. Whole floats lose the `.0` Excel gave them."""
    dtype = values.dtype
    if dtype == pl.String:
        return values.set(values == "", None) if (values == "").any() else values
    if dtype in (pl.Float32, pl.Float64):
        whole = values.is_finite() & (values == values.floor()) & (values.abs() < 9.0e15)
        text = values.cast(pl.String)
        plain = values.set(~whole, None).cast(pl.Int64, strict=False).cast(pl.String)
        return text.zip_with(~whole.fill_null(False), plain).set(~values.is_finite(), None)
    if isinstance(dtype, pl.Datetime):
        local = values.dt.convert_time_zone(rules.time_zone) if dtype.time_zone else values
        form = "%Y-%m-%d" if column.type is ColumnType.DAY else "%Y-%m-%d %H:%M:%S%.6f"
        return local.dt.replace_time_zone(None).dt.to_string(form)
    if dtype == pl.Boolean:
        return values.cast(pl.String)
    if dtype == pl.Null:
        return values.cast(pl.String)
    if isinstance(dtype, pl.List | pl.Array | pl.Struct):
        return pl.Series(values.name, [None if v is None else str(v) for v in values.to_list()], dtype=pl.String)
    if dtype == pl.Binary:
        return values.cast(pl.String, strict=False)
    return values.cast(pl.String)


def _read_text(words: pl.Series, column: Column, rules: ValueRules) -> _Read:
    if column.choices:
        return _read_choice(words, column, dict(rules.value_map).get("*"))
    special = SPECIAL.get(column.name)
    if special is not None:
        values, problems, notes = read_each(words, special)
        return _Read(values, problems, list(notes))
    if is_code(column):
        return _Read(*clean_codes(words))
    return _Read(clean_texts(words, column.name in MULTILINE), _no_problems(words.len()))


def is_code(column: Column) -> bool:
    """Whether a text column holds codes, which keep their zeros and lose what Excel added."""
    return column.name.endswith("_id") or column.name == "upgrade_of"


def _read_choice(words: pl.Series, column: Column, otherwise: str | None) -> _Read:
    known = choice_words(column)
    found = [known.get(word_key(text), otherwise) for text in words.to_list()]
    allowed = ", ".join(f"{choice} ({choice_label(choice)})" for choice in column.choices)
    empty = is_empty_mark(words).to_list()
    problems = [
        None if choice is not None or nothing else f"is not known here; use one of {allowed}, or map it in value_maps"
        for choice, nothing in zip(found, empty, strict=True)
    ]
    return _Read(pl.Series(found, dtype=pl.String), pl.Series(problems, dtype=pl.String))


def _read_flag(words: pl.Series, column: Column, rules: ValueRules) -> _Read:
    known = flag_words()
    keys = [word_key(text) for text in words.to_list()]
    # 1.0 is what Excel makes of a flag column.
    found = [known.get(key.removesuffix(".0")) for key in keys]
    empty = is_empty_mark(words).to_list()
    problems = [
        None if flag is not None or nothing else "is neither yes nor no; use はい/いいえ, ○/×, 1/0 or true/false"
        for flag, nothing in zip(found, empty, strict=True)
    ]
    return _Read(pl.Series(found, dtype=pl.Boolean), pl.Series(problems, dtype=pl.String))


def _read_decimal(scale: int) -> Callable[[pl.Series, Column, ValueRules], _Read]:
    def read(words: pl.Series, column: Column, rules: ValueRules) -> _Read:
        values, percent, bad = read_numbers(words)
        if rules.multiplier != 1:
            values = _times(values, rules.multiplier)
        rounded, large = round_decimals(values, scale)
        problems = _no_problems(words.len()).set(bad | percent, "is not a number; use digits, such as 1234.5")
        problems = problems.set(large, "is too large for this column; correct it")
        notes = []
        lossy = (rounded.cast(pl.Decimal(38, 9)) != values).fill_null(False).sum()
        if lossy:
            notes.append(f"{lossy} different values were rounded to {scale} decimals, halves away from zero")
        if rules.multiplier != 1:
            notes.append(f"amounts are given in units of {rules.multiplier:,} and were multiplied")
        result = _Read(rounded, problems, notes)
        return _within_quantity(result, column, rules) if column.type is ColumnType.QUANTITY else result

    return read


def _within_quantity(read: _Read, column: Column, rules: ValueRules) -> _Read:
    above = (read.values.cast(pl.Float64).abs() > rules.max_quantity).fill_null(False)
    said = f"is beyond the largest {column.name} accepted, {rules.max_quantity:,.0f}; correct it or raise max_quantity"
    read.problems = read.problems.set(above, said)
    return read


def _times(values: pl.Series, multiplier: int) -> pl.Series:
    return (values * pl.Series([multiplier], dtype=pl.Decimal(38, 9))).cast(pl.Decimal(38, 9))


def _read_integer(words: pl.Series, column: Column, rules: ValueRules) -> _Read:
    values, percent, bad = read_numbers(words)
    if rules.multiplier != 1:
        values = _times(values, rules.multiplier)
    whole = values.cast(pl.Int64, strict=False)
    broken = (whole.cast(pl.Decimal(38, 9)) != values).fill_null(False) | (whole.is_null() & values.is_not_null())
    problems = _no_problems(words.len()).set(bad | percent, "is not a number; use digits, such as 1234")
    return _Read(whole, problems.set(broken, "is not a whole number; use digits only"))


def _read_floats(words: pl.Series, rules: ValueRules) -> tuple[pl.Series, pl.Series]:
    """Floats as written to the last digit, percentages as their hundredth, and which texts are unreadable."""
    plain = words.str.contains(_FLOAT)
    # Polars reads and divides floats to within a last digit; Python is exact, and exports have to come back unchanged.
    floats = pl.Series([float(text) if ok else None for text, ok in zip(words, plain, strict=True)], dtype=pl.Float64)
    if plain.all() and not rules.percent:
        return floats, pl.Series([False], dtype=pl.Boolean).new_from_index(0, words.len())
    values, percent, bad = read_numbers(words)
    hundredth = percent | rules.percent
    exact = [
        known if not share else float(value / 100) if value is not None else None if known is None else known / 100
        for known, value, share in zip(floats.fill_null(values.cast(pl.Float64)), values, hundredth, strict=True)
    ]
    return pl.Series(exact, dtype=pl.Float64), bad & floats.is_null()


def _read_score(words: pl.Series, column: Column, rules: ValueRules) -> _Read:
    floats, bad = _read_floats(words, rules)
    if rules.multiplier != 1:
        floats = floats * rules.multiplier
    if column.unit in ("minutes", "hours"):
        share = 1.0 if column.unit == "minutes" else 60.0
        lengths = [parse_minutes(text) for text in words.to_list()]
        timed = pl.Series([None if length is None else length / share for length in lengths], dtype=pl.Float64)
        floats, bad = timed.zip_with(timed.is_not_null(), floats), bad & timed.is_null()
    return _Read(floats, _no_problems(words.len()).set(bad, "is not a number; use digits, such as 12.5"))


def _read_rate(words: pl.Series, column: Column, rules: ValueRules) -> _Read:
    floats, bad = _read_floats(words, rules)
    notes = []
    if not rules.percent and not rules.exact and (floats.abs() > 1).fill_null(False).any():
        floats, bad = _read_floats(words, replace(rules, percent=True))
        notes.append("values above 1 were found, so all plain numbers are read as percentages (35 is 35 %)")
    return _Read(floats, _no_problems(words.len()).set(bad, "is not a rate; use 0.35 or 35%"), notes)


def _read_moment(words: pl.Series, column: Column, rules: ValueRules) -> _Read:
    read = read_moments(words, rules.time_zone, rules.date_order, rules.latest_day.year)
    return _within_days(read.values, read.problems, column, rules, list(read.notes))


def _within_days(values: pl.Series, problems: pl.Series, column: Column, rules: ValueRules, notes: list[str]) -> _Read:
    """Refuse days outside the limits; a far last day means that there is none."""
    earliest = _OLDEST_PERSON if column.name == "birthday" else rules.earliest_day
    latest = rules.latest_day + timedelta(days=366 * _YEARS_AHEAD) if column.name in _AHEAD else rules.latest_day
    if column.name in _OPEN_ENDED:
        forever = values.dt.year().is_in([2099, 2999, 9999]).fill_null(False)
        if forever.any():
            values = values.set(forever, None)
            notes.append("a last day in 2099, 2999 or 9999 means no end and was left empty")
    low, high = datetime.combine(earliest, datetime.min.time()), datetime.combine(latest, datetime.max.time())
    problems = problems.set(
        (values < low).fill_null(False), f"is before {earliest}; correct the year or lower earliest_day"
    )
    said = f"is after {latest}; correct the year or raise latest_days_ahead"
    problems = problems.set((values > high).fill_null(False), said)
    return _Read(values.cast(pl.Date) if column.type is ColumnType.DAY else values, problems, notes)


_READERS: Final[dict[ColumnType, Callable[[pl.Series, Column, ValueRules], _Read]]] = {
    ColumnType.TEXT: _read_text,
    ColumnType.INTEGER: _read_integer,
    ColumnType.QUANTITY: _read_decimal(3),
    ColumnType.MONEY: _read_decimal(2),
    ColumnType.RATE: _read_rate,
    ColumnType.SCORE: _read_score,
    ColumnType.FLAG: _read_flag,
    ColumnType.DAY: _read_moment,
    ColumnType.MOMENT: _read_moment,
}
