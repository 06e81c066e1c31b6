"""From the rows below a header to a `RawTable`: no-data rows out, groups filled, cross tables unpivoted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from nobishiro.contracts.errors import LayoutUnknown, UnknownName
from nobishiro.engine.intake.cross import looks_like_cross, measure_rows, plan_cross, spread_measures, unpivot
from nobishiro.engine.intake.layout import (
    NOTE_PATTERN,
    UNIT_PATTERN,
    Header,
    clean_cell,
    is_amount,
    subtotal_rows,
    usual_filled,
)
from nobishiro.engine.intake.raw import REJECTED_SCHEMA, RawTable, ReadGuess, ReadOptions, SkippedRow

MAX_BLANKS_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Body:
    """The rows below a header as they were read, all String; column `i` of the frame is column `i` of the header."""

    frame: pl.DataFrame
    lines: pl.Series
    skipped: tuple[SkippedRow, ...] = ()
    rejected: pl.DataFrame | None = None
    merged: tuple[tuple[int, int, int], ...] | None = None
    """(column, first line, last line) of vertically merged cells; None when the kind of file does not tell."""


def shape_body(
    source: str, body: Body, header: Header, guess: ReadGuess, options: ReadOptions, context: Sequence[str] = ()
) -> RawTable:
    """The finished table of a CSV or Excel source. Raises `LayoutUnknown` when there is no row of data."""
    if options.layout not in (None, "list", "cross"):
        raise UnknownName(f'layout "{options.layout}" is not known; use list or cross')
    skipped = [SkippedRow(row.line, "title", row.text[:200]) for row in header.titles]
    skipped += body.skipped
    notes = list(guess.notes) + list(header.notes)
    names = header.names
    frame = body.frame.rename(dict(zip(body.frame.columns, names, strict=True)))
    lines = body.lines.cast(pl.Int64).alias("line")
    frame, lines = _without_blank(frame, lines, skipped)
    frame, lines = _without_repeated_header(frame, lines, header, skipped)
    frame, lines = _without_units_and_notes(frame, lines, skipped)
    rejected = pl.DataFrame(schema=REJECTED_SCHEMA) if body.rejected is None else body.rejected
    if frame.height == 0 and rejected.height == 0:
        raise LayoutUnknown(
            f"{source} holds a header (line {header.first_line}: {', '.join(names)[:120]}) and no rows below it; "
            "export it again"
        )
    cross = options.layout == "cross" or (options.layout is None and looks_like_cross(header))
    if cross:
        plan = plan_cross(header, [row.text for row in header.titles] + list(context), source)
        labels = [names[index] for index in plan.labels]
        frame, lines = _without_subtotals(frame, lines, labels, None, skipped)
        frame, lines = _fill_merged(frame, lines, body, notes)
        frame, lines, loose = _without_labelless(frame, lines, labels)
        rejected = pl.concat([rejected, loose])
        frame = _fill_groups(frame, labels[:-1], notes)
        measure = measure_rows(frame, plan)
        frame, lines = unpivot(frame, lines, plan, measure)
        if measure is not None:
            frame, lines = spread_measures(frame, lines, measure)
            notes.append(f"rows of {measure} are put side by side as columns")
        notes.append(f"cross table: {len(plan.months)} month columns turned into rows with 年月 and 金額")
        notes += plan.notes
        if not labels:
            raise LayoutUnknown(
                f"{source}: every column is a month; a column that says whose amounts they are is missing"
            )
    else:
        usual = usual_filled(frame)
        before = frame.height
        frame, lines = _without_subtotals(frame, lines, frame.columns, usual, skipped)
        grouped = frame.height < before
        frame, lines = _fill_merged(frame, lines, body, notes)
        if grouped and body.merged is None:
            frame = _fill_groups(frame, _leading_group_columns(frame), notes)
        empty = [n for n, nameless in zip(names, header.nameless, strict=True) if nameless and _all_null(frame, n)]
        frame = frame.drop(empty)
    counts = {reason: sum(row.reason == reason for row in skipped) for reason in ("subtotal", "repeated_header")}
    notes += [f"{count} {reason.replace('_', ' ')} row(s) skipped" for reason, count in counts.items() if count]
    skipped.sort(key=lambda row: row.line)
    done = replace(guess, header_row=header.first_line, layout="cross" if cross else "list", notes=tuple(notes))
    return RawTable(source, frame, lines, done, tuple(skipped), rejected.sort("line"))


def _all_null(frame: pl.DataFrame, name: str) -> bool:
    return frame[name].null_count() == frame.height


def _row_text(row: tuple[object, ...]) -> str:
    return " ".join(str(cell) for cell in row if cell is not None)[:200]


def _skip(
    frame: pl.DataFrame, lines: pl.Series, mask: pl.Series, reason: str, skipped: list[SkippedRow]
) -> tuple[pl.DataFrame, pl.Series]:
    if not mask.any():
        return frame, lines
    texts = frame.filter(mask).iter_rows()
    skipped.extend(
        SkippedRow(line, reason, _row_text(row)) for line, row in zip(lines.filter(mask).to_list(), texts, strict=True)
    )
    keep = ~mask
    return frame.filter(keep), lines.filter(keep)


def _without_blank(frame: pl.DataFrame, lines: pl.Series, skipped: list[SkippedRow]) -> tuple[pl.DataFrame, pl.Series]:
    if frame.height == 0:
        return frame, lines
    mask = frame.select(pl.all_horizontal(pl.all().is_null()).alias("blank"))["blank"]
    if not mask.any():
        return frame, lines
    # Blank rows after the last row of data are only the sheet's end.
    last = int((~mask).arg_true().max() or 0) if not mask.all() else -1  # type: ignore[arg-type]
    listed = [int(line) for line in lines.head(last + 1).filter(mask.head(last + 1))][:MAX_BLANKS_LISTED]
    skipped.extend(SkippedRow(line, "blank", "") for line in listed)
    keep = ~mask
    return frame.filter(keep), lines.filter(keep)


def _without_repeated_header(
    frame: pl.DataFrame, lines: pl.Series, header: Header, skipped: list[SkippedRow]
) -> tuple[pl.DataFrame, pl.Series]:
    if frame.height == 0:
        return frame, lines
    hits = pl.Series([False]).new_from_index(0, frame.height)
    for labels in (header.upper, header.lower):
        named = [(name, label) for name, label in zip(frame.columns, labels, strict=True) if label is not None]
        if len(named) < 1 or (labels is header.lower and len(named) < 2):
            continue
        name, label = named[0]
        first = frame[name].str.strip_chars().eq(label).fill_null(value=False)
        if first.any():
            same = [pl.col(n).str.replace_all(r"[\r\n]", "").str.strip_chars() == text for n, text in named]
            hits |= first & frame.select(pl.all_horizontal(*same).fill_null(value=False).alias("x"))["x"]
    return _skip(frame, lines, hits, "repeated_header", skipped)


def _without_units_and_notes(
    frame: pl.DataFrame, lines: pl.Series, skipped: list[SkippedRow]
) -> tuple[pl.DataFrame, pl.Series]:
    """A row of units right below the header, and remarks (※税抜です) alone in a row, are misplaced titles."""
    if frame.height < 2 or frame.width < 3:
        return frame, lines
    mask = pl.Series([False]).new_from_index(0, frame.height)
    first = [cell for cell in frame.row(0) if cell is not None]
    if all(re.match(UNIT_PATTERN, cell) for cell in first):
        mask[0] = True
    filled = frame.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32)).alias("n"))["n"]
    alone = filled == 1
    if alone.any():
        texts = frame.select(pl.concat_str(pl.all(), ignore_nulls=True).alias("text"))["text"]
        mask |= alone & texts.str.contains(NOTE_PATTERN).fill_null(value=False)
    return _skip(frame, lines, mask, "title", skipped)


def _without_subtotals(
    frame: pl.DataFrame, lines: pl.Series, columns: Sequence[str], usual: int | None, skipped: list[SkippedRow]
) -> tuple[pl.DataFrame, pl.Series]:
    return _skip(frame, lines, subtotal_rows(frame, columns, usual), "subtotal", skipped)


def _without_labelless(
    frame: pl.DataFrame, lines: pl.Series, labels: Sequence[str]
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Rows of a cross table without any label belong to nobody: usually a total whose label was lost."""
    if not labels or frame.height == 0:
        return frame, lines, pl.DataFrame(schema=REJECTED_SCHEMA)
    mask = frame.select(pl.all_horizontal(pl.col(list(labels)).is_null()).alias("x"))["x"]
    texts = [_row_text(row) for row in frame.filter(mask).iter_rows()]
    reason = "numbers without a label; write whose they are, or delete the row if it is a total"
    loose = pl.DataFrame(
        {"line": lines.filter(mask).to_list(), "text": texts, "reason": [reason] * len(texts)}, schema=REJECTED_SCHEMA
    )
    keep = ~mask
    return frame.filter(keep), lines.filter(keep), loose


