"""Every page in a real browser: for eyes, for keyboards and screen readers, and for the network."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from itertools import product
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from by_keys import walked
from community import lived
from community_edges import node_of
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from house import SITE, Folder, jpeg
from msgspec.structs import replace
from served import Served, served
from starlette.routing import Mount

from dashboards.web import mount
from ingest.accounts import book as accounts
from ingest.accounts.account import Viewer
from ingest.api.visitor import COOKIE
from ingest.app import create_app
from ingest.duty.book import ONLY, Kind
from ingest.floors.book import Marker
from ingest.incidents.silence import Matchers
from ingest.notify.links import LinkKey, PersonalLinks
from ingest.repairs import book as repairs
from ingest.repairs.finding import Finding, settled
from ingest.services import Services
from ingest.services.registry import NOTHING_YET
from ingest.settings import IngestSettings
from ingest.store.engine import writing
from ingest.store.registry import person, team

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
axe_core = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python"
)
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
    ),
]
SIZES = {"phone": (390, 844), "laptop": (1366, 768), "wide": (1920, 1080)}
LANGUAGES = {"zh": "zh-CN", "en": "en"}
SCHEMES = ("light", "dark")
LOOKS = list(product(SIZES, LANGUAGES, SCHEMES))
WALKED = {("phone", "zh", "dark"), ("laptop", "en", "light")}
STEP = 5  # a stranger to the number of looks: neighbours in the list differ in everything
SERIOUS = {"serious", "critical"}
WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
BY_KEYS = {"/", "/incidents/{incident}", "/m", "/m/{incident}", "/tour", "/duty", "/settings"}
"""Walked by the Tab key in the short run; the long one walks every page."""
SHOTS = os.environ.get("LINLI_SHOTS")
"""Where the short run keeps its pictures, too; the long one keeps all looks, in artifacts/pages."""
NOT_PAGES = {
    "/live": "a stream",
    "/wall/live": "a stream",
    "/wall/open/{code}": "for a screen alone: below",
    "/push-worker.js": "a script",
    "/report/{week}.csv": "a list",
    "/settings/calls/new": "leads on to the form of a ladder",
    "/manifest.webmanifest": "what a phone installs",
    "/incidents/{incident}/picture": "a picture",
    "/incidents/{incident}/pictures/{picture}": "a picture",
    "/orders/{order}/picture": "a picture",
    "/i/{token}/picture": "a picture",
    "/i/{token}": "has no session: below",
    "/login": "nobody signed in needs it: below",
}
NO_LINK = {
    "/wall": "a screen opens it by its address",
    f"/floor-plans/new?place={SITE}/b01": "from the page of its place",
}
EXAMPLE = Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json"
NEVER = re.compile(r"\.(css|js|svg|png|jpg|csv|xlsx|ics|json|webmanifest)$")
MOST = 400
PREFIX = "/estate"
ADDRESS = re.compile(r'\s((?!value=|data-v=)[a-z-]+)="([^"]*)"')
"""Attributes that lead somewhere: not what a form sends, nor what a part of a page is known by."""


@dataclass(frozen=True)
class There:
    """A served community, its pages' routes, and the cookie of somebody who may do everything."""

    server: Served
    routes: dict[str, re.Pattern[str]]
    cookie: str
    app: FastAPI
    """The same behind a prefix."""
    strangers: tuple[tuple[str, str, int], ...]
    """Pages that need nobody to sign in, or that refuse: address, cookie, and status."""

    def route(self, path: str) -> str | None:
        """Return the first route that an address leads to, as the server chooses."""
        return next((name for name, one in self.routes.items() if one.match(path)), None)


def page_routes(app: FastAPI) -> dict[str, re.Pattern[str]]:
    (pages,) = (one.app for one in app.routes if isinstance(one, Mount) and one.name == "pages")
    assert isinstance(pages, FastAPI)
    found = {
        one.path: one.path_regex
        for router in pages.routes
        for one in getattr(router, "original_router", pages).routes
        if isinstance(one, APIRoute) and "GET" in (one.methods or ())
    }
    assert len(found) > len(NOT_PAGES) + 10
    return found


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    with lived(tmp_path_factory.mktemp("pages")) as community:
        folder = community.folder
        app, now = pages(folder, folder.settings), folder.clock.now()
        services = app.state.services
        with writing(folder.state) as connection:
            accounts.add_account(connection, "站长", "admin", now, "a long password of a test")
            (account,) = (one for one in accounts.accounts(connection) if one.name == "站长")
            connection.execute(team.insert(), {"team": "night", "label": "夜班"})
            someone = {"person": "li", "label": "李静", "role": "duty", "team": "night"}
            connection.execute(person.insert(), someone)
            cookie, session = accounts.open_session(connection, account, now)
            accounts.add_account(connection, "客人", "street", now, "a long password of a test")
            (guest,) = (one for one in accounts.accounts(connection) if one.name == "客人")
            looks, _ = accounts.open_session(connection, guest, now)
            ill = Finding(code="disk-low", level="bad", what="0.1 GB are free", do="Make room")
            old = Finding(code="notify-dead", level="warning", what="2 were given up")
            repairs.write(connection, settled((ill, old), {}, now), now)
        furnish(services, session.viewer, now)
        key, waiting = LinkKey(folder.path), services.incidents.list(session.viewer).items
        token = PersonalLinks("http://linli.test", key).token(waiting[0].id, "person:li", now)
        screen = services.access.add_screen(session.viewer, "门岗", now)
        strangers = (
            ("/login", "", 200),
            ("/login?next=/devices", "", 200),
            (f"/i/{token}", "", 200),
            ("/i/none", "", 404),
            (f"/wall/open/{screen.secret}", "", 200),
            ("/nothing-here", "", 404),
            ("/nothing-here", cookie, 404),
            ("/incidents/none", cookie, 404),
            ("/settings/access", looks, 403),
        )
        below = replace(folder.settings, http=replace(folder.settings.http, path_prefix=PREFIX))
        with served(app) as server:
            yield There(server, page_routes(app), cookie, pages(folder, below), strangers)


