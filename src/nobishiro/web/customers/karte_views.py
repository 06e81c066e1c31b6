"""The pages of one customer and what is done on them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, time
from typing import Final

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from nobishiro.contracts.errors import BadInput
from nobishiro.pipelines.customer_rows import catalogue_of
from nobishiro.web.core.company import published
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.customers.actions import drop_action
from nobishiro.web.customers.corrections import correct_field, read_details
from nobishiro.web.customers.facts import IMPORTANT, WHOLE, add_fact, withdraw_fact
from nobishiro.web.customers.family_evidence import family_evidence
from nobishiro.web.customers.forms import (
    CorrectionForm,
    FactForm,
    HypothesisForm,
    OutcomeForm,
    OverrideForm,
    TouchForm,
)
from nobishiro.web.customers.hypotheses import add_hypothesis, drop_hypothesis, end_hypothesis
from nobishiro.web.customers.karte import build_karte
from nobishiro.web.customers.karte_tasks import before_any_offer, make_task
from nobishiro.web.customers.knowing import build_knowing
from nobishiro.web.customers.material import find_customer, read_material
from nobishiro.web.customers.models import Action, Customer, Fact, Hypothesis, Outcome, Override, Touch
from nobishiro.web.customers.outcomes import record_outcome, withdraw_outcome
from nobishiro.web.customers.overrides import set_override, withdraw_override
from nobishiro.web.customers.tags import RELATION, set_tag
from nobishiro.web.customers.timeline import KINDS, build_timeline
from nobishiro.web.customers.touches import add_touch, withdraw_touch
from nobishiro.web.customers.words import SOURCES, TOUCH_KINDS, TRAIL, word

_TRAIL: Final = 50


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def karte(request: SignedInRequest, pk: int) -> HttpResponse:
    """顧客カルテ."""
    customer, codes = _found(pk)
    if customer.pk != pk:
        return HttpResponseRedirect(reverse("customers:karte", args=[customer.pk]))
    shown = build_karte(read_material(customer, codes), request.user)
    context = {"karte": shown, "customer": customer, **_choices(request)}
    return render(request, "customers/karte.html", context)


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    """訪問前1分シート."""
    customer, codes = _found(pk)
    shown = build_karte(read_material(customer, codes), request.user)
    return render(request, "customers/sheet.html", {"karte": shown, "customer": customer})


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def timeline(request: SignedInRequest, pk: int) -> HttpResponse:
    """A page of the time line: a fragment for htmx, a page of its own otherwise."""
    customer, codes = _found(pk)
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    number = request.GET.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and 0 < int(number) <= 10_000 else 1
    material = read_material(customer, codes, kind=kind)
    shown = build_timeline(
        material.happened,
        material.entered,
        material.catalogue,
        sees_private=request.user.may(Permission.SEE_PRIVATE_NOTES),
        kind=kind,
        page=page,
    )
    context = {"customer": customer, "timeline": shown, **_choices(request)}
    if request.headers.get("HX-Request"):
        name = "customers/timeline_more.html" if page > 1 else "customers/timeline_part.html"
        return render(request, name, context)
    return render(request, "customers/timeline.html", context)


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def family(request: SignedInRequest, pk: int) -> HttpResponse:
    """The rows behind one family's figures at this customer."""
    customer, codes = _found(pk)
    code = request.GET.get("family", "")
    if not code:
        raise Http404
    shown = family_evidence(read_material(customer, codes), code)
    return render(request, "customers/family.html", {"customer": customer, "evidence": shown, **_choices(request)})


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def details(request: SignedInRequest, pk: int) -> HttpResponse:
    """The imported masters with people's corrections."""
    customer, codes = _found(pk)
    shown = read_details(customer, codes, request.user)
    return render(request, "customers/details.html", {"customer": customer, "details": shown, **_choices(request)})


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def trail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who did what on this customer."""
    customer, codes = _found(pk)
    rows = AuditEntry.objects.filter(subject__in=[f"customer:{code}" for code in codes])[:_TRAIL]
    entries = [{"at": row.at, "actor_name": row.actor_name, "said": word(TRAIL, row.verb)} for row in rows]
    context = {"customer": customer, "entries": entries, "most": _TRAIL}
    name = "customers/trail_part.html" if request.headers.get("HX-Request") else "customers/trail.html"
    return render(request, name, context)


@requires(Permission.WORK)
@require_POST
def outcome(request: SignedInRequest, pk: int) -> HttpResponse:
    """One tap."""
    customer, _codes = _found(pk)
    form = OutcomeForm(request.POST)

    def keep() -> None:
        said = form.cleaned_data
        family = said["family"] or catalogue_of(published()).family_of(said["product_code"])
        action = _open_action(customer, family)
        record_outcome(
            by=request.user, code=said["code"], customer=customer, result=said["result"], family=family,
            product_code=said["product_code"], offer_kind=said["offer_kind"], reason=said["reason"],
            amount=said["amount"], action=action, touch_kind=said["touch_kind"] or "visit", minutes=said["minutes"],
            note=said["note"],
        )  # fmt: skip

    return _post(request, customer, form, keep, gettext("Recorded. The daily report is written."))


@requires(Permission.WORK)
@require_POST
def outcome_undo(request: SignedInRequest, pk: int, outcome_pk: int) -> HttpResponse:
    """Undo a tap: one's own, or a team member's for those who see the team."""
    customer, _codes = _found(pk)
    found = Outcome.objects.filter(pk=outcome_pk, customer=customer).select_related("touch", "customer").first()
    if found is None or not _is_theirs(request, found.entered_by_id):
        raise Http404
    withdraw_outcome(by=request.user, outcome=found)
    messages.success(request, gettext("Undone."))
    return _back(customer, "next")


@requires(Permission.RECORD)
@require_POST
def fact(request: SignedInRequest, pk: int) -> HttpResponse:
    """Something learned, answered in place."""
    customer, codes = _found(pk)
    form = FactForm(request.POST)

    def keep() -> None:
        said = form.cleaned_data
        add_fact(
            by=request.user, customer=customer, fact=said["fact"], subject=said["subject"] or WHOLE,
            value=said["value"], amount=said["amount"], learned_on=said["learned_on"], source=said["source"] or "visit",
        )  # fmt: skip

    return _knowing(request, customer, codes, form, keep)


@requires(Permission.RECORD)
@require_POST
def fact_withdraw(request: SignedInRequest, pk: int, fact_pk: int) -> HttpResponse:
    """Take a fact back."""
    customer, codes = _found(pk)
    found = Fact.objects.filter(pk=fact_pk, customer=customer).select_related("customer").first()
    if found is None:
        raise Http404
    return _knowing(request, customer, codes, None, lambda: withdraw_fact(by=request.user, fact=found))


@requires(Permission.RECORD)
@require_POST
def hypothesis(request: SignedInRequest, pk: int) -> HttpResponse:
    """Write a hypothesis down."""
    customer, codes = _found(pk)
    form = HypothesisForm(request.POST)

    def keep() -> None:
        said = form.cleaned_data
        add_hypothesis(
            by=request.user, customer=customer, family=said["family"], amount=said["amount"], grounds=said["grounds"]
        )

    return _knowing(request, customer, codes, form, keep)


@requires(Permission.RECORD)
@require_POST
def hypothesis_end(request: SignedInRequest, pk: int, hypothesis_pk: int) -> HttpResponse:
    """Say how a hypothesis turned out, or drop it."""
    customer, codes = _found(pk)
    found = Hypothesis.objects.filter(pk=hypothesis_pk, customer=customer).select_related("customer").first()
    how = request.POST.get("how", "")
    if found is None or how not in ("true", "false", "drop"):
        raise Http404

    def keep() -> None:
        if how == "drop":
            drop_hypothesis(by=request.user, hypothesis=found)
        else:
            verdict = request.POST.get("verdict", "")[:2000]
            end_hypothesis(by=request.user, hypothesis=found, is_true=how == "true", verdict=verdict)

    return _knowing(request, customer, codes, None, keep)


@requires(Permission.RECORD)
@require_POST
def override(request: SignedInRequest, pk: int) -> HttpResponse:
    """Set a word over the computed one."""
    customer, _codes = _found(pk)
    form = OverrideForm(request.POST)

    def keep() -> None:
        set_override(by=request.user, customer=customer, **form.cleaned_data)

    return _post(request, customer, form, keep, gettext("Set. It counts from now on."), "where")


@requires(Permission.RECORD)
@require_POST
def override_withdraw(request: SignedInRequest, pk: int, override_pk: int) -> HttpResponse:
    """Take a word back."""
    customer, _codes = _found(pk)
    found = Override.objects.filter(pk=override_pk, customer=customer).select_related("customer").first()
    if found is None:
        raise Http404
    return _post(
        request, customer, None, lambda: withdraw_override(by=request.user, override=found),
        gettext("Taken back."), "where",
    )  # fmt: skip


@requires(Permission.RECORD)
@require_POST
def relation(request: SignedInRequest, pk: int) -> HttpResponse:
    """◎○△ of the person's own relation; the same sign again clears it."""
    customer, _codes = _found(pk)
    sign = request.POST.get("sign", "")[:4]
    return _post(
        request, customer, None,
        lambda: set_tag(by=request.user, customer=customer, tag=RELATION, value=sign),
        gettext("Relation noted."), "where",
    )  # fmt: skip


