"""Bought together: exact counts, an honest test, and who came first."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from nobishiro.contracts.errors import BadInput, SettingsError
from nobishiro.contracts.results import RESULTS
from nobishiro.engine.offer.together import PairCounts, count_pairs, find_pairs
from nobishiro.engine.settings import TogetherSettings
from nobishiro.engine.understand.sales import encode_sales

LOOSE = TogetherSettings(min_together=1, top=1000, max_q=1.0)


def lines_of(*rows: tuple[object, object, object, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["customer_id", "order_id", "product_id", "ordered_at"], orient="row")


def g2(both: int, one: int, other: int, orders: int) -> float:
    cells = ((both, one * other), (one - both, one * (orders - other)), (other - both, (orders - one) * other))
    neither = orders - one - other + both
    cells = (*cells, (neither, (orders - one) * (orders - other)))
    return 2 * sum(seen * math.log(seen * orders / expected) for seen, expected in cells if seen)


def reference(
    order: np.ndarray, product: np.ndarray, rules: TogetherSettings
) -> dict[tuple[int, int], tuple[float, ...]]:
    """The same by brute force: sets, SciPy's hypergeometric law, a plain Benjamini–Hochberg."""
    baskets: dict[int, set[int]] = {}
    for number, code in zip(order.tolist(), product.tolist(), strict=True):
        baskets.setdefault(number, set()).add(code)
    holding = Counter(code for basket in baskets.values() for code in basket)
    both = Counter(pair for basket in baskets.values() for pair in combinations(sorted(basket), 2))
    able = sum(count >= rules.min_together for count in holding.values())
    tests = able * (able - 1) // 2
    tested = []
    for (one, other), count in both.items():
        if count >= rules.min_together and count * len(baskets) > holding[one] * holding[other]:
            p = float(hypergeom.sf(count - 1, len(baskets), holding[one], holding[other]))
            tested.append((p, one, other, count, g2(count, holding[one], holding[other], len(baskets))))
    tested.sort()
    q = 1.0
    partners: dict[int, list[tuple[float, int, int, float, float]]] = {}
    for place in range(len(tested), 0, -1):
        p, one, other, count, llr = tested[place - 1]
        q = min(q, p * tests / place)
        if q <= rules.max_q:
            partners.setdefault(one, []).append((-llr, other, count, p, q))
            partners.setdefault(other, []).append((-llr, one, count, p, q))
    return {
        (one, other): (count, -llr, p, q)
        for one, rows in partners.items()
        for llr, other, count, p, q in sorted(rows)[: rules.top]
    }


def listed(counts: PairCounts) -> dict[tuple[int, int], tuple[float, ...]]:
    keys = zip(counts.product.tolist(), counts.other.tolist(), strict=True)
    values = (counts.together.tolist(), counts.llr.tolist(), counts.p_value.tolist(), counts.q_value.tolist())
    return dict(zip(keys, zip(*values, strict=True), strict=True))


def assert_same(
    found: dict[tuple[int, int], tuple[float, ...]], wanted: dict[tuple[int, int], tuple[float, ...]]
) -> None:
    assert found.keys() == wanted.keys()
    for key, (count, llr, p, q) in wanted.items():
        assert found[key][0] == count
        assert found[key][1] == pytest.approx(llr, rel=1e-9, abs=1e-9)
        assert found[key][2] == pytest.approx(p, rel=2e-6)
        assert found[key][3] == pytest.approx(q, rel=2e-6)


DAY = date(2024, 1, 1)


def test_hand_worked_pair() -> None:
    # Ten orders. Bread on 4, butter on 5, both on 4; milk alone on the rest.
    rows = [("k", order, product, DAY) for order in range(4) for product in ("bread", "butter")]
    rows += [("k", 4, "butter", DAY), *(("k", order, "milk", DAY) for order in range(5, 10))]
    found = find_pairs(encode_sales(lines_of(*rows)), TogetherSettings(min_together=2, max_q=0.2))
    assert found["product_id"].to_list() == ["bread", "butter"]
    assert found["other_product_id"].to_list() == ["butter", "bread"]
    assert found["together"].to_list() == [4, 4]
    assert found["support"].to_list() == pytest.approx([0.4, 0.4])
    assert found["confidence"].to_list() == pytest.approx([1.0, 0.8])
    assert found["lift"].to_list() == pytest.approx([2.0, 2.0])
    # Fisher: C(5,4)·C(5,0)/C(10,4) = 5/210; three products make three pairs that could be counted.
    assert found["q_value"].to_list() == pytest.approx([3 * 5 / 210] * 2)
    assert found["llr"].to_list() == pytest.approx([g2(4, 4, 5, 10)] * 2)
    assert found["direction"].to_list() == [None, None]
    assert found["direction_n"].to_list() == [0, 0]


