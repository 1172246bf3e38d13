"""What a recording came to, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from edge.replay.course import Course, Story, why
from edge.replay.play import Played
from edge.replay.strip import held


def told(played: Played) -> Iterator[str]:
    """Return it line by line."""
    for story in played.stories:
        rule = story.scenario
        shadow = ", in shadow" if rule.shadow else ""
        yield f"{rule.event} in {rule.zone}{shadow}: {len(story.begun)} begun"
        yield from (f"  {line}" for line in why(story))
    for door in played.doors:
        yield f"door {door.id} would have been held: {held(door)}"
    for name, counts in played.counts.items():
        said = ", ".join(f"{what} {count}" for what, count in counts.items())
        yield f"line {name}: {said}"
    yield from played.others()
    for state in played.states:
        report = state.report
        if report.state is not None:
            yield f"place {state.place}: {report.state}"


def document(played: Played, model: str, recording: str) -> dict[str, Any]:
    """Return it as one JSON object; times in seconds of the recording, but `start`."""
    return {
        "recording": recording,
        "model": model,
        "start": played.start.isoformat() if played.start is not None else None,
        "seconds": round(played.seconds, 3),
        "frames": played.frames,
        "scenarios": [_story(story) for story in played.stories],
        "doors": [
            {
                "door": door.id,
                "holds": [
                    {
                        "start": _rounded(one.start),
                        "end": _rounded(one.end),
                        "reason": one.reason,
                    }
                    for one in door.holds
                ],
            }
            for door in played.doors
        ],
        "lines": played.counts,
        "happened": [
            {
                "event": fact.scenario.event,
                "zone": fact.zone,
                "label": fact.label,
                "phase": fact.phase,
                "time": fact.time.isoformat(),
            }
            for fact in played.happened
        ],
        "places": [
            {"place": one.place, "state": one.report.state, "time": one.time.isoformat()}
            for one in played.states
        ],
    }


def _story(story: Story) -> dict[str, Any]:
    rule = story.scenario
    return {
        "event": rule.event,
        "zone": rule.zone,
        "severity": rule.severity,
        "shadow": rule.shadow,
        "begun": len(story.begun),
        "frames": {"all": story.frames, "of_its_kinds": story.right},
        "passed_over": dict(story.passed_over),
        "sessions": [_course(course) for course in story.courses],
    }


def _course(course: Course) -> dict[str, Any]:
    return {
        "label": course.label,
        "first": round(course.first, 3),
        "begun": _rounded(course.begun),
        "seen": round(course.seen, 3),
        "ended": _rounded(course.ended),
        "best": round(course.best, 3),
        "nearest": _rounded(course.nearest),
        "lacks": [msgspec.to_builtins(lack) for lack in course.lacks],
    }


def _rounded(seconds: float | None) -> float | None:
    """Return it to the millisecond."""
    return None if seconds is None else round(seconds, 3)
