"""What is set on a camera's pages reaches a real edge over HTTP, and what it says comes back."""

from __future__ import annotations

import io
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import cv2
import httpx2
import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate import AREA, DEVICE, NODE, Estate, until
from mjpeg import HttpCamera
from PIL import Image, ImageDraw
from vision import SQUARE, WIDTH, bright_square_model, square_image

from ingest import registry
from ingest.accounts import book
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.clock import SystemClock
from linli.settings import write_secret

PAGE = f"/cameras/{NODE}/{DEVICE}"
PROMPT_EDGE = Path(__file__).parents[1] / "support" / "prompt_edge.py"
PASSWORD, KEY = "a loud morning", "a-key-that-only-this-node-has"
LONG = 120.0
pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO, pytest.mark.timeout(600)]


def bin_picture(state: str, seed: int) -> bytes:
    """Draw a bin in some light, its rubbish above the rim when it is full; nothing is bright."""
    rng = random.Random(seed)
    light = 0.45 + 0.4 * (seed * 7 % 11) / 11
    image = Image.new("RGB", (416, 240), tuple(int(150 * light) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    draw.rectangle((150, 110, 250, 200), fill=tuple(int(c * light) for c in (30, 90, 50)))
    for _ in range(40 if state == "full" else 0):
        x, y = rng.randint(145, 245), rng.randint(60, 120)
        shade = tuple(int(rng.randint(10, 120) * light) for _ in range(3))
        draw.rectangle((x, y, x + rng.randint(6, 18), y + rng.randint(6, 18)), fill=shade)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def square() -> bytes:
    """Return a picture with a person, as the model of these tests has it."""
    good, data = cv2.imencode(".jpg", square_image((WIDTH - SQUARE) // 2))
    assert good
    return data.tobytes()


class Scene(HttpCamera):
    """Five pictures a second of what is put before it."""

    def __init__(self) -> None:
        super().__init__(fps=5.0)
        self.shown = bin_picture("empty", 50)

    def scene(self, to: BaseHTTPRequestHandler) -> None:
        self._begin(to, "multipart/x-mixed-replace; boundary=frame")
        while not self.let_go.wait(self.pause):
            data = self.shown
            head = b"Content-Length: %d\r\n\r\n" % len(data)
            to.wfile.write(b"--frame\r\n" + head + data + b"\r\n")


class Staff:
    """Somebody with a browser that runs no script."""

    def __init__(self, url: str) -> None:
        self.web = httpx2.Client(base_url=url, follow_redirects=True, timeout=60)
        self.web.headers["accept-language"] = "en"
        self.web.post("/login", data={"name": "boss", "password": PASSWORD}, follow_redirects=False)
        found = re.search(r'<meta name="csrf" content="([^"]+)">', self.get("/settings/password"))
        assert found is not None
        self.token = found[1]

    def get(self, path: str) -> str:
        answer = self.web.get(path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def send(self, path: str, fields: dict[str, str], **more: Any) -> str:
        answer = self.web.post(path, data={"csrf_token": self.token, **fields}, **more)
        said = re.findall(r'class="(?:wrong|unit-detail)"[^>]*>(.*?)</p>', answer.text)
        assert answer.status_code == 200, said
        return str(answer.text)

    def sees(self, path: str, words: str) -> str:
        """Wait until a page says so; return it."""
        until(lambda: words in self.get(path), LONG)
        return self.get(path)


class Box:
    """A real edge that knows no more than who it is and whom to ask."""

    def __init__(self, estate: Estate) -> None:
        folder = estate.folder / "box"
        folder.mkdir()
        write_secret(folder / "node.key", KEY)
        bright_square_model(folder / "model.onnx")
        config = folder / "edge.toml"
        config.write_text(
            f'[node]\nsite = "{SITE}"\narea = "{AREA}"\nid = "{NODE}"\n'
            f'[mqtt]\nport = {estate.edge_mqtt_port}\nusername = "{NODE}"\n'
            f'password_file = "{estate.folder / f"{NODE}.secret"}"\n[status]\nport = 0\n'
            f'[ingest]\nurl = "{estate.url}"\nkey_file = "node.key"\n'
            '[model]\nfile = "model.onnx"\n'
        )
        self._log = folder / "log"
        argv = [sys.executable, str(PROMPT_EDGE), "edge", "run", "--alone", "--config", str(config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, env={**os.environ})

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@contextmanager
def house(folder: Path) -> Iterator[tuple[Estate, Staff, Scene]]:
    """Yield a whole house at work: broker, ingest, a camera and its edge, and who sets it up."""
    estate = Estate(folder)
    try:
        estate.prepare()
        engine = database_of(load_settings(estate.config)).writer("state")
        with writing(engine) as connection:
            registry.new_key(connection, NODE, KEY)
            book.add_account(connection, "boss", "admin", SystemClock().now(), PASSWORD)
        engine.dispose()
        estate.start_ingest()
        estate.wait_ready()
        with Scene() as scene:
            staff = Staff(estate.url)
            with closing(staff.web):
                first(staff, scene)
                with closing(Box(estate)):
                    yield estate, staff, scene
    finally:
        estate.close()


def first(staff: Staff, scene: Scene) -> None:
    """Want a camera without anything to look for, as who installs it does."""
    camera = {"id": DEVICE, "label": "Door", "source": scene.url("/scene"), "tamper": False}
    document = {"timezone": "Asia/Shanghai", "camera": [camera]}
    answer = staff.web.put(
        f"/api/v1/registry/edges/{NODE}/config",
        json={"why": "installed", "document": document},
        headers={"X-CSRF-Token": staff.token, "If-None-Match": "*"},
    )
    assert answer.status_code in {200, 201}, answer.text


def runs(number: int) -> str:
    return f"The edge runs this, version {number}"


def test_what_is_set_on_the_pages_is_what_the_edge_does(tmp_path: Path) -> None:
    with house(tmp_path) as (estate, staff, scene):
        staff.sees(f"{PAGE}/zones", runs(1))
        zones_are_drawn(staff)
        a_scenario_is_off_then_on_trial_then_on(estate, staff, scene)
        what_the_edge_cannot_do_is_said(staff)
        a_state_is_taught(estate, staff, scene)


def zones_are_drawn(staff: Staff) -> None:
    drawn = {"version": "1", "kind.0": "zone", "was.0": "", "label.0": "door"}
    shown = staff.send(f"{PAGE}/zones", {**drawn, "points.0": "25 0, 75 0, 75 100, 25 100"})
    assert "Saved." in shown
    staff.sees(f"{PAGE}/zones", runs(2))


def a_scenario_is_off_then_on_trial_then_on(estate: Estate, staff: Staff, scene: Scene) -> None:
    rule = {"number": "new", "pack": "loitering", "zone": "door", "severity": "high"}
    rule |= {"at_least": "1", "votes": "3", "of": "5", "dwell": "0.5", "gone_after": "2"}
    rule |= {"cooldown": "0", "mode": "off", "version": "2"}
    staff.send(f"{PAGE}/scenarios", rule)
    staff.sees(f"{PAGE}/scenarios", runs(3))
    scene.shown = square()
    staff.send(f"{PAGE}/scenarios", rule | {"number": "0", "mode": "shadow", "version": "3"})
    shown = staff.sees(f"{PAGE}/scenarios", "On trial: it would have alarmed here")
    picture = re.search(r'<img src="(/api/v1/evidence/[^"]+)"', shown)
    assert picture is not None
    assert staff.web.get(unescape(picture[1])).headers["content-type"] == "image/jpeg"
    assert happened(estate) == set(), "a trial tells nobody"
    staff.send(f"{PAGE}/scenarios", rule | {"number": "0", "mode": "on", "version": "4"})
    until(lambda: happened(estate) == {"door"}, LONG)
    scene.shown = bin_picture("empty", 51)


def what_the_edge_cannot_do_is_said(staff: Staff) -> None:
    rule = {"number": "new", "pack": "ebike-in-elevator", "zone": "door", "severity": "high"}
    rule |= {"at_least": "1", "votes": "3", "of": "5", "dwell": "1", "gone_after": "2"}
    rule |= {"cooldown": "0", "doubt": "3", "mode": "on", "version": "5"}
    staff.send(f"{PAGE}/scenarios", rule)
    shown = staff.sees(f"{PAGE}/scenarios", "The edge refused version 6")
    assert "ebike" in shown[shown.index("As the box puts it:") :][:300]
    assert "It goes on with the version that worked before." in shown
    staff.send(f"{PAGE}/scenarios", {"number": "1", "mode": "gone", "version": "6"})
    staff.sees(f"{PAGE}/scenarios", runs(7))


def a_state_is_taught(estate: Estate, staff: Staff, scene: Scene) -> None:
    form = {"version": "7", "name": "bin-3", "points.0": "25 15, 75 15, 75 90, 25 90"}
    form |= {"state.0": "empty", "state.1": "full"}
    files = [
        (f"files.{number}", (f"{state}-{seed}.jpg", bin_picture(state, seed), "image/jpeg"))
        for number, state in enumerate(("empty", "full"))
        for seed in range(6)
    ]
    shown = staff.send(f"{PAGE}/teach", form, files=files)
    taught = re.search(r'name="taught" value="([^"]*)"', shown)
    assert taught is not None
    save = {"version": "7", "name": "bin-3", "taught": unescape(taught[1]), "alarm": "full"}
    assert "Saved." in staff.send(f"{PAGE}/teach/save", save)
    staff.sees(f"{PAGE}/teach", runs(8))
    often(staff)
    staff.sees(f"{PAGE}/teach", runs(9))
    until(lambda: level(estate) == 0.0, LONG)
    scene.shown = bin_picture("full", 52)
    until(lambda: level(estate) == 1.0, LONG)
    until(lambda: happened(estate) == {"door", "bin-3"}, LONG)


def happened(estate: Estate) -> set[str]:
    """Return the zones and places of all incidents."""
    return {one["key"]["zone"] for one in estate.get("/api/v1/incidents")["items"]}


def often(staff: Staff) -> None:
    """Have the place looked at more often than each ten seconds, as an integrator would."""
    path = f"/api/v1/registry/edges/{NODE}/config/cameras/{DEVICE}"
    seen = staff.web.get(path)
    (place,) = seen.json()["watched"]["state"]
    headers = {"X-CSRF-Token": staff.token, "If-Match": seen.headers["etag"]}
    given = {"why": "quick", "state": [place | {"every": 0.5, "dwell": 0.0}]}
    answer = staff.web.put(path, json=given, headers=headers)
    assert answer.status_code == 200, answer.text


def level(estate: Estate) -> float | None:
    """Return how full the bin is, as the ingest has it."""
    now = int(time.time() * 1000)
    span = {"from": now - 600_000, "to": now + 600_000}
    found = estate.get("/api/v1/series/latest", group="bin-3", name="fill-level", **span)
    return found[0]["value"] if found else None
