"""Files on their way in: written straight to their own place, counted while they come, refused when too large."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from nobishiro.pipelines.upload_reading import UploadLimits, clean_name

LIMITS: Final = UploadLimits()


@dataclass(slots=True)
class Received:
    """One file that came."""

    name: str
    folder: str
    size: int = 0
    problem: str = ""
    """too_large, disk_full or empty; then nothing is kept."""


def uploads_home() -> Path:
    """Where uploads lie; readable by this process alone."""
    home: Path = settings.INSTALLATION.home / "uploads"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def new_place() -> Path:
    """A new directory of a random name."""
    place = uploads_home() / secrets.token_hex(16)
    place.mkdir(mode=0o700)
    return place


def open_upload(place: Path) -> BinaryIO:
    """The upload's file, new and readable by its owner alone."""
    descriptor = os.open(place / "upload", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "wb")


class Reception(FileUploadHandler):
    """Keeps every uploaded file in a directory of its own; `received` lists them in order."""

    chunk_size = 1 << 20

    def __init__(self, max_bytes: int = LIMITS.max_bytes) -> None:
        super().__init__()
        self.max_bytes = max_bytes
        self.received: list[Received] = []
        self._stream: BinaryIO | None = None

    def new_file(self, *arguments: object, **named: object) -> None:
        """A further file begins."""
        super().new_file(*arguments, **named)  # type: ignore[arg-type]
        place = new_place()
        self.received.append(Received(clean_name(self.file_name or "file"), place.name))
        self._stream = open_upload(place)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write it down; past the limit the rest of the file is not kept."""
        current = self.received[-1]
        current.size += len(raw_data)
        if current.size > self.max_bytes:
            self._refuse("too_large")
        try:
            if self._stream is not None:
                self._stream.write(raw_data)
        except OSError:
            self._refuse("disk_full")

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        """Close it. The form only learns its name: the content is in its place already."""
        current = self.received[-1]
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if current.size == 0:
            current.problem = "empty"
            shutil.rmtree(uploads_home() / current.folder, ignore_errors=True)
        return SimpleUploadedFile(current.name, b"")

    def upload_interrupted(self) -> None:
        """Nothing is kept of an upload that broke off."""
        for file in self.received:
            shutil.rmtree(uploads_home() / file.folder, ignore_errors=True)

    def _refuse(self, problem: str) -> None:
        current = self.received[-1]
        current.problem = problem
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
            self._stream = None
        shutil.rmtree(uploads_home() / current.folder, ignore_errors=True)
        raise SkipFile
