"""提案もれ: what was never proposed where there is room, and what is done about it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from uuid import uuid4

from django import forms
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from nobishiro.contracts.errors import BadInput
from nobishiro.pipelines.list_files import ListColumn, write_list_excel
from nobishiro.web.core.audit import record, record_denial
from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.cells import COMPETITOR, NOT_APPLICABLE
from nobishiro.web.customers.facts import add_fact
from nobishiro.web.customers.models import Action, Customer, Family
from nobishiro.web.customers.words import BASES, word
from nobishiro.web.offers.gap_table import (
    SIGNS,
    Cell,
    cell_element,
    chosen_state,
    drawn_filters,
    gap_frame,
    gap_grid,
    gap_list,
    one_cell,
)
from nobishiro.web.people.calendar import add_business_days

FIRST = 10
"""Rows of B's first list above the grid."""
DUE_IN = 5


class ActForm(forms.Form):
    """A cell as やること."""

    key = forms.RegexField(r"^[0-9a-f-]{8,64}$")
    due = forms.DateField()
    title = forms.CharField(max_length=200, required=False)


class LearnedForm(forms.Form):
    """What was learned of a family: no use for it, or bought elsewhere."""

    fact = forms.ChoiceField(choices=[(NOT_APPLICABLE, NOT_APPLICABLE), (COMPETITOR, COMPETITOR)])
    value = forms.CharField(max_length=200, required=False)


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def gaps(request: SignedInRequest) -> HttpResponseBase:
    """B's first list on top, and every customer × family below; or all of the list, page by page."""
    run = published()
    if run is None or not run.run.table("gaps"):
        return render(request, "offers/gaps_none.html")
    if request.GET.get("out"):
        return _file(request)
    is_list = request.GET.get("view") == "list" or bool(chosen_state(request.GET) and request.GET.get("view") != "grid")
    address = request.GET.copy()
    for name in ("page", "view", "out", "families"):
        address.pop(name, None)
    context: dict[str, object] = {
        "filters": drawn_filters(request.GET, request.user),
        "is_list": is_list,
        "query": address.urlencode(),
        "state": chosen_state(request.GET),
        "signs": [(sign, code) for code, sign in SIGNS.items()],
        "may_export": request.user.may(Permission.EXPORT),
    }
    # the grid's page is not the first list's
    query = request.GET.copy()
    if not is_list:
        query.pop("page", None)
    context["list"] = gap_list(run, query, request.user, 50 if is_list else FIRST)
    if not is_list:
        context["grid"] = gap_grid(run, request.GET, request.user)
    context["is_filtered"] = any(drawn.is_set for drawn in context["filters"])  # type: ignore[attr-defined]
    return render(request, "offers/gaps.html", context)


def _file(request: SignedInRequest) -> HttpResponseBase:
    """The list under the conditions as Excel."""
    if not request.user.may(Permission.EXPORT):
        record_denial(request, str(Permission.EXPORT))
        raise Http404
    run = published()
    if run is None or request.GET["out"] != "xlsx":
        raise Http404
    frame = gap_frame(run, request.GET, request.user)
    customers = {
        row[0]: row[1:] for row in Customer.objects.values_list("code", "name", "quadrant", "main_rep__name").iterator()
    }
    names = dict(Family.objects.values_list("code", "name"))
    columns = [
        ListColumn(gettext("Customer code")), ListColumn(gettext("Customer")), ListColumn(gettext("Quadrant")),
        ListColumn(gettext("Rep")), ListColumn(gettext("Family")), ListColumn(gettext("Expected a year (yen)"), "number"),
        ListColumn(gettext("Low"), "number"), ListColumn(gettext("High"), "number"), ListColumn(gettext("Basis")),
        ListColumn(gettext("Comparable customers"), "number"), ListColumn(gettext("of whom buy"), "number"),
    ]  # fmt: skip
    rows = (
        [
            row["customer_id"], *customers[row["customer_id"]], names.get(row["family"], row["family"]), row["expected"], row["low"],
            row["high"], word(BASES, row["basis"]), row["comparable_customers"], row["comparable_buyers"],
        ]
        for row in frame.iter_rows(named=True)
    )  # fmt: skip
    title = gettext("Not yet proposed")
    with tempfile.TemporaryDirectory(prefix="nobishiro-gaps-") as place:
        path = Path(place) / "gaps.xlsx"
        count = write_list_excel(columns, rows, path, title)
        file = path.open("rb")
    detail = {"count": count, "format": "xlsx", "query": request.GET.urlencode()[:1000]}
    record(request.user, "list.export", "list:gaps", detail, request=request)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{title}_{timezone.localdate():%Y%m%d}.xlsx",
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def cell(request: SignedInRequest, pk: int, family: str) -> HttpResponse:
    """One cell: on what its figure rests, and what can be done."""
    customer, found = _found(pk, family)
    return _cell_panel(request, customer, found)


