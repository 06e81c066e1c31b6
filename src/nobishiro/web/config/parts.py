"""What `processes.serve` starts: `python -m nobishiro.web.config.parts PART`.

* `prepare URL`: workspace, database and static files in order; the first administrator's link in one line of JSON
* `site HOST PORT WORKERS THREADS`: the pages, WSGI on granian
* `worker`: jobs and schedule
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from nobishiro.contracts.errors import NobishiroError, SettingsError, StoreError
from nobishiro.web.config.installation import Installation, read_installation

SETTINGS: Final = "nobishiro.web.config.settings"
_PR_SET_PDEATHSIG: Final = 1
_LOCK_NUMBER: Final = 7_266_473
"""PostgreSQL's advisory lock while an installation is being prepared."""


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Be sent `number` when the process that started this one is gone, however it went. Linux only."""
    if os.environ.get("NOBISHIRO_SUPERVISED") == "1" and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))


def set_up_django() -> None:
    """Django, for a process that is none of its own servers."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    import django

    django.setup()


def prepare(url: str) -> str | None:
    """Make workspace, database and static files ready; the first administrator's link, None once there is a user.

    May be run at any time and by several machines at once: one after the other does it.
    """
    from nobishiro.pipelines.upkeep import make_workspace

    installation = read_installation()
    if (installation.workspace / ".restoring").exists():
        raise StoreError(
            f"{installation.workspace}: a restore was cut short here; empty the directory and restore the backup again"
        )
    make_workspace(installation.workspace, datetime.now(ZoneInfo(installation.time_zone)).replace(tzinfo=None))
    installation.home.mkdir(mode=0o700, exist_ok=True)  # personal data lie there: for this user alone
    set_up_django()
    from django.core.management import call_command
    from django.db import OperationalError

    try:
        with _alone(installation):
            call_command("migrate", interactive=False, verbosity=0)
            collect_static(installation.home / "static")
            return _first_run_link(url)
    except OperationalError as error:
        raise SettingsError(f"NOBISHIRO_DATABASE_URL: the database does not answer ({_plain(error)})") from error


def collect_static(place: Path) -> None:
    """Static files in their final names; skipped when this version's are there already."""
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    stamp = place / ".collected"
    wanted = "".join(
        f"{path} {int(storage.get_modified_time(path).timestamp())}\n"
        for finder in get_finders()
        for path, storage in finder.list([])
    )
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    place.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted, "utf-8")


def run_site(host: str, port: int, workers: int, threads: int) -> None:
    """The pages, until SIGTERM. A request that is being answered is answered to its end."""
    die_with_parent()
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "nobishiro.web.config.warm:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=20,
    ).serve()


def run_jobs() -> None:
    """The worker, until SIGTERM."""
    die_with_parent()
    set_up_django()
    from nobishiro.web.core.jobs.worker import options_of, run_worker

    run_worker(options_of(os.environ), is_supervised=os.environ.get("NOBISHIRO_SUPERVISED") == "1")


def main(arguments: list[str]) -> int:
    """One part; 0 when it ended as asked."""
    match arguments:
        case ["prepare", url]:
            try:
                said = {"first_run_link": prepare(url) or ""}
            except NobishiroError as error:
                said = {"error": type(error).__name__, "message": str(error)}
            sys.stdout.write(json.dumps(said) + "\n")
        case ["site", host, port, workers, threads]:
            run_site(host, int(port), int(workers), int(threads))
        case ["worker"]:
            run_jobs()
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


@contextmanager
def _alone(installation: Installation) -> Iterator[None]:
    """One at a time: by PostgreSQL's own lock, by a file beside SQLite."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK_NUMBER])
        try:
            yield
        finally:
            connection.close()  # the lock goes with its session
        return
    installation.home.mkdir(parents=True, exist_ok=True)
    with (installation.home / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _first_run_link(url: str) -> str | None:
    from nobishiro.web.people.invitations import first_run_link

    return first_run_link(url)


def _plain(error: Exception) -> str:
    """The first line without whatever may name a password."""
    return str(error).partition("\n")[0].partition("://")[0][:200]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
