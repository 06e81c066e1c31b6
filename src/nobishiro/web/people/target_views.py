"""目標: a grid of one measure and one fiscal year."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import polars as pl
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nobishiro.contracts.errors import NobishiroError
from nobishiro.pipelines.edit_masters import read_master
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.people.engine_words import in_words
from nobishiro.web.people.masters import save_targets
from nobishiro.web.people.models import CompanySettings, Division, Rep
from nobishiro.web.people.targets import (
    MEASURES,
    FiscalYear,
    GridLine,
    Scope,
    TargetRow,
    changed_targets,
    fiscal_year_of,
    grid,
    other_periods,
)

MEASURE_LABELS = [
    ("sales", _("Sales")),
    ("gross_profit", _("Gross profit")),
    ("new_family_sales", _("Sales in newly opened families")),
]

_LINES = 50
"""Lines a page: each has fourteen fields, and a form has a limit."""


@requires(Permission.ADMINISTER)
@require_GET
def targets(request: SignedInRequest) -> HttpResponse:
    """The grid."""
    return _page(request, *_chosen(request.GET.get("year", ""), request.GET.get("measure", "")))


@requires(Permission.ADMINISTER)
@require_POST
def targets_save(request: SignedInRequest) -> HttpResponse:
    """Keep what changed."""
    year, measure = _chosen(request.POST.get("year", ""), request.POST.get("measure", ""))
    # only the lines that were on the form: what is not there is not taken out
    lines = _lines_of(grid(_rows(), _scopes(), year, measure), request.POST.get("page")).object_list
    try:
        written, gone = changed_targets(lines, request.POST.dict(), year, measure)
        if written or gone:
            save_targets(by=request.user, rows=written, gone=gone, note=f"targets {year.number} {measure}")
    except NobishiroError as error:
        messages.error(request, in_words(error))
        return _page(request, year, measure, answers=request.POST.dict(), status=422)
    messages.success(
        request,
        gettext("Saved. The gap to the target follows with the next figures.")
        if written or gone
        else gettext("Nothing was changed."),
    )
    back = {"year": str(year.number), "measure": measure, "page": request.POST.get("page", "1")[:9]}
    return redirect(f"{reverse('people:targets')}?{urlencode(back)}")


def _lines_of(lines: Sequence[GridLine], page: str | None) -> Page[GridLine]:
    return Paginator(lines, _LINES).get_page(page)


def _page(
    request: SignedInRequest, year: FiscalYear, measure: str, answers: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    rows, scopes = _rows(), _scopes()
    names = {scope.key: scope.name for scope in scopes}
    lines = grid(rows, scopes, year, measure)
    page = _lines_of(lines, request.POST.get("page") or request.GET.get("page"))
    shown = [
        {
            "line": line,
            "cells": [
                (f"{line.scope.key}:{at}", month, _typed(answers, f"{line.scope.key}:{at}", amount))
                for at, (month, amount) in enumerate(zip(year.months, line.months, strict=True))
            ],
            "year": _typed(answers, f"{line.scope.key}:year", line.year if line.is_yearly else None),
        }
        for line in page.object_list
    ]
    company = next((line.year for line in lines if line.scope.scope == "company"), None)
    of_reps = sum((line.year for line in lines if line.scope.scope == "rep" and line.year is not None), Decimal(0))
    of_divisions = sum(
        (line.year for line in lines if line.scope.scope == "division" and line.year is not None), Decimal(0)
    )
    other = [
        (names.get(f"{row.scope}:{row.scope_id}", row.scope_id), row) for row in other_periods(rows, year, measure)
    ]
    said = {
        "lines": shown, "year": year, "measure": measure, "measures": MEASURE_LABELS, "company_year": company,
        "rep_year": of_reps, "division_year": of_divisions, "other": other, "before": year.number - 1, "after": year.number + 1,
        "page": page,
    }  # fmt: skip
    return render(request, "people/targets.html", said, status=status)


def _typed(answers: dict[str, str] | None, name: str, amount: Decimal | None) -> str:
    if answers is not None and name in answers:
        return answers[name]
    return "" if amount is None else f"{amount:,.0f}"


def _chosen(year: str, measure: str) -> tuple[FiscalYear, str]:
    first_month = CompanySettings.current().fiscal_year_starts
    now = fiscal_year_of(timezone.localdate(), first_month)
    if year.isascii() and year.isdigit() and 2000 <= int(year[:5]) <= 2100:
        now = fiscal_year_of(now.start.replace(year=int(year)), first_month)
    return now, measure if measure in MEASURES else "sales"


def _rows() -> list[TargetRow]:
    frame = read_master(workspace_path(), "targets").filter(pl.col("amount").is_not_null())
    columns = ("scope", "scope_id", "period_start", "period_end", "measure", "amount")
    return [TargetRow(*row) for row in frame.select(columns).iter_rows()]


def _scopes() -> list[Scope]:
    today = timezone.localdate()
    divisions = [Scope("division", code, name) for code, name in Division.objects.values_list("code", "name")]
    reps = [
        Scope("rep", code, name)
        for code, name, valid_to in Rep.objects.values_list("code", "name", "valid_to")
        if valid_to is None or valid_to >= today
    ]
    return [Scope("company", "all", gettext("The whole company")), *divisions, *reps]
