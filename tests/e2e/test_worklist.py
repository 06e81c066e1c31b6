"""今日の提案 on a real Chromium over a line that fails: no tap is lost, none counts twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync --group e2e)")
from django.conf import LazySettings  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
Page = playwright.Page


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
def rep_user(transactional_db: None, tmp_path: Path, settings: LazySettings) -> object:
    """A rep with three cards."""
    from nobishiro.web.core.permissions import Role
    from nobishiro.web.customers.models import Action, Customer
    from nobishiro.web.people.models import Division, Rep, User

    settings.INSTALLATION = replace(settings.INSTALLATION, workspace=tmp_path / "workspace")
    (tmp_path / "workspace").mkdir()
    division = Division.objects.create(code="D1", name="汎用センサ", is_window=True)
    rep = Rep.objects.create(code="R1", name="佐藤 健", division=division)
    user = User.objects.create_user("rep@example.jp", "佐藤 健", Role.REP)
    user.rep, user.division, user.language = rep, division, "ja"
    user.save()
    for n, name in enumerate(("東和食品機械", "北日本製菓", "港精工")):
        customer = Customer.objects.create(
            code=f"K{n}", name=name, kana=name, search=name, quadrant="B", main_rep=rep,
            last_touch_day=timezone.localdate() - timedelta(days=38),
        )  # fmt: skip
        Action.objects.create(
            source="plan", source_key=f"plan:{n}", customer=customer, rep=rep, due=timezone.localdate(), rank=n + 1,
            family="画像検査", product_code="V-STD", offer_kind="cross_sell", hours=1.0, expected_low=380_000,
            expected=600_000, expected_high=920_000,
            why_ja="9月に検査用照明を2回ご注文。", why_en="Ordered lights twice.",
        )  # fmt: skip
    return user


@pytest.fixture
def phone(browser: playwright.Browser, live_server: object) -> Iterator[Callable[[object], playwright.BrowserContext]]:
    """A telephone on which somebody is signed in."""
    opened = []

    def make(user: object) -> playwright.BrowserContext:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, has_touch=True, locale="ja-JP", base_url=live_server.url
        )
        sign_in(context, user, live_server.url)
        context.set_default_timeout(10_000)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


def sign_in(context: playwright.BrowserContext, user: object, url: str) -> None:
    client = Client()
    client.force_login(user, backend=BACKEND)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def outcomes() -> list[tuple[str, bool]]:
    from nobishiro.web.customers.models import Outcome

    return [(one.result, one.withdrawn_at is not None) for one in Outcome.objects.order_by("pk")]


def card(page: Page, name: str) -> playwright.Locator:
    return page.locator(f"[data-card][data-name='{name}']")


def tap(page: Page, name: str, result: str, *, asks: bool = False) -> None:
    card(page, name).get_by_role("button", name=result, exact=True).click()
    if not asks:  # folded is written to the device
        page.locator(f"[data-card][data-name='{name}'].is-folded").wait_for()


def undo(page: Page, name: str) -> None:
    card(page, name).get_by_role("button", name="元に戻す").click()
    page.locator(f"[data-card][data-name='{name}']:not(.is-folded)").wait_for()


def until(page: Page, asked: str) -> None:
    """Wait until a script says yes; a promise is waited for."""
    for _ in range(100):
        if page.evaluate(asked):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"ten seconds were not enough for {asked}")


def wait_sent(page: Page) -> None:
    until(
        page,
        """async () => {
        const of = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
        const base = await of(indexedDB.open('nobishiro-taps', 1));
        const all = await of(base.transaction('taps').objectStore('taps').getAll());
        base.close();
        return all.every((item) => item.state === 'sent'); }""",
    )


def with_worker(page: Page) -> None:
    """Opened once, the worker has the page and its files."""
    page.goto("/today/")
    until(
        page,
        "async () => { await navigator.serviceWorker.ready; const [name] = await caches.keys();"
        " return Boolean(name) && (await (await caches.open(name)).keys()).length > 4; }",
    )


def test_one_tap_writes_one_outcome_and_undo_takes_it_back(rep_user: object, phone: Callable[..., object]) -> None:
    page = phone(rep_user).new_page()
    page.goto("/today/")
    said = page.locator("h1").inner_text()  # 今週, or 来週 at a week-end
    assert said[1:] == "週お会いしたいのは 3 社。うち B の 3 社は 30 日以上ご訪問がありません。"
    tap(page, "東和食品機械", "提案した")
    wait_sent(page)
    assert outcomes() == [("open", False)]
    undo(page, "東和食品機械")
    wait_sent(page)
    assert outcomes() == [("open", True)]
    page.reload()
    assert card(page, "東和食品機械").get_by_role("button", name="受注", exact=True).is_visible()


def test_a_refusal_asks_one_tap_for_the_reason_and_a_win_for_the_amount(
    rep_user: object, phone: Callable[..., object]
) -> None:
    from nobishiro.web.customers.models import Outcome

    page = phone(rep_user).new_page()
    page.goto("/today/")
    tap(page, "東和食品機械", "お断り", asks=True)
    tap(page, "東和食品機械", "価格")
    tap(page, "北日本製菓", "受注", asks=True)
    card(page, "北日本製菓").get_by_label("金額").fill("120万")
    card(page, "北日本製菓").get_by_role("button", name="受注として残す").click()
    card(page, "北日本製菓").get_by_role("button", name="元に戻す").wait_for()
    wait_sent(page)
    assert list(Outcome.objects.order_by("pk").values_list("result", "reason", "amount")) == [
        ("declined", "price", None), ("won", "", 1_200_000),
    ]  # fmt: skip


def test_a_referral_is_kept_and_leads_to_its_form(rep_user: object, phone: Callable[..., object]) -> None:
    page = phone(rep_user).new_page()
    page.goto("/today/")
    tap(page, "東和食品機械", "社内紹介", asks=True)
    page.wait_for_url("**/referrals/new/?customer=*&family=*")
    assert outcomes() == [("referred", False)]


def test_one_of_the_folded_offers_can_be_the_one_proposed(rep_user: object, phone: Callable[..., object]) -> None:
    """The tap carries the offer that was chosen, not the one in front."""
    from nobishiro.web.customers.models import Outcome

    page = phone(rep_user).new_page()
    page.goto("/today/")
    form = card(page, "東和食品機械").locator("form")
    form.evaluate(
        """(form) => { const other = document.createElement('input'); other.type = 'radio'; other.name = 'chosen_offer';
        other.checked = true; other.dataset.family = '保守'; other.dataset.product = 'M-PLUS';
        other.dataset.kind = 'upsell'; form.append(other); }"""
    )
    tap(page, "東和食品機械", "提案した")
    wait_sent(page)
    assert Outcome.objects.values_list("family", "product_code", "offer_kind").get() == ("保守", "M-PLUS", "upsell")


def test_a_tap_without_a_line_waits_over_a_reload_and_is_sent_once(
    rep_user: object, phone: Callable[..., object]
) -> None:
    context = phone(rep_user)
    page = context.new_page()
    with_worker(page)
    context.set_offline(True)
    tap(page, "東和食品機械", "検討中")
    tap(page, "北日本製菓", "提案した")
    page.get_by_text("未送信 2 件。電波が戻ると送ります。").wait_for()
    assert outcomes() == []
    page.reload()  # no line: the list as last seen, with the taps laid over it
    page.get_by_text("いま電波がありません。").wait_for()
    page.get_by_text("未送信 2 件。電波が戻ると送ります。").wait_for()
    card(page, "東和食品機械").locator(
        "[data-result]", has_text="検討中"
    ).wait_for()  # the queue is read after the page
    assert card(page, "港精工").get_by_role("button", name="受注", exact=True).is_visible()
    page.close()  # put into the pocket
    page = context.new_page()
    page.goto("/today/")
    page.get_by_text("未送信 2 件。電波が戻ると送ります。").wait_for()
    context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    wait_sent(page)
    assert outcomes() == [("considering", False), ("open", False)]


def test_an_answer_that_is_lost_after_the_site_wrote_it_makes_no_second_outcome(
    rep_user: object, phone: Callable[..., object]
) -> None:
    context = phone(rep_user)
    page = context.new_page()
    page.goto("/today/")
    lost = []

    def lose(route: playwright.Route) -> None:
        if len(lost) < 2:
            answer = route.fetch()  # the site has committed …
            lost.append(answer.status)
            route.abort("connectionreset")  # … and the telephone never hears of it
        else:
            route.continue_()

    page.route("**/today/outcomes/", lose)
    tap(page, "東和食品機械", "提案した")
    wait_sent(page)
    assert lost == [200, 200]
    assert outcomes() == [("open", False)]


def test_undo_without_a_line_is_sent_after_its_tap(rep_user: object, phone: Callable[..., object]) -> None:
    context = phone(rep_user)
    page = context.new_page()
    with_worker(page)
    context.set_offline(True)
    tap(page, "東和食品機械", "提案した")
    undo(page, "東和食品機械")
    tap(page, "東和食品機械", "検討中")
    page.get_by_text("未送信 3 件。").wait_for()
    page.reload()
    card(page, "東和食品機械").locator(
        "[data-result]", has_text="検討中"
    ).wait_for()  # the queue is read after the page
    context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    wait_sent(page)
    assert outcomes() == [("open", True), ("considering", False)]


def test_a_sent_tap_stays_folded_on_the_list_kept_from_before(rep_user: object, phone: Callable[..., object]) -> None:
    context = phone(rep_user)
    page = context.new_page()
    with_worker(page)
    tap(page, "東和食品機械", "提案した")
    wait_sent(page)
    context.set_offline(True)
    page.reload()
    page.get_by_text("いま電波がありません。").wait_for()
    assert card(page, "東和食品機械").locator("[data-result]").is_visible()
    assert not card(page, "東和食品機械").get_by_role("button", name="受注", exact=True).is_visible()


def test_an_ended_session_keeps_the_tap_and_asks_to_sign_in(
    rep_user: object, phone: Callable[..., object], live_server: object
) -> None:
    from django.contrib.sessions.models import Session

    context = phone(rep_user)
    page = context.new_page()
    page.goto("/today/")
    Session.objects.all().delete()
    tap(page, "東和食品機械", "提案した")
    page.get_by_text("もう一度ログインすると送ります。").wait_for()
    assert page.get_by_role("link", name="もう一度ログインする").is_visible()
    assert outcomes() == []
    sign_in(context, rep_user, live_server.url)
    page.goto("/today/")
    wait_sent(page)
    assert outcomes() == [("open", False)]


def test_taps_of_one_person_are_never_sent_as_another(
    rep_user: object, phone: Callable[..., object], live_server: object
) -> None:
    from nobishiro.web.core.permissions import Role
    from nobishiro.web.customers.models import Outcome
    from nobishiro.web.people.models import User

    manager = User.objects.create_user("manager@example.jp", "部長", Role.MANAGER)
    manager.language = "ja"
    manager.save()
    context = phone(rep_user)
    page = context.new_page()
    with_worker(page)
    context.set_offline(True)
    tap(page, "東和食品機械", "提案した")
    page.get_by_text("未送信 1 件。").wait_for()
    sign_in(context, manager, live_server.url)  # the same device, another person
    context.set_offline(False)
    page.get_by_text("別の方がログインしています。").wait_for()
    page.goto("/today/?rep=R1")
    page.get_by_text("この端末に、別の方の未送信が 1 件あります。").wait_for()
    page.wait_for_timeout(1500)
    assert outcomes() == []
    stale = context.new_page()  # a page of the first person, left open, must not send under the second one's session
    stale.goto("/today/?rep=R1")
    stale.evaluate(
        "([user, url, tokenUrl, token]) => window.nobishiroTaps.start({ user, url, tokenUrl, token, made: 0 })",
        [rep_user.pk, "/today/outcomes/", "/today/token/", "x" * 64],
    )
    stale.wait_for_timeout(1500)
    assert outcomes() == []
    sign_in(context, rep_user, live_server.url)
    page.goto("/today/")
    wait_sent(page)
    assert list(Outcome.objects.values_list("result", "entered_by")) == [("open", rep_user.pk)]


def test_two_pages_send_each_tap_once(rep_user: object, phone: Callable[..., object]) -> None:
    context = phone(rep_user)
    first, second = context.new_page(), context.new_page()
    first.goto("/today/")
    second.goto("/today/")
    context.set_offline(True)
    tap(first, "東和食品機械", "提案した")
    tap(second, "北日本製菓", "検討中")
    second.get_by_text("未送信 2 件。").wait_for()
    context.set_offline(False)
    for page in (first, second):
        page.evaluate("window.dispatchEvent(new Event('online'))")
    wait_sent(first)
    assert sorted(outcomes()) == [("considering", False), ("open", False)]
    first.reload()
    assert first.locator(".card.is-folded").count() == 2


def test_signing_out_throws_the_kept_list_away(rep_user: object, phone: Callable[..., object]) -> None:
    context = phone(rep_user)
    page = context.new_page()
    with_worker(page)
    page.locator("details.account summary").click()
    page.get_by_role("button", name="ログアウト").click()
    page.wait_for_url("**/account/login/**")
    until(page, "async () => (await caches.keys()).length === 0")
    context.set_offline(True)
    with pytest.raises(playwright.Error):
        page.goto("/today/")


@pytest.mark.parametrize(("language", "tapped", "undone"), [("ja", "提案した", "元に戻す"), ("en", "Proposed", "Undo")])
def test_the_keyboard_does_it_all(
    rep_user: object, browser: playwright.Browser, live_server: object, language: str, tapped: str, undone: str
) -> None:
    type(rep_user).objects.update(language=language)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=live_server.url)
    sign_in(context, rep_user, live_server.url)
    page = context.new_page()
    page.goto("/today/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.dataset.name") == "北日本製菓"
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.dataset.outcome") == "won"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    card(page, "北日本製菓").get_by_text(tapped, exact=True).first.wait_for()
    wait_sent(page)
    assert outcomes() == [("open", False)]
    assert page.evaluate("document.activeElement.textContent") == undone
    page.keyboard.press("Enter")
    page.locator("[data-card][data-name='北日本製菓']:not(.is-folded)").wait_for()
    wait_sent(page)
    assert outcomes() == [("open", True)]
    context.close()


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    "address", ["/today/", "/today/report/", "/relisten/", "/relisten/five/", "/relisten/handover/", "/look-back/"]
)
def test_nothing_scrolls_sideways_and_targets_are_large(
    rep_user: object, phone: Callable[..., object], address: str, language: str
) -> None:
    type(rep_user).objects.update(language=language)
    page = phone(rep_user).new_page()
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main .button, main summary, main select')]"
        ".filter((one) => one.offsetParent)"
        ".filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML.slice(0, 80))"
    )
    assert small == []
