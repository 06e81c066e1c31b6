from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.cancellations import Netted, net_cancellations

SCHEMA = {
    "customer_id": pl.String,
    "order_id": pl.String,
    "product_id": pl.String,
    "ordered_at": pl.Datetime("us"),
    "quantity": pl.Decimal(18, 3),
    "amount": pl.Decimal(18, 2),
}


def day(n):
    return datetime(2026, 4, 1) + timedelta(days=n)


def lines(*rows, **extra):
    frame = pl.DataFrame(
        [
            (c, o, p, day(d), None if q is None else Decimal(q), None if a is None else Decimal(a))
            for c, o, p, d, q, a in rows
        ],
        schema=SCHEMA,
        orient="row",
    )
    return frame.with_columns(**{name: pl.Series(values, dtype=pl.String) for name, values in extra.items()})


def net_rows(netted: Netted):
    return [
        (o, None if q is None else float(q), None if a is None else float(a))
        for o, q, a in netted.lines.select("order_id", "quantity", "amount").iter_rows()
    ]


def test_lines_without_returns_pass_unchanged():
    frame = lines(("A", "1", "x", 0, 2, 200), ("B", "2", "x", 1, 1, 100))
    netted = net_cancellations(frame)
    assert netted.lines.equals(frame)
    assert netted.unmatched.height == netted.adjustments.height == netted.matched_lines == 0


def test_partial_return_reduces_the_original_in_its_own_period():
    netted = net_cancellations(lines(("A", "1", "x", 0, 10, 1000), ("A", "2", "x", 40, -3, -300)))
    assert net_rows(netted) == [("1", 7, 700)]
    assert netted.lines["ordered_at"].to_list() == [day(0)]
    assert (netted.matched_lines, netted.matched_quantity, netted.matched_amount) == (1, 3, 300)


def test_whole_return_takes_the_line_out():
    netted = net_cancellations(
        lines(("A", "1", "x", 0, 2, 200), ("A", "2", "y", 0, 1, 50), ("A", "3", "x", 1, -2, -200))
    )
    assert net_rows(netted) == [("2", 1, 50)]


def test_latest_earlier_sale_with_enough_is_taken():
    netted = net_cancellations(
        lines(
            ("A", "1", "x", 0, 5, 500),
            ("A", "2", "x", 1, 5, 500),
            ("A", "3", "x", 2, 2, 200),
            ("A", "R", "x", 3, -4, -400),
            ("A", "4", "x", 4, 9, 900),
        )
    )
    assert net_rows(netted) == [("1", 5, 500), ("2", 1, 100), ("3", 2, 200), ("4", 9, 900)]


def test_same_unit_price_is_preferred_to_the_latest():
    netted = net_cancellations(
        lines(("A", "1", "x", 0, 5, 500), ("A", "2", "x", 1, 5, 400), ("A", "R", "x", 2, -5, -500))
    )
    assert net_rows(netted) == [("2", 5, 400)]


def test_return_larger_than_one_sale_takes_several():
    netted = net_cancellations(
        lines(("A", "1", "x", 0, 2, 200), ("A", "2", "x", 1, 2, 200), ("A", "R", "x", 2, -3, -300))
    )
    assert net_rows(netted) == [("1", 1, 100)]


def test_named_order_is_taken_even_when_another_fits_better():
    frame = lines(
        ("A", "1", "x", 0, 5, 500),
        ("A", "2", "x", 1, 5, 500),
        ("A", "R", "x", 2, -2, -200),
        cancels_order_id=[None, None, "1"],
    )
    assert net_rows(net_cancellations(frame)) == [("1", 3, 300), ("2", 5, 500)]


def test_named_order_that_is_missing_takes_nothing_from_other_sales():
    frame = lines(("A", "1", "x", 0, 5, 500), ("A", "R", "x", 2, -2, -200), cancels_order_id=[None, "99"])
    netted = net_cancellations(frame)
    assert net_rows(netted) == [("1", 5, 500)]
    assert netted.unmatched["why_en"].to_list() == ["the order it cancels, or this product on it, is not in the data"]


@pytest.mark.parametrize("number", ["C1001", "C-1001", "1001-R", "R1001"])
def test_order_number_derived_from_another_names_it(number):
    frame = lines((None, "1001", "x", 0, 5, 500), (None, "1002", "x", 1, 5, 500), (None, number, "x", 2, -5, -500))
    netted = net_cancellations(frame)
    assert net_rows(netted) == [("1002", 5, 500)]


def test_derived_number_of_another_customer_names_nothing():
    frame = lines(("B", "1001", "x", 0, 5, 500), ("A", "C1001", "x", 2, -5, -500))
    netted = net_cancellations(frame)
    assert net_rows(netted) == [("1001", 5, 500)]
    assert netted.unmatched.height == 1


def test_anonymous_return_is_kept_aside():
    netted = net_cancellations(lines((None, "1", "x", 0, 5, 500), (None, "C9", "x", 2, -5, -500)))
    assert net_rows(netted) == [("1", 5, 500)]
    assert netted.unmatched["why_en"].to_list() == ["no customer, and no order is named"]


