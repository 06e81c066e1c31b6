"""Pages of referrals: list, one referral, a new one, hearing, ledger, board, introductions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.web.core.list_filters import fold
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.core.sent import key_sent
from nobishiro.web.customers.listing import listed
from nobishiro.web.customers.models import Customer, Family, Touch
from nobishiro.web.people.calendar import business_days_between
from nobishiro.web.people.models import Division, Rep
from nobishiro.web.referrals import selectors, services
from nobishiro.web.referrals.forms import CloseForm, QuestionForm, ReferralForm
from nobishiro.web.referrals.models import Hearing, Introduction, Question, Referral, Reward
from nobishiro.web.referrals.services import StepNotPossible

_PAGE = 30


@requires(Permission.REFER)
@require_GET
def referral_list(request: SignedInRequest) -> HttpResponse:
    """Whose turn it is: to my division, by me, all."""
    whose = request.GET.get("whose") or ("all" if request.user.may(Permission.CONFIRM) else "in")
    whose = whose if whose in ("in", "out", "all") else "all"
    state = request.GET.get("state", "open")
    state = state if state in ("", "open", *Referral.State.values) else "open"
    found = selectors.referrals_for(request.user, whose=whose, state=state)
    today = timezone.localdate()
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    families = selectors.family_names({row.family for row in rows if row.family})
    late = {row.pk: business_days_between(row.accept_due, today) for row in rows if _is_late(row, today)}
    return render(
        request,
        "referrals/list.html",
        {
            "page": page, "rows": rows, "families": families, "whose": whose, "state": state, "today": today, "late": late,
            "standing": selectors.standing(selectors.referrals_for(request.user, whose=whose), today),
            "states": Referral.State,
        },
    )  # fmt: skip


def _is_late(referral: Referral, today: date) -> bool:
    return referral.state == Referral.State.SENT and referral.accept_due < today


@requires(Permission.REFER)
@require_GET
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One referral: its steps with evidence, and what may be done next."""
    referral = get_object_or_404(
        Referral.objects.select_related(*selectors._JOINED, "checked_by", "hearing__question"), pk=pk
    )
    return render(request, "referrals/detail.html", _detail(request, referral))


def _detail(request: SignedInRequest, referral: Referral, form: CloseForm | None = None) -> dict[str, object]:
    return {
        "referral": referral,
        "family": Family.objects.filter(code=referral.family).first() if referral.family else None,
        "today": timezone.localdate(),
        "may_check": selectors.may_check(request.user, referral),
        "may_work": selectors.may_work(request.user, referral),
        "takers": list(selectors.takers(referral)) if referral.state == Referral.State.SENT else [],
        "approaches": services.approaches_of(referral) if referral.state == Referral.State.ACCEPTED else [],
        "rewards": referral.rewards.select_related("rep", "decided_by"),
        "praises": referral.praises.select_related("by"),
        "form": form or CloseForm(),
    }


@requires(Permission.REFER)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Write a referral; the customer, family and answer may come by the address."""
    if request.method == "POST":
        form = ReferralForm(request.POST)
        customer = Customer.objects.filter(pk=key_sent(request.POST.get("customer"))).first()
        if form.is_valid():
            said = form.cleaned_data
            try:
                referral, is_new = services.send_referral(
                    by=request.user,
                    code=str(said["code"]),
                    customer=said["customer"],
                    to_division=said["to_division"],
                    heard=said["heard"],
                    family=said["family"].code if said["family"] else "",
                    hearing=Hearing.objects.filter(pk=said["hearing"], customer=said["customer"]).first(),
                )
            except StepNotPossible as problem:
                form.add_error(None, str(problem))
            else:
                if is_new:
                    messages.success(request, gettext("Referred to %(division)s.") % {"division": referral.to_division})
                return redirect("referrals:detail", pk=referral.pk)
    else:
        customer = Customer.objects.filter(pk=key_sent(request.GET.get("customer")), is_listed=True).first()
        hearing = (
            Hearing.objects.select_related("question__division").filter(pk=key_sent(request.GET.get("hearing"))).first()
        )
        family = Family.objects.filter(code=request.GET.get("family", "")).first()
        division = hearing.question.division if hearing else (family.division if family else None)
        form = ReferralForm(
            initial={
                "code": uuid.uuid4(),
                "customer": customer,
                "hearing": hearing.pk if hearing else None,
                "to_division": division,
                "family": family.code if family else (hearing.question.family if hearing else None),
                "heard": hearing.note if hearing else "",
            }
        )
    sought = request.GET.get("q", "").strip()
    found = listed().filter(search__contains=fold(sought))[:20] if sought and customer is None else []
    own = selectors.division_of(request.user)
    form.fields["to_division"].queryset = Division.objects.exclude(pk=own)  # type: ignore[attr-defined, misc]
    return render(
        request, "referrals/new.html", {"form": form, "customer": customer, "sought": sought, "found": found},
        status=400 if form.errors else 200,
    )  # fmt: skip


def _step(request: SignedInRequest, pk: int, step: Callable[[Referral], object], said: str) -> HttpResponse:
    """Take one step of a referral this person may work on, and say so, or why not."""
    referral = get_object_or_404(Referral, pk=pk)
    try:
        step(referral)
    except StepNotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, said)
    return redirect("referrals:detail", pk=pk)


@requires(Permission.REFER)
@require_POST
def accept(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take it on."""
    rep = get_object_or_404(Rep, pk=key_sent(request.POST.get("rep")))

    def step(referral: Referral) -> None:
        _must_work(request, referral)
        services.accept_referral(by=request.user, referral=referral, rep=rep)

    return _step(request, pk, step, gettext("Accepted. It is on the list of %(rep)s.") % {"rep": rep})


