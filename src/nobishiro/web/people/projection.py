"""Divisions and reps as the store has them, for pages to join. A code keeps its row; one the store no longer names stays."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from nobishiro.web.people.models import Division, Rep


@dataclass(frozen=True, slots=True)
class StaffKeys:
    """Primary keys by code."""

    divisions: dict[str, int]
    reps: dict[str, int]


def project_staff(divisions: pl.DataFrame, reps: pl.DataFrame) -> StaffKeys:
    """Write both tables and return their keys. Belongs to the surrounding transaction."""
    Division.objects.bulk_create(
        [
            Division(code=row["division_id"], name=row["name"] or row["division_id"], is_window=bool(row["is_window"]))
            for row in divisions.iter_rows(named=True)
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "is_window"],
        batch_size=500,
    )
    keys = dict(Division.objects.values_list("code", "pk"))
    parents = {row["division_id"]: keys.get(row["parent_division_id"] or "") for row in divisions.iter_rows(named=True)}
    moved = [
        Division(pk=pk, parent_id=parents[code])
        for code, pk, parent in Division.objects.values_list("code", "pk", "parent_id")
        if code in parents and parents[code] != parent and parents[code] != pk
    ]
    Division.objects.bulk_update(moved, ["parent"], batch_size=500)
    Rep.objects.bulk_create(
        [
            Rep(
                code=row["rep_id"], name=row["name"] or row["rep_id"], division_id=keys.get(row["division_id"] or ""),
                hours_per_month=row["hours_per_month"], valid_from=row["valid_from"], valid_to=row["valid_to"],
            )
            for row in reps.iter_rows(named=True)
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "division", "hours_per_month", "valid_from", "valid_to"],
        batch_size=500,
    )  # fmt: skip
    return StaffKeys(keys, dict(Rep.objects.values_list("code", "pk")))