def test_columns_are_those_of_the_result_table() -> None:
    found = find_pairs(encode_sales(lines_of(("a", 1, 1, DAY))))
    assert tuple(found.columns) == tuple(column.name for column in RESULTS["pairs"].columns)
    assert found.height == 0


def test_ids_keep_their_type_and_their_leading_zeros() -> None:
    rows = [("k", order, code, DAY) for order in range(6) for code in ("007", "0070")]
    rows += [("k", order, "9", DAY) for order in range(6, 20)]
    found = find_pairs(encode_sales(lines_of(*rows)))
    assert sorted(found["product_id"].to_list()) == ["007", "0070"]
    numbers = find_pairs(encode_sales(lines_of(*rows).with_columns(pl.col("product_id").cast(pl.Int64))))
    assert numbers["product_id"].dtype == pl.Int64


def test_direction_is_the_share_of_customers_who_first_bought_the_product_before_the_other() -> None:
    rows: list[tuple[object, object, object, date]] = []
    for customer, first in enumerate(("x", "x", "x", "y", None)):
        for later in range(2):
            if first is not None:
                rows.append((customer, f"{customer}-0", first, DAY))
            rows += [
                (customer, f"{customer}-{later + 1}", code, DAY + timedelta(days=later + 1)) for code in ("x", "y")
            ]
        rows.append((customer, f"{customer}-z", "z", DAY))
    rows += [(9, f"9-{place}", "z", DAY) for place in range(20)]
    rows += [(None, f"n-{place}", code, DAY) for place in range(3) for code in ("x", "y")]
    found = find_pairs(encode_sales(lines_of(*rows)), TogetherSettings(min_together=2))
    by_product = {row["product_id"]: row for row in found.iter_rows(named=True)}
    # Three bought x first, one y; the fifth bought both on one day, and nobody knows who the anonymous are.
    assert by_product["x"]["direction"] == 0.75
    assert by_product["y"]["direction"] == 0.25
    assert by_product["x"]["direction_n"] == by_product["y"]["direction_n"] == 4
    assert by_product["x"]["together"] == 13


triples = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 12), st.integers(0, 6), st.integers(0, 5)), min_size=1, max_size=120
)


@given(triples)
@settings(deadline=None, max_examples=60)
def test_directions_agree_with_brute_force(rows: list[tuple[int, int, int, int]]) -> None:
    owner = {order: (customer, DAY + timedelta(days=day)) for customer, order, _, day in rows}
    frame = lines_of(*((owner[order][0], order, product, owner[order][1]) for _, order, product, _ in rows))
    first: dict[tuple[int, int], date] = {}
    for customer, _, product, day in frame.iter_rows():
        first[customer, product] = min(first.get((customer, product), day), day)
    for row in find_pairs(encode_sales(frame), LOOSE).iter_rows(named=True):
        one, other = row["product_id"], row["other_product_id"]
        both = [c for c in range(8) if (c, one) in first and (c, other) in first and first[c, one] != first[c, other]]
        assert row["direction_n"] == len(both)
        earlier = sum(first[c, one] < first[c, other] for c in both)
        assert row["direction"] == (pytest.approx(earlier / len(both)) if both else None)


rules = st.builds(
    TogetherSettings,
    min_together=st.integers(1, 4),
    top=st.sampled_from([1, 2, 100]),
    # No q of so few orders falls on these to the last bit.
    max_q=st.sampled_from([0.0513, 0.3017, 1.0]),
)


