"""A camera looked at from a browser: a real edge, broker and ingest, and a person who says why."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx2
import numpy as np
import pytest
from brokers import NEEDS_MOSQUITTO, SITE, RunningBroker
from estate import AREA, DEVICE, NODE, Estate, until
from vision import ZONE, bright_square_model

from edge.agent import Agent
from edge.agent.live import Live
from edge.glance import Glance
from edge.settings import Camera, EdgeSettings, Ingest, Line, Model, Mqtt, Node, Zone
from ingest.accounts import book
from ingest.registry.nodes import new_key
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.clock import SystemClock
from linli.live import LiveFrame
from linli.process import StopSignal
from linli.settings import write_secret

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
SHOTS = os.environ.get("LINLI_SHOTS")
CLIP = Path(__file__).parents[2].parent / "shared/media/one-by-one-person.mp4"
PASSWORD, KEY = "an evening in the hall", "a-key-that-only-this-node-has"
PAGE, API = f"/cameras/{NODE}/{DEVICE}", f"/api/v1/devices/{NODE}/{DEVICE}/live"
JFIF = b"\xff\xd8\xff\xe0\x00\x10JFIF"
SIZES = {"phone": (390, 844), "desk": (1366, 768), "wall": (1920, 1080)}


class Watched(Estate):
    """An estate whose staff may look."""

    more_settings = (
        '[commands]\nenabled = true\nusername = "svc-command"\n'
        'password_file = "svc-command.secret"\n'
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        users = {"svc-ingest": "one", NODE: "two", "svc-command": "three"}
        self.broker = RunningBroker(folder / "broker", users)
        for name, secret in (("svc-command", "three"), ("node-key", KEY)):
            write_secret(folder / f"{name}.secret", secret)

    def furnish(self) -> None:
        engine = database_of(load_settings(self.config)).writer("state")
        with writing(engine) as connection:
            new_key(connection, NODE, KEY)
            for name, role in (("王芳", "duty"), ("陈主任", "admin"), ("street", "street")):
                book.add_account(connection, name, role, SystemClock().now(), PASSWORD)  # type: ignore[arg-type]
        engine.dispose()

    @contextlib.contextmanager
    def visitor(self, name: str) -> Iterator[httpx2.Client]:
        with httpx2.Client(base_url=self.url, timeout=30) as client:
            answer = client.post("/api/v1/login", json={"name": name, "password": PASSWORD})
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield client


@dataclass
class Sent:
    """What the edge made of each frame, raw picture beside what left the box."""

    pairs: list[tuple[Glance, LiveFrame]] = field(default_factory=list)

    def listen(self, live: Live) -> None:
        make = live._frame

        def noted(lens: Any, glance: Glance) -> LiveFrame:
            frame = make(lens, glance)
            self.pairs.append((glance, frame))
            return frame

        live._frame = noted  # type: ignore[method-assign]


@contextlib.contextmanager
def running(folder: Path, estate: Estate) -> Iterator[tuple[Agent, Sent]]:
    real = SHOTS is not None and CLIP.exists()
    camera = Camera(
        id=DEVICE,
        label="1 号电梯",
        source=str(CLIP) if real else "pattern:square",
        speed=0.5,
        zone=(Zone(id="middle", points=ZONE, anchor="center"),),
        line=(Line(id="gate", points=((0.3, 0.9), (0.7, 0.9))),),
    )
    model = "builtin" if real else str(bright_square_model(folder / "square.onnx"))
    settings = EdgeSettings(
        data=str(folder / "edge"),
        node=Node(site=SITE, area=AREA, id=NODE),
        mqtt=Mqtt(
            port=estate.edge_mqtt_port,
            username=NODE,
            password_file=str(folder / f"{NODE}.secret"),
        ),
        ingest=Ingest(url=estate.url, key_file=str(folder / "node-key.secret")),
        model=Model(file=model),
        camera=(camera,),
    )
    stop, sent = StopSignal(), Sent()
    with Agent(settings, SystemClock(), version="1") as agent:
        sent.listen(agent._parts.live)
        thread = threading.Thread(target=agent.run, args=(stop,))
        thread.start()
        try:
            yield agent, sent
        finally:
            stop.set()
            thread.join(60)


def hidden(glance: Glance, frame: LiveFrame) -> bool:
    """Tell whether the upper edge of who is in a picture is gone from what was sent."""
    assert frame.jpeg is not None
    shown = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    high, wide = glance.image.shape[:2]
    x1, y1, x2, _ = frame.boxes[0].bbox
    rows = slice(max(int(y1 * high) - 6, 0), int(y1 * high) + 6)
    column = int((x1 + x2) / 2 * wide)
    steps = [
        int(np.abs(np.diff(one[rows, column, 0].astype(int))).max())
        for one in (glance.image, shown)
    ]
    return steps[0] > 100 and steps[1] < 60


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[tuple[Watched, Agent, Sent]]:
    estate = Watched(folder)
    try:
        estate.prepare()
        estate.furnish()
        estate.start_ingest()
        estate.wait_ready()
        with running(folder, estate) as (agent, sent):
            _until_connected(agent)
            yield estate, agent, sent
        kept = [one for one in folder.rglob("*") if one.is_file() and JFIF in one.read_bytes()]
        assert kept == [], "a picture is kept somewhere"
    finally:
        estate.close()


@pytest.mark.skipif(SHOTS is not None, reason="the pictures are taken of another clip")
def test_a_camera_is_seen_by_who_may_for_as_long_as_they_look(tmp_path: Path) -> None:
    with watched(tmp_path) as (estate, agent, sent):
        _over_rest(estate, agent, sent)


@pytest.mark.full
@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium: apt-get install chromium")
def test_a_camera_is_looked_at_from_a_browser(tmp_path: Path) -> None:
    with watched(tmp_path) as (estate, agent, _), _browser() as browser:
        if SHOTS is None:
            _in_a_browser(estate, agent, browser)
        else:
            _pictures(estate, browser, Path(SHOTS))


def _over_rest(estate: Watched, agent: Agent, sent: Sent) -> None:
    with estate.visitor("street") as stranger, estate.visitor("王芳") as wang:
        assert stranger.post(API, json={"purpose": "fault"}).status_code == 403
        assert httpx2.get(f"{estate.url}{API}/picture").status_code == 401
        assert sent.pairs == [], "nobody looks, nothing is sent"
        assert wang.post(API, json={"purpose": "fault"}).status_code == 201
        until(lambda: wang.get(API).json()["why"] == "showing")
        picture = wang.get(f"{API}/picture")
        assert picture.content.startswith(JFIF)
        assert stranger.get(f"{API}/picture").status_code == 403
        _renewing(wang, lambda: any(frame.boxes for _, frame in list(sent.pairs)))
        seen = [(glance, frame) for glance, frame in list(sent.pairs) if frame.boxes]
        assert all(hidden(glance, frame) for glance, frame in seen), "a head left the box"
        assert wang.post(f"{API}/end").status_code == 204
        assert wang.get(f"{API}/picture").status_code == 404
        lens = agent._parts.live.lens(DEVICE)
        until(lambda: not lens.waits() and lens.until == 0.0)
    counts = agent.standing().parts["live"]
    assert counts["sent"] >= 1
    assert counts["lent"] >= 1


def _until_connected(agent: Agent) -> None:
    until(lambda: agent.standing().link.connected)
    until(lambda: agent.standing().cameras[0].state == "streaming")


def _renewing(client: httpx2.Client, there: Any) -> None:
    """Go on looking until something is so."""

    def look() -> bool:
        client.post(f"{API}/renew")
        return bool(there())

    until(look)


@contextlib.contextmanager
def _browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def _person(
    estate: Watched, browser: Any, name: str, **how: Any
) -> Iterator[tuple[Any, list[str]]]:
    context = browser.new_context(**{"locale": "zh-CN", **how})
    context.set_default_timeout(60_000)
    page, troubles = context.new_page(), list[str]()
    page.on("console", lambda one: troubles.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: troubles.append(str(one)))
    page.goto(f"{estate.url}/login")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_selector("nav.tabs")
    try:
        yield page, troubles
    finally:
        context.close()


def _in_a_browser(estate: Watched, agent: Agent, browser: Any) -> None:
    with _person(estate, browser, "陈主任") as (page, troubles):
        page.goto(f"{estate.url}/cameras")
        page.click("main .unit a")
        page.click("text=检查摄像头是否正常")
        page.wait_for_selector("text=停止查看")
        page.wait_for_selector("[data-picture][src]")
        until(lambda: page.locator("[data-picture]").evaluate("one => one.naturalWidth") > 0)
        page.wait_for_selector(".sights polygon.zone", state="attached")
        page.wait_for_selector(".sights rect.sight", state="attached")
        assert "秒后自动结束" in page.inner_text(".camera-left")
        page.uncheck("[data-toggle]")
        assert not page.is_visible(".sights rect.sight")
        page.click("text=停止查看")
        page.wait_for_selector("text=为了什么")
        assert "陈主任：检查摄像头是否正常" in page.inner_text(".history")
        # Who leaves the page stops looking too.
        page.click("text=约定的视频巡查")
        page.wait_for_selector("[data-picture][src]")
        page.goto(f"{estate.url}/cameras")
        lens = agent._parts.live.lens(DEVICE)
        until(lambda: lens.until == 0.0)
        assert troubles == []
    with _person(estate, browser, "王芳", locale="en-US", java_script_enabled=False) as (page, _):
        page.goto(f"{estate.url}{PAGE}")
        page.click("text=See whether the camera works")
        until(lambda: _still(page) > 0)
        page.click("text=Another minute")
        page.click("text=Stop looking")
        page.wait_for_selector("text=What for?")
    with _person(estate, browser, "street", locale="en-US") as (page, _):
        page.goto(f"{estate.url}{PAGE}")
        assert "You may not see live pictures" in page.inner_text("main")
        assert page.locator("main form").count() == 0


def _still(page: Any) -> int:
    from playwright.sync_api import Error  # noqa: PLC0415  # with Chromium alone

    try:
        page.reload()
    except Error:  # without scripts the page loads itself again, perhaps just now
        return 0
    there: int = page.locator("[data-picture][src]").count()
    return there


def _pictures(estate: Watched, browser: Any, folder: Path) -> None:
    """Take pictures of both pages to be looked at, of the real clip."""
    folder.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        for language in ("zh-CN", "en-US"):
            dark = {"color_scheme": "dark"} if (size, language) == ("desk", "zh-CN") else {}
            how = {"viewport": {"width": width, "height": height}, "locale": language, **dark}
            with _person(estate, browser, "陈主任", **how) as (page, _):
                for name, path in (("list", "/cameras"), ("ask", PAGE)):
                    page.goto(f"{estate.url}{path}")
                    page.screenshot(path=folder / f"camera-{size}-{language[:2]}-{name}.png")
                page.click("button[value=round]")
                page.wait_for_selector("[data-picture][src]")
                page.wait_for_selector(".sights rect.sight", state="attached")
                page.screenshot(
                    path=folder / f"camera-{size}-{language[:2]}-live.png", full_page=True
                )
                page.click("form[action$=stop] button")
                page.wait_for_selector(".camera-ask")
