"""Every setting, command, table column, error and preset is documented, and the pages say what the code says now."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
import typer

from nobishiro.cli.main import app
from nobishiro.contracts.errors import NobishiroError
from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.presets import VERIFIED, list_presets
from nobishiro.engine.settings import Settings

_ROOT = Path(__file__).parents[2]
_PAGES = _ROOT / "docs" / "reference"
_REMEDY = "run `python scripts/write_reference.py`"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_reference", _ROOT / "scripts" / "write_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings.md", "commands.md", "tables.md", "errors.md", "presets.md"])
def test_generated_page_is_what_the_code_says_now(writer: ModuleType, page: str) -> None:
    assert (_PAGES / page).read_text("utf-8") == writer.PAGES[page](), f"{page} is stale: {_REMEDY}"


def _section(page: str, heading: str) -> str:
    text = (_PAGES / page).read_text("utf-8")
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, f"{page} has no section {heading!r}: {_REMEDY}"
    return rest.partition("\n## ")[0].partition("\n# ")[0]


def test_every_setting_is_documented_in_both_languages() -> None:
    texts = tomllib.loads((_ROOT / "scripts" / "settings_texts.toml").read_text("utf-8"))
    declared = {
        step.name: {field.name for field in msgspec.structs.fields(step.type)}
        for step in msgspec.structs.fields(Settings)
    }
    assert {section: set(keys) for section, keys in texts.items()} == declared
    for section, keys in declared.items():
        told = _section("settings.md", f"[{section}]")
        for key in keys:
            row = next(line for line in told.splitlines() if line.startswith(f"| `{key}` |"))
            _, english, japanese = row.strip("| ").rsplit(" | ", 2)
            assert english.strip() and not english.isspace(), key
            assert any(ord(letter) > 0x3000 for letter in japanese), key


def test_every_command_and_option_is_documented() -> None:
    commands = typer.main.get_command(app).commands
    for name, command in commands.items():
        told = _section("commands.md", f"nobishiro {name}")
        for parameter in command.params:
            if parameter.name != "help":
                assert all(f"`{option}`" in told for option in parameter.opts), (name, parameter.opts)
                assert parameter.help, f"{name} {parameter.name} has no help"


def test_every_column_of_every_table_is_documented() -> None:
    for table in (*TABLES.values(), *RESULTS.values()):
        told = _section("tables.md", table.name)
        for column in table.columns:
            assert f"`{column.name}`" in told, (table.name, column.name)
            assert f"{column.ja} / {column.en}" in told, (table.name, column.name)


def test_every_error_is_documented_with_its_exit_code() -> None:
    text = (_PAGES / "errors.md").read_text("utf-8")
    kinds = [NobishiroError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    own = [kind for kind in kinds if kind.__module__ == "nobishiro.contracts.errors"]
    assert len(own) > 10
    for kind in own:
        assert f"| `{kind.__name__}` | {kind.exit_code} |" in text


def test_every_preset_says_how_far_it_was_verified() -> None:
    text = (_PAGES / "presets.md").read_text("utf-8")
    for preset in list_presets():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{preset.name}` |"))
        assert f"| {preset.verified.replace('_', ' ')} |" in row
        assert preset.verified in VERIFIED
