"""The committed contract documents are what the types say, and every golden example keeps them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from linli import events, schema
from linli.edge_config import EdgeConfig
from linli.schema import CHANNELS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
EXAMPLES = sorted((REFERENCE / "examples").glob("*/*.json"))
TYPES: dict[str, Any] = {channel.name: channel.message for channel in CHANNELS}
TYPES["edge-config"] = EdgeConfig


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_committed_documents_are_current() -> None:
    schema.check(REFERENCE)


def test_a_changed_document_is_noticed(tmp_path: Path) -> None:
    schema.write(tmp_path)
    schema.check(tmp_path)
    (tmp_path / "asyncapi.json").write_text("{}")
    with pytest.raises(schema.InputError, match="linli schema write"):
        schema.check(tmp_path)


def test_every_document_has_a_golden_example() -> None:
    assert {path.parent.name for path in EXAMPLES} == set(TYPES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_examples_keep_the_schema_and_survive_a_round_trip(path: Path) -> None:
    name = path.parent.name
    committed = load(REFERENCE / "schema" / f"{name}.json")
    validator = jsonschema.Draft202012Validator(
        committed, format_checker=jsonschema.FormatChecker()
    )
    example = load(path)
    validator.validate(example)
    message = msgspec.convert(example, TYPES[name])
    assert msgspec.convert(msgspec.to_builtins(message), TYPES[name]) == message


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_broken_example_is_refused_by_the_schema(path: Path) -> None:
    committed = load(REFERENCE / "schema" / f"{path.parent.name}.json")
    broken = {**load(path), "made-up-field": 1}
    assert list(jsonschema.Draft202012Validator(committed).iter_errors(broken))


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (events.Uuid, "019cae4c-8f63-7a1b-9c2d-3e4f5a6b7c8d"),
        (events.Slug, "a"),
        (events.Slug, "zone-1"),
        (events.Slug, "a" * 32),
        (events.Sha256, "0f" * 32),
        (events.StreamId, "7f3a9c10"),
        (events.SequenceText, "00000000000000041877"),
    ],
)
def test_types_and_schemas_agree_that_nothing_may_surround_a_text(kind: Any, good: str) -> None:
    validator = jsonschema.Draft202012Validator(msgspec.json.schema(kind))
    assert msgspec.convert(good, kind) == good
    validator.validate(good)
    for bad in (good + "\n", "\n" + good, good + " ", good[:-1] + "-", ""):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, kind)
        assert not validator.is_valid(bad)


def test_the_asyncapi_document_is_whole() -> None:
    document = load(REFERENCE / "asyncapi.json")
    assert document["asyncapi"].startswith("3.")

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                target: Any = document
                for part in value["$ref"].removeprefix("#/").split("/"):
                    target = target[part]
            for child in value.values():
                walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    walk(document)
    for schema_ in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema_)
    assert len(document["channels"]) == len(document["operations"]) == len(CHANNELS)
