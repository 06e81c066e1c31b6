"""The demo's companies: each a workspace and a site of its own; the first is opened at once, the others are made behind it.

`worlds.json` beside the workspaces tells the pages what is there. Each world is made by a process of its own
(`nobishiro.web.config.world`), because a Django project shows one workspace.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from nobishiro.contracts import errors
from nobishiro.contracts.errors import NobishiroError, NotAWorkspace, SettingsError
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.web.config.processes import serve

INDEX: Final = "worlds.json"
MADE: Final = "demo-world.json"
"""In a world's directory once it is whole: what it was made with."""


@dataclass(frozen=True, slots=True)
class World:
    """One company of the demo."""

    name: str
    name_ja: str
    name_en: str
    customers: int


WORLDS: Final = (
    World("maker", "のびしろ計器（メーカー）", "Nobishiro Keiki (maker)", 800),
    World("schools", "みらい学びグループ（スクール・SaaS）", "Mirai Manabi Group (schools, SaaS)", 2_000),
    World("shop", "ひより市場（EC・店舗）", "Hiyori Market (shop)", 5_000),
)
REAL: Final = World("real", "実データ（英国のギフト卸・レポート）", "Real data (a UK gift wholesaler, as a report)", 0)


def world_named(name: str) -> World:
    """The world of that name. Raises `SettingsError` naming those there are."""
    for world in WORLDS:
        if world.name == name:
            return world
    raise SettingsError(f"there is no demo {name!r}; there are {', '.join(world.name for world in WORLDS)} and real")


def make_world(world: World, home: Path, as_of: date, progress: ProgressReport = no_progress) -> Path:
    """The world's workspace below `home`; the one of earlier today is used again, an older one is made anew.

    Raises `NotAWorkspace` where something lies that is no demo.
    """
    directory = home / world.name
    wanted = {"world": world.name, "customers": world.customers, "as_of": as_of.isoformat()}
    marker = directory / MADE
    if directory.exists() and any(directory.iterdir()):
        if not marker.is_file() and not (directory / "simulated.json").is_file():
            raise NotAWorkspace(f"{directory}: holds something that is no demo; name another place with --workspace")
        if marker.is_file() and json.loads(marker.read_text("utf-8")) == wanted:
            return directory
        shutil.rmtree(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "nobishiro.web.config.world", world.name, str(world.customers), as_of.isoformat()]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, env=os.environ | demo_environment(directory), stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as child:
        assert child.stdout is not None
        said: dict[str, object] = {}
        for line in child.stdout:
            said = json.loads(line)
            if "what" in said:
                progress(str(said["what"]), int(str(said["done"])), int(str(said["total"])))
    if "error" in said:
        kind = getattr(errors, str(said["error"]), NobishiroError)
        raise kind(said["message"])
    if child.returncode != 0:
        raise SettingsError(f"the demo {world.name} could not be made; the reason stands above")
    marker.write_text(json.dumps(wanted), "utf-8")
    return directory


def demo_environment(directory: Path) -> dict[str, str]:
    """The installation of a world: SQLite in its directory, one-click sign-in."""
    return {
        "NOBISHIRO_WORKSPACE": str(directory.absolute()),
        "NOBISHIRO_DEMO": "1",
        "NOBISHIRO_DATABASE_URL": "",
        "NOBISHIRO_HTTPS": "0",
        "NOBISHIRO_HOSTS": "localhost,127.0.0.1,[::1]",
        "DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings",
    }


@dataclass(slots=True)
class _Street:
    """Which worlds there are, and at which address each is open."""

    home: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    states: dict[str, tuple[World, str, str]] = field(default_factory=dict)

    def put(self, world: World, state: str, url: str = "") -> None:
        """Say how a world stands; the file appears whole."""
        with self.lock:
            self.states[world.name] = (world, state, url)
            listed = [
                {"name": one.name, "name_ja": one.name_ja, "name_en": one.name_en, "state": state, "url": url}
                for one, state, url in self.states.values()
            ]
            part = self.home / f".{INDEX}.part"
            part.write_text(json.dumps(listed, ensure_ascii=False, indent=1), "utf-8")
            part.replace(self.home / INDEX)


def serve_worlds(
    first: World,
    home: Path,
    as_of: date,
    port: int,
    *,
    ready: Callable[[str], None],
    make_report: Callable[[Path], Path],
    serve_report: Callable[[Path, Callable[[str], None]], None],
    with_others: bool = True,
) -> None:
    """Open `first` at `port` until stopped; the other worlds are made meanwhile, each open as soon as it is whole.

    `make_report(directory)` makes the report on real data and `serve_report(directory, said)` serves it until the process
    ends: the command line knows how. A world that cannot be made is said to be so, and the others go on.
    """
    stop, street = threading.Event(), _Street(home)
    home.mkdir(parents=True, exist_ok=True)
    street.put(first, "making")
    for world in (*WORLDS, REAL) if with_others else ():
        if world.name != first.name:
            street.put(world, "making")
    others = [world for world in WORLDS if world.name != first.name and with_others]
    threads: list[threading.Thread] = []

    def open_world(world: World, directory: Path) -> threading.Thread:
        thread = threading.Thread(
            target=serve,
            args=(demo_environment(directory), "127.0.0.1", 0),
            kwargs={"ready": lambda url: street.put(world, "ready", url), "stop": stop, "threads": 4},
            daemon=True,
            name=world.name,
        )
        thread.start()
        return thread

    def make_others() -> None:
        for world in others:
            try:
                threads.append(open_world(world, make_world(world, home, as_of)))
            except NobishiroError:
                street.put(world, "failed")
            if stop.is_set():
                return
        try:
            report = make_report(home / REAL.name)
        except NobishiroError:
            street.put(REAL, "failed")
            return
        serve_report(report, lambda url: street.put(REAL, "ready", url))

    def opened(url: str) -> None:
        street.put(first, "ready", url)
        if with_others:
            threading.Thread(target=make_others, daemon=True, name="other worlds").start()
        ready(url)

    try:
        serve(demo_environment(home / first.name), "127.0.0.1", port, ready=opened, stop=stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join(40)
