"""What no template, script or static file may hold, so that the pages work under our CSP and in both languages."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "nobishiro" / "web"
TEMPLATES = sorted(path for path in WEB.rglob("templates/**/*") if path.suffix in (".html", ".txt", ".svg", ".js"))
STATIC = sorted(
    path
    for path in WEB.rglob("static/**/*")
    if path.suffix in (".js", ".css", ".svg", ".html", ".json", ".webmanifest")
)
PYTHON = sorted(path for path in WEB.rglob("*.py") if "migrations" not in path.parts)
LIBRARIES = {"htmx.min.js", "d3.min.js"}
"""Vendored as their makers wrote them."""

FORBIDDEN = {
    "an inline style": re.compile(r"""\sstyle\s*=\s*["']""", re.IGNORECASE),
    "an event attribute": re.compile(r"""<[^>{%]*\son[a-z]+\s*=\s*["']""", re.IGNORECASE),
    "hx-on": re.compile(r"\b(?:data-)?hx-on\b"),
    "js: or javascript:": re.compile(r"""["']\s*(?:js|javascript):""", re.IGNORECASE),
    "an htmx event filter": re.compile(r"""hx-trigger\s*=\s*["'][^"']*\["""),
    "an inline style sheet": re.compile(r"<style[\s>]", re.IGNORECASE),
    "an address of elsewhere": re.compile(r"""(?:src|href|action|hx-\w+)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE),
    "safe": re.compile(r"\|\s*safe\b(?!seq)"),
    "autoescape off": re.compile(r"autoescape\s+off"),
}
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.IGNORECASE | re.DOTALL)
ESCAPES = {
    "core/among.py": ("RawSQL(",),  # one fixed statement for very long lists; the values go as a parameter
    "imports/views.py": ("csrf_exempt",),  # the token is checked a step later, before the upload is read to its end
}
MARKED_SAFE = {"people/templates/people/fields.html"}
"""Form help texts are Django's own (the rules of passwords as a list), never what somebody typed."""


def name_of(path: Path) -> str:
    return path.relative_to(WEB).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_hold_nothing_our_csp_refuses(path: Path) -> None:
    text = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}|{#.*?#}", "", path.read_text("utf-8"), flags=re.DOTALL)
    found = [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    if name_of(path) in MARKED_SAFE:
        found.remove("safe")
    if path.suffix == ".txt":  # plain text mail, where escaping would show
        found = [what for what in found if what != "autoescape off"]
    assert found == []
    for attributes, content in SCRIPT.findall(text):
        is_data = re.search(r"""type\s*=\s*["']application/json["']""", attributes) is not None
        assert is_data or (re.search(r"\bsrc\s*=", attributes) and not content.strip()), "an inline script"


@pytest.mark.parametrize("path", STATIC, ids=name_of)
def test_static_files_ask_nobody_else(path: Path) -> None:
    text = path.read_text("utf-8")
    text = re.sub(r"http://www\.w3\.org/[\w/.#-]+", "", text)  # names of XML namespaces, never fetched
    if path.name in LIBRARIES:
        assert not re.search(r"""(?:import|importScripts|fetch)\s*\(\s*["']https?:""", text)
        return
    text = re.sub(r"/\*.*?\*/|^\s*//.*$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"https?://[^\s\"')]+", text) == []


@pytest.mark.parametrize(
    "path", [path for path in STATIC if path.suffix == ".js" and path.name not in LIBRARIES], ids=name_of
)
def test_our_scripts_make_no_code_and_no_markup_of_text(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/|//.*$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for what in (
        r"\beval\s*\(",
        r"\bnew Function\b",
        r"\.innerHTML\s*\+?=",
        r"\.outerHTML\s*=",
        r"insertAdjacentHTML",
        r"document\.write",
    ):
        assert re.search(what, text) is None, what
    assert re.search(r"[぀-ヿ一-鿿]", text) is None, "a text of the page; it comes from the template"


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_no_view_escapes_the_checks(path: Path) -> None:
    text = path.read_text("utf-8")
    for allowed in ESCAPES.get(name_of(path), ()):
        text = text.replace(allowed, "")
    for what in (
        "csrf_exempt",
        "mark_safe(",
        "xframe_options_exempt",
        "RawSQL(",
        ".extra(",
        "pickle",
        "login_not_required",
    ):
        assert what not in text, what


def test_every_text_is_in_both_languages() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "write_messages.py"), "--check"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_templates_say_nothing_outside_the_catalogues() -> None:
    """A word between tags that is no template tag is a text nobody can translate; names and marks are no words."""
    names = "Nobishiro|NPS|English|日本語|JSON|CSV|Excel|CP932|UTF-8|BOM|PDF|ID|QR|A3|sheet-page|lt;|gt;|n"
    kept = re.compile(rf"^(?:[\W\d_]|{names}|[A-F](?!\w))*$")
    found = []
    for path in (path for path in TEMPLATES if path.suffix == ".html"):
        text = re.sub(
            r"{%\s*(blocktrans|blocktranslate).*?%}.*?{%\s*end\1\s*%}", "", path.read_text("utf-8"), flags=re.DOTALL
        )
        text = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}|{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
        text = re.sub(r"<(script|kbd|code)\b.*?</\1>", "", text, flags=re.DOTALL | re.IGNORECASE)
        for words in re.findall(r">([^<>]+)<", text):
            said = " ".join(words.replace("&nbsp;", " ").replace("&amp;", "&").split())
            if said and not kept.match(said):
                found.append((name_of(path), said))
    assert found == [], "\n".join(f"{name}: {words}" for name, words in found)


def test_one_english_text_has_one_japanese() -> None:
    """Catalogues are laid over each other: of two rooms that translate the same words differently, one would win everywhere."""
    said: dict[tuple[object, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in WEB.rglob("locale/ja/LC_MESSAGES/django.po"):
        with path.open("rb") as file:
            for message in read_po(file, locale="ja"):
                if message.id:
                    said[message.context, str(message.id)][str(message.string)].append(path.parents[3].name)
    differing = {key: dict(rooms) for key, rooms in said.items() if len(rooms) > 1}
    told = "\n".join(f"{context or ''} {text!r}: {rooms}" for (context, text), rooms in differing.items())
    assert not told, f"use pgettext where one English word needs two Japanese:\n{told}"
