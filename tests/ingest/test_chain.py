"""Produced, stored, lost, p95, green or red: what probes say, from the journal to the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import NOON, SITE, Folder, running, sign_in

from ingest.chain.judge import OVERDUE, Pass, judge, nearest
from ingest.receive.probe import STREAM
from ingest.receive.writer import add_counts
from ingest.store.engine import to_micros, writing
from ingest.store.journal import PROBE_COUNTER
from linli.codec import encode
from linli.events import ProbeData, ProbeMessage, schema_uri, sequence_text
from linli.ids import uuid7
from linli.topics import PROBE, PROBE_NODE, SYSTEM_AREA, probe_topic

MINUTE = timedelta(minutes=1)
LONG_AGO = NOON - timedelta(days=3)


def row(number: int, *, seconds: float = 0.05, made: datetime | None = None) -> Pass:
    made = made or NOON + number * MINUTE
    return Pass(number, made, made + timedelta(seconds=seconds))


def rows(*numbers: int, **more: float) -> list[Pass]:
    return [row(number, **more) for number in numbers]


def at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


def test_green_needs_a_recent_probe_and_says_since_when() -> None:
    found = judge(rows(*range(1, 6)), started=LONG_AGO, now=at(5.5))
    assert (found.state, found.why, found.since) == ("green", "works", at(1))
    assert (found.last, found.p50, found.p95) == (at(5), 0.05, 0.05)


def test_it_begins_unknown_and_never_green_or_red_by_itself() -> None:
    for passes in ([], rows(1, 2)):
        begun = at(600)
        found = judge(passes, started=begun, now=begun + OVERDUE)
        assert (found.state, found.why, found.since) == ("unknown", "starting", begun)
        assert found.p95 is None
        late = judge(passes, started=begun, now=begun + OVERDUE + MINUTE)
        assert (late.state, late.why) == ("red", "silent")
    assert judge(rows(1, 2), started=LONG_AGO, now=at(30)).since == at(3)


def test_a_gap_is_red_for_an_hour_and_then_green_again() -> None:
    passes = [*rows(*range(1, 10)), *rows(*range(11, 20))]
    found = judge(passes, started=LONG_AGO, now=at(20))
    assert (found.state, found.why, found.since) == ("red", "lost", at(11))
    later = [*passes, *rows(*range(20, 90))]
    found = judge(later, started=LONG_AGO, now=at(90))
    assert (found.state, found.since) == ("green", at(11))


def test_a_pause_in_which_none_was_made_ends_with_the_next_probe() -> None:
    passes = [row(1), row(2), row(3, made=at(50)), row(4, made=at(51))]
    found = judge(passes, started=LONG_AGO, now=at(51.5))
    assert (found.state, found.since) == ("green", at(50))


def test_slow_probes_in_a_row_are_red_and_one_alone_is_not() -> None:
    passes = [*rows(*range(1, 10)), *rows(*range(10, 13), seconds=11)]
    found = judge(passes, started=LONG_AGO, now=at(13))
    assert (found.state, found.why, found.since, found.p95) == ("red", "slow", at(10), 11)
    for once in ([row(1, seconds=99)], [*rows(1, 2), row(3, seconds=11)], [*passes, row(13)]):
        now = once[-1].made + MINUTE
        assert judge(once, started=LONG_AGO, now=now).state == "green"


def test_a_new_journal_and_a_clock_set_back_are_no_loss() -> None:
    passes = [row(900, made=at(1)), row(1, made=at(2), seconds=-3)]
    found = judge(passes, started=LONG_AGO, now=at(2.5))
    assert (found.state, found.p50) == ("green", 0)


def test_quantiles_are_of_what_there_is() -> None:
    assert nearest([], 0.95) is None
    assert nearest([1.0], 0.5) == 1.0
    assert nearest([float(n) for n in range(1, 101)], 0.95) == 95


# From the journal to the API.


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


class Probes:
    """What the receiver does, by hand: count, then the journal."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._sequences = count(1)
        self.number = 0

    def make(self, *, arrives: bool = True) -> None:
        folder, topic = self._folder, probe_topic(SITE)
        self.number += 1
        with writing(folder.journal) as connection:
            add_counts(connection, Counter({PROBE_COUNTER: 1}))
        if not arrives:
            return
        sequence, now = next(self._sequences), folder.clock.now()
        message = ProbeMessage(
            specversion="1.0",
            id=uuid7(now),
            source=topic.source,
            type=topic.type,
            time=now,
            datacontenttype="application/json",
            dataschema=schema_uri(PROBE),
            clocksync="synced",
            stream=STREAM,
            sequence=sequence_text(sequence),
            low=sequence_text(sequence),
            data=ProbeData(number=self.number),
        )
        folder.put(
            PROBE,
            "chain",
            encode(message),
            device="ingest",
            node=PROBE_NODE,
            area=SYSTEM_AREA,
            source=topic.source,
            event_id=message.id,
            stream=STREAM,
            sequence=sequence,
            time=to_micros(now),
        )


def chain(client: TestClient, stored: int) -> dict:
    """Return the answer once so many were stored and the listener has heard of the last."""
    for _ in range(500):
        client.app.state.house.wake()
        found: dict = client.get("/api/v1/chain").json()
        if found["stored"] == stored and (stored == 0 or found["last"] is not None):
            return found
    raise AssertionError(found)


def test_a_probe_is_counted_shown_and_survives_a_restart(folder: Folder) -> None:
    probes = Probes(folder)
    with running(folder) as client:
        sign_in(client, "guest")
        found = chain(client, 0)
        assert (found["state"], found["produced"], found["p95"]) == ("unknown", 0, None)
        probes.make()
        found = chain(client, 1)
        assert (found["state"], found["why"], found["lost"]) == ("green", "works", 0)
        assert found["p95"] == 0  # this clock stands still
        folder.clock.advance(60)
        probes.make()
        chain(client, 2)
        probes.make(arrives=False)
        assert chain(client, 2)["waiting"] == 1
    folder.clock.advance(600)
    with running(folder) as client:
        sign_in(client, "guest")
        found = chain(client, 2)
        assert (found["state"], found["why"]) == ("unknown", "starting")
        folder.clock.advance(OVERDUE.total_seconds() + 1)
        found = chain(client, 2)
        assert (found["state"], found["why"]) == ("red", "silent")
        assert found["since"] == (NOON + 2 * MINUTE).isoformat().replace("+00:00", "Z")
        probes.make()
        found = chain(client, 3)
        for _ in range(500):
            if found["last"] != (NOON + MINUTE).isoformat().replace("+00:00", "Z"):
                break
            found = chain(client, 3)
        assert (found["state"], found["why"]) == ("red", "lost")
        assert (found["produced"], found["stored"], found["lost"]) == (4, 3, 1)


def test_a_probe_is_no_event_no_device_and_no_incident(folder: Folder) -> None:
    with running(folder) as client:
        sign_in(client, "guest")
        Probes(folder).make()
        chain(client, 1)
        stats = client.get("/api/v1/stats").json()
        assert (stats["produced"], stats["events_stored"], stats["poisoned"]) == (0, 0, 0)
        assert stats["streams"] == []
        assert client.get("/api/v1/events").json()["items"] == []
        assert client.get("/api/v1/incidents").json()["items"] == []
        nodes = client.get("/api/v1/nodes").json()["items"]
        assert PROBE_NODE not in {one["node"] for one in nodes}
