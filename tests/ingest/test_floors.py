"""Floor plans over HTTP: what is taken, what is refused, where devices stand, who may what."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import AREA, CAMERA, NODE, NOON, SITE, Folder, running, sign_in
from PIL import Image, ImageDraw

from ingest.accounts.account import Viewer
from ingest.floors.book import Marker
from ingest.floors.drawing import LONGEST_SIDE, MOST_BYTES, clean
from ingest.refusal import NotThere, NotUsable, TooMuch, WrongKind
from ingest.services import floors
from linli.ids import uuid7

BASE, PROBLEM = "/api/v1/floor-plans", "application/problem+json"
PLAN, PLACE = uuid7(NOON), f"{SITE}/{AREA}"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def drawing(kind: str = "PNG", size: tuple[int, int] = (400, 300), **more: Any) -> bytes:
    picture = Image.new(more.pop("mode", "RGB"), size, more.pop("ground", "white"))
    ImageDraw.Draw(picture).rectangle((20, 20, 200, 150), outline="black", width=3)
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    with running(folder) as client:
        client.headers.update(sign_in(client, "boss"))
        yield client


def put(client: TestClient, data: bytes = b"", plan: str = PLAN, **query: str) -> Any:
    params = {"place": PLACE, "label": "1 层", **query}
    return client.put(f"{BASE}/{plan}", content=data or drawing(), params=params)


def test_a_plan_from_its_upload_to_its_end(client: TestClient) -> None:
    made = put(client)
    assert made.status_code == 201, made.text
    assert (made.json()["width"], made.json()["media_type"]) == (400, "image/png")
    where = f"{BASE}/{PLAN}/devices/{NODE}/{CAMERA}"
    assert client.put(where, json={"x": 0.25, "y": 0.5}).status_code == 200
    moved = client.put(where, json={"x": 1, "y": 0}).json()
    assert moved["markers"] == [{"node": NODE, "device": CAMERA, "x": 1.0, "y": 0.0}]
    # Another drawing of the same floor keeps what stands on it.
    again = put(client, drawing("JPEG", (640, 480)), label="一层")
    assert again.status_code == 200
    assert (again.json()["width"], again.json()["label"]) == (640, "一层")
    assert again.json()["markers"] == moved["markers"]
    shown = client.get(f"{BASE}/{PLAN}/picture")
    assert shown.headers["content-type"] in ("image/png", "image/jpeg")
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert picture.size == (640, 480)
    assert [one["id"] for one in client.get(BASE, params={"place": PLACE}).json()["items"]] == [
        PLAN
    ]
    assert client.get(BASE, params={"place": SITE}).json()["items"] == []
    assert client.delete(where).status_code == 204
    assert client.delete(where).status_code == 404
    client.put(where, json={"x": 0.1, "y": 0.1})
    assert client.delete(f"{BASE}/{PLAN}").status_code == 204
    assert client.get(f"{BASE}/{PLAN}").status_code == 404
    assert client.get(f"{BASE}/{PLAN}/picture").status_code == 404


def test_who_may_look_and_who_may_arrange(client: TestClient) -> None:
    put(client)
    where = f"{BASE}/{PLAN}/devices/{NODE}/{CAMERA}"
    for name in ("wang", "guest"):
        client.headers.update(sign_in(client, name))
        assert client.get(f"{BASE}/{PLAN}/picture").status_code == 200
        assert put(client).status_code == 403
        assert client.put(where, json={"x": 0.5, "y": 0.5}).status_code == 403
        assert client.delete(f"{BASE}/{PLAN}").status_code == 403
    client.cookies.clear()
    assert client.get(f"{BASE}/{PLAN}/picture").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"x": 1.01, "y": 0}, 422),
        ({"x": -0.1, "y": 0}, 422),
        ({"x": 0.5}, 422),
        ({"x": "NaN", "y": 0}, 422),
        ({"x": 0, "y": 0, "z": 0}, 422),
    ],
    ids=["right", "left", "missing", "nan", "more"],
)
def test_positions_outside(client: TestClient, body: dict[str, Any], status: int) -> None:
    put(client)
    answer = client.put(f"{BASE}/{PLAN}/devices/{NODE}/{CAMERA}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert client.get(f"{BASE}/{PLAN}").json()["markers"] == []


def test_what_is_not_there(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert put(client, place=f"{SITE}/none").status_code == 404
    assert put(client, plan="x").status_code == 422
    assert put(client, label="  ").status_code == 400
    assert put(client, SVG).status_code == 415
    assert put(client, b"x" * (MOST_BYTES + 1)).status_code == 413
    put(client)
    there = {"x": 0.5, "y": 0.5}
    assert client.put(f"{BASE}/{PLAN}/devices/{NODE}/none", json=there).status_code == 404
    other = f"{BASE}/{uuid7(NOON)}/devices/{NODE}/{CAMERA}"
    assert client.put(other, json=there).status_code == 404
    monkeypatch.setattr(floors, "MOST_OF_PLACE", 1)
    assert put(client, plan=uuid7(NOON)).status_code == 409


def test_only_pixels_are_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "the camera of Mr Wang"
    exif[0x0112] = 6  # lies on its side
    kept = clean(drawing("JPEG", (400, 300), exif=exif) + b"<script>behind</script>")
    assert (kept.width, kept.height) == (300, 400)
    assert b"Wang" not in kept.data
    assert b"script" not in kept.data
    large = clean(drawing(size=(4000, 1000)))
    assert (large.width, large.height) == (LONGEST_SIDE, LONGEST_SIDE // 4)
    through = clean(drawing("WEBP", mode="RGBA", ground=(0, 0, 0, 0)))
    with Image.open(io.BytesIO(through.data)) as picture:
        assert picture.convert("RGB").getpixel((399, 299)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (SVG, WrongKind),
        (b"GIF89a\x01\x00\x01\x00", WrongKind),
        (b"%PDF-1.7", WrongKind),
        (b"", WrongKind),
        (drawing()[:200], NotUsable),
        (drawing("PNG", (6000, 5000), mode="1", ground=1), TooMuch),
        (b"\x89PNG" + b"0" * MOST_BYTES, TooMuch),
    ],
    ids=["svg", "gif", "pdf", "nothing", "half", "pixels", "bytes"],
)
def test_pictures_that_are_refused(data: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        clean(data)


def test_a_plan_of_another_area_is_not_there(client: TestClient) -> None:
    put(client)
    service = client.app.state.services.floors
    marker = Marker(node=NODE, device=CAMERA, x=0.5, y=0.5)
    here = Viewer(account="a", name="a", role="supervisor", areas=frozenset({AREA}))
    away = Viewer(account="b", name="b", role="supervisor", areas=frozenset({"x99"}))
    assert service.mark(here, PLAN, marker, NOON).markers == (marker,)
    assert [one.id for one in service.list(here).items] == [PLAN]
    assert service.list(away).items == ()
    assert service.of_device(away, NODE, CAMERA) == ()
    for call in (
        lambda: service.get(away, PLAN),
        lambda: service.picture(away, PLAN),
        lambda: service.mark(away, PLAN, marker, NOON),
        lambda: service.unmark(away, PLAN, NODE, CAMERA, NOON),
        lambda: service.rename(away, PLAN, "x", NOON),
        lambda: service.remove(away, PLAN, NOON),
        lambda: service.put(away, uuid7(NOON), drawing(), NOON, place=PLACE, label="x"),
        lambda: service.put(here, uuid7(NOON), drawing(), NOON, place=SITE, label="x"),
    ):
        with pytest.raises(NotThere):
            call()
