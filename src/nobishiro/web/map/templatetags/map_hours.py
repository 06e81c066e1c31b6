"""`{% hours_bar spent planned most letter %}`: hours spent as a bar, hours planned as a frame round it."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def hours_bar(spent: float, planned: float | None, most: float, letter: str) -> SafeString:
    """The bar and its frame on a scale shared by the column; without a plan there is no frame."""
    scale = 100 / most if most > 0 else 0.0
    frame = ""
    if planned is not None:
        frame = format_html(
            '<rect class="wish" x="0.5" y="1" width="{}" height="14"/>', f"{max(planned * scale - 1, 0):.1f}"
        )
    return format_html(
        '<svg class="hoursbar" viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar{}" x="0" y="4" width="{}" height="8"/>{}</svg>',
        letter or "U",
        f"{spent * scale:.1f}",
        frame,
    )
