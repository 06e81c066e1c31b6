"""What 名寄せ compares: one row per customer with its name taken apart, its numbers and its places as keys."""

from __future__ import annotations

from typing import Final

import polars as pl

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.addresses import address_key, keys_of, mail_domain_key, phone_key, prefecture_of
from nobishiro.engine.intake.company_names import ends_in_branch, normalise_names
from nobishiro.engine.intake.corporate_numbers import normalise_corporate_numbers
from nobishiro.engine.intake.legal_forms import form_class

HEAD_OFFICE: Final = ("本社", "headquarters", "headoffice")
"""Branches that are the company itself."""
PLACES: Final = ("address", "phone", "domain")
"""Keys that are evidence beside a name."""


def match_keys(customers: pl.DataFrame, max_shared: int) -> pl.DataFrame:
    """One row per code: node, customer_id, core, unit, form, position, corporate, address, prefecture, phone, domain,
    person, parent.

    `core` is null where a name holds nothing to compare; `unit` is the branch, null for the company itself. A place
    shared by more than `max_shared` names is null: a building or a call centre is no evidence. Of rows with the same
    code the first counts. Raises `MappingIncomplete` without `customer_id` and `name`.
    """
    missing = [name for name in ("customer_id", "name") if name not in customers.columns]
    if missing:
        raise MappingIncomplete(f"customers lack {', '.join(missing)}; map these columns before matching")
    rows = customers.with_columns(pl.col("customer_id").cast(pl.String)).filter(pl.col("customer_id").is_not_null())
    rows = rows.unique("customer_id", keep="first", maintain_order=True)
    names = normalise_names(rows["name"])
    said = _text(rows, "kind")
    person = (said == "person") | (said.is_null() & names["is_person_guess"])
    address = _text(rows, "address")
    forms = names["legal_form"]
    classes = {form: form_class(form) for form in forms.drop_nulls().unique()}
    keys = pl.DataFrame(
        {
            "node": pl.int_range(rows.height, dtype=pl.Int64, eager=True),
            "customer_id": rows["customer_id"],
            "core": names["core"],
            "unit": names["branch"],
            "form": forms.replace_strict(classes, default=None, return_dtype=pl.String),
            "position": names["form_position"],
            "corporate": normalise_corporate_numbers(_text(rows, "corporate_number")),
            "address": keys_of(address, address_key),
            "prefecture": pl.select(
                pl.coalesce(_text(rows, "prefecture"), keys_of(address, prefecture_of))
            ).to_series(),
            "phone": keys_of(_text(rows, "phone"), phone_key),
            "domain": keys_of(_text(rows, "mail_domain"), mail_domain_key),
            "person": person.fill_null(False),
            "parent": _text(rows, "parent_customer_id"),
        }
    ).with_columns(
        core=pl.when(pl.col("core") != "").then("core"),
        unit=pl.when(~pl.col("unit").is_in(HEAD_OFFICE)).then("unit"),
        domain=pl.when(~pl.col("person")).then("domain"),
    )
    keys = _split_known_companies(keys)
    return keys.with_columns(
        pl.when(pl.col("core").n_unique().over(name) <= max_shared).then(name).alias(name) for name in PLACES
    )


def _split_known_companies(keys: pl.DataFrame) -> pl.DataFrame:
    """Cut a branch off cores that begin with another customer's whole core: 山田製作所西脇営業所 beside 山田製作所."""
    companies = keys.filter(~pl.col("person"), pl.col("unit").is_null(), pl.col("core").is_not_null())["core"].unique()
    known = set(companies)
    pieces: dict[str, tuple[str, str]] = {}
    for core in companies:
        if not ends_in_branch(core):
            continue
        for cut in range(len(core) - 1, 1, -1):
            if core[:cut] in known:
                pieces[core] = (core[:cut], core[cut:])
                break
    if not pieces:
        return keys
    table = pl.DataFrame(
        {
            "core": list(pieces),
            "head": [head for head, _ in pieces.values()],
            "tail": [tail for _, tail in pieces.values()],
        }
    )
    joined = keys.join(table, on="core", how="left", maintain_order="left")
    apply = pl.col("head").is_not_null() & pl.col("unit").is_null() & ~pl.col("person")
    return joined.with_columns(
        core=pl.when(apply).then("head").otherwise("core"),
        unit=pl.when(apply & ~pl.col("tail").is_in(HEAD_OFFICE)).then("tail").otherwise("unit"),
    ).drop("head", "tail")


def _text(rows: pl.DataFrame, name: str) -> pl.Series:
    if name not in rows.columns:
        return pl.Series(name, [None] * rows.height, dtype=pl.String)
    text = rows[name].cast(pl.String).str.strip_chars()
    return rows.select(pl.when(text != "").then(text).alias(name))[name]
