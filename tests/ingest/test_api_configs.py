"""What edges are told: every version kept, taken with the edge's own key, wanted beside running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import CAMERA, NODE, NODE_KEY, SITE, Folder, running, sign_in
from msgspec.structs import replace

from ingest import registry
from ingest.store.engine import writing
from linli.events import ConfigReport, ReportData

BASE = f"/api/v1/registry/edges/{NODE}/config"
EXAMPLE = json.loads(
    (Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json").read_text()
)


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder):
    with running(folder) as client:
        yield client


@pytest.fixture
def boss(client: TestClient) -> dict[str, str]:
    return sign_in(client, "boss")


def document(**camera: Any) -> dict[str, Any]:
    return {**EXAMPLE, "camera": [{**EXAMPLE["camera"][0], **camera}]}


def put(client: TestClient, headers: dict[str, str], seen: str | None, **camera: Any) -> Any:
    body = {"why": "more light", "document": document(**camera)}
    condition = {"If-Match": f'"{seen}"'} if seen else {}
    return client.put(BASE, json=body, headers={**headers, **condition})


def take(client: TestClient, key: str = NODE_KEY, node: str = NODE, **headers: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(
        "/api/v1/edge-config",
        headers={"Authorization": f"Bearer {key}", "Linli-Node": f"{SITE}/{node}", **headers},
    )


def test_an_edge_takes_what_is_wanted_of_it_once(client, boss) -> None:
    assert take(client).status_code == 404
    assert client.get(BASE).json() == {"edge": NODE, "wanted": None, "running": None}
    assert put(client, boss, None).json()["version"] == 1
    taken = take(client)
    assert (taken.status_code, taken.headers["etag"]) == (200, '"1"')
    assert taken.json()["document"] == EXAMPLE
    same = take(client, If_None_Match='"1"')
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    assert put(client, boss, "1", fps=2.0).json()["version"] == 2
    newer = take(client, If_None_Match='W/"1"')
    assert newer.json()["document"]["camera"][0]["fps"] == 2.0


@pytest.mark.parametrize(
    ("key", "node"), [("wrong", NODE), (NODE_KEY, "c001-n99"), (NODE_KEY, "../x")]
)
def test_only_the_edge_itself_takes_it(client, boss, key, node) -> None:
    put(client, boss, None)
    answer = take(client, key, node)
    assert answer.status_code == 401
    assert "document" not in answer.text


def test_each_version_is_kept_and_an_old_one_comes_back_as_a_new_one(client, boss) -> None:
    put(client, boss, None)
    assert put(client, boss, None, fps=2.0).status_code == 428
    put(client, boss, "1", fps=2.0)
    assert put(client, boss, "1", fps=3.0).status_code == 412
    assert put(client, boss, "2", fps=2.0).json()["version"] == 2
    wish = {"version": 1, "why": "too slow"}
    again = client.post(f"{BASE}/restore", json=wish, headers={**boss, "If-Match": '"2"'}).json()
    assert (again["version"], again["restores"], again["document"]) == (3, 1, EXAMPLE)
    listed = client.get(f"{BASE}/versions", params={"limit": 2}).json()
    assert [(one["version"], one["why"], one["actor"]) for one in listed["items"]] == [
        (3, "too slow", "user:boss"),
        (2, "more light", "user:boss"),
    ]
    rest = client.get(f"{BASE}/versions", params={"cursor": listed["next"]}).json()
    assert [one["version"] for one in rest["items"]] == [1]
    assert client.get(f"{BASE}/versions/2").json()["document"]["camera"][0]["fps"] == 2.0
    assert client.get(f"{BASE}/versions/9").status_code == 404
    gone = client.post(f"{BASE}/restore", json={"version": 9, "why": "x"}, headers=boss)
    assert gone.status_code == 404


def test_what_runs_is_shown_beside_what_is_wanted(client, folder, boss) -> None:
    put(client, boss, None)
    data = ReportData(agent="0.1", uptime=5, rss=9, diskfree=8 << 30)
    said = ConfigReport(version=0, refused=1, detail="camera[0].source: no such file")
    origin = registry.Origin(SITE, "b03", NODE)
    with writing(folder.state) as connection:
        registry.keep_report(connection, origin, data, folder.clock.now())
    assert client.get(BASE).json()["running"] is None
    with writing(folder.state) as connection:
        registry.keep_report(connection, origin, replace(data, config=said), folder.clock.now())
    found = client.get(BASE)
    assert found.headers["etag"] == '"1"'
    assert found.json()["running"] == {
        "version": 0,
        "refused": 1,
        "detail": "camera[0].source: no such file",
        "at": "2026-03-02T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"document": {}}, "document", "camera"),
        ({"document": {**EXAMPLE, "mqtt": {}}}, "document", "unknown setting 'mqtt'"),
        ({"document": document(fps=100)}, "document: camera[0].fps", "<= 30"),
        ({"document": document(fsp=5)}, "document: camera[0]", "Did you mean 'fps'?"),
        (
            {"document": document(scenario=[{"event": "x", "labels": ["a"], "zone": "no"}])},
            "camera[0]",
            "names zone 'no'",
        ),
        (
            {"document": document(source="rtsp://u:geheim@h/1", password_file=None)},
            "camera cam-e1: source",
            "Name its file in password_file",
        ),
        (
            {
                "document": document(
                    source="rtsp://h/2", evidence_source="rtsp://u:geheim@h/1", password_file=None
                )
            },
            "camera cam-e1: source",
            "Name its file in password_file",
        ),
        ({"document": document(label="x" * 300_000)}, "document", "64"),
        ({"why": ""}, "body", "why"),
        ({"why": "x", "more": 1}, "body", "more"),
        ({"document": []}, "body", "object"),
    ],
)
def test_documents_that_no_edge_could_use(client, boss, change, where, what) -> None:
    body = {"why": "x", "document": EXAMPLE, **change}
    answer = client.put(BASE, json=body, headers=boss)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["faults"]
    assert where in fault["where"]
    assert what in fault["what"]
    assert "geheim" not in answer.text
    assert take(client).status_code == 404


def test_there_is_no_configuration_of_what_is_no_edge(client, boss) -> None:
    elsewhere = BASE.replace(NODE, CAMERA)
    for answer in (
        client.get(elsewhere),
        client.get(f"{elsewhere}/versions"),
        client.put(elsewhere, json={"why": "x", "document": EXAMPLE}, headers=boss),
    ):
        assert answer.status_code == 404


CAMERA_PART = f"{BASE}/cameras/{CAMERA}"
DOOR = {"id": "door", "points": [[0.2, 0.4], [0.8, 0.4], [0.8, 1.0], [0.2, 1.0]]}
STAY = {"event": "zone-dwell", "labels": ["person"], "zone": "door"}


def arrange(client: TestClient, headers: dict[str, str], seen: str | None, **parts: Any) -> Any:
    condition = {"If-Match": f'"{seen}"'} if seen else {}
    body = {"why": "the door moved", **parts}
    return client.put(CAMERA_PART, json=body, headers={**headers, **condition})


def test_parts_of_one_camera_are_a_new_version_of_the_document(client, boss) -> None:
    assert client.get(CAMERA_PART).status_code == 404
    put(client, boss, None, zone=[DOOR], scenario=[STAY], mask=[])
    found = client.get(CAMERA_PART)
    assert found.headers["etag"] == '"1"'
    assert found.json()["watched"] == {
        "mask": [],
        "zone": [DOOR],
        "line": [],
        "scenario": [STAY],
        "state": [],
    }
    assert "source" not in found.text
    made = arrange(client, boss, "1", zone=[{**DOOR, "label": "电梯门"}], mask=[])
    assert (made.status_code, made.json()["version"]) == (200, 2)
    camera = take(client).json()["document"]["camera"][0]
    assert camera["zone"][0]["label"] == "电梯门"
    assert camera["source"] == EXAMPLE["camera"][0]["source"]
    assert "mask" not in camera
    assert client.get(f"{BASE}/versions/2/changes").json()["items"] == [
        {
            "path": ["camera", CAMERA, "zone", "door", "label"],
            "before": None,
            "after": "电梯门",
        },
    ]
    assert client.get(f"{BASE}/versions/9/changes").status_code == 404


def test_of_two_who_draw_at_once_the_second_is_told(client, boss) -> None:
    put(client, boss, None, zone=[DOOR], scenario=[STAY])
    assert arrange(client, boss, None, zone=[DOOR]).status_code == 428
    assert arrange(client, boss, "1", scenario=[{**STAY, "shadow": True}]).status_code == 200
    # He who is late is told so even when what he drew is wrong.
    assert arrange(client, boss, "1", zone=[]).status_code == 412
    assert client.get(BASE).json()["wanted"]["version"] == 2


@pytest.mark.parametrize(
    ("parts", "where", "what"),
    [
        ({"zone": []}, "scenario[0].zone", "zone-dwell watches zone 'door'"),
        ({"zone": [{**DOOR, "points": [[0, 0], [1.5, 0], [1, 1]]}]}, "zone[0].points[1][0]", "1.5"),
        ({"zone": [DOOR, {**DOOR, "id": "x", "points": [[0, 0]] * 3}]}, "zone[1]", "no area"),
        ({"scenario": [{**STAY, "dwell": -1}]}, "scenario[0].dwell", "-1"),
        ({"line": [{"id": "in", "points": [[0, 0], [0, 0]]}]}, "line[0]", "no line"),
        ({"source": "rtsp://elsewhere/1"}, "body", "source"),
        ({"state": [{"id": "bin", "file": "/etc/passwd"}]}, "state[0].file", "not another file"),
        ({"zone": [DOOR] * 33}, "body", "32"),
    ],
)
def test_what_no_edge_could_watch_is_named_from_the_camera_on(
    client, boss, parts, where, what
) -> None:
    put(client, boss, None, zone=[DOOR], scenario=[STAY])
    answer = arrange(client, boss, "1", **parts)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["faults"]
    assert fault["where"].startswith(where)
    assert what in fault["what"]
    assert client.get(BASE).json()["wanted"]["version"] == 1


def test_only_who_may_arrange_sees_and_changes_a_camera(client, boss) -> None:
    put(client, boss, None, zone=[DOOR], scenario=[STAY])
    guest = sign_in(client, "guest")
    assert client.get(CAMERA_PART).status_code == 403
    assert arrange(client, guest, "1", zone=[DOOR]).status_code == 403
    assert client.get(f"{BASE}/versions/1/changes").status_code == 403
