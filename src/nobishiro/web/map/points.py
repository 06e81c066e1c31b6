"""The map's points as columns: what the drawing needs of each customer, once and short."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Final

import msgspec
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse

from nobishiro.web.customers.models import Customer
from nobishiro.web.map.lines import Lines

MOST_POINTS: Final = 10_000
"""Points drawn at most, those with the most room first. The page says how many are left out; counts are of all."""
_FIELDS: Final = (
    "pk", "code", "name", "quadrant", "decided_by", "potential", "potential_low", "potential_high", "potential_basis",
    "track_record", "touch_hours_12m", "missed_families", "main_rep__name", "recency_days",
)  # fmt: skip
_BASES: Final = {"told": "t", "estimated": "e"}


def points(rows: QuerySet[Customer], lines: Lines | None, total: int) -> dict[str, object]:
    """Columns of the first `MOST_POINTS` customers. One query."""
    ordered = rows.order_by(F("potential").desc(nulls_last=True), "pk").values_list(*_FIELDS)[:MOST_POINTS]
    columns = list(zip(*ordered, strict=True)) or [()] * len(_FIELDS)
    pk, code, name, quadrant, decided_by, potential, low, high, basis, track, hours, missed, rep, recency = columns
    return {
        "total": total,
        "hasTouch": any(value is not None for value in hours),
        "thresholds": {
            "potential": lines.potential if lines else 0.0,
            "track": lines.track_record if lines else 0.0,
        },
        "customers": {
            "id": pk,
            "code": code,
            "name": name,
            "quadrant": "".join(letter or "?" for letter in quadrant),
            "decidedBy": _coded(decided_by),
            "potential": _whole(potential),
            "low": _whole(low),
            "high": _whole(high),
            "basis": "".join(_BASES.get(word, "u") for word in basis),
            "track": [round(value or 0.0) for value in track],
            "hours": [None if value is None else round(value, 1) for value in hours],
            "missed": missed,
            "rep": _coded([value or "" for value in rep]),
            "recency": recency,
        },
    }


def answer(request: HttpRequest, content: dict[str, object]) -> HttpResponse:
    """JSON, packed where the browser takes it packed: thousands of names shrink to a quarter."""
    body = msgspec.json.encode(content)
    response = HttpResponse(content_type="application/json")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, compresslevel=3, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    response.content = body
    return response


def _coded(values: Sequence[str]) -> dict[str, object]:
    """Each text once, and its number for every row; -1 for an empty one."""
    of = sorted({value for value in values if value})
    number = {value: at for at, value in enumerate(of)}
    return {"of": of, "at": [number.get(value, -1) for value in values]}


def _whole(values: Sequence[float | None]) -> list[int | None]:
    return [None if value is None else round(value) for value in values]
