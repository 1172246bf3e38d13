"""Whatever takes a file takes the files of real phones, on pages and over REST."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from browsing import until
from fastapi import FastAPI
from fastapi.testclient import TestClient
from handed_in import put_headers
from house import ADMIN, AREA, CAMERA, NODE, NOON, PASSWORDS, SITE, STAFF, Folder
from ledger import Ledger, event
from PIL import Image
from served import served

from dashboards.web import mount
from ingest.api.middleware import MOST_BODY, most_of
from ingest.app import create_app
from ingest.evidence.picture import PHOTO_BYTES
from ingest.services.registry import NOTHING_YET
from ingest.store.engine import writing
from ingest.store.registry import team

CHROMIUM = Path("/usr/bin/chromium")
TEMPLATES = Path(__file__).parents[2] / "dashboards/web/templates"
EXAMPLE = Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json"
TEACH = f"/cameras/{NODE}/{CAMERA}/teach"
LOGIN = {"name": "boss", "password": PASSWORDS["boss"][1]}
PLAN = "0197a5c0-0000-7000-8000-000000000001"
FIELDS = {
    "parts/incident.html": "/incidents/one/note",
    "parts/order.html": "/orders/one/done",
    "teach.html": TEACH,
    "floor_new.html": "/floor-plans/new",
    "floor_arrange.html": "/floor-plans/new",
    "registry_import.html": "/registry/import",
    "roster.html": "/settings/rosters/night/import",
}
"""Templates with a field for files, and where their forms lead."""
SHEETS = {
    "/api/v1/registry/import": "at most 2 MiB",
    "/api/v1/duty/rosters/{name}/import": "at most 2 MiB",
    "/api/v1/live/{device}": "a small live picture",
}
"""What takes bytes over REST, but never more than any request."""


@cache
def photograph(seed: int = 0) -> bytes:
    """Return what a phone takes of something with much detail: between 3 and 4 MB."""
    noise = random.Random(seed).randbytes(2000 * 1500 * 3)
    out = BytesIO()
    Image.frombytes("RGB", (2000, 1500), noise).save(out, "JPEG", quality=95)
    assert 3_000_000 < out.tell() < 4_000_000
    return out.getvalue()


@dataclass(frozen=True)
class House:
    """A data folder with an incident in it, and the application over it."""

    folder: Folder
    app: FastAPI
    incident: str


def said(page: str) -> str:
    """Return what a page says without its frame."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page.partition("<main")[2]))[:600]


class Web:
    """The pages and the REST interface, and an administrator signed in."""

    def __init__(self, house: House, client: TestClient) -> None:
        self.client, self.incident = client, house.incident
        client.post("/login", data=LOGIN, follow_redirects=False)
        page = client.get("/settings/password").text
        found = re.search(r'<meta name="csrf" content="([^"]+)">', page)
        assert found is not None
        self.token = found[1]

    def post(self, path: str, files: Any, **form: str) -> tuple[int, str]:
        answer = self.client.post(path, data={"csrf_token": self.token, **form}, files=files)
        return answer.status_code, answer.text

    def put(self, path: str, **more: Any) -> int:
        headers = {"X-CSRF-Token": self.token, "Content-Type": "image/jpeg"}
        answer = self.client.put(f"/api/v1{path}", content=photograph(), headers=headers, **more)
        return answer.status_code

    def order(self) -> str:
        """Have who is signed in accept an order; return its id."""
        form = {"csrf_token": self.token, "assignee": "boss"}
        page = self.client.post(f"/incidents/{self.incident}/order", data=form).text
        found = re.search(r"/orders/([^/]+)/accept", page)
        assert found is not None
        self.client.post(found[0], data={"csrf_token": self.token})
        return found[1]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    folder = Folder(tmp_path)
    with writing(folder.state) as connection:
        connection.execute(team.insert(), {"team": "night", "label": "夜班"})
    made, _ = Ledger(folder.state).tell(event(node=NODE, device=CAMERA))
    app = create_app(folder.settings, clock=folder.clock)
    site, services = folder.settings.site, app.state.services
    mount(app, services, site=site.label, zone=site.timezone, clock=folder.clock)
    given = {"why": "first", "document": json.loads(EXAMPLE.read_text())}
    services.configs.put(ADMIN, NODE, given, seen=NOTHING_YET, now=NOON)
    yield House(folder, app, made.id)
    folder.close()


