"""Grafana's alerts into incidents: told once, told again, resolved, garbled, unwelcome."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import NOON, SITE, Folder, running, sign_in

from ingest.incidents.alerts import Alert, fact_of

WEBHOOK = "/webhook/grafana"
NEVER = "0001-01-01T00:00:00Z"


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder):
    with running(folder) as client:
        yield client


def alert(status: str = "firing", **changes: Any) -> dict[str, Any]:
    """Return an alert as Grafana 11 writes it, with much that nobody needs."""
    return {
        "status": status,
        "labels": {
            "alertname": "边缘盒子离线",
            "grafana_folder": "邻里 · 系统健康",
            "linli": "health",
            "rule": "edge-offline",
            "severity": "high",
            "site": SITE,
            "area": "b03",
            "node": "c001-n07",
        },
        "annotations": {"summary": "b03 的边缘盒子 c001-n07 离线"},
        "startsAt": "2026-03-02T11:58:03.157076Z",
        "endsAt": NEVER if status == "firing" else "2026-03-02T11:59:30Z",
        "generatorURL": "http://grafana/alerting/x/edit",
        "fingerprint": "c6eadffa33fcdf37",
        "silenceURL": "http://grafana/silence",
        "values": {"B": 0, "C": 1},
        **changes,
    }


def group(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "receiver": "linli",
        "status": "firing",
        "orgId": 1,
        "alerts": list(alerts),
        "groupLabels": {},
        "version": "1",
        "truncatedAlerts": 0,
        **more,
    }


def tell(client: TestClient, body: Any, who: str = "wang") -> Any:
    return client.post(WEBHOOK, json=body, headers=sign_in(client, who))


def incidents(client: TestClient) -> list[dict[str, Any]]:
    sign_in(client, "guest")
    return client.get("/api/v1/incidents").json()["items"]


def test_a_firing_alert_is_an_incident_in_plain_words(client: TestClient) -> None:
    said = tell(client, group(alert()))
    assert said.status_code == 200, said.text
    assert said.json() == {"taken": 1, "changed": 1, "left_out": 0}
    (one,) = incidents(client)
    assert one["title"] == "b03 的边缘盒子 c001-n07 离线"
    assert one["key"] == {
        "site": SITE,
        "node": "c001-n07",
        "device": "self",
        "event": "edge-offline",
        "zone": None,
    }
    assert (one["area"], one["severity"], one["state"]) == ("b03", "high", "open")
    assert one["condition_active"] is True
    assert one["first"] == "2026-03-02T11:58:03.157076Z"


def test_told_again_it_changes_nothing(client: TestClient, folder: Folder) -> None:
    tell(client, group(alert()))
    before = incidents(client)
    for _ in range(3):
        folder.clock.advance(60)
        assert tell(client, group(alert())).json()["changed"] == 0
    assert incidents(client) == before


def test_resolved_it_is_cleared_once(client: TestClient) -> None:
    tell(client, group(alert()))
    assert tell(client, group(alert("resolved"), status="resolved")).json()["changed"] == 1
    assert tell(client, group(alert("resolved"), status="resolved")).json()["changed"] == 0
    (one,) = incidents(client)
    assert one["condition_active"] is False
    assert one["cleared"] == "2026-03-02T11:59:30Z"


def test_an_old_firing_behind_its_end_opens_nothing_again(client: TestClient) -> None:
    tell(client, group(alert("resolved")))
    assert tell(client, group(alert())).json()["changed"] == 0
    (one,) = incidents(client)
    assert one["condition_active"] is False


def test_firing_again_later_is_the_same_incident_or_the_next(
    client: TestClient, folder: Folder
) -> None:
    tell(client, group(alert(), alert("resolved")))
    folder.clock.advance(60)
    tell(client, group(alert(startsAt="2026-03-02T12:00:30Z")))
    (one,) = incidents(client)
    assert one["count"] == 2
    assert one["condition_active"] is True


def test_alerts_of_other_rules_keep_apart_by_their_fingerprint(client: TestClient) -> None:
    labels = {"alertname": "CPU", "severity": "page-me", "node": "../../etc"}
    two = [alert(labels=labels, fingerprint=name, annotations={}) for name in ("a1", "a2")]
    assert tell(client, group(*two)).json()["changed"] == 2
    found = incidents(client)
    assert {one["key"]["event"] for one in found} == {"grafana-alert"}
    assert {one["key"]["node"] for one in found} == {"grafana"}
    assert {one["severity"] for one in found} == {"medium"}
    assert {one["title"] for one in found} == {"CPU"}
    assert len({one["key"]["zone"] for one in found}) == 2


def test_what_was_left_out_is_told(client: TestClient) -> None:
    assert tell(client, group(alert(), truncatedAlerts=7)).json()["left_out"] == 7


def test_it_takes_a_right_to_act(client: TestClient) -> None:
    assert client.post(WEBHOOK, json=group(alert())).status_code == 401
    assert tell(client, group(alert()), "guest").status_code == 403
    bad = client.post(WEBHOOK, json=group(alert()), headers={"Authorization": "Bearer guess"})
    assert bad.status_code == 401
    assert bad.headers["content-type"] == "application/problem+json"
    assert incidents(client) == []


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '{"alerts": 3}',
        '{"alerts": [{}]}',
        '{"alerts": [{"status": "maybe", "fingerprint": "x", "startsAt": "2026-03-02T12:00:00Z"}]}',
        '{"alerts": [{"status": "firing", "fingerprint": "x", "startsAt": "yesterday"}]}',
        '{"alerts": [{"status": "firing", "fingerprint": "x", "startsAt": "2026-03-02T12:00:00"}]}',
        '{"alerts": [{"status": "firing", "fingerprint": "", "startsAt": "2026-03-02T12:00:00Z"}]}',
        '{"alerts": [' + ",".join(["{}"] * 501) + "]}",
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_garbage_is_a_problem_and_opens_nothing(client: TestClient, body: str | bytes) -> None:
    headers = {**sign_in(client, "wang"), "Content-Type": "application/json"}
    said = client.post(WEBHOOK, content=body, headers=headers)
    assert said.status_code in (400, 422)
    assert said.headers["content-type"] == "application/problem+json"
    assert incidents(client) == []


def test_one_bad_alert_refuses_its_whole_group(client: TestClient) -> None:
    assert tell(client, group(alert(), alert("burning"))).status_code == 422
    assert incidents(client) == []


def test_a_time_of_the_future_is_now_and_an_end_never_precedes_its_beginning() -> None:
    ahead = Alert(
        fingerprint="x",
        firing=False,
        starts=NOON + timedelta(hours=2),
        ends=NOON + timedelta(hours=1),
        labels={},
        title=None,
    )
    fact = fact_of(ahead, SITE, NOON)
    assert fact.since == fact.at == fact.heard == NOON
    assert fact.title == "grafana-alert"


def test_a_long_title_and_strange_labels_stay_within_bounds() -> None:
    strange = Alert(
        fingerprint="\0" * 128,
        firing=True,
        starts=NOON,
        ends=None,
        labels={"rule": "Not An Id", "of": "x" * 99, "severity": "critical"},
        title="长" * 5000,
    )
    fact = fact_of(strange, SITE, NOON)
    assert fact.key.event == "grafana-alert"
    assert fact.severity == "critical"
    assert len(fact.title or "") == 200
