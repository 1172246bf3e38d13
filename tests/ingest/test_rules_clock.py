"""The receiver writes down that it listens, so that silence can be told from its own absence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from facts import NOW, SITE, event_bytes
from rigs import Rig, running_rig

from ingest.receive.receiver import TICK
from ingest.rules.engine import AWAY
from ingest.rules.spans import SECOND
from ingest.store.engine import to_micros
from ingest.store.journal import CLOCK


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        yield made


def rest(rig: Rig, seconds: float) -> None:
    """Let time pass without a message, looking around every second."""
    for _ in range(round(seconds)):
        rig.clock.advance(1)
        rig.settle()


def test_while_nothing_comes_it_says_that_it_listens(rig: Rig) -> None:
    rest(rig, 3 * TICK)
    assert [(row.kind, row.name, row.site, row.payload) for row in rig.journal()] == [
        (CLOCK, "tick", SITE, b"")
    ] * 3
    assert [row.received - to_micros(NOW) for row in rig.journal()] == [
        number * TICK * SECOND for number in (1, 2, 3)
    ]
    assert rig.wakes == 3
    assert TICK * SECOND * 3 < AWAY


def test_a_message_says_it_too(rig: Rig) -> None:
    rest(rig, TICK - 2)
    rig.send(event_bytes(1))
    rig.settle()
    rest(rig, TICK - 2)
    assert [row.kind for row in rig.journal()] == ["event"]
    rest(rig, 3)
    assert [row.kind for row in rig.journal()] == ["event", CLOCK]


def test_it_says_nothing_while_it_cannot_hear_or_keep(rig: Rig) -> None:
    rig.broker.stop()
    rest(rig, 3 * TICK)
    assert rig.journal() == []


def test_a_store_that_fails_is_our_own_absence(rig: Rig) -> None:
    rig.store_errors = 10_000
    rig.send(event_bytes(1))
    rest(rig, 3 * TICK)
    assert rig.journal() == []
