"""Bad messages from a node that says what it likes: refused by name, and they block nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate import AREA, DEVICE, NODE, Estate, running_estate, until
from sender import Sender

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with running_estate(tmp_path) as made:
        yield made


def test_bad_messages_are_refused_and_block_nobody(estate: Estate) -> None:
    topic = f"linli/v1/{SITE}/{AREA}/{NODE}/{DEVICE}/event/zone-dwell"
    example = json.loads(
        (Path(__file__).parents[2] / "docs/reference/examples/event/begin.json").read_text()
    )
    ours = {"source": f"/{SITE}/{NODE}/{DEVICE}", "stream": "0badc0de", "subject": "b03/e1"}

    def message(number: int, **changes: object) -> bytes:
        identity = {
            "id": f"019cae4c-8f63-7a1b-9c2d-{number:012d}",
            "sequence": f"{number:020d}",
            "low": f"{1:020d}",
        }
        return json.dumps({**example, **ours, **identity, **changes}).encode()

    sender = Sender(estate)
    sender.link.publish(topic, b"\x00garbage")
    sender.link.publish(topic, b" " * 40_000)
    sender.link.publish(topic, message(1, time="2026-03-02"))
    sender.link.publish(topic, message(2, data={**example["data"], "face": "x"}))
    sender.link.publish(topic, message(3, time="2999-01-01T00:00:00Z"))
    sender.link.publish(topic, message(4, source=f"/{SITE}/{NODE}/other"))
    sender.link.publish(topic, message(5))

    def all_answered() -> bool:
        sender.link.step(0.02)
        return len(sender.rejects) >= 5

    until(all_answered)
    assert sorted(str(reject["code"]) for reject in sender.rejects) == [
        "json",
        "privacy",
        "schema",
        "size",
        "topic-mismatch",
    ]
    until(lambda: len(estate.stored()) == 2)
    future, good = estate.stored()
    assert [future["sequence"], good["sequence"]] == [3, 5]
    assert not future["time"].startswith("2999"), "a time in the future is indexed when received"
    stats = estate.get("/api/v1/stats")
    assert stats["rejected"] == 5
    position = next(one for one in stats["streams"] if one["stream"] == "0badc0de")
    assert (position["upto"], position["missing"]) == (5, 0), "rejects advance the receipt"
    sender.link.close()
