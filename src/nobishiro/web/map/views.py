"""The map's pages and what is done on them."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

import polars as pl
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from nobishiro.contracts.errors import BadInput, FileNotUsable
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import published
from nobishiro.web.core.lists import ListPage, list_page
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.customers.cells import cells_now
from nobishiro.web.customers.models import Action, Customer, Family, Override, Owner
from nobishiro.web.customers.overrides import set_override
from nobishiro.web.map.drawing import drawing_words
from nobishiro.web.map.forms import ActionForm, KeepForm, LinesForm, OverrideForm, ToleranceForm, first_error
from nobishiro.web.map.hours import contacts_of, month_hours, month_shown, named_customers
from nobishiro.web.map.lines import draw_lines, lines_now
from nobishiro.web.map.models import MapThreshold
from nobishiro.web.map.points import MOST_POINTS, answer, points
from nobishiro.web.map.selection import keep_chosen, make_actions
from nobishiro.web.map.spec import SPEC, figures_of
from nobishiro.web.people.calendar import add_business_days
from nobishiro.web.people.models import CompanySettings, Rep

DUE_IN = 5
"""Business days a task made here has, until somebody says another day."""
PAGE = 100


def _counts(rows: list[tuple[str, int]]) -> list[dict[str, object]]:
    return [{"letter": letter or "?", "value": letter or "U", "n": n} for letter, n in rows]


def _map_context(request: SignedInRequest, shown: ListPage[Customer]) -> dict[str, object]:
    counts, is_known = figures_of(shown.queryset())
    history = list(MapThreshold.objects.all()[:10])
    total = sum(n for _, n in counts)
    rep = request.GET.get("rep", "")
    code = (request.user.rep.code if request.user.rep else "") if rep == "me" else rep
    lines = lines_now(history)
    return {
        "counts": _counts(counts),
        "count": {letter or "U": n for letter, n in counts},
        "total": total,
        "is_empty": total == 0 and not shown.is_filtered,
        "is_tags_only": total > 0 and not is_known and not _has_potential(),
        "hours": month_hours(code),
        "rep_shown": code,
        "lines": lines,
        "lines_history": history,
        "words": drawing_words(request.user),
        "most_points": MOST_POINTS,
        "tolerance": CompanySettings.current().c_tolerance,
        "due": add_business_days(timezone.localdate(), DUE_IN),
        "query": shown.query,
        "may_draw": request.user.may(Permission.CONFIRM),
        "may_act": request.user.may(Permission.WORK),
        "may_record": request.user.may(Permission.RECORD),
    }


def _has_potential() -> bool:
    return Customer.objects.filter(is_listed=True, potential__isnull=False).exists()


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def customer_map(request: SignedInRequest) -> HttpResponseBase:
    """顧客マップ."""

    def context(shown: ListPage[Customer]) -> dict[str, object]:
        made = _map_context(request, shown)
        count = cast("dict[str, int]", made["count"])
        if made["is_tags_only"]:
            rows = shown.queryset().order_by("kana", "name", "pk")
            made["board"] = [
                (letter, count[letter], rows.filter(quadrant=letter)[:40]) for letter in ("B", "A", "D", "C")
            ]
        return made

    return list_page(request, SPEC, "map/map.html", context)


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def paper(request: SignedInRequest) -> HttpResponse:
    """会議用A3: the map as a sheet for the wall."""
    shown = ListPage(SPEC, request.GET, request.user, reverse("map:map"))
    best = {
        letter: list(shown.queryset().filter(quadrant=letter, potential__isnull=False).order_by("-potential", "pk")[:9])
        for letter in ("A", "B")
    }
    context = {**_map_context(request, shown), "list": shown, "best": best, "today": timezone.localdate()}
    return render(request, "map/paper.html", context)


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def point_data(request: SignedInRequest) -> HttpResponse:
    """The points under the address's conditions, as JSON."""
    shown = ListPage(SPEC, request.GET, request.user, reverse("map:map"))
    return answer(request, points(shown.queryset(), lines_now(), shown.total))


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def line_counts(request: SignedInRequest) -> HttpResponse:
    """Customers by quadrant under trial lines, counted over all of them: for maps with more customers than points."""
    form = LinesForm({**request.GET.dict(), "reason": "-"})
    if not form.is_valid() or form.cleaned_data["potential"] is None or form.cleaned_data["track_record"] is None:
        return JsonResponse({"problem": gettext("A line is a number of yen from 0 up.")}, status=HTTPStatus.BAD_REQUEST)
    shown = ListPage(SPEC, request.GET, request.user, reverse("map:map"))
    return JsonResponse(
        {"counts": trial_counts(shown, form.cleaned_data["potential"], form.cleaned_data["track_record"])}
    )


