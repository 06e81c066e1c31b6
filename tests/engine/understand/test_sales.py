"""Net sales as dense arrays."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import FileNotUsable, LayoutUnknown
from nobishiro.engine.understand.chunks import LineColumns
from nobishiro.engine.understand.sales import encode_sales, load_sales

COLUMNS = {
    "customer_id": pl.String,
    "order_id": pl.Int64,
    "product_id": pl.String,
    "ordered_at": pl.Datetime("us"),
    "quantity": pl.Float64,
    "amount": pl.Float64,
}


def frame(*rows):
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def noon(day):
    return datetime(2024, 5, day, 12)


def decoded(sales):
    """(customer, order, day, product, quantity, amount) of each line, in the arrays' order."""
    names = [*sales.customers.to_list(), None]
    return [
        (
            names[customer],
            sales.orders[int(order)],
            int(day),
            sales.products[int(product)],
            float(quantity),
            float(amount),
        )
        for customer, order, day, product, quantity, amount in zip(
            sales.line_customer,
            sales.line_order,
            sales.line_day,
            sales.line_product,
            sales.line_quantity,
            sales.line_amount,
            strict=True,
        )
    ]


def test_lines_of_an_order_that_are_not_adjacent_are_put_together():
    sales = encode_sales(
        frame(
            ("b", 2, "x", noon(1), 1.0, 10.0),
            ("a", 1, "y", noon(2), 2.0, 20.0),
            ("b", 2, "y", noon(1), 3.0, 30.0),
            ("a", 1, "x", noon(2), 4.0, 40.0),
            ("b", 2, "x", noon(1), 5.0, 50.0),
        )
    )
    assert sales.as_of == date(2024, 5, 3)
    assert sales.customers.to_list() == ["a", "b"]
    assert sales.orders.to_list() == [1, 2]
    assert sales.order_start.tolist() == [0, 2, 5]
    assert sales.line_product.tolist() == [1, 0, 0, 1, 0]
    assert sales.line_amount.tolist() == [20.0, 40.0, 10.0, 30.0, 50.0]
    assert sales.line_quantity.tolist() == [2.0, 4.0, 1.0, 3.0, 5.0]
    assert sales.customer_start.tolist() == [0, 1, 2]


def test_anonymous_orders_come_first_then_customer_day_and_order():
    sales = encode_sales(
        frame(
            ("b", 9, "x", noon(3), 1.0, 1.0),
            ("b", 7, "x", noon(4), 1.0, 1.0),
            ("b", 8, "x", noon(3), 1.0, 1.0),
            (None, 6, "x", noon(9), 1.0, 1.0),
            ("a", 5, "x", noon(8), 1.0, 1.0),
        )
    )
    assert sales.orders.to_list() == [6, 5, 8, 9, 7]
    assert sales.order_customer.tolist() == [-1, 0, 1, 1, 1]
    assert sales.customer_start.tolist() == [1, 2, 5]


def test_order_that_names_several_customers_is_the_first_ones_on_its_first_day():
    sales = encode_sales(
        frame(
            ("c", 1, "x", noon(3), 1.0, 1.0),
            (None, 1, "x", noon(4), 1.0, 1.0),
            ("a", 1, "x", noon(5), 1.0, 1.0),
            ("b", 2, "x", noon(6), 1.0, 1.0),
        )
    )
    assert sales.customers.to_list() == ["a", "b"]  # c lost the only order it stands on
    assert sales.order_customer.tolist() == [0, 1]
    assert sales.order_day.tolist() == [(date(2024, 5, 3) - date(1970, 1, 1)).days, sales.as_of_day - 1]


def test_as_of_is_exclusive_at_midnight():
    lines = frame(
        ("a", 1, "x", datetime(2024, 5, 1, 23, 59, 59, 999999), 1.0, 1.0),
        ("a", 2, "y", datetime(2024, 5, 2), 1.0, 1.0),
    )
    sales = encode_sales(lines, date(2024, 5, 2))
    assert sales.orders.to_list() == [1]
    assert sales.products.to_list() == ["x"]


def test_missing_quantity_is_one_and_missing_amount_zero():
    sales = encode_sales(frame(("a", 1, "x", noon(1), None, None)))
    assert (sales.line_quantity.tolist(), sales.line_amount.tolist(), sales.has_amounts) == ([1.0], [0.0], True)


def test_source_without_amounts_counts_units():
    lines = frame(("a", 1, "x", noon(1), 3.0, 7.0), ("a", 1, "x", noon(1), None, 7.0))
    assert encode_sales(lines.drop("amount")).line_amount.tolist() == [3.0, 1.0]
    assert not encode_sales(lines.drop("amount")).has_amounts
    assert encode_sales(lines.drop("amount", "quantity")).line_amount.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt16, pl.Int32, pl.UInt32, pl.Int64, pl.String, pl.Categorical])
