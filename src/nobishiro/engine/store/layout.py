"""Where everything lies in a workspace directory, and the lock that lets one writer publish at a time.

nobishiro.json            schema version, when it was made
lock                      flock; the system frees it when its holder dies
tables/<table>/           one Delta table per canonical table
commits/00000042.json     the commit log: what readers go by
imports/<import_id>/      commit.json and replaced/*.parquet, the rows the import replaced or removed
runs/000007/              result tables and run.json
staging/<token>/          what a writer prepares before it takes the lock; swept when its owner is dead
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nobishiro.contracts.errors import BadInput, WorkspaceBusy

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_POLL_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one workspace; makes no directory by itself."""

    path: Path

    @property
    def marker(self) -> Path:
        """The file that makes a directory a workspace."""
        return self.path / "nobishiro.json"

    @property
    def commits(self) -> Path:
        """The commit log."""
        return self.path / "commits"

    @property
    def runs(self) -> Path:
        """Published runs."""
        return self.path / "runs"

    @property
    def staging(self) -> Path:
        """What is being prepared."""
        return self.path / "staging"

    def table(self, name: str) -> Path:
        """The Delta table's directory."""
        return self.path / "tables" / name

    def import_directory(self, import_id: str) -> Path:
        """Where an import's pointer and the rows it replaced lie."""
        return self.path / "imports" / import_id

    def make_directories(self) -> None:
        """Bring every directory into being that a writer needs."""
        for name in ("tables", "commits", "imports", "runs", "staging"):
            (self.path / name).mkdir(exist_ok=True)


def check_name(name: str, what: str) -> None:
    """Pass when `name` can be a directory's name on every system; `BadInput` otherwise."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{what} {name[:120]!r} cannot be used: 1 to 120 letters, digits, dots, underscores and hyphens, "
            f"beginning with a letter or a digit"
        )


@contextmanager
def writer_lock(layout: Layout, wait_seconds: float) -> Iterator[None]:
    """Hold the workspace's lock; `WorkspaceBusy` when another holds it longer than `wait_seconds`.

    The lock is advisory (flock) and belongs to the open file, so it also keeps two threads apart and falls to the next
    one when its holder is killed. Network file systems without flock are not supported.
    """
    handle = os.open(layout.path / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + wait_seconds
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                raise WorkspaceBusy(
                    f"{layout.path}: another process has been writing for more than {wait_seconds:g} seconds; wait for "
                    f"it to end, or raise store.lock_wait_seconds"
                )
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


class Staging:
    """A directory of one writer's own, held by a lock so that others can tell when its owner is dead."""

    def __init__(self, layout: Layout) -> None:
        layout.make_directories()
        token = secrets.token_hex(8)
        self.path: Final = layout.staging / token
        self._lock_path: Final = layout.staging / f"{token}.lock"
        # The lock comes before the directory: a sweeper that sees the directory can rely on the lock.
        self._handle: int | None = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            self.path.mkdir()
        except BaseException:
            self.close()
            raise

    def new_path(self, stem: str) -> Path:
        """A path nobody has used, for one Parquet file."""
        return self.path / f"{stem}-{secrets.token_hex(8)}.parquet"

    def close(self) -> None:
        """Discard what was not published; may be called twice."""
        if self._handle is None:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = None


def sweep_staging(layout: Layout) -> int:
    """Remove what dead writers left behind and return how many there were; call with the writer lock held."""
    swept = 0
    for directory in sorted(layout.staging.iterdir()):
        if not directory.is_dir():
            continue
        lock_path = directory.with_name(f"{directory.name}.lock")
        handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if _try_lock(handle):
                shutil.rmtree(directory, ignore_errors=True)
                lock_path.unlink(missing_ok=True)
                swept += 1
        finally:
            os.close(handle)
    return swept


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
