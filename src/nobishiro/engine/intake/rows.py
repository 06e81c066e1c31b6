"""Rows of a file become rows of a canonical table: mapped, cleaned, completed; bad rows are kept apart with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec
import polars as pl

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.contracts.tables import TABLES, Column, ColumnType, Table
from nobishiro.engine.intake.completion import buildable, complete, pseudonyms
from nobishiro.engine.intake.customers_in_text import FOUND_CUSTOMER, codes_of_names, find_customers
from nobishiro.engine.intake.headers import find_headers, read_header
from nobishiro.engine.intake.mapping import ColumnMapping, check_mapping
from nobishiro.engine.intake.raw import RawTable
from nobishiro.engine.intake.values import CleanedColumn, ValueRules, clean_column, rules_from
from nobishiro.engine.settings import ImportSettings

LINE = "_line"
REASON = "_reason"


@dataclass(frozen=True, slots=True)
class MappedTable:
    """Rows of a further table the file feeds: one per key, the value that stands there most often wins."""

    table: str
    frame: pl.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MappedRows:
    """What a file gives to one canonical table."""

    table: str
    frame: pl.DataFrame
    """Typed canonical columns (those the mapping or a rule fills) and `_line`."""
    rejected: pl.DataFrame
    """The file's own columns as text, `_line`, and `_reason`: every problem of the row."""
    left_out: pl.DataFrame
    """Rows the mapping leaves out on purpose (cancelled orders, private appointments): as `rejected`."""
    notes: tuple[str, ...]
    """What was decided, repaired or built, for the user to read."""
    also: tuple[MappedTable, ...] = ()


def map_rows(
    raw: RawTable,
    mapping: ColumnMapping,
    settings: ImportSettings,
    today: date,
    *,
    time_zone: str = "Asia/Tokyo",
    customers: pl.DataFrame | None = None,
) -> MappedRows:
    """The rows of `raw` as rows of `mapping.table`; a bad row never stops the others.

    `customers` (customer_id, name, mail_domain) is what `search_customer` finds customers in. Raises
    `MappingIncomplete` when a required column has no header and cannot be built, `UnknownName` for unknown columns.
    """
    check_mapping(mapping, mapping.name or "mapping")
    rules = replace(rules_from(settings, today, time_zone), guarded=raw.guess.kind == "csv")
    table = TABLES[mapping.table]
    headers = find_headers((header for header, _ in mapping.columns), raw.frame.columns)
    _require(table, mapping, headers, raw, customers is not None)
    frame = raw.frame.with_columns(raw.lines.cast(pl.Int64).alias(LINE))
    frame = _carry(frame, mapping, headers)
    frame, left_out, notes = _leave_out(frame, mapping)
    if mapping.search_customer and "customer_id" not in {column for _, column in mapping.columns}:
        frame, strangers, said = find_customers(frame, mapping.search_customer, customers)
        left_out = pl.concat([left_out, _as_rejected(strangers, pl.lit("names no customer we know"))])
        notes += said
    cleaned, problems, said = _clean_all(frame, table, mapping, headers, rules)
    notes += said
    if mapping.ends_at and "minutes" not in cleaned.columns and "happened_at" in cleaned.columns:
        cleaned = _minutes_until(cleaned, frame, mapping, rules)
    if customers is not None and "customer_id" in mapping.named and "customer_id" in cleaned.columns:
        coded, said = codes_of_names(cleaned["customer_id"], customers)
        cleaned, notes = cleaned.with_columns(coded.alias("customer_id")), notes + said
    done = complete(cleaned, frame, table, mapping, headers, raw.guess.layout == "cross")
    cleaned, notes = done.frame, notes + list(done.notes)
    problems += _missing(cleaned, table, mapping, headers, problems)
    bad = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    for problem in problems:
        if problem.null_count() < problem.len():
            bad = bad | problem.is_not_null()
    accepted, rejected = cleaned.with_columns(frame[LINE]), _as_rejected(frame.head(0), pl.lit(""))
    if bad.any():
        at = bad.arg_true()
        reasons = pl.select(
            pl.concat_str(
                [p.gather(at).alias(str(n)) for n, p in enumerate(problems)], separator=" / ", ignore_nulls=True
            )
        ).to_series()
        rejected = _as_rejected(frame[at], reasons)
        accepted = accepted.filter(~bad)
        frame = frame.filter(~bad)
    also = _united([_further(frame, further, rules, mapping, customers) for further in mapping.also])
    return MappedRows(mapping.table, accepted, rejected, left_out, tuple(dict.fromkeys(notes)), also)


