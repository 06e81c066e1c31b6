"""今週のまとめ, 計画 and 実行状況 over a real run of a small company."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nobishiro.engine.store.store import Store
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.published import PublishedRun, published_run
from nobishiro.pipelines.recompute import recompute
from nobishiro.pipelines.target_progress import target_progress
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.actions import add_action
from nobishiro.web.customers.models import Customer, Touch
from nobishiro.web.people.models import Rep, User
from nobishiro.web.plays.models import TargetStanding, WeekConfirmation
from nobishiro.web.plays.publication import keep_targets

TOKYO = ZoneInfo("Asia/Tokyo")
AT = datetime(2026, 11, 21, 9, tzinfo=TOKYO)
LAST = date(2026, 11, 20)


@pytest.fixture
def run(site_workspace: Path) -> PublishedRun:
    """Forty customers buying for two years, two reps, targets of the fiscal year."""
    site_workspace.rmdir()
    store = Store.create(site_workspace, at=AT)
    rows = [
        {
            "order_id": f"O{customer}-{step}", "product_id": f"P{(customer + step) % 6}", "occurrence": 1,
            "customer_id": f"K{customer:02}", "ordered_at": datetime(2026, 11, 20) - timedelta(days=20 * step + customer % 7),
            "quantity": Decimal(1), "amount": Decimal(1000 * (1 + customer % 5)),
        }
        for customer in range(40)
        for step in range(40)
    ]  # fmt: skip
    lines = pl.DataFrame(
        rows,
        schema_overrides={"quantity": pl.Decimal(18, 3), "amount": pl.Decimal(18, 2), "ordered_at": pl.Datetime("us")},
    )
    with store.begin(Store.new_import_id(AT), "import", "test", AT) as transaction:
        transaction.upsert("order_lines", lines)
        transaction.upsert(
            "products",
            pl.DataFrame(
                {
                    "product_id": [f"P{n}" for n in range(6)],
                    "name": [f"商品{n}" for n in range(6)],
                    "family": [f"F{n % 3}" for n in range(6)],
                }
            ),
        )
        transaction.upsert(
            "customers",
            pl.DataFrame({"customer_id": [f"K{n:02}" for n in range(40)], "name": [f"顧客{n}" for n in range(40)]}),
        )
        transaction.upsert(
            "reps",
            pl.DataFrame(
                {
                    "rep_id": ["R1", "R2"],
                    "name": ["佐藤", "鈴木"],
                    "division_id": ["D1", "D2"],
                    "hours_per_month": [60.0, 40.0],
                }
            ),
        )
        transaction.upsert(
            "assignments",
            pl.DataFrame(
                {
                    "customer_id": [f"K{n:02}" for n in range(40)],
                    "division_id": ["D1", "D2"] * 20,
                    "rep_id": ["R1", "R2"] * 20,
                    "role": ["main"] * 40,
                }
            ),
        )
        targets = [
            ("company", "all", date(2026, 4, 1), date(2027, 3, 31), 3_000_000), ("rep", "R1", date(2026, 4, 1), date(2027, 3, 31), 1_500_000),
            ("division", "D2", date(2026, 10, 1), date(2026, 12, 31), 400_000), ("company", "all", date(2025, 4, 1), date(2026, 3, 31), 1),
        ]  # fmt: skip
        transaction.upsert(
            "targets",
            pl.DataFrame(
                [
                    {
                        "scope": s,
                        "scope_id": i,
                        "period_start": a,
                        "period_end": b,
                        "measure": "sales",
                        "amount": Decimal(y),
                    }
                    for s, i, a, b, y in targets
                ],
                schema_overrides={"amount": pl.Decimal(18, 2)},
            ),
        )
        transaction.commit()
    recompute(Workspace.open(site_workspace), None, AT)
    found = published_run(site_workspace)
    assert found is not None
    return found


def sales(run: PublishedRun, first: date, until: date, rep: str | None = None) -> float:
    """Worked another way: line by line."""
    total = 0.0
    for row in run.workspace.read("order_lines").iter_rows(named=True):
        owner = "R1" if int(row["customer_id"][1:]) % 2 == 0 else "R2"
        if first <= row["ordered_at"].date() < until and rep in (None, owner):
            total += float(row["amount"])
    return total


def test_targets_of_today_know_what_is_booked_and_what_comes_as_last_year(run: PublishedRun) -> None:
    company, division, rep = target_progress(run)
    assert (company.scope, division.scope, rep.scope) == ("company", "division", "rep")
    start, day, year = date(2026, 4, 1), run.as_of, timedelta(days=364)
    assert company.booked == sales(run, start, day)
    rest = sales(run, day - year, date(2027, 4, 1) - year)
    assert company.on_course == pytest.approx(sales(run, start, day) + rest)
    assert rep.booked == sales(run, start, day, "R1")
    assert division.booked == sales(run, date(2026, 10, 1), day, "R2")
    plan = run.rows("plan")
    part = ((date(2027, 3, 31) - day).days + 1) / 365
    assert company.expected == pytest.approx(plan["expected"].sum() * part)
    assert rep.expected == pytest.approx(plan.filter(pl.col("rep_id") == "R1")["expected"].sum() * part)
    assert company.low <= company.expected <= company.high


@pytest.mark.django_db
def test_keeping_targets_twice_leaves_the_same_rows(run: PublishedRun) -> None:
    assert keep_targets(run, at=AT) == keep_targets(run, at=AT) == 3
    assert TargetStanding.objects.count() == 3
    company = TargetStanding.objects.get(scope="company")
    assert company.gap == pytest.approx(company.amount - company.on_course)
    assert company.still_open == pytest.approx(company.gap - company.expected)


@pytest.fixture
def busy(run: PublishedRun, rep: Rep, db: None) -> None:
    """Customers, actions and touches in numbers, so that one query too many a row would show."""
    keep_targets(run, at=AT)
    other = Rep.objects.create(code="R2", name="鈴木", hours_per_month=40)
    today = timezone.localdate()
    for number in range(40):
        who = rep if number % 2 == 0 else other
        customer = Customer.objects.create(
            code=f"K{number:02}",
            name=f"顧客{number}",
            search=f"顧客{number}",
            main_rep=who,
            quadrant="ABCD"[number % 4],
        )
        add_action(
            by=None, customer=customer, source="plan", source_key=f"plan:{number}", rep=who, hours=2, rank=number,
            due=today - timedelta(days=number % 3), expected=1000.0 * number, expected_low=500.0 * number, expected_high=2000.0 * number,
        )  # fmt: skip
        Touch.objects.create(
            code=f"t{number}", customer=customer, rep=who, kind="visit", happened_at=timezone.now(), minutes=60
        )


PAGES = [
    "/week/",
    "/plan/",
    "/plan/?rep=&quadrant=A",
    "/processes/",
    "/processes/visits/",
    "/processes/hearing/?state=open",
]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_pages_open_with_few_queries(
    address: str, language: str, busy: None, person: Callable[[Role], User], signed_in: Callable[[Role], Client],
    django_assert_max_num_queries: Callable[..., object],
) -> None:  # fmt: skip
    User.objects.filter(pk=person(Role.MANAGER).pk).update(language=language)
    client = signed_in(Role.MANAGER)
    with django_assert_max_num_queries(15):
        answer = client.get(address)
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_pages_open_before_anything_was_computed(
    address: str, site_workspace: Path, signed_in: Callable[[Role], Client]
) -> None:
    assert signed_in(Role.MANAGER).get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("role", [Role.REP, Role.MARKETER, Role.ADMINISTRATOR, Role.SHOP_MANAGER])
def test_only_the_manager_sees_the_team(address: str, role: Role, signed_in: Callable[[Role], Client]) -> None:
    assert signed_in(role).get(address).status_code == 404


def test_the_week_is_confirmed_by_the_page(busy: None, signed_in: Callable[[Role], Client]) -> None:
    client = signed_in(Role.MANAGER)
    monday = timezone.localdate() - timedelta(days=timezone.localdate().weekday())
    client.post(reverse("plays:confirm"), {"week": f"{monday}", "note": "確認しました"})
    kept = WeekConfirmation.objects.get()
    assert kept.figures["hearing"]["open"] + kept.figures["hearing"]["late"] == 40
    assert "確認しました" in client.get("/processes/").content.decode()
    client.post(reverse("plays:confirm"), {"week": f"{monday + timedelta(days=14)}"})
    assert WeekConfirmation.objects.count() == 1, "a week that has not begun cannot be confirmed"


def test_too_much_time_in_c_is_said(busy: None, signed_in: Callable[[Role], Client]) -> None:
    for number in range(200, 260):
        customer = Customer.objects.create(code=f"C{number}", name=f"維持{number}", quadrant="C")
        Touch.objects.create(
            code=f"c{number}", customer=customer, kind="visit", happened_at=timezone.now(), minutes=120
        )
    page = signed_in(Role.MANAGER).get("/week/").content.decode()
    assert "C（現状維持）です" in page
    # 120 h of 40 customers' 40 h and these: (10 + 120) / 160
    assert "直近30日の時間の81%がC" in page
