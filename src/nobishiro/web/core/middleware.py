"""Small middleware: the headers Django does not set, the language and the unit of yen a person chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from nobishiro.web.core.once import one_request
from nobishiro.web.core.yen_units import shown_in

GetResponse = Callable[[HttpRequest], HttpResponseBase]
_PERMISSIONS_POLICY: Final = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


def once_a_request(get_response: GetResponse) -> GetResponse:
    """Give each request a place for what is asked for once (`core.once`)."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with one_request():
            return get_response(request)

    return answer


def security_headers(get_response: GetResponse) -> GetResponse:
    """Pages are never kept by caches in between, and may not ask for the camera and the like."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS_POLICY)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def language(get_response: GetResponse) -> GetResponse:
    """Speak the language of the person's account, else of the cookie, else of the browser, else Japanese."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        chosen = getattr(request.user, "language", "") or translation.get_language_from_request(request)
        translation.activate(chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        response = get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response

    return answer


def yen_unit(get_response: GetResponse) -> GetResponse:
    """Show yen in the unit of the person's account."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with shown_in(getattr(request.user, "yen_unit", "yen")):
            return get_response(request)

    return answer
