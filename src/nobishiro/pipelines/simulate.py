"""A fictional company to files or into a new workspace, labelled as simulated, its truth beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from nobishiro.contracts.errors import FileNotUsable, NotAWorkspace, StoreError, UnknownName
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.exports import export_table
from nobishiro.engine.intake.whole_file import whole_file
from nobishiro.engine.store.store import Store
from nobishiro.engine.workspace import Workspace
from nobishiro.simulation.company import SimulatedCompany, SimulationSettings, simulate_company

MARKER: Final = "simulated.json"
TRUTHS: Final = "truths"
README: Final = "README.txt"
KINDS: Final = ("csv", "parquet")
_PART: Final = 1_000_000
"""Rows written to the store at a time."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What `simulated.json` says of a workspace or a directory of files: every screen that shows it says so too."""

    business: str
    name_ja: str
    name_en: str
    customers: int
    seed: int
    as_of: date
    months: int = 36


def simulate_into(
    directory: Path, settings: SimulationSettings, at: datetime, progress: ProgressReport = no_progress
) -> Workspace:
    """A new workspace at `directory` with the company of `settings` as one import, `simulated.json` and `truths/`.

    Raises `NotAWorkspace` when the directory is there and not empty, `SettingsError` for impossible settings.
    """
    _must_be_empty(directory)
    company = simulate_company(settings, progress)
    store = Store.create(directory, at=at)
    # the label first: there must be no moment at which the data are there and the label is not
    _write_marker(directory, company)
    _write_truths(directory, company)
    rows = sum(frame.height for frame in company.tables.values())
    done = 0
    with store.begin(Store.new_import_id(at), "import", company.notes[0], at) as transaction:
        for name, frame in company.tables.items():
            for part in _parts(name, frame):
                transaction.upsert(name, part)
                done += part.height
                progress("write", done, rows)
        transaction.commit()
    return Workspace.open(store.path)


def simulate_files(
    directory: Path,
    settings: SimulationSettings,
    at: datetime,
    kind: str = "csv",
    progress: ProgressReport = no_progress,
) -> tuple[Path, ...]:
    """One file a canonical table in `directory`, with truths, label and README; returns the tables' files.

    CSV is UTF-8 with a byte order mark and Japanese headers, as `nobishiro export` writes it and `import` reads it.
    Raises `UnknownName` for another kind, `FileNotUsable` when the directory is not empty or cannot be written.
    """
    if kind not in KINDS:
        raise UnknownName(f"cannot write {kind!r} files; use one of {', '.join(KINDS)}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise FileNotUsable(f"{directory}: is not empty; name a new or an empty directory")
    except OSError as error:
        raise FileNotUsable(f"{directory}: cannot be made a directory ({error.strerror}); choose another") from error
    company = simulate_company(settings, progress)
    _write_marker(directory, company)
    _write_truths(directory, company)
    written = []
    for done, (name, frame) in enumerate(company.tables.items()):
        progress("write", done, len(company.tables))
        written.append(export_table(TABLES[name], frame, directory / f"{name}.{kind}").path)
    with whole_file(directory / README) as part:
        part.write_text(_readme(company, kind, at), "utf-8")
    return tuple(written)


def simulation_of(workspace_path: Path) -> Simulation | None:
    """What is simulated in a workspace; None where nothing says so. Raises `StoreError` for a label nobody can read."""
    path = Path(workspace_path) / MARKER
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Simulation)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"{path}: cannot be read ({error}); it says that the data are simulated: restore it"
        ) from error


def _must_be_empty(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise NotAWorkspace(f"{directory}: is not empty; name a new or an empty directory for the simulated company")


def _parts(name: str, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The frame in pieces; a group that is replaced whole (an order's lines) stays in one piece."""
    group = TABLES[name].replaced_by
    begin = 0
    while begin < frame.height:
        end = min(begin + _PART, frame.height)
        if group and end < frame.height:
            last = frame[group[0]][end - 1]
            # lines of an order are adjacent, and no order has this many
            following = frame[group[0]].slice(end, 1000)
            end += int((following == last).sum())
        yield frame.slice(begin, end - begin)
        begin = end


def _write_marker(directory: Path, company: SimulatedCompany) -> None:
    settings = company.settings
    label = Simulation(
        settings.business,
        company.name_ja,
        company.name_en,
        settings.customers,
        settings.seed,
        settings.as_of,
        settings.months,
    )
    with whole_file(directory / MARKER) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(label)))


def _write_truths(directory: Path, company: SimulatedCompany) -> None:
    folder = directory / TRUTHS
    folder.mkdir(exist_ok=True)
    for name, frame in company.truths.items():
        with whole_file(folder / f"{name}.parquet") as part:
            frame.write_parquet(part, compression="zstd")


def _readme(company: SimulatedCompany, kind: str, at: datetime) -> str:
    def listed(frames: Mapping[str, pl.DataFrame], folder: str, ending: str) -> list[str]:
        return [f"  {folder}{name}.{ending}  {frame.height:,}" for name, frame in frames.items()]

    lines = [
        f"{company.name_ja} / {company.name_en}",
        "",
        *company.notes,
        "",
        f"作成 / made: {at:%Y-%m-%d %H:%M}",
        "",
        "取り込める表(行数) / tables to import (rows):",
        *listed(company.tables, "", kind),
        "",
        "仕込んだ真実(取り込みません) / what was planted, not for import (rows):",
        *listed(company.truths, f"{TRUTHS}/", "parquet"),
        "",
        "docs/explanation/simulation.md",
        "",
    ]
    return "\n".join(lines)
