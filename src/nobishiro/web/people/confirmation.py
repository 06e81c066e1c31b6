"""Before what gives power over other accounts, the person confirms that it is them."""

from __future__ import annotations

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from nobishiro.web.core.permissions import SignedInRequest


def to_confirm_first(request: SignedInRequest, back_to: str) -> HttpResponse | None:
    """The way to the page that asks for the password (or the second factor) and leads back; None when that was just done."""
    if did_recently_reauthenticate(request):
        return None
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back_to})}")
