"""A place's states taught on a page: learned, asked of other pictures, put into the document."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import ADMIN, CAMERA, NODE, NOON, PASSWORDS, SITE, Folder, snapshot
from PIL import Image, ImageDraw

from dashboards.web import mount, teach_pages
from edge.agent.build import taught_places
from edge.states.judge import Judge
from ingest.app import create_app
from ingest.evidence.book import Arrival
from ingest.services.registry import NOTHING_YET, Seen
from linli.edge_config import EdgeConfig
from linli.ids import uuid7
from linli.packs import completed
from linli.settings import convert

EXAMPLE = Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json"
PAGE = f"/cameras/{NODE}/{CAMERA}/teach"
PLACE = {"name": "bin-3", "points.0": "20 20, 80 20, 80 80, 20 80"}


def bin_picture(state: str, seed: int) -> bytes:
    """Draw a bin, its rubbish above the rim when it is full, in some light."""
    rng = random.Random(seed)
    light = rng.uniform(0.6, 1.0)
    image = Image.new("RGB", (320, 240), tuple(int(150 * light) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    draw.rectangle((110, 110, 210, 200), fill=tuple(int(c * light) for c in (30, 90, 50)))
    if state == "full":
        for _ in range(40):
            x, y = rng.randint(105, 205), rng.randint(60, 120)
            shade = tuple(int(rng.randint(120, 255) * light) for _ in range(3))
            draw.rectangle((x, y, x + rng.randint(6, 18), y + rng.randint(6, 18)), fill=shade)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    given = {"why": "first", "document": json.loads(EXAMPLE.read_text())}
    app.state.services.configs.put(ADMIN, NODE, given, seen=NOTHING_YET, now=NOON)
    with TestClient(app, base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        client.post(
            "/login",
            data={"name": "boss", "password": PASSWORDS["boss"][1]},
            follow_redirects=False,
        )
        yield client


@pytest.fixture
def token(client: TestClient) -> str:
    found = re.search(
        r'<meta name="csrf" content="([^"]+)">', client.get("/settings/password").text
    )
    assert found is not None
    return found.group(1)


def happen(client: TestClient, folder: Folder, data: bytes) -> str:
    """Have an incident with a picture; return the picture's id."""
    now = folder.clock.now()
    name = uuid7(now)
    digest = hashlib.sha256(data).hexdigest()
    until = NOON + timedelta(days=20)
    arrival = Arrival(
        id=name,
        site=SITE,
        node=NODE,
        device=CAMERA,
        redaction="heads",
        expires=until,
        sent_sha256=digest,
    )
    client.app.state.services.evidence.take(arrival, data, now)
    zone = f"zone-{len(data)}"
    folder.put_event(folder.event(zone=zone, snapshot=snapshot(name, data)))
    folder.clock.advance(60)
    return name


NOTHING_NEW = "Nothing is new: the edge is to do just this already."


def uploads(*states: str, count: int = 4) -> list[tuple[str, Any]]:
    return [
        (f"files.{number}", (f"{state}-{seed}.jpg", bin_picture(state, seed), "image/jpeg"))
        for number, state in enumerate(states)
        for seed in range(count)
    ]


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])


def test_what_is_taught_is_asked_of_others_and_ends_in_the_document(
    client: TestClient, folder: Folder, token: str
) -> None:
    asked = happen(client, folder, bin_picture("full", 77))
    for _ in range(600):
        client.app.state.house.wake()
        if asked in client.get(PAGE).text:
            break
    form = {"csrf_token": token, "version": "1", **PLACE, f"label.{asked}": "ask"}
    form |= {"state.0": "empty", "state.1": "full"}
    shown = client.post(PAGE, data=form, files=uploads("empty", "full")).text
    assert shown.count("4 of 4 known") == 2
    said = shown[shown.index("What it says of the others") :]
    assert "<strong>Full</strong>" in said
    looks = client.app.state.services.evidence.record(ADMIN, asked, folder.clock.now()).looks
    assert [one.purpose for one in looks] == ["teaching"]
    sent = {name: hidden(shown[shown.index("What was learned") :], name) for name in ("taught",)}
    sent |= {"csrf_token": token, "version": "1", "name": "bin-3", "alarm": "full"}
    done = client.post(f"{PAGE}/save", data=sent)
    assert "Saved. The edge takes it within a minute." in done.text
    assert "Empty: 4 of 4 known" in done.text
    document = client.app.state.services.configs.wanted(NODE).document
    config = convert(completed(document, "document"), EdgeConfig, where="document")
    (place,) = taught_places(config.camera[0])
    assert (place.setting.event, place.setting.alarm) == ("bin-full", ("full",))
    assert Judge(place.lesson).lesson.names == ("empty", "full")
    log = client.app.state.services.configs.changes(ADMIN, NODE, 2)
    assert len(str(log)) < 2000, "a change log shows no numbers of what was taught"
    gone = {"csrf_token": token, "version": "2", "gone": "bin-3"}
    assert client.post(f"{PAGE}/save", data={**gone, "version": "1"}).status_code == 422
    client.post(f"{PAGE}/save", data=gone)
    assert client.app.state.services.configs.watched(ADMIN, NODE, CAMERA).watched.state == ()


