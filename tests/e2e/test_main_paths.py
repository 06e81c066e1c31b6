"""The main path of the screens that have no browser test of their own, on the demo's company, in both languages."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync --group e2e)")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]
Page = playwright.Page
Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as run:
        started = run.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


@pytest.fixture(params=[("ja", 1280, 900), ("en", 390, 844)], ids=["ja-desk", "en-phone"])
def step_in(request: pytest.FixtureRequest, site: str, browser: playwright.Browser) -> Iterator[Open]:
    """Opens the demo as a role; Japanese on a desk, English on a phone."""
    language, width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, locale=language, base_url=site)

    def as_role(role: str) -> Page:
        page = context.new_page()
        page.goto("/demo/")
        page.click(f"button[value={role}]")
        page.click(f".tools button[value={language}]")
        assert page.get_attribute("html", "lang") == language
        return page

    yield as_role
    context.close()


def test_a_fact_is_answered_on_the_karte_and_stays(step_in: Open) -> None:
    page = step_in("rep")
    page.goto("/customers/?q=C000002")
    page.click("table a[href*='/customers/']")
    before = page.inner_text("body")
    page.locator("details:has(form[action*='fact']) > summary").first.click()
    form = page.locator("details[open] form[action*='fact']").first
    form.locator("textarea, input[name=value]").first.fill("代理店から紹介されたため")
    form.locator("button").first.click()
    page.wait_for_load_state("networkidle")
    page.reload()
    assert "代理店から紹介されたため" in page.inner_text("body")
    assert "代理店から紹介されたため" not in before


def test_the_quadrant_is_set_by_hand_with_a_reason_and_taken_back(step_in: Open) -> None:
    page = step_in("manager")
    page.goto("/customers/?q=C000007")
    page.click("table a[href*='/customers/']")
    page.locator("details:has(form[action*='override']) > summary").first.click()
    form = page.locator("details[open] form[action*='override']").first
    form.locator("select[name=value]").select_option("A")
    form.locator("[name=reason]").fill("来期に新工場が決まった")
    form.locator("button").first.click()
    page.wait_for_load_state("networkidle")
    page.reload()
    assert page.locator(".chip.qA").count() >= 1
    assert "来期に新工場が決まった" in page.inner_text("body")


def test_a_gap_becomes_something_to_do(step_in: Open) -> None:
    page = step_in("manager")
    page.goto("/gaps/?quadrant=B")
    assert re.search(r"\d", page.inner_text("h1"))
    rows = page.locator("table tbody tr").count()
    assert rows > 0


def test_the_manager_confirms_the_week(step_in: Open) -> None:
    page = step_in("manager")
    page.goto("/processes/")
    page.locator("textarea[name=note]").fill("遅れは月曜に挽回する")
    page.locator("form[action$='/confirm/'] button").click()
    assert "遅れは月曜に挽回する" in page.inner_text("body")


def test_every_number_of_the_week_leads_to_its_rows(step_in: Open) -> None:
    page = step_in("manager")
    links = page.eval_on_selector_all("main table a", "found => found.map((link) => link.getAttribute('href'))")
    for address in sorted({link for link in links if link.startswith("/processes/")}):
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, address


def test_the_plan_is_narrowed_to_a_rep_and_taken_out_as_excel(step_in: Open) -> None:
    page = step_in("manager")
    page.goto("/plan/")
    page.locator("tbody a[href^='?rep=']").first.click()
    assert "rep=" in page.url
    with page.expect_download() as downloading:
        page.locator("a[href*='out=xlsx']").first.evaluate("link => link.click()")
    assert downloading.value.suggested_filename.endswith(".xlsx")


def test_a_list_is_kept_and_found_again(step_in: Open) -> None:
    page = step_in("rep")
    page.goto("/customers/?quadrant=B&sort=-potential")
    page.locator("details:has(form[action*='lists']) > summary, details:has(input[name=name]) > summary").first.click()
    page.locator("input[name=name]:visible").first.fill("来月のB")
    page.locator("form:has(input[name=name]:visible) button").first.click()
    page.wait_for_load_state("networkidle")
    page.goto("/customers/")
    assert "来月のB" in page.content()


def test_the_administrator_invites_somebody_by_a_link_shown_once(step_in: Open) -> None:
    page = step_in("administrator")
    page.goto("/people/")
    assert page.locator("a[href*='invite']").count() >= 1


def test_the_administrator_follows_a_computation_to_its_end(step_in: Open) -> None:
    page = step_in("administrator")
    page.goto("/operation/")
    page.locator("form[action*='comput'] button, form[action*='anew'] button").first.click()
    page.wait_for_load_state("networkidle")
    page.wait_for_function("() => !document.querySelector('progress')", timeout=240_000)
    page.goto("/operation/")
    assert page.locator("h1").count() == 1
