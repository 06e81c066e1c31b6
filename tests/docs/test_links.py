"""Every link between our pages leads somewhere, and every file a page names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:src|tests|docs|scripts|benchmarks|\.ci)/[\w./-]*\w)`")
_PAGES = sorted([*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")])


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(_ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    broken = []
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(_ROOT).as_posix())
def test_files_a_page_names_exist(page: Path) -> None:
    named = _PATH.findall(page.read_text("utf-8"))
    assert [name for name in named if not (_ROOT / name).exists()] == []


def test_every_module_the_architecture_names_exists() -> None:
    tree = (_ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("```\nsrc/nobishiro/")[2].partition("```")[0]
    named = set(re.findall(r"(?<![\w*])(\w+\.py)\b", tree))
    there = {path.name for path in (*_ROOT.glob("src/**/*.py"), *_ROOT.glob("scripts/*.py"))}
    assert len(named) > 40
    assert sorted(named - there) == []


def test_every_room_stands_in_the_architecture() -> None:
    tree = (_ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms = [path.parent.name for path in _ROOT.glob("src/nobishiro/**/__init__.py") if path.parent.name != "nobishiro"]
    assert [room for room in rooms if f"  {room}/" not in tree] == []
