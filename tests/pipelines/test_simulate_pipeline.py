"""A simulated company in a workspace and as files: labelled, whole, importable, and telling the story."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import FileNotUsable, NotAWorkspace, StoreError, UnknownName
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines import simulate
from nobishiro.pipelines.import_file import ImportRequest, import_file
from nobishiro.pipelines.recompute import recompute
from nobishiro.pipelines.simulate import Simulation, simulate_files, simulate_into, simulation_of
from nobishiro.simulation.company import SimulationSettings, simulate_company

AT = datetime(2026, 11, 21, 8)
AS_OF = date(2026, 11, 21)
TOWA = "C000001"
SMALL = SimulationSettings("maker", 300)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The maker of the demo, computed."""
    workspace = simulate_into(tmp_path_factory.mktemp("demo") / "maker", SimulationSettings("maker", 800), AT)
    recompute(workspace, AS_OF, AT)
    return workspace


@pytest.fixture(scope="module")
def positions(demo: Workspace) -> pl.DataFrame:
    run = demo.store.latest_run()
    assert run is not None
    return demo.store.read_result(run.run_id, "positions")


def test_workspace_holds_every_row_in_one_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "_PART", 1_000)  # so that orders would be cut if pieces cut them
    workspace = simulate_into(tmp_path / "ws", SMALL, AT)
    company = simulate_company(SMALL)
    for name, frame in company.tables.items():
        key = frame.columns
        assert workspace.read(name).sort(key).equals(frame.sort(key)), name
    commits = [commit for commit in workspace.store.commits() if commit.kind == "import"]
    assert len(commits) == 1
    assert "simulated" in commits[0].note


def test_workspace_is_labelled_and_its_truth_lies_beside_it(tmp_path: Path) -> None:
    workspace = simulate_into(tmp_path / "ws", SMALL, AT)
    assert simulation_of(workspace.path) == Simulation(
        "maker", "のびしろ計器", "Nobishiro Keiki", 300, 1, date(2026, 11, 21), 36
    )
    truths = simulate_company(SMALL).truths
    assert {path.stem for path in (workspace.path / "truths").iterdir()} == set(truths)
    for name, frame in truths.items():
        assert pl.read_parquet(workspace.path / "truths" / f"{name}.parquet").equals(frame), name


def test_what_is_not_simulated_has_no_label(tmp_path: Path) -> None:
    assert simulation_of(tmp_path) is None


def test_a_label_nobody_can_read_is_an_error_and_not_no_label(tmp_path: Path) -> None:
    (tmp_path / "simulated.json").write_text('{"business": 1}', "utf-8")
    with pytest.raises(StoreError, match=r"simulated\.json"):
        simulation_of(tmp_path)


def test_a_directory_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(NotAWorkspace):
        simulate_into(tmp_path, SMALL, AT)
    with pytest.raises(FileNotUsable):
        simulate_files(tmp_path, SMALL, AT)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_unknown_kind_of_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="pdf"):
        simulate_files(tmp_path / "out", SMALL, AT, kind="pdf")
    assert not (tmp_path / "out").exists()


def test_parquet_files_hold_the_tables(tmp_path: Path) -> None:
    written = simulate_files(tmp_path / "out", SMALL, AT, kind="parquet")
    tables = simulate_company(SMALL).tables
    assert {path.stem for path in written} == set(tables)
    for path in written:
        assert pl.read_parquet(path).equals(tables[path.stem])
    assert simulation_of(tmp_path / "out") is not None
    assert "架空データ" in (tmp_path / "out" / "README.txt").read_text("utf-8")


@pytest.mark.parametrize("table", ["customers", "products", "contacts", "facts", "order_lines", "touches"])
def test_csv_files_are_imported_without_a_rejected_row(tmp_path: Path, table: str) -> None:
    simulate_files(tmp_path / "out", SMALL, AT)
    workspace = Workspace.open_or_plan(tmp_path / "ws")
    workspace.make(AT)
    request = ImportRequest(str(tmp_path / "out" / f"{table}.csv"), table=table)
    report = import_file(workspace, request, AT).report
    assert report.rejected.is_empty()
    assert next(t.new for t in report.tables if t.table == table) == simulate_company(SMALL).tables[table].height


def test_map_of_the_demo_has_all_four_quadrants_in_plausible_proportions(positions: pl.DataFrame) -> None:
    count = dict(positions.group_by("quadrant").len().iter_rows())
    assert positions.height == 800
    assert 45 <= count["A"] <= 100
    assert 85 <= count["B"] <= 160
    assert 220 <= count["C"] <= 350
    assert 240 <= count["D"] <= 370
    assert count.get(None, 0) <= 60


