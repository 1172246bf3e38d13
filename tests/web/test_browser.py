"""The pages in a real browser, against a real server that may fall."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import until
from neighbourhood import PASSWORD, Neighbourhood
from ordinary_day import furnish
from served import Served, served

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
    ),
]
PHONE, WALL = {"width": 390, "height": 844}, {"width": 1920, "height": 1080}
Page = playwright.Page


@pytest.fixture(scope="module")
def chromium() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def place() -> Neighbourhood:
    made = Neighbourhood()
    furnish(made)
    return made


@pytest.fixture
def server(place: Neighbourhood) -> Iterator[Served]:
    with served(place.app()) as running:
        yield running


@contextmanager
def person(
    chromium: playwright.Browser,
    server: Served,
    *,
    size: dict[str, int] = WALL,
    language: str = "en-US",
    name: str = "王芳",
    script: bool = True,
) -> Iterator[tuple[Page, list[str]]]:
    """Someone signed in with a browser of their own; and what the console complained about."""
    context = chromium.new_context(viewport=size, locale=language, java_script_enabled=script)
    context.set_default_timeout(30_000)
    page, troubles = context.new_page(), list[str]()
    page.on("console", lambda one: troubles.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: troubles.append(str(one)))
    page.goto(f"{server.url}/")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_selector("nav.tabs")
    try:
        yield page, troubles
    finally:
        context.close()


def test_two_people_see_one_acknowledgement(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with (
        person(chromium, server) as (desk, troubles),
        person(chromium, server, language="zh-CN", size=PHONE, name="admin") as (phone, more),
    ):
        phone.click("article.card-critical .card-link")
        assert "重点区域内有电动自行车停留" in phone.inner_text("h1")
        picture = phone.locator(".frame img")
        picture.evaluate("image => image.decode()")
        desk.locator("article.card-critical img").evaluate("image => { image.known = true }")
        desk.click("article.card-high .big")
        desk.wait_for_selector("article.card-high.card-acknowledged")
        # What did not change was not touched: its picture is still the same element.
        assert desk.locator("article.card-critical img").evaluate("image => image.known")
        desk.wait_for_selector(".group-handled article >> nth=1")
        phone.click(".deeds .big >> text=确认收到")
        phone.wait_for_selector("text=admin 已确认收到")
        desk.wait_for_selector(".group-handled article.card-critical")
        assert desk.inner_text(".count") == "3"
        desk.click(".group-handled article.card-critical .card-link")
        desk.click("summary >> text=Resolve")
        desk.click("text=Yes, resolve it")
        phone.wait_for_selector(".chip-state >> text=已解决")
        phone.wait_for_selector("text=王芳 已解决")
        assert troubles + more == []


def test_few_tabs_stand_in_one_row_and_the_rest_unfolds(
    chromium: playwright.Browser, server: Served
) -> None:
    with person(chromium, server) as (page, troubles):
        for width, shown in ((1366, 5), (390, 4), (360, 4)):
            page.set_viewport_size({"width": width, "height": 800})
            tabs = page.locator("nav.tabs > a:visible, nav.tabs summary:visible")
            assert tabs.count() == shown
            tops = tabs.evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
            assert len(set(tops)) == 1
            page.focus("nav.tabs summary")
            page.keyboard.press("Enter")
            page.wait_for_selector("nav.tabs a >> text=Settings")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.keyboard.press("Escape")
            page.wait_for_selector("nav.tabs details:not([open])")
        page.keyboard.press("Enter")
        page.click("nav.tabs a >> text=Settings")
        page.wait_for_selector("nav.tabs summary.tab-here")
        assert troubles == []


def test_a_new_incident_arrives_by_itself(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with person(chromium, server) as (page, troubles):
        until(page, "document.title.startsWith('(5)')")
        place.happen(severity="critical", label="dog")
        page.wait_for_selector("article.is-new >> text=Dog")
        until(page, "document.title.startsWith('(6)')")
        assert page.locator(".group-waiting article").first.inner_text().find("Dog") > 0
        assert troubles == []


def test_the_page_catches_up_after_the_server_was_gone(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with person(chromium, server) as (page, troubles):
        page.wait_for_selector("html[data-connection=up]")
        server.stop()
        page.wait_for_selector("text=Connection lost")
        place.happen(severity="critical", label="cat")
        # Acting meanwhile says that it failed, and nothing is pretended.
        page.click("article.card-high .big >> nth=0")
        page.wait_for_selector("text=That did not work")
        server.app = place.app()
        server.start()
        page.wait_for_selector("article >> text=Cat")
        page.wait_for_selector("text=Connection lost", state="hidden")
        # The browser and htmx say that requests failed; nothing else went wrong.
        known = ("ERR_", "htmx:send", "[object")
        assert [text for text in troubles if not any(one in text for one in known)] == []


SEEN = """(what) => {
  const all = Array.from(document.querySelectorAll(what)).filter((one) => one.offsetWidth);
  return all.length > 0 && all.every((one) => {
    const at = one.getBoundingClientRect(), middle = (at.left + at.right) / 2;
    return at.top >= 0 && at.bottom <= innerHeight && [at.top + 2, at.bottom - 2].every(
      (y) => one.contains(document.elementFromPoint(middle, y)));
  });
}"""
"""Whether all of it is on the screen with nothing upon it."""
PRESSED = ".note-form button[type=submit]"


@pytest.mark.parametrize(
    ("size", "large", "block"),
    [(PHONE, True, "start"), (PHONE, False, "end"), (WALL, False, "start"), (WALL, True, "end")],
    ids=["phone-large-top", "phone-foot", "wide-top", "wide-large-foot"],
)
def test_what_went_wrong_is_seen_where_one_presses(
    chromium: playwright.Browser, server: Served, size: dict[str, int], large: bool, block: str
) -> None:
    with person(chromium, server, size=size, language="zh-CN") as (page, _):
        page.emulate_media(reduced_motion="reduce")
        page.click("article.card-critical .card-link")
        page.click(".note-form summary")
        page.wait_for_selector("html[data-connection=up]")
        if large:
            page.evaluate("document.documentElement.dataset.type = 'large'")
        page.fill(".note-form textarea", "门开着")
        # However short the page is, there is room to scroll.
        page.evaluate("document.querySelector('main').style.paddingBottom = '200vh'")
        page.evaluate(f"document.querySelector('{PRESSED}').scrollIntoView({{block: '{block}'}})")
        assert page.evaluate("scrollY") > 0
        page.route("**/note", lambda route: route.abort())
        page.evaluate(f"document.querySelector('{PRESSED}').click()")
        page.wait_for_selector("[data-trouble]:not([hidden])")
        until(page, f"({SEEN})('[data-trouble]')")
        until(page, f"({SEEN})('{PRESSED}')")
        server.stop()
        page.wait_for_selector("[data-connection=down]:not([hidden])")
        until(page, f"({SEEN})('p[data-connection=down]')")
        page.evaluate("scrollTo(0, 0)")
        until(page, f"({SEEN})('.notices p, .brand, .back a')")


@pytest.mark.parametrize("language", ["zh-CN", pytest.param("en-US", marks=pytest.mark.full)])
def test_every_page_is_quiet_and_fits(
    chromium: playwright.Browser, server: Served, place: Neighbourhood, language: str
) -> None:
    incident = next(iter(place.book.rows))
    paths = ("/", f"/incidents/{incident}", "/devices", "/incidents?group=resolved")
    with person(chromium, server, size=PHONE, language=language) as (page, troubles):
        for path in paths:
            answer = page.goto(f"{server.url}{path}")
            assert answer is not None
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            page.wait_for_selector("html[data-connection=up]")
            for details in page.locator("summary").all():
                details.click()
            for size in (PHONE, WALL):
                page.set_viewport_size(size)
                wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert wide <= 0, (path, size)
                assert small_targets(page) == [], (path, size)
            page.set_viewport_size(PHONE)
        assert troubles == []
        assert page.goto(f"{server.url}/nothing-here").status == 404
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def small_targets(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => Array.from(document.querySelectorAll("a, button, summary, input"))
            .filter((one) => one.offsetParent && !one.closest(".skip"))
            .map((one) => [one.getBoundingClientRect(), one])
            .filter(([box]) => box.height > 0 && (box.height < 44 || box.width < 44))
            .map(([box, one]) => `${one.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""
    )
    return found


@pytest.mark.full  # axe-core looks for it on every page; this in both schemes of two
def test_contrast_holds_in_light_and_dark(chromium: playwright.Browser, server: Served) -> None:
    with person(chromium, server) as (page, _):
        for path in ("/", "/devices"):
            page.goto(f"{server.url}{path}")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                assert page.evaluate(POOR_CONTRAST) == [], (path, scheme)


POOR_CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  document.querySelectorAll("body *").forEach((one) => {
    const own = Array.from(one.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.offsetParent || one.closest(".skip")) return;
    const pair = [light(parse(getComputedStyle(one).color)), light(ground(one))].sort();
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) poor.push(`${one.className} ${one.textContent.trim().slice(0, 20)} ${ratio}`);
  });
  return poor;
}"""


