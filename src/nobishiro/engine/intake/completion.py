"""What a file does not say but its other columns do: order numbers, amounts, keys of events, codes of named things."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import polars as pl

from nobishiro.contracts.tables import Table
from nobishiro.engine.intake.choices import word_key
from nobishiro.engine.intake.distinct import encode_distinct
from nobishiro.engine.intake.mapping import ColumnMapping
from nobishiro.engine.intake.numbers import SCALE, read_numbers, round_decimals

NAMED: Final = {"customers": "customer_id", "products": "product_id", "divisions": "division_id", "reps": "rep_id"}
"""Tables where the name stands for a code the file does not have."""

EVENT_KEYS: Final = {
    "touches": ("touch_id", ("customer_id", "happened_at", "kind", "rep_id", "subject")),
    "proposals": ("proposal_id", ("customer_id", "product_id", "family", "proposed_at", "rep_id")),
    "deals": ("deal_id", ("customer_id", "name", "product_id", "opened_on")),
    "survey_answers": ("answer_id", ("customer_id", "contact_id", "survey", "question", "answered_at")),
    "tickets": ("ticket_id", ("customer_id", "opened_at", "subject")),
    "web_events": ("event_id", ("visitor_id", "customer_id", "happened_at", "kind", "subject", "product_id")),
    "contacts": ("contact_id", ("customer_id", "family_name", "given_name", "email")),
}
"""Tables whose key is a technical number, and what makes two rows the same without it."""

_DEFAULTS: Final = {("facts", "subject"): "-"}


@dataclass(frozen=True, slots=True)
class Completed:
    """The cleaned columns and those built from them, with a note for each."""

    frame: pl.DataFrame
    notes: tuple[str, ...]


def buildable(table: Table, column: str, have: Collection[str]) -> bool:
    """Whether a required column can be built when the file has the columns `have`."""
    if table.name == "order_lines" and column == "order_id":
        return "ordered_at" in have
    if NAMED.get(table.name) == column:
        return "name" in have
    if table.name in EVENT_KEYS and EVENT_KEYS[table.name][0] == column:
        return True
    return (table.name, column) in _DEFAULTS


def complete(
    cleaned: pl.DataFrame,
    source: pl.DataFrame,
    table: Table,
    mapping: ColumnMapping,
    headers: Mapping[str, str],
    cross: bool,
) -> Completed:
    """Fill what a rule can fill; `source` holds the file's own cells, `cross` says that it was a month table."""
    if mapping.exact:
        # our own export is whole as it stands: an empty amount was empty
        return Completed(cleaned, ())
    notes: list[str] = []
    frame = cleaned
    if table.name == "order_lines":
        if "order_id" not in frame.columns:
            frame = _build_order_id(frame, cross)
            what = "customer and month" if cross else "customer and day"
            notes.append(f"the file has no order number: all lines of a {what} are taken as one order")
        frame, said = _compute_amount(frame, source, mapping, headers)
        notes += said
    code = NAMED.get(table.name)
    if code is not None and code not in frame.columns and "name" in frame.columns:
        frame = frame.with_columns(pl.col("name").alias(code))
        notes.append(f"the file has no {code}: the name stands for the code")
    if table.name in EVENT_KEYS and EVENT_KEYS[table.name][0] not in frame.columns:
        key, basis = EVENT_KEYS[table.name]
        frame = _build_event_key(frame, table.name, key, [name for name in basis if name in frame.columns])
        notes.append(
            f"the file has no {key}: it is built from {', '.join(basis)}, so importing the file again changes nothing"
        )
    for (name, column), value in _DEFAULTS.items():
        if name == table.name and column not in frame.columns:
            frame = frame.with_columns(pl.lit(value).alias(column))
    ordered = [name for name in table.column_names if name in frame.columns]
    return Completed(frame.select(ordered), tuple(notes))


def _build_order_id(frame: pl.DataFrame, cross: bool) -> pl.DataFrame:
    day = pl.col("ordered_at").dt.strftime("%Y%m" if cross else "%Y%m%d")
    who = [name for name in ("customer_id",) if name in frame.columns]
    customer = pl.col(who[0]).fill_null("-") if who else pl.lit("-")
    return frame.with_columns(pl.concat_str([customer, day], separator="_").alias("order_id"))


def _compute_amount(
    frame: pl.DataFrame, source: pl.DataFrame, mapping: ColumnMapping, headers: Mapping[str, str]
) -> tuple[pl.DataFrame, list[str]]:
    """Quantity × unit price where a line has no amount, from the price as written, rounded once at the end."""
    if not {"quantity", "unit_price"} <= set(frame.columns):
        return frame, []
    if "amount" in frame.columns:
        lacking = frame["amount"].is_null() & frame["quantity"].is_not_null() & frame["unit_price"].is_not_null()
        if not lacking.any():
            return frame, []
    price = frame["unit_price"].cast(pl.Decimal(38, SCALE))
    written = [headers[header] for header in mapping.headers_of("unit_price") if header in headers]
    if len(written) == 1 and source[written[0]].dtype == pl.String:
        # A unit price may have more decimals than money: 0.125 yen × 10,000 is 1,250 yen.
        distinct = encode_distinct(source[written[0]].set(source[written[0]] == "", None))
        if distinct.texts.len():
            finer, percent, _ = read_numbers(distinct.texts)
            spread = distinct.spread(finer.set(percent, None))
            close = ((spread.cast(pl.Float64) - price.cast(pl.Float64)).abs() <= 0.0051).fill_null(False)
            price = spread.zip_with(close, price)
    product = frame["quantity"].cast(pl.Decimal(38, SCALE)) * price
    amount, _ = round_decimals(product, 2)
    if "amount" not in frame.columns:
        return frame.with_columns(amount.alias("amount")), ["amounts were computed as quantity × unit price"]
    count = int(lacking.sum())
    filled = frame["amount"].zip_with(~lacking, amount)
    return frame.with_columns(filled.alias("amount")), [
        f"{count:,} empty amounts were computed as quantity × unit price"
    ]


def _build_event_key(frame: pl.DataFrame, table: str, key: str, basis: list[str]) -> pl.DataFrame:
    joined = frame.select(
        pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in basis], separator="\x1f").alias("basis")
    ).with_columns(pl.int_range(1, pl.len() + 1).over("basis").alias("occurrence"))
    digests = [
        f"{table[0]}-{blake2b(text.encode(), digest_size=8, person=b'nobishiro').hexdigest()}"
        for text in joined["basis"].to_list()
    ]
    numbered = pl.Series(key, digests, dtype=pl.String)
    again = joined["occurrence"]
    if (again > 1).any():
        numbered = numbered.zip_with(again == 1, numbered + "-" + again.cast(pl.String)).alias(key)
    return frame.with_columns(numbered)


def pseudonyms(values: pl.Series) -> pl.Series:
    """The same short code for the same text (width, case and blanks apart), from which the text cannot be read back.

    Whoever holds the addresses can compute the codes: this keeps addresses out of tables, it is no secret.
    """
    if not values.null_count() < values.len():
        return values
    distinct = encode_distinct(values)
    codes = [
        f"p-{blake2b(word_key(text).encode(), digest_size=10, person=b'nobishiro').hexdigest()}"
        for text in distinct.texts
    ]
    return distinct.spread(pl.Series(values.name, codes, dtype=pl.String))
