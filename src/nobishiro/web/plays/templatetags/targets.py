"""`{% scope_name target names %}`: whose target it is, in words."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.utils.translation import gettext

from nobishiro.web.plays.models import TargetStanding

register = template.Library()


@register.simple_tag
def scope_name(target: TargetStanding, names: Mapping[str, str]) -> str:
    """The company, or the division's or rep's name."""
    if target.scope == "company":
        return gettext("the company")
    return names.get(f"{target.scope}:{target.scope_id}", target.scope_id)
