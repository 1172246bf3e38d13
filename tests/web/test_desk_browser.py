"""The desk in a real browser: keys alone, sound, muting with an end, and two at one incident."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
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
SHOTS = os.environ.get("LINLI_SHOTS")
"""A folder for pictures of the pages, to be looked at by a person."""
WIDE = {"width": 1366, "height": 768}
Page = playwright.Page
CUT = ("ERR_", "[object")
"""What the browser and htmx say of a stream that a test has cut."""
WAITING = "Number(document.querySelector('[data-alarms]').dataset.openCount)"
LET_GO = """async () => {
  const rings = async () =>
    (await navigator.locks.query()).held.length ||
    Date.now() - Number(localStorage.getItem("linli.rang")) < 1500;
  while (await rings()) await new Promise((done) => setTimeout(done, 50));
}"""
"""Nobody rings now, so that the next one is heard by itself."""
# What would sound and what would be shown, written down instead.
EARS = """
  window.notes = [];
  window.Notification = class {
    constructor(title, more) { window.notes.push(title + " | " + more.body); }
    static requestPermission() { return Promise.resolve("granted"); }
  };
  window.Notification.permission = "granted";
  document.hasFocus = () => false;
"""


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
    chromium: playwright.Browser, server: Served, name: str = "王芳", language: str = "en-US"
) -> Iterator[Page]:
    """Someone at the desk with a browser of their own that complains about nothing."""
    context = chromium.new_context(viewport=WIDE, locale=language)
    context.set_default_timeout(60_000)
    context.add_init_script(EARS)
    page, troubles = context.new_page(), list[str]()
    page.on("console", lambda one: troubles.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: troubles.append(str(one)))
    page.goto(f"{server.url}/")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-connection=up]")
    try:
        yield page
        assert [text for text in troubles if not any(one in text for one in CUT)] == []
    finally:
        context.close()


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def test_a_shift_by_keys_alone(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with person(chromium, server) as page:
        press = page.keyboard.press
        press("j")
        assert page.evaluate("document.activeElement.className") == "card-link"
        press("j")
        second = page.evaluate("document.activeElement.closest('.card').dataset.key")
        press("a")
        page.wait_for_selector(f".group-handled [data-key='{second}']")
        page.wait_for_selector("[data-did] >> text=Acknowledged")
        # The hand goes on to the next one, which waits too.
        here = page.evaluate("document.activeElement.closest('.card').dataset.severity")
        assert here == "medium"
        shot(page, "desk-did")
        press("u")
        page.wait_for_selector(f".group-waiting [data-key='{second}']")
        page.wait_for_selector("text=Taken back")
        assert place.book.rows[second][-1].step == "undone"
        press("?")
        page.wait_for_selector("dialog[open]")
        shot(page, "desk-keys")
        page.uncheck("[data-keys-use]")
        press("Escape")
        page.wait_for_selector("dialog:not([open])", state="attached")
        before = page.evaluate("document.activeElement.className")
        press("k")
        assert page.evaluate("document.activeElement.className") == before  # they are off
        press("?")
        assert page.locator("dialog[open]").count() == 0
        page.click("[data-keys-open]")
        page.check("[data-keys-use]")
        page.click("[data-keys-close]")
        press("j")
        press("Enter")
        page.wait_for_selector(".one-head")
        press("n")
        page.keyboard.type("ajk?bu")  # typing is typing
        assert page.input_value("[data-note]") == "ajk?bu"
        page.evaluate("document.activeElement.blur()")
        shot(page, "one")
        press("b")
        page.wait_for_selector(".group-waiting")


def test_it_rings_for_what_newly_waits_and_is_muted_only_with_an_end(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with person(chromium, server) as page:
        rang = "Number(document.documentElement.dataset.rang || 0)"
        place.happen(severity="high", label="dog")
        page.wait_for_selector(".group-waiting >> text=Dog >> nth=1")
        assert page.evaluate(rang) == 0  # nobody turned it on
        page.click("[data-alerts-on]")
        page.wait_for_selector("text=Sound is on")
        place.happen(severity="critical", label="cat")
        page.wait_for_selector("html[data-rang='1']")
        assert page.evaluate("window.notes") == [
            "Critical · Cat staying in the watched area | 3 号楼 1 号电梯"
        ]
        place.step(next(iter(place.book.rows)), "repeated")  # it waits already
        shown = page.locator("[data-alerts] button:visible").evaluate_all(
            "all => all.map(one => Object.keys(one.dataset)[0])"
        )
        assert shown == ["keysOpen"], "nothing turns it off for good"
        page.select_option("[data-alerts-mute] select", "15")
        page.wait_for_selector("text=Muted until")
        shot(page, "desk-muted")
        page.reload()  # it holds when the page is opened again
        page.wait_for_selector("html[data-connection=up]")
        page.wait_for_selector("text=Muted until")
        place.happen(severity="critical", label="bicycle")
        page.wait_for_selector(".group-waiting >> text=Bicycle")
        assert page.evaluate(rang) == 0
        assert page.evaluate("window.notes") == []
        # When its end has come it rings again by itself.
        page.evaluate("localStorage.setItem('linli.muted', String(Date.now() - 1))")
        page.wait_for_selector("text=Sound is on")
        page.click("h1 >> nth=0")  # a browser lets a page sound that somebody has touched
        page.wait_for_selector("[data-alerts-said]:empty", state="attached")
        place.happen(severity="critical", label="stroller")
        page.wait_for_selector("html[data-rang]")
        choices = page.locator("[data-alerts-mute] option").all()
        assert [one.get_attribute("value") for one in choices] == ["", "15", "60", "240", "480"]


def test_what_waited_already_does_not_ring_and_what_comes_back_does(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    rang = "Number(document.documentElement.dataset.rang || 0)"
    old = place.happen(severity="low", label="pram", minutes=90)
    for _ in range(40):  # the old one is far below those that have a card
        place.happen(severity="medium", minutes=60)
    with person(chromium, server) as page:
        page.wait_for_selector("[data-alarms]", state="attached")
        page.click("[data-alerts-on]")
        page.wait_for_selector("text=Sound is on")
        shown = page.locator(".group-waiting .card").evaluate_all(
            "all => all.map(one => one.dataset.key)"
        )
        first = shown[0]
        page.click(f"[data-key='{first}'] .big")
        page.wait_for_function(
            "known => Array.from(document.querySelectorAll('.group-waiting .card'))"
            ".some(one => !known.includes(one.dataset.key))",
            arg=shown,
        )
        assert page.evaluate(rang) == 0, "it took a free place, and waited all the time"
        assert page.evaluate("window.notes") == []
        place.step(old, "worsened")  # without a card it is heard all the same
        page.wait_for_selector("html[data-rang='1']")
        page.evaluate(LET_GO)
        place.step(first, "resolved", actor="user:王芳")
        place.step(first, "reopened")
        page.wait_for_selector("html[data-rang='2']")
        assert len(page.evaluate("window.notes")) == 2


def test_it_rings_on_every_page_that_is_live_once_for_all_of_them(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    rang = "Number(document.documentElement.dataset.rang || 0)"
    here = next(iter(place.book.rows))
    with person(chromium, server) as page:
        page.click("[data-alerts-on]")
        page.wait_for_selector("text=Sound is on")
        for number, path in enumerate(("incidents", "devices", f"incidents/{here}")):
            page.goto(f"{server.url}/{path}")
            page.wait_for_selector("[data-alarms]", state="attached")
            page.click("h1 >> nth=0")
            page.wait_for_selector("[data-alerts-state]:visible")
            page.wait_for_selector("[data-alerts-said]:empty", state="attached")
            page.evaluate(LET_GO)
            waiting = page.evaluate(WAITING)
            place.happen(severity="high", label="dog", zone=f"z{number}")
            page.wait_for_selector("html[data-rang='1']")
            assert page.title().startswith(f"({waiting + 1}) ")
            shot(page, f"alerts-{path.partition('/')[0]}-{number}")
        # What came while a page was loading is heard on the next.
        page.goto(f"{server.url}/settings")  # not live
        place.happen(severity="high", label="dog", zone="gap")
        page.goto(f"{server.url}/incidents")
        page.wait_for_function("() => window.notes.length === 1")
        # Of two pages one rings.
        other = page.context.new_page()
        other.goto(f"{server.url}/")
        other.wait_for_selector("[data-alarms]", state="attached")
        for one in (page, other):
            one.click("h1 >> nth=0")
            one.wait_for_selector("[data-alerts-said]:empty", state="attached")
        page.evaluate(LET_GO)
        before = page.evaluate(rang) + other.evaluate(rang)
        place.happen(severity="high", label="cat", zone="two")
        for one in (page, other):
            one.wait_for_selector("[data-alarms] a:has-text('Cat')", state="attached")
        page.evaluate(LET_GO)  # whoever was to ring has
        assert page.evaluate(rang) + other.evaluate(rang) == before + 1


def test_two_at_one_incident_the_second_sees_what_happened(
    chromium: playwright.Browser, server: Served, place: Neighbourhood
) -> None:
    with person(chromium, server) as one, person(chromium, server, "admin", "zh-CN") as other:
        for page in (one, other):  # both look at the same moment: neither hears of the other
            page.evaluate("window.stop()")
            page.route("**/live?**", lambda route: route.abort())
        card = "article.card-critical.card-open"
        incident = one.get_attribute(card, "data-key")
        assert incident is not None
        one.click(f"{card} .big")
        one.wait_for_selector("[data-did] >> text=Acknowledged")
        other.click(f"{card} .big")
        other.wait_for_selector("[data-did] >> text=王芳 先一步处理了：已确认")
        assert other.locator("[data-did] button:visible").count() == 0
        steps = [(row.step, row.actor) for row in place.book.rows[incident][2:]]
        assert steps == [("acknowledged", "user:王芳")]
