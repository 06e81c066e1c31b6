"""Two customers side by side: what agrees, what differs, in words a person can judge by."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from rapidfuzz.distance import Indel
from rapidfuzz.process import cpdist

_FIELDS: Final = (
    ("corporate", "法人番号", "corporate number"),
    ("core", "名称", "name"),
    ("unit", "拠点", "branch"),
    ("address", "住所", "address"),
    ("phone", "電話番号", "phone"),
    ("domain", "メールドメイン", "mail domain"),
    ("form", "法人格", "legal form"),
    ("position", "前株・後株", "place of the legal form"),
    ("prefecture", "都道府県", "prefecture"),
)
_NEAR: Final = 65.0
"""Names at least this alike are called near."""
_AGREEING: Final = ("corporate", "core", "unit", "address", "phone", "domain")
_DIFFERING: Final = tuple(name for name, _, _ in _FIELDS)


def compare_customers(pairs: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """`pairs` (left, right: nodes) with same_* and differs_* flags, similarity (0–100), and the words for them.

    A field missing on either side neither agrees nor differs; a branch differs from none. Adds agrees_ja, agrees_en,
    differs_ja, differs_en (empty where there is nothing) and keeps the rows in order.
    """
    columns = ["node", "person", *(name for name, _, _ in _FIELDS)]
    left = keys.select(columns).rename({name: f"{name}_l" for name in columns})
    right = keys.select(columns).rename({name: f"{name}_r" for name in columns})
    both = pairs.join(left, left_on="left", right_on="node_l", how="left", maintain_order="left")
    both = both.join(right, left_on="right", right_on="node_r", how="left", maintain_order="left")
    one, other = both["core_l"].fill_null("").to_list(), both["core_r"].fill_null("").to_list()
    alike = cpdist(one, other, scorer=Indel.normalized_similarity) if one else np.empty(0)
    flags = [
        *((pl.col(f"{name}_l") == pl.col(f"{name}_r")).fill_null(False).alias(f"same_{name}") for name in _AGREEING),
        *(
            (pl.col(f"{name}_l") != pl.col(f"{name}_r")).fill_null(False).alias(f"differs_{name}")
            for name in _DIFFERING
        ),
    ]
    both = both.with_columns(flags).with_columns(
        pl.col("unit_l").ne_missing(pl.col("unit_r")).alias("differs_unit"),
        (pl.col("person_l") != pl.col("person_r")).fill_null(False).alias("differs_kind"),
        pl.Series("similarity", np.asarray(alike, dtype=np.float64) * 100),
        # Two addresses whose prefectures differ are two places, whatever the street says.
        (pl.col("same_address") & ~pl.col("differs_prefecture")).alias("same_address"),
    )
    near = ~pl.col("same_core") & (pl.col("similarity") >= _NEAR)
    alike_text = pl.col("similarity").round(0).cast(pl.Int64)
    near_ja = pl.when(near).then(pl.format("似た名称(文字の一致{}%)", alike_text))
    near_en = pl.when(near).then(pl.format("a near name ({} % of the letters)", alike_text))
    words = [
        _words(_AGREEING, "same", 1, "・", near_ja).alias("agrees_ja"),
        _words(_AGREEING, "same", 2, ", ", near_en).alias("agrees_en"),
        _words(_DIFFERING, "differs", 1, "・").alias("differs_ja"),
        _words(_DIFFERING, "differs", 2, ", ").alias("differs_en"),
    ]
    extra = ["person_l", "person_r", "similarity", "differs_kind", "unit_l", "unit_r"]
    kept = [*pairs.columns, *extra, *(f"same_{n}" for n in _AGREEING), *(f"differs_{n}" for n in _DIFFERING)]
    return both.with_columns(words).select(*kept, "agrees_ja", "agrees_en", "differs_ja", "differs_en")


def _words(fields: tuple[str, ...], flag: str, language: int, separator: str, *more: pl.Expr) -> pl.Expr:
    labels = {entry[0]: entry[language] for entry in _FIELDS}
    said = [pl.when(pl.col(f"{flag}_{name}")).then(pl.lit(labels[name])) for name in fields]
    return pl.concat_str([*more, *said], separator=separator, ignore_nulls=True)
