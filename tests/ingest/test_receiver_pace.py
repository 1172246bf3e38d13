"""A node above its rate waits: it loses nothing and delays no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from facts import AREA, DESCRIBE_TOPIC, DEVICE, NODE, SITE, describe_bytes, event, event_bytes
from rigs import Rig, running_rig

from ingest.receive import pace as paces
from ingest.receive.batch import Stream
from ingest.receive.pace import Pace
from ingest.receive.streams import Positions
from ingest.store.journal import turned_away
from linli.codec import decode_part, encode
from linli.events import Receipt

RATE, BURST = 10.0, 20.0
OTHER = "c001-n02"
OTHER_TOPIC = f"linli/v1/{SITE}/{AREA}/{OTHER}/{DEVICE}/event/zone-dwell"
OTHER_STREAM = "0000aaaa"


def stream(node: str = "n1", name: str = "0000000a", upto: int = 1) -> Stream:
    return Stream(node, name, Positions(upto))


def test_within_its_burst_a_node_is_receipted_at_once() -> None:
    pace = Pace(RATE, BURST, together=0.0)
    assert all(pace.admit("n1", 0.0, fact=True) for _ in range(20))
    pace.owe(stream(), 0.0)
    assert pace.due(0.0) == [stream()]
    pace.paid(stream(), 0.0)
    assert (pace.due(9.0), pace.wait(9.0)) == ([], None)


def test_above_it_the_receipt_waits_until_the_node_has_made_up_for_it() -> None:
    pace = Pace(RATE, BURST, together=0.0)
    for _ in range(30):
        assert pace.admit("n1", 0.0, fact=True)
    pace.owe(stream(), 0.0)
    pace.owe(stream("n2"), 0.0)
    assert pace.due(0.0) == [stream("n2")]
    pace.paid(stream("n2"), 0.0)
    assert pace.wait(0.0) == pytest.approx(1.0)
    assert pace.due(0.99) == []
    assert pace.due(1.0) == [stream()]


def test_a_receipt_that_waits_covers_more_and_waits_no_longer() -> None:
    pace = Pace(RATE, BURST, together=0.0)
    for _ in range(30):
        pace.admit("n1", 0.0, fact=True)
    pace.owe(stream(upto=30), 0.0)
    for _ in range(5):
        pace.admit("n1", 0.5, fact=True)
    pace.owe(stream(upto=35), 0.5)
    assert pace.due(1.0) == [stream(upto=35)]


def test_who_goes_on_without_receipts_is_turned_away_until_it_slows_down() -> None:
    pace = Pace(RATE, BURST)
    taken = sum(pace.admit("n1", 0.0, fact=True) for _ in range(100))
    assert taken == 40
    assert pace.admit("n2", 0.0, fact=True)
    assert sum(pace.admit("n1", 0.0, fact=False) for _ in range(100)) == 10
    assert not pace.admit("n1", 0.5, fact=True)
    assert pace.admit("n1", 2.0, fact=True)


def test_receipts_go_out_together() -> None:
    pace = Pace(together=0.05)
    pace.owe(stream(), 0.0)
    assert pace.due(0.0) == [stream()]
    pace.paid(stream(), 0.0)
    pace.owe(stream(upto=2), 0.01)
    pace.owe(stream("n2"), 0.02)
    assert pace.due(0.04) == []
    assert pace.wait(0.04) == pytest.approx(0.01)
    assert pace.due(0.05) == [stream(upto=2), stream("n2")]


def test_only_so_many_nodes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "MOST_NODES", 2)
    pace = Pace(RATE, BURST)
    for _ in range(40):
        pace.admit("n1", 0.0, fact=True)
    for number in range(2, 9):
        assert pace.admit(f"n{number}", number * 0.2, fact=True)
    assert len(pace._buckets) == 2
    pace.owe(stream("n1"), 1.6)
    assert pace.due(1.6) == []


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path, Pace(RATE, BURST, together=0.0)) as made:
        made.directory.standings[OTHER, DEVICE] = "known"
        made.directory.standings[OTHER, "self"] = "known"
        yield made


def send(rig: Rig, first: int, last: int) -> None:
    rig.send(*(event_bytes(number) for number in range(first, last + 1)))


def other_receipt(rig: Rig) -> int:
    topic = f"linli/v1/{SITE}/_sys/{OTHER}/ingest/receipt/{OTHER_STREAM}"
    found = rig.broker.retained.get(topic)
    return decode_part(found, Receipt).upto if found else 0


def test_a_fast_node_is_stored_at_once_and_receipted_later_the_others_at_once(rig: Rig) -> None:
    send(rig, 1, 30)
    told = event(1, source=f"/{SITE}/{OTHER}/{DEVICE}", stream=OTHER_STREAM)
    rig.send(encode(told), topic=OTHER_TOPIC)
    rig.settle()
    assert len(rig.rows()) == 31
    assert rig.unacknowledged() == 0
    assert other_receipt(rig) == 1
    assert not [one for one in rig.told if one == "publish receipt/7f3a9c10"]
    rig.clock.advance(1.0)
    rig.settle()
    assert rig.receipt() == (30, ())


def test_what_is_turned_away_is_taken_when_it_comes_again(rig: Rig) -> None:
    send(rig, 1, 60)
    rig.settle()
    assert rig.sequences() == list(range(1, 41))
    assert rig.unacknowledged() == 0
    assert rig.counted()[turned_away(NODE)] == 20
    rig.clock.advance(2.0)
    rig.settle()
    assert rig.receipt() == (40, ())
    rig.clock.advance(2.0)
    send(rig, 41, 60)
    rig.settle()
    rig.clock.advance(2.0)
    rig.settle()
    assert rig.receipt() == (60, ())
    assert rig.sequences() == list(range(1, 61))


def test_a_flood_of_facts_leaves_room_for_what_a_node_says_of_itself(rig: Rig) -> None:
    send(rig, 1, 100)
    rig.send(describe_bytes(), topic=DESCRIBE_TOPIC)
    rig.settle()
    assert [row.kind for row in rig.rows()][-1] == "meta"


def test_leaving_gives_every_receipt_that_is_owed(rig: Rig) -> None:
    send(rig, 1, 30)
    rig.settle()
    rig.receiver.close()
    assert rig.receipt() == (30, ())


def test_garbage_counts_like_anything_else(rig: Rig) -> None:
    rig.send(*(b"garbage %d" % number for number in range(100)))
    rig.settle()
    assert len(rig.rejects()) == 40
    assert rig.counted()[turned_away(NODE)] == 60
