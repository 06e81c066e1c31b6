"""The conditions of a list page: each knows its part of the address, how it is drawn and what it does to the rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from django.db.models import Q, QuerySet
from django.http import QueryDict

if TYPE_CHECKING:
    from django.utils.functional import Promise, _StrPromise

    from nobishiro.web.people.models import User

    Text = str | _StrPromise | Promise
    Choices = Sequence[tuple[str, Text]]

MOST_CHOICES: Final = 100
"""A select longer than this helps nobody; the search box does."""
_MOST_VALUES: Final = 50
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Option:
    """One choice as it is drawn."""

    value: str
    label: Text
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A filter as the template draws it."""

    name: str
    label: Text
    kind: str
    """search, choices (boxes), choice (a select), flag, number, range or days."""
    is_main: bool
    is_set: bool
    value: str = ""
    upper: str = ""
    unit: Text = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Words that must all occur, in `field` (NFKC, lower case, see `fold`) or as `apply` says."""

    name: str
    label: Text
    field: str = "search"
    apply: Callable[[QuerySet, str], QuerySet] | None = None
    is_main: bool = True

    def narrow(self, rows: QuerySet, query: QueryDict, user: User) -> QuerySet:
        """The rows that hold every word."""
        said = fold(query.get(self.name, ""))
        if not said:
            return rows
        if self.apply is not None:
            return self.apply(rows, said)
        for word in said.split()[:8]:
            rows = rows.filter(**{f"{self.field}__contains": word})
        return rows

    def draw(self, query: QueryDict, user: User) -> Drawn:
        """The search box."""
        said = query.get(self.name, "")[:_LONGEST]
        return Drawn(self.name, self.label, "search", self.is_main, bool(said.strip()), said)


@dataclass(frozen=True, slots=True)
class ChoiceFilter:
    """One of several values, or several of them (`is_multiple`).

    `choices` are pairs (value, label) or a function of the person giving them. The rows are those whose `field` is one of
    the values, or what `apply` says. `resolve` turns values that mean something else
    for each person (`me`) into real ones. Values nobody offered are ignored, unless `is_open` (a facet that shows only the
    most frequent ones takes others as well).
    """

    name: str
    label: Text
    choices: Choices | Callable[[User], Choices]
    apply: Callable[[QuerySet, list[str]], QuerySet] | None = None
    field: str = ""
    is_multiple: bool = False
    is_main: bool = False
    is_open: bool = False
    resolve: Callable[[list[str], User], list[str]] | None = None

    def narrow(self, rows: QuerySet, query: QueryDict, user: User) -> QuerySet:
        """The rows with one of the chosen values."""
        values = self._values(query, user)
        if not values:
            return rows
        if self.resolve is not None:
            values = self.resolve(values, user)
        return rows.filter(**{f"{self.field}__in": values}) if self.apply is None else self.apply(rows, values)

    def __post_init__(self) -> None:
        if self.apply is None and not self.field:
            raise ValueError(f"filter {self.name}: say `field` or `apply`")

    def draw(self, query: QueryDict, user: User) -> Drawn:
        """Boxes when several may be chosen, else a select."""
        chosen = self._values(query, user)
        offered = list(self._choices(user))[:MOST_CHOICES]
        known = {value for value, _ in offered}
        offered += [(value, value) for value in chosen if value not in known]
        options = tuple(Option(value, label, value in chosen) for value, label in offered)
        kind = "choices" if self.is_multiple else "choice"
        return Drawn(self.name, self.label, kind, self.is_main, bool(chosen), options=options)

    def _choices(self, user: User) -> Choices:
        """The choices, asked for once a request (the person's object lives as long as one)."""
        if not callable(self.choices):
            return self.choices
        asked: dict[int, Choices] = user.__dict__.setdefault("_choices_of_lists", {})
        if id(self) not in asked:
            asked[id(self)] = self.choices(user)
        return asked[id(self)]

    def _values(self, query: QueryDict, user: User) -> list[str]:
        given = [value[:_LONGEST] for value in query.getlist(self.name) if value][:_MOST_VALUES]
        if not given:
            return []
        if not self.is_multiple:
            given = given[-1:]
        if self.is_open:
            return given
        known = {value for value, _ in self._choices(user)}
        return [value for value in given if value in known]


@dataclass(frozen=True, slots=True)
class FlagFilter:
    """A box that is ticked or not."""

    name: str
    label: Text
    apply: Callable[[QuerySet], QuerySet]
    is_main: bool = False

    def narrow(self, rows: QuerySet, query: QueryDict, user: User) -> QuerySet:
        """The rows it holds for, when ticked."""
        return self.apply(rows) if query.get(self.name) == "1" else rows

    def draw(self, query: QueryDict, user: User) -> Drawn:
        """The box."""
        return Drawn(self.name, self.label, "flag", self.is_main, query.get(self.name) == "1")


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """One whole number from 0 up, such as days."""

    name: str
    label: Text
    apply: Callable[[QuerySet, int], QuerySet]
    unit: Text = ""
    is_main: bool = False

    def narrow(self, rows: QuerySet, query: QueryDict, user: User) -> QuerySet:
        """The rows `apply` leaves."""
        value = _number(query.get(self.name, ""))
        return rows if value is None else self.apply(rows, int(min(value, 1_000_000)))

    def draw(self, query: QueryDict, user: User) -> Drawn:
        """The number box."""
        value = _number(query.get(self.name, ""))
        shown = "" if value is None else f"{value:.0f}"
        return Drawn(self.name, self.label, "number", self.is_main, value is not None, shown, unit=self.unit)


@dataclass(frozen=True, slots=True)
class RangeFilter:
    """From – to on one field, both ends included and each may be empty; `is_days` for dates. Unknown is in no range."""

    name: str
    label: Text
    field: str
    unit: Text = ""
    is_days: bool = False
    is_main: bool = False
    scale: float = 1.0
    """What one unit of the box is in units of the field: 10,000 for 万円."""
    ends: tuple[str, str] = ("_from", "_to")

    def narrow(self, rows: QuerySet, query: QueryDict, user: User) -> QuerySet:
        """The rows within."""
        conditions = Q()
        for end, lookup in zip(self.ends, ("gte", "lte"), strict=True):
            given = query.get(self.name + end, "")
            value = _day(given) if self.is_days else _number(given)
            if value is not None:
                conditions &= Q(
                    **{f"{self.field}__{lookup}": value * self.scale if isinstance(value, float) else value}
                )
        return rows.filter(conditions) if conditions else rows

    def draw(self, query: QueryDict, user: User) -> Drawn:
        """Two boxes."""
        read = _day if self.is_days else _number
        low, high = (query.get(self.name + end, "") for end in self.ends)
        low, high = low if read(low) is not None else "", high if read(high) is not None else ""
        kind = "days" if self.is_days else "range"
        return Drawn(self.name, self.label, kind, self.is_main, bool(low or high), low, high, self.unit)


class Filter(Protocol):
    """One condition of a list page."""

    @property
    def name(self) -> str:
        """Its name in the address."""
        ...

    def narrow(self, rows: QuerySet, query: QueryDict, user: User) -> QuerySet:
        """The rows it leaves."""
        ...

    def draw(self, query: QueryDict, user: User) -> Drawn:
        """How it stands on the page."""
        ...


def fold(text: str) -> str:
    """A text as search fields hold it: NFKC, lower case, one blank between words."""
    return " ".join(unicodedata.normalize("NFKC", text[:_LONGEST]).lower().replace("\x00", "").split())


def _number(text: str) -> float | None:
    try:
        value = float(unicodedata.normalize("NFKC", text).replace(",", ""))
    except ValueError:
        return None
    return value if 0 <= value < 1e15 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
