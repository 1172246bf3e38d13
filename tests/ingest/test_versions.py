"""Edges of a newer minor version beside an ingest of this one: what it does not know is dropped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from facts import AREA, DEVICE, NODE, NOW, SITE, STREAM
from rigs import running_rig

from linli.events import sequence_text
from linli.ids import uuid7

EXAMPLES = Path(__file__).parents[2] / "docs" / "reference" / "examples"
FACTS = [
    (path, kind, name)
    for kind, name, pattern in (
        ("event", "zone-dwell", "event/*.json"),
        ("telemetry", "bin", "telemetry/*.json"),
        ("meta", "describe", "describe/*.json"),
    )
    for path in sorted(EXAMPLES.glob(pattern))
]

OPEN = {"externalids"}
"""Objects whose keys are anybody's."""


def grown(value: Any) -> Any:
    """Return a document with one more field in each of its objects."""
    if isinstance(value, list):
        return [grown(one) for one in value]
    if not isinstance(value, dict):
        return value
    within = {key: one if key in OPEN else grown(one) for key, one in value.items()}
    return {**within, "newer": "unknown here"}


def objects(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(objects, value))
    if not isinstance(value, dict):
        return 0
    return 1 + sum(objects(one) for key, one in value.items() if key not in OPEN)


@pytest.mark.parametrize(
    ("path", "kind", "name"), FACTS, ids=[f"{one[0].parent.name}-{one[0].stem}" for one in FACTS]
)
def test_every_golden_message_of_a_newer_minor_version_is_kept_without_what_is_new(
    tmp_path: Path, path: Path, kind: str, name: str
) -> None:
    known = json.loads(path.read_text(encoding="utf-8"))
    known |= {
        "id": uuid7(NOW),
        "source": f"/{SITE}/{NODE}/{DEVICE}",
        "type": f"linli.{kind}.{name}",
        "dataschema": known["dataschema"].rpartition("/")[0] + "/1.9",
    }
    if kind != "meta":
        known |= {"stream": STREAM, "sequence": sequence_text(1), "low": sequence_text(1)}
    newer = json.dumps(grown(known)).encode()
    topic = f"linli/v1/{SITE}/{AREA}/{NODE}/{DEVICE}/{kind}/{name}"
    with running_rig(tmp_path) as rig:
        rig.send(newer, newer, topic=topic)
        rig.settle()
        (row,) = rig.rows()[:1]
        assert json.loads(row.payload) == known
        assert rig.rejects() == []
        assert rig.counted()["unknown_fields"] % objects(known) == 0
        if kind != "meta":
            assert len(rig.rows()) == 1, "the same bytes again were taken for something else"
            assert rig.receipt() == (1, ())
