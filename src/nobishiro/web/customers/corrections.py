"""Corrections of imported masters: they win over later imports, and what the import says stays to be seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.tables import TABLES, Column, ColumnType
from nobishiro.pipelines.customer_rows import group_codes, master_rows, workspace_at
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import published, workspace_path
from nobishiro.web.core.permissions import Permission
from nobishiro.web.core.templatetags.nobishiro import is_japanese
from nobishiro.web.customers.models import Contact, Correction, Customer
from nobishiro.web.people.models import User

CUSTOMERS: Final = "customers"
CONTACTS: Final = "contacts"
_SHOWN_AS: Final = {
    CUSTOMERS: {
        "name": "name", "name_kana": "kana", "kind": "kind", "state": "state", "industry": "industry",
        "prefecture": "prefecture", "address": "address", "phone": "phone", "employees": "employees",
    },
    CONTACTS: {
        "family_name": "family_name", "given_name": "given_name", "department": "department", "title": "title",
        "email": "email", "phone": "phone", "is_decision_maker": "is_key_person",
    },
}  # fmt: skip
"""Canonical column → column of the projection, which follows a correction at once."""
_SEARCHED: Final = ("name", "kana", "code", "phone")
_KEYS: Final = {CUSTOMERS: "customer_id", CONTACTS: "contact_id"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an imported row: what counts, and what the import says."""

    table: str
    row: str
    column: str
    label: str
    value: str
    imported: str
    correction: Correction | None
    choices: tuple[str, ...]
    type: str

    @property
    def is_corrected(self) -> bool:
        """Whether a person's word counts."""
        return self.correction is not None


@dataclass(frozen=True, slots=True)
class MasterRow:
    """An imported row with its fields."""

    table: str
    key: str
    title: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Details:
    """The imported masters of one customer, and its group."""

    rows: list[MasterRow]
    contacts: list[MasterRow]
    parent: str
    group: list[Customer]


def read_details(customer: Customer, codes: Sequence[str], user: User) -> Details:
    """Fields of the customer and its contacts as imported and as corrected; notes only for those who may see them."""
    workspace = workspace_at(workspace_path(), published())
    own = master_rows(workspace, CUSTOMERS, codes)
    people = master_rows(workspace, CONTACTS, codes)
    keys = [*own["customer_id"], *people["contact_id"]]
    made: dict[tuple[str, str, str], Correction] = {
        (row.table_name, row.row_key, row.column_name): row
        for row in Correction.objects.filter(table_name__in=(CUSTOMERS, CONTACTS), row_key__in=keys).select_related(
            "set_by"
        )
    }
    sees_notes = user.may(Permission.SEE_PRIVATE_NOTES)
    rows = [_master_row(CUSTOMERS, row, made, sees_notes) for row in own.iter_rows(named=True)]
    contacts = [_master_row(CONTACTS, row, made, sees_notes) for row in people.iter_rows(named=True)]
    rows.sort(key=lambda row: row.key != customer.code)
    parent = next((f.value for row in rows[:1] for f in row.fields if f.column == "parent_customer_id"), "")
    group = group_codes(workspace, customer.code, parent or None)
    related = list(
        Customer.objects.filter(Q(code__in=group) | Q(merged_into=customer)).select_related("main_rep").order_by("name")
    )
    return Details(rows, contacts, parent, related)


@transaction.atomic
def correct_field(*, by: User, customer: Customer, table: str, row: str, column: str, value: str) -> Correction | None:
    """Let a person's value count from now on, over later imports as well; None when it is what the import says.

    `customer` owns the row: `row` is one of the customer's own codes or the code of one of its contacts. Pages show it at
    once. Raises `BadInput`.
    """
    declared = _column(table, column)
    imported = _imported(customer, table, row)
    if declared.restricted and not by.may(Permission.SEE_PRIVATE_NOTES):
        raise BadInput(gettext("This field cannot be corrected here."))
    text = _checked(declared, value)
    says = _as_text(imported[column])
    place = {"table_name": table, "row_key": row, "column_name": column}
    before = Correction.objects.filter(**place).first()
    if text == says:
        Correction.objects.filter(**place).delete()
        made = None
    else:
        made, _is_new = Correction.objects.update_or_create(
            table_name=table,
            row_key=row,
            column_name=column,
            defaults={"value": text, "imported_value": says, "set_by": by, "set_at": timezone.now()},
        )
    if (before.value if before else says) != text:
        shown = {"before": before.value if before else says, "after": text} if not declared.restricted else {}
        record(by, "correction.set", f"customer:{customer.code}", {"table": table, "column": column, **shown})
    _follow(table, row, column, text)
    return made


