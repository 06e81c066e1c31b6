"""A workbook's sheets as tables of text, read in a child process with a limit on memory and time.

The parser is native code that may panic, loop or ask for all the memory there is when a file is damaged or hostile; in
a child none of that reaches us. The child (`python -m nobishiro.engine.intake.workbook`) writes one Arrow file per
sheet and says which on standard output.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fastexcel
import pyarrow as pa

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge

_REFUSED: Final = 3


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet: its name, the column (from 0) its first one is, and the Arrow file with its cells."""

    name: str
    first_column: int
    file: Path


def dump_pages(
    path: Path, folder: Path, sheet: str | None, *, memory: int, seconds: float
) -> tuple[tuple[str, ...], list[Page]]:
    """The names of all sheets, and every sheet (or only the one named `sheet`, if it is there) written into `folder`.

    `memory` bounds the child's address space in bytes (0: not), `seconds` its running time. Raises `FileNotUsable` when
    the parser cannot read the file, `FileTooLarge` when it passes a limit.
    """
    told = _run(["dump", str(path), str(folder), sheet or "", str(memory)], path, seconds)
    names = tuple(str(name) for name in told[0])
    return names, [Page(str(name), int(first), folder / str(file)) for name, first, file in told[1:]]


def sheet_names(path: Path, *, memory: int, seconds: float) -> tuple[str, ...]:
    """Names of the sheets in their order; raises as `dump_pages` does."""
    return tuple(str(name) for name in _run(["names", str(path), "", "", str(memory)], path, seconds)[0])


def _run(arguments: list[str], path: Path, seconds: float) -> list[list[str | int]]:
    command = [sys.executable, "-m", __name__, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - our own module
    except subprocess.TimeoutExpired as error:
        raise FileTooLarge(
            f"{path.name} was not read within {seconds:g} seconds; save the sheet you need as CSV, or raise "
            "imports.max_workbook_seconds"
        ) from error
    if done.returncode == 0:
        told: list[list[str | int]] = json.loads(done.stdout)
        return told
    complaint = done.stderr.decode("utf-8", "replace")
    if "memory allocation" in complaint or "MemoryError" in complaint or "failed to allocate" in complaint:
        raise FileTooLarge(
            f"{path.name} needs more memory than imports.max_workbook_memory allows; save the sheet you need as CSV"
        )
    reason = complaint.strip()[:200] if done.returncode == _REFUSED else "the parser gave up on it"
    raise FileNotUsable(f"{path.name} is no readable Excel workbook ({reason}); open it in Excel and save it as .xlsx")


def _dump(path: str, folder: Path, wanted: str) -> list[list[str | int]]:
    reader = fastexcel.read_excel(path)
    names = list(reader.sheet_names)
    told: list[list[str | int]] = [[*names]]
    for number, name in enumerate(name for name in names if wanted in ("", name)):
        # skip_rows=0 keeps empty rows at the top, so that row numbers are Excel's.
        loaded = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        columns = loaded.available_columns()
        batch = loaded.to_arrow()
        file = f"{number}.arrow"
        with pa.OSFile(str(folder / file), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        told.append([name, int(columns[0].absolute_index) if columns else 0, file])
    return told


def main() -> None:
    """What the child does."""
    action, path, folder, sheet, memory = sys.argv[1:6]
    if int(memory):
        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    try:
        if action == "names":
            told: list[list[str | int]] = [list(fastexcel.read_excel(path).sheet_names)]
        else:
            told = _dump(path, Path(folder), sheet)
    except (fastexcel.FastExcelError, OSError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        sys.stderr.write(lines[0])
        sys.exit(_REFUSED)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
