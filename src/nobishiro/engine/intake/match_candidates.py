"""Pairs of customers worth comparing, found by sorting instead of comparing everybody with everybody."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from rapidfuzz.distance import Indel
from rapidfuzz.process import cpdist

_NEIGHBOURS: Final = 3
"""How far a name looks down the sorted list of names for near ones."""
_SMALL: Final = 12
"""Groups up to this size are listed pair by pair when a veto keeps them from being one."""
PAIR_SCHEMA: Final = {"left": pl.Int64, "right": pl.Int64, "rule": pl.String}


def pair_neighbours(rows: pl.DataFrame, same: list[str], rule: str) -> pl.DataFrame:
    """Chains through rows that agree in `same` (nulls agree), those with equal form and corporate number adjacent."""
    order = [*same, "form", "corporate", "customer_id"]
    chain = rows.select(pl.struct(same).rank("dense").alias("group"), *dict.fromkeys([*order, "node"])).sort(
        "group", "form", "corporate", "customer_id"
    )
    return (
        chain.select(right="node", left=pl.col("node").shift(-1), go=pl.col("group") == pl.col("group").shift(-1))
        .filter("go")
        .select("left", "right", rule=pl.lit(rule))
    )


def pair_across_missing_prefecture(address: pl.DataFrame) -> pl.DataFrame:
    """Chains through the same name and address where the prefecture is left out of some and never contradicted."""
    same = ["core", "unit", "person", "address"]
    given = pl.col("prefecture").is_not_null()
    several = address.filter(pl.col("prefecture").drop_nulls().n_unique().over(same) <= 1)
    if not several.select((given.any() & (~given).any()).alias("mixed"))["mixed"].item():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    return pair_neighbours(several, same, "name_address")


def pair_within_components(members: pl.DataFrame) -> pl.DataFrame:
    """All pairs of small components: chains pair neighbours only, and a person should see every candidate."""
    small = members.filter(pl.len().over("component") <= _SMALL).select("component", "node")
    pairs = small.join(small, on="component", suffix="_other").filter(pl.col("node") < pl.col("node_other"))
    return pairs.select(left="node", right="node_other", rule=pl.lit("name"))


def pair_near_names(companies: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Companies whose names are nearly the same, found among neighbours in the names sorted forwards and backwards.

    Names that differ in a number are two names (第1 and 第2, 第一 and 第二); branches compare with the same branch
    only.
    """
    other_than_numbers = r"[^\d一二三四五六七八九十]"
    names = companies.sort("core", "customer_id").unique(["core", "unit"], keep="first", maintain_order=True)
    found = []
    for key in (pl.col("core"), pl.col("core").str.reverse()):
        line = names.select("node", "core", "unit", key.alias("key")).sort("key", "node")
        for step in range(1, _NEIGHBOURS + 1):
            one, other = line.slice(0, max(line.height - step, 0)), line.slice(step)
            if one.height == 0:
                continue
            alike = cpdist(one["core"].to_list(), other["core"].to_list(), scorer=Indel.normalized_similarity)
            pairs = pl.DataFrame(
                {
                    "left": one["node"],
                    "right": other["node"],
                    "alike": np.asarray(alike, dtype=np.float64) * 100,
                    "same_unit": one["unit"].eq_missing(other["unit"]),
                    "same_numbers": one["core"].str.replace_all(other_than_numbers, "")
                    == other["core"].str.replace_all(other_than_numbers, ""),
                }
            )
            found.append(
                pairs.filter(pl.col("alike") >= threshold, "same_unit", "same_numbers").select("left", "right")
            )
    if not found:
        return pl.DataFrame(schema=PAIR_SCHEMA)
    return pl.concat(found).with_columns(rule=pl.lit("near_name"))
