"""Backtests on history made by hand."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from nobishiro.contracts.errors import NotEnoughHistory
from nobishiro.engine.measure.backtest import POPULAR, backtest_new, sales_before
from nobishiro.engine.settings import RecommendSettings
from nobishiro.engine.understand.sales import encode_sales

START = date(2026, 1, 1)


def history(customers=120, seed=3):
    """Two camps: those who bought `a` buy `b` sixty days later, those who bought `x` buy `y`; `z` is bought by all."""
    rows = []
    for number in range(customers):
        first, second = (("a", "b"), ("x", "y"))[number % 2]
        begin = (number * 7) % 150
        for product, day in ((first, begin), ("z", begin), (second, begin + 60)):
            rows.append((f"c{number:03}", f"{number}-{product}", product, START + timedelta(days=day)))
    lines = pl.DataFrame(rows, schema=["customer_id", "order_id", "product_id", "ordered_at"], orient="row")
    return encode_sales(lines, START + timedelta(days=200))


def test_what_follows_from_the_own_purchases_beats_popularity():
    settings = RecommendSettings(min_buyers=1, shrinkage=0.0)
    results = backtest_new(history(), {"knn": settings}, cuts=1, window_days=60, k=1)
    by_name = {result.name: result for result in results}
    assert by_name["knn"].ndcg > by_name[POPULAR].ndcg
    assert by_name["knn"].low <= by_name["knn"].ndcg <= by_name["knn"].high
    assert by_name["knn"].customers == by_name[POPULAR].customers


def test_the_company_as_of_an_earlier_day_knows_nothing_later():
    sales = history()
    earlier = sales_before(sales, START + timedelta(days=40))
    assert earlier.order_day.max() < earlier.as_of_day
    assert earlier.line_product.size == earlier.order_start[-1]
    assert earlier.orders.len() == earlier.order_customer.size
    direct = np.flatnonzero(sales.line_day < earlier.as_of_day)
    assert earlier.line_product.tolist() == sales.line_product[direct].tolist()


def test_with_few_customers_nothing_is_chosen_and_it_says_so():
    with pytest.raises(NotEnoughHistory, match="30 customers"):
        backtest_new(history(customers=6), {"knn": RecommendSettings()})
