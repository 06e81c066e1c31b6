"""What the web application keeps a copy of, so that its lists can be filtered and joined: masters of the newest commit,
people's words that came by imports, and where each customer stands by the newest run.

All codes are those that stay after merges; people's corrections are laid over the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from nobishiro.contracts.errors import NotAWorkspace
from nobishiro.contracts.tables import IMPORT_ID, TABLES
from nobishiro.engine.intake.corrections import apply_corrections
from nobishiro.engine.intake.merges import merge_roots, read_decisions
from nobishiro.engine.store.store import Store
from nobishiro.pipelines.people_snapshot import PEOPLE_PREFIX
from nobishiro.pipelines.published import PublishedRun, published_run

NPS: Final = "nps"
"""`survey_answers.question` of the 0–10 question."""


@dataclass(frozen=True, slots=True)
class Masters:
    """One company as its pages list it; every frame has plain text codes."""

    commit: int
    run: PublishedRun | None
    divisions: pl.DataFrame
    """division_id, name, parent_division_id, is_window; those only mentioned elsewhere under their code."""
    reps: pl.DataFrame
    """rep_id, name, division_id, hours_per_month, valid_from, valid_to; likewise."""
    owners: pl.DataFrame
    """customer_id, division_id, rep_id, role: ties that hold today, none twice."""
    customers: pl.DataFrame
    """One row a customer of the list, see `CUSTOMER_COLUMNS`."""
    merged: pl.DataFrame
    """customer_id, into, name, name_kana, phone: codes folded away."""
    contacts: pl.DataFrame
    """contact_id, customer_id and the canonical columns of people at customers, with nps."""
    families: pl.DataFrame
    """family, name, learned, division_id: the division with most products of the family."""


@dataclass(frozen=True, slots=True)
class ImportedWords:
    """Facts, tags and overrides in the store, with the import they came by.

    Tags and overrides have `said_on`: the day they were set, else the day of the import.

    Rows that a snapshot of people's tables wrote have the `is_people` flag: the web application knows them already, and
    an imported row of the same key that it knows still stands below them.
    """

    facts: pl.DataFrame
    tags: pl.DataFrame
    overrides: pl.DataFrame


CUSTOMER_COLUMNS: Final = (
    "customer_id", "name", "name_kana", "search", "kind", "state", "industry", "prefecture", "address", "phone",
    "employees", "rep_id", "division_id", "quadrant", "quadrant_computed", "decided_by", "potential", "low", "high",
    "potential_basis", "track_record", "orders_12m", "recency_days", "last_day", "last_touch_day", "touch_hours_12m",
    "nps", "missed", "expected",
)  # fmt: skip


def read_masters(
    path: Path, on: date, *, corrections: pl.DataFrame | None = None, handled: pl.DataFrame | None = None
) -> Masters | None:
    """The masters of the newest commit as of the day `on`, and the figures of the newest run; None without a workspace.

    `corrections` (canonical) are those people made since, and win over the store's. `handled` (customer_id, family) are
    cells people dealt with since the run: they are missed no more.
    """
    try:
        store = Store.open(path)
    except NotAWorkspace:
        return None
    head = store.head()
    if head is None:
        return None
    run = published_run(path)
    reader = _Reader(store, head.number, corrections)
    assignments = reader.read("assignments").filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= on),
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= on),
    )
    owners = assignments.select("customer_id", "division_id", "rep_id", "role").unique(maintain_order=True)
    figures = _figures(run, handled)
    contacts, nps = _with_nps(reader)
    customers = _customers(reader, figures, _main(assignments), nps)
    customers = _still_there(customers, store, head.number, run)
    divisions, reps = _divisions_and_reps(reader, owners, customers)
    return Masters(
        head.number, run, divisions, reps, owners, customers.select(CUSTOMER_COLUMNS), reader.merged(), contacts,
        _families(run, reader),
    )  # fmt: skip


def read_imported_words(path: Path) -> ImportedWords | None:
    """People's words in the store with `import_id` and `is_people`; None without a workspace or an import."""
    try:
        store = Store.open(path)
    except NotAWorkspace:
        return None
    head = store.head()
    if head is None:
        return None
    roots = _roots(store, head.number)
    days = {commit.import_id: commit.at.date() for commit in store.commits() if commit.at is not None}
    read = {}
    for table in ("facts", "tags", "overrides"):
        frame = store.read(table, head.number).with_columns(
            pl.col(IMPORT_ID).str.starts_with(PEOPLE_PREFIX).alias("is_people")
        )
        # the customer's own row before the one of a code folded into it
        frame = _moved(frame.with_columns(pl.col("customer_id").is_in(list(roots)).alias("_moved")), roots)
        frame = frame.sort("_moved", "is_people", maintain_order=True).drop("_moved")
        frame = frame.unique(TABLES[table].key, keep="first", maintain_order=True)
        if "set_on" in frame.columns:
            day = pl.col(IMPORT_ID).replace_strict(days, default=None, return_dtype=pl.Date)
            frame = frame.with_columns(pl.coalesce("set_on", day).alias("said_on"))
        read[table] = frame
    return ImportedWords(read["facts"], read["tags"], read["overrides"])


