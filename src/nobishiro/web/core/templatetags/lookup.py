"""`{{ mapping|of:key }}`: what a mapping holds under a key, None when nothing."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def of(mapping: Mapping[object, object], key: object) -> object:
    """The value under `key`; None when there is none."""
    return mapping.get(key)
