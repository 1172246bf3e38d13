"""The wall screen: readable from afar, counts what does not fit, and recovers by itself."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import ADMIN, NOON, PASSWORDS, Folder
from neighbourhood import PASSWORD, Neighbourhood
from ordinary_day import furnish
from served import Served, served

from dashboards.web import files, live, mount
from dashboards.web.wall import FITS, wall
from dashboards.web.words import Words
from ingest.app import create_app
from ingest.services.incidents import Waiting

CHROMIUM = Path("/usr/bin/chromium")
SIZE = {"width": 1920, "height": 1080}
browser_only = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
)


@pytest.fixture
def place() -> Neighbourhood:
    made = Neighbourhood()
    furnish(made)
    return made


def visit(place: Neighbourhood, language: str = "en") -> str:
    client = TestClient(place.app(), base_url="http://linli.test")
    client.headers["accept-language"] = language
    client.post("/login", data={"name": "王芳", "password": PASSWORD}, follow_redirects=False)
    return re.sub(r"\s+", " ", client.get("/wall").text)


@pytest.mark.parametrize(
    ("total", "handled", "rows", "more"),
    [(0, 0, 0, 0), (4, 0, 4, 0), (4, 1, 3, 1), (5, 0, 3, 2), (5000, 3, 3, 4997)],
)
def test_what_has_no_row_is_counted(total: int, handled: int, rows: int, more: int) -> None:
    place = Neighbourhood()
    for _ in range(min(total, FITS)):
        place.happen()
    cards = place.services().incidents.list(None, states=("open",)).items  # type: ignore[arg-type]
    waiting = Waiting(severities={"critical": 0, "high": total}, handled=handled)
    made = wall(cards[:FITS], waiting, Words("en", {}))  # type: ignore[arg-type]  # rows as they are
    assert (len(made.tiles), made.more) == (rows, more)
    assert [(one.word, one.number) for one in made.sums] == [("Critical", 0), ("High", total)]


def test_the_most_urgent_first_with_shape_and_word(place: Neighbourhood) -> None:
    page = visit(place)
    sums = re.findall(r'shape-(\w+)".*?<strong>(\d+)</strong>(\w+)', page)
    assert sums[:4] == [
        ("critical", "1", "Critical"),
        ("high", "1", "High"),
        ("medium", "2", "Medium"),
        ("low", "1", "Low"),
    ]
    assert re.findall(r'class="tile tile-(\w+)"', page) == ["critical", "high", "medium"]
    assert "and 2 more that wait · 1 being handled" in page
    assert "Reports arrive" in page
    assert "<img" not in page, "no pictures"
    assert "王芳" not in page, "not who looks, nor who acknowledged"
    assert "另有 2 件等待处理 · 1 件处理中" in visit(place, "zh-CN")


def test_nothing_waits_and_a_chain_that_is_broken() -> None:
    place = Neighbourhood()
    place.probes.why = "silent"
    page = visit(place)
    assert "All quiet" in page
    assert "Reports do not arrive" in page


def test_strangers_are_asked_to_sign_in(place: Neighbourhood) -> None:
    client = TestClient(place.app(), base_url="http://linli.test", follow_redirects=False)
    assert client.get("/wall").headers["location"] == "/login?next=%2Fwall"


def test_a_screen_needs_its_address_once_and_no_login(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    access = app.state.services.access
    made = access.add_screen(ADMIN, "门岗", NOON, {"b03"})
    with TestClient(app, base_url="http://linli.test", follow_redirects=False) as client:
        client.headers["accept-language"] = "en"
        assert client.get("/wall").headers["location"] == "/login?next=%2Fwall"
        # Looking at the address, as previews do, uses nothing up.
        for _ in range(2):
            assert made.secret in client.get(f"/wall/open/{made.secret}").text
        form = {"code": made.secret}
        evil = {"origin": "http://evil.example"}
        assert client.post("/wall/open", data=form, headers=evil).status_code == 403
        answer = client.post("/wall/open", data=form)
        assert answer.headers["location"] == "/wall"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "path=/wall" in cookie
        assert client.post("/wall/open", data=form).status_code == 410, "once"
        again = client.get("/wall")
        assert "All quiet" in again.text
        assert again.headers["set-cookie"].lower() == cookie, "each look makes it last anew"
        for path in ("/", "/incidents", "/trends", "/live?page=desk"):
            assert client.get(path).status_code == 303, path
        token = client.cookies["linli_screen"]
        access.remove_screen(ADMIN, made.id, NOON)
        assert access.screen(token) is None
        revoked = client.get("/wall")
        assert (revoked.status_code, "set-cookie" in revoked.headers) == (303, False)
        client.cookies.clear()
        login = {"name": "wang", "password": PASSWORDS["wang"][1]}
        client.post("/login", data=login)
        assert "linli_screen" not in client.get("/wall").headers.get("set-cookie", "")
    folder.close()


@pytest.fixture
def screen(place: Neighbourhood) -> Iterator[tuple[Any, Served, list[str]]]:
    """Return a page that shows the wall, its server, and what went wrong in the page."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with served(place.app()) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--js-flags=--expose-gc"]
        )
        page = browser.new_page(viewport=SIZE, locale="zh-CN")
        page.set_default_timeout(60_000)
        troubles: list[str] = []
        page.on("pageerror", lambda one: troubles.append(str(one)))
        page.goto(f"{server.url}/login?next=/wall")
        page.fill("[name=name]", "王芳")
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_selector("html[data-connection=up] .tile")
        yield page, server, troubles
        browser.close()


