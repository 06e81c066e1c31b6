"""The few seams between rooms. Anything that implements one of these can take the place of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    import pyarrow as pa

ProgressReport = Callable[[str, int, int], None]
"""Called with (what is being done, done so far, total or 0 when unknown)."""


def no_progress(what: str, done: int, total: int) -> None:
    """Say nothing: the default of every function that reports progress."""


@runtime_checkable
class Backend(Protocol):
    """An engine that runs the reductions: DuckDB, Spark or a warehouse."""

    @property
    def name(self) -> str:
        """What the user typed to get it, such as `duckdb` or `spark`."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do beyond the written SQL subset; a missing one is declared, never guessed."""
        ...

    def bind(self, table: str, source: Sequence[str] | pa.Table) -> None:
        """Make `table` readable in statements: Parquet files (added columns united by name) or rows in memory."""
        ...

    def query(self, statement: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Rows of one SELECT written in the DuckDB subset; `$name` marks a parameter."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


class PeopleSource(Protocol):
    """Where people's own tables (facts, tags, corrections, merges, overrides, consents, outcomes) come from."""

    def changed_at(self) -> datetime | None:
        """When anything last changed; None when nothing was ever entered."""
        ...

    def snapshot(self, table: str) -> pl.DataFrame:
        """All rows of one canonical table whose home is PEOPLE, as they are now."""
        ...


class GateLedger(Protocol):
    """The memory of the contact gate: what reached whom, when, and what is reserved."""

    def reserve(self, customer_id: str, channel: str, play: str, at: datetime) -> str | None:
        """A reservation number when the contact is allowed, else None; atomic under concurrency."""
        ...

    def release(self, reservation: str) -> None:
        """Give an unused reservation back."""
        ...


class Recommender(Protocol):
    """Ranks products for customers. Arrays in, arrays out; knows no names, no clock and no files."""

    def fit(self, customer: np.ndarray, product: np.ndarray, weight: np.ndarray, shape: tuple[int, int]) -> None:
        """Learn from (customer code, product code, weight) triples; codes are dense from 0."""
        ...

    def recommend(self, customers: np.ndarray, k: int, exclude_bought: bool) -> tuple[np.ndarray, np.ndarray]:
        """Product codes (int32, −1 where there is none) and scores (float32), each of shape (customers, k)."""
        ...
