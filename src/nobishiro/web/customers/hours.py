"""Where the hours went: by quadrant and rep, out of what was imported and what was entered here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

import polars as pl
from django.db.models import Count, F, Subquery, Sum
from django.utils import timezone

from nobishiro.pipelines.touch_hours import has_touches, touches_between
from nobishiro.web.core.company import published
from nobishiro.web.core.once import once
from nobishiro.web.customers.models import Customer, Projection, Touch
from nobishiro.web.people.models import Rep

QUADRANTS: Final = ("A", "B", "C", "D", "")
"""The last one: quadrant not known."""


def _nothing() -> dict[str, float]:
    return dict.fromkeys(QUADRANTS, 0.0)


@dataclass(slots=True)
class HoursSpent:
    """Hours of the touches of some days."""

    has_touches: bool
    """False while no touch was ever imported or entered: then nothing can be said."""
    by_quadrant: dict[str, float] = field(default_factory=_nothing)
    by_rep: Mapping[int | None, dict[str, float]] = field(default_factory=lambda: defaultdict(_nothing))
    """Rep's pk, None for touches of nobody we know → quadrant → hours."""
    unknown_minutes: int = 0
    """Touches of which nobody said how long they took; not in the hours."""

    @property
    def total(self) -> float:
        """All hours."""
        return sum(self.by_quadrant.values())

    def share(self, quadrant: str) -> float | None:
        """Share of the hours in this quadrant; None without any hours."""
        return self.by_quadrant[quadrant] / self.total if self.total > 0 else None

    def add(self, rep: int | None, quadrant: str, minutes: float | None) -> None:
        """Count one touch."""
        if minutes is None:
            self.unknown_minutes += 1
            return
        self.by_quadrant[quadrant] += minutes / 60
        self.by_rep[rep][quadrant] += minutes / 60


def hours_spent(first: date, until: date, reps: Mapping[str, int] | None = None) -> HoursSpent:
    """Hours of the touches from `first` up to, not on, `until`, each customer in the quadrant that counts now.

    `reps` (code → pk) saves a query where the caller has them.
    """
    zone = timezone.get_current_timezone()
    begin, end = (datetime.combine(day, time.min, zone) for day in (first, until))
    run = published()
    spent = HoursSpent(has_touches=run is not None and has_touches(run))
    entered = Touch.objects.filter(happened_at__gte=begin, happened_at__lt=end, withdrawn_at__isnull=True)
    for rep, quadrant, minutes in entered.values_list("rep_id", "customer__quadrant", "minutes"):
        spent.add(rep, quadrant, minutes)
        spent.has_touches = True
    spent.has_touches = spent.has_touches or Touch.objects.exists()
    if run is None:
        return spent
    imported = touches_between(run, first, until)
    if imported.is_empty():
        return spent
    reps = reps_by_code()
    sums = (
        imported.join(customer_places(), on="customer_id", how="left")
        .group_by("rep_id", "quadrant", maintain_order=True)
        .agg(pl.col("minutes").sum(), pl.col("minutes").null_count().alias("unknown"))
    )
    for code, quadrant, minutes, unknown in sums.iter_rows():
        spent.add(reps.get(code), quadrant or "", float(minutes))
        spent.unknown_minutes += unknown
    return spent


def customer_places() -> pl.DataFrame:
    """(customer_id, pk, quadrant) of every customer as it is now, kept in the process until one of them moves.

    Each request asks how many customers are in each quadrant, with the sums of their keys and of their squares: an override
    changes these, and a hundred thousand rows need not be read again while nobody moved.
    """
    return once("customer places", _places)


_kept: list[tuple[object, pl.DataFrame]] = []


def _places() -> pl.DataFrame:
    everybody = Customer.objects.order_by()
    stamp = sorted(
        everybody.values_list("quadrant").annotate(
            n=Count("pk"),
            keys=Sum("pk"),
            squares=Sum(F("pk") * F("pk")),
            first=Subquery(everybody.order_by("code").values("code")[:1]),
            last=Subquery(everybody.order_by("-code").values("code")[:1]),
            projected=Subquery(Projection.objects.filter(pk=1).values("projected_at")[:1]),
        )
    )
    if not _kept or _kept[0][0] != stamp:
        schema = {"customer_id": pl.String, "pk": pl.Int64, "quadrant": pl.String}
        rows = list(everybody.values_list("code", "pk", "quadrant"))
        _kept[:] = [(stamp, pl.DataFrame(rows, schema=schema, orient="row"))]
    return _kept[0][1]


def all_reps() -> dict[int, Rep]:
    """Every rep with the division, by pk; asked for once a request."""
    return once("reps", lambda: {rep.pk: rep for rep in Rep.objects.select_related("division")})


def reps_by_code() -> dict[str, int]:
    """Rep code → pk."""
    return once("reps by code", lambda: {rep.code: pk for pk, rep in all_reps().items()})
