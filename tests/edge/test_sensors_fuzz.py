"""Whatever comes in, no mapping, no registers and no topic breaks: values or counted faults."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.sensors.explain import try_payload
from edge.sensors.mapped import Mapped, map_payload
from edge.sensors.mapping import Mapping, built_in, load_mapping
from edge.sensors.registers import map_registers
from edge.sensors.topics import Said, read_topic
from linli.events import Reading
from linli.sensor_config import SensorSource

MAPPINGS = {name: load_mapping(name) for name in built_in()}
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def _shaped(mapping: Mapping) -> st.SearchStrategy[dict[str, Any]]:
    """Payloads that have the fields of a mapping, with anything in them."""
    paths = [one.path for one in mapping.reading if one.path]
    paths += [path for path in (mapping.time_from, mapping.id_from) if path]
    filled = st.dictionaries(st.sampled_from(sorted(set(paths))), ANY, max_size=6)
    return filled.map(_nested)


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, value in flat.items():
        here = document
        *above, last = path.split(".")
        for part in above:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                break
        else:
            here[last] = value
    return document


def _sound(found: Mapped) -> None:
    for one in found.values:
        assert one.value == one.value
        assert abs(one.value) != float("inf")
        Reading(n=one.field.quantity, v=one.value, u=one.field.what.unit, t=datetime.now(UTC))
    quantities = [one.field.quantity for one in found.values]
    assert len(quantities) == len(set(quantities))


@pytest.mark.parametrize("name", [name for name in built_in() if name != "eastron-sdm230"])
def test_no_payload_breaks_a_mapping(name: str) -> None:
    mapping = MAPPINGS[name]

    @FUZZ
    @given(_shaped(mapping), st.binary(max_size=200))
    def play(document: dict[str, Any], noise: bytes) -> None:
        payload = json.dumps(document).encode("utf-8", "surrogatepass")
        _sound(map_payload(mapping, payload))
        found = map_payload(mapping, noise)
        assert found.values or found.faults or noise.strip().startswith(b"{")
        try_payload(mapping, payload)
        try_payload(mapping, noise)

    play()


@FUZZ
@given(st.dictionaries(st.integers(0, 400), st.integers(0, 65535), max_size=60))
def test_no_registers_break_a_mapping(words: dict[int, int]) -> None:
    _sound(map_registers(MAPPINGS["eastron-sdm230"], {("input", at): v for at, v in words.items()}))


@FUZZ
@given(
    st.sampled_from(["zigbee2mqtt", "tasmota", "chirpstack", "json"]),
    st.text(string.printable + "层", max_size=40),
    st.binary(max_size=60),
)
def test_no_topic_breaks_a_source(kind: Any, topic: str, payload: bytes) -> None:
    for extra in ({}, {"topic": "gw", "device_from": "id"} if kind == "json" else {}):
        source = SensorSource(id="s", kind=kind, **extra)  # type: ignore[arg-type]
        for prefix in ("", source.base + "/"):
            assert isinstance(read_topic(source, prefix + topic, payload), Said)
