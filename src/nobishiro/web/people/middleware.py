"""Middleware of this room: one calendar a request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from nobishiro.web.people.calendar import one_calendar

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def company_calendar(get_response: GetResponse) -> GetResponse:
    """The company's calendar is loaded at most once a request, and only when asked for."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with one_calendar():
            return get_response(request)

    return answer