@requires(Permission.REFER)
@require_POST
def return_to_sender(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give it back with a reason."""

    def step(referral: Referral) -> None:
        _must_work(request, referral)
        services.return_referral(by=request.user, referral=referral, reason=request.POST.get("reason", "")[:2000])

    return _step(request, pk, step, gettext("Given back with your reason."))


@requires(Permission.REFER)
@require_POST
def check(request: SignedInRequest, pk: int) -> HttpResponse:
    """The process check."""
    touch = get_object_or_404(Touch, pk=key_sent(request.POST.get("touch")))

    def step(referral: Referral) -> None:
        if not selectors.may_check(request.user, referral):
            raise StepNotPossible(gettext("The check is made by the one who referred, or by a manager."))
        services.confirm_approach(by=request.user, referral=referral, touch=touch)

    return _step(request, pk, step, gettext("The approach is confirmed."))


@requires(Permission.REFER)
@require_POST
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Won or lost."""
    form = CloseForm(request.POST)
    if not form.is_valid():
        referral = get_object_or_404(
            Referral.objects.select_related(*selectors._JOINED, "checked_by", "hearing__question"), pk=pk
        )
        return render(request, "referrals/detail.html", _detail(request, referral, form), status=400)
    said = form.cleaned_data

    def step(referral: Referral) -> None:
        _must_work(request, referral)
        services.close_referral(
            by=request.user,
            referral=referral,
            is_won=said["result"] == "won",
            amount=said["amount"],
            reason=said["reason"],
        )

    return _step(request, pk, step, gettext("The result is kept."))


def _must_work(request: SignedInRequest, referral: Referral) -> None:
    if not selectors.may_work(request.user, referral):
        raise StepNotPossible(gettext("This is for %(division)s to do.") % {"division": referral.to_division})


@requires(Permission.REFER)
@require_POST
def praise(request: SignedInRequest, pk: int) -> HttpResponse:
    """A word of thanks."""
    text = request.POST.get("text", "")[:300]
    return _step(
        request,
        pk,
        lambda referral: services.praise(by=request.user, referral=referral, text=text),
        gettext("Your thanks are on the board."),
    )


@requires(Permission.REFER)
@require_GET
def hear(request: SignedInRequest, pk: int) -> HttpResponse:
    """The hearing checklist of a customer's visit."""
    customer = get_object_or_404(Customer, pk=pk, is_listed=True)
    asked = selectors.checklist(customer)
    today = timezone.localdate()
    done = sum(1 for one in asked if one.last is not None and one.last.heard_on == today)
    return render(
        request, "referrals/hear.html",
        {"customer": customer, "asked": asked, "done": done, "today": today, "open": selectors.referrals_for(request.user, whose="all", state="open").filter(customer=customer)},
    )  # fmt: skip


@requires(Permission.REFER)
@require_POST
def answer(request: SignedInRequest, pk: int, question: int) -> HttpResponse:
    """Keep one answer; a yes leads on to the referral."""
    customer = get_object_or_404(Customer, pk=pk, is_listed=True)
    asked = get_object_or_404(Question, pk=question, is_asked=True)
    try:
        hearing = services.answer_question(
            by=request.user, customer=customer, question=asked, answer=request.POST.get("answer", ""), note=request.POST.get("note", "")[:2000]
        )  # fmt: skip
    except StepNotPossible as problem:
        messages.error(request, str(problem))
        return redirect("referrals:hear", pk=pk)
    if hearing.answer == Hearing.Answer.YES and asked.division_id not in (None, selectors.division_of(request.user)):
        return redirect(f"{reverse('referrals:new')}?customer={pk}&hearing={hearing.pk}")
    messages.success(request, gettext("Kept."))
    return redirect("referrals:hear", pk=pk)


@requires(Permission.CONFIRM)
@require_http_methods(["GET", "POST"])
def questions(request: SignedInRequest) -> HttpResponse:
    """The checklist itself."""
    chosen = get_object_or_404(Question, pk=key_sent(request.GET.get("edit"))) if request.GET.get("edit") else None
    if request.method == "POST":
        if "propose" in request.POST:
            made = services.propose_questions(by=request.user)
            messages.success(
                request, gettext("%(n)d questions were drafted; put them into your own words.") % {"n": len(made)}
            )
            return redirect("referrals:questions")
        form = QuestionForm(request.POST)
        if form.is_valid():
            services.save_question(by=request.user, question=chosen, **form.cleaned_data)
            messages.success(request, gettext("Kept."))
            return redirect("referrals:questions")
    else:
        form = QuestionForm(instance=chosen)
    return render(
        request, "referrals/questions.html",
        {"form": form, "chosen": chosen, "questions": Question.objects.select_related("division")},
        status=400 if form.is_bound and form.errors else 200,
    )  # fmt: skip


def _period(request: SignedInRequest) -> tuple[date, date]:
    """The month of `?month=2026-11`, else this one: (first day, last day)."""
    try:
        first = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        first = timezone.localdate().replace(day=1)
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, following - timedelta(days=1)


def _moments(first: date, last: date) -> tuple[datetime, datetime]:
    zone = timezone.get_current_timezone()
    return datetime.combine(first, time.min, zone), datetime.combine(last + timedelta(days=1), time.min, zone)


def _months(first: date) -> dict[str, str]:
    before = (first - timedelta(days=1)).replace(day=1)
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return {
        "month": f"{first:%Y-%m}",
        "before": f"{before:%Y-%m}",
        "after": f"{after:%Y-%m}",
        "shown": f"{first:%Y/%m}",
    }


@requires(Permission.REFER)
@require_GET
def ledger(request: SignedInRequest) -> HttpResponse:
    """Rewards of a month, waiting ones first to decide."""
    first, last = _period(request)
    state = request.GET.get("state", "")
    state = state if state in Reward.State.values else ""
    lines = list(
        selectors.ledger(
            request.user,
            rep=key_sent(request.GET["rep"]) if request.GET.get("rep") else None,
            state=state,
            since=first,
            until=last,
        )[:500]
    )
    approved = sum((line.amount for line in lines if line.state == Reward.State.APPROVED), start=0)
    waiting = [line for line in lines if line.state == Reward.State.WAITING]
    return render(
        request, "referrals/ledger.html",
        {"lines": lines, "approved": approved, "waiting": len(waiting), "waiting_amount": sum(line.amount for line in waiting),
         "state": state, "months": _months(first), "states": Reward.State, "may_decide": request.user.may(Permission.CONFIRM)},
    )  # fmt: skip


@requires(Permission.CONFIRM)
@require_POST
def decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """Approve, refuse or take back one line."""
    reward = get_object_or_404(Reward, pk=pk)
    reason = request.POST.get("reason", "")[:400]
    try:
        if request.POST.get("decision") == "reverse":
            services.reverse_reward(by=request.user, reward=reward, reason=reason)
        else:
            services.decide_reward(
                by=request.user, reward=reward, is_approved=request.POST.get("decision") == "approve", reason=reason
            )
    except StepNotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, gettext("Kept."))
    return HttpResponseRedirect(f"{reverse('referrals:ledger')}?month={timezone.localtime(reward.earned_at):%Y-%m}")


