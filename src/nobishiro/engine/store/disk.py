"""Steps on the file system that happen whole or not at all, and the words for what can go wrong there."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nobishiro.contracts.errors import DiskFull, NobishiroError, StoreError

TEMPORARY: Final = ".tmp-"
"""Names that begin so are left over from a process that died; nobody reads them."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL_WORDS: Final = ("no space left", "os error 28", "disk quota exceeded", "os error 122")
_REFUSED_WORDS: Final = ("permission denied", "read-only file system", "os error 13", "os error 30", "not permitted")


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn what the system and the libraries raise about a disk into `DiskFull` or `StoreError`; the rest passes."""
    try:
        yield
    except NobishiroError:
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        words = str(error).lower()
        if number in _FULL or any(word in words for word in _FULL_WORDS):
            raise DiskFull(
                f"{place}: no space left on the device; what was being written was discarded and the workspace is as "
                f"it was. Free some space and repeat"
            ) from error
        if number in _REFUSED or any(word in words for word in _REFUSED_WORDS):
            raise StoreError(
                f"{place}: no permission to write ({error}); give this user write permission on the workspace or "
                f"copy it to a place that can be written"
            ) from error
        if isinstance(error, OSError):
            raise StoreError(f"{place}: the disk cannot be used: {error}") from error
        raise


def sync_file(path: Path) -> None:
    """Return once the file's content is on the device."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_directory(path: Path) -> None:
    """Return once the directory's names are on the device."""
    sync_file(path)


def write_exclusive(path: Path, content: bytes) -> None:
    """Bring `path` into being with `content` in one step; FileExistsError when there is one already."""
    temporary = _write_temporary(path, content)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def write_replacing(path: Path, content: bytes) -> None:
    """Give `path` new content in one step; a reader sees the old or the new."""
    temporary = _write_temporary(path, content)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _write_temporary(path: Path, content: bytes) -> Path:
    temporary = path.parent / f"{TEMPORARY}{path.name}-{secrets.token_hex(4)}"
    try:
        with temporary.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
