"""The map, what was never proposed and what sells together in a real browser, by mouse and keyboard."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync --group e2e)")
from django.conf import LazySettings  # noqa: E402
from django.test import Client  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
Page = playwright.Page
WORDS = {
    "ja": {
        "made": "2件をやることに入れました", "kept": "1社の区分が変わりました", "box": "四角", "gap": "未提案",
        "pair": "受注の60%",
    },
    "en": {
        "made": "2 things to do are on the lists", "kept": "1 customer changed places", "box": "Box",
        "gap": "Not proposed", "pair": "60% of the orders",
    },
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _threads() -> Iterator[None]:
    """Playwright runs an event loop in this thread; the test's own database calls are none of its business."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as run:
        started = run.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


@pytest.fixture(params=["ja", "en"])
def page(
    browser: playwright.Browser,
    transactional_db: None,
    live_server: object,
    tmp_path: Path,
    settings: LazySettings,
    request: pytest.FixtureRequest,
) -> Iterator[Page]:
    """A manager's desk at the small company of `map_company`; the console may complain of nothing."""
    from map_company import project_company, write_company

    from nobishiro.web.core.permissions import Role
    from nobishiro.web.customers.models import Customer
    from nobishiro.web.people.models import Division, Rep, User

    settings.INSTALLATION = replace(settings.INSTALLATION, workspace=tmp_path / "workspace")
    write_company(tmp_path / "workspace")
    division = Division.objects.create(code="D1", name="汎用センサ", is_window=True)
    project_company(Rep.objects.create(code="R1", name="佐藤 健", division=division))
    Customer.objects.filter(code="C1").update(name="<img src=x onerror=\"document.title='broken'\">")
    user = User.objects.create_user("manager@example.jp", "山本 部長", Role.MANAGER)
    user.language = request.param
    user.save()
    client = Client()
    client.force_login(user, backend=BACKEND)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    complaints: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda problem: complaints.append(str(problem)))
    yield opened
    assert opened.title().find("broken") == -1
    context.close()
    assert complaints == []


def language(page: Page) -> dict[str, str]:
    return WORDS[str(page.locator("html").get_attribute("lang"))]


def open_map(page: Page, query: str = "") -> None:
    page.goto(f"/map/{query}")
    page.wait_for_selector("body[data-ready]")


def count(page: Page, letter: str) -> int:
    return int(page.locator(f"[data-count={letter}]").inner_text())


def test_manager_tries_lines_by_keyboard_and_keeps_them_for_everybody(page: Page) -> None:
    from nobishiro.web.customers.models import Customer
    from nobishiro.web.map.models import MapThreshold

    open_map(page)
    assert [count(page, letter) for letter in "ABCDU"] == [1, 2, 1, 1, 1]
    line = page.locator(".handle.potential")
    line.focus()
    for _ in range(2):
        line.press("PageUp")
    # 1,000,000 × 1.5 × 1.5: B1 with 2,000,000 falls to D, the override B2 stays
    playwright.expect(page.locator("[data-count=B]")).to_have_text("1")
    assert count(page, "D") == 2
    page.locator("#trial input[name=reason]").fill("来期の重点に合わせる")
    page.locator("#trial button.primary").click()
    playwright.expect(page.locator("#messages")).to_contain_text(language(page)["kept"])
    assert Customer.objects.get(code="B1").quadrant == "D"
    assert MapThreshold.objects.get().potential == 2_250_000


def test_line_is_dragged_by_mouse_and_put_back(page: Page) -> None:
    open_map(page)
    box = page.locator(".handle.track").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 9, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] - 250, box["y"] + 60, steps=8)
    page.mouse.up()
    playwright.expect(page.locator("#trial")).to_be_visible()
    assert count(page, "A") == 2
    page.locator("[data-reset]").click()
    assert count(page, "A") == 1
    playwright.expect(page.locator("#trial")).to_be_hidden()


def test_customers_drawn_round_become_things_to_do(page: Page) -> None:
    from nobishiro.web.customers.models import Action

    open_map(page, "?quadrant=B")
    page.get_by_role("button", name=language(page)["box"]).click()
    box = page.locator(".chart canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 60, steps=6)
    page.mouse.up()
    playwright.expect(page.locator("#chosencount")).to_contain_text("2")
    page.locator(".acting button.primary").click()
    playwright.expect(page.locator("#done")).to_contain_text(language(page)["made"])
    page.locator(".acting button.primary").click()
    page.wait_for_timeout(300)
    assert sorted(action.customer.code for action in Action.objects.select_related("customer")) == ["B1", "B2"]


def test_list_is_the_keyboards_way_to_choose_and_to_open(page: Page) -> None:
    open_map(page)
    ticks = page.locator("#list input[type=checkbox]")
    ticks.nth(0).focus()
    ticks.nth(0).press("Space")
    playwright.expect(page.locator("#chosencount")).to_contain_text("1")
    page.locator("#list a").nth(1).press("Enter")
    playwright.expect(page.locator("#panel h2")).to_contain_text("北斗精機")
    page.keyboard.press("Escape")
    playwright.expect(page.locator("#panel")).to_be_hidden()


def test_conditions_change_the_address_and_the_map_without_a_new_page(page: Page) -> None:
    open_map(page)
    page.locator("#conditions [name=quadrant][value=B]").check()
    playwright.expect(page.locator("#list a")).to_have_count(2)
    assert page.url.endswith("?quadrant=B")
    page.locator("#conditions [name=q]").fill("みなと")
    playwright.expect(page.locator("#list a")).to_have_count(1)
    page.reload()
    playwright.expect(page.locator("#list a")).to_have_count(1)


def test_sheet_for_the_meeting_is_one_a3_page(page: Page) -> None:
    page.goto("/map/paper/")
    page.wait_for_selector("body[data-ready]")
    sheet = page.pdf(prefer_css_page_size=True, print_background=True)
    assert sheet.count(b"/Type /Page\n") + sheet.count(b"/Type /Page ") + sheet.count(b"/Type/Page/") <= 1
    assert page.locator(".sheet .chart canvas").bounding_box() is not None


def test_gap_opens_and_becomes_a_thing_to_do(page: Page) -> None:
    from nobishiro.web.customers.models import Action

    page.goto("/gaps/")
    assert language(page)["gap"] in page.locator(".gaplist").inner_text()
    page.locator(".gaplist button.opener").first.click()
    dialog = page.locator("#cell")
    playwright.expect(dialog).to_contain_text("¥900,000")
    dialog.locator("button.primary").click()
    playwright.expect(dialog.locator(".advice")).to_be_visible()
    assert Action.objects.get().family == "F2"
    page.keyboard.press("Escape")
    playwright.expect(dialog).to_be_hidden()


def test_pair_leads_to_its_customers(page: Page) -> None:
    page.goto("/together/")
    playwright.expect(page.locator("table.pairs")).to_contain_text(language(page)["pair"])
    page.locator("table.pairs a").first.click()
    playwright.expect(page.locator("h1")).to_contain_text("照明 L1")


def test_no_page_is_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/map/", "/gaps/", "/gaps/?view=list", "/together/", "/map/hours/", "/map/tags/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
