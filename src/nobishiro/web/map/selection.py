"""What becomes of customers chosen on the map: things to do, or a list to keep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.models import SavedList
from nobishiro.web.core.saved_lists import keep_list
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.conditions import MOST_IDS
from nobishiro.web.customers.models import Action, Customer
from nobishiro.web.people.models import User

LISTS = "customers"
"""The list page that kept choices belong to: the customers' own, whose `ids` condition takes them."""


@transaction.atomic
def make_actions(
    *, by: User, customers: Sequence[int], key: str, kind: str, due: date, is_mine: bool = False, title: str = ""
) -> list[Action]:
    """One thing to do for each customer, the customer's own rep's or one's own. The same key again makes nothing new.

    Raises `BadInput` when one is not there any more, or nobody would do it.
    """
    found = Customer.objects.filter(pk__in=customers, is_listed=True).select_related("main_rep").in_bulk()
    if len(found) != len(customers):
        raise BadInput(gettext("Some of these customers are no longer on the list. Open the map again."))
    if is_mine and by.rep is None:
        raise BadInput(gettext("You are not a rep: leave these to each customer's own rep."))
    alone = [found[pk].name for pk in customers if not is_mine and found[pk].main_rep is None]
    if alone:
        raise BadInput(
            gettext("Nobody looks after %(name)s (and %(n)d more). Name a rep first, or take them yourself.")
            % {"name": alone[0], "n": len(alone) - 1}
            if len(alone) > 1
            else gettext("Nobody looks after %(name)s. Name a rep first, or take it yourself.") % {"name": alone[0]}
        )
    return [
        add_action(
            by=by, customer=found[pk], source="map", source_key=f"map:{key}:{pk}", kind=kind, due=due, title=title,
            rep=by.rep if is_mine else found[pk].main_rep, rank=at,
        )
        for at, pk in enumerate(customers, 1)
    ]  # fmt: skip


def keep_chosen(*, by: User, customers: Sequence[int], name: str) -> SavedList:
    """Keep the chosen customers as a list. Raises `BadInput` when there are too many for one."""
    if len(customers) > MOST_IDS:
        raise BadInput(gettext("A list holds at most %(most)d chosen customers.") % {"most": MOST_IDS})
    return keep_list(by=by, page=LISTS, name=name.strip(), query="ids=" + ".".join(map(str, customers)))
