"""The camera itself as a happening: its picture is black, covered, frozen or of another place.

No I/O and no clock: frames' times come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from edge.eye import Condition, Eye, Patience, look, thumbnail
from edge.facts import EpisodeFact, Fact
from edge.settings import Scenario
from edge.source.frame import Frame
from linli.ids import uuid7

EVENT, PICTURE = "camera-tampered", "picture"
CONDITIONS = ("black", "covered", "frozen", "moved")
_RULE = Scenario(event=EVENT, labels=CONDITIONS, zone=PICTURE, severity="medium")


@dataclass(frozen=True, slots=True)
class _Open:
    """An episode: `since` is its beginning, `began` the same in the frames' seconds."""

    id: str
    label: Condition
    since: datetime
    began: float


class Tamper:
    """Belongs to one camera's thread; one episode for each condition, the next ends the last."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._eye = Eye()
        self._open: _Open | None = None

    def see(self, frame: Frame) -> list[Fact]:
        """Take a frame; return what begins or ends with it."""
        before = self._eye.condition
        self._eye = look(self._eye, thumbnail(frame.image), frame.media, self._patience)
        now = self._eye.condition
        if now == before:
            return []
        ended = self._end(self._eye.since, frame.captured)
        return [*ended, *self._begin(now, frame)]

    def finish(self, captured: datetime) -> list[Fact]:
        """End what is open, because no frame will come any more."""
        return self._end(self._eye.now, captured)

    def _begin(self, condition: Condition, frame: Frame) -> list[Fact]:
        if condition == "good":
            return []
        began = self._eye.since
        since = frame.time - timedelta(seconds=frame.media - began)
        self._open = _Open(uuid7(frame.time), condition, since, began)
        return [_fact("begin", self._open, frame.media, frame.captured)]

    def _end(self, at: float, captured: datetime) -> list[Fact]:
        ending, self._open = self._open, None
        return [_fact("end", ending, at, captured)] if ending is not None else []


def _fact(
    phase: Literal["begin", "end"], episode: _Open, at: float, captured: datetime
) -> EpisodeFact:
    lasted = max(at - episode.began, 0.0)
    return EpisodeFact(
        phase=phase,
        episode=episode.id,
        scenario=_RULE,
        zone=PICTURE,
        label=episode.label,
        since=episode.since,
        time=episode.since + timedelta(seconds=lasted),
        captured=captured,
        confidence=1.0,
        dwell=lasted,
        track=None,
    )
