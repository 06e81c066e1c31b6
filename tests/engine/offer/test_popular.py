"""Popularity, and the chain that falls back on it."""

from __future__ import annotations

import numpy as np
import pytest

from nobishiro.contracts.errors import SettingsError
from nobishiro.engine.offer.item_knn import ItemKNN
from nobishiro.engine.offer.popular import FallbackChain, Popular, RecentlyPopular
from nobishiro.engine.settings import RecommendSettings

# Product 0 has three buyers of long ago, product 1 two of today, product 2 one.
CUSTOMER = np.array([0, 1, 2, 0, 3, 3, 3], np.int32)
PRODUCT = np.array([0, 0, 0, 1, 1, 2, 2], np.int32)
WEIGHT = np.array([0.1, 0.1, 0.1, 1.0, 1.0, 0.25, 0.25])
SHAPE = (5, 4)


def test_popular_counts_buyers_and_not_purchases() -> None:
    recommender = Popular()
    recommender.fit(CUSTOMER, PRODUCT, WEIGHT, SHAPE)
    product, score = recommender.recommend(np.array([4]), 4, True)
    assert product.tolist() == [[0, 1, 2, -1]]
    assert score.tolist() == [[3, 2, 1, 0]]


def test_recently_popular_adds_weights() -> None:
    recommender = RecentlyPopular()
    recommender.fit(CUSTOMER, PRODUCT, WEIGHT, SHAPE)
    product, score = recommender.recommend(np.array([4]), 4, True)
    assert product.tolist() == [[1, 2, 0, -1]]
    assert score[0].tolist() == pytest.approx([2.0, 0.5, 0.3, 0.0])


def test_own_products_are_skipped_only_when_asked() -> None:
    recommender = Popular()
    recommender.fit(CUSTOMER, PRODUCT, WEIGHT, SHAPE)
    assert recommender.recommend(np.array([0, 3]), 2, True)[0].tolist() == [[2, -1], [0, -1]]
    assert recommender.recommend(np.array([0, 3]), 2, False)[0].tolist() == [[0, 1], [0, 1]]


def test_chain_fills_what_earlier_links_left_open_and_names_the_link() -> None:
    chain = FallbackChain((("item_knn", ItemKNN(RecommendSettings(min_buyers=2))), ("popular", Popular())))
    chain.fit(CUSTOMER, PRODUCT, WEIGHT, SHAPE)
    product, score, link = chain.recommend_named(np.array([1, 4]), 3, True)
    assert product.tolist() == [[1, 2, -1], [0, 1, 2]]
    assert link.tolist() == [[0, 1, -1], [1, 1, 1]]
    assert [chain.names[index] for index in link[0, :2]] == ["item_knn", "popular"]
    assert score[0, 1] < score[0, 0]
    assert np.array_equal(chain.recommend(np.array([1, 4]), 3, True)[0], product)


def test_chain_without_links_is_refused() -> None:
    with pytest.raises(SettingsError):
        FallbackChain(())
