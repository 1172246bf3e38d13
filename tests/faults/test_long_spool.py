"""A spool of a week, sent to the ingest at once while new facts happen."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import psutil
import pytest
from brokers import NEEDS_MOSQUITTO
from estate import until
from play import single
from sender import ADDRESS, DEVICE, TOPIC
from stage import Stage, running_stage

from edge import messages
from edge.messages import Place, Stamp
from edge.spool import LANES
from edge.spool_file import open_file
from linli.clock import SystemClock
from linli.codec import sha256
from linli.events import EventData, Phase, Reading, TelemetryData
from linli.ids import uuid7

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

WEEK = timedelta(days=7)
MOST_GROWTH = 60 * 1024 * 1024


def fill_spool(stage: Stage, events: int, readings: int) -> None:
    """Put a week of ended episodes and readings into the spool, as an edge cut off would."""
    now = SystemClock().now()
    database = open_file(stage.data / "spool.db", LANES, now).database
    streams = dict(database.execute("SELECT lane, stream FROM lane").fetchall())
    with closing(database), (stage.data / "truth.ndjson").open("w") as truth:
        database.execute("BEGIN")
        for lane, count, make in (("events", events, _event), ("telemetry", readings, _reading)):
            for number in range(count):
                at = now - WEEK + number * (WEEK / (count + 1))
                place = Place(streams[lane], number + 1, 1)
                topic, body, event_id = make(number, at, place)
                digest = sha256(body)
                row = (lane, number + 1, topic, at.timestamp(), digest, body, 0.0)
                database.execute("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                phase = '"phase": "old", ' if lane == "events" else ""
                truth.write(
                    f'{{"id": "{event_id}", {phase}"stream": "{place.stream}", "sequence": '
                    f'{number + 1}, "sha256": "{digest}", "at": {at.timestamp()}}}\n'
                )
            database.execute("UPDATE lane SET next = ? WHERE lane = ?", (count + 1, lane))
        database.execute("COMMIT")


def _event(number: int, at: datetime, place: Place) -> tuple[str, bytes, str]:
    phase: Phase = "end" if number % 2 else "begin"
    episode = f"019cae4c-8f63-7a1b-9c2d-{number // 2:012d}"
    data = EventData(
        phase=phase,
        episode=episode,
        severity="medium",
        label="person",
        since=messages.milliseconds(at),
        zone="door",
    )
    event_id = uuid7(at)
    body = messages.event(TOPIC, Stamp(at), place, data, event_id=event_id, time=at)
    return str(TOPIC), body, event_id


def _reading(number: int, at: datetime, place: Place) -> tuple[str, bytes, str]:
    topic = ADDRESS.topic(DEVICE, "telemetry", "load")
    reading = Reading(n="load", v=float(number), u="1", t=messages.milliseconds(at))
    body = messages.telemetry(topic, Stamp(at), TelemetryData(readings=(reading,)), place)
    return str(topic), body, body.split(b'"id":"', 1)[1][:36].decode()


def out_of_order(stage: Stage) -> int:
    """Return how many readings were stored after a later one of theirs."""
    query = (
        "SELECT count(*) FROM (SELECT sequence, lag(sequence) OVER (ORDER BY id) AS before"
        " FROM message WHERE kind = 'telemetry') WHERE sequence < before"
    )
    return int(stage.ask("journal", query))


class Memory:
    """The most that processes held together, looked at now and then."""

    def __init__(self, *processes: psutil.Process) -> None:
        self.first = self.most = sum(one.memory_info().rss for one in processes)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=partial(self._watch, processes), daemon=True)
        self._thread.start()

    def _watch(self, processes: tuple[psutil.Process, ...]) -> None:
        while not self._ended.wait(0.5):
            self.most = max(self.most, sum(one.memory_info().rss for one in processes))

    def grown(self) -> int:
        self._ended.set()
        self._thread.join()
        return self.most - self.first


@pytest.mark.timeout(5400)
@pytest.mark.parametrize(
    ("events", "readings"),
    [(600, 4_000), pytest.param(50_000, 950_000, marks=pytest.mark.full)],
)
def test_a_week_arrives_while_new_facts_come_first_and_nobody_is_called_for_old_ones(
    tmp_path: Path, record_property, events: int, readings: int
) -> None:
    with running_stage(tmp_path / "stage") as stage:
        fill_spool(stage, events, readings)
        memory = Memory(stage.child("receiver"), stage.child("web"))
        began = time.time()
        stage.rate = 20.0
        stage.play_load("--seed", "1", "--spool-rows", "2000000")
        stored_after, worked_after = stage.recovered(began, 300)
        assert stage.load is not None
        edge = Memory(psutil.Process(stage.load.pid))
        waiting = stage.behind()
        until(lambda: stage.behind() < 20, 3600)
        took = time.time() - began
        stage.finish_load(120)
        row = single(
            stage,
            f"a week in the spool: {events} events, {readings} readings",
            "R16",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"{(events + readings) / took:.0f} facts/s, in order; grew by "
            f"{memory.grown() >> 20} MB, the edge by {edge.grown() >> 20} MB",
        )
        turned = out_of_order(stage)
        called = stage.ask("state", CALLS, int((began - 600) * 1e6))
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert memory.most - memory.first < MOST_GROWTH
    assert edge.most - edge.first < MOST_GROWTH
    assert turned == 0
    assert waiting > readings / 2, "new facts had to wait for old readings"
    assert called == 0, "people were called for what was over long ago"


CALLS = "SELECT count(*) FROM transition WHERE json_extract(body, '$.page') = 'call' AND at < ?"
