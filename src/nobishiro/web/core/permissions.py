"""Who may do what: decided here and nowhere else.

A view says what it needs with `@requires(Permission.X)`, or `@open_to_all`; one that says nothing is refused, so that a
forgotten decorator closes a page instead of opening it. Nobody signed in → the sign-in page (401 for htmx and JSON). Signed
in without the permission → 404, the same as for an address that does not exist: a person need not learn what there is.

What a person may see *inside* a page (cost, margin, private notes) is asked with `may(user, Permission.X)` in selectors.
Customers, facts, touches and owners are company-wide: there is no filter by rep or division on them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, cast

from django.http import HttpRequest, HttpResponseBase

if TYPE_CHECKING:
    from nobishiro.web.people.models import User


class Permission(StrEnum):
    """One thing a role may do."""

    BE_HERE = "be_here"
    """Signed in, whatever the role: own account, own language, help."""
    SEE_CUSTOMERS = "see_customers"
    """Lists, karte, map, gaps, time line, owners: the company-wide part."""
    RECORD = "record"
    """Facts, tags, relation, hypotheses, overrides, owners' notes."""
    SEE_COST = "see_cost"
    SEE_PRIVATE_NOTES = "see_private_notes"
    WORK = "work"
    """One's own work list, outcomes, daily report, hearing."""
    REFER = "refer"
    """Send, accept and follow referrals; see the board."""
    SEE_TEAM = "see_team"
    """Every rep's list, process, hours; this week's summary; the plan."""
    CONFIRM = "confirm"
    """Confirm the week, approve rewards, share lists with all."""
    SEE_OFFERS = "see_offers"
    """What sells together."""
    EXPORT = "export"
    """Take lists out as Excel or CSV."""
    IMPORT = "import"
    """The import wizard, its history and undo; products."""
    ADMINISTER = "administer"
    """Users, roles, divisions, assignments, calendar, hours, targets."""
    OPERATE = "operate"
    """Jobs, runs, backup and restore."""
    SEE_AUDIT = "see_audit"


class Role(StrEnum):
    """What a person is here for; one a person."""

    MANAGER = "manager"
    REP = "rep"
    MARKETER = "marketer"
    SHOP_MANAGER = "shop_manager"
    ADMINISTRATOR = "administrator"


_P = Permission
_ALL_STAFF: Final = frozenset({_P.BE_HERE, _P.SEE_CUSTOMERS, _P.SEE_OFFERS, _P.EXPORT})
ROLE_PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.MANAGER: _ALL_STAFF
    | {_P.RECORD, _P.SEE_COST, _P.SEE_PRIVATE_NOTES, _P.WORK, _P.REFER, _P.SEE_TEAM, _P.CONFIRM},
    Role.REP: _ALL_STAFF | {_P.RECORD, _P.SEE_PRIVATE_NOTES, _P.WORK, _P.REFER},
    Role.MARKETER: _ALL_STAFF | {_P.SEE_COST},
    Role.SHOP_MANAGER: _ALL_STAFF | {_P.RECORD, _P.SEE_COST},
    Role.ADMINISTRATOR: _ALL_STAFF | {_P.IMPORT, _P.ADMINISTER, _P.OPERATE, _P.SEE_AUDIT},
}


class SignedInRequest(HttpRequest):
    """A request of which the middleware has seen to it that somebody is signed in."""

    user: User
    htmx: object


_Rest = ParamSpec("_Rest")
SignedInView = Callable[Concatenate[SignedInRequest, _Rest], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, _Rest], HttpResponseBase]


def requires(permission: Permission) -> Callable[[SignedInView[_Rest]], View[_Rest]]:
    """Mark a view as needing `permission`; the middleware enforces it before the view is called."""

    def mark(view: SignedInView[_Rest]) -> View[_Rest]:
        view.permission = permission  # type: ignore[attr-defined]
        return cast("View[_Rest]", view)

    return mark


def open_to_all(view: View[_Rest]) -> View[_Rest]:
    """Mark a view as open to whoever comes: sign-in, the health check."""
    view.permission = None  # type: ignore[attr-defined]
    return view


def may(user: object, permission: Permission) -> bool:
    """Whether this person holds `permission`; False for nobody and for a disabled account."""
    role = getattr(user, "role", None)
    if role is None or not getattr(user, "is_active", False):
        return False
    return permission in ROLE_PERMISSIONS[Role(role)]
