"""What is refused: once, visibly, where its sender sees it; and never in the way of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from facts import DEVICE, EVENT_TOPIC, NODE, SITE, event_bytes
from rigs import Rig, Writer, running_rig

from edge.messages import Place
from edge.spool import Spool
from ingest.store import journal
from ingest.store.engine import reading
from linli.codec import decode_part, sha256
from linli.events import Receipt, Reject, sequence_text


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


def test_the_highest_sequences_of_many_streams_overflow_nothing(rig: Rig) -> None:
    for at in range(3):
        event_id = f"019536a1-0000-7000-8000-{at:012}"
        rig.send(event_bytes(2**53, low=2**53, stream=f"{at:08x}", id=event_id))
        rig.settle()
    assert len(rig.rows()) == 3
    assert rig.counted() == {"evicted": 2**53}
    assert rig.unacknowledged() == 0


@pytest.mark.parametrize("parked", [False, True])
def test_a_message_that_cannot_be_stored_blocks_nobody_else(rig: Rig, parked: bool) -> None:
    rig.unstorable = event_bytes(2)
    if parked:
        rig.directory.standings.clear()
    rig.send(event_bytes(1), rig.unstorable, event_bytes(3))
    rig.settle()
    rig.directory.standings[NODE, DEVICE] = "known"
    rig.directory.changed = True
    rig.clock.advance(5)
    rig.settle()
    assert rig.sequences() == [1, 3]
    assert rig.receipt() == (3, ())
    assert rig.counted()["rejected.schema"] == 1
    assert [one.sequence for one in rig.rejects()] == ([] if parked else [sequence_text(2)])
    assert rig.unacknowledged() == 0
    with reading(rig.reader) as connection:
        kept = connection.execute(sa.select(journal.quarantine.c.payload)).scalars().all()
        waiting = connection.execute(sa.select(journal.parked.c.id)).all()
    assert (kept, waiting) == ([rig.unstorable], [])


@pytest.mark.parametrize("parked", [False, True])
def test_fields_nobody_knows_are_kept_nowhere(rig: Rig, parked: bool) -> None:
    known = event_bytes(1)
    newer = known.replace(b'"phase"', b'"mood":"a secret","phase"')
    if parked:
        rig.directory.standings.clear()
        rig.send(newer)
        rig.settle()
        with reading(rig.reader) as connection:
            assert b"secret" not in connection.execute(sa.select(journal.parked.c.payload)).scalar()
        rig.directory.standings[NODE, DEVICE] = "known"
        rig.directory.changed = True
        rig.clock.advance(5)
        rig.settle()
    rig.send(newer)
    rig.settle()
    rig.send(newer)
    rig.settle()
    (row,) = rig.rows()
    assert row.payload == known
    assert (rig.counted()["unknown_fields"], rig.rejects()) == (1, [])
    other = newer.replace(b"a secret", b"another")
    rig.send(other)
    rig.settle()
    (reject,) = rig.rejects()
    assert (reject.code, reject.sha256) == ("conflict", sha256(other))


def rows_of_rejects(rig: Rig) -> list[tuple[str, str]]:
    table = journal.reject.c
    with reading(rig.reader) as connection:
        rows = connection.execute(sa.select(table.code, table.path).order_by(table.id))
        return [(code, path) for code, path in rows]


def test_a_refused_message_that_comes_again_is_told_again_and_counted_once(rig: Rig) -> None:
    bad = event_bytes(2).replace(b'"high"', b'"worst"')
    same_id = "019536a1-0000-7000-8000-000000000001"
    refused = (bad, b"garbage", event_bytes(4, id=same_id), bad)
    rig.send(event_bytes(1), event_bytes(3, id=same_id), *refused)
    rig.settle()
    counted = rig.counted()
    assert counted == {
        "rejected.schema": 1,
        "rejected.json": 1,
        "rejected.conflict": 1,
        "duplicates": 1,
    }
    first = sorted(one.code for one in rig.rejects())
    rig.broker.published.clear()
    rig.send(*refused)
    rig.settle()
    assert sorted(one.code for one in rig.rejects()) == first
    assert rig.counted() == {**counted, "duplicates": 5}
    assert sorted(rows_of_rejects(rig)) == [
        ("conflict", "$.id"),
        ("json", "$"),
        ("schema", "$.data.severity"),
    ]


def test_what_was_refused_stays_refused_when_the_reason_is_gone(rig: Rig) -> None:
    rig.directory.standings[NODE, DEVICE] = "moved"
    one = event_bytes(1)
    rig.send(one)
    rig.settle()
    rig.directory.standings[NODE, DEVICE] = "known"
    rig.send(one)
    rig.settle()
    assert [reject.code for reject in rig.rejects()] == ["location-mismatch"] * 2
    assert (rig.rows(), len(rows_of_rejects(rig))) == ([], 1)


def test_a_sequence_used_again_for_another_message_is_refused_visibly(rig: Rig) -> None:
    first, again = event_bytes(1), event_bytes(1, subject="b03/e1")
    rig.send(first)
    rig.settle()
    rig.send(again, first, event_bytes(2), event_bytes(2))
    rig.settle()
    assert rig.sequences() == [1, 2]
    assert rows_of_rejects(rig) == [("conflict", "$.sequence")] * 2
    assert rig.counted() == {"rejected.conflict": 2, "duplicates": 1}


def places(rig: Rig) -> list[int]:
    with reading(rig.reader) as connection:
        table = journal.place.c
        return list(connection.scalars(sa.select(table.sequence).order_by(table.sequence)))


def test_places_follow_messages_many_at_once_and_catch_up_before_they_are_asked(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.receive.writer.BEHIND", 3)
    for first in (1, 3, 5):  # each a commit of two
        rig.send(event_bytes(first), event_bytes(first + 1))
        rig.settle()
    last = event_bytes(7)
    rig.send(last)
    rig.settle()
    assert places(rig) == [1, 2, 3, 4, 5, 6]
    rig.send(last)  # its id is known: no place was asked for
    rig.settle()
    assert places(rig) == [1, 2, 3, 4, 5, 6]
    rig.send(*(event_bytes(number, subject="b03/e1") for number in (1, 6, 7)))
    rig.settle()
    assert rows_of_rejects(rig) == [("conflict", "$.sequence")] * 3
    assert places(rig) == [1, 2, 3, 4, 5, 6, 7]


def test_who_starts_anew_enters_the_places_that_a_crash_left_behind(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.receive.writer.BEHIND", 1000)
    for number in (1, 2):
        rig.send(event_bytes(number))
        rig.settle()
    assert places(rig) == [1]
    engine = rig.receiver._writer.engine
    anew = Writer(engine)
    anew.rig, rig.receiver._writer = rig, anew
    rig.send(event_bytes(2, subject="b03/e1"))
    rig.settle()
    assert rows_of_rejects(rig) == [("conflict", "$.sequence")]
    assert rig.sequences() == places(rig) == [1, 2]


def test_what_stands_nowhere_is_looked_at_once(rig: Rig) -> None:
    rig.send(event_bytes(1))
    rig.settle()
    for _ in range(3):
        rig.receiver._writer.tick(SITE, 1)
    for _ in range(2):
        rig.send(event_bytes(1, subject="b03/e1"))
        rig.settle()
    assert rows_of_rejects(rig) == [("conflict", "$.sequence")] * 2
    assert places(rig) == [0, 1]
    with reading(rig.reader) as connection:
        entered = connection.scalar(sa.select(sa.func.max(journal.place.c.id)))
        assert entered == journal.last_position(connection)
