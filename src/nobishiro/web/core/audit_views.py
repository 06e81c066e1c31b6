"""記録: the audit trail as a list, with filters in the address, taken out as Excel or CSV, which is itself written down."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from nobishiro.web.core.audit_words import VERBS, verb_words
from nobishiro.web.core.lists import ChoiceFilter, Column, ListSpec, RangeFilter, SearchFilter, list_page
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.core.templatetags.nobishiro import is_japanese, number

if TYPE_CHECKING:
    from nobishiro.web.people.models import User

_DETAIL_SHOWN: Final = 300


def _entries(user: User) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.all()


def _verbs(user: User) -> list[tuple[str, str]]:
    return sorted(((verb, str(words)) for verb, words in VERBS.items()), key=lambda pair: pair[1])


def _about(rows: QuerySet[AuditEntry], said: str) -> QuerySet[AuditEntry]:
    for word in said.split()[:8]:
        rows = rows.filter(Q(actor_name__icontains=word) | Q(subject__icontains=word))
    return rows


def _who(entry: AuditEntry) -> str:
    if entry.actor_name:
        return entry.actor_name
    return gettext("by itself") if entry.actor_id is None and not entry.address else gettext("nobody signed in")


def _detail(entry: AuditEntry) -> str:
    if not entry.detail:
        return ""
    told = "; ".join(f"{name}: {_plain(value)}" for name, value in entry.detail.items())
    return told if len(told) <= _DETAIL_SHOWN else told[: _DETAIL_SHOWN - 1] + "…"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


AUDIT: Final[ListSpec[AuditEntry]] = ListSpec(
    name="audit",
    base=_entries,
    title=_("Audit trail"),
    default_sort="-at",
    page_size=100,
    columns=(
        Column("at", _("When"), "at", sort="id", kind="moment"),
        Column("actor", _("Who"), "actor_name", sort="actor_name", value=_who),
        Column("verb", _("Did what"), "verb", sort="verb", value=lambda entry: verb_words(entry.verb)),
        Column("subject", _("To what"), "subject", sort="subject"),
        Column("detail", _("In detail"), value=_detail),
        Column("address", _("From the address"), "address", sort="address", is_default=False),
    ),
    filters=(
        SearchFilter("q", _("Who or what"), apply=_about),
        ChoiceFilter("verb", _("Did what"), _verbs, field="verb", is_main=True, is_open=True),
        RangeFilter("at", _("When"), "at__date", is_days=True, is_main=True, ends=("_from", "_to")),
    ),
)


def _sentence() -> str:
    """Today's figures: how many entries, how many sign-ins failed, how often somebody was denied."""
    since = timezone.now() - timedelta(hours=24)
    counted = AuditEntry.objects.filter(at__gte=since).aggregate(
        all=Count("pk"),
        failed=Count("pk", filter=Q(verb__in=("sign_in.failed", "sign_in.locked", "mfa.failed"))),
        denied=Count("pk", filter=Q(verb="denied")),
    )
    said = [
        ngettext("%(n)s entry in the last 24 hours.", "%(n)s entries in the last 24 hours.", counted["all"])
        % {"n": number(counted["all"])}
    ]
    if counted["failed"] or counted["denied"]:
        told = gettext("Failed sign-ins: %(failed)s. Pages asked for without permission: %(denied)s.")
        said.append(told % {"failed": number(counted["failed"]), "denied": number(counted["denied"])})
    else:
        said.append(gettext("No failed sign-in, nobody denied."))
    return ("" if is_japanese() else " ").join(said)


@requires(Permission.SEE_AUDIT)
@require_GET
def audit_page(request: SignedInRequest) -> HttpResponseBase:
    """The newest first."""
    return list_page(request, AUDIT, "core/audit.html", {"sentence": _sentence()})
