"""Baskets of products packed for counting: an order's, or all that a customer bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nobishiro.engine.offer import pair_kernels
from nobishiro.engine.offer.crew import in_parallel

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Integers = npt.NDArray[np.integer]

_NARROW: Final = int(np.iinfo(np.uint16).max)
_WIDE: Final = int(np.iinfo(np.uint32).max)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Products by falling number of baskets that hold them, ties by code."""

    code: Int32
    """(P,) product code of each rank."""
    rank: Int32
    """(P,) rank of each product code."""
    holding: Int64
    """(P,) baskets that hold each product, by code."""
    listed: int
    """Products in enough baskets: the ranks below."""
    largest: int
    """Lines of the largest basket."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Baskets as one stream of rising ranks, a sentinel behind each."""

    stream: Integers
    sentinel: int
    place_start: Int64
    """(listed + 1,) where in `places` those of each rank begin."""
    places: Integers
    """Place in the stream behind each occurrence that has another rank behind it."""
    meetings: int
    """Pairs of products in all baskets, one a pair and basket."""


def rank_products(start: Int64, product: Integers, products: int, least: int, bounds: list[int]) -> Ranking:
    """Rank the products of baskets `start` (baskets + 1,); those in at least `least` of them are listed.

    `bounds` cuts the baskets into parts that are worked on side by side. A product twice in a basket counts once.
    """
    crew = len(bounds) - 1
    holdings = np.zeros((crew, products), np.int64)
    largest: list[int] = in_parallel(
        crew,
        lambda part: int(pair_kernels.count_holding(start, product, bounds[part], bounds[part + 1], holdings[part])),
    )
    holding: Int64 = np.asarray(holdings.sum(axis=0), np.int64)
    code = np.argsort(-holding, kind="stable").astype(np.int32)
    rank = np.empty(products, np.int32)
    rank[code] = np.arange(products, dtype=np.int32)
    return Ranking(code, rank, holding, int(np.count_nonzero(holding >= least)), max(largest))


def pack_baskets(start: Int64, product: Integers, ranking: Ranking, bounds: list[int]) -> Packed:
    """Pack the listed products of each basket; two bytes a product while ranks and sentinel fit, else four."""
    crew, listed = len(bounds) - 1, ranking.listed
    # Each part has room for all its lines and a sentinel a basket, so that parts are written side by side.
    begin = [int(start[bound]) + bound for bound in bounds]
    stream: Integers
    if listed < _NARROW:
        stream, sentinel = np.empty(begin[-1], np.uint16), _NARROW
    else:
        stream, sentinel = np.empty(begin[-1], np.uint32), _WIDE
    packed: list[tuple[int, int]] = in_parallel(
        crew,
        lambda part: pair_kernels.pack_orders(
            start,
            product,
            ranking.rank,
            listed,
            bounds[part],
            bounds[part + 1],
            sentinel,
            ranking.largest,
            stream,
            begin[part],
        ),
    )
    counts = np.zeros((crew, listed), np.int64)
    in_parallel(
        crew, lambda part: pair_kernels.count_places(stream, begin[part], packed[part][0], sentinel, counts[part])
    )
    place_start = np.concatenate(([0], np.cumsum(counts.sum(axis=0)))).astype(np.int64)
    at = place_start[:-1] + np.cumsum(counts, axis=0) - counts
    places = np.empty(place_start[-1], np.uint32 if stream.size <= _WIDE else np.int64)
    in_parallel(
        crew, lambda part: pair_kernels.fill_places(stream, begin[part], packed[part][0], sentinel, at[part], places)
    )
    return Packed(stream, sentinel, place_start, places, sum(meetings for _, meetings in packed))
