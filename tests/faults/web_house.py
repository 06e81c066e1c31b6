"""An installation whose processes can be killed, for `test_web_faults.py` and `test_backup_faults.py`.

With NOBISHIRO_WORKSPACE set, this file as a program sets Django up once and then forks what it is told on stdin, a
line of JSON a request: {"do": "worker", "arguments": …} → {"pid": …}; {"do": "call", "name": …} → {"answer": …}.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class House:
    """One workspace with its database, and the process that forks workers and writers for it."""

    def __init__(self, workspace: Path, database_url: str = "") -> None:
        self.workspace = workspace
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NOBISHIRO_")},
            "NOBISHIRO_WORKSPACE": str(workspace),
            "NOBISHIRO_DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings",
        }
        self.pids: list[int] = []
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def ask(self, **request: object) -> dict[str, object]:
        """What the forking process answers."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        line = self._server.stdout.readline()
        assert line, "the forking process died; see its stderr above"
        answer = json.loads(line)
        assert "problem" not in answer, answer["problem"]
        return dict(answer)

    def call(self, name: str, /, **arguments: object) -> object:
        """The result of one function of `CALLS`, run in a child of its own."""
        return self.ask(do="call", name=name, arguments=arguments)["answer"]

    def start(self, do: str, **arguments: object) -> int:
        """A child that goes on by itself; its pid."""
        pid = int(str(self.ask(do=do, arguments=arguments)["pid"]))
        self.pids.append(pid)
        return pid

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Send a signal to a child this house started."""
        assert pid in self.pids
        os.kill(pid, number)

    def is_alive(self, pid: int) -> bool:
        """Whether the child has not ended."""
        return bool(self.ask(do="alive", pid=pid)["alive"])

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`nobishiro …` for this installation."""
        return run_command(self.workspace, *command, **{**self.environment, **environment})

    def close(self) -> None:
        """End every child that is left, and the forking process."""
        for pid in self.pids:
            if self.is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(20)
        assert self._server.stdout is not None
        self._server.stdout.close()


def run_command(workspace: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`nobishiro …` with this environment, in English unless it says otherwise."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NOBISHIRO_")}
    return subprocess.run(
        [sys.executable, "-m", "nobishiro.cli.main", *command],
        env={**own, "NOBISHIRO_WORKSPACE": str(workspace), "NOBISHIRO_LANG": "en", **environment},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


@contextmanager
def a_house(workspace: Path, database_url: str = "") -> Iterator[House]:
    """A prepared one."""
    house = House(workspace, database_url)
    try:
        house.call("prepare")
        yield house
    finally:
        house.close()


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once `condition` holds; fail when it does not for long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)


# --- below runs in the forking process and its children ---------------------------------------------------------------


_PAUSE = 0.02
"""Between two writes or reads of one process: without it sixteen of them measure the scheduler of two cores."""


