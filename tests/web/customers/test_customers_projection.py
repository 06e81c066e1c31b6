"""The lists show what the store and the newest run say, and what people said since; what people say reaches the next run."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from django.utils import timezone

from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.people_snapshot import take_snapshot
from nobishiro.web.core.company import published
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers import publication, tasks
from nobishiro.web.customers.facts import add_fact, withdraw_fact
from nobishiro.web.customers.models import (
    Contact,
    Correction,
    Customer,
    Fact,
    Family,
    Owner,
    Projection,
    Tag,
)
from nobishiro.web.customers.outcomes import record_outcome, withdraw_outcome
from nobishiro.web.customers.overrides import set_override, withdraw_override
from nobishiro.web.customers.people_source import DatabasePeople
from nobishiro.web.customers.projection import project
from nobishiro.web.customers.tags import set_tag
from nobishiro.web.customers.touches import add_touch
from nobishiro.web.people.models import Division, Rep, User

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 21)


class Context:
    job_id = 1

    def progress(self, what: str, done: int, total: int) -> None: ...

    def check(self) -> None: ...


def put(path: Path, import_id: str, **tables: list[dict]) -> None:
    workspace = Workspace.open_or_plan(path)
    workspace.make(AT)
    with workspace.store.begin(import_id, "import", "", AT.replace(tzinfo=None)) as transaction:
        for name, rows in tables.items():
            transaction.upsert(name, pl.DataFrame(rows, infer_schema_length=None))
        transaction.commit()


FAMILIES = {"S": "センサ", "V": "画像", "L": "照明", "M": "計測", "P": "保守"}


def orders(customers: int = 120) -> list[dict]:
    """Every customer buys sensors over two years and opens each other family with a third's chance; deterministic."""
    rng = np.random.default_rng(7)
    lines = []
    for n in range(customers):
        opened = {"S": 0} | {letter: int(rng.integers(0, 1300)) for letter in "VLMP"}
        for order in range(int(rng.integers(2, 14))):
            since = int(rng.integers(0, 719))
            day, bought = datetime(2024, 12, 1) + timedelta(days=since), [f for f, at in opened.items() if at <= since]
            for letter in sorted({"S", bought[int(rng.integers(0, len(bought)))]}):
                lines.append({  # noqa: PERF401 - three loops deep, this reads better
                    "order_id": f"O{n}-{order}", "product_id": letter + str(int(rng.integers(1, 4))), "occurrence": 1,
                    "customer_id": f"{n:03}", "ordered_at": day, "quantity": Decimal(1),
                    "amount": Decimal(int(rng.integers(1, 90)) * 10_000),
                })  # fmt: skip
    return lines


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "HOOKS", [])  # what other rooms do with a run is theirs to test


@pytest.fixture
def company(site_workspace: Path, db: None) -> Path:
    put(
        site_workspace, "i1",
        divisions=[{"division_id": "D1", "name": "汎用センサ", "is_window": True, "parent_division_id": None}, {"division_id": "D2", "name": "画像検査", "is_window": False, "parent_division_id": "D1"}],
        reps=[{"rep_id": "R1", "name": "佐藤 健", "division_id": "D1", "hours_per_month": 80.0}],
        assignments=[
            {"customer_id": "000", "division_id": "D1", "rep_id": "R1", "role": "main", "valid_from": None, "valid_to": None},
            {"customer_id": "001", "division_id": "D1", "rep_id": "R1", "role": "support", "valid_from": None, "valid_to": None},
            {"customer_id": "001", "division_id": "D2", "rep_id": "R9", "role": "main", "valid_from": None, "valid_to": None},
            {"customer_id": "002", "division_id": "D1", "rep_id": "R1", "role": "main", "valid_from": None, "valid_to": date(2026, 3, 31)},
        ],
        customers=[{"customer_id": f"{n:03}", "name": f"株式会社ＡＢ{n}", "name_kana": f"エービー{n}", "phone": "0312345678", "industry": "食品"} for n in range(120)],
        contacts=[
            {"contact_id": "C1", "customer_id": "000", "family_name": "田中", "is_decision_maker": True},
            {"contact_id": "C2", "customer_id": "000", "family_name": "鈴木", "is_decision_maker": False},
        ],
        products=[{"product_id": code, "name": f"品 {code}", "family": family, "division_id": division} for code, family, division in ((f"{letter}{n}", family, "D1" if letter == "S" or n == 3 else "D2") for letter, family in FAMILIES.items() for n in (1, 2, 3))],
        order_lines=orders(),
        survey_answers=[
            {"answer_id": "a1", "customer_id": "000", "contact_id": "C1", "survey": "s", "question": "nps", "score": 3.0, "answered_at": datetime(2026, 1, 5)},
            {"answer_id": "a2", "customer_id": "000", "contact_id": "C1", "survey": "s", "question": "nps", "score": 9.0, "answered_at": datetime(2026, 6, 5)},
            {"answer_id": "a3", "customer_id": "000", "contact_id": "C2", "survey": "s", "question": "nps", "score": 0.0, "answered_at": datetime(2026, 6, 6)},
        ],
    )  # fmt: skip
    return site_workspace