@requires(Permission.REFER)
@require_GET
def board(request: SignedInRequest) -> HttpResponse:
    """The recognition board of a month."""
    first, last = _period(request)
    since, until = _moments(first, last)
    lines = selectors.board(since, until)
    return render(
        request, "referrals/board.html",
        {"lines": lines, "most": max((line.made for line in lines), default=0), "praises": list(selectors.praises(since, until)[:50]),
         "won": sum(line.won for line in lines), "amount": sum(line.amount for line in lines), "made": sum(line.made for line in lines),
         "months": _months(first)},
    )  # fmt: skip


@requires(Permission.REFER)
@require_GET
def introductions(request: SignedInRequest) -> HttpResponse:
    """Promoters who may be asked, and what came of those who were."""
    mine = request.GET.get("whose", "mine") == "mine" and request.user.rep is not None
    promoters = selectors.promoters_to_ask(request.user, mine=mine)
    return render(
        request, "referrals/introductions.html",
        {"promoters": promoters[:30], "count": promoters.count(), "mine": mine, "states": Introduction.State,
         "page": Paginator(selectors.introductions(), _PAGE).get_page(request.GET.get("page"))},
    )  # fmt: skip


@requires(Permission.REFER)
@require_POST
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep that a promoter was asked."""
    customer = get_object_or_404(Customer, pk=pk, is_listed=True)
    try:
        services.ask_for_introduction(by=request.user, customer=customer)
    except StepNotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, gettext("Kept that %(customer)s was asked.") % {"customer": customer})
    return redirect("referrals:introductions")


@requires(Permission.REFER)
@require_POST
def move(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say how far an introduction came."""
    introduction = get_object_or_404(Introduction, pk=pk)
    try:
        services.move_introduction(
            by=request.user, introduction=introduction, state=request.POST.get("state", ""), introduced_name=request.POST.get("name", "")[:300]
        )  # fmt: skip
    except StepNotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, gettext("Kept."))
    return redirect("referrals:introductions")