def _declare_kinds() -> None:
    from django.db.models import F

    from nobishiro.web.core.jobs.context import fenced_transaction
    from nobishiro.web.core.jobs.registry import JobContext, job
    from nobishiro.web.people.models import CompanySettings

    def add_one() -> None:
        CompanySettings.objects.update(referral_sla_days=F("referral_sla_days") + 1)

    @job("test.count", max_attempts=1000)
    def count(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
        for n in range(5):
            time.sleep(0.02)
            context.progress("work", n, 10)
        with fenced_transaction(context, "count") as is_new:
            if is_new:
                add_one()
                time.sleep(0.02)
        time.sleep(0.08)
        return {}

    @job("test.count_slowly", max_attempts=5)
    def count_slowly(context: JobContext, payload: dict[str, object]) -> dict[str, object]:
        (Path(str(payload["signs"])) / f"begun-{os.getpid()}").touch()
        deadline = time.monotonic() + float(str(payload["seconds"]))
        while time.monotonic() < deadline:
            time.sleep(0.02)
        with fenced_transaction(context):  # no step: whoever came here twice would count twice
            add_one()
        return {"by": os.getpid()}

    @job("test.asks", max_attempts=5)
    def asks(context: JobContext, payload: dict[str, object]) -> None:
        (Path(str(payload["signs"])) / f"begun-{os.getpid()}").touch()
        while True:
            time.sleep(0.02)
            context.progress("work", 0, 0)

    @job("test.kills_its_worker", max_attempts=2)
    def kills(context: JobContext, payload: dict[str, object]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def _worker(arguments: dict[str, object]) -> None:
    from nobishiro.web.core.jobs.worker import WorkerSettings, run_worker

    run_worker(WorkerSettings(poll_seconds=0.05, schedule_seconds=0, **arguments))  # type: ignore[arg-type]


def _writer(arguments: dict[str, object]) -> None:
    """Write pairs of rows until stopped; says in a file what was acknowledged and how long each took."""
    from django.db import transaction

    from nobishiro.web.core.audit import record
    from nobishiro.web.core.models import SavedList
    from nobishiro.web.people.models import User

    name, ends = str(arguments["name"]), time.monotonic() + float(str(arguments["seconds"]))
    user = User.objects.get()
    with Path(str(arguments["log"])).open("w", buffering=1) as log:
        n = 0
        while time.monotonic() < ends:
            begun = time.monotonic()
            try:
                with transaction.atomic():
                    SavedList.objects.create(owner=user, page="faults", name=f"{name}-{n}")
                    record(None, "list.keep", f"{name}-{n}")
            except Exception as error:
                log.write(f"error {error}\n")
                continue
            log.write(f"{name}-{n} {time.monotonic() - begun:.6f}\n")
            n += 1
            time.sleep(_PAUSE)


def _reader(arguments: dict[str, object]) -> None:
    from nobishiro.web.core.models import SavedList

    ends = time.monotonic() + float(str(arguments["seconds"]))
    with Path(str(arguments["log"])).open("w", buffering=1) as log:
        while time.monotonic() < ends:
            try:
                list(SavedList.objects.order_by("-pk")[:50])
            except Exception as error:
                log.write(f"error {error}\n")
            time.sleep(_PAUSE)


def _prepare() -> None:
    from nobishiro.web.config.parts import prepare
    from nobishiro.web.core.permissions import Role
    from nobishiro.web.people.models import CompanySettings, User

    prepare("http://127.0.0.1")
    User.objects.create_user("admin@example.jp", "管理 花子", Role.ADMINISTRATOR)
    CompanySettings.objects.update_or_create(pk=1, defaults={"referral_sla_days": 0})


def _session() -> dict[str, str]:
    """Cookies of somebody signed in."""
    from django.conf import settings
    from django.contrib.auth import login
    from django.contrib.sessions.backends.db import SessionStore
    from django.http import HttpRequest

    from nobishiro.web.people.models import User

    request = HttpRequest()
    request.session = SessionStore()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    login(request, User.objects.get(), backend="allauth.account.auth_backends.AuthenticationBackend")
    request.session.save()
    return {settings.SESSION_COOKIE_NAME: str(request.session.session_key), settings.CSRF_COOKIE_NAME: "a" * 32}


def _enqueue(kind: str, times: int = 1, payload: dict[str, object] | None = None) -> list[int]:
    from nobishiro.web.core.jobs.queue import enqueue

    return [enqueue(kind, payload or {}).pk for _ in range(times)]


def _jobs() -> list[dict[str, object]]:
    from nobishiro.web.core.models import Job

    return list(Job.objects.order_by("pk").values("pk", "kind", "state", "attempts", "error", "result", "steps"))


def _counted() -> int:
    from nobishiro.web.people.models import CompanySettings

    return CompanySettings.objects.get().referral_sla_days


def _kept_lists() -> list[str]:
    from nobishiro.web.core.models import SavedList

    return list(SavedList.objects.values_list("name", flat=True))


def _audited(verb: str) -> list[str]:
    from nobishiro.web.core.models import AuditEntry

    return list(AuditEntry.objects.filter(verb=verb).values_list("subject", flat=True))


def _database() -> dict[str, object]:
    """Rows and hashes of every table, as a backup would say."""
    import tempfile

    from nobishiro.contracts.protocols import no_progress
    from nobishiro.web.core.backup.snapshot import new_snapshot

    snapshot = new_snapshot()
    snapshot.begin()
    with tempfile.TemporaryDirectory() as place:
        entry, _ = snapshot.copy(Path(place), no_progress)
    snapshot.close()
    return {table.name: [table.rows, table.sha256] for table in entry.tables}


def _migrate(app: str, name: str = "") -> None:
    """To the migration of that name, or to the newest."""
    from django.core.management import call_command

    call_command("migrate", app, *([name] if name else []), interactive=False, verbosity=0)


def _columns(table: str) -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


CALLS: dict[str, Callable[..., object]] = {
    "prepare": _prepare, "session": _session, "enqueue": _enqueue, "jobs": _jobs, "counted": _counted,
    "kept_lists": _kept_lists, "audited": _audited, "database": _database, "migrate": _migrate, "columns": _columns,
}  # fmt: skip
CHILDREN: dict[str, Callable[[dict[str, object]], None]] = {"worker": _worker, "writer": _writer, "reader": _reader}


def _fork(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.dup2(2, 1)
            work()
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def _called(name: str, arguments: dict[str, object]) -> object:
    """Run in a child, so that this process never holds a connection that a fork would share."""
    read, write = os.pipe()

    def work() -> None:
        answer = CALLS[name](**arguments)
        with os.fdopen(write, "w") as pipe:
            json.dump(answer, pipe)

    pid = _fork(work)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    if status:
        raise RuntimeError(f"{name} failed; see stderr")
    return json.loads(said) if said else None


def _alive(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


def main() -> None:
    """Answer requests until stdin ends."""
    import django

    django.setup()
    _declare_kinds()
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, object]
        try:
            match request["do"]:
                case "call":
                    answer = {"answer": _called(request["name"], request["arguments"])}
                case "alive":
                    answer = {"alive": _alive(request["pid"])}
                case do:
                    child, arguments = CHILDREN[do], request["arguments"]
                    answer = {"pid": _fork(lambda: child(arguments))}  # noqa: B023 - forked at once
        except Exception as error:
            answer = {"problem": repr(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
