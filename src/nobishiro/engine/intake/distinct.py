"""A text column as its distinct values and where each row points: the slow readings run once per value, not per row."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Distinct:
    """`texts` (K, in order of first appearance, no nulls) and `codes` (N, UInt32, null where the row is empty)."""

    texts: pl.Series
    codes: pl.Series

    def spread(self, per_value: pl.Series) -> pl.Series:
        """One value per row out of one per distinct text; null where the row is empty."""
        return per_value.gather(self.codes)


def encode_distinct(values: pl.Series) -> Distinct:
    """Encode a String column; K is at most the number of rows."""
    categories = values.cast(pl.Categorical(pl.Categories.random()))
    present = categories.drop_nulls().unique()
    frame = pl.DataFrame({"code": present.to_physical().cast(pl.UInt32), "text": present.cast(pl.String)}).sort("code")
    codes = categories.to_physical().cast(pl.UInt32)
    if frame.height and frame["code"][-1] != frame.height - 1:
        # Dense codes are how a private set of categories is numbered today, not something Polars promises.
        dense = pl.Series("dense", range(frame.height), dtype=pl.UInt32)
        codes = codes.replace_strict(frame["code"], dense, default=None, return_dtype=pl.UInt32)
    return Distinct(frame["text"], codes)
