"""What people did since the run, laid over the projected figures: words about a customer, contacts, what is known.

The rules are those of `standing.restand`, for many customers at once.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import polars as pl
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from nobishiro.pipelines.map_lines import lines_in_force
from nobishiro.pipelines.published import PublishedRun
from nobishiro.web.customers.facts import coverage_counts
from nobishiro.web.customers.models import QUADRANTS, Customer, Override, Tag, Touch
from nobishiro.web.customers.standing import _LETTERS, _side, _yen

_PLACED: Final = (
    "quadrant", "quadrant_computed", "decided_by", "potential", "potential_low", "potential_high", "potential_basis",
    "track_record",
)  # fmt: skip
_BATCH: Final = 1_000
_SIDES: Final = {letter: sides for sides, letter in _LETTERS.items()}


def count_coverage(day: date) -> None:
    """Set 把握度 of every listed customer whose count is no longer what is stored."""
    counts = coverage_counts(day)
    changed: dict[int, list[int]] = {}
    rows = Customer.objects.filter(is_listed=True).values_list("pk", "coverage")
    for pk, stored in rows.iterator(chunk_size=5_000):
        now = counts.get(pk, 0)
        if stored != now:
            changed.setdefault(now, []).append(pk)
    for known, keys in changed.items():
        for start in range(0, len(keys), 500):
            Customer.objects.filter(pk__in=keys[start : start + 500]).update(coverage=known)


def lay_touches_over() -> None:
    """Move the day of the last touch up to contacts entered here that the run does not know."""
    later: dict[date, list[int]] = {}
    rows = (
        Touch.objects.filter(withdrawn_at=None)
        .values_list("customer_id", "customer__last_touch_day")
        .annotate(last=Max("happened_at"))
        .order_by()
    )
    for customer, known, last in rows.iterator(chunk_size=5_000):
        day = timezone.localdate(last)
        if known is None or known < day:
            later.setdefault(day, []).append(customer)
    for day, keys in later.items():
        for start in range(0, len(keys), 500):
            older = Q(last_touch_day=None) | Q(last_touch_day__lt=day)
            Customer.objects.filter(older, pk__in=keys[start : start + 500]).update(last_touch_day=day)


def lay_words_over(run: PublishedRun | None, commit: int) -> int:
    """Place the customers anew about whom something was said, or taken back, that the run does not know; how many."""
    keys = sorted(_said_about(run, commit))
    lines = None if run is None else lines_in_force(run)
    figures = _figures(run, len(keys))
    for start in range(0, len(keys), _BATCH):
        with transaction.atomic():
            customers = list(Customer.objects.filter(pk__in=keys[start : start + _BATCH]))
            overrides = _newest(Override.objects.filter(customer__in=customers, withdrawn_at=None), "measure")
            tags = _newest(
                Tag.objects.filter(customer__in=customers, withdrawn_at=None, tag__in=("what", "pace")), "tag"
            )
            for customer in customers:
                _place(
                    customer, overrides.get(customer.pk, {}), tags.get(customer.pk, {}), figures.get(customer.code),
                    None if lines is None else (lines.potential, lines.track_record),
                )  # fmt: skip
            Customer.objects.bulk_create(
                customers, update_conflicts=True, unique_fields=["code"], update_fields=_PLACED
            )
    return len(keys)


_Figures = tuple[float | None, float | None, float | None, str, float]
"""potential, low, high, basis, track record: what the run computed, without any override."""


def _said_about(run: PublishedRun | None, commit: int) -> set[int]:
    since = Q()
    if run is not None:
        at = _aware(run.run.at)
        if at is not None:
            since = Q(set_at__gt=at) | Q(withdrawn_at__gt=at)
            if run.run.commit != commit:
                since |= ~Q(import_id="")
    keys = set(Override.objects.filter(since).values_list("customer_id", flat=True))
    return keys | set(Tag.objects.filter(since, tag__in=("what", "pace")).values_list("customer_id", flat=True))


def _aware(at: datetime | None) -> datetime | None:
    return timezone.make_aware(at) if at is not None and timezone.is_naive(at) else at


def _figures(run: PublishedRun | None, wanted: int) -> dict[str, _Figures]:
    if run is None or not wanted:
        return {}
    room = run.rows("customer_potential", columns=["customer_id", "potential", "low", "high", "basis"])
    sold = run.rows("customer_features", columns=["customer_id", "amount_12m", "orders_12m"])
    counted = "amount_12m" if sold["amount_12m"].abs().sum() else "orders_12m"  # as the map does without amounts
    sold = sold.select("customer_id", pl.col(counted).cast(pl.Float64).alias("sold"))
    rows = room.join(sold, on="customer_id", how="full", coalesce=True).with_columns(
        pl.col("customer_id").cast(pl.String), pl.col("basis").fill_null("unknown"), pl.col("sold").fill_null(0.0)
    )
    return {code: (potential, low, high, basis, sold) for code, potential, low, high, basis, sold in rows.iter_rows()}


def _newest(words: QuerySet, name: str) -> dict[int, dict[str, str]]:
    """Of each customer and name the value said last."""
    found: dict[int, dict[str, str]] = {}
    for customer, of, value in words.order_by("set_at", "pk").values_list("customer_id", name, "value"):
        found.setdefault(customer, {})[of] = value
    return found


def _place(
    customer: Customer,
    said: dict[str, str],
    tags: dict[str, str],
    computed: _Figures | None,
    lines: tuple[float, float] | None,
) -> None:
    if (room := _yen(said.get("potential", ""))) is not None:
        customer.potential, customer.potential_low, customer.potential_high = room, None, None
        customer.potential_basis = "told"
    elif computed is not None:
        customer.potential, customer.potential_low, customer.potential_high, customer.potential_basis = computed[:4]
    if (record := _yen(said.get("track_record", ""))) is not None:
        customer.track_record = record
    elif computed is not None:
        customer.track_record = computed[4]
    if lines is not None:
        if customer.potential is None:
            customer.quadrant_computed = ""
        elif customer.track_record is not None:
            customer.quadrant_computed = _LETTERS[customer.potential >= lines[0], customer.track_record >= lines[1]]
    sides: tuple[bool | None, bool | None] = (None, None)
    if customer.quadrant_computed in _SIDES:
        sides = _SIDES[customer.quadrant_computed]
    elif lines is not None and customer.track_record is not None:
        sides = (None, customer.track_record >= lines[1])
    told = (_side(tags.get("what", "")), _side(tags.get("pace", "")))
    big_room = sides[0] if told[0] is None else told[0]
    big_record = sides[1] if told[1] is None else told[1]
    override = said.get("quadrant", "")
    if override in dict(QUADRANTS):
        customer.quadrant, customer.decided_by = override, "override"
    elif big_room is None or big_record is None:
        customer.quadrant, customer.decided_by = "", "unknown"
    else:
        customer.quadrant = _LETTERS[big_room, big_record]
        customer.decided_by = "computed" if told == (None, None) else "tags"
