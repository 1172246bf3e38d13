"""When a state becomes an event: at once, or after it has lasted; pure, times passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from edge.sensors.mapping import Alarm

Step = Literal["begin", "end"]


@dataclass(frozen=True, slots=True)
class AlarmState:
    """`since`: when the state became 1; `told`: whether the event has begun."""

    since: datetime | None = None
    told: bool = False


CALM = AlarmState()


def stepped(
    state: AlarmState, rule: Alarm, *, on: bool, time: datetime
) -> tuple[AlarmState, Step | None]:
    """Return the state after a reading, and what is to be told."""
    if not on:
        return CALM, "end" if state.told else None
    since = state.since or time
    return waited(AlarmState(since, state.told), rule, time)


def waited(state: AlarmState, rule: Alarm, now: datetime) -> tuple[AlarmState, Step | None]:
    """Return the state when it is `now`: what lasted long enough begins."""
    if state.told or state.since is None or now - state.since < timedelta(seconds=rule.after):
        return state, None
    return AlarmState(state.since, told=True), "begin"
