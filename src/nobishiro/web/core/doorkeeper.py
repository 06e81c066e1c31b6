"""Asks before every view whether this person may open it. The rules are in `core.permissions`."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from nobishiro.web.core.audit import record_denial
from nobishiro.web.core.permissions import Permission, may

_LIBRARY_VIEWS: Final = {"allauth.account.views": Permission.BE_HERE, "allauth.mfa": Permission.BE_HERE}
"""Views of libraries cannot carry our mark: by module. Those in `_LIBRARY_OPEN` are for people not signed in yet."""
_LIBRARY_OPEN: Final = frozenset(
    {
        "account_login",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "account_inactive",
        "mfa_authenticate",
    }
)
_LIBRARY_CLOSED: Final = frozenset(
    {
        "account_signup",
        "account_email",
        "account_email_verification_sent",
        "account_confirm_email",
        "account_confirm_login_code",
        "account_set_password",
    }
)
"""Nobody signs up by themselves here; addresses and first passwords come by invitation."""

_UNMARKED: Final = object()


def needed_permission(view: object, url_name: str | None) -> Permission | object | None:
    """The permission a view needs, None when it is open; a private mark when nothing was said (then it is closed)."""
    if url_name in _LIBRARY_OPEN:
        return None
    if url_name in _LIBRARY_CLOSED:
        return _UNMARKED
    said = getattr(view, "permission", _UNMARKED)
    if said is _UNMARKED:
        module = getattr(getattr(view, "view_class", view), "__module__", "")
        for prefix, permission in _LIBRARY_VIEWS.items():
            if module.startswith(prefix):
                return permission
    return said


class Doorkeeper(MiddlewareMixin):
    """Asks before every view."""

    def process_view(
        self, request: HttpRequest, view: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        """None lets the view run."""
        match = request.resolver_match
        needed = needed_permission(view, match.url_name if match else None)
        if needed is None:
            return None
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request") or "application/json" in request.headers.get("Accept", ""):
                return HttpResponse(status=401, headers={"HX-Redirect": reverse("account_login")})
            return redirect_to_login(request.get_full_path())
        if isinstance(needed, Permission) and may(request.user, needed):
            return None
        record_denial(request, str(needed) if isinstance(needed, Permission) else "closed")
        raise Http404
