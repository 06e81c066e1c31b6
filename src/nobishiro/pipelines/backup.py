"""A whole installation as one file: the store at one commit, whatever else is handed in, a manifest with the hashes.

The archive is a plain zip, so that it can be looked into with what every machine has:

    manifest.json       format, version, when, counts, and size and SHA-256 of every file
    store/…             the workspace as of its newest commit: the log, the files it and the runs name, undo records
    database/…          what people entered (`nobishiro.web.core.backup`)
    site/…              files people uploaded

It is written beside its name and linked into place when it is whole: there is never half a backup under its name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from nobishiro.contracts.errors import CommitNotFound, FileNotUsable, WorkspaceTooNew
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.engine.store.disk import TEMPORARY, disk_errors, sync_directory, sync_file
from nobishiro.engine.store.layout import Layout, writer_lock
from nobishiro.engine.workspace import Workspace

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_LEFT_OUT: Final = frozenset({"lock", "staging", "web", "tables"})
"""Not copied as they are: tables are copied file by file, the web application's home is handed in."""
_PACKED: Final = (".parquet", ".xlsx", ".zip", ".gz", ".png", ".jpg")
_CHUNK: Final = 1 << 20


class FileEntry(msgspec.Struct, frozen=True):
    """One file of the archive."""

    name: str
    bytes: int
    sha256: str


class TableEntry(msgspec.Struct, frozen=True):
    """One table of the database, as copied."""

    name: str
    rows: int
    sha256: str
    """Of its rows in the order of their key."""
    columns: tuple[str, ...] = ()


class DatabaseEntry(msgspec.Struct, frozen=True):
    """What people entered, and which schema it is in."""

    vendor: str
    """sqlite or postgresql: a backup goes back into the same kind."""
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[TableEntry, ...]

    @property
    def rows(self) -> int:
        """Rows in all tables."""
        return sum(table.rows for table in self.tables)


class StoreEntry(msgspec.Struct, frozen=True):
    """What happened."""

    commit: int | None
    runs: tuple[str, ...]
    rows: dict[str, int]
    """By canonical table."""


class Manifest(msgspec.Struct, frozen=True):
    """What the archive holds."""

    format: int
    version: str
    made_at: datetime
    store: StoreEntry
    database: DatabaseEntry | None = None
    files: tuple[FileEntry, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all files, unpacked."""
        return sum(entry.bytes for entry in self.files)


@dataclass(frozen=True, slots=True)
class Part:
    """One file to put in: its name in the archive and where it lies now."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class PinnedStore:
    """The files of one commit under names of their own, whatever is vacuumed meanwhile."""

    entry: StoreEntry
    parts: tuple[Part, ...]


def pin_store(path: Path, scratch: Path, meanwhile: Callable[[], None] = lambda: None) -> PinnedStore:
    """The workspace's files at its newest commit, linked into `scratch` (on the same disk, else copied).

    The writer lock is held for that alone. `meanwhile` is called under it: what begins a snapshot of the database there
    sees the same moment. Raises `WorkspaceBusy`, `NotAWorkspace`, `DiskFull`.
    """
    workspace = Workspace.open(path)
    store, layout = workspace.store, Layout(path.absolute())
    scratch.mkdir(parents=True, exist_ok=True)
    parts: list[Part] = []
    with disk_errors(scratch), writer_lock(layout, workspace.settings.store.lock_wait_seconds):
        meanwhile()
        head = store.head()
        runs = store.runs()
        wanted = {(state.name, entry.name) for state in (head.tables if head else ()) for entry in state.files}
        for number in {run.commit for run in runs}:
            try:
                states = store.commit(number).tables
            except CommitNotFound:
                continue
            wanted |= {(state.name, entry.name) for state in states for entry in state.files}
        parts += [_pin(layout.path, file, scratch) for file in _standing_files(layout.path)]
        for table, name in sorted(wanted):
            file = layout.table(table) / name
            if file.exists():  # of an older run's commit it may have been vacuumed; the newest commit has all
                parts.append(_pin(layout.path, file, scratch))
        rows = {state.name: state.rows for state in head.tables} if head else {}
    entry = StoreEntry(head.number if head else None, tuple(run.run_id for run in runs), rows)
    return PinnedStore(entry, tuple(parts))


def write_archive(
    out: Path, parts: Iterable[Part], manifest: Manifest, progress: ProgressReport = no_progress
) -> Manifest:
    """Write the archive, for this user's eyes only, and give back the manifest with its files.

    Whole or not at all. Raises `FileNotUsable` when `out` is there already, `DiskFull`.
    """
    if out.exists():
        raise FileNotUsable(f"{out} is there already; give the backup another name or move that one away")
    out.parent.mkdir(parents=True, exist_ok=True)
    part_path = out.parent / f"{TEMPORARY}{out.name}-{secrets.token_hex(4)}"
    parts = list(parts)
    total = sum(part.path.stat().st_size for part in parts)
    entries: list[FileEntry] = []
    try:
        with disk_errors(out.parent):
            handle = os.open(part_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                done = 0
                for part in parts:
                    entries.append(_add(archive, part))
                    done += entries[-1].bytes
                    progress("pack", done, total)
                whole = msgspec.structs.replace(manifest, files=tuple(entries))
                archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(whole), indent=1))
            sync_file(part_path)
            try:
                os.link(part_path, out)
            except FileExistsError:
                raise FileNotUsable(
                    f"{out} is there already; give the backup another name or move that one away"
                ) from None
            sync_directory(out.parent)
    finally:
        part_path.unlink(missing_ok=True)
    return whole


