"""What every recommender promises, whichever it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.protocols import Recommender
from nobishiro.engine.offer.item_knn import ItemKNN
from nobishiro.engine.offer.popular import FallbackChain, Popular, RecentlyPopular
from nobishiro.engine.settings import RecommendSettings

Triples = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]

MAKERS: dict[str, Callable[[], Recommender]] = {
    "item_knn": lambda: ItemKNN(RecommendSettings(min_buyers=1, shrinkage=1.0, neighbours=3)),
    "item_knn_default": ItemKNN,
    "popular": Popular,
    "recently_popular": RecentlyPopular,
    "chain": lambda: FallbackChain((("item_knn", ItemKNN()), ("recent", RecentlyPopular()), ("popular", Popular()))),
}

every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def triples(rows: list[tuple[int, int, float]]) -> Triples:
    customer, product, weight = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(customer, np.int32), np.array(product, np.int32), np.array(weight, np.float32)


def shop(seed: int = 0, customers: int = 60, products: int = 25, rows: int = 500) -> Triples:
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, customers, rows).astype(np.int32),
        (rng.zipf(1.5, rows) % products).astype(np.int32),
        rng.uniform(0.1, 3.0, rows).astype(np.float32),
    )


def fitted(make: Callable[[], Recommender], data: Triples, shape: tuple[int, int]) -> Recommender:
    recommender = make()
    recommender.fit(*data, shape)
    return recommender


purchases = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 7), st.sampled_from([0.0, 1e-30, 0.25, 1.0, 7.0])), max_size=60
)


@every
@given(rows=purchases, k=st.integers(1, 12), exclude=st.booleans())
@settings(deadline=None, max_examples=60)
def test_rows_are_well_formed(
    make: Callable[[], Recommender], rows: list[tuple[int, int, float]], k: int, exclude: bool
) -> None:
    data = triples(rows)
    customers = np.arange(12, dtype=np.int32)
    product, score = fitted(make, data, (10, 8)).recommend(customers, k, exclude)
    assert product.shape == score.shape == (12, k)
    assert product.dtype == np.int32
    assert score.dtype == np.float32
    assert np.isfinite(score).all()
    assert ((product >= -1) & (product < 8)).all()
    assert (np.diff(score, axis=1) <= 0).all(), "scores fall along a row"
    absent = product < 0
    assert (score[absent] == 0).all()
    assert (absent[:, 1:] >= absent[:, :-1]).all(), "−1 only at the end of a row"
    for row in product:
        present = row[row >= 0]
        assert np.unique(present).size == present.size
    if exclude:
        bought = {(customer, code) for customer, code, _ in rows}
        offered = {(int(c), int(code)) for c, row in zip(customers, product, strict=True) for code in row}
        assert not bought & offered


@every
def test_same_input_gives_same_output(make: Callable[[], Recommender]) -> None:
    data = shop()
    customers = np.arange(60, dtype=np.int32)
    first = fitted(make, data, (60, 25)).recommend(customers, 10, True)
    second = fitted(make, data, (60, 25)).recommend(customers, 10, True)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


@every
def test_row_does_not_depend_on_who_else_is_asked_for(make: Callable[[], Recommender]) -> None:
    recommender = fitted(make, shop(), (60, 25))
    together, _ = recommender.recommend(np.arange(60, dtype=np.int32), 5, True)
    alone, _ = recommender.recommend(np.array([41, 7], np.int32), 5, True)
    assert np.array_equal(alone, together[[41, 7]])


@every
def test_cold_and_unknown_customers_get_a_row(make: Callable[[], Recommender]) -> None:
    customer, product, weight = shop(customers=50)
    recommender = fitted(make, (customer, product, weight), (60, 25))
    product, score = recommender.recommend(np.array([55, -1, 1_000_000], np.int64), 4, True)
    assert product.shape == (3, 4)
    assert np.isfinite(score).all()


@every
@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3), (3, 3)])
def test_no_purchases_at_all_leave_every_place_empty(make: Callable[[], Recommender], shape: tuple[int, int]) -> None:
    recommender = fitted(make, triples([]), shape)
    product, score = recommender.recommend(np.arange(2, dtype=np.int32), 3, True)
    assert (product == -1).all()
    assert (score == 0).all()
    assert recommender.recommend(np.empty(0, np.int32), 3, True)[0].shape == (0, 3)


@every
def test_one_product_is_not_offered_to_those_who_have_it(make: Callable[[], Recommender]) -> None:
    recommender = fitted(make, triples([(0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0)]), (4, 1))
    assert (recommender.recommend(np.arange(3, dtype=np.int32), 2, True)[0] == -1).all()
    assert recommender.recommend(np.arange(3, dtype=np.int32), 2, False)[0].tolist() == [[0, -1]] * 3


@every
def test_fitting_again_forgets_what_was_before(make: Callable[[], Recommender]) -> None:
    recommender = fitted(make, shop(1), (60, 25))
    recommender.fit(*shop(2), (60, 25))
    customers = np.arange(60, dtype=np.int32)
    fresh = fitted(make, shop(2), (60, 25)).recommend(customers, 6, False)
    assert np.array_equal(recommender.recommend(customers, 6, False)[0], fresh[0])


@every
def test_no_products_asked_for_is_refused(make: Callable[[], Recommender]) -> None:
    with pytest.raises(BadInput, match="k is 0"):
        fitted(make, shop(), (60, 25)).recommend(np.arange(3, dtype=np.int32), 0, True)


@every
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c, p, w: (c[:-1], p, w), "do not fit"),
        (lambda c, p, w: (c + 60, p, w), "customer codes"),
        (lambda c, p, w: (c, p - 1, w), "product codes"),
        (lambda c, p, w: (c.astype(float), p, w), "integers"),
        (lambda c, p, w: (c, p, np.where(w > 1, np.nan, w)), "weight"),
        (lambda c, p, w: (c, p, -w), "weight"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    make: Callable[[], Recommender], change: Callable[..., Triples], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        make().fit(*change(*shop()), (60, 25))


@every
def test_a_product_that_weighs_nothing_is_bought_all_the_same(make: Callable[[], Recommender]) -> None:
    # the highest code weighs nothing and stands in no sequence: a kernel once wrote beyond its array for it
    rows = [(0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0), *((customer, 7, 0.0) for customer in range(9))]
    product, _ = fitted(make, triples(rows), (10, 8)).recommend(np.arange(10, dtype=np.int32), 4, True)
    assert 7 not in product[:9]
