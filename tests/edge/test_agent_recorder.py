"""Facts made safe: the picture first, then the event; and what happens while the disk refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.agent.recorder import MAX_UNSAVED, Recorded, Recorder
from edge.facts import EpisodeFact, TrialFact
from edge.messages import Address
from edge.pictures import MemoryEvidence, Picture
from edge.redact import RedactedPicture
from edge.settings import Camera, Scenario, Zone
from edge.spool import Spool
from linli.clock import ManualClock
from linli.codec import decode
from linli.errors import StoreError
from linli.events import EventMessage, ModelRef
from linli.ids import uuid7
from linli.topics import Topic

START = datetime(2026, 3, 2, 11, 24, 5, 123456, tzinfo=UTC)
RULE = Scenario(event="zone-dwell", labels=("person",), zone="door", severity="high")
CAMERA = Camera(
    id="cam",
    label="门 Door",
    source="pattern:square",
    subject="b03/e1",
    zone=(Zone(id="door", points=((0, 0), (1, 0), (1, 1))),),
    scenario=(RULE,),
    evidence_days=7,
)
MODEL = ModelRef(name="fake", version="1", sha256="0" * 64)
FACT = EpisodeFact(
    phase="begin",
    episode=uuid7(START),
    scenario=RULE,
    zone="door",
    label="person",
    since=START - timedelta(seconds=2),
    time=START,
    captured=START,
    confidence=0.9,
    dwell=2.0,
    track=None,
    picture=RedactedPicture(b"\xff\xd8 jpeg", "heads"),
    model=MODEL,
)


class Refusing:
    """A store behind which the disk may be full."""

    def __init__(self, behind: object) -> None:
        self.behind = behind
        self.full = False

    def put(self, *arguments: object, **options: object) -> object:
        if self.full:
            raise StoreError("disk full")
        return self.behind.put(*arguments, **options)  # type: ignore[attr-defined]


@dataclass
class World:
    recorder: Recorder
    spool: Spool
    pictures: MemoryEvidence
    disk: Refusing
    picture_disk: Refusing
    recorded: list[Recorded] = field(default_factory=list)
    waiting_when_recorded: list[tuple[Picture, ...]] = field(default_factory=list)

    def note(self, recorded: Recorded) -> None:
        self.recorded.append(recorded)
        self.waiting_when_recorded.append(self.pictures.waiting())

    def events(self) -> list[EventMessage]:
        rows = self.spool.page("events", 0, 1000)
        messages = [decode(Topic.parse(row.topic), row.payload).message for row in rows]
        return [message for message in messages if isinstance(message, EventMessage)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = ManualClock(START)

    def note(recorded: Recorded) -> None:
        world.note(recorded)

    with Spool(tmp_path / "spool.db", clock) as spool:
        pictures = MemoryEvidence()
        disk, picture_disk = Refusing(spool), Refusing(pictures)
        recorder = Recorder(
            CAMERA,
            clock,
            address=Address("c001", "b03", "c001-n01"),
            spool=disk,  # type: ignore[arg-type]
            pictures=picture_disk,  # type: ignore[arg-type]
            recorded=note,
        )
        world = World(recorder, spool, pictures, disk, picture_disk)
        yield world


def test_begin_claims_the_picture_that_is_already_safe(world: World) -> None:
    world.recorder.record(FACT)
    (event,), (picture,) = world.events(), world.pictures.waiting()
    assert world.waiting_when_recorded == [(picture,)]
    assert (event.source, event.type) == ("/c001/c001-n01/cam", "linli.event.zone-dwell")
    assert (event.subject, event.time) == ("b03/e1", START.replace(microsecond=123000))
    data = event.data
    assert (data.phase, data.episode, data.severity) == ("begin", FACT.episode, "high")
    assert (data.zone, data.label, data.dwell, data.model) == ("door", "person", 2.0, MODEL)
    assert data.snapshot is not None
    assert data.snapshot.id == picture.id
    assert data.snapshot.sha256 == hashlib.sha256(b"\xff\xd8 jpeg").hexdigest()
    assert data.snapshot.bytes == 7
    assert data.snapshot.expires == picture.expires
    assert picture.expires - START.replace(microsecond=123000) == timedelta(days=7)
    assert (picture.device, picture.episode) == ("cam", FACT.episode)
    assert world.recorded[0].event_id == event.id
    assert (world.recorder.counts.events, world.recorder.counts.pictures) == (1, 1)


def test_a_picture_of_a_trial_is_sent_at_once(world: World) -> None:
    woken: list[int] = []
    pictures = world.pictures
    recorder = Recorder(
        CAMERA,
        ManualClock(START),
        address=Address("c001", "b03", "c001-n01"),
        spool=world.spool,
        pictures=pictures,
        recorded=world.note,
        waits=lambda: woken.append(len(pictures.waiting())),
    )
    trial = TrialFact("loitering", "door", START, FACT.picture)
    recorder.record(trial)
    recorder.record(FACT)
    assert woken == [1], "when it is safe, and only for what no event speaks of"


def test_without_a_picture_it_is_withheld_and_an_end_has_none(world: World) -> None:
    world.recorder.record(replace(FACT, picture="late"))
    world.recorder.record(replace(FACT, phase="end", picture=None))
    begin, end = world.events()
    assert begin.data.snapshot is not None
    assert begin.data.snapshot.redaction == "withheld"
    assert end.data.snapshot is None
    assert world.recorder.counts.withheld == {
        "late": 1,
        "failed": 0,
        "blind": 0,
        "dark": 0,
        "disk": 0,
    }


def test_picture_that_cannot_be_kept_does_not_hold_the_event(world: World) -> None:
    world.picture_disk.full = True
    world.recorder.record(FACT)
    (event,) = world.events()
    assert event.data.snapshot is not None
    assert event.data.snapshot.redaction == "withheld"
    assert world.recorder.counts.pictures == 0
    assert world.recorder.counts.withheld["disk"] == 1


def test_events_wait_for_a_full_disk_in_order(world: World) -> None:
    world.disk.full = True
    facts = [replace(FACT, episode=uuid7(START), picture=None) for _ in range(3)]
    for fact in facts:
        world.recorder.record(fact)
    assert (world.recorder.unsaved, world.events()) == (3, [])
    world.disk.full = False
    world.recorder.flush()
    assert world.recorder.unsaved == 0
    assert [event.data.episode for event in world.events()] == [fact.episode for fact in facts]


def test_what_waits_for_the_disk_is_bounded_and_counted(world: World) -> None:
    world.disk.full = True
    for _ in range(MAX_UNSAVED + 3):
        world.recorder.record(replace(FACT, picture=None))
    assert (world.recorder.unsaved, world.recorder.counts.lost) == (MAX_UNSAVED, 3)


def test_event_that_breaks_the_contract_is_counted_and_blocks_nothing(world: World) -> None:
    world.recorder.record(replace(FACT, label="Not a slug", picture=None))
    world.recorder.record(replace(FACT, picture=None))
    assert [event.data.label for event in world.events()] == ["person"]
    assert (world.recorder.counts.lost, world.recorder.unsaved) == (1, 0)
    assert world.events()[0].sequence == "0" * 19 + "1"


@pytest.mark.parametrize(
    ("drift", "since"),
    [
        (timedelta(days=56 * 365), timedelta(days=56 * 365, seconds=-9)),
        (-timedelta(days=2), -timedelta(days=2, seconds=9)),
        (timedelta(hours=1), -timedelta(seconds=9)),
    ],
)
def test_the_end_of_what_began_before_the_clock_was_set_is_of_the_clock_as_it_is(
    world: World, drift: timedelta, since: timedelta
) -> None:
    began = START - timedelta(seconds=9)
    captured = START + drift
    world.recorder.record(replace(FACT, phase="end", since=began, captured=captured, picture=None))
    (event,) = world.events()
    ms = START.replace(microsecond=123000)
    assert event.data.since == ms + since
    assert event.time == event.data.since + timedelta(seconds=9)
