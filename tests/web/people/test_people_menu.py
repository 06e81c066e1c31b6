"""The menu marks where one is, below an entry as well."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from nobishiro.web.core.permissions import Role


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "entry"),
    [("people:targets", "people:users"), ("people:products", "people:products"), ("people:account", "")],
)
def test_the_entry_above_a_page_is_marked(
    signed_in: Callable[[Role], Client], site_workspace, name: str, entry: str
) -> None:
    menu = signed_in(Role.ADMINISTRATOR).get(reverse(name)).context["menu"]
    assert [shown.url for shown in menu if shown.is_here] == ([reverse(entry)] if entry else [])
