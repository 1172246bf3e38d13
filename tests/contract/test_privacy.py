"""No message can carry who somebody is, and no type of ours has a place for it."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linli import codec, events
from linli.errors import PayloadError
from linli.events import FORBIDDEN_FIELDS
from linli.topics import Topic

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
EXAMPLES = REFERENCE / "examples"
TOPIC = Topic("c001", "b03", "c001-n07", "cam-e1", "event", "zone-dwell")
PHOTO = bytes(range(256)) * 5
MODEL_NAME = ("ModelRef", "name")
"""The name of a model is no person's, and the only name there is."""


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (EXAMPLES / "event" / "begin.json").read_text(encoding="utf-8")
    )
    return found


def refused(**data: object) -> tuple[str, str]:
    """Return code and path of the refusal of a message with more in its data."""
    message = document()
    message["data"].update(data)
    with pytest.raises(PayloadError) as caught:
        codec.decode(TOPIC, json.dumps(message).encode())
    return caught.value.code, caught.value.path


@pytest.mark.parametrize("field", [*sorted(FORBIDDEN_FIELDS), "Name", "PHONE"])
@pytest.mark.parametrize(
    "place", [lambda at: at, lambda at: {"x": [{"y": at}]}], ids=["top", "deep"]
)
def test_a_field_that_may_identify_somebody_is_refused(field: str, place: Any) -> None:
    code, path = refused(**place({field: "x"}))
    assert code == "privacy"
    assert path.endswith(f".{field}")


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(PHOTO).decode(),
        base64.urlsafe_b64encode(PHOTO).decode(),
        base64.encodebytes(PHOTO).decode(),
        "data:image/jpeg;base64," + base64.b64encode(PHOTO).decode(),
        PHOTO.hex(),
        "what was seen: " + base64.b64encode(PHOTO).decode() + " here",
    ],
    ids=["plain", "urlsafe", "in-lines", "data-url", "hexadecimal", "within-a-text"],
)
def test_a_text_that_may_be_a_picture_is_refused(text: str) -> None:
    assert refused(note=text) == ("privacy", "$.data.note")
    assert refused(more=[{"a": text}])[0] == "privacy"


@pytest.mark.parametrize("size", [64, 128, 512])
def test_numbers_that_may_be_an_embedding_are_refused(size: int) -> None:
    assert refused(v=[0.125] * size) == ("privacy", "$.data.v")
    assert refused(v=list(range(size)))[0] == "privacy"
    assert refused(v={"w": [[0.5] * size]}) == ("privacy", "$.data.v.w[0]")


@pytest.mark.parametrize(
    "data",
    [
        {"v": [0.5] * 63},
        {"note": "A" * 1000},
        {"note": "words that say much " * 100},
        {"v": ["x"] * 100},
    ],
    ids=["few-numbers", "short-code", "long-text", "many-words"],
)
def test_what_cannot_be_either_is_only_dropped(data: dict[str, Any]) -> None:
    message = document()
    message["data"].update(data)
    assert codec.decode(TOPIC, json.dumps(message).encode()).unknown_fields == 1


def structs() -> Iterator[type[msgspec.Struct]]:
    for _, found in inspect.getmembers(events, inspect.isclass):
        if issubclass(found, msgspec.Struct) and found.__module__ == events.__name__:
            yield found


def test_no_type_of_a_message_has_a_place_for_a_person() -> None:
    fields = {
        (one.__name__, field.encode_name)
        for one in structs()
        for field in msgspec.structs.fields(one)
    }
    assert len(fields) > 50
    assert MODEL_NAME in fields
    forbidden = {(one, name) for one, name in fields if name.lower() in FORBIDDEN_FIELDS}
    assert forbidden == {MODEL_NAME}


def named_in(schema: Any, path: str = "") -> Iterator[str]:
    """Yield where a schema has a property of a forbidden name."""
    if isinstance(schema, dict):
        for name, child in schema.items():
            if name == "properties" and isinstance(child, dict):
                for key in child:
                    if key.lower() in FORBIDDEN_FIELDS:
                        yield f"{path}.{key}"
            yield from named_in(child, f"{path}.{name}")
    elif isinstance(schema, list):
        for child in schema:
            yield from named_in(child, path)


MESSAGES = (
    "ack",
    "command",
    "describe",
    "event",
    "receipt",
    "reject",
    "report",
    "status",
    "telemetry",
)


@pytest.mark.parametrize("name", ["asyncapi.json", *(f"schema/{one}.json" for one in MESSAGES)])
def test_no_schema_of_a_message_has_a_place_for_a_person(name: str) -> None:
    path = REFERENCE / name
    if not path.exists():
        pytest.skip("docs are there in a checkout only: run it in a clone")
    found = set(named_in(json.loads(path.read_text(encoding="utf-8"))))
    assert all("ModelRef" in one and one.endswith(".name") for one in found), found


def test_the_schema_lint_finds_what_it_looks_for() -> None:
    schema = {"$defs": {"Guest": {"properties": {"Phone": {"type": "string"}}}}}
    assert list(named_in(schema)) == [".$defs.Guest.Phone"]
