"""Runs one job by several peers, each in a process of its own, and prints one JSON line a run and one of ratios.

A job is a script that calls `main` with its peers:

    main(Job("pairs", load, peers, ours="nobishiro"))

`python benchmarks/<job>.py [--scale tenth|full] [--data DIR] [--peers a,b] [--rounds 3] [--timeout 300]` makes the data
when they are missing, and runs the peers one after the other, a whole round before the next, so that a busy minute of
the machine hits all of them. Timed is the work alone, by the clock and in processor time of all threads
(`cpu_seconds`, which others on the machine disturb less): reading the input (`load`) and importing and compiling
(`prepare`) are not. `peak_mb` is the largest resident memory of preparation and work above the process that holds the
loaded input; `load_before` the machine's load average.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow as pa

from data import CUSTOMERS, lines_path, make_lines

Input = TypeVar("Input")
Notes = Mapping[str, float | str]
"""What a peer says about its run: counts, parts of the time, what it leaves out."""

_MARK = "@@"


@dataclass(frozen=True, slots=True)
class Peer(Generic[Input]):
    """One way of doing the job."""

    name: str
    prepare: Callable[[Input], None]
    """Imports and compiles; not timed, its memory counts."""
    work: Callable[[Input], Notes]
    """Does the job once and says what came out; a key that ends in `_seconds` gets ratios of its own."""


@dataclass(frozen=True, slots=True)
class Job(Generic[Input]):
    """What is compared."""

    name: str
    load: Callable[[Path], Input]
    """Reads the input from the lines' Parquet file; neither timed nor counted."""
    peers: Sequence[Peer[Input]]
    ours: str
    """The peer all others are divided by."""


def nothing(_: object) -> None:
    """Prepare nothing."""


def main(job: Job[Input]) -> None:
    """Run the job as the command line says."""
    parser = argparse.ArgumentParser(description=f"Measure {job.name} against its peers.")
    parser.add_argument("--scale", choices=tuple(CUSTOMERS), default="tenth")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peers", default=",".join(peer.name for peer in job.peers))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=300.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    lines = lines_path(arguments.data, arguments.scale)
    if arguments.child:
        peer = next(peer for peer in job.peers if peer.name == arguments.child)
        print(_MARK + json.dumps(_measure(job, peer, lines)), flush=True)
        # Engines with threads of their own may hang or crash while the interpreter shuts down; the result is out.
        os._exit(0)
    if not lines.exists():
        print(
            json.dumps({"made": str(lines), **make_lines(arguments.data, arguments.scale, arguments.seed)}), flush=True
        )
    runs: dict[str, list[Notes]] = {name: [] for name in arguments.peers.split(",")}
    for number in range(arguments.rounds):
        for name in runs:
            command = [sys.executable, sys.argv[0], "--child", name]
            command += ["--scale", arguments.scale, "--data", str(arguments.data)]
            found = _run(command, arguments.threads, arguments.timeout)
            line = {"job": job.name, "data": arguments.scale, "peer": name, "round": number + 1, **found}
            print(json.dumps(line), flush=True)
            if "error" not in found:
                runs[name].append(found)
    for summary in _summaries(job.ours, runs):
        print(json.dumps({"job": job.name, "data": arguments.scale, **summary}), flush=True)


def _measure(job: Job[Input], peer: Peer[Input], lines: Path) -> dict[str, float | str]:
    source = job.load(lines)
    gc.collect()
    pa.default_memory_pool().release_unused()
    loaded = _reset_peak()
    peer.prepare(source)
    began, began_cpu = time.perf_counter(), time.process_time()
    notes = peer.work(source)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    return {
        "seconds": round(seconds, 4),
        "cpu_seconds": round(cpu_seconds, 4),
        **notes,
        "peak_mb": round((_memory("VmHWM") - loaded) / 1e6, 1),
        "loaded_mb": round(loaded / 1e6, 1),
    }


def _reset_peak() -> float:
    """Bytes resident now, from which the kernel's high-water mark is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> float:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(field + ":"):
            return float(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}; memory is measured on Linux only")


def _run(command: list[str], threads: int, timeout: float) -> dict[str, float | str]:
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")
    limits = {f"{name}_NUM_THREADS": str(threads) for name in names} | {"POLARS_MAX_THREADS": str(threads)}
    load = round(os.getloadavg()[0], 2)
    try:
        done = subprocess.run(command, env={**os.environ, **limits}, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"error": f"over {timeout:g} s", "load_before": load}
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            return {**json.loads(line[len(_MARK) :]), "load_before": load}
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return {"error": f"exit {done.returncode}: {last[:300]}", "load_before": load}


def _summaries(ours: str, runs: Mapping[str, Sequence[Notes]]) -> list[dict[str, float | str]]:
    """Medians over the rounds, and how many times our median each takes."""
    keys = {key for rounds in runs.values() for run in rounds for key in run if key.endswith("seconds")}
    summaries: list[dict[str, float | str]] = []
    for name, rounds in runs.items():
        summary: dict[str, float | str] = {"peer": name, "rounds": len(rounds)}
        for key in sorted(keys | {"peak_mb"}):
            values = _values(rounds, key)
            base = _values(runs.get(ours, []), key)
            if values:
                summary[key] = round(statistics.median(values), 4)
            if values and base and key != "peak_mb" and name != ours:
                summary[key.replace("seconds", "times_ours")] = round(
                    statistics.median(values) / statistics.median(base), 2
                )
        summaries.append(summary)
    return summaries


def _values(rounds: Sequence[Notes], key: str) -> list[float]:
    return [value for run in rounds if isinstance(value := run.get(key), int | float)]
