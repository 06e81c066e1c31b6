"""A small world with hostile names, and one visitor of every role who has just confirmed that it is them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.cache import cache
from django.http import HttpResponseBase
from django.test import Client
from site_addresses import ACCESS, CLOSED, OPEN, Address, Objects, addresses, confirmed

from nobishiro.web.core.models import SavedList
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer, Family, Projection
from nobishiro.web.people.models import CompanySettings, Division, Rep, User

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture(autouse=True)
def no_counts_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@dataclass
class Site:
    """Every address with the URL of something there, and who may open it."""

    objects: Objects
    visitors: dict[Role, Client]

    def each(self) -> Iterator[tuple[Address, str, Client]]:
        """Every address that leads somewhere, with a visitor who may open it."""
        for address in sorted(addresses(), key=lambda address: address.name):
            allowed = ACCESS[address.name]
            if allowed is CLOSED:
                continue
            role = Role.REP if allowed == OPEN or Role.REP in allowed else min(allowed)
            yield address, self.objects.url(address), self.visitors[role]

    def get(self, client: Client, url: str) -> tuple[HttpResponseBase, str]:
        """The answer to a GET and its text."""
        response = client.get(url)
        text = (
            b"".join(response).decode("utf-8", "replace")
            if response.streaming
            else response.content.decode("utf-8", "replace")
        )
        response.close()
        return response, text


@pytest.fixture
def site(
    site_workspace: Path, customer: Customer, person: Callable[[Role], User], signed_in: Callable[[Role], Client]
) -> Site:
    CompanySettings(pk=1).save()
    Projection.current()
    objects = Objects(person(Role.REP), customer)
    return Site(objects, {role: confirmed(signed_in(role), person(role)) for role in Role})


@pytest.fixture
def hostile_site(site: Site) -> Site:
    """The same, with markup in every name that people or files can choose."""
    Customer.objects.update(name=HOSTILE, kana=HOSTILE[:400], industry=HOSTILE, address=HOSTILE, phone=HOSTILE[:60])
    Division.objects.update(name=HOSTILE)
    Rep.objects.update(name=HOSTILE)
    Family.objects.update(name=HOSTILE)
    User.objects.update(name=HOSTILE)
    CompanySettings.objects.update(name=HOSTILE)
    SavedList.objects.update(name=HOSTILE, page="customers")
    for made, fields in (
        (site.objects.fact, ("value",)),
        (site.objects.override, ("reason",)),
        (site.objects.hypothesis, ("grounds",)),
        (site.objects.touch, ("subject", "note")),
        (site.objects.action, ("title", "why_ja", "why_en")),
        (site.objects.outcome, ("reason",)),
        (site.objects.lucky, ("product_name", "channel")),
        (site.objects.question, ("text_ja", "text_en")),
        (site.objects.referral, ("heard", "lost_reason", "returned_reason")),
        (site.objects.introduction, ("introduced_name", "note")),
        (site.objects.sheet, ("file_name",)),
        (site.objects.draft, ("name", "error")),
        (site.objects.job, ("error", "progress_what")),
        (site.objects.day, ("name",)),
        (site.objects.invitation, ("name",)),
    ):
        type(made).objects.filter(pk=made.pk).update(
            **{name: HOSTILE[: type(made)._meta.get_field(name).max_length or None] for name in fields}
        )
    return site