@pytest.mark.parametrize(
    ("form", "states", "said"),
    [
        ({"name": "桶"}, ("empty", "full"), "The name is made of"),
        ({"points.0": ""}, ("empty", "full"), "Mark the place"),
        ({"points.0": "50 50, 50 50, 50 50"}, ("empty", "full"), "Mark the place"),
        ({}, ("empty",), "Choose pictures of two states at least"),
        ({"state.1": "<b>"}, ("empty", "full"), "Choose pictures of two states at least"),
    ],
)
def test_what_cannot_be_taught_is_said(
    client: TestClient, token: str, form: dict[str, str], states: tuple[str, ...], said: str
) -> None:
    chosen = {f"state.{number}": state for number, state in enumerate(states)}
    sent = {"csrf_token": token, "version": "1", **PLACE, **chosen, **form}
    answer = client.post(PAGE, data=sent, files=uploads(*states, count=2))
    assert answer.status_code == 422
    assert said in answer.text


def test_no_picture_and_no_school(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {"csrf_token": token, "version": "1", **PLACE, "state.0": "empty"}
    bad = client.post(PAGE, data=form, files=[("files.0", ("a.jpg", b"no picture"))])
    assert bad.status_code == 422
    assert "a.jpg: This is no JPEG that can be read" in bad.text
    lone = client.post(
        PAGE, data=form | {"state.1": "full"}, files=uploads("empty", "full", count=1)
    )
    assert "Empty has only one picture" in lone.text
    with teach_pages._ONE:
        busy = client.post(PAGE, data=form, files=uploads("empty"))
    assert "Somebody else is teaching just now" in busy.text
    broken = {"csrf_token": token, "version": "1", "name": "bin-3", "taught": "{"}
    assert client.post(f"{PAGE}/save", data=broken).status_code == 422
    assert client.post(f"{PAGE}/save", data={**broken, "csrf_token": "x"}).status_code == 403
    monkeypatch.setattr(teach_pages, "school", lambda: None)
    without = client.post(PAGE, data=form, files=uploads("empty"))
    assert "its edge part is not installed" in without.text


def test_taught_again_it_keeps_what_was_set_for_it_and_can_go_back(
    client: TestClient, folder: Folder, token: str
) -> None:
    form = {"csrf_token": token, "version": "1", **PLACE, "state.0": "empty", "state.1": "full"}
    first = client.post(PAGE, data=form, files=uploads("empty", "full")).text
    assert "is taught already" not in first
    assert not re.search('name="alarm"[^>]*checked', first)
    configs = client.app.state.services.configs
    given = {"id": "bin-3", "taught": json.loads(hidden(first, "taught")), "dwell": 300.0}
    given |= {"alarm": ["full"], "event": "bin-overflow", "severity": "high"}
    seen = Seen(frozenset({"1"}))
    configs.put_watched(ADMIN, NODE, CAMERA, {"why": "x", "state": [given]}, seen=seen, now=NOON)
    folder.clock.advance(60)
    again = client.post(PAGE, data=form | {"version": "2"}, files=uploads("empty", "full")).text
    assert "bin-3 is taught already" in again
    assert re.search('name="alarm" value="full" checked', again)
    sent = {"csrf_token": token, "version": "2", "name": "bin-3", "alarm": "full"}
    client.post(f"{PAGE}/save", data=sent | {"taught": hidden(again, "taught")})
    (kept,) = configs.watched(ADMIN, NODE, CAMERA).watched.state
    assert {key: kept[key] for key in given if key != "taught"} == {
        key: given[key] for key in given if key != "taught"
    }
    assert kept["taught"] != given["taught"], "learned at another time"
    page = client.get(PAGE).text
    assert "Back to the earlier teaching" in page
    assert "Full: 4 of 4 known" in page
    back = {"csrf_token": token, "version": "3", "back": "bin-3"}
    assert client.post(f"{PAGE}/save", data={**back, "version": "2"}).status_code == 422
    assert client.post(f"{PAGE}/save", data={**back, "back": "bin-9"}).status_code == 422
    client.post(f"{PAGE}/save", data=back)
    assert configs.watched(ADMIN, NODE, CAMERA).watched.state == (given,)
    more = {"why": "x", "state": [given, given | {"id": "bin-4"}]}
    configs.put_watched(ADMIN, NODE, CAMERA, more, seen=Seen(frozenset({"4"})), now=NOON)
    same = sent | {"version": "5", "taught": json.dumps(given["taught"])}
    assert NOTHING_NEW in client.post(f"{PAGE}/save", data=same).text
    assert configs.watched(ADMIN, NODE, CAMERA).version == 5


def test_who_may_not_arrange_is_refused_before_pictures_are_read(client: TestClient) -> None:
    client.post("/logout")
    client.post(
        "/login", data={"name": "wang", "password": PASSWORDS["wang"][1]}, follow_redirects=False
    )
    many = [("files.0", ("a.jpg", b"-", "image/jpeg"))] * 60
    assert client.post(PAGE, data=PLACE, files=many).status_code == 403, "not 400: it was not read"
    assert client.get(PAGE).status_code == 403
