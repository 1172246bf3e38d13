"""A commit that is kept although its answer was lost: what comes after it does nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from facts import event_bytes
from house import Folder
from rigs import Rig, running_rig

from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.rules import RuleWork
from ingest.consumers.series import SeriesJob
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents import lists
from ingest.receive.batch import Batch
from ingest.receive.writer import JournalWriter, Outcome
from ingest.series.embedded import EmbeddedTimeseries
from ingest.store import incidents as tables
from ingest.store import state
from ingest.store.engine import reading
from linli.errors import StoreError


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        yield made


def consumer(folder: Folder) -> Cursor:
    effect = IncidentEffect(Feed(), RuleWork(folder.reader("journal"), UTC))
    return Cursor(folder.reader("journal"), folder.state, state.cursor, effect)


def losing(call):
    """Return `call` that does everything and then says that the connection broke."""

    def broken(*arguments, **named):
        call(*arguments, **named)
        raise StoreError("server closed the connection unexpectedly")

    return broken


def counted(folder: Folder) -> tuple[int, int, int]:
    """Return how many incidents and rows there are, and the first incident's count."""
    with reading(folder.state) as connection:
        (one,) = lists.page(connection, lists.Filter(), order="newest", after=None, limit=9)
        rows = connection.execute(tables.transition.select()).all()
    return one.number, len(rows), one.count


def test_incidents_count_each_fact_once(folder: Folder, monkeypatch) -> None:
    for _ in range(3):
        folder.put_event(folder.event())
    work = consumer(folder)
    with monkeypatch.context() as patch:
        patch.setattr(work, "_commit", losing(work._commit))
        with pytest.raises(StoreError):
            work.step()
    after = counted(folder)
    assert work.step() is False
    assert counted(folder) == after == (1, after[1], 3)
    folder.put_event(folder.event())
    work.step()
    assert counted(folder)[2] == 4


def test_a_cursor_that_another_process_moved_is_left_alone(folder: Folder) -> None:
    first, second = consumer(folder), consumer(folder)
    folder.put_event(folder.event())
    second.step()
    first.step()
    folder.put_event(folder.event())
    second.step()
    folder.put_event(folder.event())
    with pytest.raises(StoreError, match="moved by another"):
        first.step()
    first.step()
    assert counted(folder)[2] == 3


def test_a_first_batch_is_taken_by_one_of_two(folder: Folder) -> None:
    first, second = consumer(folder), consumer(folder)
    assert (first.step(), second.step()) == (False, False)
    folder.put_event(folder.event())
    second.step()
    with pytest.raises(StoreError, match="moved by another"):
        first.step()
    assert counted(folder)[2] == 1


def test_readings_are_kept_once(folder: Folder, monkeypatch) -> None:
    folder.put_readings_now()
    series = EmbeddedTimeseries(folder.reader("series"), folder.series)
    job = SeriesJob(folder.reader("journal"), series, Feed())
    with monkeypatch.context() as patch:
        patch.setattr(series, "write", losing(series.write))
        with pytest.raises(StoreError):
            job.step()
    job.step()
    folder.put_readings_now()
    job.step()
    with reading(folder.series) as connection:
        assert connection.exec_driver_sql("SELECT sum(count) FROM rollup").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM reading").scalar() == 1


class Broken(JournalWriter):
    """Keeps a batch, and then loses its connection before it can say so."""

    def commit(self, batch: Batch, *, parked_done: list[int] | None = None) -> Outcome:
        super().commit(batch, parked_done=parked_done)
        self._forget()
        raise StoreError("server closed the connection unexpectedly")


def test_the_receiver_keeps_and_answers_a_message_once(rig: Rig) -> None:
    writer = rig.receiver._writer
    rig.receiver._writer = Broken(writer.engine)
    rig.send(event_bytes(1), event_bytes(2))
    rig.settle()
    assert (rig.sequences(), rig.unacknowledged()) == ([1, 2], 2)
    rig.receiver._writer = JournalWriter(writer.engine)
    rig.clock.advance(5)
    rig.settle()
    assert (rig.sequences(), rig.unacknowledged()) == ([1, 2], 0)
    assert rig.receipt() == (2, ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"data":{', b'"data":{"a\\u0000b":1,'),
        (b'"label":"person"', b'"label":"per\\u0000son"'),
        (b'"zone":"gate"', b'"zone":"ga\\u0000te"'),
        (b'"source":"', b'"source":"\\u0000'),
        (b'"type":"', b'"type":"\\u0000'),
        (b'"id":"', b'"id":"\\u0000'),
        (b'"stream":"', b'"stream":"\\u0000'),
        (b'"label":"person"', b'"label":"\\ud800"'),
    ],
)
def test_a_text_that_a_database_cannot_keep_stops_nothing(
    rig: Rig, before: bytes, after: bytes
) -> None:
    bad = event_bytes(1).replace(before, after)
    assert bad != event_bytes(1)
    rig.send(bad, event_bytes(2))
    rig.settle()
    assert rig.unacknowledged() == 0
    assert 2 in rig.sequences()