@requires(Permission.WORK)
@require_POST
def act(request: SignedInRequest, pk: int, family: str) -> HttpResponse:
    """Make the cell a thing to do."""
    customer, found = _found(pk, family)
    form = ActForm(request.POST)
    if not form.is_valid():
        return _cell_panel(request, customer, found, problem=gettext("Choose the day by which it is to be done."))
    rep = customer.main_rep or request.user.rep
    if rep is None:
        return _cell_panel(
            request, customer, found, problem=gettext("Nobody looks after this customer. Name a rep first.")
        )
    why = {language: _why(found, language) for language in ("ja", "en")}
    action = add_action(
        by=request.user, customer=customer, source="gaps", source_key=f"gaps:{pk}:{form.cleaned_data['key']}", rep=rep,
        due=form.cleaned_data["due"], family=family, offer_kind="cross_sell", title=form.cleaned_data["title"],
        why_ja=why["ja"], why_en=why["en"], expected=found.expected, expected_low=found.low, expected_high=found.high,
    )  # fmt: skip
    said = gettext("On the list of %(rep)s.") % {"rep": action.rep.name if action.rep else rep.name}
    return _cell_panel(request, customer, found, said=said)


@requires(Permission.RECORD)
@require_POST
def learned(request: SignedInRequest, pk: int, family: str) -> HttpResponse:
    """Keep that the customer has no use for the family, or buys it elsewhere."""
    customer, found = _found(pk, family)
    form = LearnedForm(request.POST)
    if not form.is_valid():
        return _cell_panel(request, customer, found, problem=gettext("Choose what you learned."))
    fact, value = form.cleaned_data["fact"], form.cleaned_data["value"]
    if fact == COMPETITOR and not value.strip():
        return _cell_panel(
            request, customer, found, problem=gettext("Write from whom they buy it; “not known” will do.")
        )
    try:
        add_fact(by=request.user, customer=customer, fact=fact, subject=family, value=value)
    except BadInput as refused:
        return _cell_panel(request, customer, found, problem=str(refused))
    customer, found = _found(pk, family)
    return _cell_panel(request, customer, found, said=gettext("Kept as a fact of this customer."), is_changed=True)


def _found(pk: int, family: str) -> tuple[Customer, Cell]:
    customer = get_object_or_404(Customer.objects.select_related("main_rep"), pk=pk, is_listed=True)
    run = published()
    found = None if run is None else one_cell(run, customer, family)
    if found is None:
        raise Http404
    return customer, found


def _cell_panel(
    request: SignedInRequest,
    customer: Customer,
    found: Cell,
    *,
    said: str = "",
    problem: str = "",
    is_changed: bool = False,
) -> HttpResponse:
    open_action = (
        Action.objects.filter(customer=customer, family=found.family, state=Action.State.OPEN)
        .select_related("rep")
        .order_by("-created_at")
        .first()
    )
    context = {
        "cell": found,
        "customer": customer,
        "element": cell_element(customer.pk, found.family),
        "why": _why(found, "ja" if (translation.get_language() or "ja").startswith("ja") else "en"),
        "basis": word(BASES, found.basis),
        "action": open_action,
        "key": str(uuid4()),
        "due": add_business_days(timezone.localdate(), DUE_IN),
        "said": said,
        "problem": problem,
        "may_act": request.user.may(Permission.WORK),
        "may_record": request.user.may(Permission.RECORD),
        "may_refer": request.user.may(Permission.REFER),
    }
    response = render(request, "offers/cell.html", context)
    if is_changed:
        changed = {"element": context["element"], "text": f"{found.sign} {found.state_word}"}
        response.headers["HX-Trigger"] = json.dumps({"cell-changed": changed})
    return response


def _why(found: Cell, language: str) -> str:
    """On what the expected yen rest, in the language wanted."""
    with translation.override(language):
        if found.comparable_customers:
            return gettext("%(n)d of %(m)d comparable customers buy %(family)s.") % {
                "n": found.comparable_buyers or 0, "m": found.comparable_customers, "family": found.family_name,
            }  # fmt: skip
        if found.basis == "told":
            return gettext("The customer told us what they spend on %(family)s.") % {"family": found.family_name}
        return gettext("We do not know yet what %(family)s could be worth here: ask.") % {"family": found.family_name}
