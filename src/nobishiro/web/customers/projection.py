"""Brings the rows that pages filter and join in step with the store's newest commit and newest run.

Codes keep their primary keys, so that addresses and what people entered stay with the customer. Everything may be run again at
any time. Rows are written some thousand at a time, each batch a transaction of its own: a tap must not wait for a hundred
thousand rows, and a projection that was stopped is made whole by the next one. What people did since the run is laid over at the
end, from what is in the database by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import polars as pl
from django.db import transaction
from django.db.models import CharField, TextField
from django.utils import timezone

from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.pipelines.masters import Masters, read_masters
from nobishiro.web.core.upsert import upsert_rows
from nobishiro.web.customers.imported_words import project_words
from nobishiro.web.customers.models import Contact, Customer, Family, Outcome, Owner, Projection
from nobishiro.web.customers.people_source import DatabasePeople
from nobishiro.web.customers.since_run import count_coverage, lay_touches_over, lay_words_over
from nobishiro.web.people.projection import StaffKeys, project_staff

_BATCH: Final = 2_000
_STEP: Final = "projection"
_T = TypeVar("_T")
_SHOWN: Final = {
    "code": "customer_id", "name": "name", "kana": "name_kana", "search": "search", "kind": "kind", "state": "state",
    "industry": "industry", "prefecture": "prefecture", "address": "address", "phone": "phone",
    "employees": "employees", "main_rep_id": "rep", "main_division_id": "division", "is_listed": "is_listed",
    "merged_into_id": "into", "quadrant": "quadrant", "quadrant_computed": "quadrant_computed",
    "decided_by": "decided_by", "potential": "potential", "potential_low": "low", "potential_high": "high",
    "potential_basis": "potential_basis", "track_record": "track_record", "orders_12m": "orders_12m",
    "recency_days": "recency_days", "last_order_day": "last_day", "last_touch_day": "last_touch_day",
    "touch_hours_12m": "touch_hours_12m", "nps": "nps", "missed_families": "missed", "expected_missed": "expected",
}  # fmt: skip
"""Field → column of `Masters.customers` (keys of reps and divisions looked up)."""


@dataclass(frozen=True, slots=True)
class ProjectionReport:
    """What the pages show now."""

    commit: int
    run_id: str
    customers: int
    unlisted: int
    """Codes that were listed before and no longer are."""
    words: int
    """Imported facts, tags and overrides that were added or taken out."""


def project(workspace_path: Path, *, at: datetime, progress: ProgressReport = no_progress) -> ProjectionReport:
    """Project the newest commit and run; an empty report while there is no workspace.

    `at` says which ties and reps hold today.
    """
    day = timezone.localdate(at)
    people = DatabasePeople()
    masters = read_masters(workspace_path, day, corrections=people.snapshot("corrections"), handled=_handled_cells())
    if masters is None:
        return ProjectionReport(0, "", 0, 0, 0)
    steps = 6
    progress(_STEP, 0, steps)
    with transaction.atomic():
        staff = project_staff(masters.divisions, masters.reps)
    unlisted = _project_customers(masters, staff)
    progress(_STEP, 1, steps)
    keys = dict(Customer.objects.values_list("code", "pk"))
    _project_merges(masters, keys)
    _project_owners(masters, staff, keys)
    progress(_STEP, 2, steps)
    _project_contacts(masters, keys)
    progress(_STEP, 3, steps)
    if masters.run is not None:
        _project_families(masters.families, staff)
    words = project_words(workspace_path)
    progress(_STEP, 4, steps)
    count_coverage(day)
    lay_words_over(masters.run, masters.commit)
    lay_touches_over()
    progress(_STEP, 5, steps)
    run_id = masters.run.run_id if masters.run is not None else ""
    Projection.objects.update_or_create(
        pk=1,
        defaults={
            "commit": masters.commit,
            "run_id": run_id,
            "as_of": masters.run.as_of if masters.run is not None else None,
            "projected_at": at,
        },
    )
    progress(_STEP, steps, steps)
    return ProjectionReport(masters.commit, run_id, masters.customers.height, unlisted, words)


def in_batches(rows: Iterable[_T], size: int = _BATCH) -> Iterator[list[_T]]:
    """The rows some at a time."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def _handled_cells() -> pl.DataFrame:
    """Customer × family cells in which somebody proposed something here: no longer missed."""
    rows = Outcome.objects.filter(withdrawn_at=None).exclude(result="dismissed").exclude(family="")
    cells = list(rows.values_list("customer__code", "family").distinct())
    return pl.DataFrame(cells, schema={"customer_id": pl.String, "family": pl.String}, orient="row")


