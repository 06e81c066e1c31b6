"""一緒に売れる: a pair once, in words, with the customers behind it."""

from collections.abc import Callable

import pytest
from django.test import Client

from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer
from nobishiro.web.offers.pair_table import pair_page

Company = dict[str, Customer]
SignedIn = Callable[[Role], Client]


def names(words: str = "", family: str = "", order: str = "") -> list[tuple[str, str]]:
    run = published()
    assert run is not None
    return [(pair.product, pair.other) for pair in pair_page(run, words, family, order, 1).rows]


def test_pair_is_listed_once_in_the_direction_that_says_more(company: Company) -> None:
    assert names() == [("P2", "P1"), ("P1", "P3")]


def test_direction_is_said_from_ten_customers_up(company: Company) -> None:
    run = published()
    assert run is not None
    first, second = pair_page(run, "", "", "", 1).rows
    assert (first.first, round(first.first_share or 0, 2), first.direction_n) == ("光電 <E100>", 0.71, 17)
    assert (second.first, second.is_even) == ("", False)


@pytest.mark.parametrize(
    ("words", "family", "wanted"),
    [
        ("照明", "", [("P2", "P1")]),
        ("ｅ１００ ｖ", "", [("P1", "P3")]),
        ("p3", "", [("P1", "P3")]),
        ("", "F2", [("P1", "P3")]),
        ("none", "", []),
        (".*", "", []),
    ],
)
def test_words_and_family_narrow_the_pairs(
    company: Company, words: str, family: str, wanted: list[tuple[str, str]]
) -> None:
    assert names(words, family) == wanted


def test_page_says_it_in_words_and_keeps_lift_behind_the_grounds(company: Company, signed_in: SignedIn) -> None:
    page = signed_in(Role.MARKETER).get("/together/").content.decode()
    assert "照明 L1の受注の60%に光電 &lt;E100&gt;も入っています" in page
    assert "先に光電 &lt;E100&gt;を買った人が71%（17社中）" in page
    assert page.index("<details") < page.index("リフト")
    assert "/together/buyers/?product=P2&amp;other=P1" in page


def test_number_of_orders_leads_to_who_bought_both(company: Company, signed_in: SignedIn) -> None:
    page = signed_in(Role.MARKETER).get("/together/buyers/?product=P1&other=P2").content.decode()
    # A1 has both on one order, C1 on two orders, B1 bought only one of the two
    assert "2社、同じ受注で1件" in page
    assert "東和食品機械" in page
    assert "大空商事" in page
    assert "北斗精機" not in page
    assert signed_in(Role.MARKETER).get("/together/buyers/?product=P1&other=none").status_code == 404


@pytest.mark.parametrize(
    "address",
    ["/together/", "/together/?q=照明&family=F1&order=together&page=9", "/together/buyers/?product=P1&other=P2"],
)
def test_pages_stay_within_fifteen_queries(
    company: Company, signed_in: SignedIn, address: str, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = signed_in(Role.SHOP_MANAGER)
    client.get(address)
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        assert client.get(address).status_code == 200


def test_before_the_first_run_the_page_says_what_it_takes(signed_in: SignedIn, site_workspace: object) -> None:
    page = signed_in(Role.MARKETER).get("/together/").content.decode()
    assert "5件以上必要です" in page
