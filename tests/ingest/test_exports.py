"""NGSI-LD and tables: what leaves, to whom, and of which a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from house import CAMERA, NODE, NODE_KEY, NOON, PASSWORDS, SITE, Folder
from jsonschema import Draft202012Validator

from ingest import registry
from ingest.accounts import book
from ingest.app import create_app
from ingest.exports.fiware import CONTEXT, Happening, Reading, Thing, alert_of, entity_of
from ingest.series.timeseries import Sample, SeriesKey, to_millis
from ingest.spreadsheet import table
from ingest.store.engine import writing
from linli.cli.export import command

URI, TIME = r"^urn:ngsi-ld:[A-Za-z]+:", r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
# NGSI-LD's normalized form: every attribute says what it is.
NORMALIZED = {
    "type": "object",
    "required": ["id", "type", "@context"],
    "properties": {
        "id": {"type": "string", "pattern": URI},
        "type": {"enum": ["WasteContainer", "Streetlight", "Device", "Alert"]},
        "@context": {"type": "array", "minItems": 2},
    },
    "additionalProperties": {
        "type": "object",
        "required": ["type", "value"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "Property"},
            "value": {"not": {"type": "null"}},
            "observedAt": {"type": "string", "pattern": TIME},
        },
    },
}
# What the Smart Data Models of each type allow of what we use.
WORDS = {
    "WasteContainer": {"status": {"ok", "unknown"}},
    "Streetlight": {"status": {"ok", "defectiveLamp"}, "powerState": {"on", "off"}},
    "Alert": {
        "severity": {"informational", "low", "medium", "high", "critical"},
        "category": {"security"},
    },
    "Device": {},
}
BIN = Thing(
    SITE, "b03", NODE, "bin-3", "bin", "厨余桶", "三号楼", "online", True, NOON,
    {"fill-level": Reading(0.82, NOON)},
)  # fmt: skip


def checked(made: dict[str, Any]) -> dict[str, Any]:
    Draft202012Validator(NORMALIZED).validate(made)
    assert made["@context"] == CONTEXT
    known = {*CONTEXT[2]} | {"id", "type", "@context"}
    for name, allowed in WORDS[made["type"]].items():
        if name in made:
            assert made[name]["value"] in allowed
    assert all(name in known for name in made if name.startswith("linli"))
    return made


def test_each_kind_is_the_entity_that_a_city_knows() -> None:
    found = checked(entity_of(BIN, faulty=False))
    assert found["id"] == f"urn:ngsi-ld:WasteContainer:{SITE}:{NODE}:bin-3"
    assert found["fillingLevel"] == {
        "type": "Property", "value": 0.82, "observedAt": "2026-03-02T12:00:00.000Z",
    }  # fmt: skip
    unread = checked(entity_of(BIN._replace(readings={}, well=False), faulty=False))
    assert "fillingLevel" not in unread, "no data is not zero"
    assert unread["status"]["value"] == "unknown"
    lamp = BIN._replace(kind="lamp", readings={"on": Reading(1, NOON)})
    lit = checked(entity_of(lamp, faulty=True))
    assert (lit["powerState"]["value"], lit["status"]["value"]) == ("on", "defectiveLamp")
    unread = checked(entity_of(lamp._replace(readings={}, well=False), faulty=False))
    assert not {"powerState", "status"} & set(unread), "a lamp of which nothing is known is not ok"
    sensor = checked(entity_of(BIN._replace(kind="sensor"), faulty=False))
    assert sensor["controlledProperty"]["value"] == ["fillingLevel"]


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
def test_an_incident_is_an_alert_with_what_alerts_lack(severity: str) -> None:
    one = Happening(
        "x", 7, SITE, NODE, CAMERA, "camera", "ebike-in-elevator", severity, "open", True, NOON,
        None, NOON, "三号楼",
    )  # fmt: skip
    made = checked(alert_of(one))
    assert (made["severity"]["value"], "validTo" in made) == (severity, False)
    assert made["linliEvent"]["value"] == "ebike-in-elevator"
    assert "validTo" in checked(alert_of(one._replace(ended=NOON, active=False)))
    of_bin = alert_of(one._replace(device=BIN.device, kind=BIN.kind))
    assert of_bin["alertSource"]["value"] == entity_of(BIN, faulty=False)["id"]


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=x"])
def test_no_cell_is_a_formula(evil: str) -> None:
    """S38."""
    (title, (cell, number)) = csv.reader(io.StringIO(table(("a", "b"), [(evil, -1.5)])[1:]))
    assert title == ["a", "b"]
    assert (cell, number) == (f"'{evil}", "-1.5")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    with writing(folder.state) as connection:
        book.add_account(connection, "far", "duty", NOON, "another evening", areas={"b99"})
        registry.add_device(
            connection, node_name=NODE, name="bin-3", kind="bin", label="=cmd|' /C calc'!A0"
        )
    yield folder
    folder.close()


def test_everybody_takes_what_they_may_see_and_it_is_written_down(folder: Folder) -> None:
    for severity in ("high", "low"):
        folder.put_event(folder.event(name=f"zone-{severity}", severity=severity))
    with TestClient(create_app(folder.settings, clock=folder.clock)) as client:
        house = client.app.state.house  # type: ignore[attr-defined]
        login = {"name": "wang", "password": PASSWORDS["wang"][1]}
        client.post("/api/v1/login", json=login)
        for _ in range(500):
            house.wake()
            if len(client.get("/api/v1/incidents").json()["items"]) == 2:
                break
        found = [checked(one) for one in client.get("/api/v1/export/fiware").json()]
        assert sorted(one["type"] for one in found) == [
            "Alert", "Alert", "Device", "WasteContainer",
        ]  # fmt: skip
        text = client.get("/api/v1/export/devices.csv").text
        assert "'=cmd|" in text
        rows = list(
            csv.DictReader(io.StringIO(client.get("/api/v1/export/incidents.csv").text[1:]))
        )
        assert {one["event"] for one in rows} == {"zone-high", "zone-low"}
        assert {one["state"] for one in rows} == {"open"}
        span = {"start": NOON.isoformat(), "end": NOON.isoformat()}
        wrong = client.get("/api/v1/export/readings.csv", params={"series": "x", **span})
        assert wrong.status_code == 400
        client.cookies.clear()
        client.post("/api/v1/login", json={"name": "far", "password": "another evening"})
        assert client.get("/api/v1/export/fiware").json() == []
        rows = client.get("/api/v1/export/incidents.csv").text.splitlines()
        assert len(rows) == 1
        assert len(client.get("/api/v1/export/devices.csv").text.splitlines()) == 1
        client.cookies.clear()
        client.post("/api/v1/login", json={"name": "boss", "password": PASSWORDS["boss"][1]})
        log = client.get("/api/v1/audit", params={"act": "exported"}).json()["items"]
    assert {one["subject"] for one in log} == {"fiware", "devices.csv", "incidents.csv"}


def test_the_command_line_writes_the_same(folder: Folder, tmp_path: Path) -> None:
    config = tmp_path / "ingest.toml"
    text = f'data = "{folder.path}"\n[site]\nid = "{SITE}"\nlabel = "x"\n'
    config.write_text(text + folder.toml)
    for what, out in (("fiware", "c.jsonld"), ("devices", "d.csv"), ("incidents", "i.csv")):
        words = [what, "--config", str(config), "--out", str(tmp_path / out)]
        done = CliRunner().invoke(command, words)
        assert done.exit_code == 0, (done.output, done.exception)
    found = [checked(one) for one in json.loads((tmp_path / "c.jsonld").read_text())]
    assert {one["type"] for one in found} == {"Device", "WasteContainer"}
    assert (tmp_path / "d.csv").read_bytes().count(b"\r\n") == 3
    assert NODE_KEY not in (tmp_path / "c.jsonld").read_text()


def test_readings_of_all_boxes_are_one_question(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = [f"c001-n{number}" for number in range(21, 25)]
    rest = {"device": "t1", "group": "sensor", "name": "temperature", "unit": "Cel"}
    keys = [SeriesKey(site=SITE, node=one, **rest) for one in boxes]
    with writing(folder.state) as connection:
        for one in boxes:
            registry.add_node(connection, site=SITE, area="b03", name=one, label=one)
            registry.add_device(
                connection, node_name=one, name="t1", kind="temperature", label=f"T {one}"
            )
    with TestClient(create_app(folder.settings, clock=folder.clock)) as client:
        house = client.app.state.house  # type: ignore[attr-defined]
        timeseries, now = house.services.series._timeseries, to_millis(folder.clock.now())
        asked: list[Sequence[SeriesKey]] = []

        def latest(some: Sequence[SeriesKey], start: int, end: int) -> list[Sample]:
            assert start < now < end
            asked.append(some)
            return [Sample(key=key, time=now, value=7.0) for key in some]

        monkeypatch.setattr(timeseries, "keys", lambda nodes=(), names=(): keys)
        monkeypatch.setattr(timeseries, "latest", latest)
        client.post("/api/v1/login", json={"name": "wang", "password": PASSWORDS["wang"][1]})
        found = [checked(one) for one in client.get("/api/v1/export/fiware").json()]
    assert asked == [keys]
    said = [one["value"]["value"] for one in found if "value" in one]
    assert said == ["temperature=7"] * len(boxes)
