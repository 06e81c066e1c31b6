"""The map as a list: its conditions in the address, and the columns that go out to Excel, tags among them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nobishiro.web.core.among import among
from nobishiro.web.core.company import published
from nobishiro.web.core.lists import ChoiceFilter, Column, FlagFilter, ListSpec, NumberFilter
from nobishiro.web.customers.cells import cells_now
from nobishiro.web.customers.conditions import CHOSEN, DIVISION, QUADRANT, REP, WORDS
from nobishiro.web.customers.listing import listed
from nobishiro.web.customers.models import Customer, Family, Tag
from nobishiro.web.map.tag_words import in_words

if TYPE_CHECKING:
    from nobishiro.pipelines.published import PublishedRun
    from nobishiro.web.people.models import User

NPS: Final = {"promoter": Q(nps__gte=9), "passive": Q(nps__gte=7, nps__lt=9), "detractor": Q(nps__lt=7), "unknown": Q(nps=None)}  # fmt: skip


def _not_proposed(rows: QuerySet, values: list[str]) -> QuerySet:
    run = published()
    if run is None:
        return rows.none()
    cells = cells_now(run, families=values).filter(state="not_proposed").select("customer_id").unique().collect()
    return rows.filter(among("code", cells["customer_id"].to_list()))


def _unseen(rows: QuerySet, days: int) -> QuerySet:
    since = timezone.localdate() - timedelta(days=days)
    return rows.filter(Q(last_touch_day=None) | Q(last_touch_day__lt=since))


def _nps(rows: QuerySet, values: list[str]) -> QuerySet:
    return rows.filter(NPS[values[0]])


FILTERS: Final = (
    WORDS, QUADRANT, REP, DIVISION,
    FlagFilter("missed", _("Something never proposed"), lambda rows: rows.filter(missed_families__gt=0), is_main=True),
    ChoiceFilter(
        "family", _("Never proposed"), lambda user: list(Family.objects.filter(is_listed=True).values_list("code", "name")),
        _not_proposed, is_main=True, is_open=True,
    ),
    NumberFilter("unseen", _("Not seen for"), _unseen, unit=pgettext_lazy("unit", "days"), is_main=True),
    ChoiceFilter(
        "nps", "NPS",
        [("promoter", _("9 – 10 promoters")), ("passive", _("7 – 8")), ("detractor", _("0 – 6 detractors")), ("unknown", _("Not known"))],
        _nps, is_main=True,
    ),
    CHOSEN,
)  # fmt: skip


def _newest(tag: str, **more: object) -> Subquery:
    tags = Tag.objects.filter(customer=OuterRef("pk"), tag=tag, withdrawn_at=None, **more)
    return Subquery(tags.order_by("-set_at", "-pk").values("value")[:1])


def base(user: User) -> QuerySet[Customer]:
    """Every customer of the list with the tags people set. The relation is the main rep's."""
    return (
        listed()
        .select_related("main_rep", "main_division")
        .annotate(
            set_what=_newest("what"),
            set_pace=_newest("pace"),
            set_visits=_newest("visits"),
            set_relation=_newest("relation", rep=OuterRef("main_rep")),
        )
    )


@lru_cache(maxsize=2)
def _computed(run: PublishedRun) -> Mapping[str, tuple[str | None, str | None, str | None]]:
    rows = run.rows("positions", columns=["customer_id", "what_computed", "pace_computed", "visits_computed"])
    return {code: (what, pace, visits) for code, what, pace, visits in rows.iter_rows()}


def _said(tag: str, at: int) -> Column[Customer]:
    def computed(code: str) -> str:
        run = published()
        found = None if run is None else _computed(run).get(code)
        return in_words(tag, found[at] if found else None)

    label = {"what": _("What (computed)"), "pace": _("Pace (computed)"), "visits": _("Visits (computed)")}[tag]
    return Column(f"{tag}_computed", label, value=lambda row: computed(row.code), fields=("code",), export=computed)


def _tagged(tag: str, label: object) -> Column[Customer]:
    field = f"set_{tag}"
    return Column(
        tag, label, field, value=lambda row: in_words(tag, getattr(row, field)), export=lambda value: in_words(tag, value)  # type: ignore[arg-type]
    )  # fmt: skip


SPEC: Final[ListSpec[Customer]] = ListSpec(
    name="map",
    title=_("Customer map"),
    base=base,
    columns=(
        Column("code", _("Customer code"), "code", sort="code", kind="code"),
        Column("name", _("Customer"), "name", sort=("kana", "name")),
        Column("quadrant", _("Quadrant"), "quadrant", sort="quadrant", kind="quadrant"),
        Column("potential", _("Potential a year"), kind="interval", fields=("potential_low", "potential", "potential_high"), sort="potential"),
        Column("track_record", _("Track record"), "track_record", sort="track_record", kind="yen"),
        Column("orders", _("Orders in 12 months"), "orders_12m", sort="orders_12m", kind="number"),
        Column("hours", _("Hours in 12 months"), "touch_hours_12m", sort="touch_hours_12m", kind="number"),
        Column("last_touch", _("Last contact"), "last_touch_day", sort="last_touch_day", kind="day"),
        Column("rep", _("Rep"), "main_rep__name", sort="main_rep__name"),
        _said("what", 0), _tagged("what", _("What (set)")),
        _said("pace", 1), _tagged("pace", _("Pace (set)")),
        _said("visits", 2), _tagged("visits", _("Visits (set)")),
        _tagged("relation", _("Relation (main rep)")),
    ),
    filters=FILTERS,
    default_sort="-potential",
    row_url=lambda row: reverse("customers:karte", args=[row.pk]),
)  # fmt: skip


def figures_of(rows: QuerySet[Customer]) -> tuple[list[tuple[str, int]], bool]:
    """((letter or "", customers) of the filtered rows; whether the potential of any of them is known)."""
    counted = {
        letter: (n, known)
        for letter, n, known in rows.order_by()
        .values_list("quadrant")
        .annotate(n=Count("pk"), known=Count("potential"))
    }
    counts = [(letter, counted.get(letter, (0, 0))[0]) for letter in ("A", "B", "C", "D", "")]
    return counts, any(known for _, known in counted.values())
