r"""How figures, days and states are shown. Loaded in every template; see `core/help.html` for the words.

| tag or filter | gives |
|---|---|
| `{{ x\|yen }}` | `¥1,200,000`, `▲¥500`, `わからない` for None; 千円 / 百万円 as the person chose |
| `{{ x\|about }}` | the same to three figures: estimates are not known to the yen |
| `{{ x\|short }}` | `¥38万` / `¥380k`, for sentences and cards |
| `{{ x\|number }}` | `1,234`, `–` for None |
| `{{ x\|percent }}` | `62%` from 0.62 |
| `{{ d\|day }}` | `2026/11/21(土)` / `2026/11/21 (Sat)`; a datetime is shown in the company's time zone |
| `{{ d\|moment }}` | the same with the time |
| `{% quadrant letter %}` | the coloured letter of A–D, a dashed `?` when unknown |
| `{% interval low middle high most %}` | an interval as a thin bar, an empty one when unknown |
| `{% bar value most class %}` | a plain bar (SVG: our pages allow no inline style) |
| `{% said ja en %}` | the text of the page's language |
"""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext

from nobishiro.web.core.yen_units import YEN_UNITS, yen_unit

register = template.Library()

Amount = float | int | Decimal | None
_JA_WEEKDAYS: Final = "月火水木金土日"
_EN_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_QUADRANTS: Final = "ABCD"


def is_japanese() -> bool:
    """Whether the page is being shown in Japanese."""
    return (get_language() or "ja").startswith("ja")


def _known(value: Amount) -> float | None:
    if value is None or value == "":
        return None
    number = float(value)
    return None if math.isnan(number) else number


@register.filter
def yen(value: Amount) -> str:
    """Yen as ¥1,200,000 or in the person's own unit; minus as ▲; None in words. Less than one such unit stays in yen."""
    number = _known(value)
    if number is None:
        return gettext("not known")
    sign, size, unit = "▲" if number < 0 else "", abs(number), yen_unit()
    if unit == "yen" or size < YEN_UNITS[unit]:
        return f"{sign}¥{size:,.0f}"
    shown = f"{size / YEN_UNITS[unit]:,.{0 if unit == 'thousand' else 1}f}"
    if is_japanese():
        return f"{sign}{shown}{'千円' if unit == 'thousand' else '百万円'}"
    return f"{sign}¥{shown}{'k' if unit == 'thousand' else 'M'}"


@register.filter
def about(value: Amount) -> str:
    """Yen to three figures."""
    number = _known(value)
    return yen(number if number is None else round_about(number))


def round_about(number: float) -> float:
    """To three figures: 1,234,567 → 1,230,000."""
    if number == 0:
        return 0.0
    step = 10.0 ** max(0, math.floor(math.log10(abs(number))) - 2)
    return round(number / step) * step


@register.filter
def short(value: Amount) -> str:
    """Yen for sentences: ¥38万, ¥1.2億; in English ¥380k, ¥1.2M."""
    number = _known(value)
    if number is None:
        return gettext("not known")
    sign, size = "▲" if number < 0 else "", abs(number)
    if is_japanese():
        if size >= 1e8:
            return f"{sign}¥{size / 1e8:,.1f}億"
        if size >= 1e4:
            return f"{sign}¥{size / 1e4:,.0f}万"
        return f"{sign}¥{size:,.0f}"
    if size >= 1e6:
        return f"{sign}¥{size / 1e6:,.1f}M"
    if size >= 1e3:
        return f"{sign}¥{size / 1e3:,.0f}k"
    return f"{sign}¥{size:,.0f}"


@register.filter
def number(value: Amount, digits: int = 0) -> str:
    """1,234; – for None."""
    known = _known(value)
    if known is None:
        return "–"
    return f"{'▲' if known < 0 else ''}{abs(known):,.{digits}f}"


@register.filter
def percent(value: Amount) -> str:
    """62% from 0.62; – for None."""
    known = _known(value)
    return "–" if known is None else f"{known * 100:,.0f}%"


@register.filter
def day(value: date | datetime | None) -> str:
    """2026/11/21(土); – for None."""
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    if is_japanese():
        return f"{value:%Y/%m/%d}({_JA_WEEKDAYS[value.weekday()]})"
    return f"{value:%Y/%m/%d} ({_EN_WEEKDAYS[value.weekday()]})"


@register.filter
def moment(value: datetime | None) -> str:
    """2026/11/21(土) 14:05 on the company's clock."""
    if value is None:
        return "–"
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(local.date())} {local:%H:%M}"


@register.simple_tag
def quadrant(letter: str | None) -> SafeString:
    """The coloured letter."""
    if not letter or letter not in _QUADRANTS:
        return format_html('<span class="chip qU" title="{}">?</span>', gettext("quadrant not known"))
    return format_html('<span class="chip q{}" title="{}">{}</span>', letter, quadrant_name(letter), letter)


def quadrant_name(letter: str) -> str:
    """重点拡大 and so on."""
    return {
        "A": pgettext("quadrant", "Grow first"),
        "B": pgettext("quadrant", "Open up"),
        "C": pgettext("quadrant", "Keep"),
        "D": pgettext("quadrant", "Little effort"),
    }.get(letter, gettext("quadrant not known"))


@register.filter(name="quadrant_name")
def quadrant_name_filter(letter: str) -> str:
    """The quadrant's name in the page's language."""
    return quadrant_name(letter)


@register.simple_tag
def interval(low: Amount, middle: Amount, high: Amount, most: Amount) -> SafeString:
    """An interval drawn from 0 to `most`, 100 units wide; a dashed empty one when we do not know."""
    ends = _known(low), _known(high)
    scale = _known(most) or 0.0
    if ends[0] is None or ends[1] is None or scale <= 0:
        return format_html(
            '<svg class="interval" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{}">'
            '<rect class="empty" x="1" y="3" width="98" height="6"/></svg>',
            gettext("not known"),
        )
    start, end = (min(100.0, max(0.0, end / scale * 100)) for end in ends)  # type: ignore[operator]
    centre = _known(middle)
    at = min(100.0, max(0.0, (centre if centre is not None else (ends[0] + ends[1]) / 2) / scale * 100))
    return format_html(
        '<svg class="interval" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{} – {}">'
        '<line class="rail" x1="0" x2="100" y1="6" y2="6"/><line class="span" x1="{}" x2="{}" y1="6" y2="6"/>'
        '<line class="middle" x1="{}" x2="{}" y1="1" y2="11"/></svg>',
        short(low),
        short(high),
        f"{start:.1f}",
        f"{max(end, start + 0.5):.1f}",
        f"{at:.1f}",
        f"{at:.1f}",
    )


@register.simple_tag
def bar(value: Amount, most: Amount, kind: str = "") -> SafeString:
    """A bar from 0 to `most`; nothing is drawn for None."""
    known, scale = _known(value) or 0.0, _known(most) or 0.0
    width = 0.0 if scale <= 0 else min(100.0, max(0.0, known / scale * 100))
    return format_html(
        '<svg class="bar {}" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" width="100" height="10"/><rect class="fill" width="{}" height="10"/></svg>',
        kind,
        f"{width:.1f}",
    )


@register.simple_tag
def said(ja: str, en: str) -> str:
    """Texts the engine made in both languages."""
    return ja if is_japanese() else en