def missing_columns(table: Table, mapping: ColumnMapping, available: Sequence[str]) -> tuple[Column, ...]:
    """The required columns that have neither a header among `available` nor a constant, and that no rule can build."""
    headers = find_headers((header for header, _ in mapping.columns), available)
    have = {column for header, column in mapping.columns if header in headers}
    have |= {column for column, _ in mapping.constants}
    if mapping.search_customer:
        have.add("customer_id")
    return tuple(c for c in table.columns if c.required and c.name not in have and not buildable(table, c.name, have))


def _require(
    table: Table, mapping: ColumnMapping, headers: Mapping[str, str], raw: RawTable, know_customers: bool
) -> None:
    missing = missing_columns(table, mapping, raw.frame.columns)
    if mapping.search_customer and not know_customers and not mapping.headers_of("customer_id"):
        missing += (table.column("customer_id"),)
    if not missing:
        return
    named = ", ".join(f"{column.name} ({column.ja} / {column.en})" for column in missing)
    hint = "name the header that holds it, or give a constant"
    raise MappingIncomplete(
        f"{raw.source}: {table.name} ({table.ja}) needs {named} and no column of the file stands for it; {hint}. "
        f"The file has: {', '.join(raw.frame.columns)}"
    )


def _carry(frame: pl.DataFrame, mapping: ColumnMapping, headers: Mapping[str, str]) -> pl.DataFrame:
    order = [headers[header] for header in mapping.headers_of("order_id") if header in headers]
    if mapping.carry_by:
        order = list(find_headers((mapping.carry_by,), frame.columns).values())
    carried = list(find_headers(mapping.carry, frame.columns).values())
    if not carried or not order:
        return frame
    empty_is_null = [pl.when(pl.col(c).cast(pl.String) == "").then(None).otherwise(pl.col(c)).alias(c) for c in carried]
    return frame.with_columns(empty_is_null).with_columns(pl.col(carried).forward_fill().over(order))


def _leave_out(frame: pl.DataFrame, mapping: ColumnMapping) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    left_out, notes = [_as_rejected(frame.head(0), pl.lit(""))], []
    headers = find_headers((header for header, _ in mapping.leave_out), frame.columns)
    for wanted, values in mapping.leave_out:
        header = headers.get(wanted)
        if header is None:
            continue
        text = frame[header].cast(pl.String).str.strip_chars().fill_null("")
        hit = text != "" if "*" in values else text.is_in(list(values))
        if hit.any():
            said = f"{header} says that this is no sale or contact to count"
            left_out.append(_as_rejected(frame.filter(hit), pl.lit(said)))
            notes.append(f"{hit.sum():,} rows were left out because of {header}")
            frame = frame.filter(~hit)
    return frame, pl.concat(left_out), notes


def _as_rejected(frame: pl.DataFrame, reason: pl.Series | pl.Expr) -> pl.DataFrame:
    columns = [name for name in frame.columns if name not in (LINE, REASON, FOUND_CUSTOMER)]
    texts = [pl.col(name).cast(pl.String, strict=False) for name in columns]
    return frame.select(*texts, pl.col(LINE), reason.cast(pl.String).alias(REASON))