@given(st.lists(st.tuples(st.integers(-5, 25), st.integers(0, 8)), max_size=200), rules, st.integers(1, 3))
@settings(deadline=None, max_examples=200)
def test_counts_agree_with_brute_force_in_any_sequence_of_lines(
    rows: list[tuple[int, int]], rule: TogetherSettings, threads: int
) -> None:
    order = np.array([row[0] for row in rows], np.int64) * 1_000_003
    product = np.array([row[1] for row in rows], np.int32)
    wanted = reference(order, product, TogetherSettings(min_together=rule.min_together, top=100, max_q=rule.max_q))
    found = listed(count_pairs(order, product, rule, threads))
    # Equal G² may differ in the last bit between two sums, so ties at the cut are compared by value.
    for one in {key[0] for key in wanted}:
        best = sorted((value[1] for key, value in wanted.items() if key[0] == one), reverse=True)[: rule.top]
        mine = sorted((value[1] for key, value in found.items() if key[0] == one), reverse=True)
        assert mine == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert_same(found, {key: wanted[key] for key in found})


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), min_size=1, max_size=150), st.randoms())
@settings(deadline=None, max_examples=60)
def test_shuffled_lines_give_the_same_rows(rows: list[tuple[int, int]], random: object) -> None:
    lines = np.array(sorted(rows), np.int64)
    mixed = lines[np.random.default_rng(len(rows)).permutation(len(rows))]
    straight = count_pairs(lines[:, 0].copy(), lines[:, 1].copy(), LOOSE)
    shuffled = count_pairs(mixed[:, 0].copy(), mixed[:, 1].copy(), LOOSE)
    assert listed(straight) == listed(shuffled)


