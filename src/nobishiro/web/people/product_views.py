"""商材: the list, and correcting one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.tables import PRODUCT_KINDS
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.people.products import correct_product, editable_for, product_fields, product_page

_PAGE = 50
FIELD_LABELS = {
    "family": _("Family"),
    "grade": _("Grade"),
    "upgrade_of": _("One grade above the product (code)"),
    "kind": _("Kind"),
    "price": _("List price (yen)"),
    "active_from": _("On sale from"),
    "active_to": _("On sale until"),
    "cost": _("Cost (yen)"),
    "margin_rate": _("Margin rate (0–1)"),
}
KIND_LABELS = {
    "goods": pgettext_lazy("kind of product", "goods"),
    "service": pgettext_lazy("kind of product", "service"),
    "plan": pgettext_lazy("kind of product", "plan"),
    "course": pgettext_lazy("kind of product", "course"),
    "fee": pgettext_lazy("kind of product", "fee"),
    "postage": pgettext_lazy("kind of product", "postage"),
    "discount": pgettext_lazy("kind of product", "discount"),
    "adjustment": pgettext_lazy("kind of product", "adjustment"),
    "test": pgettext_lazy("kind of product", "test"),
    "other": pgettext_lazy("kind of product", "other"),
}


@requires(Permission.SEE_OFFERS)
@require_GET
def products(request: SignedInRequest) -> HttpResponse:
    """What is sold."""
    said = request.GET
    number = said.get("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    search, family, lacks = (said.get(name, "").strip()[:200] for name in ("q", "family", "lacks"))
    found = product_page(
        request.user, search=search, family=family, lacks=lacks, offset=(page - 1) * _PAGE, limit=_PAGE
    )
    kept = {name: value for name, value in (("q", search), ("family", family), ("lacks", lacks)) if value}
    last = max(1, -(-found.total // _PAGE))
    for row in found.rows:
        row["url"] = f"{reverse('people:product')}?{urlencode({'code': str(row['product_id'])})}"
        row["kind_label"] = KIND_LABELS.get(str(row["kind"]), "")
    return render(
        request,
        "people/products.html",
        {
            "found": found, "q": search, "family": family, "lacks": lacks, "page": page, "last": last,
            "sees_cost": request.user.may(Permission.SEE_COST), "may_import": request.user.may(Permission.IMPORT),
            "is_narrowed": bool(kept),
            "previous": f"?{urlencode({**kept, 'page': str(page - 1)})}" if page > 1 else "",
            "next": f"?{urlencode({**kept, 'page': str(page + 1)})}" if page < last else "",
        },
    )  # fmt: skip


@requires(Permission.SEE_OFFERS)
@require_http_methods(["GET", "POST"])
def product(request: SignedInRequest) -> HttpResponse:
    """One product, `?code=`; POST keeps corrections of the fields this person may correct."""
    code = request.GET.get("code", "")
    found = product_fields(request.user, code)
    if found is None:
        raise Http404
    editable = editable_for(request.user)
    trouble, status = "", 200
    if request.method == "POST":
        if not editable:
            raise Http404
        try:
            changed = correct_product(
                by=request.user,
                code=code,
                values={name: request.POST[name] for name in editable if name in request.POST},
            )
        except BadInput as error:
            trouble, status = str(error), 422
        else:
            messages.success(
                request,
                gettext("Saved. It counts from the next figures on.") if changed else gettext("Nothing was changed."),
            )
            return redirect(f"{reverse('people:product')}?{urlencode({'code': code})}")
    name, fields = found
    shown = [
        (field, FIELD_LABELS[field.name], request.POST.get(field.name, field.value) if trouble else field.value)
        for field in fields
    ]
    kinds = [(kind, KIND_LABELS[kind]) for kind in PRODUCT_KINDS]
    said = {"code": code, "name": name, "fields": shown, "kinds": kinds, "trouble": trouble, "may_edit": bool(editable)}
    return render(request, "people/product.html", said, status=status)
