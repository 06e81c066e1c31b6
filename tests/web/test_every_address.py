"""Every address × every role × nobody, by GET and by POST, against the one table in `site_addresses.ACCESS`."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.http import HttpResponseBase
from django.test import Client
from django.urls import resolve, reverse
from site_addresses import ACCESS, CLOSED, NOTHING_BEHIND, OPEN, Address, Objects, addresses, confirmed

from nobishiro.web.core.doorkeeper import needed_permission
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Permission, Role
from nobishiro.web.customers.models import Customer
from nobishiro.web.people.models import User

EVERY = sorted(addresses(), key=lambda address: address.name)
LOGIN = "/account/login/"


@pytest.fixture(autouse=True)
def no_counts_kept() -> None:
    cache.clear()


def test_every_address_is_in_the_table_and_nothing_else() -> None:
    there = {address.name for address in EVERY}
    assert there - set(ACCESS) == set(), "say in site_addresses.ACCESS who may open it"
    assert set(ACCESS) - there == set(), "no longer there"
    assert there >= NOTHING_BEHIND


def test_every_address_says_what_it_needs() -> None:
    for address in EVERY:
        needed = needed_permission(address.view, address.name.split(":")[-1])
        if ACCESS[address.name] is CLOSED:
            assert needed is not None and not isinstance(needed, Permission), address.name
        else:
            assert needed is None or isinstance(needed, Permission), f"{address.name}: the view has no @requires"


def test_no_two_names_stand_for_one_address() -> None:
    """The first would hide the second."""
    arguments = {"pk": 1, "uidb36": "x", "key": "y", "ending": "csv", "question": 2, "family": "F1", "name": "n"}
    for address in EVERY:
        kwargs = {name: arguments.get(name, 3 if name.endswith("_pk") else "id-1") for name in address.arguments}
        found = resolve(reverse(address.name, kwargs=kwargs))
        assert found.view_name == address.name


def is_shown_the_door(response: HttpResponseBase) -> bool:
    return response.status_code == 302 and response.headers["Location"].startswith(LOGIN)


def denials() -> int:
    return AuditEntry.objects.filter(verb="denied").count()


@pytest.mark.slow  # a minute and more: every address as everybody; `make test-faults` runs it
@pytest.mark.django_db
@pytest.mark.parametrize("address", EVERY, ids=lambda address: address.name)
def test_who_may_open_it(
    address: Address,
    site_workspace: object,
    customer: Customer,
    person: Callable[[Role], User],
    signed_in: Callable[[Role], Client],
) -> None:
    """Nobody is shown the door, the wrong role finds nothing there (404, written down), the right one gets an answer."""
    allowed = ACCESS[address.name]
    url = Objects(person(Role.REP), customer).url(address)
    visitors = {role: confirmed(signed_in(role), person(role)) for role in Role}
    for method in ("get", "post"):
        nobody = getattr(Client(), method)(url)
        nobody.close()
        assert nobody.status_code < 500
        if address.name != "mfa_authenticate":  # leads back to its first half
            assert is_shown_the_door(nobody) is (allowed != OPEN), f"nobody {method}: {nobody.status_code}"
        if allowed != OPEN:
            assert getattr(Client(), method)(url, headers={"HX-Request": "true"}).status_code == 401
        for role in Role:
            if method == "post" and address.name in ("account_logout", "people:user_disable"):
                continue  # ends the very sessions this test needs
            before = denials()
            response = getattr(visitors[role], method)(url)
            response.close()
            where = f"{role} {method}: {response.status_code}"
            assert response.status_code < 500 and response.status_code != 403, where
            if allowed is CLOSED or (allowed != OPEN and role not in allowed):
                assert response.status_code == 404 and denials() == before + 1, where
                assert "not_found.html" in str([template.name for template in response.templates])
            else:
                assert denials() == before and not is_shown_the_door(response), where
                if method == "get" and address.name not in NOTHING_BEHIND:
                    assert response.status_code in (200, 302, 303, 405), where
