"""What a file must be before anything reads it: there, a file, readable, not empty, not too large, no zip bomb."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge
from nobishiro.engine.settings import ImportSettings

MAX_ARCHIVE_ENTRIES = 10_000
"""Parts an .xlsx may have; a workbook of a hundred sheets has a few hundred."""
_RATIO_COUNTS_ABOVE = 10_000_000
"""A small workbook of equal cells packs very well; the ratio matters only for what expands beyond this."""


def check_file(path: Path, settings: ImportSettings) -> int:
    """Size of the file in bytes. Raises `FileNotUsable` or `FileTooLarge` when it cannot be read at all."""
    try:
        if path.is_dir():
            raise FileNotUsable(f"{path} is a directory; name one file in it")
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise FileNotUsable(f"{path} does not exist; check the spelling and the folder") from error
    except (PermissionError, NotADirectoryError) as error:
        raise FileNotUsable(f"{path} cannot be reached: {error.strerror}; check the folder's permissions") from error
    except (OSError, ValueError) as error:
        raise FileNotUsable(f"{path} cannot be reached: {error}") from error
    if not path.is_file():
        raise FileNotUsable(f"{path} is no regular file; save it as a file first")
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise FileNotUsable(f"{path} may not be read by this user; ask its owner or copy it")
    if size == 0:
        raise FileNotUsable(f"{path} is empty (0 bytes); export it again")
    if settings.max_file_bytes and size > settings.max_file_bytes:
        raise FileTooLarge(
            f"{path} has {size:,} bytes, more than the limit of {settings.max_file_bytes:,}; "
            "split it or raise imports.max_file_bytes"
        )
    return size


def read_head(path: Path, size: int) -> bytes:
    """The first `size` bytes. Raises `FileNotUsable`."""
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise FileNotUsable(f"{path} cannot be read: {error.strerror}") from error


def check_archive(path: Path, settings: ImportSettings) -> None:
    """Refuse a zip (an .xlsx is one) that would expand too far, before anything parses it.

    The central directory is believed first, which costs nothing; because it may lie, each part is then inflated and
    counted without being kept, stopping at the limit. Raises `FileTooLarge` or `FileNotUsable`.
    """
    packed = max(path.stat().st_size, 1)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        if len(entries) > MAX_ARCHIVE_ENTRIES:
            raise FileTooLarge(
                f"{path.name} holds {len(entries):,} parts, more than {MAX_ARCHIVE_ENTRIES:,}; "
                "save the sheet you need as CSV"
            )
        _refuse_expansion(path, sum(entry.file_size for entry in entries), packed, settings)
        expanded = 0
        with path.open("rb") as stream:
            for entry in entries:
                for size in _inflated_sizes(stream, entry):
                    expanded += size
                    _refuse_expansion(path, expanded, packed, settings)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, OSError) as error:
        raise FileNotUsable(
            f"{path.name} is a damaged archive ({error}); open it in Excel and save it again"
        ) from error


def _inflated_sizes(stream: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[int]:
    # Not through ZipFile.open: it stops at the size the directory declares, and parsers do not.
    if entry.flag_bits & 1:
        raise zipfile.BadZipFile("it is protected by a password")
    stream.seek(entry.header_offset)
    name_length, extra_length = struct.unpack("<26x2H", stream.read(30))
    stream.seek(name_length + extra_length, 1)
    if entry.compress_type == zipfile.ZIP_STORED:
        yield entry.compress_size
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile(f"compression method {entry.compress_type} is not used by Excel")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    left = entry.compress_size
    while left > 0 and not inflate.eof:
        chunk = stream.read(min(left, 1 << 16))
        if not chunk:
            raise zipfile.BadZipFile("it ends too early")
        left -= len(chunk)
        while chunk:
            yield len(inflate.decompress(chunk, 1 << 20))
            chunk = inflate.unconsumed_tail


def _refuse_expansion(path: Path, expanded: int, packed: int, settings: ImportSettings) -> None:
    ratio = expanded / packed
    if expanded > settings.max_archive_bytes:
        raise FileTooLarge(
            f"{path.name} would expand to {expanded:,} bytes, more than the limit of {settings.max_archive_bytes:,}; "
            "save the sheet you need as CSV"
        )
    if ratio > settings.max_archive_ratio and expanded > _RATIO_COUNTS_ABOVE:
        raise FileTooLarge(
            f"{path.name} would expand {ratio:,.0f} times to {expanded:,} bytes (limit {settings.max_archive_ratio:g} "
            "times), as a zip bomb does; save the sheet you need as CSV"
        )
