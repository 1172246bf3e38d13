"""The page of boxes that join: a code is shown once, a box is shut out, by administrators alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from house import NODE, PASSWORDS, Folder

from dashboards.web.mount import mount
from ingest.app import create_app
from ingest.door import book as door
from ingest.store.engine import writing

HERE = "/settings/joining"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        client.post(
            "/login",
            data={"name": "boss", "password": PASSWORDS["boss"][1]},
            follow_redirects=False,
        )
        yield client
    folder.close()


def test_a_code_is_made_ended_and_a_box_is_shut_out(client: TestClient) -> None:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(HERE).text)
    assert found
    csrf = {"csrf_token": found.group(1)}
    made = client.post(HERE, data={**csrf, "node": "c001-n09", "area": "b07", "label": "<b>x"}).text
    secret = re.search(r'class="secret">([0-9A-Z-]{14})<', made)
    assert secret
    assert "<b>x" not in made
    shown = client.get(HERE).text
    assert secret.group(1) not in shown
    end = re.search(rf'action="({HERE}/[^/"]+/end)"', shown)
    assert end
    assert client.post(end.group(1), data=csrf, follow_redirects=False).status_code == 303
    assert "c001-n09" not in client.get(HERE).text.replace('placeholder="c001-n02"', "")
    wrong = client.post(f"{HERE}?lang=zh-CN", data={**csrf, "node": "坏", "area": "b07"})
    assert wrong.status_code == 400
    out = client.post(f"{HERE}/boxes/{NODE}/shut-out", data=csrf, follow_redirects=False)
    assert out.status_code == 303
    assert "linli broker keep" in client.get(HERE).text
    assert client.post(HERE, data={"node": "c001-n09", "area": "b07"}).status_code == 403


def test_who_was_not_let_in_and_who_floods_is_said(client: TestClient) -> None:
    assert "203.0.113.9" not in client.get(HERE).text
    app = client.app
    assert isinstance(app, FastAPI)
    house = app.state.house
    with writing(house.state_writer) as connection:
        now = house.clock.now()
        door.note(connection, "203.0.113.9", "tls", now, times=41, sure=False)
        door.note(connection, "<b>", "name", now, times=1, sure=True)
        door.keep_retained(connection, 99_999, now)
    shown = client.get(f"{HERE}?lang=en").text
    for text in ("from 203.0.113.9", "41 times", "no or a wrong certificate", "at the same moment"):
        assert text in shown
    assert "keeps 99999 messages" in shown
    assert "from <b>" not in shown
    chinese = client.get(f"{HERE}?lang=zh-CN").text
    assert "来自 203.0.113.9" in chinese
