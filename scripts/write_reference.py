"""Write docs/reference/*.md from the code: settings, commands, tables, errors, presets, permissions, environment.

`python scripts/write_reference.py` writes them; `--check` only says which are stale (exit code 1). A test does so too.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import typer

from nobishiro.cli.main import app
from nobishiro.contracts import errors
from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES, Home, Table
from nobishiro.engine import settings
from nobishiro.engine.intake.presets import Preset, list_presets
from nobishiro.web.config import installation
from nobishiro.web.core.permissions import ROLE_PERMISSIONS, Permission, Role

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "reference"
TEXTS: Final = ROOT / "scripts" / "settings_texts.toml"
WEB_TEXTS: Final = ROOT / "scripts" / "web_texts.toml"
_NOTE: Final = "<!-- Written by scripts/write_reference.py; do not edit. -->\n"
_HOMES: Final = {Home.HAPPENED: "what happened", Home.PEOPLE: "what people say and decide"}
_VERIFIED: Final = {
    "source_code": "headers read in the system's public source code",
    "documentation": "headers from public documentation",
    "knowledge": "headers as generally known; nothing was checked",
}


def settings_page() -> str:
    """Every key of `settings.toml` with its type, default and meaning in both languages."""
    given = tomllib.loads(TEXTS.read_text("utf-8"))
    lines = [
        "# Settings",
        "",
        "`settings.toml` in the workspace, one section a step. What is left out keeps its default; an unknown key",
        "or a wrong type is refused (`SettingsError`, exit code 2). A run stores the settings it used. The commands",
        "that read a single file use the defaults. A stored tune (`nobishiro tune`) replaces `[recommend]` for",
        "later runs.",
        "",
        "```toml",
        "[workspace]",
        'currency = "JPY"',
        "",
        "[plan]",
        "share_a = 0.5",
        "share_b = 0.3",
        "share_c = 0.15",
        "share_d = 0.05",
        "```",
    ]
    for section, kind in steps():
        said = docstrings(kind)
        lines += ["", f"## [{section}]", "", inspect.getdoc(kind) or "", ""]
        lines += ["| key | type | default | meaning | 意味 |", "|---|---|---|---|---|"]
        for field in msgspec.structs.fields(kind):
            texts = given[section][field.name]
            en, ja = texts.get("en") or said[field.name], texts["ja"]
            if not texts.get("read", True):
                en, ja = f"{en} *Kept, but nothing reads it yet.*", f"{ja}（まだ使われていません）"
            default = _value(field.default)
            lines.append(_row(f"`{field.name}`", f"`{_type_name(field.type)}`", default, en, ja))
    return _page(lines)


def steps() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """(section, settings class) in the order of `Settings`."""
    for field in msgspec.structs.fields(settings.Settings):
        yield field.name, field.type


def docstrings(kind: type[msgspec.Struct]) -> Mapping[str, str]:
    """The docstring under each field of a settings class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            found[field.target.id] = " ".join(below.value.value.split())
    return found


def commands_page() -> str:
    """Every command with its arguments, options and examples."""
    group = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "`nobishiro COMMAND --help` says the same. Results go to stdout, progress to stderr and only to a terminal.",
        "With `--json` stdout carries one JSON document and nothing else; for an error of the tree it holds `error`,",
        "`message` (English) and `message_ja`. Exit codes are in [errors](errors.md); a wrong option ends with 2.",
        "",
        "`NOBISHIRO_WORKSPACE` stands for `--workspace`, `NOBISHIRO_LANG` (`ja` or `en`) for `--lang`. `--lang` is",
        "also the language of errors, notes, reasons of rejected rows, the report and the workbook. `map`,",
        "`recommend`, `pairs` and `plan` take either a file of order lines or `--workspace`; a file is never",
        "changed and nothing is stored.",
    ]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        first, _, rest = command.help.partition("\n\n")
        lines += ["", f"## nobishiro {name}", "", " ".join(first.split())]
        examples = [line.strip() for line in rest.splitlines() if "nobishiro " in line]
        if examples:
            commands = [line[line.index("nobishiro ") :] for line in examples]
            lines += ["", "```", *commands, "```"]
        lines += ["", "| argument or option | default | meaning |", "|---|---|---|"]
        for parameter in command.params:
            if parameter.name != "help":
                lines.append(_row(_names(parameter), _default(parameter), parameter.help or ""))
    return _page(lines)


def _names(parameter: object) -> str:
    if isinstance(parameter, typer.core.TyperArgument):
        return f"`{parameter.name}`" + ("" if parameter.required else " (may be left out)")
    names = [*parameter.opts, *parameter.secondary_opts]  # type: ignore[attr-defined]
    variable = parameter.envvar  # type: ignore[attr-defined]
    return ", ".join(f"`{name}`" for name in names) + (f" (`{variable}`)" if variable else "")


