"""The report as one HTML file: opens from disk, asks the network for nothing, holds both languages.

Scripts and styles are inline and named by hash in the content security policy; data stand in blocks that are never run.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
from importlib.resources import files
from pathlib import Path
from typing import Final

import nobishiro
from nobishiro.contracts.errors import DiskFull, FileNotUsable
from nobishiro.report.data import ReportData, check_data
from nobishiro.report.payload import Columns, core_columns, detail_columns, encode
from nobishiro.report.texts import load_texts

SCRIPTS: Final = (
    "drawing/lines.js",
    "data.js",
    "drawing/words.js",
    "drawing/elements.js",
    "drawing/table.js",
    "drawing/chart.js",
    "karte.js",
    "map.js",
    "gaps.js",
    "plan.js",
    "together.js",
    "evidence.js",
    "page.js",
)
"""Read in this order into one function; a later file may use what an earlier one declares. The web shares drawing/."""
STYLES: Final = ("page.css", "print.css")
VERSION: Final = nobishiro.__version__
NO_SPACE: Final = 28


def write_report(data: ReportData, path: Path) -> None:
    """Write the report to `path`, whole or not at all.

    Raises `UnknownName` when a frame lacks a column, `FileNotUsable` when the place cannot be written, `DiskFull`.
    """
    check_data(data)
    text = render_report(data).encode("utf-8")
    write_whole(path, text)


def render_report(data: ReportData) -> str:
    """The page as text; a pure function of `data`."""
    texts = load_texts()
    core: Columns = {
        "company": data.company,
        "asOf": data.as_of.isoformat(),
        "generatedAt": data.generated_at.strftime("%Y-%m-%d %H:%M"),
        "language": data.language,
        "currency": data.currency,
        "simulated": data.simulated,
        "source": data.source_note,
        "version": VERSION,
        "texts": texts,
        **core_columns(data),
    }
    script = "(() => {\n'use strict';\n" + "\n".join(_static(name) for name in SCRIPTS) + "\n})();"
    style = "\n".join(_static(name) for name in STYLES)
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    # mtime=0: the same run gives the same bytes.
    detail = base64.b64encode(gzip.compress(encode(detail_columns(data)), compresslevel=9, mtime=0)).decode("ascii")
    words = texts[data.language]
    places = {
        "{{policy}}": policy,
        "{{language}}": data.language,
        "{{title}}": html.escape(_clean(f"{data.company} – {words['page.title']}")),
        "{{company}}": html.escape(_clean(data.company)),
        "{{skip}}": html.escape(words["page.skip"]),
        "{{needs}}": html.escape(words["page.needs"]),
        "{{style}}": style,
        "{{core}}": encode(core).decode("utf-8"),
        "{{detail}}": detail,
        "{{script}}": script,
    }
    return _filled(_static("page.html"), places)


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: beside it first, then renamed over it."""
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        if problem.errno == NO_SPACE:
            raise DiskFull(
                f"{path}: no space left for {len(content):,} bytes; free some and write it again"
            ) from problem
        raise FileNotUsable(f"{path}: {problem.strerror}; choose a place that can be written") from problem


def _static(name: str) -> str:
    return (files("nobishiro.report") / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _clean(text: str) -> str:
    """Without control characters, which HTML does not allow even escaped."""
    return "".join(character if character.isprintable() else " " for character in text)


def _filled(template: str, places: dict[str, str]) -> str:
    """Fill each place once, left to right, so that data which look like a place stay data."""
    parts: list[str] = []
    rest = template
    for name, value in sorted(places.items(), key=lambda pair: template.index(pair[0])):
        before, rest = rest.split(name, 1)
        parts += [before, value]
    return "".join([*parts, rest])
