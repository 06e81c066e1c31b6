"""Tags back from Excel: read, held against what is known, and applied whole or not at all."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.pipelines.read_sheet import Sheet, read_sheet
from nobishiro.web.core.among import among
from nobishiro.web.core.audit import record
from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.customers.models import Customer
from nobishiro.web.customers.tags import set_tag
from nobishiro.web.map.models import TagSheet
from nobishiro.web.map.spec import base
from nobishiro.web.map.tag_words import HEADS, READ, in_words
from nobishiro.web.people.models import User

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from nobishiro.web.core.jobs.registry import JobContext

TAGS: Final = ("what", "pace", "visits", "relation")
MOST_BYTES: Final = 20 * 1024 * 1024
MOST_ROWS: Final = 100_000
MOST_REJECTED: Final = 500
"""Rejected rows kept to be shown; more than that is one mistake repeated."""
_ENDINGS: Final = (".xlsx", ".xlsm", ".csv", ".tsv", ".txt")


def check_sheet(*, by: User, file: UploadedFile) -> TagSheet:
    """What the sheet would change; nothing is changed yet. Raises `BadInput` when it cannot be read as such a sheet."""
    name = Path(file.name or "").name[:200]
    if (file.size or 0) > MOST_BYTES:
        raise BadInput(gettext("This file is larger than 20 MB. Send only the customers whose tags changed."))
    ending = Path(name).suffix.lower()
    if ending not in _ENDINGS:
        raise BadInput(gettext("Send the Excel file you took out of the map, or a CSV file."))
    with tempfile.TemporaryDirectory(prefix="nobishiro-tags-") as place:
        path = Path(place) / f"tags{ending}"
        with path.open("wb") as target:
            for chunk in file.chunks():
                target.write(chunk)
        sheet = read_sheet(path, name, MOST_ROWS)
    changes, rejected, unchanged = compare(sheet)
    made = TagSheet.objects.create(
        file_name=name, changes=changes, rejected=rejected[:MOST_REJECTED], unchanged=unchanged, uploaded_by=by
    )
    record(by, "tags.check", f"sheet:{made.pk}", {"changes": len(changes), "rejected": len(rejected)})
    return made


def compare(sheet: Sheet) -> tuple[list[list[object]], list[list[object]], int]:
    """(changes, rejected, cells that say what is known): a head that is missing leaves its tag alone, an empty cell clears it."""
    heads = {_folded(head): head for head in sheet.heads}
    found = {name: next((heads[word] for word in words if word in heads), None) for name, words in HEADS.items()}
    code_head = found["code"]
    if code_head is None:
        raise BadInput(
            gettext("There is no column “Customer code”. Take the map out as Excel, fill that in and send it back.")
        )
    tags = {tag: head for tag in TAGS if (head := found[tag]) is not None}
    if not tags:
        raise BadInput(
            gettext("There is no column to take in: What (set), Pace (set), Visits (set) or Relation (main rep).")
        )
    rejected: list[list[object]] = [[line, "", why] for line, why in sheet.broken]
    codes = [row.cells[code_head] for row in sheet.rows if row.cells[code_head]]
    known = _known(codes)
    changes: list[list[object]] = []
    seen: dict[str, int] = {}
    unchanged = 0
    for row in sheet.rows:
        code = row.cells[code_head]
        if not code:
            rejected.append([row.line, "", gettext("The customer code is empty.")])
            continue
        customer = known.get(code)
        if customer is None:
            rejected.append([row.line, code, gettext("No customer has this code.")])
            continue
        if code in seen:
            rejected.append(
                [row.line, code, gettext("This customer stands on line %(line)d already.") % {"line": seen[code]}]
            )
            continue
        seen[code] = row.line
        for tag, head in tags.items():
            said = unicodedata.normalize("NFKC", row.cells[head]).strip()
            value = READ[tag].get(said.lower(), READ[tag].get(row.cells[head])) if said else ""
            if value is None:
                choices = " / ".join(in_words(tag, choice) for choice in dict.fromkeys(READ[tag].values()))
                why = gettext("“%(head)s” cannot be “%(said)s”. Choose %(choices)s, or leave it empty.")
                rejected.append([row.line, code, why % {"head": head, "said": said[:40], "choices": choices}])
                continue
            before = getattr(customer, f"set_{tag}") or ""
            if value == before:
                unchanged += 1
            elif tag == "relation" and customer.main_rep_id is None:
                rejected.append(
                    [row.line, code, gettext("Nobody looks after this customer, so there is no relation to set.")]
                )
            else:
                changes.append([row.line, customer.pk, tag, before, value])
    return changes, sorted(rejected, key=lambda one: int(str(one[0]))), unchanged


def apply_sheet(*, by: User, sheet: TagSheet) -> None:
    """Have the changes made by a job. Raises `BadInput` while a row is rejected, or when it was decided already."""
    if sheet.rejected:
        raise BadInput(
            gettext(
                "Some rows cannot be taken. Put them right in the file and send it again: it is taken whole or not at all."
            )
        )
    with transaction.atomic():
        waiting = TagSheet.objects.filter(pk=sheet.pk, state=TagSheet.State.CHECKED)
        if not waiting.update(state=TagSheet.State.QUEUED):
            raise BadInput(gettext("This sheet was decided on already."))
        sheet.job = enqueue("map_tags", {"sheet": sheet.pk, "by": by.pk}, by=by, unique_key=f"map_tags:{sheet.pk}")
        sheet.state = TagSheet.State.QUEUED
        sheet.save(update_fields=["job", "state"])


def drop_sheet(*, by: User, sheet: TagSheet) -> None:
    """Nothing of it is wanted."""
    if TagSheet.objects.filter(pk=sheet.pk, state=TagSheet.State.CHECKED).update(state=TagSheet.State.DROPPED):
        record(by, "tags.drop", f"sheet:{sheet.pk}", {"file": sheet.file_name})


def apply_changes(sheet_pk: int, by: User, context: JobContext) -> int:
    """Set every tag of the sheet in one transaction; how many. A second run finds it applied and does nothing."""
    with transaction.atomic():
        sheet = TagSheet.objects.select_for_update().get(pk=sheet_pk)
        if sheet.state != TagSheet.State.QUEUED:
            return 0
        customers = Customer.objects.select_related("main_rep").in_bulk([change[1] for change in sheet.changes])
        for done, (_line, pk, tag, _before, after) in enumerate(sheet.changes, 1):
            customer = customers[pk]
            set_tag(
                by=by, customer=customer, tag=tag, value=after, reason=sheet.file_name,
                rep=customer.main_rep if tag == "relation" else None,
            )  # fmt: skip
            if done % 200 == 0:
                context.check()
        sheet.state, sheet.applied_at = TagSheet.State.APPLIED, timezone.now()
        sheet.save(update_fields=["state", "applied_at"])
        record(by, "tags.import", f"sheet:{sheet.pk}", {"file": sheet.file_name, "changes": len(sheet.changes)})
        context.check()
    return len(sheet.changes)


def _known(codes: list[str]) -> dict[str, Customer]:
    return {
        row.code: row
        for row in base(User()).filter(among("code", codes)).select_related(None).only("code", "name", "main_rep_id")
    }


def _folded(head: str) -> str:
    return unicodedata.normalize("NFKC", head).strip().lower()
