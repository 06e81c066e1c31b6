"""The audit trail: who did what, when, to what. Appended to, never changed; exported by those who may see it."""

from __future__ import annotations

from django.http import HttpRequest

from nobishiro.web.core.addresses import client_address
from nobishiro.web.core.models import AuditEntry


def record(
    actor: object,
    verb: str,
    subject: str = "",
    detail: dict[str, object] | None = None,
    *,
    request: HttpRequest | None = None,
) -> AuditEntry:
    """Append one entry.

    `verb` is a word of `core.audit_words` (`import.commit`, `fact.add`, `user.disable` …); `subject` names what it was done to
    as `customer:000123`; `detail` holds plain values (before and after), never a password, a token or a message body.
    """
    user_id = getattr(actor, "pk", None)
    return AuditEntry.objects.create(
        actor_id=user_id,
        actor_name=str(actor) if user_id else "",
        verb=verb,
        subject=subject,
        detail=detail or {},
        address=client_address(request) if request is not None else "",
    )


def record_denial(request: HttpRequest, needed: str) -> None:
    """Append that somebody asked for what is not theirs."""
    record(request.user, "denied", request.path[:200], {"needed": needed}, request=request)
