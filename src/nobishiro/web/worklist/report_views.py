"""日報: the day as the taps wrote it, corrected and added to."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_GET, require_POST

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.customers.models import Customer, Touch
from nobishiro.web.customers.touches import add_touch, amend_touch, withdraw_touch
from nobishiro.web.people.models import Rep
from nobishiro.web.worklist.report import day_report, found_customers, may_change
from nobishiro.web.worklist.sentences import report_sentence
from nobishiro.web.worklist.taps import TOUCH_KINDS, take_undo
from nobishiro.web.worklist.views import TEAM, asked_rep

EVERYBODY = "all"


class AmendForm(forms.Form):
    """A contact's how, how long and what."""

    kind = forms.ChoiceField(choices=TOUCH_KINDS)
    minutes = forms.FloatField(required=False, min_value=0, max_value=24 * 60)
    note = forms.CharField(required=False, max_length=4000)


class AddForm(AmendForm):
    """A contact that came by no card."""

    code = forms.RegexField(r"^[A-Za-z0-9-]{8,64}$")
    customer = forms.IntegerField(min_value=1)
    day = forms.DateField()
    time = forms.TimeField(required=False)
    is_private = forms.BooleanField(required=False)


@requires(Permission.WORK)
@require_GET
def report(request: SignedInRequest) -> HttpResponse:
    """A day of one's own, of a rep, or of the team (`?rep=all`)."""
    on = _asked_day(request)
    everybody = request.GET.get("rep") == EVERYBODY
    if everybody and not request.user.may(Permission.SEE_TEAM):
        raise Http404
    rep, is_own = (None, False) if everybody else asked_rep(request)
    day = day_report(rep, on, viewer=request.user, everybody=everybody)
    rep_query = "" if is_own else f"&rep={EVERYBODY if everybody else rep.code if rep else TEAM}"
    return render(
        request,
        "worklist/report.html",
        {
            "day": day,
            "on": on,
            "before": on - timedelta(days=1),
            "after": on + timedelta(days=1) if on < timezone.localdate() else None,
            "rep": rep,
            "is_own": is_own,
            "everybody": everybody,
            "rep_query": rep_query,
            "sentence": report_sentence(day, on, timezone.localdate()),
            "touch_kinds": TOUCH_KINDS,
            "spare_code": str(uuid4()),
            "now": timezone.localtime(),
            "reps": list(Rep.objects.order_by("code")) if request.user.may(Permission.SEE_TEAM) else [],
        },
    )


@requires(Permission.WORK)
@require_GET
def find_customers(request: SignedInRequest) -> HttpResponse:
    """Customers to choose from, for the form of the daily report."""
    text = request.GET.get("q", "")[:100]
    return render(request, "worklist/report_customers.html", {"found": found_customers(text), "text": text})


@requires(Permission.WORK)
@require_POST
def add(request: SignedInRequest) -> HttpResponse:
    """Keep a contact that came by no card; the form's own code keeps it from being kept twice."""
    form = AddForm(request.POST)
    if not form.is_valid():
        said = gettext("Choose a customer, and check the minutes and the time.")
        messages.error(request, said)
        return redirect(reverse("worklist:report"))
    values = form.cleaned_data
    customer = get_object_or_404(Customer, pk=values["customer"])
    now = timezone.localtime()
    happened_at = datetime.combine(values["day"], values["time"] or now.time(), timezone.get_current_timezone())
    try:
        add_touch(
            by=request.user, code=values["code"], customer=customer, kind=values["kind"], happened_at=happened_at,
            minutes=values["minutes"], note=values["note"], is_private=values["is_private"],
        )  # fmt: skip
        messages.success(request, pgettext("worklist", "Added."))
    except BadInput as refused:
        messages.error(request, str(refused))
    return _back(values["day"])


@requires(Permission.WORK)
@require_POST
def amend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Correct one's own contact."""
    touch = _own_touch(request, pk)
    form = AmendForm(request.POST)
    try:
        if not form.is_valid():
            raise BadInput(gettext("Enter the minutes as a number up to 1,440."))
        values = form.cleaned_data
        amend_touch(
            by=request.user, touch=touch, kind=values["kind"], minutes=values["minutes"], note=values["note"]
        )  # fmt: skip
        messages.success(request, pgettext("worklist", "Corrected."))
    except BadInput as refused:
        messages.error(request, str(refused))
    return _back(timezone.localdate(touch.happened_at))


@requires(Permission.WORK)
@require_POST
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a contact back, with what the same tap said came of it."""
    touch = _own_touch(request, pk)
    codes = [outcome.code for outcome in touch.outcomes.filter(withdrawn_at=None)]
    for code in codes or [touch.code.removeprefix("web-")]:
        take_undo(by=request.user, code=code)
    touch.refresh_from_db()
    withdraw_touch(by=request.user, touch=touch)
    messages.success(request, pgettext("worklist", "Taken back."))
    return _back(timezone.localdate(touch.happened_at))


def _own_touch(request: SignedInRequest, pk: int) -> Touch:
    touch = get_object_or_404(Touch.objects.select_related("customer"), pk=pk, withdrawn_at=None)
    if not may_change(touch, request.user):
        raise Http404
    return touch


def _asked_day(request: SignedInRequest) -> date:
    today = timezone.localdate()
    try:
        asked = parse_date(request.GET.get("day", ""))
    except ValueError:
        asked = None
    return min(asked, today) if asked else today


def _back(on: date) -> HttpResponse:
    return redirect(f"{reverse('worklist:report')}?day={on:%Y-%m-%d}")
