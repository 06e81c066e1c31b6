"""Where the table is in a sheet: the titles above it, its header of one or two rows, the rows that are no data."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import polars as pl

from nobishiro.contracts.errors import LayoutUnknown
from nobishiro.engine.intake.months import parse_month, parse_year

HEAD_ROWS: Final = 200
"""Rows looked at to find the header."""
_VALUE: Final = re.compile(
    r"[¥\\$▲△+-]*\d[\d,]*(\.\d+)?\s*[%円]?$"
    r"|\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
)
SUBTOTAL_PATTERN: Final = (
    r"(?i)^[\s\u3000【\[(（<＜《〈※*■◆○●・]*(?:"
    r"小\s*計|中\s*計|大\s*計|合\s*計|総\s*計|総\s*合\s*計|累\s*計|計|再\s*計"
    r"|.*(?:小\s*計|合\s*計|総\s*計|累\s*計)"
    r"|.*[\s\u3000】\])）:：]計"
    r"|(?:得意先|顧客|取引先|仕入先|商品群?|品目|担当者?|部門|部署|営業所|支店|店舗?|伝票|日|月|年|年度|期|上期|下期|半期|四半期|分類|区分|系列|グループ)計"
    r"|(?:.*\s)?(?:sub[\s-]*total|grand[\s-]*total|totals?)(?:\s+(?:for|of)\s.*)?"
    r")[\s\u3000】\])）>＞》〉※*:：]*$"
)
"""A cell that labels a 小計 / 合計 / 総計 / 計 / total row. 計 that only ends a word is none: 時計, 流量計, 設計."""
_SUBTOTAL: Final = re.compile(SUBTOTAL_PATTERN)
_YEAR: Final = re.compile(r"(?:19|20)\d{2}$")
UNIT_PATTERN: Final = r"^\s*[(（\[［【]\s*(?:単位)?[:：]?[^()（）]{1,6}[)）\]］】]\s*$"
"""A cell of the row of units that some print below the header: (円), （個）, [千円]."""
NOTE_PATTERN: Final = r"^\s*(?:※|＊|\*|注[)）:：\d]|以上$|出典|出力日|作成日|印刷日)"
"""A remark in the only filled cell of a row."""
_SUBTOTAL_HINTS: Final = ("計", "total", "Total", "TOTAL")
_AMOUNTS: Final = re.compile(
    r"(?i)金額|額|数量|数$|個数|単価|価格|合計|計$|粗利|原価|amount|total|quantity|qty|price|cost|revenue"
)


@dataclass(frozen=True, slots=True)
class HeadRow:
    """One of the first rows of a sheet; empty cells are None."""

    line: int
    cells: tuple[str | None, ...]

    @property
    def filled(self) -> int:
        """Cells that hold something."""
        return sum(cell is not None for cell in self.cells)

    @property
    def text(self) -> str:
        """The cells as one line, for people."""
        return " ".join(cell for cell in self.cells if cell is not None)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table: for each column the label in the upper and in the lower row (all None when it has one)."""

    first_line: int
    last_line: int
    upper: tuple[str | None, ...]
    lower: tuple[str | None, ...]
    titles: tuple[HeadRow, ...]
    """Rows above it that hold something."""
    notes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """One unique name per column; a column without a label is called by its place (`列5`)."""
        return unique_names([_joined(a, b) for a, b in zip(self.upper, self.lower, strict=True)])

    @property
    def nameless(self) -> list[bool]:
        """Which columns have no label."""
        return [a is None and b is None for a, b in zip(self.upper, self.lower, strict=True)]


def clean_cell(cell: str | None) -> str | None:
    """The cell without surrounding blanks; None when nothing is left."""
    if cell is None:
        return None
    stripped = cell.strip(" \t\r\n\u3000\ufeff")
    return stripped or None


