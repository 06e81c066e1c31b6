"""The workbook a manager shows to others: the map as list and chart, room, gaps, offers, pairs, plan, tags."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter

from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import FAMILY_STATES, TABLES
from nobishiro.report.data import ReportData, check_data
from nobishiro.report.page import VERSION, write_whole
from nobishiro.report.sheets import QUADRANT_COLOURS, Book, Head, Kind, Value
from nobishiro.report.texts import say

A3: Final = 8
MARKS: Final = dict(zip(FAMILY_STATES, "●◐○✕–", strict=True))
STATE_WORDS: Final = dict(
    zip(FAMILY_STATES, ("buying", "proposed", "notProposed", "competitor", "notApplicable"), strict=True)
)
TAG_NAMES: Final = ("what", "pace", "relation")
"""The tags people are asked for, one row each a customer of A and B."""
DECIDED: Final = ("computed", "tags", "override", "unknown")
TAG_LIMIT: Final = 300
SHEET_LIMIT: Final = 20_000
"""Rows of the long sheets: past this nobody reads on, and the export has them all. The sheet says what is left out."""


def write_workbook(data: ReportData, path: Path) -> None:
    """Write the workbook to `path`, whole or not at all, in the language of `data`.

    Raises `UnknownName` when a frame lacks a column, `FileNotUsable` when the place cannot be written, `DiskFull`.
    """
    check_data(data)
    with tempfile.TemporaryDirectory(prefix="nobishiro-") as directory:
        scratch = Path(directory) / "report.xlsx"
        book = Book(
            str(scratch), data.currency, f"{data.company} – {say(data.language, 'page.title')}", data.generated_at
        )
        for add in (_map, _potential, _gaps, _offers, _pairs, _plan, _evidence, _tags, _chart_points):
            add(book, data)
        book.close()
        write_whole(path, scratch.read_bytes())


def _words(data: ReportData) -> Callable[[str], str]:
    return partial(say, data.language)


def _label(data: ReportData, table: str, column: str) -> str:
    found = RESULTS[table].column(column)
    return found.ja if data.language == "ja" else found.en


def _notes(data: ReportData) -> list[str]:
    word = _words(data)
    day = word("page.asOf").format(day=data.as_of.strftime("%Y/%m/%d"))
    return [" · ".join([day, data.source_note, *([word("page.simulated")] if data.simulated else [])])]


def _ordered(data: ReportData) -> pl.DataFrame:
    """A to D, the largest potential first; who has none known stands last."""
    return data.positions.sort("quadrant", "potential", descending=[False, True], nulls_last=True)


def _names(data: ReportData) -> pl.DataFrame:
    return data.positions.select("customer_id", pl.col("name").alias("customer"), "quadrant", "rep_id")


def _families(data: ReportData) -> dict[str, str]:
    return dict(data.families.select("family", pl.coalesce("name", "family")).iter_rows())


def _products(data: ReportData) -> dict[str, str]:
    return {code: name or code for code, name in data.products.select("product_id", "name").iter_rows()}


def _map(book: Book, data: ReportData) -> None:
    word = _words(data)
    counts = {q: data.positions.filter(pl.col("quadrant") == q).height for q in QUADRANT_COLOURS}
    sentence = word("map.counts").format(**{q.lower(): f"{n:,}" for q, n in counts.items()})
    if data.positions["touch_hours_12m"].null_count() == data.positions.height:
        sentence += word("map.noTouch")
    why = data.thresholds.why_ja if data.language == "ja" else data.thresholds.why_en
    missed = dict(data.gaps.filter(pl.col("is_missed")).group_by("customer_id").len().iter_rows())
    heads = [
        Head(word("word.quadrantShort"), Kind.QUADRANT, 6),
        Head(word("word.code"), Kind.CODE, 13),
        Head(word("word.customer"), Kind.TEXT, 34),
        Head(word("word.track"), Kind.MONEY, 16),
        Head(word("word.potential"), Kind.MONEY, 16),
        Head(word("word.low"), Kind.MONEY, 14),
        Head(word("word.high"), Kind.MONEY, 14),
        Head(word("word.basis"), Kind.TEXT, 11),
        Head(_label(data, "positions", "orders_12m"), Kind.COUNT, 9),
        Head(_label(data, "positions", "recency_days"), Kind.COUNT, 9),
        Head(_label(data, "positions", "touch_hours_12m"), Kind.HOURS, 9),
        Head(word("word.missed"), Kind.COUNT, 9),
        Head(word("word.rep"), Kind.CODE, 10),
        Head(_label(data, "positions", "decided_by"), Kind.TEXT, 12),
        Head(_label(data, "positions", "reason"), Kind.LONG, 28),
    ]
    rows: list[list[Value]] = [
        [
            row["quadrant"],
            row["customer_id"],
            row["name"],
            row["track_record"],
            row["potential"],
            row["low"],
            row["high"],
            _basis(data, row["potential_basis"]),
            row["orders_12m"],
            row["recency_days"],
            row["touch_hours_12m"],
            missed.get(row["customer_id"]),
            row["rep_id"],
            word(f"book.{row['decided_by']}") if row["decided_by"] in DECIDED else row["decided_by"],
            row["reason"],
        ]
        for row in _ordered(data).iter_rows(named=True)
    ]
    sheet, first = book.add_sheet(
        word("nav.map"),
        f"{data.company} {word('nav.map')}",
        [sentence, why, *_notes(data)],
        heads,
        rows,
        paper=A3,
        frozen=3,
    )
    sheet.print_area(0, 0, first + len(rows) - 1, len(heads) - 1)
    if _points(data).is_empty():
        return  # A chart without a point is no valid workbook.
    # Beside the list on the screen; on paper the list stands alone and the chart has its own sheet.
    sheet.insert_chart(first - 1, len(heads) + 1, _scatter(book, data), {"object_position": 3})
    wall = book.workbook.add_chartsheet(word("book.chart"))
    wall.set_chart(_scatter(book, data))
    wall.set_landscape()
    wall.set_paper(A3)


def _points(data: ReportData) -> pl.DataFrame:
    """Who can stand on log axes: both amounts above nothing, sorted so that a quadrant is one range."""
    return (
        data.positions.filter((pl.col("potential") > 0) & (pl.col("track_record") > 0))
        .filter(pl.col("quadrant").is_in(list(QUADRANT_COLOURS)))
        .sort("quadrant", "customer_id")
    )


def _scatter(book: Book, data: ReportData) -> xlsxwriter.chart.Chart:
    """Four series on log axes; the points stand on the last sheet."""
    word = _words(data)
    points = _points(data)
    name = word("book.points")
    chart = book.workbook.add_chart({"type": "scatter"})
    at = 1
    for letter, colour in QUADRANT_COLOURS.items():
        count = points.filter(pl.col("quadrant") == letter).height
        if count:
            chart.add_series(
                {
                    "name": f"{letter} {word(f'quadrant.{letter}')}",
                    "categories": [name, at, 2, at + count - 1, 2],
                    "values": [name, at, 3, at + count - 1, 3],
                    "marker": {
                        "type": "circle",
                        "size": 5 if points.height < 2000 else 3,
                        "fill": {"color": colour},
                        "border": {"color": "#85898E" if letter == "D" else colour, "width": 0.25},
                    },
                }
            )
        at += count
    chart.set_title({"name": word("nav.map"), "name_font": {"size": 12}})
    axis = {"log_base": 10, "num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#E3DFD6"}}}
    smallest = {c: _decade_below(points[c]) for c in ("track_record", "potential")}
    cross = {"min": smallest["track_record"], "crossing": smallest["track_record"]}
    chart.set_x_axis({**axis, **cross, "name": word("word.track")})
    cross = {"min": smallest["potential"], "crossing": smallest["potential"]}
    chart.set_y_axis({**axis, **cross, "name": word("word.potential")})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 860, "height": 620})
    return chart


def _decade_below(values: pl.Series) -> float:
    """The power of ten under all but the smallest hundredth."""
    low = values.quantile(0.01) if values.len() else None
    power = 1.0
    while low is not None and power * 10 <= low:
        power *= 10
    return power


def _chart_points(book: Book, data: ReportData) -> None:
    word = _words(data)
    heads = [
        Head(word("word.quadrantShort"), Kind.QUADRANT, 6),
        Head(word("word.code"), Kind.CODE, 14),
        Head(word("word.track"), Kind.MONEY, 16),
        Head(word("word.potential"), Kind.MONEY, 16),
    ]
    rows: list[list[Value]] = [
        list(row) for row in _points(data).select("quadrant", "customer_id", "track_record", "potential").iter_rows()
    ]
    book.add_sheet(word("book.points"), "", [], heads, rows, bare=True)


def _potential(book: Book, data: ReportData) -> None:
    """Customer × family, the cells with something to say."""
    word = _words(data)
    families = _families(data)
    heads = [
        Head(word("word.quadrantShort"), Kind.QUADRANT, 6),
        Head(word("word.code"), Kind.CODE, 13),
        Head(word("word.customer"), Kind.TEXT, 34),
        Head(word("word.family"), Kind.TEXT, 26),
        Head(word("karte.current"), Kind.MONEY, 15),
        Head(word("word.potential"), Kind.MONEY, 15),
        Head(word("word.low"), Kind.MONEY, 14),
        Head(word("word.high"), Kind.MONEY, 14),
        Head(word("word.basis"), Kind.TEXT, 11),
        Head(word("gaps.comparable"), Kind.COUNT, 10),
        Head(word("karte.buyersOf"), Kind.COUNT, 10),
    ]
    frame = (
        data.potential.filter(pl.col("potential").is_not_null() | (pl.col("current") != 0))
        .join(_names(data), on="customer_id")
        .sort("potential", "customer_id", descending=[True, False], nulls_last=True)
    )
    rows: list[list[Value]] = [
        [
            row["quadrant"],
            row["customer_id"],
            row["customer"],
            families.get(row["family"], row["family"]),
            row["current"],
            row["potential"],
            row["low"],
            row["high"],
            _basis(data, row["basis"]),
            row["comparable_customers"],
            row["comparable_buyers"],
        ]
        for row in frame.head(SHEET_LIMIT).iter_rows(named=True)
    ]
    notes = [word("book.potentialNote") + _left_out(data, frame), *_notes(data)]
    book.add_sheet(word("book.potential"), word("book.potential"), notes, heads, rows, frozen=3)


def _gaps(book: Book, data: ReportData) -> None:
    """One row a customer, one column a family, a mark in each cell; the missed families counted and valued."""
    word = _words(data)
    families = _families(data)
    order = data.families["family"].to_list()
    place = {family: number for number, family in enumerate(order)}
    marks: dict[str, list[Value]] = {}
    missed: dict[str, int] = {}
    best: dict[str, tuple[float, str]] = {}
    columns = ("customer_id", "family", "state", "is_missed", "expected")
    for customer, family, state, is_missed, expected in data.gaps.select(columns).iter_rows():
        if family not in place:
            continue
        marks.setdefault(customer, [None] * len(order))[place[family]] = MARKS.get(state)
        if is_missed:
            missed[customer] = missed.get(customer, 0) + 1
            if expected is not None and expected > best.get(customer, (-1.0, ""))[0]:
                best[customer] = (expected, families[family])
    heads = [
        Head(word("word.quadrantShort"), Kind.QUADRANT, 6),
        Head(word("word.code"), Kind.CODE, 13),
        Head(word("word.customer"), Kind.TEXT, 34),
        Head(word("word.rep"), Kind.CODE, 10),
        Head(word("word.missed"), Kind.COUNT, 9),
        Head(word("book.firstMissed"), Kind.TEXT, 22),
        Head(word("word.expected"), Kind.MONEY, 14),
        *(Head(families[family], Kind.MARK, 9) for family in order),
    ]
    # B first: that is where a proposal was missed.
    rank = pl.col("quadrant").replace_strict({"B": 0, "A": 1, "C": 2, "D": 3}, default=4, return_dtype=pl.Int64)
    rows: list[list[Value]] = []
    for customer, name, quadrant, rep in _names(data).sort(rank, maintain_order=True).iter_rows():
        amount, family = best.get(customer, (None, None))
        rows.append(
            [
                quadrant,
                customer,
                name,
                rep,
                missed.get(customer),
                family,
                amount,
                *marks.get(customer, [None] * len(order)),
            ]
        )
    rows.sort(key=lambda row: (row[0] != "B", -(row[6] if isinstance(row[6], float | int) else -1.0)))
    key = "　".join(f"{MARKS[state]} {word(f'state.{STATE_WORDS[state]}')}" for state in FAMILY_STATES)
    book.add_sheet(word("nav.gaps"), word("nav.gaps"), [key, *_notes(data)], heads, rows, paper=A3, frozen=3)


def _offers(book: Book, data: ReportData) -> None:
    word = _words(data)
    products = _products(data)
    ja = data.language == "ja"
    heads = [
        Head(word("word.quadrantShort"), Kind.QUADRANT, 6),
        Head(word("word.code"), Kind.CODE, 13),
        Head(word("word.customer"), Kind.TEXT, 32),
        Head(_label(data, "recommendations", "kind"), Kind.TEXT, 12),
        Head(word("word.rank"), Kind.COUNT, 6),
        Head(_label(data, "recommendations", "product_id"), Kind.CODE, 13),
        Head(word("word.product"), Kind.TEXT, 34),
        Head(word("karte.why"), Kind.LONG, 50),
        Head(word("karte.say"), Kind.LONG, 40),
        Head(word("karte.due"), Kind.DAY, 12),
    ]
    frame = (
        data.recommendations.filter(pl.col("rank") <= 3)
        .join(_names(data), on="customer_id")
        .sort("quadrant", "customer_id", "kind", "rank", nulls_last=True)
    )
    rows: list[list[Value]] = [
        [
            row["quadrant"],
            row["customer_id"],
            row["customer"],
            word("karte.replenishment") if row["kind"] == "replenishment" else word("book.new"),
            row["rank"],
            row["product_id"],
            products.get(row["product_id"], row["product_id"]),
            row["why_ja"] if ja else row["why_en"],
            row["say_ja"] if ja else row["say_en"],
            row["due_day"],
        ]
        for row in frame.head(SHEET_LIMIT).iter_rows(named=True)
    ]
    book.add_sheet(
        word("book.offers"),
        word("book.offers"),
        [word("book.offersNote") + _left_out(data, frame), *_notes(data)],
        heads,
        rows,
        frozen=3,
    )


def _pairs(book: Book, data: ReportData) -> None:
    word = _words(data)
    products = _products(data)
    heads = [
        Head(_label(data, "pairs", "product_id"), Kind.CODE, 13),
        Head(word("word.product"), Kind.TEXT, 34),
        Head(_label(data, "pairs", "other_product_id"), Kind.CODE, 13),
        Head(word("together.other"), Kind.TEXT, 34),
        Head(word("together.together"), Kind.COUNT, 10),
        Head(word("together.support"), Kind.SHARE, 9),
        Head(word("together.confidence"), Kind.SHARE, 9),
        Head(word("together.lift"), Kind.FIGURE, 9),
        Head(_label(data, "pairs", "llr"), Kind.FIGURE, 11),
        Head(_label(data, "pairs", "q_value"), Kind.TINY, 10),
        Head(word("book.firstShare"), Kind.SHARE, 12),
        Head(_label(data, "pairs", "direction_n"), Kind.COUNT, 9),
    ]
    rows: list[list[Value]] = [
        [
            row["product_id"],
            products.get(row["product_id"], row["product_id"]),
            row["other_product_id"],
            products.get(row["other_product_id"], row["other_product_id"]),
            row["together"],
            row["support"],
            row["confidence"],
            row["lift"],
            row["llr"],
            row["q_value"],
            row["direction"],
            row["direction_n"],
        ]
        for row in data.pairs.sort("llr", descending=True, nulls_last=True).head(SHEET_LIMIT).iter_rows(named=True)
    ]
    notes = [word("together.how") + _left_out(data, data.pairs), *_notes(data)]
    book.add_sheet(word("nav.together"), word("nav.together"), notes, heads, rows)


def _plan(book: Book, data: ReportData) -> None:
    word = _words(data)
    families = _families(data)
    products = _products(data)
    ja = data.language == "ja"
    heads = [
        Head(word("word.rep"), Kind.CODE, 10),
        Head(word("plan.order"), Kind.COUNT, 6),
        Head(word("word.quadrantShort"), Kind.QUADRANT, 6),
        Head(word("word.code"), Kind.CODE, 13),
        Head(word("word.customer"), Kind.TEXT, 32),
        Head(word("plan.how"), Kind.TEXT, 8),
        Head(word("plan.hours"), Kind.HOURS, 8),
        Head(word("word.family"), Kind.TEXT, 20),
        Head(word("word.product"), Kind.TEXT, 28),
        Head(word("plan.expected"), Kind.MONEY, 14),
        Head(word("word.low"), Kind.MONEY, 13),
        Head(word("word.high"), Kind.MONEY, 13),
        Head(word("karte.why"), Kind.LONG, 44),
    ]
    rows: list[list[Value]] = [
        [
            row["rep_id"],
            row["order"],
            row["quadrant"],
            row["customer_id"],
            row["name"],
            word(f"channel.{row['channel']}") if row["channel"] in ("visit", "call", "mail") else row["channel"],
            row["hours"],
            families.get(row["family"], row["family"]),
            products.get(row["product_id"], row["product_id"]),
            row["expected"],
            row["low"],
            row["high"],
            row["why_ja"] if ja else row["why_en"],
        ]
        for row in data.plan.sort("rep_id", "order").iter_rows(named=True)
    ]
    notes = _notes(data)
    if data.plan_summary is not None:
        summary = data.plan_summary
        hours = "　".join(
            f"{q} {word('plan.wished')} {wished:,.1f} → {word('plan.planned')} {planned:,.1f}"
            for q, wished, planned in summary.hours_by_quadrant
        )
        notes = [summary.words_ja if ja else summary.words_en, hours, *notes]
    elif not rows:
        notes = [word("plan.none"), *notes]
    book.add_sheet(word("nav.plan"), word("nav.plan"), notes, heads, rows, frozen=5)


def _evidence(book: Book, data: ReportData) -> None:
    """What was read, how the lines stand, what was measured, the families: name, value, explanation."""
    word = _words(data)
    ja = data.language == "ja"
    heads = [
        Head(word("book.part"), Kind.TEXT, 20),
        Head(word("evidence.what"), Kind.TEXT, 34),
        Head(word("evidence.count"), Kind.COUNT, 12),
        Head(word("karte.amount"), Kind.MONEY, 16),
        Head(word("evidence.value"), Kind.TEXT, 14),
        Head(word("evidence.explanation"), Kind.LONG, 80),
    ]
    rows: list[list[Value]] = [
        [
            word("evidence.intake"),
            row[f"what_{data.language}"],
            row["count"],
            _float(row["amount"]),
            None,
            row[f"explanation_{data.language}"],
        ]
        for row in data.intake.iter_rows(named=True)
    ]
    why = data.thresholds.why_ja if ja else data.thresholds.why_en
    rows += [
        [word("evidence.thresholds"), word("word.potential"), None, data.thresholds.potential, None, why],
        [word("evidence.thresholds"), word("word.track"), None, data.thresholds.track_record, None, why],
    ]
    rows += [
        [word("evidence.measures"), m.name_ja if ja else m.name_en, m.n, None, m.value, m.how_ja if ja else m.how_en]
        for m in data.measures
    ]
    rows += [
        [
            word("evidence.families"),
            row["name"] or row["family"],
            row["products"],
            row["amount_12m"],
            word("evidence.learned") if row["learned"] else word("evidence.given"),
            row["words"],
        ]
        for row in data.families.iter_rows(named=True)
    ]
    made = word("evidence.made").format(
        version=VERSION, at=data.generated_at.strftime("%Y-%m-%d %H:%M"), asOf=data.as_of.isoformat()
    )
    rows.append([word("evidence.about"), word("page.title"), None, None, None, f"{made} {data.source_note}"])
    book.add_sheet(word("nav.evidence"), word("nav.evidence"), _notes(data), heads, rows)


def _tags(book: Book, data: ReportData) -> None:
    """Columns a person fills in and imports back; the heads are the canonical labels of `tags`, so import knows them.

    One row a tag for the customers where a tag changes most: B, then A, the largest potential first. Values stay
    empty: written ones would come back as a person's word. A row left empty is refused by the import, the others go in.
    """
    word = _words(data)
    # Japanese heads in both languages: the import's own names, the same whoever fills the sheet in.
    columns = TABLES["tags"].columns
    kinds = {"set_on": (Kind.DAY, 12.0), "reason": (Kind.TEXT, 40.0)}
    heads = [Head(column.ja, *kinds.get(column.name, (Kind.CODE, 15.0))) for column in columns]
    rank = pl.col("quadrant").replace_strict({"B": 0, "A": 1}, default=2, return_dtype=pl.Int64)
    asked = (
        data.positions.filter(pl.col("quadrant").is_in(["A", "B"]))
        .sort(rank, "potential", descending=[False, True], nulls_last=True)
        .head(TAG_LIMIT)
    )
    rows: list[list[Value]] = []
    for customer in asked["customer_id"]:
        for tag in TAG_NAMES:
            known: dict[str, Value] = {"customer_id": customer, "tag": tag}
            rows.append([known.get(column.name) for column in columns])
    book.add_sheet(word("book.tagSheet"), "", [], heads, rows, bare=True)


def _basis(data: ReportData, basis: str | None) -> str:
    return say(data.language, f"basis.{({'told': 't', 'estimated': 'e'}).get(basis or '', 'u')}")


def _left_out(data: ReportData, frame: pl.DataFrame) -> str:
    if frame.height <= SHEET_LIMIT:
        return ""
    return " " + say(data.language, "book.leftOut", shown=f"{SHEET_LIMIT:,}", total=f"{frame.height:,}")


def _float(value: Value) -> Value:
    return None if value is None else float(value) if not isinstance(value, str | date) else value
