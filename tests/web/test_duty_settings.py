"""Rosters, ladders, routes, deadlines, contacts and people as forms, on a real store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import arranging
import pytest
import sqlalchemy as sa
from arranging import said, sign_in
from fastapi.testclient import TestClient
from house import NOON, Folder
from kept import keep
from msgspec.structs import replace

from ingest.notify.message import Failed, Sent
from ingest.notify.wecom_bot import WecomBot
from ingest.notify_settings import Notify, WecomBotSettings
from ingest.store.engine import writing
from ingest.store.incidents import incident

# The folder's clock stands at Monday 2026-03-02 20:00 in Shanghai.
PAPERS = "/settings/papers"
CALLS = "/settings/calls"
ROSTER = "/settings/rosters/night"


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Folder]:
    for made in arranging.folder(tmp_path):
        channels = getattr(request, "param", (WecomBotSettings(name="bot"),))
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
    assert "2026-03-05 08:00–20:00 李雷" in said(done)
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
    assert "Last changed by boss" in said(client.get(f"{PAPERS}/routes/all"))
    log = said(client.get(f"{PAPERS}/routes/all/log"))
    assert "In another order" in log
    assert "Taken out: Goes to the team: 夜班 · Only this kind of incident: Water leak" in log
    tag = _tag(client, "routes/all")
    back = press(client, token, f"{PAPERS}/routes/all/log/1", tag=tag)
    assert said(back).index("<td>Water leak</td><td>夜班") < said(back).index(
        "<td>Low</td><td>夜班"
    )
    late = press(client, token, f"{PAPERS}/routes/all/log/2", tag=tag)
    assert late.status_code == 422
    assert "Somebody changed this meanwhile" in said(late)
    assert "Back to version 1" in said(client.get(f"{PAPERS}/routes/all/log"))


@pytest.mark.parametrize("folder", [()], indirect=True, ids=["nobody-told"])
def test_what_would_change_is_looked_at_before_it_is_saved(
    folder: Folder, client: TestClient, token: str
) -> None:
    for minutes, level in ((1, "high"), (9, "high"), (9, "low")):
        keep(folder, ("opened", NOON), area="b03", event="water-leak", severity=level)
        opened = f'"opened":"{NOON - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"'
        with writing(folder.state) as connection:
            newest = sa.select(incident.c.id, incident.c.body).order_by(incident.c.number.desc())
            name, body = connection.execute(newest.limit(1)).one()
            new = body.replace(f'"opened":"{NOON.isoformat()}"', opened)
            connection.execute(incident.update().where(incident.c.id == name).values(body=new))
    route = {"routes[0].team": "night", "routes[0].severities": "high"}
    shown = said(press(client, token, f"{PAPERS}/routes/all", do="look", **route))
    assert "New: Goes to the team: 夜班 · Only when it is: High" in shown
    assert "夜班: incidents 0 → 2" in shown
    assert "nobody: incidents 3 → 1" in shown
    assert "Nothing is saved yet." in shown
    assert "There is no route" in said(client.get(CALLS))
    press(client, token, f"{PAPERS}/routes/all", **route)
    rungs = {"rungs[0].who": "on-duty", "rungs[1].who": "supervisor", "rungs[1].after": "7"}
    ladder = said(press(client, token, f"{PAPERS}/ladder/usual", do="look", **rungs))
    assert "Who is on duty after 0 s: incidents 2 of 2" in ladder
    assert "Managers after 7 min: incidents 1 of 2" in ladder
    limits = {"severities.high.acknowledge": "5", "severities.high.acknowledge.unit": "min"}
    assert "Seen in time: " in said(
        press(client, token, f"{PAPERS}/deadlines/all", do="look", **limits)
    )
    less = {**SHIFT, "shifts[0].days": "1"}
    press(client, token, f"{PAPERS}/roster/night", **SHIFT)
    roster = said(press(client, token, f"{PAPERS}/roster/night", do="look", **less))
    assert "Taken out: From: 20:00 · Until: 08:00 · People: 李雷" in roster
    assert "Nobody would be on duty: " in roster
    assert (
        press(
            client, token, f"{PAPERS}/roster/night", do="look", **{**SHIFT, "shifts[0].begin": "25"}
        ).status_code
        == 422
    )


def test_a_shift_of_one_day_counts_instead_of_the_week(client: TestClient, token: str) -> None:
    press(client, token, f"{PAPERS}/roster/night", **SHIFT)
    form = {"dated.day": "2026-03-04", "dated.begin": "20:00", "dated.end": "22:00"}
    nobody = press(client, token, f"{ROSTER}/dated", tag=_tag(client, "roster/night"), **form)
    assert nobody.status_code == 422
    assert 'value="2026-03-04"' in nobody.text, "what was typed stays"
    form["dated.people"] = "wu"
    for _ in range(2):
        tag = _tag(client, "roster/night")
        done = said(press(client, token, f"{ROSTER}/dated", tag=tag, **form))
        assert done.count("2026-03-04 20:00–22:00 <b>吴</b>") == 1
    assert '<span class="duty-hours">20:00–22:00</span> <b>吴</b>' in done
    log = said(client.get(f"{PAPERS}/roster/night/log"))
    assert "New: 2026-03-04 20:00–22:00 <b>吴</b>" in log
    tag = _tag(client, "roster/night")
    back = said(press(client, token, f"{ROSTER}/dated/0/remove", tag=tag))
    assert "2026-03-04 20:00" not in back


def test_the_log_says_swaps_by_the_clocks_of_the_site(client: TestClient, token: str) -> None:
    press(client, token, f"{PAPERS}/roster/night", **SHIFT)
    path = "/api/v1/duty/rosters/night"
    headers = {"X-CSRF-Token": token, "If-Match": client.get(path).headers["etag"]}
    swap = {"person": "li", "begin": "2026-03-03T12:00:00Z", "end": "2026-03-03T16:00:00Z"}
    answer = client.patch(path, json={"swaps": [swap]}, headers=headers)
    assert answer.status_code == 200, answer.text
    log = said(client.get(f"{PAPERS}/roster/night/log"))
    assert "New: 李雷 is away · 2026-03-03 20:00 – 2026-03-04 00:00" in log


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


def test_a_test_message_to_one_person_and_who_changed_them(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    answers: list[Sent | Failed] = [
        Failed(code="40013", words="<i>no</i> such", advice="never"),
        Sent(),
    ]

    def send(_: object, message: object, address: str, now: object) -> Sent | Failed:
        sent.append(address)
        return answers.pop()

    monkeypatch.setattr(WecomBot, "send", send)
    page = "/settings/people/person/li"
    assert "Cannot be reached" in said(client.get(page))
    way = {"ways[0].channel": "bot", "ways[0].address": "KEY"}
    press(client, token, f"{PAPERS}/contacts/person:li", **way)
    shown = said(client.get(page))
    assert re.search(r"boss changed how they are reached.+boss made it", shown)
    done = press(client, token, f"{page}/test", tag="", way="0", channel="bot")
    assert "The provider took the test message" in said(done)
    refused = press(client, token, f"{page}/test", tag="", way="0", channel="bot")
    assert "&lt;i&gt;no&lt;/i&gt; such" in refused.text
    assert sent == ["KEY", "KEY"]
    for stale in ({"way": "1", "channel": "bot"}, {"way": "0", "channel": "other"}):
        late = press(client, token, f"{page}/test", tag="", **stale)
        assert late.status_code == 422
        assert "was changed meanwhile" in said(late)
    assert len(sent) == 2, "nothing went to whom it was not meant for"
    client.get("/settings/people/team/night")
    log = said(client.get("/settings/access"))
    assert re.search(r"looked at phones and addresses of.{0,80}team night", log)
    assert re.search(r"boss.{0,80}sent a test message by.{0,80}bot person:li", log)
    assert "KEY" not in log
    sign_in(client, "wang")
    assert client.get(page).status_code == 403
    assert press(client, token, f"{page}/test", tag="", way="0", channel="bot").status_code == 403


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
