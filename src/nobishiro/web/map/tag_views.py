"""Tags back from Excel: send, look, take or leave."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.customers.models import Customer
from nobishiro.web.map.forms import SheetForm
from nobishiro.web.map.models import TagSheet
from nobishiro.web.map.tag_sheets import apply_sheet, check_sheet, drop_sheet
from nobishiro.web.map.tag_words import in_words

NAMES = {"what": "What", "pace": "Pace", "visits": _("Visits"), "relation": _("Relation")}
SHOWN = 200


@requires(Permission.RECORD)
@require_http_methods(["GET", "POST"])
def tags(request: SignedInRequest) -> HttpResponse:
    """Send a sheet of tags, and those sent before."""
    problem = ""
    if request.method == "POST":
        form = SheetForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                made = check_sheet(by=request.user, file=form.cleaned_data["sheet"])
            except BadInput as refused:
                problem = str(refused)
            else:
                return _see(reverse("map:tag_sheet", args=[made.pk]))
        else:
            problem = gettext("Choose the file first.")
    history = TagSheet.objects.select_related("uploaded_by").defer("changes", "rejected")[:20]
    return render(request, "map/tags.html", {"problem": problem, "history": history})


@requires(Permission.RECORD)
@require_http_methods(["GET"])
def tag_sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    """What a sheet would change, line by line."""
    sheet = get_object_or_404(TagSheet.objects.select_related("uploaded_by", "job"), pk=pk)
    customers = Customer.objects.only("name", "code").in_bulk([change[1] for change in sheet.changes[:SHOWN]])
    shown = [
        {
            "line": line, "customer": customers.get(pk_), "tag": NAMES[tag],
            "before": in_words(tag, before), "after": in_words(tag, after),
        }
        for line, pk_, tag, before, after in sheet.changes[:SHOWN]
    ]  # fmt: skip
    cleared = sum(1 for change in sheet.changes if change[4] == "")
    context = {"sheet": sheet, "shown": shown, "cleared": cleared, "more": max(0, len(sheet.changes) - SHOWN)}
    return render(request, "map/tag_sheet.html", context)


@requires(Permission.RECORD)
@require_POST
def apply(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take it."""
    sheet = get_object_or_404(TagSheet, pk=pk)
    try:
        apply_sheet(by=request.user, sheet=sheet)
    except BadInput as refused:
        messages.error(request, str(refused))
    return _see(reverse("map:tag_sheet", args=[pk]))


@requires(Permission.RECORD)
@require_POST
def drop(request: SignedInRequest, pk: int) -> HttpResponse:
    """Leave it."""
    drop_sheet(by=request.user, sheet=get_object_or_404(TagSheet, pk=pk))
    return _see(reverse("map:tags"))


def _see(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
