"""The tutorial with pictures: its commands, its sample file, its pictures and the words it quotes from the screen."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import struct
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import typer

from nobishiro.cli.main import app
from nobishiro.pipelines.import_mapping import propose
from nobishiro.pipelines.upload_reading import UploadLimits, UploadOptions, read_upload
from nobishiro.web.config.installation import read_installation

_ROOT = Path(__file__).parents[2]
_TUTORIAL = _ROOT / "docs" / "tutorial"
_SAMPLE = _TUTORIAL / "sample-sales.xlsx"
_LANGUAGES = ("ja", "en")
_STEP = re.compile(r"<!-- step: (.+?) -->\n```sh\n(.+?)\n```")
_PICTURE = re.compile(r"!\[.+?\]\(\.\./images/([\w-]+)\.(\w+)\.png\)")
_MOST_BYTES = 150_000


def _text(language: str) -> str:
    return (_TUTORIAL / f"first-proposals.{language}.md").read_text("utf-8")


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_languages_give_the_same_commands_and_pictures() -> None:
    ja, en = _text("ja"), _text("en")
    assert _STEP.findall(ja) == _STEP.findall(en)
    assert [name for name, _ in _PICTURE.findall(ja)] == [name for name, _ in _PICTURE.findall(en)]
    assert ja.count("```sh") == len(_STEP.findall(ja)) == 3


@pytest.mark.parametrize("language", _LANGUAGES)
def test_pictures_are_in_the_language_of_the_page_small_and_taken_by_the_script(language: str) -> None:
    taker = (_ROOT / "scripts" / "take_pictures.py").read_text("utf-8")
    taken = {node.value for node in ast.walk(ast.parse(taker)) if isinstance(node, ast.Constant)}
    pictures = _PICTURE.findall(_text(language))
    assert len(pictures) > 8
    for name, of in pictures:
        assert of == language, name
        content = (_ROOT / "docs" / "images" / f"{name}.{of}.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) <= _MOST_BYTES, name
        assert struct.unpack(">I", content[16:20])[0] >= 390
        assert name in taken or f"{name}.{{language}}.png" in taker, f"{name} is not taken by scripts/take_pictures.py"


def test_make_demo_opens_the_fictional_maker() -> None:
    assert _STEP.findall(_text("ja"))[0] == ("demo", "make demo")
    recipe = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    line = next(line for line in recipe.splitlines() if "nobishiro demo" in line)
    said = typer.main.get_command(app).commands["demo"].make_context("demo", shlex.split(line)[2:]).params
    assert (said["world"], said["serve"], said["port"]) == ("maker", True, 8000)


def test_the_commands_that_serve_are_understood() -> None:
    commands = dict(_STEP.findall(_text("ja")))
    for name in ("serve", "serve to phones"):
        words = shlex.split(commands[name])
        variables = dict(word.split("=", 1) for word in words if word.startswith("NOBISHIRO_"))
        rest = words[len(variables) :]
        assert rest[:2] == [".venv/bin/nobishiro", "serve"]
        said = typer.main.get_command(app).commands["serve"].make_context("serve", rest[2:]).params
        assert str(said["workspace"]) == "acme"
        assert said["worker"] is True
        if variables:
            assert set(variables) == {"NOBISHIRO_HOSTS"}
            assert read_installation(variables).hosts[0] == "192.168.1.20"


def test_the_sample_is_what_the_script_writes_today(tmp_path: Path) -> None:
    writer = _script("write_sample")
    writer.write_sample(tmp_path / "sample.xlsx")
    assert (tmp_path / "sample.xlsx").read_bytes() == _SAMPLE.read_bytes(), "run `python scripts/write_sample.py`"


def test_the_sample_is_read_without_a_question(tmp_path: Path) -> None:
    seen = read_upload(_SAMPLE, _SAMPLE.name, tmp_path, UploadOptions(), UploadLimits(), lambda what, done, total: None)
    assert seen.header_row == 3
    found = propose(tmp_path / "workspace", tmp_path)
    assert found.origin == "guess"
    for column in ("customer_id", "order_id", "product_id", "ordered_at", "quantity", "amount", "rep_id"):
        assert f"order_lines.{column}" in found.text or column in found.text, column


def _msgids() -> dict[str, set[str]]:
    """English text → its Japanese ones, of all rooms."""
    found: dict[str, set[str]] = {}
    for path in (_ROOT / "src" / "nobishiro" / "web").glob("*/locale/ja/LC_MESSAGES/django.po"):
        for english, japanese in re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', path.read_text("utf-8"), re.MULTILINE):
            found.setdefault(english, set()).add(japanese)
    return found


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("Import it, leave the rest to you", "おまかせで取り込む"),
        ("Compute the figures anew", "計算し直す"),
        ("Invite somebody", "招待する"),
        ("Is the rep", "営業担当として"),
        ("Bring in a file", "ファイルを取り込む"),
        ("Today's proposals", "今日の提案"),
        ("Users and divisions", "ユーザーと部門"),
        ("Sales rep", "営業"),
        ("One minute before the visit", "訪問前1分シート"),
        ("This week", "今週のまとめ"),
    ],
)
def test_words_the_tutorial_quotes_stand_on_the_screen(english: str, japanese: str) -> None:
    assert english in " ".join(_text("en").split())
    assert japanese in "".join(_text("ja").split())
    assert japanese in _msgids().get(english, set()), f"{english} is not said as {japanese}"
