"""Steps, labels and silences over REST."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import CAMERA, NODE, Folder, running, sign_in

from ingest.accounts.account import Viewer
from ingest.incidents.arrivals import Arrivals

PROBLEM = "application/problem+json"


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder):
    with running(folder) as client:
        yield client


def wait_for_incidents(client: TestClient, number: int) -> list[dict]:
    runner = client.app.state.house
    for _ in range(500):
        runner.wake()
        items = client.get("/api/v1/incidents").json()["items"]
        if len(items) == number:
            return items
    raise AssertionError(f"not {number} incidents: {items}")


def test_what_people_say_of_incidents_tells_how_right_a_camera_is(client, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    for zone in "abcde":
        folder.put_event(folder.event(zone=zone))
    items = wait_for_incidents(client, 5)
    precision = client.get("/api/v1/incidents/precision").json()["items"]
    assert [(one["unlabelled"], one["precision"]) for one in precision] == [(5, None)]
    for one, label in zip(
        items, ("true-alarm", "true-alarm", "false-alarm", "drill"), strict=False
    ):
        path = f"/api/v1/incidents/{one['id']}/label"
        answer = client.post(path, json={"label": label}, headers=headers)
        assert (answer.json()["label"], answer.json()["state"]) == (
            label,
            "resolved" if label == "false-alarm" else "open",
        )
    (one,) = client.get("/api/v1/incidents/precision").json()["items"]
    assert (one["device"], one["event"]) == (CAMERA, "zone-dwell")
    assert [one[name] for name in ("right", "wrong", "drills", "unlabelled")] == [2, 1, 1, 1]
    assert one["precision"] == pytest.approx(2 / 3)
    none = client.get("/api/v1/incidents/precision", params={"start": "2026-03-03T00:00:00Z"})
    assert none.json()["items"] == []
    place = client.get("/api/v1/incidents/precision", params={"device": f"{NODE}/other"})
    assert place.json()["items"] == []


def test_how_many_wait_by_severity(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    for zone in "abc":
        folder.put_event(folder.event(zone=zone))
    one, other, _ = wait_for_incidents(client, 3)
    client.post(f"/api/v1/incidents/{one['id']}/acknowledge", headers=headers)
    shelve = f"/api/v1/incidents/{other['id']}/shelve"
    client.post(shelve, json={"seconds": 3600}, headers=headers)
    found = client.get("/api/v1/incidents/waiting").json()
    level = one["severity"]
    assert found["severities"] == {
        each: int(each == level) for each in ("critical", "high", "medium", "low")
    }
    assert found["handled"] == 1


def test_shelving_and_taking_up_again(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    folder.put_event(folder.event())
    (one,) = wait_for_incidents(client, 1)
    base = f"/api/v1/incidents/{one['id']}"
    shelved = client.post(f"{base}/shelve", json={"seconds": 3600}, headers=headers).json()
    assert shelved["shelved_until"] == "2026-03-02T13:00:00Z"
    aside = client.get("/api/v1/incidents", params={"standing": "shelved"}).json()["items"]
    assert [found["id"] for found in aside] == [one["id"]]
    assert client.get("/api/v1/incidents", params={"standing": "alone"}).json()["items"] == []
    assert client.post(f"{base}/unshelve", headers=headers).json()["shelved_until"] is None
    for seconds in (59, 8 * 86_400, "x"):
        answer = client.post(f"{base}/shelve", json={"seconds": seconds}, headers=headers)
        assert answer.status_code == 422
    client.post(f"{base}/resolve", headers=headers)
    assert client.post(f"{base}/resume", headers=headers).json()["state"] == "in-progress"
    client.post(f"{base}/resolve", headers=headers)
    folder.clock.advance(900)
    folder.put_event(folder.event())
    wait_for_incidents(client, 2)
    answer = client.post(f"{base}/resume", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM)


def test_an_incident_says_in_which_state_it_is(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    folder.put_event(folder.event())
    (one,) = wait_for_incidents(client, 1)
    path = f"/api/v1/incidents/{one['id']}"
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.headers["etag"], again.content) == (304, tag, b"")
    seen = client.post(f"{path}/acknowledge", headers=headers).headers["etag"]
    assert seen != tag
    changed = client.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"]) == (200, seen)
    assert client.post(f"{path}/acknowledge", headers=headers).headers["etag"] == seen


def test_a_step_may_be_bound_to_the_state_that_was_seen(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    folder.put_event(folder.event())
    (one,) = wait_for_incidents(client, 1)
    path = f"/api/v1/incidents/{one['id']}"
    tag = client.get(path).headers["etag"]
    client.post(f"{path}/acknowledge", headers={**headers, "If-Match": tag}).raise_for_status()
    bodies = {"label": {"label": "drill"}, "shelve": {"seconds": 60}}
    steps = ("start", "resolve", "false-alarm", "label", "resume", "shelve", "unshelve")
    for step in steps:
        late = {**headers, "If-Match": tag}
        answer = client.post(f"{path}/{step}", json=bodies.get(step), headers=late)
        assert (answer.status_code, answer.headers["content-type"]) == (412, PROBLEM)
    assert client.get(path).json()["state"] == "acknowledged"
    gone = client.post("/api/v1/incidents/none/start", headers={**headers, "If-Match": tag})
    assert gone.status_code == 404
    seen = client.get(path).headers["etag"]
    for match in (f'"other", W/{seen}', "*"):
        answer = client.post(f"{path}/start", headers={**headers, "If-Match": match})
        assert answer.json()["state"] == "in-progress"


def test_a_silence_from_beginning_to_end(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    body = {"matchers": {"areas": ["b03"]}, "why": "repair", "ends": "2026-03-02T13:00:00Z"}
    answer = client.post("/api/v1/silences", json=body, headers=headers)
    assert (answer.status_code, answer.json()["created_by"]) == (201, "user:wang")
    folder.put_event(folder.event())
    (one,) = wait_for_incidents(client, 1)
    assert one["shelved_until"] == "2026-03-02T13:00:00Z"
    path = f"/api/v1/silences/{answer.json()['id']}"
    assert client.post(f"{path}/end", headers=headers).json()["ended_by"] == "user:wang"
    assert client.get(f"/api/v1/incidents/{one['id']}").json()["shelved_until"] is None
    assert client.get(path).json()["why"] == "repair"
    past = client.get("/api/v1/silences", params={"phase": "past"}).json()["items"]
    assert len(past) == 1
    assert client.get("/api/v1/silences", params={"phase": "current"}).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"matchers": {}}, 400),
        ({"matchers": {"areas": ["B 3"]}}, 400),
        ({"matchers": {"colour": ["red"]}}, 422),
        ({"ends": "2026-03-02T11:00:00Z"}, 400),
        ({"ends": "2026-03-02T13:00:00"}, 422),
        ({"ends": "2027-03-02T13:00:00Z"}, 400),
        ({"why": ""}, 422),
        ({"why": "  "}, 400),
        ({"weekly": {"days": ["mon"], "start": "8:00", "end": "9:00"}}, 400),
        ({"weekly": {"days": [], "start": "08:00", "end": "09:00"}}, 422),
        ({"weekly": {"days": ["monday"], "start": "08:00", "end": "09:00"}}, 422),
    ],
)
def test_a_silence_that_breaks_a_rule(client: TestClient, change, status: int) -> None:
    headers = sign_in(client, "wang")
    body = {"matchers": {"areas": ["b03"]}, "why": "repair", "ends": "2026-03-02T13:00:00Z"}
    answer = client.post("/api/v1/silences", json={**body, **change}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


def test_what_came_to_wait_lately_is_in_the_order_in_which_it_did(client, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    incidents = client.app.state.services.incidents
    duty = Viewer(account="a", name="a", role="duty")
    assert incidents.lately(duty).newest == 0
    for zone in "abc":
        folder.put_event(folder.event(zone=zone))
    new, middle, old = [one["id"] for one in wait_for_incidents(client, 3)]
    found = incidents.lately(duty)
    assert [one.id for _, one in found.waiting] == [new, middle, old]
    assert found.newest == found.waiting[0][0]
    for deed in ("acknowledge", "resolve"):
        client.post(f"/api/v1/incidents/{new}/{deed}", headers=headers)
    client.post(f"/api/v1/incidents/{middle}/shelve", json={"seconds": 1800}, headers=headers)
    after = incidents.lately(duty)
    assert (after.newest, [one.id for _, one in after.waiting]) == (found.newest, [old])
    client.post(f"/api/v1/incidents/{middle}/unshelve", headers=headers)
    again = incidents.lately(duty)
    assert [one.id for _, one in again.waiting] == [middle, old]
    assert again.newest == again.waiting[0][0] > found.newest
    elsewhere = Viewer(account="b", name="b", role="duty", areas=frozenset({"b99"}))
    assert incidents.lately(elsewhere) == Arrivals(newest=0, waiting=())
