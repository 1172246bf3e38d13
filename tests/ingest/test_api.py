from __future__ import annotations

import base64
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import CAMERA, NODE, NODE_KEY, NOON, PASSWORDS, SITE, Folder, jpeg, running, sign_in
from starlette.responses import PlainTextResponse

from ingest.accounts import book as accounts
from ingest.api.routes import document_text
from ingest.app import create_app
from ingest.store.engine import reading, writing
from ingest.store.incidents import transition
from linli.errors import StoreError
from linli.events import Reading
from linli.ids import uuid7

PROBLEM = "application/problem+json"
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
ANYONE, VIEWER, STAFF, ADMIN, NODE_ONLY = "anyone", "viewer", "staff", "admin", "node"
NOBODY = "nobody"  # with a password that is wrong
RULES = {
    ("get", "/healthz"): ANYONE,
    ("get", "/metrics"): VIEWER,
    ("get", "/api/v1/notice"): ANYONE,
    ("post", "/api/v1/login"): ANYONE,
    ("post", "/api/v1/logout"): VIEWER,
    ("get", "/api/v1/session"): VIEWER,
    ("get", "/api/v1/incidents"): VIEWER,
    ("get", "/api/v1/incidents/{incident}"): VIEWER,
    ("get", "/api/v1/incidents/{incident}/transitions"): VIEWER,
    ("post", "/api/v1/incidents/{incident}/acknowledge"): STAFF,
    ("post", "/api/v1/incidents/{incident}/start"): STAFF,
    ("post", "/api/v1/incidents/{incident}/resolve"): STAFF,
    ("post", "/api/v1/incidents/{incident}/false-alarm"): STAFF,
    ("post", "/api/v1/incidents/{incident}/label"): STAFF,
    ("post", "/api/v1/incidents/{incident}/resume"): STAFF,
    ("post", "/api/v1/incidents/{incident}/undo"): STAFF,
    ("post", "/api/v1/incidents/{incident}/note"): STAFF,
    ("put", "/api/v1/incidents/{incident}/photo"): STAFF,
    ("post", "/api/v1/incidents/{incident}/shelve"): STAFF,
    ("post", "/api/v1/incidents/{incident}/unshelve"): STAFF,
    ("get", "/api/v1/incidents/precision"): VIEWER,
    ("get", "/api/v1/incidents/waiting"): VIEWER,
    ("get", "/api/v1/incidents/{incident}/orders"): VIEWER,
    ("post", "/api/v1/incidents/{incident}/orders"): STAFF,
    ("get", "/api/v1/orders"): VIEWER,
    ("get", "/api/v1/orders/{order}"): VIEWER,
    ("get", "/api/v1/orders/{order}/steps"): VIEWER,
    ("put", "/api/v1/orders/{order}/picture"): STAFF,
    **{
        ("post", f"/api/v1/orders/{{order}}/{step}"): STAFF
        for step in ("assign", "accept", "hand-over", "return", "done", "check", "rate", "withdraw")
    },
    ("get", "/api/v1/silences"): VIEWER,
    ("get", "/api/v1/silences/{silence}"): VIEWER,
    ("post", "/api/v1/silences"): STAFF,
    ("post", "/api/v1/silences/{silence}/end"): STAFF,
    ("post", "/api/v1/silences/preview"): STAFF,
    ("get", "/api/v1/devices"): VIEWER,
    ("get", "/api/v1/nodes"): VIEWER,
    ("post", "/api/v1/devices/{node}/{device}/confirm"): STAFF,
    ("post", "/api/v1/devices/{node}/{device}/commands/{command}"): STAFF,
    ("get", "/api/v1/devices/{node}/{device}/commands"): VIEWER,
    ("get", "/api/v1/commands/{command}"): VIEWER,
    ("get", "/api/v1/drills"): VIEWER,
    ("post", "/api/v1/drills"): STAFF,
    ("post", "/api/v1/drills/{incident}/end"): STAFF,
    ("post", "/api/v1/devices/{node}/{device}/live"): STAFF,
    ("get", "/api/v1/devices/{node}/{device}/live"): STAFF,
    ("post", "/api/v1/devices/{node}/{device}/live/renew"): STAFF,
    ("post", "/api/v1/devices/{node}/{device}/live/end"): STAFF,
    ("get", "/api/v1/devices/{node}/{device}/live/picture"): STAFF,
    ("get", "/api/v1/devices/{node}/{device}/trials"): STAFF,
    ("get", "/api/v1/devices/{node}/{device}/live/looks"): ADMIN,
    ("put", "/api/v1/live/{device}"): NODE_ONLY,
    ("put", "/api/v1/evidence/{evidence}"): NODE_ONLY,
    ("post", "/api/v1/evidence/{evidence}/link"): STAFF,
    ("get", "/api/v1/evidence/{evidence}"): STAFF,
    ("get", "/api/v1/evidence/{evidence}/record"): ADMIN,
    ("post", "/api/v1/evidence/{evidence}/hold"): ADMIN,
    ("post", "/api/v1/evidence/{evidence}/release"): ADMIN,
    ("get", "/api/v1/series"): VIEWER,
    ("get", "/api/v1/series/query"): VIEWER,
    ("get", "/api/v1/history/events"): VIEWER,
    ("get", "/api/v1/choices/{what}"): VIEWER,
    ("get", "/api/v1/history/incidents"): VIEWER,
    ("get", "/api/v1/statistics/events"): VIEWER,
    ("get", "/api/v1/series/points"): VIEWER,
    ("get", "/api/v1/series/latest"): VIEWER,
    ("get", "/api/v1/series/readings"): VIEWER,
    ("get", "/api/v1/series/storage"): VIEWER,
    ("get", "/api/v1/stats"): VIEWER,
    ("get", "/api/v1/chain"): VIEWER,
    ("get", "/api/v1/influx"): VIEWER,
    ("get", "/api/v1/notifications"): VIEWER,
    ("get", "/api/v1/notifications/status"): VIEWER,
    ("get", "/api/v1/notifications/{number}"): VIEWER,
    ("post", "/api/v1/notifications/test"): ADMIN,
    ("get", "/api/v1/notifications/channels"): ADMIN,
    ("get", "/api/v1/notifications/channels/{name}"): ADMIN,
    ("put", "/api/v1/notifications/channels/{name}"): ADMIN,
    ("delete", "/api/v1/notifications/channels/{name}"): ADMIN,
    ("get", "/api/v1/notifications/channels/{name}/history"): ADMIN,
    ("get", "/api/v1/notifications/channels/{name}/history/{version}"): ADMIN,
    ("post", "/api/v1/notifications/channels/{name}/history/{version}/restore"): ADMIN,
    ("get", "/api/v1/notifications/text"): VIEWER,
    ("get", "/api/v1/notifications/phones"): ADMIN,
    ("delete", "/api/v1/notifications/phones/{number}"): ADMIN,
    ("get", "/api/v1/rejects"): VIEWER,
    ("get", "/api/v1/rejects/{reject}/content"): ADMIN,
    ("get", "/api/v1/events"): VIEWER,
    ("get", "/api/v1/stream"): VIEWER,
    ("post", "/webhook/grafana"): STAFF,
    ("get", "/webhook/wecom/{channel}"): ANYONE,
    ("post", "/webhook/wecom/{channel}"): ANYONE,
    ("get", "/api/v1/incidents/{incident}/links"): ADMIN,
    ("post", "/api/v1/incidents/{incident}/links/stop"): ADMIN,
}
BODIES = {  # of what is refused without one before it is asked who asks
    "/api/v1/devices/{node}/{device}/commands/{command}": {"reason": "try", "seconds": 1},
    "/api/v1/devices/{node}/{device}/live": {"purpose": "fault"},
    "/api/v1/incidents/{incident}/label": {"label": "drill"},
    "/api/v1/incidents/{incident}/note": {"note": "seen"},
    "/api/v1/drills": {"node": "c001-n07", "device": "cam-e1"},
    "/api/v1/incidents/{incident}/shelve": {"seconds": 60},
    "/api/v1/incidents/{incident}/orders": {"assignee": "wang"},
    "/api/v1/orders/{order}/assign": {"assignee": "wang"},
    "/api/v1/orders/{order}/hand-over": {"assignee": "wang", "note": "away"},
    "/api/v1/orders/{order}/return": {"note": "away"},
    "/api/v1/orders/{order}/done": {"words": "repaired"},
    "/api/v1/orders/{order}/check": {"ok": True},
    "/api/v1/orders/{order}/rate": {"stars": 5},
    "/webhook/grafana": {"alerts": []},
    "/api/v1/accounts": {"name": "zhao", "role": "street"},
    "/api/v1/accounts/{name}": {"role": "street"},
    "/api/v1/session/password": {"current": "wrong", "new": "not taken anyway"},
    "/api/v1/tokens": {"account": "x", "label": "x", "scopes": ["see"]},
    "/api/v1/screens": {"label": "x"},
    "/api/v1/joins": {"node": "c001-n09", "area": "b07"},
    "/api/v1/join": {"code": "x", "key": "k" * 40},
    "/api/v1/edge-certificate": {"request": "x"},
    "/api/v1/edge-password": {"digest": "x"},
    "/api/v1/notifications/test": {"channel": "x", "address": "y"},
    "/api/v1/evidence/{evidence}/hold": {"why": "police"},
    "/api/v1/evidence/{evidence}/release": {"why": "over"},
    "/api/v1/floor-plans/{plan}/devices/{node}/{device}": {"x": 0.5, "y": 0.5},
    "/api/v1/silences/preview": {"matchers": {"sites": [SITE]}},
    "/api/v1/silences": {
        "matchers": {"sites": [SITE]},
        "why": "repair",
        "ends": "2026-03-02T13:00:00Z",
    },
}
MAY = {"nobody": {ANYONE}, "guest": {ANYONE, VIEWER}, "wang": {ANYONE, VIEWER, STAFF}}
MAY["boss"] = MAY["wang"] | {ADMIN}
for _paper in ("rosters/{name}", "deadlines", "contacts/{name}", "ladders/{name}", "routes"):
    RULES["get", f"/api/v1/duty/{_paper}"] = ADMIN if "contacts" in _paper else STAFF
    RULES["get", f"/api/v1/duty/{_paper}/history"] = ADMIN
    if "contacts" not in _paper:
        RULES["get", f"/api/v1/duty/{_paper}/history/{{version}}"] = ADMIN
        RULES["post", f"/api/v1/duty/{_paper}/history/{{version}}/restore"] = ADMIN
        RULES["post", f"/api/v1/duty/{_paper}/outlook"] = ADMIN
    for _deed in ("put", "patch", "delete"):
        RULES[_deed, f"/api/v1/duty/{_paper}"] = ADMIN
