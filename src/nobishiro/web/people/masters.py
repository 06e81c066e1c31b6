"""Divisions, reps, assignments and targets as people edit them here: into the store in one commit, then onto the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import polars as pl
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.pipelines.edit_masters import (
    EditReport,
    TableEdit,
    customer_exists,
    edit_masters,
    ended,
    read_master,
    reassign,
)
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.core.jobs.registry import KINDS
from nobishiro.web.people.models import Division, Rep, User
from nobishiro.web.people.projection import project_staff
from nobishiro.web.people.targets import TargetRow

ROLES: Final = ("main", "support", "service", "specialist")
"""Roles of an assignment."""


def store_now() -> datetime:
    """The company's clock without a zone, as the store keeps it."""
    return timezone.localtime().replace(tzinfo=None, microsecond=0)


def save_division(*, by: User, code: str, name: str, parent: str, is_window: bool) -> EditReport:
    """Add a division or change the one of this code."""
    rows = pl.DataFrame(
        {"division_id": [code], "name": [name], "parent_division_id": [parent or None], "is_window": [is_window]},
        schema_overrides={"parent_division_id": pl.String},
    )
    before = Division.objects.filter(code=code).values("name", "parent__code", "is_window").first()
    after: dict[str, object] = {"name": name, "parent__code": parent or None, "is_window": is_window}
    return _edit_staff(by, "division.save", f"division:{code}", TableEdit("divisions", rows), before, after)


def save_rep(
    *,
    by: User,
    code: str,
    name: str,
    division: str,
    hours: float | None,
    valid_from: date | None,
    valid_to: date | None,
) -> EditReport:
    """Add a rep or change the one of this code."""
    rows = pl.DataFrame(
        {
            "rep_id": [code], "name": [name], "division_id": [division or None], "hours_per_month": [hours],
            "valid_from": [valid_from], "valid_to": [valid_to],
        },
        schema_overrides={
            "division_id": pl.String, "hours_per_month": pl.Float64, "valid_from": pl.Date, "valid_to": pl.Date,
        },
    )  # fmt: skip
    before = Rep.objects.filter(code=code).values("name", "division__code", "hours_per_month", "valid_from", "valid_to")
    after: dict[str, object] = {
        "name": name, "division__code": division or None, "hours_per_month": hours, "valid_from": valid_from,
        "valid_to": valid_to,
    }  # fmt: skip
    return _edit_staff(by, "rep.save", f"rep:{code}", TableEdit("reps", rows), before.first(), after)


def add_assignment(*, by: User, customer: str, division: str, rep: str, role: str, on: date) -> EditReport:
    """Let a rep look after a customer from the day `on`. Raises `BadInput` for a customer nobody knows."""
    if not customer_exists(workspace_path(), customer):
        raise BadInput(gettext("There is no customer with the code %(code)s.") % {"code": customer[:60]})
    key = {"customer_id": [customer], "division_id": [division], "rep_id": [rep], "role": [role]}
    rows = pl.DataFrame({**key, "valid_from": [on], "valid_to": [None]}, schema_overrides={"valid_to": pl.Date})
    report = _edit(TableEdit("assignments", rows), note=f"assignment {customer}: {rep}")
    _tell_assignments(by, "assignment.add", f"customer:{customer}", {"division": division, "rep": rep, "role": role})
    return report


def end_assignment(*, by: User, customer: str, division: str, rep: str, role: str, on: date) -> EditReport:
    """Let a tie hold until the day before `on`."""
    rows = read_master(workspace_path(), "assignments").filter(
        pl.col("customer_id") == customer,
        pl.col("division_id") == division,
        pl.col("rep_id") == rep,
        pl.col("role") == role,
    )
    report = _edit(ended(rows, on), note=f"assignment {customer}: {rep} ends")
    _tell_assignments(by, "assignment.end", f"customer:{customer}", {"division": division, "rep": rep, "role": role})
    return report


def hand_over(*, by: User, from_rep: Rep, to_rep: Rep, division: str, on: date) -> pl.DataFrame:
    """Give every customer of one rep to another, in one step; the ties that moved come back. Raises `BadInput`."""
    if from_rep.pk == to_rep.pk:
        raise BadInput(gettext("Choose somebody else."))
    report, moved = reassign(
        workspace_path(), from_rep=from_rep.code, to_rep=to_rep.code, division=division, on=on,
        note=f"hand-over {from_rep.code} → {to_rep.code}", at=store_now(),
    )  # fmt: skip
    if report.commit is not None:
        detail: dict[str, object] = {
            "to": to_rep.code, "customers": moved["customer_id"].n_unique(), "division": division, "edit": report.import_id,
        }  # fmt: skip
        _tell_assignments(by, "assignment.hand_over", f"rep:{from_rep.code}", detail)
    return moved


def save_targets(*, by: User, rows: Sequence[TargetRow], gone: Sequence[TargetRow], note: str) -> EditReport:
    """Write targets and take others out, in one commit."""
    report = _edit(_target_edit(rows, gone), note=note)
    if report.commit is not None:
        changed = {f"{row.scope}:{row.scope_id}:{row.start}:{row.measure}": str(row.amount) for row in rows}
        taken = [f"{row.scope}:{row.scope_id}:{row.start}:{row.measure}" for row in gone]
        record(by, "target.save", "targets", {"set": changed, "removed": taken, "edit": report.import_id})
    return report


def _target_edit(rows: Sequence[TargetRow], gone: Sequence[TargetRow]) -> TableEdit:
    written = pl.DataFrame(
        {
            "scope": [row.scope for row in rows], "scope_id": [row.scope_id for row in rows],
            "period_start": [row.start for row in rows], "period_end": [row.end for row in rows],
            "measure": [row.measure for row in rows], "amount": [row.amount for row in rows],
        },
        schema={
            "scope": pl.String, "scope_id": pl.String, "period_start": pl.Date, "period_end": pl.Date,
            "measure": pl.String, "amount": pl.Decimal(18, 2),
        },
    )  # fmt: skip
    keys = pl.DataFrame(
        {
            "scope": [row.scope for row in gone], "scope_id": [row.scope_id for row in gone],
            "period_start": [row.start for row in gone], "measure": [row.measure for row in gone],
        },
        schema={"scope": pl.String, "scope_id": pl.String, "period_start": pl.Date, "measure": pl.String},
    )  # fmt: skip
    return TableEdit("targets", written, keys)


def _edit(edit: TableEdit, *, note: str) -> EditReport:
    return edit_masters(workspace_path(), [edit], note=note, at=store_now())


def _edit_staff(
    by: User, verb: str, subject: str, edit: TableEdit, before: object, after: dict[str, object]
) -> EditReport:
    report = _edit(edit, note=subject.replace(":", " "))
    if report.commit is None:
        return report
    path = workspace_path()
    with transaction.atomic():
        project_staff(read_master(path, "divisions"), read_master(path, "reps"))
        record(by, verb, subject, {"before": _plain(before), "after": _plain(after), "edit": report.import_id})
    return report


def _tell_assignments(by: User, verb: str, subject: str, detail: dict[str, object]) -> None:
    """Into the audit trail; and the lists follow behind the page, since a tie changes whose list a customer is on."""
    with transaction.atomic():
        record(by, verb, subject, detail)
        if "project" in KINDS:
            enqueue("project", by=by, unique_key="project")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value.isoformat() if isinstance(value, date) else value
