"""部門と担当: divisions, reps and their hours, who looks after whom, handing customers over."""

from __future__ import annotations

import re
from datetime import date

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.contracts.errors import NobishiroError
from nobishiro.pipelines.edit_masters import assignment_page, customers_per_rep
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.people.engine_words import in_words
from nobishiro.web.people.masters import ROLES, add_assignment, end_assignment, hand_over, save_division, save_rep
from nobishiro.web.people.models import Division, Rep

_CODE = re.compile(r"[^\s|,]{1,100}")
_PAGE = 50
ROLE_LABELS = [
    ("main", pgettext_lazy("role", "main")),
    ("support", pgettext_lazy("role", "supporting")),
    ("service", pgettext_lazy("role", "service")),
    ("specialist", pgettext_lazy("role", "specialist")),
]


class _CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"), max_length=100, help_text=_("As in your sales ledger; it cannot be changed later.")
    )

    def __init__(self, known: str, data: object = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self.known = known
        if known:
            del self.fields["code"]

    def clean_code(self) -> str:
        """A code nobody has yet, without blanks."""
        code = str(self.cleaned_data["code"]).strip()
        if not _CODE.fullmatch(code):
            raise forms.ValidationError(gettext("A code has no blanks, commas or | in it."))
        if self.is_taken(code):
            raise forms.ValidationError(gettext("This code is taken."))
        return code

    def is_taken(self, code: str) -> bool:
        """Whether the code stands for something already."""
        raise NotImplementedError


class DivisionForm(_CodeForm):
    """One division."""

    name = forms.CharField(label=_("Name"), max_length=200)
    parent = forms.ChoiceField(label=_("Belongs to"), required=False)
    is_window = forms.BooleanField(label=_("visits regularly and listens for the others (the window)"), required=False)

    def __init__(self, known: str, data: object = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(known, data, initial)
        self.fields["parent"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *Division.objects.exclude(code=known).values_list("code", "name"),
        ]

    def is_taken(self, code: str) -> bool:
        """Whether there is such a division."""
        return Division.objects.filter(code=code).exists()

    def clean_parent(self) -> str:
        """Not one of its own below."""
        parent = str(self.cleaned_data["parent"])
        above = dict(Division.objects.values_list("code", "parent__code"))
        at: str | None = parent
        for _step in range(len(above)):
            if not at or at == self.known:
                break
            at = above.get(at)
        if parent and at == self.known:
            raise forms.ValidationError(gettext("That division is below this one."))
        return parent


class RepForm(_CodeForm):
    """One rep."""

    name = forms.CharField(label=_("Name"), max_length=200)
    division = forms.ChoiceField(label=_("Division"), required=False)
    hours = forms.FloatField(
        label=_("Hours a month for customers"), required=False, min_value=0, max_value=400,
        help_text=_("The plan fills these hours and no more. Empty: not known."),
    )  # fmt: skip
    valid_from = forms.DateField(
        label=pgettext_lazy("day", "From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    valid_to = forms.DateField(
        label=pgettext_lazy("day", "Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The last day, for somebody who leaves. Hand their customers over first."),
    )  # fmt: skip

    def __init__(self, known: str, data: object = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(known, data, initial)
        self.fields["division"].choices = [("", "–"), *Division.objects.values_list("code", "name")]  # type: ignore[attr-defined]

    def is_taken(self, code: str) -> bool:
        """Whether there is such a rep."""
        return Rep.objects.filter(code=code).exists()

    def clean(self) -> dict[str, object]:
        """From goes before until."""
        said: dict[str, object] = super().clean() or self.cleaned_data
        first, last = said.get("valid_from"), said.get("valid_to")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("valid_to", gettext("The last day lies before the first."))
        return said


class AssignmentForm(forms.Form):
    """Who is to look after which customer."""

    customer = forms.CharField(label=_("Customer code"), max_length=200)
    rep = forms.ModelChoiceField(Rep.objects.all(), label=_("Rep"), to_field_name="code")
    division = forms.ModelChoiceField(Division.objects.all(), label=_("Division"), to_field_name="code")
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_LABELS)


class HandOverForm(forms.Form):
    """From whom to whom."""

    from_rep = forms.ModelChoiceField(Rep.objects.all(), label=pgettext_lazy("person", "From"), to_field_name="code")
    to_rep = forms.ModelChoiceField(Rep.objects.all(), label=pgettext_lazy("person", "To"), to_field_name="code")
    division = forms.ModelChoiceField(
        Division.objects.all(), label=_("Only in the division"), to_field_name="code", required=False
    )

    def clean(self) -> dict[str, object]:
        """Two different people, and one who is still there."""
        said: dict[str, object] = super().clean() or self.cleaned_data
        from_rep, to_rep = said.get("from_rep"), said.get("to_rep")
        if from_rep is not None and from_rep == to_rep:
            self.add_error("to_rep", gettext("Choose somebody else."))
        if isinstance(to_rep, Rep) and to_rep.valid_to is not None and to_rep.valid_to < timezone.localdate():
            self.add_error("to_rep", gettext("This rep has left."))
        return said


@requires(Permission.ADMINISTER)
@require_GET
def staff(request: SignedInRequest) -> HttpResponse:
    """Divisions and reps."""
    reps = list(Rep.objects.select_related("division", "user"))
    today = timezone.localdate()
    counts = customers_per_rep(workspace_path(), today)
    here = [rep for rep in reps if rep.valid_to is None or rep.valid_to >= today]
    there = {rep.pk for rep in here}
    page = Paginator(reps, _PAGE).get_page(request.GET.get("page"))
    said = {
        "divisions": Division.objects.select_related("parent"),
        "reps": [(rep, counts.get(rep.code, 0), rep.pk in there) for rep in page.object_list],
        "page": page,
        "here": len(here),
        "without_hours": sum(rep.hours_per_month is None for rep in here),
        "hours": sum(rep.hours_per_month or 0 for rep in here),
    }
    return render(request, "people/staff.html", said)


@requires(Permission.ADMINISTER)
@require_http_methods(["GET", "POST"])
def division(request: SignedInRequest) -> HttpResponse:
    """Add a division, or change `?code=`."""
    code = request.GET.get("code", "")
    known = Division.objects.filter(code=code).select_related("parent").first()
    if code and known is None:
        raise Http404
    initial: dict[str, object] = {}
    if known is not None:
        initial = {
            "name": known.name,
            "parent": known.parent.code if known.parent else "",
            "is_window": known.is_window,
        }
    form = DivisionForm(code, request.POST or None, initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            save_division(
                by=request.user, code=code or said["code"], name=said["name"], parent=said["parent"],
                is_window=said["is_window"],
            )  # fmt: skip
        except NobishiroError as error:
            form.add_error(None, in_words(error))
        else:
            messages.success(request, gettext("Saved."))
            return redirect("people:staff")
    return _form_page(request, form, known.name if known else gettext("A new division"))


@requires(Permission.ADMINISTER)
@require_http_methods(["GET", "POST"])
def rep(request: SignedInRequest) -> HttpResponse:
    """Add a rep, or change `?code=`."""
    code = request.GET.get("code", "")
    known = Rep.objects.filter(code=code).select_related("division").first()
    if code and known is None:
        raise Http404
    initial: dict[str, object] = {}
    if known is not None:
        initial = {
            "name": known.name, "division": known.division.code if known.division else "", "hours": known.hours_per_month,
            "valid_from": known.valid_from, "valid_to": known.valid_to,
        }  # fmt: skip
    form = RepForm(code, request.POST or None, initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            save_rep(
                by=request.user, code=code or said["code"], name=said["name"], division=said["division"],
                hours=said["hours"], valid_from=said["valid_from"], valid_to=said["valid_to"],
            )  # fmt: skip
        except NobishiroError as error:
            form.add_error(None, in_words(error))
        else:
            messages.success(request, gettext("Saved."))
            return redirect("people:staff")
    return _form_page(request, form, known.name if known else gettext("A new rep"))


@requires(Permission.ADMINISTER)
@require_GET
def assignments(request: SignedInRequest) -> HttpResponse:
    """Who looks after whom."""
    return _assignments(request, AssignmentForm(), HandOverForm(initial={"from_rep": request.GET.get("rep")}))


@requires(Permission.ADMINISTER)
@require_POST
def assignment_add(request: SignedInRequest) -> HttpResponse:
    """Let a rep look after a customer."""
    form = AssignmentForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            add_assignment(
                by=request.user, customer=said["customer"].strip(), division=said["division"].code, rep=said["rep"].code,
                role=said["role"], on=timezone.localdate(),
            )  # fmt: skip
        except NobishiroError as error:
            form.add_error("customer", in_words(error))
        else:
            messages.success(request, gettext("Saved. The lists follow in a moment."))
            return redirect(f"{reverse('people:assignments')}?{urlencode({'q': said['customer'].strip()})}")
    return _assignments(request, form, HandOverForm(), status=422)


@requires(Permission.ADMINISTER)
@require_POST
def assignment_end(request: SignedInRequest) -> HttpResponse:
    """Let a tie end."""
    said = [request.POST.get(name, "") for name in ("customer", "division", "rep", "role")]
    if not all(said) or said[3] not in ROLES:
        raise Http404
    report = end_assignment(
        by=request.user, customer=said[0], division=said[1], rep=said[2], role=said[3], on=timezone.localdate()
    )
    if report.commit is None:
        raise Http404
    messages.success(request, gettext("Ended. The lists follow in a moment."))
    return redirect("people:assignments")


@requires(Permission.ADMINISTER)
@require_POST
def reassign_customers(request: SignedInRequest) -> HttpResponse:
    """Hand every customer of one rep over to another; what follows shows whom, for the hand-over talk."""
    form = HandOverForm(request.POST)
    if not form.is_valid():
        return _assignments(request, AssignmentForm(), form, status=422)
    said = form.cleaned_data
    moved = hand_over(
        by=request.user, from_rep=said["from_rep"], to_rep=said["to_rep"],
        division=said["division"].code if said["division"] else "", on=timezone.localdate(),
    )  # fmt: skip
    count = moved["customer_id"].n_unique()
    if not count:
        messages.warning(request, gettext("There was nobody to hand over."))
        return redirect("people:assignments")
    messages.success(
        request,
        gettext("%(n)d customers now belong to %(name)s. It can be taken back in the history of imports.")
        % {"n": count, "name": said["to_rep"].name},
    )
    return redirect(f"{reverse('people:assignments')}?{urlencode({'rep': said['to_rep'].code})}")


def _assignments(request: SignedInRequest, form: AssignmentForm, over: HandOverForm, status: int = 200) -> HttpResponse:
    said = request.GET
    number = said.get("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    search = said.get("q", "").strip()[:100]
    found = assignment_page(
        workspace_path(), timezone.localdate(), rep=said.get("rep", ""), division=said.get("division", ""), search=search,
        offset=(page - 1) * _PAGE, limit=_PAGE,
    )  # fmt: skip
    divisions, reps = dict(Division.objects.values_list("code", "name")), dict(Rep.objects.values_list("code", "name"))
    labels = dict(ROLE_LABELS)
    rows = [
        {
            **row,
            "division": divisions.get(row["division_id"], row["division_id"]),
            "rep": reps.get(row["rep_id"], row["rep_id"]),
            "role_label": labels.get(row["role"], row["role"]),
        }
        for row in found.rows.iter_rows(named=True)
    ]
    kept = {name: said[name] for name in ("q", "rep", "division") if said.get(name)}
    last = max(1, -(-found.total // _PAGE))
    return render(
        request,
        "people/assignments.html",
        {
            "rows": rows, "total": found.total, "customers": found.customers, "form": form, "over": over, "q": search,
            "reps": reps, "divisions": divisions, "rep": said.get("rep", ""), "division": said.get("division", ""),
            "page": page, "last": last,
            "previous": f"?{urlencode({**kept, 'page': str(page - 1)})}" if page > 1 else "",
            "next": f"?{urlencode({**kept, 'page': str(page + 1)})}" if page < last else "",
        },
        status=status,
    )  # fmt: skip


def _form_page(request: SignedInRequest, form: forms.Form, title: str) -> HttpResponse:
    said = {"form": form, "title": title}
    return render(request, "people/staff_form.html", said, status=422 if form.errors else 200)
