"""Shelving, labels, parts and work orders on the page of an incident: real services and files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import PASSWORDS, Folder, jpeg
from ledger import Ledger, event, silent

from dashboards.web import mount
from ingest.app import create_app
from ingest.incidents.incident import Incident


class Web:
    """The pages over a ledger, and someone signed in."""

    def __init__(self, folder: Folder, client: TestClient) -> None:
        self.folder = folder
        self.client = client
        self.ledger = Ledger(folder.state)

    def sign_in(self, name: str, language: str = "en") -> None:
        self.client.headers["accept-language"] = language
        self.client.post(
            "/login", data={"name": name, "password": PASSWORDS[name][1]}, follow_redirects=False
        )

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def do(self, path: str, *, status: int = 200, files=None, **form: object) -> str:
        token = re.search(
            r'<meta name="csrf" content="([^"]+)">', self.client.get("/settings/password").text
        )
        assert token is not None
        data = {"csrf_token": token.group(1), **form}
        answer = self.client.post(path, data=data, files=files)
        assert answer.status_code == status, answer.text
        return answer.text


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
    return web.ledger.tell(event())[0]


def test_shelving_moves_it_aside_and_back(web: Web, incident: Incident) -> None:
    page = f"/incidents/{incident.id}"
    text = web.do(f"{page}/shelve", minutes=120)
    assert "Shelved until today 22:00:00" in text
    assert "wang shelved it until today 22:00:00" in text
    desk = web.get("/")
    assert "All quiet" in desk
    assert '<section class="group group-shelved"' in desk
    text = web.do(f"{page}/unshelve")
    assert "Calls are no longer held back" in text
    assert "group-shelved" not in web.get("/")
    web.do(f"{page}/shelve", minutes=99_999, status=400)


def test_what_it_was(web: Web, incident: Incident) -> None:
    page = f"/incidents/{incident.id}"
    assert "wang marked it: Drill" in web.do(f"{page}/drill")
    assert "wang marked it: Confirmed" in web.do(f"{page}/true-alarm")
    assert "This is resolved" in web.do(f"{page}/false-alarm")
    assert "wang took it up again" in web.do(f"{page}/resume")
    web.do(f"{page}/nonsense", status=400)


def test_a_part_stands_with_what_it_is_part_of(web: Web) -> None:
    box, _ = web.ledger.tell(silent("self", 0))
    camera, _ = web.ledger.tell(silent("cam-1", 1))
    desk = web.get("/")
    assert box.id in desk
    assert camera.id not in desk
    assert "1 more is part of it" in desk
    text = web.get(f"/incidents/{box.id}")
    assert f'href="/incidents/{camera.id}"' in text
    assert "What is part of it" in text
    text = web.get(f"/incidents/{camera.id}")
    assert f'href="/incidents/{box.id}"' in text
    assert "It is part of another incident" in text


def test_a_storm_has_words(web: Web) -> None:
    for number in range(12):
        web.ledger.tell(event(device=f"cam-{number}", episode=f"e{number}", time=number))
    desk = web.get("/")
    assert "Many alarms at once" in desk
    assert "Whole site" in desk
    assert "12 more are part of it" in desk
    web.sign_in("wang", "zh-CN")
    assert "短时间内大量告警" in web.get("/?lang=zh-CN")


def test_a_work_order_from_beginning_to_end(web: Web, incident: Incident) -> None:
    page = f"/incidents/{incident.id}"
    text = web.do(f"{page}/order", assignee="wang", note="check the lamp")
    assert "wang gave it to wang" in text
    assert "check the lamp" in text
    order = re.search(r'action="/orders/([0-9a-f-]{36})/accept"', text)
    assert order is not None
    path = f"/orders/{order.group(1)}"
    assert "Being done" in web.do(f"{path}/accept")
    photo = {"photo": ("p.jpg", jpeg((2000, 1500)), "image/jpeg")}
    text = web.do(f"{path}/done", words="new lamp", files=photo)
    assert "Done, waits to be checked" in text
    assert f'src="{path}/picture"' in text
    shown = web.client.get(f"{path}/picture")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    web.do(f"{path}/check", status=403)
    web.sign_in("boss")
    assert "not done yet" in web.do(f"{path}/send-back", note="still dark")
    web.sign_in("wang")
    web.do(f"{path}/done", words="new switch")
    web.sign_in("boss")
    assert "boss checked it: well done" in web.do(f"{path}/check")
    assert "boss rated it: 4 of 5" in web.do(f"{path}/rate", stars=4)
    web.do(f"{path}/rate", stars=9, status=400)
    web.do(f"{path}/accept", status=409)


def test_a_picture_that_is_none_is_refused_in_words(web: Web, incident: Incident) -> None:
    text = web.do(f"/incidents/{incident.id}/order", assignee="wang")
    order = re.search(r'action="(/orders/[0-9a-f-]{36})/accept"', text)
    assert order is not None
    web.do(f"{order.group(1)}/accept")
    photo = {"photo": ("p.gif", b"GIF89a", "image/gif")}
    text = web.do(f"{order.group(1)}/done", words="done", files=photo, status=415)
    assert "Send it as JPEG" in text
    assert "Being done" in web.get(f"/incidents/{incident.id}")


def test_who_may_only_look_sees_no_form_of_it(web: Web, incident: Incident) -> None:
    web.do(f"/incidents/{incident.id}/order", assignee="wang")
    web.sign_in("guest")
    text = web.get(f"/incidents/{incident.id}")
    assert "Given out, not yet accepted" in text
    assert "/orders/" not in text
    assert "shelve" not in text
    web.do(f"/incidents/{incident.id}/order", assignee="wang", status=403)


def test_what_is_written_on_an_order_stays_text(web: Web, incident: Incident) -> None:
    evil = "<img src=x onerror=alert(1)>"
    text = web.do(f"/incidents/{incident.id}/order", assignee="wang", note=evil)
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<img src=x" not in text


def test_times_are_those_of_the_site(web: Web) -> None:
    """The folder's clock stands at noon UTC, which is 20:00 in the community."""
    one, _ = web.ledger.tell(event())
    web.ledger.silence(0, 3600)
    web.ledger.recheck(one, 1)
    assert "A silence holds back calls until today 21:00:00" in web.get(f"/incidents/{one.id}")
