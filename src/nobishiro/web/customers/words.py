"""What codes of the tables are called on the pages; an unknown code is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Words = Mapping[str, "str | _StrPromise | Promise"]

TOUCH_KINDS: Final[Words] = {
    "visit": pgettext_lazy("touch", "Visit"),
    "call": pgettext_lazy("touch", "Call"),
    "mail": pgettext_lazy("touch", "Mail"),
    "web": pgettext_lazy("touch", "Web"),
    "meeting": pgettext_lazy("touch", "Meeting"),
    "event": pgettext_lazy("touch", "Event"),
    "other": pgettext_lazy("touch", "Contact"),
}
CHANNELS: Final[Words] = {
    **TOUCH_KINDS,
    "web": pgettext_lazy("channel", "Web"),
    "fax": pgettext_lazy("channel", "Fax"),
    "phone": pgettext_lazy("channel", "Phone"),
    "shop": pgettext_lazy("channel", "Shop"),
    "store": pgettext_lazy("channel", "Shop"),
    "ec": pgettext_lazy("channel", "Web shop"),
    "delivery": pgettext_lazy("channel", "Delivery"),
}
RESULTS: Final[Words] = {
    "won": pgettext_lazy("result", "Order won"),
    "open": pgettext_lazy("result", "Proposed"),
    "considering": pgettext_lazy("result", "Considering"),
    "declined": pgettext_lazy("result", "Declined"),
    "referred": pgettext_lazy("result", "Referred"),
    "dismissed": pgettext_lazy("result", "Not this time"),
}
FAMILY_STATES: Final[Words] = {
    "buying": pgettext_lazy("family", "Buys from us"),
    "proposed": pgettext_lazy("family", "Proposed"),
    "not_proposed": pgettext_lazy("family", "Not proposed yet"),
    "competitor": pgettext_lazy("family", "Buys elsewhere"),
    "not_applicable": pgettext_lazy("family", "Has no use for it"),
}
BASES: Final[Words] = {
    "told": pgettext_lazy("basis", "told by the customer"),
    "estimated": pgettext_lazy("basis", "estimated"),
    "unknown": pgettext_lazy("basis", "not known"),
}
STATES: Final[Words] = {
    "active": pgettext_lazy("customer", "Buying"),
    "dormant": pgettext_lazy("customer", "Dormant"),
    "lost": pgettext_lazy("customer", "Lost deal"),
    "prospect": pgettext_lazy("customer", "Prospect"),
}
ROLES: Final[Words] = {
    "main": pgettext_lazy("owner", "main"),
    "support": pgettext_lazy("owner", "support"),
    "service": pgettext_lazy("owner", "service"),
    "specialist": pgettext_lazy("owner", "specialist"),
}
OFFER_KINDS: Final[Words] = {
    "cross_sell": pgettext_lazy("offer", "Related"),
    "upsell": pgettext_lazy("offer", "One grade up"),
    "downsell": pgettext_lazy("offer", "Alternative"),
    "bundle": pgettext_lazy("offer", "Set"),
    "replenishment": pgettext_lazy("offer", "Restock"),
}
OUTCOMES_OF_DEALS: Final[Words] = {
    "open": pgettext_lazy("deal", "open"),
    "won": pgettext_lazy("deal", "won"),
    "lost": pgettext_lazy("deal", "lost"),
}
TICKET_KINDS: Final[Words] = {
    "question": pgettext_lazy("ticket", "Question"),
    "complaint": pgettext_lazy("ticket", "Complaint"),
    "fault": pgettext_lazy("ticket", "Fault"),
    "request": pgettext_lazy("ticket", "Request"),
    "other": pgettext_lazy("ticket", "Inquiry"),
}
SOURCES: Final[Words] = {
    "visit": pgettext_lazy("source", "heard on a visit"),
    "call": pgettext_lazy("source", "heard on the phone"),
    "mail": pgettext_lazy("source", "by mail"),
    "survey": pgettext_lazy("source", "from a survey"),
    "web": pgettext_lazy("source", "from the web"),
    "colleague": pgettext_lazy("source", "from a colleague"),
}
MEASURES: Final[Words] = {
    "quadrant": _("Quadrant"),
    "potential": _("Potential"),
    "track_record": _("Track record"),
}
TAGS: Final[Words] = {
    "what": _("What (room to grow)"),
    "pace": _("Pace (orders)"),
    "visits": _("Visits"),
    "relation": _("Relation"),
}
DECIDED_BY: Final[Words] = {
    "computed": pgettext_lazy("decided", "computed"),
    "tags": pgettext_lazy("decided", "from tags"),
    "override": pgettext_lazy("decided", "set by hand"),
    "unknown": pgettext_lazy("decided", "too little is known"),
}
WHY_NOT: Final[Words] = {
    "buying": _("They buy it from us already."),
    "not_applicable": _("They have no use for it."),
    "declined": _("They declined it; let some time pass."),
    "awaiting": _("It was proposed and awaits their answer."),
    "later": _("You put it off a few days ago."),
    "unknown_worth": _("Nobody can say yet what it would bring."),
    "service_first": _("Service comes first, offers after."),
    "relation_first": _("The relation comes first, offers after."),
}

TRAIL: Final[Words] = {
    "fact.add": _("noted something learned"),
    "fact.withdraw": _("took something learned back"),
    "override.set": _("set by hand where they stand"),
    "override.withdraw": _("took a word on where they stand back"),
    "tag.set": _("set a tag"),
    "touch.add": _("noted a contact"),
    "touch.withdraw": _("took a contact back"),
    "outcome.add": _("recorded what came of a proposal"),
    "outcome.withdraw": _("undid what came of a proposal"),
    "action.add": _("put something on the list of things to do"),
    "action.drop": _("took something off the list of things to do"),
    "action.reopen": _("put something back on the list of things to do"),
    "hypothesis.add": _("wrote a thought down"),
    "hypothesis.end": _("said how a thought turned out"),
    "hypothesis.drop": _("dropped a thought"),
    "correction.set": _("corrected the imported list"),
}


def word(words: Words, code: str | None) -> str:
    """What the code is called in the page's language."""
    return str(words.get(code or "", code or ""))