def trial_counts(shown: ListPage[Customer], potential: float, track_record: float) -> list[int]:
    """A, B, C, D, unknown; people's overrides and tags stay where they are."""
    from django.db.models import Count, Q

    is_free = Q(decided_by="computed")
    room, strong = Q(potential__gte=potential), Q(track_record__gte=track_record)
    moved = {"A": room & strong, "B": room & ~strong, "C": ~room & strong, "D": ~room & ~strong}
    counted = (
        shown.queryset()
        .order_by()
        .aggregate(
            **{
                letter: Count("pk", filter=(is_free & where) | (~is_free & Q(quadrant=letter)))
                for letter, where in moved.items()
            },
            unknown=Count("pk", filter=~is_free & Q(quadrant="")),
        )
    )
    return [counted[name] for name in ("A", "B", "C", "D", "unknown")]


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def panel(request: SignedInRequest, pk: int) -> HttpResponse:
    """One customer beside the map: where they stand, why, what was never proposed, and the way to the karte."""
    return _panel(request, pk)


def _panel(request: SignedInRequest, pk: int, problem: str = "") -> HttpResponse:
    owners = Owner.objects.select_related("rep", "division").order_by("division__code", "role")
    customer = get_object_or_404(
        Customer.objects.select_related("main_rep", "main_division").prefetch_related(Prefetch("owners", owners)),
        pk=pk, is_listed=True,
    )  # fmt: skip
    run = published()
    missed: list[dict[str, object]] = []
    why = {"ja": "", "en": ""}
    if run is not None:
        open_cells = cells_now(run, [customer.code]).filter(pl.col("state") == "not_proposed").collect()
        names = dict(Family.objects.values_list("code", "name"))
        missed = [
            {**row, "name": names.get(row["family"], row["family"])}
            for row in open_cells.sort("expected", descending=True, nulls_last=True).head(3).iter_rows(named=True)
        ]
        said = run.rows("customer_potential", [customer.code], ["why_ja", "why_en"])
        if said.height:
            why = {"ja": said["why_ja"][0] or "", "en": said["why_en"][0] or ""}
    most = max((float(str(row["high"] or 0.0)) for row in missed), default=0.0)
    context = {
        "customer": customer,
        "missed": missed,
        "most": most,
        "why": why,
        "overrides": list(
            Override.objects.filter(customer=customer, measure="quadrant").order_by("-set_at", "-pk")[:10]
        ),
        "actions": list(
            Action.objects.filter(customer=customer, state=Action.State.OPEN).select_related("rep").order_by("due")[:3]
        ),
        "may_record": request.user.may(Permission.RECORD),
        "problem": problem,
    }
    return render(request, "map/panel.html", context)


@requires(Permission.RECORD)
@require_POST
def override(request: SignedInRequest, pk: int) -> HttpResponse:
    """A person's quadrant over the computed one."""
    customer = get_object_or_404(Customer, pk=pk, is_listed=True)
    form = OverrideForm(request.POST)
    if not form.is_valid():
        return _panel(request, pk, gettext("Choose A, B, C or D and write why."))
    try:
        set_override(
            by=request.user,
            customer=customer,
            measure="quadrant",
            value=form.cleaned_data["value"],
            reason=form.cleaned_data["reason"],
        )
    except BadInput as refused:
        return _panel(request, pk, str(refused))
    response = _panel(request, pk)
    response.headers["HX-Trigger"] = "map-changed"
    return response


@requires(Permission.CONFIRM)
@require_POST
def lines(request: SignedInRequest) -> HttpResponse:
    """Draw the lines for the whole company."""
    form = LinesForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Write why the lines are here: everybody who reads the map will ask."))
        return _back(request)
    data = form.cleaned_data
    try:
        drawn = draw_lines(
            by=request.user, potential=data["potential"], track_record=data["track_record"], reason=data["reason"]
        )
    except (BadInput, FileNotUsable) as refused:
        messages.error(request, str(refused))
        return _back(request)
    if drawn.potential is None:
        messages.success(request, gettext("The curve decides again, from the next run on."))
    else:
        said = ngettext(
            "The lines hold for everybody now. %(n)s customer changed places.",
            "The lines hold for everybody now. %(n)s customers changed places.",
            drawn.moved,
        )
        messages.success(request, said % {"n": f"{drawn.moved:,}"})
    return _back(request)


