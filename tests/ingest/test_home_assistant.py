"""Discovery for Home Assistant: its messages against its documentation, and a real mosquitto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broker_clients import EDGE, Client
from broker_house import House, built, retire, running, until
from brokers import NEEDS_MOSQUITTO
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jsonschema import Draft202012Validator

from ingest.consumers.home_assistant import USER, DiscoveryJob
from ingest.home_assistant.discovery import ALL, STATUS, Known, payload, topic_of
from ingest.registry import add_device
from ingest.settings import load_settings
from ingest.store.engine import open_reader
from ingest.store.files import path_of
from linli.cli.ingest.folder import state
from linli.clock import SystemClock
from linli.mqtt import LinkOptions, PahoLink

TEXT = {"type": "string", "minLength": 1, "not": {"pattern": r"\{[{%#]"}}
TOPIC = {"type": "string", "pattern": r"^[^#\s]+$"}
TEMPLATE = {"type": "string", "pattern": r"^\{[{%]"}
COMMON = {
    "p": {"enum": ["event", "sensor", "binary_sensor"]},
    "unique_id": {"type": "string", "pattern": r"^[a-z0-9_-]+$"},
    "name": TEXT,
    "state_topic": TOPIC,
    "value_template": TEMPLATE,
}
# Written from the documentation of the MQTT integration: device discovery, event, sensor, binary
# sensor. It knows more options; what is not here is nothing that we send.
SCHEMA = {
    "type": "object",
    "required": ["dev", "o", "cmps"],
    "additionalProperties": False,
    "properties": {
        "dev": {
            "type": "object",
            "required": ["ids"],
            "additionalProperties": False,
            "properties": {
                "ids": {"type": "array", "minItems": 1, "items": TEXT},
                **dict.fromkeys(("name", "mf", "mdl", "sw", "suggested_area"), TEXT),
            },
        },
        "o": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": dict.fromkeys(("name", "sw", "url"), TEXT),
        },
        "avty": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["topic"],
                "additionalProperties": False,
                "properties": {"topic": TOPIC, "value_template": TEMPLATE},
            },
        },
        "qos": {"enum": [0, 1, 2]},
        "cmps": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": r"^[a-zA-Z0-9_-]+$"},
            "additionalProperties": {
                "type": "object",
                "required": ["p", "unique_id", "state_topic"],
                "oneOf": [
                    {
                        "additionalProperties": False,
                        "required": ["event_types"],
                        "properties": {
                            **COMMON,
                            "p": {"const": "event"},
                            "event_types": {"type": "array", "minItems": 1, "items": TEXT},
                        },
                    },
                    {
                        "additionalProperties": False,
                        "properties": {
                            **COMMON,
                            "p": {"enum": ["sensor", "binary_sensor"]},
                            "device_class": {"type": "string", "pattern": "^[a-z_]+$"},
                            "unit_of_measurement": TEXT,
                            "expire_after": {"type": "integer", "minimum": 1},
                        },
                    },
                ],
            },
        },
    },
}
BIN = Known(
    "c001", "b03", "c001-n01", "bin-3", "bin", "厨余桶", "Mile", "EM400",
    ("event", "telemetry", "battery", "smoke", "on"),
)  # fmt: skip


def rendered(template: str, message: dict[str, Any], now: str) -> str:
    """Render as Home Assistant does: a sandbox, `value_json`, and the entity as it is."""
    found = ImmutableSandboxedEnvironment().from_string(template)
    return found.render(value_json=message, this={"state": now})


def readings(**values: float) -> dict[str, Any]:
    found = [{"n": name.replace("_", "-"), "v": value} for name, value in values.items()]
    return {"data": {"readings": found}}


def test_a_device_is_what_the_documentation_asks_for() -> None:
    made = json.loads(payload(BIN))
    Draft202012Validator(SCHEMA).validate(made)
    assert set(made["cmps"]) == {"event", "fill-level", "battery", "smoke", "on"}
    assert topic_of(BIN) == "homeassistant/device/linli_c001_c001-n01_bin-3/config"
    broken = {**made, "cmps": {"x": {"p": "event"}}}
    assert not Draft202012Validator(SCHEMA).is_valid(broken), "the schema refuses something"


def test_templates_say_what_is_measured_and_keep_what_is_not() -> None:
    made = json.loads(payload(BIN))
    parts = {name: one["value_template"] for name, one in made["cmps"].items()}
    full = readings(fill_level=0.82, smoke=1.0)
    assert float(rendered(parts["fill-level"], full, "?")) == pytest.approx(82)
    assert rendered(parts["battery"], full, "70") == "70"
    assert rendered(parts["smoke"], full, "off") == "ON"
    assert rendered(parts["on"], full, "off") == "OFF"
    example = Path(__file__).parents[2] / "docs/reference/examples"
    event = json.loads((example / "event/begin.json").read_text())
    assert json.loads(rendered(parts["event"], event, "?")) == {"event_type": "begin"}
    presence = made["avty"][0]["value_template"]
    for name, said in (("ready", "online"), ("lost", "offline")):
        status = json.loads((example / f"status/{name}.json").read_text())
        assert rendered(presence, status, "?") == said


@pytest.mark.parametrize(
    "evil",
    ["{{ states('x') }}", "{% for x in range(9**9) %}", "{# x #}", "a\x00\n{\u200b{b}}", "{{" * 99],
)
def test_what_a_device_writes_never_becomes_a_template(evil: str) -> None:
    hostile = BIN._replace(label=evil, vendor=evil, model=evil, capabilities=(evil, "power'] %}"))
    made = json.loads(payload(hostile))
    Draft202012Validator(SCHEMA).validate(made)
    assert made["cmps"] == json.loads(payload(BIN._replace(capabilities=())))["cmps"]
    assert "{" not in json.dumps(made["dev"])[1:]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = built(tmp_path, "passwords")
    text = made.config.read_text().replace(
        'user = "ha"\n[[', 'user = "ha"\nhome_assistant = true\n[['
    )
    made.config.write_text(text + "[home_assistant]\nenabled = true\n")
    with state(load_settings(made.config)) as connection:
        for name in ("cam-1", "cam-2"):
            add_device(connection, node_name=EDGE, name=name, kind="camera", label=name)
    with running(made):
        yield made


class Told:
    """Home Assistant: what is retained for it at this moment."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def now(self) -> dict[str, bytes]:
        self.client.link.step(0.02)
        found = {topic: data for topic, data in self.client.heard if topic != STATUS}
        return {topic: data for topic, data in found.items() if data}


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_devices_come_are_told_again_and_go(house: House) -> None:
    told = Told(house.client("ha", hears=(ALL,)).up())
    settings = load_settings(house.config)
    reader = open_reader(path_of(settings.folder, "state"))
    secret = (house.folder / "secrets" / USER).read_text().strip()

    def begin() -> DiscoveryJob:
        options = LinkOptions(
            host="localhost",
            port=house.port,
            client_id=USER,
            username=USER,
            password=secret,
            tls=told.client.link._options.tls,
            subscriptions=(ALL, STATUS),
        )
        return DiscoveryJob(options, "c001", reader=reader, clock=SystemClock(), make_link=PahoLink)

    job = begin()
    until(lambda: bool(job.step()) and len(told.now()) == 2)
    assert all(
        Draft202012Validator(SCHEMA).is_valid(json.loads(one)) for one in told.now().values()
    )
    sent = len(told.client.heard)
    assert told.client.says(STATUS, b"online") is None
    until(lambda: bool(job.step()) and bool(told.now()) and len(told.client.heard) == sent + 2)
    assert house.client(EDGE).up().says(topic_of(BIN), b"{}", retain=True) is not None
    job.close()
    retire(house, EDGE)
    job = begin()
    until(lambda: bool(job.step()) and told.now() == {})
    assert job.refused == 0
    job.close()
    reader.dispose()
