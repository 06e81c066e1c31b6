"""List pages: filters, columns, order and page are all in the address, so that a list can be kept, sent and taken out.

    SPEC: ListSpec[Customer] = ListSpec("customers", base=…, columns=(Column(…), …), filters=(ChoiceFilter(…), …), …)

    @requires(Permission.SEE_CUSTOMERS)
    @require_GET
    def customers(request): return list_page(request, SPEC, "customers/list.html", {…})

The template includes `core/list_filters.html`, `core/list_tools.html` and `core/list_table.html`. Of the address: a filter's name
holds its value, `sort` a column's or an order's name (with `-` turned), `columns` names joined by dots, `page`, and `out` = xlsx, csv
or cp932 takes the whole filtered list out (needs EXPORT, audited as `list.export`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic

from django.db.models import Expression, QuerySet
from django.db.models.expressions import OrderBy
from django.http import Http404, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from nobishiro.web.core.audit import record_denial
from nobishiro.web.core.list_columns import Column, Row, ordered
from nobishiro.web.core.list_filters import (
    ChoiceFilter,
    Drawn,
    Filter,
    FlagFilter,
    NumberFilter,
    RangeFilter,
    SearchFilter,
)
from nobishiro.web.core.permissions import Permission, SignedInRequest

if TYPE_CHECKING:
    from nobishiro.web.core.list_filters import Text
    from nobishiro.web.core.models import SavedList
    from nobishiro.web.people.models import User

__all__ = [
    "ChoiceFilter", "Column", "FlagFilter", "ListPage", "ListSpec", "NumberFilter", "Order", "RangeFilter", "SearchFilter",
    "list_page",
]  # fmt: skip

SPECS: Final[dict[str, ListSpec]] = {}
"""Every list page there is, by name: saved lists belong to one of them."""
OWN_NAMES: Final = frozenset({"page", "sort", "columns", "out", "replace", "list", "csrfmiddlewaretoken"})
"""Names of the address that are not a filter's."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order that is no column's, such as promoters first."""

    name: str
    label: Text
    by: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class ListSpec(Generic[Row]):
    """One list page.

    `base` gives all rows this person may see, with the joins the columns need. Filters must not multiply rows: ask with
    `Exists` or `pk__in` where a customer has several of something.
    """

    name: str
    base: Callable[[User], QuerySet[Row]]
    columns: tuple[Column[Row], ...]
    filters: tuple[Filter, ...] = ()
    default_sort: str = ""
    row_url: Callable[[Row], str] | None = None
    orders: tuple[Order, ...] = ()
    page_size: int = 50
    title: Text = ""
    """Name of the file and its sheet."""
    row_class: Callable[[Row], str] | None = None
    key: Callable[[Row], object] = field(default=lambda row: row.pk)
    """What a tick box of the row sends (`pick`), where the page has them."""
    has_picks: bool = False

    def __post_init__(self) -> None:
        SPECS[self.name] = self

    def columns_for(self, user: User) -> list[Column[Row]]:
        """The columns this person may see."""
        return [column for column in self.columns if column.needs is None or user.may(column.needs)]


@dataclass(frozen=True, slots=True)
class Head:
    """One head of the table."""

    column: Column
    sort_url: str
    direction: str
    """ascending, descending or none."""


@dataclass(frozen=True, slots=True)
class CellShown:
    """One cell of the page."""

    name: str
    css: str
    html: SafeString | str


@dataclass(frozen=True, slots=True)
class RowShown(Generic[Row]):
    """One row of the page."""

    row: Row
    url: str
    css: str
    key: object
    cells: tuple[CellShown, ...]

    @property
    def html(self) -> SafeString:
        """The cells as `td`s, the first one leading to the row's page; made here because a template takes thrice as long."""
        first, *rest = self.cells
        lead = format_html('<a href="{}">{}</a>', self.url, first.html) if self.url else first.html
        return format_html(
            '<td class="{}">{}</td>{}',
            first.css,
            lead,
            format_html_join(
                "",
                '<td class="{}" data-name="{}"><span>{}</span></td>',
                ((cell.css, cell.name, cell.html) for cell in rest),
            ),
        )


@dataclass(frozen=True, slots=True)
class Box:
    """A column in the sheet where columns are chosen."""

    name: str
    label: Text
    is_shown: bool


@dataclass(frozen=True, slots=True)
class OrderShown:
    """An order beside the columns' own."""

    label: Text
    url: str
    is_current: bool