def _default(parameter: object) -> str:
    value = parameter.default  # type: ignore[attr-defined]
    if parameter.required:  # type: ignore[attr-defined]
        return "needed"
    if value is None or value is False:
        return ""
    return f"`{value}`"


def tables_page() -> str:
    """Canonical and result tables, column by column."""
    lines = [
        "# Tables",
        "",
        "Column names, types and labels are declared in `contracts/tables.py` and `contracts/results.py` and",
        "nowhere else. Any name or label below is understood as a header on import, and is what `nobishiro export",
        "--headers` writes.",
        "",
        "Types: `text`; `integer` int64; `quantity` DECIMAL(18, 3); `money` DECIMAL(18, 2) in the workspace's",
        "currency (the unit is called yen throughout); `rate` and `score` float64 (0.35 is 35 %); `flag`; `day` a",
        "date; `moment` a timestamp in microseconds on the workspace's clock. **Bold** columns are the key;",
        "*required* ones reject a row that lacks them; *personal* ones identify a natural person; *restricted* ones",
        "may be hidden from some roles.",
        "",
        "# Canonical tables",
        "",
        "What a file becomes. Every row also carries `import_id`, the import or edit that wrote it.",
    ]
    for table in TABLES.values():
        lines += _table(table, f"Home: {_HOMES[table.home]}.")
        if table.replaced_by:
            group = ", ".join(f"`{name}`" for name in table.replaced_by)
            lines += ["", f"A file replaces each {group} it contains whole: lines it no longer has go."]
    lines += [
        "",
        "# Result tables",
        "",
        "What a run writes. Computed yen are float64 with a tolerance of 0.01 a row. An interval without ends means",
        "that we do not know.",
    ]
    for table in RESULTS.values():
        lines += _table(table, "")
    return _page(lines)


def _table(table: Table, home: str) -> list[str]:
    about = f"{table.ja} / {table.en}. {table.meaning}. {home}".strip()
    lines = ["", f"## {table.name}", "", about, "", "| column | type | label | meaning |", "|---|---|---|---|"]
    for column in table.columns:
        name = f"**`{column.name}`**" if column.name in table.key else f"`{column.name}`"
        marks = [f"*{m}*" for m in ("required", "personal", "restricted") if getattr(column, m)]
        unit = f" ({column.unit})" if column.unit else ""
        choices = f" One of {', '.join(f'`{choice}`' for choice in column.choices)}." if column.choices else ""
        meaning = f"{column.meaning}{'.' if choices else ''}{choices}" + (f" {', '.join(marks)}" if marks else "")
        lines.append(_row(name, f"{column.type.value}{unit}", f"{column.ja} / {column.en}", meaning))
    return lines


def errors_page() -> str:
    """The tree of errors with their exit codes."""
    tree = (errors.__doc__ or "").partition("\n\n")[2].partition("\n\nMessages")[0]
    lines = [
        "# Errors and exit codes",
        "",
        "Everything Nobishiro raises on purpose is a `NobishiroError`. On the command line it ends in one line on",
        "stderr that says what was wrong, where, and what to do, and in the exit code below; with `--json` the line",
        "is a document with `error` and `message` on stdout. Success is 0. An option that does not exist or cannot",
        "be read ends with 2. Anything else is a fault of ours: please report it.",
        "",
        "```",
        textwrap.dedent(tree),
        "```",
        "",
        "| error | exit code | when |",
        "|---|---|---|",
    ]
    lines += [
        _row(f"`{kind.__name__}`", str(kind.exit_code), " ".join((inspect.getdoc(kind) or "").split()))
        for kind in error_classes()
    ]
    return _page(lines)


def error_classes() -> list[type[errors.NobishiroError]]:
    """Every class of the tree, in the order of the module."""
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.NobishiroError)]
    return sorted(found, key=lambda kind: inspect.getsourcelines(kind)[1])