@requires(Permission.CONFIRM)
@require_POST
def tolerance(request: SignedInRequest) -> HttpResponse:
    """How far hours in C may go over the plan before the map says so."""
    form = ToleranceForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Enter whole points from 0 to 100."))
        return _back(request)
    before, after = CompanySettings.current().c_tolerance, form.cleaned_data["c_tolerance"]
    CompanySettings.objects.update_or_create(pk=1, defaults={"c_tolerance": after})
    record(request.user, "map.tolerance", "map", {"before": before, "after": after}, request=request)
    messages.success(request, gettext("Kept."))
    return _back(request)


@requires(Permission.WORK)
@require_POST
def act(request: SignedInRequest) -> HttpResponse:
    """やることにする."""
    form = ActionForm(request.POST)
    if not form.is_valid():
        return _said(request, first_error(form), is_problem=True)
    data = form.cleaned_data
    try:
        made = make_actions(
            by=request.user, customers=data["ids"], key=data["key"], kind=data["kind"], due=data["due"],
            is_mine=data["whose"] == "me", title=data["title"],
        )  # fmt: skip
    except BadInput as refused:
        return _said(request, str(refused), is_problem=True)
    said = ngettext("%(n)d thing to do is on the list.", "%(n)d things to do are on the lists.", len(made)) % {
        "n": len(made)
    }
    return _said(request, said)


@requires(Permission.SEE_CUSTOMERS)
@require_POST
def keep(request: SignedInRequest) -> HttpResponse:
    """Keep the chosen customers as a list."""
    form = KeepForm(request.POST)
    if not form.is_valid():
        return _said(request, first_error(form), is_problem=True)
    try:
        kept = keep_chosen(by=request.user, customers=form.cleaned_data["ids"], name=form.cleaned_data["name"])
    except BadInput as refused:
        return _said(request, str(refused), is_problem=True)
    url = f"{reverse('map:map')}?{kept.query}&list={kept.pk}"
    return _said(request, gettext("Kept as “%(name)s”.") % {"name": kept.name}, link=(url, gettext("Show it")))


@requires(Permission.SEE_TEAM)
@require_GET
def hour_rows(request: SignedInRequest) -> HttpResponse:
    """The contacts behind the hours: of a rep, of a quadrant, of the month."""
    run = published()
    month = month_shown(run)
    contacts = contacts_of(run, month)
    rep = request.GET.get("rep", "")
    letter = request.GET.get("quadrant", "")
    if rep:
        contacts = contacts.filter(pl.col("rep_id") == rep)
    customers = {row.code: row for row in named_customers(contacts["customer_id"].unique().to_list())}
    if letter:
        wanted = "" if letter == "U" else letter
        codes = [
            code
            for code in contacts["customer_id"].unique().to_list()
            if (customers[code].quadrant if code in customers else "") == wanted
        ]
        contacts = contacts.filter(pl.col("customer_id").is_in(codes))
    names = dict(Rep.objects.values_list("code", "name"))
    total = contacts.height
    said = request.GET.get("page", "1")
    last = max(1, -(-total // PAGE))
    page = max(1, min(int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 1, last))
    rows = [
        {**row, "customer": customers.get(row["customer_id"]), "rep": names.get(row["rep_id"] or "", "")}
        for row in contacts.sort("happened_at", descending=True).slice((page - 1) * PAGE, PAGE).iter_rows(named=True)
    ]
    context = {
        "month": month, "rows": rows, "total": total, "hours": float(contacts["minutes"].sum() or 0.0) / 60,
        "rep": rep, "rep_name": names.get(rep, ""), "reps": sorted(names.items(), key=lambda pair: pair[1]), "letter": letter,
        "letters": ["A", "B", "C", "D", "U"], "page": page, "last": last,
    }  # fmt: skip
    return render(request, "map/hour_rows.html", context)


def _said(
    request: HttpRequest, text: str, *, is_problem: bool = False, link: tuple[str, str] | None = None
) -> HttpResponse:
    return render(
        request, "map/said.html", {"text": text, "is_problem": is_problem, "link": link, "language": get_language()}
    )


def _back(request: HttpRequest) -> HttpResponse:
    query = request.POST.get("query", "")
    response = HttpResponseRedirect(f"{reverse('map:map')}?{query}" if query else reverse("map:map"))
    response.status_code = HTTPStatus.SEE_OTHER
    return response