def test_return_of_what_was_never_bought_is_kept_aside():
    netted = net_cancellations(
        lines(("A", "1", "y", 0, 5, 500), ("B", "2", "x", 0, 5, 500), ("A", "R", "x", 2, -5, -500))
    )
    assert len(net_rows(netted)) == 2
    assert netted.unmatched.select("order_id", "why_en").rows() == [
        ("R", "this customer had not bought this product before")
    ]


def test_sale_after_the_return_is_not_touched():
    netted = net_cancellations(lines(("A", "R", "x", 0, -5, -500), ("A", "1", "x", 1, 5, 500)))
    assert net_rows(netted) == [("1", 5, 500)]
    assert netted.unmatched.height == 1


def test_what_exceeds_the_purchases_is_kept_aside():
    netted = net_cancellations(lines(("A", "1", "x", 0, 2, 200), ("A", "R", "x", 1, -5, -500)))
    assert netted.lines.height == 0
    assert [float(v) for v in netted.unmatched.select("quantity", "amount").row(0)] == [-3, -300]
    assert netted.unmatched["why_en"].to_list() == ["more came back than had been bought before"]


def test_money_left_after_a_cheaper_return_is_an_adjustment():
    netted = net_cancellations(lines(("A", "1", "x", 0, 2, 200), ("A", "R", "x", 1, -2, -150)))
    assert netted.lines.height == 0
    assert [float(v) for v in netted.adjustments.select("quantity", "amount").row(0)] == [0, 50]


def test_stock_corrections_without_price_are_no_returns():
    frame = lines(
        ("A", "1", "x", 0, 2, 200),
        (None, "2", "x", 1, -50, 0),
        (None, "3", "x", 1, 50, 0),
        (None, "4", "x", 1, 1, 0),
        (None, "4", "y", 1, 1, 90),
    )
    netted = net_cancellations(frame)
    assert netted.lines["order_id"].to_list() == ["1", "4", "4"]
    assert netted.adjustments["order_id"].to_list() == ["2", "3"]


def test_amounts_corrected_without_quantity_are_adjustments():
    netted = net_cancellations(
        lines(("A", "1", "x", 0, 2, 200), ("A", "2", "x", 1, 1, -30), ("A", "3", "x", 1, 0, -10))
    )
    assert netted.lines["order_id"].to_list() == ["1"]
    assert netted.adjustments["order_id"].to_list() == ["2", "3"]


def test_lines_without_quantity_net_by_amount():
    netted = net_cancellations(lines(("A", "1", "x", 0, None, 500), ("A", "2", "x", 1, None, -200)))
    assert net_rows(netted) == [("1", None, 300)]


def test_quantity_and_amount_may_be_missing():
    frame = lines(("A", "1", "x", 0, 2, 200)).drop("quantity", "amount")
    assert net_cancellations(frame).lines.equals(frame)
    units = lines(("A", "1", "x", 0, 2, 200), ("A", "2", "x", 1, -1, -100)).drop("amount")
    assert net_cancellations(units).lines["quantity"].to_list() == [Decimal(1)]


def test_days_and_floats_and_whole_numbers_work():
    frame = pl.DataFrame(
        {
            "customer_id": [7, 7],
            "order_id": [1, 2],
            "product_id": [5, 5],
            "ordered_at": [date(2026, 4, 1), date(2026, 4, 1)],
            "quantity": [3, -1],
            "amount": [0.3, -0.1],
        }
    )
    netted = net_cancellations(frame)
    assert netted.lines["quantity"].to_list() == [2]
    assert netted.lines["amount"].to_list() == pytest.approx([0.2])


def test_missing_column_is_named():
    with pytest.raises(MappingIncomplete, match="product_id"):
        net_cancellations(pl.DataFrame({"customer_id": ["A"], "order_id": ["1"], "ordered_at": [date(2026, 4, 1)]}))


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", None]),
        st.sampled_from(["1", "2", "3", "C1", "2-R"]),
        st.sampled_from(["x", "y"]),
        st.integers(0, 4),
        st.integers(-5, 5) | st.none(),
        st.integers(-500, 500).map(lambda sen: Decimal(sen) / 100) | st.none(),
    ),
    max_size=14,
)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_quantities_and_amounts_add_up_to_what_came_in(rows, random):
    frame = lines(*rows, cancels_order_id=[random.choice([None, None, "1", "9"]) for _ in rows])
    netted = net_cancellations(frame)
    for name in ("quantity", "amount"):
        parts = [part[name].sum() or 0 for part in (netted.lines, netted.unmatched, netted.adjustments)]
        assert sum(parts) == (frame[name].sum() or 0)
    sold = netted.lines
    assert sold.filter((pl.col("quantity") < 0) | (pl.col("amount") < 0)).height == 0
    assert sold.columns == frame.columns and sold.schema == frame.schema
    assert netted.unmatched.drop("why_ja", "why_en").schema == frame.schema


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_net_lines_keep_their_order_and_netting_again_changes_nothing(rows):
    frame = lines(*rows).with_row_index("line")
    netted = net_cancellations(frame)
    assert netted.lines["line"].is_sorted()
    assert net_cancellations(netted.lines).lines.equals(netted.lines)
