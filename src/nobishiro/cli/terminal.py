"""How a command talks: progress on stderr, results on stdout, one JSON document for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from nobishiro.cli.words import WORDS, say
from nobishiro.contracts.protocols import ProgressReport


class Terminal:
    """One command's voice."""

    def __init__(self, language: str, as_json: bool) -> None:
        self.language = language if language in ("ja", "en") else "ja"
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False)

    def say(self, key: str, **values: object) -> None:
        """One line for a person; nothing when a machine listens."""
        self.line(say(key, self.language, **values))

    def line(self, text: str) -> None:
        """One line of text for a person."""
        if not self.as_json:
            self._out.print(text, markup=False)

    def note(self, text: str) -> None:
        """One of the things reading decided, which the engine says in English, in the person's language."""
        from nobishiro.pipelines.wording import word

        self.line(f"  · {word(text, self.language)}")

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A small table for a person; numbers to the right."""
        if self.as_json:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for at, header in enumerate(headers):
            numeric = bool(rows) and isinstance(rows[0][at], int | float)
            table.add_column(header, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
        self._out.print(table, markup=False)

    def document(self, content: Mapping[str, object]) -> None:
        """The JSON document, when a machine listens."""
        if self.as_json:
            sys.stdout.write(json.dumps(content, ensure_ascii=False, default=_plain) + "\n")

    @contextmanager
    def progress(self) -> Iterator[ProgressReport]:
        """A bar on stderr while work goes on; it goes away when the work is done, and is silent where nobody looks."""
        if self.as_json or not self._err.is_terminal:
            yield self._silent
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[share]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._err, transient=True) as bars:
            task = bars.add_task("", total=None, share="")

            def report(what: str, done: int, total: int) -> None:
                label = say(f"step.{what}", self.language) if f"step.{what}" in WORDS else what
                share = f"{done:,} / {total:,}" if total else ""
                bars.update(task, description=label, completed=done, total=total or None, share=share)

            yield report

    @staticmethod
    def _silent(what: str, done: int, total: int) -> None:
        return None


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def now(time_zone: str) -> datetime:
    """The current time on the workspace's clock, without a zone, as the store keeps it."""
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(time_zone)).replace(tzinfo=None, microsecond=0)


def parse_day(text: str | None) -> date | None:
    """A day given on the command line as YYYY-MM-DD."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise wrong_usage(f"{text!r} is not a date; use YYYY-MM-DD") from error


def default_language() -> str:
    """The language of the environment variable NOBISHIRO_LANG; Japanese without one."""
    return "en" if os.environ.get("NOBISHIRO_LANG", "ja").lower().startswith("en") else "ja"


def asked_language() -> str:
    """The language of `--lang`, for what is said before or after a command reads its options; else the default."""
    for option, value in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        asked = value if option == "--lang" else option.removeprefix("--lang=") if option.startswith("--lang=") else ""
        if asked in ("ja", "en"):
            return asked
    return default_language()


def wrong_usage(text: str) -> typer.BadParameter:
    """The error of a command called wrongly, in the person's language; exit code 2."""
    from nobishiro.pipelines.wording import word

    return typer.BadParameter(word(text, asked_language()))
