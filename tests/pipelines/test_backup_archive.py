"""The archive of a backup: one commit, whole or not at all, and every byte checked when it is unpacked."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import FileNotUsable
from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store import Store
from nobishiro.pipelines.backup import (
    FORMAT,
    Manifest,
    Part,
    pin_store,
    read_manifest,
    unfinished_archives,
    unpack_archive,
    write_archive,
)

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def put(store: Store, name: str, *codes: str) -> None:
    with store.begin(name, "import") as step:
        step.upsert("customers", pl.DataFrame({"customer_id": list(codes), "name": [name] * len(codes)}))
        step.commit()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(tmp_path / "ws", StoreSettings(keep_commits=1))
    put(made, "first", "1", "2")
    with made.new_run(date(2026, 11, 21), "{}", "0.1") as run:
        run.write("customer_features", pl.DataFrame({"customer_id": ["1"]}))
        run.publish()
    put(made, "second", "2", "3")
    (made.path / "settings.toml").write_text("")
    (made.path / "web").mkdir()
    (made.path / "web" / "secret-key").write_text("never in a backup")
    return made


def back_up(store: Store, tmp_path: Path, *extra: Part) -> tuple[Path, Manifest]:
    pinned = pin_store(store.path, tmp_path / "scratch")
    out = tmp_path / "b.zip"
    return out, write_archive(out, [*pinned.parts, *extra], Manifest(FORMAT, "0.1", AT, pinned.entry))


def test_unpacked_store_has_the_same_rows_runs_and_undo(store: Store, tmp_path: Path) -> None:
    out, manifest = back_up(store, tmp_path)
    assert (manifest.store.commit, manifest.store.runs, manifest.store.rows) == (2, ("000001",), {"customers": 3})
    assert read_manifest(out) == manifest == unpack_archive(out, tmp_path / "new")
    again = Store.open(tmp_path / "new" / "store")
    assert again.read("customers").equals(store.read("customers"))
    assert again.read_result("000001", "customer_features")["customer_id"].to_list() == ["1"]
    again.undo("second")
    assert dict(again.read("customers").select("customer_id", "name").iter_rows()) == {"1": "first", "2": "first"}
    put(again, "third", "9")


def test_archive_holds_neither_the_key_nor_files_of_commits_gone_by(store: Store, tmp_path: Path) -> None:
    put(store, "third", "1", "2", "3", "4")
    out, _ = back_up(store, tmp_path)
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
    assert not [
        name for name in names if "secret" in name or name.startswith(("store/web", "store/staging", "store/lock"))
    ]
    live = {Path(path).name for number in (1, 3) for path in store.files("customers", number)}
    assert {Path(name).name for name in names if name.startswith("store/tables/") and "_delta_log" not in name} == live


def test_pinned_files_stay_when_the_workspace_lets_go_of_them(store: Store, tmp_path: Path) -> None:
    pinned = pin_store(store.path, tmp_path / "scratch")
    put(store, "third", "1", "2", "3")
    store.vacuum()
    out = tmp_path / "b.zip"
    write_archive(out, pinned.parts, Manifest(FORMAT, "0.1", AT, pinned.entry))
    unpack_archive(out, tmp_path / "new")
    assert Store.open(tmp_path / "new" / "store").read("customers").height == 3


def test_a_backup_overwrites_none(store: Store, tmp_path: Path) -> None:
    out, _ = back_up(store, tmp_path)
    before = out.read_bytes()
    with pytest.raises(FileNotUsable, match="is there already"):
        write_archive(out, [], Manifest(FORMAT, "0.1", AT, read_manifest(out).store))
    assert out.read_bytes() == before


def test_failure_midway_leaves_no_file(store: Store, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        raise Stopped

    pinned = pin_store(store.path, tmp_path / "scratch")
    with pytest.raises(Stopped):
        write_archive(tmp_path / "out" / "b.zip", pinned.parts, Manifest(FORMAT, "0.1", AT, pinned.entry), stop)
    assert list((tmp_path / "out").iterdir()) == unfinished_archives(tmp_path / "out") == []


def test_every_changed_byte_is_found(store: Store, tmp_path: Path) -> None:
    out, manifest = back_up(store, tmp_path)
    content = bytearray(out.read_bytes())
    with zipfile.ZipFile(out) as archive:
        info = next(info for info in archive.infolist() if info.filename.endswith(".parquet"))
    content[info.header_offset + 200] ^= 1
    (tmp_path / "changed.zip").write_bytes(content)
    with pytest.raises(FileNotUsable, match="damaged"):
        unpack_archive(tmp_path / "changed.zip", tmp_path / "new")
    assert len(manifest.files) > 5
