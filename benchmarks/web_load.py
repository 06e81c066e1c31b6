"""What the site bears with many customers: an export, a soak, and people who all write at once.

    python benchmarks/web_load.py --out DIR [--customers 100000] [--minutes 30] [--writers 8]

Uses the world of `web_pages.py`. Prints one JSON line each:

* `export`: the list of all customers with ten columns as Excel through the site: seconds, and the site's largest memory
* `soak`: four people ask for the pages in turn for `--minutes`: requests, errors, and the site's memory after the first
  tenth, when every page has been asked for, and at the end
* `writers`: `--writers` processes write a contact each as fast as they can for half a minute, as many readers beside
  them, on SQLite: writes, `locked`, the slowest percentile
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import threading
import time
from pathlib import Path
from typing import Final

from web_pages import Page, Site, all_pages, make, percentile, serving
from web_world import DOMAIN, set_up

CLIENTS: Final = 4
WRITING_SECONDS: Final = 30.0
TEN_COLUMNS: Final = "name.code.quadrant.rep.potential.track.last_order.last_touch.nps.missed"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure an export, a soak and writers at once.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--writers", type=int, default=8)
    arguments = parser.parse_args()
    make(arguments.out, arguments.customers, arguments.months, arguments.seed)
    set_up(arguments.out)
    pages = [page for page in all_pages() if page.name != "no such page"]
    with serving(arguments.out) as site:
        print(json.dumps(export(site)), flush=True)
    with serving(arguments.out) as site:
        print(json.dumps(soak(site, pages, arguments.minutes * 60)), flush=True)
    from django.db import connections

    connections.close_all()
    print(json.dumps(write_at_once(arguments.out, arguments.writers)), flush=True)


def site_memory(name: str = "VmRSS") -> float:
    """Megabytes of the site's processes, all below this one."""
    return sum(_status(pid, name) for pid in _below(multiprocessing.current_process().pid or 0)) / 1000


def _below(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += [int(child), *_below(int(child))]
    return found


def _status(pid: int, name: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0.0)


def export(site: Site) -> dict[str, object]:
    """The customers' list as Excel."""
    page = Page("export", "manager", f"/customers/?columns={TEN_COLUMNS}&out=xlsx")
    site.get(site.connect(), Page("first", "manager", "/customers/"))
    before = site_memory()
    status, body, milliseconds = site.get(site.connect(), page)
    return {
        "job": "export", "status": status, "seconds": round(milliseconds / 1000, 2), "bytes": len(body),
        "memory_before_mb": round(before), "memory_peak_mb": round(site_memory("VmHWM")),
    }  # fmt: skip


def soak(site: Site, pages: list[Page], seconds: float) -> dict[str, object]:
    """Pages in turn by `CLIENTS` people."""
    until = time.monotonic() + seconds
    statuses: list[int] = []
    times: list[float] = []

    def ask(first: int) -> None:
        connection, number = site.connect(), first
        while time.monotonic() < until:
            status, _body, milliseconds = site.get(connection, pages[number % len(pages)])
            statuses.append(status)
            times.append(milliseconds)
            number += 1

    threads = [threading.Thread(target=ask, args=(at * len(pages) // CLIENTS,)) for at in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until and (len(statuses) < len(pages) or time.monotonic() < until - 0.9 * seconds):
        time.sleep(0.2)
    early = site_memory()
    for thread in threads:
        thread.join()
    late = site_memory()
    return {
        "job": "soak", "minutes": round(seconds / 60, 1), "requests": len(statuses), "pages": len(pages),
        "errors": sum(status >= 500 for status in statuses), "p95_ms": round(percentile(times), 1),
        "memory_early_mb": round(early), "memory_late_mb": round(late),
        "growth": round(late / early - 1, 4) if early else None,
    }  # fmt: skip


def write_at_once(out: Path, writers: int) -> dict[str, object]:
    """Writers and readers of one SQLite file, each a process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2 * writers) as pool:
        jobs = [(str(out), at, at < writers) for at in range(2 * writers)]
        said = pool.starmap(_work, jobs)
    times = [one for wrote, _reads, _locked in said for one in wrote]
    return {
        "job": "writers", "writers": writers, "seconds": WRITING_SECONDS, "writes": len(times),
        "reads": sum(reads for _wrote, reads, _locked in said), "locked": sum(locked for *_rest, locked in said),
        "p99_write_ms": round(percentile(times, 0.99), 1) if times else None,
        "max_write_ms": round(max(times), 1) if times else None,
    }  # fmt: skip


def _work(out: str, number: int, writes: bool) -> tuple[list[float], int, int]:
    """One process: (milliseconds of each write, reads, times the database was locked)."""
    set_up(Path(out))
    from django.db import OperationalError
    from django.utils import timezone

    from nobishiro.web.customers.models import Customer
    from nobishiro.web.customers.touches import add_touch, withdraw_touch
    from nobishiro.web.people.models import User

    person = User.objects.get(email=f"manager@{DOMAIN}")
    customers = list(Customer.objects.filter(is_listed__in=[True]).order_by("pk")[number * 50 : number * 50 + 50])
    until = time.monotonic() + WRITING_SECONDS
    times: list[float] = []
    reads = locked = 0
    while time.monotonic() < until:
        customer = customers[(len(times) + reads) % len(customers)]
        began = time.perf_counter()
        try:
            if writes:
                code = f"web-load-{number}-{time.time_ns()}"
                touch = add_touch(by=person, code=code, customer=customer, kind="call", happened_at=timezone.now())
                times.append((time.perf_counter() - began) * 1000)
                withdraw_touch(by=person, touch=touch)
            else:
                list(Customer.objects.filter(is_listed__in=[True]).order_by("-potential", "pk")[:50])
                reads += 1
        except OperationalError as error:
            if "locked" not in str(error):
                raise
            locked += 1
    return times, reads, locked


if __name__ == "__main__":
    main()
