"""The columns of a list page: what they are called, how they sort, how a value is shown and how it goes into a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar, cast

from django.db.models import Expression, F, Model
from django.db.models.expressions import OrderBy
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext

from nobishiro.pipelines.list_files import Cell, ListColumn
from nobishiro.web.core.permissions import Permission
from nobishiro.web.core.templatetags import nobishiro as show

if TYPE_CHECKING:
    from nobishiro.web.core.list_filters import Text

Row = TypeVar("Row", bound=Model)
Kind = Literal["text", "code", "number", "yen", "about", "percent", "day", "moment", "quadrant", "interval"]
_NUMBERS: Final = frozenset({"number", "yen", "about", "percent"})
_RIGHT: Final = _NUMBERS | {"interval"}
_BIG_FIRST: Final = _NUMBERS | {"interval", "day", "moment"}


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column.

    `field` is where the value is (`main_rep__name` follows keys); `value` computes it from the row instead. `interval` takes
    three values (low, middle, high), from `fields` or `value`, and goes into files as three columns. `sort` names the fields
    to order by (ascending; the other direction is made from it; what is unknown comes last in both), "" when it cannot.
    """

    name: str
    label: Text
    field: str = ""
    sort: str | tuple[str | Expression, ...] = ""
    value: Callable[[Row], object] | None = None
    is_default: bool = True
    needs: Permission | None = None
    kind: Kind = "text"
    template: str | None = None
    """A template given `row` and `value`, for a cell that is more than its value."""
    unit: Text = ""
    """Said once, in the head; yen cells then stand without ¥."""
    fields: tuple[str, ...] = ()
    """Fields for files, read without making a row object; default `field`."""
    export: Callable[..., object] | None = None
    """Turns the values of `fields` into what the file holds: `export(*values)`; default as they are."""
    html: Callable[[Row], SafeString | str] | None = None
    """Draws the cell instead of `kind`."""
    lookup: Callable[[], Mapping[int, object]] | None = None
    """For files: values by the row's `pk`, read once for the whole list; for what would cost a question a row."""

    def __post_init__(self) -> None:
        if self.lookup is not None:
            object.__setattr__(self, "fields", ("pk",))
        elif not self.fields and self.field and (self.value is None or self.export is not None):
            object.__setattr__(self, "fields", (self.field,))

    @property
    def css(self) -> str:
        """Class of its cells."""
        return "number" if self.kind in _RIGHT else ""

    @property
    def begins_descending(self) -> bool:
        """Whether the first click shows the largest, the latest first."""
        return self.kind in _BIG_FIRST

    def order(self, *, is_descending: bool) -> list[OrderBy]:
        """How rows are ordered by it; expressions in `sort` keep their direction, so that blanks can stay last."""
        wanted = (self.sort,) if isinstance(self.sort, str) else self.sort
        return [ordered(part, is_descending=is_descending) for part in wanted]

    def of(self, row: Row) -> object:
        """The value of one row."""
        if self.value is not None:
            return self.value(row)
        if self.kind == "interval" and len(self.fields) == 3:
            return tuple(_follow(row, name) for name in self.fields)
        return _follow(row, self.field)

    def cell(self, row: Row, most: float | None) -> SafeString | str:
        """The value as the page shows it; `most` is where intervals of this page end."""
        if self.html is not None:
            return self.html(row)
        value = self.of(row)
        if self.template is not None:
            return render_to_string(self.template, {"row": row, "value": value, "most": most})
        return shown(value, self.kind, has_unit=bool(self.unit), most=most)

    def file_columns(self) -> list[ListColumn]:
        """The columns it makes in a file."""
        label = f"{self.label} ({self.unit})" if self.unit else str(self.label)
        if self.kind == "interval":
            ends = (pgettext("interval", "from"), "", pgettext("interval", "to"))
            return [ListColumn(f"{label} {end}".strip(), "number") for end in ends]
        kinds: dict[str, Literal["text", "number", "percent", "day", "moment"]] = {
            "number": "number", "yen": "number", "about": "number", "percent": "percent", "day": "day", "moment": "moment",
        }  # fmt: skip
        return [ListColumn(label, kinds.get(self.kind, "text"))]

    def file_cells(self, value: object) -> list[Cell]:
        """One value as cells of a file."""
        if self.kind == "interval":
            parts = cast("tuple[object, ...]", value or (None, None, None))
            return [plain(part) for part in parts]
        return [plain(value)]


def ordered(part: str | Expression, *, is_descending: bool) -> OrderBy:
    """One order: unknown last; a field with `-` is turned once more."""
    if not isinstance(part, str):
        return OrderBy(part)
    name = F(part.removeprefix("-"))
    return name.asc(nulls_last=True) if part.startswith("-") == is_descending else name.desc(nulls_last=True)


def shown(value: object, kind: Kind, *, has_unit: bool, most: float | None) -> SafeString | str:
    """One value as a page shows it."""
    if kind == "interval":
        low, middle, high = cast("tuple[show.Amount, show.Amount, show.Amount]", value or (None, None, None))
        if middle is None and low is None:
            return format_html(
                '{}<span class="note">{}</span>', show.interval(None, None, None, most), gettext("not known")
            )
        figure = show.number(show.round_about(float(middle))) if middle is not None else "–"
        return format_html("{}{}", figure if has_unit else show.about(middle), show.interval(low, middle, high, most))
    if value is None or value == "":
        return gettext("not known") if kind in ("yen", "about") else "–"
    amount = cast("show.Amount", value)
    if kind == "quadrant":
        return show.quadrant(str(value))
    if kind == "number":
        return show.number(amount, 0 if float(amount or 0) == int(float(amount or 0)) else 1)
    if kind in ("yen", "about"):
        figure_of = float(amount or 0) if kind == "yen" else show.round_about(float(amount or 0))
        return show.number(figure_of) if has_unit else show.yen(figure_of)
    if kind == "percent":
        return show.percent(amount)
    if kind == "day":
        return show.day(cast("date", value))
    if kind == "moment":
        return show.moment(cast("datetime", value))
    return str(value)


def plain(value: object) -> Cell:
    """One value as a file holds it: known types as they are, moments on the company's clock, anything else in words."""
    if isinstance(value, datetime):
        return timezone.make_naive(value) if timezone.is_aware(value) else value
    if value is None or isinstance(value, str | int | float | Decimal | date):
        return value
    return str(value)


def _follow(row: Model, path: str) -> object:
    found: object = row
    for name in path.split("__"):
        found = getattr(found, name, None)
        if found is None:
            return None
    return found
