"""Floor plans as pages: uploaded, arranged without script, looked at by everybody."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import AREA, CAMERA, NODE, NOON, PASSWORDS, SITE, Folder
from PIL import Image

from dashboards.web import mount
from dashboards.web.floors import FEW, floor
from dashboards.web.words import Words
from ingest.app import create_app
from ingest.floors.book import FloorPlan, Marker
from ingest.services.views import DeviceView

PLACE = f"{SITE}/{AREA}"


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
    with TestClient(app, base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        yield client


def sign_in(client: TestClient, name: str) -> str:
    form = {"name": name, "password": PASSWORDS[name][1], "next": "/settings/password"}
    found = re.search(
        r'<meta name="csrf" content="([^"]+)">', client.post("/login", data=form).text
    )
    assert found is not None
    return found.group(1)


def png(size: tuple[int, int] = (300, 200)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, "PNG")
    return out.getvalue()


def upload(client: TestClient, token: str, data: bytes, **more: str) -> Any:
    page = client.get("/floor-plans/new", params={"place": PLACE}).text
    plan = re.search(r'name="plan" value="([^"]+)"', page)
    assert plan is not None
    form = {"csrf_token": token, "place": PLACE, "label": "1 层", "plan": plan[1], **more}
    return client.post("/floor-plans/new", data=form, files={"file": ("plan.png", data)})


def test_a_plan_is_uploaded_arranged_and_seen(client: TestClient) -> None:
    token = sign_in(client, "boss")
    shown = upload(client, token, png())
    path = shown.url.path
    assert "Put it in the middle" in shown.text
    assert f'<option value="{NODE}/{CAMERA}">1 号电梯 · Camera' in shown.text
    form = {"csrf_token": token, "thing": f"{NODE}/{CAMERA}"}
    placed = client.post(f"{path}/devices", data={**form, "left": "50", "top": "50"}).text
    assert 'x="50%" y="50%"' in placed
    assert "All devices of this place stand on the plan" in placed
    # What our script sends, it needs no page for.
    header = {"hx-request": "true"}
    moved = client.post(
        f"{path}/devices", data={**form, "left": "12.5", "top": "0"}, headers=header
    )
    assert (moved.status_code, moved.content) == (204, b"")
    outside = client.post(f"{path}/devices", data={**form, "left": "101", "top": "0"})
    assert outside.status_code == 400
    assert "2 层" in client.post(f"{path}/rename", data={**form, "label": "2 层"}).text
    again = upload(client, token, png((500, 100)), plan=path.rpartition("/")[2]).text
    assert 'x="12.5%" y="0%"' in again
    assert 'width="500" height="100"' in again
    sign_in(client, "guest")
    seen = client.get(path)
    assert f'href="/devices/{NODE}/{CAMERA}" aria-label="1 号电梯: Not heard of yet"' in seen.text
    assert "Arrange" not in seen.text
    assert client.get(f"{path}?arrange=1").status_code == 403
    assert "Where it is" in client.get(f"/devices/{NODE}/{CAMERA}").text
    picture = re.search(r'<img [^>]*src="([^"]+)"', seen.text)
    assert picture is not None
    assert client.get(picture[1]).headers["content-type"] == "image/png"
    token = sign_in(client, "boss")
    form["csrf_token"] = token
    assert "No device" not in client.post(f"{path}/take-off", data=form).text
    assert "No device stands on this plan yet" in client.get(path).text
    client.post(f"{path}/remove", data=form)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Save the drawing as PNG or JPEG"),
        (b"\x89PNG" + b"0" * 9_000_000, "The picture is too large"),
        (png()[:60], "The file could not be read"),
        (b"", "The file could not be read"),
    ],
    ids=["svg", "large", "half", "nothing"],
)
def test_what_is_refused_is_said_in_words(client: TestClient, data: bytes, words: str) -> None:
    answer = upload(client, sign_in(client, "boss"), data)
    assert (answer.status_code, words in answer.text) == (200, True)
    assert 'value="1 层"' in answer.text


def test_only_administrators_and_only_from_our_form(client: TestClient) -> None:
    token = sign_in(client, "wang")
    assert client.get("/floor-plans/new", params={"place": PLACE}).status_code == 403
    form = {"csrf_token": token, "place": PLACE, "label": "x", "plan": "x"}
    sent = {"data": form, "files": {"file": ("plan.png", png())}}
    assert client.post("/floor-plans/new", **sent).status_code == 403
    sign_in(client, "boss")
    form["csrf_token"] = "guess"
    assert client.post("/floor-plans/new", **sent).status_code == 403
    assert client.get("/floor-plans/new", params={"place": f"{SITE}/none"}).status_code == 404
    assert client.get("/floor-plans/none").status_code == 404


def test_names_stand_beside_few_marks_only_and_what_is_retired_is_left_out() -> None:
    views = {
        ("n", f"d{one}"): DeviceView(
            site=SITE, area=AREA, node="n", device=f"d{one}", label="", kind="lamp", subject=None,
            standing="confirmed", state="unknown", health="down",
        )
        for one in range(FEW + 1)
    }  # fmt: skip
    marks = tuple(Marker(node=node, device=device, x=1 / 3, y=1) for node, device in views)
    gone = Marker(node="n", device="gone", x=0, y=0)
    plan = FloorPlan(
        id="p", place=PLACE, label="1", width=1, height=1, media_type="image/png", sha256="0",
        changed=NOON, actor="user:boss", markers=(*marks, gone),
    )  # fmt: skip
    made = floor(plan, views, Words("en", {}))
    assert len(made.marks) == FEW + 1
    assert not made.named
    assert (made.marks[0].left, made.marks[0].top, made.marks[0].label) == ("33.3", "100", "d0")
