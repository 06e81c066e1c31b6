"""Worker and site killed with -9, on SQLite and a real PostgreSQL: taken over, given up, counted once, nothing lost."""

from __future__ import annotations

import http.client
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from web_house import House, a_house, wait_for

pytestmark = pytest.mark.faults

psycopg = pytest.importorskip("psycopg")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pgserver = pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python")


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE faults")
    yield server.get_uri().replace("/postgres?", "/faults?")
    server.cleanup()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else ""
    with a_house(tmp_path_factory.mktemp("house") / "ws", url) as made:
        yield made


def states(house: House, pks: list[int]) -> dict[int, str]:
    return {int(job["pk"]): str(job["state"]) for job in house.call("jobs") if job["pk"] in pks}


def end(house: House, *pids: int) -> None:
    for pid in pids:
        if house.is_alive(pid):
            house.kill(pid)
    for pid in pids:
        wait_for(lambda pid=pid: not house.is_alive(pid), 10, f"process {pid} to end")


def test_workers_killed_at_random_lose_no_job_and_count_none_twice(house: House) -> None:
    chance, before = random.Random(20261121), int(str(house.call("counted")))
    pks = house.call("enqueue", kind="test.count", times=24)
    workers = [house.start("worker", lease_seconds=1.0, slots=2) for _ in range(2)]
    deadline = time.monotonic() + 60
    while any(state != "done" for state in states(house, pks).values()):
        assert time.monotonic() < deadline, states(house, pks)
        time.sleep(chance.uniform(0.15, 0.45))
        if time.monotonic() < deadline - 52:
            victim = chance.randrange(2)
            house.kill(workers[victim])
            workers[victim] = house.start("worker", lease_seconds=1.0, slots=2)
    end(house, *workers)
    attempts = [int(job["attempts"]) for job in house.call("jobs") if job["pk"] in pks]
    assert int(str(house.call("counted"))) - before == 24
    assert max(attempts) > 1, "no worker was killed in the middle of a job"


def test_job_that_kills_its_worker_is_given_up_and_the_next_one_is_done(house: House) -> None:
    killer = house.call("enqueue", kind="test.kills_its_worker")
    other = house.call("enqueue", kind="test.count")
    workers: list[int] = []
    deadline = time.monotonic() + 30
    while states(house, killer + other) != {killer[0]: "dead", other[0]: "done"}:
        assert time.monotonic() < deadline, house.call("jobs")
        if not workers or not house.is_alive(workers[-1]):
            workers.append(house.start("worker", lease_seconds=0.8, slots=1))
        time.sleep(0.1)
    end(house, workers[-1])
    dead = next(job for job in house.call("jobs") if job["pk"] == killer[0])
    assert (dead["attempts"], dead["error"]) == (2, "!worker-died")


def test_worker_that_slept_through_its_lease_counts_nothing_when_it_wakes(house: House, tmp_path: Path) -> None:
    before = int(str(house.call("counted")))
    pks = house.call("enqueue", kind="test.count_slowly", payload={"signs": str(tmp_path), "seconds": 0.5})
    sleeper = house.start("worker", lease_seconds=1.0, slots=1)
    wait_for(lambda: (tmp_path / f"begun-{sleeper}").exists(), 20, "the first worker to begin")
    house.kill(sleeper, signal.SIGSTOP)
    awake = house.start("worker", lease_seconds=1.0, slots=1)
    wait_for(lambda: states(house, pks) == {pks[0]: "done"}, 20, "the second worker to take the job over")
    house.kill(sleeper, signal.SIGCONT)
    time.sleep(1.5)
    end(house, sleeper, awake)
    job = next(job for job in house.call("jobs") if job["pk"] == pks[0])
    assert job["result"] == {"by": awake}
    assert int(str(house.call("counted"))) - before == 1


def test_worker_told_to_stop_hands_its_job_back(house: House, tmp_path: Path) -> None:
    pks = house.call("enqueue", kind="test.asks", payload={"signs": str(tmp_path)})
    worker = house.start("worker", lease_seconds=30.0, slots=1, grace_seconds=0.3)
    wait_for(lambda: (tmp_path / f"begun-{worker}").exists(), 20, "the worker to begin")
    house.kill(worker, signal.SIGTERM)
    wait_for(lambda: not house.is_alive(worker), 10, "the worker to end")
    job = next(job for job in house.call("jobs") if job["pk"] == pks[0])
    assert (job["state"], job["attempts"]) == ("queued", 0)


