"""Yen as the person wants them."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from nobishiro.web.core.permissions import Role
from nobishiro.web.core.templatetags.nobishiro import yen
from nobishiro.web.core.yen_units import shown_in, yen_unit
from nobishiro.web.people.models import User


@pytest.mark.parametrize(
    ("unit", "ja", "en"),
    [
        ("yen", "¥1,234,567", "¥1,234,567"),
        ("thousand", "1,235千円", "¥1,235k"),
        ("million", "1.2百万円", "¥1.2M"),
        ("furlong", "¥1,234,567", "¥1,234,567"),
    ],
)
def test_yen_in_each_unit(unit: str, ja: str, en: str) -> None:
    with shown_in(unit):
        for language, said in (("ja", ja), ("en", en)):
            with translation.override(language):
                assert yen(1_234_567) == said
                assert yen(-1_234_567) == f"▲{said}"
                assert yen(820) == "¥820", "less than one unit stays in yen"
    assert yen_unit() == "yen"


@pytest.mark.django_db
def test_the_unit_of_the_account_counts_for_its_own_requests(
    signed_in: Callable[[Role], Client], person: Callable[[Role], User]
) -> None:
    client = signed_in(Role.MANAGER)
    answers = {
        "name": "M",
        "language": "ja",
        "yen_unit": "thousand",
        "role": "administrator",
        "is_active": "",
        "email": "x@x.jp",
    }
    assert client.post(reverse("people:account_settings"), answers).status_code == 302
    user = person(Role.MANAGER)
    assert (user.yen_unit, user.role, user.email, user.is_active) == (
        "thousand",
        Role.MANAGER,
        "manager@example.jp",
        True,
    )
    assert client.post(reverse("people:account_settings"), {"name": "M", "yen_unit": "furlong"}).status_code == 422
