"""聞き直し: asking about orders that came by luck, five minutes of what is in one's head, the hand-over sheet."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.core.sent import is_whole
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.facts import BY_CODE, add_fact
from nobishiro.web.customers.models import Action, Customer
from nobishiro.web.customers.yen_text import parse_yen
from nobishiro.web.people.calendar import add_business_days
from nobishiro.web.people.models import Rep
from nobishiro.web.worklist.models import LuckyOrder
from nobishiro.web.worklist.relisten import (
    AT_ONCE,
    MOST_HANDED_OVER,
    handed_over,
    least_known,
    lucky_cards,
    lucky_total,
    open_lucky,
    questions_of,
)
from nobishiro.web.worklist.sentences import five_sentence, lucky_sentence
from nobishiro.web.worklist.services import answer_lucky, ask_later, settle_lucky

ASK_WITHIN: Final = 3
"""Business days within which an order by luck is to be asked about."""


@requires(Permission.WORK)
@require_GET
def relisten(request: SignedInRequest) -> HttpResponse:
    """Orders by luck of one's own customers, or of all (`?all=1`), the largest first."""
    is_all = request.user.rep is None or request.GET.get("all") == "1"
    rows = open_lucky(None if is_all else request.user.rep)
    count, total = lucky_total(rows)
    page = Paginator(rows.select_related("customer"), AT_ONCE, allow_empty_first_page=True).get_page(
        request.GET.get("page")
    )
    cards = lucky_cards(list(page.object_list), timezone.localdate())
    return render(
        request,
        "worklist/relisten.html",
        {
            "page": page,
            "cards": cards,
            "is_all": is_all,
            "has_own": request.user.rep is not None,
            "sentence": lucky_sentence(count, total, cards[0].order if page.number == 1 and cards else None)
            if count == 0 or page.number == 1
            else lucky_sentence(count, total, rows.select_related("customer").first()),
            "has_run": published() is not None,
            "may_export": request.user.may(Permission.EXPORT),
        },
    )


@requires(Permission.RECORD)
@require_POST
def answer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep what they said."""
    order = _order(pk)
    at = timezone.now()
    answers = {fact: request.POST.get(f"fact_{fact}", "")[:2000] for fact in BY_CODE if not BY_CODE[fact].is_yen}
    spend = request.POST.get("fact_total_spend", "").strip()
    try:
        amount = parse_yen(spend) if spend else None
        if spend and amount is None:
            raise BadInput(gettext("Enter the yen a year, as a number."))
        facts = answer_lucky(
            by=request.user, order=order, answers=answers, on=timezone.localdate(at), at=at, amount=amount
        )  # fmt: skip
        messages.success(
            request, gettext("%(n)d kept about %(name)s.") % {"n": len(facts), "name": order.customer.name}
        )  # fmt: skip
    except BadInput as refused:
        messages.error(request, str(refused))
    return _back(request)


@requires(Permission.RECORD)
@require_POST
def settle(request: SignedInRequest, pk: int) -> HttpResponse:
    """We know why it came."""
    order = _order(pk)
    settle_lucky(by=request.user, order=order, at=timezone.now())
    messages.success(request, gettext("Put away: we know why %(name)s ordered.") % {"name": order.customer.name})
    return _back(request)


@requires(Permission.WORK)
@require_POST
def later(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make asking something to do."""
    order = _order(pk)
    due = add_business_days(timezone.localdate(), ASK_WITHIN)
    yen = f"{order.amount:,.0f}"
    ask_later(
        by=request.user, order=order, due=due,
        why=(
            f"{order.ordered_on:%Y/%m/%d}の¥{yen}のご注文は、こちらからの働きかけなしに届きました。決め手をうかがいます。",
            f"The order of ¥{yen} on {order.ordered_on:%Y/%m/%d} came without us. Ask what made them choose us.",
        ),
    )  # fmt: skip
    messages.success(request, gettext("On the list of today's proposals, due in three business days."))
    return _back(request)


