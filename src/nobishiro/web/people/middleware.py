"""Middleware of this room: one calendar a request, and a second factor where it is demanded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from nobishiro.web.core.permissions import Role
from nobishiro.web.people.calendar import one_calendar
from nobishiro.web.people.models import CompanySettings, User

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def company_calendar(get_response: GetResponse) -> GetResponse:
    """The company's calendar is loaded at most once a request, and only when asked for."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with one_calendar():
            return get_response(request)

    return answer


_WITHOUT_MFA: Final = frozenset(
    {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate", "account_logout"}
)


def demand_mfa(get_response: GetResponse) -> GetResponse:
    """Whoever must use a second factor and has none is led to set one up, and nowhere else."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_view(request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is None or match.url_name in _WITHOUT_MFA or getattr(view, "permission", "") is None:
            return None
        if not isinstance(request.user, User) or not needs_mfa(request.user) or is_mfa_enabled(request.user):
            return None
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401, headers={"HX-Redirect": reverse("mfa_index")})
        return redirect("mfa_index")

    answer.process_view = process_view  # type: ignore[attr-defined]
    return answer


def needs_mfa(user: User) -> bool:
    """Whether this person may not go without a second factor."""
    if user.must_use_mfa:
        return True
    return user.role == Role.ADMINISTRATOR and CompanySettings.objects.filter(administrators_need_mfa=True).exists()
