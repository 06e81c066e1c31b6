"""What holds on every page: headers, CSRF, escaping, reading changes nothing, unknown things are not there."""

import hashlib
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from site_addresses import ACCESS, OPEN

from nobishiro.web.core.models import AuditEntry, Job, SavedList
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import User

pytestmark = pytest.mark.django_db
CSP_PARTS = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'",
    "manifest-src 'self'", "worker-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
}  # fmt: skip


def test_every_answer_carries_the_headers(site) -> None:
    asked = 0
    for address, url, client in site.each():
        response, _text = site.get(client, url)
        headers = response.headers
        asked += 1
        assert {part.strip() for part in headers["Content-Security-Policy"].split(";")} == CSP_PARTS, address.name
        assert headers["X-Content-Type-Options"] == "nosniff", address.name
        assert headers["X-Frame-Options"] == "DENY", address.name
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), address.name
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", address.name
        assert "geolocation=()" in headers["Permissions-Policy"], address.name
        assert "no-store" in headers["Cache-Control"] or address.name == "worklist:worker", address.name
        assert "Server" not in headers and "X-Powered-By" not in headers, address.name
        assert not any(name.lower().startswith("access-control-") for name in headers), address.name
    assert asked > 150


def test_error_pages_carry_them_too(client: Client) -> None:
    for response in (client.get("/no-such-page/"), client.get("/", headers={"host": "evil.example"})):
        assert response.status_code in (404, 400)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_every_post_wants_the_token(site) -> None:
    for address, url, client in site.each():
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = client.cookies
        response = strict.post(url)
        assert response.status_code in (403, 405), f"{address.name}: {response.status_code}"
        if response.status_code == 405:
            assert client.post(url).status_code == 405, f"{address.name} takes no POST at all"
    outside = Client(enforce_csrf_checks=True)
    for name in sorted(name for name, allowed in ACCESS.items() if allowed == OPEN and "from_key" not in name):
        assert outside.post(reverse(name)).status_code in (403, 405), name


def test_names_are_text_on_every_page(hostile_site) -> None:
    pages = 0
    for address, url, client in hostile_site.each():
        response, text = hostile_site.get(client, url)
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        pages += 1
        assert response.status_code < 500, address.name
        for raw in ("<script>alert(", "<img src=x", "onerror=alert(2)>"):
            assert raw not in text, f"{address.name} lets {raw!r} through"
        assert ">49" not in text
    assert pages > 60


def tables() -> list[type[Model]]:
    skipped = {"sessions.Session", "core.AuditEntry"}
    return [model for model in apps.get_models() if model._meta.label not in skipped and model._meta.managed]


def counts() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in tables()}


def everything() -> dict[str, str]:
    """A fingerprint of every table but sessions and the trail."""
    found = {}
    for model in tables():
        rows = sorted(str(row) for row in model._default_manager.values_list())
        found[model._meta.label] = hashlib.sha256("\n".join(rows).encode()).hexdigest() + f" {len(rows)}"
    return found


def files(place: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(place)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def test_reading_changes_nothing(site, site_workspace: Path) -> None:
    before, had, on_disk = everything(), counts(), files(site_workspace)
    for address, url, client in site.each():
        site.get(client, url)
        now = counts()
        assert now == had, f"GET {address.name} added or removed rows: {set(now.items()) ^ set(had.items())}"
        assert files(site_workspace) == on_disk, f"GET {address.name} wrote into the workspace"
    after = everything()
    assert [name for name in after if after[name] != before.get(name)] == []
    assert set(AuditEntry.objects.values_list("verb", flat=True)) <= {"sign_in", "denied"}


def test_what_does_not_exist_is_not_there(site) -> None:
    for address, _url, client in site.each():
        if "pk" not in address.arguments or address.name.startswith("mfa_"):
            continue
        kwargs = {**site.objects.arguments(address), "pk": 99_999_999}
        for method in ("get", "post"):
            response = getattr(client, method)(reverse(address.name, kwargs=kwargs))
            assert response.status_code in (404, 405), f"{method} {address.name}: {response.status_code}"


def test_another_persons_lists_and_jobs_are_not_there(site, person) -> None:
    other = person(Role.MANAGER)
    theirs = SavedList.objects.create(owner=other, page="customers", name="mine")
    job = Job.objects.create(kind="recompute", run_after=site.objects.job.run_after, created_by=other)
    rep = site.visitors[Role.REP]
    for name in ("core:forget_list", "core:favour_list"):
        assert rep.post(reverse(name, args=[theirs.pk])).status_code == 404, name
    for name in ("core:job", "core:job_progress"):
        assert rep.get(reverse(name, args=[job.pk])).status_code == 404, name
    for name in ("core:job_stop", "core:job_retry"):
        assert rep.post(reverse(name, args=[job.pk])).status_code in (404, 405), name
    theirs.refresh_from_db()
    job.refresh_from_db()
    assert not theirs.is_favourite and not job.cancel_asked


def test_a_disabled_person_reaches_nothing(site) -> None:
    User.objects.filter(role=Role.REP).update(is_active=False)
    for address, url, client in site.each():
        if ACCESS[address.name] == OPEN or client is not site.visitors[Role.REP]:
            continue
        response = client.get(url)
        assert response.status_code == 302 and response.headers["Location"].startswith("/account/login/"), address.name
