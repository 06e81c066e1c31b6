"""People of every role, customers, and a workspace that the site shows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer
from nobishiro.web.people.models import Division, Rep, User

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session", autouse=True)
def _keep_the_connection(django_db_setup: None) -> None:
    """A response a test closes ends its request, and with it the connection; the test's own transaction still needs it."""
    connection.close_if_unusable_or_obsolete = lambda: None  # type: ignore[method-assign]


@pytest.fixture
def site_workspace(tmp_path: Path, settings: LazySettings) -> Path:
    """An empty directory as the installation's workspace; what a test writes there is what the pages show."""
    settings.INSTALLATION = replace(settings.INSTALLATION, workspace=tmp_path / "workspace")
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


@pytest.fixture
def division(db: None) -> Division:
    return Division.objects.create(code="D1", name="汎用センサ", is_window=True)


@pytest.fixture
def rep(division: Division) -> Rep:
    return Rep.objects.create(code="R1", name="佐藤 健", division=division, hours_per_month=80)


@pytest.fixture
def person(rep: Rep) -> Callable[[Role], User]:
    """The person of a role, made when first asked for; the rep is R1."""

    def make(role: Role) -> User:
        known = User.objects.filter(email=f"{role}@example.jp").first()
        if known is not None:
            return known
        made = User.objects.create_user(f"{role}@example.jp", f"{role} さん", role, PASSWORD)
        made.division = rep.division
        made.rep = rep if role is Role.REP else None
        made.language = "ja"
        made.save()
        return made

    return make


@pytest.fixture
def signed_in(person: Callable[[Role], User]) -> Callable[[Role], Client]:
    """A browser in which somebody of that role is signed in."""

    def make(role: Role) -> Client:
        client = Client()
        client.force_login(person(role), backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return make


@pytest.fixture
def customer(rep: Rep) -> Customer:
    return Customer.objects.create(
        code="000123", name="東和食品機械", kana="トウワショクヒンキカイ", search="東和食品機械 トウワショクヒンキカイ 000123",
        kind="company", state="active", main_rep=rep, main_division=rep.division, quadrant="B", quadrant_computed="B",
        decided_by="computed", potential=3_000_000, potential_low=1_200_000, potential_high=5_000_000,
        potential_basis="estimated", track_record=400_000, orders_12m=4,
    )  # fmt: skip
