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


def open_customer(page: Page, code: str) -> None:
    """The karte of one customer, found by its code."""
    page.goto(f"/customers/?q={code}")
    page.locator("table.list tbody a[href^='/customers/']").first.click()
    page.wait_for_url(re.compile(r"/customers/\d+/"))


def test_a_fact_is_answered_on_the_karte_and_taken_back(step_in: Open) -> None:
    page = step_in("rep")
    open_customer(page, "C000002")
    said = f"代理店から紹介されたため {page.viewport_size['width']}"
    question = page.locator("ul.questions details:not(:has(input[name=amount]))").first
    if question.get_attribute("open") is None:
        question.locator("summary").click()
    question.locator("input[name=value]").fill(said)
    question.locator("button").click()
    page.locator("#knowing", has_text=said).wait_for()
    page.reload()
    assert said in page.inner_text("#knowing")
    page.locator("#knowing form[action*='/withdraw/']").first.locator("button").evaluate("button => button.click()")
    page.wait_for_load_state("networkidle")
    page.reload()
    assert said not in page.inner_text("#knowing")


def test_the_quadrant_is_set_by_hand_with_a_reason_and_taken_back(step_in: Open) -> None:
    page = step_in("manager")
    open_customer(page, "C000007")
    before = page.locator("#where .chip").first.inner_text()
    assert before != "A"
    page.locator("details.override > summary").click()
    page.locator("details.override input[value=A]").check()
    page.locator("#override-reason").fill("来期に新工場が決まった")
    with page.expect_navigation():
        page.locator("details.override form button").click()
    assert "来期に新工場が決まった" in page.inner_text("main")
    assert page.locator("#where .chip").first.inner_text() == "A"
    with page.expect_navigation():
        page.locator("form[action*='/override/'][action$='/withdraw/'] button").first.evaluate("one => one.click()")
    assert page.locator("#where .chip").first.inner_text() == before


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
    name = f"来月のB {page.viewport_size['width']}"
    page.locator(".list-tools details.menu-sheet > summary").first.click()
    form = page.locator(".list-tools form:has(input[name=name])")
    form.locator("input[name=name]").fill(name)
    form.locator("button").click()
    page.wait_for_load_state("networkidle")
    page.goto("/customers/")
    page.locator(".list-tools details.menu-sheet > summary").first.click()
    page.get_by_role("link", name=name).click()
    assert "quadrant=B" in page.url


def test_the_administrator_invites_somebody_who_then_signs_in(
    step_in: Open, browser: playwright.Browser, site: str
) -> None:
    page = step_in("administrator")
    width = page.viewport_size["width"]
    page.goto("/people/invite/")
    page.locator("input[name=email]").fill(f"hanako{width}@example.jp")
    page.locator("input[name=name]").fill("新人 花子")
    page.locator("select[name=role]").select_option("manager")
    page.locator("form:has(input[name=email]) button.primary").click()
    link = re.search(
        r"http://\S+#\S+",
        page.inner_text("main")
        + " ".join(page.eval_on_selector_all("main input", "all => all.map((one) => one.value)")),
    )
    assert link is not None, "the link is shown once"
    guest = browser.new_context(base_url=site).new_page()
    guest.goto(link.group(0))
    for field in guest.locator("input[type=password]").all():
        field.fill("correct horse battery staple 7")
    guest.locator("main form button.primary").click()
    guest.wait_for_load_state("networkidle")
    if "/account/login" in guest.url:
        guest.locator("input[name=login]").fill(f"hanako{width}@example.jp")
        guest.locator("input[name=password]").fill("correct horse battery staple 7")
        guest.locator("main form button.primary").click()
        guest.wait_for_load_state("networkidle")
    assert "/week/" in guest.url
    guest.goto(link.group(0))
    assert (
        guest.locator("input[type=password]").count() == 0
        or guest.locator(".problem, .error, .message").count() > 0
        or "/week/" in guest.url
    )
    guest.context.close()


def test_the_administrator_follows_a_computation_to_its_end(step_in: Open) -> None:
    page = step_in("administrator")
    page.goto("/operation/")
    page.locator("form[action*='/operation/'] button.primary").first.click()
    page.wait_for_load_state("networkidle")
    for _ in range(240):
        page.goto("/operation/jobs/")
        first = page.locator("table.list tbody tr").first.inner_text()
        if re.search(r"完了|済み|done|Done", first):
            break
        page.wait_for_timeout(1000)
    else:
        pytest.fail(f"the computation did not end: {first}")
