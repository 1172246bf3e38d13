"""What a pipeline watches: scenarios and lines at work, made from the settings.

No I/O and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from edge.aims import needs_of
from edge.counting import LineCounter
from edge.detect.detector import Detector
from edge.episode import Sessions, Terms
from edge.settings import Camera, Scenario, Zone


@dataclass(frozen=True, slots=True)
class Episode:
    """A confirmed happening: `since` is its beginning."""

    id: str
    since: datetime
    label: str


@dataclass(slots=True)
class Watch:
    """One scenario at work; `episodes` are the confirmed ones by session number.

    `needs` are the class numbers it is about, each with the score from which it counts. `pictured`
    is when it was last pictured in shadow, in the frames' seconds.
    """

    scenario: Scenario
    zone: Zone
    terms: Terms
    needs: Mapping[int, float]
    state: Sessions = field(default_factory=Sessions)
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
        self.pictured = other.pictured


@dataclass(frozen=True, slots=True)
class Counting:
    """A line at work; `needs` are the class numbers it counts, each from which score."""

    counter: LineCounter
    needs: Mapping[int, float]


def watch_of(camera: Camera, rule: Scenario, detector: Detector) -> Watch:
    """Return a scenario ready to watch. Raises InputError for a label that no class has."""
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
        needs=needs_of(
            f"camera {camera.id}, scenario {rule.event}", rule.labels, detector, rule.score
        ),
    )


def counting(camera: Camera, counter: LineCounter, detector: Detector) -> Counting:
    """Return a line ready to count. Raises InputError for a label that no class has."""
    line = counter.line
    return Counting(counter, needs_of(f"camera {camera.id}, line {line.id}", line.labels, detector))
