"""What was released holds: old messages are read today, today's by programs of then."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from linli import contract_page, schema
from linli.channels import CHANNELS
from linli.edge_config import EdgeConfig
from linli.errors import InputError
from linli.events import RejectCode
from linli.evolution import changes, reads

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
RELEASED = sorted((REFERENCE / "released").glob("*/asyncapi.json"))
OLD = sorted((REFERENCE / "released").glob("*/examples/*/*.json"))
TYPES = {one.name: one.message for one in CHANNELS}
TODAY = [
    one for one in sorted((REFERENCE / "examples").glob("*/*.json")) if one.parent.name in TYPES
]
READ = {**TYPES, "edge-config": EdgeConfig}
SCHEMAS = {**schema.json_schemas(), "edge-config": schema.edge_config()}
Document = dict[str, Any]


def load(path: Path) -> Document:
    found: Document = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_nothing_that_was_released_is_broken() -> None:
    assert RELEASED
    assert [
        one for found in schema.changes(REFERENCE).values() for one in found if one.breaking
    ] == []


@pytest.mark.parametrize("path", OLD, ids=lambda one: "/".join(one.parts[-4:]))
def test_a_released_example_is_read_today(path: Path) -> None:
    name = path.parent.name
    example = load(path)
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(example)
    msgspec.convert(example, READ[name])


def strip(value: Any, known: Document, every: Document) -> Any:
    """Drop the fields that a schema does not know, as a program for it does."""
    while "$ref" in known:
        known = every[known["$ref"].rpartition("/")[2]]
    for one in known.get("anyOf", ()):
        if "$ref" in one and isinstance(value, dict):
            return strip(value, one, every)
    if isinstance(value, dict) and "properties" in known:
        fields = known["properties"]
        return {key: strip(one, fields[key], every) for key, one in value.items() if key in fields}
    if isinstance(value, list) and isinstance(known.get("items"), dict):
        return [strip(one, known["items"], every) for one in value]
    return value


@pytest.mark.parametrize("released", RELEASED, ids=lambda one: one.parent.name)
@pytest.mark.parametrize("path", TODAY, ids=lambda one: "/".join(one.parts[-2:]))
def test_an_example_of_today_is_read_by_programs_of_then(released: Path, path: Path) -> None:
    document = load(released)
    channel = document["channels"].get(path.parent.name)
    if channel is None:
        pytest.skip(f"{path.parent.name} is newer than this release: there is nothing to run")
    every = document["components"]["schemas"]
    (name,) = channel["messages"]
    example = {**load(path), "from-tomorrow": 1}
    root = {"components": {"schemas": every}, "$ref": f"#/components/schemas/{name}"}
    validator = jsonschema.Draft202012Validator(root)
    assert not validator.is_valid(example)
    validator.validate(strip(example, every[name], every))


def fields(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def gone(document: Document) -> None:
    del fields(document, "Receipt")["properties"]["ranges"]


def needed(document: Document) -> None:
    one = fields(document, "Status")
    one["properties"]["mood"] = {"type": "string"}
    one["required"].append("mood")


def relaxed(document: Document) -> None:
    fields(document, "Receipt")["required"].remove("upto")


def retyped(document: Document) -> None:
    fields(document, "EventData")["properties"]["label"]["type"] = "integer"


def narrowed(document: Document) -> None:
    fields(document, "Reading")["properties"]["u"]["maxLength"] = 4


def another_word(document: Document) -> None:
    fields(document, "EventData")["properties"]["phase"]["enum"].append("pause")


def moved(document: Document) -> None:
    document["channels"]["event"]["address"] += "/x"


def no_longer_kept(document: Document) -> None:
    document["operations"]["receive-receipt"]["bindings"]["mqtt"]["retain"] = False


def closed(document: Document) -> None:
    del document["channels"]["reject"]


@pytest.mark.parametrize(
    "change",
    [gone, needed, relaxed, retyped, narrowed, another_word, moved, no_longer_kept, closed],
    ids=lambda one: one.__name__,
)
def test_what_breaks_somebody_is_found(
    change: Callable[[Document], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = schema.asyncapi()
    new = copy.deepcopy(old)
    change(new)
    found = changes(old, new)
    assert [one for one in found if one.breaking]
    # and the command refuses it
    (tmp_path / "released/1.0").mkdir(parents=True)
    (tmp_path / "released/1.0/asyncapi.json").write_text(json.dumps(old), encoding="utf-8")
    monkeypatch.setattr(schema, "asyncapi", lambda: new)
    schema.write(tmp_path)
    with pytest.raises(InputError, match=r"breaks contract 1\.0"):
        schema.check(tmp_path)


def test_a_new_optional_field_and_a_new_channel_break_nobody() -> None:
    old = schema.asyncapi()
    new = copy.deepcopy(old)
    fields(new, "Reading")["properties"]["spread"] = {"type": "number"}
    fields(new, "Reading")["description"] = "said better"
    new["channels"]["song"] = new["channels"]["event"]
    found = changes(old, new)
    assert [(one.path, one.breaking) for one in found] == [
        ("telemetry.data.readings[].spread", False),
        ("song", False),
    ]
    page = contract_page.page(schema.json_schemas(), {}, {"1.0": found})
    assert "- `telemetry.data.readings[].spread`: an optional field" in page
    assert changes(old, copy.deepcopy(old)) == []


def test_the_page_explains_every_message_and_every_code() -> None:
    page = schema.page(REFERENCE)
    assert set(contract_page.REJECTS) == set(get_args(RejectCode))
    for one in CHANNELS:
        assert f"\n## {one.name}\n" in page
    for path in TODAY:
        assert path.read_text("utf-8").strip() in page


KINDS: list[Document] = [{"type": "integer"}, {"type": "boolean"}, {"type": "null"}]


def config_field(document: Document, name: str, field: str) -> Document:
    found: Document = document["$defs"][name]["properties"][field]
    return found


def test_a_configuration_that_was_released_is_taken_today() -> None:
    assert schema.unread(REFERENCE) == {one.parent.name: [] for one in RELEASED}


def without_a_field(document: Document) -> None:
    del document["$defs"]["Scenario"]["properties"]["dwell"]


def with_a_demand(document: Document) -> None:
    document["$defs"]["Scenario"]["required"].append("dwell")


def with_less_room(document: Document) -> None:
    config_field(document, "Scenario", "at_least")["maximum"] = 5


def with_fewer_words(document: Document) -> None:
    config_field(document, "Scenario", "severity")["enum"].remove("low")


def with_another_kind_of_value(document: Document) -> None:
    fields = document["$defs"]["Scenario"]["properties"]
    fields["dwell"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


def with_more_kinds_but_a_narrower_one(document: Document) -> None:
    fields = document["$defs"]["Scenario"]["properties"]
    fields["zone"] = {"anyOf": [{"type": "string", "maxLength": 1}, *KINDS]}


@pytest.mark.parametrize(
    "change",
    [
        without_a_field,
        with_a_demand,
        with_less_room,
        with_fewer_words,
        with_another_kind_of_value,
        with_more_kinds_but_a_narrower_one,
    ],
    ids=lambda one: one.__name__,
)
def test_a_configuration_that_would_be_refused_is_found(
    change: Callable[[Document], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = schema.edge_config()
    new = copy.deepcopy(old)
    change(new)
    assert reads("edge-config", old, new)
    (tmp_path / "released/1.0").mkdir(parents=True)
    (tmp_path / "released/1.0/edge-config.json").write_text(json.dumps(old), encoding="utf-8")
    monkeypatch.setattr(schema, "edge_config", lambda: new)
    schema.write(tmp_path)
    with pytest.raises(InputError, match=r"of contract 1\.0 may be refused"):
        schema.check(tmp_path)


def test_a_configuration_may_say_more_than_before() -> None:
    old = schema.edge_config()
    new = copy.deepcopy(old)
    config_field(new, "Scenario", "at_least")["maximum"] = 500
    config_field(new, "Scenario", "severity")["enum"].append("none")
    new["$defs"]["Scenario"]["properties"]["mood"] = {"type": "string"}
    new["$defs"]["Scenario"]["required"].remove("zone")
    assert reads("edge-config", old, new) == []
