"""Personal recommendations: new and again, apart, each with its reason."""

import json
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.results import RESULTS
from nobishiro.engine.offer.personal import recommend_in_parts, recommend_products
from nobishiro.engine.settings import RecommendSettings
from nobishiro.engine.understand.sales import encode_sales

START = date(2026, 1, 1)
NO_NAMES = pl.DataFrame(schema={"product_id": pl.String, "name": pl.String})
FEW = RecommendSettings(k=3, min_buyers=1, shrinkage=0.0)


def sales_of(purchases, as_of=100):
    rows = [
        {"customer_id": c, "order_id": f"{c}-{d}", "product_id": p, "ordered_at": START + timedelta(days=d)}
        for c, p, d in purchases
    ]
    return encode_sales(pl.DataFrame(rows), START + timedelta(days=as_of))


def lamps():
    """Eight bought a lamp and a camera, two a lamp and a filter, X a lamp alone."""
    bought = [(f"c{n}", "lamp", n) for n in range(8)] + [(f"c{n}", "camera", n) for n in range(8)]
    bought += [(f"d{n}", p, n) for n in range(2) for p in ("lamp", "filter")]
    return sales_of([*bought, ("x", "lamp", 3)])


def of(frame, customer, kind):
    return frame.filter(customer_id=customer, kind=kind).sort("rank")


def test_the_product_most_bought_beside_ones_own_comes_first_with_real_counts():
    names = pl.DataFrame({"product_id": ["lamp", "camera"], "name": ["検査用照明", "画像検査カメラ"]})
    first = of(recommend_products(lamps(), names, FEW), "x", "new").row(0, named=True)
    assert (first["product_id"], first["reason"]) == ("camera", "bought_with")
    # eleven bought the lamp; the other ten without x, eight of them the camera
    assert json.loads(first["evidence"]) == {"because": ["lamp"], "buyers": 10, "both": 8}
    assert first["say_ja"] == "「検査用照明」をお使いのお客様10社のうち8社が、「画像検査カメラ」もあわせてお選びです。"


def test_a_customer_who_is_one_of_few_is_never_given_away():
    second = of(recommend_products(lamps(), NO_NAMES, FEW), "x", "new").row(1, named=True)
    assert second["product_id"] == "filter"
    assert json.loads(second["evidence"])["both"] == 2
    assert (second["say_ja"], second["say_en"]) == ("", "")


def test_nobody_is_offered_as_new_what_they_bought():
    frame = recommend_products(lamps(), NO_NAMES, FEW)
    bought = pl.DataFrame({"customer_id": ["x"], "product_id": ["lamp"]})
    assert frame.filter(kind="new").join(bought, on=["customer_id", "product_id"], how="semi").is_empty()


def test_who_bought_what_nobody_else_did_gets_what_many_bought_lately_and_it_says_so():
    sales = sales_of([(f"c{n}", "lamp", 95) for n in range(6)] + [("lonely", "odd", 1)])
    row = of(recommend_products(sales, NO_NAMES, FEW), "lonely", "new").row(0, named=True)
    assert (row["product_id"], row["reason"]) == ("lamp", "popular")
    assert row["why_ja"] == "直近90日に6社が購入(このお客様は未購入)"


def test_what_is_bought_again_says_when_it_is_due():
    sales = sales_of([("u", "ink", d) for d in (0, 30, 60)] + [("v", "ink", 5)])
    row = of(recommend_products(sales, NO_NAMES, FEW), "u", "replenishment").row(0, named=True)
    assert (row["product_id"], row["reason"], row["due_day"]) == ("ink", "due", START + timedelta(days=90))
    assert "10日過ぎています" in row["why_ja"]


def test_only_the_kinds_asked_for_and_sentences_for_the_first_ranks_only():
    frame = recommend_products(lamps(), NO_NAMES, FEW, kinds=("new",), texts_up_to=1)
    assert frame["kind"].unique().to_list() == ["new"]
    assert (frame.filter(pl.col("rank") == 1)["why_ja"] != "").all()
    assert (frame.filter(pl.col("rank") > 1)["why_ja"] == "").all()


def test_integer_ids_stay_integers():
    lines = pl.DataFrame({"customer_id": [1, 1, 2], "order_id": [1, 1, 2], "product_id": [7, 8, 7]})
    sales = encode_sales(lines.with_columns(pl.lit(START).alias("ordered_at")))
    frame = recommend_products(sales, pl.DataFrame(schema={"product_id": pl.Int64, "name": pl.String}), FEW)
    assert frame.schema["customer_id"] == frame.schema["product_id"] == pl.Int64


def test_one_product_and_no_customer_are_no_error():
    assert recommend_products(sales_of([("u", "p", 1)]), NO_NAMES, FEW).filter(kind="new").is_empty()
    anonymous = pl.DataFrame({"customer_id": [None], "order_id": ["1"], "product_id": ["p"], "ordered_at": [START]})
    sales = encode_sales(anonymous.with_columns(pl.col("customer_id").cast(pl.String)))
    assert recommend_products(sales, NO_NAMES, FEW).columns == list(RESULTS["recommendations"].column_names)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("pqrstu"), st.integers(0, 99)), min_size=1, max_size=60
    )
)
def test_ranks_count_up_scores_fall_and_nothing_is_both_new_and_again(purchases):
    frame = recommend_products(sales_of(purchases), NO_NAMES, FEW)
    for (customer, kind), rows in frame.group_by("customer_id", "kind"):
        assert rows.sort("rank")["rank"].to_list() == list(range(1, rows.height + 1)), (customer, kind)
        assert rows.sort("rank")["score"].is_sorted(descending=True)
    assert frame.select("customer_id", "product_id").is_unique().all()
    bought = {(c, p) for c, p, _ in purchases}
    for c, p, kind in frame.select("customer_id", "product_id", "kind").iter_rows():
        assert ((c, p) in bought) == (kind == "replenishment")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_sales_always_give_the_same_answer(seed):
    purchases = [("abcdefgh"[(n * seed) % 8], "pqrst"[(n * n + seed) % 5], n % 90) for n in range(120)]
    one, two = (recommend_products(sales_of(purchases), NO_NAMES, FEW) for _ in range(2))
    assert one.equals(two)


@pytest.mark.parametrize("customers_a_part", [1, 2, 5, 100])
def test_parts_put_together_are_the_whole(customers_a_part):
    purchases = [("abcdefgh"[n % 8], "pqrstuvw"[(n * n + n // 3) % 8], n % 90) for n in range(70)] + [("z", "odd", 1)]
    whole = recommend_products(sales_of(purchases), NO_NAMES, FEW)
    parts = recommend_in_parts(sales_of(purchases), NO_NAMES, FEW, customers_a_part=customers_a_part)
    assert pl.concat(list(parts)).equals(whole)
