"""`{{ code|family_state }}`: a state of the gap matrix in words."""

from __future__ import annotations

from django import template

from nobishiro.web.customers.words import FAMILY_STATES, word

register = template.Library()


@register.filter
def family_state(code: str) -> str:
    """未提案 and so on."""
    return word(FAMILY_STATES, code)
