"""What people entered here, as the canonical tables a run reads (`PeopleSource`).

Only rows entered here: what came by an import stays in the store. Of several words on one key the newest counts. A tap is an
outcome, a touch and, where something was proposed, a proposal: that is how the next run knows that the family was proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import polars as pl
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from nobishiro.contracts.errors import UnknownName
from nobishiro.pipelines.people_snapshot import rows_of
from nobishiro.web.customers.models import Correction, Fact, Outcome, Override, PersonsWord, Tag, Touch
from nobishiro.web.customers.tags import RELATION

Row = tuple[object, ...]
_OFFER_KINDS: Final = frozenset({"cross_sell", "upsell", "downsell", "bundle", "replenishment"})
_PREFIX: Final = "web-"
_CHUNK: Final = 5_000


class DatabasePeople:
    """People's tables as they are in the database now."""

    def changed_at(self) -> datetime | None:
        """When anything was last entered or withdrawn; None when nothing ever was."""
        said = [
            model.objects.filter(import_id="").aggregate(Max("set_at"), Max("withdrawn_at")).values()
            for model in (Fact, Tag, Override)
        ]
        said += [model.objects.aggregate(Max("entered_at"), Max("withdrawn_at")).values() for model in (Touch, Outcome)]
        said.append(Correction.objects.aggregate(Max("set_at")).values())
        return max((moment for values in said for moment in values if moment is not None), default=None)

    def snapshot(self, table: str) -> pl.DataFrame:
        """All rows entered here and not withdrawn. Raises `UnknownName` for a table people do not write to."""
        readers: dict[str, Callable[[], Iterable[Row]]] = {
            "facts": _facts, "tags": _tags, "overrides": _overrides, "corrections": _corrections, "outcomes": _outcomes,
            "touches": _touches, "proposals": _proposals,
        }  # fmt: skip
        if table not in readers:
            raise UnknownName(f"people write nothing to {table!r} here; there are {', '.join(readers)}")
        return rows_of(table, readers[table]())

    def withdrawn(self, table: str) -> pl.DataFrame:
        """Keys (with `import_id`) of imported facts, tags and overrides a person took back."""
        keys: dict[str, tuple[type[PersonsWord], tuple[str, ...]]] = {
            "facts": (Fact, ("fact", "subject", "learned_on")), "tags": (Tag, ("tag",)), "overrides": (Override, ("measure",)),
        }  # fmt: skip
        if table not in keys:
            return pl.DataFrame()
        model, names = keys[table]
        void = model.objects.exclude(import_id="").exclude(withdrawn_at=None)  # type: ignore[attr-defined]
        rows = list(void.values_list("customer__code", *names, "import_id"))
        if model is Tag:
            of_reps = (
                void.filter(tag=RELATION).exclude(rep=None).values_list("customer__code", "rep__code", "import_id")
            )
            rows += [(customer, f"{RELATION}:{rep}", import_id) for customer, rep, import_id in of_reps]
        columns = ["customer_id", *names, "import_id"]
        kinds = {name: pl.Date if name == "learned_on" else pl.String for name in columns}
        return pl.DataFrame(rows, schema=kinds, orient="row").unique()


def _said(model: type[PersonsWord]) -> QuerySet:
    """Words entered here that stand, the newest first."""
    rows: QuerySet = model.objects.filter(import_id="", withdrawn_at=None).order_by("-set_at", "-pk")  # type: ignore[attr-defined]
    return rows


def _newest(rows: Iterable[Row], key: Callable[[Row], Row]) -> Iterator[Row]:
    """The first row of each key."""
    seen: set[Row] = set()
    for row in rows:
        at = key(row)
        if at not in seen:
            seen.add(at)
            yield row


def _facts() -> Iterator[Row]:
    rows = _said(Fact).values_list(
        "customer__code", "fact", "subject", "value", "amount", "learned_on", "source", "rep__code"
    )
    return _newest(rows.iterator(chunk_size=_CHUNK), lambda row: (row[0], row[1], row[2], row[5]))


