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
from django.utils import timezone

from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.pipelines.masters import Masters, read_masters
from nobishiro.web.customers.imported_words import project_words
from nobishiro.web.customers.models import Contact, Customer, Family, Outcome, Owner, Projection
from nobishiro.web.customers.people_source import DatabasePeople
from nobishiro.web.customers.since_run import count_coverage, lay_touches_over, lay_words_over
from nobishiro.web.people.projection import StaffKeys, project_staff

_BATCH: Final = 2_000
_STEP: Final = "projection"
_T = TypeVar("_T")
_FROM_STORE: Final = (
    "name", "kana", "search", "kind", "state", "industry", "prefecture", "address", "phone", "employees", "main_rep",
    "main_division", "is_listed", "merged_into", "quadrant", "quadrant_computed", "decided_by", "potential",
    "potential_low", "potential_high", "potential_basis", "track_record", "orders_12m", "recency_days",
    "last_order_day", "last_touch_day", "touch_hours_12m", "nps", "missed_families", "expected_missed",
)  # fmt: skip


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
    for batch in in_batches(_rows(masters.customers, staff)):
        with transaction.atomic():
            Customer.objects.bulk_create(
                batch, update_conflicts=True, unique_fields=["code"], update_fields=_FROM_STORE
            )
    listed = set(masters.customers["customer_id"].to_list())
    gone = [
        pk
        for pk, code in Customer.objects.filter(is_listed=True).values_list("pk", "code").iterator(chunk_size=5_000)
        if code not in listed
    ]
    for keys in in_batches(gone, 500):
        Customer.objects.filter(pk__in=keys).update(is_listed=False)
    return len(gone)


def _rows(customers: pl.DataFrame, staff: StaffKeys) -> Iterator[Customer]:
    for row in customers.iter_rows(named=True):
        yield Customer(
            code=row["customer_id"], name=row["name"][:400], kana=(row["name_kana"] or "")[:400], search=row["search"],
            kind=row["kind"] or "", state=row["state"] or "", industry=(row["industry"] or "")[:200],
            prefecture=(row["prefecture"] or "")[:20], address=(row["address"] or "")[:500],
            phone=(row["phone"] or "")[:60], employees=row["employees"], main_rep_id=staff.reps.get(row["rep_id"] or ""),
            main_division_id=staff.divisions.get(row["division_id"] or ""), is_listed=True, merged_into=None,
            quadrant=row["quadrant"] or "", quadrant_computed=row["quadrant_computed"] or "",
            decided_by=row["decided_by"] or "", potential=row["potential"], potential_low=row["low"],
            potential_high=row["high"], potential_basis=row["potential_basis"] or "", track_record=row["track_record"],
            orders_12m=row["orders_12m"], recency_days=row["recency_days"], last_order_day=row["last_day"],
            last_touch_day=row["last_touch_day"], touch_hours_12m=row["touch_hours_12m"], nps=row["nps"],
            missed_families=row["missed"] or 0, expected_missed=row["expected"],
        )  # fmt: skip


def _project_merges(masters: Masters, keys: dict[str, int]) -> None:
    """Codes folded away keep a row that leads to the one that stays."""
    rows = [
        Customer(
            code=row["customer_id"], name=(row["name"] or row["customer_id"])[:400], kana=(row["name_kana"] or "")[:400],
            search=row["customer_id"].lower(), phone=(row["phone"] or "")[:60], is_listed=False,
            merged_into_id=keys[row["into"]],
        )
        for row in masters.merged.iter_rows(named=True)
        if row["into"] in keys
    ]  # fmt: skip
    for batch in in_batches(rows):
        with transaction.atomic():
            Customer.objects.bulk_create(
                batch,
                update_conflicts=True,
                unique_fields=["code"],
                update_fields=["name", "kana", "phone", "is_listed", "merged_into"],
            )


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
    fields = [
        "customer", "family_name", "given_name", "department", "title", "email", "phone", "is_key_person", "nps",
    ]  # fmt: skip
    rows = (
        Contact(
            code=row["contact_id"], customer_id=keys[row["customer_id"]], family_name=(row["family_name"] or "")[:100],
            given_name=(row["given_name"] or "")[:100], department=(row["department"] or "")[:200],
            title=(row["title"] or "")[:200], email=(row["email"] or "")[:254], phone=(row["phone"] or "")[:60],
            is_key_person=bool(row["is_decision_maker"]), nps=row["nps"],
        )
        for row in masters.contacts.iter_rows(named=True)
        if row["customer_id"] in keys
    )  # fmt: skip
    for batch in in_batches(rows):
        with transaction.atomic():
            Contact.objects.bulk_create(batch, update_conflicts=True, unique_fields=["code"], update_fields=fields)
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
