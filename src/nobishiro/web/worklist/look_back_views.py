"""振り返り: a week or a month of one's own; who leads the team sees anybody's."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.people.models import Rep
from nobishiro.web.worklist.look_back import look_back as looked_back
from nobishiro.web.worklist.look_back import span
from nobishiro.web.worklist.sentences import look_back_sentence
from nobishiro.web.worklist.views import asked_rep

EVERYBODY = "all"


@requires(Permission.WORK)
@require_GET
def look_back(request: SignedInRequest) -> HttpResponse:
    """`?period=week|month`, `?on=` a day of it, `?rep=` for who leads the team (`all` is everybody)."""
    period = "month" if request.GET.get("period") == "month" else "week"
    today = timezone.localdate()
    try:
        on = parse_date(request.GET.get("on", "")) or today
    except ValueError:
        on = today
    leads = request.user.may(Permission.SEE_TEAM)
    everybody = request.GET.get("rep") == EVERYBODY or (leads and request.user.rep is None and "rep" not in request.GET)
    if everybody and not leads:
        raise Http404
    rep = None if everybody else asked_rep(request)[0]
    first, until = span(period, min(on, today))
    said = looked_back(first, until, rep=rep, user=request.user, everybody=everybody)
    return render(
        request,
        "worklist/look_back.html",
        {
            "said": said,
            "sentence": look_back_sentence(said),
            "period": period,
            "last": until - timedelta(days=1),
            "before": first - timedelta(days=1),
            "after": until if until <= today else None,
            "rep": rep,
            "everybody": everybody,
            "reps": list(Rep.objects.order_by("code")) if leads else [],
            "most": max((count for _code, _name, count in said.counts), default=0),
        },
    )
