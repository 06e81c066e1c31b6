"""Empty files to fill in: the headers people know, a word on each, and questionnaires to print or hand out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xlsxwriter

from nobishiro.contracts.errors import UnknownName
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.choices import choice_label
from nobishiro.engine.intake.whole_file import whole_file
from nobishiro.pipelines.questionnaires import QUESTIONNAIRES

_COLUMNS: Final = {
    "customers": (
        "customer_id", "name", "name_kana", "kind", "state", "industry", "employees", "postal_code", "prefecture",
        "address", "phone", "corporate_number",
    ),
    "products": ("product_id", "name", "family", "grade", "price", "cost", "margin_rate"),
    "order_lines": ("order_id", "ordered_at", "customer_id", "product_id", "quantity", "amount", "rep_id"),
    "touches": ("customer_id", "kind", "happened_at", "minutes", "subject", "note", "rep_id"),
    "tags": ("customer_id", "tag", "value", "reason"),
    "facts": ("customer_id", "fact", "subject", "value", "amount", "learned_on", "source"),
    "survey_answers": ("customer_id", "survey", "question", "answer", "score", "answered_at"),
}  # fmt: skip
_BESIDE: Final = {"order_lines": ("顧客名", "商品名", "商品群")}
"""Names of what a code stands for: they save a newcomer two further files."""
_WHO: Final = ("顧客コード", "顧客名", "回答日")


@dataclass(frozen=True, slots=True)
class Template:
    """One file to fill in."""

    name: str
    ja: str
    en: str
    table: str


TEMPLATES: Final = (
    *(Template(name, TABLES[name].ja, TABLES[name].en, name) for name in _COLUMNS),
    *(Template(form.name, form.ja, form.en, "survey_answers") for form in QUESTIONNAIRES),
)


def write_template(name: str, out: Path) -> None:
    """An empty file with the template's Japanese headers; .xlsx (with a note on each header) or .csv.

    Raises `UnknownName`.
    """
    headers = _headers(name)
    if out.suffix == ".csv":
        with whole_file(out) as part:
            part.write_text(",".join(header for header, _ in headers) + "\r\n", "utf-8-sig", newline="")
        return
    if out.suffix != ".xlsx":
        raise UnknownName(f"{out.name}: templates are written as .xlsx or .csv")
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(next(t.ja for t in TEMPLATES if t.name == name)[:31])
    bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
    for at, (header, note) in enumerate(headers):
        # Codes and phone numbers stay text, so that leading zeros stay.
        sheet.set_column(at, at, max(12, 2 * len(header)), text if "コード" in header or "番号" in header else None)
        sheet.write_string(0, at, header, bold)
        if note:
            sheet.write_comment(0, at, note)
    sheet.freeze_panes(1, 0)
    book.close()
    with whole_file(out) as part:
        part.write_bytes(content.getvalue())


def _headers(name: str) -> list[tuple[str, str]]:
    form = next((form for form in QUESTIONNAIRES if form.name == name), None)
    if form is not None:
        return [(header, "") for header in (*_WHO, *form.questions)]
    if name not in _COLUMNS:
        raise UnknownName(f"there is no template {name!r}; there are {', '.join(t.name for t in TEMPLATES)}")
    table = TABLES[name]
    found: list[tuple[str, str]] = []
    for column_name in _COLUMNS[name]:
        column = table.column(column_name)
        notes = ["必須"] if column.required else []
        if column.choices:
            notes.append(" / ".join(choice_label(choice) for choice in column.choices))
        found.append((column.ja, "。".join(notes)))
    return [*found, *((header, "") for header in _BESIDE.get(name, ()))]
