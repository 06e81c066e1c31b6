"""What the manager's pages read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from nobishiro.contracts.results import PlanSummary
from nobishiro.web.core.company import published
from nobishiro.web.customers.hours import HoursSpent, all_reps
from nobishiro.web.customers.listing import listed
from nobishiro.web.customers.models import Action, Customer
from nobishiro.web.people.models import CompanySettings, Division, Rep
from nobishiro.web.plays.models import TargetStanding, WeekConfirmation
from nobishiro.web.plays.processes import PROCESSES, STATES, Case, Material, Process, Tally, tally
from nobishiro.web.plays.weeks import Week


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """One process over a week."""

    process: Process
    all: Tally
    by_rep: dict[int | None, Tally]


@dataclass(frozen=True, slots=True)
class RepLine:
    """One rep's processes over a week, in the order of PROCESSES."""

    rep: Rep | None
    tallies: tuple[tuple[Process, Tally], ...]


def process_lines(material: Material, *, division: int | None = None) -> list[ProcessLine]:
    """Every declared process of the material's week; with `division`, of its reps alone."""
    own, lines = _own(division), []
    for process in PROCESSES:
        cases = [case for case in process.cases(material) if own is None or case.rep_id in own]
        by_rep: dict[int | None, list[Case]] = {}
        for case in cases:
            by_rep.setdefault(case.rep_id, []).append(case)
        lines.append(ProcessLine(process, tally(cases), {rep: tally(some) for rep, some in by_rep.items()}))
    return lines


def _own(division: int | None) -> set[int] | None:
    """The reps of a division; None for the whole company."""
    return None if division is None else {pk for pk, rep in all_reps().items() if rep.division_id == division}


def rep_lines(lines: list[ProcessLine]) -> list[RepLine]:
    """The same by rep: whoever has a case, those with most late cases first."""
    known = all_reps()
    found = {rep for line in lines for rep in line.by_rep}
    made = [
        RepLine(
            known.get(rep) if rep is not None else None,
            tuple((line.process, line.by_rep.get(rep, Tally())) for line in lines),
        )
        for rep in found
    ]
    return sorted(
        made, key=lambda line: (-sum(one.late for _, one in line.tallies), line.rep.code if line.rep else "~")
    )


@dataclass(frozen=True, slots=True)
class CaseShown:
    """One case with the names a page needs."""

    case: Case
    customer: Customer
    rep: Rep | None


def cases_of(
    process: Process, week: Week, today: date, *, state: str, rep: int | None, division: int | None
) -> list[Case]:
    """The cases of one process, late ones first."""
    own = _own(division)
    cases = [
        case
        for case in process.cases(Material(week, today))
        if (not state or case.state == state)
        and (rep is None or case.rep_id == rep)
        and (own is None or case.rep_id in own)
    ]
    cases.sort(key=lambda case: (("late", "open", "done").index(case.state), case.due or date.max))
    return cases


def cases_shown(cases: Iterable[Case]) -> list[CaseShown]:
    """A page of cases with their names."""
    cases, known = list(cases), all_reps()
    customers = Customer.objects.in_bulk({case.customer_id for case in cases})
    return [
        CaseShown(case, customers[case.customer_id], known.get(case.rep_id) if case.rep_id else None)
        for case in cases
        if case.customer_id in customers
    ]


@dataclass(frozen=True, slots=True)
class QuadrantHours:
    """One quadrant's hours of the month."""

    letter: str
    customers: int
    wished: float | None
    """Hours the wished mix gives it; None without a plan."""
    planned: float | None
    spent: float
    share_spent: float | None
    share_wished: float | None

    is_over: bool
    """Whether it takes more of the time than wished, by more than the company tolerates."""


def month_until(day: date) -> tuple[date, date]:
    """The last 30 days up to and with `day`: (first, the day after)."""
    return day - timedelta(days=29), day + timedelta(days=1)


def quadrant_counts(unseen_days: int) -> dict[str, tuple[int, int]]:
    """Quadrant → (customers, those nobody has been in touch with for so many days)."""
    since = timezone.localdate() - timedelta(days=unseen_days)
    unseen = Q(last_touch_day__isnull=True) | Q(last_touch_day__lt=since)
    rows = listed().order_by().values("quadrant").annotate(n=Count("pk"), unseen=Count("pk", filter=unseen))
    return {row["quadrant"]: (row["n"], row["unseen"]) for row in rows}


