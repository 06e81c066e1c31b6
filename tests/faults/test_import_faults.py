"""`nobishiro import` when it is killed, raced and out of space: all or nothing, and the next import works."""

from __future__ import annotations

import hashlib
import json
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

from nobishiro.contracts.tables import IMPORT_ID, TABLES
from nobishiro.engine.store import Store

pytestmark = pytest.mark.faults

ROWS = 100_000
NOBISHIRO = (sys.executable, "-c", "from nobishiro.cli.main import main; main()")


def ledger(path: Path, rows: int, first: int = 0) -> Path:
    """`rows` order lines, two an order, whose numbers begin at `first`."""
    at = pl.int_range(first, first + rows, eager=True)
    frame = pl.DataFrame(
        {
            "得意先コード": "C" + (at % 997).cast(pl.String),
            "得意先名": "山田商店" + (at % 997).cast(pl.String),
            "受注番号": "O" + (at // 2).cast(pl.String),
            "商品コード": "P" + (at % 499).cast(pl.String),
            "受注日": pl.Series(["2025-04-01"]).new_from_index(0, rows),
            "数量": at % 9 + 1,
            "金額": (at % 9 + 1) * 100,
        }
    )
    frame.write_csv(path)
    return path


def start(command: str, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "NOBISHIRO_LANG": "en", "POLARS_MAX_THREADS": "2"}
    words = [*NOBISHIRO, command, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def bring(path: Path, workspace: Path) -> dict[str, object]:
    """The document of an import that has to succeed."""
    code, out, err = finish(start("import", path, "-w", workspace, "--json"))
    assert code == 0, out + err
    return json.loads(out)


def checksum(workspace: Path) -> str:
    """Of every row of every table, whichever import wrote it."""
    store, digest = Store.open(workspace), hashlib.sha256()
    for name, table in TABLES.items():
        rows = store.read(name).drop(IMPORT_ID).sort(table.key)
        digest.update(f"{name} {rows.height} ".encode())
        digest.update(rows.hash_rows(seed=1).to_numpy().tobytes())
    return digest.hexdigest()


def litter(workspace: Path) -> list[str]:
    """What a killed import left beside the workspace's own files, once the next one has swept."""
    found = [path for path in (workspace / "staging").iterdir() if path.is_dir()]
    return [str(path) for path in found]


@pytest.mark.timeout(900)
def test_import_killed_at_twenty_random_points_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    first, big, later = (
        ledger(tmp_path / "first.csv", 2_000),
        ledger(tmp_path / "big.csv", ROWS, first=1_000),
        ledger(tmp_path / "later.csv", 100, first=5_000_000),
    )
    base, whole = tmp_path / "base", tmp_path / "whole"
    bring(first, base)
    before = checksum(base)
    shutil.copytree(base, whole)
    begun = time.monotonic()
    bring(big, whole)
    seconds = time.monotonic() - begun
    after = checksum(whole)
    bring(later, whole)
    with_later = checksum(whole)
    chance = random.Random(20261121)
    killed = 0
    for attempt in range(20):
        workspace = tmp_path / f"killed-{attempt}"
        shutil.copytree(base, workspace)
        process = start("import", big, "-w", workspace)
        # Half of the points lie in the last third, where the file is written; waiting is only to choose the point.
        low = 0.6 if attempt % 2 else 0.1
        time.sleep(seconds * chance.uniform(low, 1.05))
        process.send_signal(signal.SIGKILL)
        code, _, _ = finish(process)
        killed += code == -signal.SIGKILL
        state = checksum(workspace)
        assert state in (before, after), f"attempt {attempt} left a third thing"
        again = bring(big, workspace)
        assert again["rejected"] == 0
        assert checksum(workspace) == after
        bring(later, workspace)
        assert checksum(workspace) == with_later
        assert litter(workspace) == []
        shutil.rmtree(workspace)
    assert killed >= 5, f"only {killed} of 20 were killed before they had ended"


def raced(workspace: Path, *files: Path) -> None:
    """Import `files` at once; each succeeds, or says that another is writing and succeeds the next time."""
    processes = [start("import", path, "-w", workspace, "--json") for path in files]
    for path, process in zip(files, processes, strict=True):
        code, out, err = finish(process)
        if code != 0:
            assert code == 5 and json.loads(out)["error"] == "WorkspaceBusy", out + err
            bring(path, workspace)


def test_two_imports_of_different_files_at_once_lose_no_row(tmp_path: Path) -> None:
    one = ledger(tmp_path / "one.csv", 30_000)
    two = ledger(tmp_path / "two.csv", 30_000, first=500_000)
    alone, together = tmp_path / "alone", tmp_path / "together"
    bring(one, alone)
    bring(two, alone)
    raced(together, one, two)
    assert checksum(together) == checksum(alone)
    assert Store.open(together).read("order_lines").height == 60_000


def test_two_imports_of_the_same_file_at_once_count_it_once(tmp_path: Path) -> None:
    one = ledger(tmp_path / "one.csv", 30_000)
    alone, together = tmp_path / "alone", tmp_path / "together"
    bring(one, alone)
    raced(together, one, one)
    assert checksum(together) == checksum(alone)


def test_two_customer_files_at_once_keep_each_others_columns(tmp_path: Path) -> None:
    names = [f"C{n}" for n in range(3_000)]
    master = pl.DataFrame({"顧客コード": names, "顧客名": [f"第{n}商会" for n in range(3_000)]})
    master.write_csv(tmp_path / "master.csv")
    with_kind = master.with_columns(pl.lit("製造業").alias("業種"))
    with_kind.write_csv(tmp_path / "industry.csv")
    master.with_columns(pl.lit("東京都").alias("都道府県")).write_csv(tmp_path / "prefecture.csv")
    workspace = tmp_path / "ws"
    bring(tmp_path / "master.csv", workspace)
    raced(workspace, tmp_path / "industry.csv", tmp_path / "prefecture.csv")
    found = Store.open(workspace).read("customers")
    assert found["industry"].to_list() == ["製造業"] * 3_000
    assert found["prefecture"].to_list() == ["東京都"] * 3_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk of its own can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """A file that leaves `leave` bytes of the disk free."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * max(free - leave, 0))
    return ballast


@pytest.mark.parametrize("leave", [0, 8_192, 100_000])
def test_disk_full_during_an_import_says_so_and_leaves_the_store_as_it_was(
    small_disk: Path, tmp_path: Path, leave: int
) -> None:
    workspace = small_disk / "ws"
    bring(ledger(tmp_path / "first.csv", 2_000), workspace)
    before = checksum(workspace)
    big = ledger(tmp_path / "big.csv", ROWS, first=1_000)
    with big.open("a") as file:
        file.write("C1,山田商店1,O1,P1,never,1,100\n")
    ballast = fill(small_disk, leave)
    code, out, err = finish(start("import", big, "-w", workspace, "--rejected", small_disk / "rejected.csv"))
    assert (code, out) == (5, ""), err
    assert "no space left" in err.lower() and "Traceback" not in err
    assert checksum(workspace) == before
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "ws"]
    ballast.unlink()
    code, _, err = finish(start("import", big, "-w", workspace, "--rejected", small_disk / "rejected.csv"))
    assert code == 0, err
    assert Store.open(workspace).read("order_lines").height > ROWS


@pytest.mark.parametrize(
    "command",
    [
        ("run",),
        ("export", "order_lines", "--out", "{disk}/lines.csv"),
        ("export", "order_lines", "--out", "{disk}/lines.xlsx"),
        ("export", "order_lines", "--out", "{disk}/lines.parquet"),
        ("export", "all", "--out", "{disk}/all"),
        ("map", "{file}", "--out", "{disk}/map.xlsx"),
        ("map", "{file}", "--out", "{disk}/map.html"),
        ("map", "{file}", "--out", "{disk}/map.csv"),
        ("pairs", "{file}", "--out", "{disk}/pairs.parquet"),
    ],
    ids=lambda command: "-".join(word for word in command if "/" not in word or word.startswith("{disk}/"))[:40],
)
def test_disk_full_during_a_run_or_an_export_says_so_and_works_once_there_is_space(
    small_disk: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    workspace = small_disk / "ws"
    lines = ledger(tmp_path / "first.csv", 20_000)
    bring(lines, workspace)
    before, runs = checksum(workspace), len(Store.open(workspace).runs())
    arguments = [word.format(disk=small_disk, file=lines) for word in command]
    if "{file}" not in command:
        arguments += ["-w", str(workspace)]
    ballast = fill(small_disk, 4_096)
    places = {path.name for path in small_disk.iterdir()}
    code, out, err = finish(start(*arguments))
    assert (code, out) == (5, ""), err
    assert "no space left" in err.lower() and "Traceback" not in err
    assert checksum(workspace) == before
    assert len(Store.open(workspace).runs()) == runs
    left = {path.name for path in small_disk.iterdir()} - places
    assert left <= {"all"}
    ballast.unlink()
    code, _, err = finish(start(*arguments))
    assert code == 0, err
