"""What tables, encodings and delimiters are called."""

from __future__ import annotations

from typing import Final

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from nobishiro.web.imports.selectors import label_of

register = template.Library()

_ENCODINGS: Final = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 (BOM)",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp932": "CP932 (Shift_JIS)",
    "euc_jp": "EUC-JP",
    "iso2022_jp": "JIS (ISO-2022-JP)",
}
_DELIMITERS: Final[dict[str, str | Promise]] = {",": _("comma"), "\t": _("tab"), ";": _("semicolon")}


@register.filter
def table_name(table: str) -> str:
    """A canonical table in the page's language."""
    return label_of(table)


@register.filter
def encoding_name(encoding: str) -> str:
    """As people know it."""
    return _ENCODINGS.get(encoding, encoding)


@register.filter
def delimiter_name(delimiter: str) -> str:
    """In words where the character cannot be seen."""
    return str(_DELIMITERS.get(delimiter, delimiter))