def quadrant_hours(
    spent: HoursSpent, summary: PlanSummary | None, counts: dict[str, tuple[int, int]]
) -> list[QuadrantHours]:
    """A to D: customers, hours wished, planned and spent."""
    plan = {letter: (wished, planned) for letter, wished, planned in summary.hours_by_quadrant} if summary else {}
    available = summary.hours_available if summary else 0.0
    tolerated = CompanySettings.current().c_tolerance / 100
    wished = {letter: hours / available for letter, (hours, _) in plan.items()} if available > 0 else {}
    return [
        QuadrantHours(
            letter, counts.get(letter, (0, 0))[0], plan.get(letter, (None, None))[0], plan.get(letter, (None, None))[1],
            spent.by_quadrant[letter], spent.share(letter),
            wished.get(letter),
            letter in wished and (spent.share(letter) or 0.0) > wished[letter] + tolerated,
        )
        for letter in "ABCD"
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RepHours:
    """One rep's hours of the last 30 days by quadrant."""

    rep: Rep
    hours: dict[str, float]
    total: float
    share_c: float | None


def rep_hours(spent: HoursSpent) -> list[RepHours]:
    """Every rep with hours, the largest share of C first."""
    known = all_reps()
    made = []
    for pk, hours in spent.by_rep.items():
        if pk is None or pk not in known:
            continue
        total = sum(hours.values())
        made.append(RepHours(known[pk], hours, total, hours["C"] / total if total > 0 else None))
    return sorted(made, key=lambda one: (-(one.share_c or 0.0), one.rep.code))


def targets(scope: str | None = None) -> list[TargetStanding]:
    """Standing of the sales targets at the newest run."""
    found = TargetStanding.objects.filter(measure="sales")
    return list(found.filter(scope=scope) if scope else found)


def targets_beside(reps: Iterable[str]) -> list[TargetStanding]:
    """The targets of the company, of the divisions and of these reps alone."""
    shown = Q(scope="rep", scope_id__in=list(reps)) | ~Q(scope="rep")
    return list(TargetStanding.objects.filter(shown, measure="sales"))


def company_target() -> TargetStanding | None:
    """The target the week's page speaks of: the company's shortest period, since that one is felt first."""
    own = sorted(targets("company"), key=lambda one: one.period_end)
    return own[0] if own else None


def closing_actions(count: int) -> list[Action]:
    """What closes the gap: open proposals with the largest expected yen."""
    return list(
        Action.objects.filter(state="open", kind__in=["propose", "follow"], expected__isnull=False)
        .select_related("customer", "rep")
        .order_by("-expected", "pk")[:count]
    )


@dataclass(frozen=True, slots=True)
class OpenSum:
    """Open proposals together."""

    count: int
    expected: float
    low: float
    high: float
    oldest: date | None
    """The first day anything was ever due."""


def open_sum() -> OpenSum:
    """How many proposals are open and what they are expected to bring."""
    wanted = Q(state="open", kind__in=["propose", "follow"])
    sums = Action.objects.aggregate(
        count=Count("pk", filter=wanted), expected=Sum("expected", filter=wanted), low=Sum("expected_low", filter=wanted),
        high=Sum("expected_high", filter=wanted), oldest=Min("due"),
    )  # fmt: skip
    return OpenSum(sums["count"], sums["expected"] or 0.0, sums["low"] or 0.0, sums["high"] or 0.0, sums["oldest"])


@dataclass(frozen=True, slots=True)
class RepPlan:
    """One rep's plan of the month."""

    rep: Rep | None
    actions: int
    done: int
    hours: float
    available: float | None
    by_quadrant: dict[str, int]
    expected: float


def rep_plans() -> list[RepPlan]:
    """The plan's actions by rep: how many, how many done, hours, the mix."""
    sums = (
        Action.objects.filter(source="plan")
        .exclude(state="dropped")
        .order_by()
        .values("rep")
        .annotate(
            actions=Count("pk"),
            done=Count("pk", filter=Q(state="done")),
            hours_sum=Sum("hours"),
            expected_sum=Sum("expected"),
            a=Count("pk", filter=Q(customer__quadrant="A")),
            b=Count("pk", filter=Q(customer__quadrant="B")),
            c=Count("pk", filter=Q(customer__quadrant="C")),
            d=Count("pk", filter=Q(customer__quadrant="D")),
        )
    )
    known = all_reps()
    made = [
        RepPlan(
            known.get(row["rep"]), row["actions"], row["done"], row["hours_sum"] or 0.0,
            known[row["rep"]].hours_per_month if row["rep"] in known else None,
            {"A": row["a"], "B": row["b"], "C": row["c"], "D": row["d"]}, row["expected_sum"] or 0.0,
        )
        for row in sums
    ]  # fmt: skip
    return sorted(made, key=lambda one: one.rep.code if one.rep else "~")


def plan_summary() -> PlanSummary | None:
    """How good the newest run's plan is; None before the first run."""
    run = published()
    return run.plan_summary() if run is not None else None


def confirmation(week: Week, division: int | None) -> WeekConfirmation | None:
    """Whether a manager has confirmed the week."""
    return (
        WeekConfirmation.objects.select_related("confirmed_by")
        .filter(Q(division_id=division) if division else Q(division__isnull=True), week=week.monday)
        .first()
    )


def confirmed_weeks(week: Week, *, weeks: int = 4) -> dict[date, WeekConfirmation]:
    """Confirmations for the whole company of this week and so many before, by Monday."""
    found = WeekConfirmation.objects.filter(
        division__isnull=True, week__gt=week.monday - timedelta(weeks=weeks + 1), week__lte=week.monday
    )
    return {one.week: one for one in found.select_related("confirmed_by")}


def unconfirmed_before(
    week: Week, oldest: date | None, confirmed: dict[date, WeekConfirmation], *, weeks: int = 4
) -> list[Week]:
    """Weeks before this one, at most so many, since anything was due, that nobody confirmed."""
    missed, past = [], week.before
    for _ in range(weeks):
        if oldest is None or past.sunday < oldest:
            break
        if past.monday not in confirmed:
            missed.append(past)
        past = past.before
    return missed


def figures_of(lines: list[ProcessLine]) -> dict[str, dict[str, int]]:
    """The tallies as plain values, for a confirmation to keep."""
    return {line.process.name: {state: getattr(line.all, state) for state in STATES} for line in lines}


def scope_names() -> dict[str, str]:
    """Names of the divisions and reps targets speak of, by `scope:code`."""
    names = {f"division:{code}": name for code, name in Division.objects.values_list("code", "name")}
    return names | {f"rep:{rep.code}": rep.name for rep in all_reps().values()}
