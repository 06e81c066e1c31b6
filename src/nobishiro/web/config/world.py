"""`python -m nobishiro.web.config.world BUSINESS CUSTOMERS DAY`: make one company of the demo in NOBISHIRO_WORKSPACE.

Says its progress in lines of JSON: {"what", "done", "total"}, and at the end {"customers"} or {"error", "message"}.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from nobishiro.contracts.errors import NobishiroError
from nobishiro.web.config.parts import set_up_django


def make(business: str, customers: int, as_of: date) -> int:
    """Simulate, compute, show, and begin the story; how many customers there are."""
    from nobishiro.pipelines.simulate import simulate_into
    from nobishiro.simulation.company import SimulationSettings

    directory = Path(os.environ["NOBISHIRO_WORKSPACE"])
    at = datetime.now(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None)
    simulate_into(directory, SimulationSettings(business, customers, as_of=as_of), at, say)
    set_up_django()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from nobishiro.web.config.story import begin_story
    from nobishiro.web.customers.tasks import recompute_job

    recompute_job(_Here(), {"as_of": as_of.isoformat()})
    begin_story(business, as_of)
    from nobishiro.web.customers.models import Customer

    return Customer.objects.filter(is_listed=True).count()


class _Here:
    """The context of a job done at once, by nobody else: nothing can take it over."""

    job_id = 0
    fence = 0

    def progress(self, what: str, done: int, total: int) -> None:
        """Said in a line of JSON."""
        say(what, done, total)

    def check(self) -> None:
        """Nothing stands in the way."""


def say(what: str, done: int, total: int) -> None:
    """One line of progress."""
    sys.stdout.write(json.dumps({"what": what, "done": done, "total": total}) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """0 when the world is whole."""
    business, customers, day = arguments
    try:
        said: dict[str, object] = {"customers": make(business, int(customers), date.fromisoformat(day))}
    except NobishiroError as error:
        said = {"error": type(error).__name__, "message": str(error)}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if "error" not in said else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
