"""One taught place of one camera over time: looks at it now and then, says when its state changed.

No I/O and no clock: frames' times come in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from edge.geometry import Floats
from edge.states.features import Image
from edge.states.flicker import FEWEST, Flicker, Light, flicker
from edge.states.judge import Answer, Judge
from edge.states.lesson import FILL_LEVELS, FLICKERING, Lesson
from edge.states.votes import Rules, Standing, vote

REPORT_EVERY = 300.0
"""Seconds between reports of a state that stays, each at a look that shows it. When none did for
twice as long, it is reported that nobody can see the place."""

_LOOKS_REMEMBERED = 10  # a vote counts for as long as this many looks take
_MOST_LIGHTS = 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a place: its published state among all that it can have.

    `state` is None when no look showed it lately. `level` is 0..1 where the states say how full it
    is, else None. `known` is the share of looks since the last report that showed anything. `rate`
    is a flickering lamp's in hertz.
    """

    state: str | None
    states: tuple[str, ...]
    level: float | None
    known: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """Another state was published; `since` is its first vote's time in the frames' seconds."""

    state: str
    before: str | None
    since: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of one look; both None of most."""

    change: Change | None = None
    report: Report | None = None


class StateWatch:
    """Belongs to one camera's thread; `every` and `dwell` are seconds."""

    def __init__(self, judge: Judge, *, every: float, dwell: float) -> None:
        self.standing = Standing()
        self.answer: Answer | None = None
        self._judge = judge
        self._every = every
        self._rules = Rules(within=every * _LOOKS_REMEMBERED, dwell=dwell)
        self._lights: deque[Light] = deque(maxlen=_MOST_LIGHTS)
        self._due: float | None = None
        self._reported: float | None = None
        self._looks = self._known = 0
        self._flicker: Flicker | None = None

    @property
    def lesson(self) -> Lesson:
        """What was taught."""
        return self._judge.lesson

    def see(self, image: Image, people: Floats | None, now: float) -> Watched:
        """Take a frame at `now` (seconds that never go back); most are not looked at.

        `people` are boxes [n, 4] in 0..1, None when nobody looked for them.
        """
        self._note_light(image, people, now)
        if self._due is not None and now < self._due:
            return Watched()
        self._due = now + self._every
        self.answer = answer = self._look(image, people, now)
        before = self.standing.published
        self.standing = vote(self.standing, answer, now, self._rules)
        published = self.standing.published
        self._looks += 1
        self._known += answer.state is not None
        if published is not None and published != before:
            change = Change(
                state=published.state,
                before=before.state if before else None,
                since=published.since,
                confidence=answer.confidence,
            )
            return Watched(change, self._report(published.state, now))
        return Watched(report=self._report_of_what_stays(now))

    def _note_light(self, image: Image, people: Floats | None, now: float) -> None:
        """Flicker is in what happens between the looks, so a lamp's light is noted each frame."""
        if not self.lesson.is_lamp or self._judge.covered(people):
            return
        lit = self._judge.lit(image)
        if lit is not None:
            self._lights.append(Light(now, lit))

    def _look(self, image: Image, people: Floats | None, now: float) -> Answer:
        answer = self._judge.answer(image, people)
        self._flicker = flicker(self._lights, now) if self.lesson.is_lamp else None
        if self._flicker is None:
            return answer
        sure = min(self._flicker.switches / (2 * FEWEST) + 0.5, 1.0)
        return replace(
            answer, state=FLICKERING, nearest=FLICKERING, confidence=sure, strange=0.0, why=None
        )

    def _report_of_what_stays(self, now: float) -> Report | None:
        if self._reported is None:
            self._reported = now
        published, answer = self.standing.published, self.answer
        silent = now - self._reported
        if published and answer and answer.state == published.state and silent >= REPORT_EVERY:
            return self._report(published.state, now)
        return self._report(None, now) if silent >= 2 * REPORT_EVERY else None

    def _report(self, state: str | None, now: float) -> Report:
        report = Report(
            state=state,
            states=self.lesson.shown,
            level=FILL_LEVELS[state] if state and self.lesson.is_fill else None,
            known=self._known / self._looks,
            rate=self._flicker.rate if self._flicker and state == FLICKERING else None,
        )
        self._reported = now
        self._looks = self._known = 0
        return report
