"""How the sign-in library behaves here."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.http import HttpRequest

from nobishiro.web.core.addresses import client_address
from nobishiro.web.people.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by the administrator; nobody signs up, and addresses are not kept a second time."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Counted from our own proxies, as everywhere."""
        return client_address(request) or "0.0.0.0"  # noqa: S104 - a key for counting, nothing is bound to it

    def format_email_subject(self, subject: str) -> str:
        """Under our name; the host's name would say nothing to the reader."""
        return f"Nobishiro: {subject}"

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether this is the person's password; counted and locked like a sign-in."""
        known = self.authenticate(context.request, email=user.email, password=password)
        return known is not None and known.pk == user.pk


def sign_in_name(request: HttpRequest | None, credentials: dict[str, str] | None) -> str:
    """The mail address a failed sign-in is counted under, whatever its case."""
    said = (credentials or {}).get("email") or (request.POST.get("login") if request is not None else "") or ""
    return said.strip().lower()[:254]
