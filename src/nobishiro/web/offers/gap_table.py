"""提案もれ as rows: cells of customer × family under the address's conditions, and the grid of one page of customers."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl
from django.db.models import F, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from nobishiro.contracts.tables import FAMILY_STATES
from nobishiro.web.core.among import among
from nobishiro.web.core.list_filters import Drawn
from nobishiro.web.core.lists import ChoiceFilter
from nobishiro.web.core.once import once
from nobishiro.web.customers.cells import cells_now
from nobishiro.web.customers.conditions import DIVISION, QUADRANT, REP, WORDS
from nobishiro.web.customers.listing import listed
from nobishiro.web.customers.models import Customer, Family
from nobishiro.web.customers.words import FAMILY_STATES as STATE_WORDS
from nobishiro.web.customers.words import RESULTS, word
from nobishiro.web.offers.open_cells import cells_in_columns, codes_in_state
from nobishiro.web.people.models import Rep

if TYPE_CHECKING:
    from nobishiro.pipelines.published import PublishedRun
    from nobishiro.web.people.models import User

SIGNS: Final = {"buying": "●", "proposed": "◆", "not_proposed": "○", "competitor": "×", "not_applicable": "－"}
"""One sign a state, always with its word."""
PAGE: Final = 50
GRID_PAGE: Final = 25
GRID_FAMILIES: Final = 6
"""Families that fit a desk's screen side by side; the others are one press away."""
_SCHEMA: Final = {"customer_id": pl.String, "pk": pl.Int64, "rep": pl.Int64}


def _families() -> dict[str, tuple[str, bool]]:
    """(name, whether it is listed) of every family by code, by name; read once a request."""
    return once(
        "gap families",
        lambda: {
            code: (name, listed) for code, name, listed in Family.objects.values_list("code", "name", "is_listed")
        },
    )


def _names() -> dict[str, str]:
    return {code: name for code, (name, _listed) in _families().items()}


