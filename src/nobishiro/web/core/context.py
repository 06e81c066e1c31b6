"""What every template knows."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from nobishiro.web.core.company import company_card
from nobishiro.web.core.menu import menu_of


def page(request: HttpRequest) -> dict[str, object]:
    """`menu`, `company` (name, simulated or not, as_of), `languages`, `is_demo`."""
    return {
        "menu": menu_of(request),
        "company": company_card(),
        "languages": settings.LANGUAGES,
        "is_demo": settings.INSTALLATION.is_demo,
    }
