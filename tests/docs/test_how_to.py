"""The guides say what the code does: commands, variables, times and limits are held against their sources."""

from __future__ import annotations

import importlib.util
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
import typer

from nobishiro.cli.main import app
from nobishiro.contracts.tables import TABLES
from nobishiro.pipelines.edit_masters import EDITABLE
from nobishiro.pipelines.upkeep import KEPT_RUNS
from nobishiro.pipelines.upload_reading import UploadLimits
from nobishiro.web.config.installation import read_installation

_ROOT = Path(__file__).parents[2]
_GUIDES = sorted((_ROOT / "docs" / "how-to").glob("*.md"))
_ADMINISTRATOR = {language: _ROOT / "docs" / "how-to" / f"administrator.{language}.md" for language in ("ja", "en")}
_DEPLOYMENT = {language: _ROOT / "docs" / "how-to" / f"deployment.{language}.md" for language in ("ja", "en")}
_BLOCK = re.compile(r"```(?:sh|ini|nginx)?\n(.*?)```", re.DOTALL)


def _text(page: Path) -> str:
    return " ".join(page.read_text("utf-8").split())


def _blocks(page: Path) -> list[str]:
    return _BLOCK.findall(page.read_text("utf-8"))


def _variables() -> set[str]:
    spec = importlib.util.spec_from_file_location("write_reference", _ROOT / "scripts" / "write_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name for name, _, _ in module.variables()}


def _commands(page: Path) -> list[list[str]]:
    """Every call of nobishiro in a page's blocks, as words after the program."""
    found = []
    for block in _blocks(page):
        for line in block.replace("\\\n", " ").splitlines():
            call = re.search(
                r"(?:^|/bin/|exec )nobishiro ((?:serve|worker|invite|backup|restore|import)\b[^'#]*)", line
            )
            if call is not None:
                found.append(shlex.split(re.sub(r"\$\$\(.*?\)", "now", call.group(1))))
    return found


def test_there_is_each_guide_in_both_languages() -> None:
    assert [page.name for page in _GUIDES] == [
        "administrator.en.md", "administrator.ja.md", "deployment.en.md", "deployment.ja.md",
    ]  # fmt: skip


@pytest.mark.parametrize("page", _GUIDES, ids=lambda page: page.name)
def test_commands_of_a_guide_are_understood(page: Path) -> None:
    commands = _commands(page)
    assert len(commands) >= 3
    for name, *arguments in commands:
        typer.main.get_command(app).commands[name].make_context(name, arguments)


@pytest.mark.parametrize("kind", ["administrator", "deployment"])
def test_blocks_are_the_same_in_both_languages(kind: str) -> None:
    ja, en = (_blocks(_ROOT / "docs" / "how-to" / f"{kind}.{language}.md") for language in ("ja", "en"))
    assert ja == en


@pytest.mark.parametrize("page", _GUIDES, ids=lambda page: page.name)
def test_variables_of_a_guide_exist(page: Path) -> None:
    named = set(re.findall(r"NOBISHIRO_[A-Z]+(?:_[A-Z]+)*", page.read_text("utf-8")))
    assert named <= _variables()


def test_the_configuration_that_is_shown_is_an_installation() -> None:
    block = next(block for block in _blocks(_DEPLOYMENT["en"]) if block.startswith("NOBISHIRO_WORKSPACE"))
    installation = read_installation(dict(line.split("=", 1) for line in block.splitlines()))
    assert installation.is_https
    assert installation.proxies == 1
    assert installation.hosts == ("sales.example.jp",)
    assert installation.database()["HOST"] == "127.0.0.1"
    assert installation.mail()["EMAIL_USE_TLS"] is True


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_schedule_is_the_one_that_is_kept(language: str) -> None:
    from nobishiro.web.core.jobs.schedule import SCHEDULES

    rows = re.findall(
        r"^\| (\d+:\d\d) \|.*?(\d+) ?(?:時間|hours) ?.*\|$", _ADMINISTRATOR[language].read_text("utf-8"), re.MULTILINE
    )
    assert rows == [(f"{s.at.hour}:{s.at.minute:02d}", str(s.catch_up // timedelta(hours=1))) for s in SCHEDULES]


@pytest.mark.parametrize(
    ("value", "ja", "en"),
    [
        ("invitation_days", "{}日間、一度だけ使える", "works once, for {} days"),
        ("lock_minutes", "{}分止まります", "for {} minutes"),
        ("password", "{}文字以上", "{} characters or more"),
        ("megabytes", "一つ{} MB", "up to {} MB"),
        ("rejected_days", "{}日のあいだファイルで受け取れます", "as a file for {} days"),
        ("draft_days", "{}日触らなかった下書き", "after {} days untouched"),
        ("runs", "{}件目より古い計算", "computations past the newest {}"),
        ("lease", "{}秒の期限付きで", "for {} seconds at a time"),
    ],
)
def test_times_and_limits_are_those_of_the_code(value: str, ja: str, en: str) -> None:
    from django.conf import settings

    from nobishiro.web.core.jobs.worker import WorkerSettings
    from nobishiro.web.imports.drafts import REJECTED_DAYS, UNFINISHED_DAYS
    from nobishiro.web.people.invitations import LASTS

    minimum = next(one for one in settings.AUTH_PASSWORD_VALIDATORS if "OPTIONS" in one)["OPTIONS"]["min_length"]
    values = {
        "invitation_days": (LASTS.days, {7: ("七", "seven")}),
        "lock_minutes": (round(settings.AXES_COOLOFF_TIME * 60), {15: ("十五", "fifteen")}),
        "password": (minimum, {}),
        "megabytes": (UploadLimits().max_bytes // 1_000_000, {}),
        "rejected_days": (REJECTED_DAYS, {}),
        "draft_days": (UNFINISHED_DAYS, {7: ("七", "seven")}),
        "runs": (KEPT_RUNS, {30: ("31", "thirty")}),
        "lease": (round(WorkerSettings().lease_seconds), {30: ("三十", "thirty")}),
    }  # fmt: skip
    number, words = values[value]
    in_ja, in_en = words.get(number, (str(number), str(number)))
    assert ja.format(in_ja) in _text(_ADMINISTRATOR["ja"])
    assert en.format(in_en) in _text(_ADMINISTRATOR["en"])


def test_five_failures_lock() -> None:
    from django.conf import settings

    assert settings.AXES_FAILURE_LIMIT == 5
    assert "Five wrong passwords" in _text(_ADMINISTRATOR["en"])
    assert "五回続けて失敗" in _text(_ADMINISTRATOR["ja"])


def test_masters_the_guide_calls_steps_are_those_edited_in_the_store() -> None:
    assert set(EDITABLE) == {"divisions", "reps", "assignments", "targets"}
    assert all(name in TABLES for name in EDITABLE)
    assert "Divisions, reps, owners and targets live where imported tables live" in _text(_ADMINISTRATOR["en"])


def test_cost_and_private_notes_are_hidden_from_whom_the_guide_says() -> None:
    from nobishiro.web.core.permissions import ROLE_PERMISSIONS, Permission, Role

    without_cost = {role for role in Role if Permission.SEE_COST not in ROLE_PERMISSIONS[role]}
    with_notes = {role for role in Role if Permission.SEE_PRIVATE_NOTES in ROLE_PERMISSIONS[role]}
    assert without_cost == {Role.REP, Role.ADMINISTRATOR}
    assert with_notes == {Role.MANAGER, Role.REP}
    assert "not shown to reps and administrators, **private notes** only to managers and reps" in _text(
        _ADMINISTRATOR["en"]
    )