class ListPage(Generic[Row]):
    """What the templates get as `list`: everything is worked out when asked for and once."""

    def __init__(self, spec: ListSpec[Row], query: QueryDict, user: User, path: str) -> None:
        self.spec: Final = spec
        self.user: Final = user
        self.path: Final = path
        self._query: Final = query
        self.columns: Final[list[Column[Row]]] = self._chosen_columns()
        self._total: int | None = None
        self._rows: list[RowShown[Row]] | None = None
        self._drawn: list[Drawn] | None = None
        self._saved: list[SavedList] | None = None

    def queryset(self) -> QuerySet[Row]:
        """All rows the filters leave, in no order."""
        rows = self.spec.base(self.user)
        for narrowing in self.spec.filters:
            rows = narrowing.narrow(rows, self._query, self.user)
        return rows

    def in_order(self) -> QuerySet[Row]:
        """The same, ordered as the address says; equal rows by key, so that pages never overlap."""
        return self.queryset().order_by(*self._order(), "pk")

    @property
    def total(self) -> int:
        """How many rows the filters leave."""
        if self._total is None:
            self._total = self.queryset().order_by().count()
        return self._total

    def know_total(self, total: int) -> None:
        """Take the number of rows from whoever has counted them already."""
        self._total = total

    @property
    def page(self) -> int:
        """Number of the page shown, from 1."""
        said = self._query.get("page", "1")
        number = int(said) if said.isascii() and said.isdigit() and len(said) < 8 else 1
        return max(1, min(number, self.pages))

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // self.spec.page_size))

    @property
    def first(self) -> int:
        """Number of the first row shown."""
        return (self.page - 1) * self.spec.page_size + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return min(self.page * self.spec.page_size, self.total)

    @property
    def previous_url(self) -> str:
        """The page before; "" on the first."""
        return self.url(page=self.page - 1) if self.page > 1 else ""

    @property
    def next_url(self) -> str:
        """The page after; "" on the last."""
        return self.url(page=self.page + 1) if self.page < self.pages else ""

    @property
    def rows(self) -> list[RowShown[Row]]:
        """The rows of this page. Keys are looked up first and rows after: a far page then reads an index, not rows."""
        if self._rows is None:
            start = (self.page - 1) * self.spec.page_size
            keys = list(self.in_order().values_list("pk", flat=True)[start : start + self.spec.page_size])
            found = {row.pk: row for row in self.spec.base(self.user).filter(pk__in=keys)}
            self._rows = self._shown([found[key] for key in keys if key in found])
        return self._rows

    @property
    def heads(self) -> list[Head]:
        """The heads of the table."""
        current, is_descending = self._sort()
        heads = []
        for column in self.columns:
            direction, turned = "none", column.begins_descending
            if current == column.name:
                direction, turned = ("descending", False) if is_descending else ("ascending", True)
            url = self.url(sort=f"-{column.name}" if turned else column.name) if column.sort else ""
            heads.append(Head(column, url, direction))
        return heads

    @property
    def orders(self) -> list[OrderShown]:
        """Orders that are no column's."""
        current, _ = self._sort()
        return [OrderShown(order.label, self.url(sort=order.name), order.name == current) for order in self.spec.orders]

    @property
    def filters(self) -> list[Drawn]:
        """The filters as they are drawn."""
        if self._drawn is None:
            self._drawn = [narrowing.draw(self._query, self.user) for narrowing in self.spec.filters]
        return self._drawn

    @property
    def main_filters(self) -> list[Drawn]:
        """Those always in sight."""
        return [drawn for drawn in self.filters if drawn.is_main]

    @property
    def more_filters(self) -> list[Drawn]:
        """Those behind 詳細検索."""
        return [drawn for drawn in self.filters if not drawn.is_main]

    @property
    def more_set(self) -> int:
        """How many of those are set."""
        return sum(drawn.is_set for drawn in self.more_filters)

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return any(drawn.is_set for drawn in self.filters)

    @property
    def boxes(self) -> list[Box]:
        """The columns to choose from."""
        chosen = {column.name for column in self.columns}
        return [Box(column.name, column.label, column.name in chosen) for column in self.spec.columns_for(self.user)]

    @property
    def may_export(self) -> bool:
        """Whether this person may take the list out."""
        return self.user.may(Permission.EXPORT)

    @property
    def may_share(self) -> bool:
        """Whether this person may share lists with all."""
        return self.user.may(Permission.CONFIRM)

    @property
    def saved(self) -> list[SavedList]:
        """One's own lists of this page, favourites first, and the shared ones."""
        from nobishiro.web.core.saved_lists import lists_for

        if self._saved is None:
            self._saved = lists_for(self.user, self.spec.name)
        return self._saved

    @property
    def own_lists(self) -> list[SavedList]:
        """マイリスト."""
        return [kept for kept in self.saved if kept.owner_id == self.user.pk]

    @property
    def shared_lists(self) -> list[SavedList]:
        """共有リスト of others."""
        return [kept for kept in self.saved if kept.owner_id != self.user.pk]

    @property
    def current_list(self) -> SavedList | None:
        """The kept list that is being shown."""
        said = self._query.get("list", "")
        return next((kept for kept in self.saved if str(kept.pk) == said), None)

    @property
    def query(self) -> str:
        """Filters, columns and order as an address keeps them, without the page."""
        return self._copy().urlencode()

    @property
    def clear_url(self) -> str:
        """The list without any filter, columns and order kept."""
        kept = QueryDict(mutable=True)
        for name in ("sort", "columns"):
            if name in self._query:
                kept[name] = self._query.get(name, "")
        return f"{self.path}?{kept.urlencode()}"

    @property
    def kept_for_filters(self) -> list[tuple[str, str]]:
        """What the filter form carries along unseen."""
        return [(name, said) for name in ("sort", "columns") if (said := self._query.get(name, ""))]

    @property
    def kept_for_columns(self) -> list[tuple[str, str]]:
        """What the sheet of columns carries along unseen: filters and order."""
        return [
            (name, value)
            for name, values in self._query.lists()
            if name == "sort" or name not in OWN_NAMES
            for value in values
        ]

    @property
    def excel_url(self) -> str:
        """The whole list as Excel."""
        return self.url(out="xlsx")

    @property
    def csv_url(self) -> str:
        """The whole list as CSV in UTF-8 with BOM."""
        return self.url(out="csv")

    @property
    def cp932_url(self) -> str:
        """The whole list as CSV in CP932."""
        return self.url(out="cp932")

    @property
    def replaced_url(self) -> str:
        """The same with 〓 for what does not fit."""
        return self.url(out="cp932", replace=1)

    @property
    def back_url(self) -> str:
        """This list."""
        return self.url()

    def url(self, **changes: object) -> str:
        """This list's address with changes; the page starts anew unless it is one of them."""
        copy = self._copy()
        for name, value in changes.items():
            copy[name] = str(value)
        return f"{self.path}?{copy.urlencode()}"

    def _copy(self) -> QueryDict:
        copy = QueryDict(mutable=True)
        for name, values in self._query.lists():
            if name not in OWN_NAMES:
                copy.setlist(name, [value for value in values if value])
        if self._query.get("sort"):
            copy["sort"] = self._query.get("sort", "")
        if "columns" in self._query:
            copy["columns"] = ".".join(column.name for column in self.columns)
        return copy

    def _chosen_columns(self) -> list[Column[Row]]:
        allowed = self.spec.columns_for(self.user)
        said = {name for part in self._query.getlist("columns") for name in part.split(".")}
        chosen = [column for column in allowed if column.name in said]
        return chosen or [column for column in allowed if column.is_default]

    def _sort(self) -> tuple[str, bool]:
        known = {column.name for column in self.spec.columns_for(self.user) if column.sort}
        known |= {order.name for order in self.spec.orders}
        for said in (self._query.get("sort", ""), self.spec.default_sort):
            if said.removeprefix("-") in known:
                return said.removeprefix("-"), said.startswith("-")
        return "", False

    def _order(self) -> list[OrderBy]:
        name, is_descending = self._sort()
        for column in self.spec.columns:
            if column.name == name:
                return column.order(is_descending=is_descending)
        for order in self.spec.orders:
            if order.name == name:
                return [ordered(part, is_descending=is_descending) for part in order.by]
        return []

    def _shown(self, rows: list[Row]) -> list[RowShown[Row]]:
        most = {column.name: _most(column, rows) for column in self.columns if column.kind == "interval"}
        spec = self.spec
        drawn = [(str(column.label), column.css, column, most.get(column.name)) for column in self.columns]
        return [
            RowShown(
                row,
                "" if spec.row_url is None else spec.row_url(row),
                "" if spec.row_class is None else spec.row_class(row),
                spec.key(row),
                tuple(CellShown(label, css, column.cell(row, end)) for label, css, column, end in drawn),
            )
            for row in rows
        ]


def _most(column: Column, rows: list[Row]) -> float | None:
    ends = [value[2] for row in rows if isinstance(value := column.of(row), tuple) and value[2] is not None]
    return max((float(end) for end in ends), default=None)


def list_page(
    request: SignedInRequest,
    spec: ListSpec[Row],
    template: str,
    context: dict[str, object] | Callable[[ListPage[Row]], dict[str, object]] | None = None,
) -> HttpResponseBase:
    """The page, or the file that `out` asks for. `context` may be a function of the `ListPage`, for figures of the filtered rows."""
    from nobishiro.web.core.list_export import export_list

    shown = ListPage(spec, request.GET, request.user, request.path)
    if request.GET.get("out"):
        if not shown.may_export:
            record_denial(request, str(Permission.EXPORT))
            raise Http404
        return export_list(request, shown, request.GET["out"], is_replacing=request.GET.get("replace") == "1")
    more = context(shown) if callable(context) else context or {}
    return render(request, template, {"list": shown, **more})
