"""What commits took is written down now and then, not with each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stores
from facts import EVENT_TOPIC, event_bytes
from rigs import Directory, running_rig

from ingest.receive.check import check
from ingest.receive.writer import TELL_EVERY, JournalWriter
from ingest.store.engine import reading
from ingest.store.journal import EFFORT, counters


class Desk:
    """A writer whose clock stands still until it is moved; a commit takes an eighth of a second."""

    def __init__(self, folder: Path) -> None:
        self.engine = stores.database(folder).writer("journal", sole=True)
        self.now = 0.0
        self.writer = JournalWriter(self.engine, now=self._tick)
        self._sequence = 0

    def _tick(self) -> float:
        self.now += 0.125
        return self.now

    def commit(self) -> None:
        self._sequence += 1
        payload, batch = event_bytes(self._sequence), self.writer.batch(0)
        batch.take(EVENT_TOPIC, payload, check(EVENT_TOPIC, payload, 0, Directory()))
        assert self.writer.commit(batch).stored == 1

    def told(self) -> dict[str, int]:
        with reading(self.engine) as connection:
            return {name: n for name, n in counters(connection).items() if name in EFFORT}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.engine.dispose()


def of(*sequences: int) -> dict[str, int]:
    return {
        "commits": len(sequences),
        "bytes": sum(len(event_bytes(one)) for one in sequences),
        "commit_micros": 125_000 * len(sequences),
    }


def test_a_commit_carries_what_those_before_it_took_once_a_second(desk: Desk) -> None:
    desk.commit()
    desk.commit()
    assert desk.told() == {}
    desk.now += TELL_EVERY
    desk.commit()
    assert desk.told() == of(1, 2)
    desk.commit()
    assert desk.told() == of(1, 2)


def test_when_nothing_more_comes_the_rest_is_told(desk: Desk) -> None:
    desk.commit()
    desk.writer.tick("c001", 1)
    assert desk.told() == of(1)
    desk.commit()
    desk.writer.tell()
    desk.writer.tell()
    assert desk.told() == of(1, 2)


def test_a_receiver_that_stops_tells_what_it_did(tmp_path: Path) -> None:
    with running_rig(tmp_path) as rig:
        rig.send(event_bytes(1), event_bytes(2))
        rig.settle()
        rig.receiver.close()
        with reading(rig.reader) as connection:
            assert counters(connection)["bytes"] == of(1, 2)["bytes"]
