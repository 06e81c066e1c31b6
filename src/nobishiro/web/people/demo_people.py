"""The people one may step in as in the demo, and the other companies one may look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import Division, Rep, User

ROLES: Final = (Role.MANAGER, Role.REP, Role.ADMINISTRATOR)
"""Whom a visitor may step in as."""
_MAIL_DOMAIN: Final = "demo.invalid"


@dataclass(frozen=True, slots=True)
class OtherWorld:
    """Another company of the same demo."""

    name_ja: str
    name_en: str
    url: str
    state: str
    """ready, or being made."""


def demo_email(role: Role) -> str:
    """The address of a role's person: of a domain that cannot exist."""
    return f"{role.value}@{_MAIL_DOMAIN}"


def demo_person(role: Role) -> User:
    """The person of a role, made when first asked for; without a password, so that nobody signs in as them elsewhere.

    The rep is the one of the window division who comes first by code and is still there, unless the demo chose another.
    """
    known = User.objects.filter(email=demo_email(role)).first()
    if known is not None:
        return known
    reps = Rep.objects.filter(valid_to=None, user=None)
    rep = reps.filter(division__is_window=True).first() or reps.first()
    name = {Role.MANAGER: "山田 誠", Role.ADMINISTRATOR: "管理 あおい"}.get(role, "")
    person = User.objects.create_user(demo_email(role), name or (rep.name if rep else "営業 太郎"), role)
    if role is Role.REP and rep is not None:
        person.rep, person.division = rep, rep.division
    else:
        person.division = Division.objects.filter(is_window=True).first()
    person.save(update_fields=["rep", "division"])
    return person


def other_worlds(workspace: Path) -> list[OtherWorld]:
    """What `worlds.json` beside the workspace lists; [] when there is none or it cannot be read."""
    try:
        said = json.loads((workspace.parent / "worlds.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [
        OtherWorld(str(one["name_ja"]), str(one["name_en"]), str(one["url"]), str(one.get("state", "ready")))
        for one in said
        if isinstance(one, dict)
        and {"name_ja", "name_en", "url"} <= one.keys()
        and _is_local(str(one["url"]))
        and one.get("name") != workspace.name
    ]


def _is_local(url: str) -> bool:
    """Only ways to this machine are shown; a file cannot lead visitors elsewhere."""
    return url.startswith(("http://127.0.0.1:", "http://localhost:", "/"))