@requires(Permission.RECORD)
@require_http_methods(["GET", "POST"])
def five(request: SignedInRequest) -> HttpResponse:
    """頭の中の5分: one question a customer, of those in A and B we know least about. The run is in the address."""
    said = request.POST if request.method == "POST" else request.GET
    run = [int(part) for part in said.get("c", "").split(",") if is_whole(part)][: AT_ONCE * 2]
    at, kept = (_whole(said.get(name, "")) for name in ("at", "n"))
    if request.method == "POST":
        at, kept = _take_answer(request, run, at, kept)
        if kept < 0:
            return redirect(f"{reverse('worklist:five')}?c={said.get('c', '')}&at={at}&n={-kept - 1}")
        return redirect(f"{reverse('worklist:five')}?c={','.join(map(str, run))}&at={at}&n={kept}")
    run = run or least_known(request.user.rep)
    customer = question = None
    asked = questions_of(run[at : at + 5], timezone.localdate()) if run[at : at + 5] else {}
    while at < len(run) and question is None:
        waiting = asked.get(run[at], [])
        customer = Customer.objects.filter(pk=run[at], is_listed=True).first() if waiting else None
        question = waiting[0] if customer else None
        if question is None:
            at += 1
    return render(
        request,
        "worklist/five.html",
        {
            "sentence": five_sentence(kept, at),
            "run": ",".join(map(str, run)),
            "at": at,
            "of": len(run),
            "kept": kept,
            "customer": customer,
            "question": question,
            "coverage": 8 - len(asked.get(customer.pk, [])) if customer else None,
        },
    )


def _take_answer(request: SignedInRequest, run: list[int], at: int, kept: int) -> tuple[int, int]:
    """(Where the run goes on, what was kept so far); what was kept comes back below zero when the answer was unusable."""
    customer = get_object_or_404(Customer, pk=_whole(request.POST.get("customer", "")))
    fact = request.POST.get("fact", "")
    if fact not in BY_CODE:
        raise Http404
    doing = request.POST.get("do", "keep")
    if doing == "ask":
        add_action(
            by=request.user, customer=customer, source="karte", source_key=f"five:{customer.pk}:{fact}",
            kind=Action.Kind.ASK, rep=request.user.rep, due=add_business_days(timezone.localdate(), 10),
            title=f"{BY_CODE[fact].ja} / {BY_CODE[fact].en}", why_ja=BY_CODE[fact].ask_ja, why_en=BY_CODE[fact].ask_en,
            rank=500,
        )  # fmt: skip
        return at + 1, kept
    if doing == "skip":
        return at + 1, kept
    try:
        is_yen = BY_CODE[fact].is_yen
        add_fact(
            by=request.user, customer=customer, fact=fact, value=request.POST.get("value", "")[:2000],
            amount=parse_yen(request.POST.get("amount", "")) if is_yen else None, source="memory",
        )  # fmt: skip
    except BadInput as refused:
        messages.error(request, str(refused))
        return at, -kept - 1
    return at + 1, kept + 1


@requires(Permission.WORK)
@require_GET
def handover(request: SignedInRequest) -> HttpResponse:
    """引き継ぎシート of a rep's customers; everybody may see it, as customers are the company's."""
    code = request.GET.get("rep", "")
    rep = get_object_or_404(Rep, code=code) if code else request.user.rep
    page = max(1, _whole(request.GET.get("page", "1")))
    rows, total = handed_over(rep, timezone.localdate(), page) if rep is not None else ([], 0)
    return render(
        request,
        "worklist/handover.html",
        {
            "rep": rep,
            "rows": rows,
            "total": total,
            "page": page,
            "pages": -(-total // MOST_HANDED_OVER),
            "thin": sum(row.coverage <= 2 for row in rows),
            "reps": Rep.objects.order_by("code"),
            "on": timezone.localdate(),
        },
    )


def _order(pk: int) -> LuckyOrder:
    return get_object_or_404(LuckyOrder.objects.select_related("customer__main_rep"), pk=pk)


def _whole(text: str) -> int:
    return int(text) if is_whole(text, 9) else 0


def _back(request: SignedInRequest) -> HttpResponse:
    page = _whole(request.POST.get("page", ""))
    query = "&".join([f"page={page}"] * (page > 1) + ["all=1"] * (request.POST.get("all") == "1"))
    return redirect(reverse("worklist:relisten") + (f"?{query}" if query else ""))
