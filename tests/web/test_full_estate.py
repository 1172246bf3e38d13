"""Every page of a large estate costs a bounded amount: 5,000 incidents, 2,000 devices, 400 boxes.

Not by the clock, which other work moves: by queries, by steps of SQLite and by bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from arranging import sign_in
from fastapi import FastAPI
from fastapi.testclient import TestClient
from full_estate import BOXES, BUILDINGS, fill
from house import ADMIN, NOON, PASSWORDS, Folder
from msgspec.structs import replace
from served import served
from starlette.routing import Mount

from dashboards.web import mount
from dashboards.web.live import View, mark
from dashboards.web.live_pages import renderer
from ingest.app import create_app

DEVICES, WAITING = 2_000, 5_000
MOST = (30, 200, 150)
"""Queries, thousands of steps of SQLite, kilobytes: of pages that tell of single things."""
MORE = {
    "/report": (30, 300, 150),
    "/trends": (30, 600, 150),
    "/registry": (30, 250, 150),
    "/registry?q=u1": (30, 250, 150),
}
"""Those that sum up weeks, or count what stands in places."""
CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("LINLI_SHOTS")
ENDLESS = {"/live", "/wall/live"}
LISTS = (
    "/api/v1/incidents?limit=100",
    "/api/v1/incidents?state=resolved&limit=100",
    "/api/v1/devices?limit=100",
    "/api/v1/registry/devices?limit=100",
    "/api/v1/events?limit=100",
    "/incidents?group=handled",
    "/incidents?group=resolved",
    "/devices?q=d19&page=2",
    "/devices?boxes=9",
    "/api/v1/nodes?limit=100",
    "/cameras?q=d19",
    "/settings/drills?q=d19&page=2",
    "/registry?q=u1",
)


class Meter:
    """Counts what an answer asks of the databases; `steps` in thousands of SQLite's."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.steps = 0

    def clear(self) -> None:
        self.queries, self.steps = [], 0

    def query(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        self.queries.append(statement)

    def opened(self, connection: Any, _: Any) -> None:
        if hasattr(connection, "set_progress_handler"):
            connection.set_progress_handler(self.step, 1000)

    def step(self) -> int:
        self.steps += 1
        return 0


@contextmanager
def metered() -> Iterator[Meter]:
    meter = Meter()
    heard = (("before_cursor_execute", meter.query), ("connect", meter.opened))
    for name, hears in heard:
        sa.event.listen(sa.Engine, name, hears)
    yield meter
    for name, hears in heard:
        sa.event.remove(sa.Engine, name, hears)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    made = Folder(tmp_path_factory.mktemp("estate"))
    fill(made, devices=DEVICES, still_open=WAITING)
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(folder: Folder) -> FastAPI:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    return app


def pages(app: FastAPI) -> list[str]:
    """Return the addresses of all pages that name nothing."""
    (mounted,) = (one.app for one in app.routes if isinstance(one, Mount) and one.name == "pages")
    found = {
        one.path
        for router in mounted.routes
        for one in getattr(router, "original_router", mounted).routes
        if "GET" in (getattr(one, "methods", None) or ())
    }
    return sorted(one for one in found - ENDLESS if "{" not in one)


def test_every_list_is_bounded(app: FastAPI) -> None:
    # Without its lifespan, so that no consumer's queries are counted along.
    with metered() as meter:
        client = TestClient(app, base_url="http://linli.test")
        client.headers["accept-language"] = "en"
        sign_in(client, "boss")
        over = {}
        for path in [*pages(app), *LISTS]:
            client.get(path)  # what is read once only
            meter.clear()
            answer = client.get(path)
            assert answer.status_code < 500, path
            cost = (len(meter.queries), meter.steps, len(answer.content) / 1000)
            if any(one > most for one, most in zip(cost, MORE.get(path, MOST), strict=True)):
                over[path] = cost
    assert over == {}, f"more than {MOST} queries, thousands of steps of SQLite, kilobytes"


def test_what_is_open_is_counted_where_its_device_stands(app: FastAPI) -> None:
    incidents = app.state.services.incidents
    everywhere = incidents.unresolved_by_place(ADMIN)
    assert sum(everywhere.values()) == WAITING
    assert all(place.count("/") == 1 for place in everywhere), "each device has its own place"
    limited = incidents.unresolved_by_place(replace(ADMIN, areas=frozenset({"f00"})))
    boxes = {f"n{number:03}" for number in range(0, BOXES, BUILDINGS)}
    assert {place.partition("/")[0] for place in limited} == boxes


@pytest.mark.parametrize(
    ("path", "name", "subject"),
    [("/", "desk", ""), ("/incidents", "incidents", "waiting"), ("/devices", "devices", "")],
)
def test_a_stream_has_nothing_new_for_a_page_just_made(
    app: FastAPI, path: str, name: str, subject: str
) -> None:
    client = TestClient(app, base_url="http://linli.test")
    client.headers["accept-language"] = "en"
    sign_in(client, "boss")
    made = re.search(rf"&amp;have={name}:(\w+)", client.get(path).text)
    assert made is not None
    house = app.state.services
    (desk,) = (one.app.state.house.desk for one in app.routes if isinstance(one, Mount))
    view = View(name, subject, "admin", "en", "", frozenset())
    assert mark(renderer(desk)(view, ADMIN)[name]) == made[1]
    first = house.incidents.list(ADMIN, states=("open",), limit=1).items[0]
    house.incidents.acknowledge(ADMIN, first.id, NOON)
    assert (mark(renderer(desk)(view, ADMIN)[name]) == made[1]) == (name == "devices")


@pytest.mark.full
@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium")
def test_the_desk_is_usable(app: FastAPI, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with served(app) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
        page.set_default_timeout(60_000)
        page.goto(f"{server.url}/login")
        page.fill("input[name=name]", "boss")
        page.fill("input[name=password]", PASSWORDS["boss"][1])
        page.click("main button[type=submit]")

        def shows(what: str, number: int = 1) -> None:
            playwright.expect(page.locator(what)).to_have_count(number, timeout=60_000)

        shows(".group-waiting .card", 30)
        waiting = int(page.get_attribute("section[data-open-count]", "data-open-count"))
        assert waiting > WAITING - 10
        page.wait_for_load_state()  # until then nobody listens to keys
        page.keyboard.press("j")
        page.keyboard.press("j")
        focused = page.evaluate("document.activeElement.closest('.card').dataset.key")
        page.keyboard.press("a")
        shows(f'section[data-open-count="{waiting - 1}"]')
        shows(f'.group-handled [data-key="{focused}"]')
        shows(".group-waiting .card", 30)
        page.click(".group-waiting .more a")
        shows("[sse-swap=incidents] .card", 0)
        shows(".card", 30)
        page.goto(f"{server.url}/devices")
        page.fill("input[name=q]", "d1999")
        page.keyboard.press("Enter")
        shows(".unit")
        page.goto(f"{server.url}/cameras?page=2")
        page.get_by_role("link", name="Next page").click()
        shows("text=Page 3 of 14")
        page.screenshot(path=str(Path(SHOTS or tmp_path) / "full-estate-cameras.png"))
        browser.close()
