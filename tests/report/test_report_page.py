"""The report holds what the run found, harms nobody, and asks the network for nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from nobishiro.contracts.errors import FileNotUsable, SettingsError, UnknownName
from nobishiro.report import ReportData, write_report
from nobishiro.report.page import render_report
from nobishiro.report.payload import MAX_HISTORY, detail_columns
from nobishiro.report.texts import load_texts, say


def _fixture_module() -> ModuleType:
    spec = spec_from_file_location("company_of_instruments", Path(__file__).with_name("company_of_instruments.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


company_of_instruments = _fixture_module().company_of_instruments
HOSTILE = (
    "</script><script>alert(1)</script>",
    '=HYPERLINK("http://x")',
    "a\x00b\u2028<img src=x onerror=alert(1)>",
    "'\"`{{core}}",
    "@SUM(1)",
    "+1",
    "-1",
)


@pytest.fixture(scope="module")
def data() -> ReportData:
    return company_of_instruments(60)


class _Page(HTMLParser):
    """Every element with its attributes, and the text of script and style elements."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, dict[str, str | None], str]] = []
        self._inside: tuple[str, dict[str, str | None]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = (tag, dict(attrs)) if tag in ("script", "style") else None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts.append((*self._inside, data))
            self._inside = None


def parsed(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    return page


def blocks(text: str) -> tuple[dict, dict]:
    """The two data blocks, as the page reads them."""
    found = {attrs.get("id"): content for tag, attrs, content in parsed(text).texts if tag == "script"}
    return json.loads(found["core"]), json.loads(gzip.decompress(base64.b64decode(found["detail"])))


def test_page_holds_every_customer_with_its_quadrant_and_amounts(data: ReportData) -> None:
    core, _ = blocks(render_report(data))
    assert core["customers"]["id"] == data.positions["customer_id"].to_list()
    assert core["customers"]["quadrant"] == "".join(data.positions["quadrant"])
    assert core["customers"]["track"] == [round(value) for value in data.positions["track_record"]]


def test_unknown_potential_stays_unknown(data: ReportData) -> None:
    core, _ = blocks(render_report(data))
    unknown = data.positions["potential"].is_null().to_list()
    assert any(unknown)
    assert [value is None for value in core["customers"]["potential"]] == unknown


def test_every_missed_family_is_in_the_page_with_its_interval(data: ReportData) -> None:
    _, detail = blocks(render_report(data))
    gaps = detail["gaps"]
    shown = {
        (data.positions["customer_id"][c], data.families["family"][f]): (e, low, high)
        for c, f, e, low, high, missed in zip(
            gaps["customer"], gaps["family"], gaps["expected"], gaps["low"], gaps["high"], gaps["missed"], strict=True
        )
        if missed == "1"
    }
    expected = {
        (row["customer_id"], row["family"]): (round(row["expected"]), round(row["low"]), round(row["high"]))
        for row in data.gaps.filter(pl.col("is_missed")).iter_rows(named=True)
    }
    assert shown == expected


def test_states_are_complete(data: ReportData) -> None:
    _, detail = blocks(render_report(data))
    states = detail["gaps"]["states"]
    letters = {"buying": "b", "proposed": "p", "not_proposed": "n", "competitor": "c", "not_applicable": "x"}
    for row in data.gaps.iter_rows(named=True):
        c, f = (
            data.positions["customer_id"].index_of(row["customer_id"]),
            data.families["family"].index_of(row["family"]),
        )
        assert states[c * data.families.height + f] == letters[row["state"]]


def test_one_offer_in_front_two_folded_and_the_kinds_apart(data: ReportData) -> None:
    ten = pl.concat([data.recommendations.with_columns(pl.col("rank") + 3 * k) for k in range(4)])
    offers = detail_columns(replace(data, recommendations=ten))["offers"]
    assert isinstance(offers, dict)
    per_kind = (
        pl.DataFrame({"customer": offers["customer"], "kind": list(offers["kind"])}).group_by("customer", "kind").len()
    )
    assert per_kind["len"].max() == 3


def test_history_that_does_not_fit_loses_the_oldest_rows_and_says_so(
    data: ReportData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nobishiro.report.payload.MAX_HISTORY", 200)
    history = detail_columns(data)["history"]
    assert isinstance(history, dict)
    assert (history["shown"], history["total"]) == (200, data.order_history.height)
    assert data.order_history.height > 200 < MAX_HISTORY
    epoch = date(1970, 1, 1)
    for customer in set(history["customer"]):
        kept = [day for c, day in zip(history["customer"], history["day"], strict=True) if c == customer]
        code = data.positions["customer_id"][customer]
        newest = data.order_history.filter(pl.col("customer_id") == code)["day"].max()
        assert kept == sorted(kept, reverse=True)
        assert kept[0] == (newest - epoch).days


def test_months_are_summed_before_rows_are_left_out(data: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    before = detail_columns(data)["history"]
    monkeypatch.setattr("nobishiro.report.payload.MAX_HISTORY", 10)
    after = detail_columns(data)["history"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert before["monthAmount"] == after["monthAmount"]


def test_hostile_names_stay_text() -> None:
    text = render_report(company_of_instruments(20, hostile=HOSTILE))
    page = parsed(text)
    assert [tag for tag, _ in page.elements].count("script") == 3
    assert not any(tag == "img" for tag, _ in page.elements)
    core, detail = blocks(text)
    assert core["customers"]["name"][: len(HOSTILE)] == list(HOSTILE)
    assert detail["products"]["name"][: len(HOSTILE)] == list(HOSTILE)


def test_hostile_company_name_stays_text(data: ReportData) -> None:
    text = render_report(replace(data, company="<b>\x00{{script}}</title>", source_note="</script>{{detail}}"))
    page = parsed(text)
    assert not any(tag == "b" for tag, _ in page.elements)
    assert blocks(text)[0]["company"] == "<b>\x00{{script}}</title>"
    assert "\x00" not in text


def test_page_asks_the_network_for_nothing(data: ReportData) -> None:
    page = parsed(render_report(data))
    assert not any({"src", "srcset", "action", "data", "background"} & attrs.keys() for _, attrs in page.elements)
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in page.elements)
    policy = next(
        attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_policy_names_the_script_and_style_by_hash(data: ReportData) -> None:
    page = parsed(render_report(data))
    policy = next(attrs["content"] or "" for tag, attrs in page.elements if attrs.get("http-equiv"))
    running = [text for tag, attrs, text in page.texts if tag == "style" or "type" not in attrs]
    assert len(running) == 2
    for text in running:
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy


def test_no_inline_handlers_or_styles(data: ReportData) -> None:
    for _, attrs in parsed(render_report(data)).elements:
        assert not any(name.startswith("on") or name == "style" for name in attrs)


def test_same_run_gives_the_same_bytes(data: ReportData) -> None:
    assert render_report(data) == render_report(data)


def test_six_thousand_customers_stay_under_six_megabytes() -> None:
    assert len(render_report(company_of_instruments(6000, touches=False)).encode()) < 6_000_000


def test_report_is_written_whole_and_leaves_no_scratch(data: ReportData, tmp_path: Path) -> None:
    write_report(data, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render_report(data)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_place_that_cannot_be_written_is_named(data: ReportData, tmp_path: Path) -> None:
    with pytest.raises(FileNotUsable, match=r"nowhere.*choose a place"):
        write_report(data, tmp_path / "nowhere" / "report.html")


def test_missing_column_is_named(data: ReportData) -> None:
    with pytest.raises(UnknownName, match="gaps lacks is_missed"):
        render_and_check(replace(data, gaps=data.gaps.drop("is_missed")))


def test_unknown_language_is_named(data: ReportData) -> None:
    with pytest.raises(SettingsError, match="'fr'"):
        render_and_check(replace(data, language="fr"))


def test_customer_listed_twice_is_refused(data: ReportData) -> None:
    with pytest.raises(UnknownName, match="twice"):
        render_and_check(replace(data, positions=pl.concat([data.positions, data.positions.head(1)])))


def render_and_check(data: ReportData) -> None:
    write_report(data, Path("/nonexistent/never-written.html"))


def test_empty_run_still_makes_a_page(data: ReportData) -> None:
    empty = {
        name: getattr(data, name).clear()
        for name in (
            "positions",
            "gaps",
            "families",
            "pairs",
            "recommendations",
            "plan",
            "customer_features",
            "customer_potential",
            "potential",
            "products",
            "order_history",
            "intake",
        )
    }
    core, detail = blocks(render_report(replace(data, **empty, plan_summary=None, measures=())))
    assert core["customers"]["id"] == []
    assert detail["gaps"]["states"] == ""


def test_every_text_stands_in_both_languages_with_the_same_places() -> None:
    texts = load_texts()
    assert texts["ja"].keys() == texts["en"].keys()
    for key, ja in texts["ja"].items():
        assert set(re.findall(r"\{(\w+)\}", ja)) == set(re.findall(r"\{(\w+)\}", texts["en"][key])), key


def test_every_text_a_script_asks_for_exists() -> None:
    static = Path(say.__code__.co_filename).parent / "static"
    known = load_texts()["ja"]
    for script in static.glob("*.js"):
        for key in re.findall(r"\bt\('([a-z]+\.\w+)'", script.read_text(encoding="utf-8")):
            assert key in known, f"{script.name}: {key}"


def test_unknown_text_is_named() -> None:
    with pytest.raises(UnknownName, match=r"page\.nothing"):
        say("ja", "page.nothing")