def pages(folder: Folder, settings: IngestSettings) -> FastAPI:
    """Return the application of a folder with its pages."""
    app = create_app(settings, clock=folder.clock)
    site = settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    return app


def furnish(services: Services, viewer: Viewer, now: datetime) -> None:
    """Add what the community does not have by itself: a plan on a wall, a silence."""
    plan = "0197a5c0-0000-7000-8000-000000000001"
    services.floors.put(viewer, plan, jpeg((640, 480)), now, place=f"{SITE}/b01", label="一层")
    services.floors.mark(
        viewer, plan, Marker(node=node_of("b01"), device="cam-e1", x=0.4, y=0.6), now
    )
    document = json.loads(EXAMPLE.read_text())
    document["camera"][0]["id"] = "cam-e1"
    given = {"why": "first", "document": document}
    services.configs.put(viewer, node_of("b01"), given, seen=NOTHING_YET, now=now)
    route, shift = {"team": "night"}, {"begin": "20:00", "end": "08:00", "people": ["li"]}
    papers: tuple[tuple[Kind, str, dict[str, object]], ...] = (
        ("routes", ONLY, {"routes": [route]}),
        ("roster", "night", {"shifts": [shift]}),
        ("channel", "city", {"type": "mail", "host": "mail.test", "sender": "a@linli.test"}),
    )
    for kind, name, paper in papers:
        services.duty.put(viewer, kind, name, paper, seen=NOTHING_YET, now=now)
    services.silences.add(
        viewer, Matchers(areas=("b02",)), ends=now + timedelta(hours=2), why="检修", now=now
    )


@pytest.fixture(scope="module")
def page(there: There) -> Iterator[playwright.Page]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(30_000)
        context.add_cookies([{"name": COOKIE, "value": there.cookie, "url": there.server.url}])
        yield context.new_page()
        browser.close()


@pytest.mark.timeout(900)
def test_every_page_is_reached_by_links_and_good_for_all(
    there: There, page: playwright.Page
) -> None:
    troubles: list[str] = []
    where = "/"

    def heard(one: playwright.ConsoleMessage) -> None:
        if one.type == "error":
            troubles.append(f"{where}: console: {one.text}")

    def asked(one: playwright.Request) -> None:
        if not one.url.startswith((there.server.url, "data:", "blob:")):
            troubles.append(f"{where}: asks {one.url}")

    page.on("console", heard)
    page.on("pageerror", lambda one: troubles.append(f"{where}: {one}"))
    page.on("request", asked)
    seen, ahead = set(NOT_PAGES), ["/", *NO_LINK]
    while ahead:
        where = ahead.pop(0)
        route = there.route(urlsplit(where).path)
        if route is None or route in seen:
            continue
        look = LOOKS[(len(seen) * STEP) % len(LOOKS)]
        wrong = looked_at(there, page, where, route, look, Path(SHOTS) if SHOTS else None)
        troubles += [f"{where} {look}: {one}" for one in wrong]
        if route in BY_KEYS:
            troubles += [f"{where} {look}: {one}" for one in walked(page)]
        seen.add(route)
        ahead += links(page, there.server.url)
    troubles += [f"{one}: no link leads there" for one in sorted(set(there.routes) - seen)]
    assert troubles == [], "\n".join(["", *troubles])


def test_pages_for_strangers_and_refusals_are_good_for_all(
    there: There, page: playwright.Page
) -> None:
    troubles: list[str] = []
    context = page.context
    for number, (where, cookie, status) in enumerate(there.strangers):
        context.clear_cookies()
        if cookie:
            context.add_cookies([{"name": COOKIE, "value": cookie, "url": there.server.url}])
        look = LOOKS[(number * STEP) % len(LOOKS)]
        shots = Path(SHOTS) if SHOTS else None
        name = f"stranger-{number}"
        wrong = looked_at(there, page, where, name, look, shots, status=status)
        if not page.locator("[autofocus]").count():  # the Tab key begins there, not on top
            wrong += walked(page)
        troubles += [f"{where} {look}: {one}" for one in wrong]
    context.clear_cookies()
    context.add_cookies([{"name": COOKIE, "value": there.cookie, "url": there.server.url}])
    assert troubles == [], "\n".join(["", *troubles])


