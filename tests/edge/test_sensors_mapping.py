"""Mapping files: what is wrong with one is said, and makers' payloads become the right values."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace
from sensor_payloads import CHIRPSTACK_LEAK, DAHUA_ACCESS, chirpstack_up

from edge.sensors.explain import try_payload
from edge.sensors.mapped import MAX_PAYLOAD, Mapped, map_payload
from edge.sensors.mapping import (
    PERSONAL,
    Alarm,
    Field,
    Mapping,
    built_in,
    load_mapping,
    mapping_schema,
)
from edge.sensors.quantity import QUANTITIES
from edge.sensors.registers import Block, blocks, map_registers
from edge.sensors.topics import Said, read_topic, subscriptions
from edge.sensors.units import convert, fits, unit_named
from linli.errors import InputError
from linli.sensor_config import SensorSource
from linli.settings import convert as convert_settings

DOCS = Path(__file__).parents[2] / "docs"
MAPPINGS = {name: load_mapping(name) for name in built_in()}
HEAD = 'kind = "x"\nformat = ["json"]\n'
ONE = '[[reading]]\nquantity = "{}"\nfrom = "s"\n'
EUI = "24e124136b502217"


def values(mapped: Mapped) -> dict[str, float]:
    return {one.field.quantity: one.value for one in mapped.values}


def mapped(name: str, payload: Any) -> Mapped:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return map_payload(MAPPINGS[name], data)


def lora(**said: Any) -> dict[str, Any]:
    return chirpstack_up(EUI, said)[1]


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        (
            "zigbee2mqtt",
            {"battery": "100.00", "voltage": 3045, "linkquality": 99, "water_leak": False},
            {"battery": 1.0, "water-leak": 0},
        ),
        ("zigbee2mqtt", {"contact": True, "linkquality": 128}, {"open": 0}),
        ("zigbee2mqtt", {"contact": False}, {"open": 1}),
        (
            "zigbee2mqtt",
            {"smoke": True, "battery": 96, "battery_low": False, "tamper": False},
            {"smoke": 1, "battery": 0.96, "battery-low": 0, "tamper": 0},
        ),
        (
            "zigbee2mqtt",
            {"presence": True, "motion_state": "large", "illuminance_lux": 214, "illuminance": 23},
            {"occupancy": 1, "illuminance": 214},
        ),
        (
            "zigbee2mqtt",
            {"state": "ON", "power": 9, "energy": 1.956, "voltage": 231, "current": 0.089},
            {"on": 1, "power": 9, "energy": 1956, "current": 0.089},
        ),
        (
            "zigbee2mqtt",
            {"temperature": 22.57, "humidity": 47.2, "pressure": 1013.2},
            {"temperature": 22.57, "humidity": 0.472, "pressure": 101320},
        ),
        (
            "tasmota",
            {
                "Time": "2018-03-02T18:25:03",
                "AM2301": {"Temperature": 22.6, "Humidity": 32.4},
                "TempUnit": "C",
            },
            {"temperature": 22.6, "humidity": 0.324},
        ),
        (
            "tasmota",
            {"SI7021": {"Temperature": 72.5, "Humidity": 40}, "TempUnit": "F"},
            {"temperature": 22.5, "humidity": 0.4},
        ),
        (
            "tasmota",
            {
                "Time": "2018-01-17T18:59:50",
                "ENERGY": {
                    "Total": 1.956,
                    "Yesterday": 0.054,
                    "Today": 0.049,
                    "Period": 0,
                    "Power": 9,
                    "Factor": 0.43,
                    "Voltage": 231,
                    "Current": 0.089,
                },
            },
            {
                "energy": 1956,
                "power": 9,
                "power-factor": 0.43,
                "voltage": 231,
                "current": 0.089,
            },
        ),
        ("tasmota", {"SR04": {"Distance": 16.754}}, {"distance": 0.16754}),
        (
            "milesight-em300-sld",
            CHIRPSTACK_LEAK[1],
            {"battery": 0.92, "temperature": 30.8, "humidity": 0.505, "water-leak": 1},
        ),
        (
            "milesight-em400-udl",
            lora(battery=92, temperature=25.7, distance=2116, position="tilt"),
            {"battery": 0.92, "temperature": 25.7, "distance": 2.116, "tilted": 1},
        ),
        (
            "milesight-ws301",
            lora(battery=100, state="open", install="no"),
            {"battery": 1, "open": 1, "tamper": 1},
        ),
        (
            "milesight-ws202",
            lora(battery=16, pir="trigger", daylight="dark"),
            {"battery": 0.16, "occupancy": 1},
        ),
        (
            "milesight-vs133",
            lora(line_1_total_in=72, line_1_total_out=200, line_2_total_in=0),
            {"people-in": 72, "people-out": 200},
        ),
        ("milesight-vs133", lora(region_1_count=2, region_2_count=16), {"people": 2}),
        ("milesight-em500-lgt", lora(illumination=1523), {"illuminance": 1523}),
        ("dahua-vto", DAHUA_ACCESS[1], {"access-granted": 1}),
        (
            "weighing-bin",
            {"ts": 1772448000, "weight_g": 12400, "lid": "closed", "tilt_deg": 1.5, "temp_c": 21.0},
            {"weight": 12.4, "open": 0, "tilt": 1.5, "temperature": 21},
        ),
    ],
)  # fmt: skip
def test_what_makers_publish_becomes_values_in_one_unit(
    name: str, payload: Any, expected: dict[str, float]
) -> None:
    found = mapped(name, payload)
    assert values(found) == pytest.approx(expected)
    assert found.faults == ()


def test_every_mapping_has_a_payload_here_or_registers() -> None:
    tried = {one.args[0][0] for one in _cases()} | {"eastron-sdm230"}
    assert tried >= set(built_in())


def _cases() -> list[Any]:
    test: Any = test_what_makers_publish_becomes_values_in_one_unit
    return [type("Case", (), {"args": (case,)}) for case in test.pytestmark[0].args[1]]


def test_a_payload_s_own_time_and_id_are_read() -> None:
    said = {**lora(battery=92), "time": "2022-07-18T09:34:15.775023242+00:00"}
    found = mapped("milesight-ws301", said)
    assert found.time == datetime(2022, 7, 18, 9, 34, 15, 775023, tzinfo=UTC)
    assert found.id == "3ac7e3c4-4401-4b8d-9386-a5c902f9202d"
    when = datetime(2026, 3, 2, 10, 40, tzinfo=UTC)
    for said_time in (1772448000, 1772448000000, "2026-03-02T18:40:00+08:00"):
        assert mapped("weighing-bin", {"ts": said_time, "lid": "open"}).time == when


@pytest.mark.parametrize("said", ["2026-03-02T18:40:00", "yesterday", True, 1e300, [1]])
def test_a_time_that_would_need_a_guess_is_a_fault_and_loses_no_value(said: Any) -> None:
    found = mapped("weighing-bin", {"ts": said, "lid": "open"})
    assert (found.time, values(found)) == (None, {"open": 1})
    assert [one.code for one in found.faults] == ["time"]


def test_who_somebody_is_is_counted_and_never_read() -> None:
    found = mapped("dahua-vto", DAHUA_ACCESS[1])
    assert found.personal == 3  # a card, a name, a user; what is empty says nothing
    shown = str(try_payload(MAPPINGS["dahua-vto"], json.dumps(DAHUA_ACCESS[1]).encode()))
    assert "8A5F3C01" not in shown
    assert "OpenDoor" not in shown
    for mapping in MAPPINGS.values():
        for one in mapping.reading:
            assert not one.path or one.path.split(".")[-1].lower() not in PERSONAL


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff\xfe", "json"),
        (b'{"a": NaN}', "json"),
        (b"[" * 100_000, "size"),
        (b"[" * 30_000, "json"),
        (b'"on"', "shape"),
        (b"[1]", "shape"),
        (b'{"a":"' + b"x" * MAX_PAYLOAD + b'"}', "size"),
        (b'{"contact": "ajar"}', "word"),
        (b'{"temperature": "warm"}', "number"),
        (b'{"temperature": [1]}', "type"),
        (b'{"temperature": 1' + b"0" * 400 + b"}", "number"),
        (b'{"temperature": "1e999"}', "number"),
    ],
)
def test_what_is_no_value_is_a_counted_fault(payload: bytes, code: str) -> None:
    found = map_payload(MAPPINGS["zigbee2mqtt"], payload)
    assert (found.values, [one.code for one in found.faults]) == ((), [code])


@pytest.mark.parametrize(
    ("kind", "topic", "payload", "said"),
    [
        ("zigbee2mqtt", "zigbee2mqtt/二楼/smoke", b"{}", Said("payload", "二楼/smoke")),
        ("zigbee2mqtt", "zigbee2mqtt/a/availability", b'{"state":"offline"}',
         Said("presence", "a", up=False)),
        ("zigbee2mqtt", "zigbee2mqtt/a/availability", b"online", Said("presence", "a")),
        ("zigbee2mqtt", "zigbee2mqtt/bridge/state", b'{"state":"offline"}',
         Said("source", up=False)),
        ("zigbee2mqtt", "zigbee2mqtt/bridge/devices", b"[]", Said("nothing")),
        ("zigbee2mqtt", "zigbee2mqtt/a/set", b"{}", Said("nothing")),
        ("tasmota", "tele/pow-1/SENSOR", b"{}", Said("payload", "pow-1")),
        ("tasmota", "tele/pow-1/LWT", b"Offline", Said("presence", "pow-1", up=False)),
        ("tasmota", "tele/pow-1/INFO1", b"{}", Said("nothing")),
        ("chirpstack", f"application/x/device/{EUI.upper()}/event/up", b"{}", Said("payload", EUI)),
        ("chirpstack", f"application/x/device/{EUI}/event/join", b"{}", Said("alive", EUI)),
        ("chirpstack", f"application/x/device/{EUI}/command/down", b"{}", Said("nothing")),
        ("json", "any/topic", b"{}", Said("payload", "any/topic")),
    ],
)  # fmt: skip
def test_topics_as_the_makers_have_them(kind: Any, topic: str, payload: bytes, said: Said) -> None:
    assert read_topic(SensorSource(id="s", kind=kind), topic, payload) == said


def test_sensors_that_share_a_topic_are_told_apart_by_a_field() -> None:
    source = SensorSource(id="g", kind="json", topic="gw/up", device_from="dev.id")
    assert subscriptions(source, ["7"]) == ("gw/up",)
    assert read_topic(source, "gw/up", b'{"dev": {"id": 7}}') == Said("payload", "7")
    assert read_topic(source, "gw/up", b'{"dev": {}}') == Said("payload", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[reading]]\nquantity = "heat"\nfrom = "t"\n', "'heat' is none"),
        ('[[reading]]\nquantity = "smoke"\n', "either from or register"),
        ('[[reading]]\nquantity = "power"\nfrom = "p"\nunit = "lx"\n', "'lx' is no UCUM unit"),
        ('[[reading]]\nquantity = "power"\nfrom = "p"\nscale = 0\n', "scale of 'power' is 0"),
        ('[[reading]]\nquantity = "smoke"\nfrom = "card_no"\n', "says who somebody is"),
        ('[[reading]]\nquantity = "smoke"\nregister = 1\n', "register is for 'modbus'"),
        ('[[reading]]\nquantity = "power"\nfrom = "p"\nlow = 2\nhigh = 1\n', "low of 'power'"),
        ('[[reading]]\nquantity = "smoke"\nform = "s"\n', "unknown setting 'form'"),
        ("", "`reading`"),
        (
            ONE.format("smoke") + '[[alarm]]\nquantity = "gas"\nevent = "gas"\n',
            "alarm on 'gas'",
        ),
        (
            ONE.format("power") + '[[alarm]]\nquantity = "power"\nevent = "p"\n',
            "about a state",
        ),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said_with_its_file(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + text)
    with pytest.raises(InputError) as caught:
        load_mapping(str(path))
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + ONE.format("smoke") + ONE.format("power") + 'scale = "half"\n')
    with pytest.raises(InputError) as caught:
        load_mapping(str(path))
    rule = "reading[1].scale: Expected `float`, got `str`"
    assert str(caught.value) == f"{path}: {rule}, not 'half' (line 9)"
    path.write_text(HEAD + "[[reading]\n")
    with pytest.raises(InputError, match="line 3"):
        load_mapping(str(path))


def test_a_name_that_is_no_mapping_lists_those_there_are() -> None:
    with pytest.raises(InputError, match="zigbee2mqtt"):
        load_mapping("zigbee3mqtt")


def test_the_committed_schema_is_current_and_takes_what_linli_brings() -> None:
    committed = (DOCS / "reference" / "sensor-mapping.schema.json").read_text(encoding="utf-8")
    assert committed == mapping_schema()
    validator = jsonschema.Draft202012Validator(json.loads(committed))
    for name in built_in():
        path = resources.files("edge.sensors") / "mappings" / f"{name}.toml"
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        validator.validate(document)
        assert list(validator.iter_errors({**document, "made-up": 1}))


def test_the_example_and_every_setting_are_in_the_document() -> None:
    text = (DOCS / "sensors.md").read_text(encoding="utf-8")
    example = text[text.index('kind = "meter"') : text.index("| setting of")].split("```")[0]
    convert_settings(tomllib.loads(example), Mapping, where="document")
    missing = [name for name in (*built_in(), *QUANTITIES) if f"`{name}`" not in text]
    assert [name for name in missing if not name.startswith("milesight")] == []
    for kind in (Mapping, Field, Alarm):
        for one in msgspec.structs.fields(kind):
            name = one.encode_name
            assert f"`{name}`" in text or re.search(rf"^\[*{name}\b", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(212, "[degF]", 100), (300, "K", 26.85), (2116, "mm", 2.116), (1.5, "kW.h", 1500),
     (50.5, "%", 0.505), (3.6, "MJ", 1000), (1013.25, "hPa", 101325)],
)  # fmt: skip
def test_units(value: float, unit: str, expected: float) -> None:
    assert convert(value, unit) == pytest.approx(expected)


def test_each_quantity_has_a_unit_that_is_known_and_fits_the_wire() -> None:
    for one in QUANTITIES.values():
        assert unit_named(one.unit) == one.unit
        assert fits(one.unit, one.unit)
        assert len(one.unit) <= 16


def test_registers_are_asked_for_side_by_side_and_read_in_either_order() -> None:
    mapping = MAPPINGS["eastron-sdm230"]
    starts = [0, 6, 12, 30, 342]
    assert blocks(mapping.reading) == tuple(Block("input", at, 2) for at in starts)
    side_by_side = [replace(mapping.reading[0], register=at) for at in (4, 2, 0, 90)]
    assert blocks(side_by_side) == (Block("input", 0, 6), Block("input", 90, 2))
    # 230.5 V, 1234.5 kWh as the meter's floats, high word first; the rest was not answered
    words = {("input", 0): 0x4366, ("input", 1): 0x8000}
    words |= {("input", 342): 0x449A, ("input", 343): 0x5000}
    assert values(map_registers(mapping, words)) == {"voltage": 230.5, "energy": 1234500}  # type: ignore[arg-type]