def read_manifest(path: Path) -> Manifest:
    """What the archive says it holds. Raises `FileNotUsable` when it is none, `WorkspaceTooNew` for a later format."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(MANIFEST)
        form = msgspec.json.decode(content, type=_Form)
        if form.format > FORMAT:
            raise WorkspaceTooNew(f"{path} was made by a later version of Nobishiro; install that version")
        return msgspec.json.decode(content, type=Manifest)
    except FileNotFoundError:
        raise FileNotUsable(f"{path}: there is no such file") from None
    except (OSError, KeyError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise FileNotUsable(f"{path} is no backup of Nobishiro, or not all of it; take another copy") from error


def unpack_archive(path: Path, into: Path, progress: ProgressReport = no_progress) -> Manifest:
    """Unpack every file below `into`, checking name, size and hash against the manifest.

    Raises `FileNotUsable` naming the first file that differs, is missing or is not in the manifest; `DiskFull`.
    """
    manifest = read_manifest(path)
    done = 0
    try:
        with disk_errors(into), zipfile.ZipFile(path) as archive:
            unknown = set(archive.namelist()) - {entry.name for entry in manifest.files} - {MANIFEST}
            if unknown:
                raise FileNotUsable(
                    f"{path}: {min(unknown)} is in the archive and not in its manifest; take another copy"
                )
            for entry in manifest.files:
                _unpack(archive, entry, into, path)
                done += entry.bytes
                progress("unpack", done, manifest.bytes)
    except (KeyError, zipfile.BadZipFile, EOFError) as error:
        raise FileNotUsable(f"{path}: the archive is damaged ({error}); take another copy") from error
    return manifest


def unfinished_archives(directory: Path) -> list[Path]:
    """What `write_archive` left in `directory` when it was killed, or is still writing."""
    return sorted(directory.glob(f"{TEMPORARY}*"))


class _Form(msgspec.Struct):
    format: int


def _standing_files(path: Path) -> list[Path]:
    """Every file that is copied as it is: all but tables' rows, locks, and what is being prepared."""
    found = []
    for child in sorted(path.iterdir()):
        if child.name in _LEFT_OUT or child.name.startswith((TEMPORARY, ".")):
            continue
        found += [child] if child.is_file() else [file for file in sorted(child.rglob("*")) if file.is_file()]
    found += [file for file in sorted((path / "tables").glob("*/_delta_log/**/*")) if file.is_file()]
    return [file for file in found if not file.name.startswith(TEMPORARY)]


def _pin(root: Path, file: Path, scratch: Path) -> Part:
    name = file.relative_to(root)
    target = scratch / name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copyfile(file, target)
    return Part(f"store/{name.as_posix()}", target)


def _add(archive: zipfile.ZipFile, part: Part) -> FileEntry:
    size, digest = 0, hashlib.sha256()
    info = zipfile.ZipInfo(part.name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED if part.name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
    info._compresslevel = 1  # type: ignore[attr-defined]  # the only way to say it for one streamed file
    info.external_attr = 0o600 << 16
    with part.path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(part.name, size, digest.hexdigest())


def _unpack(archive: zipfile.ZipFile, entry: FileEntry, into: Path, path: Path) -> None:
    name = PurePosixPath(entry.name)
    if name.is_absolute() or ".." in name.parts or "\\" in entry.name:
        raise FileNotUsable(f"{path}: {entry.name} would lie outside the workspace; this is no backup of ours")
    target = into / name
    target.parent.mkdir(parents=True, exist_ok=True)
    size, digest = 0, hashlib.sha256()
    with archive.open(entry.name) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    if (size, digest.hexdigest()) != (entry.bytes, entry.sha256):
        raise FileNotUsable(
            f"{path}: {entry.name} is not what the manifest says; the archive is damaged, take another copy"
        )
