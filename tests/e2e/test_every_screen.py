"""`nobishiro demo` as a newcomer meets it, on a real Chromium: every screen of every role, in both languages, on desk and phone.

Each screen opens without an error, says its language, stays within a phone's width, and axe finds nothing serious on it.
"""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync --group e2e)")
axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed (uv sync --group e2e)")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]
AXE = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
DEEPER = {
    "manager": [
        "/processes/visits/", "/processes/hearing/?state=late", "/plan/?quadrant=B", "/gaps/?quadrant=B", "/together/",
        "/referrals/rewards/", "/referrals/board/", "/referrals/introductions/", "/referrals/questions/", "/referrals/1/",
        "/customers/1/", "/customers/1/sheet/", "/customers/?quadrant=A", "/today/", "/help/", "/account/me/",
    ],
    "rep": ["/customers/1/", "/customers/6/", "/customers/1/sheet/", "/referrals/hear/1/", "/referrals/new/?customer=1", "/referrals/new/"],
    "administrator": ["/imports/", "/people/", "/operation/", "/audit/", "/account/me/"],
}  # fmt: skip
"""Beside what the menus lead to."""


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as run:
        started = run.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


def serious(page: playwright.Page) -> list[str]:
    """What axe calls serious or critical, with the first place of each."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations)")
    return [
        f"{one['id']}: {one['help']} ({len(one['nodes'])}×) {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("role", list(DEEPER))
def test_every_screen(site: str, browser: playwright.Browser, role: str, size: str, language: str) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, locale=language)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.goto(f"{site}/demo/")
    page.click(f"button[value={role}]")
    page.click(f".tools button[value={language}]")
    menu = page.eval_on_selector_all(".menu a", "links => links.map((link) => link.getAttribute('href'))")
    assert len(menu) <= 7
    wrong: dict[str, list[str]] = {}
    for address in [*menu, *(one for one in DEEPER[role] if one not in menu)]:
        problems.clear()
        answer = page.goto(f"{site}{address}")
        page.wait_for_load_state("networkidle")
        found = [*problems]
        if answer is None or answer.status != 200:
            found.append(f"status {answer.status if answer else 'none'}")
        if page.get_attribute("html", "lang") != language:
            found.append("another language")
        shown = page.evaluate("document.documentElement.scrollWidth")
        if shown > width:
            found.append(f"{shown} px wide")
        if page.locator("h1").count() < 1:
            found.append("no sentence at the top")
        found += serious(page)
        if found:
            wrong[address] = found
    context.close()
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)


def test_a_newcomer_sees_where_to_step_in_and_cannot_without_a_click(site: str, browser: playwright.Browser) -> None:
    page = browser.new_page()
    page.goto(f"{site}/week/")
    assert page.url.startswith(f"{site}/demo/")
    assert page.locator("button[name=role]").count() == 3
    assert serious(page) == []
    with urllib.request.urlopen(f"{site}/healthz") as answer:
        assert answer.read() == b"ok"


def test_the_maker_can_be_followed_from_the_question_to_the_reward(site: str, browser: playwright.Browser) -> None:
    """The story: a rep asks the checklist's question, passes the lead on, a manager accepts it for the specialists."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ja")
    page = context.new_page()
    page.goto(f"{site}/demo/")
    page.click("button[value=rep]")
    page.click(".tools button[value=ja]")
    page.goto(f"{site}/customers/?q=東和食品機械")
    page.click("text=東和食品機械")
    assert "東和食品機械" in page.inner_text("h1")
    pk = re.search(r"/customers/(\d+)/", page.url)
    assert pk is not None
    page.goto(f"{site}/referrals/hear/{pk.group(1)}/")
    first = page.locator("section.question").first
    first.locator("input[name=note]").fill("目視の検査員が足りないとのこと")
    first.get_by_role("button", name="はい", exact=True).click()
    assert page.locator("textarea[name=heard]").input_value() == "目視の検査員が足りないとのこと"
    page.get_by_role("button", name="紹介する", exact=True).click()
    assert "受け取り期限" in page.inner_text("h1")
    address = page.url
    page.goto(f"{site}/demo/")
    page.click("button[value=manager]")
    page.click(".tools button[value=ja]")
    page.goto(address)
    page.get_by_role("button", name="受け取る", exact=True).click()
    assert "お伺いします" in page.inner_text("h1")
    context.close()
