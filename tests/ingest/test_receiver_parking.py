"""What waits for its device to be confirmed: bounded per device, refused rather than dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from facts import (
    DESCRIBE_TOPIC,
    DEVICE,
    EVENT_TOPIC,
    NODE,
    NOW,
    STATUS_TOPIC,
    STREAM,
    describe_bytes,
    event_bytes,
    status_bytes,
)
from rigs import Rig, running_rig

from ingest.receive import parking
from ingest.receive.upkeep import DAY, forget
from ingest.store import journal
from ingest.store.engine import reading, to_micros
from linli.events import sequence_text


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        made.directory.standings.clear()
        yield made


def waiting(rig: Rig) -> list[tuple[str, int | None]]:
    table = journal.parked.c
    with reading(rig.reader) as connection:
        rows = connection.execute(sa.select(table.device, table.sequence).order_by(table.id))
        return [(device, sequence) for device, sequence in rows]


def of(device: str, sequence: int, **changes: object) -> tuple[str, bytes]:
    payload = event_bytes(sequence, **changes).replace(DEVICE.encode(), device.encode())
    return EVENT_TOPIC.replace(DEVICE, device), payload


def test_a_full_device_is_refused_visibly_and_leaves_the_others_their_room(rig: Rig) -> None:
    sent = [event_bytes(sequence) for sequence in range(1, 13)]
    rig.send(*sent[:5])
    rig.settle()
    rig.send(*sent[5:])
    topic, payload = of("cam-2", 1, stream="00000002")
    rig.send(payload, topic=topic)
    rig.settle()
    assert waiting(rig) == [(DEVICE, number) for number in range(1, 10)] + [("cam-2", 1)]
    refused = [sequence_text(number) for number in (10, 11, 12)]
    assert [(one.code, one.sequence) for one in rig.rejects()] == [
        ("unknown-device", sequence) for sequence in refused
    ]
    assert rig.receipt() == (12, ())
    assert rig.counted() == {"parked": 10, "rejected.unknown-device": 3}
    rig.send(*sent)
    rig.settle()
    assert [one.sequence for one in rig.rejects()] == refused * 2
    assert rig.counted() == {"parked": 10, "rejected.unknown-device": 3, "duplicates": 12}


def test_many_devices_share_the_bytes_and_what_finds_none_is_refused(rig: Rig) -> None:
    for number in range(100):
        topic, payload = of(f"cam-{number}", 1, stream=f"{number:08x}")
        rig.send(payload, topic=topic)
        rig.settle()
    counted = rig.counted()
    assert counted["parked"] + counted["rejected.unknown-device"] == 100
    assert counted["rejected.unknown-device"] == len(rig.rejects()) > 0
    with reading(rig.reader) as connection:
        size = connection.execute(sa.select(sa.func.sum(journal.parked.c.size))).scalar_one()
    assert 30_000 < size <= 40_000


def test_of_documents_only_the_newest_waits_and_takes_no_facts_room(rig: Rig) -> None:
    described = [describe_bytes(f"{number} 号电梯") for number in range(12)]
    for number in range(12):
        rig.send(described[number], topic=DESCRIBE_TOPIC)
        rig.send(status_bytes(f"{number:08x}"), topic=STATUS_TOPIC)
        if number % 3:
            rig.settle()
    rig.send(*(event_bytes(sequence) for sequence in range(1, 10)))
    rig.settle()
    assert waiting(rig)[:2] == [(DEVICE, None), ("self", None)]
    assert len(waiting(rig)) == 11
    assert rig.rejects() == []
    rig.directory.standings.update({(NODE, DEVICE): "known", (NODE, "self"): "known"})
    rig.directory.changed = True
    rig.clock.advance(5)
    rig.settle()
    documents = [row.payload for row in rig.rows() if row.stream is None]
    assert sorted(documents) == sorted([described[-1], status_bytes("0000000b")])
    assert [row.sequence for row in rig.rows() if row.stream == STREAM] == list(range(1, 10))


def test_what_comes_meanwhile_waits_for_no_more_than_a_slice(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "SLICE", 2)
    rig.send(*(event_bytes(sequence) for sequence in range(1, 10)))
    rig.settle()
    rig.directory.standings[NODE, DEVICE] = "known"
    rig.directory.changed = True
    rig.clock.advance(5)
    rig.send(event_bytes(10))
    rig.receiver.step(0.0)
    rig.store_errors = 1
    rig.settle()
    assert rig.sequences()[:2] == [1, 2]
    assert 10 in rig.sequences()
    assert 9 not in rig.sequences(), "the slice that failed is tried again after a while"
    rig.clock.advance(5)
    rig.settle()
    assert sorted(rig.sequences()) == list(range(1, 11))
    assert waiting(rig) == []


def test_what_waits_for_a_month_is_given_up_and_counted(rig: Rig) -> None:
    rig.send(event_bytes(1), event_bytes(2))
    rig.settle()
    engine, month = rig.receiver._writer.engine, 30 * DAY
    forget(engine, now=to_micros(NOW) + month, days=8, read_up_to=0)
    assert len(waiting(rig)) == 2
    forget(engine, now=to_micros(NOW) + month + 1, days=8, read_up_to=0)
    assert waiting(rig) == []
    assert rig.counted() == {"parked": 2, "parked_dropped": 2}
