"""Which customer a free text is about: calendar entries name people and companies, never codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.company_names import fold_for_matching, normalise_names
from nobishiro.engine.intake.headers import find_headers

FOUND_CUSTOMER: Final = "_customer_id"
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
        normalise_names(customers["name"])["core"].str.replace_all(r"\s+", "").alias("key"),
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
    return pl.Series([fold_for_matching(text) for text in texts], dtype=pl.String)


def _decide(text: str, matches: list[str], owner: dict[str, set[str]], domains: dict[str, set[str]]) -> str | None:
    by_mail = set().union(*(domains.get(domain, set()) for domain in _DOMAIN.findall(text)))
    if len(by_mail) == 1:
        return by_mail.pop()
    if not matches:
        return None
    longest = max(len(match) for match in matches)
    best = set().union(*(owner[match] for match in matches if len(match) == longest))
    return best.pop() if len(best) == 1 else None


def codes_of_names(values: pl.Series, customers: pl.DataFrame) -> tuple[pl.Series, list[str]]:
    """Names in a column of codes replaced by the code of the one customer so called; all else is left as it is.

    A name is the same when nothing but its width and blanks differ, else when its core and its branch are the same; a
    name that two customers share is never linked.
    """
    distinct = values.drop_nulls().unique(maintain_order=True)
    unknown = distinct.filter(~distinct.is_in(customers["customer_id"].implode()))
    if not unknown.len():
        return values, []
    codes = customers["customer_id"]
    known_parts, asked_parts = normalise_names(customers["name"]), normalise_names(unknown)
    whole = _only(_squeezed(customers["name"]), codes)
    core = _only(known_parts["core"] + "\x1f" + known_parts["branch"].fill_null(""), codes)
    asked = zip(
        unknown, _squeezed(unknown), asked_parts["core"] + "\x1f" + asked_parts["branch"].fill_null(""), strict=True
    )
    found = {name: code for name, full, part in asked if (code := whole.get(full, core.get(part))) is not None}
    if not found:
        return values, []
    result = values.replace(pl.Series(list(found)), pl.Series(list(found.values())))
    rest = unknown.len() - len(found)
    note = f"{len(found):,} customers were found by their name"
    return result, [note + (f", {rest:,} names are not known yet and stand for a code" if rest else "")]


def _squeezed(names: pl.Series) -> pl.Series:
    return _fold(names.fill_null("")).str.replace_all(r"\s+", "")


def _only(keys: pl.Series, codes: pl.Series) -> dict[str, str]:
    """Code by key, for the keys that belong to one code alone."""
    pairs = pl.DataFrame({"key": keys, "code": codes}).filter(pl.col("key").str.strip_chars("\x1f") != "")
    single = (
        pairs.group_by("key").agg(pl.col("code").n_unique().alias("n"), pl.col("code").first()).filter(pl.col("n") == 1)
    )
    return dict(zip(single["key"], single["code"], strict=True))
