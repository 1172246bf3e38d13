"""One camera's frames to episode facts: detect, follow, watch the zones, picture what began.

No I/O and no threads: frames come in, facts come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from edge.detect.detections import Detections, chosen
from edge.detect.detector import Detector
from edge.episode import UNWATCHED, Seen, Session, Sessions, Sight, Terms, finish, watch
from edge.facts import EpisodeFact, Fact
from edge.geometry import Floats
from edge.redact import RedactedPicture, redact_heads
from edge.scene import Scene, TaughtPlace
from edge.settings import Camera, Scenario, Zone
from edge.source.frame import Frame
from edge.track import FollowRules, Objects, Tracks, follow
from edge.zones import inside
from linli.clock import Clock
from linli.errors import InputError
from linli.events import Track as TrackData
from linli.ids import uuid7

PERSON = "person"
_LIFE = 2.0  # seconds a track outlives its last sight; people hide each other for about a second
_LIFE_FRAMES = 3.0  # but never fewer frames' worth of time than this, at slow rates
_FOLLOWED = 2  # frames from which a box counts as something followed


@dataclass(slots=True)
class PipelineCounts:
    """What a pipeline has seen: frames inferred, boxes believed, objects followed, pictures."""

    frames: int = 0
    detections: int = 0
    tracks: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class _Episode:
    id: str
    since: datetime
    label: str


@dataclass(slots=True)
class _Watch:
    """One scenario at work; `episodes` are the confirmed ones by session number.

    `needs` are the class numbers it is about, each with the score from which it counts.
    """

    scenario: Scenario
    zone: Zone
    terms: Terms
    needs: Mapping[int, float]
    state: Sessions = field(default_factory=Sessions)
    episodes: dict[int, _Episode] = field(default_factory=dict)


class CameraPipeline:
    """Turns the frames of one camera into facts; raises InputError for a label no class has.

    `people` is how many were surely in the newest frame.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        clock: Clock,
        taught: Iterable[TaughtPlace] = (),
    ) -> None:
        """`taught` are the places of the camera's settings whose states were taught."""
        self.counts = PipelineCounts()
        self.people = 0
        self._detector = detector
        self._clock = clock
        self._watches = [_watch_of(camera, rule, detector) for rule in camera.scenario]
        labels = [label for rule in camera.scenario for label in rule.labels]
        self._followed = chosen(detector.names, labels)
        self._person = chosen(detector.names, [PERSON])
        self._need = _needed(detector, self._watches)
        life = max(_LIFE, _LIFE_FRAMES / camera.fps)
        self._rules = FollowRules(life, max(life, UNWATCHED))
        self._tracks = Tracks()
        self._nearby: Floats = np.empty((0, 4), np.float32)
        self._scene = Scene(taught)

    def process(self, frame: Frame) -> list[Fact]:
        """Look at one frame and return what began or ended with it, and states to report."""
        found = self._detector.detect(frame.image)
        self._follow(found, frame.media)
        facts = self._scene.see(frame, self._people_in_front(found))
        for watching in self._watches:
            seen = self._seen(watching)
            watching.state, changes = watch(watching.state, seen, frame.media, watching.terms)
            for change in changes:
                if change.phase == "begin":
                    facts.append(self._began(watching, change.session, frame))
                else:
                    facts.append(self._ended(watching, change.session, frame.captured))
        people = found.boxes[self._person[found.classes]]
        if any(_begins(fact) for fact in facts):
            picture = self._picture(frame, people)
            facts = [_pictured(fact, picture) for fact in facts]
        self._nearby = people
        return facts

    def idle(self, seconds: float) -> list[Fact]:
        """End what nobody can vouch for any more, because no frame came for that long."""
        return self._finished(
            watching for watching in self._watches if seconds > watching.terms.patience
        )

    def finish(self) -> list[Fact]:
        """End what is still going on, because no frame will come any more."""
        return self._finished(self._watches) + self._scene.finish(self._clock.now())

    def _finished(self, watches: Iterable[_Watch]) -> list[Fact]:
        facts: list[Fact] = []
        for watching in watches:
            watching.state, changes = finish(watching.state)
            now = self._clock.now()
            facts.extend(self._ended(watching, change.session, now) for change in changes)
        return facts

    def _people_in_front(self, found: Detections) -> Floats | None:
        """Return who is surely there, None when the model knows no people."""
        if PERSON not in self._detector.names:
            return None
        sure = found.scores >= self._need[found.classes]
        return found.boxes[sure & self._person[found.classes]]

    def _follow(self, found: Detections, now: float) -> None:
        mine = self._followed[found.classes]
        sure = found.scores >= self._need[found.classes]
        objects = Objects(found.boxes[mine], found.scores[mine], found.classes[mine], sure[mine])
        self._tracks = follow(self._tracks, objects, now, self._rules)
        self.people = int((sure & self._person[found.classes]).sum())
        self.counts.frames += 1
        self.counts.detections += int((sure & mine).sum())
        visible = self._tracks.visible()
        self.counts.tracks += sum(track.frames == _FOLLOWED for track in visible)

    def _seen(self, watching: _Watch) -> Seen:
        visible = self._tracks.visible()
        right = [track for track in visible if track.kind in watching.needs]
        within = inside(watching.zone, np.array([track.box for track in right]).reshape(-1, 4))
        sights = tuple(
            Sight(track.id, track.box, track.score, track.score >= watching.needs[track.kind])
            for track, here in zip(right, within, strict=True)
            if here
        )
        return Seen(sights, frozenset(track.id for track in visible))

    def _began(self, watching: _Watch, session: Session, frame: Frame) -> EpisodeFact:
        track = next(track for track in self._tracks.tracks if track.id == session.track)
        episode = _Episode(
            id=uuid7(frame.time),
            since=frame.time - timedelta(seconds=session.span),
            label=self._detector.names[track.kind],
        )
        watching.episodes[session.number] = episode
        data = TrackData(
            id=track.id,
            first=frame.time - timedelta(seconds=max(frame.media - track.first, 0.0)),
            frames=track.frames,
            bbox=track.box,
        )
        return _fact("begin", watching, session, episode, captured=frame.captured, track=data)

    def _ended(self, watching: _Watch, session: Session, captured: datetime) -> EpisodeFact:
        episode = watching.episodes.pop(session.number)
        return _fact("end", watching, session, episode, captured=captured, track=None)

    def _picture(self, frame: Frame, people: Floats) -> RedactedPicture | None:
        """Return the frame without heads, None when nothing here can tell where heads are."""
        picture = None
        if PERSON in self._detector.names:
            # Someone missed in just this frame was seen in the last one, nearly at the same place.
            everyone = np.concatenate((people, self._nearby))
            picture = redact_heads(frame.image, everyone)
        self.counts.withheld += picture is None
        return picture


