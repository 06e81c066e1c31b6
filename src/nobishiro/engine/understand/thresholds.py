"""Where a curve bends: the default cut of an axis of the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True, slots=True)
class Bend:
    """A cut of one axis and what lies above it."""

    value: float
    """The cut; infinity when nothing is positive, so that nobody stands above."""
    above: int
    """How many lie on or above it."""
    positive: int
    """How many are above zero at all."""
    share: float
    """Share of the total that those above hold."""
    known: int
    """How many have a value at all."""

    def in_words_ja(self, what: str) -> str:
        """One sentence for the screen."""
        if not self.known:
            return f"{what}はまだ誰についてもわからないため、線は引いていません。"
        if not self.positive:
            return f"{what}のあるお客様がまだいないため、線は引いていません。"
        return (
            f"{what}は上位{self.above:,}社で全体の{self.share:.0%}を占め、"
            f"そこから曲線がなだらかになるため、その境目に線を引いています。"
        )

    def in_words_en(self, what: str) -> str:
        """One sentence for the screen."""
        if not self.known:
            return f"The {what} is not known for any customer yet, so no line is drawn."
        if not self.positive:
            return f"No customer has any {what} yet, so no line is drawn."
        return (
            f"The top {self.above:,} customers hold {self.share:.0%} of all {what}; "
            f"the curve flattens from there, so the line stands at that bend."
        )


def find_bend(values: pl.Series) -> Bend:
    """The bend of the concentration curve of the positive values: where it stands farthest above the diagonal.

    Customers sorted from the largest, the share of the total they hold is drawn against the share of customers; the
    curve is steeper than the diagonal as long as one more customer adds more than the mean, so the bend lies at the
    smallest value not below the mean of the positive ones. Nulls and values not above zero are left out.
    """
    amounts = values.drop_nulls().to_numpy().astype(np.float64)
    known = amounts.size
    amounts = np.sort(amounts[np.isfinite(amounts) & (amounts > 0)])[::-1]
    if amounts.size == 0:
        return Bend(float("inf"), 0, 0, 0.0, known)
    curve = np.cumsum(amounts) / amounts.sum()
    diagonal = np.arange(1, amounts.size + 1) / amounts.size
    # equal values belong on one side of the line, so the last of a run of equals is taken
    at = int(np.argmax(curve - diagonal))
    cut = float(amounts[at])
    above = int(np.count_nonzero(amounts >= cut))
    return Bend(cut, above, int(amounts.size), float(curve[above - 1]), known)
