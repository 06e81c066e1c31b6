"""`nobishiro run` as a whole process on the generated lines, put into a workspace by parts.

    python benchmarks/run.py [--scale tenth|full] [--data DIR] [--workspace DIR] [--rounds 1] [--steps]

The workspace is made when it is missing: lines with text ids (`C000123`, `P01234`, order numbers with leading zeros), a
product master with a category each (so families are given), and twenty reps; no customer master, no touches. Prints one
JSON line for the writing and one a round: wall seconds and processor seconds of all threads from starting the
interpreter to its end, and the largest resident memory. `--steps` runs the same in a child of this script and adds a
line for each step; its peak is counted anew for every step, and what the main thread spent alone cannot be shared out
over cores.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from data import CUSTOMERS, lines_path, make_lines, products_path

PARTS: Final = 30
REPS: Final = 20
AT: Final = datetime(2025, 1, 1)  # noqa: DTZ001 - on the clock of the workspace
_COMMAND: Final = "import sys; from nobishiro.cli.main import main; sys.exit(main())"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure `nobishiro run` on a workspace of the generated lines.")
    parser.add_argument("--scale", choices=tuple(CUSTOMERS), default="tenth")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--workspace", type=Path, help="default: beside the lines")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=900.0)
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    workspace: Path = arguments.workspace or arguments.data / arguments.scale / "workspace"
    if arguments.child:
        run_in_steps(workspace)
        return
    if not (workspace / "nobishiro.json").exists():
        made = [lines_path(arguments.data, arguments.scale), products_path(arguments.data, arguments.scale)]
        if not all(path.exists() for path in made):
            make_lines(arguments.data, arguments.scale, arguments.seed)
        print(json.dumps({"job": "workspace", **write_workspace(workspace, *made)}), flush=True)
    if arguments.steps:
        command = [sys.executable, sys.argv[0], "--child", "--workspace", str(workspace)]
    else:
        command = [sys.executable, "-c", _COMMAND, "run", "-w", str(workspace), "--json"]
    for number in range(arguments.rounds):
        found = run_process(command, arguments.timeout, quiet=not arguments.steps)
        print(json.dumps({"job": "run", "data": arguments.scale, "round": number + 1, **found}), flush=True)


def write_workspace(workspace: Path, lines: Path, products: Path) -> dict[str, float]:
    """One commit of everything, the lines in `PARTS` parts cut between orders. Returns what it took."""
    from nobishiro.engine.store.store import Store

    began = time.perf_counter()
    store = Store.create(workspace, at=AT)
    scanned = pl.scan_parquet(lines)
    orders = scanned.select(pl.col("order_id").max()).collect().item() + 1
    with store.begin("generated", "import", str(lines), AT) as transaction:
        transaction.upsert("products", read_products(products))
        transaction.upsert("reps", read_reps())
        for part in range(PARTS):
            low, high = orders * part // PARTS, orders * (part + 1) // PARTS
            ours = scanned.filter(pl.col("order_id").is_between(low, high, closed="left")).collect()
            transaction.upsert("order_lines", with_text_ids(ours))
        commit = transaction.commit()
    seconds = round(time.perf_counter() - began, 1)
    return {"commit": commit.number, "seconds": seconds}


def with_text_ids(lines: pl.DataFrame) -> pl.DataFrame:
    """Canonical order lines of generated ones; a product is on an order once, so every line is the first."""
    return lines.select(
        text_id("O", "order_id", 9),
        text_id("P", "product_id", 5),
        pl.lit(1, pl.Int64).alias("occurrence"),
        text_id("C", "customer_id", 6),
        "ordered_at",
        pl.col("quantity").cast(pl.Decimal(18, 3)),
        pl.col("amount").cast(pl.Decimal(18, 2)),
    )


def text_id(letter: str, column: str, digits: int) -> pl.Expr:
    """A code as companies write them: a letter and a number of fixed length."""
    return (pl.lit(letter) + pl.col(column).cast(pl.String).str.zfill(digits)).alias(column)


def read_products(path: Path) -> pl.DataFrame:
    """The product master."""
    category = pl.lit("Category ") + pl.col("category").cast(pl.String).str.zfill(3)
    return pl.read_parquet(path).select(
        text_id("P", "product_id", 5),
        (category + " article " + pl.col("product_id").cast(pl.String)).alias("name"),
        category.alias("category"),
    )


def read_reps() -> pl.DataFrame:
    """Reps with eighty hours a month; nobody is assigned to anybody."""
    return pl.DataFrame(
        {
            "rep_id": [f"R{rep:02}" for rep in range(REPS)],
            "name": [f"Rep {rep}" for rep in range(REPS)],
            "hours_per_month": [80.0] * REPS,
        }
    )


def run_process(command: Sequence[str], timeout: float, *, quiet: bool) -> dict[str, float | str]:
    """Wall and processor seconds and the peak of a process from start to end."""
    load = round(os.getloadavg()[0], 2)
    began = time.perf_counter()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        if quiet:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
        # A shell that forbids byte code makes every start compile it again, which no user's does.
        settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        os.execve(command[0], list(command), settings)
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        seconds = time.perf_counter() - began
        if done:
            break
        if seconds > timeout:
            os.kill(child, 9)
        time.sleep(0.02)
    return {
        "exit": os.waitstatus_to_exitcode(status),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss * 1024 / 1e6),
        "load_before": load,
    }


def run_in_steps(workspace: Path) -> None:
    """Run as the command does, with a line for each step."""
    from nobishiro.engine.workspace import Workspace
    from nobishiro.pipelines.recompute import recompute

    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def resident(field: str) -> int:
        line = next(line for line in status.read_text("ascii").splitlines() if line.startswith(field + ":"))
        return round(int(line.split()[1]) * 1024 / 1e6)

    def clocks() -> list[float]:
        return [time.perf_counter(), time.process_time(), time.thread_time()]

    running, began = ["start"], clocks()

    def step(name: str, done: int, total: int) -> None:
        now = clocks()
        names = ("seconds", "cpu_seconds", "main_thread_cpu_seconds")
        spent = {name: round(after - before, 2) for name, before, after in zip(names, began, now, strict=True)}
        took = {"step": running[0], **spent}
        print(json.dumps({**took, "peak_mb": resident("VmHWM"), "after_mb": resident("VmRSS")}), flush=True)
        reset.write_text("5")
        running[:], began[:] = [name], now

    recompute(Workspace.open(workspace), None, AT, step)


if __name__ == "__main__":
    main()