def test_every_page_stays_below_a_prefix(there: There) -> None:
    client = TestClient(there.app, base_url="http://linli.test")
    troubles, files = [], set[str]()

    def read(where: str, cookie: str, status: int) -> list[str]:
        """Look at the addresses on a page; return where its links lead, without the prefix."""
        client.cookies.clear()
        if cookie:
            client.cookies.set(COOKIE, cookie)
        answer = client.get(PREFIX + where)
        if answer.status_code != status:
            troubles.append(f"{where}: {answer.status_code}")
        found = [(name, unescape(text)) for name, text in ADDRESS.findall(answer.text)]
        absolute = [(name, text) for name, text in found if text.startswith("/")]
        troubles.extend(
            f"{where}: {name}={text}"
            for name, text in absolute
            if f"{PREFIX}{PREFIX}" in text or not f"{text}/".startswith(f"{PREFIX}/")
        )
        files.update(text for _, text in absolute if "/static/" in text)
        led = (urljoin(PREFIX + where, text) for name, text in found if name == "href")
        ours = (one.partition("#")[0].removeprefix(PREFIX) for one in led if one.startswith(PREFIX))
        return [one for one in ours if not NEVER.search(urlsplit(one).path)]

    seen, ahead = set(NOT_PAGES), ["/", *NO_LINK]
    while ahead:
        where = ahead.pop(0)
        route = there.route(urlsplit(where).path)
        if route is None or route in seen:
            continue
        seen.add(route)
        ahead += read(where, there.cookie, 200)
    for where, cookie, status in there.strangers:
        read(where, cookie, status)
    troubles += [f"{one}: no link leads there" for one in sorted(set(there.routes) - seen)]
    for file in sorted(files):
        answer = client.get(file)
        if answer.status_code != 200 or b"url(/" in answer.content:
            troubles.append(f"{file}: {answer.status_code}, or leads above")
    assert troubles == [], "\n".join(["", *troubles])


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("look", LOOKS, ids="-".join)
def test_every_page_in_every_look(
    there: There, page: playwright.Page, look: tuple[str, str, str]
) -> None:
    troubles: list[str] = []
    seen, ahead = set(NOT_PAGES), ["/", *NO_LINK]
    while ahead:
        where = ahead.pop(0)
        route = there.route(urlsplit(where).path)
        if route is None or route in seen:
            continue
        wrong = looked_at(there, page, where, route, look, Path(SHOTS or "artifacts/pages"))
        troubles += [f"{where}: {one}" for one in wrong]
        if look in WALKED:
            troubles += [f"{where}: {one}" for one in walked(page)]
        seen.add(route)
        ahead += links(page, there.server.url)
    assert troubles == [], "\n".join(["", *troubles])


def looked_at(
    there: There,
    page: playwright.Page,
    where: str,
    route: str,
    look: tuple[str, str, str],
    shots: Path | None,
    status: int = 200,
) -> list[str]:
    """Open a page, keep a picture of it in `shots`, and return what is wrong with it."""
    size, language, scheme = look
    width, height = SIZES[size] if route != "/wall" else SIZES["wide"]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    joint = "&" if "?" in where else "?"
    answer = page.goto(
        f"{there.server.url}{where}{joint}lang={LANGUAGES[language]}", wait_until="load"
    )
    if answer is None or answer.status != status:
        return [f"answers {answer and answer.status}"]
    if shots is not None:
        shots.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", route.strip("/")) or "desk"
        page.screenshot(path=shots / f"{name}-{'-'.join(look)}.png", full_page=size == "phone")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = [f"{wide} px wider than the screen"] if wide > 0 else []
    if page.evaluate("document.getAnimations().length"):
        found.append("moves, though the reader asked for less of it")
    report = axe_core.Axe().run(page, options=WCAG).response
    return found + [
        f"{one['id']} ({one['impact']}): {one['help']}: {one['nodes'][0]['html'][:160]}"
        for one in report["violations"]
        if one["impact"] in SERIOUS
    ]


def links(page: playwright.Page, url: str) -> list[str]:
    """Return where the links of a page lead, within ours."""
    found = page.eval_on_selector_all(
        "a[href]",
        "all => all.map(one => new URL(one.getAttribute('href'), location).href)",
    )
    ours = [one.removeprefix(url) for one in found if one.startswith(f"{url}/")]
    pages = dict.fromkeys(one.partition("#")[0] for one in ours)
    return [one for one in pages if not NEVER.search(urlsplit(one).path)][:MOST]
