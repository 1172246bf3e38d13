"""The camera itself as a happening: it is away, or black, covered, frozen or of another place.

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
CONDITIONS = ("away", "black", "covered", "frozen", "moved")
_EVERY = 1.0  # seconds between looks: what must last for ten is not missed, and a look is dear
_RULE = Scenario(event=EVENT, labels=CONDITIONS, zone=PICTURE, severity="medium")
Shown = Condition | Literal["away"]


@dataclass(frozen=True, slots=True)
class _Open:
    """An episode: `since` is its beginning, `began` the same in the frames' seconds."""

    id: str
    label: Shown
    since: datetime
    began: float


class Tamper:
    """Belongs to one camera's thread; one episode for each condition, the next ends the last."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._eye = Eye()
        self._open: _Open | None = None
        self._due = 0.0  # when the next frame is looked at
        self._last = 0.0  # when the newest frame was
        self._known = 0.0  # the frames' seconds that are surely over
        self._back: float | None = None  # since when frames come again

    def see(self, frame: Frame) -> list[Fact]:
        """Take a frame; return what begins or ends with it, looked at once a second."""
        self._known = self._last = max(frame.media, self._last)
        if frame.media < self._due:
            return []
        self._due = frame.media + _EVERY
        self._eye = look(self._eye, thumbnail(frame.image), frame.media, self._patience)
        since = self._eye.since
        if self._shown == "away":
            self._back = self._known if self._back is None else self._back
            if self._known - self._back < self._patience.end:
                return []
            since = max(since, self._back)
        now = self._eye.condition
        if now == self._shown:
            return []
        ended = self._end(since if self._back is None else self._back, frame.captured)
        self._back = None
        began = frame.time - timedelta(seconds=frame.media - since)
        return ended if now == "good" else [*ended, self._begin(now, began, since, frame.captured)]

    def miss(self, seconds: float, now: datetime) -> list[Fact]:
        """Take that no frame has come for so long at `now`; return what begins or ends with it."""
        last, self._due, self._back = self._last, 0.0, None
        if self._shown != "away" and seconds < self._patience.away:
            return []
        self._known = last + seconds
        if self._shown == "away":
            return []
        return [
            *self._end(last, now),
            self._begin("away", now - timedelta(seconds=seconds), last, now),
        ]

    def finish(self, captured: datetime) -> list[Fact]:
        """End what is open, because no frame will come any more."""
        return self._end(self._known, captured)

    @property
    def _shown(self) -> Shown:
        return self._open.label if self._open is not None else "good"

    def _begin(self, what: Shown, since: datetime, began: float, captured: datetime) -> Fact:
        self._open = _Open(uuid7(captured), what, since, began)
        return _fact("begin", self._open, self._known, captured)

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
