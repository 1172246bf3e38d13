"""The receiver's half of the proof that the chain works: made, sent, stored, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from facts import SITE, event_bytes
from rigs import Rig, running_rig

from ingest.receive.probe import AFTER_START, EVERY, STREAM, Prober
from ingest.store.journal import PROBE_COUNTER, Kept
from linli.events import ProbeMessage
from linli.topics import PROBE, PROBE_NODE, probe_topic

TOPIC = str(probe_topic(SITE))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        equip(made)
        yield made


def equip(rig: Rig) -> None:
    """As after a start of the process: it remembers nothing."""
    receiver = rig.receiver
    receiver._prober = Prober(SITE, receiver._writer, rig.clock)
    let_pass(rig, 1)


def let_pass(rig: Rig, seconds: float) -> None:
    rig.clock.advance(seconds)
    rig.settle()


def probes(rig: Rig) -> list[tuple[int, int | None]]:
    """Return (number, sequence) of each that is in the journal."""
    return [(number_of(row), row.sequence) for row in rig.rows() if row.kind == PROBE]


def number_of(row: Kept) -> int:
    return msgspec.json.decode(row.payload, type=ProbeMessage).data.number


def test_one_goes_through_the_broker_each_minute(rig: Rig) -> None:
    let_pass(rig, AFTER_START - 1)
    assert probes(rig) == []
    let_pass(rig, 1)
    let_pass(rig, EVERY - 1)
    assert probes(rig) == [(1, 1)]
    for _ in range(4):
        let_pass(rig, EVERY)
    assert probes(rig) == [(number, number) for number in range(1, 6)]
    (first, *_) = [row for row in rig.rows() if row.kind == PROBE]
    assert (first.node, first.stream, first.source) == (
        PROBE_NODE,
        STREAM,
        f"/{SITE}/{PROBE_NODE}/ingest",
    )
    assert rig.counted()[PROBE_COUNTER] == 5
    assert rig.counted().get("evicted", 0) == 0
    assert rig.unacknowledged() == 0


def test_after_a_broken_link_it_is_sent_again_and_stored_once(rig: Rig) -> None:
    rig.send(event_bytes(1))
    rig.clock.advance(AFTER_START)
    rig.receiver.step(0.0)  # made and sent, not yet stored
    assert [topic for topic, *_ in rig.broker.published].count(TOPIC) == 1
    assert rig.link is not None
    rig.link.cut()
    rig.settle()
    let_pass(rig, 1)
    assert probes(rig) == [(1, 1)]
    let_pass(rig, EVERY)
    assert probes(rig) == [(1, 1), (2, 2)]


def test_while_the_broker_is_away_they_do_not_pile_up(rig: Rig) -> None:
    let_pass(rig, AFTER_START)
    rig.broker.stop()
    for _ in range(10):
        let_pass(rig, EVERY)
    rig.broker.start()
    for _ in range(3):
        let_pass(rig, 1)
    # The second was on its way when the broker went; the third is due by now.
    assert probes(rig) == [(1, 1), (2, 2), (3, 3)]
    assert rig.counted()[PROBE_COUNTER] == 3


def test_one_that_was_lost_leaves_a_gap_in_the_numbers_and_no_eviction(rig: Rig) -> None:
    let_pass(rig, AFTER_START)
    rig.clock.advance(EVERY)
    rig.receiver.step(0.0)
    assert rig.link is not None
    rig.receiver._waiting.clear()  # the receiver falls, and the broker forgets what it held
    rig.link._unacked.clear()
    equip(rig)
    let_pass(rig, AFTER_START)
    assert probes(rig) == [(1, 1), (3, 2)]
    assert rig.counted().get("evicted", 0) == 0
    assert rig.counted().get("rejected.conflict", 0) == 0


@pytest.mark.parametrize("area", ["_sys", "b03"])
def test_nobody_else_is_believed_in_a_reserved_area(rig: Rig, area: str) -> None:
    payload = event_bytes(1)
    for topic in (
        f"linli/v1/{SITE}/{area}/{PROBE_NODE}/other/{PROBE}/chain",
        f"linli/v1/{SITE}/{area}/c001-n07/ingest/{PROBE}/chain",
    ):
        rig.send(payload, topic=topic)
    rig.settle()
    assert rig.rows() == []


def test_what_is_no_probe_is_refused_on_its_topic(rig: Rig) -> None:
    rig.send(b"{}", event_bytes(1), topic=TOPIC)
    rig.settle()
    assert rig.rows() == []
    assert sum(n for name, n in rig.counted().items() if name.startswith("rejected.")) == 2
