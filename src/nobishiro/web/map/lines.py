"""The lines across the map: where they are, why, and how a manager moves them for the whole company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.pipelines.map_lines import keep_lines, lines_in_force
from nobishiro.pipelines.published import PublishedRun
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import published, workspace_path
from nobishiro.web.core.templatetags.nobishiro import is_japanese
from nobishiro.web.customers.models import Customer, Tag
from nobishiro.web.map.models import MapThreshold
from nobishiro.web.people.models import User

_LARGE = ("large", "high", "often", "大", "高", "多", "◎")
_SMALL = ("small", "low", "seldom", "小", "低", "少", "△")


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the map is cut and why, in words."""

    potential: float
    track_record: float
    why: str
    set_by: str = ""
    """Who drew them; empty when the curve did."""
    set_at: datetime | None = None


def lines_now(history: Sequence[MapThreshold] | None = None) -> Lines | None:
    """The lines in force; None before the first run. `history` (newest first) saves a query where the caller has it."""
    run = published()
    if run is None:
        return None
    cuts = lines_in_force(run)
    drawn = MapThreshold.objects.first() if history is None else next(iter(history), None)
    if drawn is not None and (drawn.potential is not None or drawn.track_record is not None):
        return Lines(cuts.potential, cuts.track_record, drawn.reason, drawn.set_by_name, drawn.set_at)
    return Lines(cuts.potential, cuts.track_record, cuts.why_ja if is_japanese() else cuts.why_en)


@transaction.atomic
def draw_lines(*, by: User, potential: float | None, track_record: float | None, reason: str) -> MapThreshold:
    """Cut the map anew for everybody, at once and in every run to come; both None gives the lines back to the curve.

    Overrides and tags stay: whoever a person placed stays where they were placed. Raises `BadInput` without a reason, for a
    line below 0, or before the first run.
    """
    reason = reason.strip()
    if not reason:
        raise BadInput(gettext("Write why the lines are here: everybody who reads the map will ask."))
    run = published()
    if run is None:
        raise BadInput(gettext("There is no map yet. Import your orders first."))
    for line in (potential, track_record):
        if line is not None and not 0 <= line < 1e15:
            raise BadInput(gettext("A line is a number of yen from 0 up."))
    before = lines_in_force(run)
    drawn = MapThreshold.objects.create(
        potential=potential, track_record=track_record, reason=reason[:500], before_potential=before.potential,
        before_track_record=before.track_record, set_by=by, set_by_name=by.name, set_at=timezone.now(),
    )  # fmt: skip
    if potential is not None and track_record is not None:
        drawn.moved = place_all(potential, track_record)
        drawn.save(update_fields=["moved"])
    record(
        by, "map.lines", "map",
        {"before": [before.potential, before.track_record], "after": [potential, track_record], "moved": drawn.moved},
    )  # fmt: skip
    # last, so that a file that cannot be written leaves everything as it was
    keep_lines(workspace_path(), potential, track_record)
    return drawn


def place_by_lines(run: PublishedRun, *, at: datetime) -> None:
    """Place everybody by the lines in force where the run was cut by others."""
    cut, drawn = run.thresholds(), lines_in_force(run)
    if (cut.potential, cut.track_record) != (drawn.potential, drawn.track_record):
        place_all(drawn.potential, drawn.track_record)


def place_all(potential: float, track_record: float) -> int:
    """Give every customer the quadrant these lines give; how many moved. The engine's rule: overrides, tags, computed."""
    customers = Customer.objects.all()
    customers.filter(potential=None).exclude(quadrant_computed="").update(quadrant_computed="")
    customers.exclude(potential=None).update(
        quadrant_computed=_letter(Q(potential__gte=potential), Q(track_record__gte=track_record))
    )
    moved = 0
    computed = customers.filter(decided_by="computed").exclude(quadrant=F("quadrant_computed"))
    moved += computed.update(quadrant=F("quadrant_computed"))
    tagged = customers.filter(decided_by="tags").annotate(
        room=Coalesce(_side("what"), _figure("potential", potential)),
        record=Coalesce(_side("pace"), _figure("track_record", track_record)),
    )
    for letter, room, strong in (("A", "1", "1"), ("B", "1", "0"), ("C", "0", "1"), ("D", "0", "0")):
        moved += tagged.filter(room=room, record=strong).exclude(quadrant=letter).update(quadrant=letter)
    return moved


def _letter(room: Q, strong: Q) -> Case:
    return Case(
        When(room & strong, then=Value("A")),
        When(room, then=Value("B")),
        When(strong, then=Value("C")),
        default=Value("D"),
        output_field=CharField(),
    )


def _figure(field: str, line: float) -> Case:
    return Case(
        When(**{f"{field}__gte": line, "then": Value("1")}),
        When(**{f"{field}__lt": line, "then": Value("0")}),
        default=Value("0") if field == "track_record" else Value(None),
        output_field=CharField(),
    )


def _side(tag: str) -> Subquery:
    newest: QuerySet = Tag.objects.filter(customer=OuterRef("pk"), tag=tag, withdrawn_at=None).order_by(
        "-set_at", "-pk"
    )
    side = Case(
        When(value__in=_LARGE, then=Value("1")), When(value__in=_SMALL, then=Value("0")), output_field=CharField()
    )
    return Subquery(newest.annotate(side=side).values("side")[:1])
