"""The import wizard on a real Chromium: a newcomer's file from upload to undo, in both languages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
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
Page = playwright.Page
SALES = (
    "売上明細,,,,,,,\r\n"
    "伝票番号,売上日,得意先コード,得意先名,商品コード,商品名,数量,金額\r\n"
    "S001,2025/04/01,000123,東和食品機械㈱,P01,センサ髙感度,2,20000\r\n"
    "S001,2025/04/01,000123,東和食品機械㈱,P02,ケーブル,1,1500\r\n"
    "S002,2025/05/12,000124,北陸精工,P01,センサ髙感度,1,10000\r\n"
    "S003,2025/13/45,000124,北陸精工,P01,センサ髙感度,1,10000\r\n"
    + "S009,2025/06/01,000124,北陸精工,P01,センサ髙感度,1,10000\r\n"
    * 9
)
WORDS = {
    "ja": {
        "go": "おまかせで取り込む", "done": "を取り込みました", "step": "この取込の内容を見る・取り消す",
        "undone": "は取り消しました", "columns": "列を確かめる", "try": "この列で試す",
    },
    "en": {
        "go": "Import it, leave the rest to you", "done": "was imported",
        "step": "Look at this import, or take it back",
        "undone": "was taken back", "columns": "Look at the columns", "try": "Try it with these columns",
    },
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _threads() -> Iterator[None]:
    """Playwright runs an event loop in this thread; the database calls of the test itself are none of its business."""
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


@pytest.fixture
def work_off(transactional_db: None, tmp_path: Path, settings: LazySettings) -> Callable[[], int]:
    """Does what is due; the site shows an empty workspace."""
    from nobishiro.web.core.jobs.worker import Worker

    settings.INSTALLATION = replace(settings.INSTALLATION, workspace=tmp_path / "workspace")
    (tmp_path / "workspace").mkdir()
    return lambda: Worker().work_off()


@pytest.fixture(params=[("ja", 1280, 900), ("en", 390, 844)], ids=["ja-desktop", "en-phone"])
def page(
    request: pytest.FixtureRequest, browser: playwright.Browser, live_server: object, work_off: object
) -> Iterator[Page]:
    """A browser in which the administrator is signed in; the test fails when the console complains."""
    from nobishiro.web.core.permissions import Role
    from nobishiro.web.people.models import User

    language, width, height = request.param
    user = User.objects.create_user("admin@example.jp", "山田", Role.ADMINISTRATOR, "correct horse battery staple")
    user.language = language
    user.save()
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    url = str(live_server)
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda problem: complaints.append(str(problem)))
    opened.on("dialog", lambda dialog: dialog.accept())
    opened.set_default_timeout(20_000)
    opened.words = WORDS[language]  # type: ignore[attr-defined]
    yield opened
    context.close()
    assert complaints == []


def _fits(page: Page) -> None:
    width = page.viewport_size
    assert width is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= width["width"]


def test_newcomer_imports_a_sales_file_and_takes_it_back(
    page: Page, work_off: Callable[[], int], tmp_path: Path
) -> None:
    file = tmp_path / "売上.csv"
    file.write_bytes(SALES.encode("cp932"))
    words = page.words  # type: ignore[attr-defined]
    page.goto("/imports/")
    _fits(page)
    page.click("a.primary")
    _fits(page)
    page.set_input_files("#files", str(file))  # choosing sends it
    page.wait_for_selector(".job-progress")
    work_off()
    page.wait_for_selector(".steps")  # the page finds out by itself
    assert "CP932" in page.inner_text(".facts")
    assert page.locator("tr.left-out").count() >= 1
    _fits(page)
    page.click(f"text={words['columns']}")
    assert page.locator("select[name^=use-]").count() == 8
    _fits(page)
    page.go_back()
    page.click(f"text={words['go']}")
    page.wait_for_selector(".job-progress")
    work_off()
    page.wait_for_selector(f"text={words['done']}")
    _fits(page)
    with page.expect_download() as download:
        page.click("p.advice a >> nth=1")
    assert Path(download.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")
    page.click(f"text={words['step']}")
    page.click("button.danger")
    page.wait_for_selector(".job-progress")
    work_off()
    page.wait_for_selector(f"text={words['undone']}")
    _fits(page)


def test_dropped_file_is_sent_and_its_columns_are_tried(page: Page, work_off: Callable[[], int]) -> None:
    words = page.words  # type: ignore[attr-defined]
    page.goto("/imports/new/")
    page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], 'dropped.csv', { type: 'text/csv' }));
          const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
          document.getElementById('upload').dispatchEvent(drop);
        }""",
        "\r\n".join(SALES.split("\r\n")[1:]),
    )
    page.wait_for_selector(".job-progress")
    work_off()
    page.wait_for_selector(".steps")
    page.click(f"text={words['columns']}")
    page.focus("select[name=use-7]")
    page.keyboard.press("Home")
    page.click(f"text={words['try']}")
    page.wait_for_selector(".job-progress")
    work_off()
    page.wait_for_selector(".steps")
    page.goto(page.url + "check/")
    _fits(page)


def test_two_customers_are_judged_by_buttons(page: Page, work_off: Callable[[], int]) -> None:
    page.goto("/imports/new/")
    page.fill(
        "textarea",
        "顧客コード\t顧客名\t住所\n001\t北陸精工\t富山県富山市本町5\n902\t北陸精工株式会社\t石川県金沢市広岡1\n",
    )
    page.click("textarea >> xpath=ancestor::form//button")
    page.wait_for_selector(".job-progress")
    work_off()
    page.wait_for_selector(".steps")
    page.goto(page.url + "same/")
    _fits(page)
    assert page.locator("article.judgement").count() == 1
    page.click("button[value^=different-]")
    page.wait_for_selector(".message")
    assert page.locator("article.judgement").count() == 0