class _Site:
    """`nobishiro serve`, and its address once it says so."""

    def __init__(self, house: House) -> None:
        import subprocess

        command = [sys.executable, "-m", "nobishiro.cli.main", "serve", "--port", "0", "--lang", "en"]
        environment = {**house.environment, "NOBISHIRO_LEASE_SECONDS": "1", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = 0
        for line in self.process.stdout:
            if "open http" in line:
                self.port = int(urlsplit(line.split()[1]).port or 0)
                break
        assert self.port, "the site never said that it is ready"

    def children(self, part: str) -> list[psutil.Process]:
        """Processes of one part, the first one first."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        return sorted((child for child in found if _is_part(child, part)), key=lambda child: child.pid)

    def everything(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)
        assert self.process.stdout is not None
        self.process.stdout.close()


def _is_part(process: psutil.Process, part: str) -> bool:
    try:
        return part in process.cmdline()
    except psutil.Error:
        return False


def _post(port: int, cookies: dict[str, str], name: str) -> bool:
    """Keep a list under `name`; whether the site acknowledged it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {
        "Host": "127.0.0.1", "Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items()),
        "X-CSRFToken": "a" * 32, "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    body = urlencode({"page": "jobs", "name": name, "query": "state=dead", "next": "/operation/jobs/"})
    try:
        connection.request("POST", "/lists/keep/", body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        assert answer.status in (302, 303), f"{answer.status} {answer.reason}"
        return True
    finally:
        connection.close()


def test_site_killed_amid_posts_is_back_and_has_lost_nothing_it_acknowledged(house: House) -> None:
    cookies = dict(house.call("session"))
    site = _Site(house)
    stop = threading.Event()
    try:
        acknowledged: list[str] = []
        problems: list[BaseException] = []

        def keep_posting(who: int) -> None:
            n = 0
            try:
                while not stop.is_set():
                    name = f"list-{who}-{n}"
                    n += 1
                    if _post(site.port, cookies, name):
                        acknowledged.append(name)
                    else:
                        time.sleep(0.05)
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=keep_posting, args=(who,)) for who in range(3)]
        for thread in threads:
            thread.start()
        for which in (-1, 0):  # granian's own worker, then granian itself
            time.sleep(1.0)
            have = len(acknowledged)
            victims = site.children("site")
            assert len(victims) == 2
            victims[which].kill()
            wait_for(lambda have=have: len(acknowledged) > have + 20, 40, "the site to answer again")
        worker = site.children("worker")[0]
        worker.kill()
        wait_for(lambda: any(c.pid != worker.pid for c in site.children("worker")), 20, "a new worker")
        stop.set()
        for thread in threads:
            thread.join(20)
        assert problems == []
        assert set(acknowledged) <= set(house.call("kept_lists"))
        pks = house.call("enqueue", kind="vacuum")
        wait_for(lambda: states(house, pks) == {pks[0]: "done"}, 30, "the new worker to work")
        if sys.platform == "linux":  # nobody else tells a process that its parent is gone
            left = site.everything()
            assert len(left) == 3
            site.process.kill()
            _, alive = psutil.wait_procs(left, timeout=40)
            assert alive == [], "a supervisor that was killed leaves nobody behind"
    finally:
        stop.set()
        site.close()


def test_eight_writers_and_readers_never_find_the_database_locked(tmp_path: Path) -> None:
    with a_house(tmp_path / "ws") as house:
        pids = [
            house.start("writer", name=f"w{n}", seconds=5, log=str(tmp_path / f"w{n}.log")) for n in range(8)
        ]  # fmt: skip
        pids += [house.start("reader", seconds=5, log=str(tmp_path / f"r{n}.log")) for n in range(8)]
        for pid in pids:
            wait_for(lambda pid=pid: not house.is_alive(pid), 60, "writers and readers to end")
        lines = [line for log in tmp_path.glob("*.log") for line in log.read_text().splitlines()]
        assert [line for line in lines if line.startswith("error")] == []
        names, took = zip(*(line.split() for line in lines), strict=True)
        assert set(names) == set(house.call("kept_lists"))
        seconds = sorted(float(second) for second in took)
        p99 = seconds[int(len(seconds) * 0.99)]
        print(f"{len(seconds)} writes by 8 writers beside 8 readers in 5 s, p99 {p99 * 1000:.0f} ms")
