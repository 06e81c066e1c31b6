"""Keep, share, favour and forget lists."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from nobishiro.web.core.lists import SPECS
from nobishiro.web.core.models import SavedList
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.core.saved_lists import favour_list, forget_list, keep_list, share_list


class KeepForm(forms.Form):
    """A list to keep."""

    page = forms.CharField(max_length=60)
    name = forms.CharField(max_length=100)
    query = forms.CharField(max_length=8000, required=False)
    is_shared = forms.BooleanField(required=False)


@requires(Permission.BE_HERE)
@require_POST
def keep(request: SignedInRequest) -> HttpResponse:
    """Keep the list being shown under a name, and show it."""
    form = KeepForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Give the list a name of up to 100 characters."))
        return _back(request, request.POST.get("query", ""))
    data = form.cleaned_data
    if data["page"] not in SPECS or (data["is_shared"] and not request.user.may(Permission.CONFIRM)):
        raise Http404
    try:
        saved = keep_list(by=request.user, page=data["page"], name=data["name"], query=data["query"])
    except ValueError:
        messages.error(request, gettext("These conditions are too long to be kept; choose fewer."))
        return _back(request, data["query"])
    if data["is_shared"]:
        share_list(by=request.user, saved=saved, is_shared=True)
    messages.success(request, gettext("Kept as “%(name)s”.") % {"name": saved.name})
    return _back(request, f"{saved.query}&list={saved.pk}")


@requires(Permission.BE_HERE)
@require_POST
def forget(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove one's own list, or a shared one for those who may share."""
    forget_list(by=request.user, saved=_mine(request, pk))
    return _back(request)


@requires(Permission.BE_HERE)
@require_POST
def favour(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put one's own list first, or back."""
    saved = get_object_or_404(SavedList, pk=pk, owner=request.user)
    favour_list(by=request.user, saved=saved, is_favourite=request.POST.get("on") == "1")
    return _back(request, f"{saved.query}&list={saved.pk}")


@requires(Permission.CONFIRM)
@require_POST
def share(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a list to everybody, or no longer."""
    saved = _mine(request, pk)
    share_list(by=request.user, saved=saved, is_shared=request.POST.get("on") == "1")
    return _back(request, f"{saved.query}&list={saved.pk}")


def _mine(request: SignedInRequest, pk: int) -> SavedList:
    saved = get_object_or_404(SavedList.objects.select_related("owner"), pk=pk)
    if saved.owner_id != request.user.pk and not (saved.is_shared and request.user.may(Permission.CONFIRM)):
        raise Http404
    return saved


def _back(request: SignedInRequest, query: str = "") -> HttpResponse:
    path = request.POST.get("next", "/").split("?")[0]
    if not url_has_allowed_host_and_scheme(path, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        path = "/"
    response = HttpResponseRedirect(f"{path}?{query}" if query else path)
    response.status_code = 303
    return response