def _project_customers(masters: Masters, staff: StaffKeys) -> int:
    """Write the list and take out of it what is gone; how many went."""
    upsert_rows(Customer, list(_SHOWN), _rows(masters.customers, staff).iter_rows())
    listed = set(masters.customers["customer_id"].to_list())
    gone = [
        pk
        for pk, code in Customer.objects.filter(is_listed=True).values_list("pk", "code").iterator(chunk_size=5_000)
        if code not in listed
    ]
    for keys in in_batches(gone, 500):
        Customer.objects.filter(pk__in=keys).update(is_listed=False)
    return len(gone)


def _rows(customers: pl.DataFrame, staff: StaffKeys) -> pl.DataFrame:
    """The fields of `Customer` in the order of `_SHOWN`: keys for codes, texts never null and no longer than they may be."""
    texts = {
        field.attname: field.max_length
        for field in Customer._meta.concrete_fields
        if isinstance(field, CharField | TextField)
    }
    rows = customers.with_columns(
        _keys(pl.col("rep_id"), staff.reps).alias("rep"),
        _keys(pl.col("division_id"), staff.divisions).alias("division"),
        pl.lit(True).alias("is_listed"),
        pl.lit(None, pl.Int64).alias("into"),
        pl.col("missed").fill_null(0),
    )
    return rows.select(
        (pl.col(column).fill_null("").str.slice(0, texts[field]) if field in texts else pl.col(column)).alias(field)
        for field, column in _SHOWN.items()
    )


def _keys(codes: pl.Expr, keys: dict[str, int]) -> pl.Expr:
    return codes.replace_strict(list(keys), list(keys.values()), default=None, return_dtype=pl.Int64)


def _project_merges(masters: Masters, keys: dict[str, int]) -> None:
    """Codes folded away keep a row that leads to the one that stays."""
    rows = [
        (
            row["customer_id"], (row["name"] or row["customer_id"])[:400], (row["name_kana"] or "")[:400],
            row["customer_id"].lower(), (row["phone"] or "")[:60], False, keys[row["into"]],
        )
        for row in masters.merged.iter_rows(named=True)
        if row["into"] in keys
    ]  # fmt: skip
    columns = ["code", "name", "kana", "search", "phone", "is_listed", "merged_into_id"]
    upsert_rows(Customer, columns, rows)


def _project_owners(masters: Masters, staff: StaffKeys, keys: dict[str, int]) -> None:
    wanted = {
        (keys[customer], staff.divisions[division], staff.reps[rep], role)
        for customer, division, rep, role in masters.owners.iter_rows()
        if customer in keys
    }
    present: dict[tuple[int, int, int, str], int] = {
        (customer, division, rep, role): pk
        for pk, customer, division, rep, role in Owner.objects.values_list(
            "pk", "customer_id", "division_id", "rep_id", "role"
        ).iterator(chunk_size=5_000)
    }
    for gone in in_batches([pk for tie, pk in present.items() if tie not in wanted], 500):
        Owner.objects.filter(pk__in=gone).delete()
    new = (
        Owner(customer_id=customer, division_id=division, rep_id=rep, role=role)
        for customer, division, rep, role in sorted(wanted - present.keys())
    )
    for batch in in_batches(new):
        with transaction.atomic():
            Owner.objects.bulk_create(batch, ignore_conflicts=True)


def _project_contacts(masters: Masters, keys: dict[str, int]) -> None:
    lengths = {"family_name": 100, "given_name": 100, "department": 200, "title": 200, "email": 254, "phone": 60}
    rows = masters.contacts.select(
        pl.col("contact_id"),
        _keys(pl.col("customer_id"), keys),
        *(pl.col(name).fill_null("").str.slice(0, length) for name, length in lengths.items()),
        pl.col("is_decision_maker").fill_null(False),
        pl.col("nps"),
    ).drop_nulls("customer_id")
    upsert_rows(Contact, ["code", "customer_id", *lengths, "is_key_person", "nps"], rows.iter_rows())
    there = set(masters.contacts["contact_id"].to_list())
    gone = [
        pk for pk, code in Contact.objects.values_list("pk", "code").iterator(chunk_size=5_000) if code not in there
    ]
    for pks in in_batches(gone, 500):
        Contact.objects.filter(pk__in=pks).delete()


def _project_families(families: pl.DataFrame, staff: StaffKeys) -> None:
    with transaction.atomic():
        Family.objects.bulk_create(
            [
                Family(
                    code=row["family"], name=(row["name"] or row["family"])[:400], is_learned=bool(row["learned"]),
                    division_id=staff.divisions.get(row["division_id"] or ""), is_listed=True,
                )
                for row in families.iter_rows(named=True)
            ],
            update_conflicts=True,
            unique_fields=["code"],
            update_fields=["name", "is_learned", "division", "is_listed"],
            batch_size=500,
        )  # fmt: skip
        there = set(families["family"].to_list())
        gone = [pk for pk, code in Family.objects.filter(is_listed=True).values_list("pk", "code") if code not in there]
        Family.objects.filter(pk__in=gone).update(is_listed=False)
