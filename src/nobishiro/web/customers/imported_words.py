"""Facts, tags and overrides that came by imports, beside those entered here, so that a page reads one place.

A person's word wins over an imported one on the same thing: an imported word is dated before it, whatever the file says, and
both stay to be seen. A word that was replaced in the store by a person's (`is_people`) stays here as long as that stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from nobishiro.pipelines.masters import read_imported_words
from nobishiro.web.customers.models import Customer, Fact, Override, PersonsWord, Tag
from nobishiro.web.customers.tags import RELATION
from nobishiro.web.people.models import Rep

_BATCH: Final = 2_000
_Key = tuple[object, ...]
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one of the three tables is projected."""

    model: type[PersonsWord]
    key: tuple[str, ...]
    """Fields that with the customer name one thing."""
    make: Callable[[_Row, int], PersonsWord]
    is_dated: bool
    """Whether the newest counts by `set_at` (facts go by the day they were learned)."""


def project_words(workspace_path: Path) -> int:
    """Bring the imported words in step with the store; how many rows came or went."""
    words = read_imported_words(workspace_path)
    if words is None:
        return 0
    customers = dict(Customer.objects.values_list("code", "pk"))
    reps = dict(Rep.objects.values_list("code", "pk"))
    main = dict(Customer.objects.exclude(main_rep=None).values_list("pk", "main_rep_id")) if words.tags.height else {}

    def fact(row: _Row, customer: int) -> PersonsWord:
        return Fact(
            customer_id=customer, fact=str(row["fact"])[:60], subject=str(row["subject"])[:200],
            value=row["value"] or "", amount=row["amount"], learned_on=row["learned_on"],
            source=str(row["source"] or "")[:60], rep_id=reps.get(str(row["rep_id"])),
            set_at=_moment(row["learned_on"]), import_id=row["import_id"],
        )  # fmt: skip

    def tag(row: _Row, customer: int) -> PersonsWord:
        name, _, rep = (
            str(row["tag"]).partition(":") if str(row["tag"]).startswith(f"{RELATION}:") else (row["tag"], "", "")
        )
        whose = reps.get(rep) if rep else main.get(customer) if name == RELATION else None
        return Tag(
            customer_id=customer, tag=str(name)[:60], value=str(row["value"])[:100],
            reason=str(row["reason"] or "")[:500], rep_id=whose, set_by_name=str(row["set_by"] or "")[:200],
            set_at=_moment(row["said_on"]), import_id=row["import_id"],
        )  # fmt: skip

    def override(row: _Row, customer: int) -> PersonsWord:
        return Override(
            customer_id=customer, measure=str(row["measure"])[:20], value=str(row["value"])[:100],
            reason=str(row["reason"] or "")[:500], set_by_name=str(row["set_by"] or "")[:200],
            set_at=_moment(row["said_on"]), import_id=row["import_id"],
        )  # fmt: skip

    return (
        _bring_in_step(_Kind(Fact, ("fact", "subject", "learned_on"), fact, False), words.facts, customers)
        + _bring_in_step(_Kind(Tag, ("tag", "rep_id"), tag, True), words.tags, customers)
        + _bring_in_step(_Kind(Override, ("measure",), override, True), words.overrides, customers)
    )


def _bring_in_step(kind: _Kind, frame: pl.DataFrame, customers: dict[str, int]) -> int:
    known = _known(kind)
    replaced: set[_Key] = set()
    wanted: dict[_Key, PersonsWord] = {}
    for row in frame.iter_rows(named=True):
        customer = customers.get(row["customer_id"])
        if customer is None:
            continue
        made = kind.make(row, customer)
        if row["is_people"]:
            replaced.add(_key_of(made, kind))
            continue
        wanted[(*_key_of(made, kind), made.import_id)] = made
    going = [
        pk
        for key, (pk, is_withdrawn) in known.items()
        if key not in wanted and not is_withdrawn and key[:-1] not in replaced
    ]
    for start in range(0, len(going), 500):
        kind.model.objects.filter(pk__in=going[start : start + 500]).delete()  # type: ignore[attr-defined]
    new = [made for key, made in wanted.items() if key not in known]
    if kind.is_dated and new:
        _date_before_people(kind, new)
    for start in range(0, len(new), _BATCH):
        with transaction.atomic():
            kind.model.objects.bulk_create(new[start : start + _BATCH])  # type: ignore[attr-defined]
    return len(going) + len(new)


def _known(kind: _Kind) -> dict[_Key, tuple[int, bool]]:
    rows = kind.model.objects.exclude(import_id="").values_list(  # type: ignore[attr-defined]
        "pk", "withdrawn_at", "customer_id", *kind.key, "import_id"
    )
    return {tuple(key): (pk, withdrawn is not None) for pk, withdrawn, *key in rows.iterator(chunk_size=5_000)}


def _key_of(word: PersonsWord, kind: _Kind) -> _Key:
    return (word.customer_id, *(getattr(word, name) for name in kind.key))


def _date_before_people(kind: _Kind, new: list[PersonsWord]) -> None:
    """What a person said here on the same thing counts, so it must be the newer one."""
    said = kind.model.objects.filter(import_id="", withdrawn_at=None)  # type: ignore[attr-defined]
    first = {
        tuple(key): at for *key, at in said.values_list("customer_id", *kind.key).annotate(Min("set_at")).order_by()
    }
    for word in new:
        at = first.get(_key_of(word, kind))
        if at is not None and at <= word.set_at:
            word.set_at = at - timedelta(seconds=1)


def _moment(day: object) -> datetime:
    """Midnight of the day on the company's clock."""
    return timezone.make_aware(datetime.combine(day if isinstance(day, date) else date(1970, 1, 1), time()))
