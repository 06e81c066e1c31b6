"""Text columns: names and notes, codes that keep their leading zeros, postal codes, phones, corporate numbers.

Each reading takes distinct texts (no nulls) and gives a text (null when nothing is left), a problem or None, and counts
of what was repaired.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

import jaconv
import polars as pl

from nobishiro.engine.intake.addresses import PREFECTURES
from nobishiro.engine.intake.corporate_numbers import check_digit, is_corporate_number

MULTILINE: Final = frozenset(("note", "answer", "wording", "value", "reason", "evidence"))
"""Columns whose inner line breaks are part of the text."""

_EXCEL_ERRORS: Final = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")
_UNCLEAN: Final = r"[^\x21-\x7e\u3041-\u3096\u30a1-\u30f6\u30fc\u4e00-\u9fa0]"
FORMULA_START: Final = r"^'*[=+\-@\t\r\x00]"
"""Text that a spreadsheet would take for a formula, whatever apostrophes already stand before it."""
PROTECTED: Final = f"^'({FORMULA_START.removeprefix('^')})"
"""A quote that keeps Excel from taking a text for a formula: our exports write it, and others' do."""
_HYPHENS: Final = re.compile(r"[-‐‑‒–—―−ー－\s]")

TextReading = tuple[str | None, str | None, str | None]
"""Value, problem, note."""


def protect(text: pl.Expr) -> pl.Expr:
    """The text as a CSV may hold it: an apostrophe before what a spreadsheet would run as a formula."""
    return pl.when(text.str.contains(FORMULA_START)).then(pl.lit("'") + text).otherwise(text)


def clean_texts(texts: pl.Series, multiline: bool) -> pl.Series:
    """NFKC, outer blanks and a protecting quote off, inner blanks one space; line breaks kept where `multiline`."""
    texts = texts.str.replace(PROTECTED, "$1")
    needing = texts.str.contains(_UNCLEAN).arg_true()
    if not needing.len():
        return texts.set(texts.is_in(list(_EXCEL_ERRORS)), None)
    some = texts.gather(needing).str.normalize("NFKC").str.replace_all("\u0000", "")
    if multiline:
        some = some.str.replace_all(r"\r\n?", "\n").str.strip_chars()
    else:
        some = some.str.replace_all(r"[\s\u200b\ufeff]+", " ").str.strip_chars(" ")
    result = texts.scatter(needing, some)
    return result.set((result == "") | result.is_in(list(_EXCEL_ERRORS)), None)


