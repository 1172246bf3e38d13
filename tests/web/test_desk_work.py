"""Deadlines, notes, what was here before, and the way back on pages: real services and files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import AREA, CAMERA, NODE, PASSWORDS, SITE, Folder, jpeg
from ledger import Ledger, event

from dashboards.web import mount
from ingest.app import create_app
from ingest.incidents.incident import Incident, Picture
from ingest.incidents.undo import TAKEN


class Web:
    """The pages over a ledger, and someone signed in."""

    def __init__(self, folder: Folder, client: TestClient) -> None:
        self.folder, self.client = folder, client
        self.ledger = Ledger(folder.state)

    def sign_in(self, name: str, language: str = "en") -> None:
        self.client.cookies.clear()
        self.client.headers["accept-language"] = language
        self.client.post(
            "/login", data={"name": name, "password": PASSWORDS[name][1]}, follow_redirects=False
        )
        found = re.search(r'<meta name="csrf" content="([^"]+)">', self.get("/settings/password"))
        assert found is not None
        self.token = found.group(1)

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def do(self, path: str, *, status: int = 200, script: bool = False, files=None, **form):
        headers = {"HX-Request": "true"} if script else {}
        data = {"csrf_token": self.token, **form}
        answer = self.client.post(path, data=data, files=files, headers=headers)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        made = Web(folder, client)
        made.sign_in("wang")
        yield made
    folder.close()


@pytest.fixture
def incident(web: Web) -> Incident:
    return web.ledger.tell(event(node=NODE, device=CAMERA, severity="critical"))[0]


def said(answer) -> dict:
    return json.loads(answer.headers["hx-trigger"])["linli-did"]


def test_a_step_can_be_taken_back_for_seconds_with_and_without_script(web, incident) -> None:
    path = f"/incidents/{incident.id}"
    did = said(web.do(f"{path}/acknowledge", script=True, view="card"))
    assert (did["text"], did["undo"], did["seconds"]) == (
        "No. 1 · Acknowledged",
        f"{path}/undo",
        10,
    )
    assert said(web.do(did["undo"], script=True))["undo"] is None
    page = web.get(path)
    assert "wang took back the last step" in page
    assert "Waiting" in page
    page = web.do(f"{path}/acknowledge", view="card").text
    assert f'action="{path}/undo"' in page
    assert f'action="{path}/undo"' in web.get(path)
    web.folder.clock.advance(TAKEN.total_seconds() + 1)
    assert f'action="{path}/undo"' not in web.get(path)
    late = web.do(f"{path}/undo", status=409, script=True)
    assert "no longer possible" in late.text
    assert web.get(f"/?did={incident.id}").count("Undo") > 0  # an old address harms nothing


def test_who_comes_second_is_told_who_was_faster(web, incident) -> None:
    path = f"/incidents/{incident.id}"
    web.do(f"{path}/acknowledge", script=True)
    web.sign_in("boss")
    did = said(web.do(f"{path}/acknowledge", script=True))
    assert did["text"] == "No. 1 · wang was faster: Acknowledged"
    assert did["undo"] is None
    web.do(f"{path}/undo", status=409, script=True)


def test_deadlines_are_said_before_and_after(web, incident) -> None:
    desk = web.get("/")
    assert "To be seen by 20:03" in desk
    web.folder.clock.advance(200)
    assert "Should have been seen by 20:03" in web.get("/")
    web.do(f"/incidents/{incident.id}/acknowledge")
    assert "To be done by 20:30" in web.get("/")
    web.sign_in("wang", language="zh-CN")
    assert "请在 20:30 前处理完" in web.get("/")


def test_a_note_with_a_photograph_is_shown_to_those_who_may_look(web, incident) -> None:
    path = f"/incidents/{incident.id}"
    web.do(f"{path}/note", status=400)
    web.do(f"{path}/note", status=415, files={"photo": ("a.jpg", b"no picture", "image/jpeg")})
    text = "<b>门已关</b>"
    photo = {"photo": ("a.jpg", jpeg(), "image/jpeg")}
    page = web.do(f"{path}/note", words=text, files=photo).text
    assert "wang wrote it down" in page
    assert "&lt;b&gt;门已关&lt;/b&gt;" in page
    shown = re.search(rf'src="({path}/pictures/[^"]+)"', page)
    assert shown is not None
    answer = web.client.get(shown.group(1))
    assert answer.headers["content-type"] == "image/jpeg"
    other = web.ledger.tell(event(node=NODE, device=CAMERA, zone="other"))[0]
    web.get(shown.group(1).replace(incident.id, other.id), status=404)
    assert "too late" not in web.do(f"{path}/acknowledge").text


def test_what_happened_here_before_and_where_here_is(web, incident) -> None:
    elsewhere = web.ledger.tell(event(node=NODE, device="cam-9", zone="z"))[0]
    earlier = web.ledger.tell(event(node=NODE, device=CAMERA, zone="first"))[0]
    web.do(f"/incidents/{earlier.id}/false-alarm")
    page = web.get(f"/incidents/{incident.id}")
    past = page.partition("What happened here before")[2].partition("</section>")[0]
    assert f"/incidents/{earlier.id}" in past
    assert "False alarm" in past
    assert elsewhere.id not in past
    way = re.search(r'<ol class="way".*?</ol>', page, re.DOTALL)
    assert way is not None
    assert re.findall("<li>(.*?)</li>", way.group(0)) == ["春晖", "Building 3", "1 号电梯"]


def test_pictures_stand_in_a_strip_only_when_there_are_several(web) -> None:
    ids = [web.folder.event().id for _ in range(3)]
    services = web.client.app.state.services
    kept = [
        services.evidence.hand_in(SITE, jpeg((64 + index, 48)), web.folder.clock.now(), area=AREA)
        for index in range(2)
    ]
    shot = [Picture(redaction="heads", id=one) for one in kept]
    one = web.ledger.tell(event(episode="a", event_id=ids[0], picture=shot[0]))[0]
    assert 'class="strip"' not in web.get(f"/incidents/{one.id}")
    web.ledger.tell(event(episode="b", event_id=ids[1], time=5, picture=shot[1]))
    assert [name in strip(web, one) for name in kept] == [True, True]
    gone = Picture(redaction="heads", id="0" * 36)
    web.ledger.tell(event(episode="c", event_id=ids[2], time=6, picture=gone))
    assert "0" * 36 not in strip(web, one)


def strip(web: Web, one: Incident) -> str:
    return (
        web.get(f"/incidents/{one.id}").partition('<section class="strip"')[2].partition("</s")[0]
    )


def test_from_an_incident_one_looks_through_its_camera_if_one_may(web, incident) -> None:
    link = f'href="/cameras/{NODE}/{CAMERA}?incident={incident.id}"'
    assert link in web.get(f"/incidents/{incident.id}")
    web.sign_in("guest")
    assert link not in web.get(f"/incidents/{incident.id}")


def test_who_only_sees_gets_no_way_to_act(web, incident) -> None:
    web.do(f"/incidents/{incident.id}/acknowledge")
    web.sign_in("guest")
    page = web.get(f"/incidents/{incident.id}")
    assert "Write a note" not in page.partition("<dialog")[0]
    assert "/undo" not in page
    for deed in ("undo", "note", "acknowledge"):
        web.do(f"/incidents/{incident.id}/{deed}", status=403, words="x")
