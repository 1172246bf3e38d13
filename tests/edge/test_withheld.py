"""A picture that cannot be redacted in time is withheld; its event goes all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.agent.recorder import Reason, Recorder
from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.messages import Address
from edge.pictures import MemoryEvidence
from edge.pipeline import CameraPipeline
from edge.redact import Image
from edge.settings import Camera, Scenario, Zone
from edge.source.frame import Frame
from edge.spool import Spool
from linli.clock import ManualClock
from linli.codec import decode
from linli.errors import InputError
from linli.events import EventMessage, Snapshot
from linli.topics import Topic

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = ("person", "ebike")
SIZE = (120, 200, 3)
HERE = Detections(
    np.array([[0.4, 0.2, 0.6, 0.8]], np.float32),
    np.array([0.9], np.float32),
    np.array([0], np.int64),
    NAMES,
)
Part = Callable[[ManualClock], None]


class Watcher(FakeDetector):
    """Sees somebody in the whole picture; what happens in its parts, the test says."""

    def __init__(self, clock: ManualClock, part: Part, names: tuple[str, ...]) -> None:
        super().__init__(names)
        self._clock, self._part = clock, part

    def detect(self, image: Image) -> Detections:
        if image.shape == SIZE:
            return Detections(HERE.boxes, HERE.scores, HERE.classes, self.names)
        self._part(self._clock)
        return Detections.nothing(self.names)


def snapshot_of(
    folder: Path, part: Part, names: tuple[str, ...] = NAMES
) -> tuple[Snapshot, int, set[Reason]]:
    clock, pictures = ManualClock(START), MemoryEvidence()
    camera = Camera(
        id="cam",
        label="c",
        source="rtsp://h",
        redact_within=2.0,
        zone=(Zone(id="all", points=((0, 0), (1, 0), (1, 1), (0, 1))),),
        scenario=(Scenario(event="zone-dwell", labels=(names[0],), zone="all"),),
    )
    pipeline = CameraPipeline(camera, Watcher(clock, part, names), clock)
    with Spool(folder / "spool.db", clock) as spool:
        recorder = Recorder(
            camera,
            clock,
            address=Address("c001", "b03", "c001-n01"),
            spool=spool,
            pictures=pictures,
            recorded=lambda _: None,
        )
        for step in range(8):
            time = START + timedelta(seconds=step / 2)
            image = np.full(SIZE, 90, np.uint8)
            for fact in pipeline.process(Frame(image, step, step / 2, time, time)):
                recorder.record(fact)
        (row,) = spool.page("events", 0, 10)
    message = decode(Topic.parse(row.topic), row.payload).message
    assert isinstance(message, EventMessage)
    assert message.data.phase == "begin"
    assert message.data.snapshot is not None
    why = {reason for reason, count in recorder.counts.withheld.items() if count}
    return message.data.snapshot, len(pictures.waiting()), why


def fail(_clock: ManualClock) -> None:
    raise InputError("the model failed on a picture")


@pytest.mark.parametrize(
    ("part", "names", "reason"),
    [
        (fail, NAMES, "failed"),
        (lambda clock: clock.advance(2.1), NAMES, "late"),
        (lambda clock: clock.advance(0.6), NAMES, "late"),
        (lambda _: None, ("ebike", "cat"), "blind"),
    ],
    ids=["failed", "slow", "slow-bit-by-bit", "knows-no-people"],
)
def test_the_event_goes_without_its_picture(
    part: Part, names: tuple[str, ...], reason: Reason, tmp_path: Path
) -> None:
    snapshot, kept, why = snapshot_of(tmp_path, part, names)
    assert snapshot == Snapshot(redaction="withheld")
    assert kept == 0
    assert why == {reason}


def test_with_a_model_that_does_its_work_the_picture_goes_too(tmp_path: Path) -> None:
    snapshot, kept, why = snapshot_of(tmp_path, lambda clock: clock.advance(0.4))
    assert snapshot.redaction == "heads"
    assert kept == 1
    assert not why