def find_header(rows: Sequence[HeadRow], source: str, wanted_line: int | None = None) -> Header:
    """The header among the first rows of a sheet. Raises `LayoutUnknown` when no row can be one.

    It is the first row that is nearly as wide as the table and holds labels rather than values; a row above or below
    joins it where the one leaves gaps or repeats that the other fills (merged cells).
    """
    rows = [row for row in rows if row.filled]
    if not rows:
        raise LayoutUnknown(f"{source} holds no text; is it the right sheet or file?")
    at = _header_position(rows, source, wanted_line)
    upper, lower, notes = rows[at], None, []
    if at + 1 < len(rows) and _goes_on_below(rows[at], rows[at + 1]):
        lower = rows[at + 1]
    elif wanted_line is None and at > 0 and _begins_above(rows[at - 1], rows[at]):
        upper, lower = rows[at - 1], rows[at]
    first = rows.index(upper)
    titles = tuple(rows[:first])
    if lower is None:
        notes.append(f"header on line {upper.line}")
        labels = tuple(_label(cell) for cell in upper.cells)
        return Header(upper.line, upper.line, labels, (None,) * len(labels), titles, _with_titles(notes, titles))
    notes.append(f"header of two rows, lines {upper.line} and {lower.line}")
    top, bottom = _spread(upper, lower)
    return Header(upper.line, lower.line, top, bottom, titles, _with_titles(notes, titles))


def unique_names(labels: Sequence[str | None]) -> list[str]:
    """Column names in order: a missing one becomes `列5` (its place), a repeated one gets `_2`, `_3` …"""
    taken: set[str] = set()
    names = []
    for place, label in enumerate(labels, start=1):
        name = stem = label or f"列{place}"
        count = 1
        while name in taken:
            count += 1
            name = f"{stem}_{count}"
        taken.add(name)
        names.append(name)
    return names


def is_subtotal(cell: str | None) -> bool:
    """Whether a cell labels a subtotal or total."""
    return cell is not None and _SUBTOTAL.match(unicodedata.normalize("NFKC", cell)) is not None


def is_amount(label: str) -> bool:
    """Whether a header names an amount, which is never filled down: that would count it again."""
    return _AMOUNTS.search(unicodedata.normalize("NFKC", label)) is not None


def is_value(cell: str | None) -> bool:
    """Whether a cell holds a number or a day rather than a label."""
    return cell is not None and _VALUE.match(unicodedata.normalize("NFKC", cell).strip()) is not None


def subtotal_rows(frame: pl.DataFrame, columns: Sequence[str], usual: int | None) -> pl.Series:
    """Boolean per row: one of `columns` labels a subtotal.

    With `usual` given (a list), the row must also be less filled than that, or begin with the label and have a gap: a
    product or a remark may be called 合計. None (label columns of a cross table) takes the label's word.
    """
    no = pl.Series(values=[False], dtype=pl.Boolean).new_from_index(0, frame.height)
    texts = [name for name in columns if frame.schema[name] == pl.String]
    if not texts or frame.height == 0:
        return no
    rows = frame.select(*texts).with_row_index("__row__")
    if usual is not None:
        filled = frame.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32)).alias("n"))["n"]
        rows = rows.with_columns(filled.alias("__filled__")).filter(filled < filled.max())
    hints = pl.any_horizontal(
        *(pl.col(name).str.contains_any(list(_SUBTOTAL_HINTS)).fill_null(value=False) for name in texts)
    )
    found = []
    for row in rows.filter(hints).iter_rows():
        cells = row[1 : 1 + len(texts)]
        begins = is_subtotal(next((cell for cell in cells if cell is not None), None))
        if begins or ((usual is None or row[-1] < usual) and any(is_subtotal(cell) for cell in cells)):
            found.append(row[0])
    if not found:
        return no
    return no.scatter(found, True)


def usual_filled(frame: pl.DataFrame) -> int:
    """How many cells a row of this table usually fills (the commonest count among rows with more than one)."""
    if frame.height == 0:
        return 0
    counts = frame.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32)).alias("n"))["n"]
    many = counts.filter(counts > 1)
    modes = (many if many.len() else counts).mode()
    top = modes.max()
    return int(top) if isinstance(top, int) else 0


def _with_titles(notes: list[str], titles: tuple[HeadRow, ...]) -> tuple[str, ...]:
    if titles:
        notes.append(f"{len(titles)} row(s) above it are titles and are skipped")
    return tuple(notes)


