"""Places and devices in a real browser: a plan is arranged by drag and keys, a chart is read."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from house import ADMIN, AREA, CAMERA, NODE, NOON, PASSWORDS, SITE, Folder
from PIL import Image
from served import Served

from dashboards.web import mount
from ingest.app import create_app
from ingest.floors.book import Marker
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.timeseries import Sample, SeriesKey, to_millis
from linli.ids import uuid7

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
    ),
]
PLAN, PLACE = uuid7(NOON), f"{SITE}/{AREA}"
DEVICE = f"/devices/{NODE}/{CAMERA}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    folder = Folder(tmp_path)
    key = SeriesKey(
        site=SITE, node=NODE, device=CAMERA, group="sensor", name="temperature", unit="Cel"
    )
    now = to_millis(NOON)
    kept = [Sample(key=key, time=now - minute * 60_000, value=21.0) for minute in range(10, 600, 5)]
    EmbeddedTimeseries(folder.reader("series"), folder.series).write(kept, 1)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    config = uvicorn.Config
    monkeypatch.setattr(
        uvicorn, "Config", lambda app, **more: config(app, **{**more, "lifespan": "on"})
    )
    out = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(out, "PNG")
    running = Served(app)
    running.start()
    floors = app.state.services.floors
    floors.put(ADMIN, PLAN, out.getvalue(), NOON, place=PLACE, label="1 层")
    floors.mark(ADMIN, PLAN, Marker(node=NODE, device=CAMERA, x=0.5, y=0.5), NOON)
    yield running
    running.stop()
    folder.close()


def test_a_plan_is_arranged_and_a_chart_is_read(server: Served) -> None:
    services, troubles = server.app.state.services, list[str]()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("console", lambda one: troubles.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: troubles.append(str(one)))
        page.goto(f"{server.url}/login")
        page.fill("input[name=name]", "boss")
        page.fill("input[name=password]", PASSWORDS["boss"][1])
        page.click("main button[type=submit]")
        page.wait_for_selector("nav.tabs")

        page.goto(f"{server.url}/floor-plans/{PLAN}?arrange=1")
        drawing = page.locator(".marks").bounding_box()
        assert drawing is not None
        page.mouse.move(drawing["x"] + drawing["width"] / 2, drawing["y"] + drawing["height"] / 2)
        page.mouse.down()
        page.mouse.move(drawing["x"] + drawing["width"] / 4, drawing["y"] + drawing["height"] / 5)
        page.mouse.up()
        page.wait_for_selector("text=1 号电梯: Saved")
        (moved,) = services.floors.get(ADMIN, PLAN).markers
        assert (round(moved.x, 2), round(moved.y, 2)) == (0.25, 0.2)
        assert page.input_value("input[name=left] >> nth=-1") == f"{moved.x * 100:g}"
        page.evaluate("document.querySelector('[data-said]').textContent = ''")
        page.focus(".mark")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowDown")
        page.wait_for_selector("text=1 号电梯: Saved")
        (again,) = services.floors.get(ADMIN, PLAN).markers
        assert (round(again.x - moved.x, 3), round(again.y - moved.y, 3)) == (0.005, 0.05)

        page.goto(f"{server.url}/floor-plans/{PLAN}")
        page.wait_for_selector("html[data-connection=up]")
        services.floors.mark(ADMIN, PLAN, Marker(node=NODE, device=CAMERA, x=0.9, y=0.9), NOON)
        page.wait_for_selector('.mark[x="90%"]', state="attached")
        page.click(".mark a")
        page.wait_for_url(re.compile(re.escape(DEVICE)))
        page.hover(".chart svg", position={"x": 200, "y": 60})
        page.wait_for_selector("[data-said] >> text=21 °C")

        plan = f"/floor-plans/{PLAN}"
        for path in ("/registry", f"/registry?place={PLACE}", "/devices", DEVICE, plan):
            page.goto(f"{server.url}{path}")
            for width in (390, 1920):
                page.set_viewport_size({"width": width, "height": 900})
                wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert wide <= 0, (path, width)
        context.close()
        browser.close()
    assert troubles == []
