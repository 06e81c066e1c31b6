"""How fast every page of the web application answers with many customers, from the real server over loopback.

    python benchmarks/web_pages.py --out DIR [--customers 100000] [--rounds 60] [--clients 4] [--only WORD]

The world is made when `DIR` has none (`web_world.py`; minutes), else used again. Then the site is started as `nobishiro
serve` starts it, without a worker, and each page is asked for by a person of its role who is signed in: `--rounds`
times one after the other, then as often by `--clients` at once, each after a warm-up. Prints one JSON line a page:

* `p50_ms`, `p95_ms`, `max_ms`: from sending to the last byte; `with_clients_p95_ms` the same with the clients at once
* `cpu_ms`: processor time of one request, all threads, median of five in this process; a busy machine disturbs it least
* `queries`: of one request, counted in this process
* `bytes_gzip`: of the page; `first_load_gzip`: with the style sheets and scripts it names, each counted once

and one line for all pages: the slowest, the most queries, the largest.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import re
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from web_world import AS_OF, DOMAIN, ROLES, environment

HERE: Final = Path(__file__).parent
WARM_UPS: Final = 3
ALL_COLUMNS: Final = (
    "name.quadrant.rep.divisions.potential.track.last_order."
    "last_touch.coverage.nps.missed.expected.state.code.kana.industry.prefecture.orders.hours.basis"
)
_STATIC: Final = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')


@dataclass(frozen=True, slots=True)
class Page:
    """One address, and who asks for it."""

    name: str
    role: str
    path: str


@dataclass(frozen=True, slots=True)
class Site:
    """A running site, and a signed-in cookie a role."""

    url: str
    cookies: dict[str, str]

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is kept open."""
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)

    def get(self, connection: http.client.HTTPConnection, page: Page) -> tuple[int, bytes, float]:
        """(status, body, milliseconds)."""
        headers = {"Cookie": self.cookies[page.role], "Accept-Language": "ja"}
        began = time.perf_counter()
        connection.request("GET", page.path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, body, (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure every page with many customers.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1, help="processes of the site, as `nobishiro serve --workers`")
    parser.add_argument("--only", default="", help="pages with this word in their name")
    parser.add_argument("--here", action="store_true", help="no server: processor time and queries alone")
    parser.add_argument("--no-clients", action="store_true", help="leave the clients at once out")
    arguments = parser.parse_args()
    made = make(arguments.out, arguments.customers, arguments.months, arguments.seed)
    print(json.dumps({"job": "world", **made}), flush=True)
    from web_world import set_up

    set_up(arguments.out)
    pages = [page for page in all_pages() if arguments.only in page.name]
    if arguments.here:
        for page in pages:
            print(json.dumps({"page": page.name, "role": page.role, "path": page.path, **ask_here(page)}), flush=True)
        return
    clients = 0 if arguments.no_clients else arguments.clients
    with serving(arguments.out, arguments.workers) as site:
        said = []
        for page in pages:
            said.append(measure(site, page, arguments.rounds, clients))
            print(json.dumps(said[-1], ensure_ascii=False), flush=True)
    print(json.dumps(summary(said, arguments.rounds, clients), ensure_ascii=False), flush=True)


def make(out: Path, customers: int, months: int, seed: int) -> dict[str, object]:
    """The world, made by a process of its own, whose memory is then free again."""
    import subprocess

    command = [sys.executable, str(HERE / "web_world.py"), "--out", str(out), "--customers", str(customers)]
    command += ["--months", str(months), "--seed", str(seed)]
    done = subprocess.run(command, env=os.environ | environment(out), stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    made: dict[str, object] = json.loads(done.stdout.decode().strip().rpartition("\n")[2])
    return made


@contextmanager
def serving(out: Path, workers: int = 1) -> Iterator[Site]:
    """The site as `nobishiro serve` runs it, without the worker."""
    from nobishiro.web.config.processes import serve

    stop, ready = threading.Event(), threading.Event()
    found: list[str] = []
    failed: list[BaseException] = []

    def said(url: str) -> None:
        found.append(url)
        ready.set()

    def run() -> None:
        try:
            serve(environment(out), "127.0.0.1", 0, ready=said, workers=workers, parts=("site",), stop=stop)
        except BaseException as error:
            failed.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        if not ready.wait(180) or failed:
            raise SystemExit(f"the site did not start: {failed}")
        yield Site(found[0], cookies())
    finally:
        stop.set()
        thread.join(60)


def cookies() -> dict[str, str]:
    """A session of a person of each role."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from nobishiro.web.people.models import User

    made = {}
    for role in ROLES:
        user = User.objects.get(email=f"{role}@{DOMAIN}")
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        made[role] = f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
    return made


def all_pages() -> list[Page]:
    """Every page of every menu with parameters as people use them, and what one click from there opens."""
    from django.db.models import Count

    from nobishiro.web.core.menu import MENUS
    from nobishiro.web.core.models import Job
    from nobishiro.web.customers.models import Action, Customer, Family
    from nobishiro.web.people.models import Rep, User
    from nobishiro.web.referrals.models import Referral

    pages = [
        Page(f"menu {entry.url_name}", role.value, _address(entry.url_name))
        for role, entries in MENUS.items()
        for entry in entries
    ]
    listed = Customer.objects.filter(is_listed=True)
    rep = User.objects.get(email=f"rep@{DOMAIN}").rep
    other = Rep.objects.exclude(pk=rep.pk if rep else 0).order_by("code")[1:2].first()
    word = next(iter(listed.order_by("pk").values_list("name", flat=True)[100:101]), "株式会社").replace(
        "株式会社", ""
    )[:3]
    families = list(Family.objects.filter(is_listed=True).order_by("pk").values_list("code", flat=True)[:3])
    family = quote(families[0]) if families else ""
    code = quote(rep.code) if rep else ""
    lists = {
        "page 200": "?page=200", "last page": "?page=99999", "quadrants": "?quadrant=A&quadrant=B",
        "a rep's": f"?rep={other.pk if other else 1}", "my": "?rep=me", "searched": f"?q={quote(word)}",
        "searched, nothing": f"?q={quote('ないはずの名前')}", "by name": "?sort=name", "by rep": "?sort=rep",
        "by missed, page 50": "?sort=-missed&page=50", "promoters first": "?sort=promoters",
        "unseen": "?unseen=60&quadrant=B", "missed and detractors": "?missed=1&nps=detractor",
        "all columns": f"?columns={ALL_COLUMNS}",
    }  # fmt: skip
    pages += [
        Page(f"customers, {name}", "rep" if name == "my" else "manager", f"/customers/{query}")
        for name, query in lists.items()
    ]
    pages += [
        Page("map, a quadrant's", "manager", "/map/?quadrant=B"),
        Page("map, a rep's", "manager", f"/map/?rep={code}"),
        Page("map, page 200", "manager", "/map/?page=200"),
        Page("map data", "manager", "/map/points/"),
        Page("map data, a quadrant's", "manager", "/map/points/?quadrant=A"),
        Page("map counts under trial lines", "manager", "/map/counts/?potential=1000000&track_record=300000"),
        Page("map on paper", "manager", "/map/paper/"),
        Page("map, hours behind it", "manager", "/map/hours/"),
        Page("gaps, list", "manager", "/gaps/?view=list"),
        Page("gaps, list page 200", "manager", "/gaps/?view=list&page=200"),
        Page("gaps, a rep's", "rep", "/gaps/?rep=me"),
        Page("gaps, a family", "manager", f"/gaps/?family={family}"),
        Page("gaps, a state", "manager", "/gaps/?state=proposed"),
        Page("gaps, grid page 50", "manager", "/gaps/?view=grid&page=50"),
        Page("gaps, searched", "manager", f"/gaps/?q={quote(word)}"),
        Page("together, a family", "marketer", f"/together/?family={family}"),
        Page("today, another's", "manager", f"/today/?rep={code}"),
        Page("today, team", "manager", "/today/"),
        Page("daily report", "rep", "/today/report/"),
        Page("daily report, everybody's", "manager", "/today/report/?rep=all"),
        Page("daily report, customers found", "rep", f"/today/report/customers/?q={quote(word)}"),
        Page("relisten, all", "manager", "/relisten/?all=1"),
        Page("five questions", "rep", "/relisten/five/"),
        Page("handover", "manager", f"/relisten/handover/?rep={code}"),
        Page("look back, month", "rep", "/look-back/?period=month"),
        Page("look back, everybody", "manager", "/look-back/?period=month&rep=all"),
        Page("referrals, all", "manager", "/referrals/?whose=all&state="),
        Page("referrals, board", "rep", "/referrals/board/"),
        Page("referrals, rewards", "manager", "/referrals/rewards/"),
        Page("referrals, introductions", "manager", "/referrals/introductions/"),
        Page("referrals, questions", "manager", "/referrals/questions/"),
        Page("referral, new, searched", "rep", f"/referrals/new/?q={quote(word)}"),
        Page("plan, page 20", "manager", "/plan/?page=20"),
        Page("plan, searched", "manager", f"/plan/?q={quote(word)}&quadrant=B"),
        Page("processes, last week", "manager", f"/processes/?week={AS_OF - timedelta(days=7)}"),
        Page("process, visits", "manager", f"/processes/visits/?week={AS_OF - timedelta(days=7)}"),
        Page("process, hearing", "manager", f"/processes/hearing/?week={AS_OF - timedelta(days=7)}"),
        Page("imports, new", "administrator", "/imports/new/"),
        Page("imports, same customers", "administrator", "/imports/same/"),
        Page("users", "administrator", "/people/"),
        Page("divisions and reps", "administrator", "/people/divisions/"),
        Page("assignments", "administrator", "/people/assignments/"),
        Page("targets", "administrator", "/people/targets/"),
        Page("calendar", "administrator", "/people/calendar/"),
        Page("company", "administrator", "/people/company/"),
        Page("products, searched", "administrator", f"/products/?q={quote('A')}"),
        Page("jobs, all", "administrator", "/operation/jobs/"),
        Page("audit, page 200", "administrator", "/audit/?page=200"),
        Page("audit, searched", "administrator", "/audit/?q=manager"),
        Page("audit, a verb", "administrator", "/audit/?verb=fact.add"),
        Page("own account", "rep", "/account/me/"),
        Page("help", "rep", "/help/"),
        Page("no such page", "rep", "/no-such-page/"),
    ]  # fmt: skip
    job = Job.objects.order_by("-pk").values_list("pk", flat=True).first()
    if job:
        pages.append(Page("job", "administrator", f"/operation/jobs/{job}/"))
    referral = Referral.objects.order_by("-pk").values_list("pk", flat=True).first()
    if referral:
        pages.append(Page("referral", "manager", f"/referrals/{referral}/"))
    planned = Action.objects.filter(rep=rep, state="open").order_by("pk").values_list("customer", flat=True).first()
    worked = listed.annotate(n=Count("outcomes")).filter(n__gt=0).order_by("-orders_12m", "pk")
    kinds = {
        "with most orders": listed.order_by("-orders_12m", "pk").values_list("pk", flat=True).first(),
        "with most room": listed.order_by("-potential", "pk").values_list("pk", flat=True).first(),
        "planned today": planned,
        "worked with": worked.values_list("pk", flat=True).first(),
        "in the middle": next(
            iter(listed.order_by("pk").values_list("pk", flat=True)[listed.count() // 2 :][:1]), None
        ),
    }
    for name, pk in kinds.items():
        if pk is not None:
            pages.append(Page(f"karte {name}", "rep", f"/customers/{pk}/"))
    one = kinds["with most orders"]
    pages += [
        Page("one-minute sheet", "rep", f"/customers/{one}/sheet/"),
        Page("time line", "manager", f"/customers/{one}/timeline/"),
        Page("family at a customer", "rep", f"/customers/{one}/family/?family={family}"),
        Page("details", "rep", f"/customers/{one}/details/"),
        Page("trail", "rep", f"/customers/{one}/trail/"),
        Page("map panel", "manager", f"/map/customer/{one}/"),
        Page("hearing", "rep", f"/referrals/hear/{one}/"),
        Page("referral, new", "rep", f"/referrals/new/?customer={one}&family={family}"),
    ]
    pair = _pair()
    if pair:
        pages.append(
            Page("together, buyers", "marketer", f"/together/buyers/?product={quote(pair[0])}&other={quote(pair[1])}")
        )
    return pages


def _address(url_name: str) -> str:
    from django.urls import reverse

    return reverse(url_name)


def _pair() -> tuple[str, str] | None:
    from nobishiro.web.core.company import published

    run = published()
    if run is None or not run.run.table("pairs"):
        return None
    frame = run.rows("pairs", columns=["product_id", "other_product_id"]).head(1)
    return None if frame.is_empty() else (str(frame[0, 0]), str(frame[0, 1]))


def measure(site: Site, page: Page, rounds: int, clients: int) -> dict[str, object]:
    """One page's line."""
    connection = site.connect()
    status, body, first = site.get(connection, page)
    for _ in range(WARM_UPS - 1):
        site.get(connection, page)
    times = [site.get(connection, page)[2] for _ in range(rounds)]
    line: dict[str, object] = {
        "page": page.name, "role": page.role, "path": page.path, "status": status, "cold_ms": round(first, 1),
        "p50_ms": round(statistics.median(times), 1), "p95_ms": round(percentile(times), 1),
        "max_ms": round(max(times), 1),
        "bytes_gzip": len(gzip.compress(body, 6)), "first_load_gzip": first_load(site, connection, page, body),
        **ask_here(page),
    }  # fmt: skip
    connection.close()
    if clients:
        at_once = with_clients(site, page, rounds, clients)
        line["with_clients_p95_ms"] = round(percentile(at_once), 1)
        line["with_clients_p50_ms"] = round(statistics.median(at_once), 1)
    return line


def with_clients(site: Site, page: Page, rounds: int, clients: int) -> list[float]:
    """Milliseconds of `rounds` requests by `clients` at once."""

    def ask(_number: int) -> list[float]:
        connection = site.connect()
        times = [site.get(connection, page)[2] for _ in range(max(1, rounds // clients))]
        connection.close()
        return times

    with ThreadPoolExecutor(clients) as pool:
        return [one for times in pool.map(ask, range(clients)) for one in times]


def percentile(times: Sequence[float], share: float = 0.95) -> float:
    """The time within which a share of the requests was answered: the nearest rank, no interpolation."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1))]


def first_load(site: Site, connection: http.client.HTTPConnection, page: Page, body: bytes) -> int:
    """Gzipped bytes of the page and of the style sheets and scripts it names."""
    total = len(gzip.compress(body, 6))
    for path in sorted(set(_STATIC.findall(body.decode("utf-8", "replace")))):
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        total += len(connection.getresponse().read())
    return total


def ask_here(page: Page) -> dict[str, object]:
    """Queries and processor time of one request in this process, when it is warm."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from nobishiro.web.people.models import User

    client = Client(headers={"host": "localhost", "accept-language": "ja"})
    user = User.objects.get(email=f"{page.role}@{DOMAIN}")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get(page.path)
    with CaptureQueriesContext(connection) as captured:
        client.get(page.path)
        queries = len(captured)
    times = []
    for _ in range(5):
        began = time.process_time()
        client.get(page.path)
        times.append((time.process_time() - began) * 1000)
    return {"queries": queries, "cpu_ms": round(statistics.median(times), 1)}


def summary(said: Sequence[dict[str, object]], rounds: int, clients: int) -> dict[str, object]:
    """The worst of all pages."""

    def worst(name: str) -> list[object]:
        known = [line for line in said if name in line]
        found = max(known, key=lambda line: float(str(line[name])), default=None)
        return [] if found is None else [found["page"], found[name]]

    return {
        "job": "pages", "pages": len(said), "rounds": rounds, "clients": clients, "load": round(os.getloadavg()[0], 2),
        "worst_p95_ms": worst("p95_ms"), "worst_cpu_ms": worst("cpu_ms"),
        "worst_with_clients_p95_ms": worst("with_clients_p95_ms"),
        "most_queries": worst("queries"), "largest_first_load_gzip": worst("first_load_gzip"),
        "over_300_ms": [line["page"] for line in said if float(str(line["p95_ms"])) > 300],
        "over_15_queries": [line["page"] for line in said if int(str(line["queries"])) > 15],
        "not_200": [line["page"] for line in said if line["status"] != 200],
    }  # fmt: skip


if __name__ == "__main__":
    main()