def _clean_all(
    frame: pl.DataFrame, table: Table, mapping: ColumnMapping, headers: Mapping[str, str], rules: ValueRules
) -> tuple[pl.DataFrame, list[pl.Series], list[str]]:
    """Every mapped column typed, one problem series a column (worded, with the header in front), and notes."""
    maps, constants = dict(mapping.value_maps), dict(mapping.constants)
    columns: list[pl.Series] = []
    problems: list[pl.Series] = []
    notes: list[str] = []
    for column in table.columns:
        sources = [headers[h] for h in mapping.headers_of(column.name) if h in headers]
        if column.name == "customer_id" and FOUND_CUSTOMER in frame.columns:
            columns.append(frame[FOUND_CUSTOMER].alias("customer_id"))
            continue
        own = replace(
            rules,
            exact=mapping.exact,
            date_order=mapping.date_order,
            value_map=maps.get(column.name, ()),
        )
        if sources:
            cleaned = _clean_sources(frame, sources, column, own, column.name in mapping.first_of)
            shown = sources[0] if len(sources) == 1 else "+".join(sources)
            notes += cleaned.notes
            if cleaned.problems.null_count() < frame.height:
                problems.append(shown + ": " + cleaned.problems)
            values = cleaned.values
        elif column.name in constants:
            one = clean_column(pl.Series(column.name, [constants[column.name]]), column, own)
            if one.problems[0] is not None:
                raise MappingIncomplete(f"{mapping.name or 'mapping'}: constant {column.name} {one.problems[0]}")
            values = one.values.new_from_index(0, frame.height)
        else:
            continue
        if column.name in constants and sources:
            filler = clean_column(pl.Series(column.name, [constants[column.name]]), column, own).values
            values = values.fill_null(filler[0])
        if column.name in mapping.hashed:
            values = pseudonyms(values)
        columns.append(values.alias(column.name))
    return pl.DataFrame(columns), problems, notes


def _clean_sources(
    frame: pl.DataFrame, sources: Sequence[str], column: Column, rules: ValueRules, first_of: bool
) -> CleanedColumn:
    if len(sources) == 1:
        values = frame[sources[0]]
    else:
        texts = [_plain_text(frame[name], column, place) for place, name in enumerate(sources)]
        if first_of:
            values = pl.select(pl.coalesce(texts)).to_series()
        else:
            joint = "" if column.name in ("address", "postal_code") else "-" if column.name == "phone" else " "
            values = pl.select(pl.concat_str(texts, separator=joint, ignore_nulls=True)).to_series()
        values = values.alias("+".join(sources))
    if column.type in (ColumnType.MONEY, ColumnType.RATE, ColumnType.QUANTITY, ColumnType.INTEGER, ColumnType.SCORE):
        header = read_header(sources[0])
        factor = header.multiplier if column.type is ColumnType.MONEY else 1
        if column.unit == "minutes" and header.hours:
            factor = 60
        rules = replace(rules, multiplier=factor, percent=header.percent)
    return clean_column(values, column, rules)


def _minutes_until(
    cleaned: pl.DataFrame, frame: pl.DataFrame, mapping: ColumnMapping, rules: ValueRules
) -> pl.DataFrame:
    ends = list(find_headers(mapping.ends_at, frame.columns).values())
    if not ends:
        return cleaned
    own = replace(rules, date_order=mapping.date_order)
    end = _clean_sources(frame, ends, TABLES["touches"].column("happened_at"), own, first_of=False).values
    minutes = (end - cleaned["happened_at"]).dt.total_seconds() / 60
    return cleaned.with_columns(minutes.set((minutes < 0).fill_null(False), None).alias("minutes"))


def _plain_text(values: pl.Series, column: Column, place: int) -> pl.Series:
    if column.type in (ColumnType.MOMENT, ColumnType.DAY) and isinstance(values.dtype, pl.Datetime):
        values = values.dt.to_string("%Y-%m-%d" if place == 0 else "%H:%M:%S")
    text = values.cast(pl.String).str.strip_chars()
    return text.set(text == "", None).alias(f"{place}")


