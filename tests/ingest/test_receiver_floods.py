"""A node that floods with broken messages is turned away; no other waits, nothing good is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from facts import AREA, DESCRIBE_TOPIC, DEVICE, NODE, SITE, describe_bytes, event, event_bytes
from rigs import Rig, running_rig

from ingest.receive import floods as flooding
from ingest.receive.floods import Floods
from ingest.store.journal import turned_away
from linli.codec import encode

OTHER = "c001-n02"
OTHER_TOPIC = f"linli/v1/{SITE}/{AREA}/{OTHER}/{DEVICE}/event/zone-dwell"
FACTS, SAYINGS = ("n1", True), ("n1", False)


def broken(floods: Floods, number: int, now: float, *, together: int = 1) -> int:
    """Send broken messages, so many in a batch; return how many were read and refused."""
    read = 0
    for start in range(0, number, together):
        batch = range(start, min(start + together, number))
        admitted = sum(floods.admit(FACTS, now) for _ in batch)
        for _ in range(admitted):
            floods.refused(FACTS, now)
        floods.judged()
        read += admitted
    return read


def test_so_many_are_refused_by_name_and_the_rest_turned_away() -> None:
    floods = Floods()
    assert broken(floods, 1000, 0.0) == 50
    assert floods.admit(("n2", True), 0.0)
    assert floods.admit(SAYINGS, 0.0), "what the node says of itself"


@pytest.mark.parametrize("together", [1, 100, 1000])
def test_in_a_flood_few_are_refused_however_large_the_batches(together: int) -> None:
    floods = Floods()
    first = broken(floods, 1000, 0.0, together=together)
    assert first <= max(50, together)
    for second in range(1, 61):
        first += broken(floods, 1000, float(second), together=together)
    assert first <= max(50, together) + 60 * 10


def test_after_a_flood_a_sender_is_read_again_little_by_little_then_as_ever() -> None:
    floods = Floods()
    assert broken(floods, 1000, 0.0, together=1000) == 1000
    assert not floods.admit(FACTS, 19.9)
    assert sum(floods.admit(FACTS, 20.1) for _ in range(100)) == 10
    floods.judged()
    assert floods.admit(FACTS, 20.2)
    assert sum(floods.admit(FACTS, 30.1) for _ in range(1000)) == 1000


def test_a_few_broken_messages_among_many_good_ones_change_nothing() -> None:
    floods = Floods()
    for second in range(600):
        assert all(floods.admit(FACTS, float(second)) for _ in range(1000))
        for _ in range(5):
            floods.refused(FACTS, float(second))


def test_only_so_many_senders_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flooding, "MOST_SENDERS", 2)
    floods = Floods()
    broken(floods, 100, 0.0)
    for number in range(2, 9):
        floods.refused((f"n{number}", True), number * 0.3)
    assert len(floods._records) <= 2


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        made.directory.standings[OTHER, DEVICE] = "known"
        yield made


def flood(rig: Rig, number: int, make: Callable[[int], bytes]) -> None:
    for one in range(number):
        rig.send(make(one))
        rig.settle()


def test_a_good_message_of_a_node_that_floods_waits_in_its_spool_others_do_not(rig: Rig) -> None:
    flood(rig, 80, lambda number: b"garbage %d" % number)
    assert len(rig.rejects()) == 50
    told = event(1, source=f"/{SITE}/{OTHER}/{DEVICE}", stream="0000aaaa")
    rig.send(encode(told), topic=OTHER_TOPIC)
    rig.send(event_bytes(1))
    rig.send(describe_bytes(), topic=DESCRIBE_TOPIC)
    rig.settle()
    assert rig.unacknowledged() == 0
    assert [(row.node, row.kind) for row in rig.rows()] == [(OTHER, "event"), (NODE, "meta")]
    rig.clock.advance(1.0)
    rig.send(event_bytes(1))
    rig.settle()
    assert rig.receipt() == (1, ())
    assert rig.counted()[turned_away(NODE)] == 31


def test_good_messages_of_devices_nobody_knows_are_no_flood(rig: Rig) -> None:
    rig.directory.standings[NODE, DEVICE] = "unknown"
    flood(rig, 100, lambda number: event_bytes(number + 1))
    assert {reject.code for reject in rig.rejects()} == {"unknown-device"}
    assert turned_away(NODE) not in rig.counted()


def test_a_name_that_is_no_id_makes_no_counter_of_its_own() -> None:
    assert turned_away("C001 N01") == turned_away("") == "turned_away"
