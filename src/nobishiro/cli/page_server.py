"""Serve a directory of finished pages on this machine only, until stopped."""

from __future__ import annotations

import functools
import http.server
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nobishiro.contracts.errors import FileNotUsable


class _Pages(http.server.SimpleHTTPRequestHandler):
    """Finished files only: no listing of directories, no log of every request."""

    extensions_map = {  # noqa: RUF012 - the base class has it mutable
        ".html": "text/html; charset=utf-8",
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "": "application/octet-stream",
    }

    def send_head(self) -> Any:
        """The report for `/`, a file for its name."""
        if self.path.split("?")[0] == "/":
            self.path = "/report.html"
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        """Nothing: what is not a file is not there."""
        self.send_error(404)

    def end_headers(self) -> None:
        """The report is made anew in place, so that a browser must ask again."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def serve_directory(directory: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve `directory` on 127.0.0.1 until interrupted; `ready` is called with the address.

    A port that is taken is replaced by a free one. Raises `FileNotUsable` when no port can be had.
    """
    handler = functools.partial(_Pages, directory=str(directory))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        except OSError as error:
            raise FileNotUsable(
                f"no port on this machine can be had ({error.strerror}); try --port with another"
            ) from error
    with server:
        ready(f"http://127.0.0.1:{server.server_address[1]}/")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
