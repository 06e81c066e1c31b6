"""The first page, the language, health, help and the error pages."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from nobishiro.web.core.menu import first_page
from nobishiro.web.core.permissions import Permission, SignedInRequest, open_to_all, requires


@requires(Permission.BE_HERE)
@require_GET
def home(request: SignedInRequest) -> HttpResponse:
    """Lead a person to the first page of their menu."""
    return redirect(first_page(request.user.role))


@open_to_all
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie, and in the account of somebody signed in."""
    chosen = request.POST.get("language", "")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = redirect(back)
    if chosen in dict(settings.LANGUAGES):
        translation.activate(chosen)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.INSTALLATION.is_https,
            httponly=True,
            samesite="Lax",
        )
        if request.user.is_authenticated:
            get_user_model().objects.filter(pk=request.user.pk).update(language=chosen)
    return response


@open_to_all
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """`ok` while the site reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@requires(Permission.BE_HERE)
@require_GET
def help_page(request: SignedInRequest) -> HttpResponse:
    """The words we use and the keys that work."""
    return render(request, "core/help.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, the same for what does not exist and for what one may not know of."""
    return render(request, "core/not_found.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 without any detail; those are in the log. Needs neither database nor session."""
    return HttpResponse(
        "<!doctype html><meta charset=utf-8><title>Nobishiro</title>"
        "<p>表示できませんでした。少し待ってから、もう一度開いてください。続くときは管理者にお知らせください。</p>"
        "<p>This page could not be shown. Please wait a moment and open it again; tell your administrator if it stays.</p>",
        status=500,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 with what to do: the form was open too long, or came from elsewhere."""
    return render(request, "core/stale_form.html", status=403)
