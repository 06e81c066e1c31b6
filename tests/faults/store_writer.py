"""A process that writes to a workspace, started by `test_store_faults.py` to be killed or to race others.

store_writer.py WORKSPACE JOB [ARGUMENT …]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from nobishiro.engine.settings import StoreSettings
from nobishiro.engine.store import Store


def customers(name: str, count: int = 50) -> pl.DataFrame:
    """Customers every import writes again under its own name, and some of its own."""
    shared = [f"S{n:03d}" for n in range(count)]
    own = [f"{name}-{n:03d}" for n in range(count)]
    return pl.DataFrame({"customer_id": shared + own, "name": [name] * (2 * count)})


def tags(name: str, count: int = 50) -> pl.DataFrame:
    """The same customers in another table: only a commit cut in two could tell them apart."""
    frame = customers(name, count)
    return pl.DataFrame({"customer_id": frame["customer_id"], "value": frame["name"]}).with_columns(tag=pl.lit("what"))


def put(store: Store, name: str) -> None:
    """One import of both tables."""
    with store.begin(name, "import") as step:
        step.upsert("customers", customers(name))
        step.upsert("tags", tags(name))
        step.commit()


def publish_run(store: Store, name: str) -> None:
    """One run with two result tables."""
    frame = pl.DataFrame({"customer_id": [name]})
    with store.new_run(date(2026, 11, 21), "{}", name) as run:
        run.write("customer_features", frame)
        run.write("customer_potential", frame)
        run.publish()


def die_at(step: int) -> Callable[[], int]:
    """Kill this process at its `step`-th step on the disk (never when 0); returns how to ask for the steps so far."""
    taken = 0

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal taken
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    from nobishiro.engine.store import changes, delta, layout, publication, undo, upkeep

    for owner, name in (
        (os, "fsync"), (os, "link"), (os, "rename"), (Path, "rename"), (Path, "replace"), (Path, "unlink"),
        (changes, "write_rows"), (undo, "write_rows"), (upkeep, "write_rows"), (publication, "sync_directory"),
        (delta.DeltaTable, "create_write_transaction"), (delta, "_sync_log"), (layout.shutil, "rmtree"),
    ):  # fmt: skip
        setattr(owner, name, counted(getattr(owner, name)))
    return lambda: taken


def die_at_each(copies: Path, steps: str, job: str, argument: str) -> None:
    """Do the job in the copies `1`, `2` … of a workspace, each killed one step later; prints what ended each.

    Forked from one process that has imported everything and used no thread pool yet: starting Python takes longest.
    """
    for step in range(1, int(steps) + 1):
        child = os.fork()
        if child == 0:
            try:
                main(str(copies / str(step)), job, argument, str(step))
            finally:
                os._exit(0)
        print(os.WTERMSIG(os.waitpid(child, 0)[1]), flush=True)


def main(workspace: str, job: str, *arguments: str) -> None:
    """Do one job."""
    if job == "each":
        die_at_each(Path(workspace), *arguments)
        return
    keep = 1 if job == "vacuum" else 200
    store = Store.open(Path(workspace), StoreSettings(lock_wait_seconds=60, compact_above_files=6, keep_commits=keep))
    if job == "loop":
        for n in range(1000):
            put(store, f"{arguments[0]}-{n:04d}")
            print(f"{arguments[0]}-{n:04d}", flush=True)
    elif job == "several":
        for n in range(int(arguments[1])):
            put(store, f"{arguments[0]}-{n:04d}")
    elif job == "compact":
        for _ in range(int(arguments[0])):
            store.compact()
            store.vacuum()
    else:
        steps = die_at(int(arguments[1]))
        {
            "put": lambda: put(store, arguments[0]),
            "undo": lambda: store.undo(arguments[0]),
            "compact-once": store.compact,
            "vacuum": store.vacuum,
            "run": lambda: publish_run(store, arguments[0]),
        }[job]()
        print(steps(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