def clean_codes(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Codes as the source means them: leading zeros kept, Excel's `123.0`, `="00123"` and `'00123` undone.

    A code in exponent notation (4.90E+12) is a problem: Excel has thrown its digits away.
    """
    result = clean_texts(texts, multiline=False)
    result = result.str.replace(r'^="(.*)"$', "$1").str.replace(r"^'", "").str.replace(r"^(\d+)\.0+$", "$1")
    result = result.set(result == "", None)
    damaged = result.str.contains(r"^\d(\.\d+)?[eE]\+\d+$").fill_null(False)
    # 1E+05 can be a code of its own; only the shape Excel writes for long numbers is refused.
    problem = pl.Series([None], dtype=pl.String).new_from_index(0, texts.len())
    if damaged.any():
        said = "is a number Excel has shortened, its digits are lost; format the column as text and export again"
        problem = problem.set(damaged, said)
    return result, problem


def read_each(texts: pl.Series, read: Callable[[str], TextReading]) -> tuple[pl.Series, pl.Series, tuple[str, ...]]:
    """Apply a reading value by value; notes come back once each, with how many different values they are about."""
    read_texts = [read(unicodedata.normalize("NFKC", text).strip().removeprefix("'")) for text in texts.to_list()]
    counts: dict[str, int] = {}
    for _, _, note in read_texts:
        if note is not None:
            counts[note] = counts.get(note, 0) + 1
    return (
        pl.Series([entry[0] for entry in read_texts], dtype=pl.String),
        pl.Series([entry[1] for entry in read_texts], dtype=pl.String),
        tuple(f"{note} ({count} different value{'s' if count > 1 else ''})" for note, count in counts.items()),
    )


def read_postal_code(text: str) -> TextReading:
    """Seven digits; what is no Japanese postal code stays as written, with a note."""
    digits = _HYPHENS.sub("", _undo_float(text).replace("〒", ""))
    if not digits:
        return None, None, None
    if digits.isascii() and digits.isdigit():
        if len(digits) == 7:
            return digits, None, None
        if len(digits) in (5, 6) and "-" not in text:
            return digits.zfill(7), None, "leading zeros of a postal code restored"
    return text, None, "no Japanese postal code, kept as written"


def read_phone(text: str) -> TextReading:
    """Digits with the leading zero; +81 is taken home; extensions and foreign numbers stay as written."""
    plain = _HYPHENS.sub("", re.sub(r"[().]", "", _undo_float(text)))
    plain = re.sub(r"^(?:tel|電話):?", "", plain, flags=re.IGNORECASE)
    if not plain:
        return None, None, None
    if plain.startswith("+81"):
        plain = "0" + plain[3:].removeprefix("0")
    if plain.startswith("+") and plain[1:].isdigit():
        return plain, None, None
    if not (plain.isascii() and plain.isdigit()):
        return text, None, "no plain phone number, kept as written"
    if not plain.startswith("0") and len(plain) in (9, 10):
        return "0" + plain, None, "leading zero of a phone number restored"
    return plain, None, None


def read_corporate_number(text: str) -> TextReading:
    """Thirteen digits with a right check digit; an invoice number's T and hyphens come off."""
    plain = _HYPHENS.sub("", _undo_float(text)).upper().removeprefix("T")
    if not plain:
        return None, None, None
    if plain.isascii() and plain.isdigit():
        if is_corporate_number(plain):
            return plain, None, None
        if len(plain) == 12:
            return (
                f"{check_digit(plain)}{plain}",
                None,
                "a 会社法人等番号 of twelve digits completed with its check digit",
            )
        if len(plain) == 13:
            return (
                None,
                "is no corporate number: its check digit is wrong; correct the number or leave the cell empty",
                None,
            )
    return None, "is no corporate number; write thirteen digits or leave the cell empty", None


def read_mail_domain(text: str) -> TextReading:
    """The domain of a mail address or of a web address, in lower case."""
    plain = re.sub(r"^(?:mailto:|https?://)", "", text.lower()).rpartition("@")[2]
    plain = re.split(r"[/?#:>\s]", plain, maxsplit=1)[0].removeprefix("www.").strip(".")
    if not plain:
        return None, None, None
    if "." not in plain:
        return None, None, "no mail or web domain, left empty"
    return plain, None, None


def read_prefecture(text: str) -> TextReading:
    """東京 becomes 東京都; what is no prefecture (another country's state) stays as written."""
    return (
        next((name for name in PREFECTURES if name in (text, f"{text}都", f"{text}府", f"{text}県")), text) or None,
        None,
        None,
    )


def read_kana(text: str) -> TextReading:
    """A reading in full-width katakana."""
    kana: str = jaconv.hira2kata(re.sub(r"\s+", " ", text))
    return kana or None, None, None


SPECIAL: Final[dict[str, Callable[[str], TextReading]]] = {
    "postal_code": read_postal_code,
    "phone": read_phone,
    "corporate_number": read_corporate_number,
    "mail_domain": read_mail_domain,
    "name_kana": read_kana,
    "prefecture": read_prefecture,
}
"""Columns with a reading of their own, by name."""


def _undo_float(text: str) -> str:
    return re.sub(r"^(\d+)\.0+$", r"\1", re.sub(r'^="(.*)"$', r"\1", text))
