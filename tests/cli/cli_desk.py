"""The command line in process, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from nobishiro.cli.main import app, main
from nobishiro.contracts.tables import IMPORT_ID, TABLES
from nobishiro.engine.store import Store

HEADER = "得意先コード,得意先名,受注番号,商品コード,商品名,受注日,数量,金額"


@dataclass(frozen=True)
class Said:
    """What a command wrote and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """An empty directory, a workspace in it, and the command line."""

    path: Path
    nobishiro: Callable[..., Said]

    @property
    def workspace(self) -> Path:
        return self.path / "ws"

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def imported(self, path: Path, *options: object) -> dict:
        """The document of an import that has to succeed."""
        said = self.nobishiro("import", path, "-w", self.workspace, "--json", *options)
        assert said.code == 0, said.out + said.err
        return said.document

    def refused(self, path: Path, *options: object) -> Said:
        """What an import says that has to fail; the workspace and the directory are as they were."""
        before, files = self.state(), self.files()
        said = self.nobishiro("import", path, "-w", self.workspace, *options)
        assert said.code != 0
        assert said.out == ""
        assert said.err.startswith("nobishiro: ") and "Traceback" not in said.err
        assert self.state() == before
        assert self.files() == files
        return said

    def state(self) -> int | None:
        """Number of the newest commit."""
        if not self.workspace.exists():
            return None
        head = Store.open(self.workspace).head()
        return None if head is None else head.number

    def files(self) -> list[str]:
        """Everything in the directory beside the workspace's inside."""
        return sorted(path.name for path in self.path.iterdir())

    def read(self, table: str) -> pl.DataFrame:
        frame = Store.open(self.workspace).read(table).drop(IMPORT_ID)
        return frame.sort(TABLES[table].key)

    def tables(self) -> dict[str, list[tuple]]:
        """All rows of all tables."""
        return {name: rows for name in TABLES if (rows := self.read(name).rows())}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOBISHIRO_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")

    def nobishiro(*arguments: object) -> Said:
        monkeypatch.setattr("sys.argv", ["nobishiro", *(str(argument) for argument in arguments)])
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        written = capfd.readouterr()
        return Said(code, written.out, written.err)

    return Desk(tmp_path, nobishiro)


@pytest.fixture(scope="session")
def commands() -> tuple[str, ...]:
    return tuple(command.name or "" for command in app.registered_commands)


def ledger(*rows: str) -> str:
    """A ledger of `HEADER` with these rows."""
    return "\n".join((HEADER, *rows)) + "\n"


def line(number: int, customer: int = 1, product: int = 1, day: str = "2025-04-01", quantity: str = "2") -> str:
    """One ordinary row of a ledger; the order's number is `number`."""
    return f"C{customer:03d},山田商店{customer},O{number:05d},P{product:03d},ネジ{product},{day},{quantity},{number}00"
