"""The report in a real browser: opened from disk, used by mouse and keyboard, silent on the network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync --group e2e)")
from nobishiro.report import ReportData, write_report  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]
HOSTILE = (
    "<img src=x onerror=\"document.title='broken'\">",
    "</script><script>document.title='broken'</script>",
    "a\x00'\"b",
)


def _company(customers: int, **options: object) -> ReportData:
    path = Path(__file__).parents[1] / "report" / "company_of_instruments.py"
    spec = spec_from_file_location("company_for_browser", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    data = module.company_of_instruments(customers, **options)
    assert isinstance(data, ReportData)
    return data


@pytest.fixture(scope="module")
def data() -> ReportData:
    return _company(300)


@pytest.fixture(scope="module")
def report(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(data, path)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as run:
        started = run.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


@pytest.fixture
def page(browser: playwright.Browser, report: str) -> Iterator[playwright.Page]:
    """A desktop page that fails its test when the console complains or anything but the file is asked for."""
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    complaints: list[str] = []
    opened.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda problem: complaints.append(str(problem)))
    opened.on(
        "request",
        lambda request: complaints.append(request.url) if not request.url.startswith(("file:", "blob:")) else None,
    )
    opened.set_default_timeout(15_000)
    opened.goto(report)
    opened.wait_for_selector("body[data-ready]")
    yield opened
    opened.close()
    assert complaints == []


def counts(page: playwright.Page) -> dict[str, int]:
    texts = page.locator(".key").all_inner_texts()
    return {text.split()[0]: int(text.split()[-1].replace(",", "")) for text in texts}


def chart_box(page: playwright.Page) -> dict[str, float]:
    box = page.locator(".chart canvas").bounding_box()
    assert box is not None
    return dict(box)


def enclose(page: playwright.Page) -> None:
    """Draw a free line round the upper left of the map."""
    box = chart_box(page)
    x, y = box["x"] + 90, box["y"] + 60
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((350, 0), (350, 160), (0, 160), (0, 5)):
        page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def test_sentence_and_keys_give_the_counts_of_the_run(page: playwright.Page, data: ReportData) -> None:
    run = dict(data.positions["quadrant"].value_counts().iter_rows())
    assert counts(page) == run
    sentence = page.inner_text("h1")
    assert f"A {run['A']}・B {run['B']}・C {run['C']}・D {run['D']}。" in sentence


def test_language_switch_turns_every_page(page: playwright.Page) -> None:
    page.click("#language-en")
    assert page.get_attribute("html", "lang") == "en"
    for route, word in (
        ("map", "open up"),
        ("gaps", "never proposed"),
        ("plan", "reps approach"),
        ("together", "more than chance"),
        ("evidence", "traceable"),
    ):
        page.evaluate(f"location.hash = '#/{route}'")
        page.wait_for_selector(f"h1:has-text({word!r})")
    page.click("#language-ja")
    assert page.inner_text("nav a[aria-current]") == "根拠・データ"


def test_dragging_a_line_recounts_and_reset_brings_the_run_back(page: playwright.Page) -> None:
    before = counts(page)
    handle = page.locator(".handle.track").bounding_box()
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=6)
    page.mouse.up()
    moved = counts(page)
    assert sum(moved.values()) == sum(before.values())
    assert moved["A"] < before["A"]
    assert moved["B"] > before["B"]
    assert "仮の線" in page.inner_text(".reason")
    page.click("#reset")
    assert counts(page) == before


def test_lines_move_by_arrow_keys(page: playwright.Page) -> None:
    before = counts(page)
    page.focus(".handle.potential")
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    moved = counts(page)
    assert moved["A"] + moved["B"] < before["A"] + before["B"]
    assert page.get_attribute(".handle.potential", "aria-valuetext") is not None


def test_lasso_makes_a_list_of_those_inside(page: playwright.Page) -> None:
    everyone = page.inner_text(".listhead strong")
    enclose(page)
    chosen = page.inner_text(".listhead strong")
    assert "選択中" in chosen
    assert 0 < int("".join(filter(str.isdigit, chosen))) < 300
    assert {text.strip() for text in page.locator(".pane .list td:first-child .chip").all_inner_texts()} <= {"A", "B"}
    page.click(".listhead button >> nth=0")
    assert page.inner_text(".listhead strong") == everyone


def test_list_is_saved_as_csv_that_excel_reads(page: playwright.Page) -> None:
    enclose(page)
    chosen = int("".join(filter(str.isdigit, page.inner_text(".listhead strong"))))
    with page.expect_download() as download:
        page.click("#csv")
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[0].startswith("顧客コード,顧客,区分")
    assert len(lines) == chosen + 2


def test_click_on_a_row_opens_the_karte_and_evidence_leads_to_rows(page: playwright.Page) -> None:
    page.fill("#search", "000002")
    page.click(".pane .list tbody tr:not(.spacer)")
    page.wait_for_selector(".karte .offer")
    assert page.locator(".karte > section.next > .offers").count() == 2
    for offers in page.locator(".karte .offers").all():
        assert offers.locator("> .offer").count() <= 1
        assert offers.locator("details .offer").count() <= 2
    page.click(".karte .evidence .link >> nth=0")
    assert "行中" in page.inner_text(".karte .rows h3")
    assert page.locator(".karte table.rows tbody tr").count() >= 1


def test_click_on_a_point_opens_that_customer(page: playwright.Page) -> None:
    box = chart_box(page)
    for step in range(40):
        page.mouse.click(box["x"] + 150 + step * 12, box["y"] + 150)
        if "#/map/" in page.url:
            break
    page.wait_for_selector(".karte h2")
    assert page.locator(".karte h2 .chip").inner_text() in "ABCD"


def test_unknown_potential_is_said_and_drawn_empty(page: playwright.Page, data: ReportData) -> None:
    unknown = data.positions.filter(data.positions["potential"].is_null())["customer_id"][0]
    page.evaluate(f"location.hash = '#/map/{unknown}'")
    page.wait_for_selector(".karte")
    assert "わからない" in page.inner_text(".karte .share")
    assert page.locator(".karte .sharebar .empty").count() == 1


def test_keyboard_alone_finds_opens_and_leaves(page: playwright.Page) -> None:
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator(".pane .is-current").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector(".karte")
    page.keyboard.press("Escape")
    page.wait_for_selector(".pane .list")
    page.keyboard.press("g")
    page.keyboard.press("g")
    page.wait_for_selector("body[data-page=gaps]")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_selector("body[data-page=map]")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_gap_matrix_shows_marks_with_words(page: playwright.Page) -> None:
    page.evaluate("location.hash = '#/gaps'")
    page.wait_for_selector(".list td a")
    page.click("text=顧客 × 商品群")
    marks = {text[0] for text in page.locator(".matrix .state").all_inner_texts() if text}
    assert marks <= set("●◐○✕–")
    assert len(marks) >= 3


def test_unit_switch_shows_thousands(page: playwright.Page) -> None:
    page.select_option("#tools select", "1")
    page.wait_for_selector("th:has-text('拡大余地 千円')")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_page_shows_a_broken_value(page: playwright.Page, language: str) -> None:
    page.click(f"#language-{language}")
    for route in ("map", "gaps", "plan", "together", "evidence", "customer/000002", "map/000003", "customer/none"):
        page.evaluate(f"location.hash = '#/{route}'")
        page.wait_for_selector("main h1, main > p")
        if route == "gaps":
            page.click("main .switch button >> nth=1")
        text = page.inner_text("body")
        for broken in ("[object", "undefined", "NaN", "null", "Infinity", "{n}"):
            assert broken not in text, (route, broken)


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("route", ["map", "gaps", "plan", "together", "evidence", "customer/000002"])
def test_no_page_scrolls_sideways(page: playwright.Page, route: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.evaluate(f"location.hash = '#/{route}'")
    page.wait_for_selector("main h1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_phone_targets_are_large_enough_for_a_thumb(page: playwright.Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("location.hash = '#/plan'")
    page.wait_for_selector("main h1")
    small = page.evaluate(
        """[...document.querySelectorAll('button,select,input[type=search],nav a')]
        .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 43).map((e) => e.outerHTML)"""
    )
    assert small == []


def test_every_control_has_a_name(page: playwright.Page) -> None:
    for route in ("map", "gaps", "plan", "together", "evidence", "customer/000002"):
        page.evaluate(f"location.hash = '#/{route}'")
        page.wait_for_selector("main h1")
        nameless = page.evaluate(
            """[...document.querySelectorAll('button,select,input,[role=slider],[role=img],a')]
            .filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label')
              || (e.id && document.querySelector(`label[for=${e.id}]`)))).map((e) => e.outerHTML)"""
        )
        assert nameless == []


def test_text_contrast_holds_in_light_and_dark(page: playwright.Page) -> None:
    ratio = """([a, b]) => {
      const channel = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
      const light = (name) => {
        const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
        const full = hex.length === 3 ? [...hex].map((d) => d + d).join('') : hex;
        const [r, g, b] = [0, 2, 4].map((n) => channel(parseInt(full.slice(n, n + 2), 16)));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
      return (x + 0.05) / (y + 0.05);
    }"""
    pairs = [
        ("--ink", "--paper"),
        ("--soft", "--paper"),
        ("--accent", "--paper"),
        ("--ink", "--wash"),
        ("--on-a", "--a"),
        ("--on-b", "--b"),
        ("--on-c", "--c"),
        ("--on-d", "--d"),
    ]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for pair in pairs:
            assert page.evaluate(ratio, list(pair)) >= 4.5, (scheme, pair)


def test_map_prints_on_one_a3_sheet(page: playwright.Page) -> None:
    sheet = page.pdf(prefer_css_page_size=True, print_background=True)
    assert sheet.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 1191" in sheet or b"/MediaBox [0 0 1190" in sheet


def test_hostile_names_run_nothing(browser: playwright.Browser, tmp_path: Path) -> None:
    write_report(_company(20, hostile=HOSTILE), tmp_path / "report.html")
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    page.wait_for_selector("body[data-ready]")
    for route in ("map", "gaps", "together", "customer/000001", "customer/000002"):
        page.evaluate(f"location.hash = '#/{route}'")
        page.wait_for_selector("main h1")
    assert "broken" not in page.title()
    assert page.locator("img").count() == 0
    assert HOSTILE[1] in page.inner_text(".karte h2")
    page.close()


def test_company_without_touches_says_so(browser: playwright.Browser, tmp_path: Path) -> None:
    write_report(_company(40, touches=False), tmp_path / "report.html")
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    page.wait_for_selector("body[data-ready]")
    assert "接点データなし" in page.inner_text("h1")
    page.close()
