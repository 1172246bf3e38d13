"""Drills: an incident that is marked everywhere, and has no effect on anything real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from house import ADMIN, CAMERA, GUEST, NODE, NOON, SITE, Folder, running, sign_in

from dashboards.web.notices import WebWording
from ingest.incidents import flow
from ingest.incidents.drill import Drill, beginning, ending
from ingest.incidents.facts import Case, StaffFact, Tick, event_fact
from ingest.incidents.fold import fold
from ingest.incidents.machine import decide
from ingest.influx.transitions import Course, points_of_incident
from ingest.refusal import Clash, NotAllowed
from ingest.services import Services
from ingest.services.counts import Filter
from ingest.store.engine import reading, writing
from linli.cli.main import command
from linli.topics import Topic

WHERE = {"node": NODE, "device": CAMERA}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    with running(folder) as client:
        client.headers.update(sign_in(client, "wang"))
        yield client


def services(client: TestClient) -> Services:
    found: Services = client.app.state.services  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("call", [False, True])
def test_it_calls_people_only_when_it_asks_for_that(folder: Folder, call: bool) -> None:
    now = folder.clock.now()
    fact = beginning(Drill(**WHERE, call=call), (SITE, "b03"), "one", "user:wang", now)
    rows = decide(Case(fresh_id="i", fresh_number=7), fact, now)
    one = fold(rows)
    assert (one.label, one.key.drill, one.exempt) == ("drill", True, True)
    assert (rows[0].page, rows[0].why) == (("call", "new") if call else ("hold", "drill"))
    seen = decide(Case(incident=one), StaffFact(wish="acknowledge", actor="user:li"), now)
    assert [row.page for row in seen] == (["tell"] if call else [None])
    after, pages = fold((*rows, *seen)), []
    for minutes in (31, 61):  # reminded, and then it waits for someone again
        more = decide(Case(incident=after), Tick(), now + timedelta(minutes=minutes))
        after, pages = fold((*rows, *seen, *more)), [*pages, *(row.page for row in more)]
    assert set(pages) == ({"call"} if call else {"hold"})
    over = decide(Case(incident=one, episode="active"), ending(one, "user:wang", now), now)
    assert [row.step for row in over] == ["cleared"]


def test_what_really_happens_there_meanwhile_is_an_incident_of_its_own(
    client: TestClient, folder: Folder
) -> None:
    made = client.post("/api/v1/drills", json={**WHERE, "event": "ebike-in-elevator"})
    assert made.status_code == 201
    assert made.json()["label"] == "drill"
    now = folder.clock.now()
    message = folder.event(name="ebike-in-elevator", severity="critical", zone=None)
    topic = Topic(SITE, "b03", NODE, CAMERA, "event", "ebike-in-elevator")
    with writing(folder.state) as connection:
        real, rows = flow.take(connection, event_fact(topic, message, now, timedelta()))
    assert real.label is None
    assert rows[0].page == "call"
    assert {one.label for one in services(client).incidents.list(ADMIN).items} == {None, "drill"}


def test_it_is_marked_and_left_out_of_figures(client: TestClient, folder: Folder) -> None:
    made = services(client).drills.start(ADMIN, Drill(**WHERE), folder.clock.now())
    now = folder.clock.now()
    with reading(folder.reader("state")) as connection:
        told = WebWording().story(connection, made, "zh")
    assert told.what.startswith("演练")
    assert "119" not in told.todo
    assert "drill:" not in told.where
    span = (now - timedelta(hours=1), now + timedelta(hours=1))
    assert services(client).statistics.handling(ADMIN, *span, now).all.incidents == 0
    counted = services(client).counts.counts(
        ADMIN, *span, now, what="opened", by=None, step=None, only=Filter()
    )
    assert sum(one.count or 0 for one in counted.rows) == 0
    rows = services(client).incidents.newest(ADMIN, made.id, 10)
    assert list(points_of_incident(rows, {row.id for row in rows}, Course())) == []
    figures = services(client).metrics.text().decode()
    assert 'linli_incidents_unresolved{severity="critical",state="open"} 0.0' in figures


def test_nothing_is_switched_for_it_and_it_stays_a_drill(
    client: TestClient, folder: Folder
) -> None:
    made = client.post("/api/v1/drills", json=WHERE).json()["id"]
    for label, status in (("true-alarm", 409), ("false-alarm", 409), ("drill", 200)):
        answer = client.post(f"/api/v1/incidents/{made}/label", json={"label": label})
        assert answer.status_code == status
    commands = services(client).commands
    commands._submit = lambda one: pytest.fail("was sent")
    with pytest.raises(Clash, match="drill"):
        commands.issue(
            ADMIN,
            (NODE, CAMERA),
            "door-hold",
            folder.clock.now(),
            reason="try",
            seconds=5,
            incident=made,
        )


def test_it_ends_once_and_only_drills_do(client: TestClient) -> None:
    made = client.post("/api/v1/drills", json=WHERE).json()["id"]
    assert [one["id"] for one in client.get("/api/v1/drills").json()["items"]] == [made]
    for _ in range(2):
        assert client.post(f"/api/v1/drills/{made}/end").json()["state"] == "resolved"
    assert client.get("/api/v1/drills").json()["items"] == []
    assert client.post("/api/v1/drills/none/end").status_code == 404
    assert client.post("/api/v1/drills", json={**WHERE, "device": "none"}).status_code == 404
    assert client.post("/api/v1/drills", json={**WHERE, "event": "war"}).status_code == 422
    with pytest.raises(NotAllowed):
        services(client).drills.start(GUEST, Drill(**WHERE), NOON)


def test_the_command_line_begins_and_ends_them(folder: Folder, tmp_path: Path) -> None:
    config = tmp_path / "ingest.toml"
    config.write_text(f'data = "{folder.path}"\n[site]\nid = "{SITE}"\nlabel = "x"\n{folder.toml}')

    def linli(*words: str) -> str:
        done = CliRunner().invoke(command, ["drill", *words, "--config", str(config)])
        assert done.exception is None, done.output
        return done.output

    assert "no drill goes on" in linli("list")
    made = json.loads(linli("start", f"{NODE}/{CAMERA}", "--event", "smoke", "--json"))
    number = made["drills"][0]["number"]
    assert f"#{number} smoke" in linli("list")
    assert "resolved" in linli("end", str(number))
    assert "no drill goes on" in linli("end")
    wrong = CliRunner().invoke(command, ["drill", "start", "c001-n99/x", "--config", str(config)])
    assert "registry export" in str(wrong.exception)
    wrong = CliRunner().invoke(command, ["drill", "end", "99", "--config", str(config)])
    assert "no such drill" in str(wrong.exception)
