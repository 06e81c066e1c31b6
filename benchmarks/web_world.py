"""A company with many customers for the web application's benchmarks: simulated, computed, projected, worked with.

    python benchmarks/web_world.py --out DIR [--customers 100000] [--months 24] [--seed 1]

makes the fictional maker in `DIR/workspace`, migrates SQLite, runs the job that computes and projects, and adds what a
year of work leaves: people of every role, taps with their contacts, referrals, jobs, an audit trail. What is there
already is used again. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

AS_OF: Final = date.today()  # noqa: DTZ011 - the pages count days from today
MARKER: Final = "web-world.json"
DOMAIN: Final = "benchmark.invalid"
ROLES: Final = ("manager", "rep", "marketer", "shop_manager", "administrator")
_RESULTS: Final = ("open", "open", "considering", "declined", "won")


class Here:
    """The context of a job that is done at once."""

    job_id = 0
    fence = 0

    def progress(self, what: str, done: int, total: int) -> None:
        """To stderr."""
        sys.stderr.write(f"{time.perf_counter():9.1f} {what} {done}/{total}\n")

    def check(self) -> None:
        """Nothing stands in the way."""


def environment(out: Path) -> dict[str, str]:
    """The installation in `out`."""
    return {
        "NOBISHIRO_WORKSPACE": str((out / "workspace").absolute()),
        "NOBISHIRO_DATABASE_URL": "",
        "NOBISHIRO_HTTPS": "0",
        "NOBISHIRO_HOSTS": "localhost,127.0.0.1,testserver",
        "NOBISHIRO_DEMO": "0",
        "DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings",
    }


def set_up(out: Path) -> None:
    """Django in this process, on the world in `out`."""
    os.environ.update(environment(out))
    import django

    django.setup()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the company that the web benchmarks look at.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(make_world(arguments.out, arguments.customers, arguments.months, arguments.seed)))


def make_world(out: Path, customers: int, months: int, seed: int) -> dict[str, object]:
    """What is in the world; made when it is not there. Raises `SystemExit` when another one is."""
    marker = out / MARKER
    wanted = {"customers": customers, "months": months, "seed": seed}
    if marker.exists():
        said: dict[str, object] = json.loads(marker.read_text("utf-8"))
        if {name: said[name] for name in wanted} != wanted:
            raise SystemExit(f"{out}: holds another world ({said}); name another --out")
        set_up(out)
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        return said
    out.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    began = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        seconds[name] = round(time.perf_counter() - began, 1)
        began = time.perf_counter()

    if not (out / "workspace" / "nobishiro.json").exists():
        from nobishiro.pipelines.simulate import simulate_into
        from nobishiro.simulation.company import SimulationSettings

        settings = SimulationSettings("maker", customers, seed=seed, as_of=AS_OF, months=months)
        at = datetime.combine(AS_OF, datetime.min.time())
        simulate_into(out / "workspace", settings, at, Here().progress)
    lap("simulate")
    set_up(out)
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from nobishiro.web.core.company import published
    from nobishiro.web.customers.models import Projection
    from nobishiro.web.customers.tasks import recompute_job

    run = published()
    if run is None or Projection.current().run_id != run.run_id:
        recompute_job(Here(), {"as_of": AS_OF.isoformat()})
    lap("compute_and_project")
    work_for_a_year(customers, random.Random(seed))
    lap("work")
    said = {**wanted, "as_of": AS_OF.isoformat(), "seconds": seconds, "rows": count_rows()}
    marker.write_text(json.dumps(said), "utf-8")
    return said


def count_rows() -> dict[str, int]:
    """Rows of the larger tables, and of the run's."""
    from django.apps import apps

    from nobishiro.web.core.company import published

    counts = {model.__name__: model._default_manager.count() for model in apps.get_models()}
    found = {name: count for name, count in counts.items() if count >= 1_000}
    run = published()
    if run is not None:
        found |= {f"run.{table.name}": table.rows for table in run.run.tables}
    return found


