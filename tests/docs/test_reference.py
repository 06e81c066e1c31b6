"""Every setting, command, table column, error and preset is documented, and the pages say what the code says now."""

from __future__ import annotations

import importlib.util
import re
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
from nobishiro.web.core.permissions import ROLE_PERMISSIONS, Permission, Role

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


_GENERATED = (
    "settings.md", "commands.md", "tables.md", "errors.md", "presets.md", "permissions.md", "environment.md",
)  # fmt: skip


def test_every_generated_page_is_tested(writer: ModuleType) -> None:
    assert set(writer.PAGES) == set(_GENERATED)


@pytest.mark.parametrize("page", _GENERATED)
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


def test_every_permission_is_documented_with_the_roles_that_hold_it() -> None:
    texts = tomllib.loads((_ROOT / "scripts" / "web_texts.toml").read_text("utf-8"))
    assert set(texts["permissions"]) == {permission.value for permission in Permission}
    assert set(texts["roles"]) == {role.value for role in Role}
    text = (_PAGES / "permissions.md").read_text("utf-8")
    head = next(line for line in text.splitlines() if line.startswith("| permission |"))
    roles = [cell.strip(" `") for cell in head.strip("| ").split("|")][3:]
    for permission in Permission:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{permission.value}` |"))
        marks = [cell.strip() for cell in row[1:-1].split("|")][3:]
        assert {role for role, mark in zip(roles, marks, strict=True) if mark} == {
            role.value for role in Role if permission in ROLE_PERMISSIONS[role]
        }, permission


_NOT_FOR_PEOPLE = {"NOBISHIRO_DEMO", "NOBISHIRO_SUPERVISED"}
"""Set by our own commands for their children, and refused or without meaning elsewhere."""


def test_every_environment_variable_is_documented_and_no_other(writer: ModuleType) -> None:
    named = {
        name
        for path in (_ROOT / "src").rglob("*.py")
        for name in re.findall(r"NOBISHIRO_[A-Z]+(?:_[A-Z]+)*", path.read_text("utf-8"))
    }
    listed = [name for name, _, _ in writer.variables()]
    assert len(listed) == len(set(listed))
    assert set(listed) == named - _NOT_FOR_PEOPLE
    texts = tomllib.loads((_ROOT / "scripts" / "web_texts.toml").read_text("utf-8"))
    assert set(texts["environment"]) == set(listed)


def test_the_workers_defaults_are_those_the_page_says() -> None:
    from nobishiro.web.core.jobs.worker import WorkerSettings

    defaults = WorkerSettings()
    text = (_PAGES / "environment.md").read_text("utf-8")
    for name, value in (
        ("NOBISHIRO_JOB_SLOTS", defaults.slots),
        ("NOBISHIRO_LEASE_SECONDS", defaults.lease_seconds),
    ):
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        assert float(row.strip("| ").rpartition("|")[2]) == value


def test_roles_are_called_as_on_the_screen() -> None:
    from django.utils.translation import override

    from nobishiro.web.people.models import User

    texts = tomllib.loads((_ROOT / "scripts" / "web_texts.toml").read_text("utf-8"))["roles"]
    with override("ja"):
        assert {role.value: str(label) for role, label in User.ROLES} == texts
