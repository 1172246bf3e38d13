"""Bytes and topics as nobody should send them: refused by name, quickly, and never otherwise."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linli import codec
from linli.errors import PayloadError
from linli.mqtt.packets import MalformedError, body_of, delivery_of
from linli.topics import Topic, is_id, topic_filter

EXAMPLES = Path(__file__).parents[2] / "docs/reference/examples"
GOOD = [path.read_bytes() for path in sorted((EXAMPLES / "event").glob("*.json"))]
GOOD += [path.read_bytes() for path in sorted((EXAMPLES / "telemetry").glob("*.json"))]
TOPICS = [Topic("c001", "b03", "c001-n07", "cam-e1", kind, "x") for kind in ("event", "telemetry")]
BOUNDED = settings(max_examples=300, deadline=None, derandomize=True, database=None)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A good message with bytes cut out, put in or changed."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(data)


@BOUNDED
@given(st.one_of(spoilt(), st.binary(max_size=200)), st.sampled_from(TOPICS))
@example(b"[" * 10_000, TOPICS[0])
@example(b'{"a":' * 10_000, TOPICS[0])
@example(b'{"time": 1e999}', TOPICS[0])
@example(b"\xef\xbb\xbf{}", TOPICS[1])
def test_a_payload_is_a_message_or_is_refused_with_a_code(data: bytes, topic: Topic) -> None:
    try:
        found = codec.decode(topic, data)
    except PayloadError as refused:
        error = refused
    else:
        assert codec.decode(topic, codec.encode(found.message)).message == found.message
        return
    assert error.code
    assert len(str(error)) < 2000


WORDS = ("+", "#", "/", "$SYS", "\0", "\n", "../", "电梯", "A", "-a", "a-", "", " ", "a" * 33)


@BOUNDED
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=40)), min_size=6, max_size=6))
@example(["a" * 65_535] * 6)
def test_a_topic_is_made_of_ids_alone(levels: list[str]) -> None:
    """S12: names of no id are refused by the one grammar, whatever is built of them."""
    right = all(is_id(one) for one in levels)
    assert right or any(not is_id(one) for one in levels)
    text = "/".join(("linli", "v1", *levels))
    try:
        found = Topic.parse(text)
    except ValueError:
        assert not right or levels[4] not in {"event", "telemetry", "state"}
    else:
        assert str(found) == text
        assert not set("+#$\0\n ") & set(text)
    for one in levels:
        if not is_id(one) and one not in {"+", "_sys", "_req"}:
            with pytest.raises(ValueError, match="must be an id"):
                topic_filter("c001", area=one)


@BOUNDED
@given(st.text(max_size=300))
def test_any_text_as_a_topic_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(Topic.parse(text)) == text


@BOUNDED
@given(st.binary(min_size=2, max_size=80), st.booleans())
@example(b"\x32" + b"\xff" * 8, True)
def test_bytes_of_a_broker_are_a_packet_or_malformed(data: bytes, five: bool) -> None:
    try:
        place = body_of(data, 0)
        if place is None or place[1] > len(data) or place[0] + 2 > len(data):
            return
        found = delivery_of(data, 0, *place, connection=1, five=five)
    except MalformedError:
        return
    assert len(found.payload) <= len(data)
    assert found.qos in {0, 1}


def test_examples_are_what_is_spoilt() -> None:
    assert len(GOOD) > 4
    assert all(json.loads(one)["data"] for one in GOOD)