def test_ids_keep_their_type(tmp_path, kind):
    lines = frame(("2", 1, "5", noon(1), 1.0, 1.0), ("1", 1, "3", noon(2), 1.0, 1.0), ("1", 2, "9", noon(2), 1.0, 1.0))
    lines = lines.with_columns(pl.col("customer_id", "product_id").cast(kind), pl.col("order_id").cast(pl.String))
    path = tmp_path / "lines.parquet"
    lines.write_parquet(path)
    kept = pl.String if kind == pl.Categorical else kind
    for sales in (encode_sales(lines), load_sales([path])):
        assert (sales.customers.dtype, sales.products.dtype, sales.orders.dtype) == (kept, kept, pl.String)
        assert sales.customers.cast(pl.String).to_list() == ["1"]
        assert sales.products.cast(pl.String).to_list() == ["3", "5", "9"]


def test_more_products_than_sixteen_bits_keep_apart(tmp_path):
    count = 70_000
    lines = pl.DataFrame(
        {
            "customer_id": [1] * count,
            "order_id": [1] * count,
            "product_id": range(count),
            "ordered_at": [date(2024, 5, 1)] * count,
        }
    )
    path = tmp_path / "lines.parquet"
    lines.write_parquet(path, row_group_size=9_999)
    for sales in (encode_sales(lines), load_sales([path])):
        assert sales.products.to_list() == list(range(count))
        assert np.array_equal(sales.line_product, np.arange(count))


def test_no_lines_give_empty_arrays():
    sales = encode_sales(frame(), date(2024, 5, 1))
    assert (sales.customers.len(), sales.products.len(), sales.orders.len()) == (0, 0, 0)
    assert sales.order_start.tolist() == [0]
    nothing_before = encode_sales(frame(("a", 1, "x", noon(1), 1.0, 1.0)), date(2000, 1, 1))
    assert nothing_before.customers.len() == 0


def test_column_that_is_missing_is_named():
    with pytest.raises(LayoutUnknown, match="no column product_id; it has customer_id"):
        encode_sales(frame().drop("product_id"))


def test_ids_that_are_fractions_are_refused():
    with pytest.raises(LayoutUnknown, match="column order_id is double"):
        encode_sales(frame().with_columns(pl.col("order_id").cast(pl.Float64)))


def test_moments_with_a_time_zone_are_refused():
    lines = frame().with_columns(pl.col("ordered_at").dt.replace_time_zone("UTC"))
    with pytest.raises(LayoutUnknown, match="without a time zone"):
        encode_sales(lines)


def test_file_that_is_no_parquet_is_named(tmp_path):
    path = tmp_path / "orders.parquet"
    path.write_text("customer,order\n")
    with pytest.raises(FileNotUsable, match=r"orders\.parquet: not readable as Parquet"):
        load_sales([path])
    with pytest.raises(FileNotUsable, match=r"nowhere\.parquet"):
        load_sales([tmp_path / "nowhere.parquet"])
    with pytest.raises(FileNotUsable, match="no files given"):
        load_sales([])


def test_columns_may_have_other_names_in_files(tmp_path):
    path = tmp_path / "lines.parquet"
    frame(("a", 1, "x", noon(1), 2.0, 5.0)).rename({"ordered_at": "ts", "quantity": "qty"}).write_parquet(path)
    sales = load_sales([path], columns=LineColumns(ordered_at="ts", quantity="qty"))
    assert decoded(sales) == [("a", 1, 19844, "x", 2.0, 5.0)]


lines_of_text = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "漢", None]),
        st.integers(0, 8),
        st.sampled_from(["x", "y", "é", None]),
        st.datetimes(datetime(1969, 12, 30), datetime(1970, 1, 3)),
        st.sampled_from([1.0, 2.0]),
        st.sampled_from([1.0, -3.0, None]),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(rows=lines_of_text, size=st.integers(1, 7))
def test_every_line_with_an_order_and_a_product_is_kept_once(tmp_path_factory, rows, size):
    lines = frame(*rows)
    as_of = date(1970, 1, 2)
    owner, first = {}, {}
    kept = [row for row in rows if row[2] is not None and row[3].date() < as_of]
    for customer, order, _, moment, _, _ in kept:
        if customer is not None:
            owner[order] = min(owner.get(order, customer), customer)
        first[order] = min(first.get(order, moment.date()), moment.date())
    want = sorted(
        (owner.get(order) or "", order, (first[order] - date(1970, 1, 1)).days, product, quantity, amount or 0.0)
        for _, order, product, _, quantity, amount in kept
    )
    path = tmp_path_factory.mktemp("lines") / "lines.parquet"
    lines.write_parquet(path, row_group_size=size)
    for sales in (encode_sales(lines, as_of), load_sales([path], as_of)):
        assert sorted((row[0] or "", *row[1:]) for row in decoded(sales)) == want
        places = list(zip(sales.order_customer, sales.order_day, sales.orders, strict=True))
        assert places == sorted(places)
