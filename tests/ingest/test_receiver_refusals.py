"""What is refused: once, visibly, where its sender sees it; and never in the way of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from facts import EVENT_TOPIC, event_bytes
from rigs import Rig, running_rig

from edge.messages import Place
from edge.spool import Spool
from linli.codec import decode_part
from linli.events import Receipt, Reject


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        yield made


def answer(rig: Rig, spool: Spool) -> None:
    """Hand the edge's spool every answer in the order in which the receiver published them."""
    for topic, payload, _ in rig.broker.published:
        kind = topic.split("/")[-2]
        if kind == "receipt":
            spool.confirm(decode_part(payload, Receipt))
        elif kind == "reject":
            spool.reject(decode_part(payload, Reject))


def test_a_refused_row_ends_among_the_dead_of_its_sender(rig: Rig, tmp_path: Path) -> None:
    def made(place: Place) -> bytes:
        payload = event_bytes(place.sequence, low=place.low, stream=place.stream)
        return payload.replace(b"high", b"worst") if place.sequence == 2 else payload

    with Spool(tmp_path / "spool.db", rig.clock) as spool:
        rig.send(*(spool.put("events", EVENT_TOPIC, made).payload for _ in range(3)))
        rig.settle()
        answer(rig, spool)
        (events, _) = spool.reports()
        assert (events.pending, events.dead, events.evicted) == (0, 1, 0)
    assert rig.sequences() == [1, 3]
