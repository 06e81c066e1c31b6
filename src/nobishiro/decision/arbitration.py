"""Which of several options comes first: the one rule that the batch plan and the live answer share."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MAX_OPTIONS: Final = 3
"""One in front, two folded, never more."""


def order_options(value: Float64, tie_breaker: Int64) -> Int64:
    """Indices of the options from the first to the last, at most `MAX_OPTIONS`.

    Larger value first; equal values by the smaller tie breaker, so that the same input always gives the same answer.
    Options whose value is NaN or not above zero are nobody's benefit and are left out.
    """
    usable = np.flatnonzero(np.isfinite(value) & (value > 0))
    ranked = usable[np.lexsort((tie_breaker[usable], -value[usable]))]
    return ranked[:MAX_OPTIONS].astype(np.int64)
