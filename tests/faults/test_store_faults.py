"""The store when processes are killed, disks are full and directories refuse: old or new, never a third thing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import DiskFull, StoreError
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store import Store
from nobishiro.engine.store.delta import live_files

pytestmark = pytest.mark.faults

_WRITER = Path(__file__).with_name("store_writer.py")
sys.path.insert(0, str(_WRITER.parent))
import store_writer  # noqa: E402


def _start(store: Store, *arguments: object) -> subprocess.Popen[str]:
    return _run(store.path, *arguments)


def _run(place: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(_WRITER), str(place), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output


def _state(store: Store) -> dict[str, str]:
    """Customer → who wrote it; both tables must tell the same, or a commit was seen in part."""
    customers = dict(store.read("customers").select("customer_id", "name").iter_rows())
    frame = store.read("customers")
    assert frame["import_id"].equals(frame["name"].rename("import_id")), "a row carries another import's id"
    assert frame.height == len(customers), "a key occurs twice"
    assert dict(store.read("tags").select("customer_id", "value").iter_rows()) == customers
    return customers


def _expected(*names: str) -> dict[str, str]:
    state: dict[str, str] = {}
    for name in names:
        state |= dict(store_writer.customers(name).iter_rows())
    return state


def _check_usable(store: Store, before: dict[str, str]) -> None:
    """The next import works, undo works, and Delta says the same as the log."""
    fresh = Store.open(store.path)
    store_writer.put(fresh, "afterwards")
    assert _state(fresh) == before | _expected("afterwards")
    head = fresh.head()
    assert head is not None
    for table in head.tables:
        names = sorted(Path(path).name for path in fresh.files(table.name))
        assert live_files(fresh.path / "tables" / table.name, table.version) == names
    fresh.undo("afterwards")
    assert _state(fresh) == before
    fresh.vacuum()
    assert list((fresh.path / "staging").glob("*/")) == []
    assert [path for path in (fresh.path / "commits").iterdir() if path.suffix == ".json" and path.name[0] == "."] == []


@pytest.fixture
def prepared(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "prepared")
    store_writer.put(store, "first")
    store_writer.put(store, "second")
    store_writer.publish_run(store, "r1")
    return store


_JOBS = {
    "put": ("third", ("first", "second"), ("first", "second", "third")),
    "undo": ("second", ("first", "second"), ("first",)),
    "compact-once": ("-", ("first", "second"), ("first", "second")),
    "vacuum": ("-", ("first", "second"), ("first", "second")),
}


@pytest.mark.parametrize("job", list(_JOBS))
def test_killed_at_any_step_on_the_disk_leaves_old_or_new_state(prepared: Store, tmp_path: Path, job: str) -> None:
    argument, old_names, new_names = _JOBS[job]
    old, new = _expected(*old_names), _expected(*new_names)

    shutil.copytree(prepared.path, tmp_path / "0")
    steps = int(_finish(_start(Store.open(tmp_path / "0"), job, argument, 0)))
    assert _state(Store.open(tmp_path / "0")) == new
    assert steps >= 2
    for step in range(1, steps + 1):
        shutil.copytree(prepared.path, tmp_path / str(step))
    ends = _finish(_run(tmp_path, "each", steps, job, argument)).split()
    assert ends == [str(int(signal.SIGKILL))] * steps
    seen = set()
    for step in range(1, steps + 1):
        store = Store.open(tmp_path / str(step))
        state = _state(store)
        assert state in (old, new), f"killed at step {step} of {steps}: a third state"
        seen.add("new" if state == new else "old")
        _check_usable(store, state)
    if old != new:
        assert seen == {"old", "new"}


def test_run_killed_at_any_step_is_there_whole_or_not_at_all(prepared: Store, tmp_path: Path) -> None:
    shutil.copytree(prepared.path, tmp_path / "0")
    steps = int(_finish(_start(Store.open(tmp_path / "0"), "run", "r2", 0)))
    for step in range(1, steps + 1):
        shutil.copytree(prepared.path, tmp_path / str(step))
    assert len(_finish(_run(tmp_path, "each", steps, "run", "r2")).split()) == steps
    seen = set()
    for step in range(1, steps + 1):
        store = Store.open(tmp_path / str(step))
        for run in store.runs():
            for table in run.tables:
                assert store.read_result(run.run_id, table.name)["customer_id"].to_list() == [run.version]
            assert {table.name for table in run.tables} == {"customer_features", "customer_potential"}
        seen.add(len(store.runs()))
        store_writer.publish_run(store, "last")
        latest = store.latest_run()
        assert latest is not None
        assert latest.version == "last"
    assert seen == {1, 2}


def test_killed_at_random_times_keeps_every_import_that_was_reported(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    chance = random.Random(20261121)
    for n in range(8):
        process = _start(store, "loop", f"w{n}")
        assert process.stdout is not None
        reported = [process.stdout.readline().strip()]
        time.sleep(chance.uniform(0.0, 0.4))
        process.send_signal(signal.SIGKILL)
        reported += process.communicate(timeout=60)[0].split()
        fresh = Store.open(store.path)
        made = [commit.import_id for commit in fresh.commits() if commit.kind == "import"]
        assert _state(fresh) == _expected(*made)
        mine = [name for name in made if name.startswith(f"w{n}-")]
        assert mine[: len(reported)] == reported
        assert len(mine) <= len(reported) + 1
    _check_usable(store, _state(store))


def test_writers_at_once_lose_no_row_and_readers_see_whole_commits(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "ws")
    store_writer.put(store, "start")
    writers = [_start(store, "several", f"w{n}", 8) for n in range(4)]
    helper = _start(store, "compact", 5)
    while any(process.poll() is None for process in (*writers, helper)):
        _state_of_one_commit(store)
        time.sleep(0.01)
    for process in (*writers, helper):
        _finish(process)
    made = [commit.import_id for commit in store.commits() if commit.kind == "import"]
    assert sorted(made) == sorted(["start", *(f"w{w}-{n:04d}" for w in range(4) for n in range(8))])
    assert [commit.number for commit in store.commits()] == list(range(1, len(store.commits()) + 1))
    assert _state(store) == _expected(*made)
    _check_usable(store, _state(store))


def _state_of_one_commit(store: Store) -> None:
    head = store.head()
    assert head is not None
    customers = dict(store.read("customers", head.number).select("customer_id", "name").iter_rows())
    tags = dict(store.read("tags", head.number).select("customer_id", "value").iter_rows())
    assert customers == tags


def test_writer_killed_while_it_holds_the_lock_does_not_block_the_next(prepared: Store) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path\n"
            "from nobishiro.engine.store.layout import Layout, writer_lock\n"
            "with writer_lock(Layout(Path(sys.argv[1])), 5):\n    print('held', flush=True); time.sleep(60)",
            str(prepared.path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.communicate(timeout=10)
    store_writer.put(Store.open(prepared.path, StoreSettings(lock_wait_seconds=2)), "third")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let a small disk be mounted: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _noise(count: int) -> pl.DataFrame:
    chance = random.Random(count)
    names = [f"{chance.getrandbits(800):x}" for _ in range(count)]
    return pl.DataFrame({"customer_id": [f"N{n}" for n in range(count)], "name": names})


def test_full_disk_is_said_and_leaves_the_old_state(small_disk: Path) -> None:
    store = Store.create(small_disk / "ws")
    store_writer.put(store, "first")
    old, used = _state(store), shutil.disk_usage(small_disk).used
    with store.begin("large", "import") as step, pytest.raises(DiskFull, match="no space left"):
        for n in range(20):
            step.upsert("customers", _noise(20_000).with_columns(customer_id=pl.col("customer_id") + f"-{n}"))
        step.commit()
    assert _state(Store.open(store.path)) == old
    assert shutil.disk_usage(small_disk).used <= used + 16_384
    _check_usable(store, old)


def test_disk_that_fills_at_any_point_of_a_commit_leaves_old_or_new_state(small_disk: Path) -> None:
    store = Store.create(small_disk / "ws")
    store_writer.put(store, "first")
    filler, full, whole = small_disk / "filler", 0, 0
    names = ["first"]
    for free in range(0, 200_000, 8_192):
        room = shutil.disk_usage(small_disk).free - free
        filler.write_bytes(b"\0" * max(room, 0))
        name = f"at-{free}"
        try:
            store_writer.put(Store.open(store.path), name)
            names.append(name)
            whole += 1
        except DiskFull:
            full += 1
        assert _state(Store.open(store.path)) == _expected(*names)
        filler.unlink()
    assert full > 0
    assert whole > 0
    _check_usable(store, _expected(*names))


def test_directory_that_cannot_be_written_is_read_and_the_remedy_is_said(small_disk: Path) -> None:
    store = Store.create(small_disk / "ws")
    store_writer.put(store, "first")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    fresh = Store.open(store.path)
    assert _state(fresh) == _expected("first")
    with pytest.raises(StoreError, match="give this user write permission"):
        store_writer.put(fresh, "second")
    with pytest.raises(StoreError, match="give this user write permission"):
        fresh.undo("first")
    with pytest.raises(StoreError, match="give this user write permission"):
        Store.create(small_disk / "other")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the read-only mount above covers it")
def test_directory_without_permission_says_the_remedy(prepared: Store) -> None:
    prepared.path.chmod(0o555)
    (prepared.path / "staging").chmod(0o555)
    try:
        with pytest.raises(StoreError, match="give this user write permission"):
            store_writer.put(prepared, "third")
    finally:
        prepared.path.chmod(0o755)
        (prepared.path / "staging").chmod(0o755)


def test_damaged_commit_is_named(prepared: Store) -> None:
    (prepared.path / "commits" / "00000002.json").write_text("{")
    with pytest.raises(StoreError, match=r"00000002.json: the commit cannot be read"):
        Store.open(prepared.path).head()
