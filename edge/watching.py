"""What a pipeline watches: scenarios and lines at work, made from the settings.

No I/O and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from edge.counting import LineCounter
from edge.detect.detector import Detector
from edge.episode import Sessions, Terms
from edge.geometry import Floats
from edge.settings import Camera, Scenario, Zone
from linli.errors import InputError


@dataclass(frozen=True, slots=True)
class Episode:
    """A confirmed happening: `since` is its beginning."""

    id: str
    since: datetime
    label: str


@dataclass(slots=True)
class Watch:
    """One scenario at work; `episodes` are the confirmed ones by session number.

    `needs` are the class numbers it is about, each with the score from which it counts.
    """

    scenario: Scenario
    zone: Zone
    terms: Terms
    needs: Mapping[int, float]
    state: Sessions = field(default_factory=Sessions)
    episodes: dict[int, Episode] = field(default_factory=dict)

    def continues(self, other: Watch) -> bool:
        """Tell whether what began under other settings may end under these."""
        mine, old = self.scenario, other.scenario
        same = (mine.event, mine.shadow, mine.at_least) == (old.event, old.shadow, old.at_least)
        return same and self.zone.id == other.zone.id

    def go_on(self, other: Watch) -> None:
        """Take over what began under other settings."""
        self.state, self.episodes = other.state, other.episodes


@dataclass(frozen=True, slots=True)
class Counting:
    """A line at work; `needs` are the class numbers it counts, each from which score."""

    counter: LineCounter
    needs: Mapping[int, float]


def needed(detector: Detector, needs: list[Mapping[int, float]]) -> Floats:
    """Return the score from which each class counts [classes]: what least somebody asks."""
    least = detector.thresholds.copy()
    for kind in {kind for one in needs for kind in one}:
        least[kind] = min(one[kind] for one in needs if kind in one)
    return least


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
        needs=_needs(
            f"camera {camera.id}, scenario {rule.event}", rule.labels, detector, rule.score
        ),
    )


def counting(camera: Camera, counter: LineCounter, detector: Detector) -> Counting:
    """Return a line ready to count. Raises InputError for a label that no class has."""
    line = counter.line
    return Counting(counter, _needs(f"camera {camera.id}, line {line.id}", line.labels, detector))


def _needs(
    where: str, labels: tuple[str, ...], detector: Detector, score: float | None = None
) -> dict[int, float]:
    """Return the class numbers of labels, each with its least score. Raises InputError."""
    names = detector.names
    unknown = [label for label in labels if label not in names]
    if unknown:
        raise InputError(
            f"the model knows no {', '.join(unknown)}",
            where=where,
            hint=f"It knows: {', '.join(names)}",
        )
    return {
        kind: float(detector.thresholds[kind]) if score is None else score
        for kind in map(names.index, labels)
    }
