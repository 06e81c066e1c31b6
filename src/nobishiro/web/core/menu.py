"""The menu of each role, at most seven entries, in the words of the people who use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from nobishiro.web.core.permissions import Role

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: the address's name and what the menu says."""

    url_name: str
    label: str | _StrPromise | Promise
    key: str = ""
    """The letter after `g` that goes there."""


WEEK: Final = Entry("plays:week", _("This week"), "w")
TODAY: Final = Entry("worklist:today", _("Today's proposals"), "t")
CUSTOMERS: Final = Entry("customers:list", _("Customers"), "c")
MAP: Final = Entry("map:map", _("Map"), "m")
PLAN: Final = Entry("plays:plan", _("Plan"), "p")
PROCESSES: Final = Entry("plays:processes", _("Progress"), "s")
REFERRALS: Final = Entry("referrals:list", _("Referrals"), "r")
GAPS: Final = Entry("offers:gaps", _("Not yet proposed"), "o")
TOGETHER: Final = Entry("offers:together", _("Sells together"), "b")
RELISTEN: Final = Entry("worklist:relisten", _("Ask again"), "a")
LOOK_BACK: Final = Entry("worklist:look_back", _("Look back"), "l")
IMPORTS: Final = Entry("imports:list", _("Import"), "i")
PRODUCTS: Final = Entry("people:products", _("Products"), "d")
PEOPLE: Final = Entry("people:users", _("Users and divisions"), "u")
OPERATION: Final = Entry("core:jobs", _("Operation"), "j")
AUDIT: Final = Entry("core:audit", _("Audit trail"), "h")

MENUS: Final[dict[Role, tuple[Entry, ...]]] = {
    Role.MANAGER: (WEEK, CUSTOMERS, MAP, PLAN, PROCESSES, REFERRALS, GAPS),
    Role.REP: (TODAY, CUSTOMERS, MAP, GAPS, REFERRALS, RELISTEN, LOOK_BACK),
    Role.MARKETER: (CUSTOMERS, MAP, GAPS, TOGETHER),
    Role.SHOP_MANAGER: (CUSTOMERS, TOGETHER, MAP),
    Role.ADMINISTRATOR: (IMPORTS, PRODUCTS, PEOPLE, OPERATION, AUDIT, CUSTOMERS, MAP),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as the page draws it."""

    url: str
    label: str
    key: str
    is_here: bool


def menu_of(request: HttpRequest) -> list[Shown]:
    """The entries of the person's role; the one whose page this is, or whose address this one is below, is marked."""
    role = getattr(request.user, "role", None) if hasattr(request, "user") else None
    if role is None:
        return []
    entries = [(entry, reverse(entry.url_name)) for entry in MENUS[Role(role)]]
    here = max((url for _entry, url in entries if request.path.startswith(url)), key=len, default="")
    return [Shown(url, str(entry.label), entry.key, url == here) for entry, url in entries]


def first_page(role: str) -> str:
    """Where a person of this role begins."""
    return reverse(MENUS[Role(role)][0].url_name)
