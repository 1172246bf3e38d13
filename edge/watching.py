"""What a pipeline watches: scenarios and lines at work, made from the settings.

No I/O and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from edge.aims import needs_of
from edge.called import BELIEVED, Called, call, rest
from edge.counting import LineCounter
from edge.detect.detections import Detections
from edge.detect.detector import Detector
from edge.episode import Sessions, Sight, Terms
from edge.geometry import Ints
from edge.settings import Camera, Scenario, Zone
from edge.track import Track


@dataclass(frozen=True, slots=True)
class Episode:
    """A confirmed happening: `since` is its beginning."""

    id: str
    since: datetime
    label: str


@dataclass(slots=True)
class Watch:
    """One scenario at work; `episodes` are the confirmed ones by session number.

    `needs` are the class numbers it is about, each with the score from which it counts; `rivals`
    are these and those that cannot be in the same place, none where it doubts nothing. `pictured`
    is when it was last pictured in shadow, in the frames' seconds.
    """

    scenario: Scenario
    zone: Zone
    terms: Terms
    needs: Mapping[int, float]
    rivals: Ints
    state: Sessions = field(default_factory=Sessions)
    called: Called = field(default_factory=Called)
    episodes: dict[int, Episode] = field(default_factory=dict)
    pictured: float | None = None

    def continues(self, other: Watch) -> bool:
        """Tell whether what began under other settings may end under these."""
        mine, old = self.scenario, other.scenario
        same = (mine.event, mine.shadow, mine.at_least) == (old.event, old.shadow, old.at_least)
        return same and self.zone.id == other.zone.id

    def go_on(self, other: Watch) -> None:
        """Take over what began under other settings."""
        self.state, self.episodes = other.state, other.episodes
        self.pictured, self.called = other.pictured, other.called

    def sight(self, track: Track) -> Sight:
        """Return what a followed object of its kinds in the newest frame is to it."""
        sure = track.score >= self.needs[track.kind]
        share = self.called.share(track.box, self.needs)
        return Sight(track.id, track.box, track.score, sure, doubted=share < BELIEVED)

    def listen(self, found: Detections | None, now: float) -> None:
        """Take what things are called in a frame at `now`, None when nobody looked at it."""
        if not len(self.rivals):
            return
        memory = self.scenario.doubt
        if found is None:
            self.called = rest(self.called, now, memory)
        else:
            self.called = call(self.called, found, self.rivals, now, memory)


@dataclass(frozen=True, slots=True)
class Counting:
    """A line at work; `needs` are the class numbers it counts, each from which score."""

    counter: LineCounter
    needs: Mapping[int, float]


def watch_of(camera: Camera, rule: Scenario, detector: Detector) -> Watch:
    """Return a scenario ready to watch. Raises InputError for a label that no class has."""
    needs = needs_of(
        f"camera {camera.id}, scenario {rule.event}", rule.labels, detector, rule.score
    )
    return Watch(
        scenario=rule,
        zone=camera.zone_of(rule),
        terms=Terms(
            votes=rule.votes,
            of=rule.of,
            dwell=rule.dwell,
            gone_after=rule.gone_after,
            cooldown=rule.cooldown,
        ),
        needs=needs,
        rivals=_rivals(detector.kinds, list(needs) if rule.doubt else []),
    )


def _rivals(kinds: Ints, mine: list[int]) -> Ints:
    """Return the class numbers that cannot be where `mine` are, and `mine`; none without others."""
    rivals = np.flatnonzero(np.isin(kinds, kinds[mine]))
    return rivals if len(rivals) > len(mine) else rivals[:0]


def counting(camera: Camera, counter: LineCounter, detector: Detector) -> Counting:
    """Return a line ready to count. Raises InputError for a label that no class has."""
    line = counter.line
    return Counting(counter, needs_of(f"camera {camera.id}, line {line.id}", line.labels, detector))
