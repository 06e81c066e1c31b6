"""The processes of one installation on one machine: made ready, started, watched, started again, stopped.

`serve` stays small: it imports neither Django nor the engine. Everything it starts is `nobishiro.web.config.parts`.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from nobishiro.contracts import errors
from nobishiro.contracts.errors import NobishiroError, SettingsError
from nobishiro.web.config.installation import Installation, read_installation

_LOGGER: Final = logging.getLogger("nobishiro.serve")
PARTS: Final = ("site", "worker")
SUPERVISED: Final = "NOBISHIRO_SUPERVISED"
"""Set for children: they end when the process that started them is gone."""
_GRACE_SECONDS: Final = 28.0
"""More than a worker's own (`WorkerSettings.grace_seconds`), so that it can hand back what it holds."""
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0
_STEADY_SECONDS: Final = 60.0
"""A child that lived so long was well: its next start waits the shortest time again."""
_TRIES_TO_BEGIN: Final = 4


@dataclass(slots=True)
class _Child:
    """One part: its process while it lives, and when it may be started again."""

    part: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    wait: float = _FIRST_WAIT
    deaths: int = 0

    def start(self, environment: Mapping[str, str]) -> None:
        """Begin, in a session of its own: Ctrl+C reaches the supervisor alone, and what is left over can be swept."""
        self.process = subprocess.Popen(self.command, env=dict(environment), start_new_session=True)  # noqa: S603 - our own module
        self.started = time.monotonic()

    def look(self) -> bool:
        """Whether it lives; where it has died, its leftovers are swept and the next start is set."""
        if self.process is None:
            return False
        code = self.process.poll()
        if code is None:
            return True
        self.kill()
        self.process = None
        self.deaths += 1
        lived = time.monotonic() - self.started
        self.wait = _FIRST_WAIT if lived >= _STEADY_SECONDS else min(self.wait * 2, _LONGEST_WAIT)
        self.start_at = time.monotonic() + self.wait
        _LOGGER.warning("%s ended with code %s; it is started again in %.1f s", self.part, code, self.wait)
        return False

    def ask_to_stop(self) -> None:
        """SIGTERM to its first process, which sees to its own."""
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.terminate()

    def kill(self) -> None:
        """SIGKILL to everything it started."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


@dataclass(slots=True)
class _House:
    """What runs, and whether it is to stop."""

    children: list[_Child]
    environment: dict[str, str]
    stop: threading.Event = field(default_factory=threading.Event)

    def look_after(self) -> None:
        """Start what is not running and may be."""
        for child in self.children:
            if not child.look() and child.process is None and time.monotonic() >= child.start_at:
                child.start(self.environment)

    def close(self) -> None:
        """Stop all: politely first."""
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + _GRACE_SECONDS
        for child in self.children:
            if child.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, deadline - time.monotonic()))
                child.kill()
                child.process.wait(10)


def serve(
    installation_environment: Mapping[str, str],
    host: str,
    port: int,
    *,
    ready: Callable[[str], None],
    first_link: Callable[[str], None] = lambda link: None,
    workers: int = 1,
    threads: int | None = None,
    parts: tuple[str, ...] = PARTS,
    stop: threading.Event | None = None,
) -> None:
    """Run the parts until SIGINT, SIGTERM or `stop`; `ready` is called with the address once it answers warm.

    `installation_environment` holds the variables of `installation.py`; NOBISHIRO_DEMO counts only there, not where this
    process was started. Port 0 takes a free one. Where there is no user yet, `first_link` gets the one-time link by which the
    first administrator is made. A part that dies is started again, each time after a longer wait. Raises `SettingsError` for
    a port that is taken, and whatever stands in the way of preparing: `StoreError`, `WorkspaceTooNew`.
    """
    threads = threads or max(4, 2 * (os.cpu_count() or 1))
    port = port if "site" not in parts else _free_port(host, port)
    environment = {name: value for name, value in os.environ.items() if name != "NOBISHIRO_DEMO"}
    environment |= installation_environment
    environment |= {"DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings", SUPERVISED: "1", "PYTHONUNBUFFERED": "1"}
    installation = read_installation(environment)
    url = _address(installation, host, port)
    environment.setdefault("NOBISHIRO_ADDRESS", url)
    link = _prepare(environment, url)
    house = _House([_child(part, host, port, workers, threads) for part in parts], environment)
    if stop is not None:
        house.stop = stop
    with _stopped_by_signals(house.stop):
        try:
            house.look_after()
            if "site" in parts:
                _wait_until_warm(house, installation, host, port)
            if not house.stop.is_set():
                if link:
                    first_link(link)
                ready(url)
            while not house.stop.wait(0.25):
                house.look_after()
        finally:
            house.close()


def _child(part: str, host: str, port: int, workers: int, threads: int) -> _Child:
    command = [sys.executable, "-m", "nobishiro.web.config.parts", part]
    if part == "site":
        command += [host, str(port), str(workers), str(threads)]
    return _Child(part, command)


def _prepare(environment: Mapping[str, str], url: str) -> str:
    """Bring directory, database and static files in order in a process of its own; the first administrator's link or ""."""
    command = [sys.executable, "-m", "nobishiro.web.config.parts", "prepare", url]
    done = subprocess.run(command, env=dict(environment), stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own module
    try:
        said = json.loads(done.stdout.decode().strip().rpartition("\n")[2])
    except ValueError:
        raise SettingsError(
            "the site could not be made ready; the reason stands above, in what the preparation said"
        ) from None
    if "error" in said:
        kind = getattr(errors, said["error"], NobishiroError)
        raise kind(said["message"])
    return str(said["first_run_link"])


def _wait_until_warm(house: _House, installation: Installation, host: str, port: int) -> None:
    while not house.stop.wait(0.1):
        house.look_after()
        if _answers(installation, host, port):
            return
        site = next(child for child in house.children if child.part == "site")
        if site.deaths >= _TRIES_TO_BEGIN:
            raise SettingsError("the site does not start; the reason stands above, in what it said")


def _answers(installation: Installation, host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=5)
    try:
        headers = {"Host": _first_host(installation), "X-Forwarded-Proto": "https" if installation.is_https else "http"}
        connection.request("GET", "/healthz", headers=headers)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _address(installation: Installation, host: str, port: int) -> str:
    if installation.is_https:
        return f"https://{_first_host(installation)}"
    shown = host if host not in ("0.0.0.0", "::", "") else _first_host(installation)  # noqa: S104 - compared, not bound
    return f"http://{shown}:{port}"


def _first_host(installation: Installation) -> str:
    named = [name for name in installation.hosts if not name.startswith(("*", "."))]
    return named[0] if named else "localhost"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host  # noqa: S104 - compared, not bound


def _free_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0. Asked before anything starts: two servers must not share one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"{host}:{port} cannot be had ({error.strerror}); stop what uses it or give another --port"
            ) from error
        return int(tried.getsockname()[1])


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop` meanwhile; only the main thread hears signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