def work_for_a_year(customers: int, chance: random.Random) -> None:
    """People, and what they did: a tap for every fourth customer, a referral for every hundredth."""
    from django.db import transaction
    from django.db.models import Count
    from django.utils import timezone

    from nobishiro.web.core.models import AuditEntry, Job
    from nobishiro.web.core.permissions import Role
    from nobishiro.web.customers.models import Action, Customer, Family, Outcome, Touch
    from nobishiro.web.people.models import Division, Rep, User
    from nobishiro.web.referrals.models import Hearing, Referral
    from nobishiro.web.referrals.services import propose_questions

    now = timezone.now()
    busiest = (
        Action.objects.filter(state="open", rep__user=None).values("rep").annotate(n=Count("pk")).order_by("-n", "rep")
    )
    rep = Rep.objects.get(pk=busiest[0]["rep"]) if busiest else Rep.objects.filter(user=None).first()
    for role in ROLES:
        person = User.objects.filter(email=f"{role}@{DOMAIN}").first()
        if person is None:
            person = User.objects.create_user(f"{role}@{DOMAIN}", role, Role(role))
        person.language = "ja"
        if role == "rep" and rep is not None:
            person.rep, person.division = rep, rep.division
        person.save()
    manager = User.objects.get(email=f"manager@{DOMAIN}")
    propose_questions(by=manager)
    taken = list(
        Customer.objects.filter(is_listed=True).order_by("pk").values_list("pk", "main_rep", "main_division", "code")
    )
    families = list(Family.objects.filter(is_listed=True).values_list("code", flat=True)) or [""]
    divisions = list(Division.objects.values_list("pk", flat=True))
    reps = list(Rep.objects.values_list("pk", flat=True))
    question = _first_question()
    with transaction.atomic():
        picked = chance.sample(taken, customers // 4)
        moments = {one[0]: now - timedelta(minutes=chance.randrange(5, 365 * 24 * 60)) for one in picked}
        Touch.objects.bulk_create(
            [
                Touch(
                    code=f"web-bench-{pk}", customer_id=pk, rep_id=rep_pk, division_id=division, kind="visit",
                    happened_at=moments[pk], minutes=45, subject="ご提案", note="次回、見積りをお持ちする。",
                )
                for pk, rep_pk, division, _code in picked
            ],
            batch_size=2_000, ignore_conflicts=True,
        )  # fmt: skip
        touches = dict(Touch.objects.filter(code__startswith="web-bench-").values_list("customer_id", "pk"))
        Outcome.objects.bulk_create(
            [
                Outcome(
                    code=f"bench-{pk}", customer_id=pk, rep_id=rep_pk, family=chance.choice(families),
                    offer_kind="cross_sell", touch_id=touches[pk], happened_at=moments[pk],
                    result=chance.choice(_RESULTS), entered_by=manager,
                )
                for pk, rep_pk, _division, _code in picked
            ],
            batch_size=2_000, ignore_conflicts=True,
        )  # fmt: skip
        # `auto_now_add` says now; a year's taps were entered in that year, and after the run only the last days'
        Outcome.objects.filter(code__startswith="bench-").update(entered_at=_column("happened_at"))
        if question is not None:
            Hearing.objects.bulk_create(
                [
                    Hearing(
                        customer_id=pk, question_id=question, rep_id=rep_pk, heard_on=timezone.localdate(moments[pk]),
                        heard_at=moments[pk], answer="no", entered_by=manager,
                    )
                    for pk, rep_pk, _division, _code in picked[: len(picked) // 2]
                ],
                batch_size=2_000, ignore_conflicts=True,
            )  # fmt: skip
        states = ["sent", "accepted", "approached", "won", "lost"]
        Referral.objects.bulk_create(
            [
                Referral(
                    code=f"bench-{pk}", customer_id=pk, heard="検査の人手が足りないとのこと。", from_user=manager,
                    from_rep_id=rep_pk, from_division_id=division, to_division_id=chance.choice(divisions),
                    to_rep_id=chance.choice(reps), state=chance.choice(states), sent_at=moments[pk],
                    accept_due=timezone.localdate(moments[pk]) + timedelta(days=1), accepted_at=moments[pk],
                    approach_due=timezone.localdate(moments[pk]) + timedelta(days=14),
                )
                for pk, rep_pk, division, _code in picked[: max(1, customers // 100)]
                if divisions
            ],
            batch_size=2_000, ignore_conflicts=True,
        )  # fmt: skip
        if not AuditEntry.objects.filter(address="bench").exists():
            verbs = ("sign_in", "fact.add", "override.set", "outcome.record", "list.export")
            AuditEntry.objects.bulk_create(
                [
                    AuditEntry(
                        actor_id=manager.pk, actor_name=manager.name, verb=chance.choice(verbs),
                        subject=f"customer:{chance.choice(taken)[3]}", detail={"n": n}, address="bench",
                    )
                    for n in range(customers // 2)
                ],
                batch_size=2_000,
            )  # fmt: skip
            Job.objects.bulk_create(
                [
                    Job(kind="recompute", state="done", run_after=now, started_at=now, ended_at=now, created_by=manager)
                    for _ in range(min(2_000, customers // 50))
                ],
                batch_size=2_000,
            )


def _first_question() -> int | None:
    from nobishiro.web.referrals.models import Question

    return Question.objects.filter(is_asked=True).values_list("pk", flat=True).first()


def _column(name: str) -> object:
    from django.db.models import F

    return F(name)


if __name__ == "__main__":
    main()