@pytest.fixture
def web(house: House) -> Iterator[Web]:
    with TestClient(house.app, base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        yield Web(house, client)


def test_whatever_has_a_field_for_files_takes_a_photograph() -> None:
    pages = {
        str(one.relative_to(TEMPLATES))
        for one in TEMPLATES.rglob("*.html")
        if 'type="file"' in one.read_text()
    }
    assert pages == set(FIELDS), "a new form with a file: say here where it leads, and upload below"
    for path in FIELDS.values():
        assert most_of(path) > PHOTO_BYTES, path
        assert most_of(f"/estate{path}") > PHOTO_BYTES, path
        assert most_of(f"{path}/more") == MOST_BODY, path
    assert most_of("/api/v1/registry/import") == MOST_BODY


def test_whatever_takes_bytes_over_rest_takes_a_photograph(web: Web) -> None:
    paths = web.client.get("/api/v1/openapi.json").json()["paths"]
    binary = {
        path: most_of(path)
        for path, methods in paths.items()
        for one in methods.values()
        if '"format": "binary"' in json.dumps(one.get("requestBody", {}))
    }
    assert len(binary) > len(SHEETS) + 3
    assert {path for path, most in binary.items() if most <= PHOTO_BYTES} == set(SHEETS)


def test_photographs_with_notes_and_orders(web: Web) -> None:
    files = {"photo": ("a.jpg", photograph(), "image/jpeg")}
    status, page = web.post(f"/incidents/{web.incident}/note", files, words="the door stands open")
    assert (status, page.count("/pictures/") > 0) == (200, True), said(page)
    status, page = web.post(f"/orders/{web.order()}/done", files, words="shut again")
    assert (status, "/picture" in page) == (200, True), said(page)
    assert web.put(f"/incidents/{web.incident}/photo") == 201


def test_a_photograph_of_a_drawing(web: Web) -> None:
    form = {"place": f"{SITE}/{AREA}", "label": "1", "plan": PLAN}
    files = {"file": ("plan.jpg", photograph())}
    status, page = web.post("/floor-plans/new", files, **form)
    assert (status, "Put it in the middle" in page) == (200, True), said(page)
    assert web.put(f"/floor-plans/{PLAN}", params={"place": form["place"], "label": "1"}) == 200
    huge = {"file": ("plan.jpg", photograph() * 3)}
    status, page = web.post("/floor-plans/new", huge, **form)
    assert (status, "at most 8 MB" in page) == (200, True), said(page)


def test_six_photographs_teach(web: Web) -> None:
    form = {"name": "bin-3", "points.0": "20 20, 80 20, 80 80, 20 80"}
    files = [
        (f"files.{seed % 2}", (f"{seed}.jpg", photograph(seed), "image/jpeg")) for seed in range(6)
    ]
    assert sum(len(one[1][1]) for one in files) > PHOTO_BYTES
    states = {"state.0": "empty", "state.1": "full"}
    status, page = web.post(TEACH, files, **form, **states)
    assert (status, "What was learned of bin-3" in page) == (200, True), said(page)


@pytest.mark.parametrize(
    ("path", "code"), [("/registry/import", 200), ("/settings/rosters/night/import", 422)]
)
def test_a_list_that_is_too_large_is_said_on_the_page(web: Web, path: str, code: int) -> None:
    status, page = web.post(path, {"file": ("list.csv", b"id,label\n" + b"x" * 3_000_000)})
    assert (status, "too large; cut it in two" in page) == (code, True), said(page)


def test_who_takes_the_pictures_of_nodes_measures_them_itself(web: Web) -> None:
    # A sealed one is a little larger than the picture, which may itself be as large as a request.
    data = b"\0" * (MOST_BODY + 100)
    answer = web.client.put(f"/api/v1/evidence/{PLAN}", content=data, headers=put_headers(data))
    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        f"a picture has at most {MOST_BODY} bytes",
    )


def in_a_browser(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test where there is a browser."""
    why = "no Chromium here: apt-get install chromium"
    return pytest.mark.browser(pytest.mark.skipif(not CHROMIUM.exists(), reason=why)(test))


@contextmanager
def phone(house: House) -> Iterator[Any]:
    """Open the incident on a phone, with the form of a note unfolded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with served(house.app) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844}, locale="zh-CN")
        page.set_default_timeout(60_000)
        page.goto(f"{server.url}/login?next=/incidents/{house.incident}")
        page.fill("input[name=name]", LOGIN["name"])
        page.fill("input[name=password]", LOGIN["password"])
        page.click("main button[type=submit]")
        page.click(".note-form summary")
        page.wait_for_selector("html[data-connection=up]")
        yield page
        browser.close()


@in_a_browser
def test_a_photograph_is_chosen_on_a_phone(house: House, tmp_path: Path) -> None:
    chosen = tmp_path / "IMG_0001.jpg"
    chosen.write_bytes(photograph())
    with phone(house) as page:
        page.fill(".note-form textarea", "门开着")
        page.set_input_files(".note-form input[type=file]", chosen)
        page.click(".note-form button[type=submit]")
        page.wait_for_selector(".history .shot img")
        assert "门开着" in page.inner_text(".history")
        assert page.locator("[data-trouble]").is_hidden()
        shown = page.locator(".history .shot img")
        shown.scroll_into_view_if_needed()
        until(page, "document.querySelector('.history .shot img').naturalWidth > 0")
        until(page, "!document.querySelector('.note-form details').open")
        assert page.locator(".note-form textarea").input_value() == "", "it was sent"
        assert page.evaluate("document.querySelector('.note-form [type=file]').files.length") == 0


@in_a_browser
def test_what_others_do_leaves_a_half_written_note(house: House, tmp_path: Path) -> None:
    chosen, others = tmp_path / "IMG_0001.jpg", house.app.state.services
    chosen.write_bytes(photograph())
    with phone(house) as page:
        page.set_input_files(".note-form input[type=file]", chosen)
        page.click(".note-form textarea")
        page.keyboard.type("half ")
        now = house.folder.clock.now()
        others.notes.write(STAFF, house.incident, now, "somebody else's note")
        others.incidents.acknowledge(STAFF, house.incident, now)
        page.wait_for_selector(".history >> text=somebody else's note")
        page.wait_for_selector(".chip-state >> text=已确认")
        page.keyboard.type("written")
        assert page.locator(".note-form textarea").input_value() == "half written"
        page.click(".note-form button[type=submit]")
        page.wait_for_selector(".history .shot img")
        assert "half written" in page.inner_text(".history")
