"""一緒に売れる: pairs of products, and the customers behind each."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from nobishiro.pipelines.customer_rows import catalogue_of
from nobishiro.pipelines.pair_buyers import pair_buyers
from nobishiro.web.core.among import among
from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.customers.models import Customer
from nobishiro.web.offers.pair_table import ORDERS, pair_page

PAGE = 50


@requires(Permission.SEE_OFFERS)
@require_GET
def together(request: SignedInRequest) -> HttpResponse:
    """The pairs, most telling first."""
    run = published()
    words, family, order = (request.GET.get(name, "")[:200] for name in ("q", "family", "order"))
    if run is None:
        return render(request, "offers/together.html", {"pairs": None})
    pairs = pair_page(run, words, family, order, _number(request.GET.get("page", "1")))
    address = request.GET.copy()
    address.pop("page", None)
    context = {
        "pairs": pairs, "words": words, "family": family, "order": order if order in ORDERS else "llr",
        "query": address.urlencode(), "is_filtered": bool(words.strip() or family),
    }  # fmt: skip
    return render(request, "offers/together.html", context)


@requires(Permission.SEE_OFFERS)
@require_GET
def buyers(request: SignedInRequest) -> HttpResponse:
    """The customers who bought both products of a pair."""
    run = published()
    product, other = request.GET.get("product", ""), request.GET.get("other", "")
    if run is None:
        raise Http404
    catalogue = catalogue_of(run)
    if product not in catalogue.products or other not in catalogue.products:
        raise Http404
    rows = pair_buyers(run, product, other)
    pages = max(1, -(-rows.height // PAGE))
    page = max(1, min(_number(request.GET.get("page", "1")), pages))
    shown = rows.slice((page - 1) * PAGE, PAGE)
    customers = {row.code: row for row in Customer.objects.filter(among("code", shown["customer_id"].to_list()))}
    context = {
        "product": catalogue.products[product],
        "other": catalogue.products[other],
        "rows": [{**row, "customer": customers.get(row["customer_id"])} for row in shown.iter_rows(named=True)],
        "total": rows.height,
        "orders": int(rows["orders"].sum() or 0),
        "page": page,
        "pages": pages,
    }
    return render(request, "offers/buyers.html", context)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