def fold(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Texts as the search box finds them: NFKC, lower case, one blank between words."""
    joined = pl.concat_str([part.fill_null("") for part in parts], separator=" ")
    return joined.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


class _Reader:
    """Tables of one commit, corrected, under the codes that stay."""

    def __init__(self, store: Store, commit: int, corrections: pl.DataFrame | None) -> None:
        self.store: Final = store
        self.commit: Final = commit
        self.roots: Final = _roots(store, commit)
        stored = store.read("corrections", commit).drop(IMPORT_ID)
        if corrections is not None:
            stored = pl.concat([corrections, stored]).unique(
                TABLES["corrections"].key, keep="first", maintain_order=True
            )
        self._corrections: Final = stored

    def read(self, table: str) -> pl.DataFrame:
        """The table, corrected and moved."""
        return _moved(self.corrected(table), self.roots)

    def corrected(self, table: str) -> pl.DataFrame:
        """The table, corrected, under the codes of its source."""
        return apply_corrections(TABLES[table], self.store.read(table, self.commit).drop(IMPORT_ID), self._corrections)

    def merged(self) -> pl.DataFrame:
        """Codes folded away, with what the master says of them."""
        moved = pl.DataFrame(
            {"customer_id": list(self.roots), "into": list(self.roots.values())},
            schema={"customer_id": pl.String, "into": pl.String},
        )
        rows = self.corrected("customers").select("customer_id", "name", "name_kana", "phone")
        return moved.join(rows, on="customer_id", how="left", maintain_order="left")


def _roots(store: Store, commit: int) -> dict[str, str]:
    return merge_roots(read_decisions(store.read("merges", commit)).merged)


def _moved(frame: pl.DataFrame, roots: dict[str, str]) -> pl.DataFrame:
    if not roots or "customer_id" not in frame.columns:
        return frame
    return frame.with_columns(pl.col("customer_id").replace(list(roots), list(roots.values())))


def _main(assignments: pl.DataFrame) -> pl.DataFrame:
    """The rep who answers for a customer: in the main role, the first by division code (as the map has it)."""
    return (
        assignments.with_columns((pl.col("role") != "main").alias("_second"))
        .sort("_second", "division_id", "rep_id")
        .unique("customer_id", keep="first", maintain_order=True)
        .select("customer_id", pl.col("rep_id").alias("_rep"), pl.col("division_id").alias("_division"))
    )


def _figures(run: PublishedRun | None, handled: pl.DataFrame | None) -> pl.DataFrame:
    """One row a customer of the run: position, last order, missed families; no rows without a run."""
    if run is None:
        from nobishiro.contracts.results import RESULTS
        from nobishiro.engine.store.types import polars_schema

        empty = pl.DataFrame(schema=polars_schema(RESULTS["positions"]))
        return empty.with_columns(
            pl.lit(None, pl.Date).alias("last_day"),
            pl.lit(None, pl.UInt32).alias("missed"),
            pl.lit(None, pl.Float64).alias("expected"),
        )
    store, number = run.workspace.store, run.run_id
    features = store.scan_result(number, "customer_features").select("customer_id", "last_day").collect()
    missed = store.scan_result(number, "gaps").filter("is_missed").select("customer_id", "family", "expected").collect()
    if handled is not None and not handled.is_empty():
        missed = missed.join(handled, on=["customer_id", "family"], how="anti")
    missed = missed.group_by("customer_id").agg(
        pl.len().alias("missed"),
        pl.when(pl.col("expected").count() > 0).then(pl.col("expected").sum()).alias("expected"),
    )
    return (
        store.read_result(number, "positions")
        .join(features, on="customer_id", how="left", maintain_order="left")
        .join(missed, on="customer_id", how="left", maintain_order="left")
    )


def _customers(reader: _Reader, figures: pl.DataFrame, main: pl.DataFrame, nps: pl.DataFrame) -> pl.DataFrame:
    """The list: every customer of the master that stays, and those known from their orders alone."""
    masters = reader.corrected("customers").filter(~pl.col("customer_id").is_in(list(reader.roots)))
    # a code that stays may stand nowhere in the master: then its name is that of one folded into it
    named = _moved(reader.corrected("customers"), reader.roots).unique("customer_id", keep="first", maintain_order=True)
    masters = pl.concat([masters, named.join(masters, on="customer_id", how="anti")])
    aliases = (
        reader.merged()
        .group_by("into")
        .agg(fold([pl.col("customer_id"), pl.col("name")]).str.join(" ").alias("_aliases"))
        .rename({"into": "customer_id"})
    )
    positions = figures.rename(
        {"name": "_name", "state": "_state", "rep_id": "_rep_run", "division_id": "_division_run"}
    )
    joined = (
        masters.join(positions, on="customer_id", how="full", coalesce=True)
        .join(main, on="customer_id", how="left")
        .join(nps, on="customer_id", how="left")
        .join(aliases, on="customer_id", how="left")
        .sort("customer_id")
    )
    name = pl.coalesce("name", "_name", "customer_id")
    is_assigned = pl.col("_rep").is_not_null()
    return joined.with_columns(
        name.alias("name"),
        fold([name, pl.col("name_kana"), pl.col("customer_id"), pl.col("phone"), pl.col("_aliases")]).alias("search"),
        pl.coalesce("_state", "state").alias("state"),
        pl.coalesce("_rep", "_rep_run").alias("rep_id"),
        pl.when(is_assigned).then("_division").otherwise("_division_run").alias("division_id"),
    )


def _still_there(customers: pl.DataFrame, store: Store, commit: int, run: PublishedRun | None) -> pl.DataFrame:
    """Without those that an undo has taken out since the run: in no master, and without any order left."""
    if run is None or run.run.commit == commit:
        return customers
    masters = store.scan("customers", commit).select("customer_id").collect()["customer_id"]
    doubtful = customers.filter(~pl.col("customer_id").is_in(masters.implode()))["customer_id"]
    if doubtful.is_empty():
        return customers
    roots = _roots(store, commit)
    wanted = doubtful.to_list() + [code for code, root in roots.items() if root in set(doubtful.to_list())]
    lines = store.scan("order_lines", commit).select(pl.coalesce("end_customer_id", "customer_id").alias("customer_id"))
    present = lines.filter(pl.col("customer_id").is_in(wanted)).unique().collect(engine="streaming")
    there = _moved(present, roots)["customer_id"]
    masters_moved = [root for code, root in roots.items() if code in set(masters.to_list())]
    gone = doubtful.filter(~doubtful.is_in(there.implode()) & ~doubtful.is_in(masters_moved))
    return customers.filter(~pl.col("customer_id").is_in(gone.implode()))


def _with_nps(reader: _Reader) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contacts with their latest NPS; and by customer the mean of its key persons' latest, else of everybody's."""
    contacts = reader.read("contacts")
    answers = (
        reader.read("survey_answers")
        .filter(pl.col("question").str.to_lowercase() == NPS, pl.col("score").is_between(0, 10))
        .sort("answered_at", "answer_id")
        .unique(["customer_id", "contact_id"], keep="last", maintain_order=True)
    )
    contacts = contacts.join(
        answers.filter(pl.col("contact_id").is_not_null())
        .unique("contact_id", keep="last", maintain_order=True)
        .select("contact_id", pl.col("score").alias("nps")),
        on="contact_id", how="left", maintain_order="left",
    )  # fmt: skip
    weighed = answers.join(contacts.select("contact_id", "is_decision_maker"), on="contact_id", how="left")
    key = pl.col("is_decision_maker").fill_null(False)
    by_customer = weighed.group_by("customer_id").agg(
        pl.when(key.any()).then(pl.col("score").filter(key).mean()).otherwise(pl.col("score").mean()).alias("nps")
    )
    return contacts, by_customer


def _divisions_and_reps(
    reader: _Reader, owners: pl.DataFrame, customers: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both masters, and what is only mentioned elsewhere, under its code."""
    reps = reader.corrected("reps").select("rep_id", "name", "division_id", "hours_per_month", "valid_from", "valid_to")
    divisions = reader.corrected("divisions")
    of_products = reader.corrected("products").select("division_id")
    reps = _mentioned(reps, "rep_id", [owners, customers])
    divisions = _mentioned(divisions, "division_id", [owners, customers, reps, of_products])
    return divisions, reps


def _mentioned(masters: pl.DataFrame, code: str, others: list[pl.DataFrame]) -> pl.DataFrame:
    codes = pl.concat([frame.select(pl.col(code).cast(pl.String)) for frame in others]).drop_nulls().unique().sort(code)
    unknown = codes.join(masters, on=code, how="anti").with_columns(pl.col(code).alias("name"))
    return pl.concat([masters, unknown], how="diagonal")


def _families(run: PublishedRun | None, reader: _Reader) -> pl.DataFrame:
    if run is None:
        kinds = {"family": pl.String, "name": pl.String, "learned": pl.Boolean, "division_id": pl.String}
        return pl.DataFrame(schema=kinds)
    products = run.rows("product_families", columns=["product_id", "family"]).with_columns(
        pl.col("product_id").cast(pl.String)
    )
    of_division = (
        products.join(reader.corrected("products").select("product_id", "division_id"), on="product_id", how="inner")
        .drop_nulls("division_id")
        .group_by("family", "division_id")
        .len()
        .sort(["len", "division_id"], descending=[True, False])
        .unique("family", keep="first", maintain_order=True)
        .select("family", "division_id")
    )
    families = run.rows("families", columns=["family", "name", "learned"])
    return families.join(of_division, on="family", how="left", maintain_order="left")


def last_order_day(path: Path) -> date | None:
    """The day of the newest order line of the newest commit; None when there is none."""
    try:
        store = Store.open(path)
    except NotAWorkspace:
        return None
    if not store.files("order_lines"):
        return None
    newest = store.scan("order_lines").select(pl.col("ordered_at").max()).collect(engine="streaming").item()
    return None if newest is None else newest.date()