def _fill_merged(frame: pl.DataFrame, lines: pl.Series, body: Body, notes: list[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Vertically merged cells hold for every row they cover; amounts are left alone, they would count again."""
    if not body.merged or frame.height == 0:
        return frame, lines
    place = {int(line): at for at, line in enumerate(lines.to_list())}
    filled: dict[str, list[str | None]] = {}
    original = dict(zip(body.lines.to_list(), range(body.frame.height), strict=True))
    for column, first, last in sorted(body.merged):
        if column >= len(frame.columns) or is_amount(frame.columns[column]) or first not in original:
            continue
        value = clean_cell(body.frame[original[first], column])
        if value is None:
            continue
        name = frame.columns[column]
        cells = filled.setdefault(name, frame[name].to_list())
        for line in range(first, last + 1):
            at = place.get(line)
            if at is not None and cells[at] is None:
                cells[at] = value
    if filled:
        notes.append(f"merged cells filled down in {', '.join(filled)}")
    return frame.with_columns(*(pl.Series(name, cells, pl.String) for name, cells in filled.items())), lines


def _fill_groups(frame: pl.DataFrame, columns: Sequence[str], notes: list[str]) -> pl.DataFrame:
    gaps = [name for name in columns if frame.height and frame[name].null_count() and frame[name][0] is not None]
    if not gaps:
        return frame
    notes.append(f"a label that stands only in the first row of its group is filled down in {', '.join(gaps)}")
    filled = frame
    for at, name in enumerate(gaps):
        # A deeper label does not run on into the next group of the label before it.
        if at == 0:
            filled = filled.with_columns(pl.col(name).fill_null(strategy="forward"))
        else:
            group = frame.select(pl.col(gaps[0]).is_not_null().cum_sum().alias("g"))["g"]
            filled = filled.with_columns(pl.col(name).fill_null(strategy="forward").over(group))
    return filled


def _leading_group_columns(frame: pl.DataFrame) -> list[str]:
    """The first columns of a ledger with subtotals whose label is printed once a group; never all of them."""
    columns = []
    for name in frame.columns[:-1]:
        gaps = frame[name].null_count()
        if gaps == 0 or frame[name][0] is None or is_amount(name):
            break
        columns.append(name)
    return columns if len(columns) < len(frame.columns) else []
