"""Files for people that appear whole or not at all, and the words for what can go wrong while they are written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter

from nobishiro.contracts.errors import DiskFull, FileNotUsable

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_WORDS: Final = ("no space left", "os error 28", "disk quota exceeded", "os error 122")


@contextmanager
def whole_file(path: Path, remedy: str = "choose another directory") -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place when the block ends well and is gone when it does not.

    Raises `DiskFull`, and `FileNotUsable` with `remedy` when nothing can be written there, in whatever way Polars and
    XlsxWriter tell of it.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    except (OSError, pl.exceptions.ComputeError, xlsxwriter.exceptions.FileCreateError) as error:
        words = str(error).lower()
        if getattr(error, "errno", None) in _FULL or any(full in words for full in _FULL_WORDS):
            raise DiskFull(f"{path}: no space left; nothing was written. Free some space and repeat") from error
        if isinstance(error, pl.exceptions.ComputeError) and "os error" not in words:
            raise
        said = getattr(error, "strerror", None) or error
        raise FileNotUsable(f"{path}: cannot be written ({said}); {remedy}") from error
    finally:
        part.unlink(missing_ok=True)