def random_baskets(seed: int, orders: int, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every product falls on every order by its own rate and independently."""
    held = np.random.default_rng(seed).random((orders, rates.size)) < rates
    order, product = np.nonzero(held)
    return order, product


def test_independent_baskets_yield_a_rule_no_more_often_than_the_stated_rate() -> None:
    # Where nothing is associated every rule is false: a rate of 0.2 promises one in at most a fifth of the sets.
    sets = 150
    rates = np.random.default_rng(0).uniform(0.02, 0.3, 40)
    rule = TogetherSettings(min_together=2, max_q=0.2)
    wrong = sum(count_pairs(*random_baskets(seed, 400, rates), rule).product.size > 0 for seed in range(sets))
    assert wrong <= binom.ppf(0.9999, sets, 0.2)
    assert wrong >= 1, "a test that never errs at a rate of 0.2 has no power"


def test_planted_pair_is_found_among_independent_ones() -> None:
    order, product = random_baskets(5, 2000, np.full(60, 0.05))
    # On half of the orders with product 3, product 4 comes along.
    with_three = np.unique(order[product == 3])
    order = np.concatenate((order, with_three[::2]))
    product = np.concatenate((product, np.full(with_three[::2].size, 4)))
    found = listed(count_pairs(order, product, TogetherSettings(min_together=5)))
    assert (3, 4) in found
    assert (4, 3) in found
    assert len(found) <= 6


def test_small_expected_counts_use_the_exact_tail() -> None:
    # 5 orders with both where 0.5 are expected: χ² on G² would say 0.00009.
    order = np.concatenate((np.arange(0, 100), np.arange(95, 145), np.arange(145, 10_000)))
    product = np.concatenate((np.zeros(100), np.ones(50), np.full(9_855, 2))).astype(np.int32)
    found = count_pairs(order, product, TogetherSettings(min_together=5, max_q=1.0))
    place = int(np.flatnonzero((found.product == 0) & (found.other == 1))[0])
    assert found.p_value[place] == pytest.approx(hypergeom.sf(4, 10_000, 100, 50), rel=1e-6)


def test_p_of_large_counts_is_never_too_small_and_close() -> None:
    rng = np.random.default_rng(3)
    order, product = random_baskets(4, 60_000, rng.uniform(0.2, 0.5, 6))
    found = count_pairs(order, product, LOOSE)
    exact = hypergeom.sf(found.together - 1, found.orders, found.holding[found.product], found.holding[found.other])
    assert (found.p_value >= exact * (1 - 1e-6)).all()
    telling = exact < 0.01
    assert (found.p_value[telling] <= exact[telling] * 1.25).all()


def test_counts_above_65535_are_exact() -> None:
    orders = 150_000
    order = np.concatenate((np.arange(0, 90_000), np.arange(10_000, 100_000), np.arange(100_000, orders)))
    product = np.concatenate((np.zeros(90_000), np.ones(90_000), np.full(50_000, 2))).astype(np.int32)
    found = count_pairs(order, product)
    assert found.together.tolist() == [80_000, 80_000]
    assert found.llr.tolist() == pytest.approx([g2(80_000, 90_000, 90_000, orders)] * 2)
    assert found.orders == orders


def test_more_than_65535_products_give_the_same_answers() -> None:
    rng = np.random.default_rng(11)
    products = 70_000
    base = np.arange(products, dtype=np.int64)
    # Every product stands on two orders with a fixed partner and on one more by itself.
    partner = base ^ 1
    order = np.concatenate((base // 2, products + base // 2, 2 * products + base))
    product = np.concatenate((base, base, base))
    mixed = rng.permutation(order.size)
    found = count_pairs(order[mixed], product[mixed], TogetherSettings(min_together=2, top=3))
    assert found.tests == products * (products - 1) // 2
    assert found.product.tolist() == base.tolist()
    assert found.other.tolist() == partner.tolist()
    assert (found.together == 2).all()
    assert found.orders == 2 * (products // 2) + products
    exact = hypergeom.sf(1, found.orders, 3, 3)
    assert found.p_value[:3] == pytest.approx(exact, rel=2e-6)


def test_wide_and_narrow_codes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    order = np.sort(rng.integers(0, 3_000, 20_000))
    product = (rng.zipf(1.4, 20_000) % 500).astype(np.int32)
    narrow = count_pairs(order, product, TogetherSettings(max_q=0.5))
    monkeypatch.setattr("nobishiro.engine.offer.baskets._NARROW", 10)
    assert listed(count_pairs(order, product, TogetherSettings(max_q=0.5))) == listed(narrow)


def test_number_of_threads_changes_nothing() -> None:
    rng = np.random.default_rng(8)
    order = np.sort(rng.integers(0, 20_000, 200_000))
    product = (rng.zipf(1.3, 200_000) % 3_000).astype(np.int32)
    one = count_pairs(order, product, threads=1)
    for threads in (2, 5):
        other = count_pairs(order, product, threads=threads)
        for field in ("product", "other", "together", "llr", "p_value", "q_value", "holding"):
            assert np.array_equal(getattr(one, field), getattr(other, field))


def test_an_order_with_thousands_of_lines_is_counted() -> None:
    rng = np.random.default_rng(1)
    order = np.concatenate((np.zeros(6_000, np.int64), np.repeat(np.arange(1, 400), 3)))
    product = np.concatenate((rng.permutation(np.tile(np.arange(2_000), 3)), np.tile([0, 1, 2], 399)))
    found = count_pairs(order, product, TogetherSettings(min_together=5))
    assert found.holding[0] == 400
    assert found.holding[1999] == 1


@pytest.mark.parametrize("rule", [{"min_together": 0}, {"top": 0}, {"max_q": 0.0}, {"max_q": 1.5}])
def test_impossible_settings_are_refused_by_name(rule: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=f"together.{next(iter(rule))}"):
        count_pairs(np.zeros(1, np.int64), np.zeros(1, np.int64), TogetherSettings(**rule))


@pytest.mark.parametrize(
    ("order", "product"),
    [
        (np.zeros(2, np.int64), np.zeros(3, np.int64)),
        (np.zeros(2), np.zeros(2, np.int64)),
        (np.zeros(2, np.int64), np.array([0, -1])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(order: np.ndarray, product: np.ndarray) -> None:
    with pytest.raises(BadInput):
        count_pairs(order, product)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_every_integer_type_is_read(dtype: type) -> None:
    order = np.array([3, 1, 3, 1, 2, 2, 9, 8], dtype)
    product = np.array([0, 0, 1, 1, 0, 1, 2, 2], dtype)
    assert listed(count_pairs(order, product, LOOSE)) == listed(
        count_pairs(order.astype(np.int64), product.astype(np.int64), LOOSE)
    )
    assert count_pairs(order, product, LOOSE).together.tolist() == [3, 3]


def test_nothing_at_all_gives_no_rows() -> None:
    empty = np.empty(0, np.int64)
    found = count_pairs(empty, empty)
    assert found.product.size == found.q_value.size == found.orders == found.tests == 0
