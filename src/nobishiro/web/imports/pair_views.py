"""名寄せ: pairs side by side, of one file or of everything that is there."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from nobishiro.contracts.errors import NobishiroError
from nobishiro.web.core.models import Job
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.core.sent import is_whole
from nobishiro.web.imports import pairs as services
from nobishiro.web.imports import selectors
from nobishiro.web.imports.draft_views import find_draft
from nobishiro.web.imports.models import ImportDraft, MatchPair

_PAGE = 20
_Decision = MatchPair.Decision
_SHOWN: Final = {
    "open": Q(decision=_Decision.OPEN, is_certain=False),
    "certain": Q(is_certain=True),
    "later": Q(decision=_Decision.LATER),
    "decided": Q(decision__in=(_Decision.SAME, _Decision.DIFFERENT)),
}


@requires(Permission.IMPORT)
@require_GET
def pairs(request: SignedInRequest) -> HttpResponse:
    """Customers of the workspace that may stand there twice."""
    job = Job.objects.filter(kind="imports.scan").order_by("-pk").first()
    return _page(request, None, {"job": job if job is not None and not job.is_over else None, "last_scan": job})


@requires(Permission.IMPORT)
@require_GET
def draft_pairs(request: SignedInRequest, pk: int) -> HttpResponse:
    """Customers of one file that may be there already, or twice in it."""
    draft = find_draft(pk)
    if draft.state != ImportDraft.State.CHECKED or draft.is_busy:
        return redirect("imports:draft", pk)
    return _page(request, draft, {"steps": selectors.step_links(draft, "pairs")})


def _page(request: SignedInRequest, draft: ImportDraft | None, more: dict[str, object]) -> HttpResponse:
    of_these = MatchPair.objects.filter(draft=draft)
    show = request.GET.get("show", "open")
    show = show if show in _SHOWN else "open"
    page = Paginator(of_these.filter(_SHOWN[show]), _PAGE).get_page(request.GET.get("page"))
    context = {
        "draft": draft,
        "show": show,
        "page": page,
        "pairs": selectors.shown_pairs(list(page.object_list), draft),
        "counts": _counts(of_these),
        **more,
    }
    return render(request, "imports/pairs.html", context)


def _counts(of_these: QuerySet[MatchPair]) -> dict[str, int]:
    counted = dict.fromkeys(_SHOWN, 0)
    for decision, is_certain in of_these.values_list("decision", "is_certain"):
        if is_certain:
            counted["certain"] += 1
        elif decision == _Decision.OPEN:
            counted["open"] += 1
        if decision == _Decision.LATER:
            counted["later"] += 1
        elif decision != _Decision.OPEN:
            counted["decided"] += 1
    return counted


@requires(Permission.IMPORT)
@require_POST
def scan(request: SignedInRequest) -> HttpResponse:
    """Look through all customers."""
    services.ask_scan(by=request.user)
    return redirect("imports:pairs")


@requires(Permission.IMPORT)
@require_POST
def decide(request: SignedInRequest) -> HttpResponse:
    """Decide on pairs of the workspace."""
    return _decide(request, None)


@requires(Permission.IMPORT)
@require_POST
def draft_decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """Decide on pairs of a file; written when it is imported."""
    draft = find_draft(pk)
    if draft.state != ImportDraft.State.CHECKED or draft.is_busy:
        return redirect("imports:draft", pk)
    return _decide(request, draft)


def _decide(request: SignedInRequest, draft: ImportDraft | None) -> HttpResponse:
    """`same-5`, `different-5` … name one pair; `all` one decision for every pair the page showed (`pair`)."""
    wanted: dict[int, str] = {}
    words = {"same": _Decision.SAME, "different": _Decision.DIFFERENT, "later": _Decision.LATER, "open": _Decision.OPEN}
    verb, _dash, number = request.POST.get("decide", "").partition("-")
    if verb in words and is_whole(number):
        wanted[int(number)] = words[verb]
    elif request.POST.get("all") in words:
        chosen = words[request.POST["all"]]
        wanted = {int(number): chosen for number in request.POST.getlist("pair") if is_whole(number)}
    done = 0
    for decision in set(wanted.values()):
        chosen_pairs = list(
            MatchPair.objects.filter(draft=draft, pk__in=[pk for pk, d in wanted.items() if d == decision])
        )
        try:
            done += services.decide(by=request.user, pairs=chosen_pairs, decision=decision, at=timezone.now())
        except NobishiroError as error:
            messages.error(request, selectors.say(str(error)))
    if done:
        messages.success(request, ngettext("%(n)d pair was kept.", "%(n)d pairs were kept.", done) % {"n": done})
    else:
        messages.info(request, gettext("Nothing was changed."))
    target = redirect("imports:pairs") if draft is None else redirect("imports:draft_pairs", draft.pk)
    show = request.POST.get("show", "")
    if show in _SHOWN and show != "open":
        target["Location"] += f"?show={show}"
    return target
