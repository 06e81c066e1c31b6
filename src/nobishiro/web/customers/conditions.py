"""Conditions that the map and the pages of offers have in their addresses, so that they mean the same on both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from nobishiro.web.core.list_filters import Drawn
from nobishiro.web.core.lists import ChoiceFilter, SearchFilter
from nobishiro.web.core.templatetags.nobishiro import quadrant_name
from nobishiro.web.people.models import Division, Rep

if TYPE_CHECKING:
    from nobishiro.web.core.list_filters import Choices
    from nobishiro.web.people.models import User

UNKNOWN: Final = "U"
"""The quadrant nobody knows, in an address."""

MOST_IDS: Final = 500
"""Customers a list can hold one by one; more are better said by conditions."""


class ChosenFilter:
    """Customers chosen one by one, as `ids=12.34.56`. Never drawn as a box: it comes from a lasso or a kept list."""

    name = "ids"

    def narrow(self, rows: QuerySet, query: QueryDict, user: User) -> QuerySet:
        """Those customers."""
        chosen = read_ids(query.get(self.name, ""))
        return rows.filter(pk__in=chosen) if chosen else rows

    def draw(self, query: QueryDict, user: User) -> Drawn:
        """The ids as they are, for a field that is not seen."""
        said = ".".join(map(str, read_ids(query.get(self.name, ""))))
        return Drawn(self.name, _("Chosen customers"), "chosen", True, bool(said), said)


def read_ids(text: str) -> list[int]:
    """Customers named by their numbers, each once, in the order given; anything else is ignored."""
    parts = (part for part in text.replace(",", ".").split(".")[: MOST_IDS * 4])
    return list(dict.fromkeys(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 12))


def _quadrants(rows: QuerySet, values: list[str]) -> QuerySet:
    return rows.filter(quadrant__in=["" if value == UNKNOWN else value for value in values])


def _reps(user: User) -> Choices:
    own = [("me", _("My customers"))] if user.rep_id else []
    return [*own, *Rep.objects.order_by("name").values_list("code", "name")]


def _whose(values: list[str], user: User) -> list[str]:
    return [user.rep.code if value == "me" and user.rep else value for value in values]


CHOSEN: Final = ChosenFilter()
WORDS: Final = SearchFilter("q", _("Name, reading or code"))
QUADRANT: Final = ChoiceFilter(
    "quadrant",
    _("Quadrant"),
    lambda user: [*((letter, quadrant_name(letter)) for letter in "ABCD"), (UNKNOWN, _("Not known"))],
    _quadrants,
    is_multiple=True,
    is_main=True,
)
REP: Final = ChoiceFilter(
    "rep",
    _("Rep"),
    _reps,
    lambda rows, values: rows.filter(main_rep__code__in=values),
    is_main=True,
    is_open=True,
    resolve=_whose,
)
"""The main rep; `me` is one's own."""
DIVISION: Final = ChoiceFilter(
    "division",
    _("Division"),
    lambda user: list(Division.objects.values_list("code", "name")),
    lambda rows, values: rows.filter(main_division__code__in=values),
    is_main=True,
    is_open=True,
)
