from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from facts import (
    AREA,
    DESCRIBE_TOPIC,
    DEVICE,
    EVENT_TOPIC,
    NODE,
    NOW,
    SITE,
    STATUS_TOPIC,
    STREAM,
    describe_bytes,
    event_bytes,
    status_bytes,
)
from rigs import RECEIPT_TOPIC, Rig, running_rig

from ingest.receive import receiver
from ingest.receive.pace import Pace
from ingest.store import journal
from ingest.store.engine import reading, to_micros
from linli.mqtt import Delivery


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        yield made


def test_commit_comes_before_all_answers_and_the_broker_hears_first(rig: Rig) -> None:
    rig.send(event_bytes(1), event_bytes(2))
    rig.settle()
    assert rig.told == [
        "before-commit",
        "commit 2",
        "after-commit",
        "ack",
        "ack",
        "after-ack",
        f"publish receipt/{STREAM}",
        "after-receipt",
    ]
    assert rig.sequences() == [1, 2]
    assert rig.receipt() == (2, ())
    assert rig.wakes == 1
    assert rig.unacknowledged() == 0


def test_more_than_was_asked_for_is_stored_in_slices(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MOST_AT_ONCE", 3)
    rig.send(*map(event_bytes, range(1, 9)))
    for _ in range(3):
        rig.settle()
    assert [one for one in rig.told if one.startswith("commit")] == [
        "commit 3",
        "commit 3",
        "commit 2",
    ]
    assert (rig.sequences(), rig.unacknowledged()) == ([*range(1, 9)], 0)
    assert rig.receipt() == (8, ())


def test_while_a_backlog_never_empties_each_keeps_when_it_came(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MOST_AT_ONCE", 3)
    judged: list[int] = []
    monkeypatch.setattr(
        rig.receiver._floods, "judged", lambda: judged.append(len(rig.receiver._waiting))
    )
    for minute in range(5):
        at = NOW + timedelta(minutes=minute)
        rig.send(*(event_bytes(4 * minute + one, at=at) for one in range(1, 5)))
        rig.receiver.step(0.0)
        rig.clock.advance(60)
        assert rig.receiver._waiting
    assert judged == []
    rig.settle()
    assert judged == [0]
    assert rig.sequences() == [*range(1, 21)]
    assert [(row.received, row.flags) for row in rig.rows()] == [
        (row.time, 0) for row in rig.rows()
    ]
    assert "future" not in rig.counted()


def test_what_came_while_nothing_could_be_stored_is_not_of_the_future(rig: Rig) -> None:
    rig.store_errors = 1
    rig.send(event_bytes(1))
    rig.settle()
    rig.clock.advance(0.4)
    rig.send(event_bytes(2, at=NOW + timedelta(milliseconds=400)))
    rig.receiver.step(0.0)
    rig.clock.advance(3600)
    rig.settle()
    assert [row.received - row.time for row in rig.rows()] == [0, 0]


def test_a_row_carries_address_times_and_the_very_bytes(rig: Rig) -> None:
    payload = event_bytes(5, low=5)
    rig.send(payload)
    rig.settle()
    (row,) = rig.rows()
    assert (row.site, row.area, row.node, row.device) == (SITE, AREA, NODE, DEVICE)
    assert (row.kind, row.name, row.source) == ("event", "zone-dwell", f"/{SITE}/{NODE}/{DEVICE}")
    assert (row.stream, row.sequence, row.flags) == (STREAM, 5, 0)
    assert row.received == row.time == to_micros(NOW)
    assert row.payload == payload


def test_a_store_that_fails_acknowledges_nothing_then_catches_up(rig: Rig) -> None:
    rig.store_errors = 2
    rig.send(event_bytes(1))
    rig.settle()
    rig.send(event_bytes(2))
    rig.settle()
    assert (rig.unacknowledged(), rig.rows()) == (2, [])
    assert RECEIPT_TOPIC not in rig.broker.retained
    assert rig.state() == "init"
    for _ in range(3):
        rig.clock.advance(3)
        rig.settle()
    assert rig.unacknowledged() == 0
    assert rig.sequences() == [1, 2]
    assert rig.state() == "ready"


def test_poison_in_the_middle_is_named_and_the_rest_flows(rig: Rig) -> None:
    bad = event_bytes(2).replace(b'"high"', b'"worst"')
    rig.send(event_bytes(1), bad, b"\xff garbage", event_bytes(3))
    rig.settle()
    assert rig.sequences() == [1, 3]
    assert rig.receipt() == (3, ())
    assert rig.unacknowledged() == 0
    first, second = rig.rejects()
    assert (first.code, first.path, first.stream) == ("schema", "$.data.severity", STREAM)
    assert first.sequence == "00000000000000000002"
    assert (second.code, second.stream) == ("json", None)
    assert rig.counted() == {"rejected.schema": 1, "rejected.json": 1}
    with reading(rig.reader) as connection:
        kept = connection.execute(sa.select(journal.quarantine.c.payload)).scalars().all()
        wanted = sa.select(journal.reject.c.sha256).order_by(journal.reject.c.id)
        written = connection.execute(wanted).scalars().all()
    assert kept == [bad, b"\xff garbage"]
    assert written == [first.sha256, second.sha256]


def test_duplicates_are_counted_acknowledged_and_receipted_again(rig: Rig) -> None:
    one = event_bytes(1)
    rig.send(one)
    rig.settle()
    rig.broker.retained.pop(RECEIPT_TOPIC)
    rig.send(one, one)
    rig.settle()
    assert rig.sequences() == [1]
    assert rig.receipt() == (1, ())
    assert rig.unacknowledged() == 0
    assert rig.counted() == {"duplicates": 2}
    with reading(rig.reader) as connection:
        assert connection.execute(sa.select(journal.stream.c.duplicates)).scalar() == 2


def test_a_duplicate_within_one_batch_is_one_row(rig: Rig) -> None:
    one = event_bytes(1)
    rig.send(one, one)
    rig.settle()
    assert rig.sequences() == [1]
    assert rig.counted() == {"duplicates": 1}


def test_one_id_with_other_bytes_is_a_conflict_and_loses_nobody_else(rig: Rig) -> None:
    first = event_bytes(1, id="019536a1-0000-7000-8000-000000000001")
    other = event_bytes(2, id="019536a1-0000-7000-8000-000000000001")
    changed = event_bytes(1, id="019536a1-0000-7000-8000-000000000001", subject="b03/e1")
    rig.send(first, other, changed, event_bytes(3))
    rig.settle()
    assert rig.sequences() == [1, 3]
    assert [(one.code, one.path) for one in rig.rejects()] == [("conflict", "$.id")] * 2
    assert rig.receipt() == (3, ())
    assert rig.unacknowledged() == 0


def test_an_id_repeated_under_a_new_sequence_is_a_conflict_not_a_crash(rig: Rig) -> None:
    event_id = "019536a1-0000-7000-8000-000000000001"
    rig.send(event_bytes(1, id=event_id))
    rig.settle()
    rig.send(event_bytes(2, id=event_id), event_bytes(3))
    rig.settle()
    assert rig.sequences() == [1, 3]
    assert [one.code for one in rig.rejects()] == ["conflict"]


def test_gaps_stay_open_until_filled_or_given_up(rig: Rig) -> None:
    rig.send(event_bytes(1), event_bytes(4), event_bytes(6))
    rig.settle()
    assert rig.receipt() == (1, ((4, 4), (6, 6)))
    rig.send(event_bytes(7, low=4))
    rig.settle()
    assert rig.receipt() == (4, ((6, 7),))
    assert rig.counted() == {"evicted": 2}


def test_positions_survive_a_new_receiver(rig: Rig, tmp_path: Path) -> None:
    rig.send(event_bytes(1), event_bytes(3))
    rig.settle()
    rig.receiver._writer._streams.clear()
    rig.send(event_bytes(3), event_bytes(2))
    rig.settle()
    assert rig.receipt() == (3, ())


def test_documents_are_kept_when_they_change(rig: Rig) -> None:
    described = describe_bytes()
    for _ in range(2):
        rig.send(described, topic=DESCRIBE_TOPIC)
        rig.send(status_bytes(), topic=STATUS_TOPIC)
        rig.settle()
        rig.receiver._writer._documents.clear()
    rig.send(status_bytes("00000001"), topic=STATUS_TOPIC)
    rig.settle()
    assert [(row.kind, row.name) for row in rig.rows()] == [
        ("meta", "describe"),
        ("health", "status"),
        ("health", "status"),
    ]
    assert rig.unacknowledged() == 0


def test_an_unknown_device_waits_with_a_receipt_and_is_replayed(rig: Rig) -> None:
    rig.directory.standings.clear()
    rig.send(event_bytes(1), event_bytes(2), event_bytes(1))
    rig.settle()
    assert rig.rows() == []
    assert rig.receipt() == (2, ())
    rig.clock.advance(5)
    rig.directory.standings[NODE, DEVICE] = "known"
    rig.directory.changed = True
    rig.wakes = 0
    rig.settle()
    assert rig.sequences() == [1, 2]
    assert [row.received for row in rig.rows()] == [to_micros(NOW)] * 2
    assert [row.flags for row in rig.rows()] == [journal.REPLAYED] * 2
    assert rig.wakes == 2  # these, and that the receiver still listened
    with reading(rig.reader) as connection:
        assert connection.execute(sa.select(journal.parked.c.id)).all() == []
    assert rig.counted() == {"parked": 2, "duplicates": 1}


def test_a_parked_message_of_a_moved_device_is_refused_visibly(rig: Rig) -> None:
    rig.directory.standings.clear()
    rig.send(event_bytes(1))
    rig.settle()
    rig.clock.advance(5)
    rig.directory.standings[NODE, DEVICE] = "moved"
    rig.directory.changed = True
    rig.settle()
    assert rig.rows() == []
    assert rig.counted() == {"parked": 1, "rejected.location-mismatch": 1}


def test_the_quarantine_is_capped_and_says_what_went(rig: Rig) -> None:
    for number in range(1, 121):
        rig.send(b"garbage %d" % number + b"." * 1000)
        rig.settle()
        rig.clock.advance(1)
    table = journal.quarantine
    with reading(rig.reader) as connection:
        size = connection.execute(sa.select(sa.func.sum(table.c.size))).scalar_one()
        left = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    assert size <= 40_000
    assert left + rig.counted()["quarantine_dropped"] == 120


def test_a_lost_connection_brings_back_what_was_not_committed(rig: Rig) -> None:
    assert rig.link is not None
    rig.store_errors = 1
    rig.send(event_bytes(1), event_bytes(2))
    rig.settle()
    rig.link.cut()
    assert rig.state() == "lost"
    rig.clock.advance(3)
    rig.settle()
    assert rig.sequences() == [1, 2]
    assert rig.counted() == {}
    assert rig.state() == "ready"
    assert rig.unacknowledged() == 0


def test_what_comes_before_the_link_is_up_is_answered_once_it_is(rig: Rig) -> None:
    assert rig.link is not None
    rig.broker.stop()
    rig.settle()
    early = Delivery(EVENT_TOPIC, event_bytes(1), retain=False, qos=1, mid=9, connection=2)
    rig.receiver.on_message(early)
    rig.clock.advance(1)
    rig.settle()
    assert rig.told == []
    rig.broker.start()
    rig.settle()
    assert rig.receipt() == (1, ())
    assert rig.told.count("ack") >= 1


def test_an_endless_flow_is_still_committed_in_batches(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rig.link is not None
    step = rig.link.step
    sent = iter(range(1, 2001))
    monkeypatch.setattr(rig.receiver, "_pace", Pace(1e6, 1e6, together=0.0))

    def busy(timeout: float) -> int:
        for _ in range(10):
            rig.send(event_bytes(next(sent)))
        rig.clock.advance(0.001)
        return step(timeout)

    monkeypatch.setattr(rig.link, "step", busy)
    for _ in range(200):
        rig.receiver.step(0.0)
    assert [told for told in rig.told if told.startswith("commit")] == ["commit 1000"] * 2


def test_a_batch_is_no_bigger_than_the_window_of_the_broker(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rig.link is not None
    rig.broker.window = 20
    rig.send(*(event_bytes(number) for number in range(1, 51)))
    rig.receiver.step(0.0)
    assert rig.told.count("commit 20") == 1  # full: nothing more can come, so nothing is waited for
    rig.settle()
    assert [told for told in rig.told if told.startswith("commit")] == [
        "commit 20",
        "commit 20",
        "commit 10",
    ]


def test_a_slow_flow_is_committed_after_the_longest_wait(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rig.link is not None
    step = rig.link.step
    sent = iter(range(1, 100))

    def trickle(timeout: float) -> int:
        rig.send(event_bytes(next(sent)))
        rig.clock.advance(0.06)
        return step(timeout)

    monkeypatch.setattr(rig.link, "step", trickle)
    for _ in range(10):
        rig.receiver.step(0.0)
    assert [told for told in rig.told if told.startswith("commit")] == ["commit 5", "commit 5"]


def test_without_acknowledgement_the_flood_is_bounded_and_counted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.receive.receiver.MOST_UNACKNOWLEDGEABLE", 3)
    rig.store_errors = 1
    for number in range(5):
        rig.send(status_bytes(f"{number:08x}"), topic=STATUS_TOPIC, qos=0)
    rig.settle()
    rig.clock.advance(3)
    rig.settle()
    assert len(rig.rows()) == 3
    assert rig.counted() == {"dropped": 2}


def test_closing_commits_what_waits_and_says_stopped(rig: Rig) -> None:
    rig.send(event_bytes(1))
    rig.receiver.step(0.0)
    assert rig.rows() == []
    rig.receiver.close()
    assert rig.sequences() == [1]
    assert rig.state() == "stopped"


def test_nothing_is_taken_before_the_registry_is_known(tmp_path: Path, rig: Rig) -> None:
    rig.receiver._registry = None
    rig.send(event_bytes(1))
    rig.settle()
    assert (rig.rows(), rig.unacknowledged()) == ([], 1)
    rig.directory.changed = True
    rig.clock.advance(3)
    rig.settle()
    assert rig.sequences() == [1]
