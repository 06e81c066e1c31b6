"""Where a customer stands on the map now: the run's figures with what people said since laid over them.

The same rule as the engine's map: an override counts before tags, tags before what was computed.
"""

from __future__ import annotations

from typing import Final

from nobishiro.pipelines.map_lines import lines_in_force
from nobishiro.pipelines.published import PublishedRun
from nobishiro.web.core.company import published
from nobishiro.web.customers.models import QUADRANTS, Customer, Override, Tag

_HIGH: Final = frozenset({"large", "high", "often", "大", "高", "多", "◎"})
_LOW: Final = frozenset({"small", "low", "seldom", "小", "低", "少", "△"})
_LETTERS: Final = {(True, True): "A", (True, False): "B", (False, True): "C", (False, False): "D"}
_COLUMNS: Final = (
    "quadrant", "quadrant_computed", "decided_by", "potential", "potential_low", "potential_high", "potential_basis",
    "track_record",
)  # fmt: skip


def restand(customer: Customer) -> None:
    """Set the customer's quadrant, potential and track record to what counts now, and save them."""
    said = _latest_overrides(customer)
    run = published()
    if run is not None:
        _figures(customer, run, said)
    tags = {
        tag.tag: tag.value
        for tag in Tag.objects.filter(customer=customer, tag__in=("what", "pace"), withdrawn_at=None).order_by(
            "set_at", "pk"
        )
    }
    room, record = _sides(customer, run)
    told_room, told_record = _side(tags.get("what", "")), _side(tags.get("pace", ""))
    room, record = room if told_room is None else told_room, record if told_record is None else told_record
    override = said.get("quadrant", "")
    if override in dict(QUADRANTS):
        customer.quadrant, customer.decided_by = override, "override"
    elif room is None or record is None:
        customer.quadrant, customer.decided_by = "", "unknown"
    else:
        has_tags = told_room is not None or told_record is not None
        customer.quadrant, customer.decided_by = _LETTERS[room, record], "tags" if has_tags else "computed"
    customer.save(update_fields=_COLUMNS)


def _latest_overrides(customer: Customer) -> dict[str, str]:
    rows = Override.objects.filter(customer=customer, withdrawn_at=None).order_by("set_at", "pk")
    return {override.measure: override.value for override in rows}


def _figures(customer: Customer, run: PublishedRun, said: dict[str, str]) -> None:
    """Potential and track record: what a person set, else what the run computed without any override."""
    room = run.rows("customer_potential", [customer.code], ["potential", "low", "high", "basis"]).rows(named=True)
    sold = run.rows("customer_features", [customer.code], ["amount_12m"]).rows(named=True)
    if (set_room := _yen(said.get("potential", ""))) is not None:
        customer.potential, customer.potential_low, customer.potential_high = set_room, None, None
        customer.potential_basis = "told"
    elif room:
        customer.potential, customer.potential_basis = room[0]["potential"], room[0]["basis"] or "unknown"
        customer.potential_low, customer.potential_high = room[0]["low"], room[0]["high"]
    if (set_record := _yen(said.get("track_record", ""))) is not None:
        customer.track_record = set_record
    elif sold:
        customer.track_record = sold[0]["amount_12m"] or 0.0
    lines = lines_in_force(run)
    if customer.potential is None:
        customer.quadrant_computed = ""
    elif customer.track_record is not None:
        customer.quadrant_computed = _LETTERS[
            customer.potential >= lines.potential, customer.track_record >= lines.track_record
        ]


def _sides(customer: Customer, run: PublishedRun | None) -> tuple[bool | None, bool | None]:
    for sides, letter in _LETTERS.items():
        if letter == customer.quadrant_computed:
            return sides
    if run is None or customer.track_record is None:
        return None, None
    return None, customer.track_record >= lines_in_force(run).track_record


def _side(value: str) -> bool | None:
    return True if value in _HIGH else False if value in _LOW else None


def _yen(value: str) -> float | None:
    try:
        return float(value.replace(",", ""))
    except ValueError:
        return None
