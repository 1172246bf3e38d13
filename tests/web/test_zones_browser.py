"""Zones drawn in a real browser: by pointer, by keyboard, undone, saved; and without script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from browsing import until
from house import ADMIN, CAMERA, NODE, NOON, PASSWORDS, Folder, jpeg
from served import Served, served

from dashboards.web import mount
from ingest.app import create_app
from ingest.registry.watched import Watched
from ingest.services.registry import NOTHING_YET
from linli.live import LiveFrame

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
    ),
]
EXAMPLE = Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json"
DOOR = {"id": "door", "points": [[0.2, 0.4], [0.8, 0.4], [0.8, 0.9], [0.2, 0.9]]}
EBIKE = {"pack": "ebike-in-elevator", "zone": "door"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    document = json.loads(EXAMPLE.read_text())
    document["camera"][0].update(zone=[DOOR], scenario=[EBIKE])
    given = {"why": "first", "document": document}
    app.state.services.configs.put(ADMIN, NODE, given, seen=NOTHING_YET, now=NOON)
    app.state.services.live.on = True
    with served(app) as running:
        yield running
    folder.close()


def kept(server: Served) -> Watched:
    return server.app.state.services.configs.watched(ADMIN, NODE, CAMERA).watched


def visit(
    browser: playwright.Browser, server: Served, *, script: bool = True, finger: bool = False
) -> playwright.Page:
    wide = script and not finger
    size = {"width": 1366, "height": 768} if wide else {"width": 390, "height": 844}
    context = browser.new_context(
        viewport=size,
        locale="en-US",
        java_script_enabled=script,
        has_touch=finger,
        is_mobile=finger,
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{server.url}/login")
    page.fill("input[name=name]", "boss")
    page.fill("input[name=password]", PASSWORDS["boss"][1])
    page.click("main button[type=submit]")
    page.wait_for_selector("nav.tabs")
    page.goto(f"{server.url}/cameras/{NODE}/{CAMERA}/zones")
    return page


def test_zones_are_drawn_with_mouse_and_keys_and_without_script(server: Served) -> None:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        drawn(visit(browser, server), server)
        fingered(visit(browser, server, finger=True))
        typed(visit(browser, server, script=False), server)
        browser.close()


def looked(page: playwright.Page, server: Served) -> None:
    """Have the live picture below what is drawn; the test hands it in as an edge does."""
    live, now = server.app.state.services.live, server.app.state.house.clock.now()
    page.click("[data-look]")
    page.wait_for_selector("text=Asking the edge box")
    until(
        page,
        "path => fetch(path).then(one => one.ok)",
        arg=page.get_attribute("[data-look]", "data-look"),
    )
    picture = LiveFrame(time=now, age=0.2, jpeg=jpeg((64, 48)))
    live.take((NODE, CAMERA), msgspec.msgpack.encode(picture), now)
    page.wait_for_selector("text=Live picture, taken just now.")
    assert page.eval_on_selector("[data-canvas] img", "one => one.naturalWidth") == 64
    (look,) = live.looks(ADMIN, (NODE, CAMERA), cursor=None, limit=5).items
    assert look.purpose == "setup"


def drawn(page: playwright.Page, server: Served) -> None:
    troubles: list[str] = []
    page.on("console", lambda one: troubles.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: troubles.append(str(one)))
    points = page.locator("[name='points.0']")
    canvas = page.locator("[data-canvas]").bounding_box()
    assert canvas is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return canvas["x"] + canvas["width"] * x / 100, canvas["y"] + canvas["height"] * y / 100

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        page.mouse.move(*at(*start))
        page.mouse.down()
        page.mouse.move(*at(*end), steps=4)
        page.mouse.up()

    # The shape as a whole, then one corner, then a new corner out of a dot between two.
    drag((50, 60), (55, 60))
    assert points.input_value() == "25 40, 85 40, 85 90, 25 90"
    drag((85, 40), (90, 30))
    assert points.input_value() == "25 40, 90 30, 85 90, 25 90"
    drag((25, 65), (10, 65))
    assert points.input_value() == "25 40, 90 30, 85 90, 25 90, 10 65"
    page.keyboard.press("Delete")
    assert points.input_value() == "25 40, 90 30, 85 90, 25 90"
    corner = page.locator(".corner").first
    corner.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert points.input_value() == "26 35, 90 30, 85 90, 25 90"
    assert "26, 35 percent" in page.inner_text("[data-said]")
    for _ in range(2):
        page.click("[data-undo]")
    assert points.input_value() == "25 40, 90 30, 85 90, 25 90"
    looked(page, server)
    assert points.input_value() == "25 40, 90 30, 85 90, 25 90", "a new picture loses nothing"
    # A used zone offers no deletion; a line that is turned round points the other way.
    assert page.locator("[name='gone.0']").count() == 0
    page.click("[data-add=line]")
    page.fill("[data-row=line] [name^=label]", "Gate")
    before = page.locator(".stroke-arrow").get_attribute("points")
    page.click("[data-turn]")
    until(
        page,
        "was => document.querySelector('.stroke-arrow').getAttribute('points') !== was",
        arg=before,
    )
    page.click("[data-add=mask]")
    page.click("[data-row=mask] [data-gone]")
    page.click("text=Save and send to the edge")
    page.wait_for_selector("text=Saved.")
    now = kept(server)
    assert now.zone[0]["points"] == [[0.25, 0.4], [0.9, 0.3], [0.85, 0.9], [0.25, 0.9]]
    assert now.line == ({"id": "gate", "label": "Gate", "points": [[0.8, 0.6], [0.2, 0.6]]},)
    assert now.mask == ()
    taken(page, server)
    assert troubles == []


def taken(page: playwright.Page, server: Served) -> None:
    """Have the live picture among those that teach; it is kept nowhere else."""
    page.goto(f"{server.url}/cameras/{NODE}/{CAMERA}/teach")
    assert page.locator("[data-take]:visible").count() == 0
    page.click("[data-look]")
    page.wait_for_selector("text=Live picture, taken just now.")
    for count in (1, 2):
        page.click("[data-take='files.1']")
        page.wait_for_selector(f"text={count} taken")
    names = "one => Array.from(one.files, file => file.type)"
    assert page.eval_on_selector("[name='files.1']", names) == ["image/jpeg"] * 2


def fingered(page: playwright.Page) -> None:
    """Draw on a phone: a finger moves a shape and not the page below it."""
    points, canvas = page.locator("[name='points.0']"), page.locator("[data-canvas]")
    before = points.input_value()
    hand = page.context.new_cdp_session(page)
    for _ in range(20):  # while the picture still comes, the shape is not yet where it will be
        canvas.scroll_into_view_if_needed()
        box, scrolled = canvas.bounding_box(), page.evaluate("scrollY")
        assert box is not None
        x, y = box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.75
        for kind, by in (("Start", 0), ("Move", -8), ("Move", -16), ("Move", -24), ("End", 0)):
            at = [{"x": x, "y": y + by}] if kind != "End" else []
            hand.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})
        page.wait_for_timeout(100)
        if points.input_value() != before:
            break
    assert points.input_value() != before
    assert page.evaluate("scrollY") == scrolled
    corner = page.locator(".corner").first.bounding_box()
    assert corner is not None
    assert min(corner["width"], corner["height"]) >= 44
    page.tap("[data-undo]")
    until(page, "was => document.querySelector(\"[name='points.0']\").value === was", before)


def typed(page: playwright.Page, server: Served) -> None:
    page.fill(
        "noscript [data-row=mask] [data-points], [data-row=mask] [data-points]", "0 0, 9 0, 9 9"
    )
    page.click("text=Save and send to the edge")
    page.wait_for_selector("text=Saved.")
    assert kept(server).mask == ({"points": [[0, 0], [0.09, 0], [0.09, 0.09]]},)
