"""The phone of somebody who signed in, in a real Chromium: also without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import until
from house import ADMIN, PASSWORDS, Folder
from ordinary_day import drawn_picture
from phones import Phone, phone
from served import Served, served

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
    ),
]
SHOTS = os.environ.get("LINLI_SHOTS")
KEPT = """async () => {
  const names = await caches.keys();
  const all = await Promise.all(names.map((one) => caches.open(one).then((it) => it.keys())));
  return all.flat().map((one) => new URL(one.url).pathname);
}"""
SMALL = """() => Array.from(document.querySelectorAll("a, button, summary, input"))
  .filter((one) => one.offsetParent && !one.closest(".skip"))
  .map((one) => [one.getBoundingClientRect(), one])
  .filter(([box]) => box.height > 0 && (box.height < 44 || box.width < 44))
  .map(([box, one]) => `${one.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Phone]:
    with phone(Folder(tmp_path)) as made:
        made.hand_in(drawn_picture())
        yield made


@pytest.fixture
def server(there: Phone) -> Iterator[Served]:
    with served(there.client.app) as running:  # type: ignore[arg-type]  # TestClient's is wider
        yield running


@pytest.fixture
def page(server: Served) -> Iterator[playwright.Page]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True, is_mobile=True
        )
        context.set_default_timeout(60_000)
        opened = context.new_page()
        opened.goto(f"{server.url}/m")
        opened.fill("input[name=name]", "wang")
        opened.fill("input[name=password]", PASSWORDS["wang"][1])
        opened.click("main button[type=submit]")
        opened.wait_for_selector("h1 >> text=我的任务")
        yield opened
        browser.close()


@pytest.mark.timeout(600)  # on a machine that does much else
def test_a_shift_with_and_without_a_network(
    there: Phone, server: Served, page: playwright.Page
) -> None:
    fits(page, "list")
    page.tap(".task")
    page.wait_for_selector(".huge >> text=我来处理")
    button = page.locator(".phone-deeds button").bounding_box()
    assert button is not None
    assert button["height"] >= 64
    assert button["y"] + button["height"] <= 844
    fits(page, "one")
    # A page that was under way when its worker woke has no worker yet: the next one has.
    until(page, "navigator.serviceWorker.ready.then((one) => one.active.state === 'activated')")
    page.goto(f"{server.url}/m")
    page.tap(".task")
    page.wait_for_selector(".huge")
    server.stop()
    page.reload()
    page.wait_for_selector("text=没有网络")
    page.tap(".huge")
    page.wait_for_selector("[data-queue] >> text=等待网络")
    fits(page, "waiting")
    assert there.incident().state == "open"
    page.reload()  # what was tapped outlives the page
    page.wait_for_selector("[data-queue] >> text=等待网络")
    server.start()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_selector("[data-queue] >> text=已发送")
    page.wait_for_selector("text=没有网络", state="hidden")
    assert there.incident().acknowledged_by == "user:wang"
    page.wait_for_selector(".huge >> nth=1")
    # Another figure of the same happening is no reason against what was tapped.
    server.stop()
    page.locator(".huge").last.tap()
    page.wait_for_selector("[data-state=waiting]")
    there.services.incidents.label(ADMIN, there.of, "true-alarm", there.folder.clock.now())
    server.start()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_selector("text=处理完成，谢谢")
    assert there.incident().resolved_by == "user:wang"
    there.services.incidents.resume(ADMIN, there.of, there.folder.clock.now())
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_selector(".huge")
    server.stop()
    page.locator(".huge").last.tap()
    page.wait_for_selector("[data-state=waiting]")
    there.services.incidents.resolve(ADMIN, there.of, there.folder.clock.now())
    server.start()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_selector("[data-state=refused] >> text=boss 已经解决了")
    fits(page, "refused")
    rows = there.services.incidents.newest(ADMIN, there.of, 50)
    steps = [row.step for row in rows if row.actor.startswith("user:")]
    assert steps == ["acknowledged", "labelled", "resolved", "resumed", "resolved"]
    kept = page.evaluate(KEPT)
    assert "/m" in kept
    assert [one for one in kept if "picture" in one or "/i/" in one or "evidence" in one] == []
    page.goto(f"{server.url}/m")
    page.click("text=退出")
    page.wait_for_selector("input[name=password]")
    until(page, f"({KEPT})().then((all) => all.every((one) => one.startsWith('/static/')))")
    until(page, "indexedDB.databases().then((all) => all.length === 0)")


def test_larger_type_stays_and_fits(there: Phone, page: playwright.Page) -> None:
    before = page.evaluate("getComputedStyle(document.body).fontSize")
    assert float(before.removesuffix("px")) >= 19
    page.tap("text=大字模式")
    page.wait_for_selector("html[data-type=large]")
    fits(page, "large-list")
    page.tap(".task")
    page.wait_for_selector("html[data-type=large] .huge")
    fits(page, "large-one")
    assert float(page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")) >= 24
    page.emulate_media(color_scheme="dark")
    fits(page, "large-dark")


def fits(page: playwright.Page, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    assert page.evaluate(SMALL) == [], name
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"pocket-{name}.png"), full_page=True)
