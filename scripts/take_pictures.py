"""Take the pictures of docs/tutorial/first-proposals.*.md anew: `python scripts/take_pictures.py [demo|own …]`.

Needs Chromium and playwright (`make test-e2e` brings both). Starts the demo and, for "own", an empty company, each on
a free port in a temporary directory; walks through them as the tutorial does, in Japanese and in English; writes
docs/images/*.png. `--demo URL` uses a demo that runs already.
"""

from __future__ import annotations

import argparse
import base64
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = ROOT / "docs" / "images"
SAMPLE: Final = ROOT / "docs" / "tutorial" / "sample-sales.xlsx"
DESK: Final = {"width": 1180, "height": 740}
PHONE: Final = {"width": 390, "height": 760}
LOCALES: Final = {"ja": "ja-JP", "en": "en-US"}
PASSWORD: Final = "an invented pass phrase"  # noqa: S105 - of a company that is deleted when the pictures are taken
_WAIT: Final = 240_000
"""Milliseconds: a computation on a small machine."""


@dataclass(slots=True)
class Walk:
    """One person walking through the pages, seen in both languages."""

    browser: Browser
    url: str
    ja: BrowserContext
    en: BrowserContext

    def shoot(self, name: str, address: str, size: dict[str, int] = DESK, near: str = "") -> None:
        """One picture in each language of an address; `near` scrolls to what that selector finds."""
        for language, context in (("ja", self.ja), ("en", self.en)):
            page = context.new_page()
            page.set_viewport_size(size)
            page.goto(self.url + address)
            _settle(page)
            if near:
                page.locator(near).first.scroll_into_view_if_needed()
                _settle(page)
            keep(page, IMAGES / f"{name}.{language}.png")
            page.close()


def _settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(600)


def keep(page: Page, path: Path) -> None:
    """The page's window as a PNG with at most 256 colours, which is a third of the size."""
    shot = base64.b64encode(page.screenshot()).decode()
    blank = page.context.new_page()
    width, height, pixels = blank.evaluate(
        """async (shot) => {
            const image = new Image(); image.src = 'data:image/png;base64,' + shot; await image.decode();
            const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
            const pen = canvas.getContext('2d'); pen.drawImage(image, 0, 0);
            const bytes = pen.getImageData(0, 0, image.width, image.height).data; let said = '';
            for (let at = 0; at < bytes.length; at += 32768)
                said += String.fromCharCode(...bytes.subarray(at, at + 32768));
            return [image.width, image.height, btoa(said)];
        }""",
        shot,
    )
    blank.close()
    rgb = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[:, :, :3]
    path.write_bytes(as_png(rgb))
    sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size / 1000:.0f} kB\n")


def as_png(rgb: np.ndarray) -> bytes:
    """`rgb` (height × width × 3, uint8) as a PNG of its 256 commonest colours, the others rounded to them."""
    height, width, _ = rgb.shape
    packed = (rgb.astype(np.uint32) * np.array([65536, 256, 1], np.uint32)).sum(axis=2).ravel()
    colours, place, counts = np.unique(packed, return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(-counts, kind="stable")[:256])
    split = np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=1).astype(np.int32)
    palette = split[kept]
    nearest = np.empty(colours.size, np.uint8)
    for start in range(0, colours.size, 4096):
        away = ((split[start : start + 4096, None, :] - palette[None]) ** 2).sum(axis=2)
        nearest[start : start + 4096] = away.argmin(axis=1)
    index = nearest[place.ravel()].reshape(height, width)
    rows = b"".join(b"\0" + row.tobytes() for row in index)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


