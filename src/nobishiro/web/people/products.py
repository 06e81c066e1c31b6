"""商材: what is sold, as imported and as people corrected it.

A correction of a field wins over every later import; what the import says stays to be seen. Corrections are rows of the room
above (`customers`), which this room may not import: its model is asked for by name.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.apps import apps
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.tables import PRODUCT_KINDS, TABLES, ColumnType
from nobishiro.pipelines.edit_masters import read_master
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import published, workspace_path
from nobishiro.web.core.permissions import Permission

if TYPE_CHECKING:
    from nobishiro.web.people.models import User

PLAIN_FIELDS: Final = ("family", "grade", "upgrade_of", "kind", "price", "active_from", "active_to")
COST_FIELDS: Final = ("cost", "margin_rate")


@dataclass(frozen=True, slots=True)
class ProductField:
    """One field: what counts, and what the import says."""

    name: str
    value: str
    imported: str
    is_editable: bool

    @property
    def is_corrected(self) -> bool:
        """Whether a person's word counts."""
        return self.value != self.imported


def fields_for(user: User) -> list[str]:
    """What this person may see of a product's fields."""
    return [*PLAIN_FIELDS, *(COST_FIELDS if user.may(Permission.SEE_COST) else ())]


def editable_for(user: User) -> list[str]:
    """What this person may correct: who imports, the catalogue; who sees costs and confirms, those."""
    plain = PLAIN_FIELDS if user.may(Permission.IMPORT) else ()
    cost = COST_FIELDS if user.may(Permission.SEE_COST) and user.may(Permission.CONFIRM) else ()
    return [*plain, *cost]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Some products, and how many there are."""

    rows: list[dict[str, object]]
    total: int
    families: list[str]
    without_family: int
    without_cost: int
    """Neither cost nor margin rate; told to nobody who may not see cost."""


def product_page(
    user: User, *, search: str = "", family: str = "", lacks: str = "", offset: int = 0, limit: int = 50
) -> ProductPage:
    """Products by name; `lacks` is `family` or `cost` for those without one."""
    frame = _products()
    families = frame["family"].drop_nulls().unique().sort().to_list()
    has_cost = pl.col("cost").is_not_null() | pl.col("margin_rate").is_not_null()
    sellable = pl.col("kind").is_null() | pl.col("kind").is_in(["goods", "service", "plan", "course"])
    without_family = frame.filter(pl.col("family").is_null() & sellable).height
    sees_cost = user.may(Permission.SEE_COST)
    without_cost = frame.filter(~has_cost & sellable).height if sees_cost else 0
    if search:
        word = unicodedata.normalize("NFKC", search).lower()
        text = pl.concat_str([pl.col("product_id"), pl.col("name").fill_null("")], separator=" ")
        frame = frame.filter(text.str.normalize("NFKC").str.to_lowercase().str.contains(word, literal=True))
    if family:
        frame = frame.filter(pl.col("family") == family)
    if lacks == "family":
        frame = frame.filter(pl.col("family").is_null() & sellable)
    elif lacks == "cost" and sees_cost:
        frame = frame.filter(~has_cost & sellable)
    ordered = frame.sort("name", "product_id", nulls_last=True)
    rows = ordered.slice(offset, limit)
    if not sees_cost:
        rows = rows.drop("cost", "margin_rate")
    return ProductPage(rows.to_dicts(), ordered.height, families, without_family, without_cost)


def product_fields(user: User, code: str) -> tuple[str, list[ProductField]] | None:
    """Name and fields of one product as this person may see them; None when there is none of this code."""
    imported = read_master(workspace_path(), "products").filter(pl.col("product_id") == code)
    if imported.is_empty():
        return None
    row = imported.row(0, named=True)
    own = dict(_corrections().objects.filter(table_name="products", row_key=code).values_list("column_name", "value"))
    originals = dict(
        _corrections().objects.filter(table_name="products", row_key=code).values_list("column_name", "imported_value")
    )
    editable = editable_for(user)
    fields = [
        ProductField(
            name, own.get(name, _as_text(row[name])), originals.get(name, _as_text(row[name])), name in editable
        )
        for name in fields_for(user)
    ]
    return str(row["name"] or code), fields


def correct_product(*, by: User, code: str, values: dict[str, str]) -> list[str]:
    """Let these values count from the next figures on, over later imports as well; the names of fields that changed.

    A value equal to the import's takes the correction away. Raises `BadInput`; then nothing is changed.
    """
    found = product_fields(by, code)
    if found is None:
        raise BadInput(gettext("There is no product with the code %(code)s.") % {"code": code[:60]})
    editable = set(editable_for(by))
    wanted = [
        (field, _checked(field.name, values[field.name], code))
        for field in found[1]
        if field.name in editable and field.name in values
    ]
    changed = [(field, value) for field, value in wanted if value != field.value]
    with transaction.atomic():
        for field, value in changed:
            place = {"table_name": "products", "row_key": code, "column_name": field.name}
            if value == field.imported:
                _corrections().objects.filter(**place).delete()
            else:
                said = {
                    "value": value, "imported_value": field.imported, "set_by": by, "set_by_name": by.name,
                    "set_at": timezone.now(),
                }  # fmt: skip
                _corrections().objects.update_or_create(**place, defaults=said)
        if changed:
            detail: dict[str, object] = {field.name: [field.value, value] for field, value in changed}
            if any(field.name in COST_FIELDS for field, _value in changed):
                # the audit trail is read by administrators, who may not see costs
                detail = {name: said for name, said in detail.items() if name not in COST_FIELDS}
                detail["also"] = [field.name for field, _value in changed if field.name in COST_FIELDS]
            record(by, "product.correct", f"product:{code}", detail)
    return [field.name for field, _value in changed]


def _products() -> pl.DataFrame:
    rows = _corrections().objects.filter(table_name="products")
    schema = dict.fromkeys(("table_name", "row_key", "column_name", "value"), pl.String)
    own = pl.DataFrame(list(rows.values_list(*schema)), schema=schema, orient="row")
    columns = TABLES["corrections"].column_names
    corrections = own.with_columns(pl.lit(None, pl.String).alias(name) for name in columns if name not in schema)
    products = read_master(workspace_path(), "products", corrections.select(columns))
    run = published()
    if run is None:
        return products.with_columns(pl.lit(None, pl.String).alias("learned"))
    learned = run.rows("product_families", columns=["product_id", "family"]).with_columns(
        pl.col("product_id").cast(pl.String), pl.col("family").cast(pl.String).alias("learned")
    )
    return products.join(learned.select("product_id", "learned"), on="product_id", how="left", maintain_order="left")


def _checked(name: str, value: str, code: str) -> str:
    text = unicodedata.normalize("NFKC", value).strip()
    column = TABLES["products"].column(name)
    if not text:
        return ""
    if name == "kind" and text not in PRODUCT_KINDS:
        raise BadInput(gettext("Choose one of the kinds."))
    if name == "upgrade_of":
        if text == code:
            raise BadInput(gettext("A product is no upgrade of itself."))
        if read_master(workspace_path(), "products").filter(pl.col("product_id") == text).is_empty():
            raise BadInput(gettext("There is no product with the code %(code)s.") % {"code": text[:60]})
    if column.type is ColumnType.DAY:
        try:
            return date.fromisoformat(text.replace("/", "-")).isoformat()
        except ValueError as error:
            raise BadInput(gettext("“%(text)s” is no date. Write it as 2026-12-29.") % {"text": text[:30]}) from error
    if column.type in (ColumnType.MONEY, ColumnType.RATE):
        try:
            number = Decimal(text.replace(",", "").replace("¥", ""))
        except InvalidOperation:
            number = Decimal(-1)
        if (
            not number.is_finite()
            or number < 0
            or (name == "margin_rate" and number > 1)
            or number >= Decimal(10) ** 15
        ):
            raise BadInput(
                gettext("“%(text)s” cannot be. Enter yen, or for the margin a share such as 0.35.")
                % {"text": text[:30]}
            )
        return _as_text(number)
    return text[:200]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _corrections() -> Any:
    return apps.get_model("customers", "Correction")
