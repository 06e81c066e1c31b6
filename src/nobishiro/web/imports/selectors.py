"""What the pages of the import wizard show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from nobishiro.contracts.tables import TABLES
from nobishiro.pipelines.customer_matches import SHOWN, read_customers
from nobishiro.pipelines.import_history import HistoryStep, has_costs, list_history, row_counts
from nobishiro.pipelines.import_mapping import ALL_PRODUCTS, SURE, NamedMapping, ShownMapping, named_mappings
from nobishiro.pipelines.import_wizard import Check, PersonsCorrection, Reason, draft_customers
from nobishiro.pipelines.upload_reading import Reading
from nobishiro.pipelines.wording import word
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.templatetags.nobishiro import is_japanese
from nobishiro.web.customers.models import Correction
from nobishiro.web.imports.models import ImportDraft, MatchPair, Signature

_SKIPPED: Final[dict[str, str | Promise]] = {
    "title": _("title or remark"),
    "subtotal": _("subtotal"),
    "blank": _("empty row"),
    "repeated_header": _("header again"),
    "unsplit": _("could not be split into columns"),
}
_RULES: Final[dict[str, str | Promise]] = {
    "xref": _("named in a table of codes"),
    "corporate_number": _("same corporate number"),
    "name_address": _("same name and address"),
    "name_phone": _("same name and phone"),
    "name_domain": _("same name and mail domain"),
    "name": _("same name"),
    "same_number": _("same corporate number"),
    "phone": _("same phone"),
    "near_name": _("nearly the same name"),
    "near_name_address": _("nearly the same name, same address"),
    "near_name_domain": _("nearly the same name, same mail domain"),
}
ENCODINGS: Final = (
    ("utf-8", "UTF-8"),
    ("utf-8-sig", "UTF-8 (BOM)"),
    ("utf-16", "UTF-16"),
    ("cp932", "CP932 (Shift_JIS)"),
    ("euc_jp", "EUC-JP"),
)
DELIMITERS: Final = (("comma", ","), ("tab", "\t"), ("semicolon", ";"), ("pipe", "|"))


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One line of the history."""

    step: HistoryStep
    by_name: str
    """Who made it; empty for what came by the command line or a job."""
    has_rejected: bool
    draft_id: int | None


@dataclass(frozen=True, slots=True)
class Side:
    """One field of two customers side by side."""

    label: str
    one: str
    other: str

    @property
    def is_equal(self) -> bool:
        """Whether both say the same."""
        return bool(self.one) and self.one == self.other


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A pair to judge, with both customers."""

    pair: MatchPair
    why: str
    agrees: str
    differs: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class ShownReason:
    """Rejected rows of one kind."""

    text: str
    count: int
    lines: str
    example: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One of the first rows."""

    line: int
    cells: tuple[str, ...]
    why: str


def say(text: str) -> str:
    """What the engine said in English, in the page's language."""
    return word(text, "ja" if is_japanese() else "en")


def label_of(table: str, column: str = "") -> str:
    """What a canonical table or column is called in the page's language."""
    declared = TABLES[table]
    if not column:
        return declared.ja if is_japanese() else declared.en
    found = declared.column(column)
    return found.ja if is_japanese() else found.en


def check_of(draft: ImportDraft) -> Check | None:
    """The draft's dry run; None before it was made."""
    return msgspec.json.decode(draft.check_result, type=Check) if draft.check_result else None


def shown_rows(reading: Reading, *, before: bool = False) -> list[ShownRow]:
    """The first rows, with what is skipped among them and why."""
    rows = reading.before if before else reading.head
    return [ShownRow(row.line, row.cells, str(_SKIPPED[row.why]) if row.why else "") for row in rows]


def shown_skipped(reading: Reading) -> list[tuple[str, int]]:
    """Why rows were skipped, and how many."""
    return [(str(_SKIPPED[why]), count) for why, count in reading.skipped]


def shown_reasons(reasons: Sequence[Reason]) -> list[ShownReason]:
    """Why rows are rejected, with lines to look at."""
    return [
        ShownReason(
            say(reason.text),
            reason.count,
            ", ".join(f"{line:,}" for line in reason.lines) + (" …" if reason.count > len(reason.lines) else ""),
            reason.examples[0] if reason.examples else "",
        )
        for reason in reasons
    ]


def doubts(draft: ImportDraft, mapping: ShownMapping | None, check: Check | None) -> list[str]:
    """What a person should look at before importing; nothing means that おまかせ is safe."""
    found: list[str] = []
    if mapping is not None and mapping.missing:
        names = ", ".join(column.ja if is_japanese() else column.en for column in mapping.missing)
        found.append(gettext("No column stands for %(names)s.") % {"names": names})
    elif mapping is not None and mapping.confidence < SURE:
        unsure = [c for c in mapping.columns if c.is_required and c.confidence is not None and c.confidence < SURE]
        for column in unsure[:5]:
            table, _dot, name = column.use.partition(".")
            said = gettext("“%(header)s” was taken for %(column)s, but it is not certain.")
            found.append(said % {"header": column.header, "column": label_of(table, name)})
    if check is not None and check.rejected > 0.1 * max(check.rows_read, 1):
        share = f"{check.rejected / max(check.rows_read, 1):.0%}"
        found.append(gettext("%(share)s of the rows cannot be imported as they are.") % {"share": share})
    if check is not None and check.changes_nothing and not check.rejected:
        found.append(gettext("Everything in this file is there already."))
    return found