def _tags() -> Iterator[Row]:
    """Relations are per rep: each as `relation:<rep>`, and the main rep's (else the newest) as `relation`."""
    rows = _said(Tag).values_list(
        "customer__code", "tag", "value", "set_by_name", "set_at", "reason", "rep__code", "customer__main_rep__code"
    )
    relations: dict[object, tuple[bool, Row]] = {}
    for code, tag, value, by, at, reason, rep, main in _newest(
        rows.iterator(chunk_size=_CHUNK), lambda row: (row[0], row[1], row[6] if row[1] == RELATION else None)
    ):
        rest: Row = (value, by, _day(at), reason)
        if tag == RELATION and rep is not None:
            yield (code, f"{RELATION}:{rep}", *rest)
            if code not in relations or (rep == main and not relations[code][0]):
                relations[code] = rep == main, (code, RELATION, *rest)
        elif tag == RELATION:
            relations.setdefault(code, (False, (code, RELATION, *rest)))
        else:
            yield (code, tag, *rest)
    for _, row in relations.values():
        yield row


def _overrides() -> Iterator[Row]:
    rows = _said(Override).values_list("customer__code", "measure", "value", "reason", "set_by_name", "set_at")
    for *words, at in _newest(rows.iterator(chunk_size=_CHUNK), lambda row: (row[0], row[1])):
        yield (*words, _day(at))


def _corrections() -> Iterator[Row]:
    rows = Correction.objects.order_by("pk").values_list(
        "table_name", "row_key", "column_name", "value", "imported_value", "set_by_name", "set_at"
    )
    for *words, at in rows:
        yield (*words, _clock(at))


def _outcomes() -> Iterator[Row]:
    rows = Outcome.objects.filter(withdrawn_at=None).order_by("pk").values_list(
        "code", "customer__code", "product_code", "offer_kind", "play", "channel", "rep__code", "happened_at", "result",
        "reason", "amount",
    )  # fmt: skip
    for code, customer, product, offer, play, channel, rep, at, result, reason, amount in rows.iterator(
        chunk_size=_CHUNK
    ):
        kind = offer if offer in _OFFER_KINDS else None
        yield (
            code, customer, product or None, kind, play or None, channel or None, rep, _clock(at), result, reason or None,
            _money(amount),
        )  # fmt: skip


def _touches() -> Iterator[Row]:
    """A private note stays here: the store is read by everybody who may see customers."""
    rows = Touch.objects.filter(withdrawn_at=None).order_by("pk").values_list(
        "code", "customer__code", "contact__code", "rep__code", "division__code", "kind", "direction", "happened_at",
        "minutes", "subject", "note", "is_private",
    )  # fmt: skip
    for (
        code,
        customer,
        contact,
        rep,
        division,
        kind,
        direction,
        at,
        minutes,
        subject,
        note,
        is_private,
    ) in rows.iterator(chunk_size=_CHUNK):
        yield (
            code, customer, contact, rep, division, kind, direction or None, _clock(at), minutes, subject or None,
            None if is_private else note or None,
        )  # fmt: skip


def _proposals() -> Iterator[Row]:
    """Outcomes of something that was brought up; 今回は出さない was not, and never counts as proposed."""
    rows = (
        Outcome.objects.filter(withdrawn_at=None)
        .exclude(result="dismissed")
        .exclude(family="", product_code="")
        .order_by(F("pk"))
        .values_list(
            "code", "customer__code", "product_code", "family", "touch__code", "rep__code", "happened_at", "result", "reason",
            "amount",
        )
    )  # fmt: skip
    for code, customer, product, family, touch, rep, at, result, reason, amount in rows.iterator(chunk_size=_CHUNK):
        yield (
            code if code.startswith(_PREFIX) else _PREFIX + code, customer, product or None, family or None, touch, rep,
            _clock(at), result, reason or None, _money(amount),
        )  # fmt: skip


def _clock(at: datetime) -> datetime:
    """The moment on the company's clock, as the store keeps it."""
    return timezone.make_naive(at)


def _day(at: object) -> date:
    assert isinstance(at, datetime)
    return timezone.localdate(at)


def _money(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(Decimal("0.01"))