def _master_row(
    table: str, row: dict[str, object], made: dict[tuple[str, str, str], Correction], sees_notes: bool
) -> MasterRow:
    key = str(row[_KEYS[table]])
    fields = []
    for column in TABLES[table].columns:
        if column.name in TABLES[table].key or column.name == "customer_id" or (column.restricted and not sees_notes):
            continue
        imported = _as_text(row[column.name])
        correction = made.get((table, key, column.name))
        fields.append(
            Field(
                table, key, column.name, column.ja if is_japanese() else column.en,
                correction.value if correction else imported, imported, correction, column.choices, column.type.value,
            )
        )  # fmt: skip
    names = ("family_name", "given_name") if table == CONTACTS else ("name",)
    values = {field.column: field.value for field in fields}
    title = " ".join(values[name] for name in names if values.get(name)) or key
    return MasterRow(table, key, title, fields)


def _column(table: str, column: str) -> Column:
    if table not in _KEYS or column not in TABLES[table].column_names or column in (*TABLES[table].key, "customer_id"):
        raise BadInput(gettext("This field cannot be corrected here."))
    return TABLES[table].column(column)


def _imported(customer: Customer, table: str, row: str) -> dict[str, object]:
    codes = [customer.code, *Customer.objects.filter(merged_into=customer).values_list("code", flat=True)]
    rows = master_rows(workspace_at(workspace_path(), published()), table, codes).filter(pl.col(_KEYS[table]) == row)
    if rows.is_empty():
        raise BadInput(gettext("This row is no longer there. Open the page again."))
    return rows.row(0, named=True)


def _checked(column: Column, value: str) -> str:
    text = unicodedata.normalize("NFKC", value).strip()
    if column.required and not text:
        raise BadInput(gettext("%(field)s cannot be empty.") % {"field": column.ja if is_japanese() else column.en})
    if not text:
        return ""
    if column.choices and text not in column.choices:
        raise BadInput(gettext("Choose one of %(choices)s.") % {"choices": " ".join(column.choices)})
    match column.type:
        case ColumnType.FLAG:
            return "true" if text in ("true", "1", "on") else "false"
        case ColumnType.DAY:
            try:
                return date.fromisoformat(text.replace("/", "-")).isoformat()
            except ValueError:
                raise BadInput(gettext("Enter the day as 2026-11-21.")) from None
        case ColumnType.INTEGER | ColumnType.MONEY:
            plain = text.replace(",", "").replace("¥", "")
            if not plain.isascii() or not plain.isdigit() or len(plain) > 15:
                raise BadInput(gettext("Enter a whole number of zero or more."))
            return str(int(plain))
    if len(text) > 4000:
        raise BadInput(gettext("This is too long: at most 4,000 characters."))
    return text


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return text.removesuffix(".00")


def _follow(table: str, row: str, column: str, text: str) -> None:
    """Bring the projection in step with the correction."""
    shown = _SHOWN_AS[table].get(column)
    if shown is None:
        return
    if table == CONTACTS:
        value: object = text == "true" if column == "is_decision_maker" else text
        Contact.objects.filter(code=row).update(**{shown: value})
        return
    customer = Customer.objects.filter(code=row).first()
    if customer is None:
        return
    setattr(customer, shown, (int(text) if text else None) if column == "employees" else text)
    parts = (str(getattr(customer, name)) for name in _SEARCHED)
    customer.search = unicodedata.normalize("NFKC", " ".join(part for part in parts if part)).lower()
    customer.save(update_fields=[shown, "search"])
