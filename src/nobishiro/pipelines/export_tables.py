"""Tables and results of a workspace to files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nobishiro.contracts.errors import CommitNotFound, FileNotUsable, UnknownName
from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.exports import ExportReport, export_table
from nobishiro.engine.workspace import Workspace

ALL: Final = "all"


def export_tables(
    workspace: Workspace, table: str, out: Path, *, encoding: str, headers: str, at: int | None = None
) -> list[ExportReport]:
    """Write one canonical table or result to the file `out`, or every table that has rows into the directory `out`.

    Raises `UnknownName`, `CommitNotFound` when a result is wanted and nothing was computed yet, `FileNotUsable`.
    """
    if table == ALL:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileNotUsable(f"{out}: cannot be made a directory ({error.strerror}); choose another") from error
        return [
            export_table(TABLES[name], frame, out / f"{name}.csv", encoding=encoding, headers=headers)
            for name in TABLES
            if not (frame := workspace.read(name, at)).is_empty()
        ]
    if table in TABLES:
        return [export_table(TABLES[table], workspace.read(table, at), out, encoding=encoding, headers=headers)]
    if table in RESULTS:
        run = workspace.store.latest_run()
        if run is None:
            raise CommitNotFound(f"{workspace.path}: nothing was computed yet; run `nobishiro run` first")
        frame = workspace.store.read_result(run.run_id, table)
        return [export_table(RESULTS[table], frame, out, encoding=encoding, headers=headers)]
    raise UnknownName(f"there is no table {table!r}; there are {', '.join([*TABLES, *RESULTS])}, and all")
