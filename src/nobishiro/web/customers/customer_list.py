"""The list of customers: what it shows, filters and takes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db.models import Case, Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from nobishiro.web.core.company import published
from nobishiro.web.core.list_columns import shown
from nobishiro.web.core.lists import (
    ChoiceFilter,
    Column,
    FlagFilter,
    ListPage,
    ListSpec,
    NumberFilter,
    Order,
    SearchFilter,
)
from nobishiro.web.core.templatetags.nobishiro import day as show_day
from nobishiro.web.core.templatetags.nobishiro import number as show_number
from nobishiro.web.core.templatetags.nobishiro import quadrant_name
from nobishiro.web.customers.conditions import CHOSEN
from nobishiro.web.customers.facts import IMPORTANT
from nobishiro.web.customers.listing import listed
from nobishiro.web.customers.models import Customer, Owner, Projection
from nobishiro.web.customers.next_step import PROMOTER
from nobishiro.web.people.models import Division, Rep

if TYPE_CHECKING:
    from nobishiro.web.core.list_filters import Choices
    from nobishiro.web.people.models import User

PASSIVE: Final = 7
UNSEEN_DAYS: Final = 30
"""After so many days without a contact a B customer is named at the top."""
_CLOSED_BOOKS: Final = timedelta(days=92)
_FACETS: Final = 60
STATES: Final = {
    "active": pgettext_lazy("customer", "buying"),
    "dormant": pgettext_lazy("customer", "dormant"),
    "lost": pgettext_lazy("customer", "lost"),
    "prospect": pgettext_lazy("customer", "prospect"),
}


def look_day() -> date:
    """The day "days ago" is counted from: today, or the end of the figures where those are of long ago (a demo, an archive)."""
    today, run = timezone.localdate(), published()
    return run.as_of if run is not None and today - run.as_of > _CLOSED_BOOKS else today


def state_name(state: str) -> str:
    """取引中 and so on."""
    return str(STATES.get(state, state))


@dataclass(frozen=True, slots=True)
class Figures:
    """What the sentence at the top is made of, for the rows the filters leave."""

    total: int
    a: int
    b: int
    c: int
    d: int
    unplaced: int
    b_unseen: int


def figures_of(shown: ListPage[Customer]) -> Figures:
    """Counts by quadrant, and B customers without a contact for `UNSEEN_DAYS`."""
    rows = shown.queryset().order_by()
    counts = dict(rows.values_list("quadrant").annotate(n=Count("pk")))
    unseen = _unseen(rows.filter(quadrant="B"), UNSEEN_DAYS).count() if counts.get("B") else 0
    a, b, c, d = (counts.get(letter, 0) for letter in "ABCD")
    return Figures(sum(counts.values()), a, b, c, d, counts.get("", 0), unseen)


def _customers(user: User) -> QuerySet[Customer]:
    owners = Owner.objects.select_related("division").order_by("division__code")
    return (
        listed()
        .select_related("main_rep", "main_division")
        .prefetch_related(Prefetch("owners", queryset=owners))
        .defer("search", "address")
    )


def _divisions(row: Customer) -> str:
    names = dict.fromkeys(owner.division.name for owner in row.owners.all())
    return "・".join(names) or (row.main_division.name if row.main_division else "")


def _divisions_of_all() -> Mapping[int, object]:
    """Divisions by customer, read once for a file."""
    names: dict[int, list[str]] = {
        pk: [name] for pk, name in listed().filter(owners=None).exclude(main_division=None).values_list("pk", "main_division__name")
    }  # fmt: skip
    rows = Owner.objects.order_by("division__code").values_list("customer_id", "division__name").distinct()
    for customer, name in rows.iterator(chunk_size=5_000):
        names.setdefault(customer, []).append(name)
    return {pk: "・".join(dict.fromkeys(told)) for pk, told in names.items()}


def _last_touch(row: Customer) -> SafeString | str:
    if row.last_touch_day is None:
        return gettext("none known")
    days = max(0, (look_day() - row.last_touch_day).days)
    said = gettext("%(days)s days ago") % {"days": show_number(days)} if days else pgettext("last contact", "today")
    return format_html('{} <span class="note">{}</span>', said, show_day(row.last_touch_day))


def _coverage(row: Customer) -> str:
    return f"{row.coverage or 0}/{len(IMPORTANT)}"


def _nps(row: Customer) -> SafeString | str:
    if row.nps is None:
        return gettext("not known")
    group = (
        gettext("promoter")
        if row.nps >= PROMOTER
        else gettext("passive")
        if row.nps >= PASSIVE
        else gettext("detractor")
    )
    return format_html(
        '{} <span class="note">{}</span>', show_number(row.nps, 0 if row.nps == int(row.nps) else 1), group
    )


def _missed(row: Customer) -> SafeString | str:
    if not row.missed_families:
        return "–"
    return format_html('<a href="{}#families">{}</a>', reverse("customers:karte", args=[row.pk]), row.missed_families)


def _expected(row: Customer) -> SafeString | str:
    """A dash where nothing was left out; "not known" is for what was."""
    return shown(row.expected_missed, "about", has_unit=True, most=None) if row.missed_families else "–"


def _rep_choices(user: User) -> Choices:
    mine: list[tuple[str, str]] = [("me", gettext("my customers"))] if user.rep_id else []
    return [*mine, *((str(pk), name) for pk, name in Rep.objects.order_by("name").values_list("pk", "name"))]


def _reps(values: list[str], user: User) -> list[str]:
    return [str(user.rep_id or 0) if value == "me" else value for value in values]


def _facet(user: User, field: str) -> Choices:
    """The most frequent values with how many customers have them; counted once a projection."""
    asked: dict[str, Choices] = user.__dict__.setdefault("_facets_of_customers", {})
    if not asked:
        stamp = Projection.objects.filter(pk=1).values_list("projected_at", flat=True).first()
        key = f"customers.facets.{stamp.timestamp() if stamp else ''}"
        counted: dict[str, Choices] | None = cache.get(key) if stamp else None
        if counted is None:
            counted = {name: _counted(name) for name in ("industry", "prefecture")}
            if stamp:
                cache.set(key, counted, 24 * 60 * 60)
        asked |= counted
    return asked[field]


def _counted(field: str) -> Choices:
    rows = listed().exclude(**{field: ""}).values_list(field)
    counted = rows.annotate(n=Count("pk")).order_by("-n", field)[:_FACETS]
    return [(value, f"{value} ({n:,})") for value, n in counted]


def _unseen(rows: QuerySet, days: int) -> QuerySet:
    return rows.filter(Q(last_touch_day=None) | Q(last_touch_day__lte=look_day() - timedelta(days=min(days, 36_500))))


def _nps_groups(rows: QuerySet, values: list[str]) -> QuerySet:
    groups = {
        "promoter": Q(nps__gte=PROMOTER),
        "passive": Q(nps__gte=PASSIVE, nps__lt=PROMOTER),
        "detractor": Q(nps__lt=PASSIVE),
        "unknown": Q(nps=None),
    }
    wanted = Q()
    for value in values:
        wanted |= groups[value]
    return rows.filter(wanted)


def _owned_by(rows: QuerySet, reps: list[str]) -> QuerySet:
    keys = [int(rep) for rep in reps]
    owned = Owner.objects.filter(rep__in=keys).values("customer_id")
    return rows.filter(Q(main_rep__in=keys) | Q(pk__in=owned))


def _of_division(rows: QuerySet, divisions: list[str]) -> QuerySet:
    keys = [int(division) for division in divisions]
    owned = Owner.objects.filter(division__in=keys).values("customer_id")
    return rows.filter(Q(main_division__in=keys) | Q(pk__in=owned))


_READING: Final = (Case(When(kana="", then=1), default=0, output_field=IntegerField()), "kana", "name")
_PLACE: Final = Case(When(quadrant="", then=Value("Z")), default=F("quadrant"))
_COLUMNS: Final[tuple[Column[Customer], ...]] = (
    Column("name", _("Customer"), field="name", sort=_READING),
    Column("quadrant", _("Quadrant"), field="quadrant", sort=(_PLACE, "-potential"), kind="quadrant"),
    Column("rep", _("Main rep"), field="main_rep__name", sort="main_rep__name"),
    Column("divisions", pgettext_lazy("column", "Divisions"), value=_divisions, lookup=_divisions_of_all, is_default=False),
    Column("potential", _("Room to grow"), sort="potential", kind="interval", unit=_("yen a year"), fields=("potential_low", "potential", "potential_high")),
    Column("track", _("Track record"), field="track_record", sort="track_record", kind="yen", unit=_("yen, 12 months")),
    Column("last_order", _("Last order"), field="last_order_day", sort="last_order_day", kind="day", is_default=False),
    Column("last_touch", _("Last contact"), field="last_touch_day", sort="last_touch_day", kind="day", html=_last_touch),
    Column("coverage", pgettext_lazy("coverage", "Known"), field="coverage", sort="coverage", kind="number", html=_coverage),
    Column("nps", "NPS", field="nps", sort="nps", kind="number", html=_nps),
    Column("missed", _("Not yet proposed"), field="missed_families", sort="missed_families", kind="number", html=_missed, unit=_("families")),
    Column("expected", _("Expected if proposed"), field="expected_missed", sort="expected_missed", kind="about", html=_expected, unit=_("yen a year")),
    Column("state", _("State"), field="state", sort="state", value=lambda row: state_name(row.state), export=state_name, is_default=False),
    Column("code", _("Code"), field="code", sort="code", kind="code", is_default=False),
    Column("kana", _("Reading"), field="kana", sort=_READING, is_default=False),
    Column("industry", _("Industry"), field="industry", sort="industry", is_default=False),
    Column("prefecture", _("Prefecture"), field="prefecture", sort="prefecture", is_default=False),
    Column("orders", _("Orders, 12 months"), field="orders_12m", sort="orders_12m", kind="number", is_default=False),
    Column("hours", _("Hours, 12 months"), field="touch_hours_12m", sort="touch_hours_12m", kind="number", is_default=False),
    Column("basis", _("Basis of the room"), field="potential_basis", sort="potential_basis", value=lambda row: basis_name(row.potential_basis), export=lambda basis: basis_name(basis), is_default=False),
)  # fmt: skip


def basis_name(basis: str) -> str:
    """把握済み / 推定 / わからない."""
    return {"told": gettext("told"), "estimated": gettext("estimated")}.get(basis, gettext("not known"))


SPEC: Final[ListSpec[Customer]] = ListSpec(
    "customers",
    title=_("Customers"),
    base=_customers,
    columns=_COLUMNS,
    filters=(
        SearchFilter("q", _("Name, reading, code or phone")),
        ChoiceFilter("quadrant", _("Quadrant"), lambda user: [(letter, f"{letter} {quadrant_name(letter)}") for letter in "ABCD"], field="quadrant", is_multiple=True, is_main=True),
        ChoiceFilter("rep", _("Rep"), _rep_choices, _owned_by, resolve=_reps, is_main=True),
        ChoiceFilter("division", _("Division"), lambda user: [(str(pk), name) for pk, name in Division.objects.order_by("code").values_list("pk", "name")], _of_division),
        ChoiceFilter("state", _("State"), [(code, label) for code, label in STATES.items()], field="state"),
        ChoiceFilter("industry", _("Industry"), lambda user: _facet(user, "industry"), field="industry", is_open=True),
        ChoiceFilter("prefecture", _("Prefecture"), lambda user: _facet(user, "prefecture"), field="prefecture", is_open=True),
        FlagFilter("missed", _("Not yet proposed only"), lambda rows: rows.filter(missed_families__gt=0)),
        NumberFilter("unseen", _("No contact for"), _unseen, unit=_("days or more")),
        ChoiceFilter("nps", "NPS", [("promoter", _("promoters")), ("passive", _("passives")), ("detractor", _("detractors")), ("unknown", _("not known"))], _nps_groups),
        NumberFilter("known", pgettext_lazy("coverage", "Known at most"), lambda rows, n: rows.filter(Q(coverage=None) | Q(coverage__lte=n)), unit=_("of 8")),
        FlagFilter("unknown", _("Room to grow not known"), lambda rows: rows.filter(potential_basis__in=["unknown", ""])),
        CHOSEN,
    ),
    orders=(
        Order("promoters", _("Promoters first within A and B"), (
            _PLACE, Case(When(quadrant__in=["A", "B"], nps__gte=PROMOTER, then=0), default=1, output_field=IntegerField()), "-potential",
        )),
        Order("reading", _("By reading"), _READING),
    ),
    default_sort="-potential",
    row_url=lambda row: reverse("customers:karte", args=[row.pk]),
)  # fmt: skip
