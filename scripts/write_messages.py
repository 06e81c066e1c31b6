"""Bring the web application's Japanese catalogues in step with its texts; needs no GNU gettext.

    python scripts/write_messages.py            every room
    python scripts/write_messages.py map plays  these rooms
    python scripts/write_messages.py --check    change nothing; exit 1 when a catalogue is behind or a text has no Japanese

English is in the code and the templates; `<room>/locale/ja/LC_MESSAGES/django.po` holds the Japanese. Fill in the empty `msgstr`
of the .po, run this again, and the .mo beside it follows.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nobishiro.web.config.settings")
os.environ.setdefault("NOBISHIRO_WORKSPACE", tempfile.gettempdir() + "/nobishiro-messages")

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import template

WEB = Path(__file__).parent.parent / "src" / "nobishiro" / "web"
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
GAP = re.compile(r"%\(\w+\)[sd]")
"""What is put into a text; Japanese and English have to hold the same ones."""


def texts_of(room: Path) -> Catalog:
    """Every text of the room's modules and templates."""
    catalog = Catalog(locale="ja", domain="django", project="Nobishiro", fuzzy=False)
    for path in sorted([*room.rglob("*.py"), *room.rglob("templates/**/*.html"), *room.rglob("templates/**/*.txt")]):
        if "migrations" in path.parts:
            continue
        source = path.read_text("utf-8")
        if path.suffix != ".py":
            source = template.templatize(source, origin=str(path))
        where = path.relative_to(room).as_posix()
        for _line, message, comments, context in extract(
            "python", io.BytesIO(source.encode()), KEYWORDS, ["Translators"]
        ):
            catalog.add(message, locations=[(where, 0)], auto_comments=comments, context=context)
    return catalog


def bring_in_step(room: Path, *, is_check: bool) -> list[str]:
    """Write the room's catalogue; what is wrong with it, in words."""
    found = texts_of(room)
    place = room / "locale" / "ja" / "LC_MESSAGES" / "django.po"
    if not len(found):
        return []
    known = Catalog(locale="ja", domain="django", project="Nobishiro", fuzzy=False)
    if place.exists():
        with place.open("rb") as file:
            known = read_po(file, locale="ja", domain="django")
    merged = Catalog(locale="ja", domain="django", project="Nobishiro", fuzzy=False)
    problems = []
    for message in found:
        if not message.id:
            continue
        before = known.get(message.id, context=message.context)
        string = before.string if before is not None else ""
        merged.add(
            message.id, string, locations=sorted(set(message.locations)), auto_comments=message.auto_comments,
            context=message.context, flags=message.flags,
        )  # fmt: skip
        said = string if isinstance(string, str) else (string[0] if string else "")
        english = message.id if isinstance(message.id, str) else message.id[1]
        if not said:
            problems.append(f"{room.name}: no Japanese for {message.id!r}")
        elif set(GAP.findall(said)) != set(GAP.findall(english)) or said.count("%(") != len(GAP.findall(said)):
            problems.append(f"{room.name}: {said!r} has other gaps than {english!r}")
    content, compiled = io.BytesIO(), io.BytesIO()
    merged.creation_date = merged.revision_date = ALWAYS  # else the same texts would give another .mo each time
    write_po(content, merged, sort_output=True, omit_header=True, width=0, include_lineno=False)
    write_mo(compiled, merged)
    header = b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: ja\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    binary = place.with_suffix(".mo")
    if is_check:
        if not place.exists() or place.read_bytes() != header + content.getvalue():
            problems.append(f"{room.name}: {place.name} is behind its texts; run scripts/write_messages.py {room.name}")
        elif not binary.exists():
            problems.append(f"{room.name}: there is no {binary.name}")
        return problems
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(header + content.getvalue())
    binary.write_bytes(compiled.getvalue())
    return problems


def main(arguments: list[str]) -> int:
    """All rooms, or those named."""
    if not settings.configured:
        settings._setup()  # noqa: SLF001 - templatize asks for a setting
    is_check = "--check" in arguments
    named = [argument for argument in arguments if not argument.startswith("-")]
    rooms = [WEB / name for name in named] or sorted(path.parent for path in WEB.glob("*/apps.py"))
    problems = [problem for room in rooms for problem in bring_in_step(room, is_check=is_check)]
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    return 1 if is_check and problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
