"""An edge that falls in the middle of an episode: the next start ends it, exactly once."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.agent.leftover import end_left_open
from edge.agent.recorder import Recorded, Recorder
from edge.messages import Address, Place
from edge.pictures import MemoryEvidence
from edge.pipeline import EpisodeFact
from edge.settings import Camera, Scenario, Zone
from edge.spool import Spool, SpoolLimits
from linli.clock import ManualClock
from linli.codec import decode
from linli.errors import StoreError
from linli.events import EventMessage
from linli.ids import uuid7
from linli.topics import Topic

START = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
LATER = START + timedelta(hours=1)
RULE = Scenario(event="zone-dwell", labels=("person",), zone="door", severity="high")
CAMERA = Camera(
    id="cam",
    label="门 Door",
    source="pattern:square",
    subject="b03/e1",
    zone=(Zone(id="door", points=((0, 0), (1, 0), (1, 1))),),
    scenario=(RULE,),
)
FALL = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from edge.spool import Spool
from linli.clock import ManualClock

class Falling(Spool):
    def _attempt(self, database, change):
        if self.armed:
            before = change
            change = lambda database: (before(database), os.kill(os.getpid(), signal.SIGKILL))
        return super()._attempt(database, change)

from edge.agent.leftover import end_left_open
clock = ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
spool = Falling(Path(sys.argv[1]), clock)
spool.armed = False
with spool:
    spool.armed = True
    end_left_open(spool, clock, print)
"""


def _fact(phase: str, episode: str) -> EpisodeFact:
    return EpisodeFact(
        phase=phase,  # type: ignore[arg-type]
        episode=episode,
        scenario=RULE,
        zone="door",
        label="person",
        since=START - timedelta(seconds=2),
        time=START,
        captured=START,
        confidence=0.9,
        dwell=2.0,
        track=None,
    )


def _recorder(spool: Spool) -> Recorder:
    return Recorder(
        CAMERA,
        ManualClock(START),
        address=Address("c001", "b03", "c001-n01"),
        spool=spool,
        pictures=MemoryEvidence(),
        recorded=lambda _: None,
    )


def _events(spool: Spool) -> list[EventMessage]:
    rows = spool.page("events", 0, 100)
    messages = [decode(Topic.parse(row.topic), row.payload).message for row in rows]
    return [message for message in messages if isinstance(message, EventMessage)]


def _begun(path: Path) -> list[str]:
    """Leave two episodes open and end one."""
    episodes = [uuid7(START + timedelta(seconds=n)) for n in range(3)]
    with Spool(path, ManualClock(START)) as spool:
        recorder = _recorder(spool)
        for episode in episodes:
            recorder.record(_fact("begin", episode))
        recorder.record(_fact("end", episodes[1]))
    return [episodes[0], episodes[2]]


def test_each_episode_left_open_is_ended_once(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    left = _begun(path)
    told: list[Recorded] = []
    for _ in range(2):
        with Spool(path, ManualClock(LATER)) as spool:
            end_left_open(spool, ManualClock(LATER), told.append)
            ends = _events(spool)[4:]
    assert [end.data.episode for end in ends] == left
    assert [(one.episode, one.phase, one.time, one.captured) for one in told] == [
        (episode, "end", START, LATER) for episode in left
    ]
    for end, one in zip(ends, told, strict=True):
        assert (end.id, end.type) == (one.event_id, "linli.event.zone-dwell")
        assert (end.source, end.subject) == ("/c001/c001-n01/cam", "b03/e1")
        assert (end.time, end.recordedtime) == (START, LATER)
        data = end.data
        assert (data.phase, data.since, data.dwell) == ("end", START - timedelta(seconds=2), 2.0)
        assert (data.severity, data.snapshot, data.track) == ("high", None, None)


def test_a_kill_before_the_commit_of_the_end_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    left = _begun(path)
    fallen = subprocess.run(
        [sys.executable, "-c", FALL, str(path)], check=False, capture_output=True, text=True
    )
    assert (fallen.returncode, fallen.stderr) == (-signal.SIGKILL, "")
    with Spool(path, ManualClock(LATER)) as spool:
        assert len(_events(spool)) == 4
        end_left_open(spool, ManualClock(LATER), lambda _: None)
        assert [end.data.episode for end in _events(spool)[4:]] == left


def test_what_cannot_be_ended_now_is_ended_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "spool.db"
    left = _begun(path)

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("disk full")

    with Spool(path, ManualClock(LATER)) as spool, monkeypatch.context() as patch:
        patch.setattr(spool, "put", refuse)
        end_left_open(spool, ManualClock(LATER), lambda _: None)
    assert "cannot be ended: disk full" in caplog.text
    with Spool(path, ManualClock(LATER)) as spool:
        assert len(spool.open_episodes()) == len(left)


def test_a_begin_that_is_evicted_or_confirmed_still_gets_its_end(tmp_path: Path) -> None:
    limits = SpoolLimits(rows=1)
    with Spool(tmp_path / "spool.db", ManualClock(START), limits) as spool:
        _recorder(spool).record(_fact("begin", uuid7(START)))
        spool.put("events", "t", lambda place: place.stream.encode())
        end_left_open(spool, ManualClock(LATER), lambda _: None)
        assert [event.data.phase for event in _events(spool)] == ["end"]


def test_a_spool_of_the_first_version_learns_of_episodes(tmp_path: Path) -> None:
    def make(place: Place) -> bytes:
        return place.stream.encode()

    with Spool(tmp_path / "spool.db", ManualClock(START)) as spool:
        old = spool.put("events", "t", make)
        assert spool._database is not None
        spool._database.execute("DROP TABLE open_episode")
        spool._database.execute("ALTER TABLE row DROP COLUMN aged")
        spool._database.execute("PRAGMA user_version = 1")
    with Spool(tmp_path / "spool.db", ManualClock(START)) as spool:
        assert (spool.damaged, spool.open_episodes()) == (0, [])
        assert spool.put("events", "t", make, opens="e").sequence == old.sequence + 1
        assert spool.open_episodes() == [("t", old.stream.encode())]
