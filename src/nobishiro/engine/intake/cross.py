"""Cross tables (months across the top) turned into rows: one per customer, family and month."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from nobishiro.contracts.errors import LayoutUnknown
from nobishiro.engine.intake.layout import Header, is_subtotal
from nobishiro.engine.intake.months import YearLabel, number_months, parse_month, parse_year

MONTH_COLUMN: Final = "年月"
AMOUNT_COLUMN: Final = "金額"
FAMILY_COLUMN: Final = "商品群"
_AMOUNT_WORDS: Final = frozenset(
    {"金額", "売上", "売上高", "売上金額", "売上額", "受注額", "受注金額", "sales", "amount", "revenue"}
)
_MEASURE: Final = re.compile(
    r"(?i)^(売上|受注|販売|純売上)?(金額|高|額|数量|個数|件数|本数|台数|点数|数|粗利益?|粗利額|原価|予算|実績|目標|計画|客数)$|^(売上|受注|販売)$"
    r"|^(sales|amount|revenue|qty|quantity|units|cost|profit|margin|budget|actual|target|plan|orders)$"
)
_DERIVED: Final = re.compile(
    r"(?i)平均|構成比|前年比|前年同月比|達成率|伸び?率|比率|増減|前年|average|share|growth|%|^avg|^ytd"
)
_THOUSANDS: Final = re.compile(r"単位\s*[:：]?\s*[(（]?\s*(百万円|千円)|[(（](百万円|千円)[)）]")
_COUNTS: Final = r"(?i)数|qty|quantity|units|orders"
_NOTHING: Final = ("-", "－", "―", "—", "–", "ー", "*", "…")


@dataclass(frozen=True, slots=True)
class MonthColumn:
    """One column of amounts: its month and what else its header says (a family or a measure)."""

    index: int
    month: str
    other: str | None


@dataclass(frozen=True, slots=True)
class CrossPlan:
    """How a cross table is to be read."""

    labels: tuple[int, ...]
    """Columns that say whose amount it is."""
    months: tuple[MonthColumn, ...]
    dropped: tuple[int, ...]
    """Totals, shares and averages, which are not read."""
    measures: bool
    """Whether `MonthColumn.other` names measures (金額, 数量) rather than families."""
    scale: int
    notes: tuple[str, ...]


def find_months(header: Header) -> dict[int, tuple[int | None, int, str | None]]:
    """Column → (year or None, month, what else the header says) for the columns that stand for a month."""
    found: dict[int, tuple[int | None, int, str | None]] = {}
    for index, (upper, lower) in enumerate(zip(header.upper, header.lower, strict=True)):
        above, below = parse_month(upper), parse_month(lower)
        label, other = (above, lower) if above is not None else (below, upper)
        if label is None:
            continue
        year = label.year
        if year is None and other is not None:
            named = parse_year(other)
            if named is not None:
                year = int(number_months([label.month], named)[0][:4]) if not named.fiscal else None
                if named.fiscal:
                    year = named.year + (1 if label.month < 4 else 0)
                other = None
        found[index] = (year, label.month, other or label.rest or None)
    return found


def looks_like_cross(header: Header) -> bool:
    """Whether the header holds months beside something that is no month: two different ones, or one with its year."""
    months = find_months(header)
    different = {(year, month) for year, month, _ in months.values()}
    told = any(year is not None for year, _ in different)
    return (len(different) >= 2 or told) and len(months) < len(header.upper)


def plan_cross(header: Header, context: Sequence[str], source: str) -> CrossPlan:
    """Which columns are labels, months and totals.

    `context` are the titles, the sheet's and the file's name, in the order in which they are believed about the year.
    Raises `LayoutUnknown` without months, or with months but no year.
    """
    found = find_months(header)
    if not found:
        raise LayoutUnknown(f"{source}: no column is headed by a month, so it is no cross table; read it as a list")
    notes: list[str] = []
    first = min(found)
    labels, dropped = [], []
    months: list[MonthColumn] = []
    numbered = _numbered(found, context, source, notes)
    for index in range(len(header.upper)):
        if index in found:
            other = found[index][2]
            if _is_derived(other):
                dropped.append(index)
            else:
                months.append(MonthColumn(index, numbered[index], other))
        else:
            name = header.lower[index] or header.upper[index]
            if _is_derived(header.upper[index]) or _is_derived(header.lower[index]) or (index > first and name is None):
                dropped.append(index)
            else:
                labels.append(index)
    others = {column.other for column in months if column.other is not None}
    measures = all(_MEASURE.match(unicodedata.normalize("NFKC", other)) for other in others)
    scale = _scale(context, notes)
    if dropped:
        names = [header.lower[index] or header.upper[index] or "" for index in dropped]
        notes.append(f"{len(dropped)} column(s) of totals or shares are skipped: {', '.join(sorted(set(names)))[:120]}")
    return CrossPlan(tuple(labels), tuple(months), tuple(dropped), measures, scale, tuple(notes))


def measure_rows(frame: pl.DataFrame, plan: CrossPlan) -> str | None:
    """The label column that only names measures (数量, 金額 … a row each): their amounts must not be mixed."""
    for index in plan.labels:
        name = frame.columns[index]
        kinds = frame[name].drop_nulls().unique().to_list()
        if 2 <= len(kinds) <= 10 and all(_MEASURE.match(unicodedata.normalize("NFKC", kind).strip()) for kind in kinds):
            return name
    return None


def spread_measures(frame: pl.DataFrame, lines: pl.Series, measure: str) -> tuple[pl.DataFrame, pl.Series]:
    """One row where there was one per measure, with a column for each; the line is that of the first."""
    ids = [name for name in frame.columns if name not in (measure, AMOUNT_COLUMN)]
    kinds = [kind for kind in frame[measure].unique(maintain_order=True).to_list() if kind is not None]
    keyed = frame.with_columns(lines.alias("__line__"))
    # The same labels and month a second time are a second record, not a second value of the first.
    keyed = keyed.with_columns(pl.int_range(pl.len()).over([*ids, measure]).alias("__time__"))
    columns: dict[str, list[str]] = {}
    for kind in kinds:
        columns.setdefault(_measure_name(kind.strip()), []).append(kind)
    values = [
        pl.col(AMOUNT_COLUMN).filter(pl.col(measure).is_in(wanted)).first().alias(name)
        for name, wanted in columns.items()
    ]
    rows = keyed.group_by([*ids, "__time__"], maintain_order=True).agg(pl.col("__line__").first(), *values)
    return rows.select(*ids, *columns), rows["__line__"].alias("line")


def unpivot(
    frame: pl.DataFrame, lines: pl.Series, plan: CrossPlan, measure_column: str | None = None
) -> tuple[pl.DataFrame, pl.Series]:
    """One row per filled cell (per month and family when the header has measures): the labels, 年月 and 金額.

    Rows come in the order of the sheet, months left to right; cells that are empty or a dash give no row.
    """
    names = frame.columns
    ids = [names[index] for index in plan.labels]
    month_name = _free(MONTH_COLUMN, ids)
    family_name = _free(FAMILY_COLUMN, ids)
    has_families = not plan.measures and any(column.other for column in plan.months)
    groups: dict[tuple[str, str | None], list[tuple[str, str]]] = {}
    for column in plan.months:
        measure = _measure_name(column.other) if plan.measures else AMOUNT_COLUMN
        key = (column.month, column.other if has_families else None)
        groups.setdefault(key, []).append((_free(measure, ids), names[column.index]))
    measures = list(dict.fromkeys(measure for group in groups.values() for measure, _ in group))
    keyed = frame.with_columns(lines.alias("__line__")).with_row_index("__row__")
    parts = []
    for place, ((month, family), group) in enumerate(groups.items()):
        given: dict[str, str] = {}
        for measure, name in group:
            given.setdefault(measure, name)
        values = [
            _amount(name, plan.scale if measure in _scaled(measures) else 1, measure_column).alias(measure)
            if (name := given.get(measure, "")) in names
            else pl.lit(None, pl.String).alias(measure)
            for measure in measures
        ]
        extra = [pl.lit(month).alias(month_name)]
        if has_families:
            extra.append(pl.lit(family, pl.String).alias(family_name))
        part = keyed.select("__row__", "__line__", pl.lit(place, pl.Int32).alias("__place__"), *ids, *extra, *values)
        parts.append(part.filter(pl.any_horizontal(*(pl.col(measure).is_not_null() for measure in measures))))
    rows = pl.concat(parts).sort("__row__", "__place__")
    return rows.drop("__row__", "__line__", "__place__"), rows["__line__"].alias("line")


def _numbered(
    found: dict[int, tuple[int | None, int, str | None]], context: Sequence[str], source: str, notes: list[str]
) -> dict[int, str]:
    numbered = {index: f"{year:04d}-{month:02d}" for index, (year, month, _) in found.items() if year is not None}
    open_ones = [index for index in sorted(found) if index not in numbered]
    if not open_ones:
        return numbered
    year = _year_of(context)
    if year is None:
        raise LayoutUnknown(
            f"{source}: the months have no year; write 2025年度 or 2025年 above the table, "
            "or into the sheet's or the file's name"
        )
    sequences: list[list[int]] = []
    last = 99
    seen: set[int] = set()
    for index in open_ones:  # a family's months start again where a month that was there comes back
        month = found[index][1]
        if month != last and month in seen:
            sequences.append([])
            seen = set()
        if not sequences:
            sequences.append([])
        sequences[-1].append(index)
        seen.add(month)
        last = month
    for sequence in sequences:
        months = [found[index][1] for index in sequence]
        numbered.update(zip(sequence, number_months(months, year), strict=True))
    notes.append(f'months without a year are counted from "{year.text}"')
    return numbered


def _year_of(context: Sequence[str]) -> YearLabel | None:
    return next((year for text in context if (year := parse_year(text)) is not None), None)


def _scale(context: Sequence[str], notes: list[str]) -> int:
    for text in context:
        found = _THOUSANDS.search(unicodedata.normalize("NFKC", text))
        if found is not None:
            unit = found.group(1) or found.group(2)
            scale = 1_000 if unit == "千円" else 1_000_000
            notes.append(f'amounts are multiplied by {scale:,}, because a title says "{unit}"')
            return scale
    return 1


def _scaled(measures: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name in measures if not re.search(_COUNTS, name))


def _amount(name: str, scale: int, measure_column: str | None) -> pl.Expr:
    text = pl.col(name).cast(pl.String).str.strip_chars(" \t\r\n\u3000")
    text = pl.when(text.is_in(list(_NOTHING)) | (text == "")).then(None).otherwise(text)
    if scale == 1:
        return text
    number = text.str.replace_all(r"[,¥￥\\円]", "").str.replace("^[▲△]", "-")
    scaled = (number.cast(pl.Decimal(38, 6), strict=False) * scale).cast(pl.Decimal(38, 2), strict=False)
    shown = scaled.cast(pl.String).str.replace(r"\.00$", "")
    counts = pl.lit(value=False)
    if measure_column is not None:
        counts = pl.col(measure_column).str.contains(_COUNTS).fill_null(value=False)
    return pl.when(scaled.is_not_null() & ~counts).then(shown).otherwise(text)


def _measure_name(other: str | None) -> str:
    if other is None or unicodedata.normalize("NFKC", other).lower() in _AMOUNT_WORDS:
        return AMOUNT_COLUMN
    return other


def _is_derived(label: str | None) -> bool:
    if label is None:
        return False
    return is_subtotal(label) or _DERIVED.search(unicodedata.normalize("NFKC", label)) is not None


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_2"
    return name
