"""System health: everything that is wrong in words of both languages, with what to press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from doctor_codes import every_code
from fastapi.testclient import TestClient
from house import NODE, PASSWORDS, Folder

from dashboards.web import mount
from dashboards.web.repair_words import ADVICE, OTHER
from dashboards.web.repairs import RIGHTS
from dashboards.web.settings_pages import DOORS
from dashboards.web.words import Words
from ingest.app import create_app
from ingest.repairs import book
from ingest.repairs.finding import Finding, settled
from ingest.store.engine import writing

HOUR = timedelta(hours=1)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


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
    with TestClient(app, base_url="http://linli.test", follow_redirects=False) as client:
        yield client


def as_who(client: TestClient, name: str, language: str = "en") -> None:
    client.cookies.clear()
    client.headers["accept-language"] = language
    client.post("/login", data={"name": name, "password": PASSWORDS[name][1]})


def text_of(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def put(folder: Folder, *found: Finding) -> None:
    now = folder.clock.now()
    with writing(folder.state) as connection:
        book.write(connection, settled(found, {}, now), now)


def test_every_code_has_words_in_both_languages() -> None:
    assert set(ADVICE) == every_code()
    chinese = Words("zh-CN", {})
    for advice in (*ADVICE.values(), OTHER):
        for text in filter(None, advice[:3]):
            assert CHINESE.search(chinese.say(text)), text
    doors = {one.path: one.right for one in DOORS} | {"/devices": "see"}
    assert {one.path for one in ADVICE.values()} - {""} == set(RIGHTS)
    assert {path: doors[path] for path in RIGHTS} == RIGHTS


def test_green_only_when_somebody_looked(folder: Folder, client: TestClient) -> None:
    as_who(client, "wang")
    assert "Nobody has looked yet" in text_of(client, "/health")
    put(folder)
    page = text_of(client, "/health")
    assert "Everything works. Nothing needs to be done." in page
    assert "Not looked at from here" in page
    folder.clock.advance(600)
    page = text_of(client, "/health")
    assert "Nobody has looked since" in page
    assert "Everything works" not in page


def test_what_is_wrong_since_when_what_it_means_what_to_press(
    folder: Folder, client: TestClient
) -> None:
    now = folder.clock.now()
    disk = "0.1 GB are free on the disk of /srv/linli"
    put(
        folder,
        Finding(code="edge-disk", level="warning", what="x", about=NODE),
        Finding(code="disk-low", level="bad", what=disk, since=now - 3 * HOUR, do="Make <room>"),
        Finding(code="notify-dead", level="warning", what="5 were given up"),
        Finding(code="<new>", level="warning", what="y"),
    )
    as_who(client, "boss")
    page = text_of(client, "/health")
    assert page.index('id="disk-low"') < page.index('id="edge-disk"'), "the worst first"
    assert "disk is nearly full" in page
    assert "3 hours ago" in page
    assert "edge boxes hold what they saw" in page
    assert disk in page
    assert "Make &lt;room&gt;" in page
    assert "Box: 3 号楼" in page
    assert "Something else is wrong" in page
    assert '<a class="big second" href="/channels">' in page
    as_who(client, "wang", "zh-CN")
    page = text_of(client, "/health")
    assert "服务器硬盘快满了" in page
    assert "/srv/linli" not in page, "no path for the duty desk"
    assert 'href="/channels"' not in page, "no way to a page that would refuse"
    as_who(client, "guest")
    assert client.get("/health").status_code == 403


def test_a_strip_on_the_desk_and_the_wall(folder: Folder, client: TestClient) -> None:
    as_who(client, "wang")
    put(folder, Finding(code="edge-disk", level="warning", what="x", about=NODE))
    assert 'class="trouble"' not in text_of(client, "/"), "a warning is no strip"
    assert re.search(r'<a class="tile[^>]* href="/health"', text_of(client, "/"))
    found = [Finding(code=one, level="bad", what="x") for one in ("chain-silent", "disk-low")]
    put(folder, *found)
    for path in ("/", "/wall"):
        page = text_of(client, path)
        strip = page[page.index('trouble">' if path == "/wall" else 'class="trouble"') :]
        assert "Test reports do not come through" in strip, path
        assert "and 1 more" in strip, path
    as_who(client, "guest")
    page = text_of(client, "/")
    assert "The system has trouble" not in page
    assert 'href="#chain"' in page
    as_who(client, "wang")
    folder.clock.advance(600)
    assert "The system has trouble" not in text_of(client, "/"), "old news"