def _needed(detector: Detector, watches: list[_Watch]) -> Floats:
    """Return the score from which each class counts [classes]: what least some scenario asks."""
    need = detector.thresholds.copy()
    for kind in {kind for watching in watches for kind in watching.needs}:
        need[kind] = min(watching.needs[kind] for watching in watches if kind in watching.needs)
    return need


def _watch_of(camera: Camera, rule: Scenario, detector: Detector) -> _Watch:
    names = detector.names
    unknown = [label for label in rule.labels if label not in names]
    if unknown:
        raise InputError(
            f"the model knows no {', '.join(unknown)}",
            where=f"camera {camera.id}, scenario {rule.event}",
            hint=f"It knows: {', '.join(names)}",
        )
    return _Watch(
        scenario=rule,
        zone=camera.zone_of(rule),
        terms=Terms(
            votes=rule.votes,
            of=rule.of,
            dwell=rule.dwell,
            gone_after=rule.gone_after,
            cooldown=rule.cooldown,
        ),
        needs={
            kind: float(detector.thresholds[kind]) if rule.score is None else rule.score
            for kind in map(names.index, rule.labels)
        },
    )


def _fact(
    phase: Literal["begin", "end"],
    watching: _Watch,
    session: Session,
    episode: _Episode,
    *,
    captured: datetime,
    track: TrackData | None,
) -> EpisodeFact:
    # Times follow from `since` by measured seconds: a corrected wall clock cannot turn them over.
    return EpisodeFact(
        phase=phase,
        episode=episode.id,
        scenario=watching.scenario,
        zone=watching.zone.id,
        label=episode.label,
        since=episode.since,
        time=episode.since + timedelta(seconds=session.span),
        captured=captured,
        confidence=min(session.best, 1.0),
        dwell=session.dwell,
        track=track,
    )


def _begins(fact: Fact) -> bool:
    return isinstance(fact, EpisodeFact) and fact.phase == "begin"


def _pictured(fact: Fact, picture: RedactedPicture | None) -> Fact:
    if isinstance(fact, EpisodeFact) and fact.phase == "begin":
        return replace(fact, picture=picture)
    return fact