@contextmanager
def started(arguments: list[str], wanted: str) -> Iterator[re.Match[str]]:
    """`nobishiro` with `arguments` until the block ends; what matched `wanted` in what it printed."""
    command = [sys.executable, "-m", "nobishiro.cli.main", *arguments, "--port", "0", "--lang", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        assert process.stdout is not None
        said = ""
        try:
            for line in process.stdout:
                said += line
                found = re.search(wanted, said, re.DOTALL)
                if found:
                    yield found
                    return
            raise SystemExit(f"nobishiro {' '.join(arguments)} ended without {wanted!r}:\n{said}")
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def walking(browser: Browser, url: str) -> Iterator[Walk]:
    """A person nobody knows yet."""
    contexts = [browser.new_context(locale=locale) for locale in LOCALES.values()]
    for context in contexts:
        context.set_default_timeout(60_000)
    try:
        yield Walk(browser, url, *contexts)
    finally:
        for context in contexts:
            context.close()


def first_customer(walk: Walk, name: str) -> str:
    """The address of the karte of the customer of that name."""
    page = walk.ja.new_page()
    page.goto(f"{walk.url}/customers/?q={name}")
    address = page.locator("tr[data-open]").first.get_attribute("data-open")
    page.close()
    assert address is not None, name
    return address


def picture_demo(browser: Browser, url: str) -> None:
    """Stepping in, and the five steps of the story."""
    with walking(browser, url) as walk:
        walk.shoot("step-in", "/demo/")
    for role, shots in {
        "rep": (("today", "/today/", DESK), ("today-phone", "/today/", PHONE)),
        "manager": (("week", "/week/", DESK), ("customer-map", "/map/", DESK), ("referrals", "/referrals/", DESK)),
    }.items():
        for language in LOCALES:  # one person has one language: one after the other
            with walking(browser, url) as walk:
                _be(walk, role, language)
                for name, address, size in shots:
                    _one(walk, language, name, address, size)
                if role == "rep":
                    _one(walk, language, "karte", first_customer(walk, "東和食品機械"), DESK)


def _be(walk: Walk, role: str, language: str) -> None:
    page = walk.ja.new_page()
    page.goto(f"{walk.url}/demo/")
    page.click(f"button[name=role][value={role}]")
    page.click(f".tools button[name=language][value={language}]")
    page.wait_for_selector(f"html[lang={language}]")
    page.close()


def _one(walk: Walk, language: str, name: str, address: str, size: dict[str, int]) -> None:
    page = walk.ja.new_page()
    page.set_viewport_size(size)
    page.goto(walk.url + address)
    _settle(page)
    keep(page, IMAGES / f"{name}.{language}.png")
    page.close()


def sign_in(page: Page, email: str) -> None:
    """On the sign-in page, which follows when a password was set."""
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button.primary")
    page.wait_for_selector("nav.menu")


def picture_own(browser: Browser, url: str, link: str, code: str) -> None:
    """A company of one's own: the first account, the wizard, the map, today's proposals."""
    with walking(browser, url) as walk:
        for language, context in (("en", walk.en), ("ja", walk.ja)):
            page = context.new_page()
            page.set_viewport_size(DESK)
            page.goto(link)
            page.wait_for_selector("input[name=password]")
            _settle(page)
            keep(page, IMAGES / f"first-account.{language}.png")
        page.fill("input[name=name]", "山田 誠")
        page.fill("input[name=email]", "yamada@example.jp")
        page.fill("input[name=password]", PASSWORD)
        page.fill("input[name=again]", PASSWORD)
        page.click("main button.primary")
        sign_in(page, "yamada@example.jp")
        walk.en.add_cookies(walk.ja.cookies())
        walk.shoot("wizard-upload", "/imports/new/")
        page.goto(f"{url}/imports/new/")
        page.set_input_files("#files", str(SAMPLE))
        page.wait_for_selector(".steps", timeout=_WAIT)
        page.wait_for_selector("form[action$='/commit/'] button", timeout=_WAIT)
        walk.shoot("wizard-preview", page.url.removeprefix(url))
        page.click("form[action$='/commit/'] button")
        page.wait_for_selector("form[action$='/recompute/'] button", timeout=_WAIT)
        walk.shoot("wizard-done", page.url.removeprefix(url))
        page.click("form[action$='/recompute/'] button")
        for _ in range(80):
            page.goto(f"{url}/map/")
            if page.locator("svg circle, canvas").count():
                break
            page.wait_for_timeout(3000)
        walk.shoot("own-map", "/map/")
        page.goto(f"{url}/people/invite/")
        if page.locator("input[name=password]").count():  # it asks who this is before an account is made
            page.fill("input[name=password]", PASSWORD)
            page.click("main button.primary")
        page.wait_for_selector("input[name=email]")
        page.fill("input[name=email]", "sato@example.jp")
        page.select_option("select[name=role]", "rep")
        page.select_option("select[name=rep]", label=code)
        page.click("main button.primary")
        invited = re.search(r"http\S+/account/invitation/#[\w-]+", page.content())
        assert invited is not None
    with walking(browser, url) as walk:
        page = walk.ja.new_page()
        page.goto(invited.group())
        page.fill("input[name=name]", "佐藤 健")
        page.fill("input[name=password]", PASSWORD)
        page.fill("input[name=again]", PASSWORD)
        page.click("main button.primary")
        sign_in(page, "sato@example.jp")
        walk.en.add_cookies(walk.ja.cookies())
        walk.shoot("own-today-phone", "/today/", PHONE)


def main() -> int:
    """Take what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=("demo", "own"), default=["demo", "own"])
    parser.add_argument("--demo", help="address of a demo that runs already")
    said = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if "demo" in said.what and said.demo:
            picture_demo(browser, said.demo.rstrip("/").removesuffix("/demo"))
        elif "demo" in said.what:
            with started(
                ["demo", "--workspace", f"{scratch}/demo", "--serve", "--no-others"], r"(http\S+)/demo/"
            ) as at:
                picture_demo(browser, at[1])
        if "own" in said.what:
            with started(["serve", "-w", f"{scratch}/acme"], r"((http\S+)/account/invitation/#\S+).*open http") as at:
                picture_own(browser, at[2], at[1], "佐藤 健")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
