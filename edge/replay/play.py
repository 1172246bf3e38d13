"""Plays a recording through a pipeline, as fast as the machine can, and keeps what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from edge.detect.detections import Detections
from edge.facts import CountFact, DoorFact, EpisodeFact, Fact, StateFact
from edge.look import Look
from edge.pipeline import CameraPipeline
from edge.redact import RedactedPicture, Withheld
from edge.replay.course import Story
from edge.replay.held import HeldDoor
from edge.settings import SHADOW_GROUP, Camera
from edge.source.frame import Frame, FrameSource
from linli.clock import ManualClock
from linli.errors import InputError

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One frame played; `news` tells whether a session opened, began or ended with it."""

    frame: Frame
    found: Detections
    looks: list[Look]
    news: bool
    _pipeline: CameraPipeline

    def picture(self) -> RedactedPicture | Withheld:
        """Return the frame without heads, while it is the newest; None when withheld."""
        return self._pipeline.picture(self.frame)


@dataclass(slots=True)
class Played:
    """What came of a recording: its stories, doors, happenings of the camera, places and lines.

    `counts` are those of each line, the last occupancy with it; `seconds` is how far it went.
    """

    stories: list[Story]
    doors: list[HeldDoor]
    start: datetime | None = None
    frames: int = 0
    seconds: float = 0.0
    happened: list[EpisodeFact] = field(default_factory=list)
    states: list[StateFact] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def take(self, facts: Iterable[Fact]) -> None:
        """Keep what is no session's."""
        for fact in facts:
            if isinstance(fact, EpisodeFact):
                self.happened.append(replace(fact, picture=None))
            elif isinstance(fact, StateFact):
                self.states.append(fact)
            elif isinstance(fact, CountFact) and fact.group != SHADOW_GROUP:
                line = self.counts.setdefault(fact.group, {})
                for name, count in fact.counts.items():
                    line[name] = count if name == "occupancy" else line.get(name, 0) + count

    def others(self) -> list[str]:
        """Return in words what happened to the camera and to taught places, in its order."""
        ours = {story.scenario.event for story in self.stories}
        start = self.start
        return [
            f"{(fact.time - start).total_seconds():7.1f} s  {fact.scenario.event} in {fact.zone}: "
            f"{fact.label} {fact.phase}s"
            for fact in self.happened
            if start is not None and fact.scenario.event not in ours
        ]


class Player:
    """Plays once: `moments` gives each frame as it is done, `played` is then what came of all."""

    def __init__(
        self,
        camera: Camera,
        pipeline: CameraPipeline,
        source: FrameSource,
        clock: ManualClock,
        doors: Iterable[HeldDoor] = (),
    ) -> None:
        """`clock` is the recording's own, which the source and the pipeline were given too."""
        self.played = Played([Story(rule) for rule in camera.watched], list(doors))
        self._pipeline = pipeline
        self._source = source
        self._clock = clock

    def moments(self) -> Iterator[Moment]:
        """Play to the end. Raises InputError when the recording cannot be read, or breaks off."""
        played = self.played
        with self._source:
            while (frame := self._source.read(_TIMEOUT)) is not None:
                self._clock.advance(max(frame.media - self._clock.monotonic(), 0.0))
                yield self._see(frame)
        if self._source.state == "failed":
            raise InputError(self._source.detail or "cannot be played", where="recording")
        played.take(self._pipeline.finish())
        for story in played.stories:
            story.finish(played.seconds)

    def _see(self, frame: Frame) -> Moment:
        played, media = self.played, frame.media
        facts = self._pipeline.process(frame)
        looks, found = self._pipeline.looks(), self._pipeline.found
        news = [
            story.see(look, media, found.names)
            for story, look in zip(played.stories, looks, strict=True)
        ]
        for door in played.doors:
            door.see((fact for fact in facts if isinstance(fact, DoorFact)), media)
        played.take(facts)
        played.start = played.start or frame.time
        played.frames, played.seconds = played.frames + 1, media
        return Moment(frame, found, looks, any(news), self._pipeline)
