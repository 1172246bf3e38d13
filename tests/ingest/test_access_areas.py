"""What an account or a token limited to areas knows of: those, and nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import AREA, CAMERA, NODE, NOON, SITE, Folder, running, snapshot

from ingest import registry
from ingest.accounts import book
from ingest.store.engine import writing
from ingest.store.state import evidence
from linli.events import Reading
from linli.ids import uuid7

ELSEWHERE = "b04"
PICTURE = uuid7(NOON)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def token(folder: Folder, area: str | None) -> dict[str, str]:
    with writing(folder.state) as connection:
        made = book.add_token(
            connection,
            "boss",
            "x",
            ["see", "look", "act", "command"],
            now=NOON,
            lasts=timedelta(days=1),
            areas=None if area is None else {area},
        )
    return {"Authorization": f"Bearer {made}"}


def first(client: TestClient, path: str, headers: dict[str, str]) -> list[dict]:
    for _ in range(500):
        client.app.state.house.wake()
        items = client.get(path, headers=headers).json()["items"]
        if items:
            return items
    raise AssertionError(f"{path} stays empty")


def test_what_is_elsewhere_is_not_there(folder: Folder) -> None:
    with writing(folder.state) as connection:
        other = "c001-n09"
        registry.add_node(connection, site=SITE, area=ELSEWHERE, name=other, label="4")
        registry.add_device(connection, node_name=other, name="cam", kind="camera", label="4 C")
        row = {"id": PICTURE, "site": SITE, "node": NODE, "device": CAMERA, "redaction": "heads"}
        row |= {"received": NOON, "expires": NOON + timedelta(days=7), "sent_sha256": "0"}
        row |= {"sha256": "0", "bytes": 1, "width": 1, "height": 1}
        connection.execute(evidence.insert(), row)
    here, away, all_of_it = (token(folder, one) for one in (AREA, ELSEWHERE, None))
    folder.put_event(folder.event(severity="high", snapshot=snapshot(PICTURE)))
    folder.put_readings(Reading(n="fps", v=5, u="/s", t=NOON))
    with running(folder) as client:
        api = "/api/v1"
        (incident,) = first(client, f"{api}/incidents", all_of_it)
        (series,) = first(client, f"{api}/series", all_of_it)
        path = f"{api}/incidents/{incident['id']}"
        made = client.post(f"{path}/orders", json={"assignee": "wang"}, headers=here)
        assert made.status_code == 201, made.text
        order = made.json()["id"]
        span = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z"
        device = f"{api}/devices/{NODE}/{CAMERA}"
        singles = [
            ("GET", path, None),
            ("GET", f"{path}/transitions", None),
            ("GET", f"{path}/orders", None),
            ("POST", f"{path}/acknowledge", None),
            ("POST", f"{path}/false-alarm", None),
            ("POST", f"{path}/undo", None),
            ("POST", f"{path}/shelve", {"seconds": 60}),
            ("POST", f"{path}/orders", {"assignee": "wang"}),
            ("GET", f"{api}/orders/{order}", None),
            ("GET", f"{api}/orders/{order}/steps", None),
            ("POST", f"{api}/orders/{order}/accept", None),
            ("POST", f"{api}/evidence/{PICTURE}/link", None),
            ("GET", f"{device}/commands", None),
            ("GET", f"{api}/registry/edges/{NODE}", None),
            ("GET", f"{api}/registry/devices/{NODE}/{CAMERA}", None),
            ("GET", f"{api}/series/query?series={series['series']}&step=300&{span}", None),
            ("GET", f"{api}/series/readings?series={series['series']}&{span}", None),
        ]
        for method, where, body in singles:
            told = client.request(method, where, json=body, headers=away)
            assert told.status_code == 404, (method, where, told.text)
            none = client.request(
                method, where.replace(incident["id"], "x").replace(order, "x"), headers=away,
                json=body,
            )  # fmt: skip
            assert none.status_code == 404
        for where in ("incidents", "orders", "series", f"history/incidents?{span}"):
            assert first(client, f"{api}/{where}", here)
            assert client.get(f"{api}/{where}", headers=away).json()["items"] == [], where
        for where in ("devices", "registry/edges", "registry/devices", "registry/places"):
            text = client.get(f"{api}/{where}", headers=away).text
            assert NODE not in text, where
            assert NODE in client.get(f"{api}/{where}", headers=here).text or "places" in where
        away_counts = client.get(f"{api}/statistics/handling?{span}", headers=away).json()
        here_counts = client.get(f"{api}/statistics/handling?{span}", headers=here).json()
        assert (away_counts["all"]["incidents"], here_counts["all"]["incidents"]) == (0, 1)
        # What is of the whole site is refused, not cut.
        for where in ("events", "rules", "notifications", "silences", "rejects"):
            assert client.get(f"{api}/{where}", headers=here).status_code == 403, where
        stats = client.get(f"{api}/stats", headers=away).json()
        assert (stats["incidents"], stats["open_incidents"], stats["streams"]) == (0, 0, [])
        assert client.get(path, headers=here).json()["state"] == "acknowledged"


def test_an_area_asked_for_does_not_widen_what_is_known(folder: Folder) -> None:
    here, away = token(folder, AREA), token(folder, ELSEWHERE)
    folder.put_event(folder.event())
    with running(folder) as client:
        assert first(client, "/api/v1/incidents", here)
        for query in ("", f"?area={AREA}", f"?area={AREA}&area={ELSEWHERE}"):
            answer = client.get(f"/api/v1/incidents{query}", headers=away)
            assert answer.json()["items"] == [], query


def test_a_token_is_no_wider_than_its_account(folder: Folder) -> None:
    with writing(folder.state) as connection:
        book.add_account(connection, "li", "duty", NOON, "a rather long one", areas={"b04"})
        made = book.add_token(
            connection, "li", "x", ["see"], now=NOON, lasts=timedelta(1), areas={"b03", "b04"}
        )
        found = book.token_viewer(connection, made, NOON)
    assert found is not None
    assert found.areas == frozenset({"b04"})
    assert not found.may_everywhere("see")
