"""Decoding: good messages in, every kind of bad message out with the contract's code and place."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linli import codec
from linli.errors import PayloadError
from linli.events import MAX_PAYLOAD, DescribeData, EventMessage
from linli.topics import Topic

EXAMPLES = Path(__file__).parents[2] / "docs" / "reference" / "examples"
TOPIC = Topic("c001", "b03", "c001-n07", "cam-e1", "event", "zone-dwell")


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EXAMPLES / "event" / "begin.json").read_text())
    return loaded


TRACK = document()["data"]["track"]


def changed(**data: object) -> bytes:
    base = document()
    return json.dumps({**base, "data": {**base["data"], **data}}).encode()


def test_a_good_message_decodes_and_encodes_to_equal_values() -> None:
    decoded = codec.decode(TOPIC, json.dumps(document()).encode())
    assert isinstance(decoded.message, EventMessage)
    assert decoded.unknown_fields == 0
    again = codec.decode(TOPIC, codec.encode(decoded.message))
    assert again.message == decoded.message


def test_fields_of_a_newer_minor_version_are_dropped_and_counted() -> None:
    newer = document()
    newer["dataschema"] = "urn:linli:schema:event/1.7"
    newer["future"] = 1
    newer["data"]["track"]["speed"] = 3.2
    decoded = codec.decode(TOPIC, json.dumps(newer).encode())
    assert decoded.unknown_fields == 2
    assert (
        decoded.message
        == codec.decode(
            TOPIC, json.dumps({**document(), "dataschema": newer["dataschema"]}).encode()
        ).message
    )


@pytest.mark.parametrize(
    ("payload", "code", "path"),
    [
        (b"", "json", "$"),
        (b"{", "json", "$"),
        (b"\xff\xfe", "json", "$"),
        (b"\xef\xbb\xbf{}", "json", "$"),
        (b'{"a": "\\ud800"}', "json", "$"),
        (b"[" * 20_000, "json", "$"),
        (b'{"a":NaN}', "json", "$"),
        (b'{"a":1e999}', "json", "$"),
        (b"[]", "schema", "$"),
        (b"{}", "schema", "$"),
        (b" " * (MAX_PAYLOAD + 1), "size", "$"),
        (changed(confidence=1.5), "schema", "$.data.confidence"),
        (changed(track={**TRACK, "frames": 2**53 + 1}), "schema", "$.data.track.frames"),
        (changed(phase="middle"), "schema", "$.data.phase"),
        (changed(episode="../../etc/passwd"), "schema", "$.data.episode"),
        (changed(snapshot={"redaction": "none"}), "schema", "$.data.snapshot.redaction"),
        (changed(snapshot={"redaction": "heads"}), "schema", "$.data.snapshot"),
        (changed(plate="浙A12345"), "privacy", "$.data.plate"),
        (changed(Face=[0.1]), "privacy", "$.data.Face"),
        (changed(note="A" * 2000), "privacy", "$.data.note"),
        (
            json.dumps({**document(), "dataschema": "urn:linli:schema:event/2.0"}).encode(),
            "version",
            "$.dataschema",
        ),
        (
            json.dumps({**document(), "source": "/c001/c001-n08/cam-e1"}).encode(),
            "topic-mismatch",
            "$.source",
        ),
        (
            json.dumps({**document(), "type": "linli.event.other"}).encode(),
            "topic-mismatch",
            "$.type",
        ),
        (json.dumps({**document(), "time": "2026-03-02T11:24:05"}).encode(), "schema", "$.time"),
        (json.dumps({**document(), "sequence": "41877"}).encode(), "schema", "$.sequence"),
    ],
)
def test_bad_messages_are_refused_with_code_and_place(payload: bytes, code: str, path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        codec.decode(TOPIC, payload)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_nesting_is_bounded() -> None:
    deep: object = 1
    for _ in range(10):
        deep = {"x": deep}
    with pytest.raises(PayloadError) as caught:
        codec.decode(TOPIC, json.dumps({**document(), "extra": deep}).encode())
    assert caught.value.code == "schema"


@pytest.mark.parametrize(
    ("model", "path"),
    [({"face": "x"}, "$.data.model.face"), ({"Name": "x"}, "$.data.model.Name")],
)
def test_only_the_name_of_a_model_is_no_persons(model: dict[str, str], path: str) -> None:
    base = document()
    base["data"]["model"].update(model)
    with pytest.raises(PayloadError) as caught:
        codec.decode(TOPIC, json.dumps(base).encode())
    assert (caught.value.code, caught.value.path) == ("privacy", path)


def test_an_external_id_may_not_name_a_person() -> None:
    base = json.loads((EXAMPLES / "describe" / "camera.json").read_text())
    topic = Topic("c001", "b03", "c001-n07", "cam-e1", "meta", "describe")
    assert codec.decode(topic, json.dumps(base).encode()).message
    base["data"]["externalids"]["plate"] = "A12345"
    with pytest.raises(PayloadError) as caught:
        codec.decode(topic, json.dumps(base).encode())
    assert (caught.value.code, caught.value.path) == ("privacy", "$.data.externalids.plate")
    with pytest.raises(ValueError, match="'plate' may identify a person"):
        DescribeData(kind="camera", label="x", externalids={"plate": "A12345"})


def test_a_model_may_have_a_name_but_nothing_else_may() -> None:
    base = document()
    base["data"]["model"]["name"] = "yolox-nano"
    assert codec.decode(TOPIC, json.dumps(base).encode()).message
    base["data"]["track"]["name"] = "张三"
    with pytest.raises(PayloadError, match="identify a person"):
        codec.decode(TOPIC, json.dumps(base).encode())


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_decoder(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        codec.decode(TOPIC, payload)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=12,
    ),
    st.sampled_from(["data", "id", "time", "stream", "sequence", "source", "dataschema"]),
)
def test_no_json_in_any_field_crashes_the_decoder(value: object, field: str) -> None:
    payload = msgspec.json.encode({**document(), field: value})
    outcome: object = None
    try:
        outcome = codec.decode(TOPIC, payload).message
    except PayloadError as error:
        outcome = error.code
    codes = {"schema", "privacy", "version", "topic-mismatch", "size", "json"}
    assert isinstance(outcome, EventMessage) or outcome in codes


def test_an_unknown_kind_of_topic_is_refused() -> None:
    with pytest.raises(PayloadError, match="v1 has no message"):
        codec.decode(Topic("c001", "b03", "n", "cam", "gossip", "x"), b"{}")
