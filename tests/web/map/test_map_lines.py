"""Lines drawn across the map hold for everybody at once and in every run to come."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from map_company import AT

from nobishiro.contracts.errors import BadInput, SettingsError
from nobishiro.engine.settings import read_settings
from nobishiro.pipelines.map_lines import keep_lines, lines_in_force
from nobishiro.web.core.company import published
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Customer, Tag
from nobishiro.web.customers.overrides import set_override
from nobishiro.web.map.lines import draw_lines, lines_now, place_all, place_by_lines
from nobishiro.web.map.models import MapThreshold
from nobishiro.web.people.models import User

Company = dict[str, Customer]


def quadrants() -> dict[str, str]:
    return dict(Customer.objects.values_list("code", "quadrant"))


def test_computed_customers_move_and_peoples_words_stay(company: Company, person: Callable[[Role], User]) -> None:
    drawn = draw_lines(by=person(Role.MANAGER), potential=2_500_000, track_record=50_000, reason="来期の重点に合わせる")
    # B1: less room than the line, more record than the other → C; C1 stays C; the override, the tag and the unknown stay
    assert quadrants() == {"A1": "A", "B1": "C", "B2": "B", "C1": "C", "D1": "D", "U1": ""}
    assert drawn.moved == 1
    assert dict(Customer.objects.values_list("code", "quadrant_computed")) == {
        "A1": "A",
        "B1": "C",
        "B2": "D",
        "C1": "C",
        "D1": "C",
        "U1": "",
    }


def test_tag_holds_its_side_and_the_line_decides_the_other(company: Company) -> None:
    # D1 is tagged Pace low: whatever the record's line, it stays on that side
    place_all(1_000_000, 50_000)
    assert quadrants()["D1"] == "D"
    place_all(50_000, 50_000)
    assert quadrants()["D1"] == "B"
    Tag.objects.create(customer=company["D1"], tag="pace", value="高", set_at=timezone.now())
    place_all(50_000, 1_000_000)
    assert quadrants()["D1"] == "A"


def test_lines_are_kept_with_reason_and_who_and_handed_to_the_next_run(
    company: Company, person: Callable[[Role], User], site_workspace: Path
) -> None:
    draw_lines(by=person(Role.MANAGER), potential=2_500_000, track_record=50_000, reason="来期の重点に合わせる")
    kept = MapThreshold.objects.get()
    assert (kept.before_potential, kept.potential, kept.reason, kept.set_by_name) == (
        1_000_000,
        2_500_000,
        "来期の重点に合わせる",
        "manager さん",
    )
    settings = read_settings(site_workspace / "settings.toml").map
    assert (settings.potential_threshold, settings.track_record_threshold) == (2_500_000, 50_000)
    now = lines_now()
    assert now is not None
    assert (now.potential, now.track_record, now.why, now.set_by) == (
        2_500_000,
        50_000,
        "来期の重点に合わせる",
        "manager さん",
    )
    assert AuditEntry.objects.filter(verb="map.lines").count() == 1


def test_override_withdrawn_after_lines_moved_stands_by_the_new_lines(
    company: Company, person: Callable[[Role], User]
) -> None:
    draw_lines(by=person(Role.MANAGER), potential=2_500_000, track_record=50_000, reason="…")
    set_override(
        by=person(Role.MANAGER), customer=company["A1"], measure="track_record", value="10000", reason="返品が続いた"
    )
    assert quadrants()["A1"] == "B"


def test_run_cut_by_older_lines_is_laid_over(company: Company, person: Callable[[Role], User]) -> None:
    draw_lines(by=person(Role.MANAGER), potential=2_500_000, track_record=50_000, reason="…")
    Customer.objects.filter(code="B1").update(quadrant="B", quadrant_computed="B")
    run = published()
    assert run is not None
    place_by_lines(run, at=AT)
    assert quadrants()["B1"] == "C"


def test_curve_decides_again_when_the_lines_are_given_back(
    company: Company, person: Callable[[Role], User], site_workspace: Path
) -> None:
    draw_lines(by=person(Role.MANAGER), potential=2_500_000, track_record=50_000, reason="…")
    draw_lines(by=person(Role.MANAGER), potential=None, track_record=None, reason="試しは終わり")
    assert "threshold" not in (site_workspace / "settings.toml").read_text("utf-8")
    run = published()
    assert run is not None
    assert lines_in_force(run).potential == 1_000_000
    assert MapThreshold.objects.count() == 2


@pytest.mark.parametrize(("potential", "reason"), [(1_000.0, "  "), (-1.0, "x"), (float("nan"), "x"), (1e16, "x")])
def test_impossible_lines_change_nothing(
    company: Company, person: Callable[[Role], User], site_workspace: Path, potential: float, reason: str
) -> None:
    with pytest.raises(BadInput):
        draw_lines(by=person(Role.MANAGER), potential=potential, track_record=1.0, reason=reason)
    assert quadrants()["B1"] == "B"
    assert not (site_workspace / "settings.toml").exists()


def test_settings_that_cannot_be_written_leave_everything_as_it_was(
    company: Company, person: Callable[[Role], User], site_workspace: Path
) -> None:
    (site_workspace / "settings.toml").write_text('[map\npotential_threshold = "x"', "utf-8")
    with pytest.raises(SettingsError):
        draw_lines(by=person(Role.MANAGER), potential=2_500_000, track_record=50_000, reason="…")
    assert quadrants()["B1"] == "B"
    assert not MapThreshold.objects.exists()


def test_only_the_lines_change_in_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        "# 自社の設定\n[plan]\nshare_a = 0.5 # A\nshare_b = 0.25\n[map]\n# 線\ntrack_record_threshold = 3\n\n[store]\nkeep_commits = 5\n",
        "utf-8",
    )
    keep_lines(tmp_path, 10.5, 20.0)
    text = path.read_text("utf-8")
    assert "share_a = 0.5 # A" in text
    assert "# 線" in text
    settings = read_settings(path)
    assert (settings.map.potential_threshold, settings.map.track_record_threshold, settings.store.keep_commits) == (
        10.5,
        20.0,
        5,
    )
    keep_lines(tmp_path, None, None)
    assert read_settings(path).map.potential_threshold is None
    assert "# 自社の設定" in path.read_text("utf-8")


def test_manager_moves_the_lines_on_the_page(company: Company, signed_in: Callable[[Role], Client]) -> None:
    client = signed_in(Role.MANAGER)
    answer = client.post(
        "/map/lines/", {"potential": "2500000", "track_record": "50000", "reason": "来期の重点", "query": "quadrant=C"}
    )
    assert (answer.status_code, answer["Location"]) == (303, "/map/?quadrant=C")
    page = client.get("/map/?quadrant=C").content.decode()
    assert "1社の区分が変わりました" in page
    assert "来期の重点" in page


def test_rep_may_not_move_the_lines(company: Company, signed_in: Callable[[Role], Client]) -> None:
    assert (
        signed_in(Role.REP).post("/map/lines/", {"potential": "1", "track_record": "1", "reason": "x"}).status_code
        == 404
    )
    page = signed_in(Role.REP).get("/map/").content.decode()
    assert 'action="/map/lines/"' not in page
    assert "全社の線は営業マネージャーが決めます" in page


def test_manager_says_from_when_it_is_too_much_c(company: Company, signed_in: Callable[[Role], Client]) -> None:
    client = signed_in(Role.MANAGER)
    client.post("/map/tolerance/", {"c_tolerance": "70"})
    assert "かけすぎています" not in client.get("/map/").content.decode()
    client.post("/map/tolerance/", {"c_tolerance": "700"})
    assert "かけすぎています" not in client.get("/map/").content.decode()
    assert AuditEntry.objects.filter(verb="map.tolerance").count() == 1