CUSTOMER_FILTERS: Final = (WORDS, QUADRANT, REP, DIVISION)
FAMILY: Final = ChoiceFilter(
    "family",
    _("Family"),
    lambda user: [(code, name) for code, (name, is_listed) in _families().items() if is_listed],
    lambda rows, values: rows,
    is_main=True,
    is_open=True,
)
STATE: Final = ChoiceFilter(
    "state",
    _("State"),
    lambda user: [(code, STATE_WORDS[code]) for code in FAMILY_STATES],
    lambda rows, values: rows,
    is_main=True,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One customer × family."""

    customer: Customer
    family: str
    family_name: str
    state: str
    result: str
    expected: float | None
    low: float | None
    high: float | None
    basis: str
    comparable_customers: int | None
    comparable_buyers: int | None
    is_missed: bool

    @property
    def sign(self) -> str:
        """The state's sign."""
        return SIGNS[self.state]

    @property
    def state_word(self) -> str:
        """The state in words, with what came of the proposal."""
        said = word(STATE_WORDS, self.state)
        if self.state == "proposed" and self.result and self.result != "open":
            return f"{said} · {word(RESULTS, self.result)}"
        return said

    @property
    def element(self) -> str:
        """Id of its place on the page, for an answer to be put there."""
        return cell_element(self.customer.pk, self.family)


@dataclass(frozen=True, slots=True)
class Total:
    """Missed cells of one family or of one rep."""

    key: str
    name: str
    cells: int
    customers: int
    expected: float


@dataclass(frozen=True, slots=True)
class GapList:
    """Cells under the conditions, of which one page is read out."""

    cells: tuple[Cell, ...]
    total: int
    customers: int
    expected: float
    """Yen a year of all of them, where known."""
    unknown: int
    """Cells whose yen nobody knows."""
    by_family: tuple[Total, ...]
    by_rep: tuple[Total, ...]
    page: int
    pages: int
    most: float


@dataclass(frozen=True, slots=True)
class GridRow:
    """One customer of the grid: a cell a family shown, None where nothing is said of it."""

    customer: Customer
    cells: tuple[Cell | None, ...]
    top: tuple[Cell, ...]
    """The three largest never proposed, for the phone."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One page of customers × the families that fit."""

    families: tuple[tuple[str, str], ...]
    family_page: int
    family_pages: int
    rows: tuple[GridRow, ...]
    page: int
    pages: int
    total: int
    most: float


def cell_element(pk: int, family: str) -> str:
    """Id of a cell's place on the page."""
    return f"c{pk}-{zlib.crc32(family.encode()):08x}"


def customers_of(query: QueryDict, user: User, *, b_first: bool) -> QuerySet[Customer]:
    """The customers the address names; `b_first` takes B alone where no quadrant is named."""
    rows = listed()
    for narrowing in CUSTOMER_FILTERS:
        rows = narrowing.narrow(rows, query, user)
    if b_first and not query.getlist("quadrant"):
        rows = rows.filter(quadrant="B")
    return rows


def drawn_filters(query: QueryDict, user: User) -> list[Drawn]:
    """The conditions as they are drawn."""
    return [narrowing.draw(query, user) for narrowing in (*CUSTOMER_FILTERS, FAMILY, STATE)]


def chosen_families(query: QueryDict) -> list[str] | None:
    """The families named; None for all."""
    return [value for value in query.getlist("family") if value] or None


def chosen_state(query: QueryDict) -> str:
    """The state named, else empty."""
    said = query.get("state", "")
    return said if said in FAMILY_STATES else ""


def wanted_frame(query: QueryDict, user: User) -> pl.DataFrame:
    """(customer_id, pk, rep) of the customers the address names; of B where it names neither quadrant nor state."""
    wanted = customers_of(query, user, b_first=not chosen_state(query)).order_by()
    return pl.DataFrame(list(wanted.values_list("code", "pk", "main_rep_id")), schema=_SCHEMA, orient="row")


def _page_of(frame: pl.DataFrame, page: int, size: int) -> pl.DataFrame:
    """One page of the cells, the largest expected yen first, then by codes: only what may stand on it is sorted."""
    last = page * size
    if last < frame["expected"].count():
        least = frame["expected"].top_k(last).min()
        frame = frame.filter(pl.col("expected") >= least)
    ordered = frame.sort(["expected", "customer", "place"], descending=[True, False, False], nulls_last=True)
    return ordered.slice(last - size, size)


def gap_frame(run: PublishedRun, query: QueryDict, user: User) -> pl.DataFrame:
    """Every cell under the conditions with `pk` and `rep` of its customer, the largest expected yen first.

    Without a state these are the 提案もれ: never proposed, with room, of B unless another quadrant is named.
    """
    state = chosen_state(query)
    customers = wanted_frame(query, user)
    cells = cells_now(run, families=chosen_families(query)).filter(pl.col("state") == (state or "not_proposed"))
    if not state:
        cells = cells.filter(pl.col("expected").is_null() | (pl.col("expected") > 0))
    return (
        cells.join(customers.lazy(), on="customer_id", how="inner")
        .sort(["expected", "customer_id", "family"], descending=[True, False, False], nulls_last=True)
        .collect()
    )


def gap_list(run: PublishedRun, query: QueryDict, user: User, size: int = PAGE) -> GapList:
    """One page of `gap_frame` with its totals. Six queries at most."""
    state = chosen_state(query)
    frame = cells_in_columns(run, wanted_frame(query, user), state or "not_proposed", chosen_families(query))
    if not state:
        frame = frame.filter(pl.col("expected").is_null() | (pl.col("expected") > 0))
    pages = max(1, -(-frame.height // size))
    page = min(_number(query.get("page", "1")), pages)
    rows = _page_of(frame, page, size)
    customers = Customer.objects.select_related("main_rep").in_bulk(rows["pk"].unique().to_list())
    names = _names()
    read = cells_now(run, [customer.code for customer in customers.values()]).collect()
    full = rows.select("customer_id", "family", "pk").join(
        read, on=["customer_id", "family"], how="left", maintain_order="left"
    )
    cells = tuple(_cell(row, customers[row["pk"]], names) for row in full.iter_rows(named=True))
    reps = {rep.pk: rep for rep in Rep.objects.all()}
    by_family = tuple(
        Total(str(key), names.get(str(key), str(key)), n, who, yen) for key, n, who, yen in _totals(frame, "family")
    )
    by_rep = tuple(
        Total(reps[key].code, reps[key].name, n, who, yen) for key, n, who, yen in _totals(frame, "rep") if key in reps
    )
    return GapList(
        cells, frame.height, frame["pk"].n_unique(), float(frame["expected"].sum() or 0.0), frame["expected"].null_count(),
        by_family, by_rep, page, pages, max((cell.high or 0.0 for cell in cells), default=0.0),
    )  # fmt: skip


def gap_grid(run: PublishedRun, query: QueryDict, user: User) -> Grid:
    """One page of customers × families; those with the most room never proposed first."""
    families = _families_in_order(run, chosen_families(query))
    family_pages = max(1, -(-len(families) // GRID_FAMILIES))
    family_page = min(_number(query.get("families", "1")), family_pages)
    shown = families[(family_page - 1) * GRID_FAMILIES : family_page * GRID_FAMILIES]
    wanted = customers_of(query, user, b_first=False)
    state = chosen_state(query)
    if state:
        wanted = wanted.filter(among("code", codes_in_state(run, state, chosen_families(query))))
    total = wanted.count()
    pages = max(1, -(-total // GRID_PAGE))
    page = min(_number(query.get("page", "1")), pages)
    ordered = wanted.order_by(F("expected_missed").desc(nulls_last=True), F("potential").desc(nulls_last=True), "pk")
    keys = list(ordered.values_list("pk", flat=True)[(page - 1) * GRID_PAGE : page * GRID_PAGE])
    found = Customer.objects.select_related("main_rep").in_bulk(keys)
    customers = [found[key] for key in keys if key in found]
    names = dict(families)
    of: dict[str, list[Cell]] = {}
    by_code = {customer.code: customer for customer in customers}
    for row in cells_now(run, list(by_code)).collect().iter_rows(named=True):
        of.setdefault(row["customer_id"], []).append(_cell(row, by_code[row["customer_id"]], names))
    rows = []
    most = 0.0
    for customer in customers:
        cells = {cell.family: cell for cell in of.get(customer.code, [])}
        open_ = sorted(
            (cell for cell in cells.values() if cell.state == "not_proposed"), key=lambda cell: -(cell.expected or 0.0)
        )
        rows.append(GridRow(customer, tuple(cells.get(code) for code, _name in shown), tuple(open_[:3])))
        most = max([most, *(cell.high or 0.0 for cell in cells.values() if cell.state == "not_proposed")])
    return Grid(tuple(shown), family_page, family_pages, tuple(rows), page, pages, total, most)


def one_cell(run: PublishedRun, customer: Customer, family: str) -> Cell | None:
    """One cell as it is now; None when neither the run nor anybody said anything of it."""
    names = dict(Family.objects.filter(code=family).values_list("code", "name"))
    rows = cells_now(run, [customer.code], [family]).collect()
    if rows.is_empty():
        return None
    return _cell(rows.row(0, named=True), customer, names)


def _cell(row: dict[str, object], customer: Customer, names: dict[str, str]) -> Cell:
    family = str(row["family"])
    applies = row["state"] != "not_applicable"

    def yen(name: str) -> float | None:
        value = row[name]
        return float(value) if applies and isinstance(value, int | float) else None

    def count(name: str) -> int | None:
        value = row[name]
        return value if isinstance(value, int) else None

    return Cell(
        customer, family, names.get(family, family), str(row["state"]), str(row["proposal_result"] or ""), yen("expected"),
        yen("low"), yen("high"), str(row["basis"] or "unknown"), count("comparable_customers"), count("comparable_buyers"),
        bool(row["is_missed"]),
    )  # fmt: skip


def _totals(frame: pl.DataFrame, by: str) -> Sequence[tuple[object, int, int, float]]:
    summed = frame.group_by(by).agg(
        pl.len().alias("cells"), pl.col("pk").n_unique().alias("customers"), pl.col("expected").sum().alias("yen")
    )
    return summed.drop_nulls(by).sort("yen", by, descending=[True, False]).rows()


def _families_in_order(run: PublishedRun, chosen: list[str] | None) -> list[tuple[str, str]]:
    """(code, name) of the families, the largest sales first."""
    names = {code: name for code, (name, is_listed) in _families().items() if is_listed}
    amounts = dict(run.rows("families", columns=["family", "amount_12m"]).iter_rows())
    codes = sorted(set(names) | set(amounts), key=lambda code: (-(amounts.get(code) or 0.0), code))
    return [(code, names.get(code, code)) for code in codes if chosen is None or code in chosen]


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 8 else 1
