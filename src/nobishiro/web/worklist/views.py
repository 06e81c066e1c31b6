"""Today's proposals: the list, the taps, and what lets both work without a line."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Permission, SignedInRequest, open_to_all, requires
from nobishiro.web.people.models import Rep
from nobishiro.web.worklist.cards import day_list
from nobishiro.web.worklist.morning import wants_mail
from nobishiro.web.worklist.sentences import day_sentence, team_sentence
from nobishiro.web.worklist.services import set_morning_mail
from nobishiro.web.worklist.taps import REASONS, RESULTS, TOUCH_KINDS, TapForm, take_tap, take_undo
from nobishiro.web.worklist.team import team_today

TEAM = "-"
"""`?rep=-` asks for customers nobody looks after."""


def asked_rep(request: SignedInRequest) -> tuple[Rep | None, bool]:
    """(Whose list is asked for, whether it is the person's own). 404 for another's without the permission."""
    code = request.GET.get("rep", "")
    own = request.user.rep
    if not code or (own is not None and code == own.code):
        return own, True
    if not request.user.may(Permission.SEE_TEAM):
        raise Http404
    if code == TEAM:
        return None, False
    rep = Rep.objects.filter(code=code).first()
    if rep is None:
        raise Http404
    return rep, False


@requires(Permission.WORK)
@require_GET
def today(request: SignedInRequest) -> HttpResponse:
    """A rep's list of today; for who leads the team and has no list, everybody's at a glance."""
    at = timezone.now()
    if request.user.rep is None and "rep" not in request.GET and request.user.may(Permission.SEE_TEAM):
        team = team_today(at=at)
        return render(request, "worklist/team.html", {"team": team, "sentence": team_sentence(team)})
    rep, is_own = asked_rep(request)
    day = day_list(rep, viewer=request.user, at=at)
    response = render(
        request,
        "worklist/today.html",
        {
            "day": day,
            "is_own": is_own,
            "rep_code": rep.code if rep else TEAM,
            "sentence": day_sentence(day),
            "words": _tap_words(),
            "reasons": REASONS,
            "touch_kinds": TOUCH_KINDS,
            "made": at,
            "made_epoch": f"{at.timestamp():.3f}",
            "has_run": published() is not None,
            "wants_mail": wants_mail(request.user),
        },
    )
    if is_own:
        response.headers["X-Nobishiro-User"] = str(request.user.pk)
    return response


@requires(Permission.WORK)
@require_POST
def outcomes(request: SignedInRequest) -> HttpResponse:
    """Take one tap or one undo, by JSON from the queue or by a plain form; the same one again changes nothing.

    200 with `refused` is an answer the queue need not repeat; 409 is for another person's tap; anything else is tried again.
    """
    if request.content_type == "application/json":
        return _from_queue(request)
    form = TapForm(request.POST)
    try:
        if not form.is_valid():
            raise BadInput(gettext("This could not be entered. Open the page again and tap once more."))
        take_tap(by=request.user, tap=form.tap(), at=timezone.now())
        messages.success(request, pgettext("worklist", "Entered."))
    except BadInput as refused:
        messages.error(request, str(refused))
    return redirect("worklist:today", permanent=False)


def _from_queue(request: SignedInRequest) -> HttpResponse:
    try:
        said = json.loads(request.body)
    except ValueError:
        return JsonResponse({"why": "not JSON"}, status=400)
    if not isinstance(said, dict):
        return JsonResponse({"why": "not an object"}, status=400)
    if said.get("user") != request.user.pk:
        return JsonResponse({"why": "another person's"}, status=409)
    at = timezone.now()
    code = str(said.get("code", ""))
    answer: dict[str, object] = {"code": code, "at": at.timestamp()}
    try:
        if said.get("kind") == "undo":
            answer["is_new"] = take_undo(by=request.user, code=code)
        else:
            form = TapForm({name: value for name, value in said.items() if value is not None})
            if not form.is_valid():
                raise BadInput(gettext("This could not be entered. Open the page again and tap once more."))
            answer["is_new"] = take_tap(by=request.user, tap=form.tap(), at=at)
    except BadInput as refused:
        answer |= {"refused": True, "why": str(refused)}
    return JsonResponse(answer)


@requires(Permission.WORK)
@require_GET
def token(request: SignedInRequest) -> HttpResponse:
    """A fresh form token for a page that has been open since before the last sign-in."""
    return JsonResponse({"user": request.user.pk, "token": get_token(request)})


@open_to_all
@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. Holds no data; served here because a worker reaches only what lies below its own address."""
    return HttpResponse(
        _worker_source(), content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )


@requires(Permission.WORK)
@require_http_methods(["GET", "POST"])
def mail(request: SignedInRequest) -> HttpResponse:
    """Ask for the morning mail, or no longer."""
    if request.method == "POST":
        is_wanted = request.POST.get("wanted") == "1"
        set_morning_mail(by=request.user, is_wanted=is_wanted)
        messages.success(
            request,
            gettext("Your list comes by mail at eight on business days.")
            if is_wanted
            else gettext("You get no morning mail any more."),
        )
        return redirect("worklist:today")
    return render(request, "worklist/mail.html", {"wants_mail": wants_mail(request.user)})


@lru_cache(maxsize=1)
def _worker_source() -> str:
    return (Path(__file__).parent / "static" / "worklist" / "offline.js").read_text("utf-8")


def _tap_words() -> dict[str, object]:
    """What the page's script says."""
    return {
        "results": {code: str(name) for code, name in RESULTS},
        "minutes": {"visit": 60, "call": 15, "mail": 10, "meeting": 45, "event": 60, "other": 30},
        "waiting": gettext("%n% not sent yet. They are sent when there is a line."),
        "signin": gettext("Your session is over: sign in again and they are sent."),
        "other": gettext("Somebody else is signed in on this device. Yours are kept until you sign in again."),
        "server": gettext("The site does not answer just now; they are tried again."),
        "others": gettext("%n% of another person wait on this device; they are sent when that person signs in."),
        "refused": gettext("Not taken: %what%. %why%"),
        "noYen": gettext("Enter the amount as a number, like 1,200,000."),
        "forget": pgettext("worklist", "Remove"),
        "undo": pgettext("worklist", "undone"),
        "noStore": gettext("This browser could not keep the tap. Nothing was entered; try again."),
    }
