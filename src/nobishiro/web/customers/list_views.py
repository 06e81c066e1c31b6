"""The page of all customers."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.views.decorators.http import require_GET

from nobishiro.web.core.lists import ListPage, list_page
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.customers.customer_list import SPEC, UNSEEN_DAYS, figures_of
from nobishiro.web.customers.models import Customer


@requires(Permission.SEE_CUSTOMERS)
@require_GET
def customers(request: SignedInRequest) -> HttpResponseBase:
    """Every customer of every division, those without orders as well."""

    def context(shown: ListPage[Customer]) -> dict[str, object]:
        figures = figures_of(shown)
        shown.know_total(figures.total)
        return {
            "figures": figures,
            "unseen_days": UNSEEN_DAYS,
            "by_quadrant": [
                (letter, count, shown.url(quadrant=letter))
                for letter, count in zip("ABCD", (figures.a, figures.b, figures.c, figures.d), strict=True)
            ],
            "unseen_url": shown.url(quadrant="B", unseen=UNSEEN_DAYS),
            "may_import": request.user.may(Permission.IMPORT),
        }

    return list_page(request, SPEC, "customers/list.html", context)