RULES |= {
    ("get", "/api/v1/devices/{node}/{device}/availability"): VIEWER,
    ("get", "/api/v1/duty"): STAFF,
    ("get", "/api/v1/waste/bins"): VIEWER,
    ("get", "/api/v1/waste/round"): VIEWER,
    ("get", "/api/v1/statistics/handling"): VIEWER,
    ("get", "/api/v1/statistics/load"): STAFF,
    ("get", "/api/v1/statistics/delivery"): VIEWER,
    ("get", "/api/v1/statistics/counts"): VIEWER,
    ("get", "/api/v1/statistics/rhythm"): VIEWER,
    ("get", "/api/v1/statistics/worse"): VIEWER,
    ("get", "/api/v1/duty/rosters"): STAFF,
    ("post", "/api/v1/duty/rosters/{name}/import"): ADMIN,
    ("get", "/api/v1/duty/contacts"): ADMIN,
    ("get", "/api/v1/duty/ladders"): STAFF,
    ("get", "/api/v1/health/findings"): STAFF,
    ("get", "/api/v1/duty/preview"): STAFF,
    ("get", "/api/v1/duty/rosters/{name}/turns"): STAFF,
}
RULES |= {
    ("get", "/api/v1/registry/changes"): ADMIN,
    ("get", "/api/v1/registry/export"): ADMIN,
    ("post", "/api/v1/registry/import"): ADMIN,
    ("get", "/api/v1/registry/edges/{edge}/config"): ADMIN,
    ("put", "/api/v1/registry/edges/{edge}/config"): ADMIN,
    ("post", "/api/v1/registry/edges/{edge}/config/restore"): ADMIN,
    ("get", "/api/v1/registry/edges/{edge}/config/versions"): ADMIN,
    ("get", "/api/v1/registry/edges/{edge}/config/versions/{version}"): ADMIN,
    ("get", "/api/v1/registry/edges/{edge}/config/versions/{version}/changes"): ADMIN,
    ("get", "/api/v1/registry/edges/{edge}/config/cameras/{camera}"): ADMIN,
    ("put", "/api/v1/registry/edges/{edge}/config/cameras/{camera}"): ADMIN,
    ("get", "/api/v1/accounts"): ADMIN,
    ("post", "/api/v1/accounts"): ADMIN,
    ("put", "/api/v1/accounts/{name}"): ADMIN,
    ("post", "/api/v1/accounts/{name}/password"): ADMIN,
    ("delete", "/api/v1/accounts/{name}/sessions"): ADMIN,
    ("put", "/api/v1/session/password"): NOBODY,
    ("get", "/api/v1/tokens"): ADMIN,
    ("post", "/api/v1/tokens"): ADMIN,
    ("delete", "/api/v1/tokens/{token}"): ADMIN,
    ("get", "/api/v1/screens"): ADMIN,
    ("post", "/api/v1/screens"): ADMIN,
    ("delete", "/api/v1/screens/{screen}"): ADMIN,
    **{
        ("get", f"/api/v1/export/{what}"): VIEWER
        for what in ("fiware", "incidents.csv", "devices.csv", "readings.csv")
    },
    ("get", "/api/v1/broker"): ADMIN,
    ("get", "/api/v1/joins"): ADMIN,
    ("post", "/api/v1/joins"): ADMIN,
    ("delete", "/api/v1/joins/{join}"): ADMIN,
    ("get", "/api/v1/joined"): ADMIN,
    ("post", "/api/v1/registry/edges/{edge}/shut-out"): ADMIN,
    ("post", "/api/v1/join"): ANYONE,
    ("put", "/api/v1/edge-certificate"): NODE_ONLY,
    ("put", "/api/v1/edge-password"): NODE_ONLY,
    ("get", "/api/v1/audit"): ADMIN,
    ("get", "/api/v1/audit/check"): ADMIN,
    ("get", "/api/v1/edge-config"): NODE_ONLY,
    ("get", "/api/v1/evidence-key"): NODE_ONLY,
}
RULES |= {
    ("get", "/api/v1/rules"): VIEWER,
    ("put", "/api/v1/rules"): ADMIN,
    ("post", "/api/v1/rules/test"): ADMIN,
    ("get", "/api/v1/rules/fired"): VIEWER,
    ("get", "/api/v1/rules/history"): STAFF,
    ("get", "/api/v1/rules/history/{version}"): STAFF,
}
for _folder in ("places", "edges", "devices", "teams", "people"):
    _readers = STAFF if _folder == "people" else VIEWER
    RULES["get", f"/api/v1/registry/{_folder}"] = _readers
    RULES["get", f"/api/v1/registry/{_folder}/{{record}}"] = _readers
    for _method in ("put", "patch", "delete"):
        RULES[_method, f"/api/v1/registry/{_folder}/{{record}}"] = ADMIN
