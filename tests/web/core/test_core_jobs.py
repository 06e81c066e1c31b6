"""Jobs: claimed once, tried again, given up, cancelled, and never counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from nobishiro.contracts.errors import FileNotUsable, WorkspaceBusy
from nobishiro.web.core.jobs import lease
from nobishiro.web.core.jobs.context import JobCancelled, JobTakenOver, RunningJob, fenced_transaction
from nobishiro.web.core.jobs.failures import WORKER_DIED, error_words
from nobishiro.web.core.jobs.queue import cancel_job, enqueue, retry_job
from nobishiro.web.core.jobs.registry import KINDS, JobContext, JobFunction, JobKind
from nobishiro.web.core.jobs.worker import Worker, WorkerSettings, work_off
from nobishiro.web.core.models import Job, Tick

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo


@pytest.fixture
def declare() -> Iterator[Callable[..., str]]:
    """Declare kinds for one test."""
    before = dict(KINDS)

    def make(run: JobFunction, name: str = "errand", max_attempts: int = 3, repeats: bool = False) -> str:
        KINDS[name] = JobKind(name, run, max_attempts, "operate", repeats=repeats)
        return name

    yield make
    KINDS.clear()
    KINDS.update(before)


def nothing(context: JobContext, payload: dict[str, object]) -> None:
    return None


def claimed(worker: str = "w1", at: datetime | None = None) -> RunningJob:
    job = lease.claim_job(worker, 30, at or timezone.now())
    assert job is not None
    return RunningJob(job.pk, job.fence, 30)


def test_job_is_done_with_its_result(declare: Callable[..., str]) -> None:
    declare(lambda context, payload: {"seen": payload["n"], "day": NOON.date()})
    job = enqueue("errand", {"n": 7}, unique_key="only")
    assert work_off() == 1
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts) == ("done", {"seen": 7, "day": "2026-11-21"}, 1)
    assert job.unique_key is None and job.ended_at is not None and job.is_over


def test_job_waits_for_its_time(declare: Callable[..., str]) -> None:
    declare(nothing)
    enqueue("errand", run_after=timezone.now() + timedelta(minutes=5))
    assert work_off() == 0


def test_unknown_kind_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        enqueue("no such kind")


def test_kind_that_is_gone_since_ends_dead(declare: Callable[..., str]) -> None:
    declare(nothing)
    job = enqueue("errand")
    del KINDS["errand"]
    work_off()
    job.refresh_from_db()
    assert job.state == "dead"
    with translation.override("en"):
        assert "does not know such a job" in error_words(job.error)


def test_one_key_has_one_job_until_it_ends(declare: Callable[..., str]) -> None:
    declare(nothing)
    first = enqueue("errand", unique_key="k")
    assert enqueue("errand", unique_key="k").pk == first.pk
    work_off()
    assert enqueue("errand", unique_key="k").pk != first.pk


def test_job_is_claimed_by_one_worker(declare: Callable[..., str]) -> None:
    declare(nothing)
    enqueue("errand")
    assert lease.claim_job("w1", 30, timezone.now()) is not None
    assert lease.claim_job("w2", 30, timezone.now()) is None


def test_lapsed_lease_is_taken_over_and_the_first_worker_may_not_count(declare: Callable[..., str]) -> None:
    declare(nothing)
    enqueue("errand")
    now = timezone.now()
    slow = claimed("slow", now)
    fast = claimed("fast", now + timedelta(seconds=31))
    assert (fast.job_id, fast.fence) == (slow.job_id, slow.fence + 1)
    with pytest.raises(JobTakenOver), fenced_transaction(slow):
        Tick.objects.create(schedule="must not be", due=now)
    assert not Tick.objects.exists()
    with pytest.raises(JobTakenOver):
        slow.check()
    assert not lease.finish_job(slow, {"by": "slow"}, now)
    assert lease.finish_job(fast, {"by": "fast"}, now)
    assert Job.objects.get().result == {"by": "fast"}


def test_lease_written_by_a_clock_that_was_put_back_does_not_hold_for_a_day(declare: Callable[..., str]) -> None:
    declare(nothing)
    enqueue("errand", run_after=NOON - timedelta(days=2))
    claimed("ahead", NOON + timedelta(days=1))
    assert lease.claim_job("w2", 30, NOON) is not None


def test_heartbeat_keeps_the_lease_and_tells_progress_and_cancelling(declare: Callable[..., str]) -> None:
    declare(nothing)
    job = enqueue("errand")
    now = timezone.now()
    running = claimed("w1", now)
    running.progress("read", 3, 10)
    lease.extend_leases([running], now + timedelta(seconds=20))
    assert lease.claim_job("w2", 30, now + timedelta(seconds=40)) is None
    job.refresh_from_db()
    assert (job.progress_what, job.progress_done, job.progress_total) == ("read", 3, 10)
    assert cancel_job(job)
    lease.extend_leases([running], now + timedelta(seconds=30))
    with pytest.raises(JobCancelled):
        running.progress("read", 4, 10)


def test_step_that_counted_is_left_out_by_the_next_attempt(declare: Callable[..., str]) -> None:
    seen = []

    def count_then_die(context: JobContext, payload: dict[str, object]) -> None:
        with fenced_transaction(context, "count") as is_new:
            if is_new:
                Tick.objects.create(schedule="counted", due=NOON)
        seen.append(is_new)
        if len(seen) < 3:
            raise WorkspaceBusy("another writer has it")

    declare(count_then_die)
    job = enqueue("errand")
    for _ in range(3):
        Job.objects.update(run_after=timezone.now())
        work_off()
    job.refresh_from_db()
    assert seen == [True, False, False]
    assert (job.state, job.attempts, job.steps) == ("done", 3, ["count"])
    assert Tick.objects.count() == 1


def test_step_that_fails_midway_leaves_nothing_and_is_done_again(declare: Callable[..., str]) -> None:
    def die_inside(context: JobContext, payload: dict[str, object]) -> None:
        with fenced_transaction(context, "count") as is_new:
            assert is_new
            Tick.objects.create(schedule="counted", due=NOON)
            raise WorkspaceBusy("in the middle")

    declare(die_inside)
    job = enqueue("errand")
    work_off()
    job.refresh_from_db()
    assert (job.state, job.steps) == ("failed", [])
    assert not Tick.objects.exists()


def test_failed_job_waits_twice_as_long_each_time_and_dies_after_its_attempts(declare: Callable[..., str]) -> None:
    def fail(context: JobContext, payload: dict[str, object]) -> None:
        raise WorkspaceBusy("/data: another process has been writing for more than 5 seconds; wait")

    declare(fail)
    job = enqueue("errand", unique_key="k", run_after=NOON)
    waits = []
    now = NOON
    while True:
        worker = Worker(WorkerSettings(retry_seconds=10), clock=lambda at=now: at)
        assert worker.work_off() == 1
        job.refresh_from_db()
        if job.state != Job.State.FAILED:
            break
        assert job.unique_key == "k"
        waits.append((job.run_after - now).total_seconds())
        now = job.run_after
    assert waits == [10.0, 20.0]
    assert (job.state, job.attempts, job.unique_key) == ("dead", 3, None)


def test_error_that_trying_again_cannot_mend_ends_at_once_and_is_said_in_japanese(declare: Callable[..., str]) -> None:
    def fail(context: JobContext, payload: dict[str, object]) -> None:
        raise FileNotUsable("orders.csv is empty; export it again")

    declare(fail)
    job = enqueue("errand")
    work_off()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("dead", 1)
    assert "orders.csv" in error_words(job.error)


def test_unexpected_error_is_told_by_reference_without_its_message(
    declare: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(context: JobContext, payload: dict[str, object]) -> None:
        raise RuntimeError("customer 山田太郎 090-1234-5678")

    declare(fail)
    job = enqueue("errand")
    work_off()
    job.refresh_from_db()
    assert job.state == "failed"
    reference = job.error.split()[-1]
    for language in ("ja", "en"):
        with translation.override(language):
            assert reference in error_words(job.error)
            assert "山田" not in error_words(job.error)
    assert reference in caplog.text and "RuntimeError" in caplog.text and "test_core_jobs.py" in caplog.text
    assert "山田" not in caplog.text


def test_job_whose_worker_dies_every_time_is_given_up(declare: Callable[..., str]) -> None:
    declare(nothing, max_attempts=2)
    job = enqueue("errand", unique_key="k", run_after=NOON)
    assert lease.claim_job("w1", 30, NOON) is not None
    assert lease.claim_job("w2", 30, NOON + timedelta(seconds=31)) is not None
    assert lease.claim_job("w3", 30, NOON + timedelta(seconds=62)) is None
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error, job.unique_key) == ("dead", 2, WORKER_DIED, None)


def test_waiting_job_is_cancelled_at_once_and_a_finished_one_never(declare: Callable[..., str]) -> None:
    declare(nothing)
    waiting = enqueue("errand", unique_key="k")
    assert cancel_job(waiting)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.unique_key) == ("cancelled", None)
    assert not cancel_job(waiting)


def test_running_job_that_asks_stops_when_cancelled(declare: Callable[..., str]) -> None:
    def cancels_itself(context: JobContext, payload: dict[str, object]) -> None:
        cancel_job(Job.objects.get(pk=context.job_id))
        with fenced_transaction(context):
            Tick.objects.create(schedule="must not be", due=NOON)

    declare(cancels_itself)
    job = enqueue("errand")
    work_off()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert not Tick.objects.exists()


def test_cancelled_job_of_a_dead_worker_is_not_begun_again(declare: Callable[..., str]) -> None:
    declare(nothing)
    job = enqueue("errand", run_after=NOON)
    lease.claim_job("w1", 30, NOON)
    cancel_job(job)
    assert lease.claim_job("w2", 30, NOON + timedelta(seconds=31)) is None
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_released_job_goes_back_without_losing_an_attempt(declare: Callable[..., str]) -> None:
    declare(nothing)
    job = enqueue("errand")
    running = claimed()
    assert lease.release_job(running, timezone.now())
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 0)
    with pytest.raises(JobTakenOver), fenced_transaction(running):
        pass
    assert work_off() == 1


def test_dead_job_may_be_tried_again_by_hand(declare: Callable[..., str]) -> None:
    declare(nothing)
    job = enqueue("errand")
    Job.objects.update(state=Job.State.DEAD, attempts=3, error="x")
    assert retry_job(job)
    work_off()
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == ("done", "", 1)
    assert not retry_job(job)


def test_computation_asked_for_while_one_runs_is_done_once_more_afterwards(declare: Callable[..., str]) -> None:
    declare(nothing, repeats=True)
    first = enqueue("errand", unique_key="k")
    running = claimed()
    assert enqueue("errand", unique_key="k").pk == first.pk
    assert enqueue("errand", unique_key="k").pk == first.pk
    assert Job.objects.count() == 1
    lease.finish_job(running, {}, timezone.now())
    assert list(Job.objects.order_by("pk").values_list("state", "unique_key", "again")) == [
        ("done", None, False), ("queued", "k", False),
    ]  # fmt: skip
    work_off()
    assert Job.objects.filter(state="done").count() == 2


def test_computation_asked_for_while_one_waits_is_the_same(declare: Callable[..., str]) -> None:
    declare(nothing, repeats=True)
    enqueue("errand", unique_key="k")
    enqueue("errand", unique_key="k")
    assert work_off() == 1


def test_repetition_is_kept_when_the_worker_dies_for_good(declare: Callable[..., str]) -> None:
    declare(nothing, max_attempts=1, repeats=True)
    enqueue("errand", unique_key="k", run_after=NOON)
    lease.claim_job("w1", 30, NOON)
    enqueue("errand", unique_key="k")
    assert lease.bury_lapsed(30, NOON + timedelta(seconds=31)) == 1
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["dead", "queued"]