def _missing(
    cleaned: pl.DataFrame, table: Table, mapping: ColumnMapping, headers: Mapping[str, str], problems: list[pl.Series]
) -> list[pl.Series]:
    """One problem series for each required column with empty cells that carry no problem of their own yet."""
    found: list[pl.Series] = []
    for column in table.columns:
        if not column.required or column.name not in cleaned.columns:
            continue
        empty = cleaned[column.name].is_null()
        sources = [headers[h] for h in mapping.headers_of(column.name) if h in headers]
        if not sources:
            continue  # built from other columns, whose own problems say what is wrong
        shown = "+".join(sources)
        for problem in problems:
            empty = empty & ~problem.str.starts_with(f"{shown}: ").fill_null(False)
        if empty.any():
            blank = pl.Series("missing", [None], dtype=pl.String).new_from_index(0, cleaned.height)
            found.append(blank.set(empty, f"{shown}: is empty; {table.ja} needs {column.ja} ({column.name})"))
    return found


def _further(
    frame: pl.DataFrame, mapping: ColumnMapping, rules: ValueRules, main: ColumnMapping, customers: pl.DataFrame | None
) -> MappedTable:
    """One row per key of a further table; a cell that cannot be read is left empty and said.

    What stands beside a code most often counts: a remark typed once over a product's name is not its name.
    """
    table = TABLES[mapping.table]
    headers = find_headers((header for header, _ in mapping.columns), frame.columns)
    needed = list(dict.fromkeys(headers.values()))
    rows = (
        frame.select(*needed, LINE)
        .group_by(needed, maintain_order=True)
        .agg(pl.len().alias("_times"), pl.col(LINE).first())
        .sort("_times", descending=True, maintain_order=True)
        .drop("_times")
    )
    mapping = msgspec.structs.replace(mapping, date_order=mapping.date_order or main.date_order)
    cleaned, problems, said = _clean_all(rows, table, mapping, headers, rules)
    notes = [f"{table.name}: {note}" for note in said]
    for problem in problems:
        if (count := problem.len() - problem.null_count()) > 0:
            first = problem.drop_nulls()[0]
            notes.append(f"{table.name}: {count:,} values could not be read and were left empty, the first {first}")
    if customers is not None and table.name == "customers" and "customer_id" in main.named and "customer_id" in cleaned:
        coded, _ = codes_of_names(cleaned["customer_id"], customers)
        known = coded.is_in(customers["customer_id"].implode())
        # Their own rows know them better than a name in somebody else's file.
        cleaned, rows = cleaned.filter(~known), rows.filter(~known)
    done = complete(cleaned, rows, table, mapping, headers, cross=False)
    key = list(table.key)
    if not set(key) <= set(done.frame.columns):
        return MappedTable(
            table.name, pl.DataFrame(schema={LINE: pl.Int64}), (*notes, f"{table.name}: no key, left out")
        )
    cleaned = done.frame.with_columns(rows[LINE])
    others = [name for name in cleaned.columns if name not in key and name != LINE]
    cleaned = cleaned.filter(pl.all_horizontal(pl.col(key).is_not_null()))
    grouped = cleaned.group_by(key, maintain_order=True).agg(
        *(pl.col(name).drop_nulls().first() for name in others), pl.col(LINE).first()
    )
    required = [c.name for c in table.columns if c.required and c.name in grouped.columns]
    kept = grouped.filter(pl.all_horizontal(pl.col(required).is_not_null()))
    if kept.height < grouped.height:
        notes.append(
            f"{table.name}: {grouped.height - kept.height:,} keys have no {', '.join(required[1:])} and were left out"
        )
    return MappedTable(table.name, kept, tuple(notes))


def _united(tables: list[MappedTable]) -> tuple[MappedTable, ...]:
    """One result a table where several mappings feed it (those who are billed and those who use it)."""
    united: dict[str, MappedTable] = {}
    for further in tables:
        before = united.get(further.table)
        if before is None or before.frame.is_empty():
            united[further.table] = further
            continue
        if further.frame.is_empty():
            continue
        key = list(TABLES[further.table].key)
        both = pl.concat([before.frame, further.frame], how="diagonal_relaxed")
        others = [name for name in both.columns if name not in key and name != LINE]
        merged = both.group_by(key, maintain_order=True).agg(
            *(pl.col(name).drop_nulls().first() for name in others), pl.col(LINE).first()
        )
        united[further.table] = MappedTable(further.table, merged, (*before.notes, *further.notes))
    return tuple(united.values())
