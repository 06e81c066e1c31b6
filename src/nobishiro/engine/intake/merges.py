"""Merged customer codes, applied when tables are read: nothing is rewritten, so taking a merge's row out undoes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from nobishiro.contracts.errors import MappingIncomplete, UnknownName

DIFFERENT: Final = "different"
"""Evidence of a `merges` row by which a person says that two codes are not one customer."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the merges table says."""

    merged: dict[str, str]
    """Code folded away → code that stays, as written (not yet followed to the root)."""
    different: frozenset[tuple[str, str]]
    """Pairs a person called different, the smaller code first."""
    alone: frozenset[str]
    """Codes merged into themselves: a person wants them to stay as they are."""


def read_decisions(merges: pl.DataFrame | None) -> Decisions:
    """Sorts the rows of `merges` (customer_id, into_customer_id, evidence, …) into merges and refusals.

    A row whose evidence begins with `different` (or 別) says the two are not one; a row into itself says the code
    stands alone. Of rows that contradict each other the last word counts: a person's after a rule's (`decided_by`),
    the later after the earlier (`decided_at`, none being the earliest), a refusal after a merge of the same moment.
    Raises `MappingIncomplete` without the two codes.
    """
    if merges is None or merges.height == 0:
        return Decisions({}, frozenset(), frozenset())
    missing = [name for name in ("customer_id", "into_customer_id") if name not in merges.columns]
    if missing:
        raise MappingIncomplete(
            f"merges lack {', '.join(missing)}; a merge names the code folded away and the one that stays"
        )
    refuses = pl.col("why").str.strip_chars().str.to_lowercase().str.contains(f"^({DIFFERENT}|別)").fill_null(False)
    rows = (
        merges.select(
            pl.col("customer_id", "into_customer_id").cast(pl.String),
            _optional(merges, "evidence", pl.String()).alias("why"),
            _optional(merges, "decided_by", pl.String()).ne_missing("rule").alias("person"),
            _optional(merges, "decided_at", pl.Datetime("us")).alias("at"),
        )
        .drop_nulls(["customer_id", "into_customer_id"])
        .with_columns((refuses & (pl.col("customer_id") != pl.col("into_customer_id"))).alias("refuses"))
        .sort("person", "at", "refuses", "customer_id", "into_customer_id", nulls_last=False)
    )
    into: dict[str, str] = {}
    different: set[tuple[str, str]] = set()
    for code, other, refused in rows.select("customer_id", "into_customer_id", "refuses").iter_rows():
        pair = (min(code, other), max(code, other))
        if refused:
            different.add(pair)
            for one, two in (pair, pair[::-1]):
                if into.get(one) == two:
                    del into[one]
        else:
            different.discard(pair)
            into[code] = other
    merged = {code: other for code, other in into.items() if code != other}
    return Decisions(merged, frozenset(different), frozenset(into.keys() - merged.keys()))


def _optional(merges: pl.DataFrame, name: str, kind: pl.DataType) -> pl.Expr:
    return pl.col(name).cast(kind) if name in merges.columns else pl.lit(None, dtype=kind)


def merge_roots(merged: dict[str, str]) -> dict[str, str]:
    """Every code that is folded away → the code it ends up as.

    Chains are followed to their end. Should two people have merged in a circle, the smallest code of it stays.
    """
    roots: dict[str, str] = {}
    for code in sorted(merged):
        path: list[str] = []
        step = code
        seen: set[str] = set()
        while step in merged and step not in roots and step not in seen:
            seen.add(step)
            path.append(step)
            step = merged[step]
        if step in seen:
            circle = path[path.index(step) :]
            end = smallest_code(circle)
        else:
            end = roots.get(step, step)
        roots.update(dict.fromkeys(path, end))
    return {code: root for code, root in roots.items() if code != root}


def apply_merges(frame: pl.DataFrame, merges: pl.DataFrame, columns: Iterable[str] = ("customer_id",)) -> pl.DataFrame:
    """`frame` with the codes in `columns` replaced by the codes they were merged into; rows, order and types stay.

    Chains end at their root, refusals change nothing, codes nobody merged stay. Rows are not folded together: a table
    keyed by customer may hold a code twice afterwards. Raises `UnknownName` for a column `frame` does not have.
    """
    wanted = list(columns)
    unknown = [name for name in wanted if name not in frame.columns]
    if unknown:
        raise UnknownName(f"no column {', '.join(unknown)}; the table has {', '.join(frame.columns)}")
    roots = merge_roots(read_decisions(merges).merged)
    if not roots:
        return frame
    codes = pl.Series(list(roots), dtype=pl.String)
    ends = pl.Series(list(roots.values()), dtype=pl.String)
    changed = []
    for name in wanted:
        dtype = frame.schema[name]
        # A code that is no value of the column's type cannot stand in it.
        pairs = pl.DataFrame(
            {"code": codes.cast(dtype, strict=False), "end": ends.cast(dtype, strict=False)}
        ).drop_nulls()
        changed.append(pl.col(name).replace(pairs["code"], pairs["end"]))
    return frame.with_columns(changed)


def smallest_code(codes: Iterable[str]) -> str:
    """The smallest code: by number where it is one (2 before 10), else by text."""
    return min(codes, key=code_order)


def code_order(code: str) -> tuple[float, str]:
    """Sort key of codes: numbers first, by value."""
    return (float(code), code) if code.isascii() and code.isdigit() and len(code) < 300 else (float("inf"), code)
