"""Ids as the source gives them, integers or text, turned into dense codes in the order of the sorted ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from nobishiro.engine.understand.chunks import is_text
from nobishiro.engine.understand.cuts import Flags, Int32, Int64, Integers

DIRECT_RANGE: Final = 1 << 25
"""Integer ids that span less than this are found in a table indexed by id instead of by sorting."""
NO_FLAGS: Final = np.empty(0, np.bool_)
Scalar = TypeVar("Scalar", bound=np.generic)


def read_ids(column: pa.ChunkedArray) -> tuple[Integers, Flags, pa.Array | None]:
    """Integer ids as they are, or codes of the chunk's own words; flags of nulls (empty when none)."""
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.int32), np.ones(len(column), np.bool_), None
    words: pa.Array | None = None
    if is_text(column.type):
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        array = one_array(column.unify_dictionaries())
        words = array.dictionary
        array = array.indices
    else:
        array = one_array(column)
    null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else NO_FLAGS
    if array.null_count:
        array = array.fill_null(0)
    if array.type not in (pa.int32(), pa.int64()):
        array = array.cast(pa.int32() if array.type.bit_width < 32 else pa.int64())
    return array.to_numpy(zero_copy_only=True), null, words


def name_runs(
    parts: Sequence[Integers], words: Sequence[pa.Array | None], named: Flags | None, kind: pa.DataType
) -> tuple[pl.Series, Int64]:
    """Sorted ids that occur, and the code of each run; −1 where `named` is false.

    `parts` are the ids of the runs of each chunk, or with `words` their places among the chunk's words.
    """
    ids: pl.Series | None = None
    values: Integers
    if any(word is not None for word in words):
        ids, code_of = settle_words(words)
        # A chunk whose ids are all null has no words; its codes stand for nothing.
        tables = [table if table.size else np.zeros(1, np.int32) for table in code_of]
        values = joined([table[part] for table, part in zip(tables, parts, strict=True)], np.int32)
    else:
        values = np.concatenate(parts) if parts else np.empty(0, np.int64)
    found: Integers
    if named is None and values.size and bool((values[1:] >= values[:-1]).all()):
        new = np.empty(values.size, np.bool_)
        new[0] = True
        np.not_equal(values[1:], values[:-1], out=new[1:])
        found, codes = values[new], np.cumsum(new, dtype=np.int64) - 1
    elif named is None or bool(named.all()):
        found, codes = _dense(values)
    else:
        found, inner = _dense(values[named])
        codes = np.full(values.size, -1, np.int64)
        codes[named] = inner
    return (series_of(found, kind) if ids is None else ids.gather(found)), codes


def _dense(values: Integers) -> tuple[Integers, Int64]:
    """Sorted distinct values and the place of each among them."""
    if values.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low, high = int(values.min()), int(values.max())
    if high - low >= DIRECT_RANGE:
        found, inverse = np.unique(values, return_inverse=True)
        return found, inverse.astype(np.int64)
    seen = np.zeros(high - low + 1, np.bool_)
    seen[values - low] = True
    code_of = np.cumsum(seen, dtype=np.int64) - 1
    return np.flatnonzero(seen) + low, code_of[values - low]


def settle_words(words: Sequence[pa.Array | None]) -> tuple[pl.Series, list[Int32]]:
    """Sorted distinct words over all chunks, and for each chunk the code of each of its words."""
    arrays = [pa.array([], pa.large_string()) if word is None else word.cast(pa.large_string()) for word in words]
    every = pl.Series("id", pa.chunked_array(arrays, pa.large_string()))
    ids = every.drop_nulls().unique().sort()
    table = pl.DataFrame({"id": ids, "code": np.arange(ids.len(), dtype=np.int32)})
    codes = every.to_frame().join(table, on="id", how="left", maintain_order="left")["code"].fill_null(0).to_numpy()
    ends = np.cumsum([len(array) for array in arrays])
    return ids, list(np.split(codes.astype(np.int32), ends[:-1]))


def only_named(customers: pl.Series, customer: Int32) -> tuple[pl.Series, Int32]:
    """Without the customers who lost every order they are named on to an earlier id."""
    owns = np.zeros(customers.len() + 1, np.bool_)
    owns[customer] = True  # anonymous runs mark the last entry, which is cut off
    found = np.flatnonzero(owns[:-1])
    if found.size == customers.len():
        return customers, customer
    code_of = np.full(customers.len() + 1, -1, np.int32)
    code_of[found] = np.arange(found.size, dtype=np.int32)
    return customers.gather(found), code_of[customer]


def series_of(values: Integers, kind: pa.DataType) -> pl.Series:
    """Integer ids in the type they came in; no ids at all where the source has text or nothing."""
    if pa.types.is_null(kind) or is_text(kind):
        return pl.Series([], dtype=pl.String)
    empty = pl.Series(pa.array([], kind))
    return pl.Series(values).cast(empty.dtype)


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece, copied only when it is in several."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def joined(parts: Sequence[npt.NDArray[Scalar]], kind: type[Scalar]) -> npt.NDArray[Scalar]:
    """Concatenation that knows its type when there is nothing."""
    return np.concatenate(parts) if parts else np.empty(0, kind)