def test_towa_stands_in_b_long_unseen_and_was_never_offered_vision(demo: Workspace, positions: pl.DataFrame) -> None:
    towa = positions.filter(pl.col("customer_id") == TOWA).row(0, named=True)
    assert towa["name"] == "東和食品機械株式会社"
    assert towa["quadrant"] == "B" and towa["decided_by"] == "computed"
    assert (AS_OF - towa["last_touch_day"]).days == 38
    lines = demo.read("order_lines").filter(pl.col("customer_id") == TOWA)
    september = lines.filter(pl.col("ordered_at").dt.year() == 2026, pl.col("ordered_at").dt.month() == 9)
    lights = september.filter(pl.col("product_id").str.starts_with("LT-"))
    assert lights["order_id"].n_unique() == 2
    facts = demo.read("facts").filter(pl.col("customer_id") == TOWA)
    assert facts["value"].str.contains("目視検査の人手不足").any()
    assert demo.read("proposals").filter(pl.col("customer_id") == TOWA).is_empty()
    assert lines.filter(pl.col("product_id").str.starts_with("V-")).is_empty()
    run = demo.store.latest_run()
    assert run is not None
    gaps = demo.store.read_result(run.run_id, "gaps").filter(pl.col("customer_id") == TOWA)
    vision = gaps.filter(pl.col("family") == "画像検査").row(0, named=True)
    assert vision["state"] == "not_proposed" and vision["is_missed"]
    assert vision["rank"] == gaps.filter(pl.col("is_missed"))["rank"].min()


def test_two_hundred_sensors_came_by_web_from_a_customer_nobody_met(demo: Workspace) -> None:
    lines = demo.read("order_lines").filter(pl.col("product_id").str.starts_with("E500"), pl.col("quantity") == 200)
    assert lines.height == 1
    customer = lines["customer_id"][0]
    assert lines["channel"][0] == "web"
    assert demo.read("touches").filter(pl.col("customer_id") == customer).is_empty()
    assert demo.read("facts").filter(pl.col("customer_id") == customer).height == 1


def test_story_has_fair_rival_promoter_and_detractor(demo: Workspace) -> None:
    story = dict(pl.read_parquet(demo.path / "truths" / "story.parquet").select("part", "customer_id").iter_rows())
    answers, deals, tickets = demo.read("survey_answers"), demo.read("deals"), demo.read("tickets")
    assert answers.filter(pl.col("customer_id") == story["fair_questionnaire"]).height == 5
    rival = deals.filter(pl.col("customer_id") == story["downsell"]).row(0, named=True)
    assert rival["outcome"] == "open" and rival["product_id"] == "V-STD" and rival["competitor"]
    nps = answers.filter(pl.col("question") == "nps")
    assert nps.filter(pl.col("customer_id") == story["promoter"])["score"].to_list() == [10.0]
    assert nps.filter(pl.col("customer_id") == story["detractor"])["score"].to_list() == [2.0]
    open_ = tickets.filter(pl.col("customer_id") == story["detractor"], pl.col("closed_at").is_null())
    assert open_["kind"].to_list() == ["complaint"]


def test_next_model_comes_out_in_the_october_after_as_of(demo: Workspace) -> None:
    products = demo.read("products").drop_nulls("active_from")
    assert products["active_from"].to_list() == [date(2027, 10, 1)]
    sold = demo.read("order_lines").join(products, on="product_id", how="semi")
    assert sold.is_empty()


def test_one_rep_spends_sixty_two_percent_of_the_time_in_c(demo: Workspace, positions: pl.DataFrame) -> None:
    touches = demo.read("touches").filter(pl.col("happened_at") >= datetime(2025, 11, 21))
    minutes = touches.join(positions.select("customer_id", "quadrant"), on="customer_id")
    share = (
        minutes.group_by("rep_id")
        .agg(pl.col("minutes").filter(pl.col("quadrant") == "C").sum() / pl.col("minutes").sum())
        .sort("minutes", descending=True)
    )
    busy = dict(share.iter_rows())["R0003"]
    assert 0.57 <= busy <= 0.67
    window = [f"R{number:04d}" for number in range(1, 11)]
    assert share.filter(pl.col("rep_id").is_in(window))["rep_id"][0] == "R0003"


def test_b_is_long_unseen(positions: pl.DataFrame) -> None:
    gap = pl.lit(AS_OF) - pl.col("last_touch_day")
    unseen = positions.group_by("quadrant").agg((gap.dt.total_days() > 30).mean().alias("share"))
    by_quadrant = dict(unseen.iter_rows())
    assert by_quadrant["B"] > 0.6 > by_quadrant["C"]
