"""Stepping in with one click. These views are unreachable, and refuse, unless the process was started as the demo."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from nobishiro.web.core.permissions import Role, open_to_all
from nobishiro.web.people.demo_people import ROLES, demo_person, other_worlds


@open_to_all
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Who one can be, the story in five steps, and the other companies."""
    _only_in_the_demo()
    return render(
        request,
        "people/demo.html",
        {"roles": [role.value for role in ROLES], "worlds": other_worlds(settings.INSTALLATION.workspace)},
    )


@open_to_all
@require_POST
def step_in(request: HttpRequest) -> HttpResponse:
    """Sign in as the person of a role."""
    _only_in_the_demo()
    said = request.POST.get("role", "")
    if said not in {role.value for role in ROLES}:
        raise Http404
    person = demo_person(Role(said))
    if request.user.is_authenticated:
        logout(request)
    login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("home")


def _only_in_the_demo() -> None:
    if not settings.INSTALLATION.is_demo:
        raise Http404