@pytest.fixture
def sales(company: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    project(company, at=AT)
    person = User.objects.create_user("rep@example.jp", "佐藤 健", Role.REP)
    person.rep = Rep.objects.get(code="R1")
    person.save()
    return person


def test_masters_are_listed_before_any_run(company: Path) -> None:
    report = project(company, at=AT)
    assert (report.customers, report.run_id) == (120, "")
    first = Customer.objects.get(code="000")
    assert (first.name, first.kana, first.quadrant, first.potential) == ("株式会社ＡＢ0", "エービー0", "", None)
    assert first.search == "株式会社ab0 エービー0 000 0312345678"
    assert (first.main_rep.name, first.nps, first.is_listed) == ("佐藤 健", 9.0, True)
    assert Division.objects.get(code="D2").parent.code == "D1"
    assert Rep.objects.get(code="R9").name == "R9"  # named by an assignment alone
    second = Customer.objects.get(code="001")
    assert second.main_rep.code == "R9"
    assert {(owner.rep.code, owner.role) for owner in second.owners.all()} == {("R1", "support"), ("R9", "main")}
    assert not Customer.objects.get(code="002").owners.exists()  # that tie has ended
    assert Contact.objects.get(code="C1").is_key_person


def test_projecting_twice_changes_nothing_and_keeps_keys(company: Path) -> None:
    project(company, at=AT)
    models = (Customer, Owner, Contact, Division, Rep, Fact, Tag)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    project(company, at=AT)
    assert [list(model.objects.order_by("pk").values()) for model in models] == before


def test_undone_import_takes_its_customers_off_the_list_and_brings_them_back_under_the_same_key(company: Path) -> None:
    put(company, "i2", customers=[{"customer_id": "900", "name": "あとの会社"}])
    project(company, at=AT)
    key = Customer.objects.get(code="900").pk
    Workspace.open(company).store.undo("i2", AT.replace(tzinfo=None))
    report = project(company, at=AT)
    assert report.unlisted == 1
    assert not Customer.objects.get(pk=key).is_listed
    put(company, "i3", customers=[{"customer_id": "900", "name": "また来た会社"}])
    project(company, at=AT)
    assert Customer.objects.get(pk=key).is_listed
    assert Customer.objects.get(pk=key).name == "また来た会社"


def test_merged_code_leads_to_the_one_that_stays_and_comes_back(company: Path) -> None:
    project(company, at=AT)
    put(
        company,
        "m1",
        merges=[{"customer_id": "005", "into_customer_id": "004", "evidence": "同じ電話", "decided_by": "rule"}],
    )
    project(company, at=AT)
    folded = Customer.objects.get(code="005")
    assert (folded.is_listed, folded.merged_into.code) == (False, "004")
    assert "ab5" in Customer.objects.get(code="004").search  # found under the name that was folded in
    Workspace.open(company).store.undo("m1", AT.replace(tzinfo=None))
    project(company, at=AT)
    folded.refresh_from_db()
    assert (folded.is_listed, folded.merged_into) == (True, None)


def test_a_persons_correction_stands_over_the_import_at_once(company: Path) -> None:
    Correction.objects.create(
        table_name="customers",
        row_key="000",
        column_name="name",
        value="正しい社名",
        imported_value="株式会社ＡＢ0",
        set_by_name="佐藤",
        set_at=AT,
    )
    project(company, at=AT)
    assert Customer.objects.get(code="000").name == "正しい社名"
    take_snapshot(Workspace.open(company), DatabasePeople(), AT.replace(tzinfo=None))
    put(company, "i2", customers=[{"customer_id": "000", "name": "また違う名"}])
    project(company, at=AT)
    assert Customer.objects.get(code="000").name == "正しい社名"


def test_recompute_shows_the_run_and_tells_whoever_waits(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(publication, "HOOKS", [lambda run, *, at: told.append(run.run_id)])
    result = tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    assert result["customers"] == 120
    assert told == [result["run_id"]] == [published().run_id]
    listed = Customer.objects.filter(is_listed=True)
    assert listed.exclude(quadrant="").count() > 60
    assert listed.filter(last_order_day=None).count() == 0
    assert {family.code: family.division.code for family in Family.objects.all()} == {
        family: "D1" if letter == "S" else "D2" for letter, family in FAMILIES.items()
    }
    assert Projection.current().run_id == result["run_id"]
    gaps = published().rows("gaps").filter("is_missed")
    assert sum(listed.values_list("missed_families", flat=True)) == gaps.height
    again = tasks.recompute_job(Context(), {"as_of": "2026-11-21"})  # safe to run twice
    assert again["run_id"] != result["run_id"]
    assert told == [result["run_id"], again["run_id"]]


def test_old_data_are_looked_at_as_of_their_own_end(company: Path) -> None:
    assert tasks.day_to_look_from(company, AT) == DAY
    assert tasks.day_to_look_from(company, AT + timedelta(days=400)) is None


def test_words_said_since_the_run_count_at_once_and_in_the_next_run(company: Path, sales: User) -> None:
    tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    customer = Customer.objects.get(code="003")
    computed = customer.quadrant
    other = "A" if computed != "A" else "D"
    word = set_override(by=sales, customer=customer, measure="quadrant", value=other, reason="来期に倍増の話")
    project(company, at=AT)
    customer.refresh_from_db()
    assert (customer.quadrant, customer.decided_by, customer.quadrant_computed) == (other, "override", computed)
    tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    row = published().rows("positions", ["003"]).row(0, named=True)
    assert (row["quadrant"], row["decided_by"], row["reason"]) == (other, "override", "来期に倍増の話")
    withdraw_override(by=sales, override=word)
    project(company, at=AT)
    customer.refresh_from_db()
    assert (customer.quadrant, customer.decided_by) == (computed, "computed")
    tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    assert published().rows("positions", ["003"])["decided_by"].item() == "computed"


def test_amounts_and_tags_said_since_the_run_place_the_customer_as_the_run_will(company: Path, sales: User) -> None:
    tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    first, second = Customer.objects.get(code="006"), Customer.objects.get(code="007")
    set_override(by=sales, customer=first, measure="potential", value="99,000,000", reason="伺いました")
    set_tag(by=sales, customer=second, tag="what", value="large")
    set_tag(by=sales, customer=second, tag="pace", value="low")
    project(company, at=AT)
    laid_over = {
        row["code"]: row for row in Customer.objects.filter(code__in=["006", "007"]).values(
            "code", "quadrant", "decided_by", "potential", "track_record", "quadrant_computed"
        )
    }  # fmt: skip
    tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    for row in Customer.objects.filter(code__in=["006", "007"]).values(
        "code", "quadrant", "decided_by", "potential", "track_record", "quadrant_computed"
    ):
        before = laid_over[row["code"]]
        assert (row["quadrant"], row["decided_by"]) == (before["quadrant"], before["decided_by"])
    assert laid_over["007"]["decided_by"] == "tags"
    assert laid_over["006"]["potential"] == 99_000_000


def test_a_tap_makes_the_family_proposed_in_the_next_run(company: Path, sales: User) -> None:
    tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    cell = published().rows("gaps").filter(pl.col("state") == "not_proposed").row(0, named=True)
    customer = Customer.objects.get(code=cell["customer_id"])
    yesterday = datetime(2026, 11, 20, 5, tzinfo=UTC)
    for result in ("open", "declined"):
        outcome, _ = record_outcome(
            by=sales,
            code=f"tap-{result}",
            customer=customer,
            result=result,
            family=cell["family"],
            happened_at=yesterday,
        )
        tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
        row = published().rows("gaps", [customer.code]).filter(pl.col("family") == cell["family"]).row(0, named=True)
        assert (row["state"], row["proposal_result"]) == ("proposed", result)
        assert not row["is_missed"]
        withdraw_outcome(by=sales, outcome=outcome)
    record_outcome(
        by=sales,
        code="tap-dismissed",
        customer=customer,
        result="dismissed",
        family=cell["family"],
        happened_at=yesterday,
    )
    tasks.recompute_job(Context(), {"as_of": "2026-11-21"})
    row = published().rows("gaps", [customer.code]).filter(pl.col("family") == cell["family"]).row(0, named=True)
    assert row["state"] == "not_proposed"  # 今回は出さない was never brought up; the undone taps are gone
    store = Workspace.open(company).store
    assert store.read("proposals").is_empty()
    assert store.read("outcomes")["result"].to_list() == ["dismissed"]


def test_last_touch_moves_with_what_was_entered_here(company: Path, sales: User) -> None:
    customer = Customer.objects.get(code="008")
    add_touch(
        by=sales,
        code="t1",
        customer=customer,
        kind="visit",
        happened_at=datetime(2026, 11, 20, 5, tzinfo=UTC),
        minutes=60,
        note="内緒の話",
        is_private=True,
    )
    Customer.objects.filter(pk=customer.pk).update(last_touch_day=None)  # as a run that does not know it says
    project(company, at=AT)
    customer.refresh_from_db()
    assert customer.last_touch_day == date(2026, 11, 20)
    take_snapshot(Workspace.open(company), DatabasePeople(), AT.replace(tzinfo=None))
    touch = Workspace.open(company).read("touches").row(0, named=True)
    assert (touch["touch_id"], touch["customer_id"], touch["minutes"], touch["rep_id"]) == ("web-t1", "008", 60.0, "R1")
    assert touch["note"] is None  # private notes stay in the database
    assert touch["happened_at"] == datetime(2026, 11, 20, 14)  # on the company's clock


def test_snapshot_of_unchanged_people_makes_no_commit(company: Path, sales: User) -> None:
    workspace = Workspace.open(company)
    add_fact(by=sales, customer=Customer.objects.get(code="000"), fact="outlook", value="増産")
    first = take_snapshot(workspace, DatabasePeople(), AT.replace(tzinfo=None))
    assert (first.written, first.removed) == (1, 0)
    head = workspace.store.head()
    assert (head.kind, head.note, head.number) == ("edit", "people", first.commit)
    assert take_snapshot(workspace, DatabasePeople(), AT.replace(tzinfo=None)).commit is None
    assert workspace.store.head().number == head.number


def test_withdrawn_fact_leaves_the_store(company: Path, sales: User) -> None:
    workspace = Workspace.open(company)
    fact = add_fact(by=sales, customer=Customer.objects.get(code="000"), fact="total_spend", amount=18_000_000)
    take_snapshot(workspace, DatabasePeople(), AT.replace(tzinfo=None))
    assert workspace.read("facts")["amount"].to_list() == [Decimal("18000000.00")]
    withdraw_fact(by=sales, fact=fact)
    assert take_snapshot(workspace, DatabasePeople(), AT.replace(tzinfo=None)).removed == 1
    assert workspace.read("facts").is_empty()


def test_a_persons_word_wins_over_an_import_both_stay_and_the_imports_comes_back(company: Path, sales: User) -> None:
    workspace, people = Workspace.open(company), DatabasePeople()
    said = lambda: workspace.read("tags").select("tag", "value").rows()  # noqa: E731
    put(company, "i2", tags=[{"customer_id": "000", "tag": "what", "value": "small", "set_by": "表", "set_on": DAY}])
    project(company, at=AT)
    customer = Customer.objects.get(code="000")
    imported = Tag.objects.get()
    assert (imported.value, imported.import_id, imported.set_by_name) == ("small", "i2", "表")
    set_tag(by=sales, customer=customer, tag="what", value="large")
    take_snapshot(workspace, people, AT.replace(tzinfo=None))
    assert said() == [("what", "large")]
    project(company, at=AT)
    assert Tag.objects.count() == 2  # both are kept
    put(
        company,
        "i3",
        tags=[{"customer_id": "000", "tag": "what", "value": "small", "set_by": "また", "set_on": date(2030, 1, 1)}],
    )
    project(company, at=AT)
    newest = Tag.objects.filter(customer=customer, tag="what", withdrawn_at=None).latest("set_at")
    assert newest.value == "large"  # the person's stands, whatever the file says
    take_snapshot(workspace, people, AT.replace(tzinfo=None))
    assert said() == [("what", "large")]
    Tag.objects.filter(import_id="").update(withdrawn_at=timezone.now())
    take_snapshot(workspace, people, AT.replace(tzinfo=None))
    assert said() == [("what", "small")]  # what the import said counts again
    assert take_snapshot(workspace, people, AT.replace(tzinfo=None)).commit is None
    project(company, at=AT)
    assert Tag.objects.filter(import_id="i3", withdrawn_at=None).count() == 1


def test_clearing_an_imported_tag_takes_it_out_of_the_store(company: Path, sales: User) -> None:
    workspace, people = Workspace.open(company), DatabasePeople()
    put(
        company,
        "i2",
        tags=[
            {"customer_id": "000", "tag": "what", "value": "small"},
            {"customer_id": "001", "tag": "what", "value": "large"},
        ],
    )
    project(company, at=AT)
    set_tag(by=sales, customer=Customer.objects.get(code="000"), tag="what", value="")
    take_snapshot(workspace, people, AT.replace(tzinfo=None))
    assert workspace.read("tags")["customer_id"].to_list() == ["001"]
    project(company, at=AT)
    assert Tag.objects.filter(withdrawn_at=None).count() == 1
    assert Tag.objects.count() == 2  # what was cleared stays in the history
    assert take_snapshot(workspace, people, AT.replace(tzinfo=None)).commit is None


def test_undone_import_takes_its_words_off_the_karte(company: Path, sales: User) -> None:
    put(
        company,
        "i2",
        facts=[
            {
                "customer_id": "000",
                "fact": "outlook",
                "subject": "-",
                "value": "減産",
                "learned_on": date(2026, 10, 1),
                "source": "visit",
                "rep_id": "R1",
            }
        ],
    )
    project(company, at=AT)
    fact = Fact.objects.get()
    assert (fact.value, fact.rep.code, fact.import_id, Customer.objects.get(code="000").coverage) == (
        "減産",
        "R1",
        "i2",
        2,
    )  # and a key person
    Workspace.open(company).store.undo("i2", AT.replace(tzinfo=None))
    project(company, at=AT)
    assert not Fact.objects.exists()
    assert Customer.objects.get(code="000").coverage == 1


def test_relations_of_several_reps_stand_side_by_side_the_main_reps_first(company: Path, sales: User) -> None:
    customer = Customer.objects.get(code="001")  # R9 is its main rep
    set_tag(by=sales, customer=customer, tag="relation", value="◎")
    set_tag(by=sales, customer=customer, tag="relation", value="△", rep=Rep.objects.get(code="R9"))
    rows = DatabasePeople().snapshot("tags").select("tag", "value").rows()
    assert sorted(rows) == [("relation", "△"), ("relation:R1", "◎"), ("relation:R9", "△")]


def test_changed_at_is_the_latest_of_everything(company: Path, sales: User) -> None:
    assert DatabasePeople().changed_at() is None
    add_fact(by=sales, customer=Customer.objects.get(code="000"), fact="outlook", value="増産")
    assert DatabasePeople().changed_at() == Fact.objects.get().set_at


def test_without_a_workspace_nothing_is_projected(site_workspace: Path, db: None) -> None:
    assert project(site_workspace, at=AT).customers == 0
