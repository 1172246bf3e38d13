"""The life of each session in a recording, and why it began or did not; pure.

Times are seconds of the recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from edge.episode import Session
from edge.look import Lack, Look, Rule
from edge.settings import Scenario
from linli.counted import counted

Phase = Literal["none", "suspect", "confirmed", "cooldown"]
_TOLD = 20
_ORDER: tuple[Phase, ...] = ("none", "cooldown", "suspect", "confirmed")


@dataclass(slots=True)
class Course:
    """One session: `begun` and `ended` are None while it has not; `seen` is its last sight.

    `lacks` is what it lacked where it came nearest to beginning, at `nearest`.
    """

    number: int
    label: str
    first: float
    seen: float
    best: float
    begun: float | None = None
    ended: float | None = None
    lacks: tuple[Lack, ...] = ()
    nearest: float = 0.0
    _share: float = field(default=-1.0, repr=False)

    def note(self, session: Session, lacks: tuple[Lack, ...], now: float) -> None:
        """Take what a frame at `now` made of it."""
        self.seen, self.best = max(self.seen, session.seen), max(self.best, session.best)
        if session.phase == "confirmed" and self.begun is None:
            self.begun, self.lacks, self.nearest = now, (), now
        share = min((_met(lack) for lack in lacks), default=1.0)
        if self.begun is None and share > self._share:
            self._share, self.lacks, self.nearest = share, lacks, now


@dataclass(frozen=True, slots=True)
class Span:
    """What a scenario was at from `start` to `end`."""

    start: float
    end: float
    phase: Phase


@dataclass(slots=True)
class Story:
    """One scenario over a recording.

    `passed_over` counts the frames that had an object of its kinds and no session could come of
    them, by the rule that was in the way; `nearest` is the best of each. `doubted` counts the
    frames whose suspicion was one no door is held for.
    """

    scenario: Scenario
    courses: list[Course] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    frames: int = 0
    right: int = 0
    passed_over: Counter[Rule] = field(default_factory=Counter)
    nearest: dict[Rule, Lack] = field(default_factory=dict)
    doubted: int = 0
    _live: dict[int, Course] = field(default_factory=dict, repr=False)

    @property
    def begun(self) -> list[Course]:
        """Return the sessions that began."""
        return [course for course in self.courses if course.begun is not None]

    def see(self, look: Look, now: float, names: Sequence[str]) -> bool:
        """Take the scenario's look at a frame; tell whether a session opened, began or ended.

        `names` are the model's classes.
        """
        self.frames += 1
        self.right += bool(look.right)
        before = {number: course.begun for number, course in self._live.items()}
        self._sessions(look, now, names)
        self._pass_over(look)
        self._span(look, now)
        return before != {number: course.begun for number, course in self._live.items()}

    def finish(self, now: float) -> None:
        """End what is open, because the recording is over."""
        for course in self._live.values():
            course.ended = now if course.begun is not None else None
        self._live = {}

    def _sessions(self, look: Look, now: float, names: Sequence[str]) -> None:
        present = {one.number: one for one in look.state.sessions}
        for number, course in list(self._live.items()):
            if number not in present or present[number].phase == "cooldown":
                course.ended = now
                del self._live[number]
        labels = {track.id: names[track.kind] for track in look.right}
        for number, session in present.items():
            if session.phase == "cooldown":
                continue
            if number not in self._live:
                label = labels.get(session.track, self.scenario.labels[0])
                course = Course(number, label, session.first, session.seen, session.best)
                self._live[number] = course
                self.courses.append(course)
            self._live[number].note(session, look.lacks_of(session), now)

    def _pass_over(self, look: Look) -> None:
        for lack in look.lacking():
            self.passed_over[lack.rule] += 1
            self._come_near(lack)
        if (doubt := look.doubt()) is not None:
            self.doubted += 1
            self._come_near(doubt)

    def _come_near(self, lack: Lack) -> None:
        best = self.nearest.get(lack.rule)
        if best is None or _met(lack) > _met(best):
            self.nearest[lack.rule] = lack

    def _span(self, look: Look, now: float) -> None:
        phases: list[Phase] = [one.phase for one in look.state.sessions]
        phase: Phase = max(phases, key=_ORDER.index, default="none")
        last = self.spans[-1] if self.spans else None
        if last is not None:
            self.spans[-1] = Span(last.start, now, last.phase)
        if last is None or last.phase != phase:
            self.spans.append(Span(now, now, phase))


def why(story: Story) -> list[str]:
    """Return in words what became of each session, and of what never was one.

    Of those that did not begin it is the `_TOLD` that came nearest.
    """
    missed = sorted((one for one in story.courses if one.begun is None), key=_nearness)[::-1]
    left = {one.number for one in missed[_TOLD:]}
    said = [_course(story.scenario, one) for one in story.courses if one.number not in left]
    if left:
        said.append(f"{len(left)} more did not begin, none came nearer")
    for rule, frames in story.passed_over.most_common():
        best = story.nearest[rule]
        nearest = f", nearest {best}" if best.value is not None else ""
        what = "too few at once" if rule == "at_least" else _WORDS.get(rule, rule)
        said.append(f"not counted: {counted(frames, 'frame')} {what}{nearest}")
    if story.doubted:
        said.append(
            f"no suspicion for a door: {counted(story.doubted, 'frame')} called something else "
            f"so far, nearest {story.nearest['rival']}"
        )
    if not story.right:
        kinds = ", ".join(story.scenario.labels)
        said.append(f"nothing of its kinds was followed ({kinds})")
    return said


_WORDS: dict[Rule, str] = {
    "zone": "outside the zone",
    "hours": "outside its hours",
    "score": "not sure enough",
}


def _course(rule: Scenario, course: Course) -> str:
    head = f"{course.first:7.1f} s  {course.label} (best {course.best:.2f})"
    if course.begun is None:
        reasons = ", ".join(str(lack) for lack in course.lacks) or "no sure sight after it"
        return f"{head}: does not begin; nearest at {course.nearest:.1f} s: {reasons}"
    end = f"ends at {course.ended:.1f} s" if course.ended is not None else "goes on"
    shadow = " in shadow: nothing is sent" if rule.shadow else ""
    return f"{head}: begins at {course.begun:.1f} s{shadow}, last seen {course.seen:.1f} s, {end}"


def _nearness(course: Course) -> float:
    return min((_met(lack) for lack in course.lacks), default=1.0)


def _met(lack: Lack) -> float:
    """Return how much of a rule is met, 0..1."""
    if lack.value is None or not lack.needs:
        return 0.0
    return min(max(lack.value / lack.needs, 0.0), 1.0)
