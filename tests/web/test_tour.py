"""The guided tour and the page of drills: what they teach, and that they touch nothing real."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import ADMIN, CAMERA, NODE, NOON, PASSWORDS, STAFF, Folder
from served import served

from dashboards.web import mount
from ingest.app import create_app
from ingest.services.tour import MOST, TourService, begun, taken
from ingest.store.engine import reading
from ingest.store.incidents import incident

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("LINLI_SHOTS")
SIZES = (
    ((390, 844, "zh-CN"), (1366, 768, "en-US")),
    pytest.param(((1920, 1080, "zh-CN"), (390, 844, "en-US")), marks=pytest.mark.full),
)
Sizes = tuple[tuple[int, int, str], ...]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@contextmanager
def visited(folder: Folder) -> Iterator[TestClient]:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        yield client


def test_only_the_right_step_leads_on() -> None:
    tour = begun(STAFF, NOON)
    assert tour.incident.label == "drill"
    assert all(row.page != "call" for row in tour.rows)
    wrong = taken(tour, "resolve", STAFF, NOON)
    assert (wrong.lesson, wrong.wrong, wrong.tries) == ("acknowledge", "resolve", 1)
    assert wrong.incident.state == "open"
    seen = taken(wrong, "acknowledge", STAFF, NOON + timedelta(seconds=7))
    assert (seen.lesson, seen.wrong) == ("assign", None)
    assert taken(seen, "assign", STAFF, NOON).lesson == "assign"  # to nobody
    given = taken(seen, "assign", STAFF, NOON, "1")
    over = taken(given, "resolve", STAFF, NOON)
    assert (over.lesson, over.incident.state, len(over.done)) == (None, "resolved", 3)
    assert taken(over, "resolve", STAFF, NOON) == over


def test_tours_are_bounded_and_those_dropped_are_counted() -> None:
    tours = TourService()
    for number in range(MOST + 3):
        tours.begin(STAFF.__class__(account=f"a{number}", name="x", role="duty"), NOON)
    assert tours.dropped == 3
    assert tours.get(ADMIN) is None


def test_a_worker_learns_it_alone_and_nothing_real_is_touched(folder: Folder) -> None:
    with visited(folder) as client:
        client.headers["accept-language"] = "en"

        def do(path: str, **fields: str) -> str:
            page = client.get("/tour").text
            token = page.split('name="csrf_token" value="')[1].split('"')[0]
            done = client.post(path, data={"csrf_token": token, **fields}, follow_redirects=True)
            assert done.status_code == 200
            return done.text

        client.post(
            "/login",
            data={"name": "wang", "password": PASSWORDS["wang"][1]},
            follow_redirects=False,
        )
        assert "Only you see it" in client.get("/tour").text
        assert "Acknowledge" in do("/tour/begin")
        assert "Not this one now" in do("/tour/false-alarm")
        assert "Give it to somebody" in do("/tour/acknowledge")
        assert "Trainee Li" in do("/tour/assign", to="1")
        assert "Well done" in do("/tour/resolve")
        assert "1 time" in client.get("/tour").text
        services = client.app.state.services  # type: ignore[attr-defined]
        assert services.tours.get(ADMIN) is None
        with reading(folder.reader("state")) as connection:
            assert connection.execute(incident.select()).all() == []
        client.cookies.clear()
        client.post(
            "/login",
            data={"name": "guest", "password": PASSWORDS["guest"][1]},
            follow_redirects=False,
        )
        assert client.get("/tour").status_code == 403


def test_drills_are_begun_and_ended_on_their_page(folder: Folder) -> None:
    with visited(folder) as client:
        client.headers["accept-language"] = "en"
        client.post(
            "/login",
            data={"name": "boss", "password": PASSWORDS["boss"][1]},
            follow_redirects=False,
        )
        page = client.get("/settings/drills").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"csrf_token": token, "place": f"{NODE}/{CAMERA}", "event": "smoke"}
        shown = client.post("/settings/drills", data=form, follow_redirects=True).text
        assert "Drill: Smoke alarm" in shown
        services = client.app.state.services  # type: ignore[attr-defined]
        (one,) = services.drills.list(ADMIN)
        assert one.policy.quiet
        for path in ("/", "/m", f"/m/{one.id}", f"/incidents/{one.id}", "/incidents"):
            assert "Drill: Smoke alarm" in client.get(path).text, path
        assert "It was real" not in client.get(f"/incidents/{one.id}").text
        form = {"csrf_token": token}
        client.post(f"/settings/drills/{one.id}/end", data=form, follow_redirects=True)
        assert services.drills.list(ADMIN) == ()
        nothing = client.get("/settings/drills", params={"q": "nowhere", "page": "7"}).text
        assert "No device fits" in nothing
        assert "<select" not in nothing
        assert f"{NODE}/{CAMERA}" in client.get("/settings/drills", params={"q": CAMERA}).text
        bad = {"csrf_token": token, "place": "x/y", "event": "smoke"}
        assert client.post("/settings/drills", data=bad).status_code == 404


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium")
@pytest.mark.parametrize("sizes", SIZES, ids=("usual", "others"))
def test_the_tour_is_walked_on_desk_and_phone(folder: Folder, sizes: Sizes) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with (
        visited(folder) as client,
        served(client.app) as server,  # type: ignore[arg-type]  # TestClient's is wider
        playwright.sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{server.url}/login?next=/tour")
        page.fill("input[name=name]", "boss")
        page.fill("input[name=password]", PASSWORDS["boss"][1])
        page.click("main button[type=submit]")
        for width, height, language in sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{server.url}/tour?lang={language[:5]}")
            page.click("form[action$='/begin'] button")
            page.goto(f"{server.url}/tour?lang={language if language == 'zh-CN' else 'en'}")
            shot(page, f"tour-1-{width}-{language}")
            page.click("form[action$='/acknowledge'] button")
            page.select_option("select[name=to]", index=1)
            page.click("form[action$='/assign'] button")
            page.click("form[action$='/resolve'] button")
            page.goto(f"{server.url}/tour?lang={language if language == 'zh-CN' else 'en'}")
            assert page.locator(".tour-done").count() == 3
            shot(page, f"tour-end-{width}-{language}")
            page.goto(
                f"{server.url}/settings/drills?lang={language if language == 'zh-CN' else 'en'}"
            )
            shot(page, f"drills-{width}-{language}")
        browser.close()


def shot(page: object, name: str) -> None:
    wide = page.locator("html").bounding_box()  # type: ignore[attr-defined]
    assert wide["width"] <= page.viewport_size["width"], name  # type: ignore[attr-defined]
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)  # type: ignore[attr-defined]
