"""What each customer bought, once a product, ready for the recommenders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nobishiro.contracts.errors import BadInput
from nobishiro.engine.offer import knn_kernels, pair_kernels

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer]

_FADED: Final = 1e-20


@dataclass(frozen=True, slots=True)
class Purchases:
    """Distinct (customer, product) pairs by customer."""

    start: Int64
    """(U + 1,) first pair of each customer."""
    product: Integers
    """(pairs,) product code or rank."""
    weight: Float32
    """(pairs,) weights added up."""

    @classmethod
    def none(cls) -> Purchases:
        """Of nobody."""
        return cls(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))


def gather_purchases(
    customer: Integers, product: Integers, weight: npt.NDArray[np.floating], shape: tuple[int, int]
) -> Purchases:
    """Purchases from (customer code, product code, weight) triples in any sequence; repeats add up.

    `shape` is (customers, products). A weight below 1e-20 is 0. Raises `BadInput` where lengths differ, a code is
    outside the shape, or a weight is negative or no number.
    """
    if customer.ndim != 1 or not customer.shape == product.shape == weight.shape:
        raise BadInput(
            f"customer {customer.shape}, product {product.shape} and weight {weight.shape} do not fit; "
            "pass one of each a purchase"
        )
    for name, codes, size in (("customer", customer, shape[0]), ("product", product, shape[1])):
        if codes.dtype.kind not in "iu":
            raise BadInput(f"{name} is {codes.dtype}; encode it as integers")
        if codes.size and not 0 <= int(codes.min()) <= int(codes.max()) < size:
            raise BadInput(f"{name} codes run from {codes.min()} to {codes.max()}; the shape ends at {size - 1}")
    if weight.size and not (float(weight.min()) >= 0.0 and float(weight.max()) < float("inf")):
        raise BadInput("a weight is negative, infinite or no number; weights are at least 0")
    is_sorted, _ = pair_kernels.order_is_sorted(customer)
    if is_sorted:
        start = np.searchsorted(customer, np.arange(shape[0] + 1)).astype(np.int64)
    else:
        start, grouped = pair_kernels.group_lines(customer, 0, shape[0], product)
        _, weight = pair_kernels.group_lines(customer, 0, shape[0], weight)
        product = grouped
    # What has faded so far would vanish from single-precision sums and leave products without a score in the lists.
    weight = np.where(weight < _FADED, 0.0, weight)
    return Purchases(*knn_kernels.merge_repeats(start, product, weight, shape[1]))