@requires(Permission.WORK)
@require_POST
def touch(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note a contact."""
    customer, _codes = _found(pk)
    form = TouchForm(request.POST)

    def keep() -> None:
        said = form.cleaned_data
        day = said["day"]
        noon = timezone.make_aware(datetime.combine(day, time(12))) if day and day < timezone.localdate() else None
        add_touch(
            by=request.user, code=said["code"], customer=customer, kind=said["kind"], happened_at=noon,
            minutes=said["minutes"], subject=said["subject"], note=said["note"],
            direction="inbound" if said["is_inbound"] else "outbound", is_private=said["is_private"],
        )  # fmt: skip

    return _post(request, customer, form, keep, gettext("Noted."), "timeline")


@requires(Permission.WORK)
@require_POST
def touch_withdraw(request: SignedInRequest, pk: int, touch_pk: int) -> HttpResponse:
    """Take a contact back: one's own, or a team member's for those who see the team."""
    customer, _codes = _found(pk)
    found = Touch.objects.filter(pk=touch_pk, customer=customer).select_related("customer").first()
    if found is None or not _is_theirs(request, found.entered_by_id):
        raise Http404
    told_by = Outcome.objects.filter(touch=found, withdrawn_at=None).first()
    if told_by is not None:
        withdraw_outcome(by=request.user, outcome=told_by)
    else:
        withdraw_touch(by=request.user, touch=found)
    messages.success(request, gettext("Undone."))
    return _back(customer, "timeline")


@requires(Permission.WORK)
@require_POST
def action(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make a family of this customer something to do, or what comes before any offer (`kind`)."""
    customer, codes = _found(pk)
    family, kind = request.POST.get("family", "")[:200], request.POST.get("kind", "")

    def keep() -> None:
        if kind:
            before_any_offer(read_material(customer, codes), request.user, kind)
        else:
            make_task(read_material(customer, codes, kind="word"), request.user, family)

    return _post(request, customer, None, keep, gettext("Added to the things to do."), "next" if kind else "families")


@requires(Permission.WORK)
@require_POST
def action_drop(request: SignedInRequest, pk: int, action_pk: int) -> HttpResponse:
    """Take something to do back."""
    customer, _codes = _found(pk)
    found = Action.objects.filter(pk=action_pk, customer=customer).select_related("customer").first()
    if found is None:
        raise Http404
    drop_action(by=request.user, action=found, why=gettext("taken back on the customer's page"))
    messages.success(request, gettext("No longer to be done."))
    return _back(customer, "families")


@requires(Permission.RECORD)
@require_POST
def correct(request: SignedInRequest, pk: int) -> HttpResponse:
    """Correct one field of an imported row."""
    customer, _codes = _found(pk)
    form = CorrectionForm(request.POST)

    def keep() -> None:
        correct_field(by=request.user, customer=customer, **form.cleaned_data)

    answer = _post(request, customer, form, keep, gettext("Corrected."))
    answer.headers["Location"] = reverse("customers:details", args=[customer.pk])
    return answer


def _found(pk: int) -> tuple[Customer, list[str]]:
    found = find_customer(pk)
    if found is None:
        raise Http404
    return found


def _choices(request: SignedInRequest) -> dict[str, object]:
    user = request.user
    return {
        "may_work": user.may(Permission.WORK),
        "may_record": user.may(Permission.RECORD),
        "may_refer": user.may(Permission.REFER),
        "sees_team": user.may(Permission.SEE_TEAM),
        "new_code": lambda: uuid.uuid4().hex,
        "touch_kinds": [(code, str(name)) for code, name in TOUCH_KINDS.items() if code != "web"],
        "sources": [(code, str(name)) for code, name in SOURCES.items()],
        "timeline_kinds": [(code, str(name)) for code, name in KINDS.items()],
        "fact_choices": IMPORTANT,
        "letters": "ABCD",
        "signs": "◎○△",
        "today": timezone.localdate(),
        "refer_url": _refer_url(),
    }


def _refer_url() -> str:
    try:
        return reverse("referrals:new")
    except NoReverseMatch:  # the room is not there yet
        return ""


def _open_action(customer: Customer, family: str) -> Action | None:
    """The open task this tap answers: the one about the family."""
    if not family:
        return None
    return (
        Action.objects.filter(customer=customer, state=Action.State.OPEN, family=family).order_by("rank", "pk").first()
    )


def _is_theirs(request: SignedInRequest, entered_by: int | None) -> bool:
    return entered_by == request.user.pk or request.user.may(Permission.SEE_TEAM)


def _back(customer: Customer, part: str = "") -> HttpResponseRedirect:
    address = reverse("customers:karte", args=[customer.pk]) + (f"#{part}" if part else "")
    return HttpResponseRedirect(address, status=303)


def _first_error(form: Form) -> str:
    for name, errors in form.errors.items():
        field = form.fields.get(name)
        return f"{field.label or name}: {errors[0]}" if field is not None and field.label else str(errors[0])
    return ""


def _tried(form: Form | None, keep: Callable[[], object]) -> str:
    """What was wrong, in words; empty when it was kept."""
    if form is not None and not form.is_valid():
        return _first_error(form)
    try:
        keep()
    except BadInput as error:
        return str(error)
    return ""


def _post(
    request: SignedInRequest,
    customer: Customer,
    form: Form | None,
    keep: Callable[[], object],
    done: str,
    part: str = "next",
) -> HttpResponse:
    problem = _tried(form, keep)
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, done)
    return _back(customer, part)


def _knowing(
    request: SignedInRequest, customer: Customer, codes: list[str], form: Form | None, keep: Callable[[], object]
) -> HttpResponse:
    """Answer with ③ anew for htmx, else with the page."""
    if not request.headers.get("HX-Request"):
        return _post(request, customer, form, keep, gettext("Noted."), "knowing")
    problem = _tried(form, keep)
    customer.refresh_from_db()
    knowing = build_knowing(read_material(customer, codes, kind="word"))
    context = {"customer": customer, "knowing": knowing, "problem": problem, **_choices(request)}
    return render(request, "customers/karte_knowing.html", context)
