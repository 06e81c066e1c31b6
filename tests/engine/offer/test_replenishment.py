"""What is due again."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from nobishiro.engine.offer.replenishment import find_repeats, rank_replenishment
from nobishiro.engine.understand.sales import encode_sales

START = date(2026, 1, 1)


def sales_of(purchases, as_of):
    """(customer, product, day number) triples, each an order of its own."""
    rows = [
        {"customer_id": c, "order_id": f"o{n}", "product_id": p, "ordered_at": START + timedelta(days=d)}
        for n, (c, p, d) in enumerate(purchases)
    ]
    return encode_sales(pl.DataFrame(rows), START + timedelta(days=as_of))


def rows_of(sales):
    repeats = find_repeats(sales, half_life_days=180.0)
    return {
        (sales.customers[int(c)], sales.products[int(p)]): (int(n), float(own), float(cycle))
        for c, p, n, own, cycle in zip(
            repeats.customer, repeats.product, repeats.days_bought, repeats.own_cycle, repeats.cycle, strict=True
        )
    }


def test_cycle_is_the_median_gap_and_two_orders_on_a_day_are_one_purchase():
    rows = rows_of(sales_of([("u", "p", 0), ("u", "p", 10), ("u", "p", 10), ("u", "p", 40), ("u", "p", 52)], 60))
    assert rows["u", "p"][:2] == (4, 12.0)  # gaps 10, 30, 12


def test_a_single_purchase_borrows_the_products_cycle():
    rows = rows_of(sales_of([("u", "p", 0), ("u", "p", 30), ("v", "p", 20)], 60))
    assert np.isnan(rows["v", "p"][1])
    assert rows["v", "p"][2] == pytest.approx(30.0)


def test_a_product_nobody_bought_twice_has_no_cycle():
    assert np.isnan(rows_of(sales_of([("u", "p", 0), ("v", "p", 5)], 60))["u", "p"][2])


def test_what_is_due_comes_before_what_was_just_bought():
    fresh = [("u", "fresh", d) for d in (0, 30, 60, 89)]
    due = [("u", "due", d) for d in (0, 30, 58)]
    sales = sales_of(fresh + due + [("v", "due", 0)], 90)
    repeats = find_repeats(sales, 1e9)
    ranked = rank_replenishment(repeats, sales.customers.len(), sales.as_of_day, 3)
    of_u = [sales.products[int(p)] for p in ranked.product[0] if p >= 0]
    assert of_u == ["due", "fresh"]
    assert ranked.product[1].tolist()[1:] == [-1, -1]


def test_no_sales_no_rows():
    empty = pl.DataFrame(
        schema={"customer_id": pl.String, "order_id": pl.String, "product_id": pl.String, "ordered_at": pl.Date}
    )
    repeats = find_repeats(encode_sales(empty), 180.0)
    assert repeats.customer.size == 0
    assert rank_replenishment(repeats, 0, 0, 3).product.shape == (0, 3)


def test_anonymous_orders_are_nobodys_repeats():
    rows = [
        {"customer_id": None, "order_id": "1", "product_id": "p", "ordered_at": START},
        {"customer_id": "u", "order_id": "2", "product_id": "p", "ordered_at": START},
    ]
    repeats = find_repeats(encode_sales(pl.DataFrame(rows)), 180.0)
    assert repeats.days_bought.tolist() == [1]