def test_without_script_everything_still_works(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with person(chromium, server, script=False, size=PHONE) as (page, _):
        page.click("article.card-critical .big")
        page.wait_for_selector(".group-handled article.card-critical")
        page.click(".group-handled article.card-critical .card-link")
        page.click("summary >> text=False alarm")
        page.click("text=Yes, it was a false alarm")
        page.wait_for_selector(".chip >> text=False alarm")
        page.goto(f"{server.url}/devices")
        page.fill("input[name=label]", "大厅")
        page.click("text=Accept this device")
        page.wait_for_selector("h1 >> text=大厅")
        page.goto(f"{server.url}/devices")
        page.wait_for_selector("h3 >> text=大厅")
        page.click("text=中文")
        page.wait_for_selector("h1 >> text=设备")
        page.click("text=退出")
        page.wait_for_selector("input[name=password]")
    assert place.estate.devices[0].standing == "confirmed"


def test_many_open_pages_of_one_person_never_block(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with person(chromium, server) as (page, troubles):
        others = [page.context.new_page() for _ in range(6)]
        for other in others:
            other.goto(f"{server.url}/")
            other.wait_for_selector("html[data-connection=up]")
        page.wait_for_selector("html[data-connection=resting]")
        place.happen(severity="critical", label="cat")
        others[-1].wait_for_selector("article >> text=Cat")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_selector("article >> text=Cat")
        assert troubles == []
