"""Rosters, ladders, routes, deadlines, contacts and people as forms, on a real store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import arranging
import pytest
from arranging import said, sign_in
from fastapi.testclient import TestClient
from house import Folder
from msgspec.structs import replace

from ingest.notify_settings import Notify, WecomBotSettings

# The folder's clock stands at Monday 2026-03-02 20:00 in Shanghai.
PAPERS = "/settings/papers"
CALLS = "/settings/calls"
ROSTER = "/settings/rosters/night"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    for made in arranging.folder(tmp_path):
        channels = (WecomBotSettings(name="bot"),)
        made.settings = replace(made.settings, notify=Notify(channels=channels))
        yield made


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    yield from arranging.client(folder)


@pytest.fixture
def token(client: TestClient) -> str:
    token = sign_in(client, "boss")
    for what, values in (
        ("team", {"id": "night", "label": "夜班"}),
        ("person", {"id": "li", "label": "李雷", "role": "duty", "team": "night"}),
        ("person", {"id": "wu", "label": "<b>吴</b>", "role": "manager", "languages": "zh"}),
    ):
        made = client.post(f"/settings/people/{what}", data={"csrf_token": token, **values})
        assert "Saved." in said(made), said(made)
    return token


def press(client: TestClient, token: str, path: str, tag: str | None = None, **form: Any) -> Any:
    """Send a form as the page shows it: with the tag that stands in it."""
    if tag is None:
        found = re.search(r'name="tag" value="([^"]*)"', client.get(path).text)
        tag = found[1] if found else ""
    return client.post(path, data={"csrf_token": token, "tag": tag, **form})


SHIFT = {"shifts[0].begin": "20:00", "shifts[0].end": "08:00", "shifts[0].people": "li"}


def test_roster_shows_its_gaps_and_a_turn_is_swapped_and_taken_back(
    client: TestClient, token: str
) -> None:
    done = press(client, token, f"{PAPERS}/roster/night", **SHIFT)
    assert "李雷 · until Tue, Mar 3 08:00" in said(done)
    page = said(client.get(ROSTER))
    assert page.count('class="duty-gap"') >= 7, "days without anybody stand out"
    assert '<span class="duty-hours">20:00–24:00</span> 李雷' in page
    form = {"person": "li", "by": "wu", "begin": "2026-03-03T20:00", "end": "2026-03-04T00:00"}
    known = re.search(r'name="tag" value="([^"]*)"', client.get(ROSTER).text)
    assert known is not None
    swapped = said(press(client, token, f"{ROSTER}/swap", tag=known[1], **form))
    assert "<b>吴</b> instead of 李雷" in swapped
    assert '<span class="duty-hours">20:00–24:00</span> <b>吴</b>' in swapped
    again = said(press(client, token, f"{ROSTER}/swap", tag=known[1], **form))
    assert again.count("instead of 李雷 ·") == 1, "a button pressed twice swaps once"
    wrong = {**form, "end": "2026-03-03T19:00"}
    fresh = re.search(r'name="tag" value="([^"]*)"', client.get(ROSTER).text)
    assert fresh is not None
    refused = press(client, token, f"{ROSTER}/swap", tag=fresh[1], **wrong)
    assert refused.status_code == 422
    assert "It must end after it begins" in said(refused)
    back = said(press(client, token, f"{ROSTER}/swap/0/remove", tag=fresh[1]))
    assert "instead of 李雷 ·" not in back


def test_plan_from_a_file_is_looked_at_first(client: TestClient, token: str) -> None:
    sheet = "日期,开始,结束,姓名\n2026-03-05,08:00,20:00,李雷\n".encode("gbk")
    path = f"{ROSTER}/import"
    looked = client.post(path, data={"csrf_token": token}, files={"file": ("a.csv", sheet)})
    shown = said(looked)
    assert "<td>2026-03-05</td><td>—</td><td>08:00-20:00 li</td>" in shown
    assert "Nobody would be on duty" in shown
    text = re.search(r'<textarea name="text"[^>]*>\n(.*?)</textarea>', looked.text, re.DOTALL)
    seen = re.search(r'name="seen" value="([^"]+)"', looked.text)
    assert text is not None
    assert seen is not None
    form = {"csrf_token": token, "seen": seen[1], "text": text[1]}
    done = client.post(path, data=form, files={"none": ("", b"")})
    assert "Saved." in said(done)
    assert "1 shift is written down for its own date" in said(done)
    bad = "日期,开始,结束,姓名\n2026-03-05,08:00,20:00,韩梅梅\n".encode()
    refused = client.post(path, data={"csrf_token": token}, files={"file": ("a.csv", bad)})
    assert "Nobody here is called: 韩梅梅" in said(refused)


def test_what_would_happen_at_three_at_night(client: TestClient, token: str) -> None:
    asked = {"event": "ebike-in-elevator", "at": "2026-03-03T03:00"}
    assert "Nobody would be told: no route takes it." in said(client.get(CALLS, params=asked))
    press(client, token, f"{PAPERS}/roster/night", **SHIFT)
    routes = {"routes[0].team": "night", "routes[0].ladder": "lifts"}
    refused = press(client, token, f"{PAPERS}/routes/all", **routes)
    assert refused.status_code == 422
    assert 'id="f-routes-0-ladder-wrong">There is no such ladder' in said(refused)
    rungs = {
        "rungs[0].who": "on-duty",
        "rungs[1].who": "supervisor",
        "rungs[1].after": "7",
        "rungs[1].after.unit": "min",
        "rounds": "1",
    }
    assert "7 min: Managers" in said(press(client, token, f"{PAPERS}/ladder/lifts", **rungs))
    saved = said(press(client, token, f"{PAPERS}/routes/all", **routes))
    assert "<td>everything else</td><td>夜班</td><td>lifts</td>" in saved
    way = {"ways[0].channel": "bot", "ways[0].address": "KEY"}
    quiet = {"ways[0].quiet.begin": "22:00", "ways[0].quiet.end": "06:00"}
    press(client, token, f"{PAPERS}/contacts/person:li", **way)
    press(client, token, f"{PAPERS}/contacts/person:wu", **way, **quiet)
    night = said(client.get(CALLS, params={**asked, "severity": "high"}))
    assert "✓ 李雷 by bot" in night
    assert "✓ <b>吴</b> by bot, after quiet hours, at Mar 3 06:00:00" in night
    assert "KEY" not in night
    used = press(client, token, f"{PAPERS}/ladder/lifts/remove", tag=_tag(client, "ladder/lifts"))
    assert "Routes go by it" in said(used)


def test_order_of_routes_and_a_line_taken_out(client: TestClient, token: str) -> None:
    both = {
        "routes[0].team": "night",
        "routes[0].event": "water-leak",
        "routes[1].team": "night",
        "routes[1].severities": "low",
    }
    press(client, token, f"{PAPERS}/routes/all", **both)
    swapped = {**both, "routes[0].place": "2", "routes[1].place": "1"}
    saved = said(press(client, token, f"{PAPERS}/routes/all", **swapped))
    assert saved.index("<td>Low</td><td>夜班") < saved.index("<td>Water leak</td><td>夜班")
    less = {**both, "routes[0].gone": "yes"}
    saved = said(press(client, token, f"{PAPERS}/routes/all", **less))
    assert "<td>Water leak</td><td>夜班" not in saved
    log = said(client.get(f"{PAPERS}/routes/all"))
    assert "Version 3 · boss" in log


def test_deadlines_and_the_second_of_two_editors(client: TestClient, token: str) -> None:
    path = f"{PAPERS}/deadlines/all"
    form = {
        "severities.critical.acknowledge": "2",
        "severities.critical.acknowledge.unit": "min",
        "events[0].event": "water-leak",
        "events[0].resolve": "1",
        "events[0].resolve.unit": "h",
    }
    saved = said(press(client, token, path, **form))
    assert "<td>Critical</td><td>2 min</td><td>—</td>" in saved
    assert "<td>Water leak</td><td>—</td><td>1 h</td>" in saved
    assert press(client, token, path, tag="", **form).status_code == 200, "pressed twice"
    other = {**form, "severities.critical.acknowledge": "9"}
    late = press(client, token, path, tag="", **other)
    assert late.status_code == 422
    assert "boss changed this at today" in said(late)
    assert 'value="9"' in late.text
    assert "9 min" not in said(client.get(CALLS))
    bad = press(client, token, path, **{**form, "severities.critical.acknowledge": "soon"})
    assert bad.status_code == 422


def test_people_and_what_reaches_them(client: TestClient, token: str) -> None:
    page = said(client.get("/settings/people"))
    assert page.index("夜班") < page.index("李雷") < page.index("Without a team")
    assert "<b>吴</b>" in page
    assert "&lt;b&gt;吴" in client.get("/settings/people").text
    assert page.count("Cannot be reached") == 2
    way = {"ways[0].channel": "bot", "ways[0].address": "KEY"}
    press(client, token, f"{PAPERS}/contacts/person:li", **way)
    page = said(client.get("/settings/people"))
    assert "Hears by: WeCom group bot" in page
    assert "KEY" not in page
    wrong = {"name": "li", "label": "李雷", "role": "duty", "phone": "call me"}
    path = "/settings/people/person"
    shown = client.get(f"{path}/li").text
    tag = re.search(r'name="tag" value="([^"]+)"', shown)
    assert tag is not None
    refused = press(client, token, path, tag=tag[1], **wrong)
    assert 'id="f-phone-wrong">a telephone number' in said(refused)
    taken = press(client, token, path, tag="", id="li", label="other", role="duty")
    assert "This short name is taken" in said(taken)
    gone = press(client, token, path, tag="x-old", name="li", label="mine", role="duty")
    assert "Somebody changed this meanwhile" in said(gone)
    done = press(
        client, token, path, tag=tag[1], name="li", label="李雷", role="duty", retired="yes"
    )
    assert "李雷" not in said(done)


@pytest.mark.parametrize(
    "path",
    [
        f"{PAPERS}/contacts/person:li",
        f"{PAPERS}/routes/all",
        f"{PAPERS}/roster/night",
        "/settings/people/new",
        "/settings/people/person/li",
    ],
    ids=("contacts", "routes", "roster", "new", "person"),
)
def test_duty_reads_and_does_not_arrange(client: TestClient, token: str, path: str) -> None:
    own = sign_in(client, "wang")
    assert client.get(path).status_code == 403
    to = "/settings/people/person" if "people" in path else path
    assert press(client, own, to, tag="", label="x").status_code == 403
    assert "李雷" in said(client.get("/settings/people"))
    assert "Change" not in said(client.get(ROSTER))
    assert "Cannot be reached" not in said(client.get("/settings/people"))
    sign_in(client, "guest")
    for shut in (CALLS, ROSTER, "/settings/rosters", "/settings/people"):
        assert client.get(shut).status_code == 403
    assert token


def _tag(client: TestClient, paper: str) -> str:
    found = re.search(r'name="tag" value="([^"]*)"', client.get(f"{PAPERS}/{paper}").text)
    assert found is not None
    return found[1]
