"""The facade an analyst uses: `ws = Workspace.open("acme"); ws.analysis().positions`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from nobishiro.contracts.errors import NotEnoughHistory
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.tables import IMPORT_ID, TABLES
from nobishiro.engine.settings import Settings, read_settings
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.tunes import latest_tune

if TYPE_CHECKING:
    from nobishiro.engine.analysis import Analysis

SETTINGS_FILE: Final = "settings.toml"


class Workspace:
    """A company's facts on disk and the settings it is read with."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store: Final = store
        self.settings: Final = settings

    @classmethod
    def open(cls, path: Path | str) -> Workspace:
        """The workspace in `path`. Raises `NotAWorkspace`, `WorkspaceTooNew`, `SettingsError`."""
        settings = read_settings(Path(path) / SETTINGS_FILE)
        return cls(Store.open(Path(path), settings.store), settings)

    @classmethod
    def open_or_plan(cls, path: Path | str) -> Workspace:
        """The workspace in `path`; where the directory is empty or absent, one without rows that is not on disk yet.

        `make` brings it into being once there is something to write, so that a dry run or a file that cannot be used
        leaves nothing behind. Raises as `open`.
        """
        path = Path(path)
        settings = read_settings(path / SETTINGS_FILE)
        return cls(Store.open_or_plan(path, settings.store), settings)

    def make(self, at: datetime) -> None:
        """Bring a workspace that is not on disk yet into being; nothing happens to one that is."""
        Store.create(self.path, self.settings.store, at)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.store.path

    def read(self, table: str, at: int | None = None) -> pl.DataFrame:
        """Rows of one canonical table as of a commit, without the store's own column."""
        return self.store.read(table, at).drop(IMPORT_ID)

    def analysis(
        self, as_of: date | None = None, *, at: int | None = None, progress: ProgressReport = no_progress
    ) -> Analysis:
        """The company as of a day (exclusive; default the day after the last order line), read at one commit.

        Recommends as the latest tune chose, if there is one.

        Raises `NotEnoughHistory` when there are no order lines.
        """
        # importing and undoing need none of the numerical libraries, which take seconds to load
        from nobishiro.engine.analysis import Analysis, Inputs

        head = self.store.head()
        at = head.number if at is None and head is not None else at
        files = self.store.files("order_lines", at)
        if not files:
            raise NotEnoughHistory(
                f"{self.path}: there are no order lines yet; import some with `nobishiro import FILE`"
            )
        tuned = latest_tune(self.path)
        settings = self.settings
        if tuned is not None:
            settings = msgspec.structs.replace(settings, recommend=tuned.chosen)
        others = {
            name: frame
            for name in TABLES
            if name not in ("order_lines", "web_events") and not (frame := self.read(name, at)).is_empty()
        }
        return Analysis(
            Inputs(lines=self.store.scan("order_lines", at).drop(IMPORT_ID), tables=others, files=files),
            as_of,
            settings,
            progress=progress,
        )
