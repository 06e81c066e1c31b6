"""Tags set by a person beside those computed: What, Pace, visits, the relation ◎○△ of a rep, and names of one's own."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.audit import record
from nobishiro.web.customers.models import Customer, Tag
from nobishiro.web.customers.standing import restand
from nobishiro.web.people.models import Rep, User

RELATION: Final = "relation"
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "what": ("large", "small"),
    "pace": ("high", "low"),
    "visits": ("often", "seldom", "none"),
    RELATION: ("◎", "○", "△"),
}
"""Values of the tags that mean something to the map and the proposals; any other tag is free."""
_SAME_CIRCLE: Final = {"〇": "○", "◯": "○", "O": "○", "▲": "△"}


@transaction.atomic
def set_tag(
    *, by: User, customer: Customer, tag: str, value: str, reason: str = "", rep: Rep | None = None
) -> Tag | None:
    """Set a tag, or clear it with an empty value (then None). The same value again changes nothing.

    A relation is between a rep and the customer: `rep`, else the person's own. Raises `BadInput` for a value the tag
    does not know.
    """
    tag, value = tag.strip(), value.strip()
    if not tag or len(tag) > 60:
        raise BadInput(gettext("A tag needs a name of at most 60 characters."))
    if tag == RELATION:
        value, rep = _SAME_CIRCLE.get(value, value), rep or by.rep
        if rep is None:
            raise BadInput(gettext("Say whose relation this is: choose a rep."))
    if value and tag in CHOICES and value not in CHOICES[tag]:
        raise BadInput(gettext("Choose one of %(choices)s.") % {"choices": " ".join(CHOICES[tag])})
    current = current_tag(customer, tag, rep)
    if (current.value if current else "") == value[:100]:
        return current
    made = None
    if value:
        made = Tag.objects.create(
            customer=customer, tag=tag, value=value[:100], reason=reason.strip()[:500], rep=rep, set_by=by,
            set_by_name=by.name, set_at=timezone.now(),
        )  # fmt: skip
    else:
        Tag.objects.filter(customer=customer, tag=tag, rep=rep, withdrawn_at=None).update(withdrawn_at=timezone.now())
    record(
        by, "tag.set", f"customer:{customer.code}",
        {"tag": tag, "before": current.value if current else "", "after": value},
    )  # fmt: skip
    if tag in ("what", "pace"):
        restand(customer)
    return made


def current_tag(customer: Customer, tag: str, rep: Rep | None = None) -> Tag | None:
    """The tag that counts: the newest not withdrawn."""
    rows = Tag.objects.filter(customer=customer, tag=tag, rep=rep, withdrawn_at=None)
    return rows.order_by("-set_at", "-pk").first()
