"""What one scenario made of the newest frame, and what it still lacks to begin: for people to see.

Pure, and no part of deciding: what is shown is read from the very sessions that decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge.called import BELIEVED, Called
from edge.episode import Session, Sessions, Terms, surely
from edge.settings import Scenario, Zone
from edge.track import Track
from edge.zones import inside

Rule = Literal["hours", "zone", "score", "rival", "at_least", "votes", "dwell", "cooldown"]


@dataclass(frozen=True, slots=True)
class Lack:
    """One rule that is not met: what there is, and what it needs.

    `dwell` and `cooldown` in seconds, `score` in 0..1; `rival` in 0..1 is how much of what it was
    called so far is looked for. A rule without numbers has None.
    """

    rule: Rule
    value: float | None = None
    needs: float | None = None

    def __str__(self) -> str:
        """Return it as people read it, such as `dwell 3.2 of 5`."""
        if self.value is None or self.needs is None:
            return {"hours": "outside its hours", "zone": "not in the zone"}.get(
                self.rule, self.rule
            )
        return f"{self.rule} {round(self.value, 2):g} of {round(self.needs, 2):g}"


@dataclass(frozen=True, slots=True)
class Look:
    """One scenario at the newest frame.

    `right` are the followed objects of its kinds in the picture, inside the zone or not; `needs` is
    the score from which each class number counts. `open` tells whether its hours are.
    """

    scenario: Scenario
    zone: Zone
    terms: Terms
    needs: Mapping[int, float]
    open: bool
    right: tuple[Track, ...]
    state: Sessions
    called: Called

    @property
    def within(self) -> tuple[Track, ...]:
        """Return those of `right` that are in the zone."""
        boxes = np.array([track.box for track in self.right], np.float64).reshape(-1, 4)
        here = inside(self.zone, boxes)
        return tuple(track for track, there in zip(self.right, here, strict=True) if there)

    def lacking(self) -> tuple[Lack, ...]:
        """Return what no object here meets yet, before any session is thought of; () when met."""
        if not self.right:
            return ()
        if not self.open:
            return (Lack("hours"),)
        within = self.within
        if not within:
            return (Lack("zone"),)
        least = self.scenario.at_least
        sure = [track for track in within if track.score >= self.needs[track.kind]]
        if len(sure) >= least:
            return ()
        if len(within) >= least:
            best = max(within, key=lambda track: track.score - self.needs[track.kind])
            return (Lack("score", best.score, self.needs[best.kind]),)
        return (Lack("at_least", len(within), least),)

    def doubt(self) -> Lack | None:
        """Return what a suspicion in sight lacks for a door to be held for it."""
        if self.state.in_sight() is not None:
            return None
        doubted = [self.called.share(one.box, self.needs) for one in self.state.sure_now()]
        return Lack("rival", max(doubted), BELIEVED) if doubted else None

    def lacks_of(self, session: Session) -> tuple[Lack, ...]:
        """Return what one session of this scenario lacks to begin; () when it has begun."""
        if session.phase == "cooldown":
            left = session.ended + self.terms.cooldown - self.state.now
            return (Lack("cooldown", max(self.terms.cooldown - left, 0.0), self.terms.cooldown),)
        if session.phase == "confirmed":
            return ()
        lacks = []
        if (votes := surely(session)) < self.terms.votes:
            lacks.append(Lack("votes", votes, self.terms.votes))
        if session.dwell < self.terms.dwell:
            lacks.append(Lack("dwell", session.dwell, self.terms.dwell))
        return tuple(lacks)
