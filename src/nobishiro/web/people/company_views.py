"""会社の設定 and the calendar of its days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.web.core.audit import record
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.people.calendar import current_calendar, forget_calendar, national_holidays
from nobishiro.web.people.company_forms import CompanyForm, DayForm, PasteForm
from nobishiro.web.people.models import CalendarDay, CompanySettings, User


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day of the year's sheet; `kind` is open, weekend, holiday, closed (by the company) or opened."""

    day: date | None
    kind: str
    name: str


@requires(Permission.ADMINISTER)
@require_http_methods(["GET", "POST"])
def company(request: SignedInRequest) -> HttpResponse:
    """What holds for the whole company."""
    settings = CompanySettings.current()
    form = CompanyForm(request.POST or None, instance=settings)
    before = {name: str(getattr(settings, name)) for name in CompanyForm.Meta.fields}
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            kept = form.save()
            after = {name: str(getattr(kept, name)) for name in CompanyForm.Meta.fields}
            changed: dict[str, object] = {
                name: [before[name], after[name]] for name in before if before[name] != after[name]
            }
            if changed:
                record(request.user, "company.change", "company", changed)
        forget_calendar()
        messages.success(request, gettext("Saved."))
        return redirect("people:company")
    return render(request, "people/company.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.ADMINISTER)
@require_GET
def calendar(request: SignedInRequest) -> HttpResponse:
    """A year at a glance."""
    said = request.GET.get("year", "")
    year = (
        int(said) if said.isascii() and said.isdigit() and 2000 <= int(said[:5]) <= 2100 else timezone.localdate().year
    )
    return _calendar(request, year, DayForm(), PasteForm())


@requires(Permission.ADMINISTER)
@require_POST
def calendar_save(request: SignedInRequest) -> HttpResponse:
    """Close or open one day."""
    form = DayForm(request.POST)
    if not form.is_valid():
        return _calendar(request, timezone.localdate().year, form, PasteForm(), status=422)
    said = form.cleaned_data
    _set_days(request.user, [(said["day"], said["name"])], is_open=said["is_open"])
    messages.success(request, gettext("Saved."))
    return redirect(f"{reverse('people:calendar')}?year={said['day'].year}")


@requires(Permission.ADMINISTER)
@require_POST
def calendar_paste(request: SignedInRequest) -> HttpResponse:
    """Close or open many days at once."""
    form = PasteForm(request.POST)
    if not form.is_valid():
        return _calendar(request, timezone.localdate().year, DayForm(), form, status=422)
    days = form.cleaned_data["lines"]
    _set_days(request.user, days, is_open=form.cleaned_data["is_open"])
    messages.success(request, gettext("%(n)d days are saved.") % {"n": len(days)})
    return redirect(f"{reverse('people:calendar')}?year={days[0][0].year}" if days else "people:calendar")


@requires(Permission.ADMINISTER)
@require_POST
def calendar_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let the rule hold for the day again."""
    day = get_object_or_404(CalendarDay, pk=pk)
    with transaction.atomic():
        record(request.user, "calendar.remove", f"day:{day.day}", {"is_open": day.is_open, "name": day.name})
        day.delete()
    forget_calendar()
    messages.success(request, gettext("The rule holds again for this day."))
    return redirect(f"{reverse('people:calendar')}?year={day.day.year}")


def _set_days(by: User, days: Iterable[tuple[date, str]], *, is_open: bool) -> None:
    with transaction.atomic():
        known = [CalendarDay(day=day, is_open=is_open, name=name) for day, name in days]
        CalendarDay.objects.bulk_create(
            known, update_conflicts=True, unique_fields=["day"], update_fields=["is_open", "name"]
        )
        said = [f"{day.day} {day.name}".strip() for day in known]
        record(by, "calendar.set", "calendar", {"is_open": is_open, "days": said})
    forget_calendar()


def _calendar(request: SignedInRequest, year: int, form: DayForm, paste: PasteForm, status: int = 200) -> HttpResponse:
    own = {day.day: day for day in CalendarDay.objects.filter(day__year=year)}
    months = [_month(year, month, own) for month in range(1, 13)]
    open_days = sum(
        cell.kind in ("open", "opened") for _month_start, weeks in months for week in weeks for cell in week
    )
    said = {
        "year": year, "months": months, "open_days": open_days, "own": sorted(own.values(), key=lambda day: day.day),
        "form": form, "paste": paste, "before": year - 1, "after": year + 1,
    }  # fmt: skip
    return render(request, "people/calendar.html", said, status=status)


def _month(year: int, month: int, own: dict[date, CalendarDay]) -> tuple[date, list[list[DayCell]]]:
    first = date(year, month, 1)
    names = national_holidays(year, get_language() or "ja")
    rule = current_calendar()
    cells = [DayCell(None, "", "")] * first.weekday()
    day = first
    while day.month == month:
        if day in own:
            cells.append(DayCell(day, "opened" if own[day].is_open else "closed", own[day].name))
        elif day in names:
            cells.append(DayCell(day, "holiday", names[day]))
        else:
            cells.append(DayCell(day, "weekend" if day.weekday() in rule.weekend else "open", ""))
        day += timedelta(days=1)
    cells += [DayCell(None, "", "")] * (-len(cells) % 7)
    return first, [cells[at : at + 7] for at in range(0, len(cells), 7)]
