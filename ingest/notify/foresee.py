"""Who will be told, and when, while nobody acts: the engine itself, let run ahead. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from ingest.notify.contact import Directory, Recipient, Unreached, recipients
from ingest.notify.escalation import Climb, Told, climb_on
from ingest.notify.plans import in_business
from ingest.notify_settings import Business


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One rung at its time: who would be told, and who could not be."""

    at: datetime
    told: Told
    reached: tuple[Recipient, ...] = ()
    missing: tuple[Unreached, ...] = ()


def foresee(
    climb: Climb, team: str, directory: Directory, business: Business, zone: tzinfo
) -> tuple[Step, ...]:
    """Return the rungs to come of the round that a climb is in, if nothing else changes."""
    steps: list[Step] = []
    round_ = climb.round
    while climb.due is not None and climb.round == round_:
        now = climb.due
        climb, told = climb_on(climb, now, business=in_business(business, now, zone))
        for one in told:
            step = _step(one, climb, team, directory, now)
            steps.append(step)
            stuck = not step.reached and one.skipped is None
            if stuck and climb.due is not None and climb.round == round_:
                # As in life: when nobody of a rung can be told, the next does not wait.
                climb = msgspec.structs.replace(climb, due=now)
    return tuple(steps)


def _step(told: Told, climb: Climb, team: str, directory: Directory, now: datetime) -> Step:
    if told.skipped is not None:
        return Step(at=now, told=told)
    reached, missing = recipients(told, team, climb.severity, directory, now)
    return Step(at=now, told=told, reached=tuple(reached), missing=tuple(missing))