def presets_page() -> str:
    """The bundled mappings of known systems, and how far each was verified."""
    presets = list_presets()
    counted = [f"{sum(p.verified == level for p in presets)} {words}" for level, words in _VERIFIED.items()]
    lines = [
        "# Presets",
        "",
        f"{len(presets)} ready-made mappings for the exports of known systems. **None has been checked on a real",
        f"export.** How sure the headers are: {'; '.join(counted)}.",
        "",
        "A preset is taken by itself, unless `--column` is used, when its whole signature stands among the headers",
        "of a file. Remarks and units such as `(※必須項目です)` or `(千円)` do not count; the sheet a header names,",
        "such as `(商品マスタ)`, does. A preset that would read the file as another table and makes less of it than a",
        "guess is passed over. `--mapping NAME` asks for one. What a company renamed, it corrects once with `--column`",
        "and keeps with `--save-mapping`. A TOML file in `presets/` of the workspace adds one, or replaces the",
        "bundled one of that name; `src/nobishiro/engine/intake/presets/` has the examples to copy.",
        "",
        "| name | system | table | how far verified | recognised by |",
        "|---|---|---|---|---|",
    ]
    for preset in presets:
        tables = ", ".join(f"`{name}`" for name in dict.fromkeys(_tables_of(preset)))
        signature = ", ".join(f"`{header}`" for header in preset.signature)
        lines.append(
            _row(f"`{preset.name}`", f"{preset.ja} / {preset.en}", tables, preset.verified.replace("_", " "), signature)
        )
    lines += ["", "Where the headers come from:", ""]
    lines += [f"- `{preset.name}`: {preset.source}" for preset in presets]
    return _page(lines)


def _tables_of(preset: Preset) -> list[str]:
    return [preset.mapping.table, *(further.table for further in preset.mapping.also)]


def permissions_page() -> str:
    """Who may do what in the web application, role by role."""
    given = tomllib.loads(WEB_TEXTS.read_text("utf-8"))
    lines = [
        "# Permissions",
        "",
        "Decided in `src/nobishiro/web/core/permissions.py` and nowhere else. A person has one role. What a role may",
        "not do leads to 404, the same as an address that does not exist; a page that says nothing about its",
        "permission is closed. Customers, facts, touches and owners are seen by the whole company: there is no filter",
        "by rep or division on them.",
        "",
        _row("permission", "意味", "meaning", *(f"`{role}`" for role in Role)),
        _row("---", "---", "---", *(":-:" for _ in Role)),
    ]
    for permission in Permission:
        said = given["permissions"][permission.value]
        holds = ("✓" if permission in ROLE_PERMISSIONS[role] else "" for role in Role)
        lines.append(_row(f"`{permission.value}`", said["ja"], said["en"], *holds))
    lines += ["", "Roles: " + " · ".join(f"`{role}` {given['roles'][role.value]}" for role in Role) + "."]
    return _page(lines)


_OTHER_VARIABLES: Final = (
    ("NOBISHIRO_JOB_SLOTS", "jobs at once in one worker process", "2"),
    ("NOBISHIRO_LEASE_SECONDS", "seconds after which a silent worker's job is taken over", "30"),
    ("NOBISHIRO_LANG", "language of the commands, `ja` or `en`; pages follow each person's choice", "`ja`"),
)
"""Read elsewhere than in `installation.py`: by the worker and by the command line."""


def environment_page() -> str:
    """Every environment variable of an installation."""
    given = tomllib.loads(WEB_TEXTS.read_text("utf-8"))["environment"]
    lines = [
        "# Environment variables",
        "",
        "Read once when a process starts; set the same for `nobishiro serve`, `worker`, `invite`, `backup` and",
        "`restore`. For the commands `--workspace` stands above `NOBISHIRO_WORKSPACE`, and `nobishiro-workspace` is",
        "their default. What belongs to the company rather than to the machine (fiscal year, calendar, rewards) is",
        "kept in the browser; what belongs to the computation is in [settings](settings.md).",
        "",
        "| variable | meaning | 意味 | default |",
        "|---|---|---|---|",
    ]
    lines += [_row(f"`{name}`", meaning, given[name], default) for name, meaning, default in variables()]
    lines += [
        "",
        "`NOBISHIRO_DEMO=1` opens sign-in with one click. Only `nobishiro demo` sets it, for its own children;",
        "`nobishiro serve` refuses to start with it.",
    ]
    return _page(lines)


def variables() -> list[tuple[str, str, str]]:
    """(name, meaning, default): the table in the docstring of `installation.py`, then what is read elsewhere."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in (installation.__doc__ or "").splitlines()
        if line.startswith("| NOBISHIRO_")
    ]
    return [*((name, meaning, default) for name, meaning, default in rows), *_OTHER_VARIABLES]


def _type_name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _value(value: object) -> str:
    return "none" if value is None else f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("``", " ") for cell in cells) + " |"


def _page(lines: list[str]) -> str:
    return _NOTE + "\n".join(lines) + "\n"


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "tables.md": tables_page,
    "errors.md": errors_page,
    "presets.md": presets_page,
    "permissions.md": permissions_page,
    "environment.md": environment_page,
}


def stale_pages() -> list[str]:
    """Names of the pages that are not what the code says now."""
    return [
        name
        for name, write in PAGES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != write()
    ]


def main() -> int:
    """Write the stale pages, or with `--check` only name them."""
    stale = stale_pages()
    for name in stale:
        sys.stdout.write(f"{name}\n")
        if "--check" not in sys.argv:
            (FOLDER / name).write_text(PAGES[name](), "utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
