"""稼働: what an administrator sees of jobs, runs and backups, and who may stop what."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from nobishiro.engine.store import Store
from nobishiro.web.core.backup import making
from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.core.models import AuditEntry, Job
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import User

pytestmark = pytest.mark.django_db
SignedIn = Callable[[Role], Client]
Person = Callable[[Role], User]


@pytest.fixture
def run(site_workspace: Path) -> str:
    store = Store.create(site_workspace)
    with store.begin("first", "import") as step:
        step.upsert("customers", pl.DataFrame({"customer_id": ["1"], "name": ["東和"]}))
        step.commit()
    settings = json.dumps({"map": {"method": "quantile"}})
    with store.new_run(date(2026, 11, 21), settings, "0.1", at=timezone.now().replace(tzinfo=None)) as writer:
        writer.write("customer_features", pl.DataFrame({"customer_id": ["1", "2"]}))
        return writer.publish().run_id


def make_jobs(by: User, count: int) -> None:
    now = timezone.now()
    states = [Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED, Job.State.DEAD, Job.State.DONE]
    Job.objects.bulk_create(
        Job(
            kind="recompute", state=states[n % 5], run_after=now, created_by=by, started_at=now, attempts=1,
            ended_at=now if n % 5 > 2 else None, progress_what="map", progress_done=3, progress_total=10,
            error="orders.csv is empty; export it again" if n % 5 in (2, 3) else "",
        )
        for n in range(count)
    )  # fmt: skip


def test_page_says_how_things_stand_in_one_sentence(
    signed_in: SignedIn, person: Person, run: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_jobs(person(Role.ADMINISTRATOR), 60)
    client = signed_in(Role.ADMINISTRATOR)
    with django_assert_max_num_queries(15):
        page = client.get("/operation/").content.decode()
    assert "12 件が進んでいて、12 件が待っています。" in page
    assert "取りやめた作業が 12 件あり" in page
    assert "バックアップはまだありません。" in page
    assert "顧客マップを描いています" in page
    assert run in page
    assert 'style="' not in page and "onclick" not in page


def test_empty_house_says_what_to_do_next(signed_in: SignedIn, site_workspace: Path) -> None:
    page = signed_in(Role.ADMINISTRATOR).get("/operation/").content.decode()
    assert "動いている作業はありません。" in page
    assert reverse("imports:list") in page


def test_all_jobs_can_be_narrowed_down(
    signed_in: SignedIn, person: Person, site_workspace: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_jobs(person(Role.ADMINISTRATOR), 60)
    client = signed_in(Role.ADMINISTRATOR)
    with django_assert_max_num_queries(15):
        page = client.get("/operation/jobs/?state=dead").content.decode()
    assert "作業は 12 件" in page
    assert page.count("<tr data-open") == 12


def test_recompute_is_asked_for_once(signed_in: SignedIn, site_workspace: Path) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    first = client.post("/operation/compute/")
    assert client.post("/operation/compute/").headers["Location"] == first.headers["Location"]
    assert Job.objects.get().kind == "recompute"
    assert client.get("/operation/compute/").status_code == 405


def test_progress_asks_again_every_second_and_loads_the_page_anew_when_it_is_over(
    signed_in: SignedIn, person: Person, site_workspace: Path
) -> None:
    job = enqueue("vacuum", by=person(Role.ADMINISTRATOR))
    client = signed_in(Role.ADMINISTRATOR)
    waiting = client.get(f"/operation/jobs/{job.pk}/progress/")
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    assert "HX-Refresh" not in waiting.headers
    Job.objects.update(state=Job.State.RUNNING, progress_done=25, progress_total=100)
    assert 'value="25"' in client.get(f"/operation/jobs/{job.pk}/progress/").content.decode()
    Job.objects.update(state=Job.State.DONE, ended_at=timezone.now())
    over = client.get(f"/operation/jobs/{job.pk}/progress/")
    assert over.headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in over.content.decode()


def test_job_page_tells_a_failure_in_words(signed_in: SignedIn, person: Person, site_workspace: Path) -> None:
    job = enqueue("vacuum", by=person(Role.ADMINISTRATOR))
    Job.objects.update(state=Job.State.DEAD, error="!worker-died", ended_at=timezone.now())
    page = signed_in(Role.ADMINISTRATOR).get(f"/operation/jobs/{job.pk}/").content.decode()
    assert "毎回、途中で止まってしまいました" in page


def test_job_is_watched_by_who_started_it_and_by_nobody_else_below(
    signed_in: SignedIn, person: Person, site_workspace: Path
) -> None:
    theirs = enqueue("vacuum", by=person(Role.MARKETER))
    other = enqueue("vacuum", by=person(Role.MANAGER))
    client = signed_in(Role.MARKETER)
    assert client.get(f"/operation/jobs/{theirs.pk}/").status_code == 200
    assert client.get(f"/operation/jobs/{other.pk}/").status_code == 404
    assert client.post(f"/operation/jobs/{other.pk}/stop/").status_code == 404
    assert client.post(f"/operation/jobs/{theirs.pk}/retry/").status_code == 404
    assert client.post(f"/operation/jobs/{theirs.pk}/stop/").status_code == 302
    assert client.get("/operation/jobs/999999/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == "cancelled"


def test_stopping_and_trying_again_are_written_down(signed_in: SignedIn, person: Person, site_workspace: Path) -> None:
    job = enqueue("vacuum", by=person(Role.ADMINISTRATOR))
    client = signed_in(Role.ADMINISTRATOR)
    client.post(f"/operation/jobs/{job.pk}/stop/")
    client.post(f"/operation/jobs/{job.pk}/retry/")
    job.refresh_from_db()
    assert job.state == "queued"
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))[-2:] == ["job.stop", "job.retry"]


def test_run_page_shows_settings_and_tables(
    signed_in: SignedIn, run: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    with django_assert_max_num_queries(15):
        page = client.get(f"/operation/runs/{run}/").content.decode()
    assert "quantile" in page and "customer_features" in page
    assert client.get("/operation/runs/999999/").status_code == 404
    assert client.get("/operation/runs/..%2f..%2fetc/").status_code in (400, 404)


def test_backups_on_the_shelf_are_taken_and_removed_and_both_is_written_down(
    signed_in: SignedIn, site_workspace: Path
) -> None:
    making.shelf().mkdir(parents=True)
    (making.shelf() / "nobishiro-20261121-030000.zip").write_bytes(b"broken")
    (site_workspace / "web" / "secret-key").write_text("s")
    client = signed_in(Role.ADMINISTRATOR)
    assert "このファイルは読めません" in client.get("/operation/").content.decode()
    answer = client.get("/operation/backups/nobishiro-20261121-030000.zip/")
    assert b"".join(answer.streaming_content) == b"broken"
    for name in ("secret-key", "..%2fsecret-key", "nobishiro-20261121-030001.zip", "people.sqlite3"):
        assert client.get(f"/operation/backups/{name}/").status_code == 404
    assert signed_in(Role.MANAGER).get("/operation/backups/nobishiro-20261121-030000.zip/").status_code == 404
    assert client.post("/operation/backups/nobishiro-20261121-030000.zip/remove/").status_code == 302
    assert making.list_backups() == []
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"backup.take", "backup.remove", "denied"} <= verbs


def test_backup_is_asked_for_under_a_new_name(signed_in: SignedIn, site_workspace: Path) -> None:
    signed_in(Role.ADMINISTRATOR).post("/operation/backups/make/")
    job = Job.objects.get()
    assert making._NAME.fullmatch(str(job.payload["name"]))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_run_the_house(signed_in: SignedIn, site_workspace: Path, role: Role) -> None:
    client = signed_in(role)
    for path in ("/operation/", "/operation/jobs/", "/audit/"):
        assert client.get(path).status_code == 404
    for path in ("/operation/compute/", "/operation/backups/make/"):
        assert client.post(path).status_code == 404
    assert not Job.objects.exists()


def test_old_jobs_are_cleared_away_and_young_ones_stay(site_workspace: Path, person: Person) -> None:
    from nobishiro.web.core.jobs.worker import work_off

    now = timezone.now()
    for days, state in ((91, "done"), (89, "done"), (200, "dead"), (200, "queued")):
        Job.objects.create(
            kind="x", state=state, run_after=now + timedelta(days=1), ended_at=now - timedelta(days=days)
        )
    enqueue("vacuum")
    work_off()
    assert sorted(Job.objects.values_list("kind", "state")) == [("vacuum", "done"), ("x", "done"), ("x", "queued")]
