"""The taught places of one camera: states reported, and an episode while one is to alarm.

No I/O and no threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from edge.facts import EpisodeFact, Fact, StateFact
from edge.geometry import Floats
from edge.settings import Scenario, State
from edge.source.frame import Frame
from edge.states.judge import Judge
from edge.states.lesson import Lesson
from edge.states.watch import Change, StateWatch
from linli.errors import InputError
from linli.events import ModelRef
from linli.ids import uuid7

_VERSION_DAYS = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class TaughtPlace:
    """A place of the settings with what was taught of it; `sha256` is that of the file."""

    setting: State
    lesson: Lesson
    sha256: str


@dataclass(frozen=True, slots=True)
class _Open:
    """An episode: `since` is its beginning, `began` the same in the frames' seconds."""

    id: str
    label: str
    since: datetime
    began: float
    confidence: float


class _Place:
    def __init__(self, taught: TaughtPlace) -> None:
        setting, lesson = taught.setting, taught.lesson
        self.taught = taught
        unknown = set(setting.alarm) - set(lesson.shown)
        if unknown:
            raise InputError(
                f"alarm names {min(unknown)!r}, which was not taught",
                where=f"state {setting.id}",
                hint=f"It knows: {', '.join(lesson.shown)}",
            )
        judge = Judge(lesson, setting.crop)
        self.setting = setting
        self.watch = StateWatch(judge, every=setting.every, dwell=setting.dwell)
        self.open: _Open | None = None
        self.seen = 0.0
        self.model = ModelRef(
            name=setting.id, version=lesson.made.strftime(_VERSION_DAYS), sha256=taught.sha256
        )

    def changed(self, change: Change, frame: Frame) -> EpisodeFact | None:
        """Return what a new state begins or ends; going from one alarm to another is neither."""
        alarm = change.state in self.setting.alarm
        if alarm == (self.open is not None):
            return None
        if not alarm:
            return self.ended(change.since, frame.captured)
        self.open = _Open(
            id=uuid7(frame.time),
            label=change.state,
            since=frame.time - timedelta(seconds=frame.media - change.since),
            began=change.since,
            confidence=change.confidence,
        )
        return self._fact("begin", self.open, frame.media, frame.captured)

    def ended(self, at: float, captured: datetime) -> EpisodeFact | None:
        """End what is open at a time in the frames' seconds."""
        ending, self.open = self.open, None
        return self._fact("end", ending, at, captured) if ending is not None else None

    def _fact(
        self, phase: Literal["begin", "end"], episode: _Open, at: float, captured: datetime
    ) -> EpisodeFact:
        setting = self.setting
        assert setting.event is not None  # the settings demand it beside `alarm`
        lasted = max(at - episode.began, 0.0)
        return EpisodeFact(
            phase=phase,
            episode=episode.id,
            scenario=Scenario(
                event=setting.event,
                labels=setting.alarm,
                zone=setting.id,
                severity=setting.severity,
            ),
            zone=setting.id,
            label=episode.label,
            since=episode.since,
            time=episode.since + timedelta(seconds=lasted),
            captured=captured,
            confidence=episode.confidence,
            dwell=lasted,
            track=None,
            model=self.model,
        )


class Scene:
    """All taught places of one camera. Raises InputError for an alarm that was not taught."""

    def __init__(self, taught: Iterable[TaughtPlace] = ()) -> None:
        self._places = [_Place(one) for one in taught]

    def change(self, taught: Iterable[TaughtPlace], captured: datetime) -> list[Fact]:
        """Watch other places; return the ends of what is watched no more.

        A place that is taught and set as before goes on. Raises InputError, and then nothing has
        changed.
        """
        places = [self._goes_on(one) or _Place(one) for one in taught]
        gone = [place for place in self._places if place not in places]
        ended = [place.ended(place.seen, captured) for place in gone]
        self._places = places
        return [fact for fact in ended if fact is not None]

    def _goes_on(self, taught: TaughtPlace) -> _Place | None:
        """Return the place that is watched by just this; what was taught cannot be hashed."""
        same = taught.setting, taught.sha256
        known = (one for one in self._places if (one.taught.setting, one.taught.sha256) == same)
        return next(known, None)

    def see(self, frame: Frame, people: Floats | None) -> list[Fact]:
        """Take a frame; `people` are boxes [n, 4] in 0..1, None when nobody looked for them."""
        facts: list[Fact] = []
        for place in self._places:
            place.seen = frame.media
            watched = place.watch.see(frame.image, people, frame.media)
            if watched.change is not None:
                fact = place.changed(watched.change, frame)
                facts += [fact] if fact is not None else []
            if watched.report is not None:
                facts.append(StateFact(place.setting.id, watched.report, frame.time))
        return facts

    def finish(self, captured: datetime) -> list[Fact]:
        """End what is open, because no frame will come any more."""
        ended = [place.ended(place.seen, captured) for place in self._places]
        return [fact for fact in ended if fact is not None]
