"""Column mappings: which header of a file is which canonical column; saved under a name and used again."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from nobishiro.contracts.errors import BadInput, FileNotUsable, UnknownName
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.dates import DATE_ORDERS

FOLDER: Final = "mappings"
_NAME: Final = re.compile(r"[^\s./\\:*?\"<>|\x00-\x1f][^/\\:*?\"<>|\x00-\x1f]{0,99}")


class ColumnMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How the columns of one file become one canonical table, and further tables beside it.

    Headers are compared without remarks, units and blanks, so 金額(千円) is found by 金額.
    """

    table: str
    """The canonical table the rows go into."""
    columns: tuple[tuple[str, str], ...] = ()
    """(header, canonical column). Several headers of one column are joined in this order: 姓 + 名, 日付 + 時刻."""
    name: str = ""
    """What it is saved as."""
    constants: tuple[tuple[str, str], ...] = ()
    """(canonical column, value) for columns the file does not have."""
    first_of: tuple[str, ...] = ()
    """Canonical columns whose headers are alternatives: the first that is not empty counts."""
    value_maps: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """(canonical column, ((the file's word, our value), …)); `~word` is any text with it, `*` all others."""
    carry: tuple[str, ...] = ()
    """Headers written only on the first line of a group and empty below it (Shopify)."""
    carry_by: str = ""
    """The header that says how far `carry` goes; empty for the order number's."""
    leave_out: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(header, values): rows that are no data, such as cancelled orders; `*` stands for anything but empty."""
    search_customer: tuple[str, ...] = ()
    """Headers whose text is searched for a customer's name or mail domain where there is no code (calendar files)."""
    named: tuple[str, ...] = ()
    """Canonical columns whose headers hold names where codes belong; known customers are found by their name."""
    hashed: tuple[str, ...] = ()
    """Canonical columns whose values (a mail address where there is no code) become stable pseudonyms."""
    ends_at: tuple[str, ...] = ()
    """Headers of a touch's end, from which `minutes` is computed where there is none."""
    date_order: str | None = None
    """`ymd`, `dmy` or `mdy` for dates such as 01/04/2025; None lets the column decide."""
    tax: str | None = None
    """`included` or `excluded` when the file's amounts are known to be so."""
    drop: tuple[str, ...] = ()
    """Headers left aside on purpose."""
    exact: bool = False
    """The file was written by Nobishiro: texts are taken character by character."""
    also: tuple[ColumnMapping, ...] = ()
    """Further tables the same rows feed: a sales ledger knows customers' and products' names as well."""

    def headers_of(self, column: str) -> tuple[str, ...]:
        """The headers that make up a canonical column."""
        return tuple(header for header, canonical in self.columns if canonical == column)


def check_mapping(mapping: ColumnMapping, source: str = "mapping") -> ColumnMapping:
    """The mapping itself when every table and column it names exists; else `UnknownName`, `BadInput`."""
    table = TABLES.get(mapping.table)
    if table is None:
        raise UnknownName(f"{source}: there is no table {mapping.table!r}; there are {', '.join(TABLES)}")
    named = [column for _, column in mapping.columns] + [column for column, _ in mapping.constants]
    named += [column for column, _ in mapping.value_maps] + [*mapping.first_of, *mapping.named, *mapping.hashed]
    unknown = sorted(set(named) - set(table.column_names))
    if unknown:
        raise UnknownName(
            f"{source}: {mapping.table} has no column {', '.join(unknown)}; it has {', '.join(table.column_names)}"
        )
    if mapping.date_order not in (None, *DATE_ORDERS):
        raise BadInput(f"{source}: date_order {mapping.date_order!r} is unknown; use one of {', '.join(DATE_ORDERS)}")
    if mapping.tax not in (None, "included", "excluded"):
        raise BadInput(f"{source}: tax {mapping.tax!r} is unknown; use included or excluded")
    for further in mapping.also:
        check_mapping(further, source)
    return mapping


def own_mapping(table: str, headers: str = "name") -> ColumnMapping:
    """The mapping of a file that Nobishiro itself exported from `table`; texts come back character by character.

    `headers` says how the export wrote them: `name` (canonical), `ja` or `en` (labels). Raises `UnknownName`.
    """
    if table not in TABLES:
        raise UnknownName(f"there is no table {table!r}; there are {', '.join(TABLES)}")
    labels = {"name": lambda c: c.name, "ja": lambda c: c.ja, "en": lambda c: c.en}
    if headers not in labels:
        raise UnknownName(f"headers {headers!r} are not known; use one of {', '.join(labels)}")
    written = [labels[headers](column) for column in TABLES[table].columns]
    return ColumnMapping(table=table, columns=tuple(zip(written, TABLES[table].column_names, strict=True)), exact=True)


def save_mapping(mapping: ColumnMapping, workspace: Path) -> Path:
    """Write `<workspace>/mappings/NAME.toml` and return its path; an older mapping of that name is replaced."""
    check_mapping(mapping, mapping.name or "mapping")
    path = mapping_path(mapping.name, workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".toml.new")
    written.write_text(to_toml(mapping), "utf-8")
    written.replace(path)
    return path


def load_mapping(name: str, workspace: Path) -> ColumnMapping:
    """The mapping saved under `name`. Raises `UnknownName` listing those saved, `FileNotUsable` if it is broken."""
    path = mapping_path(name, workspace)
    if not path.is_file():
        names = list_mappings(workspace)
        raise UnknownName(f"there is no mapping {name!r} in {path.parent}; saved are: {', '.join(names) or 'none yet'}")
    return check_mapping(read_mapping_file(path), str(path))


def list_mappings(workspace: Path) -> tuple[str, ...]:
    """Names of the saved mappings, sorted."""
    return tuple(sorted(path.stem for path in (workspace / FOLDER).glob("*.toml")))


def mapping_path(name: str, workspace: Path) -> Path:
    """Where a mapping of this name is kept. Raises `BadInput` when the name cannot be a file's."""
    if not _NAME.fullmatch(name) or name.strip() != name:
        raise BadInput(f"{name!r} cannot be the name of a mapping; use letters, digits, - and _, not a path")
    return workspace / FOLDER / f"{name}.toml"


def read_mapping_file(path: Path) -> ColumnMapping:
    """The mapping in one TOML file. Raises `FileNotUsable`."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), ColumnMapping)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise FileNotUsable(f"{path}: no usable mapping: {error}; correct it or save it again") from error


def to_toml(mapping: ColumnMapping) -> str:
    """The mapping as TOML, one pair a line, as `read_mapping_file` reads it back."""
    return "\n".join(_lines(mapping, "")) + "\n"


def _lines(mapping: ColumnMapping, prefix: str) -> list[str]:
    lines = [f"{field} = {_toml(value)}" for field, value in _plain_fields(mapping)]
    for further in mapping.also:
        lines += ["", f"[[{prefix}also]]", *_lines(further, f"{prefix}also.")]
    return lines


def _plain_fields(mapping: ColumnMapping) -> list[tuple[str, object]]:
    values = {field: getattr(mapping, field) for field in mapping.__struct_fields__ if field != "also"}
    return [(field, value) for field, value in values.items() if value not in (None, (), "", False)]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return "[\n" + "".join(f"  {_toml(entry)},\n" for entry in value) + "]"
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    raise TypeError(f"a mapping holds no {type(value).__name__}")