def _header_position(rows: list[HeadRow], source: str, wanted_line: int | None) -> int:
    if wanted_line is not None:
        for at, row in enumerate(rows):
            if row.line == wanted_line:
                return at
        raise LayoutUnknown(
            f"{source} line {wanted_line} is empty or beyond the first rows; name the line of the header"
        )
    counts = Counter(row.filled for row in rows if row.filled > 1)
    width = max(counts, key=lambda n: (counts[n], n), default=1)
    for share in (0.6, 0.4):
        least = max(min(2, width), round(share * width))
        for at, row in enumerate(rows[:60]):
            if row.filled >= least and _holds_labels(row):
                return at
    raise LayoutUnknown(
        f"{source}: no header row in the first {min(len(rows), 60)} rows; the first one holds values "
        f'("{rows[0].text[:60]}"). '
        "Put the column names above the data, or say which line holds them"
    )


def _holds_labels(row: HeadRow) -> bool:
    cells = [cell for cell in row.cells if cell is not None]
    months = {cell for cell in cells if parse_month(cell) is not None}
    neutral = months if len(months) >= 2 else set()
    if len(neutral) == 2 and any(is_value(cell) and len(cell) >= 8 for cell in neutral):
        neutral = set()  # two days in a row of data, not two months
    years = [cell for cell in cells if _YEAR.match(cell)]
    if len(years) >= 2 and all(int(b) - int(a) == 1 for a, b in pairwise(years)):
        neutral |= set(years)
    values = sum(is_value(cell) and cell not in neutral for cell in cells)
    return values <= 0.2 * len(cells)


def _goes_on_below(upper: HeadRow, lower: HeadRow) -> bool:
    """Whether the row below has the labels for which merged cells leave gaps in this one."""
    if not _holds_labels(lower) or lower.line != upper.line + 1:
        return False
    pairs = _paired(upper, lower)
    labels = [below for _, below in pairs if below is not None]
    if any(is_value(label) and parse_month(label) is None for label in labels):
        return False
    under_gap = any(above is None and below is not None for above, below in pairs)
    under_label = any(above is not None and below is not None for above, below in pairs)
    beside = any(above is not None and below is None for above, below in pairs)
    repeated = len(set(labels)) < len(labels)
    months = sum(parse_month(label) is not None for label in labels) >= 2
    return under_gap and under_label and (beside or repeated or months)


def _begins_above(upper: HeadRow, lower: HeadRow) -> bool:
    """Whether the row above groups the labels of this one, rather than being a title."""
    if not _holds_labels(upper) or lower.line != upper.line + 1:
        return False
    pairs = _paired(upper, lower)
    labels = [below for _, below in pairs if below is not None]
    first = next((place for place, (_, below) in enumerate(pairs) if below is not None), 0)
    groups = [
        above for place, (above, below) in enumerate(pairs) if above is not None and below is not None and place > first
    ]
    repeated = len(set(labels)) < len(labels)
    months = sum(parse_month(label) is not None for label in labels) >= 2
    times = [group for group in groups if parse_month(group) is not None or _is_year(group)]
    return (len(groups) >= 2 and (repeated or months)) or bool(times)


def _is_year(label: str) -> bool:
    year = parse_year(label)
    return year is not None and year.text == unicodedata.normalize("NFKC", label).strip()


def _paired(upper: HeadRow, lower: HeadRow) -> list[tuple[str | None, str | None]]:
    width = max(len(upper.cells), len(lower.cells))
    tops = upper.cells + (None,) * (width - len(upper.cells))
    bottoms = lower.cells + (None,) * (width - len(lower.cells))
    return list(zip(tops, bottoms, strict=True))


def _spread(upper: HeadRow, lower: HeadRow) -> tuple[tuple[str | None, ...], tuple[str | None, ...]]:
    tops: list[str | None] = []
    bottoms: list[str | None] = []
    running: str | None = None
    for top, bottom in _paired(upper, lower):
        if top is not None:
            running = top if bottom is not None else None  # alone above a gap: merged downwards, not to the right
            tops.append(_label(top))
        else:
            tops.append(_label(running) if bottom is not None else None)
        bottoms.append(_label(bottom))
    return tuple(tops), tuple(bottoms)


def _label(cell: str | None) -> str | None:
    if cell is None:
        return None
    # A line break inside a label is layout: 得意先⏎コード is 得意先コード, order⏎date is order date.
    return re.sub(r"(?<=[\x00-\x7f])\s*[\r\n]+\s*(?=[\x00-\x7f])", " ", cell).replace("\r", "").replace("\n", "")


def _joined(upper: str | None, lower: str | None) -> str | None:
    if upper is None or lower is None:
        return upper or lower
    return upper if upper == lower else f"{upper} {lower}"
