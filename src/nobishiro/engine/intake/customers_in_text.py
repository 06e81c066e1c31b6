"""Which customer a free text is about: calendar entries name people and companies, never codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.headers import find_headers

FOUND_CUSTOMER: Final = "_customer_id"
_LEGAL_FORM: Final = (
    r"株式会社|有限会社|合同会社|合資会社|合名会社|一般社団法人|一般財団法人|"
    r"\((?:株|有|同|資|名|社|財)\)|\b(?:inc|ltd|llc|co|corp|k\.k|gmbh)\b\.?"
)
_DOMAIN: Final = re.compile(r"@([a-z0-9.-]+\.[a-z]{2,})")
_SHORTEST: Final = 2


def find_customers(
    frame: pl.DataFrame, headers: Sequence[str], customers: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Rows with `_customer_id`, rows that name nobody or several, and notes.

    A row belongs to the customer whose mail domain, else whose longest name without its legal form, stands in the text;
    two different customers found equally well leave the row aside: nothing is linked by a guess.
    """
    if customers is None:
        raise MappingIncomplete("customers have to be imported before a file that names them in its text")
    present = list(find_headers(headers, frame.columns).values())
    text = frame.select(
        pl.concat_str([pl.col(name).cast(pl.String) for name in present], separator="\n", ignore_nulls=True)
    ).to_series()
    folded = _fold(text.fill_null(""))
    names = customers.select(
        "customer_id",
        _fold(customers["name"]).str.replace_all(_LEGAL_FORM, "").str.replace_all(r"\s+", "").alias("key"),
    ).filter(pl.col("key").str.len_chars() >= _SHORTEST)
    owner: dict[str, set[str]] = {}
    for customer, key in names.iter_rows():
        owner.setdefault(key, set()).add(customer)
    domains: dict[str, set[str]] = {}
    if "mail_domain" in customers.columns:
        for customer, domain in customers.select("customer_id", "mail_domain").drop_nulls().iter_rows():
            domains.setdefault(domain, set()).add(customer)
    joined = folded.str.replace_all(r"\s+", "")
    hits = joined.str.extract_many(list(owner), overlapping=True).to_list() if owner else [[]] * frame.height
    found = [_decide(text, matches or [], owner, domains) for text, matches in zip(folded.to_list(), hits, strict=True)]
    marked = frame.with_columns(pl.Series(FOUND_CUSTOMER, found, dtype=pl.String))
    known = marked.filter(pl.col(FOUND_CUSTOMER).is_not_null())
    note = f"customers were found in the text of {known.height:,} of {frame.height:,} rows ({', '.join(present)})"
    return known, marked.filter(pl.col(FOUND_CUSTOMER).is_null()), [note]


def _fold(texts: pl.Series) -> pl.Series:
    return texts.str.normalize("NFKC").str.to_lowercase()


def _decide(text: str, matches: list[str], owner: dict[str, set[str]], domains: dict[str, set[str]]) -> str | None:
    by_mail = set().union(*(domains.get(domain, set()) for domain in _DOMAIN.findall(text)))
    if len(by_mail) == 1:
        return by_mail.pop()
    if not matches:
        return None
    longest = max(len(match) for match in matches)
    best = set().union(*(owner[match] for match in matches if len(match) == longest))
    return best.pop() if len(best) == 1 else None
