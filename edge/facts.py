"""What a camera's pictures come to: phases of happenings, and states of taught places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from edge.redact import RedactedPicture, Withheld
from edge.settings import Scenario
from edge.states.watch import Report
from linli.events import ModelRef
from linli.events import Track as TrackData
from linli.speaker_config import Prompt

CORRECTION = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EpisodeFact:
    """One phase of one happening, for the world.

    `time` is the event time of this phase, `since` of the episode's beginning, `captured` the wall
    time of the frame that decided. `dwell` is seconds in the zone so far. `picture` is there on
    `begin` only, or why it had to be withheld; None when no frame came. `model` is None when none
    saw it.
    """

    phase: Literal["begin", "end"]
    episode: str
    scenario: Scenario
    zone: str
    label: str
    since: datetime
    time: datetime
    captured: datetime
    confidence: float
    dwell: float
    track: TrackData | None
    picture: RedactedPicture | Withheld | None = None
    model: ModelRef | None = None

    def on_set_clock(self) -> EpisodeFact:
        """Return it in the time of its last frame, when the clock was set by more than a day since.

        Times are counted on from the beginning, which a small correction must not turn over. A box
        without a battery begins in 1970 though, and says once its clock is set that it is right.
        """
        drift = self.captured - self.time
        if abs(drift) <= CORRECTION:
            return self
        return replace(self, since=self.since + drift, time=self.captured)


@dataclass(frozen=True, slots=True)
class StateFact:
    """What is known of a taught place at `time`; `place` is its id in the settings."""

    place: str
    report: Report
    time: datetime


@dataclass(frozen=True, slots=True)
class CountFact:
    """Counts at `time`, each with its name; `group` is the line's id, or that of the shadows."""

    group: str
    counts: Mapping[str, int]
    time: datetime


@dataclass(frozen=True, slots=True)
class TrialFact:
    """A picture of what a scenario in shadow would have begun, or why it had to be withheld."""

    event: str
    zone: str
    time: datetime
    picture: RedactedPicture | Withheld | None = None


@dataclass(frozen=True, slots=True)
class DoorFact:
    """What a door is held for is in the picture; `certain` once its scenario has confirmed it."""

    door: str
    certain: bool


@dataclass(frozen=True, slots=True)
class PromptFact:
    """What a sentence is said to is in the picture, confirmed."""

    speaker: str
    prompt: Prompt


Act = DoorFact | PromptFact
Fact = EpisodeFact | StateFact | CountFact | TrialFact | Act