LETTERS = """() => Array.from(document.querySelectorAll(".sheet *"))
  .filter((one) => !one.closest(".unseen") && Array.from(one.childNodes)
    .some((node) => node.nodeType === 3 && node.data.trim()))
  .map((one) => [one.textContent.trim(), parseFloat(getComputedStyle(one).fontSize),
                 one.getBoundingClientRect()])"""


ALONE = """() => {
  const old = document.querySelector(".tiles"), tiles = old.cloneNode(true);
  while (tiles.children.length > 1) tiles.lastElementChild.remove();
  old.replaceWith(tiles);
  const place = tiles.querySelector(".place");
  place.textContent = "地下车库 · ".repeat(9);
  const cut = place.scrollWidth > place.clientWidth || tiles.scrollHeight > tiles.clientHeight;
  tiles.replaceWith(old);
  return [[place.textContent, cut]];
}"""
"""Shows the most urgent incident alone for a moment, at a place of a long name: is it cut?"""


@browser_only
@pytest.mark.browser
def test_readable_whole_and_back_after_its_server_was_gone(
    place: Neighbourhood, screen: tuple[Any, Served, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, server, troubles = screen
    found = page.evaluate(LETTERS)
    assert len(found) > 15
    # 72 of 1080 lines are 0.5 degrees from five metres on a screen of 55 inches.
    assert [text for text, size, _ in found if size < 72] == []
    inside = [(text, box) for text, _, box in found]
    assert [text for text, box in inside if box["bottom"] > 1080 or box["right"] > 1920] == []
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080

    alone = page.evaluate(ALONE)
    assert alone == [["地下车库 · " * 9, False]], "one incident has room for all of its place"

    place.happen(severity="critical", label="dog")
    page.wait_for_selector(".tile-critical >> text=狗")
    server.stop()
    page.wait_for_selector("html.is-old .old >> text=连接中断")
    assert float(page.evaluate("getComputedStyle(document.querySelector('.wall')).opacity")) < 0.5
    place.happen(severity="critical", label="cat")
    for name in ("mount", "render"):
        module = importlib.import_module(f"dashboards.web.{name}")
        monkeypatch.setattr(module, "assets_version", lambda: "newer")
    page.evaluate("document.body.dataset.known = 1")
    server.app = place.app()
    server.start()
    # What runs there now is newer, so the page that was open is loaded anew.
    page.wait_for_selector("body:not([data-known]) .tile-critical >> text=猫")
    assert "is-old" not in (page.get_attribute("html", "class") or "")
    assert troubles == []


UPDATES, RECONNECTS = 10_000, 20


@browser_only
@pytest.mark.browser
@pytest.mark.full
@pytest.mark.timeout(900)
def test_ten_thousand_updates_leave_the_heap_as_it_was(
    place: Neighbourhood, screen: tuple[Any, Served, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, server, troubles = screen
    monkeypatch.setattr(live, "GAP", 0.0)
    page.evaluate(
        """() => { window.updates = 0; new MutationObserver(() => { window.updates += 1; })
             .observe(document.querySelector("[data-wall]"), {childList: true}); }"""
    )
    tools = page.context.new_cdp_session(page)

    def heap() -> int:
        tools.send("HeapProfiler.enable")
        tools.send("HeapProfiler.collectGarbage")
        return int(tools.send("Runtime.getHeapUsage")["usedSize"])

    def update(until: int) -> None:
        while page.evaluate("window.updates") < until:
            for _ in range(20):
                place.chain.rejected += 1
                place.probes.why = "works" if place.chain.rejected % 2 else "silent"
                place.feed.tell("incidents")
                page.wait_for_timeout(5)

    update(200)
    before = heap()
    for turn in range(RECONNECTS):
        update(200 + (turn + 1) * UPDATES // RECONNECTS)
        server.stop()
        page.wait_for_selector("html.is-old")
        server.app = place.app()
        server.start()
        page.wait_for_selector("html:not(.is-old)[data-connection=up]")
    after = heap()
    assert after <= 1.1 * before, (before, after)
    assert page.evaluate("window.updates") >= UPDATES
    assert troubles == []
    assert files.assets_version() == page.get_attribute("html", "data-version")
