"""Targets of one measure and one fiscal year as a grid: company, divisions, reps × months, and the year."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput

MEASURES: Final = ("sales", "gross_profit", "new_family_sales")
_MOST: Final = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target: scope is company, division or rep; scope_id `all` or the code."""

    scope: str
    scope_id: str
    start: date
    end: date
    measure: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose target a line of the grid is."""

    scope: str
    scope_id: str
    name: str

    @property
    def key(self) -> str:
        """How its fields are named."""
        return f"{self.scope}:{self.scope_id}"


@dataclass(frozen=True, slots=True)
class GridLine:
    """One line: an amount or None a month, and the year's: the months' sum, or one target for the whole year."""

    scope: Scope
    months: tuple[Decimal | None, ...]
    year: Decimal | None
    is_yearly: bool


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """Twelve months from `start`."""

    start: date

    @property
    def months(self) -> tuple[date, ...]:
        """First days."""
        return tuple(_month_after(self.start, ahead) for ahead in range(12))

    @property
    def end(self) -> date:
        """The last day."""
        return _month_after(self.start, 12) - timedelta(days=1)

    @property
    def number(self) -> int:
        """The year it begins in, as 年度 are called."""
        return self.start.year


def fiscal_year_of(day: date, first_month: int) -> FiscalYear:
    """The fiscal year `day` lies in."""
    return FiscalYear(date(day.year if day.month >= first_month else day.year - 1, first_month, 1))


def grid(rows: Iterable[TargetRow], scopes: Iterable[Scope], year: FiscalYear, measure: str) -> list[GridLine]:
    """The lines of the page. Targets of other periods (a quarter, a half) stand in `other_periods`."""
    own = {(row.scope, row.scope_id, row.start): row for row in rows if row.measure == measure}
    lines = []
    for scope in scopes:
        found = [own.get((scope.scope, scope.scope_id, month)) for month in year.months]
        whole = found[0] if found[0] is not None and found[0].end == year.end else None
        months = tuple(row.amount if row is not None and _is_month(row) else None for row in found)
        total = sum((amount for amount in months if amount is not None), Decimal(0))
        known = any(amount is not None for amount in months)
        lines.append(GridLine(scope, months, whole.amount if whole else total if known else None, whole is not None))
    return lines


def other_periods(rows: Iterable[TargetRow], year: FiscalYear, measure: str) -> list[TargetRow]:
    """Targets of the year that are neither a month's nor the whole year's, such as imported halves."""
    return [
        row
        for row in rows
        if row.measure == measure
        and year.start <= row.start <= year.end
        and not _is_month(row)
        and not (row.start == year.start and row.end == year.end)
    ]


def changed_targets(
    lines: Iterable[GridLine], answers: Mapping[str, str], year: FiscalYear, measure: str
) -> tuple[list[TargetRow], list[TargetRow]]:
    """What to write and what to take out, from the fields `<scope>:<code>:<0–11>`, `…:year` and `…:spread` of the form.

    Of a line either the months count or the year. With `spread` the year is divided into twelve, the rest into the last
    month. A line whose fields are not sent stays. Raises `BadInput` naming the line.
    """
    written: list[TargetRow] = []
    gone: list[TargetRow] = []
    for line in lines:
        key = line.scope.key
        if f"{key}:year" not in answers:
            continue
        months = [_amount(answers.get(f"{key}:{at}", ""), line.scope.name) for at in range(12)]
        whole = _amount(answers.get(f"{key}:year", ""), line.scope.name)
        if f"{key}:spread" in answers and whole is not None:
            months, whole = _spread(whole), None
        given = any(amount is not None for amount in months)
        if given and whole is not None and not (line.is_yearly and whole == line.year):
            raise BadInput(gettext("%(name)s: enter either the months or the year.") % {"name": line.scope.name})
        wanted = _periods(year, months, None if given else whole)
        before = _periods(year, line.months, line.year if line.is_yearly else None)
        for start, (end, amount) in wanted.items():
            if before.get(start) != (end, amount):
                written.append(TargetRow(line.scope.scope, line.scope.scope_id, start, end, measure, amount))
        gone += [
            TargetRow(line.scope.scope, line.scope.scope_id, start, end, measure, amount)
            for start, (end, amount) in before.items()
            if start not in wanted
        ]
    return written, gone


def _periods(
    year: FiscalYear, months: Iterable[Decimal | None], whole: Decimal | None
) -> dict[date, tuple[date, Decimal]]:
    """Last day and amount by first day: one for the whole year, or one a month."""
    if whole is not None:
        return {year.start: (year.end, whole)}
    return {
        month: (_month_after(month, 1) - timedelta(days=1), amount)
        for month, amount in zip(year.months, months, strict=True)
        if amount is not None
    }


def _spread(whole: Decimal) -> list[Decimal | None]:
    part = (whole / 12).quantize(Decimal(1000), rounding="ROUND_DOWN") if whole >= 12_000 else whole // 12
    return [*[part] * 11, whole - part * 11]


def _amount(text: str, name: str) -> Decimal | None:
    plain = (
        unicodedata.normalize("NFKC", text)
        .replace(",", "")
        .replace("¥", "")
        .replace("\\", "")
        .replace("円", "")
        .strip()
    )
    if not plain:
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0 or amount > _MOST:
        raise BadInput(
            gettext("%(name)s: “%(text)s” is no amount. Enter yen, such as 1,200,000.")
            % {"name": name, "text": text[:30]}
        )
    return amount.quantize(Decimal(1))


def _is_month(row: TargetRow) -> bool:
    return row.start.day == 1 and row.end == _month_after(row.start, 1) - timedelta(days=1)


def _month_after(day: date, ahead: int) -> date:
    month = day.month - 1 + ahead
    return date(day.year + month // 12, month % 12 + 1, 1)
