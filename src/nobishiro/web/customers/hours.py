"""Where the hours went: by quadrant and rep, out of what was imported and what was entered here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

import polars as pl
from django.utils import timezone

from nobishiro.pipelines.touch_hours import has_touches, touches_between
from nobishiro.web.core.among import among
from nobishiro.web.core.company import published
from nobishiro.web.core.once import once
from nobishiro.web.customers.models import Customer, Touch
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
    known = customers_of(imported["customer_id"])
    places = {"customer_id": list(known), "quadrant": [quadrant for _, quadrant in known.values()]}
    quadrants = pl.DataFrame(places, schema={"customer_id": pl.String, "quadrant": pl.String})
    reps = reps_by_code()
    sums = (
        imported.join(quadrants, on="customer_id", how="left")
        .group_by("rep_id", "quadrant", maintain_order=True)
        .agg(pl.col("minutes").sum(), pl.col("minutes").null_count().alias("unknown"))
    )
    for code, quadrant, minutes, unknown in sums.iter_rows():
        spent.add(reps.get(code), quadrant or "", float(minutes))
        spent.unknown_minutes += unknown
    return spent


def customers_of(codes: pl.Series) -> dict[str, tuple[int, str]]:
    """Customer code → (pk, quadrant) of those who had a touch lately; asked once a request while the codes are known."""
    known = once("customers of touches", dict[str, tuple[int, str]])
    missing = [code for code in codes.unique() if code not in known]
    if missing:
        rows = Customer.objects.filter(among("code", missing)).values_list("code", "pk", "quadrant")
        known.update({code: (pk, quadrant) for code, pk, quadrant in rows})
    return known


def all_reps() -> dict[int, Rep]:
    """Every rep with the division, by pk; asked for once a request."""
    return once("reps", lambda: {rep.pk: rep for rep in Rep.objects.select_related("division")})


def reps_by_code() -> dict[str, int]:
    """Rep code → pk."""
    return once("reps by code", lambda: {rep.code: pk for pk, rep in all_reps().items()})