def assumptions(mapping: ShownMapping) -> list[str]:
    """What the file does not say, and what is assumed until somebody says it: nothing of it stops an import."""
    path = workspace_path()
    rows = row_counts(path)
    uses = {c.use for c in mapping.columns} | {use for c in mapping.columns for use in c.also}
    found: list[str] = []
    if mapping.table == "order_lines" and not mapping.is_exact:
        if not {"products.cost", "products.margin_rate"} & uses and not has_costs(path):
            found.append(
                gettext("No cost: figures are of sales until a cost or a margin rate is given under Products.")
            )
        if "touches" not in rows:
            found.append(
                gettext(
                    "No contacts yet: the map is drawn all the same, from orders alone. A calendar file adds them later."
                )
            )
        if not {"products.family", "products.category"} & uses and "products" not in rows:
            found.append(
                gettext(
                    "No product family: similar products are put together by themselves; you can name families later."
                )
            )
        if dict(mapping.constants).get("product_id") == ALL_PRODUCTS:
            found.append(
                gettext(
                    "No product: all sales count as one product. What was not proposed yet is seen once a file names products."
                )
            )
        if "order_lines.quantity" not in uses:
            found.append(gettext("No quantity: amounts alone are looked at."))
        if "order_lines.order_id" not in uses:
            found.append(gettext("No order number: what a customer bought on one day (or month) is one order."))
        if not mapping.tax:
            found.append(
                gettext("Amounts are taken as they are, without tax. Say so under Columns if they include tax.")
            )
        if "customers.name" not in uses and "customers" not in rows:
            found.append(gettext("No customer names: codes are shown until a customer file is imported."))
    if mapping.table == "touches" and "touches.minutes" not in uses:
        found.append(gettext("No minutes: usual minutes by kind of contact are assumed."))
    if mapping.table == "customers" and "customers.corporate_number" not in uses and not mapping.is_exact:
        found.append(gettext("No corporate number: the same customer twice is found by name, address and phone."))
    return found


def persons_corrections() -> list[PersonsCorrection]:
    """Corrections people made on pages."""
    rows = Correction.objects.values_list("table_name", "row_key", "column_name", "value", "imported_value")
    return [PersonsCorrection(*row) for row in rows]


def mappings() -> tuple[NamedMapping, ...]:
    """Saved mappings and presets."""
    return named_mappings(workspace_path())


def open_drafts() -> list[ImportDraft]:
    """Drafts that wait for somebody."""
    return list(ImportDraft.objects.exclude(state=ImportDraft.State.DONE).select_related("job")[:50])


def next_draft(after: ImportDraft) -> ImportDraft | None:
    """The next file of those that came in a row."""
    return ImportDraft.objects.exclude(state=ImportDraft.State.DONE).filter(pk__gt=after.pk).order_by("pk").first()


def history() -> list[HistoryStep]:
    """Every import, edit and undo, the newest first."""
    return list_history(workspace_path())


def shown_steps(steps: Sequence[HistoryStep]) -> list[ShownStep]:
    """Steps with who made them and whether rejected rows are still kept."""
    ids = [step.import_id for step in steps]
    names = dict(Signature.objects.filter(import_id__in=ids).values_list("import_id", "by_name"))
    drafts = {draft.import_id: draft for draft in ImportDraft.objects.filter(import_id__in=ids)}
    return [
        ShownStep(
            step,
            names.get(step.import_id, ""),
            has_rejected(drafts[step.import_id]) if step.import_id in drafts else False,
            drafts[step.import_id].pk if step.import_id in drafts else None,
        )
        for step in steps
    ]


def has_rejected(draft: ImportDraft) -> bool:
    """Whether rows were rejected and are still kept."""
    check = check_of(draft)
    return check is not None and check.rejected > 0 and (draft.place / "rejected.parquet").is_file()


def shown_pairs(pairs: Sequence[MatchPair], draft: ImportDraft | None) -> list[ShownPair]:
    """Pairs with both customers side by side."""
    codes = sorted({code for pair in pairs for code in (pair.code, pair.other_code)})
    found = draft_customers(workspace_path(), draft.place, codes) if draft else read_customers(workspace_path(), codes)
    customers = {row["customer_id"]: row for row in found.iter_rows(named=True)}
    nothing: dict[str, object] = {}
    shown = []
    for pair in pairs:
        one, other = customers.get(pair.code, nothing), customers.get(pair.other_code, nothing)
        sides = [
            Side(label_of("customers", name), str(one.get(name) or ""), str(other.get(name) or ""))
            for name in SHOWN
            if one.get(name) or other.get(name)
        ]
        ja = is_japanese()
        shown.append(
            ShownPair(
                pair,
                str(_RULES.get(pair.rule, pair.rule)),
                pair.agrees_ja if ja else pair.agrees_en,
                pair.differs_ja if ja else pair.differs_en,
                tuple(sides),
            )
        )
    return shown


def step_links(draft: ImportDraft, here: str) -> list[tuple[str, str, bool, bool]]:
    """(label, address or nothing, is here, is done) of the wizard's steps."""
    state = draft.state
    is_read = state not in (ImportDraft.State.READING, ImportDraft.State.FAILED)
    is_checked = state == ImportDraft.State.CHECKED
    is_done = state == ImportDraft.State.DONE
    steps = (
        ("file", pgettext("import", "File"), "", True),
        ("preview", gettext("Look"), "imports:draft", is_read and not is_done),
        ("columns", pgettext("import", "Columns"), "imports:columns", is_read and not is_done and bool(draft.mapping)),
        ("check", gettext("Try"), "imports:check", is_checked),
        ("pairs", gettext("Same customer?"), "imports:draft_pairs", is_checked),
        ("result", gettext("Import"), "imports:draft", is_done),
    )
    names = [name for name, *_rest in steps]
    at = names.index(here)
    return [
        (label, reverse(view, args=[draft.pk]) if may and view and name != here else "", name == here, place < at)
        for place, (name, label, view, may) in enumerate(steps)
    ]
