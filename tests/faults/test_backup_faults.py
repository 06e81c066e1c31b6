"""Backup while others write, restore, and everything that can be wrong with a backup: equal or refused, never half."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import store_writer
from web_house import House, a_house, run_command, wait_for

from nobishiro.contracts.errors import FileNotUsable, WorkspaceTooNew
from nobishiro.engine.store import Store
from nobishiro.web.core.backup.restoring import restore_backup

pytestmark = pytest.mark.faults

psycopg = pytest.importorskip("psycopg")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pgserver = pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python")

CHANGED_BY_RESTORING = {"core_auditentry", "people_companysettings"}
"""Restoring itself is written down there."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    yield server.get_uri()
    server.cleanup()


def new_database(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = new_database(request.getfixturevalue("server"), "house") if request.param == "postgresql" else ""
    with a_house(tmp_path_factory.mktemp("house") / "ws", url) as made:
        store = Store.open(made.workspace)
        store_writer.put(store, "first")
        store_writer.publish_run(store, "r1")
        yield made


@pytest.fixture
def empty_url(house: House, request: pytest.FixtureRequest) -> str:
    """Where a restore's database goes: nowhere for SQLite, a new database for PostgreSQL."""
    if not house.environment["NOBISHIRO_DATABASE_URL"]:
        return ""
    name = "".join(letter for letter in request.node.name.split("[")[0] if letter.isalnum())[:50].lower()
    return new_database(request.getfixturevalue("server"), name)


def restored(file: Path, workspace: Path, url: str) -> House:
    """The installation the backup came back as."""
    done = run_command(workspace, "restore", str(file), "-w", str(workspace), NOBISHIRO_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    return House(workspace, url)


def test_backup_under_writes_comes_back_with_equal_counts_and_hashes(
    house: House, tmp_path: Path, empty_url: str
) -> None:
    pids = [house.start("writer", name=f"b{n}", seconds=60, log=str(tmp_path / f"{n}.log")) for n in range(3)]
    importer = subprocess.Popen(
        [sys.executable, str(Path(store_writer.__file__)), str(house.workspace), "loop", "imports"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert importer.stdout is not None
    importer.stdout.readline()
    file = tmp_path / "backup.zip"
    done = house.run("backup", "--out", str(file), "-w", str(house.workspace), "--json")
    importer.kill()
    importer.communicate(timeout=20)
    for pid in pids:
        house.kill(pid)
        wait_for(lambda pid=pid: not house.is_alive(pid), 20, "writers to end")
    assert done.returncode == 0, done.stderr
    assert oct(file.stat().st_mode & 0o777) == "0o600"

    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    again = restored(file, tmp_path / "again", empty_url)
    try:
        now = dict(again.call("database"))
        for table in manifest["database"]["tables"]:
            if table["name"] not in CHANGED_BY_RESTORING:
                assert now[table["name"]] == [table["rows"], table["sha256"]], table["name"]
        lists, trail = set(again.call("kept_lists")), set(again.call("audited", verb="list.keep"))
        assert lists == trail, "a transaction is there in part"
        assert len(lists) > 10
        acknowledged = {line.split()[0] for log in tmp_path.glob("*.log") for line in log.read_text().splitlines()}
        assert lists < acknowledged, "nothing was written while the backup was made"
    finally:
        again.close()
    before, after = Store.open(house.workspace), Store.open(tmp_path / "again")
    head = after.head()
    assert head is not None
    assert head.number == manifest["store"]["commit"]
    for name in ("customers", "tags"):
        assert after.read(name).equals(before.read(name, head.number))
    assert [run.run_id for run in after.runs()] == ["000001"]
    after.undo("first")
    store_writer.put(after, "afterwards")


def test_backup_of_an_older_schema_is_brought_up_to_this_one(house: House, tmp_path: Path, empty_url: str) -> None:
    house.call("enqueue", kind="test.count")
    house.call("migrate", app="core", name="0001")
    assert "steps" not in list(house.call("columns", table="core_job"))
    try:
        file = tmp_path / "old.zip"
        done = house.run("backup", "--out", str(file), "-w", str(house.workspace))
        assert done.returncode == 0, done.stderr
    finally:
        house.call("migrate", app="core")
    again = restored(file, tmp_path / "again", empty_url)
    try:
        assert [job["kind"] for job in again.call("jobs")] == ["test.count"]
        assert len(again.call("enqueue", kind="test.count")) == 1, "numbers are given anew from behind the last one"
    finally:
        again.close()


@pytest.fixture(scope="module")
def sound(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sound") / "sound.zip"
    done = house.run("backup", "--out", str(file), "-w", str(house.workspace))
    assert done.returncode == 0, done.stderr
    return file


def rewritten(sound: Path, out: Path, name: str, content: bytes) -> Path:
    """The archive with one file's content changed."""
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.namelist():
            target.writestr(entry, content if entry == name else source.read(entry))
    return out


def test_backup_that_is_not_whole_is_refused_and_leaves_nothing(house: House, sound: Path, tmp_path: Path) -> None:
    content = sound.read_bytes()
    with zipfile.ZipFile(sound) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        database = next(name for name in archive.namelist() if name.startswith("database/"))
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    rewritten(sound, tmp_path / "changed.zip", database, b"something else")
    manifest["files"][0]["name"] = "store/../../outside"
    rewritten(sound, tmp_path / "outside.zip", "manifest.json", json.dumps(manifest).encode())
    with zipfile.ZipFile(sound) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["database"]["migrations"].append(["core", "9999_from_the_future"])
    rewritten(sound, tmp_path / "later.zip", "manifest.json", json.dumps(manifest).encode())
    manifest["format"] = 99
    rewritten(sound, tmp_path / "format.zip", "manifest.json", json.dumps(manifest).encode())
    new = tmp_path / "new"
    for name, kind, said in (
        ("cut.zip", FileNotUsable, "is no backup of Nobishiro, or not all of it"),
        ("changed.zip", FileNotUsable, "is not what the manifest says"),
        ("outside.zip", FileNotUsable, "in the archive and not in its manifest"),
        ("format.zip", WorkspaceTooNew, "made by a later version"),
        ("nowhere.zip", FileNotUsable, "there is no such file"),
    ):
        with pytest.raises(kind, match=said):
            restore_backup(tmp_path / name, new)
        assert not new.exists()
    done = house.run("restore", str(tmp_path / "later.zip"), "-w", str(new))
    assert done.returncode == 5 and "made by a later version" in done.stderr, done.stderr
    assert not new.exists()


def test_restore_overwrites_nothing(house: House, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    done = house.run("restore", str(sound), "-w", str(tmp_path / "full"), "--lang", "en")
    assert done.returncode == 5 and "is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]
    if house.environment["NOBISHIRO_DATABASE_URL"]:
        done = house.run("restore", str(sound), "-w", str(tmp_path / "new"), "--lang", "en")
        assert done.returncode == 2 and "is not empty" in done.stderr
        assert not (tmp_path / "new").exists()
        assert house.call("counted") is not None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let a small disk be mounted: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_is_said_and_leaves_no_half_backup_and_no_half_restore(
    house: House, sound: Path, small_disk: Path
) -> None:
    (small_disk / "filler").write_bytes(b"\0" * 180_000)
    done = house.run("backup", "--out", str(small_disk / "b.zip"), "-w", str(house.workspace), "--lang", "en")
    assert done.returncode == 5 and "no space left on the device" in done.stderr
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    assert not list((house.workspace / "web").glob(".backup-*"))
    done = house.run(
        "restore", str(sound), "-w", str(small_disk / "ws"), "--lang", "ja", NOBISHIRO_DATABASE_URL=""
    )  # fmt: skip
    assert done.returncode == 5 and "空き" in done.stderr
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    assert house.run("backup", "--out", str(small_disk.parent / "b.zip"), "-w", str(house.workspace)).returncode == 0
