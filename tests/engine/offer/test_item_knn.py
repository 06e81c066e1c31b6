"""Item-kNN: similarities and scores by hand and against NumPy; what a score is made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import BadInput, SettingsError
from nobishiro.engine.offer.item_knn import ItemKNN
from nobishiro.engine.settings import RecommendSettings


def fit(rows: list[tuple[int, int, float]], shape: tuple[int, int], threads: int = 2, **rule: float) -> ItemKNN:
    customer, product, weight = (np.array(column) for column in zip(*rows, strict=True))
    recommender = ItemKNN(RecommendSettings(**rule), threads)
    recommender.fit(customer.astype(np.int32), product.astype(np.int32), weight.astype(np.float64), shape)
    return recommender


def test_score_by_hand() -> None:
    # Products 0 and 1 share customers 0 and 1; product 1 has three buyers, product 0 two, product 2 one.
    rows = [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0), (2, 1, 1.0), (2, 2, 3.0)]
    recommender = fit(rows, (3, 3), min_buyers=1, shrinkage=2.0)
    product, score = recommender.recommend(np.array([2]), 3, True)
    assert product.tolist() == [[0, -1, -1]]
    assert score[0, 0] == pytest.approx(2 / (math.sqrt(6) + 2))
    product, score = recommender.recommend(np.array([2]), 3, False)
    # Own products by habit: 3.0 of product 2 and what it lends to product 1, and the other way round.
    lent = 1 / (math.sqrt(3) + 2)
    assert product.tolist() == [[2, 1, 0]]
    assert score[0].tolist() == pytest.approx([3 + lent, 1 + 3 * lent, 2 / (math.sqrt(6) + 2)])


def test_product_with_too_few_buyers_is_not_recommended_by_co_purchase() -> None:
    rows = [(c, p, 1.0) for c in range(4) for p in (0, 1)] + [(0, 2, 1.0), (4, 0, 1.0)]
    assert fit(rows, (5, 3), min_buyers=2).recommend(np.array([4]), 3, True)[0].tolist() == [[1, -1, -1]]
    assert fit(rows, (5, 3), min_buyers=1).recommend(np.array([4]), 3, True)[0].tolist() == [[1, 2, -1]]


triples = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 9), st.sampled_from([0.25, 0.5, 1.0, 2.0])), min_size=1, max_size=120
)


@given(triples, st.sampled_from([0.0, 3.0]), st.integers(1, 3), st.booleans(), st.integers(1, 3))
@settings(deadline=None, max_examples=100)
def test_all_scores_agree_with_dense_arithmetic(
    rows: list[tuple[int, int, float]], shrinkage: float, min_buyers: int, exclude: bool, threads: int
) -> None:
    weight = np.zeros((12, 10))
    for customer, product, value in rows:
        weight[customer, product] += value
    held = (weight > 0).astype(float)
    both = held.T @ held
    buyers = np.diag(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        similarity = np.nan_to_num(both / (np.sqrt(np.outer(buyers, buyers)) + shrinkage))
    similarity[buyers < min_buyers] = 0
    similarity[:, buyers < min_buyers] = 0
    np.fill_diagonal(similarity, 1.0)
    scores = weight @ similarity
    if exclude:
        scores[held > 0] = 0
    recommender = fit(rows, (12, 10), threads, shrinkage=shrinkage, min_buyers=min_buyers, neighbours=10)
    product, score = recommender.recommend(np.arange(12), 10, exclude)
    for customer in range(12):
        found = {int(code): float(s) for code, s in zip(product[customer], score[customer], strict=True) if code >= 0}
        wanted = {code: value for code, value in enumerate(scores[customer].tolist()) if value > 0}
        assert found == pytest.approx(wanted, rel=1e-5)
    # Every score is taken apart into what made it.
    customers = np.repeat(np.arange(12), 10)
    behind, share = recommender.explain(customers, product.ravel(), top=10)
    for row, (customer, target) in enumerate(zip(customers.tolist(), product.ravel().tolist(), strict=True)):
        parts = {int(code): float(s) for code, s in zip(behind[row], share[row], strict=True) if code >= 0}
        if target < 0:
            assert not parts
            continue
        made = weight[customer] * similarity[:, target]
        assert parts == pytest.approx({i: v / made.sum() for i, v in enumerate(made.tolist()) if v > 0}, rel=1e-4)
        assert sum(parts.values()) == pytest.approx(1.0, rel=1e-5)
        assert (np.diff(share[row]) <= 0).all()


def test_only_the_nearest_neighbours_count() -> None:
    rng = np.random.default_rng(4)
    pairs = zip(rng.integers(0, 300, 6000).tolist(), (rng.zipf(1.3, 6000) % 80).tolist(), strict=True)
    rows = sorted({(customer, product, 1.0) for customer, product in pairs})
    held = np.zeros((300, 80))
    for customer, product, _ in rows:
        held[customer, product] = 1
    both = held.T @ held
    buyers = np.diag(both).copy()
    similarity = (both / (np.sqrt(np.outer(buyers, buyers)) + 10.0)).astype(np.float32)
    np.fill_diagonal(similarity, 0)
    rank = np.empty(80, int)
    rank[np.argsort(-buyers, kind="stable")] = np.arange(80)
    near = np.zeros_like(similarity)
    for product in range(80):
        best = sorted(np.flatnonzero(similarity[product]), key=lambda q: (-similarity[product, q], rank[q]))[:5]
        near[product, best] = similarity[product, best]
    scores = held @ near
    scores[held > 0] = 0
    product, score = fit(rows, (300, 80), neighbours=5, min_buyers=1).recommend(np.arange(300), 10, True)
    wanted = -np.sort(-scores, axis=1)[:, :10]
    assert score == pytest.approx(wanted, rel=1e-5)
    assert np.take_along_axis(scores, np.maximum(product, 0), 1)[product >= 0] == pytest.approx(
        score[product >= 0], rel=1e-5
    )


def test_number_of_threads_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    rows = list(
        zip(rng.integers(0, 500, 8000).tolist(), (rng.zipf(1.3, 8000) % 300).tolist(), [1.0] * 8000, strict=True)
    )
    one = fit(rows, (500, 300), 1, neighbours=7)
    for threads in (2, 5):
        other = fit(rows, (500, 300), threads, neighbours=7)
        for exclude in (True, False):
            first, second = (r.recommend(np.arange(500), 10, exclude) for r in (one, other))
            assert np.array_equal(first[0], second[0])
            assert np.array_equal(first[1], second[1])


def test_repeated_triples_add_up_in_any_sequence() -> None:
    rows = [(0, 0, 1.0), (0, 1, 2.0), (1, 0, 1.0), (1, 1, 1.0), (1, 2, 4.0), (2, 2, 1.0), (2, 0, 0.5)]
    split = [(c, p, w / 2) for c, p, w in rows for _ in range(2)]
    shuffled = [split[place] for place in np.random.default_rng(0).permutation(len(split))]
    whole = fit(rows, (3, 3), min_buyers=1).recommend(np.arange(3), 3, False)
    parts = fit(shuffled, (3, 3), min_buyers=1).recommend(np.arange(3), 3, False)
    assert np.array_equal(whole[0], parts[0])
    assert whole[1] == pytest.approx(parts[1])


def test_more_than_65535_products_are_told_apart() -> None:
    products = 70_000
    code = np.arange(products, dtype=np.int32)
    customer = np.concatenate((code // 2, products + code // 2))
    recommender = ItemKNN(RecommendSettings(min_buyers=2, shrinkage=0.0, neighbours=2))
    asker = 2 * products + code
    recommender.fit(
        np.concatenate((customer, asker)).astype(np.int32),
        np.tile(code, 3),
        np.ones(3 * products),
        (3 * products, products),
    )
    product, _ = recommender.recommend(asker.astype(np.int32), 2, True)
    assert np.array_equal(product[:, 0], code ^ 1)
    assert (product[:, 1] == -1).all()
    behind, share = recommender.explain(asker.astype(np.int32), product[:, 0], 1)
    assert np.array_equal(behind[:, 0], code)
    assert (share == 1).all()


def test_explaining_for_unknown_customers_and_no_product_gives_empty_rows() -> None:
    recommender = fit([(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0)], (2, 2), min_buyers=1)
    behind, share = recommender.explain(np.array([-1, 7, 1, 1]), np.array([0, 0, -1, 9]), 2)
    assert (behind == -1).all()
    assert (share == 0).all()


def test_impossible_questions_are_refused() -> None:
    recommender = fit([(0, 0, 1.0)], (1, 1))
    with pytest.raises(BadInput, match="top is 0"):
        recommender.explain(np.array([0]), np.array([0]), 0)
    with pytest.raises(BadInput, match="do not fit"):
        recommender.explain(np.array([0]), np.array([0, 0]), 1)


@pytest.mark.parametrize(
    "rule", [{"neighbours": 0}, {"min_buyers": 0}, {"shrinkage": -1.0}, {"shrinkage": float("nan")}]
)
def test_impossible_settings_are_refused_by_name(rule: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=f"recommend.{next(iter(rule))}"):
        ItemKNN(RecommendSettings(**rule))


@given(triples, st.sampled_from([0.0, 0.5, 10.0]), st.integers(1, 10))
@settings(deadline=None, max_examples=60)
def test_buyers_of_both_are_counted_where_one_is_near_the_other(
    rows: list[tuple[int, int, float]], shrinkage: float, neighbours: int
) -> None:
    recommender = fit(rows, (12, 10), min_buyers=1, shrinkage=shrinkage, neighbours=neighbours)
    bought = {(customer, product) for customer, product, _ in rows}
    customers = np.arange(12, dtype=np.int32)
    product, _ = recommender.recommend(customers, 5, True)
    at, place = np.nonzero(product >= 0)
    chosen = product[at, place]
    because = recommender.explain(customers[at], chosen, top=1)[0][:, 0]
    expected = [
        sum((c, a) in bought and (c, b) in bought for c in range(12)) for a, b in zip(because, chosen, strict=True)
    ]
    assert recommender.shared_buyers(because, chosen).tolist() == expected


def test_buyers_of_both_must_be_asked_for_pairs() -> None:
    recommender = fit([(0, 0, 1.0)], (1, 1), min_buyers=1)
    with pytest.raises(BadInput, match="one of each a row"):
        recommender.shared_buyers(np.array([0]), np.array([0, 0]))
    assert recommender.shared_buyers(np.array([0]), np.array([0])).tolist() == [0]
