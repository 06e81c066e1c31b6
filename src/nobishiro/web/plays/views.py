"""今週のまとめ, 計画 and 実行状況."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from nobishiro.web.core.company import published
from nobishiro.web.core.lists import list_page
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.core.sent import key_sent
from nobishiro.web.customers.hours import hours_spent
from nobishiro.web.people.models import Division, Rep
from nobishiro.web.plays import selectors, services
from nobishiro.web.plays.plan_list import PLAN
from nobishiro.web.plays.processes import STATES, Material, process_named
from nobishiro.web.plays.weeks import read_week
from nobishiro.web.referrals.selectors import standing_of

_CLOSING = 10
_UNSEEN_DAYS = 30
_REPS = 50
"""Reps a page: a company may have thousands."""


@requires(Permission.SEE_TEAM)
@require_GET
def week(request: SignedInRequest) -> HttpResponse:
    """今週のまとめ: the gap to the target and what closes it; hours; what is late; the weekly confirmation."""
    today = timezone.localdate()
    this_week = read_week(None, today)
    summary = selectors.plan_summary()
    first, until = selectors.month_until(today)
    spent = hours_spent(first, until)  # before the processes: its customers hold those of the week
    material = Material(this_week, today)
    lines = selectors.process_lines(material)
    target = selectors.company_target()
    counts = selectors.quadrant_counts(_UNSEEN_DAYS)
    open_sum = selectors.open_sum()
    confirmed = selectors.confirmed_weeks(this_week)
    return render(
        request, "plays/week.html",
        {
            "week": this_week, "today": today, "target": target, "open": open_sum,
            "closing": selectors.closing_actions(_CLOSING), "lines": lines, "summary": summary, "spent": spent,
            "quadrants": selectors.quadrant_hours(spent, summary, counts), "reps": selectors.rep_hours(spent)[:8],
            "late": sum(line.all.late for line in lines), "unseen_b": counts.get("B", (0, 0))[1],
            "unseen_days": _UNSEEN_DAYS, "confirmed": confirmed.get(this_week.monday),
            "unconfirmed": selectors.unconfirmed_before(this_week, open_sum.oldest, confirmed), "has_run": published() is not None,
            "referrals": standing_of(material.referrals, today),
        },
    )  # fmt: skip


@requires(Permission.SEE_TEAM)
@require_GET
def plan(request: SignedInRequest) -> HttpResponseBase:
    """計画: the month by rep and quadrant, its distance from the best possible one, and every approach."""
    summary = selectors.plan_summary()
    first, until = selectors.month_until(timezone.localdate())
    spent = hours_spent(first, until)
    quadrants = selectors.quadrant_hours(spent, summary, selectors.quadrant_counts(_UNSEEN_DAYS))
    reps = Paginator(selectors.rep_plans(), _REPS).get_page(request.GET.get("reps"))
    return list_page(
        request, PLAN, "plays/plan.html",
        {
            "summary": summary, "quadrants": quadrants, "spent": spent, "reps": reps,
            "most_hours": max([quadrant.wished or 0.0 for quadrant in quadrants] + [quadrant.planned or 0.0 for quadrant in quadrants] + [0.0]),
            "targets": selectors.targets_beside(one.rep.code for one in reps.object_list if one.rep), "names": selectors.scope_names(),
        },
    )  # fmt: skip


@requires(Permission.SEE_TEAM)
@require_GET
def processes(request: SignedInRequest) -> HttpResponse:
    """実行状況: done and late by process, rep and division, for a week."""
    today = timezone.localdate()
    chosen = read_week(request.GET.get("week"), today)
    division = _division(request.GET.get("division"))
    summary = selectors.plan_summary()
    first, until = selectors.month_until(today)
    spent = hours_spent(first, until)
    lines = selectors.process_lines(Material(chosen, today), division=division.pk if division else None)
    return render(
        request, "plays/processes.html",
        {
            "week": chosen, "today": today, "division": division, "divisions": Division.objects.all(), "lines": lines,
            "reps": Paginator(selectors.rep_lines(lines), _REPS).get_page(request.GET.get("reps")), "late": sum(line.all.late for line in lines),
            "done": sum(line.all.done for line in lines), "hearing": next(line.all for line in lines if line.process.name == "hearing"),
            "quadrants": selectors.quadrant_hours(spent, summary, selectors.quadrant_counts(_UNSEEN_DAYS)), "spent": spent, "rep_hours": selectors.rep_hours(spent),
            "confirmed": selectors.confirmation(chosen, division.pk if division else None),
            "may_confirm": request.user.may(Permission.CONFIRM), "is_future": chosen.monday > today,
        },
    )  # fmt: skip


def _division(text: str | None) -> Division | None:
    if not text:
        return None
    return get_object_or_404(Division, pk=key_sent(text))


@requires(Permission.SEE_TEAM)
@require_GET
def process(request: SignedInRequest, name: str) -> HttpResponse:
    """The cases behind one number of 実行状況."""
    chosen = process_named(name)
    if chosen is None:
        raise Http404
    today = timezone.localdate()
    this_week = read_week(request.GET.get("week"), today)
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    rep = Rep.objects.filter(pk=key_sent(request.GET.get("rep"))).first()
    division = _division(request.GET.get("division"))
    cases = selectors.cases_of(
        chosen, this_week, today, state=state, rep=rep.pk if rep else None, division=division.pk if division else None
    )
    page = Paginator(cases, 50).get_page(request.GET.get("page"))
    return render(
        request, "plays/process.html",
        {
            "process": chosen, "week": this_week, "state": state, "rep": rep, "division": division, "today": today,
            "page": page, "shown": selectors.cases_shown(page.object_list), "total": len(cases),
        },
    )  # fmt: skip


@requires(Permission.CONFIRM)
@require_POST
def confirm(request: SignedInRequest) -> HttpResponse:
    """The manager has looked at the week."""
    today = timezone.localdate()
    chosen = read_week(request.POST.get("week"), today)
    if chosen.monday > today:
        messages.error(request, gettext("This week has not begun yet."))
    else:
        division = _division(request.POST.get("division"))
        lines = selectors.process_lines(Material(chosen, today), division=division.pk if division else None)
        services.confirm_week(
            by=request.user, week=chosen, division=division, note=request.POST.get("note", "")[:2000],
            figures=selectors.figures_of(lines),
        )  # fmt: skip
        messages.success(request, gettext("The week is confirmed."))
    return HttpResponseRedirect(f"{reverse('plays:processes')}?week={chosen.monday:%Y-%m-%d}")