RULES |= {
    ("get", "/api/v1/floor-plans"): VIEWER,
    ("get", "/api/v1/floor-plans/{plan}"): VIEWER,
    ("get", "/api/v1/floor-plans/{plan}/picture"): VIEWER,
    ("put", "/api/v1/floor-plans/{plan}"): ADMIN,
    ("delete", "/api/v1/floor-plans/{plan}"): ADMIN,
    ("put", "/api/v1/floor-plans/{plan}/devices/{node}/{device}"): ADMIN,
    ("delete", "/api/v1/floor-plans/{plan}/devices/{node}/{device}"): ADMIN,
}
NEVER_ENDING = "/api/v1/stream"


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


def operations(client: TestClient) -> dict[tuple[str, str], dict]:
    found = client.app.openapi()["paths"]
    return {(method, path): one for path, ones in found.items() for method, one in ones.items()}


def test_the_document_in_the_repository_is_current(folder: Folder) -> None:
    made = document_text(create_app(folder.settings))
    if os.environ.get("LINLI_WRITE_DOCUMENTS"):
        DOCUMENT.write_text(made, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == made, (
        "docs/reference/openapi.json is out of date; "
        "run this test with LINLI_WRITE_DOCUMENTS=1 to write it again"
    )


def test_every_operation_is_described_and_has_a_rule(client: TestClient) -> None:
    found = operations(client)
    assert set(found) == set(RULES)
    for (method, path), one in found.items():
        assert one["description"], (method, path)
        for status, answer in one["responses"].items():
            assert answer["description"], (method, path, status)
            if int(status) >= 400:
                assert list(answer["content"]) == [PROBLEM], (method, path, status)
    text = json.dumps(client.app.openapi())
    names = client.app.openapi()["components"]["schemas"]
    for reference in set(text.split('"#/components/schemas/')[1:]):
        assert reference.partition('"')[0] in names


@pytest.mark.parametrize("who", list(MAY))
def test_who_may_call_what(client: TestClient, who: str) -> None:
    headers = sign_in(client, who) if who != "nobody" else {}
    values = {
        "incident": "i",
        "silence": "s",
        "order": "o",
        "node": NODE,
        "command": "door-hold",
        "record": "no-such",
        "what": "areas",
        "name": "no-such",
        "edge": NODE,
        "camera": "no-such",
        "version": "1",
        "reject": "1",
        "number": "1",
        "device": "no-such",
        "channel": "no-such",
        "evidence": uuid7(NOON),
        "token": "no-such",
        "screen": "no-such",
        "join": "no-such",
        "plan": uuid7(NOON),
    }
    for (method, path), rule in RULES.items():
        if (path == NEVER_ENDING and rule in MAY[who]) or path.endswith(("/login", "/logout")):
            continue
        query = {"series": "a/b/c/d/e/f", "start": NOON.isoformat(), "end": NOON.isoformat()}
        query |= {"expires": "1", "purpose": "api", "signature": "x"}
        query |= {"msg_signature": "x", "timestamp": "1", "nonce": "x", "echostr": "x"}
        query |= {"place": "no-such", "label": "x", "event": "loitering", "zone": "door"}
        body = BODIES.get(path) if method in ("post", "put") else None
        answer = client.request(
            method, path.format(**values), params=query, headers=headers, json=body
        )
        allowed = rule in MAY[who]
        assert (answer.status_code not in (401, 403)) == (allowed or rule == NODE_ONLY), (
            method,
            path,
            answer.text,
        )
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == PROBLEM


def test_a_token_is_held_to_its_scopes(client: TestClient, folder: Folder) -> None:
    with writing(folder.state) as connection:
        tokens = {
            scope: accounts.add_token(
                connection, "boss", scope, [scope], now=NOON, lasts=timedelta(days=1)
            )
            for scope in ("see", "act")
        }
    call = {"headers": {"Authorization": f"Bearer {tokens['see']}"}}
    assert client.get("/api/v1/stats", **call).status_code == 200
    assert client.post("/api/v1/incidents/x/resolve", **call).status_code == 403
    call = {"headers": {"Authorization": f"Bearer {tokens['act']}"}}
    assert client.get("/api/v1/stats", **call).status_code == 403
    assert client.post("/api/v1/incidents/x/resolve", **call).status_code == 404
    folder.clock.advance(86_400)
    assert client.post("/api/v1/incidents/x/resolve", **call).status_code == 401
    wrong = {"headers": {"Authorization": "Bearer nonsense"}}
    assert client.get("/api/v1/stats", **wrong).status_code == 401


def test_one_incident_from_the_journal_to_resolved(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    folder.put_event(folder.event(severity="high"))
    (one,) = wait_for_incidents(client, 1)
    base = f"/api/v1/incidents/{one['id']}"
    assert (one["state"], one["severity"], one["key"]["device"]) == ("open", "high", CAMERA)
    first = client.post(f"{base}/acknowledge", json={"note": "on my way"}, headers=headers)
    again = client.post(f"{base}/acknowledge", headers=headers)
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["acknowledged_by"]) == ("acknowledged", "user:wang")
    assert client.post(f"{base}/start", headers=headers).json()["state"] == "in-progress"
    done = client.post(f"{base}/false-alarm", headers=headers).json()
    assert (done["state"], done["label"]) == ("resolved", "false-alarm")
    client.post(f"{base}/false-alarm", headers=headers)
    client.post(f"{base}/resolve", headers=headers)
    rows = client.get(f"{base}/transitions").json()["items"]
    assert [row["step"] for row in rows] == [
        "opened",
        "acknowledged",
        "started",
        "labelled",
        "resolved",
    ]
    assert rows[1]["note"] == "on my way"


def test_lists_are_paged_in_both_orders(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    for zone, severity in (("a", "low"), ("b", "critical"), ("c", "medium"), ("d", "critical")):
        folder.put_event(folder.event(zone=zone, severity=severity))
    items = wait_for_incidents(client, 4)
    assert [one["number"] for one in items] == [4, 2, 3, 1]
    client.post(f"/api/v1/incidents/{items[0]['id']}/resolve", headers=headers)

    def walk(**query):
        seen, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = client.get("/api/v1/incidents", params={**query, "limit": 2, **more}).json()
            seen += [one["number"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return seen

    assert walk(order="urgent") == [2, 3, 1, 4]
    assert walk(order="newest") == [4, 3, 2, 1]
    assert walk(state="resolved") == [4]
    assert walk(state=["open"], severity=["low", "medium"]) == [3, 1]
    assert walk(device=f"{NODE}/{CAMERA}") == [2, 3, 1, 4]
    assert walk(device=f"{NODE}/other") == []


QUERY = "/api/v1/series/query?series=a/b/c/d/e/1&step=86400"


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(".".join(map(str, parts)).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/incidents?cursor=nonsense", 400),
        ("GET", f"/api/v1/incidents?cursor={forged('urgent', 2**63, 1)}", 400),
        ("GET", f"/api/v1/incidents?cursor={forged('urgent', 1, 10**30)}", 400),
        ("GET", f"/api/v1/incidents?cursor={forged('urgent', -1, 1)}", 400),
        ("GET", f"/api/v1/incidents?cursor={forged('newest', 1, 1)}", 400),
        ("GET", "/api/v1/rejects?cursor=99999999999999999999", 400),
        ("GET", f"/api/v1/rejects?cursor={2**63}", 400),
        ("GET", "/api/v1/rejects?cursor=%C2%B2", 400),
        ("GET", f"{QUERY}&start=9999-12-31T23:00:00-14:00&end=9999-12-31T23:59:59-14:00", 400),
        ("GET", f"{QUERY}&start=0001-01-01T00:00:00%2B14:00&end=0001-01-02T00:00:00%2B14:00", 400),
        ("GET", "/api/v1/incidents?limit=0", 422),
        ("GET", "/api/v1/incidents?state=happy", 422),
        ("GET", "/api/v1/incidents?device=no-slash", 400),
        ("GET", "/api/v1/incidents/%00", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/", 404),
        ("DELETE", "/api/v1/incidents", 405),
        ("GET", "/api/v1/registry/devices/a/b/c", 404),
        ("GET", "/api/v1/registry/places/..%2f..%2fetc", 404),
        ("GET", "/api/v1/registry/teams?limit=1001", 422),
        ("POST", "/api/v1/registry/teams", 405),
        ("POST", "/api/v1/stats", 405),
        ("GET", "/api/v1/login", 405),
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/events?after=-1", 422),
        ("GET", f"/api/v1/events?after={2**63}", 422),
        ("GET", "/api/v1/series/query?series=x&start=2026-01-01T00:00:00&end=x", 422),
        ("GET", "/api/v1/evidence/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/api/v1/evidence/etc-passwd?expires=1&purpose=x&signature=x", 422),
    ],
)
def test_every_refusal_is_a_problem(client: TestClient, method, path, status) -> None:
    headers = sign_in(client, "wang")
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["status"] == status
    assert "Traceback" not in answer.text
    if status == 405:
        assert answer.headers["allow"]


def test_times_at_the_end_of_the_calendar_are_cut(client: TestClient, folder: Folder) -> None:
    sign_in(client, "wang")
    asked = "&start=2199-12-31T00:00:00Z&end=9999-12-31T23:59:59-14:00"
    answer = client.get(QUERY + asked)
    assert [point["time"] for point in answer.json()["points"]] == ["2199-12-31T00:00:00Z"]
    message = folder.event(time=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
    folder.put_event(message)
    found = client.get("/api/v1/events", params={"id": message.id}).json()["items"]
    assert [one["time"] for one in found] == ["1970-01-01T00:00:00Z"]


def test_pages_mounted_behind_it_take_nothing_of_the_api(folder: Folder) -> None:
    with running(folder) as client:

        async def page(scope, receive, send):
            await PlainTextResponse("a page")(scope, receive, send)

        client.app.mount("/", page)
        assert client.get("/anything").text == "a page"
        answer = client.delete("/api/v1/devices")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
        for method in ("GET", "POST", "DELETE"):
            answer = client.request(method, "/api/v1/nothing")
            assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)


def test_a_refusal_does_not_repeat_what_was_sent(client: TestClient) -> None:
    answer = client.post("/api/v1/login", json={"name": "x", "password": ["top secret"]})
    assert answer.status_code == 422
    assert "top secret" not in answer.text
    assert client.post("/api/v1/login", content=b"{").status_code == 422


def test_a_failure_inside_says_nothing_about_it(folder: Folder, monkeypatch) -> None:
    with running(folder, raises=False) as client:
        sign_in(client, "wang")
        services = client.app.state.services

        def broken(*_):
            raise RuntimeError("secret inside")

        monkeypatch.setattr(type(services.journal), "stats", broken)
        answer = client.get("/api/v1/stats")
        assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
        assert "secret" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"

        def away(*_):
            raise StoreError("disk I/O error", where="/var/x")

        monkeypatch.setattr(type(services.journal), "stats", away)
        answer = client.get("/api/v1/stats")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "/var" not in answer.text


def test_changes_by_cookie_need_the_token_and_our_own_site(client: TestClient) -> None:
    headers = sign_in(client, "wang")
    path = "/api/v1/incidents/x/resolve"
    assert client.post(path, headers=headers).status_code == 404
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"X-CSRF-Token": "wrong"}).status_code == 403
    evil = {**headers, "Sec-Fetch-Site": "cross-site"}
    assert client.post(path, headers=evil).status_code == 403
    body = {"name": "wang", "password": PASSWORDS["wang"][1]}
    assert client.post("/api/v1/login", json=body, headers=evil).status_code == 403


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    body = {"name": "wang", "password": PASSWORDS["wang"][1]}
    cookie = client.post("/api/v1/login", json=body).headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="))
    headers = {"X-CSRF-Token": client.get("/api/v1/session").json()["csrf"]}
    token = client.cookies["linli_session"]
    assert client.post("/api/v1/logout", headers=headers).status_code == 204
    client.cookies.set("linli_session", token)
    assert client.get("/api/v1/session").status_code == 401


def test_behind_a_prefix(tmp_path: Path) -> None:
    folder = Folder(tmp_path, prefix="/linli")
    with running(folder) as client:
        body = {"name": "wang", "password": PASSWORDS["wang"][1]}
        for base in ("", "/linli"):
            answer = client.post(f"{base}/api/v1/login", json=body)
            assert "Path=/linli/" in answer.headers["set-cookie"]
            assert client.delete(f"{base}/api/v1/stats").status_code == 405
            assert client.get(f"{base}/healthz").json() == {"status": "ok"}
    folder.close()


def test_headers_that_keep_a_browser_strict(client: TestClient) -> None:
    for path in ("/healthz", "/api/v1/stats", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert client.get("/api/v1/stats").headers["cache-control"] == "no-store"


def test_a_body_above_the_limit_is_not_read(client: TestClient) -> None:
    big = b" " * (2 * 1024 * 1024 + 1)
    answer = client.post("/api/v1/login", content=big)
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)

    def pieces():
        for _ in range(3):
            yield b" " * 1024 * 1024

    assert client.post("/api/v1/login", content=pieces()).status_code == 413


def test_stored_events_are_found_again(client: TestClient, folder: Folder) -> None:
    sign_in(client, "guest")
    made = [folder.event(zone=f"z{number}") for number in range(5)]
    for message in made:
        folder.put_event(message)
    folder.put_readings(Reading(n="fps", v=5, u="/s", t=NOON))
    seen, after = [], 0
    while True:
        page = client.get("/api/v1/events", params={"after": after, "limit": 2}).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = int(page["next"])
    assert seen == [message.id for message in made]
    (one,) = client.get("/api/v1/events", params={"id": made[3].id}).json()["items"]
    assert (one["sequence"], one["type"]) == (4, "linli.event.zone-dwell")
    assert one["source"] == f"/{SITE}/{NODE}/{CAMERA}"
    assert client.get("/api/v1/events", params={"node": "other"}).json()["items"] == []


def test_the_service_ends_while_a_stream_is_open_and_nothing_is_left_running(folder) -> None:
    with running(folder) as client:
        sign_in(client, "guest")
        feed = client.app.state.services.feed
        with client.stream("GET", "/healthz") as answer:
            assert answer.read()
        feed.close()
        answer = client.get("/api/v1/stream")
        assert answer.text.startswith(": here")


def test_only_nodes_put_evidence(client: TestClient, folder: Folder) -> None:
    sign_in(client, "boss")
    headers = {"Linli-Node": f"{SITE}/{NODE}", "Linli-Device": CAMERA, "Linli-Redaction": "heads"}
    headers |= {"Linli-Expires": NOON.isoformat(), "Content-Digest": "sha-256=:" + "A" * 43 + "=:"}
    headers["Content-Type"] = "image/jpeg"
    path = f"/api/v1/evidence/{uuid7(NOON)}"
    assert client.put(path, content=jpeg(), headers=headers).status_code == 401
    headers["Authorization"] = "Bearer wrong"
    assert client.put(path, content=jpeg(), headers=headers).status_code == 401
    headers["Authorization"] = f"Bearer {NODE_KEY}"
    assert client.put(path, content=jpeg(), headers=headers).status_code == 400


def test_rows_are_only_ever_added(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "wang")
    folder.put_event(folder.event())
    (one,) = wait_for_incidents(client, 1)
    with reading(folder.state) as connection:
        before = connection.execute(transition.select()).all()
    client.post(f"/api/v1/incidents/{one['id']}/resolve", headers=headers)
    with reading(folder.state) as connection:
        after = connection.execute(transition.select()).all()
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1
