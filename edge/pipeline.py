"""One camera's frames to episode facts: detect, follow, watch the zones, picture what began.

No I/O and no threads: frames come in, facts come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

import numpy as np

from edge.aims import aims_of
from edge.counting import LineCounter
from edge.detect.detections import Detections, chosen
from edge.detect.detector import Detector
from edge.episode import (
    Change,
    Seen,
    Session,
    finish,
    hold,
    together,
    undecided,
    watch,
)
from edge.facts import Act, CountFact, DoorFact, EpisodeFact, Fact, PromptFact, TrialFact
from edge.geometry import Floats
from edge.glance import Glance, Onlooker
from edge.health import LookCounts
from edge.look import Look
from edge.perception import Newest, Perception, View
from edge.redact import RedactedPicture, Withheld
from edge.redactor import PERSON, Redactor
from edge.scene import Scene, TaughtPlace
from edge.settings import SHADOW_GROUP, Camera
from edge.source.frame import Frame
from edge.tamper import Tamper
from edge.track import FOLLOWED, Track
from edge.watching import Counting, Episode, Watch, counting, watch_of
from edge.zones import anchors, inside
from linli.clock import Clock
from linli.events import Track as TrackData
from linli.hours import is_open
from linli.ids import uuid7

TRIAL_EVERY = 600.0
"""Seconds of media between two pictures of one scenario in shadow: it may be a bad one."""


@dataclass(slots=True)
class PipelineCounts(LookCounts):
    """What a pipeline has seen beside its looks: boxes believed, objects followed.

    `shadows` are the events that scenarios in shadow would have begun.
    """

    detections: int = 0
    tracks: int = 0
    shadows: int = 0


class CameraPipeline:
    """Turns the frames of one camera into facts; raises InputError for a label no class has.

    `people` is how many were surely in the newest frame, `found` all that was seen in it.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        clock: Clock,
        taught: Iterable[TaughtPlace] = (),
        zone: tzinfo = UTC,
        *,
        newest: Newest | None = None,
        act: Callable[[Act], None] | None = None,
        onlooker: Onlooker | None = None,
    ) -> None:
        """`taught` are places whose states were taught, `zone` is that of the clock on the wall.

        `newest` waits for the detector, and returns the frame to look at instead of an older one.
        `act` is told what to act on as soon as it is known, else that is among what comes of a
        frame: making a picture takes a while, and no door waits for it. `onlooker` is shown each
        frame that it waits for, when everything else is done.
        """
        self.counts = PipelineCounts()
        self.people = 0
        self.found = Detections.nothing(detector.names)
        self._detector = detector
        self._clock = clock
        self._zone = zone
        self._act = act
        self._onlooker = onlooker
        self._watches: list[Watch] = []
        self._lines: list[Counting] = []
        self._person = chosen(detector.names, [PERSON])
        self._aims = aims_of(detector, (), ())
        self._perception = Perception(detector, clock, self.counts, newest=newest)
        self._nearby: Floats = np.empty((0, 4), np.float32)
        self._before = self._nearby
        self._looked = True
        self._time = datetime.fromtimestamp(0, UTC)
        self._scene = Scene()
        self._tamper: Tamper | None = None
        self.change(camera, taught)

    def change(self, camera: Camera, taught: Iterable[TaughtPlace] = ()) -> list[Fact]:
        """Watch by other settings of the same camera; return the ends of what is watched no more.

        What keeps its name and zone goes on. Raises InputError, and then nothing has changed.
        """
        detector, now = self._detector, self._clock.now()
        watches = [watch_of(camera, rule, detector) for rule in camera.watched]
        kept = {one.counter.line: one.counter for one in self._lines}
        lines = [
            counting(camera, kept.get(line) or LineCounter(line, self._zone), detector)
            for line in camera.line
        ]
        facts: list[Fact] = self._scene.change(taught, now)
        for old in self._watches:
            heir = next((one for one in watches if one.continues(old)), None)
            if heir is not None:
                heir.go_on(old)
            else:
                facts += self._finished([old])
        gone = [one.counter for one in self._lines if one.counter.line not in camera.line]
        facts += [counter.report(0.0, now) for counter in gone]
        if self._tamper is not None and not camera.watched_over:
            facts += self._tamper.finish(now)
        self._tamper = (self._tamper or Tamper()) if camera.watched_over else None
        self._watches, self._lines = watches, lines
        self._redactor = Redactor(detector, self._clock, within=camera.redact_within)
        labels = [label for rule in camera.watched for label in rule.labels]
        labels += [label for line in camera.line for label in line.labels]
        needs = [one.needs for one in watches] + [one.needs for one in lines]
        self._aims = aims_of(detector, labels, needs)
        self._perception.change(camera, self._aims)
        return facts

    def process(self, frame: Frame) -> list[Fact]:
        """Look at one frame and return what began or ended with it, and states to report."""
        view = self._perception.see(frame, deciding=self._deciding())
        frame, self.found, self._time = view.frame, view.found, view.frame.time
        self._looked = view.looked
        if view.looked:
            self._notice(view)
        facts = self._scene.see(frame, self._people_in_front(view.found))
        facts += self._tamper.see(frame) if self._tamper is not None else []
        facts += self._count(frame)
        for watching in self._watches:
            facts += self._judge(watching, view)
        facts = [fact for fact in facts if not self._acted(fact)]
        if any(_shown(fact) for fact in facts):
            picture = self.picture(frame)
            facts = [_pictured(fact, picture) for fact in facts]
        if self._onlooker is not None and self._onlooker.waits():
            self._onlooker.see(self._glance(frame))
        return facts

    def _acted(self, fact: Fact) -> bool:
        if self._act is None or not isinstance(fact, DoorFact | PromptFact):
            return False
        self._act(fact)
        return True

    def looks(self) -> list[Look]:
        """Return what each scenario made of the newest frame."""
        visible, local = self._perception.tracks.visible(), self._time.astimezone(self._zone)
        return [
            Look(
                one.scenario,
                one.zone,
                one.terms,
                one.needs,
                is_open(one.scenario.during, local),
                tuple(track for track in visible if track.kind in one.needs),
                one.state,
                one.called,
            )
            for one in self._watches
        ]

    def idle(self, seconds: float) -> list[Fact]:
        """Return what came of no frame for so long: ends of what nobody can vouch for any more."""
        facts = self._finished(
            watching for watching in self._watches if seconds > watching.terms.patience
        )
        missed = self._tamper.miss(seconds, self._clock.now()) if self._tamper is not None else []
        return facts + missed

    def finish(self) -> list[Fact]:
        """End what is still going on, because no frame will come any more."""
        now = self._clock.now()
        counted: list[Fact] = [line.counter.report(0.0, now) for line in self._lines]
        facts = self._finished(self._watches) + self._scene.finish(now) + counted
        return facts + (self._tamper.finish(now) if self._tamper is not None else [])

    def _finished(self, watches: Iterable[Watch]) -> list[Fact]:
        facts: list[Fact] = []
        for watching in watches:
            watching.state, changes = finish(watching.state)
            if watching.scenario.shadow:
                continue
            now = self._clock.now()
            facts.extend(self._ended(watching, change.session, now) for change in changes)
        return facts

    def _people_in_front(self, found: Detections) -> Floats | None:
        """Return who is surely there, None when the model knows no people."""
        if PERSON not in self._detector.names:
            return None
        return found.boxes[self._aims.sure(found) & self._person[found.classes]]

    def _deciding(self) -> bool:
        return any(undecided(watching.state, watching.terms) for watching in self._watches)

    def _judge(self, watching: Watch, view: View) -> list[Fact]:
        """Return what a frame begins or ends of one scenario."""
        frame, before = view.frame, watching.state
        watching.listen(view.found if view.looked else None, frame.media)
        if view.looked:
            seen = self._seen(watching, frame.time)
            watching.state, changes = watch(before, seen, frame.media, watching.terms)
        else:
            watching.state, changes = hold(before, frame.media, watching.terms)
        facts = _acts(watching)
        for change in changes:
            if watching.scenario.shadow:
                facts += self._shadowed(watching, change, frame)
            elif change.phase == "begin":
                facts.append(self._began(watching, change.session, frame))
            else:
                facts.append(self._ended(watching, change.session, frame.captured))
        return facts

    def _notice(self, view: View) -> None:
        found, sure = view.found, self._aims.sure(view.found)
        self.people = int((sure & self._person[found.classes]).sum())
        self.counts.detections += int((sure & self._aims.about(found)).sum())
        visible = view.tracks.visible()
        self.counts.tracks += sum(track.frames == FOLLOWED for track in visible)
        self._before, self._nearby = self._nearby, found.boxes[self._person[found.classes]]

    def _count(self, frame: Frame) -> list[Fact]:
        visible = self._perception.tracks.visible()
        facts: list[Fact] = []
        for line in self._lines:
            mine = [track for track in visible if track.score >= line.needs.get(track.kind, np.inf)]
            points = anchors(_boxes(mine), line.counter.line.anchor)
            people = [
                (track.id, (float(x), float(y))) for track, (x, y) in zip(mine, points, strict=True)
            ]
            report = line.counter.see(people, frame.media, frame.time)
            facts += [report] if report is not None else []
        return facts

    def _seen(self, watching: Watch, now: datetime) -> Seen:
        rule = watching.scenario
        visible = self._perception.tracks.visible()
        numbers = frozenset(track.id for track in visible)
        if not is_open(rule.during, now.astimezone(self._zone)):
            return Seen((), numbers)
        right = [track for track in visible if track.kind in watching.needs]
        within = inside(watching.zone, _boxes(right))
        sights = tuple(
            watching.sight(track) for track, here in zip(right, within, strict=True) if here
        )
        return Seen(together(sights, rule.at_least), numbers)

    def _shadowed(self, watching: Watch, change: Change, frame: Frame) -> list[Fact]:
        if change.phase == "end":
            return []
        self.counts.shadows += 1
        rule = watching.scenario
        counted = CountFact(SHADOW_GROUP, {rule.event: 1}, frame.time)
        if watching.pictured is not None and frame.media - watching.pictured < TRIAL_EVERY:
            return [counted]
        watching.pictured = frame.media
        return [counted, TrialFact(rule.event, rule.zone, frame.time)]

    def _began(self, watching: Watch, session: Session, frame: Frame) -> EpisodeFact:
        tracks = {track.id: track for track in self._perception.tracks.tracks}
        track = tracks.get(session.track) if watching.scenario.at_least == 1 else None
        episode = Episode(
            id=uuid7(frame.time),
            since=frame.time - timedelta(seconds=session.span),
            label=watching.scenario.labels[0]
            if track is None
            else self._detector.names[track.kind],
        )
        watching.episodes[session.number] = episode
        data = (
            None
            if track is None
            else TrackData(
                id=track.id,
                first=frame.time - timedelta(seconds=max(frame.media - track.first, 0.0)),
                frames=track.frames,
                bbox=track.box,
            )
        )
        return self._fact("begin", watching, session, episode, captured=frame.captured, track=data)

    def _ended(self, watching: Watch, session: Session, captured: datetime) -> EpisodeFact:
        episode = watching.episodes.pop(session.number)
        return self._fact("end", watching, session, episode, captured=captured, track=None)

    def _fact(
        self,
        phase: Literal["begin", "end"],
        watching: Watch,
        session: Session,
        episode: Episode,
        *,
        captured: datetime,
        track: TrackData | None,
    ) -> EpisodeFact:
        # Times follow from `since` by measured seconds: a corrected clock cannot turn them over.
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
            model=self._detector.model,
        )

    def picture(self, frame: Frame) -> RedactedPicture | Withheld:
        """Return the newest frame without heads, or why it has to be withheld."""
        known = self._glance(frame)
        return self._redactor.redact(
            frame.image, known.people, finer=frame.finer, whole=known.whole
        )

    def _glance(self, frame: Frame) -> Glance:
        # Someone missed in just this frame was seen in the last one, nearly at the same place.
        # Where none was looked at, a head that moved by too little to be noticed is blurred too.
        return Glance(
            image=frame.image,
            time=frame.time,
            captured=frame.captured,
            people=np.concatenate((self._nearby, self._before)),
            whole=not self._looked,
            seen=self.found.where(self._aims.sure(self.found)),
        )


def _acts(watching: Watch) -> list[Fact]:
    """Return what a scenario's door and speaker are told of this frame."""
    rule = watching.scenario
    certain = watching.state.in_sight()
    if rule.shadow or certain is None:
        return []
    facts: list[Fact] = [DoorFact(rule.door, certain)] if rule.door is not None else []
    if certain and rule.speaker is not None and rule.say is not None:
        facts.append(PromptFact(rule.speaker, rule.say))
    return facts


def _boxes(tracks: list[Track]) -> Floats:
    return np.array([track.box for track in tracks], np.float64).reshape(-1, 4)


def _shown(fact: Fact) -> bool:
    """Tell whether a picture goes with it."""
    return isinstance(fact, TrialFact) or (isinstance(fact, EpisodeFact) and fact.phase == "begin")


def _pictured(fact: Fact, picture: RedactedPicture | Withheld) -> Fact:
    if isinstance(fact, EpisodeFact | TrialFact) and _shown(fact):
        return replace(fact, picture=picture)
    return fact
